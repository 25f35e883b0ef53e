//! Values to nodes, for generated files.

use std::collections::BTreeMap;

use crate::node::{Field, Kind, Node};
use crate::{Name, Spanned};

/// A type that can be written. [`record!`](crate::record) and [`choice!`](crate::choice)
/// implement it for structs and enums. Reading what it writes gives an equal value.
pub trait ToNode {
    /// The value as a tree without places.
    fn to_node(&self) -> Node;
}

impl ToNode for Node {
    fn to_node(&self) -> Node {
        self.clone()
    }
}

impl<T: ToNode + ?Sized> ToNode for &T {
    fn to_node(&self) -> Node {
        (**self).to_node()
    }
}

impl ToNode for bool {
    fn to_node(&self) -> Node {
        Kind::Bool(*self).into()
    }
}

impl ToNode for char {
    fn to_node(&self) -> Node {
        Kind::Char(*self).into()
    }
}

impl ToNode for str {
    fn to_node(&self) -> Node {
        Node::text(self)
    }
}

impl ToNode for String {
    fn to_node(&self) -> Node {
        Node::text(self)
    }
}

impl ToNode for () {
    fn to_node(&self) -> Node {
        Kind::Tuple(None, Vec::new()).into()
    }
}

macro_rules! whole_numbers {
    ($($type:ty),*) => {$(
        impl ToNode for $type {
            fn to_node(&self) -> Node {
                Kind::Integer(*self as i128).into()
            }
        }
    )*};
}
whole_numbers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl ToNode for f64 {
    fn to_node(&self) -> Node {
        Kind::Float(*self).into()
    }
}

/// The shortest decimal that 32 bits need, if it survives the way through 64 bits.
impl ToNode for f32 {
    fn to_node(&self) -> Node {
        let shortest = self.to_string().parse().ok();
        let exact = shortest.filter(|wide: &f64| (*wide as f32).to_bits() == self.to_bits());
        Kind::Float(exact.unwrap_or(f64::from(*self))).into()
    }
}

impl<T: ToNode> ToNode for Spanned<T> {
    fn to_node(&self) -> Node {
        self.value.to_node()
    }
}

impl<T: ToNode> ToNode for Box<T> {
    fn to_node(&self) -> Node {
        (**self).to_node()
    }
}

impl<T: ToNode> ToNode for Option<T> {
    fn to_node(&self) -> Node {
        match self {
            Some(value) => Node::wrapped("Some", value.to_node()),
            None => Node::word("None"),
        }
    }
}

impl<T: ToNode> ToNode for [T] {
    fn to_node(&self) -> Node {
        Kind::List(self.iter().map(T::to_node).collect()).into()
    }
}

impl<T: ToNode> ToNode for Vec<T> {
    fn to_node(&self) -> Node {
        self.as_slice().to_node()
    }
}

impl<T: ToNode, const N: usize> ToNode for [T; N] {
    fn to_node(&self) -> Node {
        Kind::Tuple(None, self.iter().map(T::to_node).collect()).into()
    }
}

impl<K: ToNode, V: ToNode> ToNode for BTreeMap<K, V> {
    fn to_node(&self) -> Node {
        let entry = |(key, value): (&K, &V)| (key.to_node(), value.to_node());
        Kind::Map(self.iter().map(entry).collect()).into()
    }
}

macro_rules! tuples {
    ($($($type:ident $value:ident),*;)*) => {$(
        impl<$($type: ToNode),*> ToNode for ($($type,)*) {
            fn to_node(&self) -> Node {
                let ($($value,)*) = self;
                Kind::Tuple(None, vec![$($value.to_node()),*]).into()
            }
        }
    )*};
}
tuples! {
    A a, B b;
    A a, B b, C c;
    A a, B b, C c, D d;
    A a, B b, C c, D d, E e;
    A a, B b, C c, D d, E e, F f;
}

/// A field to be written.
pub fn written_field(name: &str, value: &impl ToNode) -> Option<Field> {
    Some(Field {
        name: Name::from(name),
        value: value.to_node(),
    })
}

/// A field to be written unless it is empty (`None`, `[]`, `{}`) and that is its default. Other
/// defaults are written, so that a file does not change its meaning when a default does.
pub fn written_unless_empty<T: ToNode>(name: &str, value: &T, default: &T) -> Option<Field> {
    let field = written_field(name, value)?;
    let is_empty = match &field.value.kind {
        Kind::Word(word) => word == "None",
        Kind::List(items) => items.is_empty(),
        Kind::Map(entries) => entries.is_empty(),
        _ => false,
    };
    (!is_empty || field.value != default.to_node()).then_some(field)
}
