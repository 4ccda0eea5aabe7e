//! Faults that the whole worker survives: the built program is killed, starved and
//! cut off while it makes exports, and nothing is lost, no result is seen twice and
//! no part of an object is seen. docs/RELIABILITY.md has the list of faults.
//!
//! | file | which |
//! |---|---|
//! | `killed.rs` | killed before the claim's answer, and between upload and settlement |
//! | `crashing.rs` | an input that crashes the process |
//! | `busy.rs` | every core in the engine |
//! | `cancelling.rs` | a cancel that races the end |
//! | `stopping.rs` | SIGTERM past the time of grace |
//! | `storing.rs` | a store that fails, and a disk that is full, in mid-upload |
//! | `proxy.rs` | a way to a server that loses answers, or all |

mod busy;
mod cancelling;
mod crashing;
mod killed;
mod proxy;
mod stopping;
mod storing;
