//! Lengths and angles as people write them: with a unit, or bare in the unit that the field names.

use catalog::{Faults, Finding, FromNode, Kind, Node, Rule, Ruled, ToNode};

/// Finer than any hand and any file, coarser than the rounding of a conversion: the same length in
/// another unit is the same number.
const GRID: f64 = 1e9;

fn on_grid(value: f64) -> f64 {
    (value * GRID).round() / GRID
}

/// The names of the units of a quantity and what one of each is in the first.
type Units = [(&'static str, f64)];

const LENGTHS: &Units = &[("Mm", 1.0), ("Cm", 10.0)];
const ANGLES: &Units = &[("Deg", 1.0), ("Rad", 180.0 / std::f64::consts::PI)];

/// `5`, `Mm(5)` or `Cm(0.5)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Length {
    pub mm: f64,
}

/// `10`, `Deg(10)` or `Rad(0.1745)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Angle {
    pub deg: f64,
}

fn quantity(node: &Node, what: &str, units: &Units, faults: &mut Faults) -> Option<f64> {
    let (Kind::Tuple(Some(name), _), [written]) = (&node.kind, node.items()) else {
        if matches!(node.kind, Kind::Integer(_) | Kind::Float(_)) {
            return f64::from_node(node, faults).map(on_grid);
        }
        let ways: Vec<String> = units
            .iter()
            .map(|(unit, _)| format!("`{unit}(…)`"))
            .collect();
        faults.mismatch(
            node,
            format_args!("{what}: a number or {}", ways.join(" or ")),
        );
        return None;
    };
    let Some((_, factor)) = units.iter().find(|(unit, _)| *unit == name.value) else {
        let finding = Finding::new(name.span, format!("`{}` is no unit of {what}", name.value));
        faults.push(finding.one_of(name, units.iter().map(|(unit, _)| *unit)));
        return None;
    };
    Some(on_grid(f64::from_node(written, faults)? * factor))
}

macro_rules! quantities {
    ($($type:ident, $field:ident, $what:literal, $units:ident;)*) => {$(
        impl FromNode for $type {
            fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
                quantity(node, $what, $units, faults).map(|$field| Self { $field })
            }
        }

        /// Rules are about the number in the first unit.
        impl Ruled for $type {
            type Leaf = f64;
            fn from_node_within<R: Rule<f64>>(
                node: &Node,
                rule: &R,
                faults: &mut Faults,
            ) -> Option<Self> {
                let value = Self::from_node(node, faults)?;
                rule.check(&value.$field, node, faults).then_some(value)
            }
        }

        impl ToNode for $type {
            fn to_node(&self) -> Node {
                self.$field.to_node()
            }
        }
    )*};
}
quantities! {
    Length, mm, "a length", LENGTHS;
    Angle, deg, "an angle", ANGLES;
}
