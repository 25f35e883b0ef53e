//! The beat of the heart: where a point of it is at a phase of the cycle.
//!
//! # Theory
//!
//! In the heart's own frame (z from the apex to the base, r the distance from the left
//! ventricle's axis, θ round it) material moves along z and r only:
//!
//! - The base descends towards an apex that stays where it is; behind it the atria lengthen, and
//!   their far wall stays too. The tricuspid annulus descends farther than the mitral one.
//! - Across the axis the squares of the radii are mapped, q(Q), in layers of constant slope: the
//!   left cavity shrinks by κ; the wall of a tube shortened by λ keeps its volume if q rises by
//!   1/λ, so that it thickens inwards; then, on the side of the right ventricle, its cavity and
//!   free wall in the same way; outside, what was pushed in is made up for within
//!   [`MARGIN_MM`], and beyond that nothing moves.
//!
//! Since z depends on Z alone within the left ventricle, the volume of an element changes by
//! λ·dq/dQ: exactly 1 in the wall. κ is what gives the ejection fraction asked for.
//!
//! Leaflets turn besides, each vertex about the tangent of the annulus nearest to it, so that a
//! closed disc that is slit where its leaflets meet opens into a tube.
//!
//! # Practice
//!
//! [`HeartCycle::new`] once for a patient, [`HeartCycle::at`] once for a moment, then
//! [`HeartInstant::displacement`] for every point.
//!
//! What is absent: twist of the ventricle, the recoil of the whole heart, flow of blood.

use std::f64::consts::PI;

use geometry::frame::{Patient, Point, Vector};
use nalgebra::{Matrix3, Vector3};
use thiserror::Error;

use crate::patient_file::{HeartMotion, HeartValve, Place, ValveOpens};

/// Beyond so much of the left ventricle's outer surface nothing moves, mm; beside the right one it is
/// twice as much.
pub const MARGIN_MM: f64 = 10.0;

/// Heart rate where a patient tells none, beats a minute.
pub const USUAL_RATE_PER_MIN: f64 = 72.0;

/// The wall's motion passes into that of blood, or of what lies outside, within so much, mm.
const SOFT_MM: f64 = 1.0;

/// The left ventricle is widest so far from the base, in shares of its length.
const WIDEST_SHARE: f64 = 0.27;

/// The right ventricle's apex lies so far from the base, in lengths of the left ventricle.
const RIGHT_LENGTH_SHARE: f64 = 0.9;

/// So far to either side of `right` the right ventricle is at its widest; so far it reaches.
const RIGHT_ANGLES_RAD: (f64, f64) = (30.0 * PI / 180.0, 85.0 * PI / 180.0);

/// Why a heart cannot be moved.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum HeartError {
    /// Base, apex and the direction to the right ventricle span no frame.
    #[error("the heart's base, apex and right side span no frame")]
    NoFrame,
    /// A valve has no direction of flow.
    #[error("valve {0} of the heart has no direction of flow")]
    NoFlow(usize),
}

/// How a part of the heart moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeartPart {
    /// With the tissue round it: muscle, cavities, vessels, pericardium, and what lies beside.
    Tissue,
    /// A papillary muscle: in with the wall that it stands on.
    Papillary,
    /// Leaflets of a valve, by its position in [`HeartMotion::valves`].
    Valve(usize),
}

/// When in a beat what happens, in shares of the cycle from the onset of contraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// The aortic and pulmonary valves open.
    pub ejection: f64,
    /// They close.
    pub relaxation: f64,
    /// Mitral and tricuspid valve open.
    pub filling: f64,
    /// End of the rapid filling (E wave).
    pub diastasis: f64,
    /// The atria contract (A wave); at 1 the valves close.
    pub atrial: f64,
}

