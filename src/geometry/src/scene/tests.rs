//! Truth here: boxes with whole coordinates (closed forms, rays through edges and vertices), an
//! independent ray-triangle formula in double precision, and the plain walk over all triangles.

use proptest::prelude::*;

use super::*;
use crate::frame::{Patient, Vector};

type Mesh = TriMesh<Patient>;
type P = Point<Patient>;
type V = Vector<Patient>;

/// A box whose faces are grids of `cells`² squares of two triangles each.
fn boxed(min: [i32; 3], size: i32, cells: i32) -> Mesh {
    let step = size / cells;
    let (mut vertices, mut triangles) = (Vec::new(), Vec::new());
    for axis in 0..3 {
        for side in [0, 1] {
            for i in 0..cells {
                for j in 0..cells {
                    let first = vertices.len() as u32;
                    for (di, dj) in [(0, 0), (1, 0), (1, 1), (0, 1)] {
                        let mut v = [0; 3];
                        v[axis] = min[axis] + side * size;
                        v[(axis + 1) % 3] = min[(axis + 1) % 3] + (i + di) * step;
                        v[(axis + 2) % 3] = min[(axis + 2) % 3] + (j + dj) * step;
                        vertices.push(v.map(|c| c as f32));
                    }
                    let quad = if (i + j) % 2 == 0 {
                        [[0, 1, 2], [0, 2, 3]]
                    } else {
                        [[0, 1, 3], [1, 2, 3]]
                    };
                    for [a, b, c] in quad {
                        let corners = if side == 1 { [a, b, c] } else { [a, c, b] };
                        triangles.push(corners.map(|k| first + k));
                    }
                }
            }
        }
    }
    Mesh::new(vertices, triangles).unwrap().welded().unwrap()
}

/// A closed surface of `rings` × `sectors` quads with poles, at radius `radius(polar, azimuth)`.
fn ball(center: [f64; 3], rings: usize, sectors: usize, radius: impl Fn(f64, f64) -> f64) -> Mesh {
    let place = |polar: f64, azimuth: f64| {
        let (r, s) = (radius(polar, azimuth), polar.sin());
        let direction = [s * azimuth.cos(), s * azimuth.sin(), polar.cos()];
        std::array::from_fn(|a| (center[a] + r * direction[a]) as f32)
    };
    let pi = std::f64::consts::PI;
    let mut vertices = vec![place(0.0, 0.0), place(pi, 0.0)];
    for ring in 1..rings {
        for sector in 0..sectors {
            let azimuth = 2.0 * pi * sector as f64 / sectors as f64;
            vertices.push(place(pi * ring as f64 / rings as f64, azimuth));
        }
    }
    let at = |ring: usize, sector: usize| match ring {
        0 => 0,
        r if r == rings => 1,
        r => (2 + (r - 1) * sectors + sector % sectors) as u32,
    };
    let mut triangles = Vec::new();
    for ring in 0..rings {
        for sector in 0..sectors {
            let (a, b) = (at(ring, sector), at(ring, sector + 1));
            let (c, d) = (at(ring + 1, sector), at(ring + 1, sector + 1));
            triangles.extend(
                [[a, c, d], [a, d, b]]
                    .iter()
                    .filter(|[p, q, r]| p != q && q != r && r != p),
            );
        }
    }
    Mesh::new(vertices, triangles).unwrap()
}

fn torus(center: [f64; 3], major: f64, minor: f64, n: usize, m: usize) -> Mesh {
    let turn = |i: usize, n: usize| 2.0 * std::f64::consts::PI * i as f64 / n as f64;
    let mut vertices = Vec::new();
    for i in 0..n {
        for j in 0..m {
            let (u, v) = (turn(i, n), turn(j, m));
            let r = major + minor * v.cos();
            let p = [r * u.cos(), r * u.sin(), minor * v.sin()];
            vertices.push(std::array::from_fn(|a| (center[a] + p[a]) as f32));
        }
    }
    let at = |i: usize, j: usize| ((i % n) * m + j % m) as u32;
    let triangles = (0..n * m)
        .flat_map(|k| {
            let (i, j) = (k / m, k % m);
            let (a, b, c, d) = (at(i, j), at(i + 1, j), at(i, j + 1), at(i + 1, j + 1));
            [[a, b, d], [a, d, c]]
        })
        .collect();
    Mesh::new(vertices, triangles).unwrap()
}

