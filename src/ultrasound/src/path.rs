//! Paths of sound through the surfaces: straight stretches, bent where the speed changes.
//!
//! Everything along a path is said two-way, as if the echo came back the way the sound went out:
//! amplitude, delay, attenuation. A path's *delay* is its two-way travel time as the machine shows
//! it: half the time times 1540 m/s, mm.

use equipment::Effects;
use geometry::frame::{self, Patient as PatientFrame};
use geometry::scene::{Crossing, Crossings, Ray, SurfaceId};
use geometry::{Point, Pose, Vector};
use nalgebra::Vector3;

use crate::boundary::{Faces, Layer};
use crate::grid::REFERENCE_SPEED_M_S;
use crate::medium::{AIR, GEL, Medium, MediumId, NP_PER_DB, medium_of};

/// Attenuation that counts as usual when shadows are told, dB/cm/MHz.
const USUAL_ATTENUATION_DB_CM_MHZ: f64 = 0.6;

/// Media that attenuate so many times as much as tissue usually does block sound: bone, lung, stone.
pub(crate) const BLOCKING: f64 = 4.0;

/// What a medium takes from a path by blocking it, dB/mm two-way.
pub(crate) fn blocking_db_mm(rates: &Rates, usual_db_mm: f64) -> f64 {
    let loss_db_mm = rates.attenuation / NP_PER_DB;
    if loss_db_mm > BLOCKING * usual_db_mm {
        loss_db_mm
    } else {
        0.0
    }
}

/// Loss to what blocks sound, dB two-way, from which a place lies in shadow.
pub(crate) const SHADOW_DB: f64 = 20.0;

/// A path that turns by less than this at a surface goes straight on: 0.05 degrees.
const LEAST_TURN: f64 = 0.05 * std::f64::consts::PI / 180.0;

/// A turned path follows its old ray's list of surfaces while it is at most so far from it, mm.
const STRAY_MM: f64 = 0.25;

/// A path is bent at most so often; after that it goes straight.
const MOST_BENDS: u32 = 16;

/// Paths weaker than this two-way amplitude are not bent any more.
const BENT_AMPLITUDE: f64 = 1e-5;

/// A bent path begins this far behind the surface that bent it, mm.
const STEP_OFF_MM: f64 = 1e-3;

/// Folds of the skin lie at most so deep under the face, mm.
const FOLDS_MM: f64 = 20.0;

/// Mirror-like echoes that a new path starts from: least two-way amplitude.
const MIRROR_AMPLITUDE: f64 = 2e-3;

/// Least pressure reflection that counts as a mirror.
const MIRROR_REFLECTION: f64 = 0.3;

/// What a medium does to a path at one frequency.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub impedance_rayl: f64,
    pub speed_m_s: f64,
    /// Delay per mm of path.
    pub delay: f64,
    /// Two-way attenuation, Np/mm.
    pub attenuation: f64,
    /// Derivative of the two-way attenuation by frequency, Np/mm/MHz.
    pub slope: f64,
    pub aberrates: bool,
    pub specularity: f64,
}

/// The rates of all media at a frequency.
pub(crate) fn rates(medium: &Medium, f_mhz: f64, effects: &Effects) -> Vec<Rates> {
    let of = |index: usize| {
        let id = if index == medium.media() - 1 {
            GEL
        } else {
            index as MediumId
        };
        let material = medium.material(id);
        let own_speed = REFERENCE_SPEED_M_S / material.speed_m_s;
        Rates {
            impedance_rayl: material.impedance_rayl,
            speed_m_s: material.speed_m_s,
            delay: if effects.local_sound_speed {
                own_speed
            } else {
                1.0
            },
            attenuation: 2.0 * material.attenuation_np_mm(f_mhz),
            slope: 2.0 * material.attenuation_slope_np_mm_mhz(f_mhz),
            aberrates: material.aberrates,
            specularity: material.specularity,
        }
    };
    (0..medium.media()).map(of).collect()
}

/// A straight stretch through one medium. What changes along it starts at the given value and
/// goes on at the medium's rates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub medium: MediumId,
    /// Probe frame, mm.
    pub start: Vector3<f64>,
    /// Unit, probe frame.
    pub direction: Vector3<f64>,
    pub length_mm: f64,
    pub state: State,
    /// Natural logarithm of the state's amplitude.
    pub amplitude_np: f64,
}

