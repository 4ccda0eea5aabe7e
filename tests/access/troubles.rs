//! What goes wrong at HikCentral, with photos and with messages: nobody is lost, and
//! nobody is there twice.

use serde_json::json;

use super::house::{ASSIGN, CREATE, House, UPDATE};
use crate::support::eposh::{groups, kib_number};
use crate::support::hikcentral::{Fault, Profile, Quota, path};
use crate::support::wait_until;

/// Somebody must mend it. People wait, and no attempt is charged to them.
#[test]
fn a_wrong_secret_loses_nobody() {
    let profile = Profile {
        leaks: true,
        ..Profile::default()
    };
    let house = House::before(6, profile);
    let worker = house.worker_with(&[
        ("HIKCENTRAL_APP_SECRET", "hunter2"),
        ("RABBITMQ_MAX_ATTEMPTS", "1"),
    ]);
    House::induct(&worker);
    worker.said("nobody gets on");
    let log = worker.log();
    assert!(
        log.contains("0x02401003") && log.contains("HIKCENTRAL_APP_SECRET"),
        "{log}"
    );
    assert!(!log.contains("hunter2"), "{log}");
    let health = worker.get("/health");
    assert_eq!(health.code, 503);
    assert!(health.text.contains("the signature is wrong"), "{health:?}");
    worker.stop();
    assert!(house.hikcentral.people().is_empty());
    assert!(house.set_aside(CREATE).is_empty());

    let worker = house.worker_with(&[("RABBITMQ_MAX_ATTEMPTS", "1")]);
    house.wait_for(house.eposh.all());
    wait_until("nothing to be left", || house.left().is_empty());
    worker.stop();
}

/// Twice in the queue, there before, added without anybody hearing of it.
#[test]
fn nobody_is_there_twice() {
    let house = House::with(10);
    let worker = house.worker();
    // Added, and nothing answered: looked up, not added again.
    let code = kib_number(3);
    house
        .hikcentral
        .fail_holding(path::ADD, &code, [Fault::DoneThenHangUp]);
    House::induct(&worker);
    House::induct(&worker);
    House::wait_for_assigned(&worker, 20);
    House::induct(&worker);
    House::wait_for_assigned(&worker, 30);
    house.wait_for(house.eposh.all());
    assert!(house.left().is_empty(), "{:?}", house.left());
    let people = house.hikcentral.people();
    assert_eq!(people.len(), 10, "{people:?}");
    let again = people.iter().filter(|person| person.faces > 1).count();
    assert!(again > 5, "faces are those of today: {people:?}");
    assert_eq!(house.hikcentral.faults_left(), 0);
    let line = "flatbed_access_people_total{outcome=\"existing\",stage=\"create_person\"}";
    assert!(House::count(&worker, line) >= 20);
    worker.stop();
}

#[test]
fn a_quota_and_a_busy_server_slow_people_down_and_lose_nobody() {
    let profile = Profile {
        quota: Some(Quota {
            requests: 15,
            each: std::time::Duration::from_secs(1),
        }),
        busy_every: Some(7),
        ..Profile::default()
    };
    let house = House::before(12, profile);
    let worker = house.worker_with(&[("RABBITMQ_MAX_ATTEMPTS", "1")]);
    House::induct(&worker);
    house.wait_for(house.eposh.all());
    wait_until("nothing to be left", || house.left().is_empty());
    assert_eq!(house.hikcentral.people().len(), 12);
    worker.stop();
}

/// One group fails: the others are given, and only the missing one is asked for again.
#[test]
fn a_missing_group_is_asked_for_alone() {
    let house = House::with(3);
    // Three groups, of which nobody else has the last.
    let number = 2;
    assert_eq!(groups(number).len(), 3);
    let missing = groups(number)[2];
    let worker = house.worker_with(&[("HIKCENTRAL_MAX_RETRIES", "0")]);
    let group = format!("\"privilegeGroupId\":\"{missing}\"");
    house
        .hikcentral
        .fail_always(path::GROUP, &group, Fault::Code(200, "5"));
    house.hikcentral.seen();
    let id = {
        House::induct(&worker);
        worker.said("Assigned 2/3 privilege groups");
        house
            .hikcentral
            .person(&kib_number(number))
            .expect("a person")
            .id
    };
    house.hikcentral.mend();
    house.wait_for(house.eposh.all());
    wait_until("nothing to be left", || house.left().is_empty());
    let asked: Vec<_> = house
        .hikcentral
        .seen()
        .into_iter()
        .filter(|seen| seen.path == path::GROUP && seen.body.contains(&format!("\"{id}\"")))
        .collect();
    for group in groups(number) {
        let times = asked
            .iter()
            .filter(|seen| {
                seen.body
                    .contains(&format!("\"privilegeGroupId\":\"{group}\""))
            })
            .count();
        assert_eq!(times > 1, group == missing, "{group}: {asked:?}");
    }
    worker.stop();
}

