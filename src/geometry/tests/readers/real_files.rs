//! The readers against real anatomy. Facts about the files were computed once with other programs,
//! named at each constant.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use geometry::frame::{Patient, Point};
use geometry::markups::{CoordinateSystem, read_markups};
use geometry::mesh_file::{Axes, MeshFormat, MeshUnits, patient_from_file, read_mesh_parts};
use geometry::volume_file::{ReadLimits, read_labels, read_scalars};

/// The folder of real anatomy. Without it the test is skipped, but not where CI runs.
fn anatomy(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SONOCATH_TEST_ANATOMY").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/anatomy"),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{test} needs the real anatomy; run tools/fetch-anatomy or set SONOCATH_TEST_ANATOMY"
    );
    println!("skipped: {test} (no real anatomy)");
    None
}

/// (i, j, k), LPS mm, label, Hounsfield units: nibabel 5.4.2, `diag(-1, -1, 1, 1) @ affine @ ijk1`
/// and `get_fdata()`.
const CT_VOXELS: [([usize; 3], [f64; 3], u16, f32); 4] = [
    (
        [0, 0, 0],
        [177.956_329_345_703, -11.319_000_244_141, 94.301_757_812_5],
        0,
        -1023.0,
    ),
    (
        [121, 100, 111],
        [
            -185.043_670_654_297,
            -311.319_000_244_141,
            427.301_757_812_5,
        ],
        0,
        -997.0,
    ),
    (
        [60, 50, 56],
        [-2.043_670_654_297, -161.319_000_244_141, 262.301_757_812_5],
        28,
        281.0,
    ),
    (
        [20, 30, 40],
        [117.956_329_345_703, -101.319_000_244_141, 214.301_757_812_5],
        0,
        -17.0,
    ),
];

/// Label, voxels, LPS mm of the mean voxel: nibabel and numpy. 1 spleen, 2 right kidney, 3 left
/// kidney, 5 liver, 52 aorta.
const ORGANS: [(u16, usize, [f64; 3]); 5] = [
    (
        1,
        9668,
        [112.873_892_440, -122.680_191_804, 394.795_448_338],
    ),
    (
        2,
        7134,
        [-69.610_954_086, -132.092_759_706, 345.657_939_478],
    ),
    (3, 5090, [78.097_586_713, -125.621_947_199, 357.374_056_437]),
    (
        5,
        41692,
        [-66.571_014_030, -185.295_182_725, 392.334_905_659],
    ),
    (
        52,
        1839,
        [16.928_596_882, -161.255_378_711, 363.445_314_093],
    ),
];

#[test]
fn ct_abdomen_is_what_nibabel_says() {
    let Some(folder) = anatomy("ct_abdomen_is_what_nibabel_says") else {
        return;
    };
    let limits = ReadLimits::default();
    let labels = read_labels(&folder.join("ct-abdomen/labels.nii.gz"), &limits).unwrap();
    let ct = read_scalars(&folder.join("ct-abdomen/ct.nii.gz"), &limits).unwrap();
    assert_eq!(labels.dims, [122, 101, 112]);
    assert_eq!(ct.dims, labels.dims);
    assert_eq!(labels.spacing_mm(), [3.0; 3]);
    assert_eq!(ct.patient_from_voxel, labels.patient_from_voxel);
    for (ijk, [x, y, z], label, hounsfield) in CT_VOXELS {
        let [i, j, k] = ijk.map(|n| n as f64);
        let place = labels.patient_from_voxel * Point::new(i, j, k);
        assert!(place.distance(&Point::new(x, y, z)) < 1e-9, "{place:?}");
        assert_eq!((labels.at(ijk), ct.at(ijk)), (label, hounsfield));
    }
    let range = ct
        .voxels
        .iter()
        .fold((f32::MAX, f32::MIN), |(low, high), &v| {
            (low.min(v), high.max(v))
        });
    assert_eq!(range, (-1207.0, 3382.0));
    // numpy's sum over all voxels.
    assert_eq!(
        ct.voxels.iter().map(|&v| f64::from(v)).sum::<f64>(),
        -496_851_173.0
    );
}

