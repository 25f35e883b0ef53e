use std::f64::consts::PI;
use std::io::Read;

use nalgebra::{Matrix3, Vector3};

use super::*;
use crate::closest::SurfaceQuery;
use crate::frame::{Affine, Point};
use crate::polygonise::tests::assert_sound;

fn labelled(
    dims: [usize; 3],
    linear: Matrix3<f64>,
    inside: impl Fn(Vector3<f64>) -> bool,
) -> Volume<u16> {
    let patient_from_voxel = Affine::new(linear, Vector3::zeros()).unwrap();
    let mut voxels = Vec::new();
    for k in 0..dims[2] {
        for j in 0..dims[1] {
            for i in 0..dims[0] {
                let p = patient_from_voxel * Point::new(i as f64, j as f64, k as f64);
                voxels.push(u16::from(inside(p.coords)));
            }
        }
    }
    Volume {
        dims,
        voxels,
        patient_from_voxel,
    }
}

fn spaced(x: f64, y: f64, z: f64) -> Matrix3<f64> {
    Matrix3::from_diagonal(&Vector3::new(x, y, z))
}

fn surface(volume: &Volume<u16>) -> LabelSurface {
    let found = surface_of_label(volume, 1, &SurfaceOptions::default())
        .unwrap()
        .unwrap();
    assert_sound(&found.mesh);
    found
}

fn raw(volume: &Volume<u16>) -> LabelSurface {
    let options = SurfaceOptions {
        smoothing_rounds: 0,
        ..SurfaceOptions::default()
    };
    surface_of_label(volume, 1, &options).unwrap().unwrap()
}

/// Area-weighted RMS angle, degrees, between facet normals and the true normal, over facets for
/// which there is one.
fn normal_error_deg(
    mesh: &TriMesh<Patient>,
    truth: impl Fn(Vector3<f64>) -> Option<Vector3<f64>>,
) -> f64 {
    let (mut sum, mut area) = (0.0, 0.0);
    for t in 0..mesh.triangles().len() {
        let [a, b, c] = mesh
            .corners(t)
            .map(|p| Point::<Patient>::from_f32(p).coords);
        let normal = (b - a).cross(&(c - a));
        if let Some(truth) = truth((a + b + c) / 3.0) {
            sum += normal.norm() * normal.angle(&truth).to_degrees().powi(2);
            area += normal.norm();
        }
    }
    (sum / area).sqrt()
}

fn rms(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(s, n), v| (s + v * v, n + 1.0));
    f64::sqrt(sum / count)
}

fn places(mesh: &TriMesh<Patient>) -> impl Iterator<Item = Vector3<f64>> {
    mesh.vertices()
        .iter()
        .map(|&v| Point::<Patient>::from_f32(v).coords)
}

#[test]
fn sphere_of_20_voxels_is_round() {
    let (r, center) = (20.0, Vector3::new(24.2, 24.4, 23.9));
    let volume = labelled([49, 49, 49], spaced(1.0, 1.0, 1.0), |p| {
        (p - center).norm() < r
    });
    let error = |m: &TriMesh<Patient>| normal_error_deg(m, |p| Some(p - center));
    let found = surface(&volume);
    let raw_deg = error(&raw(&volume).mesh);
    let deg = error(&found.mesh);
    let radius_rms = rms(places(&found.mesh).map(|p| (p - center).norm() - r));
    let enclosed = found.mesh.signed_volume_mm3();
    let of_voxels = enclosed / found.voxel_volume_mm3 - 1.0;
    let of_sphere = enclosed / (4.0 / 3.0 * PI * r * r * r) - 1.0;
    println!(
        "sphere: normals {deg:.2}° (unsmoothed {raw_deg:.2}°), radius RMS {radius_rms:.3} voxel, \
         volume {:+.3} % of voxels, {:+.3} % of truth",
        of_voxels * 100.0,
        of_sphere * 100.0
    );
    assert!(deg < 6.0 && deg < raw_deg / 3.0);
    assert!(radius_rms < 0.25);
    assert!(of_voxels.abs() < 0.005);
    assert!(of_sphere.abs() < 0.01);
}

