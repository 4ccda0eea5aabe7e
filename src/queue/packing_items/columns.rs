//! The tables and columns that Flatbed knows, by its own names for them.

/// One of the three tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// What is packed, and what is to be filmed of it.
    Items,
    /// The cameras, and how they are reached.
    Cameras,
    /// The clips that were made.
    Clips,
}

/// A column as Flatbed knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) is_needed: bool,
    pub(super) holds: Holds,
}

/// What a column must be able to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Id,
    Number,
    Time,
    Text,
    Status,
    /// Whatever can be read as text.
    Any,
}

const fn needed(name: &'static str, holds: Holds) -> Column {
    Column {
        name,
        is_needed: true,
        holds,
    }
}

const fn optional(name: &'static str, holds: Holds) -> Column {
    Column {
        name,
        is_needed: false,
        holds,
    }
}

impl Which {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Items, Self::Cameras, Self::Clips];

    /// What it is called unless somebody says otherwise.
    pub fn name(self) -> &'static str {
        match self {
            Self::Items => "packing_items",
            Self::Cameras => "cameras",
            Self::Clips => "mini_clips",
        }
    }

    /// The variable with its name.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Items => "CCTV_ITEMS_TABLE",
            Self::Cameras => "CCTV_CAMERAS_TABLE",
            Self::Clips => "CCTV_CLIPS_TABLE",
        }
    }

    /// The variable with the names of its columns.
    pub fn columns_variable(self) -> &'static str {
        match self {
            Self::Items => "CCTV_ITEMS_COLUMNS",
            Self::Cameras => "CCTV_CAMERAS_COLUMNS",
            Self::Clips => "CCTV_CLIPS_COLUMNS",
        }
    }

    pub(super) fn columns(self) -> &'static [Column] {
        use Holds::{Any, Id, Number, Status, Text, Time};
        match self {
            Self::Items => {
                const {
                    &[
                        needed("id", Id),
                        needed("camera_id", Id),
                        needed("start_time", Time),
                        needed("end_time", Time),
                        needed("status", Status),
                        optional("attempts", Number),
                        optional("error", Text),
                        optional("updated_at", Time),
                    ]
                }
            }
            Self::Cameras => {
                const {
                    &[
                        needed("id", Id),
                        needed("host", Any),
                        needed("username", Any),
                        needed("password_encrypted", Any),
                        optional("name", Any),
                        optional("port", Any),
                        optional("scheme", Any),
                        optional("track_id", Any),
                        optional("time_mode", Any),
                    ]
                }
            }
            Self::Clips => {
                const {
                    &[
                        needed("packing_item_id", Id),
                        optional("bucket", Text),
                        optional("object_key", Text),
                        optional("url", Text),
                        optional("start_time", Time),
                        optional("end_time", Time),
                        optional("duration_ms", Number),
                        optional("size_bytes", Number),
                        optional("coverage", Number),
                        optional("created_at", Time),
                        optional("updated_at", Time),
                    ]
                }
            }
        }
    }
}
