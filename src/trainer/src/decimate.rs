//! Fewer triangles for the screen: vertex clustering.
//!
//! J. Rossignac, P. Borrel, "Multi-resolution 3D approximations for rendering complex scenes"
//! (1993): vertices that share a cell of a grid become one, at their mean; triangles that lose a
//! corner go. Normals are the area-weighted mean of the *original* triangles', so that shading
//! shows more than the triangles do. Nothing here touches what is simulated.

use std::collections::{HashMap, HashSet};

/// A mesh for display: patient frame, mm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShownMesh {
    /// Vertices.
    pub places: Vec<[f32; 3]>,
    /// Outward, length 1, one a vertex.
    pub normals: Vec<[f32; 3]>,
    /// Corners, anticlockwise seen from outside.
    pub triangles: Vec<[u32; 3]>,
}

/// The cell, mm, that leaves about `triangles` of a surface of that area.
///
/// A plane cut by the grid leaves one vertex a cell of area c², and a closed mesh has twice as many
/// triangles as vertices; oblique surfaces meet about 1.5 times as many cells.
pub fn cell_for(area_mm2: f64, triangles: usize) -> f32 {
    (3.0 * area_mm2 / triangles.max(1) as f64).sqrt() as f32
}

/// The mesh with one vertex a cell.
///
/// A cell of 0 or less keeps all vertices. Vertices come in the order in which their cells were
/// first met, so that the same mesh gives the same result.
pub fn clustered(places: &[[f32; 3]], triangles: &[[u32; 3]], cell_mm: f32) -> ShownMesh {
    let cluster_of = clusters(places, cell_mm);
    let count = cluster_of.iter().max().map_or(0, |&last| last as usize + 1);
    let mut mesh = ShownMesh {
        places: means(places, &cluster_of, count),
        normals: vec![[0.0; 3]; count],
        triangles: Vec::new(),
    };
    let mut seen = HashSet::new();
    for corners in triangles {
        let normal = twice_area(corners.map(|i| places[i as usize]));
        let to = corners.map(|i| cluster_of[i as usize]);
        for &vertex in &to {
            add(&mut mesh.normals[vertex as usize], normal);
        }
        if to[0] != to[1] && to[1] != to[2] && to[2] != to[0] && seen.insert(from_least(to)) {
            mesh.triangles.push(to);
        }
    }
    mesh.normals.iter_mut().for_each(normalize);
    mesh
}

/// Smooths a mesh without shrinking it: G. Taubin, "A signal processing approach to fair surface
/// design" (1995), λ = 0.5, μ = −0.53. Normals stay.
pub fn smooth(mesh: &mut ShownMesh, rounds: usize) {
    let neighbours = neighbours(mesh);
    for _ in 0..rounds {
        for share in [0.5, -0.53] {
            mesh.places = moved(&mesh.places, &neighbours, share);
        }
    }
}

fn moved(places: &[[f32; 3]], neighbours: &[Vec<u32>], share: f32) -> Vec<[f32; 3]> {
    let toward = |(place, near): (&[f32; 3], &Vec<u32>)| {
        let mut mean = [0.0; 3];
        near.iter()
            .for_each(|&i| add(&mut mean, places[i as usize]));
        let scale = 1.0 / near.len().max(1) as f32;
        std::array::from_fn(|a| match near.is_empty() {
            true => place[a],
            false => place[a] + share * (mean[a] * scale - place[a]),
        })
    };
    places.iter().zip(neighbours).map(toward).collect()
}

fn neighbours(mesh: &ShownMesh) -> Vec<Vec<u32>> {
    let mut of = vec![Vec::new(); mesh.places.len()];
    for &[a, b, c] in &mesh.triangles {
        for (from, to) in [(a, b), (b, c), (c, a), (b, a), (c, b), (a, c)] {
            of[from as usize].push(to);
        }
    }
    of.iter_mut().for_each(|near| {
        near.sort_unstable();
        near.dedup();
    });
    of
}

fn clusters(places: &[[f32; 3]], cell_mm: f32) -> Vec<u32> {
    if cell_mm <= 0.0 {
        return (0..places.len() as u32).collect();
    }
    let mut ids: HashMap<[i32; 3], u32> = HashMap::new();
    let cell_of = |p: &[f32; 3]| p.map(|v| (v / cell_mm).floor() as i32);
    places
        .iter()
        .map(|p| {
            let next = ids.len() as u32;
            *ids.entry(cell_of(p)).or_insert(next)
        })
        .collect()
}

fn means(places: &[[f32; 3]], cluster_of: &[u32], count: usize) -> Vec<[f32; 3]> {
    let mut sums = vec![[0.0_f64; 4]; count];
    for (place, &cluster) in places.iter().zip(cluster_of) {
        let sum = &mut sums[cluster as usize];
        (0..3).for_each(|a| sum[a] += f64::from(place[a]));
        sum[3] += 1.0;
    }
    sums.iter()
        .map(|sum| std::array::from_fn(|a| (sum[a] / sum[3]) as f32))
        .collect()
}

