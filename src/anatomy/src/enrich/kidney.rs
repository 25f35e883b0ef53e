//! The inside of the kidneys: cortex, pyramids, sinus, collecting system.
//!
//! Everything follows from the depth under the *hull*: the kidney with its hilum closed, since label
//! maps leave the fat of the sinus out of the kidney and recipes do not. The cortex reaches to a
//! depth, the sinus begins at another, pyramids are cones between the two whose axes fan out from
//! the sinus, on the convex border and on both faces; between them columns of cortex are left. The
//! sinus reaches out along the calyces to the tips of the pyramids, the papillae, and opens at the
//! hilum, which lies where the kidney is hollowed out, or else towards the great vessels.

use geometry::moments::moments;
use geometry::{Point, TriMesh, frame};
use nalgebra::Vector3;

use super::field::{Field, Grid, Part, blend, to_segment};
use super::figures::{GradeFigures, KidneyFigures};
use super::random::Draws;
use super::{Context, EnrichError, Side, surface_error};
use crate::atlas::StructureKind;
use crate::patient::{Patient, Structure};

/// Distance between samples, mm.
const SPACING_MM: f64 = 0.9;

/// Room round the kidney: for closing its hilum, and for a pelvis that lies outside.
const MARGIN_MM: f64 = 21.0;

/// How near other structures matter, mm.
const OTHERS_MM: f64 = 2.0;

/// Between the sinus and other structures, mm.
const SINUS_GAP_MM: f32 = 0.6;

/// Between the collecting system and other structures, mm.
const COLLECTING_GAP_MM: f32 = 0.8;

/// Outside the kidney by more than this there is nothing of it, mm.
const FAR_MM: f32 = 3.0;

/// A ball of this radius does not enter the hilum.
const HILUM_BALL_MM: f32 = 18.0;

/// Volumes between which something is a whole kidney with a usual inside: from half the least to
/// three times the median of S. A. Emamian et al., AJR 160:83 (1993).
const WHOLE_ML: (f64, f64) = (60.0, 450.0);

/// Crumbs below this are left out, mm³.
const LEAST_MM3: f64 = 15.0;

/// The ids of one side.
struct Ids {
    kidney: &'static str,
    medulla: &'static str,
    sinus: &'static str,
    collecting: &'static str,
}

fn ids(side: Side) -> Ids {
    match side {
        Side::Left => Ids {
            kidney: "kidney_left",
            medulla: "renal_medulla_left",
            sinus: "renal_sinus_left",
            collecting: "renal_collecting_system_left",
        },
        Side::Right => Ids {
            kidney: "kidney_right",
            medulla: "renal_medulla_right",
            sinus: "renal_sinus_right",
            collecting: "renal_collecting_system_right",
        },
    }
}

pub(super) fn add(
    patient: &mut Patient,
    context: &Context<'_>,
    notes: &mut Vec<String>,
) -> Result<(), EnrichError> {
    let [left, right] = Side::BOTH;
    let before: &Patient = patient;
    let (left, right) = rayon::join(
        || inside(before, left, context),
        || inside(before, right, context),
    );
    for inside in [left?, right?].into_iter().flatten() {
        if let (Some(kidney), Some(cortex)) = (inside.cortex_of, context.tissues.id("renal_cortex"))
        {
            patient.structures[kidney].tissue = cortex;
        }
        patient.structures.extend(inside.structures);
        notes.push(inside.note);
    }
    Ok(())
}

/// What is inside one kidney, and what there is to say of it.
#[derive(Default)]
struct Inside {
    structures: Vec<Structure>,
    /// The kidney whose own tissue is now the cortex alone.
    cortex_of: Option<usize>,
    note: String,
}

impl Inside {
    fn nothing(note: String) -> Self {
        Self {
            note,
            ..Self::default()
        }
    }
}

