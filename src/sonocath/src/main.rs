//! The command line of sonocath.

#[allow(
    dead_code,
    reason = "the preview command that calls it is wired separately"
)]
mod preview;

fn main() {}
