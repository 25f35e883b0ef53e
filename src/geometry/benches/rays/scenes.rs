//! What the benchmarks look at: a folder of closed surfaces, or a stand-in of about the same shape.

use std::path::Path;

use geometry::{Patient, TriMesh};

/// The surfaces of the patient folder named in `SONOCATH_BENCH_PATIENT` (its `*.ply` files, by
/// name), or the stand-in.
pub fn surfaces() -> (String, Vec<TriMesh<Patient>>) {
    match std::env::var_os("SONOCATH_BENCH_PATIENT") {
        Some(folder) => ("patient".into(), read_folder(Path::new(&folder))),
        None => ("stand-in".into(), stand_in()),
    }
}

fn read_folder(folder: &Path) -> Vec<TriMesh<Patient>> {
    let entries = std::fs::read_dir(folder).expect("SONOCATH_BENCH_PATIENT is a readable folder");
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "ply"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no *.ply in {}", folder.display());
    paths.iter().map(|path| read_ply(path)).collect()
}

/// Binary little-endian PLY with float x, y, z first in each vertex and nothing after them, and
/// triangles as `list uchar int`.
fn read_ply(path: &Path) -> TriMesh<Patient> {
    let bytes = std::fs::read(path).expect("the file is readable");
    let marker = b"end_header\n";
    let body = bytes
        .windows(marker.len())
        .position(|window| window == marker)
        .expect("a PLY header ends somewhere")
        + marker.len();
    let header = String::from_utf8_lossy(&bytes[..body]);
    let count = |what: &str| -> usize {
        let line = header.lines().find_map(|line| line.strip_prefix(what));
        line.and_then(|n| n.trim().parse().ok()).expect("a count")
    };
    let (vertices, triangles) = (count("element vertex"), count("element face"));
    let word = |at: usize| -> [u8; 4] { bytes[at..at + 4].try_into().expect("4 bytes") };
    let faces = body + 12 * vertices;
    let place = |v: usize| std::array::from_fn(|a| f32::from_le_bytes(word(body + 12 * v + 4 * a)));
    let corner =
        |t: usize| std::array::from_fn(|k| u32::from_le_bytes(word(faces + 13 * t + 1 + 4 * k)));
    TriMesh::new(
        (0..vertices).map(place).collect(),
        (0..triangles).map(corner).collect(),
    )
    .expect("the file holds a mesh")
}

/// A bumpy closed spheroid: middle and half axes in mm.
struct Spheroid {
    middle: [f64; 3],
    half_axes: [f64; 3],
    bumps: f64,
    seed: usize,
}

/// 60 surfaces of 7 056 triangles: six shells (skin, fat, muscles …), 36 nearly touching organs,
/// 18 bodies inside them.
fn stand_in() -> Vec<TriMesh<Patient>> {
    let mut spheroids: Vec<Spheroid> = [1.0, 0.985, 0.96, 0.945, 0.92, 0.91]
        .iter()
        .map(|scale| Spheroid {
            middle: [0.0; 3],
            half_axes: [190.0 * scale, 130.0 * scale, 280.0 * scale],
            bumps: 0.006,
            seed: 0,
        })
        .collect();
    for i in 0..36 {
        let place = [i % 3, i / 3 % 3, i / 9].map(|k| k as f64 - 1.0);
        spheroids.push(Spheroid {
            middle: [84.0 * place[0], 60.0 * place[1], 104.0 * (place[2] - 0.5)],
            half_axes: [42.5, 30.5, 53.0],
            bumps: 0.05,
            seed: i,
        });
    }
    for i in 0..18 {
        let organ = &spheroids[6 + 2 * i];
        spheroids.push(Spheroid {
            middle: organ.middle,
            half_axes: organ.half_axes.map(|a| 0.6 * a),
            bumps: 0.1,
            seed: 100 + i,
        });
    }
    spheroids.iter().map(Spheroid::mesh).collect()
}

impl Spheroid {
    const RINGS: usize = 50;
    const SECTORS: usize = 72;

    fn place(&self, polar: f64, azimuth: f64) -> [f32; 3] {
        let phase = self.seed as f64;
        let wave = (7.0 * polar + phase).sin() * (4.0 * azimuth + 2.0 * phase).cos();
        let radius = 1.0 + self.bumps * wave * polar.sin();
        let unit = [
            polar.sin() * azimuth.cos(),
            polar.sin() * azimuth.sin(),
            polar.cos(),
        ];
        std::array::from_fn(|a| (self.middle[a] + self.half_axes[a] * radius * unit[a]) as f32)
    }

    fn index(ring: usize, sector: usize) -> u32 {
        match ring {
            0 => 0,
            Self::RINGS => 1,
            _ => (2 + (ring - 1) * Self::SECTORS + sector % Self::SECTORS) as u32,
        }
    }

    fn mesh(&self) -> TriMesh<Patient> {
        let pi = std::f64::consts::PI;
        let mut vertices = vec![self.place(0.0, 0.0), self.place(pi, 0.0)];
        let mut triangles = Vec::new();
        for ring in 0..Self::RINGS {
            for sector in 0..Self::SECTORS {
                if ring > 0 {
                    let polar = pi * ring as f64 / Self::RINGS as f64;
                    let azimuth = 2.0 * pi * sector as f64 / Self::SECTORS as f64;
                    vertices.push(self.place(polar, azimuth));
                }
                let [a, b] = [sector, sector + 1].map(|s| Self::index(ring, s));
                let [c, d] = [sector, sector + 1].map(|s| Self::index(ring + 1, s));
                triangles.extend(
                    [[a, c, d], [a, d, b]]
                        .into_iter()
                        .filter(|[p, q, r]| p != q && q != r && r != p),
                );
            }
        }
        TriMesh::new(vertices, triangles).expect("a spheroid is a mesh")
    }
}
