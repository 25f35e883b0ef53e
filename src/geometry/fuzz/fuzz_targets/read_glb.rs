//! glTF meshes: any bytes, an answer.

#![no_main]

use geometry::mesh_file::read_mesh_parts_from_bytes;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let _ = read_mesh_parts_from_bytes(Path::new("a.glb"), bytes);
});
