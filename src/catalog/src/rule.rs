//! What a field's values must keep to beyond their type: `pitch_mm: f64 [0.01..=5.0]`.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

use crate::node::shown_float;
use crate::{Faults, Node};

/// A demand on a value of type `T`. Every range of numbers is one (`0.0..=1.0`, `1..`,
/// [`POSITIVE`]), [`NotEmpty`] is one for texts; others are a few lines.
pub trait Rule<T> {
    /// Reports at `node` what is wrong with `value`; returns whether nothing is.
    fn check(&self, value: &T, node: &Node, faults: &mut Faults) -> bool;
}

/// Everything above zero.
pub const POSITIVE: (Bound<f64>, Bound<f64>) = (Bound::Excluded(0.0), Bound::Unbounded);

/// A text that holds something beside spaces.
#[derive(Clone, Copy, Debug)]
pub struct NotEmpty;

impl Rule<String> for NotEmpty {
    fn check(&self, value: &String, node: &Node, faults: &mut Faults) -> bool {
        let holds = !value.trim().is_empty();
        if !holds {
            faults.mismatch(node, "a text that is not empty");
        }
        holds
    }
}

/// A name that the document was told of with [`Document::knowing`](crate::Document::knowing):
/// `tissue: Spanned<String> [Known("tissue")]`. Holds if it was told of none, so that a file can be read
/// without the files it refers to.
#[derive(Clone, Copy, Debug)]
pub struct Known(pub &'static str);

impl Rule<String> for Known {
    fn check(&self, value: &String, node: &Node, faults: &mut Faults) -> bool {
        faults.require_known(node.span, value, self.0)
    }
}

/// A number as faults speak of it.
pub trait Number: PartialOrd + Copy {
    /// "a number", "a whole number".
    const WHAT: &'static str;
    /// The number in the shortest way that is exact.
    fn shown(self) -> String;
}

impl<T: Number, R: RangeBounds<T>> Rule<T> for R {
    fn check(&self, value: &T, node: &Node, faults: &mut Faults) -> bool {
        let holds = self.contains(value);
        if !holds {
            faults.mismatch(
                node,
                format_args!("{} {}", T::WHAT, InWords(self, PhantomData)),
            );
        }
        holds
    }
}

/// A range in words: "from 1 to 5", "above 0".
struct InWords<'a, T, R>(&'a R, PhantomData<T>);

impl<T: Number, R: RangeBounds<T>> fmt::Display for InWords<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Bound::{Included, Unbounded};
        match (self.0.start_bound(), self.0.end_bound()) {
            (Included(least), Included(most)) => {
                write!(f, "from {} to {}", least.shown(), most.shown())
            }
            (Unbounded, most) => upper(f, most),
            (least, Unbounded) => lower(f, least),
            (least, most) => {
                lower(f, least)?;
                f.write_str(" and ")?;
                upper(f, most)
            }
        }
    }
}

fn lower<T: Number>(f: &mut fmt::Formatter<'_>, bound: Bound<&T>) -> fmt::Result {
    match bound {
        Bound::Included(least) => write!(f, "of at least {}", least.shown()),
        Bound::Excluded(least) => write!(f, "above {}", least.shown()),
        Bound::Unbounded => f.write_str("of any size"),
    }
}

fn upper<T: Number>(f: &mut fmt::Formatter<'_>, bound: Bound<&T>) -> fmt::Result {
    match bound {
        Bound::Included(most) => write!(f, "of at most {}", most.shown()),
        Bound::Excluded(most) => write!(f, "below {}", most.shown()),
        Bound::Unbounded => f.write_str("of any size"),
    }
}

macro_rules! whole_numbers {
    ($($type:ty),*) => {$(
        impl Number for $type {
            const WHAT: &'static str = "a whole number";
            fn shown(self) -> String {
                self.to_string()
            }
        }
    )*};
}
whole_numbers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl Number for f64 {
    const WHAT: &'static str = "a number";
    fn shown(self) -> String {
        shown_float(self)
    }
}

impl Number for f32 {
    const WHAT: &'static str = "a number";
    fn shown(self) -> String {
        let text = format!("{self:?}");
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    }
}
