//! The beam as the splatting loop reads it: weights for runs of neighbouring lines.

use nalgebra::Complex;

use crate::beam::Beam;
use crate::insonation::Variants;
use crate::medium::NP_PER_DB;

/// Lines that are worked on side by side.
pub(crate) const LANES: usize = 8;

/// How much wider aberrating tissue makes the beam, for the thicknesses of [`WALLS_MM`].
///
/// Estimates: 15 mm of abdominal wall cost little, 25–35 mm (arrival time errors of about 50 ns
/// rms, Hinkelman et al., J. Acoust. Soc. Am. 95:530, 1994) widen the focus at 3.75 MHz clearly.
const WIDENINGS: [f64; 3] = [1.0, 1.25, 1.6];

/// Aberrating tissue from which the next widening holds, mm.
const WALLS_MM: [f64; 2] = [18.0, 35.0];

/// Weights this far below the greatest, in amplitude, are left out at the ends of a run: −36 dB.
const LEAST_WEIGHT: f32 = 0.016;

/// Two-way weights of all lines near a scatterer.
#[derive(Debug)]
pub(crate) struct Tables {
    /// Lines in a run: a multiple of [`LANES`].
    pub taps: usize,
    /// Places between two lines that are told apart.
    pub phases: usize,
    pub depths: usize,
    pub depth_step_mm: f64,
    variants: usize,
    /// `[side][variant][depth][phase][re, im][tap]`.
    pub weights: Vec<f32>,
    /// By line: the side of the table.
    side_of_line: Vec<u16>,
    /// By `[side][variant][depth]`: first and end of the lanes of eight that matter.
    pub spans: Vec<(u8, u8)>,
    /// Amplitude factor for tissue's scatterers, `[variant][depth]`; see [`Beam::speckle_gain`].
    speckle_gain: Vec<f32>,
    /// Elevation profile as in [`Beam`].
    elevation: Vec<Complex<f32>>,
    elevation_nodes: usize,
    elevation_step_mm: Vec<f32>,
    /// The profile at [`FINE_NODES`], up to where it ends for scatterers; 0 at the
    /// ends.
    fine_elevation: Vec<Complex<f32>>,
    fine_nodes: usize,
    fine_per_mm: Vec<f32>,
    /// Where the elevation profile has fallen below [`ELEVATION_EDGE`], mm, by depth.
    pub elevation_edge_mm: Vec<f64>,
    attenuations: Vec<f64>,
    aberration: bool,
}

/// Nodes of the elevation profile that scatterers are weighted by.
const FINE_NODES: usize = 129;

/// Scatterers at which the elevation profile is weaker than this are left out.
const ELEVATION_EDGE: f32 = 0.12;

impl Tables {
    pub fn new(beam: &Beam, aberration: bool) -> Self {
        let taps = (2 * beam.half_lines).next_multiple_of(LANES);
        let phases = beam.steps_per_line;
        let attenuations = beam.attenuations_db_cm_mhz.clone();
        let variants = attenuations.len() * WIDENINGS.len();
        // A class and its mirror image are two sides of the table.
        let sides = beam.classes * 2;
        let side_of_line = beam
            .class_of_line
            .iter()
            .map(|&(class, mirrored)| class * 2 + u16::from(mirrored))
            .collect();
        let row = phases * 2 * taps;
        let mut weights = vec![0.0; sides * variants * beam.depths * row];
        let mut spans = vec![(0, 0); sides * variants * beam.depths];
        let rows = weights.chunks_mut(row).zip(&mut spans);
        for (index, (row, span)) in rows.enumerate() {
            let depth = index % beam.depths;
            let variant = index / beam.depths % variants;
            let side = index / beam.depths / variants;
            let profile = Profile {
                beam,
                class: side / 2,
                mirrored: side % 2 == 1,
                attenuation: variant / WIDENINGS.len(),
                widening: WIDENINGS[variant % WIDENINGS.len()],
                depth,
            };
            profile.fill(row, phases, taps);
            *span = profile_span(row, taps);
        }
        let (elevation_edge_mm, elevation_step_mm) = elevation_steps(beam);
        let mut tables = Self {
            taps,
            phases,
            depths: beam.depths,
            depth_step_mm: beam.depth_step_mm,
            variants,
            weights,
            side_of_line,
            spans,
            // Widening leaves the power as it is.
            speckle_gain: (0..variants)
                .flat_map(|variant| {
                    let first = variant / WIDENINGS.len() * beam.depths;
                    &beam.speckle_gain[first..first + beam.depths]
                })
                .copied()
                .collect(),
            elevation: beam.elevation.clone(),
            elevation_nodes: beam.elevation_nodes,
            elevation_step_mm,
            elevation_edge_mm,
            attenuations,
            aberration,
            fine_elevation: Vec::new(),
            fine_nodes: FINE_NODES,
            fine_per_mm: Vec::new(),
        };
        tables.refine_elevation();
        tables
    }