fn scene_of(meshes: &[(Mesh, i32)]) -> Scene<Patient> {
    let surfaces: Vec<_> = meshes
        .iter()
        .map(|(mesh, priority)| SceneSurface {
            mesh,
            priority: *priority,
        })
        .collect();
    Scene::build(&surfaces).unwrap()
}

fn ray(origin: [f64; 3], direction: [f64; 3]) -> Ray<Patient> {
    let [x, y, z] = direction;
    Ray::new(P::from_coords(origin.into()), V::new(x, y, z)).unwrap()
}

/// Rays from `origin` that aim at vertices, edge middles and triangle middles of `mesh`.
fn rays_at_features(mesh: &Mesh, origin: [f64; 3], step: usize) -> Vec<Ray<Patient>> {
    let mut rays = Vec::new();
    for t in (0..mesh.triangles().len()).step_by(step) {
        let [a, b, c] = mesh.corners(t).map(|p| P::from_f32(p).coords);
        for target in [a, (a + b) * 0.5, (a + b + c) / 3.0] {
            let direction = target - na_from(origin);
            if direction.norm() > 0.0 {
                rays.push(ray(origin, direction.into()));
            }
        }
    }
    rays
}

fn na_from(p: [f64; 3]) -> nalgebra::Vector3<f64> {
    p.into()
}

/// Every way of casting gives the same.
fn assert_all_ways_agree(scene: &Scene<Patient>, rays: &[Ray<Patient>]) -> Crossings<Patient> {
    let mut plain = Crossings::new();
    scene.cast_plain(rays, &mut plain);
    let mut other = Crossings::new();
    let mut check = |way: &str, cast: &dyn Fn(&mut Crossings<Patient>)| {
        cast(&mut other);
        for (r, ray) in rays.iter().enumerate() {
            assert_eq!(other.of_ray(r), plain.of_ray(r), "{way}: ray {r} {ray:?}");
            assert_eq!(
                other.start_of_ray(r),
                plain.start_of_ray(r),
                "{way}: {ray:?}"
            );
        }
    };
    check("bundle", &|out| scene.cast_bundle(rays, out));
    check("parallel", &|out| scene.cast_bundle_parallel(rays, out));
    let mut narrow = scene_with_width(scene, Width::Plain);
    check("plain width", &|out| narrow.cast_bundle(rays, out));
    narrow.width = scene.width;
    let mut single = Crossings::new();
    for (r, ray) in rays.iter().enumerate() {
        scene.cast(ray, &mut single);
        assert_eq!(single.of_ray(0), plain.of_ray(r), "single: ray {r} {ray:?}");
        assert_eq!(single.start_of_ray(0), plain.start_of_ray(r));
    }
    plain
}

fn scene_with_width(scene: &Scene<Patient>, width: Width) -> Scene<Patient> {
    Scene {
        geometry: scene.geometry.clone(),
        tree: scene.tree.clone(),
        surface_trees: scene
            .surface_trees
            .iter()
            .map(|_| OnceLock::new())
            .collect(),
        ranks: scene.ranks.clone(),
        width,
        frame: PhantomData,
    }
}

/// Entering and leaving balance per surface from a start outside, media join up, t ascends.
fn assert_consistent(scene: &Scene<Patient>, crossings: &Crossings<Patient>, outside: bool) {
    for (r, of_ray) in crossings.iter().enumerate() {
        let mut medium = crossings.start_of_ray(r);
        if outside {
            assert_eq!(medium, None);
        }
        let mut windings = vec![0; scene.surface_count()];
        for pair in of_ray.windows(2) {
            assert!(pair[0].t_mm <= pair[1].t_mm);
        }
        for c in of_ray {
            assert_eq!(c.before, medium, "ray {r}");
            medium = c.after;
            windings[usize::from(c.surface.0)] += if c.entering { 1 } else { -1 };
            assert!((V::from_f32(c.normal).norm() - 1.0).abs() < 1e-6);
        }
        assert_eq!(medium, None, "ray {r} ends outside");
        if outside {
            assert!(windings.iter().all(|&w| w == 0), "ray {r}: {windings:?}");
        }
    }
}