/// What a path has gathered up to a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    pub delay_mm: f64,
    /// Two-way amplitude at the working frequency.
    pub amplitude: f64,
    /// Two-way derivative of attenuation by frequency, Np/MHz.
    pub slope: f64,
    /// Aberrating tissue crossed, mm.
    pub wall_mm: f64,
    /// Two-way loss, dB, to surfaces and to media that block sound: what casts shadows. What tissue
    /// takes, however deep, is no shadow.
    pub excess_db: f64,
    /// What shadows it; [`AIR`] for nothing.
    pub shadowed_by: MediumId,
}

impl State {
    pub const START: Self = Self {
        delay_mm: 0.0,
        amplitude: 1.0,
        slope: 0.0,
        wall_mm: 0.0,
        excess_db: 0.0,
        shadowed_by: AIR,
    };

    /// The state `s` mm on.
    pub fn after(&self, s: f64, rates: &Rates, usual_db_mm: f64, medium: MediumId) -> Self {
        let blocked_db = blocking_db_mm(rates, usual_db_mm) * s;
        let mut next = Self {
            delay_mm: self.delay_mm + rates.delay * s,
            amplitude: self.amplitude * libm::exp(-rates.attenuation * s),
            slope: self.slope + rates.slope * s,
            wall_mm: self.wall_mm + if rates.aberrates { s } else { 0.0 },
            excess_db: self.excess_db + blocked_db,
            shadowed_by: self.shadowed_by,
        };
        next.blame(medium);
        next
    }

    fn blame(&mut self, medium: MediumId) {
        if self.excess_db > SHADOW_DB && self.shadowed_by == AIR {
            self.shadowed_by = medium;
        }
    }
}

/// An echo from an interface, before the beam.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InterfaceEcho {
    pub delay_mm: f64,
    /// Two-way amplitude of a plane reflector's echo, sign of the pressure kept.
    pub amplitude: f64,
    /// Pressure reflection at the interface.
    pub reflection: f64,
    /// Cosine of the angle between path and normal.
    pub cosine: f64,
    pub from: MediumId,
    pub to: MediumId,
    /// Whether it is the layer's echo, not the interface's own.
    pub is_layer: bool,
    /// Depth along the straight line, mm.
    pub z_mm: f64,
    /// Where it is.
    pub place: Point<PatientFrame>,
    /// Share of the amplitude that comes from roughness: sent every way, in no step with its neighbours.
    pub rough: f64,
}

/// Where a mirror-like surface sends a path on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MirrorStart {
    pub origin: Point<PatientFrame>,
    pub direction: Vector<PatientFrame>,
    pub medium: MediumId,
    pub state: State,
}

/// One path and all that happens on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Path {
    pub segments: Vec<Segment>,
    pub echoes: Vec<InterfaceEcho>,
    pub mirrors: Vec<MirrorStart>,
    /// Whether it has turned anywhere.
    pub is_bent: bool,
    /// Whether the face has no contact with the body here.
    pub in_air: bool,
}

impl Path {
    fn clear(&mut self) {
        self.segments.clear();
        self.echoes.clear();
        self.mirrors.clear();
        self.is_bent = false;
        self.in_air = false;
    }
}

/// How paths begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub origin: Point<PatientFrame>,
    pub direction: Vector<PatientFrame>,
    pub state: State,
    /// The medium there; none: find out, and ask for coupling to the skin.
    pub medium: Option<MediumId>,
}

/// Walks paths through a medium.
pub(crate) struct Tracer<'a> {
    pub medium: &'a Medium,
    pub rates: &'a [Rates],
    pub effects: Effects,
    pub gel_mm: f64,
    /// Delay at which paths end.
    pub until_mm: f64,
    pub probe_from_patient: Pose<frame::Probe, PatientFrame>,
    pub f_mhz: f64,
    /// See [`level_of`](crate::slope::level_of).
    pub slope_level: usize,
    /// Angle between the axis of the cone of sound and its edge.
    pub cone_rad: f64,
    /// Whether mirror starts are wanted.
    pub mirrors: bool,
}

/// Memory of one thread's tracing.
#[derive(Debug, Default)]
pub(crate) struct TraceMemory {
    walks: Vec<Walk>,
    rays: Vec<Ray<PatientFrame>>,
    crossings: Crossings<PatientFrame>,
}

/// A path on its way.
#[derive(Clone, Copy, Debug)]
struct Walk {
    path: usize,
    origin: Point<PatientFrame>,
    direction: Vector<PatientFrame>,
    medium: Option<MediumId>,
    state: State,
    bends: u32,
    /// Path length so far, mm.
    length_mm: f64,
}

