//! Echoes of tissue: the scatterers of a stretch of the slice, as the paths and the beam show them.

use geometry::frame::{self, Patient as PatientFrame};
use geometry::{Point, Pose};
use nalgebra::{Matrix3, Vector3};

use crate::angle::atan2;
use crate::displacement::Displacement;
use crate::grid::{ScanGrid, Shape};
use crate::insonation::{Division, Insonation};
use crate::medium::{Medium, MediumId};
use crate::simd::wide;
use crate::speckle::{Lattice, PER_RESOLUTION_CELL, Scatterers, Tile};
use crate::splat::Echoes;
use crate::tables::{ELEVATION_EDGE, Tables};

/// A stretch of depth that one task works on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Band {
    pub z_mm: (f64, f64),
    /// Level of the scatterers.
    pub level: u32,
}

/// How many scatterers each depth needs. Follows from the setting.
#[derive(Clone, Debug)]
pub(crate) struct Thinning {
    pub lattice: Lattice,
    pub bands: Vec<Band>,
    /// By depth node of the tables: how many halvings of level 0 still leave enough scatterers.
    halvings: Vec<f32>,
    depth_step_mm: f64,
    /// Fewest scatterers per resolution cell.
    pub least_per_cell: f32,
}

/// Thickness of bands, mm: few enough tasks to be cheap, many enough to share out.
const BANDS: usize = 32;

impl Thinning {
    /// From the resolution cells' volumes at the beam's depth nodes, mm³.
    pub fn new(cell_mm3: &[f64], depth_step_mm: f64, depth_mm: f64, per_cell: f64) -> Self {
        let per_cell = per_cell.max(PER_RESOLUTION_CELL);
        let smallest = cell_mm3.iter().copied().fold(f64::INFINITY, f64::min);
        let lattice = Lattice::new(per_cell / smallest, 0);
        let finest = lattice.density(0);
        let halvings: Vec<f32> = cell_mm3
            .iter()
            .map(|cell| libm::log2(finest * cell / per_cell).max(0.0) as f32)
            .collect();
        let halvings_at = |z: f64| halvings[node_of(z, depth_step_mm, halvings.len())];
        let bands = (0..BANDS)
            .map(|band| {
                let end = |band: usize| depth_mm * band as f64 / BANDS as f64;
                let z_mm = (end(band), end(band + 1));
                let steps = 8;
                let least = (0..=steps)
                    .map(|i| z_mm.0 + (z_mm.1 - z_mm.0) * f64::from(i) / f64::from(steps))
                    .map(halvings_at)
                    .fold(f32::INFINITY, f32::min);
                Band {
                    z_mm,
                    level: least as u32,
                }
            })
            .collect();
        let mut thinning = Self {
            lattice,
            bands,
            halvings,
            depth_step_mm,
            least_per_cell: 0.0,
        };
        thinning.least_per_cell = thinning.count_least(cell_mm3) as f32;
        thinning
    }

    /// The same with scatterers of another seed.
    pub fn seeded(&self, seed: u64) -> Self {
        Self {
            lattice: self.lattice.seeded(seed),
            ..self.clone()
        }
    }

    /// 0: all scatterers of a band's level count alike; 1: only those that the next level keeps.
    fn fade(&self, band: &Band, z_mm: f32) -> f32 {
        let node = node_of(f64::from(z_mm), self.depth_step_mm, self.halvings.len());
        (self.halvings[node] - band.level as f32).clamp(0.0, 1.0)
    }

    /// Fewest scatterers that count in a resolution cell: the square of the mean power over the
    /// mean squared power, times their number.
    fn count_least(&self, cell_mm3: &[f64]) -> f64 {
        let mut least = f64::INFINITY;
        for band in &self.bands {
            for (node, cell) in cell_mm3.iter().enumerate() {
                let z = node as f64 * self.depth_step_mm;
                if z < band.z_mm.0 || z >= band.z_mm.1 {
                    continue;
                }
                let fade = f64::from(self.fade(band, z as f32));
                let counting = self.lattice.density(band.level) / (1.0 + fade * fade);
                least = least.min(counting * cell);
            }
        }
        least
    }
}

fn node_of(z_mm: f64, step_mm: f64, nodes: usize) -> usize {
    ((z_mm / step_mm + 0.5).max(0.0) as usize).min(nodes - 1)
}