#[test]
fn a_box_is_crossed_where_its_faces_are() {
    let scene = scene_of(&[(boxed([0, 0, 0], 8, 4), 0)]);
    let rays = [
        ray([-4.0, 3.25, 2.5], [2.0, 0.0, 0.0]),
        ray([4.0, 4.0, 4.0], [0.0, 0.0, -1.0]),
        ray([4.0, 4.0, 4.0], [0.0, 1.0, 1.0]),
    ];
    let mut out = Crossings::new();
    scene.cast_bundle(&rays, &mut out);
    let t = |r: usize| out.of_ray(r).iter().map(|c| c.t_mm).collect::<Vec<_>>();
    assert_eq!(t(0), [4.0, 12.0]);
    assert_eq!(out.of_ray(0)[0].normal, [-1.0, 0.0, 0.0]);
    assert_eq!(out.of_ray(0)[1].normal, [1.0, 0.0, 0.0]);
    assert_eq!(t(1), [4.0]);
    assert_eq!(out.start_of_ray(1), Some(SurfaceId(0)));
    // Through the middle of an edge of the box, exactly.
    assert_eq!(t(2).len(), 1);
    assert!((t(2)[0] - 32.0_f64.sqrt()).abs() < 1e-6);
}

#[test]
fn weights_and_triangle_name_the_place() {
    let mesh = ball([10.0, -5.0, 3.0], 17, 23, |_, _| 40.0);
    let scene = scene_of(&[(boxed([-100, -100, -100], 2, 1), 0), (mesh.clone(), 3)]);
    let rays: Vec<_> = (0..200)
        .map(|i| {
            let a = f64::from(i) * 0.37;
            ray(
                [-60.0, a.sin() * 30.0, a.cos() * 20.0],
                [1.0, 0.1 * a.cos(), 0.13],
            )
        })
        .collect();
    let mut out = Crossings::new();
    scene.cast_bundle(&rays, &mut out);
    assert!(out.crossing_count() > 300);
    for (ray, crossings) in rays.iter().zip(out.iter()) {
        for c in crossings {
            assert_eq!(c.surface, SurfaceId(1));
            let corners = mesh.corners(c.triangle as usize).map(P::from_f32);
            let weights = c.weights();
            let place = (0..3).fold(nalgebra::Vector3::zeros(), |sum, k| {
                sum + corners[k].coords * weights[k]
            });
            assert!((place - ray.at(c.t_mm).coords).norm() < 1e-4);
        }
    }
}

#[test]
fn rays_exactly_through_vertices_and_edges_count_once() {
    let meshes = [
        (boxed([0, 0, 0], 8, 4), 1),
        (boxed([2, 2, 2], 4, 2), 2),
        (boxed([4, 4, 4], 8, 2), 3),
        (boxed([8, 0, 0], 8, 8), 1),
    ];
    let scene = scene_of(&meshes);
    let mut rays = Vec::new();
    for dx in -1..=1 {
        for dy in -1..=1 {
            for dz in -1..=1 {
                if (dx, dy, dz) == (0, 0, 0) {
                    continue;
                }
                let d = [dx, dy, dz].map(f64::from);
                for i in -2..14 {
                    for j in -2..14 {
                        let target = [f64::from(i), f64::from(j), f64::from((i + 3 * j) % 9)];
                        rays.push(ray(std::array::from_fn(|a| target[a] - 32.0 * d[a]), d));
                    }
                }
            }
        }
    }
    let out = assert_all_ways_agree(&scene, &rays);
    assert_consistent(&scene, &out, true);
}

