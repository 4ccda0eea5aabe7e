//! Guarded downloads, from servers and resolvers of the test.
//!
//! | file | what it does |
//! |---|---|
//! | `peer.rs` | a server that answers as it is told, a resolver of the test |
//! | `addresses.rs` | where downloads do not go, whatever names and redirects say |
//! | `bounds.rs` | sizes, times, answers that are no download |

mod addresses;
mod bounds;
pub mod peer;
