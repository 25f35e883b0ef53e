//! Which samples each pixel shows: worked out once per setting.

use std::sync::Arc;

use equipment::Console;
use geometry::Point;
use geometry::frame::Probe as ProbeFrame;
use rayon::prelude::*;

use super::grade::stride;
use super::picture::{Picture, PictureGeometry, PictureSize};
use crate::grid::{ScanGrid, Shape};

/// Weights are in units of 2⁻¹⁴, so that a pair of them times a pair of grey steps fits 32 bits.
pub(super) const WEIGHT_BITS: u32 = 14;
/// Weight of 1.
pub(super) const ONE: u32 = 1 << WEIGHT_BITS;

const LONGEST_SIDE: usize = 8192;

/// Tables of a picture.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) geometry: PictureGeometry,
    pub(super) mask: Arc<[u8]>,
    /// Stretches of pixels that show the same looks, row after row.
    runs: Vec<Run>,
    /// Where the runs of each row begin, and where those of the last one end.
    rows: Vec<usize>,
    /// Of each run, which entries of which look it shows.
    pieces: Vec<Piece>,
    pub(super) tables: Vec<Table>,
}

/// Neighbouring pixels of a row that show the same looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) x: usize,
    pub(super) length: usize,
    first_piece: usize,
    pieces: usize,
}

/// The entries of a look that a run shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) look: usize,
    pub(super) first: usize,
}

/// What pixels show of one look: entries in the order of the runs.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Length of a line in the plane.
    pub(super) stride: usize,
    /// Index in the plane of the sample before the pixel, in the line before it.
    base: Vec<u32>,
    /// Weight of the next sample in the low half, of the next line in the high one.
    weights: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    base: u32,
    weights: u32,
}

impl Table {
    fn new(grid: &ScanGrid) -> Self {
        Self {
            stride: stride(grid).unwrap_or(0),
            base: Vec::new(),
            weights: Vec::new(),
        }
    }

    fn push(&mut self, entry: Entry) {
        self.base.push(entry.base);
        self.weights.push(entry.weights);
    }

    /// Entries from `first` on.
    pub(super) fn entries(&self, first: usize, length: usize) -> (&[u32], &[u32]) {
        let range = first..first + length;
        (&self.base[range.clone()], &self.weights[range])
    }
}

/// Line and sample next to an entry.
pub(super) fn nearest(base: u32, weights: u32, stride: u32) -> (u32, u32) {
    let half = ONE / 2;
    (
        base / stride + u32::from(weights >> 16 >= half),
        base % stride + u32::from(weights & 0xffff >= half),
    )
}

impl Layout {
    pub(super) fn new(grids: &[Arc<ScanGrid>], console: &Console, size: PictureSize) -> Self {
        let geometry = fit(grids.first().map(Arc::as_ref), console, size);
        let mut layout = Self {
            geometry,
            mask: Arc::from([]),
            runs: Vec::new(),
            rows: vec![0],
            pieces: Vec::new(),
            tables: grids.iter().map(|grid| Table::new(grid)).collect(),
        };
        let rows: Vec<Vec<Vec<Option<Entry>>>> = (0..geometry.height)
            .into_par_iter()
            .map(|y| grids.iter().map(|g| row_of(g, &geometry, y)).collect())
            .collect();
        let mut mask = vec![0; geometry.len()];
        for (row, mask) in rows.iter().zip(mask.chunks_exact_mut(geometry.width)) {
            layout.append(row, mask);
        }
        layout.mask = Arc::from(mask);
        layout
    }

