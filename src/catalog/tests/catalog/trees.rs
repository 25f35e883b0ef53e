//! Random trees of everything that RON can say.

use catalog::{Field, Kind, Name, Node};
use proptest::prelude::*;

use crate::kitchen::text;

pub fn identifier() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-z_][a-z0-9_]{0,6}",
        1 => "[A-Z][a-z]{0,4}",
        1 => prop::sample::select(vec!["r", "b", "br", "true", "inf", "NaN", "Some", "a-b.c", "肝"])
            .prop_map(str::to_owned),
    ]
}

fn scalar() -> impl Strategy<Value = Kind> {
    prop_oneof![
        any::<bool>().prop_map(Kind::Bool),
        any::<i128>().prop_map(Kind::Integer),
        (-9_i128..99).prop_map(Kind::Integer),
        any::<f64>().prop_map(|x| Kind::Float(if x.is_nan() { f64::NAN } else { x })),
        any::<char>().prop_map(Kind::Char),
        text().prop_map(Kind::Text),
        prop::collection::vec(any::<u8>(), 0..6).prop_map(Kind::Bytes),
        identifier().prop_map(Kind::Word),
    ]
}

fn named() -> impl Strategy<Value = Option<Name>> {
    prop::option::of(identifier().prop_map(Name::from))
}

pub fn tree() -> impl Strategy<Value = Node> {
    let leaf = scalar().prop_map(Node::from);
    leaf.prop_recursive(5, 60, 6, |inner| {
        let nodes = prop::collection::vec(inner.clone(), 0..6);
        let entries = prop::collection::vec((inner.clone(), inner.clone()), 0..4);
        let field = (identifier(), inner).prop_map(|(name, value)| Field {
            name: Name::from(name),
            value,
        });
        // Without fields it would be a tuple: `()` says nothing more.
        let fields = prop::collection::vec(field, 1..6);
        prop_oneof![
            nodes.clone().prop_map(Kind::List),
            entries.prop_map(Kind::Map),
            (named(), nodes).prop_map(|(name, items)| Kind::Tuple(name, items)),
            (named(), fields).prop_map(|(name, fields)| Kind::Record(name, fields)),
        ]
        .prop_map(Node::from)
    })
}
