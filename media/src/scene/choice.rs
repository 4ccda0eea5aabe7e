//! Which scenes stand for all of them, where only so many are wanted.

/// Of `count` things in order, the places of at most `most`: always the first
/// and the last, the others evenly between them, in order. 10 of 100 are 0, 11,
/// 22, ... 88, 99. One alone is the first.
///
/// ```
/// use flatbed_media::scene::choose;
///
/// assert_eq!(choose(100, 10), [0, 11, 22, 33, 44, 55, 66, 77, 88, 99]);
/// assert_eq!(choose(3, 10), [0, 1, 2]);
/// ```
pub fn choose(count: usize, most: usize) -> Vec<usize> {
    if most >= count {
        return (0..count).collect();
    }
    let (Some(last), Some(steps)) = (count.checked_sub(1), most.checked_sub(1)) else {
        return Vec::new();
    };
    if steps == 0 {
        return vec![0];
    }
    // Each step is last / steps, rounded to the nearest; wide, so that no count
    // is too large for it.
    let (last, steps) = (last as u128, steps as u128);
    (0..=steps)
        .map(|step| (2 * step * last + steps) / (2 * steps))
        .filter_map(|place| usize::try_from(place).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_requirement() {
        assert_eq!(choose(100, 10), [0, 11, 22, 33, 44, 55, 66, 77, 88, 99]);
    }

    #[test]
    fn few_are_all_taken() {
        assert_eq!(choose(0, 10), [0_usize; 0]);
        assert_eq!(choose(1, 10), [0]);
        assert_eq!(choose(10, 10), (0..10).collect::<Vec<_>>());
        assert_eq!(choose(5, 0), [0_usize; 0]);
        assert_eq!(choose(5, 1), [0]);
        assert_eq!(choose(5, 2), [0, 4]);
    }

    #[test]
    fn for_every_count_the_choice_keeps_the_rule() {
        for count in 1..200 {
            for most in 1..60 {
                let chosen = choose(count, most);
                assert_eq!(chosen.len(), count.min(most), "{count} {most}");
                assert_eq!(chosen.first(), Some(&0));
                if most > 1 {
                    assert_eq!(chosen.last(), Some(&(count - 1)));
                }
                let steps: Vec<_> = chosen.windows(2).map(|pair| pair[1] - pair[0]).collect();
                assert!(steps.iter().all(|&step| step > 0), "{count} {most}");
                let least = steps.iter().min().copied().unwrap_or(0);
                let largest = steps.iter().max().copied().unwrap_or(0);
                assert!(largest - least <= 1, "{count} {most}: {steps:?}");
            }
        }
    }

    #[test]
    fn no_count_is_too_large() {
        let chosen = choose(usize::MAX, 3);
        assert_eq!(chosen, [0, usize::MAX / 2, usize::MAX - 1]);
    }
}
