//! A cut through the patient: regions in their tissue's colour, thin dark borders, names.

use rayon::prelude::*;

use super::names::{self, Name, RegionMap};
use super::panel;
use super::section::{self, LabelRaster, Outline, Plane};
use super::view::{Projection, View};
use super::{SheetSurface, SurfaceKind};
use crate::drawing::canvas::{Canvas, Rect};
use crate::drawing::color::{Rgb, encode_rgb, linear_rgb, mix, theme};

/// Points of the fine grid for each picture point, each way.
const FINE: usize = 2;
/// What a border keeps of its region's light.
const BORDER: f32 = 0.30;

/// One of the three cuts on the sheet.
#[derive(Clone, Copy)]
pub struct Cut {
    /// How it is looked at.
    pub view: View,
    /// Where it lies.
    pub plane: Plane,
    /// The colour that marks it in the other panels.
    pub mark: Rgb,
}

impl Cut {
    /// Axial, coronal and sagittal through one place.
    pub fn through(place: [f64; 3]) -> [Self; 3] {
        let cut = |view: View, mark| {
            let axis = view.toward.axis;
            Self {
                view,
                plane: Plane {
                    axis,
                    position_mm: place[axis],
                },
                mark,
            }
        };
        [
            cut(View::AXIAL, theme::AXIAL),
            cut(View::FRONT, theme::CORONAL),
            cut(View::SAGITTAL, theme::SAGITTAL),
        ]
    }

    /// For example `z = 112 mm`.
    pub fn caption(&self) -> String {
        let axis = ["x", "y", "z"][self.plane.axis];
        format!("{axis} = {} mm", panel::number(self.plane.position_mm))
    }
}

/// The colour of a surface's inside in cuts: the body and clear layers around the organs step back.
pub fn cut_color(surface: &SheetSurface) -> Rgb {
    match surface.kind {
        SurfaceKind::Skin => mix(theme::CUT, surface.color, 0.30),
        _ if surface.opacity < 1.0 => mix(theme::CUT, surface.color, 0.55),
        _ => surface.color,
    }
}

/// A computed cut, ready to be laid into the sheet.
pub struct CutPicture {
    projection: Projection,
    pixels: Vec<Rgb>,
    map: RegionMap,
    /// Outlines of open surfaces, in picture points, with their colours.
    open: Vec<(Outline, Rgb)>,
}

impl CutPicture {
    /// Cuts all surfaces. `order` lists them from the lowest priority to the highest;
    /// `inside_out` says for each whether its volume is negative.
    pub fn new(
        surfaces: &[SheetSurface],
        order: &[usize],
        inside_out: &[bool],
        plane: Plane,
        projection: &Projection,
    ) -> Self {
        let fine = projection.enlarged(FINE);
        let outlines: Vec<Outline> = order
            .par_iter()
            .map(|&i| section::outline(surfaces[i].mesh, plane, &fine, inside_out[i]))
            .collect();
        let mut raster = LabelRaster::new(fine.size);
        let mut open = Vec::new();
        for (mut outline, &index) in outlines.into_iter().zip(order) {
            raster.fill(&mut outline, 1 + index as u32);
            if outline.open {
                open.push((outline, surfaces[index].color));
            }
        }
        let colors: Vec<Rgb> = surfaces.iter().map(cut_color).collect();
        Self {
            projection: *projection,
            pixels: painted(&raster, &colors),
            map: RegionMap::new(coarse(&raster), projection.size[0]),
            open,
        }
    }

    /// Lays the picture into the sheet, with the other cuts as thin lines and the names on top.
    pub fn draw(
        &self,
        canvas: &mut Canvas,
        area: Rect,
        cut: &Cut,
        cuts: &[Cut],
        surfaces: &[SheetSurface],
    ) {
        canvas.paste(area.x, area.y, self.projection.size[0], &self.pixels);
        for (outline, color) in &self.open {
            stroke(canvas, area, outline, *color);
        }
        crosshair(canvas, area, &self.projection, cut, cuts);
        names::write(canvas, area, &self.map, |label| {
            let surface = &surfaces[label as usize - 1];
            (surface.kind != SurfaceKind::Skin).then(|| Name {
                text: surface.name,
                color: cut_color(surface),
            })
        });
        panel::letters(canvas, area, cut.view);
        panel::scale_bar(canvas, area, self.projection.px_per_mm);
    }

    /// Where the panel shows a place of the patient.
    pub fn projection(&self) -> &Projection {
        &self.projection
    }
}

/// The label picture in colour: regions, darker where a neighbour differs.
fn painted(raster: &LabelRaster, colors: &[Rgb]) -> Vec<Rgb> {
    let light: Vec<[f32; 3]> = std::iter::once(theme::CUT)
        .chain(colors.iter().copied())
        .map(linear_rgb)
        .collect();
    let (width, height) = (raster.width / FINE, raster.height / FINE);
    (0..width * height)
        .into_par_iter()
        .map(|at| {
            let (x, y) = (at % width * FINE, at / width * FINE);
            let mut sum = [0.0f32; 3];
            for cell in 0..FINE * FINE {
                let fine = (y + cell / FINE) * raster.width + x + cell % FINE;
                let keep = if on_border(raster, fine) { BORDER } else { 1.0 };
                let color = light[raster.labels[fine] as usize];
                sum = std::array::from_fn(|i| sum[i] + keep * color[i]);
            }
            encode_rgb(sum.map(|s| s / (FINE * FINE) as f32))
        })
        .collect()
}