impl Timing {
    /// At a heart rate. Ejection lasts 413 − 1.7·rate ms (A. M. Weissler et al., Circulation 37:149,
    /// 1968, men), 291 ms at 72 a minute; before and after it both valves are shut for 50 and 80 ms,
    /// the E wave lasts 160 ms and the A wave 130 ms (textbook figures of the resting adult). Where
    /// a fast heart leaves less, all of diastole shortens alike.
    pub fn at_rate(rate_per_min: f64) -> Self {
        let rate = if rate_per_min.is_finite() {
            rate_per_min.clamp(20.0, 200.0)
        } else {
            USUAL_RATE_PER_MIN
        };
        let cycle_ms = 60_000.0 / rate;
        let (contraction_ms, ejection_ms) = (50.0, 413.0 - 1.7 * rate);
        let systole_ms = (contraction_ms + ejection_ms).min(0.6 * cycle_ms);
        let (relaxation_ms, rapid_ms, atrial_ms) = (80.0, 160.0, 130.0);
        let rest_ms = cycle_ms - systole_ms;
        let pace = (rest_ms / (relaxation_ms + rapid_ms + atrial_ms)).min(1.0);
        let share = |ms: f64| ms / cycle_ms;
        Self {
            ejection: share(contraction_ms),
            relaxation: share(systole_ms),
            filling: share(systole_ms + pace * relaxation_ms),
            diastasis: share(systole_ms + pace * (relaxation_ms + rapid_ms)),
            atrial: 1.0 - share(pace * atrial_ms),
        }
    }

    /// How far the ventricles are contracted, 0 at end-diastole to 1 at end-systole.
    fn contraction(&self, phase: f64) -> f64 {
        /// What is left to the A wave: E brings some 70 % of a young adult's filling.
        const ATRIAL_SHARE: f64 = 0.28;
        let systole = ease(phase, self.ejection, self.relaxation);
        let early = ease(phase, self.filling, self.diastasis);
        let late = ease(phase, self.atrial, 1.0);
        systole - (1.0 - ATRIAL_SHARE) * early - ATRIAL_SHARE * late
    }

    /// How far a valve is open, 0 to 1.
    fn opening(&self, opens: ValveOpens, phase: f64) -> f64 {
        /// Valves open and close within some 30 ms at rest.
        const SNAP: f64 = 0.035;
        /// Leaflets drift together between the E and the A wave, which opens them less wide.
        const DIASTASIS: f64 = 0.3;
        const ATRIAL: f64 = 0.75;
        match opens {
            ValveOpens::Ejection => {
                let up = ease(phase, self.ejection, self.ejection + SNAP);
                up - ease(phase, self.relaxation - SNAP, self.relaxation)
            }
            ValveOpens::Filling => {
                let middle = 0.5 * (self.filling + self.diastasis);
                let crest = self.atrial + 0.45 * (1.0 - self.atrial);
                ease(phase, self.filling, self.filling + 1.5 * SNAP)
                    - (1.0 - DIASTASIS) * ease(phase, middle, self.diastasis)
                    + (ATRIAL - DIASTASIS) * ease(phase, self.atrial, crest)
                    - ATRIAL * ease(phase, crest, 1.0)
            }
        }
    }
}

/// 0 before `from`, 1 after `to`, smooth between.
fn ease(x: f64, from: f64, to: f64) -> f64 {
    if x <= from {
        return 0.0;
    }
    if x >= to {
        return 1.0;
    }
    let t = (x - from) / (to - from);
    t * t * (3.0 - 2.0 * t)
}

/// 0 below −`soft`, `x` above `soft`, a parabola between.
fn ramp(x: f64, soft: f64) -> f64 {
    if x <= -soft {
        0.0
    } else if x >= soft {
        x
    } else {
        (x + soft) * (x + soft) / (4.0 * soft)
    }
}

/// 1 − t², but no less than 0, softly.
fn shrunk(t: f64) -> f64 {
    ramp(1.0 - t * t, 0.12)
}

