use std::f64::consts::PI;

use nalgebra::Vector3;
use proptest::prelude::*;

use super::*;
use crate::closest::SurfaceQuery;
use crate::frame::{Patient, Point};
use crate::mesh::TriMesh;
use crate::polygonise::tests::{assert_sound, open_edges};

fn made(expression: &Expr, resolution_mm: f64) -> TriMesh<Patient> {
    let mesh = surface(expression, resolution_mm, &SurfaceLimits::default()).unwrap();
    assert_sound(&mesh);
    mesh
}

/// Of fine surfaces, whose freedom from crossings is tested elsewhere: it takes long.
fn volume(expression: &Expr, resolution_mm: f64) -> f64 {
    let mesh = surface(expression, resolution_mm, &SurfaceLimits::default()).unwrap();
    assert_eq!(open_edges(mesh.triangles()), 0);
    mesh.signed_volume_mm3()
}

fn at(expression: &Expr, p: [f64; 3]) -> f64 {
    Solid::new(expression)
        .unwrap()
        .distance_mm(Point::new(p[0], p[1], p[2]))
}

fn ball(x: f64, radius_mm: f64) -> Expr {
    Expr::Sphere {
        center: [x, 0.0, 0.0],
        radius_mm,
    }
}

fn boxed(expression: Expr) -> Box<Expr> {
    Box::new(expression)
}

fn assert_volume(expression: &Expr, resolution_mm: f64, truth: f64) {
    let found = volume(expression, resolution_mm);
    println!(
        "{}: {:+.3} %",
        expression.name(),
        (found / truth - 1.0) * 100.0
    );
    assert!((found / truth - 1.0).abs() < 0.005, "{found} for {truth}");
}

#[test]
fn volumes_match_closed_forms() {
    assert_volume(&ball(3.0, 10.0), 0.5, 4.0 / 3.0 * PI * 1000.0);
    let ellipsoid = Expr::Ellipsoid {
        center: [1.0, 2.0, 3.0],
        radii_mm: [12.0, 7.0, 5.0],
    };
    assert_volume(&ellipsoid, 0.4, 4.0 / 3.0 * PI * 12.0 * 7.0 * 5.0);
    let (from, to) = ([0.0, 0.0, 0.0], [6.0, 8.0, 20.0]);
    let length = 500.0_f64.sqrt();
    let capsule = Expr::Capsule {
        from,
        to,
        radius_mm: 6.0,
    };
    assert_volume(&capsule, 0.4, PI * 36.0 * length + 4.0 / 3.0 * PI * 216.0);
    // Minkowski sum of a box with half-edges a − r and a ball of radius r.
    let rounded = Expr::Box {
        center: [0.0; 3],
        half_mm: [10.0, 8.0, 6.0],
        rounding_mm: 2.0,
    };
    let (a, b, c, r) = (16.0, 12.0, 8.0, 2.0);
    let steiner = a * b * c
        + 2.0 * r * (a * b + b * c + c * a)
        + PI * r * r * (a + b + c)
        + 4.0 / 3.0 * PI * r * r * r;
    assert_volume(&rounded, 0.25, steiner);
    // Two caps and a cone frustum between the circles of tangency.
    let (r1, r2, l) = (8.0, 4.0, 20.0);
    let cone = Expr::RoundCone {
        from: [0.0; 3],
        to: [0.0, 0.0, l],
        from_radius_mm: r1,
        to_radius_mm: r2,
    };
    let sine: f64 = (r1 - r2) / l;
    let cosine = (1.0 - sine * sine).sqrt();
    let (q1, q2) = (r1 * cosine, r2 * cosine);
    let height = l + (r2 - r1) * sine;
    let frustum = PI * height / 3.0 * (q1 * q1 + q1 * q2 + q2 * q2);
    let cap = |r: f64, h: f64| PI * h * h * (3.0 * r - h) / 3.0;
    let truth = frustum + cap(r1, r1 * (1.0 + sine)) + cap(r2, r2 * (1.0 - sine));
    assert_volume(&cone, 0.4, truth);
}

