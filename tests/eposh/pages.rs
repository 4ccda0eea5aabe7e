//! People by day and page, and what is asked for them.

use flatbed::client::eposh::{Config, Kind};
use flatbed::config::{Secret, Variables};
use jiff::civil::Date;
use serde_json::{Value, json};

use super::fixture::{client_of, config, eposh, first};
use crate::support::eposh::{EposhServer, Fault, TOKEN, kib_number};

#[tokio::test]
async fn a_day_s_people_come_page_by_page_as_they_are() {
    let (server, client) = eposh(250);
    let mut people = Vec::new();
    for number in 1..=3 {
        let page = client.page(first(), number).await.expect("a page");
        let told = &page.pagination;
        assert_eq!(
            (told.current_page, told.last_page, told.total),
            (number, 3, 250)
        );
        assert_eq!(page.unread, []);
        people.extend(page.data);
    }
    assert_eq!(people.len(), 250);
    for (number, employee) in people.iter().enumerate() {
        let mut person = server.person(number);
        // What is null is left out.
        let fields = person.as_object_mut().expect("an object");
        fields.retain(|_, value| !value.is_null());
        assert_eq!(serde_json::to_value(employee).expect("JSON"), person);
        assert_eq!(employee.kib_number, kib_number(number));
        assert_eq!(employee.photo_link(), person["photo"]["link"].as_str());
    }
    let nobody = Date::constant(2027, 5, 31);
    let page = client.page(nobody, 1).await.expect("a page");
    assert_eq!((page.data.len(), page.pagination.last_page), (0, 1));
}

#[tokio::test]
async fn the_requirement_s_days_have_1543_people_on_17_pages() {
    let server = EposhServer::january();
    let client = client_of(config(&server));
    let (mut people, mut pages) = (0, 0);
    for day in (1..=19).filter(|day| ![2, 5].contains(day)) {
        let date = Date::constant(2026, 1, day);
        let page = client.page(date, 1).await.expect("a page");
        assert_eq!(page.pagination.last_page, 1);
        assert_eq!(page.data.len(), server.numbers(date).len());
        (people, pages) = (people + page.data.len(), pages + 1);
    }
    assert_eq!((people, pages), (1543, 17));
}

#[tokio::test]
async fn date_page_and_token_are_sent_and_the_address_s_query_is_kept() {
    let server = EposhServer::start([("2026-01-01", 1)]);
    let url = format!("{}?status=inducted&key=a%26b", server.url());
    let mut variables = Variables::of([("EPOSH_API_URL", &*url), ("EPOSH_API_TOKEN", TOKEN)]);
    let config = Config::read(&mut variables).expect("a config");
    variables.finish().expect("no faults");
    let client = client_of(config);
    client.page(first(), 1).await.expect("a page");
    client.check(first()).await.expect("an answer");
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    for seen in seen {
        assert_eq!(seen.path, "/api/inductions");
        assert_eq!(
            seen.query,
            "status=inducted&key=a%26b&date=2026-01-01&page=1"
        );
        assert_eq!(seen.headers["authorization"], format!("Bearer {TOKEN}"));
        assert_eq!(seen.headers["accept"], "application/json");
    }
    let shown = server.address();
    assert_eq!(client.address(), format!("{shown}/api/inductions"));
}

#[tokio::test]
async fn an_answer_in_another_data_is_the_same() {
    let (server, client) = eposh(1);
    let page = json!({
        "data": [{"name": "A", "kib_number": 7, "shift": "night"}],
        "pagination": {"current_page": "1", "last_page": "2", "total": "155", "per_page": 100},
    });
    let wrapped = json!({"event": "HIKVISION_SYNC", "data": page});
    let bodies = [&page, &wrapped].map(|body| Fault::body(&body.to_string()));
    server.fail("page=1", bodies);
    for _ in 0..2 {
        let page = client.page(first(), 1).await.expect("a page");
        assert_eq!(page.pagination.total, 155);
        assert_eq!(
            serde_json::to_value(&page).expect("JSON"),
            json!({
                "data": [{"name": "A", "kib_number": "7", "regionals": [], "shift": "night"}],
                "pagination": {
                    "current_page": 1, "last_page": 2, "total": 155, "per_page": 100,
                },
            })
        );
    }
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_costs_nobody_else() {
    let (server, client) = eposh(1);
    let page = json!({
        "data": [
            {"name": "A", "kib_number": "1"},
            "Sample Person",
            {"name": "Sample Person", "kib_number": null},
            {"kib_number": "4"},
            {"name": "E", "kib_number": "5"},
        ],
        "pagination": {"current_page": 1, "last_page": 1, "total": 5},
    });
    server.fail("page=1", [Fault::body(&page.to_string())]);
    let page = client.page(first(), 1).await.expect("a page");
    let read: Vec<&str> = page
        .data
        .iter()
        .map(|own| own.kib_number.as_str())
        .collect();
    assert_eq!(read, ["1", "5"]);
    let places: Vec<usize> = page.unread.iter().map(|unread| unread.place).collect();
    assert_eq!(places, [2, 3, 4]);
    let told = format!("{:?}", page.unread);
    assert!(!told.contains("Sample"), "{told}");
}

#[tokio::test]
async fn what_is_no_page_is_told_with_date_and_page() {
    let (server, client) = eposh(1);
    let page = |current: Value| {
        json!({"data": [], "pagination": {"current_page": current, "last_page": 2}}).to_string()
    };
    for (body, reason) in [
        (
            "<title>Sample Person</title>".to_owned(),
            "no JSON at line 1, column 1",
        ),
        (
            r#"{"data": [{"name": "Sample Per"#.to_owned(),
            "cut off at line 1, column 30",
        ),
        (r#"["Sample Person"]"#.to_owned(), "it is no object"),
        (
            r#"{"message": "Sample Person"}"#.to_owned(),
            "it has no list data",
        ),
        (r#"{"data": []}"#.to_owned(), "it has no object pagination"),
        (
            page(json!("first")),
            "its pagination: expected whole numbers",
        ),
        (page(json!(-1)), "its pagination: expected whole numbers"),
        (page(json!(2)), "it is page 2"),
    ] {
        server.fail("page=1", [Fault::body(&body)]);
        let error = client.page(first(), 1).await.expect_err("no page");
        assert_eq!(error.kind(), Kind::Malformed, "{error}");
        assert!(!error.passes());
        assert_eq!(error.asked(), Some((first(), 1)));
        let shown = server.address();
        assert_eq!(
            error.to_string(),
            format!(
                "Eposh ({shown}/api/inductions), 2026-01-01, page 1: its answer is no page of \
                 people: {reason}; see to EPOSH_API_URL"
            )
        );
    }
}

#[tokio::test]
async fn without_a_token_that_is_right_nothing_is_answered() {
    let server = EposhServer::start([("2026-01-01", 1)]);
    let client = client_of(Config {
        token: Secret::new("another"),
        ..config(&server)
    });
    for error in [
        client.page(first(), 1).await.expect_err("refused"),
        client.check(first()).await.expect_err("refused"),
    ] {
        assert_eq!(error.kind(), Kind::Refused);
        assert_eq!(error.status(), Some(401));
        assert!(
            error
                .to_string()
                .ends_with("see to EPOSH_API_TOKEN and what it may read")
        );
    }
    assert_eq!(server.seen().len(), 2, "each was asked once");
}