/// Half the width over which the left cavity's motion passes into its wall's, in squares of radii: of
/// the cavity of that square.
fn inner_soft(square: f64) -> f64 {
    (square.sqrt() * SOFT_MM).min(0.25 * square)
}

/// The same at each side of the right cavity: of one so wide in squares of radii.
fn right_soft(width: f64) -> f64 {
    /// Softer than the left one's: it is crossed where it narrows, too.
    const SHARE: f64 = 0.12;
    SHARE * width
}

/// The slope of [`ramp`].
fn ramp_slope(x: f64, soft: f64) -> f64 {
    ((x + soft) / (2.0 * soft)).clamp(0.0, 1.0)
}

/// The heart at rest, in its own frame: origin in the middle of the base, x to the right
/// ventricle, y = z × x, z from the apex to the base.
#[derive(Clone, Debug)]
pub struct HeartCycle {
    origin: Vector3<f64>,
    patient_from_heart: Matrix3<f64>,
    shape: Shape,
    timing: Timing,
    papillaries: Vec<Vector3<f64>>,
    valves: Vec<Valve>,
    names: Vec<String>,
}

/// The proportions, mm.
#[derive(Clone, Copy, Debug)]
struct Shape {
    length: f64,
    widest: f64,
    inner: f64,
    outer: f64,
    inner_half: f64,
    outer_half: f64,
    right_width: f64,
    right_wall: f64,
    right_half: f64,
    atria: f64,
    mitral: f64,
    tricuspid: f64,
    /// What the cross-section of the left cavity loses at end-systole.
    left_loss: f64,
    /// What that of the right one loses.
    right_loss: f64,
}

#[derive(Clone, Copy, Debug)]
struct Valve {
    opens: ValveOpens,
    center: Vector3<f64>,
    flow: Vector3<f64>,
    radius: f64,
    /// Ends of the line on which the leaflets meet.
    meeting: [Vector3<f64>; 2],
    opening_rad: f64,
}

impl HeartCycle {
    /// The heart of a patient at a heart rate.
    ///
    /// # Errors
    /// [`HeartError`].
    pub fn new(motion: &HeartMotion, rate_per_min: f64) -> Result<Self, HeartError> {
        let origin = vector(motion.base);
        let axis = origin - vector(motion.apex.value);
        let right = vector(motion.right.value);
        let z = axis.try_normalize(1e-6).ok_or(HeartError::NoFrame)?;
        let across = right - z * right.dot(&z);
        let x = across.try_normalize(1e-6).ok_or(HeartError::NoFrame)?;
        let valves = motion.valves.iter().enumerate();
        Ok(Self {
            origin,
            patient_from_heart: Matrix3::from_columns(&[x, z.cross(&x), z]),
            shape: Shape::of(motion, axis.norm()),
            timing: Timing::at_rate(rate_per_min),
            papillaries: motion
                .papillary_muscles
                .iter()
                .copied()
                .map(vector)
                .collect(),
            valves: valves
                .map(|(i, valve)| Valve::of(valve).ok_or(HeartError::NoFlow(i)))
                .collect::<Result<_, _>>()?,
            names: motion
                .valves
                .iter()
                .map(|valve| valve.structure.value.clone())
                .collect(),
        })
    }

    /// How a structure moves.
    pub fn part_of(&self, structure: &str) -> HeartPart {
        if structure == "papillary_muscles" {
            return HeartPart::Papillary;
        }
        let valve = self.names.iter().position(|name| name == structure);
        valve.map_or(HeartPart::Tissue, HeartPart::Valve)
    }

    /// When in a beat what happens.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// A moment: `phase` counts beats from an onset of contraction; whole beats make no
    /// difference.
    pub fn at(&self, phase: f64) -> HeartInstant<'_> {
        let phase = if phase.is_finite() {
            phase.rem_euclid(1.0)
        } else {
            0.0
        };
        HeartInstant {
            cycle: self,
            contraction: self.timing.contraction(phase),
            phase,
        }
    }

    fn to_heart(&self, place: Vector3<f64>) -> Vector3<f64> {
        self.patient_from_heart.tr_mul(&(place - self.origin))
    }
}