fn inside(
    patient: &Patient,
    side: Side,
    context: &Context<'_>,
) -> Result<Option<Inside>, EnrichError> {
    let ids = ids(side);
    match why_not(patient, &ids) {
        Some(Reason::NoKidney) => Ok(None),
        Some(Reason::Says(note)) => Ok(Some(Inside::nothing(note))),
        None => made(patient, side, &ids, context),
    }
}

enum Reason {
    NoKidney,
    Says(String),
}

fn why_not(patient: &Patient, ids: &Ids) -> Option<Reason> {
    let Some(kidney) = patient.structure(ids.kidney) else {
        return Some(Reason::NoKidney);
    };
    if let Some(there) = [ids.medulla, ids.sinus]
        .into_iter()
        .find(|id| patient.structure(id).is_some())
    {
        return Some(Reason::Says(format!(
            "`{}` keeps the inside it has (`{there}`)",
            ids.kidney
        )));
    }
    let volume_ml = kidney.surface.signed_volume_mm3() / 1000.0;
    let (least, most) = WHOLE_ML;
    (!(least..=most).contains(&volume_ml)).then(|| {
        Reason::Says(format!(
            "`{}` gets no pyramids and no sinus: {volume_ml:.0} ml is no whole adult kidney ({least:.0} to {most:.0} ml)",
            ids.kidney
        ))
    })
}

fn made(
    patient: &Patient,
    side: Side,
    ids: &Ids,
    context: &Context<'_>,
) -> Result<Option<Inside>, EnrichError> {
    let Some(kidney) = patient.structure_index(ids.kidney) else {
        return Ok(None);
    };
    let grade = context.request.hydronephrosis.iter();
    let grade = grade
        .filter(|(of, _)| *of == side)
        .map(|(_, grade)| *grade)
        .max()
        .unwrap_or(0);
    let draws = Draws::new(context.request.seed, ids.kidney);
    let Some(plan) = Plan::of(patient, kidney, &context.figures.kidney, grade, draws) else {
        return Ok(Some(Inside::nothing(format!(
            "`{}` gets no pyramids and no sinus: its surface has no long axis to go by",
            ids.kidney
        ))));
    };
    let mut added = Vec::new();
    let mut put = |id: &'static str, field: &Field| -> Result<(), EnrichError> {
        if let Some(mesh) = field.surface(LEAST_MM3).map_err(surface_error(id))? {
            added.push(context.modelled(id, mesh)?);
        }
        Ok(())
    };
    let rooms = [
        (ids.sinus, plan.sinus(), SINUS_GAP_MM),
        (ids.collecting, plan.collecting(), COLLECTING_GAP_MM),
    ];
    // The others matter only where there is something of the rooms, or nearly so.
    let near = Part::holding(rooms[0].1.grid, |n| {
        rooms
            .iter()
            .any(|(_, room, gap)| room.values[n] < gap + OTHERS_MM as f32)
    });
    let others = others(patient, kidney, near);
    put(ids.medulla, &plan.medulla())?;
    let [sinus, collecting] = rooms.map(|(_, room, gap)| clear_of(&room, &others, gap));
    put(ids.sinus, &sinus)?;
    put(ids.collecting, &collecting.smoothed(0.5))?;
    Ok(Some(Inside {
        note: note(ids.kidney, &plan, &added, grade),
        cortex_of: Some(kidney),
        structures: added,
    }))
}

fn note(kidney: &str, plan: &Plan<'_>, added: &[Structure], grade: u8) -> String {
    let names: Vec<String> = added.iter().map(|s| format!("`{}`", s.id)).collect();
    let widened = match grade {
        0 => String::new(),
        grade => format!(", hydronephrosis of grade {grade}"),
    };
    format!(
        "`{kidney}`: {} modelled ({} pyramids, cortex {:.1} mm{widened})",
        names.join(", "),
        plan.pyramids.len(),
        plan.cortex_mm
    )
}

