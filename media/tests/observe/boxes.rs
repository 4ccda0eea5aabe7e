//! The boxes of an MP4 or MOV file (ISO/IEC 14496-12), for what ffprobe does not tell.

use std::fs;
use std::path::Path;

/// One box and those inside it.
#[derive(Clone, Debug)]
pub struct Atom {
    pub kind: String,
    /// What follows the header, children included. Empty for `mdat`.
    pub body: Vec<u8>,
    pub children: Vec<Atom>,
}

/// A parsed file.
#[derive(Clone, Debug)]
pub struct Movie {
    /// Ticks a second of edit durations.
    pub timescale: u32,
    pub tracks: Vec<Track>,
    pub atoms: Vec<Atom>,
}

/// One entry of an edit list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edit {
    /// In ticks of [`Movie::timescale`].
    pub duration: u64,
    /// In ticks of [`Track::timescale`]; -1: nothing is shown.
    pub media_time: i64,
}

/// One track's tables.
#[derive(Clone, Debug)]
pub struct Track {
    /// `vide` or `soun`.
    pub handler: String,
    pub timescale: u32,
    pub edits: Vec<Edit>,
    /// Decoding durations as runs of (count, ticks).
    pub stts: Vec<(u32, u32)>,
    /// Composition offsets as runs of (count, ticks), where there is a table.
    pub ctts: Option<Vec<(u32, i32)>>,
    /// Numbers of the sync samples from 1, where there is a table (else all are).
    pub stss: Option<Vec<u32>>,
    /// The sample entries: `avc1` with its `avcC`, …
    pub entries: Vec<Atom>,
}

impl Movie {
    /// Parses the file.
    ///
    /// # Panics
    /// If a box reaches out of its parent, or there is no `moov`.
    pub fn open(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let atoms = parse(&bytes, "");
        let moov = atoms.iter().find(|atom| atom.kind == "moov");
        let moov = moov.unwrap_or_else(|| panic!("{}: no moov", path.display()));
        let header = moov.child("mvhd");
        let timescale = header.u32_at(if header.body[0] == 1 { 20 } else { 12 });
        let tracks = moov
            .children
            .iter()
            .filter(|atom| atom.kind == "trak")
            .map(track)
            .collect();
        Self {
            timescale,
            tracks,
            atoms,
        }
    }

    /// Whether a player can start before all bytes are there: `moov` stands before `mdat`.
    pub fn fast_start(&self) -> bool {
        let place = |kind: &str| self.atoms.iter().position(|atom| atom.kind == kind);
        matches!((place("moov"), place("mdat")), (Some(moov), Some(mdat)) if moov < mdat)
    }

    /// The box at a path such as `moov/mvex/mehd`.
    pub fn find(&self, path: &str) -> Option<&Atom> {
        let mut level = &self.atoms;
        let mut found = None;
        for kind in path.split('/') {
            found = Some(level.iter().find(|atom| atom.kind == kind)?);
            level = &found?.children;
        }
        found
    }

    /// The first track with this handler (`vide`, `soun`).
    pub fn track(&self, handler: &str) -> &Track {
        let track = self.tracks.iter().find(|track| track.handler == handler);
        track.unwrap_or_else(|| panic!("no {handler} track"))
    }
}

impl Track {
    /// The number of samples.
    pub fn samples(&self) -> u32 {
        self.stts.iter().map(|run| run.0).sum()
    }

    /// The first sample entry's kind: `avc1`, `hvc1`, `mp4a`.
    pub fn entry(&self) -> &str {
        &self.entries[0].kind
    }

    /// A box inside the first sample entry: `avcC`, `hvcC`, `esds`.
    pub fn config(&self, kind: &str) -> Option<&Atom> {
        self.entries[0]
            .children
            .iter()
            .find(|atom| atom.kind == kind)
    }
}

impl Atom {
    fn child(&self, kind: &str) -> &Atom {
        self.try_child(kind)
            .unwrap_or_else(|| panic!("{} without {kind}", self.kind))
    }

    fn try_child(&self, kind: &str) -> Option<&Atom> {
        self.children.iter().find(|atom| atom.kind == kind)
    }