fn vector((x, y, z): Place) -> Vector3<f64> {
    Vector3::new(x, y, z)
}

/// The place nearest to a point on the line between two others.
fn nearest_on_line(to: Vector3<f64>, first: Vector3<f64>, last: Vector3<f64>) -> Vector3<f64> {
    let along = last - first;
    let square = along.norm_squared();
    if square < 1e-12 {
        return first;
    }
    first + along * ((to - first).dot(&along) / square).clamp(0.0, 1.0)
}

/// Leaflets whose edge lies nearer to the annulus than the first do not turn, those farther off than
/// the second turn as said, in radii of the valve.
const HELD_SHARE: f64 = 0.1;
const FREE_SHARE: f64 = 0.45;

/// Cusps nearer to the point in which they meet than so much lag behind the rest, in radii of the
/// valve.
const CENTER_SHARE: f64 = 0.06;

impl Valve {
    fn of(file: &HeartValve) -> Option<Self> {
        let center = vector(file.center);
        Some(Self {
            opens: file.opens,
            center,
            flow: vector(file.flow.value).try_normalize(1e-6)?,
            radius: file.radius_mm,
            meeting: [file.meeting.first(), file.meeting.last()]
                .map(|end| end.copied().map_or(center, vector)),
            opening_rad: file.opening_deg.to_radians(),
        })
    }

    /// How far a vertex of a leaflet is turned away from where it is when closed.
    fn turned(&self, place: Vector3<f64>, angle: f64) -> Vector3<f64> {
        let flat = |v: Vector3<f64>| v - self.flow * v.dot(&self.flow);
        let own = flat(place - self.center);
        let [first, last] = self.meeting.map(|end| flat(end - self.center));
        let start = nearest_on_line(own, first, last);
        let out = own - start;
        let reach = out.norm();
        if reach < 1e-9 {
            return Vector3::zeros();
        }
        let out = out / reach;
        // Where the ray from the meeting line through the vertex meets the annulus.
        let along = start.dot(&out);
        let inside = self.radius * self.radius - start.norm_squared();
        let hinge = -along + (along * along + inside).max(0.0).sqrt();
        let inward = hinge - reach;
        let height = (place - self.center).dot(&self.flow);
        // Held at the commissures, turned where the edge has room to move; the shorter leaflet less,
        // which else would strike the wall.
        let (held, free) = (HELD_SHARE * self.radius, FREE_SHARE * self.radius);
        let room = self.radius - start.norm();
        let short = (hinge / self.radius).min(1.0);
        let short = short * short;
        let angle = angle * ease(inward, -0.5, 1.0) * ease(room, held, free) * short;
        let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
        let inward_by = inward * (cosine - 1.0) - height * sine;
        let height_by = inward * sine + height * (cosine - 1.0);
        // Near a point in which cusps meet they would be stretched many times over, and torn.
        let soft = if first == last {
            CENTER_SHARE * self.radius
        } else {
            0.0
        };
        let share = reach / (reach * reach + soft * soft).sqrt();
        self.flow * height_by - out * (inward_by * share)
    }
}