/// A pyramid's axis, from its papilla to its base.
#[derive(Clone, Copy, Debug)]
struct Pyramid {
    papilla: Vector3<f64>,
    direction: Vector3<f64>,
    length_mm: f64,
    base_radius_mm: f64,
    tip_radius_mm: f64,
    /// Where on the sinus' middle line its calyx begins.
    root: Vector3<f64>,
}

/// Where everything in one kidney lies.
struct Plan<'a> {
    figures: &'a KidneyFigures,
    grade: &'a GradeFigures,
    draws: Draws,
    /// Distance to the kidney.
    kidney: Field,
    /// Distance to the kidney with its hilum closed.
    hull: Field,
    /// Depth under the hull, smoothed.
    depth: Field,
    /// Middle of the sinus.
    center: Vector3<f64>,
    /// Along the kidney, to the head; to the hilum; across both.
    axes: [Vector3<f64>; 3],
    cortex_mm: f64,
    /// Depth at which the sinus begins.
    sinus_mm: f64,
    /// Half the length of the sinus' middle line.
    half_line_mm: f64,
    pyramids: Vec<Pyramid>,
}

impl<'a> Plan<'a> {
    fn of(
        patient: &Patient,
        kidney: usize,
        figures: &'a KidneyFigures,
        grade: u8,
        draws: Draws,
    ) -> Option<Self> {
        let mesh = &patient.structures[kidney].surface;
        let grid = Grid::around(&mesh.bounds(), MARGIN_MM, SPACING_MM);
        let field = Field::of_mesh(mesh, grid);
        let hull = field.closed(HILUM_BALL_MM).smoothed(0.8);
        let depth = Field {
            grid,
            values: hull.depth(),
        };
        let depth = depth.smoothed(0.8);
        let deepest = f64::from(depth.values.iter().copied().fold(0.0, f32::max));
        let grade = figures.grades.get(usize::from(grade))?;
        let thickness = grade.parenchyma;
        let cortex = draws.figure(&figures.cortex_mm, 0);
        let parenchyma = draws.figure(&figures.parenchyma_mm, 1);
        // A slim kidney has less of everything.
        let sinus_mm = (parenchyma).min(0.68 * deepest) * thickness;
        let cortex_mm = cortex.min(0.5 * sinus_mm);
        let axes = axes(patient, mesh, &field, &hull)?;
        let center = core_center(&depth, sinus_mm)?;
        let half_line_mm = core_half_length(&depth, sinus_mm, center, axes[0]);
        let mut plan = Self {
            figures,
            grade,
            draws,
            kidney: field,
            hull,
            depth,
            center,
            axes,
            cortex_mm,
            sinus_mm,
            half_line_mm,
            pyramids: Vec::new(),
        };
        plan.pyramids = plan.lay_pyramids();
        Some(plan)
    }

    /// Rows on the convex border, in front and behind, and in the two lips of the hilum: the
    /// latter tilted out of the plane of the hilum.
    fn lay_pyramids(&self) -> Vec<Pyramid> {
        let count = |figure, n| (self.draws.figure(figure, n).round()).max(1.0) as usize;
        let lateral = count(&self.figures.pyramids_lateral, 2);
        let front = count(&self.figures.pyramids_face, 3);
        let back = count(&self.figures.pyramids_face, 4);
        let lip = count(&self.figures.pyramids_lip, 5);
        let rows = [
            (lateral, 0.0, 82.0),
            (front, 64.0, 58.0),
            (back, -64.0, 58.0),
            (lip, 112.0, 42.0),
            (lip, -112.0, 42.0),
        ];
        let mut pyramids = Vec::new();
        for (row, &(count, tilt_deg, fan_deg)) in rows.iter().enumerate() {
            for n in 0..count {
                let share = (n as f64 + 0.5) / count as f64 * 2.0 - 1.0;
                let spread = fan_deg
                    * if count > 1 {
                        1.0 + 0.5 / count as f64
                    } else {
                        0.0
                    };
                let number = 100 * (row as u64 + 1) + n as u64;
                let wobble = 4.0 * self.draws.normal(number);
                let fan = (share * spread + wobble).to_radians();
                let tilt = (tilt_deg + 3.0 * self.draws.normal(number + 50)).to_radians();
                pyramids.extend(self.pyramid(fan, tilt, number));
            }
        }
        pyramids
    }

