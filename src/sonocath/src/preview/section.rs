//! Exact cuts: where meshes meet a plane, and which structure each picture point lies in.
//!
//! A triangle that crosses the plane leaves a directed segment. Along a picture row these segments
//! are crossings *in* and *out*; an *in* is paired with the nearest later *out* that is still free,
//! which fills overlaps and leaves cavities empty. A crossing without a partner (an open surface)
//! fills nothing, so a hole can cost a row but never smears over the picture. Where rows and
//! columns disagree on an open surface only what both fill is kept.

use geometry::{Patient, TriMesh};

use super::view::Projection;

/// A cutting plane across one patient axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plane {
    /// The axis it stands across: 0 = x (sagittal), 1 = y (coronal), 2 = z (axial).
    pub axis: usize,
    /// Where it cuts that axis, mm.
    pub position_mm: f64,
}

/// One triangle's part of an outline, picture points; the inside lies to the right of
/// `from` → `to` as seen on the screen.
pub type Segment = [[f64; 2]; 2];

/// The outline of a surface in a plane.
pub struct Outline {
    /// Directed segments, in the order of the mesh's triangles.
    pub segments: Vec<Segment>,
    /// Whether some row left a crossing without a partner: the surface is open there.
    pub open: bool,
}

/// Intersects a mesh with a plane. `inside_out` turns the sense for meshes of negative volume.
pub fn outline(
    mesh: &TriMesh<Patient>,
    plane: Plane,
    projection: &Projection,
    inside_out: bool,
) -> Outline {
    let toward_sign = projection.view.toward.sign;
    let places = mesh.vertices();
    let height =
        |v: u32| toward_sign * (f64::from(places[v as usize][plane.axis]) - plane.position_mm);
    let segments = mesh
        .triangles()
        .iter()
        .filter_map(|&corners| {
            let heights = corners.map(height);
            let [rise, fall] = crossing_edges(heights)?;
            let at = |edge| edge_point(places, corners, heights, edge, projection);
            let (rise, fall) = (at(rise), at(fall));
            Some(if inside_out {
                [fall, rise]
            } else {
                [rise, fall]
            })
        })
        .collect();
    Outline {
        segments,
        open: false,
    }
}

/// The edges (named by their first corner) on which a triangle comes up through the plane and goes
/// down again; corners on the plane count as above, so neighbours always agree.
fn crossing_edges(heights: [f64; 3]) -> Option<[usize; 2]> {
    let above = heights.map(|h| h >= 0.0);
    let rise = (0..3).find(|&e| !above[e] && above[(e + 1) % 3])?;
    let fall = (0..3).find(|&e| above[e] && !above[(e + 1) % 3])?;
    Some([rise, fall])
}

/// Where an edge meets the plane, picture points. Computed from the lower vertex number to the
/// higher, so the two triangles of an edge get the same bits.
fn edge_point(
    places: &[[f32; 3]],
    corners: [u32; 3],
    heights: [f64; 3],
    edge: usize,
    projection: &Projection,
) -> [f64; 2] {
    let (mut a, mut b) = (edge, (edge + 1) % 3);
    if corners[a] > corners[b] {
        std::mem::swap(&mut a, &mut b);
    }
    let t = heights[a] / (heights[a] - heights[b]);
    let [pa, pb] = [a, b].map(|c| {
        let [x, y, _] = projection.project(places[corners[c] as usize].map(f64::from));
        [x, y]
    });
    std::array::from_fn(|i| pa[i] + t * (pb[i] - pa[i]))
}

/// Which surface each point of a picture lies in.
pub struct LabelRaster {
    /// Points across.
    pub width: usize,
    /// Points down.
    pub height: usize,
    /// 0 outside everything, otherwise 1 + the surface's index.
    pub labels: Vec<u32>,
}

impl LabelRaster {
    /// Nothing anywhere.
    pub fn new([width, height]: [usize; 2]) -> Self {
        Self {
            width,
            height,
            labels: vec![0; width * height],
        }
    }