impl Shape {
    fn of(motion: &HeartMotion, length: f64) -> Self {
        let widest = -WIDEST_SHARE * length;
        let outer_half = length + widest;
        let mut shape = Self {
            length,
            widest,
            inner: motion.left_radius_mm,
            outer: motion.left_radius_mm + motion.left_wall_mm,
            inner_half: (outer_half - motion.left_wall_mm).max(0.2 * length),
            outer_half,
            right_width: motion.right_width_mm,
            right_wall: motion.right_wall_mm,
            right_half: RIGHT_LENGTH_SHARE * length + widest,
            atria: motion.atria_mm,
            mitral: motion.mitral_excursion_mm,
            tricuspid: motion.tricuspid_excursion_mm,
            left_loss: 0.0,
            right_loss: 0.0,
        };
        let cavity = |z: f64| {
            let area = shape.inner_square(z);
            (area, inner_soft(area))
        };
        let left_loss = shape.loss(motion.ejection_fraction, shape.mitral, cavity);
        let mean = 0.5 * (shape.mitral + shape.tricuspid);
        let cavity = |z: f64| {
            let septum = shape.outer_square(z).sqrt();
            let free = septum + shape.right_width * shape.right_reach(z);
            let area = free * free - septum * septum;
            (area, 2.0 * right_soft(area))
        };
        let right_loss = shape.loss(motion.right_ejection_fraction, mean, cavity);
        (shape.left_loss, shape.right_loss) = (left_loss, right_loss);
        shape
    }

    /// The loss of cross-section that, with the shortening λ, ejects a share of a cavity, given its
    /// cross-section and what of that moves as the wall does beside it:
    /// ∫ ((area − edge)(1 − loss·grip) + edge/λ) λ dz = (1 − share) ∫ area dz.
    fn loss(&self, share: f64, excursion: f64, cavity: impl Fn(f64) -> (f64, f64)) -> f64 {
        const STEPS: u32 = 400;
        let (mut whole, mut unlost, mut held) = (0.0, 0.0, 0.0);
        for step in 0..STEPS {
            let z = -self.length * (f64::from(step) + 0.5) / f64::from(STEPS);
            let shortened = 1.0 - excursion * self.descent_slope(z);
            let (area, edge) = cavity(z);
            whole += area;
            unlost += (area - edge) * shortened + edge;
            held += (area - edge) * shortened * self.grip(z);
        }
        if held <= 0.0 {
            return 0.0;
        }
        ((unlost - (1.0 - share) * whole) / held).clamp(0.0, 0.9)
    }

    /// Share of the base's excursion that a height takes part in.
    fn descent(&self, z: f64) -> f64 {
        self.descent_pieces()
            .iter()
            .map(|&(corner, soft, slope)| slope * ramp(z - corner, soft))
            .sum()
    }

    /// Its slope, 1/mm.
    fn descent_slope(&self, z: f64) -> f64 {
        self.descent_pieces()
            .iter()
            .map(|&(corner, soft, slope)| slope * ramp_slope(z - corner, soft))
            .sum()
    }

    /// Corners of the course of [`Self::descent`]: place, half-width, change of slope. From the
    /// apex it climbs to the annuli, which move as one, and falls to the far wall of the atria.
    fn descent_pieces(&self) -> [(f64, f64, f64); 4] {
        let (low, high) = (-0.94 * self.length, 3.0);
        let (leave, end) = (0.22 * self.atria, 0.95 * self.atria);
        let (up, down) = (1.0 / (high - low), 1.0 / (end - leave));
        [
            (low, 0.06 * self.length, up),
            (high, 4.0, -up),
            (leave, 0.1 * self.atria, -down),
            (end, 0.1 * self.atria, down),
        ]
    }

    /// How far the muscle round a height squeezes, 0 to 1: the ventricles do, the atria do not.
    fn grip(&self, z: f64) -> f64 {
        1.0 - ease(z, -8.0, 16.0)
    }

    /// Whether there is the ventricles' muscle at a height, which keeps its volume: 1 up to the base, 0
    /// at the atria.
    fn muscle(&self, z: f64) -> f64 {
        1.0 - ease(z, 5.0, 18.0)
    }

    /// An ellipsoid's cross-section in shares of its widest; above the base it stays as there.
    fn ellipse(&self, z: f64, half: f64) -> f64 {
        const SOFT_BASE_MM: f64 = 6.0;
        let below_base = z - ramp(z, SOFT_BASE_MM);
        shrunk((self.widest - below_base) / half)
    }

