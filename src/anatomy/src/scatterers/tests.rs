//! Against files that NumPy wrote (`corpus/scatterers`) and lists made by hand.

use std::fs;

use proptest::prelude::*;

use super::*;

fn corpus() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/scatterers")).to_owned()
}

/// The files of the corpus whose names begin so.
fn files(prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(corpus()).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with(prefix)
    });
    paths.sort();
    paths
}

fn five_points() -> Scatterers {
    Scatterers {
        places_mm: vec![
            [0.0, 0.0, 10.0],
            [1.5, -2.25, 20.0],
            [-3.0, 0.125, 30.5],
            [4.0, 5.0, 6.0],
            [7.0, 8.0, 9.0],
        ],
        amplitudes: vec![1.0, -0.5, 2.0, 0.25, 1.0],
    }
}

fn read(path: &Path) -> Result<Scatterers, ScattererError> {
    read_scatterers(path, MeshUnits::Millimetres, &ScattererLimits::default())
}

fn refusal(name: &str) -> String {
    match read(&corpus().join(name)) {
        Ok(read) => panic!("{name} reads as {} points", read.len()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn all_types_orders_and_layouts_of_numpy_read_alike() {
    let sound = files("ok-");
    assert_eq!(sound.len(), 13);
    for path in sound {
        let read = read(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read, five_points(), "{}", path.display());
    }
}

#[test]
fn metres_become_millimetres() {
    let path = corpus().join("metres.npz");
    let read = read_scatterers(&path, MeshUnits::Metres, &ScattererLimits::default()).unwrap();
    assert_eq!(read.amplitudes, five_points().amplitudes);
    for (got, expected) in read.places_mm.iter().zip(five_points().places_mm) {
        for axis in 0..3 {
            assert!((got[axis] - expected[axis]).abs() < 1e-5, "{got:?}");
        }
    }
}

#[test]
fn every_bad_file_is_refused_with_its_name() {
    let bad = files("bad-");
    assert!(bad.len() > 20);
    for path in bad {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let error = refusal(&name);
        assert!(error.contains(&name), "{error}");
    }
}

#[test]
fn refusals_say_what_is_wrong_and_what_to_do() {
    let expected: [(&str, &[&str]); 22] = [
        ("bad-integers.npy", &["<i4", "float32 or float64", "astype"]),
        ("bad-half.npy", &["<f2", "astype"]),
        ("bad-structured.npy", &["[('x', '<f4')"]),
        ("bad-object.npy", &["|O"]),
        ("bad-transposed.npy", &["(4, 5)", "(N, 4)", "array.T"]),
        ("bad-three-columns.npy", &["(5, 3)", "x, y, z, amplitude"]),
        ("bad-flat.npy", &["(20,)"]),
        ("bad-nan.npy", &["row 3", "z = NaN"]),
        ("bad-inf-fortran.npy", &["row 2", "amplitude = -inf"]),
        ("bad-overflow.npy", &["row 1", "x = 1000", "32-bit"]),
        ("bad-nan.npz", &["array `z`", "row 4", "NaN"]),
        ("bad-truncated.npy", &["160 bytes", "at most 157"]),
        ("bad-truncated-head.npy", &["ends within its head"]),
        ("bad-trailing.npy", &["more bytes follow"]),
        ("bad-claims-4e18.npy", &["limit of 2147483648"]),
        ("bad-claims-60-million.npz", &["promises 1920000000 bytes"]),
        ("bad-claims-a-million.npz", &["promises 32000000 bytes"]),
        ("bad-head-word.npy", &["Falsy", "`True` or `False`"]),
        ("bad-text.npy", &["neither", "x,y,z", "numpy.save"]),
        (
            "bad-no-amplitude.npz",
            &["no array `amplitude`", "`x`, `y`, `z`"],
        ),
        ("bad-lengths.npz", &["array `y`", "(4,)", "`x`", "5"]),
        ("bad-two-names.npz", &["`amp` and `rc`"]),
    ];
    for (name, words) in expected {
        let error = refusal(name);
        for word in words {
            assert!(error.contains(word), "{word}: {error}");
        }
    }
}

#[test]
fn limits_hold_before_memory_is_taken() {
    let path = corpus().join("ok-columns.npz");
    let with = |max_points, max_bytes| {
        let limits = ScattererLimits {
            max_points,
            max_bytes,
        };
        read_scatterers(&path, MeshUnits::Millimetres, &limits)
    };
    assert!(with(5, 2000).is_ok());
    assert!(matches!(with(4, 2000), Err(ScattererError::TooMany { .. })));
    assert!(matches!(with(5, 500), Err(ScattererError::TooLarge { .. })));
}

#[test]
fn a_missing_file_and_a_folder_are_told() {
    let missing = refusal("no-such.npy");
    assert!(missing.contains("no-such.npy"), "{missing}");
    assert!(matches!(read(&corpus()), Err(ScattererError::Io { .. })));
}

#[test]
fn what_is_written_is_what_is_read() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("s.npy");
    write_npy(&five_points(), &path).unwrap();
    assert_eq!(read(&path).unwrap(), five_points());
    // Byte for byte what NumPy writes.
    let bytes = fs::read(&path).unwrap();
    assert_eq!(
        bytes,
        fs::read(corpus().join("ok-little-f4-c.npy")).unwrap()
    );
    write_npy(&Scatterers::default(), &path).unwrap();
    assert!(read(&path).unwrap().is_empty());
}

fn gathered(entries: &[ScattererEntry]) -> Result<Scatterers, ScattererError> {
    let limits = ScattererLimits {
        max_points: 1000,
        ..ScattererLimits::default()
    };
    gather(entries, Some(&corpus()), Path::new("list.ron"), &limits)
}

#[test]
fn wires_and_grids_put_points_where_they_say() {
    let wire = |to: Place, spacing_mm| ScattererEntry::Wire {
        from: [1.0, 2.0, 3.0],
        to,
        spacing_mm,
        amplitude: 0.5,
    };
    let points = gathered(&[wire([1.0, 2.0, 4.0], 0.1)]).unwrap();
    assert_eq!(points.len(), 11, "both ends, though 0.1 is no exact number");
    assert_eq!(points.places_mm[0], [1.0, 2.0, 3.0]);
    assert_eq!(points.places_mm[10], [1.0, 2.0, 4.0]);
    assert!((points.places_mm[5][2] - 3.5).abs() < 1e-6);
    // 5 mm long (3, 4, 0): two steps of 2 mm, the rest stays free.
    let slanted = gathered(&[wire([4.0, 6.0, 3.0], 2.0)]).unwrap();
    assert_eq!(slanted.len(), 3);
    assert!(
        (slanted.places_mm[2][0] - 3.4).abs() < 1e-6
            && (slanted.places_mm[2][1] - 5.2).abs() < 1e-6
    );
    assert_eq!(gathered(&[wire([1.0, 2.0, 3.0], 1.0)]).unwrap().len(), 1);

    let grid = ScattererEntry::Grid {
        from: [0.0, 10.0, 0.0],
        step_mm: [1.0, -2.0, 0.0],
        count: [2, 3, 1],
        amplitude: 1.0,
    };
    let points = gathered(&[grid]).unwrap();
    assert_eq!(points.len(), 6);
    assert_eq!(points.places_mm[1], [1.0, 10.0, 0.0]);
    assert_eq!(points.places_mm[5], [1.0, 6.0, 0.0]);
}

#[test]
fn entries_follow_each_other_and_files_are_found_in_the_folder() {
    let file = |path: &str| ScattererEntry::File {
        path: path.to_owned(),
        unit: Unit::Metres,
    };
    let entries = [
        ScattererEntry::Points(vec![(9.0, 8.0, 7.0, -1.0)]),
        file("metres.npz"),
    ];
    let points = gathered(&entries).unwrap();
    assert_eq!(points.len(), 6);
    assert_eq!(points.amplitudes[..2], [-1.0, 1.0]);
    let nowhere = gather(
        &entries,
        None,
        Path::new("r.ron"),
        &ScattererLimits::default(),
    );
    let nowhere = nowhere.unwrap_err().to_string();
    assert!(nowhere.contains("metres.npz"), "{nowhere}");
}

#[test]
fn lists_that_are_too_long_or_too_large_are_refused() {
    let wire = ScattererEntry::Wire {
        from: [0.0; 3],
        to: [0.0, 0.0, 1e30],
        spacing_mm: 1e-300,
        amplitude: 1.0,
    };
    let grid = ScattererEntry::Grid {
        from: [0.0; 3],
        step_mm: [1.0; 3],
        count: [u32::MAX; 3],
        amplitude: 1.0,
    };
    for entry in [wire, grid] {
        let error = gathered(&[entry]).unwrap_err();
        assert!(matches!(error, ScattererError::TooMany { .. }), "{error}");
    }
    let far = gathered(&[ScattererEntry::Points(vec![(0.0, 1e39, 0.0, 1.0)])]);
    let far = far.unwrap_err().to_string();
    assert!(
        far.contains("list.ron") && far.contains("row 0 ") && far.contains("y = "),
        "{far}"
    );
}

/// Any bytes: an answer, whatever it is.
fn read_any(bytes: &[u8]) {
    let limits = ScattererLimits {
        max_points: 100_000,
        max_bytes: 1 << 20,
    };
    let read = read_scatterers_bytes(Path::new("any"), bytes, MeshUnits::Millimetres, &limits);
    if let Ok(read) = read {
        assert_eq!(read.places_mm.len(), read.amplitudes.len());
        let finite = |(place, amplitude): ([f32; 3], f32)| {
            amplitude.is_finite() && place.iter().all(|c| c.is_finite())
        };
        assert!(read.iter().all(finite));
    }
}

#[test]
fn every_truncation_is_refused() {
    for path in files("ok-") {
        let bytes = fs::read(&path).unwrap();
        for length in 0..bytes.len() {
            let read = read_scatterers_bytes(
                &path,
                &bytes[..length],
                MeshUnits::Millimetres,
                &ScattererLimits::default(),
            );
            assert!(read.is_err(), "{} cut to {length} bytes", path.display());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read_any(&bytes);
        read_any(&[b"\x93NUMPY\x01\x00".as_slice(), &bytes].concat());
        read_any(&[b"PK\x03\x04".as_slice(), &bytes].concat());
    }

    #[test]
    fn random_heads_do_not_panic(text in "[{}()\\[\\]',:0-9a-zA-Z_<> é]{0,80}") {
        let length = (text.len() as u16).to_le_bytes();
        read_any(&[b"\x93NUMPY\x01\x00".as_slice(), &length, text.as_bytes(), &[0; 64]].concat());
        let descr = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {text}}}");
        let length = (descr.len() as u16).to_le_bytes();
        read_any(&[b"\x93NUMPY\x01\x00".as_slice(), &length, descr.as_bytes(), &[0; 64]].concat());
    }

    #[test]
    fn spoilt_files_do_not_panic(
        which in any::<prop::sample::Index>(),
        spoils in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let paths = files("");
        let path = which.get(&paths);
        let mut bytes = fs::read(path).unwrap();
        if !bytes.is_empty() {
            for (at, byte) in &spoils {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            read_any(&bytes);
            bytes.truncate(cut.index(bytes.len()));
        }
        read_any(&bytes);
    }
}
