//! The heart of `assets/patients/parts/heart.ron` as bodies have it, measured on its moved surfaces.

use std::sync::OnceLock;

use geometry::check::inspect;
use geometry::scene::{Crossings, Ray, Scene, SceneSurface, SurfaceId};

use super::*;
use crate::atlas::Atlas;
use crate::deform::{BodyState, Deformation, Deformed};
use crate::patient::Patient as Body;
use crate::progress::Silent;
use crate::recipe::{Choices, Recipe};
use crate::tissue::TissueTable;

/// The heart alone: what the trunk would bring is written here.
const HEART: &str = r#"Recipe(
    version: 2,
    summary: (en: "A heart", zh: "心脏"),
    patient: "A heart",
    resolution_mm: 2,
    parts: ["heart"],
    parameters: [
        (id: "sex", name: (en: "Sex", zh: "性别"), options: ["female", "male"], default: "male"),
        (id: "height_cm", name: (en: "Height", zh: "身高"), unit: "cm", default: 172, range: (140, 200)),
    ],
    forms: [(id: "aorta", shape: Sphere(center: (0, 0, 0), radius: 1))],
)"#;

const CAVITIES: [&str; 5] = [
    "heart_ventricle_left",
    "heart_atrium_left",
    "heart_ventricle_right",
    "heart_atrium_right",
    "aortic_root",
];

struct Beating {
    body: Body,
    deformation: Deformation,
    cycle: HeartCycle,
}

fn heart() -> &'static Beating {
    static HEART_MADE: OnceLock<Beating> = OnceLock::new();
    HEART_MADE.get_or_init(|| {
        let recipe = Recipe::parse(HEART, "heart", &Choices::default(), Atlas::builtin());
        let made = recipe
            .unwrap()
            .make(Atlas::builtin(), TissueTable::builtin(), &Silent);
        let body = made.unwrap();
        let motion = body.motion.heart.as_ref().unwrap();
        Beating {
            cycle: HeartCycle::new(motion, USUAL_RATE_PER_MIN).unwrap(),
            deformation: Deformation::new(&body).unwrap(),
            body,
        }
    })
}

impl Beating {
    fn at(&self, phase: f64) -> Deformed {
        self.deformation.at(&BodyState {
            heart_phase: phase,
            ..BodyState::default()
        })
    }

    fn index(&self, id: &str) -> usize {
        self.body.structure_index(id).unwrap()
    }

    fn mesh(&self, id: &str, moved: &Deformed) -> TriMesh<Patient> {
        let index = self.index(id);
        let triangles = self.body.structures[index].surface.triangles().to_vec();
        TriMesh::new(moved.vertices[index].clone(), triangles).unwrap()
    }

    fn volume_ml(&self, id: &str, moved: &Deformed) -> f64 {
        self.mesh(id, moved).signed_volume_mm3() / 1000.0
    }

    /// The left ventricle's muscle and the cavities.
    fn muscle(&self, moved: &Deformed) -> Scene<Patient> {
        let muscle = self.mesh("heart_myocardium", moved);
        let cavities = CAVITIES.map(|id| self.mesh(id, moved));
        let surface = |mesh, priority| SceneSurface { mesh, priority };
        let mut surfaces = vec![surface(&muscle, 0)];
        surfaces.extend(cavities.iter().map(|mesh| surface(mesh, 1)));
        Scene::build(&surfaces).unwrap()
    }

    /// A place in the heart's own frame.
    fn place(&self, x: f64, y: f64, z: f64) -> Vector3<f64> {
        self.cycle.origin + self.cycle.patient_from_heart * Vector3::new(x, y, z)
    }

    /// Mean way towards the apex of what rests where `is_meant`, in the heart's frame, mm.
    fn descent_mm(
        &self,
        id: &str,
        moved: &Deformed,
        is_meant: impl Fn(Vector3<f64>) -> bool,
    ) -> f64 {
        let index = self.index(id);
        let rest = self.body.structures[index].surface.vertices();
        let own = |v: &[f32; 3]| self.cycle.to_heart(Point::<Patient>::from_f32(*v).coords);
        let pairs = rest
            .iter()
            .map(own)
            .zip(moved.vertices[index].iter().map(own));
        let ways: Vec<f64> = pairs
            .filter(|(rest, _)| is_meant(*rest))
            .map(|(rest, now)| rest.z - now.z)
            .collect();
        assert!(ways.len() > 20, "{id}: {} vertices", ways.len());
        ways.iter().sum::<f64>() / ways.len() as f64
    }
}

