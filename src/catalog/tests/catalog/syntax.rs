//! What RON looks like, and the exact place and words where a text is none.

use catalog::{Kind, Node, parse, read_str};

use crate::kitchen::{KITCHEN, Kitchen};

fn kind(text: &str) -> Kind {
    parse(text)
        .unwrap_or_else(|error| panic!("{text}: {error:?}"))
        .kind
}

#[test]
fn numbers_of_every_shape() {
    let integers = [
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("1_000_000", 1_000_000),
        ("0xFf", 255),
        ("-0x10", -16),
        ("0o17", 15),
        ("0b1010_1010", 170),
        ("0xf32", 0xf32),
        ("200u8", 200),
        ("0x7Fi8", 127),
        ("b'a'", 97),
        (r"b'\xFF'", 255),
        (r"b'\n'", 10),
        ("170141183460469231731687303715884105727", i128::MAX),
        ("-170141183460469231731687303715884105728", i128::MIN),
    ];
    for (text, expected) in integers {
        assert_eq!(kind(text), Kind::Integer(expected), "{text}");
    }
    let floats = [
        ("1.0", 1.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("1e3", 1000.0),
        ("0e-3", 0.0),
        ("2.5E-3", 0.0025),
        ("1_000.25", 1000.25),
        ("1f32", 1.0),
        ("2.5f64", 2.5),
        ("-inf", f64::NEG_INFINITY),
        ("+inf", f64::INFINITY),
        ("inf", f64::INFINITY),
        ("-0.0", -0.0),
        ("340282366920938463463374607431768211456", 2_f64.powi(128)),
    ];
    for (text, expected) in floats {
        assert_eq!(kind(text), Kind::Float(expected), "{text}");
    }
    assert!(matches!(kind("NaN"), Kind::Float(x) if x.is_nan()));
}

#[test]
fn texts_of_every_shape() {
    let texts = [
        (r#""""#, ""),
        (r#""a\"b\\c\'\n\r\t\0""#, "a\"b\\c'\n\r\t\0"),
        (r#""\x41\u{1F600}\u{e4}""#, "A😀ä"),
        ("\"two\nlines\"", "two\nlines"),
        ("\"contin\\\n    ued\"", "continued"),
        ("\"contin\\\r\n  \n ued\"", "continued"),
        ("\"// no comment /* \"", "// no comment /* "),
        (r##"r"C:\n""##, "C:\\n"),
        (r###"r##"a"#b"##"###, "a\"#b"),
        ("\"肝脏\"", "肝脏"),
    ];
    for (text, expected) in texts {
        assert_eq!(kind(text), Kind::Text(expected.to_owned()), "{text}");
    }
    assert_eq!(
        kind(r#"b"a\xFF\u{e4}""#),
        Kind::Bytes(vec![97, 255, 0xC3, 0xA4])
    );
    assert_eq!(kind(r##"br#"\x"#"##), Kind::Bytes(br"\x".to_vec()));
    for (text, expected) in [("'x'", 'x'), (r"'\''", '\''), ("'肝'", '肝'), ("'\"'", '"')] {
        assert_eq!(kind(text), Kind::Char(expected), "{text}");
    }
}

#[test]
fn brackets_of_every_shape() {
    let int = |value: i128| Node::from(Kind::Integer(value));
    assert_eq!(kind("()"), Kind::Tuple(None, vec![]));
    assert_eq!(kind("(1,2,)"), Kind::Tuple(None, vec![int(1), int(2)]));
    assert_eq!(kind("A ( 1 )"), Kind::Tuple(Some("A".into()), vec![int(1)]));
    assert_eq!(kind("A"), Kind::Word("A".to_owned()));
    assert_eq!(kind("r#true"), Kind::Word("true".to_owned()));
    assert_eq!(kind("true"), Kind::Bool(true));
    assert_eq!(kind("[ ]"), Kind::List(vec![]));
    assert_eq!(
        kind("{1: 2, 1: 3}"),
        Kind::Map(vec![(int(1), int(2)), (int(1), int(3))])
    );
    let record = parse("P(/* x */ r#a-b /* y */ : 1, // z\n b: B(c: ()),)").unwrap();
    assert_eq!(record.name(), Some("P"));
    assert_eq!(record.field("a-b"), Some(&int(1)));
    assert_eq!(record.field("b").and_then(Node::name), Some("B"));
    assert_eq!(
        kind("(A, b)"),
        Kind::Tuple(None, vec![Node::word("A"), Node::word("b")])
    );
}

#[test]
fn attributes_and_blanks_are_stepped_over() {
    let text = "\u{FEFF}// first\n#![enable(implicit_some, unwrap_newtypes,)]\n# ! [ type = \"x\" ]\n\
                /* a /* nested */ comment */ 1 // last";
    assert_eq!(kind(text), Kind::Integer(1));
}

/// Text, line, column, message; exact.
#[test]
fn the_first_fault_has_its_place() {
    let table = [
        (
            "Kitchen(\n  name: \"k\"\n  size_m: (1, 2, 3))",
            "3:3: expected `,` or `)`, found `size_m` (the bracket opened at 1:8)",
        ),
        (
            "Kitchen(name = 1)",
            "1:14: expected `:` after the field name `name`, found `=`",
        ),
        ("Kitchen(name: )", "1:15: expected a value, found `)`"),
        (
            "Kitchen(name: 1,, )",
            "1:17: expected a field name, found `,`",
        ),
        (
            "Kitchen(name: 1, \"x\")",
            "1:18: expected a field name, found `\"`",
        ),
        (
            "Kitchen(1, x: 2)",
            "1:13: expected `,` or `)`, found `:` (the bracket opened at 1:8)",
        ),
        (
            "Kitchen(\n  jars: [1, 2,\n",
            "2:9: this `[` is not closed before the end of the file; expected `]`",
        ),
        (
            "Kitchen(\n  jars: [1, 2)",
            "2:14: expected `,` or `]`, found `)` (the bracket opened at 2:9)",
        ),
        (
            "Kitchen(name: \"肝脏\" x)",
            "1:20: expected `,` or `)`, found `x` (the bracket opened at 1:8)",
        ),
        (
            "Kitchen(name: \"open)",
            "1:15: this text is not closed; expected `\"` before the end of the file",
        ),
        (
            "Kitchen(name: r#\"open\")",
            "1:15: this text is not closed; expected `\"#` before the end of the file",
        ),
        (
            "Kitchen(name: \"a\\qb\")",
            "1:17: `\\q` is no escape; expected `\\\\`, `\\\"`, `\\'`, `\\n`, `\\r`, `\\t`, `\\0`, `\\x7F` or `\\u{1F600}`",
        ),
        (
            "Kitchen(name: 'text')",
            "1:15: single quotes hold exactly one character; expected `'x'`, or a text in double quotes",
        ),
        (
            "Kitchen(x: 12abc)",
            "1:12: `12abc` is not a number: it holds characters that are no digits",
        ),
        (
            "Kitchen(x: 1.2.3)",
            "1:12: `1.2.3` is not a number: it holds characters that are no digits",
        ),
        (
            "Kitchen(x: 1..3)",
            "1:12: `1..3` is not a number: ranges are not read; write two numbers",
        ),
        (
            "Kitchen(x: 0x)",
            "1:12: `0x` is not a number: a digit has to follow",
        ),
        (
            "Kitchen(x: 300u8)",
            "1:12: `300u8` is not a number: it does not fit its type suffix",
        ),
        ("Kitchen(x: 1,5)", "1:14: expected a field name, found `5`"),
        (
            "Kitchen(x: -)",
            "1:12: `-` is not a number: a digit has to follow",
        ),
        (
            "Kitchen(/* x",
            "1:9: this comment is not closed; expected `*/` before the end of the file",
        ),
        ("{1 2}", "1:4: expected `:` after the key, found `2`"),
        (
            "Kitchen() x",
            "1:11: expected the end of the file after the value, found `x`",
        ),
        (
            "#![enable(implicit_sume)] ()",
            "1:11: no RON extension is called `implicit_sume`; expected one of `implicit_some`, `unwrap_newtypes`, `unwrap_variant_newtypes`, `explicit_struct_names`; did you mean `implicit_some`?",
        ),
        (
            "#![allow(x)] ()",
            "1:4: expected `enable`, `type` or `schema`, found `allow`",
        ),
        ("// nothing\n", "2:1: the file is empty; expected a value"),
        (
            "\t\tä%",
            "1:4: expected the end of the file after the value, found `%`",
        ),
        ("\r\n\r\n %", "3:2: expected a value, found `%`"),
        (
            "[b'肝']",
            "1:3: single quotes after `b` hold exactly one ASCII character",
        ),
        ("(\u{0})", "1:2: expected a value, found `\\0`"),
    ];
    for (text, expected) in table {
        let error = read_str::<Kitchen>(text, "k", &KITCHEN).unwrap_err();
        assert!(
            matches!(error, catalog::CatalogError::Syntax { .. }),
            "{text}"
        );
        assert_eq!(error.to_string(), format!("k:{expected}"), "{text}");
    }
}
