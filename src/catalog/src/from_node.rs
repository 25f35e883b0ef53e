//! Nodes to values: what every type expects and how it says so.

use std::collections::BTreeMap;

use crate::fault::listed;
use crate::node::{Kind, Name, Node, clipped};
use crate::rule::{Number, Rule};
use crate::{Faults, Finding, Spanned, nearest};

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

/// The fields of a record while it is read. [`record!`](crate::record) writes the calls.
pub struct Fields<'n> {
    node: &'n Node,
    type_name: &'static str,
    names: &'static [&'static str],
    /// As `names`.
    given: Vec<Given<'n>>,
}

#[derive(Clone, Copy)]
enum Given<'n> {
    No,
    /// An unknown field was reported that was probably meant to be this one.
    Misspelt,
    Yes(&'n Name, &'n Node),
}

impl<'n> Fields<'n> {
    /// Sorts the fields of the record `type_name(…)` by the names it has, and reports unknown
    /// and repeated ones. None if there is no record at all.
    pub fn of_record(
        node: &'n Node,
        type_name: &'static str,
        names: &'static [&'static str],
        faults: &mut Faults,
    ) -> Option<Self> {
        if let Some(name) = node.name().filter(|name| *name != type_name) {
            let message = format!("expected a `{type_name}(…)`, found `{}`", clipped(name));
            faults.push(Finding::new(node.name_span(), message));
            return None;
        }
        Self::sorted(node, type_name, names, faults)
    }

    /// As [`Fields::of_record`], whatever name stands before the bracket.
    pub(crate) fn sorted(
        node: &'n Node,
        type_name: &'static str,
        names: &'static [&'static str],
        faults: &mut Faults,
    ) -> Option<Self> {
        if !matches!(node.kind, Kind::Record(..)) && !is_empty(node) {
            faults.mismatch(node, format_args!("a record `{type_name}(field: …)`"));
            return None;
        }
        let mut fields = Self {
            node,
            type_name,
            names,
            given: vec![Given::No; names.len()],
        };
        fields.sort_in(faults);
        Some(fields)
    }

    fn sort_in(&mut self, faults: &mut Faults) {
        let mut unknown = Vec::new();
        for field in self.node.fields() {
            let Some(at) = self.position(&field.name) else {
                unknown.push(&field.name);
                continue;
            };
            if let Given::Yes(first, _) = self.given[at] {
                let message = format!("field `{}` is given twice", field.name);
                faults.push(Finding::new(field.name.span, message).related("first", first.span));
            } else {
                self.given[at] = Given::Yes(&field.name, &field.value);
            }
        }
        for name in unknown {
            self.report_unknown(name, faults);
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| *known == name)
    }

    fn report_unknown(&mut self, name: &Name, faults: &mut Faults) {
        let message = format!("unknown field `{}`", clipped(name));
        let mut finding = Finding::new(name.span, message);
        if !faults.is_full() {
            finding.expected = listed(self.names);
            let suggestion = nearest(name, self.names_not_given());
            finding.suggestion = suggestion.map(str::to_owned);
        }
        let meant = finding
            .suggestion
            .as_deref()
            .and_then(|meant| self.position(meant));
        if let Some(at) = meant {
            self.given[at] = Given::Misspelt;
        }
        faults.push(finding);
    }

    fn names_not_given(&self) -> impl Iterator<Item = &'static str> {
        let pairs = self.names.iter().zip(&self.given);
        pairs.filter_map(|(name, given)| matches!(given, Given::No).then_some(*name))
    }

    /// A field that must be there.
    pub fn required<T: FromNode>(&self, name: &'static str, faults: &mut Faults) -> Option<T> {
        self.read(name, faults, T::from_node, None::<fn() -> T>)
    }

    /// A field that must be there and keep to a rule.
    pub fn required_within<T: Ruled, R: Rule<T::Leaf>>(
        &self,
        name: &'static str,
        rule: &R,
        faults: &mut Faults,
    ) -> Option<T> {
        let read = |node: &Node, faults: &mut Faults| T::from_node_within(node, rule, faults);
        self.read(name, faults, read, None::<fn() -> T>)
    }

    /// A field that may be left out.
    pub fn optional<T: FromNode>(
        &self,
        name: &'static str,
        default: impl FnOnce() -> T,
        faults: &mut Faults,
    ) -> Option<T> {
        self.read(name, faults, T::from_node, Some(default))
    }

    /// A field that may be left out, and otherwise must keep to a rule.
    pub fn optional_within<T: Ruled, R: Rule<T::Leaf>>(
        &self,
        name: &'static str,
        rule: &R,
        default: impl FnOnce() -> T,
        faults: &mut Faults,
    ) -> Option<T> {
        let read = |node: &Node, faults: &mut Faults| T::from_node_within(node, rule, faults);
        self.read(name, faults, read, Some(default))
    }

    fn read<T>(
        &self,
        name: &'static str,
        faults: &mut Faults,
        read: impl FnOnce(&Node, &mut Faults) -> Option<T>,
        default: Option<impl FnOnce() -> T>,
    ) -> Option<T> {
        match (self.position(name).map(|at| self.given[at]), default) {
            (Some(Given::Yes(_, node)), _) => {
                faults.within_field(name, |faults| read(node, faults))
            }
            (_, Some(default)) => Some(default()),
            (Some(Given::Misspelt), None) => None,
            (_, None) => {
                let message = format!("`{}` has no field `{name}`", self.type_name);
                faults.report(self.node.span, message);
                None
            }
        }
    }
}

