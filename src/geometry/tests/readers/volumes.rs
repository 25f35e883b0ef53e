//! Volume files: values and places of hand-made files, and what refused ones say.

use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use geometry::volume_file::{
    ReadLimits, VolumeFileError, read_labels, read_labels_from_bytes, read_scalars,
};
use geometry::{Point, Volume};
use std::io::Write;

use crate::allocation::peak_bytes;
use crate::{assert_is_for_a_person, corpus, corpus_file, file_name};

const LIMITS: ReadLimits = ReadLimits {
    max_voxels: 1 << 30,
};

fn assert_near<T>(volume: &Volume<T>, ijk: [f64; 3], lps: [f64; 3], file: &Path) {
    let [i, j, k] = ijk;
    let [x, y, z] = lps;
    let place = volume.patient_from_voxel * Point::new(i, j, k);
    let off = place.distance(&Point::new(x, y, z));
    assert!(
        off < 1e-5,
        "{}: {place:?} instead of {lps:?}",
        file.display()
    );
}

/// i + 10 j + 100 k.
fn pattern() -> Vec<u16> {
    let grid =
        (0..2).flat_map(|k| (0..3).flat_map(move |j| (0..4).map(move |i| i + 10 * j + 100 * k)));
    grid.collect()
}

fn ok_files(folder: &str) -> Vec<std::path::PathBuf> {
    let mut files = corpus(folder);
    files.retain(|f| {
        let name = file_name(f);
        name.starts_with("ok-") && !name.ends_with("raw") && !name.contains("slope")
    });
    files
}

#[test]
fn labels_and_scalars_hold_the_written_numbers() {
    let folders = ["nifti", "nrrd", "metaimage"];
    let files: Vec<_> = folders.iter().flat_map(|f| ok_files(f)).collect();
    assert!(files.len() > 30);
    for file in files {
        let labels = read_labels(&file, &LIMITS).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(labels.dims, [4, 3, 2], "{}", file.display());
        assert_eq!(labels.voxels, pattern(), "{}", file.display());
        assert_eq!(labels.at([3, 2, 1]), 123);
        let scalars = read_scalars(&file, &LIMITS).unwrap();
        let floats: Vec<f32> = pattern().into_iter().map(f32::from).collect();
        assert_eq!(scalars.voxels, floats, "{}", file.display());
        assert_eq!(scalars.patient_from_voxel, labels.patient_from_voxel);
    }
}

/// The affine written with nibabel is [[1.5, .2, 0, −10], [−.1, 2, .3, 20], [0, −.25, 2.5, 30]] in
/// RAS+; voxel (3, 2, 1) lies at RAS (−5.1, 24, 32).
#[test]
fn nifti_lies_where_nibabel_put_it() {
    for file in ok_files("nifti") {
        let volume = read_labels(&file, &LIMITS).unwrap();
        // From nibabel's `affine @ (3, 2, 1, 1)`, first two signs turned.
        let (first, last) = match file_name(&file).as_str() {
            "ok-qform-u16.nii" => (
                [-5.0, 6.0, 7.0],
                [-5.211_864_295, 0.894_052_480, 4.192_080_228],
            ),
            "ok-metres-u8.nii" => ([0.0; 3], [-3.0, -4.0, 3.0]),
            // Without any form: the standard's method 1, spacing along RAS+ from the first voxel.
            "ok-pixdim-only-u8.nii" => ([0.0; 3], [-4.5, -4.0, 2.5]),
            _ => ([10.0, -20.0, 30.0], [5.1, -24.0, 32.0]),
        };
        assert_near(&volume, [0.0; 3], first, &file);
        assert_near(&volume, [3.0, 2.0, 1.0], last, &file);
    }
}

#[test]
fn nrrd_and_metaimage_lie_where_written() {
    for file in ok_files("nrrd").into_iter().chain(ok_files("metaimage")) {
        let volume = read_labels(&file, &LIMITS).unwrap();
        let origin = match file_name(&file).as_str() {
            "ok-spacings-u8.nrrd" => [0.0; 3],
            _ => [10.0, 20.0, 30.0],
        };
        let last = std::array::from_fn(|a| origin[a] + [4.5, 4.0, 2.5][a]);
        assert_near(&volume, [0.0; 3], origin, &file);
        assert_near(&volume, [3.0, 2.0, 1.0], last, &file);
        assert_eq!(
            volume.spacing_mm().map(|s| (s * 1e9).round() / 1e9),
            [1.5, 2.0, 2.5]
        );
    }
}

