//! Echoes of tissue: the scatterers of a stretch of the slice, as the paths and the beam show them.

use geometry::frame::{self, Patient as PatientFrame};
use geometry::{Point, Pose};
use nalgebra::{Matrix3, Vector3};

use crate::angle::atan2;
use crate::displacement::{Displacement, Field};
use crate::grid::{ScanGrid, Shape};
use crate::insonation::{Cell, Division, Insonation};
use crate::medium::{Medium, MediumId};
use crate::simd::wide;
use crate::speckle::{Lattice, Scatterers, Tile, hash3};
use crate::splat::{Echoes, sin_cos_turns};
use crate::tables::Tables;

/// A stretch of depth that one task works on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Band {
    pub z_mm: (f64, f64),
    /// Level of the scatterers.
    pub level: u32,
    /// Share of those that the next level drops that stays, by power, at both ends; in between it
    /// changes evenly.
    staying: (f32, f32),
}

impl Band {
    /// Share of the scatterers that the next level drops that stays at a depth.
    fn staying_at(&self, z_mm: f64) -> f32 {
        let along = (z_mm - self.z_mm.0) / (self.z_mm.1 - self.z_mm.0);
        self.staying.0 + (self.staying.1 - self.staying.0) * along as f32
    }
}

/// How many scatterers each depth needs. Follows from the setting.
#[derive(Clone, Debug)]
pub(crate) struct Thinning {
    pub lattice: Lattice,
    pub bands: Vec<Band>,
    /// Fewest scatterers per resolution cell.
    pub least_per_cell: f32,
}

/// Thickness of bands, mm: few enough tasks to be cheap, many enough to share out.
const BANDS: usize = 24;

impl Thinning {
    /// From the resolution cells' volumes at the beam's depth nodes, mm³.
    pub fn new(cell_mm3: &[f64], depth_step_mm: f64, depth_mm: f64, per_cell: f64) -> Self {
        // A hair more, for what lies between the beam's depth nodes.
        let per_cell = 1.01 * per_cell;
        let smallest = cell_mm3.iter().copied().fold(f64::INFINITY, f64::min);
        let lattice = Lattice::new(per_cell / smallest, 0);
        // How many halvings of level 0 still leave enough scatterers.
        let halvings_at = |z: f64| {
            let cell = cell_mm3[node_of(z, depth_step_mm, cell_mm3.len())];
            libm::log2(lattice.density(0) * cell / per_cell).max(0.0)
        };
        let bands: Vec<Band> = (0..BANDS)
            .map(|band| {
                let end = |band: usize| depth_mm * band as f64 / BANDS as f64;
                band_of((end(band), end(band + 1)), halvings_at)
            })
            .collect();
        let nodes = cell_mm3.iter().enumerate();
        let least = nodes.map(|(node, cell)| {
            let z = node as f64 * depth_step_mm;
            let of = |band: &&Band| z < band.z_mm.1;
            let band = bands.iter().find(of).unwrap_or(&bands[BANDS - 1]);
            lattice.density(band.level) * alike(band.staying_at(z.min(depth_mm))) * cell
        });
        let least_per_cell = least.fold(f64::INFINITY, f64::min) as f32;
        Self {
            lattice,
            bands,
            least_per_cell,
        }
    }

    /// The same with scatterers of another seed.
    pub fn seeded(&self, seed: u64) -> Self {
        Self {
            lattice: self.lattice.seeded(seed),
            ..self.clone()
        }
    }
}