impl Tracer<'_> {
    /// Traces a path for each start. Neighbouring starts should lie close to each other.
    pub fn trace(&self, starts: &[Start], paths: &mut [Path], memory: &mut TraceMemory) {
        memory.walks.clear();
        for (index, (start, path)) in starts.iter().zip(paths.iter_mut()).enumerate() {
            path.clear();
            // A pose that is no place (not finite, kilometres away) hears nothing.
            if Ray::new(start.origin, start.direction).is_err() {
                path.in_air = true;
                continue;
            }
            memory.walks.push(Walk {
                path: index,
                origin: start.origin,
                direction: start.direction,
                medium: start.medium,
                state: start.state,
                bends: 0,
                length_mm: 0.0,
            });
        }
        while !memory.walks.is_empty() {
            self.wave(paths, memory);
        }
    }

    /// Casts all walks on their way and follows each up to its next bend or its end.
    fn wave(&self, paths: &mut [Path], memory: &mut TraceMemory) {
        let TraceMemory {
            walks,
            rays,
            crossings,
        } = memory;
        rays.clear();
        for walk in walks.iter() {
            // Twice the way left is enough for all but long ways through bone or metal, where
            // nothing comes back from.
            let reach = 2.0 * (self.until_mm - walk.state.delay_mm).max(0.0) + 1.0;
            let ray = Ray::new(walk.origin, walk.direction).and_then(|ray| ray.until_mm(reach));
            rays.push(ray.expect("starts were tried, and paths stay near them"));
        }
        self.medium.scene.cast_bundle(rays, crossings);
        let mut kept = 0;
        for index in 0..walks.len() {
            let mut walk = walks[index];
            let path = &mut paths[walk.path];
            if self.follow(&mut walk, index, crossings, path) {
                walks[kept] = walk;
                kept += 1;
            }
        }
        walks.truncate(kept);
    }

    /// Follows a walk through its crossings. True if it was bent and has to be cast anew.
    fn follow(
        &self,
        walk: &mut Walk,
        ray: usize,
        crossings: &Crossings<PatientFrame>,
        path: &mut Path,
    ) -> bool {
        let list = crossings.of_ray(ray);
        let mut medium = match walk.medium {
            Some(medium) => medium,
            None => {
                let skin_mm = list
                    .iter()
                    .find(|c| c.before.is_none() && c.after.is_some());
                let start = crossings.start_of_ray(ray);
                self.coupling(start, skin_mm.map(|c| c.t_mm), path)
            }
        };
        if path.in_air {
            return false;
        }
        let cast = (walk.origin, walk.direction);
        let mut walked_mm = 0.0;
        let mut is_straight = true;
        for (index, crossing) in list.iter().enumerate() {
            if crossing.is_hidden() {
                continue;
            }
            let normal = crossing.normal_in::<PatientFrame>();
            let length = if is_straight {
                (crossing.t_mm - walked_mm).max(0.0)
            } else {
                let met = cast.0 + cast.1 * crossing.t_mm;
                match meets_plane(walk.origin, walk.direction, met, normal) {
                    Some(length) => length,
                    None => {
                        walk.origin = walk.origin + walk.direction * STEP_OFF_MM;
                        walk.medium = Some(medium);
                        return true;
                    }
                }
            };
            let to = self.filled(walk.length_mm + length, crossing, &list[index + 1..]);
            if to == medium {
                continue;
            }
            self.advance(walk, medium, length, path);
            walked_mm = crossing.t_mm;
            if walk.state.delay_mm >= self.until_mm {
                return false;
            }
            if self.meet(walk, (medium, to), crossing, path) {
                is_straight = false;
                path.is_bent = true;
            }
            medium = to;
        }
        let left = (self.until_mm - walk.state.delay_mm) / self.rate(medium).delay;
        self.advance(walk, medium, left.max(0.0), path);
        false
    }

    /// What lies behind a crossing: a fold of the skin under the probe is full of gel.
    fn filled(&self, depth_mm: f64, crossing: &Crossing, rest: &[Crossing]) -> MediumId {
        let to = medium_of(crossing.after);
        if to != AIR || depth_mm > FOLDS_MM {
            return to;
        }
        match rest.iter().find(|next| next.after.is_some()) {
            Some(next) if next.t_mm - crossing.t_mm <= self.gel_mm => GEL,
            _ => AIR,
        }
    }

    fn rate(&self, medium: MediumId) -> &Rates {
        &self.rates[self.medium.index(medium)]
    }

    /// What lies before the face: the body itself, gel as far as it reaches, else air.
    fn coupling(
        &self,
        start: Option<SurfaceId>,
        skin_mm: Option<f64>,
        path: &mut Path,
    ) -> MediumId {
        match (start, skin_mm) {
            (Some(surface), _) => surface.0 + 1,
            (None, Some(gap_mm)) if gap_mm <= self.gel_mm => GEL,
            _ => {
                path.in_air = true;
                AIR
            }
        }
    }

    /// Goes on by so much through a medium.
    fn advance(&self, walk: &mut Walk, medium: MediumId, length_mm: f64, path: &mut Path) {
        path.segments.push(Segment {
            medium,
            start: (self.probe_from_patient * walk.origin).coords,
            direction: (self.probe_from_patient * walk.direction).coords,
            length_mm,
            state: walk.state,
            amplitude_np: libm::log(walk.state.amplitude.max(1e-30)),
        });
        let usual = self.usual_db_mm();
        walk.state = walk
            .state
            .after(length_mm, self.rate(medium), usual, medium);
        walk.length_mm += length_mm;
        walk.origin = walk.origin + walk.direction * length_mm;
    }

    pub fn usual_db_mm(&self) -> f64 {
        2.0 * USUAL_ATTENUATION_DB_CM_MHZ * self.f_mhz / 10.0
    }

    /// A path meets a surface: echo, loss, mirror, a new direction. True if it turned.
    fn meet(
        &self,
        walk: &mut Walk,
        (from, to): (MediumId, MediumId),
        crossing: &Crossing,
        path: &mut Path,
    ) -> bool {
        let outward = crossing.normal_in::<PatientFrame>();
        let (before, after) = (*self.rate(from), *self.rate(to));
        let direction = walk.direction;
        let along = direction.dot(&outward);
        let normal = if along > 0.0 { outward } else { outward * -1.0 };
        let cosine = along.abs().min(1.0);
        let meeting = Interface::new(&before, &after, cosine);
        // Gel is matched to the skin; what is left of the step belongs to the face, not to a path.
        let is_coupling = from == GEL || to == GEL;
        let reflection = if is_coupling { 0.0 } else { meeting.reflection };
        let specularity = self.rate(crossing.surface.0 + 1).specularity;
        let lobe = lobe(specularity, cosine);
        let z_mm = walk.length_mm;
        if reflection != 0.0 && walk.state.amplitude > 0.0 {
            path.echoes.push(InterfaceEcho {
                delay_mm: walk.state.delay_mm,
                amplitude: walk.state.amplitude * reflection * lobe,
                reflection,
                cosine,
                from,
                to,
                is_layer: false,
                z_mm,
                place: walk.origin,
                rough: rough_share(specularity, cosine),
            });
        }
        if let Some(layer) = self.medium.layer(from, to) {
            self.layer_echoes(walk, layer, cosine, (from, to), path);
        }
        let is_mirror = self.mirrors
            && reflection.abs() > MIRROR_REFLECTION
            && to != AIR
            && walk.state.amplitude * reflection * reflection > MIRROR_AMPLITUDE;
        if is_mirror {
            let mut state = walk.state;
            // Its mirror-like share, on the way out and on the way back.
            let thrown = (reflection * specularity).powi(2);
            state.amplitude *= thrown;
            state.excess_db -= 20.0 * libm::log10(thrown.max(1e-9));
            path.mirrors.push(MirrorStart {
                origin: walk.origin + normal * -STEP_OFF_MM,
                direction: direction - normal * (2.0 * cosine),
                medium: from,
                state,
            });
        }
        let transmitted = match is_coupling {
            true => 1.0,
            false => meeting.transmitted(&before, &after, cosine, self.cone_rad),
        };
        walk.state.amplitude *= transmitted;
        walk.state.excess_db += -20.0 * libm::log10(transmitted.max(1e-9));
        walk.state.blame(if to == AIR { from } else { to });
        let bends = self.effects.refraction
            && !is_coupling
            && walk.bends < MOST_BENDS
            && walk.state.amplitude > BENT_AMPLITUDE;
        let turned = bends.then(|| self.turned(direction, (&before, &after), crossing));
        let Some(turned) = turned.flatten() else {
            return false;
        };
        walk.direction = turned;
        walk.bends += 1;
        true
    }

    /// The direction after a surface, by the surface's slope as the beam sees it; none if it hardly turns.
    fn turned(
        &self,
        direction: Vector<PatientFrame>,
        (before, after): (&Rates, &Rates),
        crossing: &Crossing,
    ) -> Option<Vector<PatientFrame>> {
        let mean = self.medium.slopes.at(crossing, self.slope_level);
        let evenness = mean.norm();
        let outward = mean.normalized()?;
        let along = direction.dot(&outward);
        let normal = if along > 0.0 { outward } else { outward * -1.0 };
        let meeting = Interface::new(before, after, along.abs().min(1.0));
        let (along_path, along_normal) = meeting.refracted?;
        let refracted = direction * along_path + normal * along_normal;
        (direction * (1.0 - evenness) + refracted * evenness).normalized()
    }

    /// The echoes of a thin layer on an interface: from its front and its back.
    fn layer_echoes(
        &self,
        walk: &Walk,
        layer: &Layer,
        cosine: f64,
        (from, to): (MediumId, MediumId),
        path: &mut Path,
    ) {
        let amplitude = walk.state.amplitude * layer.amplitude(libm::acos(cosine));
        let thickness_mm = layer.thickness_mm / cosine.max(0.3);
        let faces: &[(f64, f64)] = match layer.faces {
            Faces::One => &[(0.0, 1.0)],
            Faces::Two => &[(0.0, 1.0), (1.0, -1.0)],
        };
        for &(share, sign) in faces {
            path.echoes.push(InterfaceEcho {
                delay_mm: walk.state.delay_mm + share * thickness_mm,
                amplitude: sign * amplitude,
                reflection: 0.0,
                cosine,
                from,
                to,
                is_layer: true,
                z_mm: walk.length_mm + share * thickness_mm,
                place: walk.origin,
                rough: rough_share(LAYER_SPECULARITY, cosine),
            });
        }
    }
}

