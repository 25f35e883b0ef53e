//! Against the atlas, and what every sonographer knows.

use super::*;

#[test]
fn the_built_in_rules_are_read() {
    assert!(!Boundaries::builtin().rules().is_empty());
}