    fn inner_square(&self, z: f64) -> f64 {
        self.inner * self.inner * self.ellipse(z, self.inner_half)
    }

    fn outer_square(&self, z: f64) -> f64 {
        let square = self.outer * self.outer * self.ellipse(z, self.outer_half);
        square.max(self.inner_square(z))
    }

    /// How far the right ventricle stands out at a height, in shares of its widest, which it keeps
    /// up to its base.
    fn right_reach(&self, z: f64) -> f64 {
        shrunk(((self.widest - z) / self.right_half).max(0.0))
    }

    /// The right ventricle's share at an angle from its middle.
    fn right_share(&self, angle: f64) -> f64 {
        let (full, none) = RIGHT_ANGLES_RAD;
        1.0 - ease(angle.abs(), full, none)
    }
}

/// A heart at a moment.
#[derive(Clone, Copy, Debug)]
pub struct HeartInstant<'a> {
    cycle: &'a HeartCycle,
    contraction: f64,
    phase: f64,
}

/// Layers across the axis at a height and an angle: where each ends, and how it maps squares.
struct Layers {
    /// Outer bounds, squares of radii, mm².
    ends: [f64; 5],
    /// dq/dQ of each layer; beyond the last it is 1.
    slopes: [f64; 5],
    /// Where one slope passes into the next, and half over what width: beside the bound, so that
    /// all of a wall has the slope of the wall.
    corners: [(f64, f64); 5],
}

impl Layers {
    /// The square of the radius to which a square goes.
    fn map(&self, square: f64) -> f64 {
        let (last, soft) = self.corners[4];
        if square >= last + soft {
            return square;
        }
        let mut sum = self.slopes[0] * square;
        for (i, &(corner, soft)) in self.corners.iter().enumerate() {
            let next = self.slopes.get(i + 1).copied().unwrap_or(1.0);
            sum += (next - self.slopes[i]) * ramp(square - corner, soft);
        }
        sum.max(0.0)
    }
}

