//! Centreline graphs of vessels, from closed surfaces.
