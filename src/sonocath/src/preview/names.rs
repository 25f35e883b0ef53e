//! Names in a cut: inside a region where they fit, otherwise beside the body with a leader line.

use crate::drawing::canvas::{Canvas, Rect};
use crate::drawing::color::{Rgb, luminance, theme};
use crate::drawing::text::{self, Align, Style};

/// Letter size of names in cuts.
const SIZE: f32 = 15.0;
/// Height of a line of names beside the body.
const LINE: f32 = 20.0;
/// Regions smaller than this many picture points get no name.
const SMALLEST_AREA: usize = 40;
/// Most names on one side.
const MOST_PER_SIDE: usize = 18;
/// Distance of names from the panel's edges.
const EDGE: f32 = 18.0;
/// Height kept free in the middle of both edges, where orientation letters stand.
const LETTER: f32 = 46.0;
/// Room kept free above and below the names: letters, scale bar.
const TOP: f32 = 34.0;
const BOTTOM: f32 = 62.0;

/// The picture points of one surface in a cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The label, 1 + the surface's index.
    pub label: u32,
    /// How many points.
    pub area: usize,
    /// The point farthest from the region's edge.
    pub pole: [usize; 2],
    /// How far that is, points.
    pub depth: f32,
}

/// A label picture with what is needed to place names in it.
pub struct RegionMap {
    width: usize,
    height: usize,
    labels: Vec<u32>,
    /// Distance to the nearest point of another label.
    depth: Vec<f32>,
    /// How many points from here to the right share the label.
    run: Vec<u32>,
}

impl RegionMap {
    /// Measures a label picture of `width` points across.
    pub fn new(labels: Vec<u32>, width: usize) -> Self {
        let height = labels.len() / width.max(1);
        let mut map = Self {
            width,
            height,
            depth: Vec::new(),
            run: vec![1; labels.len()],
            labels,
        };
        map.depth = map.depths();
        for at in (0..map.labels.len().saturating_sub(1)).rev() {
            if (at + 1) % width != 0 && map.labels[at] == map.labels[at + 1] {
                map.run[at] = map.run[at + 1] + 1;
            }
        }
        map
    }

    /// Chamfer distances (steps of 1 and √2) in two passes.
    fn depths(&self) -> Vec<f32> {
        let mut depth = vec![f32::INFINITY; self.labels.len()];
        let diagonal = std::f32::consts::SQRT_2;
        let ahead = [
            (-1, 0, 1.0),
            (-1, -1, diagonal),
            (0, -1, 1.0),
            (1, -1, diagonal),
        ];
        for at in 0..depth.len() {
            depth[at] = self.nearest(&depth, at, ahead);
        }
        for at in (0..depth.len()).rev() {
            depth[at] = self.nearest(&depth, at, ahead.map(|(x, y, d)| (-x, -y, d)));
        }
        depth
    }

    fn nearest(&self, depth: &[f32], at: usize, steps: [(i64, i64, f32); 4]) -> f32 {
        let (x, y) = ((at % self.width) as i64, (at / self.width) as i64);
        steps
            .into_iter()
            .fold(depth[at], |least, (dx, dy, length)| {
                let (x, y) = (x + dx, y + dy);
                let outside = x < 0 || y < 0 || x >= self.width as i64 || y >= self.height as i64;
                let other = y * self.width as i64 + x;
                let same = !outside && self.labels[other as usize] == self.labels[at];
                least.min(if same {
                    depth[other as usize] + length
                } else {
                    0.5 * length
                })
            })
    }

    /// All regions but the empty one, largest first.
    pub fn regions(&self) -> Vec<Region> {
        let count = self.labels.iter().max().map_or(0, |&m| m as usize) + 1;
        let mut regions: Vec<Region> = (0..count as u32)
            .map(|label| Region {
                label,
                area: 0,
                pole: [0; 2],
                depth: 0.0,
            })
            .collect();
        for (at, &label) in self.labels.iter().enumerate() {
            let region = &mut regions[label as usize];
            region.area += 1;
            if self.depth[at] > region.depth {
                region.depth = self.depth[at];
                region.pole = [at % self.width, at / self.width];
            }
        }
        regions.retain(|r| r.label > 0 && r.area > 0);
        regions.sort_by(|a, b| b.area.cmp(&a.area).then(a.label.cmp(&b.label)));
        regions
    }

