//! Clients of systems that Flatbed talks to.
//!
//! | module | what it talks to |
//! |---|---|
//! | [`callback`] | the backend that waits for image jobs |
//! | [`eposh`] | the HR system that lists inducted people |
//! | [`hikcentral`] | people and their rights at the gates: HikCentral Professional |
//! | [`hikvision`] | recorders and cameras by Hikvision: ISAPI |
//! | [`models`] | models for speech, pictures and search: OpenAI's API and what is like it |
//!
//! What several of them need: `pauses.rs`, between tries, and `said.rs`, what a peer
//! says, made fit for an error.

pub mod callback;
pub mod eposh;
pub mod hikcentral;
pub mod hikvision;
pub mod models;
mod pauses;
mod said;
