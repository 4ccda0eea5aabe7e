//! The reference pictures that a decoder holds, and the order in which a slice
//! lists them (ITU-T H.264, sections 8.2.4 and 8.2.5), for frame pictures
//! without long-term references.

use super::ref_lists::{ListOp, Mmco};
use super::slice::SliceType;

/// A reference frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Picture {
    /// Names it among all pictures that were seen.
    pub key: u64,
    /// `frame_num` without its wraps.
    pub number: i64,
    /// Its picture order count.
    pub order: i64,
}

/// An entry of a reference list: a picture by its key, or one that is not known.
pub(super) type Entry = Option<u64>;

/// The references of a decoder.
#[derive(Debug, Clone)]
pub(super) struct Buffer {
    /// `max_num_ref_frames`, at least 1.
    capacity: usize,
    pictures: Vec<Picture>,
    /// How many more there may be, older than all that are known.
    unknown: usize,
}

impl Buffer {
    /// The buffer at an IDR picture.
    pub fn empty(max_num_ref_frames: u32) -> Self {
        Self {
            capacity: usize::try_from(max_num_ref_frames).unwrap_or(1).max(1),
            pictures: Vec::new(),
            unknown: 0,
        }
    }

    /// The buffer at a picture whose past was not seen.
    pub fn unknown(max_num_ref_frames: u32) -> Self {
        let buffer = Self::empty(max_num_ref_frames);
        Self {
            unknown: buffer.capacity,
            ..buffer
        }
    }

    /// The picture of this number.
    pub fn numbered(&self, number: i64) -> Option<Picture> {
        let mut pictures = self.pictures.iter();
        pictures.find(|picture| picture.number == number).copied()
    }

    /// The picture of this key.
    pub fn keyed(&self, key: u64) -> Option<Picture> {
        let mut pictures = self.pictures.iter();
        pictures.find(|picture| picture.key == key).copied()
    }

    /// Stores the current picture; the oldest one makes way if need be (8.2.5.3).
    pub fn slide(&mut self, current: Picture) {
        if self.pictures.len() + self.unknown >= self.capacity {
            if self.unknown > 0 {
                self.unknown -= 1;
            } else if let Some(oldest) =
                (0..self.pictures.len()).min_by_key(|&at| self.pictures[at].number)
            {
                self.pictures.remove(oldest);
            }
        }
        self.pictures.push(current);
    }

    /// Drops pictures by their distance back and stores the current one (8.2.5.4).
    pub fn apply(&mut self, steps: &[Mmco], current: Picture) {
        for step in steps {
            let &Mmco::DropShortTerm(back) = step else {
                continue;
            };
            let number = current.number - i64::from(back);
            match self.numbered(number) {
                Some(picture) => self.pictures.retain(|other| other.key != picture.key),
                None => self.unknown = self.unknown.saturating_sub(1),
            }
        }
        self.pictures.push(current);
        self.unknown = self
            .unknown
            .min(self.capacity.saturating_sub(self.pictures.len()));
    }

    /// The list 0 or 1 that a slice starts from (8.2.4.2.1 and 8.2.4.2.3),
    /// untruncated. `order` is the current picture's, and `active` how many
    /// entries are in use. Nothing when the place of a known picture depends on
    /// the unknown ones.
    pub fn initial(
        &self,
        slice_type: SliceType,
        list: usize,
        order: i64,
        active: u32,
    ) -> Option<Vec<Entry>> {
        let unknown = vec![None; self.unknown];
        if slice_type != SliceType::B {
            let mut pictures = self.pictures.clone();
            pictures.sort_by_key(|picture| -picture.number);
            return Some([keys(&pictures), unknown].concat());
        }
        let (mut past, mut future): (Vec<Picture>, Vec<Picture>) = self
            .pictures
            .iter()
            .partition(|picture| picture.order < order);
        past.sort_by_key(|picture| -picture.order);
        future.sort_by_key(|picture| picture.order);
        let (past, future) = (keys(&past), keys(&future));
        let clear = match (list, past.len(), future.len()) {
            _ if self.unknown == 0 => true,
            (0, past, future) => future == 0 || past >= usize::try_from(active).unwrap_or(0),
            // The two lists differ, unless one side is empty; then whether they
            // have one entry or more decides their order.
            (_, 0, future) => future <= 1,
            (_, past, future) => future > 0 || past > 1,
        };
        if !clear {
            return None;
        }
        let first = [past.clone(), unknown.clone(), future.clone()].concat();
        let mut second = [future, past, unknown].concat();
        if second.len() > 1 && first == second {
            second.swap(0, 1);
        }
        Some(if list == 0 { first } else { second })
    }