/// All that turns a band's scatterers into echoes.
pub(crate) struct TissueStage<'a> {
    pub medium: &'a Medium,
    pub grid: &'a ScanGrid,
    pub division: &'a Division,
    pub insonation: &'a Insonation,
    pub tables: &'a Tables,
    pub thinning: &'a Thinning,
    /// By medium number: echo amplitude of a scatterer where there is one per mm³.
    pub strengths: &'a [f32],
    pub patient_from_probe: &'a Pose<PatientFrame, frame::Probe>,
    pub displacement: Option<&'a Displacement>,
}

/// One task's memory.
#[derive(Debug, Default)]
pub(crate) struct TissueMemory {
    scatterers: Scatterers,
    /// Where the scatterers are now, if tissue has moved.
    moved: [Vec<f32>; 3],
    beam: [Vec<f32>; 3],
    located: Locations,
    /// Scatterers that are seen: their places in the lists, and what they lie in.
    chosen: Vec<(u32, MediumId)>,
    shares: Vec<[f32; 2]>,
    strengths: Vec<f32>,
    subset: [Vec<f32>; 4],
    media: Vec<MediumId>,
    members: Vec<u32>,
}

/// Scatterers are looked for at most so far out of the slice's own place, mm.
const MOST_LIFT_MM: f32 = 4.0;

/// Width of tiles along the scan, mm.
const TILE_MM: f64 = 10.0;

