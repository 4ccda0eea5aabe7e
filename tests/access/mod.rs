//! People on their way to the gates: the built program between a real RabbitMQ, Eposh
//! and HikCentral, which are simulated.
//!
//! | file | what it asks |
//! |---|---|
//! | `house.rs` | broker, queues, Eposh, HikCentral and workers of a test |
//! | `flow.rs` | what becomes of people, and what is said of it |
//! | `induction.rs` | the endpoint |
//! | `troubles.rs` | wrong keys, quotas, codes that are there, groups that fail, photos |
//! | `deaths.rs` | a broker and workers that are killed in the middle of 1,543 people |

mod deaths;
mod flow;
mod house;
mod induction;
mod troubles;