/// How far a turned path goes to the plane of a surface that its ray met before it turned; none if
/// it would meet the surface too far from there to be sure of it.
fn meets_plane(
    origin: Point<PatientFrame>,
    direction: Vector<PatientFrame>,
    met: Point<PatientFrame>,
    normal: Vector<PatientFrame>,
) -> Option<f64> {
    let toward = direction.dot(&normal);
    if toward.abs() < 0.05 {
        return None;
    }
    let length = (met - origin).dot(&normal) / toward;
    let strays_mm = (origin + direction * length).distance(&met);
    (length >= 0.0 && strays_mm < STRAY_MM).then_some(length)
}

/// In so many even parts a cone of sound is looked at, from one edge to the other.
const CONE_PARTS: u32 = 12;

/// What happens to a plane wave at a plane interface of fluids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interface {
    /// Pressure reflection; ±1 beyond the critical angle.
    pub reflection: f64,
    /// The refracted direction as multiples of the old one and of the normal that points onward;
    /// none if it turns too little to matter, or if nothing goes on.
    pub refracted: Option<(f64, f64)>,
}

impl Interface {
    /// What gets through of the amplitude, there and back, 1 − R², of a cone of sound that comes at this
    /// angle: beyond the critical angle some of the cone still does.
    pub fn transmitted(&self, before: &Rates, after: &Rates, cosine: f64, cone_rad: f64) -> f64 {
        let straight = 1.0 - self.reflection * self.reflection;
        if after.speed_m_s <= before.speed_m_s {
            return straight;
        }
        let critical = libm::asin(before.speed_m_s / after.speed_m_s);
        let angle = libm::acos(cosine);
        if angle + cone_rad <= critical {
            return straight;
        }
        let through = |part: u32| {
            let share = (f64::from(part) + 0.5) / f64::from(CONE_PARTS);
            let angle = angle + (2.0 * share - 1.0) * cone_rad;
            let angle = angle.min(std::f64::consts::FRAC_PI_2);
            let reflection = Self::new(before, after, libm::cos(angle).abs()).reflection;
            1.0 - reflection * reflection
        };
        (0..CONE_PARTS).map(through).sum::<f64>() / f64::from(CONE_PARTS)
    }

