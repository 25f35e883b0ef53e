//! The imaging engine beside truth from outside: closed forms and a peer's measurements.
//!
//! Each test prints its figures as lines `figure: what | bar | measured` and asserts the bars.
//! Long ones are ignored; `tools/validations/ultrasound` runs them.
#![allow(
    clippy::print_stdout,
    reason = "figures are printed, and gathered by tools/validations/ultrasound"
)]

mod motion;
mod psf;
mod pulse;
mod scene;
mod speckle;
