//! Every semantic fault at once, each with its exact place and words.

use catalog::{Document, FromNode, read_str};

use crate::kitchen::{KITCHEN, Kitchen};

/// What is wrong with a kitchen that holds these fields and is otherwise right.
fn faults(fields: &str) -> String {
    let text = format!("Kitchen(version: 3, name: \"k\", size_m: (1, 2, 3),\n{fields})");
    match Document::parse(text, "k", &KITCHEN) {
        Ok(document) => document
            .knowing("dish", "menu.ron", ["soup", "salad"])
            .resolve::<Kitchen>()
            .expect_err(fields)
            .to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_fault_has_its_place_and_words() {
    let table = [
        // Fields.
        (
            "opn: true",
            "k:2:1: unknown field `opn`; expected one of `name`, `cooks`, `jars`, `size_m`, `pair`, `open`, `letter`, `note`, `nested`, `type`, `share`, `nothing`; did you mean `open`?",
        ),
        (
            "open: true,\nopen: false",
            "k:3:1: field `open` is given twice (first at 2:1)",
        ),
        ("cooks: [(name: \"A\")]", "k:2:9: `Cook` has no field `age`"),
        (
            "cooks: [(nam: \"A\", age: 20)]",
            "k:2:10: unknown field `nam`; expected one of `name`, `age`, `likes`; did you mean `name`?",
        ),
        (
            "cooks: [(age: 20, name: \"A\", aeg: 21)]",
            "k:2:30: unknown field `aeg`; expected one of `name`, `age`, `likes`",
        ),
        (
            "cooks: [Cok(name: \"A\", age: 20)]",
            "k:2:9: expected a `Cook(…)`, found `Cok`",
        ),
        (
            "cooks: [5]",
            "k:2:9: `cooks`: expected a record `Cook(field: …)`, found the number 5",
        ),
        (
            "cooks: {}",
            "k:2:8: `cooks`: expected a list `[…]`, found a map `{…}`",
        ),
        // Types.
        (
            "open: 1",
            "k:2:7: `open`: expected `true` or `false`, found the number 1",
        ),
        (
            "open: yes",
            "k:2:7: `open`: expected `true` or `false`, found the name `yes`",
        ),
        (
            "letter: \"k\"",
            "k:2:9: `letter`: expected a character in single quotes, found the text \"k\"",
        ),
        (
            "note: Some(5)",
            "k:2:12: `note`: expected a text in double quotes, found the number 5",
        ),
        (
            "note: Some()",
            "k:2:7: `Some(…)` holds 0 values; expected one",
        ),
        (
            "note: Soem(\"x\")",
            "k:2:7: `note`: expected a text in double quotes, found `Soem(…)`",
        ),
        (
            "pair: (1, true, 2)",
            "k:2:7: `pair`: expected 2 values `(…)`, found a tuple of 3",
        ),
        (
            "pair: (\"x\", 5)",
            "k:2:8: `pair`: expected a whole number, found the text \"x\"\nk:2:13: `pair`: expected `true` or `false`, found the number 5",
        ),
        (
            "pair: (1.5, true)",
            "k:2:8: `pair`: expected a whole number, found the number 1.5",
        ),
        (
            "nothing: 1",
            "k:2:10: `nothing`: expected `()`, found the number 1",
        ),
        (
            "share: true",
            "k:2:8: `share`: expected a number, found `true`",
        ),
        // Sizes.
        (
            "nested: 256",
            "k:2:9: `nested`: expected a whole number from 0 to 255, found the number 256",
        ),
        (
            "nested: -1",
            "k:2:9: `nested`: expected a whole number from 0 to 255, found the number -1",
        ),
        (
            "nested: 999999999999999999999999999999999999999999",
            "k:2:9: `nested`: expected a whole number from 0 to 255, found the number 1e42",
        ),
        (
            "share: 1.5",
            "k:2:8: `share`: expected a number from 0 to 1, found the number 1.5",
        ),
        (
            "share: NaN",
            "k:2:8: `share`: expected a finite number, found the number NaN",
        ),
        (
            "share: -inf",
            "k:2:8: `share`: expected a finite number, found the number -inf",
        ),
        (
            "share: 1e999",
            "k:2:8: `share`: expected a finite number, found the number inf",
        ),
        (
            "share: 1e39",
            "k:2:8: `share`: expected a number that 32 bits hold, up to 3.4e38, found the number 1e39",
        ),
        (
            "cooks: [(name: \"A\", age: 15)]",
            "k:2:26: `age`: expected a whole number of at least 16, found the number 15",
        ),
        (
            "type: Hot(celsius: 300)",
            "k:2:20: `celsius`: expected a number of at least 30 and below 300, found the number 300",
        ),
        (
            "jars: {\"salt\": 0}",
            "k:2:16: `jars`: expected a number above 0, found the number 0",
        ),
        (
            "jars: {\"a\": 1, \"a\": 2}",
            "k:2:16: the text \"a\" is a key twice",
        ),
        (
            "jars: {1: 1}",
            "k:2:8: `jars`: expected a text in double quotes, found the number 1",
        ),
        // Choices.
        (
            "type: Cld",
            "k:2:7: `Cld` is no `Oven`; expected one of `Cold`, `Named`, `Measured`, `Hot`; did you mean `Cold`?",
        ),
        (
            "type: hot(celsius: 100)",
            "k:2:7: `hot` is no `Oven`; expected one of `Cold`, `Named`, `Measured`, `Hot`; did you mean `Hot`?",
        ),
        (
            "type: \"Cold\"",
            "k:2:7: `type`: expected one of `Cold`, `Named`, `Measured`, `Hot`, found the text \"Cold\"",
        ),
        (
            "type: Cold(1)",
            "k:2:7: `Cold` has no content; expected `Cold`",
        ),
        (
            "type: Named",
            "k:2:7: `Named` lacks its content; expected `Named(…)`",
        ),
        (
            "type: Named(\"a\", \"b\")",
            "k:2:7: `Named(…)` holds 2 values; expected one",
        ),
        (
            "type: Measured(wats: 1)",
            "k:2:16: unknown field `wats`; expected `watts`; did you mean `watts`?",
        ),
        (
            "type: Hot",
            "k:2:7: `type`: expected a record `Hot(field: …)`, found the name `Hot`",
        ),
        (
            "type: Hot(fan: true)",
            "k:2:7: `Hot` has no field `celsius`",
        ),
        // Names of another file.
        (
            "cooks: [(name: \"A\", age: 20, likes: [\"soup\", \"sald\"])]",
            "k:2:46: dish `sald` is not in menu.ron; expected one of `salad`, `soup`; did you mean `salad`?",
        ),
    ];
    for (fields, expected) in table {
        assert_eq!(faults(fields), expected, "{fields}");
    }
}

#[test]
fn all_faults_come_at_once_in_the_order_of_the_file() {
    let text = "\
Kitchen(
    version: 3,
    cooks: [
        (nme: \"A\", age: 200),
        (name: 'B', age: 2, likes: [\"soap\", 5]),
        (name: \"C\", age: 300, x: ()),
    ],
    size_m: (1, \"2\", NaN),
    type: Hot(celsius: 1000, fann: true),
    share: 2,
)";
    let error = Document::parse(text, "k.ron", &KITCHEN)
        .unwrap()
        .knowing("dish", "menu.ron", ["soup"])
        .resolve::<Kitchen>()
        .unwrap_err();
    let expected = "\
k.ron:1:1: `Kitchen` has no field `name`
k.ron:4:10: unknown field `nme`; expected one of `name`, `age`, `likes`; did you mean `name`?
k.ron:5:16: `name`: expected a text in double quotes, found the character 'B'
k.ron:5:26: `age`: expected a whole number of at least 16, found the number 2
k.ron:5:37: dish `soap` is not in menu.ron; expected `soup`; did you mean `soup`?
k.ron:5:45: `likes`: expected a text in double quotes, found the number 5
k.ron:6:26: `age`: expected a whole number from 0 to 255, found the number 300
k.ron:6:31: unknown field `x`; expected one of `name`, `age`, `likes`
k.ron:8:17: `size_m`: expected a number, found the text \"2\"
k.ron:8:22: `size_m`: expected a finite number, found the number NaN
k.ron:9:24: `celsius`: expected a number of at least 30 and below 300, found the number 1000
k.ron:9:30: unknown field `fann`; expected one of `celsius`, `fan`; did you mean `fan`?
k.ron:10:12: `share`: expected a number from 0 to 1, found the number 2";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn later_checks_report_in_the_same_list() {
    let text = "Kitchen(version: 3, name: \"k\", size_m: (1, 2, 3), odd: 1,\n cooks: [\n\
                (name: \"A\", age: 20), (name: \"A\", age: 30)])";
    let document = Document::parse(text, "k.ron", &KITCHEN).unwrap();
    let cooks = document.root().field("cooks").unwrap().clone();
    let error = document
        .resolve_with(|kitchen: Kitchen, faults| {
            let names = kitchen.cooks.iter().zip(cooks.items()).map(|(cook, node)| {
                catalog::Name::new(cook.name.clone(), node.field("name").unwrap().span)
            });
            let names: Vec<catalog::Name> = names.collect();
            faults.require_distinct("cook", &names);
            faults.require_name(&names[0], "cook", "staff.ron", ["B", "Ab"]);
            None::<()>
        })
        .unwrap_err();
    let expected = "\
k.ron:1:51: unknown field `odd`; expected one of `name`, `cooks`, `jars`, `size_m`, `pair`, `open`, `letter`, `note`, `nested`, `type`, `share`, `nothing`
k.ron:3:8: cook `A` is not in staff.ron; expected one of `B`, `Ab`; did you mean `Ab`?
k.ron:3:30: cook `A` is there twice (first at 3:8)";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_refusal_without_a_reason_is_still_an_error() {
    let text = "Kitchen(version: 3, name: \"k\", size_m: (1, 2, 3))";
    let document = Document::parse(text, "k.ron", &KITCHEN).unwrap();
    assert!(document.resolve_with(|_: Kitchen, _| None::<()>).is_err());
    assert!(document.resolve::<Kitchen>().is_ok());
}

catalog::record! {
    /// A record with a check of its own.
    #[derive(Debug, PartialEq)]
    struct Span {
        near: f64,
        far: f64,
    }
    check |span: &Span, node, faults| {
        faults.require(node.span, span.near < span.far, "`near` is not before `far`");
    }
}

#[test]
fn checks_of_records_run_beside_other_faults() {
    const SPANS: catalog::Format = catalog::Format::new("Spans", 1);
    catalog::record! { struct Spans { spans: Vec<Span> } }
    let text =
        "Spans(version: 1, spans: [(near: 2, far: 1), (near: \"\", far: 1), (near: 1, far: 2)])";
    let error = read_str::<Spans>(text, "s", &SPANS).err().unwrap();
    let expected = "\
s:1:27: `near` is not before `far`
s:1:53: `near`: expected a number, found the text \"\"";
    assert_eq!(error.to_string(), expected);
    let text = "Spans(version: 1, spans: [(near: 1, far: 2)])";
    assert_eq!(read_str::<Spans>(text, "s", &SPANS).unwrap().spans.len(), 1);
}

#[test]
fn known_names_hold_if_none_are_known() {
    let text = "Kitchen(version: 3, name: \"k\", size_m: (1, 2, 3), \
                cooks: [(name: \"A\", age: 20, likes: [\"anything\"])])";
    assert!(read_str::<Kitchen>(text, "k", &KITCHEN).is_ok());
}

#[test]
fn empty_texts_are_not_names() {
    let text = "Kitchen(version: 3, name: \" \", size_m: (1, 2, 3))";
    let error = read_str::<Kitchen>(text, "k", &KITCHEN).unwrap_err();
    let expected = "k:1:27: `name`: expected a text that is not empty, found the text \" \"";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn types_say_what_they_expect() {
    let mut faults = catalog::Faults::default();
    assert_eq!(
        u64::from_node(
            &catalog::parse("18446744073709551615").unwrap(),
            &mut faults
        ),
        Some(u64::MAX)
    );
    assert_eq!(
        i8::from_node(&catalog::parse("-128").unwrap(), &mut faults),
        Some(i8::MIN)
    );
    assert_eq!(
        f64::from_node(&catalog::parse("3").unwrap(), &mut faults),
        Some(3.0)
    );
    assert_eq!(
        Vec::<f64>::from_node(&catalog::parse("[]").unwrap(), &mut faults),
        Some(vec![])
    );
    assert_eq!(
        <[u8; 2]>::from_node(&catalog::parse("[1, 2]").unwrap(), &mut faults),
        Some([1, 2])
    );
    assert!(faults.is_empty());
}