#[test]
fn tilted_planes_are_flat() {
    for slope in [[0.08, 0.03], [0.3, 0.1], [0.5, 0.5], [1.0, 0.2]] {
        let normal = Vector3::new(-slope[0], -slope[1], 1.0).normalize();
        let middle = Vector3::new(30.3, 29.6, 20.2);
        let distance = |p: Vector3<f64>| (p - middle).dot(&normal);
        let volume = labelled([61, 61, 41], spaced(1.0, 1.0, 1.0), |p| distance(p) < 0.0);
        let inner = |p: Vector3<f64>| {
            let edge =
                p.x.min(60.0 - p.x)
                    .min(p.y.min(60.0 - p.y))
                    .min(p.z.min(40.0 - p.z));
            (edge > 6.0).then_some(normal)
        };
        let found = surface(&volume);
        let deg = normal_error_deg(&found.mesh, inner);
        let raw_deg = normal_error_deg(&raw(&volume).mesh, inner);
        let off = rms(places(&found.mesh)
            .filter(|&p| inner(p).is_some())
            .map(distance));
        println!(
            "plane {slope:?}: normals {deg:.2}° (unsmoothed {raw_deg:.2}°), place RMS {off:.3} voxel"
        );
        assert!(deg < 4.0 && deg < raw_deg / 3.0);
        assert!(off < 0.25);
    }
}

#[test]
fn thick_slices_give_a_smooth_ellipsoid() {
    let radii = Vector3::new(25.0, 20.0, 30.0);
    let center = Vector3::new(28.0, 24.0, 35.2);
    let inside = |p: Vector3<f64>| (p - center).component_div(&radii).norm() < 1.0;
    let volume = labelled([71, 61, 15], spaced(0.8, 0.8, 5.0), inside);
    let truth = |p: Vector3<f64>| Some((p - center).component_div(&radii.component_mul(&radii)));
    let found = surface(&volume);
    let deg = normal_error_deg(&found.mesh, truth);
    let raw_deg = normal_error_deg(&raw(&volume).mesh, truth);
    let of_voxels = found.mesh.signed_volume_mm3() / found.voxel_volume_mm3 - 1.0;
    println!(
        "0.8 × 0.8 × 5 mm: normals {deg:.2}° (unsmoothed {raw_deg:.2}°), volume {:+.3} %",
        of_voxels * 100.0
    );
    assert!(deg < raw_deg / 2.0);
    assert!(of_voxels.abs() < 0.005);
}

#[test]
fn thin_parts_keep_their_volume() {
    // A ball with a plate one voxel thick and a rod of two by two voxels: smoothing that shrinks
    // thin parts would have to inflate the ball.
    let ball = Vector3::new(15.0, 15.0, 15.0);
    let shape = |p: Vector3<f64>| {
        (p - ball).norm() < 9.8
            || (p.z == 15.0 && p.x > 20.0 && p.x < 55.0 && (p.y - 15.0).abs() < 9.0)
            || (p.x > 13.5 && p.x < 16.0 && p.z > 13.5 && p.z < 16.0 && p.y > 20.0)
    };
    let volume = labelled([60, 61, 31], spaced(1.0, 1.0, 1.0), shape);
    let found = surface(&volume);
    let total = found.mesh.signed_volume_mm3() / found.voxel_volume_mm3 - 1.0;
    let query = SurfaceQuery::new(&found.mesh);
    let plate_mm = {
        let up = query.signed_distance_mm(Point::new(40.3, 15.2, 15.0)).abs();
        2.0 * up
    };
    let ball_mm = query.signed_distance_mm(Point::new(15.0, 15.0, 15.0)).abs();
    println!(
        "ball + plate + rod: volume {:+.2} %, plate {plate_mm:.2} of 1 voxel, ball radius {ball_mm:.2} of 9.8",
        total * 100.0
    );
    assert!(total.abs() < 0.005);
    assert!((plate_mm - 1.0).abs() < 0.15);
    assert!((ball_mm - 9.8).abs() < 0.3);
}

#[test]
fn affines_that_flip_or_turn_stay_outward() {
    let turn = Matrix3::new(0.0, 0.0, -3.0, 2.0, 0.0, 0.0, 0.0, 2.5, 0.0);
    for linear in [spaced(-1.5, -1.5, 2.0), spaced(-1.0, 1.0, 1.0), turn] {
        let half = linear * Vector3::new(10.0, 10.0, 10.0);
        let volume = labelled([21, 21, 21], linear, |p| (p - half).norm() < 14.0);
        let found = surface(&volume);
        assert!((found.mesh.signed_volume_mm3() / found.voxel_volume_mm3 - 1.0).abs() < 0.005);
    }
}

