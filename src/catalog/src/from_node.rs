//! Nodes to values: what every type expects and how it says so.

use std::collections::BTreeMap;

use crate::node::{Kind, Node, clipped};
use crate::rule::{Number, Rule};
use crate::{Faults, Finding, Spanned};

/// A type that can be read from a [`Node`].
///
/// [`record!`](crate::record) and [`choice!`](crate::choice) implement it for structs and enums.
/// By hand: report every fault that can be found, not only the first. `None` needs a report;
/// `Some` may have one too (an unknown field beside good ones), so that later checks can go on
/// to find more. Who asked for the value gets it only if nothing at all was reported.
pub trait FromNode: Sized {
    /// Reads a value, or reports everything that is wrong with it and returns none.
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self>;
}

/// A type whose values, or the values in it, can be held to a [`Rule`]: numbers and texts, and
/// options, lists, arrays, maps and spanned values of them.
pub trait Ruled: FromNode {
    /// What the rule is about.
    type Leaf;
    /// Reads a value and holds each leaf of it to the rule.
    fn from_node_within<R: Rule<Self::Leaf>>(
        node: &Node,
        rule: &R,
        faults: &mut Faults,
    ) -> Option<Self>;
}

/// Types that are leaves themselves.
macro_rules! leaves {
    ($($type:ty),*) => {$(
        impl Ruled for $type {
            type Leaf = Self;
            fn from_node_within<R: Rule<Self>>(
                node: &Node,
                rule: &R,
                faults: &mut Faults,
            ) -> Option<Self> {
                let value = Self::from_node(node, faults)?;
                rule.check(&value, node, faults).then_some(value)
            }
        }
    )*};
}
leaves!(
    String, f32, f64, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize
);

impl FromNode for Node {
    fn from_node(node: &Node, _: &mut Faults) -> Option<Self> {
        Some(node.clone())
    }
}

impl FromNode for bool {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        match node.kind {
            Kind::Bool(value) => Some(value),
            _ => mismatch(faults, node, "`true` or `false`"),
        }
    }
}

impl FromNode for char {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        match node.kind {
            Kind::Char(value) => Some(value),
            _ => mismatch(faults, node, "a character in single quotes"),
        }
    }
}

impl FromNode for String {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        match &node.kind {
            Kind::Text(text) => Some(text.clone()),
            _ => mismatch(faults, node, "a text in double quotes"),
        }
    }
}

impl FromNode for () {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        match &node.kind {
            Kind::Tuple(None, items) if items.is_empty() => Some(()),
            _ => mismatch(faults, node, "`()`"),
        }
    }
}

fn mismatch<T>(faults: &mut Faults, node: &Node, expected: &str) -> Option<T> {
    faults.mismatch(node, expected);
    None
}

macro_rules! whole_numbers {
    ($($type:ty),*) => {$(
        impl FromNode for $type {
            fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
                let value = match node.kind {
                    Kind::Integer(value) => <$type>::try_from(value).ok(),
                    // Whole, but more than 128 bits.
                    Kind::Float(value) if value.is_finite() && value.abs() > 1e38 => None,
                    _ => return mismatch(faults, node, <$type as Number>::WHAT),
                };
                if value.is_none() {
                    let (least, most) = (<$type>::MIN, <$type>::MAX);
                    faults.mismatch(node, format_args!("a whole number from {least} to {most}"));
                }
                value
            }
        }
    )*};
}
whole_numbers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

/// Finite numbers, whole ones too.
impl FromNode for f64 {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        let value = match node.kind {
            Kind::Float(value) => value,
            Kind::Integer(value) => value as f64,
            _ => return mismatch(faults, node, f64::WHAT),
        };
        if value.is_finite() {
            Some(value)
        } else {
            mismatch(faults, node, "a finite number")
        }
    }
}

impl FromNode for f32 {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        let value = f64::from_node(node, faults)? as f32;
        if value.is_finite() {
            Some(value)
        } else {
            mismatch(faults, node, "a number that 32 bits hold, up to 3.4e38")
        }
    }
}

impl<T: FromNode> FromNode for Spanned<T> {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        T::from_node(node, faults).map(|value| Spanned::new(value, node.span))
    }
}

impl<T: Ruled> Ruled for Spanned<T> {
    type Leaf = T::Leaf;
    fn from_node_within<R: Rule<T::Leaf>>(
        node: &Node,
        rule: &R,
        faults: &mut Faults,
    ) -> Option<Self> {
        let value = T::from_node_within(node, rule, faults)?;
        Some(Spanned::new(value, node.span))
    }
}

impl<T: FromNode> FromNode for Box<T> {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        T::from_node(node, faults).map(Box::new)
    }
}

/// `None`, `Some(x)`, or just `x`.
impl<T: FromNode> FromNode for Option<T> {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        option(node, faults, T::from_node)
    }
}

impl<T: Ruled> Ruled for Option<T> {
    type Leaf = T::Leaf;
    fn from_node_within<R: Rule<T::Leaf>>(
        node: &Node,
        rule: &R,
        faults: &mut Faults,
    ) -> Option<Self> {
        option(node, faults, |inner, faults| {
            T::from_node_within(inner, rule, faults)
        })
    }
}

