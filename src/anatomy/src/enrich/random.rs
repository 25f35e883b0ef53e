//! Randomness as a counter hash: a number depends on the seed, on what it is for and on its count
//! there, never on what was drawn before.

use super::figures::Figure;

/// Numbers for one purpose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draws {
    key: u64,
}

impl Draws {
    /// Numbers for what this name stands for.
    pub fn new(seed: u64, name: &str) -> Self {
        let start = mix(seed);
        let key = name.bytes().fold(start, |key, b| mix(key ^ u64::from(b)));
        Self { key }
    }

    /// The number with this count, evenly between 0 and 1.
    pub fn unit(self, count: u64) -> f64 {
        const STEPS: f64 = (1_u64 << 53) as f64;
        (mix(self.key ^ mix(count)) >> 11) as f64 / STEPS
    }

    /// Normally distributed round 0 with deviation 1, cut at ±2: the sum of twelve even ones.
    pub fn normal(self, count: u64) -> f64 {
        let sum: f64 = (0..12).map(|n| self.unit(count * 12 + n)).sum();
        (sum - 6.0).clamp(-2.0, 2.0)
    }

    /// A figure as one person has it.
    pub fn figure(self, figure: &Figure, count: u64) -> f64 {
        figure.value + figure.sd * self.normal(count)
    }
}

/// A bijective scrambling of 64 bits: odd multiplications, high bits folded down.
fn mix(value: u64) -> u64 {
    let mut v = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    v = (v ^ (v >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    v = (v ^ (v >> 29)).wrapping_mul(0xa076_1d64_78bd_642f);
    v ^ (v >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_numbers_have_the_mean_and_spread_of_even_numbers() {
        let draws = Draws::new(7, "test");
        let n = 20_000;
        let mean = (0..n).map(|c| draws.unit(c)).sum::<f64>() / n as f64;
        let square = (0..n).map(|c| draws.unit(c).powi(2)).sum::<f64>() / n as f64;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert!((square - 1.0 / 3.0).abs() < 0.01, "{square}");
    }

    #[test]
    fn names_and_seeds_give_other_numbers() {
        let number = |seed, name| Draws::new(seed, name).unit(0);
        assert_ne!(number(0, "a"), number(0, "b"));
        assert_ne!(number(0, "a"), number(1, "a"));
        assert_eq!(number(3, "a"), number(3, "a"));
    }
}
