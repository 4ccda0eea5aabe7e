//! Queues: one contract suite, and the adapters that pass it.
//!
//! | file | what it does |
//! |---|---|
//! | `fixture.rs` | what an adapter gives the suite |
//! | `contract/` | the suite: a function for each sentence of the contract |
//! | `child.rs` | another process that has the same queue, to be stopped and killed |
//! | `service.rs` | a server of `scripts/services`, or one of a test's own |
//! | `outage.rs` | calls to a broker that is gone |
//! | `sqlite.rs`, `bullmq/` ... | an adapter each: its fixture, and what only it promises |

pub mod bullmq;
mod child;
pub mod contract;
pub mod fixture;
pub mod outage;
mod packing_items;
pub mod postgres;
pub mod rabbitmq;
mod redis_list;
pub mod service;
mod sqlite;
mod sqs;
pub mod webhook;
