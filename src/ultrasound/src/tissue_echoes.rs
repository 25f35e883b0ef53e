//! Echoes of tissue: the scatterers of a stretch of the slice, as the paths and the beam show them.

use geometry::frame::{self, Patient as PatientFrame};
use geometry::{Point, Pose};
use nalgebra::{Matrix3, Vector3};

use crate::angle::atan2;
use crate::displacement::Displacement;
use crate::grid::{ScanGrid, Shape};
use crate::insonation::{Cell, Division, Insonation};
use crate::medium::{Medium, MediumId};
use crate::simd::wide;
use crate::speckle::{Lattice, PER_RESOLUTION_CELL, Scatterers, Tile, hash3};
use crate::splat::{Echoes, sin_cos_turns};
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
const BANDS: usize = 24;

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
    /// The tick, if blood moves: from one to the next it brings other scatterers.
    pub flow_tick: Option<u32>,
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

/// Scatterers are looked for where paths go that carry at least this share of the loudest.
const FOLLOWED: f32 = 0.05;

/// Width of tiles along the scan, mm.
const TILE_MM: f64 = 14.0;

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
        let Some(lifts_mm) = self.elevation_reach(band, u) else {
            return;
        };
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
    /// None where nothing echoes.
    fn elevation_reach(&self, band: &Band, u: (f64, f64)) -> Option<(f64, f64)> {
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
        let strength =
            |cell: &Cell| cell.amplitude * self.strengths[self.medium.index(cell.medium)];
        let strongest = cells.clone().map(strength).fold(0.0, f32::max);
        if strongest <= LEAST_STRENGTH {
            return None;
        }
        let amplitudes = cells.clone().map(|cell| cell.amplitude);
        let loudest = amplitudes.fold(0.0, f32::max);
        let (low, high) = cells
            .filter(|cell| cell.amplitude > FOLLOWED * loudest)
            .map(Cell::lift_mm)
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), lift| {
                (low.min(lift), high.max(lift))
            });
        Some((
            f64::from(low.clamp(-MOST_LIFT_MM, MOST_LIFT_MM)) - beam,
            f64::from(high.clamp(-MOST_LIFT_MM, MOST_LIFT_MM)) + beam,
        ))
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
                paths: division.paths as i32,
                closed: matches!(self.grid.shape, Shape::Fan { closed: true, .. }),
            },
        );
        chosen.clear();
        located.strong.resize(located.kept.len(), (0, 0.0));
        // What the cells hold; loads that do not wait for each other.
        let mut strong = 0;
        for &index in &located.kept {
            let i = index as usize;
            let cell = &self.insonation.cells[located.cell[i] as usize];
            let mark = scatterers.mark[i];
            let share = shares[located.depth[i] as usize][usize::from(mark.abs() > 1.5)];
            let share = share * tables.speckle_gain(cell.variant, located.depth[i] as usize);
            let amplitude = strengths[self.medium.index(cell.medium)] * cell.amplitude * share;
            located.strong[strong] = (index, amplitude.copysign(mark));
            strong += usize::from(amplitude > LEAST_STRENGTH);
        }
        echoes.reserve(strong);
        let lines_per_path = 1.0 / division.paths_per_line as f32;
        let lines = self.grid.lines;
        let closed = matches!(self.grid.shape, Shape::Fan { closed: true, .. });
        for &(index, amplitude) in &located.strong[..strong] {
            let i = index as usize;
            let cell = &self.insonation.cells[located.cell[i] as usize];
            let depth = located.depth[i] as usize;
            let profile = tables.elevation_near(depth, e_list[i] - cell.lift_mm());
            if profile.norm_sqr() < ELEVATION_EDGE * ELEVATION_EDGE {
                continue;
            }
            let mut line = (located.at[i] + cell.aside()) * lines_per_path;
            if closed && line < -0.5 {
                line += lines as f32;
            }
            let near = (line + 0.5).max(0.0) as i32 as usize;
            let near = if closed { near % lines } else { near };
            let row = tables.row(near, cell.variant, depth);
            let mut complex = (profile.re * amplitude, profile.im * amplitude);
            if let Some(tick) = self.flow_tick
                && self.medium.material(cell.medium).flows
            {
                let place = [0, 1, 2].map(|axis| scatterers.place[axis][i].to_bits());
                let hash = hash3(place[0], place[1], place[2], tick);
                let (sine, cosine) = sin_cos_turns(hash as f32 * (1.0 / 4_294_967_296.0));
                complex = (
                    complex.0 * cosine - complex.1 * sine,
                    complex.0 * sine + complex.1 * cosine,
                );
            }
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
    paths: i32,
    closed: bool,
}

