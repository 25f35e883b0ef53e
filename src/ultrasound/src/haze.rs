//! The haze that the body wall lays over what lies behind it.
//!
//! Sound runs to and fro between the layers of fat and muscle and comes back late, over the echoes of
//! deeper tissue (J. J. Dahl et al., Ultrasound Med. Biol. 40:714, 2014). Powers of the layers add, so
//! the haze's power grows with the wall's thickness; and a thick wall holds sound for longer, so the
//! haze of a thick wall reaches deeper. All figures are estimates.

/// Amplitude of the haze of a wall of [`USUAL_MM`], dB, where hearing is best: 22 dB below liver's
/// speckle. In five bladders 30 to 0 dB below the bladder's wall: M. A. Lediju et al., Ultrason.
/// Imaging 30:151 (2008).
const LEVEL_DB: f64 = -83.0;
const USUAL_MM: f64 = 30.0;

/// Depth over which haze decays to 1/e: of no wall, mm, and what each millimetre of wall adds.
const SHORTEST_MM: f64 = 5.0;
const LONGER_PER_MM: f64 = 1.0 / 3.0;

/// What the machine hears of haze, by sample.
#[derive(Clone, Debug)]
pub(crate) struct Haze {
    /// Amplitude at which speckle from there is heard; 1 where hearing is best. Haze is sound as
    /// tissue's echoes are: the machine hears both as well, or as badly.
    heard: Vec<f32>,
    sample_mm: f64,
}

impl Haze {
    /// For a machine's sensitivity by sample, dB over its greatest.
    pub fn new(sensitivity_db: &[f32], sample_mm: f64) -> Self {
        let heard = |db: &f32| libm::pow(10.0, f64::from(*db) / 20.0) as f32;
        Self {
            heard: sensitivity_db.iter().map(heard).collect(),
            sample_mm,
        }
    }

    /// Amplitudes by sample on a line that crosses so much fat and muscle, mm.
    pub fn levels(&self, wall_mm: f32) -> impl Iterator<Item = f32> {
        let wall_mm = f64::from(wall_mm.max(0.0));
        let decay_mm = SHORTEST_MM + LONGER_PER_MM * wall_mm;
        let decay = libm::exp(-self.sample_mm / decay_mm) as f32;
        let mut level = (libm::pow(10.0, LEVEL_DB / 20.0) * (wall_mm / USUAL_MM).sqrt()) as f32;
        self.heard.iter().map(move |heard| {
            let here = level * heard;
            level *= decay;
            here
        })
    }
}