/// A group that is not there: set aside with what is missing, and tried again by order.
#[test]
fn a_group_that_is_not_there_is_told_and_can_be_tried_again() {
    let house = House::with(1);
    let worker = house.worker_with(&[("ACCESS_PRIVILEGE_GROUPS", "zona-i=1,zona-i=77")]);
    House::induct(&worker);
    let letters = house.wait_for_set_aside(ASSIGN, 1);
    let reason = letters[0]["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("Assigned 1/2") && reason.contains("missing: 77"),
        "{reason}"
    );
    let id = format!("kib-{}", kib_number(0));
    assert_eq!(letters[0]["id"], id);
    let person = house.hikcentral.person(&kib_number(0)).expect("a person");
    let expected = json!({"personId": person.id, "privilege_groups": ["1", "77"]});
    assert_eq!(letters[0]["payload"], expected);

    let run = house.run(&format!("queue --of access-assign-privilege retry {id}"));
    run.succeeded();
    assert_eq!(run.text(), format!("{id}  waiting\n"));
    wait_until("it to be set aside again", || {
        let stats = house.json("queue --of access-assign-privilege stats");
        (&stats["failed"], &stats["waiting"]) == (&json!(1), &json!(0))
    });
    worker.stop();
}

/// A face that is not taken costs the face.
#[test]
fn a_face_that_is_refused_holds_nobody_up() {
    let house = House::with(3);
    house
        .hikcentral
        .fail_always(path::ADD, "faceData", Fault::Code(200, "2"));
    let worker = house.worker();
    House::induct(&worker);
    house.wait_for(house.eposh.all());
    for person in house.hikcentral.people() {
        assert_eq!(person.face, None);
    }
    worker.said("added without the photo");
    worker.stop();
}

/// Private addresses are not gone to, and what is no message of ours is set aside
/// without a word of what stands in it.
#[test]
fn what_is_not_to_be_is_not_done() {
    let house = House::with(0);
    let worker = house.worker_with(&[("FETCH_ALLOW_HOSTS", "")]);
    let employee = house.eposh.person(0);
    house.publish(CREATE, &json!({"employee": employee}));
    house.wait_for([0]);
    worker.said("the photo is not had; going on without");
    assert_eq!(
        house
            .hikcentral
            .person(&kib_number(0))
            .expect("a person")
            .face,
        None
    );

    house.publish(CREATE, &json!({"employee": {"name": "Secret"}}));
    let long = json!({"employee": {"name": "Secret Name", "kib_number": "12345678901234567"}});
    house.publish(CREATE, &long);
    let letters = house.wait_for_set_aside(CREATE, 2);
    let reasons: Vec<_> = letters
        .iter()
        .map(|letter| letter["reason"].to_string())
        .collect();
    let all = reasons.join(" ");
    assert!(
        all.contains("kib_number") && all.contains("17 characters"),
        "{all}"
    );
    assert!(
        !all.contains("Secret") && !worker.log().contains("Secret"),
        "{all}"
    );
    house.publish(
        UPDATE,
        &json!({"personId": "99", "kib_number": "1", "employee": {}}),
    );
    let letters = house.wait_for_set_aside(UPDATE, 1);
    let reason = letters[0]["reason"].to_string();
    assert!(reason.contains("128"), "nobody has this number: {reason}");
    worker.stop();
}

/// Doors whose devices are told at once.
#[test]
fn devices_are_told_where_doors_are_named() {
    let house = House::with(1);
    let worker = house.worker_with(&[("HIKCENTRAL_DOOR_INDEX_CODES", "56, 57")]);
    House::induct(&worker);
    worker.said("devices have it");
    assert!(house.hikcentral.requests_of(path::APPLY) >= 1);
    worker.stop();
}
