//! What the adapters on Redis share.
//!
//! | file | what it does |
//! |---|---|
//! | `connection.rs` | the connection, made anew after it broke |
//! | `bell.rs` | waking up when there may be something to claim |
//! | `claiming.rs` | claims that are never forgotten |
//! | `lua/` | what their scripts begin with |

pub(super) mod bell;
pub(super) mod claiming;
pub(super) mod connection;