impl TissueStage<'_> {
    /// Appends the echoes of a band's scatterers; they have their carrier.
    pub fn echoes(&self, band: &Band, memory: &mut TissueMemory, echoes: &mut Echoes) {
        let first = self.grid.u_of_line(-self.margin());
        let last = self
            .grid
            .u_of_line((self.grid.lines - 1) as f64 + self.margin());
        let (first, last) = match self.grid.shape {
            Shape::Fan { closed: true, .. } => (-std::f64::consts::PI, std::f64::consts::PI),
            _ => (first, last),
        };
        let width = (last - first)
            * match self.grid.shape {
                Shape::Parallel { .. } => 1.0,
                Shape::Fan { radius_mm, .. } => radius_mm + band.z_mm.1,
            };
        let tiles = libm::ceil(width / TILE_MM).max(1.0) as usize;
        for tile in 0..tiles {
            let end = |tile: usize| first + (last - first) * tile as f64 / tiles as f64;
            self.tile(band, (end(tile), end(tile + 1)), memory, echoes);
        }
    }

    /// Lines beyond the image's edge whose scatterers still count.
    fn margin(&self) -> f64 {
        (self.tables.taps / 4) as f64
    }

    fn tile(&self, band: &Band, u: (f64, f64), memory: &mut TissueMemory, echoes: &mut Echoes) {
        let lifts_mm = self.elevation_reach(band, u);
        let (in_probe, mut tile) = self.tile_box(band, u, lifts_mm);
        let center = tile.center;
        if let Some(displacement) = self.displacement {
            displacement.widen(&mut tile);
        }
        memory
            .scatterers
            .gather(&self.thinning.lattice, band.level, &tile);
        if let Some(displacement) = self.displacement {
            let rest = &memory.scatterers.place;
            displacement.move_places(tile.center, center, rest, &mut memory.moved);
        }
        let probe_from_patient = self
            .patient_from_probe
            .isometry
            .rotation
            .inverse()
            .to_rotation_matrix();
        let [u_list, z_list, e_list] = &mut memory.beam;
        for list in [&mut *u_list, z_list, e_list] {
            list.resize(memory.scatterers.len(), 0.0);
        }
        let [x, y, z] = match self.displacement {
            Some(_) => &memory.moved,
            None => &memory.scatterers.place,
        };
        let turn = probe_from_patient.matrix().map(|c| c as f32);
        let offset = in_probe.map(|c| c as f32);
        let (steer, radius) = match self.grid.shape {
            Shape::Parallel { steer_rad } => (Some(steer_rad), 0.0),
            Shape::Fan { radius_mm, .. } => (None, radius_mm as f32),
        };
        match steer {
            Some(angle) => parallel_coordinates(
                (x, y, z),
                &turn,
                &offset,
                (libm::tan(angle) as f32, (1.0 / libm::cos(angle)) as f32),
                (u_list, z_list, e_list),
            ),
            None => {
                fan_coordinates((x, y, z), &turn, &offset, radius, (u_list, z_list, e_list));
            }
        }
        let start = echoes.len();
        self.choose(band, u, memory, echoes);
        self.texture(&tile.center, start, memory, echoes);
    }

    /// Between which elevations scatterers count, mm: the beam's reach about where paths have been
    /// bent to.
    fn elevation_reach(&self, band: &Band, u: (f64, f64)) -> (f64, f64) {
        let node = |z: f64| node_of(z, self.tables.depth_step_mm, self.tables.depths);
        let beam = self.tables.elevation_edge_mm[node(band.z_mm.0)..=node(band.z_mm.1)]
            .iter()
            .copied()
            .fold(0.0, f64::max);
        let division = self.division;
        let path = |u: f64| {
            let at = self.grid.line_of_u(u) * division.paths_per_line as f64;
            (at.max(0.0) as usize).min(division.paths - 1)
        };
        let cell = |z: f64| ((z / division.node_mm) as usize).min(division.nodes - 1);
        let nodes = (cell(band.z_mm.0)..=cell(band.z_mm.1)).step_by(8);
        let rows = (0..division.slices).flat_map(|slice| {
            let paths = (path(u.0)..=path(u.1)).step_by(3);
            paths.map(move |path| (slice * division.paths + path) * division.nodes)
        });
        let cells = rows.flat_map(|row| nodes.clone().map(move |node| row + node));
        let cells = cells.map(|index| &self.insonation.cells[index]);
        let strongest = cells.clone().map(|cell| cell.amplitude).fold(0.0, f32::max);
        let (low, high) = cells
            .filter(|cell| cell.amplitude > 0.01 * strongest)
            .map(|cell| cell.lift_mm)
            .fold((0.0f32, 0.0f32), |(low, high), lift| {
                (low.min(lift), high.max(lift))
            });
        (
            f64::from(low.max(-MOST_LIFT_MM)) - beam,
            f64::from(high.min(MOST_LIFT_MM)) + beam,
        )
    }

    /// The box round a piece of the slice: its centre in the probe's frame, and itself in the
    /// patient's.
    fn tile_box(&self, band: &Band, u: (f64, f64), lifts_mm: (f64, f64)) -> (Vector3<f64>, Tile) {
        let (middle, half_u) = ((u.0 + u.1) / 2.0, (u.1 - u.0) / 2.0);
        let (z0, z1) = band.z_mm;
        let (along, angle, half_along, half_across, apex) = match self.grid.shape {
            Shape::Parallel { steer_rad } => {
                let lean = libm::sin(steer_rad).abs();
                let half_across = half_u * libm::cos(steer_rad);
                let half_along = (z1 - z0) / 2.0 + lean * half_u;
                let start = Vector3::new(middle, 0.0, 0.0);
                ((z0 + z1) / 2.0, steer_rad, half_along, half_across, start)
            }
            Shape::Fan { radius_mm, .. } => {
                let near = (radius_mm + z0) * libm::cos(half_u);
                let far = radius_mm + z1;
                let apex = Vector3::new(0.0, 0.0, -radius_mm);
                let half_across = far * libm::sin(half_u);
                (
                    (near + far) / 2.0,
                    middle,
                    (far - near) / 2.0,
                    half_across,
                    apex,
                )
            }
        };
        let direction = Vector3::new(libm::sin(angle), 0.0, libm::cos(angle));
        let across = Vector3::new(libm::cos(angle), 0.0, -libm::sin(angle));
        let lift = Vector3::y() * ((lifts_mm.0 + lifts_mm.1) / 2.0);
        let center = apex + direction * along + lift;
        let rotation = self.patient_from_probe.isometry.rotation;
        let rows = [direction, across, Vector3::y()].map(|axis| (rotation * axis).transpose());
        let tile = Tile {
            center: (*self.patient_from_probe * Point::from_coords(center)).coords,
            axes: Matrix3::from_rows(&rows),
            half_mm: [half_along, half_across, (lifts_mm.1 - lifts_mm.0) / 2.0],
        };
        (center, tile)
    }

    /// Scatterers of the tile that sound reaches become echoes, without their texture.
    fn choose(&self, band: &Band, u: (f64, f64), memory: &mut TissueMemory, echoes: &mut Echoes) {
        let TissueMemory {
            scatterers,
            beam: [u_list, z_list, e_list],
            located,
            chosen,
            shares,
            strengths,
            ..
        } = memory;
        let (division, tables) = (self.division, self.tables);
        let nodes = division.nodes;
        self.shares(band, shares);
        let density = self.thinning.lattice.density(band.level);
        strengths.clear();
        strengths.extend(self.strengths.iter().map(|s| s / density.sqrt() as f32));
        located.find(
            (u_list, z_list, e_list),
            &Frame {
                u: (u.0 as f32, u.1 as f32),
                z_mm: (band.z_mm.0 as f32, band.z_mm.1 as f32),
                first: self.grid.first as f32,
                paths_per_u: (division.paths_per_line as f64 / self.grid.pitch) as f32,
                nodes_per_mm: (1.0 / division.node_mm) as f32,
                depths_per_mm: (1.0 / tables.depth_step_mm) as f32,
                slices_per_mm: (1.0 / division.slice_mm) as f32,
                nodes: nodes as i32,
                depths: tables.depths as i32,
                slices: division.slices as i32,
            },
        );
        let closed = matches!(self.grid.shape, Shape::Fan { closed: true, .. });
        let lines_per_path = 1.0 / division.paths_per_line as f32;
        let last_path = (division.paths - 1) as f32;
        chosen.clear();
        echoes.reserve(located.kept.len());
        for &index in &located.kept {
            let i = index as usize;
            let Located {
                slice, node, depth, ..
            } = located.of[i];
            let (slice, node, depth) = (slice as usize, node as usize, depth as usize);
            let mut at = located.of[i].at;
            if closed && at < 0.0 {
                at += division.paths as f32;
            }
            let reached = self.insonation.path_reaching(division, slice, node, at);
            let path = if closed {
                (reached + 0.5) as u32 as usize % division.paths
            } else {
                (reached + 0.5).clamp(0.0, last_path) as u32 as usize
            };
            let cell = &self.insonation.cells[(slice * division.paths + path) * nodes + node];
            let strength = strengths[self.medium.index(cell.medium)] * cell.amplitude;
            let mark = scatterers.mark[i];
            let share = shares[depth][usize::from(mark.abs() > 1.5)];
            let amplitude = strength * share;
            if amplitude <= LEAST_STRENGTH {
                continue;
            }
            let profile = tables.elevation_near(depth, e_list[i] - cell.lift_mm);
            if profile.norm_sqr() < ELEVATION_EDGE * ELEVATION_EDGE {
                continue;
            }
            let amplitude = amplitude.copysign(mark);
            let line = reached * lines_per_path;
            let near = (line + 0.5).max(0.0) as u32 as usize;
            let near = if closed { near % self.grid.lines } else { near };
            let row = tables.row(near, cell.variant, depth);
            let complex = (profile.re * amplitude, profile.im * amplitude);
            echoes.push(line, z_list[i] + cell.shift_mm, complex, row);
            chosen.push((index, cell.medium));
        }
    }

    /// By depth node: amplitude of scatterers that the next level keeps, and of those that it
    /// drops.
    fn shares(&self, band: &Band, shares: &mut Vec<[f32; 2]>) {
        shares.clear();
        shares.extend((0..self.tables.depths).map(|depth| {
            let z = depth as f64 * self.tables.depth_step_mm;
            let fade = self.thinning.fade(band, z as f32);
            [(1.0 + fade).sqrt(), (1.0 - fade).sqrt()]
        }));
    }

    /// Multiplies echoes from `start` on by their tissues' textures.
    fn texture(
        &self,
        center: &Vector3<f64>,
        start: usize,
        memory: &mut TissueMemory,
        echoes: &mut Echoes,
    ) {
        let TissueMemory {
            scatterers,
            chosen,
            subset: [x, y, z, gain],
            media,
            members,
            ..
        } = memory;
        media.clear();
        for &(_, medium) in chosen.iter() {
            if media.last() != Some(&medium) && !media.contains(&medium) {
                media.push(medium);
            }
        }
        for &medium in media.iter() {
            let Some(texture) = self.medium.texture(medium) else {
                continue;
            };
            members.clear();
            let of_medium = chosen.iter().enumerate().filter(|(_, of)| of.1 == medium);
            members.extend(of_medium.map(|(index, _)| index as u32));
            for (list, (from, middle)) in [&mut *x, y, z]
                .into_iter()
                .zip(scatterers.place.iter().zip(center.iter()))
            {
                list.clear();
                let place = |&i: &u32| from[chosen[i as usize].0 as usize] + *middle as f32;
                list.extend(members.iter().map(place));
            }
            gain.clear();
            gain.resize(members.len(), 1.0);
            texture.gains(x, y, z, gain);
            for (&member, &gain) in members.iter().zip(gain.iter()) {
                echoes.re[start + member as usize] *= gain;
                echoes.im[start + member as usize] *= gain;
            }
        }
    }
}

