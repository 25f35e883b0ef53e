//! The picture of a patient on one sheet: shaded from the front and from the right side, three
//! cuts coloured by tissue, and the names of everything. Drawn in plain code, without a GPU.
//!
//! [`render`] is a pure function of the [`Sheet`]: the same surfaces give the same bytes, whatever
//! the number of threads. It knows neither files of patients nor tissues; the caller hands in
//! meshes with names (already in the wanted language), colours and priorities.
//!
//! Conventions: the patient frame is LPS in mm. Axial cuts are seen from the feet and coronal ones
//! from the front, so the patient's right is on the viewer's left; sagittal cuts are seen from the
//! patient's left, so the front of the body is on the viewer's left. The side view shows the
//! patient from the right.

mod cut;
mod legend;
mod names;
mod panel;
mod raster;
mod section;
mod shade;
#[cfg(test)]
mod shapes;
mod view;

use geometry::{Patient, Point, TriMesh};
use rayon::prelude::*;

use crate::drawing::Image;
use crate::drawing::canvas::{Canvas, Rect};
use crate::drawing::color::theme;
use crate::drawing::text::{self, Align, Style};
use cut::{Cut, CutPicture};
use legend::{Group, Legend};
use shade::Body;
use view::{Extent, Projection, View};

/// What a structure is, as far as a picture cares: the order of the list of names, and whether its
/// inside counts as background in cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SurfaceKind {
    /// Solid and hollow organs, glands, lungs, heart, brain.
    Organ,
    /// Arteries and veins.
    Vessel,
    /// Bones and cartilage.
    Bone,
    /// Muscles, fat layers and other soft tissue.
    SoftTissue,
    /// The outside of the body.
    Skin,
    /// Devices, landmarks, anything else.
    Other,
}

impl SurfaceKind {
    /// All kinds in the order in which the list of names shows them.
    pub const ALL: [Self; 6] = [
        Self::Organ,
        Self::Vessel,
        Self::Bone,
        Self::SoftTissue,
        Self::Skin,
        Self::Other,
    ];
}

/// One structure on the sheet.
#[derive(Clone, Copy)]
pub struct SheetSurface<'a> {
    /// Its surface, mm.
    pub mesh: &'a TriMesh<Patient>,
    /// Its name in the language of the sheet.
    pub name: &'a str,
    /// sRGB colour of its tissue.
    pub color: [u8; 3],
    /// Where surfaces overlap in a cut the highest priority is shown; among equals the smaller
    /// surface.
    pub priority: i32,
    /// 0 (not drawn in 3-D) to 1 (hides what is behind it); see [`clear_shells`]. In cuts what is not
    /// opaque is shown darker, as background.
    pub opacity: f32,
    /// What it is.
    pub kind: SurfaceKind,
}

/// A line drawn over the 3-D panels, for example a vessel's centreline.
#[derive(Clone, Copy)]
pub struct SheetLine<'a> {
    /// Its points, in order, mm.
    pub points: &'a [Point<Patient>],
    /// sRGB colour.
    pub color: [u8; 3],
}

/// The words of the sheet's furniture. Orientation letters (R L A P S I) and units are
/// international and not translated.
#[derive(Clone, Copy, Debug)]
pub struct SheetLabels<'a> {
    /// Title of the 3-D view from the front.
    pub front: &'a str,
    /// Title of the 3-D view from the patient's right side.
    pub right_side: &'a str,
    /// Title of the axial cut.
    pub axial: &'a str,
    /// Title of the coronal cut.
    pub coronal: &'a str,
    /// Title of the sagittal cut.
    pub sagittal: &'a str,
    /// Title of the list of names.
    pub structures: &'a str,
    /// Headings of the list of names, in the order of [`SurfaceKind::ALL`].
    pub kinds: [&'a str; 6],
    /// Said in place of a picture when there is no structure at all.
    pub empty: &'a str,
    /// The line at the foot: how to read the sheet.
    pub conventions: &'a str,
}