#[test]
fn rays_from_anywhere_through_features_end_outside() {
    let mesh = boxed([0, 0, 0], 16, 4);
    let scene = scene_of(&[
        (mesh.clone(), 0),
        (boxed([4, 4, 4], 8, 2), 5),
        (torus([8.0, 8.0, 8.0], 6.0, 2.0, 24, 12), 2),
    ]);
    // Inside, on a face, on an edge, on a vertex, outside.
    for origin in [
        [5.0, 7.0, 9.0],
        [0.0, 6.0, 7.0],
        [0.0, 0.0, 6.0],
        [16.0, 16.0, 16.0],
        [-20.0, 4.0, 4.0],
    ] {
        let rays = rays_at_features(&mesh, origin, 1);
        let out = assert_all_ways_agree(&scene, &rays);
        assert_consistent(&scene, &out, false);
    }
}

#[test]
fn a_ray_in_the_plane_of_a_face_passes_an_even_number_of_times() {
    let scene = scene_of(&[(boxed([0, 0, 0], 8, 4), 0)]);
    for (y, z) in [(0.0, 3.0), (0.0, 0.0), (8.0, 8.0), (8.0, 1.0), (4.0, 0.0)] {
        let mut out = Crossings::new();
        scene.cast(&ray([-5.0, y, z], [1.0, 0.0, 0.0]), &mut out);
        let count = out.of_ray(0).len();
        assert!(count == 0 || count == 2, "{count} at {y} {z}");
    }
}