/// A band with enough scatterers everywhere.
fn band_of(z_mm: (f64, f64), halvings_at: impl Fn(f64) -> f64) -> Band {
    const STEPS: u32 = 64;
    let at = |step: u32| z_mm.0 + (z_mm.1 - z_mm.0) * f64::from(step) / f64::from(STEPS);
    let least = (0..=STEPS)
        .map(at)
        .map(&halvings_at)
        .fold(f64::INFINITY, f64::min);
    let level = libm::floor(least);
    let needed = |z: f64| {
        let surplus = (halvings_at(z) - level).clamp(0.0, 1.0);
        (2.0 * libm::exp2(-surplus) - 1.0) as f32
    };
    let mut band = Band {
        z_mm,
        level: level as u32,
        staying: (needed(z_mm.0), needed(z_mm.1)),
    };
    let lacking = |step: u32| needed(at(step)) - band.staying_at(at(step));
    // A little more, for what lies between the steps.
    let more = (0..=STEPS).map(lacking).fold(0.0, f32::max) + 0.01;
    band.staying.0 = (band.staying.0 + more).min(1.0);
    band.staying.1 = (band.staying.1 + more).min(1.0);
    band
}

/// Marks over which scatterers fade out.
const FADING: f32 = 0.125;

/// Power of the scatterer with a mark where a share of those that the next level drops stays, by
/// power; all together keep theirs.
#[inline(always)]
fn power_of(mark: f32, share: f32) -> f32 {
    // How far up the marks they stay: the ramp down from 1 to 0 may be cut off at either end.
    let few = (2.0 * FADING * share).sqrt();
    let many = 1.0 + FADING - (2.0 * FADING * (1.0 - share)).sqrt();
    let some = share + 0.5 * FADING;
    let reach = if share < 0.5 * FADING { few } else { some };
    let reach = if share > 1.0 - 0.5 * FADING {
        many
    } else {
        reach
    };
    let stays = (2.0 + reach - mark.abs()) * (1.0 / FADING);
    let stays = if stays > 0.0 { stays } else { 0.0 };
    let stays = if stays < 1.0 { stays } else { 1.0 };
    stays * 2.0 / (1.0 + share)
}

/// Share of a level's scatterers that, counting alike, would make the same speckle: the square of the
/// mean power over the mean squared power.
fn alike(share: f32) -> f64 {
    const MARKS: u32 = 1000;
    let kept = f64::from(power_of(1.0, share));
    let (mut sum, mut squares) = (kept, kept * kept);
    for mark in 0..MARKS {
        let power = f64::from(power_of(2.0 + (mark as f32 + 0.5) / MARKS as f32, share));
        sum += power / f64::from(MARKS);
        squares += power * power / f64::from(MARKS);
    }
    0.5 * sum * sum / squares
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
    /// By medium number: the tile's echoes of textured tissue.
    textured: Vec<Textured>,
    /// `[variant][depth]`: amplitude of speckle.
    gains: Vec<f32>,
    media_echoes: Vec<MediumEchoes>,
    texture_gains: Vec<f32>,
}

/// Echoes of one textured medium.
#[derive(Debug, Default)]
struct Textured {
    /// Which of the band's echoes.
    echo: Vec<u32>,
    /// Tissue coordinates of their scatterers, mm.
    place: [Vec<f32>; 3],
}

impl Textured {
    fn clear(&mut self) {
        self.echo.clear();
        self.place.iter_mut().for_each(Vec::clear);
    }
}

/// How a medium's scatterers echo in a band.
#[derive(Clone, Copy, Debug)]
struct MediumEchoes {
    strength: f32,
    flows: bool,
    is_textured: bool,
}

/// A scatterer that sound reaches.
#[derive(Clone, Copy, Debug, Default)]
struct Strong {
    /// Its place in the lists.
    index: u32,
    /// How far it lies beside the path in elevation, mm.
    lift_mm: f32,
    amplitude: f32,
}

/// Scatterers are looked for at most so far out of the slice's own place, mm.
const MOST_LIFT_MM: f32 = 4.0;

/// Scatterers are looked for where paths go that carry at least this share of the loudest.
const FOLLOWED: f32 = 0.05;

/// Scatterers worked on at a time: their lists stay in the nearest cache.
const STRETCH: usize = 512;

