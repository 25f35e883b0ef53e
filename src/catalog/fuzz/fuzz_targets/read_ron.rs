//! Whatever is read neither panics nor changes when it is written and read again.
#![no_main]

use std::collections::BTreeMap;

use catalog::{Document, Format, Known, POSITIVE, Spanned};
use libfuzzer_sys::fuzz_target;

const KITCHEN: Format = Format::new("Kitchen", 3);

catalog::record! {
    #[derive(PartialEq)]
    struct Kitchen {
        name: Spanned<String> [Known("name")],
        jars: BTreeMap<String, f64> [POSITIVE] = BTreeMap::new(),
        size_m: [f32; 3],
        note: Option<Vec<u8>> [..200] = None,
        r#type: Oven = Oven::Cold,
    }
}

catalog::choice! {
    #[derive(PartialEq)]
    enum Oven {
        Cold,
        Named(String),
        Hot {
            celsius: f64 [30.0..300.0],
            fan: bool = false,
        },
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(node) = catalog::parse(text) {
        assert!(catalog::parse(&node.to_ron()).as_ref() == Ok(&node));
    }
    let kitchen = Document::parse(text, "fuzz", &KITCHEN).and_then(|document| {
        let document = document.knowing("name", "names.ron", ["plain", "windows"]);
        document.resolve::<Kitchen>()
    });
    match kitchen {
        Ok(kitchen) => {
            let written = catalog::to_ron(&kitchen, &KITCHEN).expect("what was read is finite");
            let again = catalog::read_str::<Kitchen>(&written, "fuzz", &KITCHEN);
            assert!(again.is_ok_and(|again| again == kitchen));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