#[test]
fn ct_abdomen_has_its_organs() {
    let Some(folder) = anatomy("ct_abdomen_has_its_organs") else {
        return;
    };
    let labels = read_labels(
        &folder.join("ct-abdomen/labels.nii.gz"),
        &ReadLimits::default(),
    )
    .unwrap();
    let mut sums: BTreeMap<u16, (usize, [f64; 3])> = BTreeMap::new();
    let [ni, nj, _] = labels.dims;
    for (index, &label) in labels.voxels.iter().enumerate() {
        let ijk = [index % ni, index / ni % nj, index / ni / nj].map(|n| n as f64);
        let (count, sum) = sums.entry(label).or_default();
        *count += 1;
        (0..3).for_each(|a| sum[a] += ijk[a]);
    }
    // numpy.unique: 61 labels beside the background.
    assert_eq!(sums.len(), 62);
    for (label, voxels, [x, y, z]) in ORGANS {
        let (count, sum) = sums[&label];
        assert_eq!(count, voxels, "label {label}");
        let [i, j, k] = sum.map(|s| s / count as f64);
        let middle: Point<Patient> = labels.patient_from_voxel * Point::new(i, j, k);
        assert!(
            middle.distance(&Point::new(x, y, z)) < 1e-6,
            "label {label}: {middle:?}"
        );
    }
}

/// File, parts, triangles without those that repeat a corner, area in cm²: a few lines of numpy over
/// the accessors named in the JSON. No node of these files has a transform.
const ORGAN_FILES: [(&str, usize, usize, f64); 10] = [
    ("v1.0_VH_F_Vasculature.glb", 78, 218_216, 1777.047848),
    ("v1.1_VH_F_Skin.glb", 1, 124_348, 18112.640467),
    ("v1.3_VH_F_Heart.glb", 14, 85_914, 1357.814725),
    ("v1.3_VH_F_Kidney_L.glb", 15, 72_786, 1190.694616),
    ("v1.3_VH_F_Kidney_R.glb", 14, 74_281, 948.458699),
    ("v1.3_VH_F_Liver.glb", 26, 93_303, 2758.955515),
    ("v1.3_VH_F_Pancreas.glb", 5, 11_480, 196.549096),
    ("v1.3_VH_F_Spleen.glb", 5, 8_544, 200.927219),
    ("v1.3_VH_F_Urinary_Bladder.glb", 6, 41_290, 109.666705),
    ("v1.3_VH_F_Uterus.glb", 10, 37_184, 128.376229),
];

#[test]
fn visible_human_organs_are_all_there() {
    let Some(folder) = anatomy("visible_human_organs_are_all_there") else {
        return;
    };
    for (name, count, triangles, area_cm2) in ORGAN_FILES {
        let file = folder.join("visible-human-female").join(name);
        let parts = read_mesh_parts(&file).unwrap();
        assert_eq!(parts.len(), count, "{name}");
        let read: usize = parts.iter().map(|p| p.mesh.triangles().len()).sum();
        assert_eq!(read, triangles, "{name}");
        let area: f64 = parts.iter().map(|p| p.mesh.area_mm2() * 1e4).sum();
        assert!((area / area_cm2 - 1.0).abs() < 1e-5, "{name}: {area} cm²");
        assert!(parts.iter().all(|p| p.name.starts_with("VH")), "{name}");
    }
}