/// How beam coordinates are cut into cells.
struct Frame {
    u: (f32, f32),
    z_mm: (f32, f32),
    first: f32,
    paths_per_u: f32,
    nodes_per_mm: f32,
    depths_per_mm: f32,
    slices_per_mm: f32,
    nodes: i32,
    depths: i32,
    slices: i32,
}

/// Where a scatterer lies among the cells.
#[derive(Clone, Copy, Debug, Default)]
struct Located {
    /// Along the scan, in paths.
    at: f32,
    node: u16,
    depth: u16,
    slice: u16,
    inside: u16,
}

/// The scatterers of a tile among the cells.
#[derive(Debug, Default)]
struct Locations {
    of: Vec<Located>,
    /// Those inside the tile.
    kept: Vec<u32>,
}

impl Locations {
    fn find(&mut self, beam: Lists<'_>, frame: &Frame) {
        self.of.resize(beam.0.len(), Located::default());
        locate(beam, frame, &mut self.of);
        self.kept.clear();
        self.kept.resize(self.of.len(), 0);
        let mut kept = 0;
        for (index, located) in self.of.iter().enumerate() {
            self.kept[kept] = index as u32;
            kept += usize::from(located.inside);
        }
        self.kept.truncate(kept);
    }
}

wide! {
    fn locate(beam: Lists<'_>, frame: &Frame, out: &mut [Located]) {
        let middle = (frame.slices / 2) as f32 + 0.5;
        let lists = beam.0.iter().zip(beam.1).zip(beam.2);
        for (((&u, &z), &e), out) in lists.zip(out) {
            let inside = (u >= frame.u.0) & (u < frame.u.1) & (z >= frame.z_mm.0) & (z < frame.z_mm.1);
            let slice = (e * frame.slices_per_mm + middle).max(0.0) as i32;
            let node = (z * frame.nodes_per_mm + 0.5).max(0.0) as i32;
            let depth = (z * frame.depths_per_mm + 0.5).max(0.0) as i32;
            *out = Located {
                at: (u - frame.first) * frame.paths_per_u,
                node: node.min(frame.nodes - 1) as u16,
                depth: depth.min(frame.depths - 1) as u16,
                slice: slice.min(frame.slices - 1) as u16,
                inside: u16::from(inside),
            };
        }
    }
}