    /// The pyramid in a direction, if there is room for one.
    fn pyramid(&self, fan: f64, tilt: f64, number: u64) -> Option<Pyramid> {
        const STEP_MM: f64 = 0.25;
        const FARTHEST_MM: f64 = 90.0;
        const LEAST_LENGTH_MM: f64 = 3.0;
        let [up, hilum, across] = self.axes;
        let in_plane = up * libm::sin(fan) - hilum * libm::cos(fan);
        let direction = in_plane * libm::cos(tilt) + across * libm::sin(tilt);
        let root = self.center + up * (self.half_line_mm * 0.9 * libm::sin(fan));
        let depth_at = |mm: f64| self.depth.sample(root + direction * mm);
        let steps = (FARTHEST_MM / STEP_MM) as usize;
        let first_below = |depth_mm: f64| {
            (0..steps)
                .map(|n| n as f64 * STEP_MM)
                .find(|&mm| depth_at(mm) < depth_mm)
        };
        let from = first_below(self.sinus_mm)?;
        let to = first_below(self.cortex_mm)?;
        let length_mm = to - from;
        (length_mm >= LEAST_LENGTH_MM).then(|| Pyramid {
            papilla: root + direction * from,
            direction,
            length_mm,
            base_radius_mm: self
                .draws
                .figure(&self.figures.pyramid_base_radius_mm, number + 1000),
            tip_radius_mm: self.figures.papilla_radius_mm.value,
            root,
        })
    }

    fn medulla(&self) -> Field {
        let column = self.figures.column_mm.value;
        let (cortex, pyramids) = (self.cortex_mm, &self.pyramids);
        let grid = self.depth.grid;
        let field = Field::of_points(grid, |n| {
            let base = cortex as f32 - self.depth.values[n];
            if base > FAR_MM || pyramids.is_empty() {
                return FAR_MM;
            }
            let p = grid.place(n);
            let (mut first, mut second) = (f64::INFINITY, f64::INFINITY);
            for pyramid in pyramids {
                let cone = pyramid.cone_mm(p);
                if cone < first {
                    (first, second) = (cone, first);
                } else {
                    second = second.min(cone);
                }
            }
            // Neighbours that would touch keep a column of cortex between them.
            let apart = if second.is_finite() {
                (first - second + column) / 2.0
            } else {
                first
            };
            // Not nearer to the sinus' lips than a rim of cortex.
            let rim = self.kidney.values[n] + 1.0;
            (first.max(apart) as f32).max(base).max(rim)
        });
        field.smoothed(0.6)
    }

    /// The sinus, as if nothing else were in the way.
    fn sinus(&self) -> Field {
        let sheath = self.draws.figure(&self.figures.calyx_sheath_radius_mm, 5);
        let grid = self.depth.grid;
        let field = Field::of_points(grid, |n| {
            if self.hull.values[n] > FAR_MM {
                return FAR_MM;
            }
            let p = grid.place(n);
            let core = self.sinus_mm - f64::from(self.depth.values[n]);
            let sheaths = self.pyramids.iter().map(|pyramid| {
                let (mm, along) = to_segment(p, pyramid.root, pyramid.papilla);
                mm - sheath * (1.0 - 0.3 * along)
            });
            let sheaths = sheaths.fold(f64::INFINITY, f64::min);
            blend(blend(core, sheaths, 2.5), self.mouth_mm(p), 3.0) as f32
        });
        let [_, hilum, _] = self.axes;
        let joined = Field::of_points(field.grid, |n| {
            let p = field.grid.place(n);
            // What the label map leaves open of the sinus, and a little into the kidney round it.
            let is_hollow = (p - self.center).dot(&hilum) > -12.0;
            let hollow = (-self.kidney.values[n] - 0.6).max(self.hull.values[n] + 1.2);
            let joined = if is_hollow {
                blend(f64::from(field.values[n]), f64::from(hollow), 2.0) as f32
            } else {
                field.values[n]
            };
            joined.max(self.hull.values[n] + 0.6)
        });
        joined.smoothed(0.7)
    }

