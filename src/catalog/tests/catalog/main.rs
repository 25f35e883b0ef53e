//! The catalog seen from outside: exact faults, round trips, hostile input, the `ron` crate as an
//! outside truth, and a corpus of files.

mod against_ron;
mod bad_input;
mod corpus;
mod files;
mod hostile;
mod kitchen;
mod migration;
mod round_trip;
mod syntax;
mod trees;