    /// Appends a row: the entries of each look at each pixel.
    fn append(&mut self, looks: &[Vec<Option<Entry>>], mask: &mut [u8]) {
        let covering = |x: usize| looks.iter().map(move |look| look[x].is_some());
        let mut open = false;
        for (x, mask) in mask.iter_mut().enumerate() {
            let inside = covering(x).next() == Some(true);
            if !inside {
                open = false;
                continue;
            }
            *mask = 255;
            if !open || !covering(x).eq(covering(x - 1)) {
                self.open_run(x, covering(x));
                open = true;
            }
            if let Some(run) = self.runs.last_mut() {
                run.length += 1;
            }
            for (look, table) in looks.iter().zip(&mut self.tables) {
                look[x].into_iter().for_each(|entry| table.push(entry));
            }
        }
        self.rows.push(self.runs.len());
    }

    fn open_run(&mut self, x: usize, covering: impl Iterator<Item = bool>) {
        let first_piece = self.pieces.len();
        for (look, _) in covering.enumerate().filter(|&(_, covers)| covers) {
            let first = self.tables[look].base.len();
            self.pieces.push(Piece { look, first });
        }
        self.runs.push(Run {
            x,
            length: 0,
            first_piece,
            pieces: self.pieces.len() - first_piece,
        });
    }

    /// The runs of a row.
    pub(super) fn runs(&self, y: usize) -> &[Run] {
        &self.runs[self.rows[y]..self.rows[y + 1]]
    }

    /// What a run shows.
    pub(super) fn pieces(&self, run: &Run) -> &[Piece] {
        &self.pieces[run.first_piece..run.first_piece + run.pieces]
    }

    /// Makes a picture one of this layout: black, unless it is one already.
    pub(super) fn adopt(&self, picture: &mut Picture) {
        let ours = Arc::ptr_eq(&picture.mask, &self.mask)
            && picture.geometry == self.geometry
            && picture.pixels.len() == self.geometry.len();
        if !ours {
            *picture = Picture::new(self.geometry, Arc::clone(&self.mask));
        }
    }
}

fn row_of(grid: &ScanGrid, geometry: &PictureGeometry, y: usize) -> Vec<Option<Entry>> {
    let Some(stride) = stride(grid) else {
        return vec![None; geometry.width];
    };
    (0..geometry.width)
        .map(|x| {
            let place = geometry.place_of_pixel(x as f64, y as f64);
            let (line, sample) = line_and_sample(grid, place)?;
            Some(entry(line, sample, stride))
        })
        .collect()
}

fn entry(line: f64, sample: f64, stride: usize) -> Entry {
    let weight = |v: f64| ((v - v.floor()) * f64::from(ONE)).round() as u32;
    Entry {
        base: (line.floor() as usize * stride + sample.floor() as usize) as u32,
        weights: weight(sample) | weight(line) << 16,
    }
}

/// Line and sample, in fractions, that lie at a place; `None` if the look does not cover it. A line
/// stands for half the way to its neighbours, the outermost ones as far to the outside; so do
/// samples. Out there the outermost ones' values hold. In a full turn, lines run on to `lines`,
/// which is line 0 again.
pub(super) fn line_and_sample(grid: &ScanGrid, place: Point<ProbeFrame>) -> Option<(f64, f64)> {
    let [u, z_mm, _] = grid.beam_coordinates(place);
    let sample = within(z_mm / grid.sample_mm, grid.samples)?;
    let line = match grid.shape {
        Shape::Parallel { .. } => within(grid.line_of_u(u), grid.lines)?,
        Shape::Fan { closed: false, .. } => within(line_in_turn(grid, u, true), grid.lines)?,
        Shape::Fan { closed: true, .. } => {
            let line = line_in_turn(grid, u, false);
            // Just below a full turn the last line's neighbour is line 0.
            line.is_finite().then(|| line.min(below(grid.lines)))?
        }
    };
    Some((line, sample))
}

/// The line at an angle, which is known but for full turns: from line 0 on, or the one nearest to
/// the middle of the fan.
fn line_in_turn(grid: &ScanGrid, u: f64, about_middle: bool) -> f64 {
    let turn = (std::f64::consts::TAU / grid.pitch).abs();
    let start = if about_middle {
        (grid.lines as f64 - 1.0) / 2.0 - turn / 2.0
    } else {
        0.0
    };
    let beyond = grid.line_of_u(u) - start;
    start + (beyond - turn * (beyond / turn).floor())
}