    /// The opening at the hilum: a flat funnel from the middle outwards.
    fn mouth_mm(&self, p: Vector3<f64>) -> f64 {
        let [up, hilum, across] = self.axes;
        let from = p - self.center;
        let (a, b, c) = (from.dot(&up), from.dot(&hilum), from.dot(&across));
        let (long, wide) = (
            self.figures.hilum_half_length_mm.value,
            self.figures.hilum_half_width_mm.value,
        );
        let round = ((a / long).powi(2) + (c / wide).powi(2)).sqrt();
        ((round - 1.0) * wide).max(-b)
    }

    /// The collecting system, as if nothing else were in the way, and before it is smoothed.
    fn collecting(&self) -> Field {
        let grade = self.grade;
        let [up, hilum, _] = self.axes;
        let pelvis_end = self.center + hilum * self.pelvis_reach_mm() - up * 4.0;
        let majors = [0.55, -0.55].map(|s| self.center + up * (s * self.half_line_mm.max(8.0)));
        let grid = self.depth.grid;
        let field = Field::of_points(grid, |n| {
            let p = grid.place(n);
            // The pelvis is a funnel, flat from front to back.
            let pelvis = self.flat_funnel_mm(p, self.center - hilum * 2.0, pelvis_end);
            let mut all = pelvis;
            if grade.infundibulum_mm > 0.0 {
                for end in majors {
                    let (mm, _) = to_segment(p, self.center + hilum * 3.0, end);
                    all = blend(all, mm - grade.infundibulum_mm, 1.5);
                }
            }
            if grade.calyx_mm > 0.0 {
                for pyramid in &self.pyramids {
                    all = blend(all, self.calyx_mm(p, pyramid), 1.5);
                }
            }
            if grade.fat_rim_mm > 0.0 {
                // What the calyces do not leave is the pelvis' too, but for a rim of fat.
                let fill = self.sinus_mm + grade.fat_rim_mm - f64::from(self.depth.values[n]);
                all = blend(all, fill, 1.5);
            }
            all as f32
        });
        let room = (grade.pelvis_mm - 4.0).max(0.0);
        let least = 0.5 * self.cortex_mm;
        Field::of_points(field.grid, |n| {
            // Out through the mouth only, never through the cortex.
            let out = self.mouth_mm(field.grid.place(n)) - room;
            let allowed = out.min(least - f64::from(self.depth.values[n])) as f32;
            field.values[n].max(allowed)
        })
    }

    /// How far the pelvis reaches from the middle of the sinus to the hilum: to just outside.
    fn pelvis_reach_mm(&self) -> f64 {
        const OUTSIDE_MM: f64 = 6.0;
        const FARTHEST_MM: f64 = 45.0;
        let hilum = self.axes[1];
        let mut mm = 0.0;
        while mm < FARTHEST_MM && self.hull.sample(self.center + hilum * mm) < OUTSIDE_MM {
            mm += 0.5;
        }
        mm
    }

    fn flat_funnel_mm(&self, p: Vector3<f64>, from: Vector3<f64>, to: Vector3<f64>) -> f64 {
        // Twice as long along the kidney as it is thick, narrowing to the ureter.
        const FLATNESS: f64 = 1.8;
        const URETER_SHARE: f64 = 0.45;
        let up = self.axes[0];
        let flat = |v: Vector3<f64>| v - up * (v.dot(&up) * (1.0 - 1.0 / FLATNESS));
        let about = |v: Vector3<f64>| from + flat(v - from);
        let (mm, along) = to_segment(about(p), from, about(to));
        let narrow = 1.0 - (1.0 - URETER_SHARE) * along * along;
        mm - self.grade.pelvis_mm * narrow
    }