/// Length of a ray that lies in muscle, mm.
fn in_muscle_mm(scene: &Scene<Patient>, from: Vector3<f64>, towards: Vector3<f64>) -> f64 {
    let ray = Ray::new(Point::from_coords(from), Vector::from_coords(towards)).unwrap();
    let mut crossings = Crossings::new();
    scene.cast(&ray, &mut crossings);
    let muscle = Some(SurfaceId(0));
    let (mut since, mut length) = (None, 0.0);
    for crossing in crossings.of_ray(0) {
        if crossing.after == muscle && crossing.before != muscle {
            since = Some(crossing.t_mm);
        } else if crossing.before == muscle && crossing.after != muscle {
            length += since.take().map_or(0.0, |from| crossing.t_mm - from);
        }
    }
    length
}

fn muscle_ml(scene: &Scene<Patient>) -> f64 {
    const STEP_MM: f64 = 1.0;
    let bounds = scene.bounds();
    let along = |axis: usize| {
        let (low, high) = (f64::from(bounds.min[axis]), f64::from(bounds.max[axis]));
        let count = ((high - low) / STEP_MM) as usize;
        (0..=count).map(move |n| low + (n as f64 + 0.37) * STEP_MM)
    };
    let below = f64::from(bounds.min[2]) - 1.0;
    let columns = along(0).flat_map(|x| along(1).map(move |y| (x, y)));
    let lengths =
        columns.map(|(x, y)| in_muscle_mm(scene, Vector3::new(x, y, below), Vector3::z()));
    lengths.sum::<f64>() * STEP_MM * STEP_MM / 1000.0
}

/// End-diastole and end-systole.
fn ends() -> [Deformed; 2] {
    let heart = heart();
    [0.0, heart.cycle.timing().relaxation].map(|phase| heart.at(phase))
}

/// Left 52 to 74 %, right 45 % and more: R. Lang et al., J. Am. Soc. Echocardiogr. 28:1 (2015). The
/// bar set for the left one is 55 to 70 %.
#[test]
fn both_ventricles_eject_a_healthy_share() {
    let [filled, emptied] = &ends();
    let share = |id| 1.0 - heart().volume_ml(id, emptied) / heart().volume_ml(id, filled);
    let (left, right) = (
        share("heart_ventricle_left"),
        share("heart_ventricle_right"),
    );
    assert!((0.55..0.70).contains(&left), "{left}");
    assert!((0.45..0.70).contains(&right), "{right}");
    let stroke = |id| heart().volume_ml(id, filled) - heart().volume_ml(id, emptied);
    let (left, right) = (
        stroke("heart_ventricle_left"),
        stroke("heart_ventricle_right"),
    );
    // What one ventricle ejects the other does too.
    assert!((left / right - 1.0).abs() < 0.25, "{left} and {right} ml");
}

/// Muscle is some four fifths water.
#[test]
fn the_muscle_neither_swells_nor_shrinks() {
    let rest = muscle_ml(&heart().muscle(&heart().at(0.0)));
    assert!((100.0..180.0).contains(&rest), "{rest} ml");
    for phase in [0.1, 0.2, 0.3, 0.42, 0.6] {
        let change = muscle_ml(&heart().muscle(&heart().at(phase))) / rest - 1.0;
        assert!(change.abs() < 0.05, "{change} at {phase}");
    }
}

/// Mitral annulus: 12 to 15 mm on average, less in the old (Y.-H. Wang et al., Eur. Heart J.
/// Cardiovasc. Imaging 24:1384, 2023, 1952 healthy people); the bar is 10 to 16. Tricuspid, at the free
/// wall: 17 mm and more (Lang 2015).
#[test]
fn the_base_comes_down_to_the_apex() {
    let [_, emptied] = &ends();
    let from_center = |valve: usize| {
        let valve = &heart().cycle.valves[valve];
        let center = heart().cycle.to_heart(valve.center);
        let radius = valve.radius;
        move |place: Vector3<f64>| (place - center).xy() / radius
    };
    let (mitral, tricuspid) = (from_center(2), from_center(3));
    let mitral = heart().descent_mm("mitral_valve", emptied, |place| mitral(place).norm() > 0.93);
    assert!((10.0..16.0).contains(&mitral), "{mitral}");
    let tricuspid =
        heart().descent_mm("tricuspid_valve", emptied, |place| tricuspid(place).x > 0.8);
    assert!((17.0..31.0).contains(&tricuspid), "{tricuspid}");
    let apex = heart().descent_mm("heart_myocardium", emptied, |place| place.z < -85.0);
    assert!(apex.abs() < 2.0, "{apex}");
}