    /// R = (Z2 cosθi − Z1 cosθt)/(Z2 cosθi + Z1 cosθt), with Snell's sinθt/c2 = sinθi/c1.
    pub fn new(before: &Rates, after: &Rates, cosine: f64) -> Self {
        let ratio = after.speed_m_s / before.speed_m_s;
        let sine = (1.0 - cosine * cosine).max(0.0).sqrt();
        let sine_after = ratio * sine;
        if sine_after >= 1.0 {
            return Self {
                reflection: 1.0,
                refracted: None,
            };
        }
        let cosine_after = (1.0 - sine_after * sine_after).sqrt();
        let (onward, back) = (
            after.impedance_rayl * cosine,
            before.impedance_rayl * cosine_after,
        );
        let turn = (libm::asin(sine_after) - libm::asin(sine)).abs();
        Self {
            reflection: (onward - back) / (onward + back),
            refracted: (turn > LEAST_TURN).then_some((ratio, cosine_after - ratio * cosine)),
        }
    }
}

/// How much of a plane reflector's echo is left when it is tilted: a narrow lobe for its smooth
/// share, a wide one for the rest. 1 at normal incidence. The beam's own acceptance comes on top.
fn lobe(specularity: f64, cosine: f64) -> f64 {
    let (smooth, rough) = lobes(specularity, cosine);
    smooth + rough
}

