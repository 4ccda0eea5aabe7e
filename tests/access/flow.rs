//! What becomes of people, and what is said of it.

use serde_json::{Value, json};

use super::house::{ASSIGN, CREATE, House, MAIN, UPDATE};
use crate::metrics::promtool;
use crate::support::eposh::{Face, face, groups, kib_number, name};
use crate::support::wait_until;

/// Among forty there is each kind of photo, and somebody whose zone nobody knows.
#[test]
fn everybody_comes_to_the_gates() {
    let house = House::with(40);
    let worker = house.worker();
    House::induct(&worker);
    house.wait_for(house.eposh.all());
    wait_until("nothing to be left", || house.left().is_empty());
    assert_eq!(house.hikcentral.people().len(), 40);
    for number in house.eposh.all() {
        let person = house.hikcentral.person(&kib_number(number));
        let person = person.expect("a person");
        assert_eq!(person.given_name, "Sample Person");
        assert_eq!(
            format!("Sample Person {}", person.family_name),
            name(number)
        );
        let has_face = matches!(face(number), Face::Png | Face::Jpeg | Face::WebP);
        assert_eq!(
            person.face.is_some(),
            has_face,
            "{number}: {:?}",
            face(number)
        );
        assert!(person.face.unwrap_or(0) <= 200_000);
        assert_eq!(person.organisation, "2");
    }

    House::wait_for_assigned(&worker, 40);
    let completed = "flatbed_jobs_total{status=\"completed\",workload=\"access_update_kib\"}";
    wait_until("all to be settled", || {
        House::count(&worker, completed) == 40
    });
    let count = |line: &str| House::count(&worker, line);
    let people = "flatbed_access_people_total{outcome=";
    for (labels, expected) in [
        ("\"queued\",stage=\"induction\"}", 40),
        ("\"published\",stage=\"publisher\"}", 40),
        ("\"created\",stage=\"create_person\"}", 40),
        ("\"existing\",stage=\"create_person\"}", 0),
        ("\"updated\",stage=\"update_kib\"}", 40),
        ("\"assigned\",stage=\"assign_privilege\"}", 40),
        ("\"failed\",stage=\"create_person\"}", 0),
    ] {
        assert_eq!(count(&format!("{people}{labels}")), expected, "{labels}");
    }
    let photos = "flatbed_access_photos_total{outcome=";
    for (outcome, expected) in [
        ("sent", 37),
        ("unfit", 1),
        ("unreachable", 1),
        ("absent", 1),
    ] {
        assert_eq!(
            count(&format!("{photos}\"{outcome}\"}}")),
            expected,
            "{outcome}"
        );
    }
    let all: usize = house.eposh.all().map(|number| groups(number).len()).sum();
    assert_eq!(
        count("flatbed_access_groups_total{outcome=\"assigned\"}"),
        all
    );
    assert_eq!(count("flatbed_access_unknown_regionals_total"), 1);
    assert_eq!(promtool(&worker.get("/metrics").text), "");

    let health = worker.get("/health");
    assert_eq!(health.code, 200, "{health:?}");
    for name in ["rabbitmq", "hikcentral", "access_create_person"] {
        let state = &health.json()["dependencies"][name]["status"];
        assert_eq!(state, "ok", "{name}: {health:?}");
    }
    worker.stop();
}

