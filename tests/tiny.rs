//! Small input files made by the tests themselves.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A NIfTI-1 label map of 16³ voxels of 4 mm (RAS axes) with one ball of label 5 in the middle.
pub fn ball_labels() -> Vec<u8> {
    let mut bytes = nifti_header([16, 16, 16], 2, 8, 4.0);
    for n in 0..16 * 16 * 16 {
        let from_middle = |i: i32| (i - 8) * (i - 8);
        let inside = from_middle(n % 16) + from_middle(n / 16 % 16) + from_middle(n / 256) <= 25;
        bytes.push(if inside { 5 } else { 0 });
    }
    bytes
}

/// The header and the empty extension of a NIfTI-1 file: 352 bytes.
pub fn nifti_header(dims: [i16; 3], datatype: i16, bitpix: i16, spacing: f32) -> Vec<u8> {
    let mut h = vec![0_u8; 352];
    let mut put = |at: usize, bytes: &[u8]| h[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &348_i32.to_le_bytes());
    for (n, d) in [3, dims[0], dims[1], dims[2], 1, 1, 1, 1]
        .into_iter()
        .enumerate()
    {
        put(40 + 2 * n, &d.to_le_bytes());
    }
    put(70, &datatype.to_le_bytes());
    put(72, &bitpix.to_le_bytes());
    for n in 0..4 {
        put(
            76 + 4 * n,
            &(if n == 0 { 1.0 } else { spacing }).to_le_bytes(),
        );
    }
    put(108, &352.0_f32.to_le_bytes());
    put(112, &1.0_f32.to_le_bytes());
    put(123, &[2]); // millimetres
    put(254, &1_i16.to_le_bytes()); // sform: scanner
    for row in 0..3 {
        put(280 + 16 * row + 4 * row, &spacing.to_le_bytes());
    }
    put(344, b"n+1\0");
    h
}

/// Writes bytes gzipped.
pub fn write_gz(path: &Path, bytes: &[u8]) {
    std::fs::write(path, gz(bytes)).expect("the scratch folder is writable");
}

/// Bytes gzipped.
pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// An ASCII STL of an octahedron of the given radius about the origin.
pub fn octahedron_stl(radius: f32) -> String {
    let mut text = String::from("solid octahedron\n");
    for signs in 0..8 {
        let s = |bit: i32| {
            if signs >> bit & 1 == 1 {
                -radius
            } else {
                radius
            }
        };
        let mut corners = [[s(0), 0.0, 0.0], [0.0, s(1), 0.0], [0.0, 0.0, s(2)]];
        if (signs as u32).count_ones() % 2 == 1 {
            corners.swap(1, 2);
        }
        text += "facet normal 0 0 0\nouter loop\n";
        for [x, y, z] in corners {
            text += &format!("vertex {x} {y} {z}\n");
        }
        text += "endloop\nendfacet\n";
    }
    text + "endsolid octahedron\n"
}
