//! The imaging engine beside truth from outside: closed forms, published figures, a peer's
//! measurements, geometry done by hand.
//!
//! Each test prints its figures as lines `figure: what | bar | measured` and asserts the bars.
//! Long ones are ignored; `tools/validations/ultrasound` runs them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests stop at the first surprise and print their figures, which tools/validate gathers"
)]

mod artifacts;
mod attenuation;
mod interfaces;
mod motion;
mod psf;
mod pulse;
mod scene;
mod sliding;
mod speckle;
mod timing;
mod truth;
mod world;
