//! Tests of whole sheets.

use super::*;

#[test]
fn dummy() {}
