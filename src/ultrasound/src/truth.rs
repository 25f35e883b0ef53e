//! What each sample is, and what scoring reads: both follow from the paths of the scan lines alone.

use geometry::frame::{self, Patient as PatientFrame};
use geometry::{Point, Pose};
use nalgebra::Vector3;

use crate::displacement::Displacement;
use crate::frame::{CELL_MM, Facts, PathKind, StructureFacts, Truth};
use crate::grid::ScanGrid;
use crate::interface_echoes::tail_kind;
use crate::medium::{AIR, GEL, MediumId, NP_PER_DB};
use crate::path::{Path, SHADOW_DB, Segment, Tracer, blocking_db_mm};

/// Two-way amplitude below which nothing is seen any more, −90 dB, as a logarithm.
const UNSEEN_NP: f64 = -90.0 * NP_PER_DB;

/// Least step along a line at which facts are gathered, mm.
const FACT_STEP_MM: f64 = 0.5;

/// Paths of the scan lines.
pub(crate) trait LinePaths {
    /// The path of a line.
    fn of_line(&self, line: usize) -> &Path;
}

/// How well a place on a segment is seen.
struct Seen {
    excess_db: f64,
    /// Logarithm of the two-way amplitude.
    amplitude_np: f64,
}

impl Seen {
    fn at(segment: &Segment, s: f64, tracer: &Tracer<'_>) -> Self {
        let rates = &tracer.rates[tracer.medium.index(segment.medium)];
        let loss_db = blocking_db_mm(rates, tracer.usual_db_mm());
        Self {
            excess_db: segment.state.excess_db + loss_db * s,
            amplitude_np: segment.amplitude_np - rates.attenuation * s,
        }
    }

    fn thinned(self, share: f64) -> Self {
        Self {
            excess_db: self.excess_db - 20.0 * libm::log10(share),
            amplitude_np: self.amplitude_np + libm::log(share),
        }
    }

    fn is_shadowed(&self) -> bool {
        self.excess_db > SHADOW_DB
    }

    fn is_visible(&self) -> bool {
        !self.is_shadowed() && self.amplitude_np > UNSEEN_NP
    }
}

/// Facts from the scan lines' paths.
pub(crate) fn facts(
    paths: &impl LinePaths,
    grid: &ScanGrid,
    tracer: &Tracer<'_>,
    displacement: Option<&Displacement>,
) -> Facts {
    let structures = tracer.medium.structures;
    let mut facts = Facts {
        structures: vec![StructureFacts::default(); structures],
        contact: 0.0,
    };
    let patient_from_probe = tracer.probe_from_patient.inverse();
    let step = grid.sample_mm.max(FACT_STEP_MM);
    let mut touching = 0usize;
    for line in 0..grid.lines {
        let path = paths.of_line(line);
        touching += usize::from(!path.in_air);
        let mut last_cell = None;
        for segment in &path.segments {
            let Some(of) = structure_of(segment.medium) else {
                continue;
            };
            let structure = &mut facts.structures[of];
            let rate = tracer.rates[tracer.medium.index(segment.medium)].delay;
            let start = segment.state.delay_mm;
            let end = start + segment.length_mm * rate;
            let first = libm::ceil(start / step).max(0.0) as usize;
            let last = libm::ceil(end.min(grid.depth_mm()) / step).max(0.0) as usize;
            for index in first..last {
                let delay = index as f64 * step;
                let s = (delay - start) / rate;
                let area = (grid.line_distance_mm(delay) * step) as f32;
                let seen = Seen::at(segment, s, tracer);
                if !seen.is_visible() {
                    structure.shadowed_mm2 += if seen.is_shadowed() { area } else { 0.0 };
                    continue;
                }
                structure.visible_mm2 += area;
                let place = place_of(&patient_from_probe, segment, s);
                // A cell is a piece of tissue, wherever it has moved to.
                let place = displacement.map_or(place, |d| {
                    let field = d.field(d.layer_of(segment.medium));
                    let resting = field.resting(Vector3::from(place.map(f64::from)));
                    resting.map(|c| c as f32).into()
                });
                let cell = place.map(|c| libm::floor(f64::from(c) / CELL_MM) as i16);
                if last_cell != Some((of, cell)) {
                    last_cell = Some((of, cell));
                    structure.cells.push(cell);
                }
            }
        }
    }
    for structure in &mut facts.structures {
        structure.cells.sort_unstable();
        structure.cells.dedup();
    }
    facts.contact = touching as f32 / grid.lines as f32;
    facts
}