    /// A list with a slice's modifications (8.2.4.3), cut or filled to the
    /// entries in use. `number` is the current picture's.
    pub fn modified(
        &self,
        mut list: Vec<Entry>,
        steps: &[ListOp],
        number: i64,
        max_frame_num: i64,
        active: u32,
    ) -> Vec<Entry> {
        let active = usize::try_from(active).unwrap_or(0);
        list.resize(active, None);
        let mut predicted = 0; // how far back
        for (at, step) in steps.iter().enumerate().take(active) {
            predicted = match *step {
                ListOp::Subtract(difference) => predicted + i64::from(difference),
                ListOp::Add(difference) => predicted - i64::from(difference),
                ListOp::LongTerm(_) => predicted,
            }
            .rem_euclid(max_frame_num);
            let entry = self.numbered(number - predicted).map(|picture| picture.key);
            list.insert(at, entry);
            let again = match entry {
                Some(_) => (at + 1..list.len()).find(|&later| list[later] == entry),
                // Which of the unknown ones it was does not matter.
                None => (at + 1..list.len()).find(|&later| list[later].is_none()),
            };
            if let Some(again) = again {
                list.remove(again);
            }
            list.truncate(active);
        }
        list
    }
}

fn keys(pictures: &[Picture]) -> Vec<Entry> {
    pictures.iter().map(|picture| Some(picture.key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(number: i64, order: i64) -> Picture {
        Picture {
            key: number.unsigned_abs(),
            number,
            order,
        }
    }

    /// Orders 0 8 4 2 6 in decoding order.
    fn pyramid() -> Buffer {
        let mut buffer = Buffer::empty(4);
        for (number, order) in [(0, 0), (1, 8), (2, 4)] {
            buffer.slide(picture(number, order));
        }
        buffer
    }

    #[test]
    fn lists_start_from_the_nearest_pictures() {
        let buffer = pyramid();
        let list = |kind, list, order| buffer.initial(kind, list, order, 2);
        assert_eq!(
            list(SliceType::P, 0, 16),
            Some(vec![Some(2), Some(1), Some(0)])
        );
        assert_eq!(
            list(SliceType::B, 0, 6),
            Some(vec![Some(2), Some(0), Some(1)])
        );
        assert_eq!(
            list(SliceType::B, 1, 6),
            Some(vec![Some(1), Some(2), Some(0)])
        );
        // With nothing on one side, the first two of list 1 change places.
        assert_eq!(
            list(SliceType::B, 1, 10),
            Some(vec![Some(2), Some(1), Some(0)])
        );
    }

    #[test]
    fn unknown_pictures_between_known_ones_are_ambiguous() {
        let mut buffer = Buffer::unknown(4);
        buffer.slide(picture(5, 10));
        buffer.slide(picture(6, 20));
        assert_eq!(
            buffer.initial(SliceType::B, 0, 15, 1),
            Some(vec![Some(5), None, None, Some(6)])
        );
        assert_eq!(buffer.initial(SliceType::B, 0, 15, 2), None);
        assert!(buffer.initial(SliceType::B, 1, 15, 4).is_some());
        let drop = [Mmco::DropShortTerm(3), Mmco::DropShortTerm(4)];
        buffer.apply(&drop, picture(7, 30));
        assert!(buffer.initial(SliceType::B, 0, 15, 2).is_some());
    }

    #[test]
    fn the_oldest_picture_makes_way() {
        let mut buffer = pyramid();
        buffer.slide(picture(3, 16));
        buffer.slide(picture(4, 12));
        assert_eq!(buffer.numbered(0), None);
        assert!(buffer.numbered(1).is_some());
    }

    #[test]
    fn modifications_move_pictures_to_the_front() {
        let buffer = pyramid();
        let list = vec![Some(2), Some(1), Some(0)];
        let steps = [
            ListOp::Subtract(3),
            ListOp::Subtract(16),
            ListOp::Add(2),
            ListOp::Subtract(1),
        ];
        let modified = |steps, active| buffer.modified(list.clone(), steps, 3, 16, active);
        assert_eq!(modified(&steps[..1], 3), [Some(0), Some(2), Some(1)]);
        assert_eq!(modified(&steps[..2], 3), [Some(0), Some(0), Some(2)]);
        assert_eq!(modified(&steps, 3), [Some(0), Some(0), Some(2)]);
        assert_eq!(modified(&[], 4), [Some(2), Some(1), Some(0), None]);
    }
}