    /// The deepest place whose surrounding box of `size` lies within the region, if there is one.
    fn place_for(&self, region: &Region, size: [usize; 2]) -> Option<[usize; 2]> {
        if region.area < size[0] * size[1] {
            return None;
        }
        let least = 0.5 * size[1] as f32;
        let mut best: Option<(f32, [usize; 2])> = None;
        for at in 0..self.labels.len() {
            let better = best.is_none_or(|(depth, _)| self.depth[at] > depth);
            if self.labels[at] == region.label && self.depth[at] >= least && better {
                let place = [at % self.width, at / self.width];
                if self.holds(place, size, region.label) {
                    best = Some((self.depth[at], place));
                }
            }
        }
        best.map(|(_, place)| place)
    }

    fn holds(&self, [x, y]: [usize; 2], [w, h]: [usize; 2], label: u32) -> bool {
        let (Some(left), Some(top)) = (x.checked_sub(w / 2), y.checked_sub(h / 2)) else {
            return false;
        };
        top + h <= self.height
            && (top..top + h).all(|row| {
                let at = row * self.width + left;
                self.labels[at] == label && self.run[at] as usize >= w
            })
    }
}

/// A name to be written, with its colour in the cut.
pub struct Name<'a> {
    /// The words.
    pub text: &'a str,
    /// The region's colour.
    pub color: Rgb,
}

/// Writes names for the regions of a cut that lies at `area` in the canvas; `name_of` says nothing
/// for regions that go without (the body's own outline).
pub fn write<'a>(
    canvas: &mut Canvas,
    area: Rect,
    map: &RegionMap,
    name_of: impl Fn(u32) -> Option<Name<'a>>,
) {
    let mut outside = Vec::new();
    let mut inside = Vec::new();
    for region in map.regions() {
        let Some(name) = name_of(region.label).filter(|_| region.area >= SMALLEST_AREA) else {
            continue;
        };
        let size = [
            text::width(name.text, SIZE).ceil() as usize + 8,
            SIZE as usize + 4,
        ];
        match map.place_for(&region, size) {
            Some(place) => inside.push((place, name)),
            None => outside.push((region, name)),
        }
    }
    for note in beside(&outside, area) {
        note.draw(canvas, area);
    }
    for ([x, y], name) in inside {
        let at = [area.x as f32 + x as f32, area.y as f32 + y as f32];
        text::draw(canvas, at, Align::Center, name.text, on(name.color));
    }
}

/// Letters that stand out on a colour.
fn on(color: Rgb) -> Style {
    if luminance(color) > 0.30 {
        Style::plain(SIZE, [22, 22, 24])
    } else {
        Style::with_halo(SIZE, [250, 250, 250], [0, 0, 0])
    }
}

/// A name beside the body.
struct Note {
    text: String,
    /// Where the leader ends, in the canvas.
    anchor: [f32; 2],
    /// Middle of the line of words, in the canvas.
    y: f32,
    left: bool,
}

/// Shares the names among both sides and stacks them without overlaps.
fn beside(regions: &[(Region, Name)], area: Rect) -> Vec<Note> {
    let mut sides: [Vec<Note>; 2] = [Vec::new(), Vec::new()];
    let most = halves(area)
        .iter()
        .map(Half::capacity)
        .sum::<usize>()
        .min(MOST_PER_SIDE);
    for (region, name) in regions {
        let Some(side) = sides_for(region, area).find(|&s| sides[s].len() < most) else {
            continue;
        };
        let [x, y] = region.pole.map(|c| c as f32 + 0.5);
        sides[side].push(Note {
            text: text::fitted(name.text, SIZE, 0.30 * area.w as f32),
            anchor: [area.x as f32 + x, area.y as f32 + y],
            y: 0.0,
            left: side == 0,
        });
    }
    sides
        .into_iter()
        .flat_map(|side| stacked(side, area))
        .collect()
}

