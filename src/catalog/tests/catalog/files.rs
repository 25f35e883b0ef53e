//! Files that are not there, not readable, not text; and files written.

use std::fs;

use catalog::{CatalogError, Format, read_file, write_file};
use tempfile::tempdir;

use crate::kitchen::{Heat, Kitchen};

const HEAT: Format = Format::new("Heat", 1).with_max_bytes(1000);

fn text_of(error: &CatalogError, folder: &std::path::Path) -> String {
    error
        .to_string()
        .replace(&format!("{}/", folder.display()), "")
}

#[test]
fn files_are_written_whole_and_read_again() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("heat.ron");
    for watts in [1, 1500] {
        write_file(&path, &Heat { watts }, &HEAT).unwrap();
        assert_eq!(read_file::<Heat>(&path, &HEAT).unwrap(), Heat { watts });
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "Heat(\n    version: 1,\n    watts: 1500,\n)\n"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let error = write_file(folder.path().join("no/heat.ron"), &Heat { watts: 1 }, &HEAT);
    assert!(error.unwrap_err().to_string().contains("no/heat.ron"));
}

#[test]
fn a_missing_file_is_met_with_its_nearest_neighbour() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("tissues.ron"), "").unwrap();
    let missing = |name: &str| {
        let error = read_file::<Heat>(folder.path().join(name), &HEAT).unwrap_err();
        text_of(&error, folder.path())
    };
    assert_eq!(
        missing("tisues.ron"),
        "tisues.ron: there is no such file; did you mean `tissues.ron`?"
    );
    assert_eq!(
        missing("other"),
        "other: there is no such file; check the path"
    );
    let no_folder = "no/file.ron: there is no such file; check the path: there is no folder ";
    assert!(missing("no/file.ron").starts_with(no_folder));
}

#[test]
fn what_is_no_text_file_is_refused() {
    let folder = tempdir().unwrap();
    let error = read_file::<Heat>(folder.path(), &HEAT).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("this is a folder; give the file in it that is meant")
    );

    let path = folder.path().join("latin.ron");
    fs::write(&path, b"Heat(version: 1,\n // W\xE4rme\n watts: 5)").unwrap();
    let error = read_file::<Heat>(&path, &HEAT).unwrap_err();
    let expected = "latin.ron:2:6: this is no UTF-8 text; expected a RON file, saved as UTF-8";
    assert_eq!(text_of(&error, folder.path()), expected);

    fs::write(&path, vec![b' '; 1001]).unwrap();
    let error = read_file::<Heat>(&path, &HEAT).unwrap_err();
    assert!(matches!(error, CatalogError::TooLarge { limit: 1000, .. }));

    fs::write(&path, "\u{FEFF}Heat(version: 1, watts: 5)").unwrap();
    assert_eq!(read_file::<Heat>(&path, &HEAT).unwrap(), Heat { watts: 5 });
    fs::write(&path, "\u{FEFF}Heat(version: 1, watts: -5)").unwrap();
    let error = read_file::<Heat>(&path, &HEAT).unwrap_err();
    assert_eq!((error.faults()[0].line, error.faults()[0].column), (1, 25));
}

#[test]
fn errors_are_data_for_programs() {
    let text = "Kitchen(version: 3, name: \"k\", siz_m: 1)";
    let error = catalog::read_str::<Kitchen>(text, "k.ron", &crate::kitchen::KITCHEN).unwrap_err();
    let json = serde_json::to_value(&error).unwrap();
    assert_eq!(json["kind"], "faults");
    let fault = &json["faults"][0];
    assert_eq!(fault["file"], "k.ron");
    assert_eq!(
        (fault["line"].as_u64(), fault["column"].as_u64()),
        (Some(1), Some(32))
    );
    assert_eq!(fault["message"], "unknown field `siz_m`");
    assert_eq!(fault["suggestion"], "size_m");
}
