//! Mirror images: paths that a strong smooth surface has turned, and what they see.
//!
//! Along such a path the tissue is gone through in small steps; each step holds one scatterer whose
//! strength stands for all in it, anchored in the tissue by a hash of where it is. A loose
//! scatterer shows where it lies between two neighbouring paths of one mirror.

use std::ops::Range;

use geometry::Point;
use nalgebra::Vector3;

use crate::displacement::Displacement;
use crate::grid::ScanGrid;
use crate::insonation::{Division, Insonation, Variants};
use crate::medium::{AIR, Medium, MediumId};
use crate::path::{InterfaceEcho, MirrorStart, Path, Rates, Segment, Start, State, Tracer};
use crate::speckle::hash3;
use crate::splat::Echoes;
use crate::tables::Tables;

/// Length of a step, mm.
const STEP_MM: f64 = 0.3;

/// Beyond so many loose scatterers they have no mirror images: each is looked for between all
/// mirrored paths.
const MOST_POINTS: usize = 4096;

/// Curvature of a mirror is measured over this distance, mm: some triangles of a patient's surfaces.
const BASELINE_MM: f64 = 3.0;

/// A concave mirror gathers sound at most so far.
const LEAST_WIDENING: f64 = 0.7;

/// Neighbouring paths that leave a mirror farther apart than so many times their distance have met
/// two different surfaces.
const FARTHEST_NEIGHBOUR: f64 = 6.0;

/// A mirrored path and where it belongs.
#[derive(Debug)]
pub(crate) struct Mirrored {
    /// The path of the middle slice that was turned.
    pub path: usize,
    pub walked: Path,
    /// Delay at the mirror, mm.
    from_mm: f64,
    /// Along the scan and across it.
    parting: [Parting; 2],
}

impl Mirrored {
    /// Ends the path where it comes back to the face.
    pub fn end_at_face(&mut self, grid: &ScanGrid) {
        let depth = |segment: &Segment, s_mm: f64| {
            let place = segment.start + segment.direction * s_mm;
            grid.beam_coordinates(Point::from_coords(place))[1]
        };
        let behind = |segment: &Segment| depth(segment, segment.length_mm) < 0.0;
        let segments = &mut self.walked.segments;
        let Some(index) = segments.iter().position(behind) else {
            return;
        };
        segments.truncate(index + 1);
        let last = &mut segments[index];
        let (mut before, mut after) = (0.0, last.length_mm);
        for _ in 0..24 {
            let middle = (before + after) / 2.0;
            if depth(last, middle) < 0.0 {
                after = middle;
            } else {
                before = middle;
            }
        }
        last.length_mm = before;
        let end_mm = last.state.delay_mm;
        self.walked.echoes.retain(|echo| echo.delay_mm <= end_mm);
    }

    /// What is left of an amplitude where a curved mirror has spread the sound, as against a plane
    /// one: there and back one over the widening, along the scan and across.
    pub fn thinned(&self, delay_mm: f64, grid: &ScanGrid, division: &Division) -> f64 {
        let behind_mm = delay_mm - self.from_mm;
        let plane = [division.spacing_mm(grid, delay_mm), division.slice_mm];
        let widened = |side: usize| self.parting[side].distance_mm(behind_mm) / plane[side];
        1.0 / (widened(0).max(LEAST_WIDENING) * widened(1).max(LEAST_WIDENING))
    }
}

/// How a neighbour and a mirrored path part: curved mirrors spread what they turn.
#[derive(Clone, Copy, Debug)]
struct Parting {
    /// Square of their distance s mm behind the mirror: c0 + c1 s + c2 s², mm².
    square: [f64; 3],
}

impl Parting {
    /// From a path and one that is so many steps away.
    fn new(from: &MirrorStart, to: &MirrorStart, steps: f64) -> Self {
        let aside = |v: Vector3<f64>| {
            let along = from.direction.coords;
            v - along * along.dot(&v)
        };
        let start = aside(to.origin.coords - from.origin.coords) / steps;
        let change = aside(to.direction.coords - from.direction.coords) / steps;
        Self {
            square: [
                start.dot(&start),
                2.0 * start.dot(&change),
                change.dot(&change),
            ],
        }
    }

