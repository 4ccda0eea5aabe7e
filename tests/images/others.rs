//! Messages of other tasks in the same list.

use redis::FromRedisValue;

use super::house::House;
use super::photos::photo;
use crate::support::wait_until;

const REPORT: &str = r#"{"task_type":"generate_report","payload":{"reportID":"7"}}"#;

#[test]
fn they_stay_in_the_list_for_those_who_know_them() {
    let house = House::new();
    let others = [REPORT, REPORT, "no JSON", "[1]", r#"{"task_type":7}"#];
    for message in others {
        house.push_text(message);
    }
    let worker = house.worker();
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(house.order(number, &photo("64x48")));
        house.push_text(REPORT);
    }
    for id in &ids {
        house.wait_for(id, "COMPLETED");
    }
    wait_until("only others' messages to be left", || house.left() == 8);
    let mut left =
        Vec::<String>::from_redis_value(house.redis.command(&["LRANGE", &house.list, "0", "-1"]))
            .expect("messages");
    left.sort();
    let mut expected = others.to_vec();
    expected.extend([REPORT; 3]);
    expected.sort_unstable();
    assert_eq!(left, expected, "each of them, as it was");
    assert!(house.set_aside().is_empty());

    // A worker of another kind takes them while this one goes on looking.
    for _ in 0..8 {
        let popped = house.redis.command(&["BRPOP", &house.list, "60"]);
        let popped = Vec::<String>::from_redis_value(popped).expect("a message");
        assert!(expected.contains(&popped[1].as_str()), "{popped:?}");
    }
    assert_eq!(house.left(), 0);
    let last = house.order(4, &photo("64x48"));
    house.wait_for(&last, "COMPLETED");
    assert_eq!(
        house
            .backend
            .heard()
            .iter()
            .filter(|heard| heard.method == "PATCH")
            .count(),
        8
    );
    worker.stop();
}

/// However many they are, and wherever ours is among them.
#[test]
fn a_crowd_of_them_hides_no_image() {
    let house = House::new();
    let id = house.order(1, &photo("64x48"));
    // Ours goes to the far end of three thousand.
    for _ in 0..30 {
        let mut push = vec!["RPUSH", house.list.as_str()];
        push.extend([REPORT; 100]);
        house.redis.command(&push);
    }
    let worker = house.worker();
    house.wait_for(&id, "COMPLETED");
    wait_until("the job to be settled", || house.left() == 3000);
    worker.stop();
}

#[test]
fn or_are_set_aside_where_nobody_else_is() {
    let house = House::new();
    let worker = house.worker_with(&[("IMAGE_UNKNOWN_TASKS", "set_aside")]);
    house.push_text(REPORT);
    house.push_text("no JSON");
    let id = house.order(1, &photo("64x48"));
    house.wait_for(&id, "COMPLETED");
    wait_until("both to be set aside", || house.set_aside().len() == 2);
    house.wait_until_idle();
    let reasons = house.set_aside().join("\n");
    assert!(
        reasons.contains("task_type \"generate_report\" is not done here"),
        "{reasons}"
    );
    assert!(reasons.contains("order: expected"), "{reasons}");
    let payloads = house.redis.command(&[
        "EVAL",
        "local all = {} for _, id in ipairs(redis.call('LRANGE', KEYS[1] .. ':dead', 0, -1)) do
            all[#all + 1] = redis.call('HGET', KEYS[1] .. ':job:' .. id, 'payload') end return all",
        "1",
        &house.list,
    ]);
    let payloads = Vec::<String>::from_redis_value(payloads).expect("messages");
    assert_eq!(payloads, ["no JSON", REPORT], "kept as they were");
    worker.stop();
}
