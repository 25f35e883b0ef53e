//! The one way every data file is read and written.
//!
//! What is absent on purpose: this crate knows no tissue, no probe, no patient and no unit; it
//! does not know where files lie, and it refers from no file to another: who reads several files
//! checks the names between them, with the tools that are here.

//! # A tour
//!
//! A file is a RON record that begins with its kind and its version. What may stand in it is
//! declared once, with [`record!`] and [`choice!`], which make an ordinary struct or enum that
//! can be read ([`FromNode`]) and written ([`ToNode`]):
//!
//! ```
//! use catalog::{Format, Known, POSITIVE, Spanned};
//!
//! catalog::record! {
//!     /// A shelf of probes, as written in the file.
//!     #[derive(Debug, PartialEq)]
//!     pub struct Shelf {
//!         /// The probes.
//!         pub probes: Vec<Probe>,
//!         /// The probe in use.
//!         pub in_use: Spanned<String> [Known("probe")],
//!     }
//! }
//!
//! catalog::record! {
//!     /// One probe.
//!     #[derive(Debug, PartialEq)]
//!     pub struct Probe {
//!         /// Its name.
//!         pub name: Spanned<String>,
//!         /// Distance of neighbouring elements.
//!         pub pitch_mm: f64 [0.01..=5.0],
//!         /// Number of elements.
//!         pub elements: u32 [1..=4096] = 128,
//!         /// Depth of the elevation focus, if there is a lens.
//!         pub focus_mm: Option<f64> [POSITIVE] = None,
//!         /// The shape of its face.
//!         pub face: Face = Face::Linear,
//!         /// What its shell is made of.
//!         pub shell: String [Known("material")] = "polymer".to_owned(),
//!     }
//! }
//!
//! catalog::choice! {
//!     /// The shape of a probe's face.
//!     #[derive(Debug, PartialEq)]
//!     pub enum Face {
//!         /// Flat.
//!         Linear,
//!         /// Bent.
//!         Curved {
//!             /// Radius of curvature.
//!             radius_mm: f64 [POSITIVE],
//!         },
//!     }
//! }
//!
//! const SHELVES: Format = Format::new("Shelf", 1);
//!
//! let text = r#"
//! Shelf(
//!     version: 1,
//!     probes: [
//!         (name: "abdomen", pitch_mm: 0.48, face: Curved(radius_mm: 60)),
//!         (name: "vessels", pitch_mm: 0.2, focus_mm: 20), // `Some(20)` is the same
//!     ],
//!     in_use: "vessels",
//! )"#;
//! let shelf: Shelf = catalog::read_str(text, "shelf.ron", &SHELVES)?;
//! assert_eq!(shelf.probes[0].face, Face::Curved { radius_mm: 60.0 });
//! assert_eq!(shelf.probes[1].elements, 128);
//!
//! // What is written reads as the same.
//! let written = catalog::to_ron(&shelf, &SHELVES).expect("all numbers in it are finite");
//! assert_eq!(catalog::read_str::<Shelf>(&written, "again", &SHELVES)?, shelf);
//! # Ok::<(), catalog::CatalogError>(())
//! ```
//!
//! The first syntax error is reported alone; otherwise everything that is wrong is reported at
//! once, and so is what the program finds after the types are right: names that lead nowhere,
//! values that contradict each other. A [`Document`] stands between the text and the value for
//! that; [`Document::knowing`] tells it the names of other files, [`Document::knowing_own`] those
//! of its own. What [`Document::resolve_with`] is given looks at the value as a whole.
//!
//! ```
//! # use catalog::{Format, Known, Spanned};
//! # catalog::record! { pub struct Shelf {
//! #     pub probes: Vec<Probe>, pub in_use: Spanned<String> [Known("probe")],
//! # } }
//! # catalog::record! { pub struct Probe {
//! #     pub name: Spanned<String>, pub pitch_mm: f64 [0.01..=5.0],
//! #     pub shell: String [Known("material")] = "polymer".to_owned(),
//! # } }
//! # const SHELVES: Format = Format::new("Shelf", 1);
//! let text = r#"Shelf(
//!     version: 1,
//!     probes: [
//!         (nam: "abdomen", pitch_mm: "0.48"),
//!         (name: "vessels", pitch_mm: 20, shell: "polymr"),
//!     ],
//!     in_use: "vesels",
//! )"#;
//! let error = catalog::Document::parse(text, "shelf.ron", &SHELVES)?
//!     .knowing("material", "tissues.ron", ["polymer", "steel"])
//!     .knowing_own("probe", &["probes", "name"])
//!     .resolve_with(|shelf: Shelf, faults| {
//!         faults.require_distinct("probe", shelf.probes.iter().map(|probe| &probe.name));
//!         Some(shelf)
//!     })
//!     .err()
//!     .expect("it is full of faults");
//! let expected = "\
//! shelf.ron:4:10: unknown field `nam`; expected one of `name`, `pitch_mm`, `shell`; \
//! did you mean `name`?
//! shelf.ron:4:36: `pitch_mm`: expected a number, found the text \"0.48\"
//! shelf.ron:5:37: `pitch_mm`: expected a number from 0.01 to 5, found the number 20
//! shelf.ron:5:48: material `polymr` is not in tissues.ron; expected one of `polymer`, `steel`; \
//! did you mean `polymer`?
//! shelf.ron:7:13: probe `vesels` is not in this file; expected `vessels`; \
//! did you mean `vessels`?";
//! assert_eq!(error.to_string(), expected);
//! # Ok::<(), catalog::CatalogError>(())
//! ```
//!
//! When a format changes, its version grows by one and a [`Migration`] turns the tree of an older
//! file into that of a newer one, before types are looked at: see [`Format`].

mod document;
mod fault;
mod format;
mod from_node;
mod macros;
mod nearest;
mod node;
mod number;
mod parts;
mod rule;
mod span;
mod syntax;
mod to_node;
mod write;

pub use document::{CatalogError, Document, read_file, read_str};
pub use fault::{Fault, Faults, Finding};
pub use format::{Format, Migration};
pub use from_node::{FromNode, Ruled};
pub use macros::{__private, Choice};
pub use nearest::nearest;
pub use node::{Field, Kind, Name, Node};
pub use parts::{Fields, Variant};
pub use rule::{Known, NotEmpty, Number, POSITIVE, Rule};
pub use span::{Place, Span, Spanned};
pub use syntax::{MAX_BYTES, MAX_DEPTH, MAX_VALUES, parse};
pub use to_node::ToNode;
pub use write::{WriteError, to_ron, write_file};
