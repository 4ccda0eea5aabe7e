//! The client of Hikvision's recorders against a simulated one, with every way and
//! every fault that it has; and that one against clients that others wrote.
//!
//! | file | what it does |
//! |---|---|
//! | `fixture.rs` | recorders with footage, clients with little patience |
//! | `login.rs` | Digest, Basic, stale nonces, wrong passwords, locks |
//! | `listing.rs` | dialects, pages, namespaces |
//! | `times.rs` | UTC, local time, finding out |
//! | `downloads.rs` | whole files, methods, faults, hanging up |
//! | `turns.rs` | one at a time, and busy devices |
//! | `examining.rs` | what an operator is told |
//! | `strangers.rs` | hikvisionapi, HikLoad and curl against the simulated one |

mod downloads;
mod examining;
mod fixture;
mod listing;
mod login;
mod strangers;
mod times;
mod turns;