#[test]
fn islands_are_counted_and_dropped() {
    let shape = |p: Vector3<f64>| {
        (p - Vector3::repeat(8.0)).norm() < 5.0
            || p == Vector3::new(18.0, 2.0, 2.0)
            || (p.x == 18.0 && p.z == 17.0)
    };
    let volume = labelled([20, 20, 20], spaced(1.0, 1.0, 1.0), shape);
    let all = surface(&volume);
    assert_eq!((all.components, all.dropped_voxels), (3, 0));
    assert_eq!(all.mesh.components().len(), 3);
    let options = SurfaceOptions {
        drop_islands_below_voxels: 21,
        ..SurfaceOptions::default()
    };
    let one = surface_of_label(&volume, 1, &options).unwrap().unwrap();
    assert_eq!((one.components, one.dropped_voxels), (3, 21));
    assert_eq!(one.mesh.components().len(), 1);
    let none = SurfaceOptions {
        drop_islands_below_voxels: 100_000,
        ..options
    };
    assert_eq!(surface_of_label(&volume, 1, &none).unwrap(), None);
}

#[test]
fn statistics_count_and_box_every_label() {
    let mut volume = labelled([5, 4, 3], spaced(1.0, 1.0, 1.0), |_| false);
    for (ijk, label) in [([1, 2, 0], 7), ([4, 0, 2], 7), ([0, 0, 0], 3)] {
        let at = volume.index(ijk);
        volume.voxels[at] = label;
    }
    let found = statistics(&volume).unwrap();
    assert_eq!(
        found,
        [
            LabelStatistics {
                label: 3,
                voxels: 1,
                min: [0, 0, 0],
                max: [0, 0, 0]
            },
            LabelStatistics {
                label: 7,
                voxels: 2,
                min: [1, 0, 0],
                max: [4, 2, 2]
            },
        ]
    );
    volume.voxels.pop();
    assert!(matches!(
        statistics(&volume),
        Err(LabelError::SizeMismatch { .. })
    ));
}

#[test]
fn masks_and_labels_agree_and_absent_labels_give_nothing() {
    let volume = labelled([12, 12, 12], spaced(1.0, 1.0, 1.0), |p| p.norm() < 8.0);
    let mask = Volume {
        dims: volume.dims,
        voxels: volume.voxels.iter().map(|&v| v as u8).collect(),
        patient_from_voxel: volume.patient_from_voxel,
    };
    let options = SurfaceOptions::default();
    let of_label = surface_of_label(&volume, 1, &options).unwrap();
    assert_eq!(of_label, surface_of_mask(&mask, &options).unwrap());
    assert_eq!(surface_of_label(&volume, 2, &options).unwrap(), None);
}

/// The fields of a NIfTI-1 header that a test needs: dimensions, sform rows, one byte a voxel.
fn read_nifti(path: &std::path::Path) -> Volume<u16> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    let int = |at: usize| i16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let float = |at: usize| f64::from(f32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()));
    let dims: [usize; 3] = std::array::from_fn(|a| int(42 + 2 * a) as usize);
    let width = int(72) as usize / 8;
    // RAS → LPS: the first two rows change sign.
    let sign = [-1.0, -1.0, 1.0];
    let linear = Matrix3::from_fn(|r, c| sign[r] * float(280 + 16 * r + 4 * c));
    let offset = Vector3::from_fn(|r, _| sign[r] * float(292 + 16 * r));
    let start = float(108) as usize;
    let voxels = bytes[start..]
        .chunks_exact(width)
        .map(|v| match v {
            [byte] => u16::from(*byte),
            [low, high, ..] => u16::from_le_bytes([*low, *high]),
            [] => 0,
        })
        .collect();
    Volume {
        dims,
        voxels,
        patient_from_voxel: Affine::new(linear, offset).unwrap(),
    }
}

/// `None` (and a line that says so) where the real data are not at hand; a failure in CI.
pub(crate) fn anatomy(file: &str, test: &str) -> Option<std::path::PathBuf> {
    let folder = std::env::var("SONOCATH_TEST_ANATOMY").map_or_else(
        |_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/anatomy").into(),
        std::path::PathBuf::from,
    );
    let path = folder.join(file);
    if path.exists() {
        return Some(path);
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{} is missing",
        path.display()
    );
    println!("skipped {test}: {} is missing", path.display());
    None
}

