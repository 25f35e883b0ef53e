//! Small worlds made in code: media with given figures, exact boxes, balls and points. The patient's
//! frame is the probe's: x along the face, z into the body, mm.

use anatomy::atlas::{Atlas, StructureKind};
use anatomy::patient::{Patient, Structure};
use anatomy::progress::Silent;
use anatomy::recipe::Recipe;
use anatomy::tissue::{DisplayName, TissueTable};
use equipment::{Apodization, Console, Effects, Probe, Transmit};
use geometry::frame::{self, Patient as PatientFrame};
use geometry::{Point, Pose, TriMesh};
use nalgebra::{Isometry3, Matrix3, Rotation3, Translation3, UnitQuaternion, Vector3};
use ultrasound::engine::{Imager, Medium, View};
use ultrasound::frame::{BmodeFrame, Look};

/// Prints a figure of the form that validations gather.
pub fn figure(what: &str, bar: &str, measured: &str) {
    println!("figure: {what} | {bar} | {measured}");
}

/// A material with round figures.
#[derive(Clone, Copy, Debug)]
pub struct Stuff {
    pub name: &'static str,
    pub density_kg_m3: f64,
    pub speed_m_s: f64,
    /// dB/cm/MHz, linear in frequency.
    pub attenuation: f64,
    /// Backscatter, dB re liver; none for echo-free.
    pub level_db: Option<f64>,
    /// Mirror-like share of its surface's echo.
    pub specularity: f64,
}

impl Stuff {
    /// An echo-free material without loss.
    pub const fn clear(name: &'static str, density_kg_m3: f64, speed_m_s: f64) -> Self {
        Self {
            name,
            density_kg_m3,
            speed_m_s,
            attenuation: 0.0,
            level_db: None,
            specularity: 1.0,
        }
    }

    pub const fn lossy(self, attenuation: f64) -> Self {
        Self {
            attenuation,
            ..self
        }
    }

    pub const fn rough(self, specularity: f64) -> Self {
        Self {
            specularity,
            ..self
        }
    }

    pub const fn bright(self, level_db: f64) -> Self {
        Self {
            level_db: Some(level_db),
            ..self
        }
    }

    pub fn impedance(&self) -> f64 {
        self.density_kg_m3 * self.speed_m_s
    }

    /// Pressure reflection at normal incidence on the way into `next`.
    pub fn reflection(&self, next: &Self) -> f64 {
        let (a, b) = (self.impedance(), next.impedance());
        (b - a) / (b + a)
    }

    /// Pressure reflection of a plane wave at an angle, degrees; 1 beyond the critical one.
    pub fn reflection_at(&self, next: &Self, angle_deg: f64) -> f64 {
        let angle = angle_deg.to_radians();
        let sine = next.speed_m_s / self.speed_m_s * angle.sin();
        if sine.abs() >= 1.0 {
            return 1.0;
        }
        let (z1, z2) = (
            self.impedance() * sine.asin().cos(),
            next.impedance() * angle.cos(),
        );
        (z2 - z1) / (z2 + z1)
    }

