//! A patient's arteries, from iliac to skull base: a coarse surface of genus 4 and the centrelines
//! that somebody traced.

use std::path::PathBuf;

use super::*;
use crate::closest::SurfaceQuery;
use crate::frame::{File, Point};

/// The folder with the real data; `None` (after saying so) where it is missing, outside CI.
fn arterial_tree() -> Option<PathBuf> {
    let folder = std::env::var_os("SONOCATH_TEST_ANATOMY").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../shared/anatomy"
            ))
        },
        PathBuf::from,
    );
    let folder = folder.join("arterial-tree");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{} is missing",
        folder.display()
    );
    println!("skipped: {} is missing", folder.display());
    None
}

fn lumen(folder: &std::path::Path) -> TriMesh<File> {
    let text = std::fs::read_to_string(folder.join("lumen.obj")).unwrap();
    let (mut vertices, mut triangles) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("v") => {
                let xyz: Vec<f32> = words.take(3).map(|w| w.parse().unwrap()).collect();
                vertices.push([xyz[0], xyz[1], xyz[2]]);
            }
            Some("f") => {
                let index = |w: &str| w.split('/').next().unwrap().parse::<u32>().unwrap() - 1;
                let corners: Vec<u32> = words.map(index).collect();
                triangles
                    .extend((2..corners.len()).map(|i| [corners[0], corners[i - 1], corners[i]]));
            }
            _ => {}
        }
    }
    TriMesh::new(vertices, triangles).unwrap().welded().unwrap()
}

fn given_curves(folder: &std::path::Path) -> Vec<(String, Curve<File>)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join("centerlines"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| (name_of(file), curve(file)))
        .collect()
}

fn name_of(file: &std::path::Path) -> String {
    let name = file.file_name().unwrap().to_str().unwrap();
    name.trim_end_matches(".mrk.json").to_owned()
}

fn curve(file: &std::path::Path) -> Curve<File> {
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let markup = &json["markups"][0];
    let triple = |v: &serde_json::Value| {
        let at = |i: usize| v[i].as_f64().unwrap();
        Point::new(at(0), at(1), at(2))
    };
    let points = markup["controlPoints"].as_array().unwrap();
    let measurements = markup["measurements"].as_array().unwrap();
    let is_radius = |m: &&serde_json::Value| {
        m["name"]
            .as_str()
            .unwrap()
            .to_lowercase()
            .starts_with("rad")
    };
    let radii = measurements.iter().find(is_radius).unwrap()["controlPointValues"]
        .as_array()
        .unwrap();
    Curve {
        points: points.iter().map(|p| triple(&p["position"])).collect(),
        radii_mm: radii.iter().map(|r| r.as_f64().unwrap()).collect(),
    }
}

/// Bars: 95 % of the given points that lie inside the surface are inside the computed vessel,
/// nearer to its centreline than its area-equivalent radius at the nearest place; the ends of the
/// named curves lie no farther from the centreline than the local radius (theirs or ours, whichever
/// is larger: these ends are joints of the circle of Willis, one of them outside the surface); one
/// loop for each of the surface's four handles.
#[test]
fn arterial_tree_from_its_surface_alone() {
    let Some(folder) = arterial_tree() else {
        return;
    };
    let mesh = lumen(&folder);
    let curves = given_curves(&folder);
    let graph = extract(&mesh, &ExtractOptions::default()).unwrap();
    check_invariants(&graph);
    assert_eq!(graph.components(), 1);
    assert_eq!(graph.loop_count(), 4);

    let surface = SurfaceQuery::new(&mesh);
    let is_inside = |p: &Point<File>| surface.winding_number(*p).abs() > 0.5;
    let given = curves.iter().flat_map(|(_, c)| &c.points);
    let inside: Vec<_> = given.filter(|p| is_inside(p)).collect();
    let covered = |radius: fn(&GraphPlace<File>) -> f64| {
        let places = inside.iter().map(|&&p| graph.nearest(p).unwrap());
        let count = places
            .filter(|place| place.distance_mm <= radius(place))
            .count();
        count as f64 / inside.len() as f64
    };
    let (by_area, by_ball) = (covered(|p| p.radius_mm), covered(|p| p.inscribed_mm));
    // Gathered by tools/validations/geometry-figures.
    println!(
        "figure: arterial tree, {} given points inside the surface that are inside the computed vessel | >= 95 % | {:.1} % by the radius of equal area ({:.1} % by the inscribed radius)",
        inside.len(),
        100.0 * by_area,
        100.0 * by_ball
    );
    println!(
        "figure: arterial tree, loops (genus 4), parts, ends | 4, 1 | {}, {}, {}",
        graph.loop_count(),
        graph.components(),
        graph.ends().len()
    );
    assert!(by_area >= 0.95, "{by_area}");

    for (name, curve) in curves.iter().filter(|(name, _)| !name.starts_with("curve")) {
        let last = curve.points.len() - 1;
        for i in [0, last] {
            let place = graph.nearest(curve.points[i]).unwrap();
            let reach = place.radius_mm.max(curve.radii_mm[i]);
            assert!(place.distance_mm <= reach, "{name} at {i}: {place:?}");
        }
    }
}

/// Places where curves meet are shared control points in these files, so the expected numbers come
/// from plain coincidence of points.
#[test]
fn arterial_tree_from_its_given_curves() {
    let Some(folder) = arterial_tree() else {
        return;
    };
    let curves: Vec<Curve<File>> = given_curves(&folder).into_iter().map(|(_, c)| c).collect();
    let graph = from_curves(&curves).unwrap();
    check_invariants(&graph);
    let shared = |p: &Point<File>| {
        curves
            .iter()
            .flat_map(|c| &c.points)
            .filter(|q| *q == p)
            .count()
    };
    let ends = curves
        .iter()
        .flat_map(|c| [c.points[0], c.points[c.points.len() - 1]]);
    let free = ends.filter(|p| shared(p) == 1).count();
    println!(
        "nodes {}, segments {}, loops {}",
        graph.nodes.len(),
        graph.segments.len(),
        graph.loop_count()
    );
    assert_eq!(graph.ends().len(), free);
    assert_eq!(graph.components(), 1);
    // Aorta, vertebrals and basilar artery.
    assert_eq!(graph.loop_count(), 1);
    let given: f64 = curves
        .iter()
        .flat_map(|c| c.points.windows(2))
        .map(|p| p[0].distance(&p[1]))
        .sum();
    assert!((graph.length_mm() - given).abs() < 1.0);
}
