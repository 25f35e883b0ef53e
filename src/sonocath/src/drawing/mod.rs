//! What every picture of this program is drawn with: a canvas, colours, words, PNG files.
//!
//! What is absent here: patients, scans and what a picture shows.

pub mod canvas;
pub mod color;
mod picture;
pub mod text;

pub use picture::{
    Image, Indexed, Levels, encode_animation, encode_indexed_png, encode_png, read_png, write_png,
};
