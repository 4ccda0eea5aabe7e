//! Archives of analyses: one contract for objects and for tables, and the table by
//! which producers ask in SQL.
//!
//! | file | what it asks |
//! |---|---|
//! | `bench.rs` | an archive of each kind, for one test |
//! | `contract.rs` | what every archive guarantees |
//! | `writers.rs` | whose a video is, where several jobs are about it |
//! | `tables.rs` | tables that exist already, rights, pgvector that comes later |
//! | `jobs.rs` | producers that speak SQL, and the queue that does what they ask |
//! | `together.rs` | many of them at once, and rows that somebody holds |

mod bench;
mod contract;
mod jobs;
mod tables;
mod together;
mod writers;

/// A test of each kind of archive for each function.
macro_rules! on_every_archive {
    ($($name:ident),* $(,)?) => {
        on_every_archive!(@ folder [$($name),*]);
        on_every_archive!(@ s3 [$($name),*]);
        on_every_archive!(@ arrays [$($name),*]);
        on_every_archive!(@ pgvector [$($name),*]);
        on_every_archive!(@ hybrid [$($name),*]);
    };
    (@ $kind:ident [$($name:ident),*]) => {
        mod $kind {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Bench::$kind().await).await;
            })*
        }
    };
}
use on_every_archive;
