//! The `ron` crate as an outside truth: what it writes we read, what we write it reads, and it
//! finds the same in it.

use catalog::{Kind, Node, parse, read_str, to_ron};
use proptest::prelude::*;
use ron::ser::PrettyConfig;

use crate::kitchen::{KITCHEN, Kitchen, kitchen};
use crate::trees::tree;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn ron_reads_what_we_write(kitchen in kitchen()) {
        let text = to_ron(&kitchen, &KITCHEN).unwrap();
        // What is left out (empty defaults) ron would not know how to fill in.
        let text = with_empty_fields(&text, &kitchen);
        let read: Kitchen = ron::from_str(&text).unwrap();
        prop_assert_eq!(read, kitchen, "{}", text);
    }

    #[test]
    fn we_read_what_ron_writes(kitchen in kitchen(), names in any::<bool>(), pretty in any::<bool>()) {
        let config = PrettyConfig::new().struct_names(names);
        let text = if pretty {
            ron::ser::to_string_pretty(&kitchen, config).unwrap()
        } else {
            ron::to_string(&kitchen).unwrap()
        };
        let fields = text.trim_start_matches("Kitchen").strip_prefix('(').unwrap();
        let text = format!("Kitchen(version: 3, {fields}");
        let read: Kitchen = read_str(&text, "ron", &KITCHEN).unwrap();
        prop_assert_eq!(read, kitchen, "{}", text);
    }

    #[test]
    fn ron_finds_the_same_in_a_tree(tree in tree()) {
        let text = tree.to_ron();
        if let Ok(value) = ron::from_str::<ron::Value>(&text) {
            prop_assert!(same(&tree, &value), "{}\n{:?}", text, value);
        }
    }

    #[test]
    fn what_ron_accepts_as_a_number_is_the_same_number(token in number_like()) {
        let ours = parse(&token);
        if let Ok(integer) = ron::from_str::<i64>(&token) {
            prop_assert_eq!(ours.unwrap().kind, Kind::Integer(integer.into()));
        } else if let Ok(float) = ron::from_str::<f64>(&token) {
            let ours = match ours.unwrap().kind {
                Kind::Float(ours) => ours,
                Kind::Integer(ours) => ours as f64,
                other => panic!("{other:?}"),
            };
            prop_assert!(ours == float || (ours.is_nan() && float.is_nan()), "{ours} {float}");
        }
    }
}

fn number_like() -> impl Strategy<Value = String> {
    prop_oneof![
        "[+-]?[0-9][0-9_]{0,5}(\\.[0-9]{0,4})?([eE][+-]?[0-9]{1,2})?",
        "[+-]?0[xob][0-9a-fA-F_]{1,6}",
        "[+-]?(inf|NaN|\\.5|5\\.)",
        "[0-9]{1,3}(u8|i8|i16|u64|i128)",
    ]
}

fn with_empty_fields(text: &str, kitchen: &Kitchen) -> String {
    let mut fields = String::new();
    if kitchen.cooks.is_empty() {
        fields.push_str("cooks: [],");
    }
    if kitchen.jars.is_empty() {
        fields.push_str("jars: {},");
    }
    let text = text.replacen("version: 3,", &format!("version: 3, {fields}"), 1);
    // Cooks on one line or on several: `likes` follows `age`.
    let mut node = parse(&text).expect("it was written by us");
    let cooks = node
        .field_mut("cooks")
        .map(Node::items_mut)
        .unwrap_or_default();
    for cook in cooks
        .iter_mut()
        .filter(|cook| cook.field("likes").is_none())
    {
        cook.set_field("likes", Kind::List(Vec::new()).into());
    }
    node.to_ron()
}

/// ron's values forget names and the order of maps.
fn same(node: &Node, value: &ron::Value) -> bool {
    use ron::Value;
    match (&node.kind, value) {
        (Kind::Bool(a), Value::Bool(b)) => a == b,
        (Kind::Char(a), Value::Char(b)) => a == b,
        (Kind::Text(a), Value::String(b)) => a == b,
        (Kind::Bytes(a), Value::Bytes(b)) => a == b,
        (Kind::Integer(a), Value::Number(b)) => same_number(*a as f64, *b),
        (Kind::Float(a), Value::Number(b)) => same_number(*a, *b),
        (Kind::Word(name), Value::Option(None)) => name == "None",
        (Kind::Word(_), Value::Unit) => true,
        (Kind::Tuple(_, items), Value::Unit) => items.is_empty(),
        (Kind::Tuple(Some(name), items), Value::Option(Some(inner))) => {
            *name.value == *"Some" && items.len() == 1 && same(&items[0], inner)
        }
        (Kind::List(items) | Kind::Tuple(_, items), Value::Seq(values)) => {
            items.len() == values.len() && items.iter().zip(values).all(|(a, b)| same(a, b))
        }
        // A newtype is its content to ron.
        (Kind::Tuple(_, items), value) => items.len() == 1 && same(&items[0], value),
        (Kind::Record(_, fields), Value::Map(map)) => fields.iter().rev().all(|field| {
            let key = Value::String(field.name.value.clone());
            let repeated = fields.iter().filter(|f| f.name == field.name).count() > 1;
            repeated || map.get(&key).is_some_and(|value| same(&field.value, value))
        }),
        (Kind::Map(entries), Value::Map(map)) => {
            map.len() <= entries.len()
                && map
                    .iter()
                    .all(|(key, value)| entries.iter().any(|(k, v)| same(k, key) && same(v, value)))
        }
        _ => false,
    }
}

fn same_number(ours: f64, theirs: ron::Number) -> bool {
    let theirs = theirs.into_f64();
    // ron keeps a float as 32 bits where it thinks that they are enough.
    ours == theirs || ours as f32 == theirs as f32 || (ours.is_nan() && theirs.is_nan())
}
