//! A broker that dies and workers that are killed, in the middle of the requirement's
//! 1,543 people over 17 pages.

use std::collections::BTreeSet;

use serde_json::json;

use super::house::House;
use crate::queue::service::Server as Service;
use crate::support::eposh::{EposhServer, groups, kib_number};
use crate::support::hikcentral::Profile;
use crate::support::wait_until;

#[test]
fn everybody_is_there_once_whatever_dies() {
    let rabbit = Service::own("rabbitmq");
    let eposh = EposhServer::january();
    let house = House::of(rabbit, eposh, Profile::default());
    let settings = [
        // A killed broker, and killed workers, cost an attempt each.
        ("RABBITMQ_MAX_ATTEMPTS", "10"),
        ("RABBITMQ_HEARTBEAT_SECONDS", "2"),
        // No photo can be fetched: made without optimisation they would be most of it.
        ("FETCH_ALLOW_HOSTS", ""),
    ];
    let staying = house.worker_with(&settings);
    let dying = house.worker_with(&settings);
    let answer = staying.post(
        "/eposh-induction",
        &json!({"from": "2026-01-01", "to": "2026-01-19", "skip": ["2026-01-02", "2026-01-05"]}),
    );
    let sent = "All dates processed: 1543 employees across 17 pages sent to RabbitMQ";
    assert_eq!(answer.field("message"), sent, "{answer:?}");

    let there = || house.hikcentral.people().len();
    wait_until("some to be there", || there() >= 150);
    dying.kill();
    wait_until("more to be there", || there() >= 500);
    house.rabbit.kill();
    let before = there();
    house.rabbit.restart();
    // Another one beside it, which is killed too.
    let third = house.worker_with(&settings);
    wait_until("people to come again", || {
        there() >= (before + 100).min(1543)
    });
    third.kill();

    // Those of the skipped days are the last of the numbers' holes: everybody else.
    let all = who(&house);
    assert_eq!(all.len(), 1543);
    house.wait_for(all.iter().copied());
    wait_until("nothing to be left", || house.left().is_empty());

    let people = house.hikcentral.people();
    let codes: BTreeSet<_> = people.iter().map(|person| person.code.clone()).collect();
    assert_eq!(
        (people.len(), codes.len()),
        (1543, 1543),
        "each person once"
    );
    for number in all {
        let person = house
            .hikcentral
            .person(&kib_number(number))
            .expect("a person");
        assert_eq!(person.fields["1"], kib_number(number));
        let expected: BTreeSet<_> = groups(number).into_iter().map(str::to_owned).collect();
        assert_eq!(person.groups, expected);
    }
    assert_eq!(house.hikcentral.forged(), 0);
    staying.stop();
    assert!(house.left().is_empty(), "{:?}", house.left());
}

/// The numbers of those who are to be there.
fn who(house: &House) -> Vec<usize> {
    let day = |day: i8| jiff::civil::date(2026, 1, day);
    let days = (1..=19).filter(|number| ![2, 5].contains(number));
    days.flat_map(|number| house.eposh.numbers(day(number)))
        .collect()
}