    fn u32_at(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.body[at..at + 4].try_into().expect("four bytes"))
    }

    fn u64_at(&self, at: usize) -> u64 {
        u64::from(self.u32_at(at)) << 32 | u64::from(self.u32_at(at + 4))
    }

    /// The pairs of a table with a version, flags and a count in front.
    fn pairs(&self) -> Vec<(u32, u32)> {
        let entry = |index: usize| (self.u32_at(8 + 8 * index), self.u32_at(12 + 8 * index));
        (0..self.u32_at(4) as usize).map(entry).collect()
    }
}

fn track(trak: &Atom) -> Track {
    let media = trak.child("mdia");
    let header = media.child("mdhd");
    let table = media.child("minf").child("stbl");
    let signed = |(count, ticks): (u32, u32)| (count, ticks.cast_signed());
    Track {
        handler: String::from_utf8_lossy(&media.child("hdlr").body[8..12]).into(),
        timescale: header.u32_at(if header.body[0] == 1 { 20 } else { 12 }),
        edits: trak
            .try_child("edts")
            .map(|edts| edits(edts.child("elst")))
            .unwrap_or_default(),
        stts: table.child("stts").pairs(),
        ctts: table
            .try_child("ctts")
            .map(|ctts| ctts.pairs().into_iter().map(signed).collect()),
        stss: table.try_child("stss").map(|stss| {
            (0..stss.u32_at(4) as usize)
                .map(|index| stss.u32_at(8 + 4 * index))
                .collect()
        }),
        entries: table.child("stsd").children.clone(),
    }
}

fn edits(list: &Atom) -> Vec<Edit> {
    let wide = list.body[0] == 1;
    let edit = |index: usize| {
        let (duration, media_time) = if wide {
            (
                list.u64_at(8 + 20 * index),
                list.u64_at(16 + 20 * index).cast_signed(),
            )
        } else {
            let at = 8 + 12 * index;
            (
                list.u32_at(at).into(),
                list.u32_at(at + 4).cast_signed().into(),
            )
        };
        Edit {
            duration,
            media_time,
        }
    };
    (0..list.u32_at(4) as usize).map(edit).collect()
}

/// The boxes in `bytes`, which lie in the box `parent`.
fn parse(mut bytes: &[u8], parent: &str) -> Vec<Atom> {
    let mut atoms = Vec::new();
    while bytes.len() >= 8 {
        let number = |at: usize, count: usize| {
            bytes[at..at + count]
                .iter()
                .fold(0usize, |value, &byte| value << 8 | usize::from(byte))
        };
        let kind = String::from_utf8_lossy(&bytes[4..8]).into_owned();
        let (header, size) = match number(0, 4) {
            0 => (8, bytes.len()),
            1 => (16, number(8, 8)),
            size => (8, size),
        };
        assert!(
            (header..=bytes.len()).contains(&size),
            "box {parent}/{kind}: a size of {size}"
        );
        let body = &bytes[header..size];
        let inside = match (kind.as_str(), parent) {
            ("moov" | "trak" | "mdia" | "minf" | "stbl" | "edts" | "mvex" | "moof" | "traf", _) => {
                Some(0)
            }
            ("stsd", _) => Some(8),
            (_, "stsd") => fields_in_front(&kind, body),
            _ => None,
        };
        atoms.push(Atom {
            children: inside
                .map(|skip| parse(&body[skip..], &kind))
                .unwrap_or_default(),
            body: if kind == "mdat" {
                Vec::new()
            } else {
                body.to_vec()
            },
            kind,
        });
        bytes = &bytes[size..];
    }
    atoms
}

/// How many bytes of fields a sample entry has in front of its boxes (none known: `None`).
/// `QuickTime`'s version 1 of the audio entry is longer.
fn fields_in_front(kind: &str, body: &[u8]) -> Option<usize> {
    match kind {
        "avc1" | "avc3" | "hvc1" | "hev1" | "mp4v" | "apch" | "apcn" | "apcs" | "jpeg" => Some(78),
        "mp4a" | "Opus" | "ac-3" | "alaw" | "ulaw" | "sowt" | ".mp3" => {
            Some(if body[9] == 1 { 44 } else { 28 })
        }
        _ => None,
    }
}
