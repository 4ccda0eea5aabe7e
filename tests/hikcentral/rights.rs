//! Groups, devices, departments, the version.

use std::time::Duration;

use flatbed::client::hikcentral::{Config, Kind, PersonId};
use futures_util::future::join_all;

use super::fixture::{added, client_of, config, site};
use crate::support::hikcentral::{Fault, HikCentralServer, Profile, path};

#[tokio::test]
async fn who_is_in_a_group_stays_in_it() {
    for strict_groups in [false, true] {
        let (server, client) = site(Profile {
            strict_groups,
            ..Profile::default()
        });
        let id = added(&client, "7").await;
        for _ in 0..2 {
            client.add_to_group("8", &id).await.unwrap();
        }
        assert_eq!(Vec::from_iter(server.person("7").unwrap().groups), ["8"]);
        let error = client.add_to_group("77", &id).await.unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
    }
}

/// Two of three groups take the person; the third, asked alone later, too.
#[tokio::test]
async fn one_group_may_fail_alone() {
    let (server, client) = site(Profile::default());
    let id = added(&client, "7").await;
    server.fail_always(
        path::GROUP,
        "\"privilegeGroupId\":\"2\"",
        Fault::Code(200, "192"),
    );
    let groups = ["1", "2", "8"];
    let assigned = join_all(groups.map(|group| client.add_to_group(group, &id))).await;
    let taken: Vec<bool> = assigned.iter().map(Result::is_ok).collect();
    assert_eq!(taken, [true, false, true]);
    let error = assigned.into_iter().nth(1).unwrap().unwrap_err();
    assert!(error.passes() && !error.is_about_all_jobs(), "{error}");
    assert_eq!(
        Vec::from_iter(server.person("7").unwrap().groups),
        ["1", "8"]
    );
    server.mend();
    client.add_to_group("2", &id).await.unwrap();
    assert_eq!(Vec::from_iter(server.person("7").unwrap().groups), groups);
}

#[tokio::test]
async fn rights_are_applied_until_nothing_waits() {
    let (server, client) = site(Profile {
        looks: 3,
        ..Profile::default()
    });
    let mut people = Vec::new();
    for code in ["7", "8", "9"] {
        people.push(added(&client, code).await);
    }
    let doors = ["56".to_owned(), "57".to_owned()];
    let applied = client.apply_to_devices(&people, &doors).await.unwrap();
    assert_eq!((applied.waiting, applied.failed), (Some(0), Vec::new()));
    assert_eq!(
        server.requests_of(path::RESULT),
        4,
        "three that wait, and one"
    );
    let body = &server
        .seen()
        .into_iter()
        .find(|seen| seen.path == path::APPLY)
        .unwrap()
        .body;
    let ids: Vec<&str> = people.iter().map(PersonId::as_str).collect();
    let ids = ids.join(",");
    let expected =
        format!(r#"{{"ImmediateDownload":0,"personIds":"{ids}","doorIndexCodes":"56,57"}}"#);
    assert_eq!(body, &expected);

    server.refuse_on_devices(people[1].as_str());
    let applied = client.apply_to_devices(&people, &doors).await.unwrap();
    assert_eq!(applied.failed, [people[1].clone()]);
    assert_eq!(
        client
            .apply_to_devices(&[], &doors)
            .await
            .unwrap_err()
            .kind(),
        Kind::Unfit
    );
}

#[tokio::test]
async fn devices_are_not_waited_for_for_ever() {
    let server = HikCentralServer::start(Profile {
        looks: u64::MAX,
        ..Profile::default()
    });
    let client = client_of(Config {
        apply: Duration::ZERO,
        ..config(&server)
    });
    let people = [added(&client, "7").await];
    let applied = client
        .apply_to_devices(&people, &["56".to_owned()])
        .await
        .unwrap();
    assert_eq!(applied.waiting, Some(1));
}

#[tokio::test]
async fn departments_are_listed_page_by_page() {
    let many = (0..1200).map(|n| (n.to_string(), format!("Department {n}"), "0".to_owned()));
    for (count, pages) in [(1200, 3), (1000, 3), (1, 1), (0, 1)] {
        let organisations = many.clone().take(count).collect();
        let (server, client) = site(Profile {
            organisations,
            ..Profile::default()
        });
        let all = client.organisations().await.unwrap();
        assert_eq!((all.len(), server.requests()), (count, pages));
        if let Some(last) = all.last() {
            let number = (count - 1).to_string();
            assert_eq!(
                (&last.index_code, last.parent.as_deref()),
                (&number, Some("0"))
            );
            assert_eq!(last.name, format!("Department {number}"));
        }
    }
}

#[tokio::test]
async fn the_version_is_told() {
    let (server, client) = site(Profile::default());
    assert_eq!(
        client.version().await.unwrap(),
        "HikCentral Professional V2.6.1.0"
    );
    for (data, told) in [
        (r#""V2.0""#, "V2.0"),
        (r#"{"productName":"HCP","softVersion":3}"#, "HCP 3"),
        (r#"{"softVersion":"V1\n"}"#, "HikCentral V1"),
        ("{}", ""),
        ("null", ""),
    ] {
        let answer = format!(r#"{{"code":"0","msg":"Success","data":{data}}}"#);
        server.fail(path::VERSION, [Fault::Answer(200, answer)]);
        assert_eq!(client.version().await.unwrap(), told, "{data}");
    }
}