/// The manifest says: metres, y up, +x to the patient's left, +z anterior.
#[test]
fn visible_human_stands_upright_in_the_patient_frame() {
    let Some(folder) = anatomy("visible_human_stands_upright_in_the_patient_frame") else {
        return;
    };
    let file = |name: &str| folder.join("visible-human-female").join(name);
    let map = MeshFormat::of_file(&file("v1.1_VH_F_Skin.glb"))
        .unwrap()
        .default_patient_from_file();
    let middle = |name: &str| {
        let part = read_mesh_parts(&file(name)).unwrap().remove(0);
        part.mesh.transformed(&map).unwrap().bounds().center()
    };
    let skin = read_mesh_parts(&file("v1.1_VH_F_Skin.glb"))
        .unwrap()
        .remove(0)
        .mesh;
    let height_mm = skin.transformed(&map).unwrap().bounds().extent()[2];
    assert!((1500.0..1900.0).contains(&height_mm), "{height_mm} mm tall");
    let (left, right) = (
        middle("v1.3_VH_F_Kidney_L.glb"),
        middle("v1.3_VH_F_Kidney_R.glb"),
    );
    assert!(left[0] > 0.0 && right[0] < 0.0, "+x is left");
    assert!(
        left[1] > middle("v1.3_VH_F_Liver.glb")[1],
        "kidneys lie behind the liver"
    );
    assert!(
        middle("v1.3_VH_F_Heart.glb")[2] > left[2],
        "the heart lies above"
    );
}

/// Counted with numpy: 1,786 places; 3,582 triangles and one quad; its triangles face inward, with a
/// signed volume of −316,627.607 mm³.
#[test]
fn arterial_tree_is_closed_by_place() {
    let Some(folder) = anatomy("arterial_tree_is_closed_by_place") else {
        return;
    };
    let parts = read_mesh_parts(&folder.join("arterial-tree/lumen.obj")).unwrap();
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].name, "ARCH2COW.001");
    let mesh = &parts[0].mesh;
    assert_eq!(
        (mesh.vertices().len(), mesh.triangles().len()),
        (1786, 3584)
    );
    assert!((mesh.signed_volume_mm3() + 316_627.607).abs() < 0.1);
    let mut edges: BTreeMap<(u32, u32), i32> = BTreeMap::new();
    for &[a, b, c] in mesh.triangles() {
        for (from, to) in [(a, b), (b, c), (c, a)] {
            *edges.entry((from.min(to), from.max(to))).or_default() +=
                if from < to { 1 } else { -1 };
        }
    }
    assert!(
        edges.values().all(|&balance| balance == 0),
        "every edge runs once each way"
    );
    // Closed with 3,584 triangles: 5,376 edges; Euler's χ = V − E + F = −6 is genus 4, as the manifest says.
    assert_eq!(edges.len(), 5376);
}

/// Points in all files, smallest and largest radius: Python's json.
#[test]
fn all_centrelines_have_their_radii() {
    let Some(folder) = anatomy("all_centrelines_have_their_radii") else {
        return;
    };
    let entries = std::fs::read_dir(folder.join("arterial-tree/centerlines")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let curves: Vec<_> = files
        .iter()
        .flat_map(|file| read_markups(file).unwrap())
        .collect();
    assert_eq!(curves.len(), 25);
    for name in ["LCCA", "RCCA", "LVA", "RVA", "curve-31"] {
        assert!(curves.iter().any(|c| c.name == name), "{name}");
    }
    assert!(
        curves
            .iter()
            .all(|c| c.declared == CoordinateSystem::Lps && c.skipped.is_empty())
    );
    let radii: Vec<f64> = curves.iter().flat_map(|c| c.radii_mm().unwrap()).collect();
    assert_eq!(radii.len(), 1950);
    let range = radii.iter().fold((f64::MAX, f64::MIN), |(low, high), &r| {
        (low.min(r), high.max(r))
    });
    assert!(
        (range.0 - 0.549_511_689_598).abs() < 1e-9 && (range.1 - 16.281_398_914_613).abs() < 1e-9
    );
    let lcca = curves.iter().find(|c| c.name == "LCCA").unwrap();
    let first = lcca.points[0].place.to_array();
    assert_eq!(
        first,
        [
            -384.700_042_724_609_4,
            23.205_303_192_138_672,
            -15.747_021_675_109_864
        ]
    );
    // The manifest: the left carotid lies at larger y of the file, which is the patient's left.
    let map = patient_from_file(MeshUnits::Millimetres, Axes::parse("y,-z,-x").unwrap());
    let end = |name: &str| {
        let curve = curves.iter().find(|c| c.name == name).unwrap();
        *curve.points_in(&map).last().unwrap()
    };
    assert!(end("LCCA").x() > end("RCCA").x());
}
