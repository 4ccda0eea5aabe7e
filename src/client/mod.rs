//! Clients of systems that Flatbed talks to.
//!
//! | module | what it talks to |
//! |---|---|
//! | [`hikvision`] | recorders and cameras by Hikvision: ISAPI |

pub mod hikvision;
