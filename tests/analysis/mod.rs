//! Analyses of videos, as producers and readers see them: the built program serves, with
//! real queues, databases and buckets; the models' stand-in answers as OpenAI's API does.
//!
//! | file | what it shows |
//! |---|---|
//! | `house.rs` | server, models, videos of a test |
//! | `embedded.rs` | with nothing set but the models: all steps, results, search |
//! | `again.rs` | videos that are asked for again |
//! | `sources.rs` | each source of jobs with each storage |
//! | `troubles.rs` | crashes, models that refuse, videos that are none |

mod again;
mod embedded;
mod house;
mod sources;
mod troubles;
