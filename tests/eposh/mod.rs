//! The client of Eposh against a stand-in with every fault that it has.
//!
//! | file | what it does |
//! |---|---|
//! | `fixture.rs` | clients with little patience |
//! | `pages.rs` | people by day and page, and what is asked for them |
//! | `troubles.rs` | what is tried again, until when, and what the others mean |
//! | `stand_in.rs` | the stand-in itself |

mod fixture;
mod pages;
mod stand_in;
mod troubles;