    fn refine_elevation(&mut self) {
        let half = (FINE_NODES / 2) as f32;
        for depth in 0..self.depths {
            let per_mm = (half - 1.0) / self.elevation_edge_mm[depth] as f32;
            self.fine_per_mm.push(per_mm);
            for node in 0..FINE_NODES {
                let e_mm = (node as f32 - half) / per_mm;
                let is_end = node == 0 || node == FINE_NODES - 1;
                let value = if is_end {
                    Complex::new(0.0, 0.0)
                } else {
                    self.elevation(depth, e_mm)
                };
                self.fine_elevation.push(value);
            }
        }
    }

    /// The table's row for a place.
    pub fn row(&self, line: usize, variant: u8, depth: usize) -> u32 {
        let side = usize::from(self.side_of_line[line.min(self.side_of_line.len() - 1)]);
        ((side * self.variants + usize::from(variant)) * self.depths + depth) as u32
    }

    /// How many variants of the beam there are.
    pub fn variants(&self) -> usize {
        self.variants
    }

    /// Amplitude factor for tissue's scatterers; see [`Beam::speckle_gain`].
    #[inline]
    pub fn speckle_gain(&self, variant: u8, depth: usize) -> f32 {
        self.speckle_gain[usize::from(variant) * self.depths + depth]
    }

    /// The depth node nearest to a depth.
    pub fn depth_node(&self, z_mm: f32) -> usize {
        ((z_mm / self.depth_step_mm as f32 + 0.5).max(0.0) as usize).min(self.depths - 1)
    }

    /// ∫|lateral profile|² of the middle line at a depth node, in line distances.
    pub fn lateral_power(&self, depth: usize) -> f64 {
        let side = usize::from(self.side_of_line[self.side_of_line.len() / 2]);
        let row = 2 * self.taps * self.phases;
        let index = side * self.variants * self.depths + depth;
        let weights = &self.weights[index * row..(index + 1) * row];
        let sum: f64 = weights.iter().map(|&w| f64::from(w) * f64::from(w)).sum();
        sum / self.phases as f64
    }

    /// Whether scatterers so far out of the path's slice count.
    #[inline(always)]
    pub fn is_within_elevation(&self, depth: usize, e_mm: f32) -> bool {
        e_mm.abs() * self.fine_per_mm[depth] < (FINE_NODES / 2) as f32 - 1.0
    }

    /// Elevation profile at a depth node, at the nearest of fine steps.
    #[inline]
    pub fn elevation_near(&self, depth: usize, e_mm: f32) -> Complex<f32> {
        let nodes = self.fine_nodes;
        let at = (e_mm * self.fine_per_mm[depth] + (nodes / 2) as f32 + 0.5)
            .clamp(0.0, (nodes - 1) as f32);
        self.fine_elevation[depth * nodes + at as u32 as usize]
    }

    /// Elevation profile at a depth node.
    pub fn elevation(&self, depth: usize, e_mm: f32) -> Complex<f32> {
        let middle = (self.elevation_nodes / 2) as f32;
        let at = e_mm / self.elevation_step_mm[depth] + middle;
        if !(at >= 0.0 && at <= (self.elevation_nodes - 1) as f32) {
            return Complex::new(0.0, 0.0);
        }
        let low = (at as usize).min(self.elevation_nodes - 2);
        let profile = &self.elevation[depth * self.elevation_nodes..];
        let (a, b) = (profile[low], profile[low + 1]);
        a + (b - a) * (at - low as f32)
    }
}

