//! Which lines share a beam.

use crate::aperture::{Aperture, Line, Row};
use crate::grid::{ScanGrid, Shape};

/// Classes of lines with like apertures.
#[derive(Clone, Debug)]
pub(super) struct Classes {
    pub list: Vec<Class>,
    /// For each line its class and whether the class' profile is to be read from right to left.
    pub of_line: Vec<(u16, bool)>,
}

/// Lines with like apertures.
#[derive(Clone, Debug)]
pub(super) struct Class {
    /// u of the line that stands for all.
    pub u: f64,
    /// Whether the beam is the same on both sides.
    pub even: bool,
    /// How far, in lines, the image reaches from lines of the class to the left and to the right,
    /// as the class' profile is read.
    pub reach: [usize; 2],
}

/// A line that may stand for others, and the range of u around it that is like it.
#[derive(Clone, Copy, Debug)]
struct Stand {
    u: f64,
    like: [f64; 2],
}

/// At most so many classes beside the middle one.
const SIDE_CLASSES: usize = 4;
/// Lines nearer than this share of the half face share a class, and...
const LEAST_SHARE: f64 = 0.04;
/// ...steered lines nearer than this angle, rad.
const LEAST_ANGLE_RAD: f64 = 0.06;

impl Classes {
    pub fn new(grid: &ScanGrid, aperture: &Aperture) -> Self {
        match aperture {
            Aperture::Disc(_) => Self::alike(grid),
            Aperture::Row(row) => Self::of_row(grid, row),
        }
    }

    /// All lines are alike, and even.
    fn alike(grid: &ScanGrid) -> Self {
        let stand = Stand {
            u: 0.0,
            like: [f64::NEG_INFINITY, f64::INFINITY],
        };
        let mut classes = Self::assign(grid, &[stand], false);
        for class in &mut classes.list {
            class.even = true;
        }
        classes
    }

    fn of_row(grid: &ScanGrid, row: &Row) -> Self {
        let mirrored = row.sends_evenly()
            && match grid.shape {
                Shape::Parallel { steer_rad } => steer_rad == 0.0,
                Shape::Fan { .. } => true,
            };
        let us: Vec<f64> = (0..grid.lines.max(1))
            .map(|line| grid.u_of_line(line as f64))
            .map(|u| if mirrored { u.abs() } else { u })
            .collect();
        let low = us.iter().copied().fold(f64::INFINITY, f64::min);
        let high = us.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (free, least) = free_and_least(grid, row);
        let mut stands = Vec::new();
        if low <= free + least && high >= -free - least {
            stands.push(Stand {
                u: 0.0,
                like: [-free, free],
            });
        }
        let most = if mirrored {
            SIDE_CLASSES
        } else {
            SIDE_CLASSES / 2
        };
        stands.extend(side(free.max(low), high, least, most));
        if !mirrored {
            stands.extend(side(free.max(-high), -low, least, most).map(|stand| Stand {
                u: -stand.u,
                like: stand.like.map(|u| -u),
            }));
        }
        if stands.is_empty() {
            stands.push(Stand {
                u: low,
                like: [low, high],
            });
        }
        Self::assign(grid, &stands, mirrored)
    }

    /// Gives each line to the stand nearest to it, and numbers those that are needed from that of
    /// the middle line on.
    fn assign(grid: &ScanGrid, stands: &[Stand], mirrored: bool) -> Self {
        let lines = grid.lines.max(1);
        let nearest = |line: usize| {
            let u = grid.u_of_line(line as f64);
            let key = if mirrored { u.abs() } else { u };
            let off = |stand: &Stand| (key - key.clamp(stand.like[0], stand.like[1])).abs();
            let by_distance = |a: &usize, b: &usize| off(&stands[*a]).total_cmp(&off(&stands[*b]));
            let nearest = (0..stands.len()).min_by(by_distance).unwrap_or(0);
            (nearest, mirrored && u < 0.0)
        };
        let of_line: Vec<_> = (0..lines).map(nearest).collect();
        let middle = of_line[lines / 2].0;
        let mut order = vec![middle];
        order.extend((0..stands.len()).filter(|&stand| stand != middle));
        order.retain(|stand| of_line.iter().any(|(of, _)| of == stand));
        let number = |stand: usize| order.iter().position(|&s| s == stand).unwrap_or(0);
        let of_line: Vec<_> = of_line
            .into_iter()
            .map(|(stand, mirror)| (number(stand), mirror))
            .collect();
        let list = order
            .iter()
            .enumerate()
            .map(|(class, &stand)| Class {
                u: stands[stand].u,
                even: mirrored && stands[stand].u == 0.0,
                reach: reach(class, &of_line),
            })
            .collect();
        let narrow = |(class, mirror): (usize, bool)| (class as u16, mirror);
        Self {
            list,
            of_line: of_line.into_iter().map(narrow).collect(),
        }
    }
}

/// Half the range of u in which no end of the row clips a line's aperture, and the least difference
/// of u that is worth a class.
fn free_and_least(grid: &ScanGrid, row: &Row) -> (f64, f64) {
    let half_mm = row.half_length_mm();
    let free_mm = row.free_station_mm(grid.depth_mm());
    match grid.shape {
        Shape::Parallel { .. } => (free_mm, LEAST_SHARE * half_mm),
        Shape::Fan { radius_mm, .. } if row.fits(radius_mm) => {
            (free_mm / radius_mm, LEAST_SHARE * half_mm / radius_mm)
        }
        // Lines that do not leave the face squarely all differ.
        Shape::Fan { .. } => (0.0, LEAST_ANGLE_RAD),
    }
}

/// Stands from where the likeness to the middle ends to the last line.
fn side(start: f64, end: f64, least: f64, most: usize) -> impl Iterator<Item = Stand> {
    let count = if end > start {
        (libm::ceil((end - start) / least) as usize).clamp(1, most)
    } else {
        0
    };
    (1..=count).map(move |i| {
        let u = start + (end - start) * i as f64 / count as f64;
        Stand { u, like: [u, u] }
    })
}

/// How far the image reaches to both sides of a class' lines.
fn reach(class: usize, of_line: &[(usize, bool)]) -> [usize; 2] {
    let last = of_line.len() - 1;
    let mut reach = [0, 0];
    for (line, &(of, mirror)) in of_line.iter().enumerate() {
        if of == class {
            let sides = if mirror {
                [last - line, line]
            } else {
                [line, last - line]
            };
            reach = [reach[0].max(sides[0]), reach[1].max(sides[1])];
        }
    }
    reach
}

impl Class {
    /// The line that stands for all.
    pub fn line(&self, grid: &ScanGrid) -> Line {
        Line::of(grid, self.u)
    }
}