/// An amplitude turned by chance.
#[inline(always)]
fn flown((re, im): (f32, f32), hash: u32) -> (f32, f32) {
    let (sine, cosine) = sin_cos_turns(hash as f32 * (1.0 / 4_294_967_296.0));
    (re * cosine - im * sine, re * sine + im * cosine)
}

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
        self.prepare(band, memory);
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
        let (in_probe, tile) = self.tile_box(band, u, lifts_mm);
        let frame = self.frame(band, u, lifts_mm);
        match self.displacement {
            None => self.layer(band, (&in_probe, tile), &frame, None, memory, echoes),
            Some(displacement) => {
                for layer in 0..displacement.layers() {
                    let shown = self.show(displacement, layer, (band, u), memory);
                    if shown {
                        let field = Some(displacement.field(layer));
                        self.layer(band, (&in_probe, tile), &frame, field, memory, echoes);
                    }
                }
            }
        }
    }

    /// Lets only the media of a layer echo; false if none of them is in the tile.
    fn show(
        &self,
        displacement: &Displacement,
        layer: usize,
        (band, u): (&Band, (f64, f64)),
        memory: &mut TissueMemory,
    ) -> bool {
        if displacement.layers() == 1 {
            return true;
        }
        let is_of = |index: usize| displacement.layer_of(index as MediumId) == layer;
        let nodes = self.cells_along(band);
        let mut cells = self
            .rows_across(u, 1)
            .flat_map(|row| nodes.clone().map(move |n| row + n));
        let is_there = cells.any(|index| {
            let cell = &self.insonation.cells[index];
            is_of(self.medium.index(cell.medium))
        });
        if is_there {
            self.prepare_strengths(band, memory, is_of);
        }
        is_there
    }

    /// The echoes of a tile's media that move with one field.
    fn layer(
        &self,
        band: &Band,
        (in_probe, mut tile): (&Vector3<f64>, Tile),
        frame: &Frame,
        field: Option<&Field>,
        memory: &mut TissueMemory,
        echoes: &mut Echoes,
    ) {
        let center = tile.center;
        if let Some(field) = field {
            field.widen(&mut tile);
        }
        let lattice = &self.thinning.lattice;
        let cells = memory.scatterers.list(lattice, band.level, &tile);
        for first in (0..cells).step_by(STRETCH) {
            let stretch = first..(first + STRETCH).min(cells);
            memory
                .scatterers
                .settle(lattice, band.level, &tile, stretch);
            if let Some(field) = field {
                let rest = &memory.scatterers.place;
                field.move_places(tile.center, center, rest, &mut memory.moved);
            }
            self.find_in_beam(in_probe, memory);
            let TissueMemory {
                beam: [u, z, e],
                located,
                scatterers,
                ..
            } = memory;
            located.find((u, z, e), &scatterers.mark, frame);
            self.choose(&tile.center, memory, echoes);
        }
        self.texture(memory, echoes);
    }

    /// Beam coordinates of the scatterers; `center` is the tile's in the probe's frame.
    fn find_in_beam(&self, center: &Vector3<f64>, memory: &mut TissueMemory) {
        let rotation = self.patient_from_probe.isometry.rotation;
        let turn = rotation
            .inverse()
            .to_rotation_matrix()
            .matrix()
            .map(|c| c as f32);
        let offset = center.map(|c| c as f32);
        let count = memory.scatterers.mark.len();
        let [u_list, z_list, e_list] = &mut memory.beam;
        for list in [&mut *u_list, z_list, e_list] {
            list.resize(count, 0.0);
        }
        let [x, y, z] = match self.displacement {
            Some(_) => &memory.moved,
            None => &memory.scatterers.place,
        };
        let (places, out) = (
            (&x[..], &y[..], &z[..]),
            (&mut u_list[..], &mut z_list[..], &mut e_list[..]),
        );
        match self.grid.shape {
            Shape::Parallel { steer_rad } => {
                let steer = (
                    libm::tan(steer_rad) as f32,
                    (1.0 / libm::cos(steer_rad)) as f32,
                );
                parallel_coordinates(places, &turn, &offset, steer, out);
            }
            Shape::Fan { radius_mm, .. } => {
                fan_coordinates(places, &turn, &offset, radius_mm as f32, out);
            }
        }
    }

    /// How a tile's beam coordinates are cut into cells.
    fn frame(&self, band: &Band, u: (f64, f64), lifts_mm: (f64, f64)) -> Frame {
        let (division, tables) = (self.division, self.tables);
        let slope = (band.staying.1 - band.staying.0) / (band.z_mm.1 - band.z_mm.0) as f32;
        Frame {
            u: (u.0 as f32, u.1 as f32),
            z_mm: (band.z_mm.0 as f32, band.z_mm.1 as f32),
            e_mm: (lifts_mm.0 as f32, lifts_mm.1 as f32),
            staying: (band.staying.0, slope),
            first: self.grid.first as f32,
            paths_per_u: (division.paths_per_line as f64 / self.grid.pitch) as f32,
            nodes_per_mm: (1.0 / division.node_mm) as f32,
            depths_per_mm: (1.0 / tables.depth_step_mm) as f32,
            slices_per_mm: (1.0 / division.slice_mm) as f32,
            nodes: division.nodes as i32,
            depths: tables.depths as i32,
            slices: division.slices as i32,
            paths: division.paths as i32,
            closed: matches!(self.grid.shape, Shape::Fan { closed: true, .. }),
        }
    }

    /// Between which elevations scatterers count, mm: the beam's reach about where paths have been
    /// bent to.
    /// None where nothing echoes.
    fn elevation_reach(&self, band: &Band, u: (f64, f64)) -> Option<(f64, f64)> {
        let beam = self.tables.elevation_edge_mm[self.nodes_of(band)]
            .iter()
            .copied()
            .fold(0.0, f64::max);
        let nodes = self.cells_along(band).step_by(8);
        let rows = self.rows_across(u, 3);
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

    /// The cells of a path in a band.
    fn cells_along(&self, band: &Band) -> std::ops::RangeInclusive<usize> {
        let division = self.division;
        let cell = |z: f64| ((z / division.node_mm) as usize).min(division.nodes - 1);
        cell(band.z_mm.0)..=cell(band.z_mm.1)
    }

    /// Where the cells of every so many-th path between two places along the scan begin, slice by
    /// slice.
    fn rows_across(&self, u: (f64, f64), step: usize) -> impl Iterator<Item = usize> + Clone {
        let division = self.division;
        let path = |u: f64| {
            let at = self.grid.line_of_u(u) * division.paths_per_line as f64;
            (at.max(0.0) as usize).min(division.paths - 1)
        };
        let paths = (path(u.0)..=path(u.1)).step_by(step);
        (0..division.slices).flat_map(move |slice| {
            paths
                .clone()
                .map(move |path| (slice * division.paths + path) * division.nodes)
        })
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

    /// Scatterers found that sound reaches become echoes, without their texture.
    fn choose(&self, center: &Vector3<f64>, memory: &mut TissueMemory, echoes: &mut Echoes) {
        let TissueMemory {
            scatterers,
            beam: [_, z_list, e_list],
            located,
            textured,
            gains,
            media_echoes,
            ..
        } = memory;
        let (division, tables) = (self.division, self.tables);
        let depths = tables.depths;
        // What the cells hold. All is worked out for all, and kept or not at the end: loads do not
        // wait for each other, and nothing is guessed wrong.
        located.strong.resize(located.kept.len(), Strong::default());
        let mut count = 0;
        for &index in &located.kept {
            let i = index as usize;
            let depth = located.depth[i] as usize;
            let cell = &self.insonation.cells[located.cell[i] as usize];
            let gain = gains[usize::from(cell.variant) * depths + depth];
            let strength = media_echoes[self.medium.index(cell.medium)].strength;
            let amplitude = strength * cell.amplitude * gain * located.weight[i];
            let lift_mm = e_list[i] - cell.lift_mm();
            located.strong[count] = Strong {
                index,
                lift_mm,
                amplitude,
            };
            let is_loud = amplitude.abs() > LEAST_STRENGTH;
            count += usize::from(is_loud & tables.is_within_elevation(depth, lift_mm));
        }
        let strong = &located.strong[..count];
        let start = echoes.len() as u32;
        let center = center.map(|c| c as f32);
        let lines_per_path = 1.0 / division.paths_per_line as f32;
        let lines = self.grid.lines;
        let closed = matches!(self.grid.shape, Shape::Fan { closed: true, .. });
        for (echo, (strong, out)) in (start..).zip(strong.iter().zip(echoes.grow(count))) {
            let i = strong.index as usize;
            let cell = &self.insonation.cells[located.cell[i] as usize];
            let depth = located.depth[i] as usize;
            let profile = tables.elevation_near(depth, strong.lift_mm);
            let mut line = (located.at[i] + cell.aside()) * lines_per_path;
            if closed && line < -0.5 {
                line += lines as f32;
            }
            let near = (line + 0.5).max(0.0) as i32 as usize;
            let near = if closed { near % lines } else { near };
            let mut complex = (profile.re * strong.amplitude, profile.im * strong.amplitude);
            let medium = self.medium.index(cell.medium);
            if let Some(tick) = self.flow_tick
                && media_echoes[medium].flows
            {
                let place = [0, 1, 2].map(|axis| scatterers.place[axis][i].to_bits());
                complex = flown(complex, hash3(place[0], place[1], place[2], tick));
            }
            *out.line = line;
            *out.delay_mm = z_list[i] + cell.shift_mm;
            (*out.re, *out.im) = complex;
            *out.row = tables.row(near, cell.variant, depth);
            if media_echoes[medium].is_textured {
                let textured = &mut textured[medium];
                textured.echo.push(echo);
                for (axis, list) in textured.place.iter_mut().enumerate() {
                    list.push(scatterers.place[axis][i] + center[axis]);
                }
            }
        }
    }

    /// What holds for a whole band.
    fn prepare(&self, band: &Band, memory: &mut TissueMemory) {
        let tables = self.tables;
        memory.gains.clear();
        let variants = 0..tables.variants() as u8;
        let gains = variants.flat_map(|variant| {
            (0..tables.depths).map(move |depth| tables.speckle_gain(variant, depth))
        });
        memory.gains.extend(gains);
        self.prepare_strengths(band, memory, |_| true);
        memory
            .textured
            .resize_with(self.strengths.len(), Textured::default);
        memory.textured.iter_mut().for_each(Textured::clear);
    }

    /// How the media echo in a band; those that are not shown are silent.
    fn prepare_strengths(
        &self,
        band: &Band,
        memory: &mut TissueMemory,
        is_shown: impl Fn(usize) -> bool,
    ) {
        let density = self.thinning.lattice.density(band.level);
        memory.media_echoes.clear();
        let media = self.strengths.iter().enumerate();
        let media = media.map(|(index, strength)| MediumEchoes {
            strength: match is_shown(index) {
                true => strength / density.sqrt() as f32,
                false => 0.0,
            },
            flows: self.medium.material_at(index).flows,
            is_textured: self.medium.texture_at(index).is_some(),
        });
        memory.media_echoes.extend(media);
    }

    /// The depth nodes of a band.
    fn nodes_of(&self, band: &Band) -> std::ops::RangeInclusive<usize> {
        let node = |z: f64| node_of(z, self.tables.depth_step_mm, self.tables.depths);
        node(band.z_mm.0)..=node(band.z_mm.1)
    }

    /// Multiplies the tile's echoes by their tissues' textures.
    fn texture(&self, memory: &mut TissueMemory, echoes: &mut Echoes) {
        let gains = &mut memory.texture_gains;
        for (index, textured) in memory.textured.iter_mut().enumerate() {
            let Some(texture) = self.medium.texture_at(index) else {
                continue;
            };
            if textured.echo.is_empty() {
                continue;
            }
            gains.clear();
            gains.resize(textured.echo.len(), 1.0);
            let [x, y, z] = &textured.place;
            texture.gains(x, y, z, gains);
            for (&echo, &gain) in textured.echo.iter().zip(gains.iter()) {
                echoes.re[echo as usize] *= gain;
                echoes.im[echo as usize] *= gain;
            }
            textured.clear();
        }
    }
}

/// How beam coordinates are cut into cells.
struct Frame {
    u: (f32, f32),
    z_mm: (f32, f32),
    e_mm: (f32, f32),
    /// Share of the scatterers that the next level drops that stays: at the near end, and more by mm.
    staying: (f32, f32),
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
    /// Amplitude by the scatterers' density, with their sign.
    weight: Vec<f32>,
    /// Those inside the tile, by their place in the lists.
    kept: Vec<u32>,
    /// Those of them that sound reaches.
    strong: Vec<Strong>,
}

impl Locations {
    fn find(&mut self, beam: Lists<'_>, marks: &[f32], frame: &Frame) {
        let count = beam.0.len();
        self.at.resize(count, 0.0);
        self.weight.resize(count, 0.0);
        for list in [&mut self.cell, &mut self.depth, &mut self.inside] {
            list.resize(count, 0);
        }
        let cells = (&mut *self.cell, &mut *self.depth, &mut *self.inside);
        locate(beam, marks, frame, (&mut self.at, &mut self.weight), cells);
        self.kept.resize(count, 0);
        let mut kept = 0;
        for (index, &inside) in (0..).zip(&self.inside) {
            self.kept[kept] = index;
            kept += inside as usize;
        }
        self.kept.truncate(kept);
    }
}

type Cells<'a> = (&'a mut [u32], &'a mut [u32], &'a mut [u32]);