/// The same turn of corners from the least one on: two triangles that are one have one key.
fn from_least(t: [u32; 3]) -> [u32; 3] {
    let start = (0..3).min_by_key(|&i| t[i]).unwrap_or(0);
    std::array::from_fn(|i| t[(start + i) % 3])
}

fn twice_area([a, b, c]: [[f32; 3]; 3]) -> [f32; 3] {
    let [u, v]: [[f32; 3]; 2] = [
        std::array::from_fn(|i| b[i] - a[i]),
        std::array::from_fn(|i| c[i] - a[i]),
    ];
    [
        u[1] * v[2] - u[2] * v[1],
        u[2] * v[0] - u[0] * v[2],
        u[0] * v[1] - u[1] * v[0],
    ]
}

fn add(to: &mut [f32; 3], v: [f32; 3]) {
    (0..3).for_each(|a| to[a] += v[a]);
}

fn normalize(v: &mut [f32; 3]) {
    let norm = v.iter().map(|c| c * c).sum::<f32>().sqrt();
    *v = match norm > 0.0 {
        true => v.map(|c| c / norm),
        false => [0.0, 0.0, 1.0],
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ball of latitude bands about the origin.
    fn ball(radius: f32, bands: u32) -> (Vec<[f32; 3]>, Vec<[u32; 3]>) {
        let around = 2 * bands;
        let mut places = Vec::new();
        for i in 0..=bands {
            for j in 0..around {
                let theta = std::f32::consts::PI * i as f32 / bands as f32;
                let phi = std::f32::consts::TAU * j as f32 / around as f32;
                let ring = radius * theta.sin();
                places.push([ring * phi.cos(), ring * phi.sin(), radius * theta.cos()]);
            }
        }
        let mut triangles = Vec::new();
        for i in 0..bands {
            for j in 0..around {
                let at = |i: u32, j: u32| i * around + j % around;
                triangles.push([at(i, j), at(i + 1, j), at(i + 1, j + 1)]);
                triangles.push([at(i, j), at(i + 1, j + 1), at(i, j + 1)]);
            }
        }
        (places, triangles)
    }

    #[test]
    fn a_ball_stays_a_ball_with_outward_normals() {
        let (places, triangles) = ball(50.0, 100);
        let cell = cell_for(4.0 * std::f64::consts::PI * 2500.0, 4000);
        let mesh = clustered(&places, &triangles, cell);
        assert!(
            (1500..8000).contains(&mesh.triangles.len()),
            "{}",
            mesh.triangles.len()
        );
        for (place, normal) in mesh.places.iter().zip(&mesh.normals) {
            let radius = place.iter().map(|v| v * v).sum::<f32>().sqrt();
            assert!((46.0..=50.1).contains(&radius), "{radius}");
            let outward = (0..3).map(|a| place[a] / radius * normal[a]).sum::<f32>();
            assert!(outward > 0.97, "{outward}");
        }
    }

    #[test]
    fn triangles_keep_their_sense_and_have_three_corners() {
        let (places, triangles) = ball(20.0, 40);
        let mesh = clustered(&places, &triangles, 4.0);
        for t in &mesh.triangles {
            assert!(t[0] != t[1] && t[1] != t[2] && t[2] != t[0]);
        }
        let volume = |places: &[[f32; 3]], triangles: &[[u32; 3]]| {
            let of = |t: &[u32; 3]| {
                let [a, b, c] = t.map(|i| places[i as usize]);
                let n = twice_area([[0.0; 3], b, c]);
                (0..3).map(|i| a[i] * n[i]).sum::<f32>() / 6.0
            };
            triangles.iter().map(of).sum::<f32>()
        };
        let (before, after) = (
            volume(&places, &triangles),
            volume(&mesh.places, &mesh.triangles),
        );
        assert!((after / before - 1.0).abs() < 0.1, "{before} {after}");
    }

    #[test]
    fn without_a_cell_all_stays() {
        let (places, triangles) = ball(20.0, 6);
        let mesh = clustered(&places, &triangles, 0.0);
        assert_eq!(mesh.places, places);
    }

    #[test]
    fn smoothing_keeps_the_size() {
        let (places, triangles) = ball(50.0, 60);
        let mut mesh = clustered(&places, &triangles, 6.0);
        smooth(&mut mesh, 3);
        for place in &mesh.places {
            let radius = place.iter().map(|v| v * v).sum::<f32>().sqrt();
            assert!((44.0..=52.0).contains(&radius), "{radius}");
        }
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(clustered(&[], &[], 3.0), ShownMesh::default());
    }
}