/// Largest distance, in mm, from a label's voxel faces to its surface.
fn farthest_face_mm(volume: &Volume<u16>, found: &LabelSurface) -> f64 {
    let query = SurfaceQuery::new(&found.mesh);
    let mut worst = 0.0_f64;
    let [nx, ny, nz] = volume.dims;
    let at = |i: isize, j: isize, k: isize| {
        let inside = |v: isize, n: usize| v >= 0 && (v as usize) < n;
        let within = inside(i, nx) && inside(j, ny) && inside(k, nz);
        within && volume.at([i as usize, j as usize, k as usize]) == found.label
    };
    for k in -1..nz as isize {
        for j in -1..ny as isize {
            for i in -1..nx as isize {
                for (axis, step) in [[1, 0, 0], [0, 1, 0], [0, 0, 1]].into_iter().enumerate() {
                    if at(i, j, k) != at(i + step[0], j + step[1], k + step[2]) {
                        let mut place = [i as f64, j as f64, k as f64];
                        place[axis] += 0.5;
                        let p =
                            volume.patient_from_voxel * Point::new(place[0], place[1], place[2]);
                        worst = worst.max(query.closest(p).distance_mm);
                    }
                }
            }
        }
    }
    worst
}

/// Largest distance, in voxels along the worst axis, from a vertex to the nearest voxel face of the
/// label's boundary: a vertex sits on a grid edge, and that edge's middle is a boundary face.
fn farthest_vertex_voxels(volume: &Volume<u16>, found: &LabelSurface) -> f64 {
    let voxel_from_patient = volume.patient_from_voxel.inverse();
    let label_at = |ijk: [f64; 3]| {
        let inside = ijk
            .iter()
            .zip(volume.dims)
            .all(|(&v, n)| v >= 0.0 && v < n as f64);
        inside && volume.at(ijk.map(|v| v as usize)) == found.label
    };
    let mut worst = 0.0_f64;
    for &v in found.mesh.vertices() {
        let ijk = (voxel_from_patient * Point::from_f32(v)).to_array();
        let off = ijk.map(|c| (c - c.round()).abs());
        let axis = (0..3).max_by(|&a, &b| off[a].total_cmp(&off[b])).unwrap();
        let (mut low, mut high) = (ijk.map(f64::round), ijk.map(f64::round));
        low[axis] = ijk[axis].floor();
        high[axis] = low[axis] + 1.0;
        assert_ne!(
            label_at(low),
            label_at(high),
            "a vertex sits on no boundary edge"
        );
        worst = worst.max((ijk[axis] - low[axis] - 0.5).abs());
    }
    worst
}

#[test]
fn all_61_labels_of_the_abdomen_close_and_keep_their_volume() {
    let name = "all_61_labels_of_the_abdomen_close_and_keep_their_volume";
    let Some(path) = anatomy("ct-abdomen/labels.nii.gz", name) else {
        return;
    };
    let volume = read_nifti(&path);
    let labels: Vec<u16> = statistics(&volume)
        .unwrap()
        .iter()
        .map(|s| s.label)
        .collect();
    assert_eq!(labels.len(), 61);
    let options = SurfaceOptions::default();
    let found = surfaces(&volume, &labels, &options, &|_| ()).unwrap();
    assert_eq!(found.len(), 61);
    let (mut worst_large, mut worst_small) = (0.0_f64, 0.0_f64);
    let (mut vertex_voxels, mut face_mm) = (0.0_f64, 0.0_f64);
    for surface in &found {
        assert_sound(&surface.mesh);
        let error = surface.mesh.signed_volume_mm3() / surface.voxel_volume_mm3 - 1.0;
        if surface.voxel_volume_mm3 > 5000.0 {
            worst_large = worst_large.max(error.abs());
        } else {
            worst_small = worst_small.max(error.abs());
        }
        vertex_voxels = vertex_voxels.max(farthest_vertex_voxels(&volume, surface));
        face_mm = face_mm.max(farthest_face_mm(&volume, surface));
    }
    // `figure: what | bar | measured` lines are gathered by tools/validations/geometry-figures.
    println!("figure: 61 labels closed, outward, free of crossings | all | all");
    println!(
        "figure: volume of labels over 5 ml | within 3 % | {:.4} %",
        worst_large * 100.0
    );
    println!(
        "figure: volume of smaller labels | - | {:.4} %",
        worst_small * 100.0
    );
    println!("figure: surface vertex to label boundary | 1 voxel | {vertex_voxels:.2} voxel");
    println!("figure: label boundary to surface | 3 mm | {face_mm:.2} mm");
    assert!(worst_large < 0.03);
    assert!(vertex_voxels <= 0.5 && face_mm <= 3.0);
}
