//! A folder of files: `good` ones read, are the same to the `ron` crate, and write as the same;
//! `bad` ones are refused with exactly the words of the `.txt` beside them.

use std::fs;
use std::path::{Path, PathBuf};

use catalog::{Document, parse, read_file, read_str, to_ron};

use crate::kitchen::{KITCHEN, Kitchen};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(folder);
    let entries = fs::read_dir(folder)
        .expect("the corpus is beside the tests")
        .map(|entry| entry.expect("the corpus can be listed").path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.extension() == Some("ron".as_ref()))
        .collect();
    files.sort();
    assert!(files.len() >= 3);
    files
}

#[test]
fn good_files_read_and_write_as_the_same() {
    for path in files("good") {
        let read: Kitchen = read_file(&path, &KITCHEN).unwrap_or_else(|error| panic!("{error}"));
        let written = to_ron(&read, &KITCHEN).unwrap();
        assert_eq!(
            read_str::<Kitchen>(&written, "written", &KITCHEN).unwrap(),
            read
        );
    }
}

#[test]
fn good_files_are_good_to_ron() {
    for path in files("good") {
        let text = fs::read_to_string(&path).unwrap();
        let value = ron::from_str::<ron::Value>(&text);
        assert!(value.is_ok(), "{}: {value:?}", path.display());
        assert!(parse(&text).is_ok());
    }
}

#[test]
fn bad_files_are_refused_with_the_words_beside_them() {
    for path in files("bad") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let expected = fs::read_to_string(path.with_extension("txt")).unwrap();
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        let error = Document::parse(text, name.clone(), &KITCHEN)
            .and_then(|document| {
                let document = document.knowing("dish", "menu.ron", ["soup", "salad", "stew"]);
                document
                    .knowing_own("cook", &["cooks", "name"])
                    .resolve::<Kitchen>()
            })
            .expect_err(&name);
        assert_eq!(error.to_string(), expected.trim_end(), "{name}");
    }
}
