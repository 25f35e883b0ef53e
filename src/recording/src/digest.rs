//! A small digest of bytes.

/// A 64-bit digest: FNV-1a as Fowler, Noll and Vo define it (RFC 9923).
///
/// It tells two pictures or two patients apart and finds damage; it keeps nobody from forging
/// anything. The same bytes give the same digest on every machine.
///
/// ```
/// use recording::Digest;
///
/// let mut digest = Digest::new();
/// digest.bytes(b"foobar");
/// assert_eq!(digest.value(), 0x8594_4171_f739_67e8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(u64);

/// What FNV-1a begins with.
const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
/// What FNV-1a multiplies with after every byte.
const PRIME: u64 = 0x0000_0100_0000_01b3;

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

impl Digest {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self(OFFSET_BASIS)
    }

    /// Adds bytes as they are: `ab` then `c` is the same as `abc`. A picture's grey values, say.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
        self
    }

    /// Adds a whole number, as eight bytes, lowest first.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    /// Adds a float by its bits: 0 and −0 differ.
    pub fn float(&mut self, float: f64) -> &mut Self {
        self.number(float.to_bits())
    }

    /// Adds a text after its length: `ab` then `c` differs from `a` then `bc`.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.number(text.len() as u64).bytes(text.as_bytes())
    }

    /// The digest of all that was added so far.
    pub const fn value(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    fn of(text: &str) -> u64 {
        Digest::new().bytes(text.as_bytes()).value()
    }

    /// Vectors of RFC 9923's reference code.
    #[test]
    fn is_fnv_1a() {
        assert_eq!(of(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(of("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(of("b"), 0xaf63_df4c_8601_f1a5);
        assert_eq!(of("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn texts_are_kept_apart_and_bytes_are_not() {
        let texts = |a: &str, b: &str| Digest::new().text(a).text(b).value();
        assert_ne!(texts("ab", "c"), texts("a", "bc"));
        assert_eq!(Digest::new().bytes(b"ab").bytes(b"c").value(), of("abc"));
        assert_ne!(
            Digest::new().float(0.0).value(),
            Digest::new().float(-0.0).value()
        );
    }
}
