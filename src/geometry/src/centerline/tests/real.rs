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

#[test]
fn arterial_tree_from_its_surface_alone() {
    let Some(folder) = arterial_tree() else {
        return;
    };
    let mesh = lumen(&folder);
    let curves = given_curves(&folder);
    let graph = extract(&mesh, &ExtractOptions::default()).unwrap();
    check_invariants(&graph);

    let surface = SurfaceQuery::new(&mesh);
    let is_inside = |p: Point<File>| surface.winding_number(p).abs() > 0.5;
    let (mut inside, mut nearest, mut deepest, mut ball) = (0, 0, 0, 0);
    for &p in curves
        .iter()
        .flat_map(|(_, c)| &c.points)
        .filter(|&&p| is_inside(p))
    {
        let place = graph.nearest(p).unwrap();
        inside += 1;
        nearest += usize::from(place.distance_mm <= place.radius_mm);
        ball += usize::from(place.distance_mm <= place.inscribed_mm);
        let place = graph.deepest(p).unwrap();
        deepest += usize::from(place.distance_mm <= place.radius_mm);
    }
    let part = |n: usize| 100.0 * n as f64 / inside as f64;
    println!(
        "given points inside the surface: {inside}; within the area-equivalent radius at the nearest place {:.2} %, of any place {:.2} %; within the inscribed radius at the nearest place {:.2} %",
        part(nearest),
        part(deepest),
        part(ball)
    );
    println!(
        "nodes {}, segments {}, ends {}, bifurcations {}, loops {}, parts {}",
        graph.nodes.len(),
        graph.segments.len(),
        graph.ends().len(),
        graph.bifurcations().len(),
        graph.loop_count(),
        graph.components()
    );
    for (name, c) in &curves {
        let last = c.points.len() - 1;
        for (side, i) in [("start", 0), ("end", last)] {
            let shared = curves
                .iter()
                .flat_map(|(_, o)| &o.points)
                .filter(|p| p.distance(&c.points[i]) < 1e-6)
                .count();
            let place = graph.nearest(c.points[i]).unwrap();
            let node = graph
                .nodes
                .iter()
                .map(|n| n.point.distance(&c.points[i]))
                .fold(f64::INFINITY, f64::min);
            let end = graph
                .ends()
                .into_iter()
                .map(|n| graph.nodes[n].point.distance(&c.points[i]))
                .fold(f64::INFINITY, f64::min);
            println!(
                "{name} {side} shared {shared} inside {} radius {:.2} | to line {:.2} radius there {:.2} | to node {node:.2} to end {end:.2}",
                is_inside(c.points[i]),
                c.radii_mm[i],
                place.distance_mm,
                place.radius_mm
            );
        }
    }
    if let Some(file) = std::env::var_os("DUMP_GRAPH") {
        let list: Vec<_> = graph.segments.iter().map(|s| serde_json::json!({"start": s.start, "end": s.end,
            "p": s.points.iter().map(|p| p.to_array()).collect::<Vec<_>>(), "r": s.radii_mm, "i": s.inscribed_mm})).collect();
        std::fs::write(file, serde_json::to_vec(&list).unwrap()).unwrap();
    }
    assert_eq!(graph.components(), 1);
    assert_eq!(graph.loop_count(), 4);
    assert!(part(nearest) >= 95.0);
}
