//! What moves, and by how much.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use super::*;
use crate::atlas::Atlas;
use crate::progress::Silent;
use crate::recipe::Recipe;
use crate::tissue::TissueTable;

/// The patient in a folder named by the environment, else the built-in trunk.
fn patient() -> Patient {
    let tissues = TissueTable::builtin();
    if let Some(folder) = std::env::var_os("SONOCATH_TEST_PATIENT") {
        return Patient::load(Path::new(&folder), tissues).unwrap();
    }
    let recipe = Recipe::builtin("phantom-torso").unwrap();
    recipe.make(Atlas::builtin(), tissues, &Silent).unwrap()
}

fn breathed(breath: f64) -> BodyState {
    BodyState {
        breath,
        ..BodyState::default()
    }
}

/// Mean displacement of a structure's vertices, mm.
fn mean_shift(patient: &Patient, moved: &Deformed, index: usize) -> [f64; 3] {
    let rest = patient.structures[index].surface.vertices();
    let mut sum = [0.0; 3];
    for (rest, now) in rest.iter().zip(&moved.vertices[index]) {
        for axis in 0..3 {
            sum[axis] += f64::from(now[axis] - rest[axis]);
        }
    }
    sum.map(|sum| sum / rest.len() as f64)
}

/// How much a structure's surface is stretched: the root of the mean square of its edges' relative
/// change of length, but for those at a cut of the scan.
fn strain(patient: &Patient, moved: &Deformed, index: usize) -> f64 {
    let mesh = &patient.structures[index].surface;
    let (rest, now) = (mesh.vertices(), &moved.vertices[index]);
    let ends = CutEnds::of(patient);
    let is_cut = |v: u32| ends.hold(&rest[v as usize], [0.0, 0.0, 1.0])[2] == 0.0;
    let (mut sum, mut count) = (0.0, 0.0f64);
    for &[a, b, c] in mesh.triangles() {
        for (a, b) in [(a, b), (b, c), (c, a)] {
            let length = |v: &[[f32; 3]]| {
                let d = [0, 1, 2].map(|i| f64::from(v[a as usize][i] - v[b as usize][i]));
                d.iter().map(|d| d * d).sum::<f64>().sqrt()
            };
            let before = length(rest);
            if before > 0.1 && !is_cut(a) && !is_cut(b) {
                sum += (length(now) / before - 1.0).powi(2);
                count += 1.0;
            }
        }
    }
    (sum / count.max(1.0)).sqrt()
}

/// The built-in trunk and how it moves; made once.
fn trunk() -> &'static (Patient, Deformation) {
    static TRUNK: OnceLock<(Patient, Deformation)> = OnceLock::new();
    TRUNK.get_or_init(|| {
        let recipe = Recipe::builtin("phantom-torso").unwrap();
        let patient = recipe
            .make(Atlas::builtin(), TissueTable::builtin(), &Silent)
            .unwrap();
        let deformation = Deformation::new(&patient).unwrap();
        (patient, deformation)
    })
}

/// Everything at once.
fn contorted() -> BodyState {
    BodyState {
        breath: deepest_breath(),
        posture: Posture::LeftDecubitus,
        arm_up: true,
        heart_phase: 0.4,
    }
}

#[test]
fn at_rest_nothing_has_moved() {
    let (patient, deformation) = trunk();
    let moved = deformation.at(&BodyState::default());
    for (structure, vertices) in patient.structures.iter().zip(&moved.vertices) {
        assert_eq!(
            structure.surface.vertices(),
            vertices.as_slice(),
            "{}",
            structure.id
        );
    }
    assert!(
        moved
            .fields_mm
            .iter()
            .flatten()
            .flatten()
            .all(|&d| d == 0.0)
    );
}

#[test]
fn no_movement_folds_tissue() {
    let (_, deformation) = trunk();
    for state in [
        breathed(0.5),
        breathed(1.0),
        breathed(2.0),
        breathed(9.0),
        contorted(),
    ] {
        let moved = deformation.at(&state);
        for (layer, field) in LAYERS.iter().zip(&moved.fields_mm) {
            let least = least_jacobian(deformation.grid(), field);
            assert!(least > 0.1, "{state:?}, {layer:?}: {least}");
        }
    }
}