/// `TransformMatrix = 0 1 0  0 0 1  1 0 0`: i runs posterior, j superior, k left (ITK: the matrix
/// lists the direction of each voxel axis in turn).
#[test]
fn metaimage_matrix_lists_directions() {
    let file = corpus_file("metaimage/turned-u8.mha");
    let volume = read_labels(&file, &LIMITS).unwrap();
    assert_near(&volume, [1.0, 0.0, 0.0], [10.0, 21.5, 30.0], &file);
    assert_near(&volume, [0.0, 1.0, 0.0], [10.0, 20.0, 32.0], &file);
    assert_near(&volume, [0.0, 0.0, 1.0], [12.5, 20.0, 30.0], &file);
}

#[test]
fn slope_and_intercept_make_hounsfield() {
    let file = corpus_file("nifti/ok-slope-i16.nii");
    let ct = read_scalars(&file, &LIMITS).unwrap();
    let wanted: Vec<f32> = pattern()
        .into_iter()
        .map(|v| 2.0 * f32::from(v) - 1024.0)
        .collect();
    assert_eq!(ct.voxels, wanted);
    let error = read_labels(&file, &LIMITS).unwrap_err().to_string();
    assert!(error.contains("voxel (0, 0, 0) holds -1024"), "{error}");
}

#[test]
fn the_image_half_of_a_pair_means_its_header() {
    let by_image = read_labels(&corpus_file("nifti/ok-pair-i16.img"), &LIMITS).unwrap();
    let by_header = read_labels(&corpus_file("nifti/ok-pair-i16.hdr"), &LIMITS).unwrap();
    assert_eq!(by_image, by_header);
}

#[test]
fn bad_files_are_refused_for_a_person() {
    for folder in ["nifti", "nrrd", "metaimage"] {
        for file in corpus(folder) {
            if file_name(&file).starts_with("bad-") {
                for error in [
                    read_labels(&file, &LIMITS).expect_err(&file_name(&file)),
                    read_scalars(&file, &LIMITS).expect_err(&file_name(&file)),
                ] {
                    assert_is_for_a_person(&file, &error);
                }
            }
        }
    }
}

#[test]
fn messages_name_the_place_and_what_is_there() {
    let cases = [
        ("nifti/bad-nan-srow.nii", "`srow_x[3]` is NaN"),
        (
            "nifti/bad-singular-srow.nii",
            "`srow_x, srow_y, srow_z` describes a grid without volume",
        ),
        ("nifti/bad-dim0-zero.nii", "`dim[0]` is 0"),
        ("nifti/bad-dim2-negative.nii", "`dim[2]` is -3"),
        ("nifti/bad-rgb.nii", "`datatype` is 128, colours (RGB)"),
        (
            "nifti/bad-time-series.nii",
            "more than three dimensions ([4, 3, 2, 5])",
        ),
        ("nifti/bad-vox-offset.nii", "`vox_offset` is inf"),
        ("nifti/bad-analyze-magic.nii", "ANALYZE"),
        (
            "nifti/bad-unit.nii",
            "`xyzt_units` holds the unknown unit of length 5",
        ),
        ("nifti/bad-truncated-header.nii", "ends after 200"),
        (
            "nifti/bad-truncated-voxels.nii",
            "promises 24 bytes of voxels, but only 19 are there",
        ),
        (
            "nifti/bad-claims-2-gib.nii",
            "promises 2147483648 bytes of voxels, but only 24 are there",
        ),
        (
            "nifti/bad-claims-2-gib.nii.gz",
            "the file's 213 bytes can hold at most 219816",
        ),
        ("nifti/bad-nan-voxel-f32.nii", "voxel (1, 1, 0) holds NaN"),
        ("nrrd/bad-bzip2.nrrd", "`encoding` is “bzip2”"),
        (
            "nrrd/bad-rgb.nrrd",
            "an axis of 3 values that is not in space",
        ),
        ("nrrd/bad-no-spacing.nrrd", "`space directions` is missing"),
        ("nrrd/bad-no-endian.nrrd", "`endian` is missing"),
        ("nrrd/bad-space.nrrd", "`space` is “scanner-xyz”"),
        ("nrrd/bad-nan-origin.nrrd", "`space origin[1]` is NaN"),
        (
            "nrrd/bad-singular.nrrd",
            "`space directions` describes a grid without volume",
        ),
        (
            "nrrd/bad-truncated.nrrd",
            "promises 48 bytes of voxels, but only 45 are there",
        ),
        ("nrrd/bad-claims-2-gib.nrrd", "but only 48 are there"),
        (
            "nrrd/bad-sizes-overflow.nrrd",
            "more than the limit of 1073741824 voxels",
        ),
        ("nrrd/bad-line.nrrd", "“type  short”"),
        (
            "nrrd/bad-detached-missing.nhdr",
            "nowhere.raw: cannot be read",
        ),
        ("nrrd/bad-slices.nhdr", "a list of slice files"),
        (
            "metaimage/bad-channels.mha",
            "`ElementNumberOfChannels` is 3",
        ),
        (
            "metaimage/bad-no-spacing.mha",
            "`ElementSpacing` is missing",
        ),
        ("metaimage/bad-zero-spacing.mha", "`ElementSpacing[1]` is 0"),
        (
            "metaimage/bad-nan-matrix.mha",
            "`TransformMatrix[4]` is NaN",
        ),
        ("metaimage/bad-truncated.mha", "but only 47 are there"),
        (
            "metaimage/bad-no-data-file.mha",
            "`ElementDataFile` is missing",
        ),
        ("metaimage/bad-mesh.mha", "`ObjectType` is “Mesh”"),
    ];
    for (name, needle) in cases {
        let text = read_scalars(&corpus_file(name), &LIMITS)
            .unwrap_err()
            .to_string();
        assert!(text.contains(needle), "{text}\ndoes not say “{needle}”");
    }
}

