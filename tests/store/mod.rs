//! The store: one contract for the folder and a real S3 server, and what only
//! one of them can be asked.
//!
//! | file | what it asks |
//! |---|---|
//! | `bench.rs` | a store of either kind, for one test |
//! | `contract.rs` | what every store guarantees |
//! | `streams.rs` | uploads and readers, of every store |
//! | `faults.rs` | an S3 that is away, refuses, breaks off, changes; a full disk |
//! | `engine.rs` | the engine between two objects |

mod bench;
mod contract;
mod engine;
mod faults;
mod streams;

/// A test of each kind of store for each function.
macro_rules! on_every_store {
    ($($name:ident),* $(,)?) => {
        mod folder {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Bench::folder()).await;
            })*
        }
        mod s3 {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Bench::s3().await).await;
            })*
        }
    };
}
use on_every_store;