impl SheetLabels<'static> {
    /// English.
    pub const ENGLISH: Self = Self {
        front: "From the front",
        right_side: "From the right",
        axial: "Axial",
        coronal: "Coronal",
        sagittal: "Sagittal",
        structures: "Structures",
        kinds: [
            "Organs",
            "Vessels",
            "Bones",
            "Soft tissue",
            "Surface",
            "Other",
        ],
        empty: "No structures",
        conventions: "Radiological convention: the patient's right is on the left of axial and coronal \
            images. Axial seen from the feet, sagittal from the patient's left. Coordinates LPS, mm.",
    };
    /// Simplified Chinese.
    pub const CHINESE: Self = Self {
        front: "前面观",
        right_side: "右侧观",
        axial: "横断面",
        coronal: "冠状面",
        sagittal: "矢状面",
        structures: "结构",
        kinds: ["器官", "血管", "骨骼", "软组织", "体表", "其他"],
        empty: "没有结构",
        conventions: "影像学惯例：横断面与冠状面图像左侧为患者右侧；横断面自足侧观察，矢状面自患者左侧观察。\
            坐标系 LPS，单位 mm。",
    };
}

/// Everything that goes onto a sheet.
pub struct Sheet<'a> {
    /// The patient's name or identifier.
    pub title: &'a str,
    /// A line below it: habitus, source, numbers.
    pub subtitle: &'a str,
    /// The structures.
    pub surfaces: Vec<SheetSurface<'a>>,
    /// The words of the furniture.
    pub labels: SheetLabels<'a>,
    /// Where the three cuts meet; `None` for the middle of the organs, see [`middle_of_organs`].
    pub cut_at: Option<Point<Patient>>,
    /// Lines over the 3-D panels and where they pass through the cuts.
    pub lines: Vec<SheetLine<'a>>,
}

/// Makes the surfaces clear that would hide the organs in 3-D: the skin, and layers of fat, muscle or
/// soft tissue round most of the others. The outermost keeps a little more body than those within.
pub fn clear_shells(surfaces: &mut [SheetSurface]) {
    let shells: Vec<usize> = (0..surfaces.len())
        .filter(|&i| is_shell(surfaces, i))
        .collect();
    let volume = |i: usize| surfaces[i].mesh.signed_volume_mm3().abs();
    let outermost = shells
        .iter()
        .copied()
        .max_by(|&a, &b| volume(a).total_cmp(&volume(b)));
    for shell in shells {
        surfaces[shell].opacity = if Some(shell) == outermost { 0.12 } else { 0.03 };
    }
}

/// Skin; a surface that fills a good part of the picture and whose box holds the middles of most
/// others; or fat or muscle, however thin, that lies round or before a good part of the organs.
fn is_shell(surfaces: &[SheetSurface], index: usize) -> bool {
    /// A body fills 0.15 (arms spread) to 0.6 of its box, its lean tissue 0.08, a large organ less
    /// than 0.05.
    const LEAST_PART: f64 = 0.07;
    /// A layer that hides fewer organs than these, or less than this part of them, is one that a
    /// person may look for.
    const LEAST_ORGANS: usize = 3;
    const ORGANS_PART: usize = 8;
    let own = &surfaces[index];
    if own.kind == SurfaceKind::Skin {
        return true;
    }
    let (bounds, whole) = (
        own.mesh.bounds(),
        Extent::of(surfaces.iter().map(|s| s.mesh.bounds())),
    );
    let whole_mm3 = whole.map_or(0.0, |w| (0..3).map(|a| w.length(a)).product());
    let holds = |other: &&SheetSurface| {
        let middle = other.mesh.bounds().center();
        (0..3).all(|a| (bounds.min[a]..=bounds.max[a]).contains(&middle[a]))
    };
    if own.kind == SurfaceKind::SoftTissue {
        let organs = || surfaces.iter().filter(|s| s.kind == SurfaceKind::Organ);
        let hides = |organ: &&SheetSurface| {
            let [x, y, z] = organ.mesh.bounds().center();
            let is_across = |axis: usize, at| (bounds.min[axis]..=bounds.max[axis]).contains(&at);
            is_across(0, x) && is_across(2, z) && y >= bounds.center()[1]
        };
        let held = organs().filter(hides).count();
        if held >= LEAST_ORGANS && ORGANS_PART * held >= organs().count() {
            return true;
        }
    }
    // The count includes the surface itself.
    let held = surfaces.iter().filter(holds).count();
    own.mesh.signed_volume_mm3().abs() >= LEAST_PART * whole_mm3
        && held >= 3
        && 2 * held > surfaces.len()
}

