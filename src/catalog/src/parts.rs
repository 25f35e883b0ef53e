//! The parts of structs and enums while they are read: what `record!` and `choice!` call.

use crate::fault::listed;
use crate::from_node::wrapped;
use crate::node::{Kind, Name, Node, clipped};
use crate::rule::Rule;
use crate::{Faults, Finding, FromNode, Ruled, nearest};

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
