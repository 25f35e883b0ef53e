//! A format with one of everything, and random values of it.

use std::collections::BTreeMap;

use catalog::{Format, Known, NotEmpty, POSITIVE, Spanned};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

pub const KITCHEN: Format = Format::new("Kitchen", 3);

catalog::record! {
    /// What is in it.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Kitchen {
        pub name: String [NotEmpty],
        pub cooks: Vec<Cook> = Vec::new(),
        pub jars: BTreeMap<String, f64> [POSITIVE] = BTreeMap::new(),
        pub size_m: [f64; 3],
        pub pair: (i64, bool) = (7, true),
        pub open: bool = true,
        pub letter: char = 'k',
        pub note: Option<String> = None,
        pub nested: Option<Option<u8>> = None,
        pub r#type: Oven = Oven::default(),
        pub share: f32 [0.0..=1.0] = 0.5,
        pub nothing: () = (),
    }
}

catalog::record! {
    /// Who works in it.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Cook {
        pub name: String,
        pub age: u8 [16..],
        pub likes: Vec<String> [Known("dish")] = Vec::new(),
    }
}

catalog::choice! {
    /// What it is cooked on.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub enum Oven {
        #[default]
        Cold,
        Named(String),
        Measured(Heat),
        Hot {
            celsius: f64 [30.0..300.0],
            fan: bool = false,
        },
    }
}

catalog::record! {
    /// A record in a variant.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Heat {
        pub watts: u16,
    }
}

catalog::record! {
    /// A record without anything.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Empty {}
}

catalog::record! {
    /// Written as its content alone.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Percent(pub Spanned<f64> [0.0..=100.0]);
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
        (-1000_i32..1000).prop_map(|tenths| f64::from(tenths) / 10.0),
    ]
}

/// Texts with what could end them, hidden characters and other scripts.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        ".{0,8}",
        prop::sample::select(vec![
            "肝脏",
            "a\"b\\c",
            "\u{0}\u{7f}\r\n\t",
            "// no",
            "/* no */",
            "é\u{301}🩻"
        ])
        .prop_map(str::to_owned),
    ]
}

fn cook() -> impl Strategy<Value = Cook> {
    (text(), 16_u8.., prop::collection::vec(text(), 0..3)).prop_map(|(name, age, likes)| Cook {
        name,
        age,
        likes,
    })
}

fn oven() -> impl Strategy<Value = Oven> {
    prop_oneof![
        Just(Oven::Cold),
        text().prop_map(Oven::Named),
        any::<u16>().prop_map(|watts| Oven::Measured(Heat { watts })),
        (30.0..300.0, any::<bool>()).prop_map(|(celsius, fan)| Oven::Hot { celsius, fan }),
    ]
}

pub fn kitchen() -> impl Strategy<Value = Kitchen> {
    let jars = prop::collection::btree_map(text(), finite().prop_map(|x| x.abs() + 1.0), 0..4);
    let first = (
        text().prop_map(|text| format!("k{text}")),
        prop::collection::vec(cook(), 0..4),
        jars,
        [finite(), finite(), finite()],
        any::<(i64, bool)>(),
        any::<bool>(),
    );
    let second = (
        any::<char>(),
        prop::option::of(text()),
        prop::option::of(prop::option::of(any::<u8>())),
        oven(),
        0.0_f32..=1.0,
    );
    (first, second).prop_map(|((name, cooks, jars, size_m, pair, open), rest)| {
        let (letter, note, nested, r#type, share) = rest;
        Kitchen {
            name,
            cooks,
            jars,
            size_m,
            pair,
            open,
            letter,
            note,
            nested,
            r#type,
            share,
            nothing: (),
        }
    })
}