    /// Fills an outline with `label`, over what is there, and notes whether it is open.
    pub fn fill(&mut self, outline: &mut Outline, label: u32) {
        let size = [self.width, self.height];
        let rows = spans(&outline.segments, size, Scan::Rows);
        outline.open = rows.open;
        if !rows.open {
            return self.paint(&rows.spans, label, None);
        }
        let mut columns = vec![false; self.labels.len()];
        for span in spans(&outline.segments, size, Scan::Columns).spans {
            for y in span.from..span.to {
                columns[y * self.width + span.line] = true;
            }
        }
        self.paint(&rows.spans, label, Some(&columns));
    }

    fn paint(&mut self, rows: &[Span], label: u32, only: Option<&[bool]>) {
        for span in rows {
            for at in span.line * self.width + span.from..span.line * self.width + span.to {
                if only.is_none_or(|mask| mask[at]) {
                    self.labels[at] = label;
                }
            }
        }
    }
}

/// Along what a picture is filled.
#[derive(Clone, Copy, PartialEq)]
enum Scan {
    Rows,
    Columns,
}

/// Filled points `from..to` of one row or column.
struct Span {
    line: usize,
    from: usize,
    to: usize,
}

struct Spans {
    spans: Vec<Span>,
    open: bool,
}

/// A place where a scan line meets an outline; `entering` going up the line.
struct Crossing {
    line: usize,
    at: f64,
    entering: bool,
}

fn spans(segments: &[Segment], size: [usize; 2], scan: Scan) -> Spans {
    let [length, lines] = match scan {
        Scan::Rows => size,
        Scan::Columns => [size[1], size[0]],
    };
    let mut crossings = Vec::new();
    for segment in segments {
        add_crossings(segment, lines, scan, &mut crossings);
    }
    crossings.sort_by(|a, b| {
        (a.line.cmp(&b.line))
            .then(a.at.total_cmp(&b.at))
            .then(a.entering.cmp(&b.entering))
    });
    let mut found = Spans {
        spans: Vec::new(),
        open: false,
    };
    for line in crossings.chunk_by(|a, b| a.line == b.line) {
        pair(line, length, &mut found);
    }
    found
}

/// Crossings of a segment with the middles of scan lines; a line belongs to a segment that starts
/// on it, not to one that ends on it.
fn add_crossings(segment: &Segment, lines: usize, scan: Scan, crossings: &mut Vec<Crossing>) {
    let (u, v) = match scan {
        Scan::Rows => (0, 1),
        Scan::Columns => (1, 0),
    };
    let [from, to] = segment;
    let (low, high) = (from[v].min(to[v]), from[v].max(to[v]));
    let index = |place: f64| (place - 0.5).ceil().clamp(0.0, lines as f64) as usize;
    // Rows are entered where the outline runs up the screen, columns where it runs to the right.
    let entering = (to[v] < from[v]) == (scan == Scan::Rows);
    for line in index(low)..index(high) {
        let t = (line as f64 + 0.5 - from[v]) / (to[v] - from[v]);
        let at = from[u] + t * (to[u] - from[u]);
        crossings.push(Crossing { line, at, entering });
    }
}

/// Pairs each *out* with the latest free *in*.
fn pair(line: &[Crossing], length: usize, found: &mut Spans) {
    let index = |place: f64| (place - 0.5).ceil().clamp(0.0, length as f64) as usize;
    let mut waiting: Vec<f64> = Vec::new();
    for crossing in line {
        if crossing.entering {
            waiting.push(crossing.at);
        } else if let Some(start) = waiting.pop() {
            let (from, to) = (index(start), index(crossing.at));
            if from < to {
                found.spans.push(Span {
                    line: crossing.line,
                    from,
                    to,
                });
            }
        } else {
            found.open = true;
        }
    }
    found.open |= !waiting.is_empty();
}

#[cfg(test)]
mod tests {
    use super::super::shapes;
    use super::super::view::View;
    use super::*;
    use proptest::prelude::*;

    const VIEWS: [(View, usize); 3] = [(View::AXIAL, 2), (View::FRONT, 1), (View::SAGITTAL, 0)];

