//! `record!` and `choice!`: a type declared once, readable and writable.

/// Declares a struct that can be read from and written to a file.
///
/// ```
/// use catalog::{POSITIVE, Spanned};
///
/// catalog::record! {
///     /// A linear probe.
///     #[derive(Clone, Debug, PartialEq)]
///     pub struct Probe {
///         /// Its name, and where it was written, for checks that come later.
///         pub name: Spanned<String>,
///         /// Distance of neighbouring elements, held to a range.
///         pub pitch_mm: f64 [0.01..=5.0],
///         /// May be left out.
///         pub elements: u32 [1..=4096] = 128,
///         /// May be left out; `Some(…)` need not be written.
///         pub focus_mm: Option<f64> [POSITIVE] = None,
///     }
/// }
/// ```
///
/// After the type may stand a [`Rule`](crate::Rule) in brackets, then a default. A default is
/// not held to the rule. A field without a default has to be given, options too.
///
/// After the braces may stand `check` and a function that looks at what one rule cannot see. It
/// is called for every value that could be read, whatever is wrong elsewhere in the file:
///
/// ```
/// use catalog::{Faults, Node};
///
/// catalog::record! {
///     /// Depths between which something is visible.
///     pub struct Window {
///         /// Nearest.
///         pub near_mm: f64,
///         /// Farthest.
///         pub far_mm: f64,
///     }
///     check near_before_far
/// }
///
/// fn near_before_far(window: &Window, node: &Node, faults: &mut Faults) {
///     let holds = window.near_mm < window.far_mm;
///     faults.require(node.span, holds, "`near_mm` is not nearer than `far_mm`");
/// }
/// ```
///
/// `struct Name(pub Inner);` declares a type that is written as its content alone, with a rule
/// if need be: `pub struct Hertz(pub f64 [catalog::POSITIVE]);`.
#[macro_export]
macro_rules! record {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(
                $(#[$field_meta:meta])*
                $field_vis:vis $field:ident : $type:ty $([$rule:expr])? $(= $default:expr)?
            ),* $(,)?
        }
        $(check $check:expr)?
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $( $(#[$field_meta])* $field_vis $field: $type, )*
        }

        impl $crate::FromNode for $name {
            fn from_node(
                node: &$crate::Node,
                faults: &mut $crate::Faults,
            ) -> ::core::option::Option<Self> {
                const FIELDS: &[&str] = &[$( $crate::__private::plain(stringify!($field)) ),*];
                let fields =
                    $crate::Fields::of_record(node, stringify!($name), FIELDS, faults)?;
                $crate::__read_fields! {
                    fields, faults, $( ($field, $type, [$($rule)?], [$($default)?]) )*
                }
                let value = Self { $( $field: $field? ),* };
                $(
                    let check: fn(&Self, &$crate::Node, &mut $crate::Faults) = $check;
                    check(&value, node, faults);
                )?
                ::core::option::Option::Some(value)
            }
        }

        impl $crate::ToNode for $name {
            fn to_node(&self) -> $crate::Node {
                $crate::__private::record(::core::option::Option::None, [
                    $( $crate::__written_field!(
                        $field, &self.$field, $type, [$($default)?]
                    ) ),*
                ])
            }
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident(
            $(#[$inner_meta:meta])*
            $inner_vis:vis $inner:ty $([$rule:expr])? $(,)?
        );
    ) => {
        $(#[$meta])*
        $vis struct $name($(#[$inner_meta])* $inner_vis $inner);

        impl $crate::FromNode for $name {
            fn from_node(
                node: &$crate::Node,
                faults: &mut $crate::Faults,
            ) -> ::core::option::Option<Self> {
                $crate::__read_value!(node, faults, $inner, [$($rule)?]).map(Self)
            }
        }

        impl $crate::ToNode for $name {
            fn to_node(&self) -> $crate::Node {
                $crate::ToNode::to_node(&self.0)
            }
        }
    };
}

/// Declares an enum that can be read from and written to a file: bare variants, variants with
/// one value, variants with fields (rules and defaults as in [`record!`](crate::record)).
///
/// ```
/// catalog::choice! {
///     /// What a probe's face looks like.
///     #[derive(Clone, Debug, PartialEq)]
///     pub enum Face {
///         /// `Linear`
///         Linear,
///         /// `Phased(0.3)`
///         Phased(f64 [catalog::POSITIVE]),
///         /// `Curved(radius_mm: 60)`
///         Curved {
///             /// Radius of curvature.
///             radius_mm: f64 [5.0..=100.0] = 60.0,
///         },
///     }
/// }
/// use catalog::Choice;
/// assert_eq!(Face::NAMES, ["Linear", "Phased", "Curved"]);
/// assert_eq!(Face::Curved { radius_mm: 40.0 }.name(), "Curved");
/// ```
#[macro_export]
macro_rules! choice {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $(
                $(#[$variant_meta:meta])*
                $variant:ident
                $( ( $inner:ty $([$inner_rule:expr])? ) )?
                $( {
                    $(
                        $(#[$field_meta:meta])*
                        $field:ident : $type:ty $([$rule:expr])? $(= $default:expr)?
                    ),* $(,)?
                } )?
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis enum $name {
            $(
                $(#[$variant_meta])*
                $variant $( ($inner) )? $( { $( $(#[$field_meta])* $field: $type ),* } )?,
            )*
        }

        impl $crate::Choice for $name {
            const NAMES: &'static [&'static str] =
                &[$( $crate::__private::plain(stringify!($variant)) ),*];

            fn name(&self) -> &'static str {
                match self {
                    $( Self::$variant { .. } => {
                        const { $crate::__private::plain(stringify!($variant)) }
                    } )*
                }
            }
        }

        impl $crate::FromNode for $name {
            fn from_node(
                node: &$crate::Node,
                faults: &mut $crate::Faults,
            ) -> ::core::option::Option<Self> {
                let variant = $crate::Variant::of_choice(
                    node,
                    stringify!($name),
                    <Self as $crate::Choice>::NAMES,
                    faults,
                )?;
                $(
                    if variant.is($crate::__private::plain(stringify!($variant))) {
                        return $crate::__read_variant!(
                            variant, faults, $variant,
                            [$( $inner, [$($inner_rule)?] )?],
                            [$( { $( ($field, $type, [$($rule)?], [$($default)?]) )* } )?]
                        );
                    }
                )*
                ::core::option::Option::None
            }
        }

        impl $crate::ToNode for $name {
            fn to_node(&self) -> $crate::Node {
                $(
                    $crate::__write_variant!(
                        self, $variant,
                        [$( $inner )?],
                        [$( { $( ($field, $type, [$($default)?]) )* } )?]
                    );
                )*
                // One of the above returned: they are all the variants there are.
                $crate::Node::word(<Self as $crate::Choice>::name(self))
            }
        }
    };
}

/// An enum declared with [`choice!`](crate::choice).
pub trait Choice {
    /// The variants' names, in their order.
    const NAMES: &'static [&'static str];
    /// The name of this variant.
    fn name(&self) -> &'static str;
}

#[doc(hidden)]
#[macro_export]
macro_rules! __read_value {
    ($node:ident, $faults:ident, $type:ty, []) => {
        <$type as $crate::FromNode>::from_node($node, $faults)
    };
    ($node:ident, $faults:ident, $type:ty, [$rule:expr]) => {
        <$type as $crate::Ruled>::from_node_within($node, &$rule, $faults)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __read_fields {
    ($fields:ident, $faults:ident, $( ($field:ident, $type:ty, $rule:tt, $default:tt) )*) => {
        $(
            let $field = $crate::__read_field!(
                $fields, $faults, $crate::__private::plain(stringify!($field)),
                $type, $rule, $default
            );
        )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __read_field {
    ($fields:ident, $faults:ident, $name:expr, $type:ty, [], []) => {
        $fields.required::<$type>($name, $faults)
    };
    ($fields:ident, $faults:ident, $name:expr, $type:ty, [$rule:expr], []) => {
        $fields.required_within::<$type, _>($name, &$rule, $faults)
    };
    ($fields:ident, $faults:ident, $name:expr, $type:ty, [], [$default:expr]) => {
        $fields.optional::<$type>($name, || $default, $faults)
    };
    ($fields:ident, $faults:ident, $name:expr, $type:ty, [$rule:expr], [$default:expr]) => {
        $fields.optional_within::<$type, _>($name, &$rule, || $default, $faults)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __written_field {
    ($field:ident, $value:expr, $type:ty, []) => {
        $crate::__private::written_field($crate::__private::plain(stringify!($field)), $value)
    };
    ($field:ident, $value:expr, $type:ty, [$default:expr]) => {{
        let default: $type = $default;
        $crate::__private::written_unless_empty(
            $crate::__private::plain(stringify!($field)),
            $value,
            &default,
        )
    }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __read_variant {
    ($variant:ident, $faults:ident, $name:ident, [], []) => {
        $variant.unit($faults).map(|()| Self::$name)
    };
    ($variant:ident, $faults:ident, $name:ident, [$inner:ty, []], []) => {
        $variant.content::<$inner>($faults).map(Self::$name)
    };
    ($variant:ident, $faults:ident, $name:ident, [$inner:ty, [$rule:expr]], []) => {
        $variant.content_within::<$inner, _>(&$rule, $faults).map(Self::$name)
    };
    (
        $variant:ident, $faults:ident, $name:ident, [],
        [{ $( ($field:ident, $type:ty, $rule:tt, $default:tt) )* }]
    ) => {{
        const FIELDS: &[&str] = &[$( $crate::__private::plain(stringify!($field)) ),*];
        let fields = $variant.fields(stringify!($name), FIELDS, $faults)?;
        $crate::__read_fields! {
            fields, $faults, $( ($field, $type, $rule, $default) )*
        }
        ::core::option::Option::Some(Self::$name { $( $field: $field? ),* })
    }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __write_variant {
    ($self:ident, $name:ident, [], []) => {};
    ($self:ident, $name:ident, [$inner:ty], []) => {
        if let Self::$name(inner) = $self {
            let inner: &$inner = inner;
            return $crate::Node::wrapped(
                <Self as $crate::Choice>::name($self),
                $crate::ToNode::to_node(inner),
            );
        }
    };
    (
        $self:ident, $name:ident, [],
        [{ $( ($field:ident, $type:ty, $default:tt) )* }]
    ) => {
        if let Self::$name { $( $field ),* } = $self {
            return $crate::__private::record(
                ::core::option::Option::Some(<Self as $crate::Choice>::name($self)),
                [$( $crate::__written_field!($field, $field, $type, $default) ),*],
            );
        }
    };
}

/// What the macros call.
#[doc(hidden)]
pub mod __private {
    pub use crate::to_node::{written_field, written_unless_empty};

    /// A record of the fields that are to be written.
    pub fn record<const N: usize>(
        name: Option<&str>,
        fields: [Option<crate::Field>; N],
    ) -> crate::Node {
        crate::Node::record(name, fields.into_iter().flatten().collect())
    }

    /// A Rust identifier as it stands in files: `r#type` is `type`.
    pub const fn plain(identifier: &'static str) -> &'static str {
        match identifier.as_bytes() {
            [b'r', b'#', ..] => identifier.split_at(2).1,
            _ => identifier,
        }
    }
}