/// Where the scatterers of a tile lie among the cells.
#[derive(Debug, Default)]
struct Locations {
    /// Along the scan, in paths.
    at: Vec<f32>,
    cell: Vec<u32>,
    depth: Vec<u32>,
    inside: Vec<u32>,
    /// Those inside the tile.
    kept: Vec<u32>,
    /// Those of them that sound reaches, and their amplitude.
    strong: Vec<(u32, f32)>,
}

impl Locations {
    fn find(&mut self, beam: Lists<'_>, frame: &Frame) {
        let count = beam.0.len();
        self.at.resize(count, 0.0);
        for list in [
            &mut self.cell,
            &mut self.depth,
            &mut self.inside,
            &mut self.kept,
        ] {
            list.resize(count, 0);
        }
        let cells = (&mut *self.cell, &mut *self.depth, &mut *self.inside);
        locate(beam, frame, &mut self.at, cells);
        let mut kept = 0;
        for (index, &inside) in self.inside.iter().enumerate() {
            self.kept[kept] = index as u32;
            kept += inside as usize;
        }
        self.kept.truncate(kept);
    }
}

type Cells<'a> = (&'a mut [u32], &'a mut [u32], &'a mut [u32]);

wide! {
    fn locate(beam: Lists<'_>, frame: &Frame, at: &mut [f32], cells: Cells<'_>) {
        let middle = (frame.slices / 2) as f32 + 0.5;
        let count = at.len();
        let (u, z, e) = (&beam.0[..count], &beam.1[..count], &beam.2[..count]);
        let (all_cells, all_depths, all_insides) = cells;
        let (cells, depths) = (&mut all_cells[..count], &mut all_depths[..count]);
        let insides = &mut all_insides[..count];
        let (last_slice, last_node) = ((frame.slices - 1) as f32, (frame.nodes - 1) as f32);
        let (last_depth, last_path) = ((frame.depths - 1) as f32, (frame.paths - 1) as f32);
        let turn = if frame.closed { frame.paths as f32 } else { 0.0 };
        let (nodes, paths) = (frame.nodes as u32, frame.paths as u32);
        for i in 0..count {
            let inside = (u[i] >= frame.u.0) & (u[i] < frame.u.1)
                & (z[i] >= frame.z_mm.0) & (z[i] < frame.z_mm.1);
            let place = (u[i] - frame.first) * frame.paths_per_u;
            at[i] = place;
            let place = if place < -0.5 { place + turn } else { place };
            let slice = cut(e[i] * frame.slices_per_mm + middle, last_slice);
            let path = cut(place + 0.5, last_path);
            let node = cut(z[i] * frame.nodes_per_mm + 0.5, last_node);
            cells[i] = (slice * paths + path) * nodes + node;
            depths[i] = cut(z[i] * frame.depths_per_mm + 0.5, last_depth);
            insides[i] = u32::from(inside);
        }
    }
}

/// The whole part of a number, held between 0 and `last`.
#[inline(always)]
fn cut(value: f32, last: f32) -> u32 {
    let held = if value > 0.0 { value } else { 0.0 };
    let held = if held < last { held } else { last };
    held as i32 as u32
}

/// Echoes weaker than this are below every noise floor: −160 dB.
const LEAST_STRENGTH: f32 = 1e-8;

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