#[test]
fn values_that_are_no_labels_are_refused_with_their_voxel() {
    let cases = [
        (
            "nifti/labels-bad-fraction-f32.nii",
            "voxel (1, 1, 0) holds 2.5",
        ),
        (
            "nifti/labels-bad-negative-i16.nii",
            "voxel (1, 0, 1) holds -7",
        ),
        ("nrrd/labels-bad-negative.nrrd", "voxel (0, 0, 0) holds -1"),
    ];
    for (name, needle) in cases {
        let file = corpus_file(name);
        let error = read_labels(&file, &LIMITS).unwrap_err();
        assert_is_for_a_person(&file, &error);
        assert!(error.to_string().contains(needle), "{error}");
        read_scalars(&file, &LIMITS).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn a_limit_is_kept() {
    let limits = ReadLimits { max_voxels: 23 };
    let error = read_labels(&corpus_file("nifti/ok-sform-u8.nii"), &limits).unwrap_err();
    assert!(
        matches!(
            error,
            VolumeFileError::TooLarge {
                dims: [4, 3, 2],
                limit: 23,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn missing_files_folders_and_strangers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = read_labels(&folder.path().join("no.nii.gz"), &LIMITS).unwrap_err();
    assert!(
        missing.to_string().contains("no.nii.gz: cannot be read"),
        "{missing}"
    );
    let is_folder = read_labels(folder.path(), &LIMITS).unwrap_err();
    assert!(is_folder.to_string().contains("not a file"), "{is_folder}");
    let dicom = [&[0; 128][..], b"DICM"].concat();
    let cases: [(&str, &[u8], &str); 4] = [
        ("slice.dcm", &dicom, "dcm2niix"),
        ("empty.nii", b"", "empty"),
        (
            "wrong.nii",
            b"<html></html>",
            "starts with the bytes [3c, 68, 74, 6d]",
        ),
        ("text.txt", b"hello", "neither NIfTI nor NRRD nor MetaImage"),
    ];
    for (name, bytes, needle) in cases {
        let error = read_labels_from_bytes(Path::new(name), bytes, &LIMITS).unwrap_err();
        assert!(error.to_string().contains(needle), "{error}");
    }
}

/// A NIfTI of unsigned bytes with these dims and no voxels yet: a corpus file's header.
fn header_of(dims: [u16; 3]) -> Vec<u8> {
    let mut bytes = std::fs::read(corpus_file("nifti/ok-sform-u8.nii")).unwrap();
    bytes.truncate(352);
    for (axis, size) in dims.into_iter().enumerate() {
        bytes[42 + 2 * axis..44 + 2 * axis].copy_from_slice(&size.to_le_bytes());
    }
    bytes
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Numbers that gzip cannot shorten (a multiplicative congruential sequence's high bytes).
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1u64;
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .collect()
}

#[test]
fn a_two_gigabyte_claim_in_a_small_file_takes_little_memory() {
    for name in [
        "nifti/bad-claims-2-gib.nii.gz",
        "nifti/bad-claims-2-gib.nii",
        "nrrd/bad-claims-2-gib.nrrd",
        "nrrd/bad-claims-2-gib-ascii.nrrd",
        "nrrd/bad-sizes-overflow.nrrd",
    ] {
        let (result, peak) = peak_bytes(|| read_labels(&corpus_file(name), &LIMITS));
        assert!(result.is_err(), "{name}");
        assert!(peak < 1 << 20, "{name} took {peak} bytes");
    }
}

/// Large enough that the claim is not impossible from the length alone: memory follows what arrives.
#[test]
fn a_cut_off_gzip_says_how_much_there_was() {
    const THERE: usize = 3_000_000;
    let mut bytes = header_of([1024, 1024, 1024]);
    bytes.extend(noise(THERE));
    let file = gzipped(&bytes);
    let (result, peak) =
        peak_bytes(|| read_labels_from_bytes(Path::new("cut.nii.gz"), &file, &LIMITS));
    match result.unwrap_err() {
        VolumeFileError::Truncated {
            expected_bytes,
            found_bytes,
            ..
        } => {
            assert_eq!(expected_bytes, 1 << 30);
            assert_eq!(found_bytes, THERE as u64);
        }
        other => panic!("{other}"),
    }
    assert!(
        peak < 2 * 2 * 2 * THERE,
        "took {peak} bytes for {THERE} voxels"
    );
    // Cut in the middle of the compressed stream.
    let cut = &file[..file.len() / 2];
    let error = read_labels_from_bytes(Path::new("cut.nii.gz"), cut, &LIMITS).unwrap_err();
    assert!(
        matches!(
            error,
            VolumeFileError::Damaged { .. } | VolumeFileError::Truncated { .. }
        ),
        "{error}"
    );
    let mut dims = header_of([300, 100, 100]);
    dims.extend(noise(THERE));
    let whole = gzipped(&dims);
    let error = read_labels_from_bytes(Path::new("cut.nii.gz"), &whole[..whole.len() / 2], &LIMITS)
        .unwrap_err();
    match error {
        VolumeFileError::Truncated {
            expected_bytes: 3_000_000,
            found_bytes,
            ..
        } => {
            assert!(
                (1_000_000..2_000_000).contains(&found_bytes),
                "{found_bytes}"
            );
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_good_volume_takes_its_own_size() {
    let mut bytes = header_of([300, 100, 100]);
    bytes.extend(noise(3_000_000));
    let file = gzipped(&bytes);
    let (volume, peak) =
        peak_bytes(|| read_labels_from_bytes(Path::new("good.nii.gz"), &file, &LIMITS).unwrap());
    assert_eq!(volume.voxels.len(), 3_000_000);
    assert_eq!(volume.voxels.capacity(), 3_000_000);
    // The last doubling may hold the old and the new buffer at once; no second copy beyond that.
    assert!(peak < 6_000_000 + 6_000_000 / 2 + (1 << 20), "{peak}");
}

#[test]
fn damage_inside_gzip_is_found_by_its_checksum() {
    let error = read_labels(&corpus_file("nifti/bad-checksum.nii.gz"), &LIMITS).unwrap_err();
    assert!(
        error.to_string().contains("damaged after 24 of 24 bytes"),
        "{error}"
    );
}

#[test]
fn several_gzip_members_are_one_file() {
    let bytes = std::fs::read(corpus_file("nifti/ok-sform-u8.nii")).unwrap();
    let members = [gzipped(&bytes[..100]), gzipped(&bytes[100..])].concat();
    let volume = read_labels_from_bytes(Path::new("two.nii.gz"), &members, &LIMITS).unwrap();
    assert_eq!(volume.voxels, pattern());
}

#[test]
fn from_memory_other_files_are_not_opened() {
    for name in [
        "nrrd/ok-detached-i16.nhdr",
        "metaimage/ok-raw-f64.mhd",
        "nifti/ok-pair-i16.hdr",
    ] {
        let bytes = std::fs::read(corpus_file(name)).unwrap();
        let error = read_labels_from_bytes(&corpus_file(name), &bytes, &LIMITS).unwrap_err();
        assert!(error.to_string().contains("another file"), "{error}");
    }
}
