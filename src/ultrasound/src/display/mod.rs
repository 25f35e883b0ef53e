//! From the envelope of a frame to the picture on the console's screen, and the picture's truth.
//!
//! The chain is a console's, with nothing in it that looks at the frame as a whole: no gain is ever
//! worked out from the echoes, unless somebody presses Auto ([`optimise`]), which turns knobs.
//!
//! 1. [`gain`]: time gain (machine, compensation, sliders) and overall gain;
//! 2. [`compress`]: logarithm, from [`WHITE_DB`] down to black a dynamic range below;
//! 3. [`gray`]: reject, then the grey map;
//! 4. [`persist`]: the last picture stays in part, per tick;
//! 5. [`convert`]: beam coordinates to pixels, and the mean over the looks of spatial compounding.
//!
//! Stages 1 to 4 run on the samples of the lines, of which there are fewer than pixels.
//! Compounding averages *grey*, that is clamped logarithms of the envelopes, after conversion.
//! Envelopes would let the brightest look decide, phases would bring back the speckle that
//! compounding is to smooth, and unclamped logarithms would let one shadowed look (−∞ dB) blacken
//! what the others see. As grey is averaged, interpolated and persisted linearly, the order of
//! these three makes no difference.
//!
//! By lifetime: [`Display`] is made once per setting of the console; [`Picture`] and
//! [`TruthPicture`] are made once and written again and again; [`Cine`] keeps the last pictures.
//!
//! What is absent here: electronic noise (the engine's), annotation, colour, windows, files. The
//! same envelopes give the same bytes for any number of threads and on any processor.

pub mod cine;
pub mod compress;
pub mod convert;
mod fast;
pub mod gain;
mod grade;
pub mod gray;
mod layout;
pub mod optimise;
pub mod persist;
pub mod picture;
pub mod truth;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use equipment::Console;
use thiserror::Error;

pub use cine::Cine;
pub use gain::Compensation;
pub use picture::{Picture, PictureGeometry, PictureSize};
pub use truth::TruthPicture;

use crate::frame::Look;
use crate::grid::ScanGrid;
use grade::{Channel, Tone};
use layout::Layout;
use persist::Clock;

/// The echo that is just white with all gains at 0, dB relative to a perfect plane mirror in the
/// focus without attenuation (an envelope of 1).
///
/// Backscatter of liver lies near −61 dB. With a dynamic range of 60 dB it comes out at 0.48 of
/// white, 2.5 dB (10 grey levels) less in the mean of the logarithm of speckle: a middle grey, as a
/// sonographer sets it. 31 dB are left above it for septa, fat, capsules and vessel walls before
/// they saturate (bone, gas and the diaphragm met at right angles do), and 29 dB below for medulla,
/// vessels and noise.
pub const WHITE_DB: f64 = -30.0;

/// Why a frame cannot be shown.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DisplayError {
    /// The display was made for another number of looks.
    #[error("the display is set for {expected} looks, the frame has {found}")]
    Looks {
        /// Looks of the display.
        expected: usize,
        /// Looks of the frame.
        found: usize,
    },
    /// The display was made for other lines.
    #[error("the lines of look {look} are not those that the display is set for")]
    Grid {
        /// Which look.
        look: usize,
    },
    /// An array is too short or too long for its lines.
    #[error("look {look} should have {expected} samples of {what}, it has {found}")]
    Samples {
        /// Which look.
        look: usize,
        /// Of what.
        what: &'static str,
        /// Lines times samples of a line.
        expected: usize,
        /// What there is.
        found: usize,
    },
}

/// Turns frames into pictures. Made once per setting; owns its look-up tables and the memory of
/// persistence.
#[derive(Clone, Debug)]
pub struct Display {
    layout: Layout,
    tone: Tone,
    channels: Vec<Channel>,
    clock: Clock,
}

impl Display {
    /// Sets up tables for the looks of a frame. The picture shows the area of the first look; the
    /// further ones are averaged in where they cover it.
    ///
    /// A picture has at least 1 and at most 8192 pixels each way. A look without lines or samples,
    /// or with more than 2³⁰ of them, covers nothing.
    pub fn new(
        grids: &[Arc<ScanGrid>],
        console: &Console,
        compensation: Compensation,
        size: PictureSize,
    ) -> Self {
        let mut display = Self {
            layout: Layout::new(grids, console, size),
            tone: Tone::new(console),
            channels: grids.iter().map(Channel::new).collect(),
            clock: Clock::new(console.persistence),
        };
        display.adjust(console, &compensation);
        display
    }