/// How much of a tilted reflector's echo comes from its roughness.
fn rough_share(specularity: f64, cosine: f64) -> f64 {
    let (smooth, rough) = lobes(specularity, cosine);
    rough / (smooth + rough).max(f64::MIN_POSITIVE)
}

/// What is left of the echo of a tilted reflector's smooth share, and of the rest's.
fn lobes(specularity: f64, cosine: f64) -> (f64, f64) {
    const SMOOTH_RAD: f64 = 0.21;
    const ROUGH_RAD: f64 = 0.61;
    let angle = libm::acos(cosine);
    let bell = |width: f64| libm::exp(-(angle / width) * (angle / width));
    (
        specularity * bell(SMOOTH_RAD),
        (1.0 - specularity) * bell(ROUGH_RAD),
    )
}

/// Thin layers as [`lobe`] sees them, to tell their rough share (estimate).
const LAYER_SPECULARITY: f64 = 0.5;

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(impedance_rayl: f64, speed_m_s: f64) -> Rates {
        Rates {
            impedance_rayl,
            speed_m_s,
            delay: REFERENCE_SPEED_M_S / speed_m_s,
            attenuation: 0.0,
            slope: 0.0,
            aberrates: false,
            specularity: 1.0,
        }
    }

    #[test]
    fn interfaces_bend_as_snell_says() {
        for speed in [
            343.0, 1020.0, 1450.0, 1478.0, 1595.0, 1750.0, 2670.0, 3750.0,
        ] {
            for degrees in (1..90).step_by(2) {
                let angle = f64::from(degrees).to_radians();
                let sine = speed / 1540.0 * angle.sin();
                let (before, after) = (rates(1.6e6, 1540.0), rates(1.6e6, speed));
                let met = Interface::new(&before, &after, angle.cos());
                if sine >= 1.0 {
                    assert_eq!((met.reflection, met.refracted.is_some()), (1.0, false));
                    continue;
                }
                // The normal is (0, 1), the path comes at (sin, cos).
                let Some((along, onward)) = met.refracted else {
                    assert!((sine.asin() - angle).abs() < LEAST_TURN);
                    continue;
                };
                let (x, y) = (along * angle.sin(), along * angle.cos() + onward);
                assert!((x.hypot(y) - 1.0).abs() < 1e-9);
                assert!((x.atan2(y) - sine.asin()).abs().to_degrees() < 1e-6);
            }
        }
    }

    #[test]
    fn reflection_at_an_angle_is_that_of_fluids() {
        // Water to a fluid of 2 Mrayl and 1700 m/s at 30 degrees, by hand: sin θt = 0.55195,
        // cos θt = 0.83387; (2·0.86603 − 1.54·0.83387)/(2·0.86603 + 1.54·0.83387) = 0.14851.
        let met = Interface::new(
            &rates(1.54e6, 1540.0),
            &rates(2e6, 1700.0),
            30f64.to_radians().cos(),
        );
        assert!((met.reflection - 0.148_51).abs() < 1e-4);
        // Straight on: (2 − 1.54)/(2 + 1.54).
        let met = Interface::new(&rates(1.54e6, 1540.0), &rates(2e6, 1700.0), 1.0);
        assert!((met.reflection - 0.46 / 3.54).abs() < 1e-12);
        assert_eq!(met.refracted, None);
    }
}
