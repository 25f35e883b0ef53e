//! What is written reads as the same.

use catalog::{Choice, Document, FromNode, Node, ToNode, WriteError, parse, read_str, to_ron};
use proptest::prelude::*;

use crate::kitchen::{Cook, Empty, KITCHEN, Kitchen, Oven, Percent, kitchen};
use crate::trees::tree;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_tree_reads_as_it_was_written(tree in tree()) {
        let text = tree.to_ron();
        prop_assert_eq!(parse(&text), Ok(tree), "{}", text);
    }

    #[test]
    fn every_record_reads_as_it_was_written(kitchen in kitchen()) {
        let text = to_ron(&kitchen, &KITCHEN).unwrap();
        let read: Kitchen = read_str(&text, "written", &KITCHEN).unwrap();
        prop_assert_eq!(&read, &kitchen, "{}", text);
        prop_assert_eq!(to_ron(&read, &KITCHEN).unwrap(), text);
    }

    #[test]
    fn every_bit_of_a_float_survives(bits in any::<u64>(), short_bits in any::<u32>()) {
        let (wide, short) = (f64::from_bits(bits), f32::from_bits(short_bits));
        prop_assume!(wide.is_finite() && short.is_finite());
        let text = (wide, short).to_node().to_ron();
        let mut faults = catalog::Faults::default();
        let read = <(f64, f32)>::from_node(&parse(&text).unwrap(), &mut faults).unwrap();
        prop_assert_eq!((read.0.to_bits(), read.1.to_bits()), (bits, short_bits), "{}", text);
    }

    #[test]
    fn spans_cover_exactly_what_was_written(tree in tree()) {
        let text = tree.to_ron();
        assert_spans(&parse(&text).unwrap(), &text);
    }
}

/// The text under a node's span, read on its own, is that node.
fn assert_spans(node: &Node, text: &str) {
    let covered = node.span.of(text);
    assert_eq!(parse(covered).as_ref(), Ok(node), "{covered}");
    assert_eq!(covered.trim(), covered);
    node.items()
        .iter()
        .for_each(|item| assert_spans(item, text));
    for field in node.fields() {
        assert_spans(&field.value, text);
        let name = field.name.span.of(text);
        assert_eq!(name.trim_start_matches("r#"), field.name.value);
    }
}

fn small_kitchen() -> Kitchen {
    Kitchen {
        name: "Küche \"1\"".to_owned(),
        cooks: vec![
            Cook {
                name: "Ada".to_owned(),
                age: 36,
                likes: vec![],
            },
            Cook {
                name: "王".to_owned(),
                age: 50,
                likes: vec![
                    "a dish with a name so long".to_owned(),
                    "that the line breaks".to_owned(),
                ],
            },
        ],
        jars: [("salt".to_owned(), 0.1), ("tea".to_owned(), 2.0)].into(),
        size_m: [4.0, 3.5, 1e-7],
        pair: (-1, false),
        open: true,
        letter: '\'',
        note: None,
        nested: Some(None),
        r#type: Oven::Hot {
            celsius: 180.0,
            fan: true,
        },
        share: 0.1,
        nothing: (),
    }
}

/// Judged by eye once: a person should like to edit it.
#[test]
fn files_are_laid_out_for_people() {
    let expected = r#"Kitchen(
    version: 3,
    name: "Küche \"1\"",
    cooks: [
        (name: "Ada", age: 36),
        (name: "王", age: 50, likes: ["a dish with a name so long", "that the line breaks"]),
    ],
    jars: {"salt": 0.1, "tea": 2.0},
    size_m: (4.0, 3.5, 1e-7),
    pair: (-1, false),
    open: true,
    letter: '\'',
    nested: Some(None),
    type: Hot(celsius: 180.0, fan: true),
    share: 0.1,
    nothing: (),
)
"#;
    assert_eq!(to_ron(&small_kitchen(), &KITCHEN).unwrap(), expected);
}

#[test]
fn long_lists_of_numbers_fill_their_lines() {
    let numbers: Vec<f64> = (0..40).map(|i| f64::from(i) * 0.25).collect();
    let text = numbers.to_node().to_ron();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    assert_eq!(parse(&text), Ok(numbers.to_node()));
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let mut kitchen = small_kitchen();
    kitchen.size_m[1] = f64::NAN;
    let error = to_ron(&kitchen, &KITCHEN).unwrap_err();
    assert_eq!(
        error.to_string(),
        "size_m[1] is NaN; only finite numbers can be written"
    );

    kitchen.size_m[1] = 0.0;
    kitchen.jars.insert("air".to_owned(), f64::INFINITY);
    let error = to_ron(&kitchen, &KITCHEN).unwrap_err();
    let expected = "jars[the text \"air\"] is inf; only finite numbers can be written";
    assert_eq!(error.to_string(), expected);

    let error = to_ron(&vec![1, 2], &KITCHEN).unwrap_err();
    let expected = "a Kitchen file has to be a record, but this is a list of 2";
    assert_eq!(error.to_string(), expected);

    let node = Node::record(
        None,
        vec![catalog::Field {
            name: "a b".into(),
            value: ().to_node(),
        }],
    );
    assert!(matches!(
        to_ron(&node, &KITCHEN),
        Err(WriteError::Name { .. })
    ));
}

#[test]
fn small_shapes_read_and_write() {
    let mut faults = catalog::Faults::default();
    let percent = Percent::from_node(&parse("12.5").unwrap(), &mut faults).unwrap();
    assert_eq!((*percent.0, percent.0.span.end), (12.5, 4));
    assert_eq!(percent.to_node(), parse("12.5").unwrap());
    for text in ["()", "Empty()"] {
        let empty = Empty::from_node(&parse(text).unwrap(), &mut faults).unwrap();
        assert_eq!(parse(&empty.to_node().to_ron()), parse("()"));
    }
    assert_eq!(Oven::NAMES, ["Cold", "Named", "Measured", "Hot"]);
    assert_eq!(Oven::Cold.name(), "Cold");
    assert!(faults.is_empty());
}

#[test]
fn places_are_kept_for_later() {
    let text = "Kitchen(version: 3,\n  name: \"k\", size_m: (1, 2, 3))";
    let document = Document::parse(text, "k.ron", &KITCHEN).unwrap();
    let node = document.root().field("size_m").unwrap();
    let place = document.place(node.span);
    assert_eq!((place.line, place.column), (2, 22));
    assert_eq!(node.span.of(text), "(1, 2, 3)");
}