    fn distance_mm(&self, s_mm: f64) -> f64 {
        let [c0, c1, c2] = self.square;
        (c0 + s_mm * (c1 + s_mm * c2)).max(0.0).sqrt()
    }
}

/// Where paths of the middle slice go on from mirrors. A path whose neighbours meet no mirror has
/// met a thing too small to be one.
pub(crate) fn mirrored_starts(
    insonation: &Insonation,
    division: &Division,
    grid: &ScanGrid,
) -> (Vec<Start>, Vec<Mirrored>) {
    let middle = division.slices / 2;
    let mirror_of = |slice: usize, path: usize| {
        let slice = &insonation.paths[slice * division.paths..(slice + 1) * division.paths];
        slice.get(path)?.mirrors.first()
    };
    let turned = (0..division.paths).filter_map(|path| {
        let mirror = mirror_of(middle, path)?;
        // Far enough apart that a surface's triangles do not count for its curvature.
        let z_mm = mirror.state.delay_mm;
        let most = (BASELINE_MM / division.spacing_mm(grid, z_mm)) as usize + 1;
        let (beside, steps) = (1..=most).rev().find_map(|steps| {
            let found = mirror_of(middle, path + steps)
                .or_else(|| mirror_of(middle, path.checked_sub(steps)?))?;
            Some((found, steps as f64))
        })?;
        let above = mirror_of((middle + 1).min(division.slices - 1), path)
            .or_else(|| mirror_of(middle.saturating_sub(1), path))?;
        let start = Start {
            origin: mirror.origin,
            direction: mirror.direction,
            state: mirror.state,
            medium: Some(mirror.medium),
        };
        let mirrored = Mirrored {
            path,
            walked: Path::default(),
            from_mm: mirror.state.delay_mm,
            parting: [
                Parting::new(mirror, beside, steps),
                Parting::new(mirror, above, 1.0),
            ],
        };
        Some((start, mirrored))
    });
    turned.unzip()
}

/// What turns mirrored paths into echoes.
pub(crate) struct MirrorStage<'a> {
    pub medium: &'a Medium,
    pub grid: &'a ScanGrid,
    pub division: &'a Division,
    pub tables: &'a Tables,
    pub strengths: &'a [f32],
    /// Width of the beam across the elevation by depth node, mm.
    pub elevation_width_mm: &'a [f32],
    pub focal_area_mm2: f64,
    pub seed: u64,
    /// How tissue has moved: what scatters in a mirror moves with it too.
    pub displacement: Option<&'a Displacement>,
    /// Loose scatterers, probe frame, with the amplitude of their echoes in the focus.
    pub points: &'a [(Vector3<f64>, f64)],
}

/// Loose scatterers as [`MirrorStage::points`] wants them; none if they are too many. `place` gives
/// a scatterer's place in the probe's frame, `unit` is the echo's amplitude of one of amplitude 1.
pub(crate) fn mirrored_points(
    medium: &Medium,
    unit: f64,
    place: impl Fn(usize) -> Vector3<f64>,
) -> Vec<(Vector3<f64>, f64)> {
    let amplitudes = &medium.point_amplitudes;
    if amplitudes.len() > MOST_POINTS {
        return Vec::new();
    }
    let echo = |(index, &amplitude): (usize, &f32)| (place(index), unit * f64::from(amplitude));
    amplitudes.iter().enumerate().map(echo).collect()
}

/// Two neighbouring mirrored paths on their way through one medium.
struct Gap<'a> {
    left: &'a Segment,
    right: &'a Segment,
}

/// A place between two paths.
struct Between {
    /// 0 at the left path, 1 at the right one.
    fraction: f64,
    /// How far the left and the right path have come in the medium beside it, mm.
    s_mm: [f64; 2],
    /// How far beside both, across the plane of the paths, mm.
    lift_mm: f64,
}

