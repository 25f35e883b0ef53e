//! Where the scan lines of a frame run, in the probe's frame.

use std::f64::consts::TAU;

use equipment::{Array, Console, Probe};
use geometry::Point;
use geometry::frame::Probe as ProbeFrame;

/// The scan lines of one look: straight lines in the probe's x–z plane, as they run in a medium
/// without refraction.
///
/// A place is said in *beam coordinates* (u, z, e): u says which line, in units of `Shape`, z is
/// the distance from the face along the line in mm, e the elevation (probe y) in mm.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanGrid {
    /// How the lines lie to each other.
    pub shape: Shape,
    /// Number of lines.
    pub lines: usize,
    /// u of line 0.
    pub first: f64,
    /// Step of u from line to line.
    pub pitch: f64,
    /// Number of samples on a line; sample i lies at depth i · `sample_mm`.
    pub samples: usize,
    /// Distance of samples, mm, at [`REFERENCE_SPEED_M_S`].
    pub sample_mm: f64,
}

/// The speed of sound that machines assume: it turns time into depth.
pub const REFERENCE_SPEED_M_S: f64 = 1540.0;

/// How lines lie to each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Parallel, u is the place on the face (probe x, mm). Turned by an angle towards +x.
    Parallel {
        /// The angle, rad.
        steer_rad: f64,
    },
    /// Fanning out from an apex at depth −radius; u is the angle towards +x, rad.
    Fan {
        /// Distance of the face from the apex, mm; 0 for a phased array.
        radius_mm: f64,
        /// Whether the last line neighbours the first (a full turn).
        closed: bool,
    },
}

impl ScanGrid {
    /// The lines of a probe at a setting, turned by `look_deg` beside the console's steering
    /// (linear arrays only; others ignore it).
    pub fn new(probe: &Probe, console: &Console, look_deg: f64) -> Self {
        let steer_rad = (console.steering_deg + look_deg).to_radians();
        let (shape, whole, closed) = match probe.array {
            Array::Linear {
                elements, pitch_mm, ..
            } => (
                Shape::Parallel { steer_rad },
                f64::from(elements) * pitch_mm,
                false,
            ),
            Array::Curved {
                elements,
                pitch_mm,
                radius_mm,
                ..
            } => {
                let shape = Shape::Fan {
                    radius_mm,
                    closed: false,
                };
                (shape, f64::from(elements) * pitch_mm / radius_mm, false)
            }
            Array::Phased { sector_deg, .. } => {
                let shape = Shape::Fan {
                    radius_mm: 0.0,
                    closed: false,
                };
                (shape, sector_deg.to_radians(), false)
            }
            Array::Rotational { radius_mm, .. } => {
                let closed = console.width >= 1.0;
                (Shape::Fan { radius_mm, closed }, TAU, closed)
            }
        };
        let lines = console.lines as usize;
        let samples = console.samples as usize;
        let scanned = whole * console.width;
        let pitch = scanned / lines as f64;
        let middle = console.center * (whole - scanned) / 2.0;
        let first = if closed {
            0.0
        } else {
            middle - pitch * (lines as f64 - 1.0) / 2.0
        };
        Self {
            shape,
            lines,
            first,
            pitch,
            samples,
            sample_mm: console.depth_mm / (samples.max(2) - 1) as f64,
        }
    }

    /// u of a line.
    pub fn u_of_line(&self, line: f64) -> f64 {
        self.first + line * self.pitch
    }

    /// Which line, in fractions of lines, lies at u.
    pub fn line_of_u(&self, u: f64) -> f64 {
        (u - self.first) / self.pitch
    }

    /// Depth of the last sample, mm.
    pub fn depth_mm(&self) -> f64 {
        (self.samples.max(1) - 1) as f64 * self.sample_mm
    }

    /// How many mm neighbouring lines are apart, along the arc, at a depth.
    pub fn line_distance_mm(&self, z_mm: f64) -> f64 {
        match self.shape {
            Shape::Parallel { steer_rad } => self.pitch * libm::cos(steer_rad),
            Shape::Fan { radius_mm, .. } => self.pitch * (radius_mm + z_mm),
        }
    }

    /// The place with beam coordinates (u, z, e).
    pub fn place(&self, u: f64, z_mm: f64, e_mm: f64) -> Point<ProbeFrame> {
        match self.shape {
            Shape::Parallel { steer_rad } => Point::new(
                u + z_mm * libm::sin(steer_rad),
                e_mm,
                z_mm * libm::cos(steer_rad),
            ),
            Shape::Fan { radius_mm, .. } => {
                let r = radius_mm + z_mm;
                Point::new(r * libm::sin(u), e_mm, r * libm::cos(u) - radius_mm)
            }
        }
    }

    /// Beam coordinates (u, z, e) of a place.
    pub fn beam_coordinates(&self, place: Point<ProbeFrame>) -> [f64; 3] {
        let [x, y, depth] = place.to_array();
        match self.shape {
            Shape::Parallel { steer_rad } => {
                let z = depth / libm::cos(steer_rad);
                [x - z * libm::sin(steer_rad), z, y]
            }
            Shape::Fan { radius_mm, .. } => {
                let from_apex = depth + radius_mm;
                let r = libm::sqrt(x * x + from_apex * from_apex);
                [libm::atan2(x, from_apex), r - radius_mm, y]
            }
        }
    }
}
