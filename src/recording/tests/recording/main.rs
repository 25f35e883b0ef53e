//! Recordings from the outside: what is written is read, cut off, damaged or killed.
#![allow(missing_docs, reason = "tests are read, not called")]

mod cost;
mod damage;
mod files;
mod killed;
mod outside;
mod round_trip;
mod samples;
mod schema;
