//! The table of packing items: the contract, and what users of a table are promised.
//!
//! | file | what it does |
//! |---|---|
//! | `base.rs` | a database with the tables, in Postgres or SQLite |
//! | `contract.rs` | the suite, on rows of the table |
//! | `items.rs` | what a row goes through, and what its users may do to it meanwhile |
//! | `batches.rs` | batches, triggers, several workers |
//! | `faults.rs` | a Postgres that cannot be heard |
//! | `tables.rs` | other people's tables: names, types, rights |

mod base;
mod batches;
pub mod contract;
mod faults;
mod items;
mod tables;
