//! The end-to-end tests: the program as a person runs it. One binary, because each test binary
//! links the whole program.

mod bad_input;
mod bench;
mod command_line;
mod import;
mod lesion;
mod looks;
mod make;
mod planes;
mod play;
mod program;
mod scan;
mod shipped;
mod tiny;