    /// A calyx: a tube to the papilla with a cup, or a ball where it is widened.
    fn calyx_mm(&self, p: Vector3<f64>, pyramid: &Pyramid) -> f64 {
        let radius = self.grade.calyx_mm;
        let cup = pyramid.papilla - pyramid.direction * (0.7 * radius);
        let (tube, _) = to_segment(p, pyramid.root, cup);
        let ball = (p - cup).norm() - radius;
        blend(tube - self.grade.infundibulum_mm, ball, 2.0)
    }
}

impl Pyramid {
    /// About the distance to its cone, whose base is open: the cortex closes it.
    fn cone_mm(&self, p: Vector3<f64>) -> f64 {
        const INTO_SINUS_MM: f64 = 1.5;
        let from = p - self.papilla;
        let along = from.dot(&self.direction);
        let across = (from - self.direction * along).norm();
        let share = (along / self.length_mm).clamp(0.0, 1.3);
        let radius = self.tip_radius_mm
            + (self.base_radius_mm - self.tip_radius_mm) * share * (1.35 - 0.35 * share);
        (across - radius).max(-INTO_SINUS_MM - along)
    }
}

/// Along the kidney (to the head), to the hilum, across.
fn axes(
    patient: &Patient,
    mesh: &TriMesh<frame::Patient>,
    kidney: &Field,
    hull: &Field,
) -> Option<[Vector3<f64>; 3]> {
    let moments = moments(mesh)?;
    let long = moments.axes[0].coords;
    let up = if long.z < 0.0 { -long } else { long };
    let middle = moments.centroid.coords;
    let medial = towards_great_vessels(patient, middle);
    let square = |v: Vector3<f64>| (v - up * v.dot(&up)).try_normalize(1e-6);
    let medial = square(medial)?;
    let hilum = hollow_side(kidney, hull, middle)
        .and_then(square)
        // A hollow on the far side is the bed of another organ.
        .filter(|hollow| hollow.dot(&medial) > 0.3)
        .unwrap_or(medial);
    Some([up, hilum, up.cross(&hilum)])
}

/// Where the kidney is hollowed out, if it is.
fn hollow_side(kidney: &Field, hull: &Field, middle: Vector3<f64>) -> Option<Vector3<f64>> {
    const CLEAR_MM: f32 = 1.0;
    const LEAST_SHARE: f64 = 0.012;
    let (mut sum, mut count, mut solid) = (Vector3::zeros(), 0.0, 0.0);
    for (n, (&k, &h)) in kidney.values.iter().zip(&hull.values).enumerate() {
        if k < 0.0 {
            solid += 1.0;
        }
        if k > CLEAR_MM && h < -CLEAR_MM {
            sum += kidney.grid.place(n);
            count += 1.0;
        }
    }
    (count > LEAST_SHARE * solid).then(|| sum / count - middle)
}

/// From a kidney to the great vessels beside it, or else to the spine or the middle of the body.
fn towards_great_vessels(patient: &Patient, from: Vector3<f64>) -> Vector3<f64> {
    const BESIDE_MM: f64 = 40.0;
    let groups: [&[&str]; 3] = [
        &["aorta", "inferior_vena_cava"],
        &["vertebrae_L2", "vertebrae_L1", "vertebrae_L3", "spine"],
        &["body", "skin"],
    ];
    for group in groups {
        let (mut sum, mut count) = (Vector3::zeros(), 0.0);
        for id in group {
            let Some(structure) = patient.structure(id) else {
                continue;
            };
            for vertex in structure.surface.vertices() {
                let at = Point::<frame::Patient>::from_f32(*vertex).coords;
                if (at.z - from.z).abs() < BESIDE_MM {
                    sum += at;
                    count += 1.0;
                }
            }
        }
        if count > 0.0 {
            return sum / count - from;
        }
    }
    Vector3::new(-from.x, -from.y.abs(), 0.0)
}