    /// As in a table of tissues. The id is none of the built-in table's: layers go by those.
    fn ron(&self) -> String {
        let scatter = self.level_db.map_or("None".to_owned(), |level| {
            format!(
                "(texture: Diffuse, length_mm: 0.3, level_db: (value: {level}, estimate: true), exponent: (value: 1.4, estimate: true))"
            )
        });
        format!(
            "(id: \"test_{}\", name: (en: \"x\", zh: \"x\"),
              density_kg_m3: (value: {}, estimate: true), sound_speed_m_s: (value: {}, estimate: true),
              attenuation: (db_cm_at_1_mhz: (value: {}, estimate: true), power: (value: 1, estimate: true)),
              scatter: {scatter}, specularity: (value: {}, estimate: true),
              composition: (mass_fractions: {{\"H\": 0.111894, \"O\": 0.888106}}, estimate: true),
              stiffness_kpa: (value: 0, estimate: true), color: (1, 2, 3)),",
            self.name, self.density_kg_m3, self.speed_m_s, self.attenuation, self.specularity)
    }
}

/// A patient and its tissues in the making. Structure i is the i-th that was added; later ones
/// fill their place against earlier ones.
pub struct World {
    parts: Vec<(Stuff, TriMesh<PatientFrame>)>,
    points: Vec<([f32; 3], f32)>,
}

impl World {
    /// All of one material; the face stands on it.
    pub fn of(stuff: Stuff) -> Self {
        let all = slab_mesh([0.0, 0.0, 138.0], [200.0, 100.0, 160.0], 0.0);
        Self {
            parts: vec![(stuff, all)],
            points: Vec::new(),
        }
    }

    /// Air.
    pub fn nothing() -> Self {
        Self {
            parts: Vec::new(),
            points: Vec::new(),
        }
    }

    /// Adds a structure.
    pub fn with(mut self, stuff: Stuff, mesh: TriMesh<PatientFrame>) -> Self {
        self.parts.push((stuff, mesh));
        self
    }

    /// Adds a half-space: everything beyond depth `z` on the axis, its face tilted about y so that
    /// it is deeper towards +x.
    pub fn below(self, stuff: Stuff, z: f64, tilt_deg: f64) -> Self {
        self.with(stuff, half_space(z, tilt_deg))
    }

    /// Adds a plate across the view.
    pub fn plate(self, stuff: Stuff, from_z: f64, to_z: f64) -> Self {
        let middle = [0.0, 0.0, (from_z + to_z) / 2.0];
        let half = [150.0, 80.0, (to_z - from_z) / 2.0];
        self.with(stuff, slab_mesh(middle, half, 0.0))
    }

    /// Adds a point scatterer.
    pub fn point(mut self, place: [f64; 3], amplitude: f32) -> Self {
        self.points.push((place.map(|c| c as f32), amplitude));
        self
    }

    pub fn medium(&self) -> Medium {
        let mut texts: Vec<String> = Vec::new();
        for (stuff, _) in &self.parts {
            let text = stuff.ron();
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let table = format!(
            "Tissues(version: 1, sources: {{}}, tissues: [{}])",
            texts.concat()
        );
        let tissues = TissueTable::parse(&table, "world.ron").unwrap();
        let mut patient = Patient::empty("world");
        for (index, (stuff, mesh)) in self.parts.iter().enumerate() {
            patient.structures.push(Structure {
                id: format!("part{index}"),
                name: DisplayName {
                    en: "x".into(),
                    zh: "x".into(),
                },
                tissue: tissues.id(&format!("test_{}", stuff.name)).unwrap(),
                kind: StructureKind::Lesion,
                priority: index as i32,
                color: None,
                modelled: false,
                surface: mesh.clone(),
            });
        }
        for &(place, amplitude) in &self.points {
            patient.scatterers.push(place, amplitude);
        }
        Medium::of_patient(&patient, &tissues).unwrap()
    }
}

/// A box of 12 triangles, turned about y through its middle: a positive tilt takes +x deeper.
pub fn slab_mesh(middle: [f64; 3], half: [f64; 3], tilt_deg: f64) -> TriMesh<PatientFrame> {
    let turn = tilt(tilt_deg);
    let vertices = (0..8)
        .map(|corner: usize| {
            let sign = |axis: usize| if corner >> axis & 1 == 1 { 1.0 } else { -1.0 };
            let at = Vector3::new(half[0] * sign(0), half[1] * sign(1), half[2] * sign(2));
            let place = turn * at + Vector3::from(middle);
            [place.x as f32, place.y as f32, place.z as f32]
        })
        .collect();
    let triangles = vec![
        [0, 2, 1],
        [1, 2, 3],
        [4, 5, 6],
        [5, 7, 6],
        [0, 1, 4],
        [1, 5, 4],
        [2, 6, 3],
        [3, 6, 7],
        [0, 4, 2],
        [2, 4, 6],
        [1, 3, 5],
        [3, 7, 5],
    ];
    TriMesh::new(vertices, triangles).unwrap()
}

/// Everything beyond a plane through (0, 0, z).
pub fn half_space(z: f64, tilt_deg: f64) -> TriMesh<PatientFrame> {
    let deep = 120.0;
    let middle = Vector3::new(0.0, 0.0, z) + tilt(tilt_deg) * Vector3::new(0.0, 0.0, deep);
    slab_mesh(middle.into(), [180.0, 90.0, deep], tilt_deg)
}

/// The normal of a tilted half-space, pointing into it.
pub fn tilted_normal(tilt_deg: f64) -> Vector3<f64> {
    tilt(tilt_deg) * Vector3::z()
}

fn tilt(tilt_deg: f64) -> Rotation3<f64> {
    Rotation3::from_axis_angle(&Vector3::y_axis(), -tilt_deg.to_radians())
}

/// A ball, or a rod of elliptic section along y if `stretch_y` is large: a globe of triangles.
pub fn ball_mesh(middle: [f64; 3], radius: f64, stretch_y: f64) -> TriMesh<PatientFrame> {
    let (around, across) = (256u32, 128u32);
    let place = |ring: u32, turn: u32| {
        let theta = std::f64::consts::PI * f64::from(ring) / f64::from(across);
        let phi = std::f64::consts::TAU * f64::from(turn) / f64::from(around);
        [
            (middle[0] + radius * theta.sin() * phi.cos()) as f32,
            (middle[1] + radius * stretch_y * theta.cos()) as f32,
            (middle[2] - radius * theta.sin() * phi.sin()) as f32,
        ]
    };
    let mut vertices = vec![place(0, 0)];
    for ring in 1..across {
        vertices.extend((0..around).map(|turn| place(ring, turn)));
    }
    vertices.push(place(across, 0));
    let last = vertices.len() as u32 - 1;
    let at = |ring: u32, turn: u32| 1 + (ring - 1) * around + turn % around;
    let mut triangles = Vec::new();
    for turn in 0..around {
        triangles.push([0, at(1, turn), at(1, turn + 1)]);
        triangles.push([last, at(across - 1, turn + 1), at(across - 1, turn)]);
        for ring in 1..across - 1 {
            let (a, b) = (at(ring, turn), at(ring, turn + 1));
            let (c, d) = (at(ring + 1, turn), at(ring + 1, turn + 1));
            triangles.push([a, c, b]);
            triangles.push([b, c, d]);
        }
    }
    TriMesh::new(vertices, triangles).unwrap()
}

/// A built-in test object, and the pose of a probe at `[x, 0, z]` of it, looking along its y.
pub fn recipe(name: &str) -> (Patient, Medium) {
    let tissues = TissueTable::builtin();
    let recipe = Recipe::builtin(name).unwrap();
    let patient = recipe.make(Atlas::builtin(), tissues, &Silent).unwrap();
    let medium = Medium::of_patient(&patient, tissues).unwrap();
    (patient, medium)
}

/// Where a probe stands on a test object: probe x is the object's x, depth its y.
pub fn on_object(x: f64, y: f64) -> Pose<PatientFrame, frame::Probe> {
    let columns = Matrix3::from_columns(&[Vector3::x(), -Vector3::z(), Vector3::y()]);
    let turn = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(columns));
    Pose::from_isometry(Isometry3::from_parts(Translation3::new(x, y, 0.0), turn))
}

/// The probe's frame is the patient's.
pub fn here() -> View {
    View::at(Pose::identity())
}

/// Effects without what is drawn at random and without the body wall's spoiling.
pub const CLEAN: Effects = Effects {
    refraction: true,
    local_sound_speed: true,
    secondary_paths: false,
    aberration: false,
    clutter: false,
    noise: false,
    flow: false,
    speckle: true,
};

/// A plain setting.
pub fn console(depth_mm: f64, focus_mm: f64, samples: u32) -> Console {
    Console {
        depth_mm,
        transmit: Transmit::Focused {
            foci_mm: vec![focus_mm],
            f_number: Some(2.5),
        },
        receive_f_number: Some(2.5),
        apodization: Apodization::Hann,
        lines: 128,
        samples,
        compensation_db_cm_mhz: 0.0,
        effects: CLEAN,
        ..Console::default()
    }
}

pub fn imager(probe: &str, console: &Console) -> Imager {
    Imager::new(Probe::named(probe).unwrap(), console).unwrap()
}

/// One look at a world, from where its frame is.
pub fn look_at(imager: &mut Imager, world: &World) -> BmodeFrame {
    imager.frame(&world.medium(), &here())
}

pub fn line(look: &Look, line: usize) -> &[f32] {
    let samples = look.grid.samples;
    &look.envelope[line * samples..(line + 1) * samples]
}

pub fn db(ratio: f64) -> f64 {
    20.0 * ratio.abs().log10()
}

/// The greatest value between two depths and its depth, both by a parabola through the logarithms of the
/// three samples at the peak.
pub fn peak(line: &[f32], sample_mm: f64, between_mm: (f64, f64)) -> (f64, f64) {
    let first = (between_mm.0 / sample_mm).ceil().max(1.0) as usize;
    let last = ((between_mm.1 / sample_mm) as usize).min(line.len() - 2);
    let at = (first..=last)
        .max_by(|&a, &b| line[a].total_cmp(&line[b]))
        .unwrap();
    let value = |i: usize| f64::from(line[i].max(1e-12)).ln();
    let (shift, top) = parabola(value(at - 1), value(at), value(at + 1));
    ((at as f64 + shift) * sample_mm, top.exp())
}

/// Where the parabola through (−1, a), (0, b), (1, c) peaks, and its value there.
pub fn parabola(a: f64, b: f64, c: f64) -> (f64, f64) {
    let bend = a - 2.0 * b + c;
    if bend >= 0.0 {
        return (0.0, b);
    }
    let shift = 0.5 * (a - c) / bend;
    (shift, b - 0.25 * (a - c) * shift)
}

/// Mean of the squared envelope between depths on a run of lines.
pub fn power(look: &Look, lines: std::ops::Range<usize>, between_mm: (f64, f64)) -> f64 {
    let grid = &look.grid;
    let first = (between_mm.0 / grid.sample_mm).ceil() as usize;
    let last = (between_mm.1 / grid.sample_mm) as usize;
    let mut sum = 0.0;
    let count = lines.len() * (last - first);
    for index in lines {
        let values = &line(look, index)[first..last];
        sum += values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
    }
    sum / count as f64
}

/// The brightest spot in a box of lines and depths: line in fractions, depth and value.
pub fn spot(look: &Look, lines: std::ops::Range<usize>, between_mm: (f64, f64)) -> (f64, f64, f64) {
    let sample_mm = look.grid.sample_mm;
    let peak_of = |index: usize| peak(line(look, index), sample_mm, between_mm);
    let best = lines
        .max_by(|&a, &b| peak_of(a).1.total_cmp(&peak_of(b).1))
        .unwrap();
    let value = |index: usize| peak_of(index.min(look.grid.lines - 1)).1.ln();
    let (shift, top) = parabola(value(best.saturating_sub(1)), value(best), value(best + 1));
    let depth = peak_of(best).0;
    (best as f64 + shift, depth, top.exp())
}

/// Where a spot of the first look seems to be, probe frame.
pub fn seems_at(look: &Look, line: f64, depth_mm: f64) -> Point<frame::Probe> {
    look.grid.place(look.grid.u_of_line(line), depth_mm, 0.0)
}
