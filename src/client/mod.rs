//! Clients of systems that Flatbed talks to.
//!
//! | module | what it talks to |
//! |---|---|
//! | [`callback`] | the backend that waits for image jobs |
//! | [`hikvision`] | recorders and cameras by Hikvision: ISAPI |

pub mod callback;
pub mod hikvision;
