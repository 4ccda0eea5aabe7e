//! Access control: people whom an HR system lists come to the gates, through a chain of
//! queues.
//!
//! | file | what it does |
//! |---|---|
//! | [`inducting`] | pages of people from Eposh into the first queue |
//! | [`publishing`] | a page becomes a message for each person |
//! | [`creating`] | the person is in `HikCentral`, with a face |
//! | [`photo`], [`face`] | the face: fetched, and made fit |
//! | [`updating`] | the KIB number is set; regionals become privilege groups |
//! | [`assigning`] | the person is in the groups |
//! | [`message`] | the four messages, as other workers have them too |
//! | [`regionals`] | which groups regionals stand for |
//! | `name.rs` | names, for `HikCentral` and for the log |
//! | [`stage`] | the stages by their names |
//! | [`failure`] | why a stage is not done, and what becomes of the job |
//!
//! Each stage sends the next one's message, and has it confirmed, before its own is
//! settled: a process that ends in between does it again. So each is such that doing it
//! twice changes nothing further: a person is known by the KIB number, of which
//! `HikCentral` has one, a field is set to what it is, and who is in a group stays in it.

pub mod assigning;
pub mod creating;
pub mod face;
pub mod failure;
pub mod inducting;
pub mod message;
mod name;
pub mod photo;
pub mod publishing;
pub mod regionals;
pub mod stage;
pub mod updating;

pub use assigning::Assigning;
pub use creating::Creating;
pub use face::{FaceConfig, Faces};
pub use inducting::{Days, Inductor};
pub use name::Names;
pub use photo::Photos;
pub use publishing::Publishing;
pub use regionals::PrivilegeGroups;
pub use stage::Stage;
pub use updating::Updating;