    /// Turns the knobs that only change grey: gain, sliders, compensation, dynamic range, reject,
    /// grey map, persistence. Keeps the look-up tables, which take most of [`new`](Self::new)'s
    /// time, and what persists of earlier pictures. Other knobs need a new display.
    pub fn adjust(&mut self, console: &Console, compensation: &Compensation) {
        self.tone = Tone::new(console);
        self.clock.set_share(console.persistence);
        let persists = self.clock.persists();
        for channel in &mut self.channels {
            let gain_db = gain::curve_db(console, compensation, &channel.grid);
            channel.adjust(&gain_db, console, persists);
        }
    }

    /// A black picture of this display's size, for [`render`](Self::render).
    pub fn picture(&self) -> Picture {
        Picture::new(self.layout.geometry, Arc::clone(&self.layout.mask))
    }

    /// An empty truth picture of this display's size, for [`truth_picture`](Self::truth_picture).
    pub fn empty_truth(&self) -> TruthPicture {
        TruthPicture::new(self.layout.geometry, Arc::clone(&self.layout.mask))
    }

    /// Where pixels lie.
    pub fn geometry(&self) -> &PictureGeometry {
        &self.layout.geometry
    }

    /// Writes the picture of a frame. Allocates nothing if `picture` came from this display.
    ///
    /// Persistence goes by ticks: drawing a tick again does not age the picture; where ticks were
    /// left out, this frame stands for them; a tick before the last one starts afresh.
    ///
    /// # Errors
    ///
    /// The looks are not those that the display was made for. The picture is then unchanged.
    pub fn render(
        &mut self,
        looks: &[Look],
        tick: u64,
        picture: &mut Picture,
    ) -> Result<(), DisplayError> {
        self.check(looks)?;
        let step = self.clock.advance(tick);
        for (channel, look) in self.channels.iter_mut().zip(looks) {
            channel.grade(&look.envelope, &self.tone, step);
        }
        self.layout.adopt(picture);
        convert::scan_convert(&self.layout, &self.channels, &mut picture.pixels);
        Ok(())
    }

    /// Forgets earlier pictures, so that persistence starts afresh.
    pub fn reset(&mut self) {
        self.clock.reset();
    }

    /// Writes what each pixel is: the truth of the nearest sample of the look, which is number
    /// `index` of the frame. Pixels that the look does not cover are empty. Allocates nothing if
    /// `picture` came from this display.
    ///
    /// # Errors
    ///
    /// The look is not the one that the display was made for, or has no truth. The picture is then
    /// unchanged.
    pub fn truth_picture(
        &self,
        index: usize,
        look: &Look,
        picture: &mut TruthPicture,
    ) -> Result<(), DisplayError> {
        let expected = self.check_grid(index, look)?;
        check_length(index, "truth", expected, look.truth.len())?;
        truth::convert(&self.layout, index, look, picture);
        Ok(())
    }

    /// Line and sample, in fractions, of which a pixel shows a look; `None` if the look does not
    /// cover it.
    pub fn sample_of_pixel(&self, look: usize, x: f64, y: f64) -> Option<(f64, f64)> {
        let grid = &self.channels.get(look)?.grid;
        layout::line_and_sample(grid, self.layout.geometry.place_of_pixel(x, y))
    }

    fn check(&self, looks: &[Look]) -> Result<(), DisplayError> {
        if looks.len() != self.channels.len() {
            return Err(DisplayError::Looks {
                expected: self.channels.len(),
                found: looks.len(),
            });
        }
        for (index, look) in looks.iter().enumerate() {
            let expected = self.check_grid(index, look)?;
            check_length(index, "envelope", expected, look.envelope.len())?;
        }
        Ok(())
    }

    /// How many samples the look has to have.
    fn check_grid(&self, index: usize, look: &Look) -> Result<usize, DisplayError> {
        let channel = self.channels.get(index).ok_or(DisplayError::Looks {
            expected: self.channels.len(),
            found: index + 1,
        })?;
        if !Arc::ptr_eq(&channel.grid, &look.grid) && channel.grid != look.grid {
            return Err(DisplayError::Grid { look: index });
        }
        Ok(look.grid.lines.saturating_mul(look.grid.samples))
    }
}

fn check_length(
    look: usize,
    what: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), DisplayError> {
    if expected == found {
        return Ok(());
    }
    Err(DisplayError::Samples {
        look,
        what,
        expected,
        found,
    })
}