/// The near side (0 = left), then the other for regions in the middle: a leader right across the
/// body is worse than no name.
fn sides_for(region: &Region, area: Rect) -> impl Iterator<Item = usize> + use<> {
    let off_middle = region.pole[0] as f32 / area.w as f32 - 0.5;
    let near = usize::from(off_middle >= 0.0);
    let other = (off_middle.abs() < 0.12).then_some(1 - near);
    [near].into_iter().chain(other)
}

/// The middles of the first and last line of names above or below the orientation letter.
struct Half {
    top: f32,
    bottom: f32,
}

impl Half {
    fn capacity(&self) -> usize {
        ((self.bottom - self.top) / LINE + 1.0).max(0.0) as usize
    }
}

fn halves(area: Rect) -> [Half; 2] {
    let middle = area.y as f32 + 0.5 * area.h as f32;
    [
        Half {
            top: area.y as f32 + TOP,
            bottom: middle - 0.5 * LETTER,
        },
        Half {
            top: middle + 0.5 * LETTER,
            bottom: area.bottom() as f32 - BOTTOM,
        },
    ]
}

fn stacked(mut side: Vec<Note>, area: Rect) -> Vec<Note> {
    let by_height = |a: &Note, b: &Note| a.anchor[1].total_cmp(&b.anchor[1]);
    side.sort_by(|a, b| by_height(a, b).then(a.anchor[0].total_cmp(&b.anchor[0])));
    let halves = halves(area);
    let middle = area.y as f32 + 0.5 * area.h as f32;
    let least = side.len().saturating_sub(halves[1].capacity());
    let upper = side.partition_point(|n| n.anchor[1] < middle);
    let (above, below) = side.split_at_mut(upper.min(halves[0].capacity()).max(least));
    for (notes, half) in [above, below].into_iter().zip(&halves) {
        let wanted: Vec<f32> = notes.iter().map(|n| n.anchor[1]).collect();
        for (note, y) in notes
            .iter_mut()
            .zip(spread(&wanted, LINE, half.top, half.bottom))
        {
            note.y = y;
        }
    }
    untangle(&mut side, area);
    side
}

/// Places nearest to `wanted` (ascending) that keep `step` apart within `top..=bottom`: pooled
/// neighbours share their mean shift.
fn spread(wanted: &[f32], step: f32, top: f32, bottom: f32) -> Vec<f32> {
    let mut blocks: Vec<(f32, usize)> = Vec::new();
    for (i, &y) in wanted.iter().enumerate() {
        blocks.push((y - i as f32 * step, 1));
        while let [.., (a, n), (b, m)] = blocks[..] {
            if a <= b {
                break;
            }
            blocks.truncate(blocks.len() - 2);
            blocks.push(((a * n as f32 + b * m as f32) / (n + m) as f32, n + m));
        }
    }
    let last = bottom - wanted.len().saturating_sub(1) as f32 * step;
    let shifts = blocks
        .into_iter()
        .flat_map(|(shift, n)| std::iter::repeat_n(shift, n));
    shifts
        .enumerate()
        .map(|(i, s)| s.clamp(top, last.max(top)) + i as f32 * step)
        .collect()
}

/// Swaps lines of names until no two leaders of a side cross. Each swap shortens the leaders, so
/// this ends; the bound only guards against rounding.
fn untangle(side: &mut [Note], area: Rect) {
    for _ in 0..64 {
        let mut swapped = false;
        for i in 0..side.len() {
            for j in i + 1..side.len() {
                if cross(side[i].leader(area), side[j].leader(area)) {
                    let (a, b) = (side[i].y, side[j].y);
                    (side[i].y, side[j].y) = (b, a);
                    swapped = true;
                }
            }
        }
        if !swapped {
            return;
        }
    }
}