fn structure_of(medium: MediumId) -> Option<usize> {
    (medium != AIR && medium != GEL).then(|| usize::from(medium) - 1)
}

fn place_of(
    patient_from_probe: &Pose<PatientFrame, frame::Probe>,
    segment: &Segment,
    s: f64,
) -> [f32; 3] {
    let place = Point::from_coords(segment.start + segment.direction * s);
    (*patient_from_probe * place).to_f32()
}

/// A mirrored path, and what is left of its amplitude at a delay where its mirror spreads sound.
pub(crate) type Turned<'a> = (&'a Path, &'a dyn Fn(f64) -> f64);

/// Truth of one line's samples. `mirrored` is what a mirror shows from a delay on.
pub(crate) fn of_line(
    path: &Path,
    mirrored: Option<Turned<'_>>,
    rebound_mm: Option<f64>,
    grid: &ScanGrid,
    tracer: &Tracer<'_>,
    out: &mut [Truth],
) {
    out.fill(Truth {
        structure: 0,
        shadowed_by: 0,
        path: PathKind::None,
        place_mm: [0.0; 3],
    });
    fill((path, &|_| 1.0), PathKind::Direct, grid, tracer, out);
    if let Some(mirrored) = mirrored {
        fill(mirrored, PathKind::Mirror, grid, tracer, out);
    }
    let tail = path
        .echoes
        .iter()
        .find_map(|echo| Some((echo.delay_mm, tail_kind(tracer.medium, echo)?)));
    for (sample, truth) in out.iter_mut().enumerate() {
        if truth.path != PathKind::Shadow {
            continue;
        }
        let delay = sample as f64 * grid.sample_mm;
        if let Some(at) = rebound_mm
            && at > 0.0
            && (libm::fmod(delay, at)) < 2.0
            && delay > 1.5 * at
        {
            truth.path = PathKind::Reverberation;
        } else if let Some((from, kind)) = tail
            && delay > from
        {
            truth.path = kind;
        }
    }
}

fn fill(
    (path, thinned): Turned<'_>,
    kind: PathKind,
    grid: &ScanGrid,
    tracer: &Tracer<'_>,
    out: &mut [Truth],
) {
    let patient_from_probe = tracer.probe_from_patient.inverse();
    for segment in &path.segments {
        let rate = tracer.rates[tracer.medium.index(segment.medium)].delay;
        let start = segment.state.delay_mm;
        let end = start + segment.length_mm * rate;
        let first = libm::ceil(start / grid.sample_mm).max(0.0) as usize;
        let last = (libm::ceil(end / grid.sample_mm).max(0.0) as usize).min(out.len());
        let usual = tracer.usual_db_mm();
        for (sample, truth) in out.iter_mut().enumerate().take(last).skip(first) {
            let delay = sample as f64 * grid.sample_mm;
            let s = (delay - start) / rate;
            let seen = Seen::at(segment, s, tracer).thinned(thinned(delay));
            if kind == PathKind::Mirror && !seen.is_visible() {
                continue;
            }
            let rates = &tracer.rates[tracer.medium.index(segment.medium)];
            let state = segment.state.after(s, rates, usual, segment.medium);
            *truth = Truth {
                structure: if segment.medium == GEL {
                    0
                } else {
                    segment.medium
                },
                // What a mirror shows lies in the mirror's shadow as before.
                shadowed_by: match (kind, seen.is_shadowed()) {
                    (PathKind::Mirror, _) => truth.shadowed_by,
                    (_, false) => 0,
                    (_, true) => state.shadowed_by,
                },
                path: if seen.is_shadowed() {
                    PathKind::Shadow
                } else if seen.is_visible() {
                    kind
                } else {
                    PathKind::None
                },
                place_mm: place_of(&patient_from_probe, segment, s),
            };
        }
    }
}