#[test]
fn booleans_and_changes_match_closed_forms() {
    let cube = Expr::Box {
        center: [0.0; 3],
        half_mm: [10.0; 3],
        rounding_mm: 0.0,
    };
    let drilled = Expr::Difference {
        of: boxed(cube.clone()),
        cut: vec![ball(0.0, 8.0)],
        blend_mm: 0.0,
    };
    assert_volume(&drilled, 0.4, 8000.0 - 4.0 / 3.0 * PI * 512.0);
    let below = Expr::HalfSpace {
        normal: [0.0, 0.0, 2.0],
        offset_mm: 0.0,
    };
    let half = Expr::Intersection {
        parts: vec![ball(0.0, 10.0), below],
        blend_mm: 0.0,
    };
    assert_volume(&half, 0.3, 2.0 / 3.0 * PI * 1000.0);
    let shell = Expr::Shell {
        of: boxed(ball(0.0, 10.0)),
        thickness_mm: 2.0,
    };
    assert_volume(&shell, 0.3, 4.0 / 3.0 * PI * (1331.0 - 729.0));
    let grown = Expr::Offset {
        of: boxed(ball(0.0, 10.0)),
        by_mm: -2.0,
    };
    assert_volume(&grown, 0.4, 4.0 / 3.0 * PI * 512.0);
    let big = Expr::Scale {
        of: boxed(cube.clone()),
        about: [3.0, 1.0, 0.0],
        factor: 1.5,
    };
    assert_volume(&big, 0.4, 27_000.0);
    let turned = Expr::Rotate {
        of: boxed(cube),
        about: [50.0, 0.0, 0.0],
        axis: [1.0, 1.0, 1.0],
        angle_rad: 0.7,
    };
    assert_volume(&turned, 0.4, 8000.0);
    let pair = Expr::Mirror {
        of: boxed(ball(30.0, 10.0)),
        axis: Axis::X,
        at_mm: 5.0,
    };
    assert_volume(&pair, 0.5, 8.0 / 3.0 * PI * 1000.0);
}

#[test]
fn a_torus_of_tube_points_has_pappus_volume() {
    // Three quarters of a circle, so that the ends are round caps: ¾ of the torus and a ball.
    let (big, small) = (30.0, 4.0);
    let points = (0..=24)
        .map(|n| {
            let angle = 1.5 * PI * f64::from(n) / 24.0;
            TubePoint {
                place: [big * angle.cos(), big * angle.sin(), 0.0],
                radius_mm: small,
            }
        })
        .collect();
    let truth = 0.75 * 2.0 * PI * PI * big * small * small + 4.0 / 3.0 * PI * small.powi(3);
    assert_volume(&Expr::Tube { points }, 0.4, truth);
}

#[test]
fn rotation_is_right_handed_and_translation_adds() {
    let arm = Expr::Translate {
        of: boxed(ball(0.0, 1.0)),
        by_mm: [5.0, 0.0, 0.0],
    };
    let turned = Expr::Rotate {
        of: boxed(arm),
        about: [0.0; 3],
        axis: [0.0, 0.0, 9.0],
        angle_rad: PI / 2.0,
    };
    assert!((at(&turned, [0.0, 5.0, 0.0]) + 1.0).abs() < 1e-12);
    let image = Expr::Reflect {
        of: boxed(turned),
        axis: Axis::Y,
        at_mm: 1.0,
    };
    assert!((at(&image, [0.0, -3.0, 0.0]) + 1.0).abs() < 1e-12);
}

#[test]
fn mirror_is_symmetric_bit_by_bit() {
    let lump = Expr::Noise {
        of: boxed(ball(7.0, 5.0)),
        seed: 4,
        amplitude_mm: 1.0,
        wavelength_mm: 3.0,
    };
    let pair = Expr::Mirror {
        of: boxed(lump),
        axis: Axis::X,
        at_mm: 0.0,
    };
    for n in 0..50 {
        let p = [0.3 * f64::from(n) - 6.0, 0.7, 0.11 * f64::from(n)];
        assert_eq!(at(&pair, p), at(&pair, [-p[0], p[1], p[2]]));
    }
}

#[test]
fn same_seed_same_bytes_and_another_seed_another_shape() {
    let rough = |seed| Expr::Noise {
        of: boxed(ball(0.0, 12.0)),
        seed,
        amplitude_mm: 1.5,
        wavelength_mm: 6.0,
    };
    let first = made(&rough(7), 0.7);
    let one_thread = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    assert_eq!(first, one_thread.install(|| made(&rough(7), 0.7)));
    assert_ne!(first, made(&rough(8), 0.7));
    let reach = |v: &[f32; 3]| Point::<Patient>::from_f32(*v).coords.norm();
    assert!(
        first
            .vertices()
            .iter()
            .all(|v| (10.4..13.6).contains(&reach(v)))
    );
    let spread = first
        .vertices()
        .iter()
        .map(|v| (reach(v) - 12.0).abs())
        .fold(0.0, f64::max);
    assert!(spread > 0.7, "noise moves the surface: {spread}");
}