wide! {
    fn locate(
        beam: Lists<'_>,
        marks: &[f32],
        frame: &Frame,
        places: (&mut [f32], &mut [f32]),
        cells: Cells<'_>,
    ) {
        let (at, all_weights) = places;
        let middle = (frame.slices / 2) as f32;
        let count = at.len();
        let (u, z, e) = (&beam.0[..count], &beam.1[..count], &beam.2[..count]);
        let (marks, weights) = (&marks[..count], &mut all_weights[..count]);
        let (all_cells, all_depths, all_insides) = cells;
        let (cells, depths) = (&mut all_cells[..count], &mut all_depths[..count]);
        let insides = &mut all_insides[..count];
        let (last_slice, last_node) = ((frame.slices - 1) as f32, (frame.nodes - 1) as f32);
        let (last_depth, last_path) = ((frame.depths - 1) as f32, (frame.paths - 1) as f32);
        let turn = if frame.closed { frame.paths as f32 } else { 0.0 };
        let (nodes, paths) = (frame.nodes as u32, frame.paths as u32);
        for i in 0..count {
            let inside = (u[i] >= frame.u.0) & (u[i] < frame.u.1)
                & (z[i] >= frame.z_mm.0) & (z[i] < frame.z_mm.1)
                & (e[i] > frame.e_mm.0) & (e[i] < frame.e_mm.1);
            let share = frame.staying.0 + frame.staying.1 * (z[i] - frame.z_mm.0);
            let share = if share > 0.0 { share } else { 0.0 };
            let share = if share < 1.0 { share } else { 1.0 };
            let power = power_of(marks[i], share);
            weights[i] = power.sqrt().copysign(marks[i]);
            let inside = inside & (power > 0.0);
            let place = (u[i] - frame.first) * frame.paths_per_u;
            at[i] = place;
            let place = if place < -0.5 { place + turn } else { place };
            let slice = nearest(e[i] * frame.slices_per_mm + middle, last_slice);
            let path = nearest(place, last_path);
            let node = nearest(z[i] * frame.nodes_per_mm, last_node);
            cells[i] = (slice * paths + path) * nodes + node;
            depths[i] = nearest(z[i] * frame.depths_per_mm, last_depth);
            insides[i] = u32::from(inside);
        }
    }
}

/// The whole number nearest to a value, held between 0 and `last`, which is below 2²².
#[inline(always)]
fn nearest(value: f32, last: f32) -> u32 {
    /// At 2²³ numbers are whole, and their last bits count up from 0.
    const WHOLE: f32 = 8_388_608.0;
    let held = if value > 0.0 { value } else { 0.0 };
    let held = if held < last { held } else { last };
    (held + WHOLE).to_bits() - WHOLE.to_bits()
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
