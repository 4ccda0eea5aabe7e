//! The client of models against a stand-in for OpenAI's API, with every way and every
//! fault that it has; and that one against OpenAI's own client.
//!
//! | file | what it does |
//! |---|---|
//! | `fixture.rs` | clients with little patience, pictures and sounds |
//! | `hearing.rs` | transcripts, with and without times; what is not sent |
//! | `seeing.rs` | captions and the ways in which they end |
//! | `comparing.rs` | vectors: order, batches, what is too long, dimensions |
//! | `again.rs` | what is tried again, when, how often, and until when |
//! | `pace.rs` | requests at once, and the server's limits |
//! | `refusing.rs` | what refusals mean |
//! | `secrets.rs` | where the key goes and where it does not |
//! | `local.rs` | servers that are like OpenAI's |
//! | `counting.rs` | metrics |
//! | `strangers.rs` | OpenAI's own client against the stand-in |

mod again;
mod comparing;
mod counting;
mod fixture;
mod hearing;
mod local;
mod pace;
mod refusing;
mod secrets;
mod seeing;
mod strangers;