#[test]
fn skipping_blocks_changes_nothing() {
    let lump = Expr::Union {
        parts: vec![
            ball(0.0, 9.0),
            ball(12.0, 5.0),
            Expr::Ellipsoid {
                center: [-3.0, 9.0, 2.0],
                radii_mm: [9.0, 3.0, 2.0],
            },
        ],
        blend_mm: 5.0,
    };
    let solid = Solid::new(&lump).unwrap();
    let mesh = made(&lump, 0.6);
    // Every vertex lies where the linear interpolation along its edge puts it: near the zero level.
    for &v in mesh.vertices() {
        assert!(solid.distance_mm(Point::from_f32(v)).abs() < 0.1);
    }
}

#[test]
fn errors_lead_to_the_node() {
    let surface = |e: &Expr| surface(e, 1.0, &SurfaceLimits::default()).unwrap_err();
    let nan = Expr::Union {
        parts: vec![
            ball(0.0, 1.0),
            Expr::Offset {
                of: boxed(ball(0.0, f64::NAN)),
                by_mm: 1.0,
            },
        ],
        blend_mm: 0.0,
    };
    let error = surface(&nan).to_string();
    assert!(
        error.starts_with("union[1] > offset > sphere: radius_mm is NaN"),
        "{error}"
    );
    let below = Expr::HalfSpace {
        normal: [1.0, 0.0, 0.0],
        offset_mm: 0.0,
    };
    let endless = Expr::Union {
        parts: vec![ball(0.0, 1.0), below.clone()],
        blend_mm: 0.0,
    };
    assert_eq!(
        surface(&endless),
        SdfError::Unbounded {
            path: "union[1] > half_space".into()
        }
    );
    assert_eq!(
        surface(&below),
        SdfError::Unbounded {
            path: "half_space".into()
        }
    );
    let apart = Expr::Intersection {
        parts: vec![ball(0.0, 1.0), ball(9.0, 1.0)],
        blend_mm: 0.0,
    };
    assert!(matches!(surface(&apart), SdfError::Empty { .. }));
    assert!(matches!(
        surface(&ball(0.0, 1e6)),
        SdfError::TooManySamples { .. }
    ));
    assert!(matches!(
        surface(&ball(0.0, 1e300)),
        SdfError::Parameter { .. }
    ));
    assert!(matches!(
        surface(&Expr::Tube { points: Vec::new() }),
        SdfError::TooFew {
            count: 0,
            at_least: 2,
            ..
        }
    ));
    let flat = Expr::HalfSpace {
        normal: [0.0; 3],
        offset_mm: 0.0,
    };
    assert!(matches!(
        surface(&flat),
        SdfError::Parameter { name: "normal", .. }
    ));
    let deep = (0..100).fold(ball(0.0, 1.0), |of, _| Expr::Offset {
        of: boxed(of),
        by_mm: 0.0,
    });
    assert!(matches!(surface(&deep), SdfError::TooDeep { .. }));
    for resolution in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let found = super::surface(&ball(0.0, 1.0), resolution, &SurfaceLimits::default());
        assert!(matches!(
            found,
            Err(SdfError::Parameter {
                name: "resolution_mm",
                ..
            })
        ));
    }
}