/// The console lines of the workers before are events, in which nobody is named.
#[test]
fn the_log_tells_what_is_done_and_to_nobody_who_it_is() {
    let house = House::with(2);
    let worker = house.worker_with(&[("LOG_LEVEL", "debug")]);
    House::induct(&worker);
    house.wait_for(house.eposh.all());
    House::wait_for_assigned(&worker, 2);
    let log = worker.log();
    let told = |words: &[&str]| {
        let is_one = |line: &str| words.iter().all(|word| line.contains(word));
        assert!(log.lines().any(is_one), "no {words:?} in {log}");
    };
    let kib = |number| format!("kib=\"{}\"", kib_number(number));
    told(&["received batch", "stage=\"publisher\"", "people=2"]);
    told(&["published", &kib(0), "name=\"S*** P*** 0***\""]);
    told(&["batch published: 2/2 employees sent to create person"]);
    let masked = "name=\"S*** P*** 1***\"";
    let mapped = r#"regionals=["Zona I", "Zona II"] groups=["1", "2"]"#;
    told(&[
        "processing",
        "stage=\"create_person\"",
        &kib(1),
        masked,
        mapped,
    ]);
    told(&["person created", "person=18945"]);
    told(&["sent to update KIB", "person=18946"]);
    told(&["person updated with KIB", &kib(0)]);
    told(&["sent to assign privilege", "groups=2"]);
    told(&["added to privilege group", "group=\"1\""]);
    told(&["Assigned 2/2 privilege groups"]);
    told(&["completed", "stage=\"assign_privilege\""]);
    for private in ["Sample", "0000000000000001", "hunter2"] {
        assert!(!log.contains(private), "{private} in {log}");
    }
    worker.stop();

    let house = House::with(1);
    let worker = house.worker_with(&[("ACCESS_LOG_NAMES", "true")]);
    House::induct(&worker);
    worker.said("name=\"Sample Person 0\"");
    worker.stop();
}

/// Other workers take and give the same messages: each stage alone, between queues that
/// the test reads and writes.
#[test]
fn each_stage_speaks_as_the_workers_before() {
    let house = House::with(1);
    let employee = house.eposh.person(0);
    let batch = json!({"event": "HIKVISION_SYNC", "data": {"data": [employee],
        "pagination": {"current_page": 1, "last_page": 2, "total": 155}}});

    let worker = house.worker_with(&[
        ("ACCESS_STAGES", "publisher"),
        ("HIKCENTRAL_URL", ""),
        ("HIKCENTRAL_APP_KEY", ""),
        ("HIKCENTRAL_APP_SECRET", ""),
    ]);
    house.publish(MAIN, &batch);
    let second = next(&house, CREATE);
    assert_eq!(second, json!({"employee": employee}));
    worker.stop();

    let worker = house.worker_with(&[("ACCESS_STAGES", "create_person")]);
    house.publish(CREATE, &second);
    let third = next(&house, UPDATE);
    let person = house.hikcentral.person(&kib_number(0)).expect("a person");
    let mut known = employee.clone();
    for name in ["birth_date", "photo"] {
        known.as_object_mut().unwrap().remove(name);
    }
    let expected = json!({"personId": person.id, "kib_number": kib_number(0), "employee": known});
    assert_eq!(third, expected);
    worker.stop();

    let worker = house.worker_with(&[("ACCESS_STAGES", "update_kib")]);
    house.publish(UPDATE, &third);
    let fourth = next(&house, ASSIGN);
    assert_eq!(
        fourth,
        json!({"personId": person.id, "privilege_groups": groups(0)})
    );
    worker.stop();

    let worker = house.worker_with(&[("ACCESS_STAGES", "assign_privilege")]);
    house.publish(ASSIGN, &fourth);
    house.wait_for([0]);
    worker.stop();
    assert!(house.left().is_empty(), "{:?}", house.left());
}

fn next(house: &House, stage: usize) -> Value {
    let mut text = None;
    wait_until("the next message", || {
        text = house.take(stage);
        text.is_some()
    });
    let text = text.expect("a message");
    // As compact as JSON is, and in the requirement's order.
    assert!(!text.contains(": ") || text.contains("http"), "{text}");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn doctor_looks_at_everything_and_lists_departments() {
    let house = House::with(0);
    let lines = house.json("doctor");
    let of = |name: &str| -> Vec<&Value> {
        let lines = lines.as_array().unwrap().iter();
        lines.filter(|line| line["name"] == name).collect()
    };
    assert_eq!(of("access").len(), 4, "{lines}");
    assert_eq!(of("hikcentral").len(), 2, "{lines}");
    assert_eq!(of("eposh").len(), 1, "{lines}");
    for line in lines.as_array().unwrap() {
        assert_eq!(line["ok"], true, "{lines}");
    }
    let mut command = house.folder.command("doctor");
    let variables = house.variables(&[("HIKCENTRAL_ORG_INDEX_CODE", "nowhere")]);
    command.env_clear().envs(variables);
    let told = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(told.contains("there is no department nowhere"), "{told}");
    assert!(
        told.contains("HIKCENTRAL_ORG_INDEX_CODE to one of"),
        "{told}"
    );
}