/// `()` and `Name()` are records in which every field is left out.
fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, Kind::Tuple(_, items) if items.is_empty())
}

/// One of the variants of an enum while it is read. [`choice!`](crate::choice) writes the calls.
pub struct Variant<'n> {
    node: &'n Node,
    name: &'n str,
}

impl<'n> Variant<'n> {
    /// The variant that is named, if it is one of `names`.
    pub fn of_choice(
        node: &'n Node,
        type_name: &str,
        names: &[&'static str],
        faults: &mut Faults,
    ) -> Option<Self> {
        let Some(name) = node.name() else {
            faults.mismatch(node, any_of(type_name, names));
            return None;
        };
        if names.contains(&name) {
            return Some(Self { node, name });
        }
        let message = format!("`{}` is no `{type_name}`", clipped(name));
        let finding = Finding::new(node.name_span(), message);
        faults.push(finding.one_of(name, names.iter().copied()));
        None
    }

    /// Whether it is this one.
    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// A variant without content: `Name` or `Name()`.
    pub fn unit(&self, faults: &mut Faults) -> Option<()> {
        if matches!(self.node.kind, Kind::Word(_)) || is_empty(self.node) {
            return Some(());
        }
        let message = format!("`{}` has no content", self.name);
        faults.push(Finding::new(self.node.span, message).expected(format!("`{}`", self.name)));
        None
    }

    /// A variant with one value: `Name(x)`.
    pub fn content<T: FromNode>(&self, faults: &mut Faults) -> Option<T> {
        self.wrapped(faults, T::from_node)
    }

    /// A variant with one value that keeps to a rule.
    pub fn content_within<T: Ruled, R: Rule<T::Leaf>>(
        &self,
        rule: &R,
        faults: &mut Faults,
    ) -> Option<T> {
        self.wrapped(faults, |node, faults| {
            T::from_node_within(node, rule, faults)
        })
    }

    fn wrapped<T>(
        &self,
        faults: &mut Faults,
        read: impl FnOnce(&Node, &mut Faults) -> Option<T>,
    ) -> Option<T> {
        if matches!(self.node.kind, Kind::Word(_)) {
            let message = format!("`{}` lacks its content", self.name);
            let expected = format!("`{}(…)`", self.name);
            faults.push(Finding::new(self.node.span, message).expected(expected));
            return None;
        }
        wrapped(self.node, faults, read)
    }

    /// A variant with fields: `Name(x: 1)`.
    pub fn fields(
        &self,
        name: &'static str,
        names: &'static [&'static str],
        faults: &mut Faults,
    ) -> Option<Fields<'n>> {
        Fields::sorted(self.node, name, names, faults)
    }
}

fn any_of(type_name: &str, names: &[&str]) -> String {
    listed(names).unwrap_or_else(|| format!("the name of a `{type_name}`"))
}