    fn projection(view: View) -> Projection {
        Projection {
            view,
            center_mm: [0.0; 3],
            px_per_mm: 4.0,
            size: [400, 400],
        }
    }

    fn area_mm2(mesh: &TriMesh<Patient>, (view, axis): (View, usize), position_mm: f64) -> f64 {
        let projection = projection(view);
        let inside_out = mesh.signed_volume_mm3() < 0.0;
        let mut cut = outline(mesh, Plane { axis, position_mm }, &projection, inside_out);
        let mut raster = LabelRaster::new(projection.size);
        raster.fill(&mut cut, 1);
        assert!(!cut.open);
        raster.labels.iter().filter(|&&l| l == 1).count() as f64 / 16.0
    }

    #[test]
    fn a_sphere_is_cut_in_circles() {
        let sphere = shapes::ellipsoid([0.0; 3], [40.0; 3], 96);
        for view in VIEWS {
            for position in [0.0, 13.7, -30.0] {
                let truth = std::f64::consts::PI * (1600.0 - position * position);
                let area = area_mm2(&sphere, view, position);
                assert!(
                    (area - truth).abs() < 0.01 * truth,
                    "{view:?} {position}: {area} {truth}"
                );
            }
        }
    }

    #[test]
    fn a_surface_turned_inside_out_is_cut_alike() {
        let mut sphere = shapes::ellipsoid([3.0, 1.0, 2.0], [30.0, 20.0, 25.0], 48);
        let area = area_mm2(&sphere, VIEWS[0], 4.0);
        sphere.flip();
        assert_eq!(area_mm2(&sphere, VIEWS[0], 4.0), area);
    }

    #[test]
    fn a_cavity_stays_empty_and_overlaps_are_filled_once() {
        let outer = shapes::ellipsoid([0.0; 3], [40.0; 3], 96);
        let mut inner = shapes::ellipsoid([0.0; 3], [20.0; 3], 96);
        inner.flip();
        let truth = std::f64::consts::PI * (1600.0 - 400.0);
        let area = area_mm2(&shapes::joined(&[&outer, &inner]), VIEWS[2], 0.0);
        assert!((area - truth).abs() < 0.01 * truth);
        let twice = shapes::joined(&[&outer, &shapes::ellipsoid([0.0; 3], [20.0; 3], 96)]);
        assert_eq!(
            area_mm2(&twice, VIEWS[2], 0.0),
            area_mm2(&outer, VIEWS[2], 0.0)
        );
    }

    #[test]
    fn an_open_surface_never_fills_past_its_own_box() {
        let whole = shapes::ellipsoid([0.0; 3], [40.0; 3], 32);
        for keep in [0.15, 0.5, 0.9] {
            let open = shapes::without_some_triangles(&whole, keep);
            for (view, axis) in VIEWS {
                let projection = projection(view);
                let plane = Plane {
                    axis,
                    position_mm: 5.0,
                };
                let mut cut = outline(&open, plane, &projection, false);
                let mut raster = LabelRaster::new(projection.size);
                raster.fill(&mut cut, 1);
                assert!(cut.open);
                for (at, _) in raster.labels.iter().enumerate().filter(|(_, l)| **l == 1) {
                    let (x, y) = ((at % 400) as f64 - 200.0, (at / 400) as f64 - 200.0);
                    assert!(x.hypot(y) < 4.0 * 41.0, "{keep} {view:?} at {x} {y}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn every_cut_of_an_ellipsoid_is_an_ellipse(
            radii in prop::array::uniform3(8.0f32..45.0),
            part in -0.8f64..0.8,
            which in 0usize..3,
        ) {
            let mesh = shapes::ellipsoid([0.0; 3], radii, 64);
            let (view, axis) = VIEWS[which];
            let position = part * f64::from(radii[axis]);
            let others = f64::from(radii[(axis + 1) % 3]) * f64::from(radii[(axis + 2) % 3]);
            let truth = std::f64::consts::PI * others * (1.0 - part * part);
            let area = area_mm2(&mesh, (view, axis), position);
            prop_assert!((area - truth).abs() < 0.02 * truth + 1.0, "{area} {truth}");
        }
    }
}