#[test]
fn organs_go_as_far_as_published_and_skin_hardly() {
    let (patient, deformation) = trunk();
    let quiet = deformation.at(&breathed(1.0));
    let deep = deformation.at(&breathed(deepest_breath()));
    // Towards the feet, mm: the ranges, from the sources of motion.ron.
    for (id, of_quiet, of_deep) in [
        ("liver", (7.0, 20.0), (20.0, 60.0)),
        ("kidney_right", (7.0, 20.0), (20.0, 50.0)),
        ("kidney_left", (7.0, 20.0), (20.0, 50.0)),
        ("spleen", (7.0, 20.0), (20.0, 60.0)),
    ] {
        let Some(index) = patient.structure_index(id) else {
            continue;
        };
        for (moved, (least, most)) in [(&quiet, of_quiet), (&deep, of_deep)] {
            let caudal = -mean_shift(patient, moved, index)[2];
            assert!((least..=most).contains(&caudal), "{id}: {caudal} mm");
        }
    }
    let skin = patient.structure_index("skin").unwrap();
    let [x, y, z] = mean_shift(patient, &deep, skin);
    assert!(x.abs() < 2.0 && z.abs() < 5.0, "skin: {x} {y} {z}");
    assert!((-20.0..0.0).contains(&y), "the belly rises: {y}");
}

#[test]
fn surfaces_move_with_the_field_of_their_layer() {
    let (patient, deformation) = trunk();
    let moved = deformation.at(&breathed(1.7));
    for (index, structure) in patient.structures.iter().enumerate() {
        let field = &moved.fields_mm[deformation.layers()[index].index()];
        let vertices = structure
            .surface
            .vertices()
            .iter()
            .zip(&moved.vertices[index]);
        let off = |(rest, now): (&[f32; 3], &[f32; 3])| {
            let by = deformation.grid().sample(field, *rest);
            (0..2)
                .map(|axis| (f64::from(now[axis] - rest[axis]) - by[axis]).abs())
                .fold(0.0, f64::max)
        };
        let most = vertices.map(off).fold(0.0, f64::max);
        assert!(most < 1e-3, "{}: {most} mm", structure.id);
    }
}

#[test]
fn one_thread_and_two_move_alike() {
    let (patient, _) = trunk();
    let [one, two] = [1, 2].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap()
            .install(|| Deformation::new(patient).unwrap().at(&contorted()))
    });
    assert!(one == two);
}

#[test]
fn breathing_dwells_at_the_end_of_breathing_out() {
    let at = |share: f64| breathing(share * 60.0 / 14.0, 14.0);
    assert!(at(0.0) == 0.0 && (at(0.5) - 1.0).abs() < 1e-12 && at(1.0).abs() < 1e-12);
    let high = (0..1000)
        .filter(|n| at(f64::from(*n) / 1000.0) > 0.5)
        .count();
    assert!((300..420).contains(&high), "{high} of 1000");
}

#[test]
#[ignore = "figures of a whole patient: SONOCATH_TEST_PATIENT names its folder"]
#[allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "figures, of time too, are what it is for"
)]
fn figures() {
    let patient = patient();
    let scene = patient.scene().unwrap();
    let start = Instant::now();
    let deformation = Deformation::in_scene(&patient, &scene);
    println!(
        "made in {:.2} s, {} nodes",
        start.elapsed().as_secs_f64(),
        deformation.grid.len()
    );
    let mut scene = scene;
    let on_the_left = BodyState {
        posture: Posture::LeftDecubitus,
        ..BodyState::default()
    };
    let arm_up = BodyState {
        arm_up: true,
        ..BodyState::default()
    };
    let beating = BodyState {
        heart_phase: 0.4,
        ..BodyState::default()
    };
    for state in [
        beating,
        breathed(1.0),
        breathed(deepest_breath()),
        on_the_left,
        arm_up,
        contorted(),
    ] {
        let start = Instant::now();
        let moved = deformation.at(&state);
        let made_s = start.elapsed().as_secs_f64();
        let lists: Vec<&[[f32; 3]]> = moved.vertices.iter().map(Vec::as_slice).collect();
        let start = Instant::now();
        scene.refit_all(&lists).unwrap();
        let refit_ms = start.elapsed().as_secs_f64() * 1e3;
        println!(
            "{state:?}: deformed in {:.1} ms, refit {refit_ms:.1} ms",
            made_s * 1e3
        );
        for (layer, field) in LAYERS.iter().zip(&moved.fields_mm) {
            println!(
                "  {layer:?}: least jacobian {:.3}",
                least_jacobian(&deformation.grid, field)
            );
        }
        for (index, structure) in patient.structures.iter().enumerate() {
            let [x, y, z] = mean_shift(&patient, &moved, index);
            let strain = strain(&patient, &moved, index);
            println!(
                "  {:32} {x:6.1} {y:6.1} {z:6.1}  strain {strain:.3}",
                structure.id
            );
        }
    }
}