fn cross([a, b]: [[f32; 2]; 2], [c, d]: [[f32; 2]; 2]) -> bool {
    let turn = |p: [f32; 2], q: [f32; 2], r: [f32; 2]| {
        (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
    };
    turn(a, b, c) * turn(a, b, d) < 0.0 && turn(c, d, a) * turn(c, d, b) < 0.0
}

impl Note {
    /// From the words to the region.
    fn leader(&self, area: Rect) -> [[f32; 2]; 2] {
        let length = text::width(&self.text, SIZE) + 6.0;
        let start = if self.left {
            area.x as f32 + EDGE + length
        } else {
            area.right() as f32 - EDGE - length
        };
        [[start, self.y], self.anchor]
    }

    fn draw(&self, canvas: &mut Canvas, area: Rect) {
        let leader = self.leader(area);
        canvas.line(leader, 3.0, ([0, 0, 0], 0.45), area);
        canvas.line(leader, 1.1, (theme::TEXT_SOFT, 0.9), area);
        canvas.dot(self.anchor, 3.2, [0, 0, 0], area);
        canvas.dot(self.anchor, 2.2, theme::TEXT, area);
        let style = Style::with_halo(SIZE, theme::TEXT, [0, 0, 0]);
        let (x, align) = if self.left {
            (area.x as f32 + EDGE, Align::Left)
        } else {
            (area.right() as f32 - EDGE, Align::Right)
        };
        text::draw(canvas, [x, self.y], align, &self.text, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A picture with a wide and a narrow box.
    fn map() -> RegionMap {
        let mut labels = vec![0; 200 * 100];
        for (at, label) in labels.iter_mut().enumerate() {
            let (x, y) = (at % 200, at / 200);
            if (20..120).contains(&x) && (30..70).contains(&y) {
                *label = 1;
            }
            if (150..156).contains(&x) && (10..90).contains(&y) {
                *label = 2;
            }
        }
        RegionMap::new(labels, 200)
    }

    #[test]
    fn regions_know_their_area_and_middle() {
        let regions = map().regions();
        assert_eq!(regions.len(), 2);
        assert_eq!((regions[0].label, regions[0].area), (1, 4000));
        assert!((regions[0].depth - 19.5).abs() < 1.1 && (49..=50).contains(&regions[0].pole[1]));
        assert_eq!((regions[1].label, regions[1].area), (2, 480));
        assert!((152..=153).contains(&regions[1].pole[0]));
    }

    #[test]
    fn words_go_inside_only_where_their_whole_box_fits() {
        let map = map();
        let regions = map.regions();
        assert!(map.place_for(&regions[0], [90, 20]).is_some());
        assert!(map.place_for(&regions[0], [101, 20]).is_none());
        assert!(map.place_for(&regions[1], [20, 10]).is_none());
    }

    proptest! {
        #[test]
        fn stacked_names_never_overlap_and_stay_in_the_panel(
            mut anchors in prop::collection::vec((0.0f32..300.0, 0.0f32..600.0), 1..16)
        ) {
            anchors.sort_by(|a, b| a.1.total_cmp(&b.1));
            let wanted: Vec<f32> = anchors.iter().map(|a| a.1).collect();
            let placed = spread(&wanted, 20.0, 50.0, 550.0);
            prop_assert!(placed.windows(2).all(|w| w[1] - w[0] > 19.99));
            prop_assert!(placed[0] > 49.9 && placed[placed.len() - 1] < 550.1);
        }

        #[test]
        fn leaders_of_a_side_do_not_cross(
            anchors in prop::collection::vec((150.0f32..370.0, 0.0f32..600.0), 1..14)
        ) {
            let area = Rect { x: 0, y: 0, w: 752, h: 640 };
            let note = |&anchor: &[f32; 2]| Note { text: "Name".into(), anchor, y: 0.0, left: true };
            let anchors: Vec<[f32; 2]> = anchors.into_iter().map(|(x, y)| [x, y]).collect();
            let side = stacked(anchors.iter().map(note).collect(), area);
            for (i, a) in side.iter().enumerate() {
                for b in &side[i + 1..] {
                    prop_assert!(!cross(a.leader(area), b.leader(area)));
                }
            }
        }
    }
}