/// Echoes weaker than this are below every noise floor: −160 dB.
const LEAST_STRENGTH: f32 = 1e-9;

type Lists<'a> = (&'a [f32], &'a [f32], &'a [f32]);
type OutLists<'a> = (&'a mut [f32], &'a mut [f32], &'a mut [f32]);

wide! {
    /// Beam coordinates in a fan.
    fn fan_coordinates(
        places: Lists<'_>,
        turn: &Matrix3<f32>,
        offset: &Vector3<f32>,
        radius_mm: f32,
        out: OutLists<'_>,
    ) {
        let (m, o) = (*turn, *offset);
        let inputs = places.0.iter().zip(places.1).zip(places.2);
        let outputs = out.0.iter_mut().zip(out.1).zip(out.2);
        for (((&x, &y), &z), ((u, depth), e)) in inputs.zip(outputs) {
            let across = m[(0, 0)] * x + m[(0, 1)] * y + m[(0, 2)] * z + o[0];
            let lift = m[(1, 0)] * x + m[(1, 1)] * y + m[(1, 2)] * z + o[1];
            let along = m[(2, 0)] * x + m[(2, 1)] * y + m[(2, 2)] * z + o[2] + radius_mm;
            *u = atan2(across, along);
            *depth = (across * across + along * along).sqrt() - radius_mm;
            *e = lift;
        }
    }
}

wide! {
    /// Beam coordinates between parallel lines.
    fn parallel_coordinates(
        places: Lists<'_>,
        turn: &Matrix3<f32>,
        offset: &Vector3<f32>,
        steer: (f32, f32),
        out: OutLists<'_>,
    ) {
        let (m, o) = (*turn, *offset);
        let (tangent, inverse_cosine) = steer;
        let inputs = places.0.iter().zip(places.1).zip(places.2);
        let outputs = out.0.iter_mut().zip(out.1).zip(out.2);
        for (((&x, &y), &z), ((u, depth), e)) in inputs.zip(outputs) {
            let across = m[(0, 0)] * x + m[(0, 1)] * y + m[(0, 2)] * z + o[0];
            let lift = m[(1, 0)] * x + m[(1, 1)] * y + m[(1, 2)] * z + o[1];
            let along = m[(2, 0)] * x + m[(2, 1)] * y + m[(2, 2)] * z + o[2];
            *u = across - along * tangent;
            *depth = along * inverse_cosine;
            *e = lift;
        }
    }
}
