//! The client of HikCentral against a simulated one, with every code and every fault
//! that it has; and that one against a signer that others wrote.
//!
//! | file | what it does |
//! |---|---|
//! | `fixture.rs` | a server, and clients with little patience |
//! | `people.rs` | people looked up, added, given faces and fields |
//! | `rights.rs` | groups, devices, departments |
//! | `codes.rs` | each code and each odd answer, and what it comes to |
//! | `doubt.rs` | answers that are lost, and what is repeated |
//! | `secrets.rs` | what is not told |
//! | `limits.rs` | how fast, how many at once, quotas |
//! | `trust.rs` | certificates |
//! | `strangers.rs` | `PyPI`'s hikvision-openapi-signer |

mod codes;
mod doubt;
mod fixture;
mod limits;
mod people;
mod rights;
mod secrets;
mod strangers;
mod trust;