impl Variants for Tables {
    fn variant(&self, slope: f64, z_mm: f64, wall_mm: f64) -> u8 {
        // Mean one-way attenuation on the way, dB/cm/MHz.
        let mean = slope / (2.0 * z_mm.max(1.0)) / NP_PER_DB * 10.0;
        let midpoint = |pair: &&[f64]| mean > (pair[0] + pair[1]) / 2.0;
        let attenuation = self.attenuations.windows(2).filter(midpoint).count();
        let widening = if self.aberration {
            WALLS_MM.iter().filter(|&&least| wall_mm > least).count()
        } else {
            0
        };
        (attenuation * WIDENINGS.len() + widening) as u8
    }
}

/// One lateral profile of a beam.
struct Profile<'a> {
    beam: &'a Beam,
    class: usize,
    mirrored: bool,
    attenuation: usize,
    widening: f64,
    depth: usize,
}

impl Profile<'_> {
    /// `[phase][re, im][tap]`: tap t of phase p is the line (H − 1 + p/P − t) line distances from
    /// the scatterer, H half the taps.
    fn fill(&self, row: &mut [f32], phases: usize, taps: usize) {
        let reach = (taps / 2 - 1) as f64;
        for (phase, weights) in row.chunks_mut(2 * taps).enumerate() {
            let (re, im) = weights.split_at_mut(taps);
            for (tap, (re, im)) in re.iter_mut().zip(im).enumerate() {
                let offset = reach + phase as f64 / phases as f64 - tap as f64;
                let weight = self.at(offset);
                (*re, *im) = (weight.re, weight.im);
            }
        }
    }

    /// The profile at an offset from the line, in lines, widened at constant power and with the
    /// class' gain.
    fn at(&self, offset_lines: f64) -> Complex<f32> {
        let beam = self.beam;
        let sign = if self.mirrored { -1.0 } else { 1.0 };
        let step = offset_lines * sign / self.widening * beam.steps_per_line as f64;
        let middle = (beam.half_lines * beam.steps_per_line) as f64;
        let nodes = 2 * beam.half_lines * beam.steps_per_line + 1;
        let at = step + middle;
        if !(at >= 0.0 && at <= (nodes - 1) as f64) {
            return Complex::new(0.0, 0.0);
        }
        let low = (at as usize).min(nodes - 2);
        let row = (self.class * beam.attenuations_db_cm_mhz.len() + self.attenuation) * beam.depths
            + self.depth;
        let profile = &beam.lateral[row * nodes..][..nodes];
        let fraction = (at - low as f64) as f32;
        let value = profile[low] + (profile[low + 1] - profile[low]) * fraction;
        let gain = beam.class_gain[self.class * beam.depths + self.depth];
        value * (gain / (self.widening.sqrt() as f32))
    }
}

/// The lanes of eight that hold weights that matter, over all phases.
fn profile_span(row: &[f32], taps: usize) -> (u8, u8) {
    let mut power = vec![0.0f32; taps / LANES];
    for weights in row.chunks(2 * taps) {
        let (re, im) = weights.split_at(taps);
        for (lane, power) in power.iter_mut().enumerate() {
            for tap in lane * LANES..(lane + 1) * LANES {
                *power = power.max(re[tap] * re[tap] + im[tap] * im[tap]);
            }
        }
    }
    let greatest = power.iter().copied().fold(0.0, f32::max);
    let matters = |&power: &f32| power > greatest * LEAST_WEIGHT * LEAST_WEIGHT;
    let first = power.iter().position(matters).unwrap_or(0);
    let last = power.iter().rposition(matters).map_or(0, |last| last + 1);
    (first as u8, last as u8)
}

/// Where each depth's elevation profile ends for scatterers, and its node distance, mm.
fn elevation_steps(beam: &Beam) -> (Vec<f64>, Vec<f32>) {
    let nodes = beam.elevation_nodes;
    let middle = nodes / 2;
    (0..beam.depths)
        .map(|depth| {
            let step = beam.elevation_reach_mm[depth] / middle as f64;
            let profile = &beam.elevation[depth * nodes + middle..(depth + 1) * nodes];
            let matters =
                |weight: &Complex<f32>| weight.norm_sqr() > ELEVATION_EDGE * ELEVATION_EDGE;
            let last = profile.iter().rposition(matters).unwrap_or(0);
            ((last + 1) as f64 * step, step as f32)
        })
        .unzip()
}