/// Where cuts show most: along each axis the place that crosses the most organs (vessels count
/// half), among equals the one next to the organs' area-weighted middle. Without organs and vessels
/// the middle of all surfaces; `None` without any area.
pub fn middle_of_organs(surfaces: &[SheetSurface]) -> Option<Point<Patient>> {
    let organs = surfaces.iter().filter(|s| s.kind == SurfaceKind::Organ);
    let middle = weighted_middle(organs).or_else(|| weighted_middle(surfaces.iter()))?;
    let [x, y, z] = [0, 1, 2].map(|axis| busiest(surfaces, axis, middle.to_array()[axis]));
    Some(Point::new(x, y, z))
}

/// The place along an axis with the most organs, next to `middle`.
fn busiest(surfaces: &[SheetSurface], axis: usize, middle: f64) -> f64 {
    let spans: Vec<(f64, f64, f64)> = surfaces.iter().filter_map(|s| span(s, axis)).collect();
    // Counts change only at the ends of spans, so these and the middle are all one has to try.
    let ends = spans.iter().flat_map(|&(from, to, _)| [from, to]);
    let score = |at: f64| -> f64 {
        let met = spans
            .iter()
            .filter(|(from, to, _)| (*from..=*to).contains(&at));
        met.map(|(_, _, weight)| weight).sum()
    };
    let better = |a: &(f64, f64), b: &(f64, f64)| {
        let nearer = (b.1 - middle).abs().total_cmp(&(a.1 - middle).abs());
        a.0.total_cmp(&b.0).then(nearer)
    };
    ends.chain([middle])
        .map(|at| (score(at), at))
        .max_by(better)
        .map_or(middle, |(_, at)| at)
}

/// The inner part of an organ's or vessel's extent along an axis (a cut through its very end would
/// show little of it) and how much it counts.
fn span(surface: &SheetSurface, axis: usize) -> Option<(f64, f64, f64)> {
    let weight = match surface.kind {
        SurfaceKind::Organ => 1.0,
        SurfaceKind::Vessel => 0.5,
        _ => return None,
    };
    let bounds = surface.mesh.bounds();
    let (min, max) = (f64::from(bounds.min[axis]), f64::from(bounds.max[axis]));
    let margin = 0.2 * (max - min);
    Some((min + margin, max - margin, weight))
}

fn weighted_middle<'a>(
    surfaces: impl Iterator<Item = &'a SheetSurface<'a>>,
) -> Option<Point<Patient>> {
    let (mut total, mut moment) = (0.0, [0.0; 3]);
    for surface in surfaces {
        for triangle in 0..surface.mesh.triangles().len() {
            let [a, b, c] = surface
                .mesh
                .corners(triangle)
                .map(Point::<Patient>::from_f32);
            let area = 0.5 * (b - a).cross(&(c - a)).norm();
            let middle = (a.coords + b.coords + c.coords) / 3.0;
            total += area;
            moment = std::array::from_fn(|i| moment[i] + area * middle[i]);
        }
    }
    let middle = moment.map(|m| m / total);
    middle
        .iter()
        .all(|m| m.is_finite())
        .then(|| Point::new(middle[0], middle[1], middle[2]))
}

/// Sheet width, margins and gaps between panels, picture points.
const WIDTH: i32 = 2400;
const MARGIN: i32 = 48;
const GAP: i32 = 24;
const COLUMN: i32 = (WIDTH - 2 * MARGIN - 2 * GAP) / 3;
const HEADER: i32 = 132;
const FOOTER: i32 = 64;
/// Least and most height of the pictures in the upper and the lower row.
const SOLID_HEIGHT: [i32; 2] = [620, 1100];
const CUT_HEIGHT: [i32; 2] = [640, 900];
/// Room around the body: at the sides and above and below, in 3-D and in cuts (names need more).
const SOLID_ROOM: [i32; 2] = [56, 48];
const CUT_ROOM: [i32; 2] = [132, 56];

/// Draws the sheet.
pub fn render(sheet: &Sheet) -> Image {
    let groups = groups(sheet);
    let extent = Extent::of(sheet.surfaces.iter().map(|s| s.mesh.bounds()));
    let whole = extent.unwrap_or(Extent::DEFAULT);
    let layout = Layout::new(&whole, &cut_extent(sheet, &whole), &groups);
    let mut canvas = Canvas::new(WIDTH, layout.height(), theme::SHEET);
    heading(&mut canvas, sheet, layout.height());
    let list = layout.panel(0, 2);
    panel::frame(
        &mut canvas,
        list,
        sheet.labels.structures,
        None,
        &sheet.surfaces.len().to_string(),
    );
    layout.legend.draw(&mut canvas, panel::picture_area(list));
    match extent {
        Some(_) => pictures(&mut canvas, sheet, &layout),
        None => blanks(&mut canvas, sheet, &layout),
    }
    canvas.into_image()
}

