//! The command line of sonocath.
fn main() {}
