//! The end-to-end tests: one binary, because each test binary links the whole program.
