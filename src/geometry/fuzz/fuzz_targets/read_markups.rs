//! Slicer curves: any bytes, an answer.

#![no_main]

use geometry::markups::read_markups_from_bytes;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let _ = read_markups_from_bytes(Path::new("a.mrk.json"), bytes);
});