fn core_center(depth: &Field, least_mm: f64) -> Option<Vector3<f64>> {
    let (mut sum, mut weight) = (Vector3::zeros(), 0.0);
    for (n, &mm) in depth.values.iter().enumerate() {
        let over = f64::from(mm) - least_mm;
        if over > 0.0 {
            sum += depth.grid.place(n) * over;
            weight += over;
        }
    }
    (weight > 0.0).then(|| sum / weight)
}

fn core_half_length(depth: &Field, least_mm: f64, center: Vector3<f64>, up: Vector3<f64>) -> f64 {
    let core = depth
        .values
        .iter()
        .enumerate()
        .filter(|(_, mm)| f64::from(**mm) > least_mm);
    core.map(|(n, _)| (depth.grid.place(n) - center).dot(&up).abs())
        .fold(0.0, f64::max)
}

/// A room without what others take, and a gap.
fn clear_of(room: &Field, others: &Field, gap_mm: f32) -> Field {
    Field::of_points(room.grid, |n| room.values[n].max(gap_mm - others.values[n]))
}

/// Distance to everything that a sinus or a pelvis must not enter: organs, bones, muscles, vessels.
fn others(patient: &Patient, kidney: usize, near: Part) -> Field {
    let bounds = near.grid.bounds();
    // Lean tissue without a label is not in the way: in the sinus it is the vessels and the pelvis.
    let solid = |s: &Structure| {
        s.id != "skeletal_muscle"
            && !matches!(
                s.kind,
                StructureKind::Body
                    | StructureKind::Skin
                    | StructureKind::Fat
                    | StructureKind::Lesion
            )
    };
    let meshes: Vec<_> = patient
        .structures
        .iter()
        .enumerate()
        .filter(|(n, s)| {
            *n != kidney && solid(s) && !s.modelled && s.surface.bounds().overlaps(&bounds)
        })
        .map(|(_, s)| &s.surface)
        .collect();
    Field::near_meshes(&meshes, near, OTHERS_MM)
}

#[cfg(test)]
mod tests {
    use geometry::check::inspect;
    use geometry::closest::SurfaceQuery;
    use geometry::sdf::{Expr, SurfaceLimits, surface};

    use super::*;
    use crate::atlas::Atlas;
    use crate::enrich::{Enrichment, Step, enrich};
    use crate::progress::Silent;
    use crate::tissue::TissueTable;

    fn structure(id: &str, shape: &Expr) -> Structure {
        let mesh = surface(shape, 2.0, &SurfaceLimits::default()).unwrap();
        Structure::of_entry(Atlas::builtin().structure(id).unwrap(), mesh)
    }

    /// An adult's right kidney as a recipe has it, without a hollow, and an aorta 60 mm to its left.
    fn patient() -> Patient {
        let kidney = Expr::Ellipsoid {
            center: [0.0; 3],
            radii_mm: [25.0, 24.0, 55.0],
        };
        let aorta = Expr::Capsule {
            from: [60.0, -5.0, -80.0],
            to: [60.0, -5.0, 80.0],
            radius_mm: 9.0,
        };
        Patient {
            structures: vec![
                structure("kidney_right", &kidney),
                structure("aorta", &aorta),
            ],
            ..Patient::empty("kidney")
        }
    }

    fn enriched(seed: u64, grade: u8) -> Patient {
        let mut patient = patient();
        let request = Enrichment {
            seed,
            steps: vec![Step::Kidneys],
            hydronephrosis: (grade > 0)
                .then_some((Side::Right, grade))
                .into_iter()
                .collect(),
            ..Enrichment::default()
        };
        let (atlas, tissues) = (Atlas::builtin(), TissueTable::builtin());
        enrich(&mut patient, &request, atlas, tissues, &Silent).unwrap();
        patient
    }

    fn volume_ml(patient: &Patient, id: &str) -> f64 {
        patient.structure(id).unwrap().surface.signed_volume_mm3() / 1000.0
    }