#[test]
fn the_higher_priority_fills_the_overlap() {
    // Along x: skin 0..40, liver 10..30, vessel 20..28 in the liver, a tumour 26..34 over both.
    let scene = scene_of(&[
        (boxed([0, 0, 0], 40, 1), 0),
        (boxed([10, 10, 10], 20, 1), 5),
        (boxed([20, 14, 14], 8, 1), 9),
        (boxed([26, 12, 12], 8, 1), 9),
    ]);
    let mut out = Crossings::new();
    scene.cast(&ray([-1.0, 16.5, 17.25], [1.0, 0.0, 0.0]), &mut out);
    let told: Vec<_> = out
        .of_ray(0)
        .iter()
        .map(|c| {
            (
                c.t_mm - 1.0,
                c.surface.0,
                c.before.map(|s| s.0),
                c.after.map(|s| s.0),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (0.0, 0, None, Some(0)),
            (10.0, 1, Some(0), Some(1)),
            (20.0, 2, Some(1), Some(2)),
            (26.0, 3, Some(2), Some(2)), // equal priority: the lower id stays
            (28.0, 2, Some(2), Some(3)),
            (30.0, 1, Some(3), Some(3)),
            (34.0, 3, Some(3), Some(0)),
            (40.0, 0, Some(0), None),
        ]
    );
    let at = |x: f64| scene.containing(P::new(x, 16.5, 17.25));
    assert_eq!(at(27.0), [2, 3, 1, 0].map(SurfaceId));
    assert_eq!(at(5.0), [SurfaceId(0)]);
    assert!(at(-0.5).is_empty());
    assert_eq!(
        scene.innermost(P::new(29.0, 16.5, 17.25)),
        Some(SurfaceId(3))
    );
}

#[test]
fn touching_bodies_are_entered_before_they_are_left() {
    let scene = scene_of(&[(boxed([0, 0, 0], 8, 1), 0), (boxed([8, 0, 0], 8, 4), 0)]);
    let mut out = Crossings::new();
    scene.cast(&ray([-3.0, 3.1, 2.7], [0.9, 0.05, 0.11]), &mut out);
    let media: Vec<_> = out.of_ray(0).iter().map(|c| c.after.map(|s| s.0)).collect();
    assert_eq!(media, [Some(0), Some(0), Some(1), None]);
}

#[test]
fn an_ending_ray_starts_in_the_right_medium() {
    let scene = scene_of(&[
        (boxed([0, 0, 0], 40, 4), 0),
        (boxed([10, 10, 10], 20, 2), 1),
    ]);
    let (outer, inner) = (Some(SurfaceId(0)), Some(SurfaceId(1)));
    // Start, length, medium at the start and at the end, crossings.
    let cases = [
        (12.0, 3.0, inner, inner, 0),
        (38.0, 1.0, outer, outer, 0),
        (-2.0, 15.0, None, inner, 2),
        (2.0, 9.0, outer, inner, 1),
        (-2.0, 1.0, None, None, 0),
        (-2.0, 2.0, None, outer, 1),
        (50.0, 1.0, None, None, 0),
        (-2.0, 35.0, None, outer, 3),
        (-2.0, 45.0, None, None, 4),
    ];
    let rays = cases.map(|(x, length, ..)| {
        let ray = ray([x, 15.5, 15.25], [1.0, 0.0, 0.0]);
        ray.until_mm(length).unwrap()
    });
    let out = assert_all_ways_agree(&scene, &rays);
    for (r, (x, _, start, end, count)) in cases.into_iter().enumerate() {
        assert_eq!(out.start_of_ray(r), start, "from {x}");
        assert_eq!(out.of_ray(r).len(), count, "from {x}");
        let last = out.of_ray(r).last().map_or(start, |c| c.after);
        assert_eq!(last, end, "from {x}");
    }
}

#[test]
fn bad_rays_and_scenes_are_refused() {
    let o = P::origin();
    for d in [[0.0; 3], [f64::NAN, 0.0, 1.0], [f64::INFINITY, 0.0, 0.0]] {
        let bad = Ray::new(o, V::from_coords(d.into()));
        assert!(matches!(bad, Err(SceneError::BadDirection { .. })));
    }
    for x in [f64::NAN, f64::INFINITY, 1e8] {
        let bad = Ray::new(P::new(0.0, x, 0.0), V::new(1.0, 0.0, 0.0));
        assert!(matches!(bad, Err(SceneError::BadOrigin { .. })));
    }
    let tiny = Ray::new(o, V::new(0.0, 1e-300, 0.0)).unwrap();
    assert_eq!(tiny.direction(), V::new(0.0, 1.0, 0.0));
    assert!(tiny.until_mm(-1.0).is_err() && tiny.until_mm(f64::NAN).is_err());
    let far = Mesh::new(
        vec![[0.0; 3], [1e9, 0.0, 0.0], [0.0, 1.0, 0.0]],
        vec![[0, 1, 2]],
    )
    .unwrap();
    let surface = SceneSurface {
        mesh: &far,
        priority: 0,
    };
    let error = Scene::build(&[surface]).unwrap_err();
    assert!(matches!(error, SceneError::BadVertex { vertex: 1, .. }));
    assert!(error.to_string().contains("vertex 1"));
}

#[test]
fn an_empty_scene_answers_nothing() {
    let scene = Scene::<Patient>::build(&[]).unwrap();
    let out = assert_all_ways_agree(&scene, &[ray([0.0; 3], [1.0, 0.0, 0.0])]);
    assert_eq!((out.ray_count(), out.crossing_count()), (1, 0));
    assert!(scene.containing(P::origin()).is_empty());
    assert!(scene.closest(P::origin()).is_none());
    assert!(scene.signed_distance_mm(SurfaceId(0), P::origin()).is_err());
}

#[test]
fn places_that_are_not_numbers_are_nowhere() {
    let scene = scene_of(&[(boxed([0, 0, 0], 8, 2), 0)]);
    for bad in [f64::NAN, f64::INFINITY, 1e300] {
        let place = P::new(bad, 4.0, 4.0);
        assert!(scene.containing(place).is_empty());
        assert_eq!(scene.closest(place).is_some(), bad == 1e300);
    }
}

#[test]
fn flat_and_repeated_triangles_do_no_harm() {
    let mut mesh = boxed([0, 0, 0], 8, 2);
    let mut triangles = mesh.triangles().to_vec();
    triangles.extend([[0, 0, 1], [1, 1, 1], [0, 1, 0]]);
    // A pair of opposite copies encloses nothing.
    triangles.extend([[0, 1, 2], [0, 2, 1]]);
    mesh = Mesh::new(mesh.vertices().to_vec(), triangles).unwrap();
    let same_place = Mesh::new(vec![[1.0; 3]; 3], vec![[0, 1, 2]; 100]).unwrap();
    let scene = scene_of(&[(mesh.clone(), 0), (same_place, 1)]);
    let out = assert_all_ways_agree(&scene, &rays_at_features(&mesh, [-9.0, 3.0, 1.0], 1));
    assert_consistent(&scene, &out, true);
}

/// Möller & Trumbore's formula, on its own: t and the least weight.
fn independent_hit(ray: &Ray<Patient>, corners: [[f32; 3]; 3]) -> Option<(f64, f64)> {
    let [a, b, c] = corners.map(|p| P::from_f32(p).coords);
    let (d, e1, e2) = (ray.direction().coords, b - a, c - a);
    let p = d.cross(&e2);
    let determinant = e1.dot(&p);
    let s = ray.origin().coords - a;
    let u = s.dot(&p) / determinant;
    let q = s.cross(&e1);
    let v = d.dot(&q) / determinant;
    let least = u.min(v).min(1.0 - u - v);
    (determinant.abs() > 1e-9).then(|| (e2.dot(&q) / determinant, least))
}

#[derive(Clone, Debug)]
enum Shape {
    Box {
        min: [i32; 3],
        size: i32,
        cells: i32,
    },
    Ball {
        center: [f64; 3],
        radius: f64,
        bumps: f64,
    },
    Torus {
        center: [f64; 3],
        major: f64,
    },
}

impl Shape {
    fn mesh(&self) -> Mesh {
        match *self {
            Self::Box { min, size, cells } => boxed(min, size * cells, cells),
            Self::Ball {
                center,
                radius,
                bumps,
            } => ball(center, 12, 18, |polar, azimuth| {
                radius * (1.0 + bumps * (5.0 * polar).sin() * (3.0 * azimuth).cos())
            }),
            Self::Torus { center, major } => torus(center, major, 0.4 * major, 20, 11),
        }
    }
}

fn shapes() -> impl Strategy<Value = Vec<(Shape, i32)>> {
    let place = || prop::array::uniform3(-20.0..20.0_f64);
    let shape = prop_oneof![
        (prop::array::uniform3(-12..8_i32), 1..4_i32, 1..5_i32)
            .prop_map(|(min, size, cells)| Shape::Box { min, size, cells }),
        (place(), 3.0..25.0_f64, 0.0..0.2_f64).prop_map(|(center, radius, bumps)| Shape::Ball {
            center,
            radius,
            bumps
        }),
        (place(), 3.0..20.0_f64).prop_map(|(center, major)| Shape::Torus { center, major }),
    ];
    prop::collection::vec((shape, -2..3_i32), 1..6)
}

/// Bundles of all kinds: from one place, in parallel, whole-numbered, wild; some of them ending.
fn bundles() -> impl Strategy<Value = Vec<Ray<Patient>>> {
    let whole = || prop::array::uniform3((-30..30_i32).prop_map(f64::from));
    let place = || prop::array::uniform3(-60.0..60.0_f64);
    let direction = || prop::array::uniform3(-1.0..1.0_f64);
    let fan = (place(), direction(), direction()).prop_map(|(o, d, e)| {
        let turn = |k: usize| 0.01 * (k as f64 - 20.0);
        let at = move |k: usize| ray(o, std::array::from_fn(|a| d[a] + turn(k) * e[a] + 1e-9));
        (0..40).map(at).collect::<Vec<_>>()
    });
    let grid = (
        whole(),
        prop::sample::select(vec![[1.0, 0.0, 0.0], [0.0, -1.0, 1.0], [0.0, 0.0, -1.0]]),
    )
        .prop_map(|(o, d)| {
            (0..64)
                .map(|k| ray([o[0] + f64::from(k % 8), o[1] + f64::from(k / 8), o[2]], d))
                .collect()
        });
    let wild = prop::collection::vec((place(), whole()), 30).prop_map(|list| {
        list.into_iter()
            .filter(|(_, d)| *d != [0.0; 3])
            .map(|(o, d)| ray(o, d))
            .collect()
    });
    (
        prop_oneof![fan, grid, wild],
        prop::option::of(0.0..80.0_f64),
    )
        .prop_map(|(rays, end)| {
            rays.into_iter()
                .map(|ray: Ray<Patient>| end.map_or(ray, |end| ray.until_mm(end).unwrap()))
                .collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn all_ways_agree_and_media_are_consistent(shapes in shapes(), rays in bundles()) {
        let meshes: Vec<_> = shapes.iter().map(|(s, p)| (s.mesh(), *p)).collect();
        let scene = scene_of(&meshes);
        let out = assert_all_ways_agree(&scene, &rays);
        if rays.iter().all(|ray| ray.t_max_mm().is_infinite()) {
            assert_consistent(&scene, &out, false);
        }
        for (r, ray) in rays.iter().enumerate() {
            let on_no_face = ray.origin().coords.iter().all(|c| c.fract() != 0.0);
            if on_no_face {
                prop_assert_eq!(out.start_of_ray(r), scene.innermost(ray.origin()));
            }
        }
    }

    #[test]
    fn rays_through_features_balance(shapes in shapes(), origin in prop::array::uniform3(-200..200_i32)) {
        let meshes: Vec<_> = shapes.iter().map(|(s, p)| (s.mesh(), *p)).collect();
        let scene = scene_of(&meshes);
        let mut origin = origin.map(f64::from);
        origin[1] += 400.0;
        let rays = rays_at_features(&meshes[0].0, origin, 9);
        let mut out = Crossings::new();
        scene.cast_bundle(&rays, &mut out);
        assert_consistent(&scene, &out, true);
    }

    #[test]
    fn crossings_are_those_of_an_independent_formula(shapes in shapes(), rays in bundles()) {
        let meshes: Vec<_> = shapes.iter().map(|(s, p)| (s.mesh(), *p)).collect();
        let scene = scene_of(&meshes);
        let mut out = Crossings::new();
        scene.cast_bundle(&rays, &mut out);
        for (ray, crossings) in rays.iter().zip(out.iter()) {
            for (s, (mesh, _)) in meshes.iter().enumerate() {
                for t in 0..mesh.triangles().len() {
                    let Some((t_mm, least)) = independent_hit(ray, mesh.corners(t)) else { continue };
                    let found = crossings.iter().find(|c| {
                        usize::from(c.surface.0) == s && c.triangle as usize == t
                    });
                    let inside = t_mm > 1e-3 && t_mm < ray.t_max_mm() - 1e-3;
                    if least > 1e-3 && inside {
                        let found = found.expect("the formula finds a crossing");
                        prop_assert!((found.t_mm - t_mm).abs() < 1e-2);
                    } else if least < -1e-3 || t_mm < -1e-2 {
                        prop_assert!(found.is_none());
                    }
                }
            }
        }
    }

    #[test]
    fn containing_is_told_by_solid_angles(shapes in shapes(), place in prop::array::uniform3(-25.0..25.0_f64)) {
        let meshes: Vec<_> = shapes.iter().map(|(s, p)| (s.mesh(), *p)).collect();
        let scene = scene_of(&meshes);
        let place = P::from_coords(place.into());
        let inside = scene.containing(place);
        prop_assert_eq!(scene.innermost(place), inside.first().copied());
        for (s, (mesh, _)) in meshes.iter().enumerate() {
            let id = SurfaceId(s as u16);
            let query = crate::closest::SurfaceQuery::new(mesh);
            let distance = query.signed_distance_mm(place);
            let ours = scene.signed_distance_mm(id, place).unwrap();
            prop_assert!((ours - distance).abs() < 1e-9, "{} {}", ours, distance);
            prop_assert_eq!(inside.contains(&id), distance < 0.0);
        }
        let nearest = scene.closest(place).unwrap();
        let least = meshes.iter()
            .map(|(mesh, _)| crate::closest::SurfaceQuery::new(mesh).closest(place).distance_mm)
            .fold(f64::INFINITY, f64::min);
        prop_assert!((nearest.place.distance_mm - least).abs() < 1e-9);
    }

    #[test]
    fn refit_is_rebuild(shapes in shapes(), rays in bundles(), shift in prop::array::uniform3(-9..9_i32), twist in 0.0..0.05_f64) {
        let mut meshes: Vec<_> = shapes.iter().map(|(s, p)| (s.mesh(), *p)).collect();
        let mut scene = scene_of(&meshes);
        let _ = scene.closest_on(SurfaceId(0), P::origin()).unwrap();
        for (s, (mesh, _)) in meshes.iter_mut().enumerate() {
            let moved: Vec<[f32; 3]> = mesh.vertices().iter().map(|v| {
                let (sin, cos) = (twist * f64::from(v[2])).sin_cos();
                let (x, y) = (f64::from(v[0]), f64::from(v[1]));
                [(x * cos - y * sin) as f32 + shift[0] as f32, (x * sin + y * cos) as f32 + shift[1] as f32, v[2] + shift[2] as f32]
            }).collect();
            mesh.move_vertices(&moved).unwrap();
            if s % 2 == 0 {
                scene.refit(SurfaceId(s as u16), &moved).unwrap();
            }
        }
        let lists: Vec<&[[f32; 3]]> = meshes.iter().map(|(mesh, _)| mesh.vertices()).collect();
        scene.refit_all(&lists).unwrap();
        let rebuilt = scene_of(&meshes);
        prop_assert_eq!(scene.bounds(), rebuilt.bounds());
        let (mut a, mut b) = (Crossings::new(), Crossings::new());
        scene.cast_bundle(&rays, &mut a);
        rebuilt.cast_bundle(&rays, &mut b);
        for (r, ray) in rays.iter().enumerate() {
            prop_assert_eq!(a.of_ray(r), b.of_ray(r));
            let place = ray.at(30.0);
            prop_assert_eq!(scene.containing(place), rebuilt.containing(place));
            let (p, q) = (scene.closest(place).unwrap(), rebuilt.closest(place).unwrap());
            prop_assert_eq!((p.surface, p.place.triangle, p.place.point), (q.surface, q.place.triangle, q.place.point));
            let (p, q) = [&scene, &rebuilt].map(|s| s.closest_on(SurfaceId(0), place).unwrap().unwrap().place).into();
            prop_assert_eq!((p.triangle, p.point), (q.triangle, q.point));
        }
    }
}

#[test]
fn refit_of_one_surface_is_rebuild_too() {
    let mut meshes = [
        (ball([0.0; 3], 20, 30, |_, _| 30.0), 0),
        (ball([1.0; 3], 20, 30, |_, _| 29.0), 1),
    ];
    let mut scene = scene_of(&meshes);
    let moved: Vec<[f32; 3]> = meshes[1]
        .0
        .vertices()
        .iter()
        .map(|v| [v[0] + 40.0, v[1], v[2] * 2.0])
        .collect();
    scene.refit(SurfaceId(1), &moved).unwrap();
    meshes[1].0.move_vertices(&moved).unwrap();
    let rebuilt = scene_of(&meshes);
    let rays = rays_at_features(&meshes[1].0, [-70.0, 3.0, 2.0], 3);
    let out = assert_all_ways_agree(&scene, &rays);
    let expected = assert_all_ways_agree(&rebuilt, &rays);
    assert!(out.iter().eq(expected.iter()));
    assert_consistent(&scene, &out, true);
}

#[test]
fn refit_refuses_what_does_not_fit() {
    let mesh = boxed([0, 0, 0], 8, 2);
    let mut scene = scene_of(&[(mesh.clone(), 0)]);
    let short = &mesh.vertices()[1..];
    assert!(matches!(
        scene.refit(SurfaceId(0), short),
        Err(SceneError::VertexCount { .. })
    ));
    assert!(matches!(
        scene.refit(SurfaceId(1), short),
        Err(SceneError::NoSuchSurface { .. })
    ));
    let mut bad = mesh.vertices().to_vec();
    bad[3][1] = f32::NAN;
    assert!(matches!(
        scene.refit(SurfaceId(0), &bad),
        Err(SceneError::BadVertex { vertex: 3, .. })
    ));
    assert!(scene.refit_all(&[]).is_err());
    assert_eq!(scene.containing(P::new(4.0, 4.0, 4.0)), [SurfaceId(0)]);
}