/// What cuts show: the whole patient, but along axes on which the skin reaches far beyond
/// everything inside (a whole body with a few organs) only the inside and a margin.
fn cut_extent(sheet: &Sheet, whole: &Extent) -> Extent {
    const MARGIN_MM: f64 = 40.0;
    let inner = sheet
        .surfaces
        .iter()
        .filter(|s| s.kind != SurfaceKind::Skin);
    let Some(inner) = Extent::of(inner.map(|s| s.mesh.bounds())) else {
        return *whole;
    };
    let mut shown = *whole;
    for axis in 0..3 {
        if whole.length(axis) > 1.6 * (inner.length(axis) + 2.0 * MARGIN_MM) {
            shown.min[axis] = whole.min[axis].max(inner.min[axis] - MARGIN_MM);
            shown.max[axis] = whole.max[axis].min(inner.max[axis] + MARGIN_MM);
        }
    }
    shown
}

/// Names by kind, each kind in order.
fn groups<'a>(sheet: &Sheet<'a>) -> Vec<Group<'a>> {
    let of = |(kind, title): (SurfaceKind, &'a str)| {
        let surfaces = sheet.surfaces.iter().filter(|s| s.kind == kind);
        let mut entries: Vec<_> = surfaces.map(|s| (s.color, s.name)).collect();
        entries.sort_by(|a, b| legend::by_name(a.1, b.1));
        Group { title, entries }
    };
    SurfaceKind::ALL
        .into_iter()
        .zip(sheet.labels.kinds)
        .map(of)
        .collect()
}

/// Where the six panels stand and at which scale they show the body.
struct Layout<'a> {
    legend: Legend<'a>,
    /// Heights of the two rows of panels.
    rows: [i32; 2],
    whole: Extent,
    cut: Extent,
    solid_px_per_mm: f64,
    cut_px_per_mm: f64,
}

