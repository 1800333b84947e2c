//! Chance from a seed: the same numbers for the same seed, on every machine.

/// A generator of numbers (SplitMix64: small, fast, and good enough for drawing lots).
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// A generator of its own for a part, so that what one part draws changes nothing for another.
    pub(crate) fn part(seed: u64, part: u64) -> Chance {
        let mut chance = Chance(seed ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93));
        chance.next();
        chance
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to but not 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From 0 up to but not `below`; 0 if that is 0.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(below)) >> 64) as u64
    }

    /// Whether something happens that does so in `percent` of a hundred cases.
    pub(crate) fn happens(&mut self, percent: u32) -> bool {
        self.below(100) < u64::from(percent)
    }

    /// Between the two, each order of magnitude as likely as the next: as durations of failures are.
    pub(crate) fn spread(&mut self, least: u64, most: u64) -> u64 {
        if most <= least {
            return least;
        }
        let low = (least.max(1) as f64).ln();
        let high = (most as f64).ln();
        (low + (high - low) * self.unit()).exp().round() as u64
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_numbers_and_parts_differ() {
        let draw = |mut c: Chance| (0..5).map(|_| c.next()).collect::<Vec<_>>();
        assert_eq!(draw(Chance::part(7, 1)), draw(Chance::part(7, 1)));
        assert_ne!(draw(Chance::part(7, 1)), draw(Chance::part(7, 2)));
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let mut chance = Chance::part(1, 1);
        let mut seen = [0u32; 4];
        for _ in 0..4000 {
            seen[chance.below(4) as usize] += 1;
            assert!((0.0..1.0).contains(&chance.unit()));
            assert!((60..=3600).contains(&chance.spread(60, 3600)));
        }
        assert!(seen.iter().all(|n| (800..1200).contains(n)), "{seen:?}");
        assert_eq!(chance.below(0), 0);
    }
}