fn shape() -> impl Strategy<Value = Expr> {
    let place = || prop::array::uniform3(-10.0_f64..10.0);
    prop_oneof![
        (place(), 1.0_f64..8.0).prop_map(|(center, radius_mm)| Expr::Sphere { center, radius_mm }),
        (place(), prop::array::uniform3(1.0_f64..8.0))
            .prop_map(|(center, radii_mm)| Expr::Ellipsoid { center, radii_mm }),
        (place(), prop::array::uniform3(2.0_f64..8.0), 0.0_f64..2.0).prop_map(
            |(center, half_mm, rounding_mm)| Expr::Box {
                center,
                half_mm,
                rounding_mm
            }
        ),
        (place(), place(), 1.0_f64..5.0, 1.0_f64..5.0).prop_map(|(from, to, a, b)| {
            Expr::RoundCone {
                from,
                to,
                from_radius_mm: a,
                to_radius_mm: b,
            }
        }),
        prop::collection::vec((place(), 1.0_f64..4.0), 2..6).prop_map(|points| Expr::Tube {
            points: points
                .into_iter()
                .map(|(place, radius_mm)| TubePoint { place, radius_mm })
                .collect()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn shapes_are_sampled_as_in_full(shape in shape(), resolution_mm in 0.4_f64..3.0) {
        assert_as_in_full(&shape, resolution_mm);
    }

    // What makes a distance a distance: nowhere does it change faster than one walks.
    #[test]
    fn shapes_change_no_faster_than_one_walks(
        shape in shape(),
        p in prop::array::uniform3(-20.0_f64..20.0),
        q in prop::array::uniform3(-20.0_f64..20.0),
    ) {
        let walked = (Vector3::from(p) - Vector3::from(q)).norm();
        prop_assert!((at(&shape, p) - at(&shape, q)).abs() <= walked * (1.0 + 1e-6) + 1e-6);
    }

    #[test]
    fn outside_distances_are_those_to_the_surface(
        shape in shape(),
        p in prop::array::uniform3(-20.0_f64..20.0),
    ) {
        let distance = at(&shape, p);
        prop_assume!(distance > 0.5);
        let mesh = surface(&shape, 0.5, &SurfaceLimits::default()).unwrap();
        let measured = SurfaceQuery::new(&mesh).closest(Point::new(p[0], p[1], p[2])).distance_mm;
        prop_assert!((distance - measured).abs() < 0.3, "{distance} {measured}");
    }

    #[test]
    fn blends_stay_within_their_bounds(
        parts in prop::collection::vec(shape(), 2..4),
        blend_mm in 0.0_f64..6.0,
        p in prop::array::uniform3(-20.0_f64..20.0),
    ) {
        let least = parts.iter().map(|e| at(e, p)).fold(f64::INFINITY, f64::min);
        let most = parts.iter().map(|e| at(e, p)).fold(f64::NEG_INFINITY, f64::max);
        let dip = 0.25 * blend_mm * (parts.len() - 1) as f64;
        let union = at(&Expr::Union { parts: parts.clone(), blend_mm }, p);
        let common = at(&Expr::Intersection { parts, blend_mm }, p);
        prop_assert!(union <= least && union >= least - dip - 1e-9);
        prop_assert!(common >= most && common <= most + dip + 1e-9);
    }

    #[test]
    fn ranges_and_bounds_are_never_exceeded(
        parts in prop::collection::vec(shape(), 1..4),
        center in prop::array::uniform3(-15.0_f64..15.0),
        step in prop::array::uniform3(-1.0_f64..1.0),
        radius in 0.1_f64..8.0,
    ) {
        let blended = Expr::Union { parts, blend_mm: 3.0 };
        let rough = Expr::Noise { of: boxed(blended), seed: 1, amplitude_mm: 1.0, wavelength_mm: 2.0 };
        let turned = Expr::Rotate { of: boxed(rough), about: [1.0; 3], axis: [1.0, 2.0, 0.5], angle_rad: 0.9 };
        let solid = Solid::new(&Expr::Shell { of: boxed(turned), thickness_mm: 1.5 }).unwrap();
        let center = Vector3::from(center);
        let p = center + Vector3::from(step) * radius / 3.0_f64.sqrt();
        let value = solid.distance_mm(Point::from_coords(p));
        let [low, high] = solid.range_mm(Point::from_coords(center), radius);
        prop_assert!(low <= value + 1e-9 && value <= high + 1e-9, "{low} {value} {high}");
        let Bounds { min, max } = solid.bounds();
        let within = (0..3).all(|a| min[a] <= p[a] && p[a] <= max[a]);
        prop_assert!(value > 0.0 || within);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    // The divergence theorem over the triangles and a count of voxels know nothing of each other.
    // Each voxel is asked at a random place in it, so that faces along the grid cause no bias: then
    // the count is off by chance alone, √(cells on the surface)/2 voxels.
    #[test]
    fn volume_by_divergence_is_the_volume_by_counting(shape in shape(), seed in any::<u64>()) {
        const STEP_MM: f64 = 0.6;
        const RESOLUTION_MM: f64 = 0.4;
        let mesh = surface(&shape, RESOLUTION_MM, &SurfaceLimits::default()).unwrap();
        let solid = Solid::new(&shape).unwrap();
        let bounds = mesh.bounds();
        let low = bounds.min.map(|v| f64::from(v) - 1.0);
        let cells = bounds.extent().map(|e| ((f64::from(e) + 2.0) / STEP_MM).ceil() as u64);
        let inside = |n: u64| {
            let cell = [n % cells[0], n / cells[0] % cells[1], n / (cells[0] * cells[1])];
            let p: [f64; 3] = std::array::from_fn(|a| {
                low[a] + (cell[a] as f64 + unit_hash(seed ^ (3 * n + a as u64))) * STEP_MM
            });
            solid.distance_mm(Point::new(p[0], p[1], p[2])) < 0.0
        };
        let count = (0..cells.iter().product()).filter(|&n| inside(n)).count();
        let counted = count as f64 * STEP_MM.powi(3);
        let surface_cells = mesh.area_mm2() / STEP_MM.powi(2);
        let chance = 5.0 * 0.5 * surface_cells.sqrt() * STEP_MM.powi(3);
        // Sampling cuts sharp edges off.
        let edges = 0.02 * RESOLUTION_MM * mesh.area_mm2();
        let apart = (mesh.signed_volume_mm3() - counted).abs();
        prop_assert!(apart < chance + edges, "{} {counted}", mesh.signed_volume_mm3());
    }
}

/// A number from 0 to 1 that follows from `n` (the finaliser of splitmix64).
fn unit_hash(n: u64) -> f64 {
    let mut z = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) as f64 / u64::MAX as f64
}

#[test]
fn a_pool_fills_a_ball_to_the_level_of_its_volume() {
    let ball = Expr::Sphere {
        center: [3.0, 0.0, 0.0],
        radius_mm: 20.0,
    };
    // A cap of height h: π h² (3r − h) / 3; h = 12 mm.
    let volume = std::f64::consts::PI * 144.0 * (60.0 - 12.0) / 3.0;
    let cap = pool(ball.clone(), [0.0, 2.0, 0.0], volume).unwrap();
    let mesh = surface(&cap, 0.8, &SurfaceLimits::default()).unwrap();
    let bounds = mesh.bounds();
    assert!((mesh.signed_volume_mm3() / volume - 1.0).abs() < 0.02);
    assert!((bounds.min[1] - 8.0).abs() < 0.3 && (bounds.max[1] - 20.0).abs() < 0.1);
    let full = pool(ball, [0.0, 2.0, 0.0], 40_000.0);
    assert!(matches!(full, Err(SdfError::Overfull { .. })), "{full:?}");
}

#[test]
fn a_swollen_ball_has_the_volume_added() {
    let ball = Expr::Sphere {
        center: [0.0; 3],
        radius_mm: 20.0,
    };
    let wider = |r: f64| 4.0 / 3.0 * std::f64::consts::PI * r.powi(3);
    let swollen = swell(ball, wider(26.0) - wider(20.0)).unwrap();
    let Expr::Offset { by_mm, .. } = swollen else {
        panic!("{swollen:?}");
    };
    assert!((by_mm - 6.0).abs() < 0.15, "{by_mm}");
}

/// Many blended, cut, turned and roughened parts.
fn thicket() -> Expr {
    let ball = |n: i32| Expr::Rotate {
        of: Box::new(Expr::Ellipsoid {
            center: [
                f64::from(n % 5) * 9.0,
                f64::from(n / 5) * 11.0,
                f64::from(n * 7 % 13),
            ],
            radii_mm: [7.0, 5.0, 4.0],
        }),
        about: [5.0, 5.0, 0.0],
        axis: [1.0, f64::from(n), 2.0],
        angle_rad: 0.05 * f64::from(n),
    };
    let tube = |n: i32| Expr::Tube {
        points: (0..6)
            .map(|k| TubePoint {
                place: [
                    f64::from(k) * 8.0,
                    f64::from(n * 9 + k % 2 * 6),
                    f64::from(k * n % 5),
                ],
                radius_mm: 2.0 + f64::from(k % 3),
            })
            .collect(),
    };
    let many = Expr::Union {
        parts: (0..25).map(ball).chain((0..5).map(tube)).collect(),
        blend_mm: 4.0,
    };
    Expr::Difference {
        of: Box::new(Expr::Noise {
            of: Box::new(many.clone()),
            seed: 3,
            amplitude_mm: 0.7,
            wavelength_mm: 6.0,
        }),
        cut: vec![Expr::Shell {
            of: Box::new(Expr::Reflect {
                of: Box::new(many),
                axis: Axis::X,
                at_mm: 20.0,
            }),
            thickness_mm: 2.0,
        }],
        blend_mm: 1.0,
    }
}

/// The same surface to the bit as from a lattice of which every sample is worked out in full.
fn assert_as_in_full(expression: &Expr, resolution_mm: f64) {
    let limits = SurfaceLimits::default();
    let found = surface(expression, resolution_mm, &limits);
    let truth = sampling::surface_in_full(expression, resolution_mm, &limits);
    match (found, truth) {
        (Ok(found), Ok(truth)) => {
            assert!(found.vertices() == truth.vertices(), "{expression:?}");
            assert!(found.triangles() == truth.triangles(), "{expression:?}");
        }
        (found, truth) => assert_eq!(found.err(), truth.err()),
    }
}

#[test]
fn skipping_cells_changes_no_bit() {
    assert_as_in_full(&thicket(), 2.1);
    // Rougher than it is thick.
    let fog = Expr::Noise {
        of: boxed(ball(0.0, 6.0)),
        seed: 8,
        amplitude_mm: 5.0,
        wavelength_mm: 3.0,
    };
    let tube = Expr::Tube {
        points: vec![
            TubePoint {
                place: [-20.0, -9.0, 3.0],
                radius_mm: 1.0,
            },
            TubePoint {
                place: [5.0, 12.0, -4.0],
                radius_mm: 3.0,
            },
            TubePoint {
                place: [30.0, -2.0, 7.0],
                radius_mm: 0.8,
            },
        ],
    };
    let scattered = Expr::Scale {
        of: boxed(Expr::Union {
            parts: vec![ball(9.0, 3.0), fog, tube, ball(70.0, 1.0)],
            blend_mm: 2.0,
        }),
        about: [3.0, 1.0, 2.0],
        factor: 0.7,
    };
    for resolution_mm in [0.55, 0.8, 1.9] {
        assert_as_in_full(&scattered, resolution_mm);
    }
}

/// Leaving out what is far away changes no value.
#[test]
fn leaving_out_far_parts_changes_nothing() {
    let solid = Solid::new(&thicket()).unwrap();
    for n in 0..400_u32 {
        let at = |k: u32| f64::from(n * k % 97) * 0.6 - 8.0;
        let center = Point::new(at(31), at(17), at(53) * 0.5);
        let outer = solid.near(center, 12.0);
        let inner = outer.nearer(center, 4.0);
        for (near, radius) in [(&outer, 12.0), (&inner, 4.0)] {
            let offset = radius * (f64::from(n % 7) / 7.0 - 0.4);
            let place = Point::from_coords(center.coords.add_scalar(offset / 2.0));
            assert_eq!(near.distance_mm(place), solid.distance_mm(place));
            let [low, high] = solid.range_mm(center, radius);
            let is_known = near.sign();
            assert!(is_known.is_none_or(|sign| if sign > 0.0 { low < 0.0 } else { high > 0.0 }));
        }
    }
}

/// The course passes through the given points with their radii, in steps no longer than asked, and
/// the tube's solid lies round it: on the axis of a ball swept along a curve the distance is −r.
#[test]
fn a_tube_s_course_is_the_solid_s_axis() {
    let point = |place: [f64; 3], radius_mm: f64| TubePoint { place, radius_mm };
    let points = [
        point([0.0, 0.0, 0.0], 4.0),
        point([20.0, 5.0, 0.0], 4.0),
        point([30.0, 25.0, 10.0], 4.0),
        point([28.0, 60.0, 12.0], 4.0),
    ];
    let course = tube_course(&points, 2.0);
    for given in &points {
        assert!(course.contains(given), "{given:?}");
    }
    let step = |pair: &[TubePoint]| {
        let [a, b] = [pair[0], pair[1]].map(|p| nalgebra::Vector3::from(p.place));
        (b - a).norm()
    };
    assert!(course.windows(2).all(|pair| step(pair) <= 2.0));
    let tube = Expr::Tube {
        points: points.to_vec(),
    };
    for here in &course {
        assert!((at(&tube, here.place) + 4.0).abs() < 0.02, "{here:?}");
    }
    assert_eq!(tube_course(&points[..1], 2.0), points[..1]);
    assert_eq!(tube_course(&[], 2.0), []);
}
