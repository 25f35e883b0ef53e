//! NRRD volumes: any bytes, an answer.

#![no_main]

use geometry::volume_file::{ReadLimits, read_labels_from_bytes, read_scalars_from_bytes};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let limits = ReadLimits { max_voxels: 1 << 24 };
    let _ = read_labels_from_bytes(Path::new("a.nrrd"), bytes, &limits);
    let _ = read_scalars_from_bytes(Path::new("a.nrrd"), bytes, &limits);
});