fn on_border(raster: &LabelRaster, at: usize) -> bool {
    let own = raster.labels[at];
    let (x, y) = (at % raster.width, at / raster.width);
    own != 0
        && ((x > 0 && raster.labels[at - 1] != own)
            || (x + 1 < raster.width && raster.labels[at + 1] != own)
            || (y > 0 && raster.labels[at - raster.width] != own)
            || (y + 1 < raster.height && raster.labels[at + raster.width] != own))
}

/// Every second label of every second row.
fn coarse(raster: &LabelRaster) -> Vec<u32> {
    let rows = raster.labels.chunks(raster.width.max(1)).step_by(FINE);
    rows.flat_map(|row| row.iter().step_by(FINE).copied())
        .collect()
}

/// Draws the outline of an open surface as a line, since it encloses nothing to fill.
fn stroke(canvas: &mut Canvas, area: Rect, outline: &Outline, color: Rgb) {
    let place = |[x, y]: [f64; 2]| {
        let scale = 1.0 / FINE as f64;
        [
            area.x as f32 + (x * scale) as f32,
            area.y as f32 + (y * scale) as f32,
        ]
    };
    for segment in &outline.segments {
        canvas.line(segment.map(place), 1.6, (color, 0.9), area);
    }
}

/// Thin lines where the other cuts lie; they leave the edges to the letters.
fn crosshair(canvas: &mut Canvas, area: Rect, projection: &Projection, cut: &Cut, cuts: &[Cut]) {
    for other in cuts
        .iter()
        .filter(|other| other.plane.axis != cut.plane.axis)
    {
        let [[x0, y0], [x1, y1]] = trace(projection, area, other.plane);
        let (dx, dy) = if x0 == x1 { (0.0, 46.0) } else { (38.0, 0.0) };
        let ends = [[x0 + dx, y0 + dy], [x1 - dx, y1 - dy]];
        canvas.line(ends, 1.0, (other.mark, 0.55), area);
    }
}

/// The line that a plane across one of the picture's own axes makes in a panel.
pub fn trace(projection: &Projection, area: Rect, plane: Plane) -> [[f32; 2]; 2] {
    let mut place = projection.center_mm;
    place[plane.axis] = plane.position_mm;
    let [x, y, _] = projection.project(place);
    if plane.axis == projection.view.right.axis {
        let x = area.x as f32 + x as f32;
        [[x, area.y as f32], [x, area.bottom() as f32]]
    } else {
        let y = area.y as f32 + y as f32;
        [[area.x as f32, y], [area.right() as f32, y]]
    }
}

#[cfg(test)]
mod tests {
    use super::super::{by_priority, shapes};
    use super::*;
    use geometry::{Patient, TriMesh};

    fn areas(meshes: [(&TriMesh<Patient>, i32); 2]) -> [f64; 2] {
        let surface = |(mesh, priority)| SheetSurface {
            mesh,
            name: "",
            color: [1, 2, 3],
            priority,
            opacity: 1.0,
            kind: SurfaceKind::Organ,
        };
        let surfaces = meshes.map(surface);
        let plane = Plane {
            axis: 2,
            position_mm: 0.0,
        };
        let projection = Projection {
            view: View::AXIAL,
            center_mm: [0.0; 3],
            px_per_mm: 4.0,
            size: [400, 400],
        };
        let order = by_priority(&surfaces);
        let cut = CutPicture::new(&surfaces, &order, &[false; 2], plane, &projection);
        let area = |label| {
            cut.map
                .regions()
                .iter()
                .find(|r| r.label == label)
                .map_or(0, |r| r.area)
        };
        [1, 2].map(|label| area(label) as f64 / 16.0)
    }

    #[test]
    fn the_higher_priority_wins_and_among_equals_the_smaller() {
        let outer = shapes::ellipsoid([0.0; 3], [40.0; 3], 96);
        let inner = shapes::ellipsoid([5.0, 0.0, 0.0], [20.0; 3], 96);
        let (whole, part) = (std::f64::consts::PI * 1600.0, std::f64::consts::PI * 400.0);
        let close = |a: f64, b: f64| (a - b).abs() < 0.01 * whole;
        for priorities in [(0, 5), (3, 3)] {
            let [a, b] = areas([(&outer, priorities.0), (&inner, priorities.1)]);
            assert!(close(a, whole - part) && close(b, part), "{a} {b}");
            let [b, a] = areas([(&inner, priorities.1), (&outer, priorities.0)]);
            assert!(close(a, whole - part) && close(b, part), "{a} {b}");
        }
        let [a, b] = areas([(&outer, 9), (&inner, 5)]);
        assert!(close(a, whole) && b == 0.0, "{a} {b}");
    }
}
