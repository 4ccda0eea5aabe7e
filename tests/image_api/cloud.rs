//! Hosts that share a queue in Redis or Postgres, and a bucket.

use uuid::Uuid;

use super::ask::{fetched, taken, told, upload, wait_for};
use crate::exports::cloud::{Cloud, Shared};
use crate::images::photos::photo;
use crate::queue::bullmq::Bullmq;
use crate::queue::postgres::Postgres;

fn any_host_makes_what_another_took<Q: Shared>() {
    let cloud = Cloud::<Q>::new();
    let queue = format!("flatbed-images-{}", Uuid::now_v7());
    let name = ("IMAGE_API_QUEUE_NAME", queue.as_str());
    let first = cloud.host_with(&[name, ("IMAGE_API_SMALL_BYTES", "5000")]);
    let photo = photo("640x480");
    let ids: Vec<_> = (1..=6)
        .map(|number| {
            let width = format!("maxWidth={}", 16 * number);
            taken(&first, &upload(&first, &photo, &[&width], &[]).0)
        })
        .collect();
    first.kill();
    let second = cloud.host_with(&[name]);
    for (number, id) in (1..).zip(&ids) {
        let status = wait_for(&second, id, "completed");
        assert_eq!(status["image"]["width"], 16 * number, "{status}");
        let webp = fetched(&second, id);
        let (width, height) = (16 * number, 12 * number);
        assert_eq!(told(&webp), format!("webp,{width},{height},yuv420p"));
    }
    // Small ones need neither queue nor bucket.
    cloud.s3.fail(|_| Some(503));
    let (answer, _) = upload(&second, &photo, &["maxWidth=32"], &[]);
    assert_eq!(answer.code, 200, "{answer:?}");
    cloud.s3.mend();
    second.stop();
}

#[test]
fn with_bullmq() {
    any_host_makes_what_another_took::<Bullmq>();
}

#[test]
fn with_postgres() {
    any_host_makes_what_another_took::<Postgres>();
}