fn option<T>(
    node: &Node,
    faults: &mut Faults,
    read: impl FnOnce(&Node, &mut Faults) -> Option<T>,
) -> Option<Option<T>> {
    match &node.kind {
        Kind::Word(name) if name == "None" => Some(None),
        Kind::Tuple(Some(name), _) | Kind::Record(Some(name), _) if *name.value == *"Some" => {
            wrapped(node, faults, read).map(Some)
        }
        _ => read(node, faults).map(Some),
    }
}

/// The content of `Name(x)`; `Name(a: 1)` stands for `Name((a: 1))`.
pub(crate) fn wrapped<T>(
    node: &Node,
    faults: &mut Faults,
    read: impl FnOnce(&Node, &mut Faults) -> Option<T>,
) -> Option<T> {
    match (&node.kind, node.items()) {
        (Kind::Tuple(..), [inner]) => read(inner, faults),
        (Kind::Record(..), _) => read(&node.without_name(), faults),
        (_, items) => {
            let name = clipped(node.name().unwrap_or_default());
            let message = format!("`{name}(…)` holds {} values", items.len());
            faults.push(Finding::new(node.span, message).expected("one"));
            None
        }
    }
}

impl<T: FromNode> FromNode for Vec<T> {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        list(node, faults, T::from_node)
    }
}

impl<T: Ruled> Ruled for Vec<T> {
    type Leaf = T::Leaf;
    fn from_node_within<R: Rule<T::Leaf>>(
        node: &Node,
        rule: &R,
        faults: &mut Faults,
    ) -> Option<Self> {
        list(node, faults, |item, faults| {
            T::from_node_within(item, rule, faults)
        })
    }
}

fn list<T>(
    node: &Node,
    faults: &mut Faults,
    read: impl FnMut(&Node, &mut Faults) -> Option<T>,
) -> Option<Vec<T>> {
    match &node.kind {
        Kind::List(items) => each(items, faults, read),
        _ => mismatch(faults, node, "a list `[…]`"),
    }
}

/// All items, or none if one of them is faulty; the others are looked at all the same.
fn each<T>(
    items: &[Node],
    faults: &mut Faults,
    mut read: impl FnMut(&Node, &mut Faults) -> Option<T>,
) -> Option<Vec<T>> {
    let mut values = Some(Vec::new());
    for item in items {
        let value = read(item, faults);
        match (&mut values, value) {
            (Some(values), Some(value)) => values.push(value),
            _ => values = None,
        }
    }
    values
}

impl<T: FromNode, const N: usize> FromNode for [T; N] {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        array(node, faults, T::from_node)
    }
}

impl<T: Ruled, const N: usize> Ruled for [T; N] {
    type Leaf = T::Leaf;
    fn from_node_within<R: Rule<T::Leaf>>(
        node: &Node,
        rule: &R,
        faults: &mut Faults,
    ) -> Option<Self> {
        array(node, faults, |item, faults| {
            T::from_node_within(item, rule, faults)
        })
    }
}

fn array<T, const N: usize>(
    node: &Node,
    faults: &mut Faults,
    read: impl FnMut(&Node, &mut Faults) -> Option<T>,
) -> Option<[T; N]> {
    let items = exactly(node, N, faults)?;
    each(items, faults, read)?.try_into().ok()
}

/// The items of a tuple or list that must hold `count` of them.
fn exactly<'n>(node: &'n Node, count: usize, faults: &mut Faults) -> Option<&'n [Node]> {
    match &node.kind {
        Kind::Tuple(None, items) | Kind::List(items) if items.len() == count => Some(items),
        _ => {
            faults.mismatch(node, format_args!("{count} values `(…)`"));
            None
        }
    }
}

macro_rules! tuples {
    ($($count:literal: $($type:ident $value:ident),*;)*) => {$(
        impl<$($type: FromNode),*> FromNode for ($($type,)*) {
            fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
                let [$($value),*] = exactly(node, $count, faults)? else {
                    return None;
                };
                $(let $value = $type::from_node($value, faults);)*
                Some(($($value?,)*))
            }
        }
    )*};
}
tuples! {
    2: A a, B b;
    3: A a, B b, C c;
    4: A a, B b, C c, D d;
    5: A a, B b, C c, D d, E e;
    6: A a, B b, C c, D d, E e, F f;
}

impl<K: FromNode + Ord, V: FromNode> FromNode for BTreeMap<K, V> {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        map(node, faults, V::from_node)
    }
}

impl<K: FromNode + Ord, V: Ruled> Ruled for BTreeMap<K, V> {
    type Leaf = V::Leaf;
    fn from_node_within<R: Rule<V::Leaf>>(
        node: &Node,
        rule: &R,
        faults: &mut Faults,
    ) -> Option<Self> {
        map(node, faults, |value, faults| {
            V::from_node_within(value, rule, faults)
        })
    }
}

fn map<K: FromNode + Ord, V>(
    node: &Node,
    faults: &mut Faults,
    mut read: impl FnMut(&Node, &mut Faults) -> Option<V>,
) -> Option<BTreeMap<K, V>> {
    let Kind::Map(entries) = &node.kind else {
        return mismatch(faults, node, "a map `{key: value}`");
    };
    let mut values = BTreeMap::new();
    let mut whole = true;
    for (key_node, value_node) in entries {
        let key = K::from_node(key_node, faults);
        let value = read(value_node, faults);
        let (Some(key), Some(value)) = (key, value) else {
            whole = false;
            continue;
        };
        if values.insert(key, value).is_some() {
            whole = false;
            let message = format!("{} is a key twice", key_node.describe());
            faults.report(key_node.span, message);
        }
    }
    whole.then_some(values)
}