impl Gap<'_> {
    /// Where a place lies, if it lies between the two.
    fn hold(&self, place: &Vector3<f64>) -> Option<Between> {
        let (left, right) = (self.left, self.right);
        let s_mm = left.direction.dot(&(place - left.start));
        if !(s_mm >= 0.0 && s_mm < left.length_mm) {
            return None;
        }
        let near = left.start + left.direction * s_mm;
        let right_s_mm = right.direction.dot(&(place - right.start));
        let far = right.start + right.direction * right_s_mm;
        let across = far - near;
        let across = across - left.direction * left.direction.dot(&across);
        let width = across.norm();
        let fraction = across.dot(&(place - near)) / (width * width);
        // NaN where the paths cross.
        if !(0.0..1.0).contains(&fraction) {
            return None;
        }
        let aside = left.direction.cross(&across) / width;
        Some(Between {
            fraction,
            s_mm: [s_mm, right_s_mm],
            lift_mm: aside.dot(&(place - (near + across * fraction))),
        })
    }
}

impl MirrorStage<'_> {
    /// Appends the tissue that a mirrored path sees; without carrier.
    pub fn tissue_echoes(&self, mirrored: &Mirrored, tracer: &Tracer<'_>, echoes: &mut Echoes) {
        for segment in &mirrored.walked.segments {
            let strength = self.strengths[self.medium.index(segment.medium)];
            if strength > 0.0 {
                self.scatter(segment, mirrored, strength, tracer, echoes);
            }
        }
    }

    /// Appends the interfaces that a mirrored path meets; without carrier.
    pub fn interface_echoes(&self, mirrored: &Mirrored, echoes: &mut Echoes) {
        let line = mirrored.path as f32 / self.division.paths_per_line as f32;
        let near = (line + 0.5) as usize % self.grid.lines;
        // Where the body ends the face is; what it throws back is told as rebounds.
        let inside = |echo: &&InterfaceEcho| echo.to != AIR;
        for echo in mirrored.walked.echoes.iter().filter(inside) {
            let depth = self.tables.depth_node(echo.delay_mm as f32);
            let area = self.spacing_mm(echo.delay_mm) * f64::from(self.elevation_width_mm[depth]);
            let amplitude =
                echo.amplitude * self.thinned(mirrored, echo.delay_mm) * area / self.focal_area_mm2;
            let row = self.tables.row(near, 0, depth);
            echoes.push(line, echo.delay_mm as f32, (amplitude as f32, 0.0), row);
        }
    }

    /// Appends the loose scatterers between each of the mirrored paths in `of` and the next one;
    /// without carrier.
    pub fn point_echoes(
        &self,
        mirrored: &[Mirrored],
        of: Range<usize>,
        tracer: &Tracer<'_>,
        echoes: &mut Echoes,
    ) {
        if self.points.is_empty() {
            return;
        }
        for index in of {
            let (left, Some(right)) = (&mirrored[index], mirrored.get(index + 1)) else {
                break;
            };
            if right.path == left.path + 1 {
                self.between(left, right, tracer, echoes);
            }
        }
    }

    fn between(&self, left: &Mirrored, right: &Mirrored, tracer: &Tracer<'_>, echoes: &mut Echoes) {
        let segments = left.walked.segments.iter().zip(&right.walked.segments);
        for (a, b) in segments {
            let most_mm = FARTHEST_NEIGHBOUR * self.spacing_mm(a.state.delay_mm);
            if a.medium != b.medium || (b.start - a.start).norm() > most_mm {
                break;
            }
            let gap = Gap { left: a, right: b };
            let rates = &tracer.rates[self.medium.index(a.medium)];
            for (place, strength) in self.points {
                if let Some(held) = gap.hold(place) {
                    let first = left.path as f64 + held.fraction;
                    let mut state = between_states(&gap, &held, rates, a.medium);
                    state.amplitude *= self.thinned(left, state.delay_mm);
                    self.point_echo(first, &state, held.lift_mm, *strength, echoes);
                }
            }
        }
    }

    fn point_echo(
        &self,
        path: f64,
        state: &State,
        lift_mm: f64,
        strength: f64,
        echoes: &mut Echoes,
    ) {
        let line = path / self.division.paths_per_line as f64;
        let near = (line + 0.5) as usize % self.grid.lines;
        let depth = self.tables.depth_node(state.delay_mm as f32);
        let profile = self.tables.elevation(depth, lift_mm as f32);
        let amplitude = (strength * state.amplitude) as f32;
        if amplitude == 0.0 || profile.norm_sqr() == 0.0 {
            return;
        }
        let variant = self
            .tables
            .variant(state.slope, state.delay_mm, state.wall_mm);
        let row = self.tables.row(near, variant, depth);
        let complex = (profile.re * amplitude, profile.im * amplitude);
        echoes.push(line as f32, state.delay_mm as f32, complex, row);
    }

    fn spacing_mm(&self, z_mm: f64) -> f64 {
        self.division.spacing_mm(self.grid, z_mm)
    }

    fn thinned(&self, mirrored: &Mirrored, delay_mm: f64) -> f64 {
        mirrored.thinned(delay_mm, self.grid, self.division)
    }

    fn scatter(
        &self,
        segment: &Segment,
        mirrored: &Mirrored,
        strength: f32,
        tracer: &Tracer<'_>,
        echoes: &mut Echoes,
    ) {
        let first_line = mirrored.path as f32 / self.division.paths_per_line as f32;
        let near = (first_line + 0.5) as usize % self.grid.lines;
        let rates = &tracer.rates[self.medium.index(segment.medium)];
        let steps = (segment.length_mm / STEP_MM) as usize;
        let patient_from_probe = tracer.probe_from_patient.inverse();
        let field = self
            .displacement
            .map(|d| d.field(d.layer_of(segment.medium)));
        for step in 0..steps {
            let s = (step as f64 + 0.5) * STEP_MM;
            let state = segment.state.after(s, rates, 0.0, segment.medium);
            if state.delay_mm > tracer.until_mm || state.amplitude < 1e-6 {
                break;
            }
            let place = patient_from_probe.isometry
                * nalgebra::Point3::from(segment.start + segment.direction * s);
            let rest = field.map_or(place.coords, |field| field.resting(place.coords));
            let cell = rest.map(|c| libm::floor(c / STEP_MM) as i32 as u32);
            let hash = hash3(cell.x, cell.y, cell.z, self.seed as u32 ^ 0x3141);
            let jitter = f64::from(hash & 0xffff) / 65536.0 - 0.5;
            let aside = f64::from(hash >> 16) / 65536.0 - 0.5;
            let depth = self.tables.depth_node(state.delay_mm as f32);
            let width = f64::from(self.elevation_width_mm[depth]);
            let volume = STEP_MM * self.spacing_mm(state.delay_mm) * width;
            let thinned = self.thinned(mirrored, state.delay_mm);
            let amplitude = f64::from(strength) * state.amplitude * thinned * volume.sqrt();
            let row = self.tables.row(near, 0, depth);
            let line = first_line + (aside / self.division.paths_per_line as f64) as f32;
            let delay = state.delay_mm + jitter * STEP_MM;
            echoes.push(line, delay as f32, (amplitude as f32, 0.0), row);
        }
    }
}

/// What the sound at a place between two paths has gone through.
fn between_states(gap: &Gap<'_>, held: &Between, rates: &Rates, medium: MediumId) -> State {
    let after = |segment: &Segment, s_mm| segment.state.after(s_mm, rates, 0.0, medium);
    let at_left = after(gap.left, held.s_mm[0]);
    let at_right = after(gap.right, held.s_mm[1]);
    let mean = |a: f64, b: f64| a + (b - a) * held.fraction;
    State {
        delay_mm: mean(at_left.delay_mm, at_right.delay_mm),
        amplitude: mean(at_left.amplitude, at_right.amplitude),
        ..at_left
    }
}
