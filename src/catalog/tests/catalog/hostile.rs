//! No input makes the reader panic, loop, or fill the stack or the memory.

use catalog::{CatalogError, Format, MAX_DEPTH, parse, read_str};
use proptest::prelude::*;

use crate::kitchen::{KITCHEN, Kitchen};

/// Things that RON is made of, so that random sequences get far into the reader.
fn token() -> impl Strategy<Value = String> {
    let fixed = vec![
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "'",
        "\\",
        "//",
        "/*",
        "*/",
        "\n",
        "\r\n",
        " ",
        "#![enable(implicit_some)]",
        "#!",
        "r\"",
        "r#\"",
        "\"#",
        "r#",
        "b\"",
        "br#\"",
        "b'",
        "\\x",
        "\\u{",
        "Some",
        "None",
        "true",
        "inf",
        "-inf",
        "NaN",
        "-",
        "+",
        ".",
        "..",
        "0x",
        "0b1",
        "1e",
        "1_0",
        "340282366920938463463374607431768211456",
        "1e999",
        "5u8",
        "Kitchen(",
        "version: 3,",
        "name:",
        "cooks:",
        "size_m:",
        "jars:",
        "type:",
        "Hot(",
        "肝",
        "\u{FEFF}",
        "\u{2028}",
        "\0",
        "🩻",
    ];
    prop_oneof![
        6 => prop::sample::select(fixed).prop_map(str::to_owned),
        1 => any::<f64>().prop_map(|x| format!("{x:?}")),
        1 => "[a-z_]{1,5}",
        1 => any::<char>().prop_map(String::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn soup_of_tokens_is_read_or_refused(tokens in prop::collection::vec(token(), 0..40)) {
        let text = tokens.concat();
        if let Ok(node) = parse(&text) {
            prop_assert_eq!(parse(&node.to_ron()), Ok(node), "{}", text);
        }
        let _ = read_str::<Kitchen>(&text, "soup", &KITCHEN).map_err(|error| error.to_string());
        let inside = format!("Kitchen(version: 3, {text})");
        let _ = read_str::<Kitchen>(&inside, "soup", &KITCHEN).map_err(|error| error.to_string());
    }

    #[test]
    fn bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_file_cut_anywhere_is_refused_with_a_place(at in 0_usize..1000) {
        let whole = "Kitchen(version: 3, /* ä */ name: \"k\\n\", size_m: (1.5, -2, 0x3), letter: 'x')";
        let cut = &whole[..whole.floor_char_boundary(at.min(whole.len() - 1))];
        let error = read_str::<Kitchen>(cut, "cut", &KITCHEN).unwrap_err();
        prop_assert_eq!(error.faults().len(), 1, "{}", error);
    }
}

#[test]
fn brackets_nest_to_the_limit_and_no_further() {
    let nested = |open: &str, close: &str, times: usize| {
        format!("{}{}", open.repeat(times), close.repeat(times))
    };
    for (open, close) in [("[", "]"), ("(", ")"), ("A(", ")"), ("Some(", ")")] {
        assert!(parse(&nested(open, close, MAX_DEPTH)).is_ok(), "{open}");
        let error = parse(&nested(open, close, MAX_DEPTH + 1)).unwrap_err();
        assert_eq!(error.message, "brackets nested more than 128 deep");
        assert!(parse(&nested(open, "", 3_000_000)).is_err());
    }
    assert!(parse(&"(a:".repeat(1_000_000)).is_err());
    assert!(parse(&"{".repeat(1_000_000)).is_err());
    assert!(parse(&"/*".repeat(1_000_000)).is_err());
    let comments = format!("{}{} 1", "/*".repeat(100_000), "*/".repeat(100_000));
    assert!(parse(&comments).is_ok());
}

#[test]
fn faults_are_counted_and_not_all_kept() {
    let fields = "unknown: 1,".repeat(5000);
    let text = format!("Kitchen(version: 3, name: \"k\", size_m: (1, 1, 1), {fields})");
    let error = read_str::<Kitchen>(&text, "many.ron", &KITCHEN).unwrap_err();
    let CatalogError::Faults { faults, omitted } = &error else {
        panic!("{error}");
    };
    assert_eq!((faults.len(), *omitted), (1000, 4000));
    assert!(error.to_string().ends_with("\n… and 4000 more"));
}

#[test]
fn long_texts_are_clipped_in_faults() {
    let name = "x".repeat(100_000);
    let text = format!("Kitchen(version: 3, name: \"k\", size_m: \"{name}\", {name}: 1)");
    let error = read_str::<Kitchen>(&text, "long.ron", &KITCHEN).unwrap_err();
    assert_eq!(error.faults().len(), 2);
    assert!(error.to_string().len() < 1000, "{error}");
}

#[test]
fn the_limit_of_a_format_holds() {
    const SMALL: Format = Format::new("Kitchen", 3).with_max_bytes(20);
    let error = read_str::<Kitchen>("Kitchen(version: 3    )", "big.ron", &SMALL).unwrap_err();
    let expected = "big.ron: the file is larger than the 20 bytes that a Kitchen file may have; \
                    is it the right file?";
    assert_eq!(error.to_string(), expected);
}