impl HeartInstant<'_> {
    /// How far the ventricles are contracted, 0 at end-diastole to 1 at end-systole.
    pub fn contraction(&self) -> f64 {
        self.contraction
    }

    /// How far a valve is open, 0 to 1; closed if there is none of that number.
    pub fn opening(&self, valve: usize) -> f64 {
        self.cycle.valves.get(valve).map_or(0.0, |valve| {
            self.cycle.timing.opening(valve.opens, self.phase)
        })
    }

    /// How far a point that is at `place` at end-diastole has moved, mm.
    pub fn displacement(&self, part: HeartPart, place: Point<Patient>) -> Vector<Patient> {
        let by = match part {
            HeartPart::Tissue => self.of_tissue(place.coords),
            HeartPart::Papillary => self.of_papillary(place.coords),
            HeartPart::Valve(i) => self.of_leaflet(i, place.coords),
        };
        Vector::from_coords(by)
    }

    /// Leaflets keep their thickness: they are carried as the annulus below them is.
    fn of_leaflet(&self, valve: usize, place: Vector3<f64>) -> Vector3<f64> {
        let opening = self.opening(valve);
        let Some(valve) = self.cycle.valves.get(valve) else {
            return self.of_tissue(place);
        };
        let height = (place - valve.center).dot(&valve.flow);
        let carried = self.of_tissue(place - valve.flow * height);
        if opening > 0.0 {
            carried + valve.turned(place, opening * valve.opening_rad)
        } else {
            carried
        }
    }

    /// A papillary muscle keeps its thickness and goes in with the wall at its foot.
    fn of_papillary(&self, place: Vector3<f64>) -> Vector3<f64> {
        let own = self.cycle.to_heart(place);
        let feet = self.cycle.papillaries.iter();
        let feet = feet.map(|foot| self.cycle.to_heart(*foot));
        let nearest = feet.min_by(|a, b| {
            let far = |foot: &Vector3<f64>| (foot.xy() - own.xy()).norm();
            far(a).total_cmp(&far(b))
        });
        let Some(foot) = nearest else {
            return self.of_tissue(place);
        };
        let moved_foot = self.in_heart(foot);
        let mut by = self.in_heart(own) - own;
        by.x = moved_foot.x - foot.x;
        by.y = moved_foot.y - foot.y;
        self.cycle.patient_from_heart * by
    }

    fn of_tissue(&self, place: Vector3<f64>) -> Vector3<f64> {
        if self.contraction <= 0.0 {
            return Vector3::zeros();
        }
        let own = self.cycle.to_heart(place);
        self.cycle.patient_from_heart * (self.in_heart(own) - own)
    }

    /// Where a point of the heart's frame goes.
    fn in_heart(&self, own: Vector3<f64>) -> Vector3<f64> {
        let shape = &self.cycle.shape;
        let square = own.x * own.x + own.y * own.y;
        let angle = libm::atan2(own.y, own.x);
        let right = shape.right_share(angle);
        let layers = self.layers(own.z, right);
        let scale = if square > 0.0 {
            (layers.map(square) / square).sqrt()
        } else {
            layers.slopes[0].sqrt()
        };
        let z = own.z - self.descent_mm(own.z, square.sqrt(), right, &layers);
        Vector3::new(own.x * scale, own.y * scale, z)
    }

    /// How far a place goes towards the apex.
    fn descent_mm(&self, z: f64, radius: f64, right: f64, layers: &Layers) -> f64 {
        let shape = &self.cycle.shape;
        let edge = layers.ends[3].sqrt();
        let far = ease(
            radius,
            shape.outer,
            shape.outer + shape.right_width.max(1.0),
        );
        let excursion = shape.mitral + (shape.tricuspid - shape.mitral) * far * right;
        // The right annulus goes so far that what lies beside it has to follow over a longer way.
        let reach = right * shape.right_reach(z);
        let held = 1.0 - ease(radius, edge, edge + MARGIN_MM * (1.0 + reach));
        self.contraction * excursion * shape.descent(z) * held
    }

    fn layers(&self, z: f64, right: f64) -> Layers {
        let shape = &self.cycle.shape;
        let (grip, now) = (shape.grip(z), self.contraction);
        let shortened = 1.0 - now * shape.mitral * shape.descent_slope(z);
        let wall = 1.0 + shape.muscle(z) * (1.0 / shortened.max(0.2) - 1.0);
        let inner = shape.inner_square(z);
        let outer = shape.outer_square(z);
        let reach = right * shape.right_reach(z);
        let septum = outer.sqrt();
        let free = septum + shape.right_width * reach;
        let edge = free + shape.right_wall * reach;
        let beyond = edge + MARGIN_MM;
        let ends = [inner, outer, free * free, edge * edge, beyond * beyond];
        let left = 1.0 - now * grip * shape.left_loss;
        let right = 1.0 - now * grip * shape.right_loss;
        let (inner_soft, right_soft) = (inner_soft(inner), right_soft(ends[2] - ends[1]));
        let outer_soft = edge * SOFT_MM;
        let corners = [
            (inner - inner_soft, inner_soft),
            (outer + right_soft, right_soft),
            (ends[2] - right_soft, right_soft),
            (ends[3] + outer_soft, outer_soft),
            (ends[4], outer_soft),
        ];
        let starts = [0.0, corners[0].0, corners[1].0, corners[2].0, corners[3].0];
        let inside: f64 = [left, wall, right, wall]
            .iter()
            .zip(starts.iter().zip(&starts[1..]))
            .map(|(slope, (from, to))| slope * (to - from))
            .sum();
        let outside = (ends[4] - inside) / (ends[4] - starts[4]);
        Layers {
            ends,
            slopes: [left, wall, right, wall, outside],
            corners,
        }
    }
}

#[cfg(test)]
mod tests;
