//! Files of older versions, and of versions and kinds that cannot be read.

use catalog::{Faults, Finding, Format, Kind, Node, read_str};

/// 1 → 2: `spacing` is called by its unit.
fn name_the_unit(root: &mut Node, _: &mut Faults) {
    for probe in root
        .field_mut("probes")
        .map(Node::items_mut)
        .unwrap_or_default()
    {
        probe.rename_field("spacing", "pitch_mm");
    }
}

/// 2 → 3: millimetres became micrometres, and every shelf says where it stands.
fn micrometres(root: &mut Node, faults: &mut Faults) {
    root.set_field("place", Node::text("unknown"));
    for probe in root
        .field_mut("probes")
        .map(Node::items_mut)
        .unwrap_or_default()
    {
        let Some(pitch) = probe.remove_field("pitch_mm") else {
            continue;
        };
        match pitch.kind {
            Kind::Float(mm) => {
                probe.set_field("pitch_um", Node::new(Kind::Float(mm * 1000.0), pitch.span));
            }
            _ => faults.push(Finding::new(pitch.span, "this is no pitch")),
        }
    }
}

const SHELF: Format = Format::new("Shelf", 3).with_migrations(&[name_the_unit, micrometres]);
const YOUNG: Format = Format::new("Shelf", 3).with_migrations(&[micrometres]);

catalog::record! {
    #[derive(Debug, PartialEq)]
    struct Shelf {
        place: String,
        probes: Vec<Probe>,
    }
}

catalog::record! {
    #[derive(Debug, PartialEq)]
    struct Probe {
        pitch_um: f64 [1.0..=5000.0],
    }
}

fn read(text: &str) -> Result<Shelf, String> {
    read_str(text, "s.ron", &SHELF).map_err(|error| error.to_string())
}

#[test]
fn every_version_reads_as_the_newest() {
    let expected = Shelf {
        place: "unknown".to_owned(),
        probes: vec![Probe { pitch_um: 500.0 }],
    };
    let texts = [
        "Shelf(version: 1, probes: [(spacing: 0.5)])",
        "Shelf(version: 2, probes: [(pitch_mm: 0.5)])",
        "Shelf(version: 3, place: \"unknown\", probes: [(pitch_um: 500)])",
    ];
    for text in texts {
        assert_eq!(read(text).as_ref(), Ok(&expected), "{text}");
    }
}

#[test]
fn faults_of_older_files_keep_their_places() {
    let text = "Shelf(version: 1,\n probes: [\n  (spacing: 50.0),\n  (spacing: true),\n (),\n])";
    let expected = "\
s.ron:3:13: `pitch_um`: expected a number from 1 to 5000, found the number 50000
s.ron:4:3: `Probe` has no field `pitch_um`
s.ron:4:13: this is no pitch
s.ron:5:2: `Probe` has no field `pitch_um`";
    assert_eq!(read(text).unwrap_err(), expected);
}

#[test]
fn other_versions_and_kinds_are_refused() {
    let table = [
        (
            "Shelf(version: 4, probes: 1)",
            "s.ron:1:16: version 4 of `Shelf` is newer than this program reads; \
             expected a version from 1 to 3",
        ),
        (
            "Shelf(version: 0)",
            "s.ron:1:16: version 0 of `Shelf` is older than this program reads; \
             expected a version from 1 to 3",
        ),
        (
            "\n Tissues(version: 1)",
            "s.ron:2:2: this is a `Tissues` file; expected `Shelf(version: 3, …)`",
        ),
        (
            "Shelv(version: 1)",
            "s.ron:1:1: this is a `Shelv` file; expected `Shelf(version: 3, …)`; \
             did you mean `Shelf`?",
        ),
        (
            "(version: 1)",
            "s.ron:1:1: the file begins with a record `(field: …)`; expected `Shelf(version: 3, …)`",
        ),
        (
            "[1, 2]",
            "s.ron:1:1: the file begins with a list of 2; expected `Shelf(version: 3, …)`",
        ),
        (
            "Shelf",
            "s.ron:1:1: `Shelf` has no fields; expected `Shelf(version: 3, …)`",
        ),
        ("", "s.ron:1:1: the file is empty; expected a value"),
    ];
    for (text, expected) in table {
        assert_eq!(read(text).unwrap_err(), expected, "{text}");
    }
    let error = read_str::<Shelf>("Shelf(version: 1)", "s.ron", &YOUNG).unwrap_err();
    let expected = "s.ron:1:16: version 1 of `Shelf` is older than this program reads; \
                    expected a version from 2 to 3";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_faulty_version_does_not_hide_other_faults() {
    let expected = "\
s.ron:1:1: the file does not say its version after `Shelf(`; expected `version: 3`
s.ron:1:14: `place`: expected a text in double quotes, found the number 1";
    assert_eq!(read("Shelf(place: 1, probes: [])").unwrap_err(), expected);

    let expected = "\
s.ron:1:16: expected a whole number, found the text \"3\"
s.ron:1:30: the version is given twice (first at 1:16)";
    let text = "Shelf(version: \"3\", version: 3, place: \"p\", probes: [])";
    assert_eq!(read(text).unwrap_err(), expected);
}