/// Half way between apex and annulus, away from the septum: 58 % on average, widely scattered, in 12
/// healthy men (N. G. Pandian et al., Am. J. Cardiol. 51:1667, 1983); the bar is 30 to 60 %.
#[test]
fn walls_thicken_as_in_health() {
    let thickness = |moved: &Deformed, middle_mm: f64| {
        let scene = heart().muscle(moved);
        let angles = (0..19).map(|n| (90.0 + 10.0 * f64::from(n)).to_radians());
        let through = |angle: f64| {
            let towards = Vector3::new(libm::cos(angle), libm::sin(angle), 0.0);
            let from = heart().place(0.0, 0.0, middle_mm);
            in_muscle_mm(&scene, from, heart().cycle.patient_from_heart * towards)
        };
        angles.map(through).sum::<f64>() / 19.0
    };
    let [filled, emptied] = &ends();
    let length = heart().cycle.shape.length;
    let rest = thickness(filled, -0.5 * length);
    assert!((6.0..10.5).contains(&rest), "{rest} mm: Lang 2015");
    let thicker = thickness(emptied, -0.5 * (length + 14.0)) / rest - 1.0;
    assert!((0.30..0.60).contains(&thicker), "{thicker}");
}

/// Where the leaflets' edges are, by valve: the mean distance of what rests near the middle of the
/// annulus from the line through it, mm.
fn spread_mm(valve: usize, phase: f64) -> f64 {
    let heart = heart();
    let of = heart.cycle.valves[valve];
    let index = heart.index(&heart.cycle.names[valve]);
    let now = heart.cycle.at(phase);
    let [first, last] = of.meeting;
    let across = |place: Vector3<f64>| {
        let off = place - nearest_on_line(place, first, last);
        (off - of.flow * off.dot(&of.flow)).norm()
    };
    let rest = heart.body.structures[index].surface.vertices().iter();
    let edge = rest
        .map(|v| Point::<Patient>::from_f32(*v))
        .filter(|place| across(place.coords) < 2.0)
        .filter(|place| (place.coords - of.center).norm() < 0.6 * of.radius);
    let moved = edge.map(|place| {
        let by = now.displacement(HeartPart::Valve(valve), place).coords;
        let base = now.displacement(HeartPart::Tissue, Point::from_coords(of.center));
        across(place.coords + by - base.coords)
    });
    let all: Vec<f64> = moved.collect();
    assert!(all.len() > 20, "{} vertices", all.len());
    all.iter().sum::<f64>() / all.len() as f64
}

/// Ejection 291 ms at 72 a minute (A. M. Weissler et al., Circulation 37:149, 1968); the bar is 250 to
/// 320 ms. Cusps part by 15 mm and more, mitral leaflets by more than half of the annulus.
#[test]
fn valves_open_for_as_long_and_as_far_as_in_health() {
    let cycle_ms = 60_000.0 / USUAL_RATE_PER_MIN;
    let steps = 120;
    let open = |valve: usize, from_mm: f64| {
        let phases = (0..steps).map(|n| f64::from(n) / f64::from(steps));
        phases
            .filter(|phase| spread_mm(valve, *phase) > from_mm)
            .collect::<Vec<f64>>()
    };
    let (aortic, mitral) = (open(0, 3.5), open(2, 3.5));
    let ejection_ms = aortic.len() as f64 / f64::from(steps) * cycle_ms;
    assert!((250.0..320.0).contains(&ejection_ms), "{ejection_ms} ms");
    let timing = heart().cycle.timing();
    assert!(aortic.iter().all(|phase| *phase < timing.relaxation));
    assert!(mitral.iter().all(|phase| *phase > timing.filling));
    let widest = |valve, of: &[f64]| {
        let spreads = of.iter().map(|phase| 2.0 * spread_mm(valve, *phase));
        spreads.fold(0.0, f64::max)
    };
    let (cusps, leaflets) = (widest(0, &aortic), widest(2, &mitral));
    assert!(cusps > 15.0, "{cusps}");
    assert!(leaflets > 15.0, "{leaflets}");
}

/// Leaflets that cross themselves would be drawn torn.
#[test]
fn no_surface_crosses_itself_at_any_moment() {
    let mut torn = Vec::new();
    for phase in [0.2, 0.42, 0.58, 0.9] {
        let moved = heart().at(phase);
        for structure in &heart().body.structures {
            let report = inspect(&heart().mesh(&structure.id, &moved));
            if !report.is_sound() {
                torn.push(format!("{} at {phase}: {report}", structure.id));
            }
        }
    }
    assert_eq!(torn, Vec::<String>::new());
}
