//! Whatever the bytes, a reader answers: no panic, no hang, little memory.

use std::path::{Path, PathBuf};

use geometry::markups::read_markups_from_bytes;
use geometry::mesh_file::{read_mesh_parts_from_bytes, read_ply_from_bytes};
use geometry::volume_file::{ReadLimits, read_labels_from_bytes, read_scalars_from_bytes};
use proptest::prelude::*;

use crate::allocation::peak_bytes;
use crate::corpus;

/// Every file of these tests is far smaller; decoders have buffers of this order.
const MEMORY: usize = 2 << 20;

/// Reads bytes the way a corpus folder is read; whether it worked does not matter.
fn read(folder: &str, name: &Path, bytes: &[u8]) {
    let limits = ReadLimits::default();
    let ((), peak) = peak_bytes(|| match folder {
        "nifti" | "nrrd" | "metaimage" => {
            let labels = read_labels_from_bytes(name, bytes, &limits);
            let scalars = read_scalars_from_bytes(name, bytes, &limits);
            if let Ok(volume) = labels {
                assert_eq!(volume.dims.iter().product::<usize>(), volume.voxels.len());
                assert!(scalars.is_ok(), "labels are scalars too");
            }
        }
        "markups" => drop(read_markups_from_bytes(name, bytes)),
        _ => {
            drop(read_mesh_parts_from_bytes(name, bytes));
            drop(read_ply_from_bytes::<geometry::Patient>(name, bytes));
        }
    });
    assert!(peak < MEMORY, "{} took {peak} bytes", name.display());
}

fn files(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let files = corpus(folder).into_iter();
    files
        .map(|file| {
            let bytes = std::fs::read(&file).unwrap();
            (file, bytes)
        })
        .collect()
}

fn every_prefix(folder: &str) {
    for (file, bytes) in files(folder) {
        for length in 0..bytes.len() {
            read(folder, &file, &bytes[..length]);
        }
    }
}

fn every_byte_changed(folder: &str) {
    for (file, mut bytes) in files(folder) {
        for at in 0..bytes.len() {
            let true_byte = bytes[at];
            for wrong in [true_byte ^ 1, true_byte ^ 0x80, 0, 0xff, b'9'] {
                bytes[at] = wrong;
                read(folder, &file, &bytes);
            }
            bytes[at] = true_byte;
        }
    }
}

macro_rules! for_each_folder {
    ($($folder:ident)*) => { $(
        mod $folder {
            #[test]
            fn every_prefix() {
                super::every_prefix(stringify!($folder));
            }
            #[test]
            fn every_byte_changed() {
                super::every_byte_changed(stringify!($folder));
            }
        }
    )* };
}
for_each_folder!(nifti nrrd metaimage stl obj ply glb markups);

/// What may follow a magic word, and which reader takes it.
fn starts() -> impl Strategy<Value = (&'static str, &'static str, Vec<u8>)> {
    let nifti = std::fs::read(crate::corpus_file("nifti/ok-sform-u8.nii")).unwrap();
    prop::sample::select(vec![
        ("nifti", "a.nii", nifti[..40].to_vec()),
        ("nifti", "a.nii", nifti[..352].to_vec()),
        ("nrrd", "a.nrrd", b"NRRD0005\n".to_vec()),
        ("metaimage", "a.mha", b"ObjectType = Image\n".to_vec()),
        ("stl", "a.stl", b"solid ".to_vec()),
        ("stl", "a.stl", Vec::new()),
        ("obj", "a.obj", b"v 1 2 3\nv 4 5 6\nf ".to_vec()),
        ("ply", "a.ply", b"ply\nformat ascii 1.0\n".to_vec()),
        ("ply", "a.ply", b"ply\nformat binary_big_endian 1.0\nelement vertex 3\nproperty double x\nproperty double y\nproperty double z\nelement face 9\nproperty list uint int vertex_index\nend_header\n".to_vec()),
        ("glb", "a.glb", b"glTF\x02\0\0\0".to_vec()),
        ("glb", "a.gltf", br#"{"asset":{"version":"2.0"},"nodes":["#.to_vec()),
        ("markups", "a.mrk.json", br#"{"markups":[{"type":"Curve","coordinateSystem":"LPS","controlPoints":["#.to_vec()),
    ])
}

/// Pieces that headers are made of, so that random text goes deeper than the first word.
fn header_text() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "type: uint8\n",
        "dimension: 3\n",
        "sizes: 2 2 2\n",
        "sizes: 99999999999 9 9\n",
        "encoding: raw\n",
        "encoding: ascii\n",
        "encoding: gzip\n",
        "spacings: 1 1 1\n",
        "space directions: (1,0,0) (0,1,0) (0,0,1)\n",
        "byte skip: -1\n",
        "byte skip: 99999999999999\n",
        "line skip: 7\n",
        "endian: little\n",
        "\n",
        "NDims = 3\n",
        "DimSize = 2 2 2\n",
        "DimSize = 99999 99999 9\n",
        "ElementType = MET_UCHAR\n",
        "ElementSpacing = 1 1 1\n",
        "HeaderSize = -1\n",
        "CompressedData = True\n",
        "BinaryData = False\n",
        "ElementDataFile = LOCAL\n",
        "facet normal 0 0 0\n",
        "outer loop\n",
        "vertex 1 2 3\n",
        "endloop\n",
        "endfacet\n",
        "endsolid\n",
        "f 1 2 -1\n",
        "v nan 1 2\n",
        "g a\n",
        "\\\n",
        "element vertex 3\n",
        "element face 99999999\n",
        "property float x\n",
        "property float y\n",
        "property float z\n",
        "property list uchar int vertex_indices\n",
        "end_header\n",
        "0 1 2 ",
        "3 0 1 2\n",
        "-1 ",
        "1e40 ",
    ]);
    prop::collection::vec(word, 0..24).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_bytes_after_a_magic_word((folder, name, start) in starts(), tail in prop::collection::vec(any::<u8>(), 0..600)) {
        read(folder, Path::new(name), &[start, tail].concat());
    }

    #[test]
    fn arbitrary_header_pieces((folder, name, start) in starts(), text in header_text(), tail in prop::collection::vec(any::<u8>(), 0..40)) {
        read(folder, Path::new(name), &[start, text, tail].concat());
    }
}
