//! Reference lists and marking of a picture whose past was cut: they are worked
//! out in the stream as it was, and written anew so that they name the same
//! pictures in the stream as it is now.

use super::edge::difference;
use super::ref_lists::{ListOp, Marking, Mmco};
use super::references::{Buffer, Entry, Picture};
use super::refusal::Refusal;
use super::slice::SliceHeader;

/// A picture about to be decoded: its numbers, and what the decoder holds.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub buffer: &'a Buffer,
    pub current: Picture,
}

/// The list modifications with which a slice names the same pictures under
/// `target` as it does under `source`.
pub(super) fn same_lists(
    slice: &SliceHeader,
    max_frame_num: u32,
    source: View,
    target: View,
) -> Result<[Vec<ListOp>; 2], Refusal> {
    let mut out = [Vec::new(), Vec::new()];
    for (list, out) in out.iter_mut().enumerate().take(slice.slice_type.lists()) {
        let active = slice.active_refs[list];
        let steps = &slice.lists[list];
        let start = |view: View| {
            view.buffer
                .initial(slice.slice_type, list, view.current.order, active)
                .ok_or(Refusal::Ambiguous)
        };
        // A list that is spelt out to its end does not depend on its start.
        let start_of_source = match usize::try_from(active) {
            Ok(active) if steps.len() >= active => Vec::new(),
            _ => start(source)?,
        };
        let wanted = source.buffer.modified(
            start_of_source,
            steps,
            source.current.number,
            i64::from(max_frame_num),
            active,
        );
        let mut given = start(target)?;
        given.resize(wanted.len(), None);
        *out = steps_to(&wanted, &given, max_frame_num, target)?;
    }
    Ok(out)
}

/// The steps that make `wanted` out of `given`; entries that are not in the
/// target's buffer are not referred to, and anything may stand there.
fn steps_to(
    wanted: &[Entry],
    given: &[Entry],
    max_frame_num: u32,
    target: View,
) -> Result<Vec<ListOp>, Refusal> {
    let held = |entry: &Entry| entry.and_then(|key| target.buffer.keyed(key));
    let filler = wanted.iter().find_map(held).ok_or(Refusal::RefersBefore)?;
    let suits = wanted
        .iter()
        .zip(given)
        .all(|(wanted, given)| given.is_some() && (held(wanted).is_none() || wanted == given));
    if suits {
        return Ok(Vec::new());
    }
    let mut steps = Vec::with_capacity(wanted.len());
    let mut last = 0;
    for entry in wanted {
        let picture = held(entry).unwrap_or(filler);
        let back = u32::try_from(target.current.number - picture.number)
            .ok()
            .filter(|&back| back < max_frame_num)
            .ok_or(Refusal::Gap)?;
        steps.push(difference(last, back, max_frame_num));
        last = back;
    }
    Ok(steps)
}

/// The marking without what is aimed at pictures that are gone.
pub(super) fn remark(marking: &Marking, source: View, target: View) -> Marking {
    let Marking::Adaptive(steps) = marking else {
        return marking.clone();
    };
    let aimed = steps.iter().filter_map(|step| {
        let &Mmco::DropShortTerm(back) = step else {
            return None;
        };
        let number = source.current.number - i64::from(back);
        let picture = source.buffer.numbered(number)?;
        let picture = target.buffer.keyed(picture.key)?;
        let back = u32::try_from(target.current.number - picture.number).ok()?;
        Some(Mmco::DropShortTerm(back))
    });
    let steps: Vec<_> = aimed.collect();
    if steps.is_empty() {
        Marking::SlidingWindow
    } else {
        Marking::Adaptive(steps)
    }
}

/// Whether the marking only drops short-term references, or (by operation 4 with
/// a limit of 0) long-term ones of which there are none.
pub(super) fn is_plain(marking: &Marking) -> bool {
    match marking {
        Marking::NotReference | Marking::SlidingWindow => true,
        Marking::Idr { long_term, .. } => !long_term,
        Marking::Adaptive(steps) => steps
            .iter()
            .all(|step| matches!(step, Mmco::DropShortTerm(_) | Mmco::LimitLongTerm(0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(key: u64, number: i64) -> Picture {
        let order = number * 2;
        Picture { key, number, order }
    }

    /// Pictures 3 and 5 of a source that also had 4; they are 0 and 1 now.
    fn buffers() -> (Buffer, Buffer) {
        let mut source = Buffer::unknown(4);
        let mut target = Buffer::empty(4);
        for key in 3..=5 {
            source.slide(picture(key, 10 + i64::try_from(key).expect("small")));
        }
        target.slide(picture(3, 0));
        target.slide(picture(5, 1));
        (source, target)
    }

    #[test]
    fn lists_that_suit_are_left_alone_and_others_spelt_out() {
        let (_, target) = buffers();
        let view = View {
            buffer: &target,
            current: picture(6, 2),
        };
        let steps = |wanted: &[Entry], given: &[Entry]| steps_to(wanted, given, 16, view);
        let given = [Some(5), Some(3)];
        assert_eq!(steps(&[Some(5), Some(3)], &given), Ok(vec![]));
        assert_eq!(steps(&[Some(5), None], &given), Ok(vec![]));
        // Picture 4 is gone: 3 keeps its place behind it.
        assert_eq!(
            steps(&[Some(5), Some(4), Some(3)], &[Some(5), Some(3), None]),
            Ok(vec![
                ListOp::Subtract(1),
                ListOp::Subtract(16),
                ListOp::Subtract(1)
            ])
        );
        assert_eq!(steps(&[Some(4)], &[Some(5)]), Err(Refusal::RefersBefore));
    }

    #[test]
    fn marking_aims_at_the_same_pictures() {
        let (source, target) = buffers();
        let source = View {
            buffer: &source,
            current: picture(6, 16),
        };
        let target = View {
            buffer: &target,
            current: picture(6, 2),
        };
        let drop = |back: &[u32]| {
            Marking::Adaptive(back.iter().copied().map(Mmco::DropShortTerm).collect())
        };
        // 3 is three back in the source and two back now; 4 and 12 are gone.
        assert_eq!(remark(&drop(&[3, 2, 4]), source, target), drop(&[2]));
        assert_eq!(
            remark(&drop(&[2, 4]), source, target),
            Marking::SlidingWindow
        );
        assert!(is_plain(&drop(&[1])));
        assert!(!is_plain(&Marking::Adaptive(vec![Mmco::Reset])));
    }
}