    #[test]
    fn a_plain_kidney_gets_sound_pyramids_sinus_and_pelvis() {
        let patient = enriched(1, 0);
        for s in &patient.structures {
            assert!(inspect(&s.surface).is_sound(), "{}", s.id);
            assert_eq!(s.modelled, s.id.starts_with("renal_"), "{}", s.id);
        }
        let tissues = TissueTable::builtin();
        let kidney = patient.structure("kidney_right").unwrap();
        assert_eq!(tissues[kidney.tissue].id, "renal_cortex");
        let medulla = patient.structure("renal_medulla_right").unwrap();
        let pyramids = medulla.surface.components().len();
        assert!((8..=18).contains(&pyramids), "{pyramids} pyramids");
        // The sinus opens towards the great vessels.
        let sinus = &patient.structure("renal_sinus_right").unwrap().surface;
        assert!(sinus.bounds().max[0] > 24.0 && sinus.bounds().min[0] > -14.0);
    }

    /// Diagnostics 6:2 (2016): 7 to 10 mm from the capsule to the bases of the pyramids.
    #[test]
    fn the_cortex_over_the_pyramids_is_as_thick_as_it_should_be() {
        let patient = enriched(2, 0);
        let kidney = SurfaceQuery::new(&patient.structure("kidney_right").unwrap().surface);
        let medulla = patient.structure("renal_medulla_right").unwrap();
        for pyramid in medulla.surface.components() {
            let thinnest = pyramid
                .vertices()
                .iter()
                .map(|v| kidney.closest(Point::from_f32(*v)).distance_mm)
                .fold(f64::INFINITY, f64::min);
            assert!((6.3..10.0).contains(&thinnest), "{thinnest} mm");
        }
    }

    #[test]
    fn the_collecting_system_widens_with_the_grade() {
        let id = "renal_collecting_system_right";
        let volumes: Vec<f64> = (0..=4).map(|g| volume_ml(&enriched(3, g), id)).collect();
        assert!(
            volumes.windows(2).all(|v| v[1] > 1.25 * v[0]),
            "{volumes:?}"
        );
        let medulla = |g| volume_ml(&enriched(3, g), "renal_medulla_right");
        assert!(medulla(4) < 0.6 * medulla(0));
    }

    #[test]
    fn threads_do_not_matter_and_seeds_do() {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| enriched(4, 0))
        };
        let one = with(1);
        assert_eq!(one, with(3));
        assert_ne!(one, enriched(5, 0));
    }

    #[test]
    fn a_kidney_with_an_inside_keeps_it_and_half_a_kidney_gets_none() {
        let mut whole = enriched(1, 0);
        let before = whole.clone();
        let request = Enrichment {
            steps: vec![Step::Kidneys],
            ..Enrichment::default()
        };
        let (atlas, tissues) = (Atlas::builtin(), TissueTable::builtin());
        let notes = enrich(&mut whole, &request, atlas, tissues, &Silent).unwrap();
        assert_eq!(whole, before);
        assert!(notes[0].contains("keeps"), "{notes:?}");

        let stump = Expr::Sphere {
            center: [0.0; 3],
            radius_mm: 18.0,
        };
        let mut stump = Patient {
            structures: vec![structure("kidney_left", &stump)],
            ..Patient::empty("stump")
        };
        let notes = enrich(&mut stump, &request, atlas, tissues, &Silent).unwrap();
        assert_eq!(stump.structures.len(), 1);
        assert!(notes[0].contains("no whole adult kidney"), "{notes:?}");
    }

    #[test]
    fn there_are_four_grades() {
        let request = Enrichment {
            hydronephrosis: vec![(Side::Left, 5)],
            ..Enrichment::default()
        };
        let (atlas, tissues) = (Atlas::builtin(), TissueTable::builtin());
        assert!(enrich(&mut patient(), &request, atlas, tissues, &Silent).is_err());
    }
}
