//! A Postgres that cannot be heard.

use std::sync::Arc;
use std::time::Duration;

use flatbed::queue::packing_items::{Config, PackingItems, Trigger};
use flatbed::queue::{Lease, Source};
use tokio::time::timeout;

use super::super::contract::BOUND;
use super::super::fixture::address_of;
use super::super::outage::{Proxy, Way, assert_away, settled};
use super::base::{Base, assert_held, made, next, quick};

/// The server does what it is asked, and its answers are lost.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_unheard_is_not_done_twice() {
    let base = Base::postgres().await;
    let config = Config {
        // No outage of this test outlasts it.
        lease: Duration::from_secs(120),
        ..quick()
    };
    base.open(config.clone()).await.migrate().await.unwrap();
    let server = address_of(&base.name());
    let proxy = Proxy::to(server).await;
    let url = base
        .name()
        .replacen(&server.to_string(), &proxy.address().to_string(), 1);
    let items = PackingItems::postgres(&url, config).unwrap();
    for id in [1, 2] {
        base.add(id).await;
    }
    // Its connections are there, and what it asks for is planned.
    let first = next(&items).await;
    assert_eq!(first.extend().await.unwrap(), Lease::Held);
    let warm = next(&items).await;
    assert_held(&*warm, &made(2)).await;

    base.add(3).await;
    proxy.set(Way::Mute);
    // So that the first thing that a claim asks for finds it.
    let producer = base.open(quick()).await;
    assert_eq!(producer.trigger(3).await.unwrap(), Trigger::Accepted);
    let done = made(1);
    let source: Arc<dyn Source> = Arc::new(items.clone());
    let (settling, claiming) = tokio::join!(first.settle(&done), source.receive());
    assert_away(settling);
    assert_away(claiming);
    let status = async |id| base.item(id, "status, attempts").await;
    assert_eq!(status(1).await, "CLIP_GENERATED 1");
    assert_eq!(status(3).await, "PROCESSING 1");

    proxy.set(Way::Open);
    assert_eq!(settled(&*first, &done).await, Lease::Held);
    // Long before its lease ends, and not charged twice.
    let late = timeout(BOUND, next(&items)).await.unwrap();
    assert_eq!((late.job().id.as_str(), late.job().attempt), ("3", 1));
    assert_eq!(status(3).await, "PROCESSING 1");
    assert_held(&*late, &made(3)).await;
    let clips = base.clips().await;
    let clips: Vec<_> = clips.iter().map(|clip| clip[1].as_str()).collect();
    assert_eq!(clips, ["clips/1.mp4", "clips/2.mp4", "clips/3.mp4"]);
}
