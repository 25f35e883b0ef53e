use geometry::scene::{Crossings, Ray};

use super::*;

/// Plates of the plate phantom and the depths of their front faces, mm.
const PLATES: [(&str, f32); 5] = [
    ("agar", 20.0),
    ("gelatin", 40.0),
    ("silicone", 60.0),
    ("pmma", 80.0),
    ("steel", 110.0),
];

fn parse(structures: &str) -> Result<Recipe, RecipeError> {
    let text = format!(
        "Recipe(version: 1, summary: (en: \"a\", zh: \"一\"), patient: \"p\", resolution_mm: 4, structures: [{structures}])"
    );
    Recipe::parse(&text, "r.ron", &Choices::default(), Atlas::builtin())
}

#[test]
fn every_builtin_recipe_reads() {
    for id in Recipe::builtin_ids() {
        assert!(Recipe::builtin(id).is_ok(), "{id}");
    }
}

#[test]
fn a_shape_may_follow_one_further_up() {
    let recipe = parse(
        "(id: \"skin\", shape: Sphere(center: (0, 0, 0), radius: 60)),
         (id: \"body_fat\", shape: Offset(of: Same(\"skin\"), by: -5))",
    )
    .unwrap();
    let patient = recipe
        .make(Atlas::builtin(), TissueTable::builtin(), &crate::Silent)
        .unwrap();
    let radius_of = |n: usize| {
        (patient.structures[n].surface.signed_volume_mm3() * 0.75 / std::f64::consts::PI).cbrt()
    };
    assert!((radius_of(0) - 60.0).abs() < 0.2 && (radius_of(1) - 55.0).abs() < 0.2);
}

#[test]
fn references_to_nothing_and_unknown_words_are_told_with_their_places() {
    let error = parse(
        "(id: \"skin\", shape: Same(\"skim\")),
         (id: \"livr\", shape: Sphre(center: (0, 0, 0), radius: 1)),
         (id: \"spleen\", shape: Sphere(center: (0, 0, 0), radius: -1))",
    )
    .unwrap_err()
    .to_string();
    for words in [
        "`skim`",
        "did you mean `skin`",
        "`livr`",
        "did you mean `liver`",
        "`Sphere`",
        "r.ron:3:",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn a_shape_may_follow_one_further_down_but_not_itself() {
    let below = "(id: \"skin\", shape: Same(\"liver\")),
         (id: \"liver\", shape: Sphere(center: (0, 0, 0), radius: 9))";
    assert!(parse(below).is_ok());
    let circle = "(id: \"skin\", shape: Offset(of: Same(\"liver\"), by: 2)),
         (id: \"liver\", shape: Union(of: [Same(\"spleen\")])),
         (id: \"spleen\", shape: Same(\"skin\"))";
    let error = parse(circle).unwrap_err().to_string();
    assert!(error.contains("depends on itself"), "{error}");
    assert!(error.contains("liver → spleen → skin → liver"), "{error}");
    assert!(error.starts_with("r.ron:1:"), "{error}");
}

#[test]
fn a_shape_without_bounds_names_its_structure() {
    let recipe = parse("(id: \"liver\", shape: HalfSpace(normal: (0, 0, 1), offset: 0))").unwrap();
    let error = recipe.make(Atlas::builtin(), TissueTable::builtin(), &crate::Silent);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("`liver`"), "{error}");
}

fn made(recipe: &Recipe) -> Patient {
    let made = recipe.make(Atlas::builtin(), TissueTable::builtin(), &crate::Silent);
    made.unwrap_or_else(|error| panic!("{error}"))
}

fn phantom(id: &str) -> Patient {
    made(&Recipe::builtin(id).unwrap())
}

/// Least and greatest coordinate along an axis.
fn extent(patient: &Patient, id: &str, axis: usize) -> (f32, f32) {
    let bounds = patient.structure(id).unwrap().surface.bounds();
    (bounds.min[axis], bounds.max[axis])
}

#[test]
fn a_box_alone_is_exact_at_any_resolution() {
    let recipe = parse("(id: \"liver\", shape: Box(center: (0.3, 10.1, 7), half: (60, 1.5, 30)))");
    let patient = made(&recipe.unwrap());
    let plate = &patient.structures[0].surface;
    assert_eq!(plate.triangles().len(), 12);
    assert!(geometry::check::inspect(plate).is_sound());
    assert_eq!(extent(&patient, "liver", 1), (8.6, 11.6));
    assert!((plate.signed_volume_mm3() / (120.0 * 3.0 * 60.0) - 1.0).abs() < 1e-6);
}

/// What sampling gives for a plate, wherever its faces lie between samples: away from the rim,
/// which is cut off, at most the 0.02 of a step by which vertices keep away from samples.
#[test]
fn a_sampled_plate_is_flat_but_for_its_rim() {
    let worst_mm = |half_thickness: f64| {
        let plate = Expr::Box {
            center: [0.3, 10.1, 7.0],
            half_mm: [10.0, half_thickness, 10.0],
            rounding_mm: 0.0,
        };
        let mesh = sdf::surface(&plate, 0.5, &SurfaceLimits::default()).unwrap();
        let is_inner = |v: &&[f32; 3]| (v[0] - 0.3).abs() < 9.0 && (v[2] - 7.0).abs() < 9.0;
        let off = |v: &[f32; 3]| ((f64::from(v[1]) - 10.1).abs() - half_thickness).abs();
        let inner = mesh.vertices().iter().filter(is_inner);
        inner.map(off).fold(0.0, f64::max)
    };
    let thicknesses = (0..25).map(|n| 1.5 + 0.01 * f64::from(n));
    let worst = thicknesses.map(worst_mm).fold(0.0, f64::max);
    assert!(worst < 0.0101, "{worst} mm");
}

#[test]
fn moved_boxes_are_the_solids_they_say() {
    let shape = |moves: &str| {
        format!(
            "(id: \"liver\", shape: {})",
            moves.replace("BOX", "Box(center: (5, 1, 2), half: (9, 4, 7))")
        )
    };
    let turned = "Rotate(about: (1, 2, 3), axis: (1, 2, -2), angle_deg: 40, of: BOX)";
    let several = [
        turned.to_owned(),
        "Reflect(axis: Y, at: 3, of: Translate(by: (1, 2, 3), of: BOX))".to_owned(),
        format!("Reflect(axis: X, of: Scale(about: (0, 4, 0), factor: 1.5, of: {turned}))"),
    ];
    for moves in several {
        let recipe = parse(&shape(&moves)).unwrap();
        let solid = &recipe.solids().unwrap()[0];
        let exact = flat::surface(solid).unwrap();
        let solid = sdf::Solid::new(solid).unwrap();
        assert!(geometry::check::inspect(&exact).is_sound(), "{moves}");
        let factor = if moves.contains("Scale") {
            1.5_f64.powi(3)
        } else {
            1.0
        };
        assert!((exact.signed_volume_mm3() / (18.0 * 8.0 * 14.0 * factor) - 1.0).abs() < 1e-5);
        for triangle in 0..12 {
            let [a, b, c] = exact.corners(triangle);
            let middle = [0, 1, 2].map(|i| f64::from(a[i] + b[i] + c[i]) / 3.0);
            let off = solid.distance_mm(geometry::Point::from_coords(middle.into()));
            assert!(off.abs() < 1e-4, "{moves}: {off}");
        }
    }
}

#[test]
fn what_is_no_plain_box_is_sampled() {
    for shape in [
        "Box(center: (0, 0, 0), half: (9, 9, 9), rounding: 1)",
        "Offset(of: Box(center: (0, 0, 0), half: (9, 9, 9)), by: 1)",
    ] {
        let patient = made(&parse(&format!("(id: \"liver\", shape: {shape})")).unwrap());
        assert!(
            patient.structures[0].surface.triangles().len() > 12,
            "{shape}"
        );
    }
    // What is wrong with a box is told as ever.
    let none = parse("(id: \"liver\", shape: Box(center: (0, 0, 0), half: (9, 0, 9)))").unwrap();
    let error = none.make(Atlas::builtin(), TissueTable::builtin(), &crate::Silent);
    assert!(error.unwrap_err().to_string().contains("half_mm"));
}

fn test_objects() -> impl Iterator<Item = (&'static str, Patient)> {
    let ids =
        Recipe::builtin_ids().filter(|id| id.starts_with("phantom-") && *id != "phantom-torso");
    ids.map(|id| (id, phantom(id)))
}

#[test]
fn every_test_object_is_sound_still_and_says_where_the_probe_stands() {
    let mut count = 0;
    for (id, patient) in test_objects() {
        count += 1;
        assert_eq!(patient.motion, Motion::default(), "{id}");
        let probe = patient.landmarks.iter().find(|l| l.id == "probe").unwrap();
        assert_eq!(probe.at.to_array(), [0.0; 3], "{id}");
        let (_, scan) = patient.planes.iter().find(|(_, p)| p.id == "scan").unwrap();
        assert_eq!(scan.depth.to_array(), [0.0, 1.0, 0.0], "{id}");
        assert_eq!((scan.center.x(), scan.center.z()), (0.0, 0.0), "{id}");
        let names = patient.planes.iter().map(|(name, _)| name);
        for name in names.chain(patient.landmarks.iter().map(|l| &l.name)) {
            assert!(!name.zh.is_ascii() && name.en.is_ascii(), "{id}: {name:?}");
        }
        let block = patient.structures[0].surface.bounds();
        assert_eq!((block.min[1], block.max[1]), (0.0, 180.0), "{id}");
        for structure in &patient.structures {
            let report = geometry::check::inspect(&structure.surface);
            assert!(
                report.is_sound(),
                "{id}: {} {:?}",
                structure.id,
                report.fault_lines()
            );
            let inside =
                |v: &[f32; 3]| (0..3).all(|a| (block.min[a]..=block.max[a]).contains(&v[a]));
            assert!(
                structure.surface.vertices().iter().all(inside),
                "{id}: {}",
                structure.id
            );
            let longest = structure
                .surface
                .bounds()
                .extent()
                .into_iter()
                .fold(0.0, f32::max);
            let entry = Atlas::builtin().structure(&structure.id).unwrap();
            assert!(
                entry.check_longest(longest.into()).is_ok(),
                "{id}: {}",
                structure.id
            );
        }
        let shared = crate::overlap::overlaps(&patient, 1.0).unwrap();
        for pair in shared {
            let (a, b) = (
                &patient.structures[pair.first],
                &patient.structures[pair.second],
            );
            assert_ne!(a.priority, b.priority, "{id}: {} in {}", b.id, a.id);
        }
        let inside = |p: &[f32; 3]| (0..3).all(|a| (block.min[a]..block.max[a]).contains(&p[a]));
        assert!(patient.scatterers.places_mm.iter().all(inside), "{id}");
        let distinct: std::collections::BTreeSet<_> = patient
            .scatterers
            .places_mm
            .iter()
            .map(|p| p.map(f32::to_bits))
            .collect();
        assert_eq!(
            distinct.len(),
            patient.scatterers.len(),
            "{id}: no point twice"
        );
    }
    assert_eq!(count, 9);
}

#[test]
fn planes_of_test_objects_lead_to_what_they_must_show() {
    for (id, patient) in test_objects() {
        for (_, plane) in &patient.planes {
            for required in &plane.required {
                let (low, high) = extent(&patient, required, 2);
                assert!(low < 0.0 && high > 0.0, "{id}: {required} off {}", plane.id);
            }
        }
    }
}

#[test]
fn points_and_plates_lie_where_the_names_say() {
    let points = phantom("phantom-points").scatterers;
    assert_eq!(points.len(), 16 + 24);
    let depths: Vec<f32> = points
        .places_mm
        .iter()
        .filter(|p| p[0] == 0.0)
        .map(|p| p[1])
        .collect();
    let expected: Vec<f32> = (1..=16).map(|n| 10.0 * n as f32).collect();
    assert_eq!(depths, expected);
    assert!(points.amplitudes.iter().all(|a| *a == 1.0));

    let plates = phantom("phantom-plates");
    for (plate, front) in PLATES {
        let faces = extent(&plates, &format!("phantom_plate_{plate}"), 1);
        assert_eq!(faces, (front, front + 3.0), "{plate}");
    }
    let layers = phantom("phantom-layers");
    for (layer, top) in [
        ("skin", 0.0),
        ("subcutaneous_fat", 2.0),
        ("skeletal_muscle", 32.0),
        ("liver", 47.0),
    ] {
        assert_eq!(extent(&layers, layer, 1).0, top, "{layer}");
    }
}

/// The plane through (0, 90, 0), tilted by 20° about z.
#[test]
fn the_mirror_is_flat_and_tilted_by_20_degrees() {
    let mirror = phantom("phantom-mirror");
    let lung = &mirror.structure("phantom_lung").unwrap().surface;
    let tilt = 20.0_f64.to_radians();
    let above = |v: &[f32; 3]| f64::from(v[0]) * tilt.sin() - (f64::from(v[1]) - 90.0) * tilt.cos();
    let on_face = lung
        .vertices()
        .iter()
        .filter(|v| above(v).abs() < 1e-4)
        .count();
    assert_eq!(on_face, 4);
    assert!(lung.vertices().iter().all(|v| above(v) < 1e-4));
    for point in &mirror.scatterers.places_mm {
        assert!(above(point) > 1.0, "{point:?} lies above the mirror");
    }
}

#[test]
fn wires_are_rows_of_points_through_the_scan_plane() {
    let patient = phantom("phantom-wires");
    let wires = 16 + 2 * 8 + 3 * 14;
    assert_eq!(patient.scatterers.len(), wires * 401);
    let in_plane = patient
        .scatterers
        .places_mm
        .iter()
        .filter(|p| p[2].abs() < 1e-4);
    assert_eq!(in_plane.count(), wires);
}

/// The gel of grey targets differs from the block's in nothing but its level.
#[test]
fn grey_targets_have_the_levels_they_are_named_after() {
    let tissues = TissueTable::builtin();
    let gel = tissues.get("phantom_gel").unwrap();
    let fluid = tissues.get("phantom_fluid").unwrap();
    for (target, level_db) in [
        ("minus6", -6.0),
        ("minus3", -3.0),
        ("plus3", 3.0),
        ("plus6", 6.0),
        ("bright", 15.0),
    ] {
        let target = tissues.get(&format!("phantom_gel_{target}")).unwrap();
        assert_eq!(target.pressure_reflection(gel), 0.0);
        for f_mhz in [2.0, 5.0, 10.0] {
            let ratio = target.backscatter_per_cm_sr(f_mhz) / gel.backscatter_per_cm_sr(f_mhz);
            assert!((10.0 * ratio.log10() - level_db).abs() < 1e-9);
            assert_eq!(target.attenuation_db_cm(f_mhz), 0.5 * f_mhz);
        }
    }
    assert_eq!(fluid.pressure_reflection(gel), 0.0);
    assert_eq!(
        (fluid.attenuation_db_cm(4.0), fluid.sound_speed_m_s),
        (2.0, 1540.0)
    );
    assert!(fluid.scatter.is_none());
}

/// A recipe with this after its structures.
fn with_more(more: &str) -> String {
    format!(
        "Recipe(version: 1, summary: (en: \"a\", zh: \"一\"), patient: \"p\", resolution_mm: 4,
        structures: [(id: \"liver\", shape: Box(center: (0, 0, 0), half: (50, 50, 50)))], {more})"
    )
}

#[test]
fn a_recipe_in_a_folder_may_name_files_and_others_may_not() {
    let text = with_more("scatterers: [Points([(1, 2, 3, 4)]), File(path: \"sub/cloud.npz\")]");
    let error = Recipe::parse(&text, "r.ron", &Choices::default(), Atlas::builtin())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("r.ron:2:") && error.contains("cannot name files"),
        "{error}"
    );

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.ron");
    std::fs::write(&path, &text).unwrap();
    let recipe = Recipe::open(&path, &Choices::default(), Atlas::builtin()).unwrap();
    let missing = recipe.make(Atlas::builtin(), TissueTable::builtin(), &crate::Silent);
    assert!(missing.unwrap_err().to_string().contains("cloud.npz"));
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    let columns = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/corpus/scatterers/ok-columns.npz"
    );
    std::fs::copy(columns, folder.path().join("sub/cloud.npz")).unwrap();
    let patient = made(&recipe);
    assert_eq!(patient.scatterers.len(), 6);
    assert_eq!(patient.scatterers.amplitudes[..2], [4.0, 1.0]);
}

#[test]
fn own_landmarks_and_planes_come_first_and_are_checked() {
    let plane = |required: &str| {
        with_more(&format!(
            "landmarks: [(id: \"liver_center\", name: (en: \"a\", zh: \"一\"), at: (1, 2, 3))],
        planes: [(id: \"scan\", name: (en: \"a\", zh: \"一\"), center: (0, 0, 0),
        lateral: (1, 0, 0), depth: (0, 1, 0), required: [\"{required}\"])]"
        ))
    };
    let patient = made(
        &Recipe::parse(
            &plane("liver"),
            "r.ron",
            &Choices::default(),
            Atlas::builtin(),
        )
        .unwrap(),
    );
    assert_eq!(patient.planes[0].1.id, "scan");
    assert!(patient.planes.len() > 1, "a liver has planes in the atlas");
    assert!(patient.motion.breathing.is_some(), "it is a body");
    let centers: Vec<_> = patient
        .landmarks
        .iter()
        .filter(|l| l.id == "liver_center")
        .collect();
    assert_eq!(centers.len(), 1);
    assert_eq!(centers[0].at.to_array(), [1.0, 2.0, 3.0]);
    for (id, words) in [
        ("spleen", "is not in this recipe"),
        ("livr", "did you mean `liver`"),
    ] {
        let error =
            Recipe::parse(&plane(id), "r.ron", &Choices::default(), Atlas::builtin()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

#[test]
fn a_test_object_is_saved_and_read_back_whole() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("p");
    let tissues = TissueTable::builtin();
    let patient = phantom("phantom-layers");
    patient
        .save(&folder, patient::Existing::Keep, tissues)
        .unwrap();
    assert_eq!(Patient::load(&folder, tissues).unwrap(), patient);
}

/// Along the probe's axis, which meets every box in the middle of its faces and so on the common
/// edge of two triangles: each surface is entered and left once, at its exact depth.
#[test]
fn a_ray_down_the_axis_meets_plates_and_layers_where_they_are() {
    let depths = |id: &str| {
        let patient = phantom(id);
        let scene = patient.scene().unwrap();
        let ray = Ray::new(
            geometry::Point::new(0.0, -10.0, 0.0),
            geometry::Vector::new(0.0, 1.0, 0.0),
        );
        let mut crossings = Crossings::default();
        scene.cast_bundle_parallel(&[ray.unwrap()], &mut crossings);
        let column: Vec<_> = crossings.iter().flatten().copied().collect();
        let name = |n: usize| patient.structures[n].id.clone();
        let mut by_id: BTreeMap<String, Vec<(bool, f64)>> = BTreeMap::new();
        for c in column {
            let list = by_id.entry(name(usize::from(c.surface.0))).or_default();
            list.push((c.entering, c.t_mm - 10.0));
        }
        by_id
    };
    let assert_between = |found: &[(bool, f64)], from: f64, to: f64| {
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].0 && !found[1].0, "{found:?}");
        let off = (found[0].1 - from).abs().max((found[1].1 - to).abs());
        assert!(off < 1e-4, "{found:?}");
    };
    let plates = depths("phantom-plates");
    assert_between(&plates["phantom_water"], 0.0, 180.0);
    for (plate, front) in PLATES {
        let front = f64::from(front);
        assert_between(
            &plates[&format!("phantom_plate_{plate}")],
            front,
            front + 3.0,
        );
    }
    let layers = depths("phantom-layers");
    for (layer, top, bottom) in [
        ("skin", 0.0, 180.0),
        ("subcutaneous_fat", 2.0, 179.0),
        ("skeletal_muscle", 32.0, 178.0),
        ("liver", 47.0, 177.0),
    ] {
        assert_between(&layers[layer], top, bottom);
    }
    let mirror = depths("phantom-mirror");
    assert_between(
        &mirror["phantom_lung"],
        90.0,
        90.0 + 60.0 / 20.0_f64.to_radians().cos(),
    );
}

/// A recipe with every kind of setting.
const SETTINGS: &str = r#"Recipe(version: 2, summary: (en: "t", zh: "测"), patient: "T", resolution_mm: 3,
    parameters: [
        (id: "sex", name: (en: "Sex", zh: "性别"), options: ["female", "male"], default: "male"),
        (id: "bmi", name: (en: "BMI", zh: "体重指数"), unit: "kg/m²", default: 23, range: (18, 40)),
    ],
    values: [
        (id: "radius", value: "= 30 + spread * (bmi - 23)"),
        (id: "spread", draw: (mean: 1, sd: 0.1, range: (0.8, 1.2))),
    ],
    findings: [(id: "gallstones", name: (en: "Gallstones", zh: "胆囊结石"), needs: ["gallbladder"],
        parameters: [(id: "ml", name: (en: "Volume", zh: "体积"), default: 5, range: (1, 100))])],
    stretch: (1, 1, "= 1 + (sex == male) / 10"),
    habitus: (is_male: "= sex"),
    forms: [(id: "room", shape: Sphere(center: (0, 0, 0), radius: "= radius"))],
    structures: [
        (id: "liver", shape: Same("room"), clear_of: ["gallbladder"], gap_mm: 2),
        (id: "gallbladder", present: "= sex == male", shape: Sphere(center: (0, 0, 0), radius: 20)),
        (id: "gallstone", present: "= gallstones",
            shape: Pool(of: Same("gallbladder"), towards: (0, 1, 0), volume_ml: "= gallstones.ml")),
    ])"#;

fn chosen(set: &[(&str, &str)], findings: &[&str], seed: u64) -> Result<Recipe, RecipeError> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let choices = Choices {
        seed,
        set: set.iter().map(owned).collect(),
        findings: findings.iter().map(|f| f.parse().unwrap()).collect(),
        vary: false,
    };
    Recipe::parse(SETTINGS, "r.ron", &choices, Atlas::builtin())
}

fn volume_ml(patient: &Patient, id: &str) -> f64 {
    patient.structure(id).unwrap().surface.signed_volume_mm3() / 1000.0
}

#[test]
fn parameters_findings_and_the_seed_make_different_patients() {
    let ball_ml = |radius: f64| 4.0 / 3.0 * std::f64::consts::PI * radius.powi(3) / 1000.0;
    let plain = made(&chosen(&[], &[], 0).unwrap());
    // Stretched by 1.1 along z; the liver has a hole for the gallbladder and its gap.
    let liver = 1.1 * (ball_ml(30.0) - ball_ml(22.0));
    assert!((volume_ml(&plain, "liver") / liver - 1.0).abs() < 0.02);
    assert!(plain.structure("gallstone").is_none());
    assert_eq!(plain.habitus.sex, Some(Sex::Male));
    let stones = made(&chosen(&[], &["gallstones:ml=12"], 0).unwrap());
    assert!((volume_ml(&stones, "gallstone") / (1.1 * 12.0) - 1.0).abs() < 0.03);
    let (_, back) = extent(&stones, "gallstone", 1);
    assert!((back - 20.0).abs() < 0.5, "stones lie at the back: {back}");
    let woman = made(&chosen(&[("sex", "female")], &[], 0).unwrap());
    assert!(woman.structure("gallbladder").is_none());
    assert!(
        (volume_ml(&woman, "liver") / ball_ml(30.0) - 1.0).abs() < 0.02,
        "nothing is cut out"
    );
    let large = |seed| {
        volume_ml(
            &made(&chosen(&[("bmi", "33")], &[], seed).unwrap()),
            "liver",
        )
    };
    assert!(large(1) != large(2) && large(1) == large(1));
}

#[test]
fn wrong_choices_are_told_with_what_there_is() {
    let fails = |set: &[(&str, &str)], findings: &[&str]| {
        let made = chosen(set, findings, 0).and_then(|recipe| {
            recipe.make(Atlas::builtin(), TissueTable::builtin(), &crate::Silent)
        });
        made.unwrap_err().to_string()
    };
    for (error, words) in [
        (fails(&[("bmi", "50")], &[]), "must be 18 to 40 kg/m²"),
        (fails(&[("bmi", "big")], &[]), "must be 18 to 40 kg/m²"),
        (fails(&[("bmx", "20")], &[]), "did you mean `bmi`"),
        (fails(&[("sex", "man")], &[]), "one of female, male"),
        (fails(&[], &["gallstone"]), "did you mean `gallstones`"),
        (
            fails(&[], &["gallstones:mm=3"]),
            "the finding `gallstones` has no parameter `mm`; did you mean `ml`?",
        ),
        (fails(&[], &["gallstones:ml=300"]), "must be 1 to 100"),
        (fails(&[], &["gallstones:ml=90"]), "there is room for 3"),
        (
            fails(&[("sex", "female")], &["gallstones"]),
            "which this patient does not have: because of sex=female",
        ),
        (
            fails(&[("bmi", "20"), ("bmi", "30")], &[]),
            "`bmi` is set twice, --set bmi=20 and --set bmi=30",
        ),
        (
            fails(&[], &["gallstones", "gallstones:ml=3"]),
            "given twice",
        ),
        (
            fails(&[], &["gallstones:ml=4,ml=3"]),
            "`ml` is set twice, to 4 and to 3",
        ),
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn wrong_formulas_are_told_with_their_places() {
    for (from, to, words) in [
        (
            "spread * (bmi",
            "radius * (bmi",
            "r.ron:7:39: `radius` depends on itself: radius → radius",
        ),
        (
            "spread * (bmi",
            "bmx * (bmi",
            "r.ron:7:39: there is no parameter, value or finding `bmx`",
        ),
        (
            "\"= radius\"",
            "\"= radius +\"",
            "a number, a name or a bracket was expected",
        ),
        (
            "\"= radius\"",
            "\"= 1 / (bmi - 23)\"",
            "comes to no finite number",
        ),
        ("\"= radius\"", "\"= 0 - radius\"", "above 0"),
        (
            "parts: []",
            "parts: [\"trunc\"]",
            "there is no part `trunc`",
        ),
    ] {
        let text = SETTINGS
            .replace("    forms:", "    parts: [], forms:")
            .replace(from, to);
        let error = Recipe::parse(&text, "r.ron", &Choices::default(), Atlas::builtin());
        let error = error.unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

/// What would fill the stack or the memory, turn the body inside out, or leave the folder.
#[test]
fn hostile_recipes_are_refused() {
    let ball = "shape: Sphere(center: (0, 0, 0), radius: 9)";
    let liver = format!("structures: [(id: \"liver\", {ball})]");
    let chain = |n: usize, link: &dyn Fn(usize) -> String, end: String| {
        (0..n).map(link).chain([end]).collect::<Vec<_>>().join(",")
    };
    let value = |i: usize| format!("(id: \"v{i}\", value: \"= v{} + 1\")", i + 1);
    let values = chain(20_000, &value, "(id: \"v20000\", value: 1)".to_owned());
    let form = |i: usize| format!("(id: \"f{i}\", shape: Same(\"f{}\"))", i + 1);
    let forms = chain(20_000, &form, format!("(id: \"f20000\", {ball})"));
    let twice = |i: usize| {
        let next = i + 1;
        format!("(id: \"f{i}\", shape: Union(of: [Same(\"f{next}\"), Same(\"f{next}\")]))")
    };
    let laughs = chain(40, &twice, format!("(id: \"f40\", {ball})"));
    let parameter = "(id: \"p\", name: (en: \"p\", zh: \"p\"), default: 3, range: (1, 5))";
    for (body, words) in [
        (format!("values: [{values}], {liver}"), "chain of more than"),
        (format!("forms: [{forms}], {liver}"), "too large"),
        (format!("forms: [{laughs}], {liver}"), "too large"),
        (format!("stretch: (0, 1, 1), {liver}"), "from 0.2 to 5"),
        (format!("stretch: (1, -1, 1), {liver}"), "from 0.2 to 5"),
        (
            format!("parts: [\"../trunk\"], {liver}"),
            "there is no part",
        ),
        (
            format!("parameters: [{parameter}, {parameter}], {liver}"),
            "defined twice",
        ),
        (
            format!("values: [(id: \"a\", draw: (mean: 1, sd: 1, range: (5, 2)))], {liver}"),
            "outside of the range",
        ),
    ] {
        let text = format!(
            "Recipe(version: 2, summary: (en: \"a\", zh: \"一\"), patient: \"p\", resolution_mm: 4, {body})"
        );
        let read = Recipe::parse(&text, "r.ron", &Choices::default(), Atlas::builtin());
        let error = read.unwrap_err().to_string();
        assert!(
            error.contains(words),
            "{words}: {}",
            &error[..error.len().min(300)]
        );
    }
}

/// A bag with stones in it, whose number is whole, and a cyst in the bag's wall.
const STONES: &str = r#"Recipe(version: 2, summary: (en: "t", zh: "测"), patient: "T", resolution_mm: 1,
    stretch: (1, 1, 2),
    findings: [
        (id: "stones", name: (en: "Stones", zh: "结石"), parameters: [
            (id: "count", name: (en: "Number", zh: "数量"), default: 3, range: (1, 40), whole: true),
            (id: "size_mm", name: (en: "Size", zh: "大小"), unit: "mm", default: 6, range: (2, 60)),
        ]),
        (id: "cyst", name: (en: "Cyst", zh: "囊肿"), parameters: [
            (id: "size_mm", name: (en: "Size", zh: "大小"), unit: "mm", default: 6, range: (2, 60)),
            (id: "length_mm", name: (en: "Length", zh: "长度"), unit: "mm", default: 6, range: (2, 60), most: "= 3 * 4.01"),
        ]),
    ],
    structures: [
        (id: "gallbladder", shape: Ellipsoid(center: (0, 0, 0), radii: (14, 14, 30))),
        (id: "gallstone", present: "= stones", resolution_mm: "= stones.size_mm / 16",
            shape: Balls(of: Same("gallbladder"), towards: (0, 2, 0), count: "= stones.count", diameter: "= stones.size_mm / 2 ^ (1 / 3)", gap: 0.3)),
        (id: "liver_cyst", present: "= cyst and 1", within: ["gallbladder"], keeps: 0.97,
            shape: Sphere(center: (0, 0, 18), radius: "= cyst.size_mm / 2")),
    ])"#;

fn with_stones(findings: &[&str]) -> Result<Patient, RecipeError> {
    let choices = Choices {
        findings: findings.iter().map(|f| f.parse().unwrap()).collect(),
        ..Choices::default()
    };
    Recipe::parse(STONES, "r.ron", &choices, Atlas::builtin())?.make(
        Atlas::builtin(),
        TissueTable::builtin(),
        &crate::Silent,
    )
}

#[test]
fn stones_lie_whole_side_by_side_and_at_the_bottom() {
    let ball_ml = |mm: f64| std::f64::consts::PI / 6.0 * mm.powi(3) / 1000.0;
    for (count, size_mm) in [(1, 20.0), (3, 6.0), (12, 9.0), (7, 12.0)] {
        let patient = with_stones(&[&format!("stones:count={count},size_mm={size_mm}")]).unwrap();
        let stones = &patient.structure("gallstone").unwrap().surface;
        let asked = f64::from(count) * ball_ml(size_mm);
        let there = volume_ml(&patient, "gallstone");
        assert!(
            (there / asked - 1.0).abs() < 0.02,
            "{count}: {there} of {asked} ml"
        );
        assert!(geometry::check::inspect(stones).is_sound(), "{count}");
        assert!(patient.structure("gallstone").unwrap().modelled);
        let inside = |v: &[f32; 3]| {
            let [x, y, z] = v.map(f64::from);
            (x / 14.0).powi(2) + (y / 14.0).powi(2) + (z / 60.0).powi(2)
        };
        let reach = stones.vertices().iter().map(inside).fold(0.0, f64::max);
        assert!(reach < 1.0, "{count}: {reach}");
        // The first stone lies on the wall, but for the gap and the lattice.
        let (_, back) = extent(&patient, "gallstone", 1);
        assert!(back > 13.0, "{back}");
    }
}

#[test]
fn stones_that_do_not_fit_are_refused_with_how_many_do() {
    let told = |finding: &str| with_stones(&[finding]).unwrap_err().to_string();
    let error = told("stones:count=12,size_mm=30");
    assert!(
        error.contains("structure `gallstone` of the finding `stones`"),
        "{error}"
    );
    assert!(
        error.contains("12 of 30 mm do not fit: there is room for"),
        "{error}"
    );
    let size = error.rsplit("or for 12 of ").next().unwrap();
    let size = size.trim_end_matches(" mm");
    with_stones(&[&format!("stones:count=12,size_mm={size}")]).unwrap();
    let fit = error.split("room for ").nth(1).unwrap();
    let fit = fit.split(',').next().unwrap();
    with_stones(&[&format!("stones:count={fit},size_mm=30")]).unwrap();
    let error = told("stones:count=1,size_mm=50");
    assert!(error.contains("no room for one, or for 1 of"), "{error}");
}

#[test]
fn counts_are_whole_and_what_is_cut_or_too_long_is_refused() {
    let told = |finding: &str| with_stones(&[finding]).unwrap_err().to_string();
    for (finding, words) in [
        (
            "stones:count=2.5",
            "`count` is 2.5, but must be a whole number from 1 to 40",
        ),
        (
            "cyst:size_mm=30",
            "structure `liver_cyst` of the finding `cyst`: 28.",
        ),
        (
            "cyst:length_mm=13",
            "--finding cyst:length_mm=13: `length_mm` is 13, but in this body it can be 12 at most",
        ),
    ] {
        let error = told(finding);
        assert!(error.contains(words), "{words}: {error}");
    }
    with_stones(&["cyst:size_mm=20,length_mm=12"]).unwrap();
}

#[test]
fn a_finding_s_words_are_whole() {
    for (text, words) in [
        ("stones:", "nothing stands behind the colon"),
        ("stones:count", "`count` is no setting"),
        ("stones:count=", "`count=` is no setting"),
        ("stones:count=3,,size_mm=2", "a comma too many"),
    ] {
        let error = text.parse::<FindingChoice>().unwrap_err();
        assert!(error.contains(words), "{words}: {error}");
    }
    let plain: FindingChoice = "stones".parse().unwrap();
    assert!(plain.id == "stones" && plain.set.is_empty());
}

/// The body's own, at the ends of their ranges.
#[test]
fn the_body_s_findings_are_made_whole_or_refused() {
    let made = |findings: &[&str]| {
        let choices = Choices {
            findings: findings.iter().map(|f| f.parse().unwrap()).collect(),
            ..Choices::default()
        };
        Recipe::builtin_with("adult-torso", &choices)?.make(
            Atlas::builtin(),
            TissueTable::builtin(),
            &crate::Silent,
        )
    };
    let ball_ml = |mm: f64| std::f64::consts::PI / 6.0 * mm.powi(3) / 1000.0;
    let patient = made(&[
        "gallstones:count=4,size_mm=9",
        "liver_cyst:size_mm=60",
        "liver_lesion:size_mm=60",
    ])
    .unwrap();
    for (id, asked) in [
        ("gallstone", 4.0 * ball_ml(9.0)),
        ("liver_cyst", ball_ml(60.0)),
        ("liver_lesion_hypoechoic", ball_ml(60.0)),
    ] {
        let there = volume_ml(&patient, id);
        assert!(
            (there / asked - 1.0).abs() < 0.03,
            "{id}: {there} of {asked} ml"
        );
    }
    // Before the breastbone, which does not give way, there is no room for it.
    let patient = made(&["pericardial_effusion:ml=800"]).unwrap();
    let there = volume_ml(&patient, "pericardial_effusion") - volume_ml(&patient, "heart");
    assert!((there / 815.0 - 1.0).abs() < 0.02, "{there} ml");
    for (finding, words) in [
        ("gallstones:count=12,size_mm=20", "there is room for"),
        ("stenosis:vessel=celiac,length_mm=20", "it can be 8 at most"),
        (
            "occlusion:vessel=carotid_left,length_mm=20",
            "it can be 12 at most",
        ),
        (
            "aortic_aneurysm:diameter_mm=30,lumen_percent=30",
            "at least",
        ),
    ] {
        let error = made(&[finding]).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

/// What patients are called, in English and Chinese, and what their source says.
#[test]
fn a_patient_is_called_by_what_it_is_and_its_source_tells_what_it_has() {
    let called = |set: &[(&str, &str)], findings: &[&str]| {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let choices = Choices {
            seed: 7,
            set: set.iter().map(owned).collect(),
            findings: findings.iter().map(|f| f.parse().unwrap()).collect(),
            vary: false,
        };
        let recipe = Recipe::builtin_with("adult-torso", &choices).unwrap();
        (recipe.name.clone(), recipe.source())
    };
    let (name, source) = called(&[("sex", "female"), ("bmi", "31")], &["gallstones:count=5"]);
    assert_eq!(name.en, "Adult trunk, woman, BMI 31");
    assert_eq!(name.zh, "成人躯干，女性，BMI 31");
    assert!(
        source.contains("sex=female") && source.contains("bmi=31"),
        "{source}"
    );
    assert!(
        source.contains("(gallstones:count=5,size_mm=10; ") && source.ends_with("; seed=7)"),
        "{source}"
    );
    let (name, source) = called(&[], &["gallstones", "stenosis:vessel=celiac"]);
    assert_eq!(name.en, "Adult trunk, man, BMI 23");
    // What was not asked for is told as it is made.
    assert!(
        source.contains("stenosis:vessel=celiac,percent=70,length_mm=8"),
        "{source}"
    );
}

/// Half a ball grows by half as much as a ball, and by as much where that is asked for.
#[test]
fn a_solid_grows_only_where_there_is_room_but_by_all_that_is_asked() {
    let ball_ml = |radius: f64| 4.0 / 3.0 * std::f64::consts::PI * radius.powi(3) / 1000.0;
    let added = 0.5 * (ball_ml(26.0) - ball_ml(20.0));
    let recipe = parse(&format!(
        "(id: \"pericardial_effusion\", resolution_mm: 1, shape: Swell(of: Sphere(center: (0, 0, 0), radius: 20),
            volume_ml: {added}, within: HalfSpace(normal: (0, 0, 1), offset: 0)))"
    ));
    let patient = made(&recipe.unwrap());
    let there = volume_ml(&patient, "pericardial_effusion");
    assert!(
        (there / (0.5 * ball_ml(26.0)) - 1.0).abs() < 0.01,
        "{there} ml"
    );
    assert!(extent(&patient, "pericardial_effusion", 2).1 < 0.1);
}