impl<'a> Layout<'a> {
    fn new(whole: &Extent, shown: &Extent, groups: &[Group<'a>]) -> Self {
        let solids = [View::FRONT, View::RIGHT_SIDE];
        let solid = RowScale::new(whole, &solids, SOLID_ROOM, SOLID_HEIGHT);
        let cuts = [View::AXIAL, View::FRONT, View::SAGITTAL];
        let cut = RowScale::new(shown, &cuts, CUT_ROOM, CUT_HEIGHT);
        let legend = Legend::new(groups, solid.height);
        let upper = solid.height.max(legend.height());
        Self {
            legend,
            rows: [upper, cut.height].map(|h| h + panel::STRIP + 1),
            whole: *whole,
            cut: *shown,
            solid_px_per_mm: solid.px_per_mm,
            cut_px_per_mm: cut.px_per_mm,
        }
    }

    fn height(&self) -> i32 {
        HEADER + self.rows[0] + GAP + self.rows[1] + FOOTER
    }

    fn panel(&self, row: usize, column: i32) -> Rect {
        Rect {
            x: MARGIN + column * (COLUMN + GAP),
            y: HEADER + if row == 0 { 0 } else { self.rows[0] + GAP },
            w: COLUMN,
            h: self.rows[row],
        }
    }

    fn solid_projection(&self, area: Rect, view: View) -> Projection {
        let (center_mm, px_per_mm) = (self.whole.center(), self.solid_px_per_mm);
        Projection {
            view,
            center_mm,
            px_per_mm,
            size: size(area),
        }
    }

    fn cut_projection(&self, area: Rect, view: View) -> Projection {
        let (center_mm, px_per_mm) = (self.cut.center(), self.cut_px_per_mm);
        Projection {
            view,
            center_mm,
            px_per_mm,
            size: size(area),
        }
    }
}

fn size(area: Rect) -> [usize; 2] {
    [area.w, area.h].map(|s| s.max(1) as usize)
}

/// One scale for all panels of a row, and the height of their pictures.
struct RowScale {
    px_per_mm: f64,
    height: i32,
}

impl RowScale {
    /// The body fills the panels' width if that gives an allowed height, else the height.
    fn new(extent: &Extent, views: &[View], room: [i32; 2], [least, most]: [i32; 2]) -> Self {
        let width = f64::from(COLUMN - 2 - 2 * room[0]);
        let scale = |height: f64| {
            let fit = |v: &View| view::fitting_scale(extent, *v, [width, height]);
            views.iter().map(fit).fold(f64::INFINITY, f64::min)
        };
        let highest = views
            .iter()
            .map(|v| extent.length(v.up.axis))
            .fold(0.0, f64::max);
        let tallest = f64::from(most - 2 * room[1]);
        let wanted = (scale(tallest) * highest).ceil() as i32 + 2 * room[1];
        let height = wanted.clamp(least, most);
        Self {
            px_per_mm: scale(f64::from(height - 2 * room[1])),
            height,
        }
    }
}

fn heading(canvas: &mut Canvas, sheet: &Sheet, height: i32) {
    let (left, room) = (MARGIN as f32, (WIDTH - 2 * MARGIN) as f32);
    let title = text::fitted(sheet.title, 40.0, room);
    text::draw(
        canvas,
        [left, 52.0],
        Align::Left,
        &title,
        Style::plain(40.0, theme::TEXT),
    );
    let subtitle = text::fitted(sheet.subtitle, 20.0, room);
    text::draw(
        canvas,
        [left, 97.0],
        Align::Left,
        &subtitle,
        Style::plain(20.0, theme::TEXT_DIM),
    );
    let foot = text::fitted(sheet.labels.conventions, 16.0, room);
    let y = (height - FOOTER / 2) as f32;
    text::draw(
        canvas,
        [left, y],
        Align::Left,
        &foot,
        Style::plain(16.0, theme::TEXT_DIM),
    );
}

/// The five picture panels with their titles and nothing in them but a word.
fn blanks(canvas: &mut Canvas, sheet: &Sheet, layout: &Layout) {
    let l = &sheet.labels;
    for (row, column, title) in [
        (0, 0, l.front),
        (0, 1, l.right_side),
        (1, 0, l.axial),
        (1, 1, l.coronal),
        (1, 2, l.sagittal),
    ] {
        let panel = layout.panel(row, column);
        panel::frame(canvas, panel, title, None, "");
        let area = panel::picture_area(panel);
        canvas.fill(area, theme::PANEL_BOTTOM, 1.0);
        let middle = [
            area.x as f32 + 0.5 * area.w as f32,
            area.y as f32 + 0.5 * area.h as f32,
        ];
        text::draw(
            canvas,
            middle,
            Align::Center,
            l.empty,
            Style::plain(20.0, theme::TEXT_DIM),
        );
    }
}

fn pictures(canvas: &mut Canvas, sheet: &Sheet, layout: &Layout) {
    let whole = &layout.whole;
    let middle = || middle_of_organs(&sheet.surfaces).map_or(whole.center(), |p| p.to_array());
    let asked = sheet
        .cut_at
        .map(|p| p.to_array())
        .filter(|p| p.iter().all(|c| c.is_finite()));
    let cuts = Cut::through(whole.clamp(asked.unwrap_or_else(middle)));
    solids(canvas, sheet, layout, &cuts);
    cut_panels(canvas, sheet, layout, &cuts);
}

/// The two 3-D panels.
fn solids(canvas: &mut Canvas, sheet: &Sheet, layout: &Layout, cuts: &[Cut; 3]) {
    let bodies: Vec<Body> = (sheet.surfaces.par_iter())
        .map(|s| Body::new(s.mesh, s.color, s.opacity))
        .collect();
    for (column, view, title) in [
        (0, View::FRONT, sheet.labels.front),
        (1, View::RIGHT_SIDE, sheet.labels.right_side),
    ] {
        let panel = layout.panel(0, column);
        let area = panel::picture_area(panel);
        let projection = layout.solid_projection(area, view);
        canvas.paste(
            area.x,
            area.y,
            projection.size[0],
            &shade::picture(&bodies, &projection),
        );
        for line in &sheet.lines {
            overlay(canvas, area, &projection, line);
        }
        ticks(canvas, area, &projection, cuts);
        panel::letters(canvas, area, view);
        panel::scale_bar(canvas, area, projection.px_per_mm);
        panel::frame(canvas, panel, title, None, "");
    }
}

/// A line over the picture, as if the body were clear.
fn overlay(canvas: &mut Canvas, area: Rect, projection: &Projection, line: &SheetLine) {
    let place = |p: &Point<Patient>| {
        let [x, y, _] = projection.project_point(*p);
        [area.x as f32 + x as f32, area.y as f32 + y as f32]
    };
    for ends in line.points.windows(2) {
        canvas.line(
            [place(&ends[0]), place(&ends[1])],
            3.6,
            ([0, 0, 0], 0.35),
            area,
        );
    }
    for ends in line.points.windows(2) {
        canvas.line(
            [place(&ends[0]), place(&ends[1])],
            1.8,
            (line.color, 1.0),
            area,
        );
    }
}

/// Short marks at the panel's edges where the cuts lie.
fn ticks(canvas: &mut Canvas, area: Rect, projection: &Projection, cuts: &[Cut; 3]) {
    for cut in cuts
        .iter()
        .filter(|c| c.plane.axis != projection.view.toward.axis)
    {
        let [[x0, y0], [x1, y1]] = cut::trace(projection, area, cut.plane);
        let (dx, dy) = if x0 == x1 { (0.0, 11.0) } else { (11.0, 0.0) };
        let paint = (cut.mark, 1.0);
        canvas.line([[x0, y0], [x0 + dx, y0 + dy]], 2.4, paint, area);
        canvas.line([[x1, y1], [x1 - dx, y1 - dy]], 2.4, paint, area);
    }
}

/// The three cut panels.
fn cut_panels(canvas: &mut Canvas, sheet: &Sheet, layout: &Layout, cuts: &[Cut; 3]) {
    let (order, inside_out) = (by_priority(&sheet.surfaces), inside_out(&sheet.surfaces));
    let panels = [0, 1, 2].map(|column| layout.panel(1, column));
    let pictures: Vec<CutPicture> = (cuts.par_iter().zip(panels))
        .map(|(cut, panel)| {
            let area = panel::picture_area(panel);
            let projection = layout.cut_projection(area, cut.view);
            CutPicture::new(&sheet.surfaces, &order, &inside_out, cut.plane, &projection)
        })
        .collect();
    let titles = [
        sheet.labels.axial,
        sheet.labels.coronal,
        sheet.labels.sagittal,
    ];
    for (column, picture) in pictures.iter().enumerate() {
        let (cut, area) = (&cuts[column], panel::picture_area(panels[column]));
        picture.draw(canvas, area, cut, cuts, &sheet.surfaces);
        piercings(canvas, area, picture.projection(), cut, &sheet.lines);
        panel::frame(
            canvas,
            panels[column],
            titles[column],
            Some(cut.mark),
            &cut.caption(),
        );
    }
}

/// Dots where lines pass through a cut.
fn piercings(
    canvas: &mut Canvas,
    area: Rect,
    projection: &Projection,
    cut: &Cut,
    lines: &[SheetLine],
) {
    for line in lines {
        for ends in line.points.windows(2) {
            let [a, b] = [ends[0], ends[1]].map(|p| p.to_array());
            let [ha, hb] = [a, b].map(|p| p[cut.plane.axis] - cut.plane.position_mm);
            if (ha < 0.0) != (hb < 0.0) {
                let t = ha / (ha - hb);
                let [x, y, _] =
                    projection.project(std::array::from_fn(|i| a[i] + t * (b[i] - a[i])));
                let at = [area.x as f32 + x as f32, area.y as f32 + y as f32];
                canvas.dot(at, 4.2, [0, 0, 0], area);
                canvas.dot(at, 3.0, line.color, area);
            }
        }
    }
}

/// Indices from the lowest priority to the highest; among equals from the largest box to the
/// smallest.
fn by_priority(surfaces: &[SheetSurface]) -> Vec<usize> {
    let size = |s: &SheetSurface| {
        let bounds = s.mesh.bounds();
        (0..3)
            .map(|a| f64::from(bounds.max[a]) - f64::from(bounds.min[a]))
            .product::<f64>()
    };
    let mut order: Vec<(i32, f64, usize)> = surfaces
        .iter()
        .enumerate()
        .map(|(i, s)| (s.priority, size(s), i))
        .collect();
    order.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
    order.into_iter().map(|(_, _, i)| i).collect()
}

/// Which surfaces have their triangles facing inward.
fn inside_out(surfaces: &[SheetSurface]) -> Vec<bool> {
    surfaces
        .par_iter()
        .map(|s| s.mesh.signed_volume_mm3() < 0.0)
        .collect()
}

#[cfg(test)]
mod tests;