/// Greatest number below a whole one.
fn below(lines: usize) -> f64 {
    (lines as f64).next_down()
}

fn within(place: f64, count: usize) -> Option<f64> {
    let last = count as f64 - 1.0;
    (place >= -0.5 && place <= last + 0.5).then(|| place.clamp(0.0, last))
}

/// Where pixels lie: the part that is zoomed in, else the whole area of the first look as large as
/// it fits, at the top (a full turn in the middle).
fn fit(grid: Option<&ScanGrid>, console: &Console, size: PictureSize) -> PictureGeometry {
    let width = size.width.clamp(1, LONGEST_SIDE);
    let height = size.height.clamp(1, LONGEST_SIDE);
    let (mm_per_pixel, middle_mm) = match console.zoom {
        Some(zoom) => (zoom.height_mm / height as f64, zoom.center_mm.into()),
        None => fit_whole(grid, width, height),
    };
    let sane = mm_per_pixel.is_finite() && mm_per_pixel > 0.0;
    let mut geometry = PictureGeometry {
        width,
        height,
        mm_per_pixel: if sane { mm_per_pixel } else { 1.0 },
        origin_mm: [0.0, 0.0],
        x_to_right: console.flip_lateral,
        z_down: !console.flip_axial,
    };
    let center = geometry.place_of_pixel((width - 1) as f64 / 2.0, (height - 1) as f64 / 2.0);
    geometry.origin_mm = [middle_mm[0] - center.x(), middle_mm[1] - center.z()];
    geometry
}

/// Side of a pixel and the middle of the picture (x, z), mm.
fn fit_whole(grid: Option<&ScanGrid>, width: usize, height: usize) -> (f64, [f64; 2]) {
    let (low, high) = grid.map_or(([0.0; 2], [1.0; 2]), extent_mm);
    let across = (high[0] - low[0]) / width as f64;
    let down = (high[1] - low[1]) / height as f64;
    let mm_per_pixel = across.max(down);
    let closed = grid.is_some_and(|g| matches!(g.shape, Shape::Fan { closed: true, .. }));
    let z_mm = if closed {
        (low[1] + high[1]) / 2.0
    } else {
        low[1] + mm_per_pixel * height as f64 / 2.0
    };
    (mm_per_pixel, [(low[0] + high[0]) / 2.0, z_mm])
}

/// Least and greatest probe (x, z) of the area that a look covers, mm.
fn extent_mm(grid: &ScanGrid) -> ([f64; 2], [f64; 2]) {
    let margin_mm = grid.sample_mm / 2.0;
    let near_mm = match grid.shape {
        Shape::Parallel { .. } => -margin_mm,
        // Nothing lies before the apex.
        Shape::Fan { radius_mm, .. } => -margin_mm.min(radius_mm),
    };
    let ends_mm = [near_mm, grid.depth_mm() + margin_mm];
    let first = grid.u_of_line(-0.5);
    let last = grid.u_of_line(grid.lines as f64 - 0.5);
    let mut us = vec![first, last];
    if matches!(grid.shape, Shape::Fan { .. }) {
        // An arc reaches farthest where it runs along an axis.
        let quarter = std::f64::consts::FRAC_PI_2;
        us.extend(
            (-8..=8)
                .map(|k| f64::from(k) * quarter)
                .filter(|&u| (u - first) * (u - last) < 0.0),
        );
    }
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for u in us {
        for z_mm in ends_mm {
            let place = grid.place(u, z_mm, 0.0);
            for (axis, value) in [place.x(), place.z()].into_iter().enumerate() {
                low[axis] = low[axis].min(value);
                high[axis] = high[axis].max(value);
            }
        }
    }
    (low, high)
}
