//! Uniform blocks with and without points, and how probes look at them.

use anatomy::atlas::StructureKind;
use anatomy::patient::{Patient, Structure};
use anatomy::tissue::{DisplayName, TissueId, TissueTable};
use equipment::{Apodization, Console, Effects, Probe, Transmit};
use geometry::frame::{self, Patient as PatientFrame};
use geometry::{Pose, TriMesh, Vector};
use ultrasound::engine::{Medium, View};

/// Speed of sound of all blocks, m/s: what machines assume.
pub const SPEED_M_S: f64 = 1540.0;

/// What a block is made of.
#[derive(Clone, Copy, Debug)]
pub struct Sound {
    /// Attenuation, amplitude, one way, dB/cm at 1 MHz.
    pub db_cm: f64,
    /// Its power of frequency.
    pub power: f64,
    /// Whether it scatters.
    pub scatters: bool,
}

/// Attenuation of the reference's table: 0.5 dB/cm/MHz; no echoes of its own.
pub const FLUID: Sound = Sound {
    db_cm: 0.5,
    power: 1.0,
    scatters: false,
};

/// No attenuation, no echoes.
pub const LOSSLESS: Sound = Sound {
    db_cm: 0.0,
    ..FLUID
};

/// No attenuation, even speckle.
pub const SPECKLE: Sound = Sound {
    scatters: true,
    ..LOSSLESS
};

fn tissues(sound: Sound) -> TissueTable {
    let Sound { db_cm, power, .. } = sound;
    let scatter = if sound.scatters {
        "(texture: Diffuse, length_mm: 0.3, level_db: (value: 0, estimate: true), \
         exponent: (value: 1.4, estimate: true))"
    } else {
        "None"
    };
    let text = format!(
        r#"Tissues(version: 1, sources: {{"test": "a test"}}, tissues: [(
            id: "block", name: (en: "block", zh: "block"),
            density_kg_m3: (value: 1040, estimate: true),
            sound_speed_m_s: (value: {SPEED_M_S}, estimate: true),
            attenuation: (
                db_cm_at_1_mhz: (value: {db_cm}, estimate: true),
                power: (value: {power}, estimate: true),
            ),
            scatter: {scatter},
            specularity: (value: 0.1, estimate: true),
            composition: (mass_fractions: {{"H": 0.112, "O": 0.888}}, estimate: true),
            stiffness_kpa: (value: 10, estimate: true),
            color: (128, 128, 128),
        )])"#
    );
    TissueTable::parse(&text, "block.ron").expect("the table is well formed")
}

/// A closed box in the patient's frame.
pub fn box_mesh(low: [f32; 3], high: [f32; 3]) -> TriMesh<PatientFrame> {
    let corner = |index: usize| {
        [0, 1, 2].map(|axis| {
            if index >> axis & 1 == 1 {
                high[axis]
            } else {
                low[axis]
            }
        })
    };
    let sides = [
        [0, 2, 3, 1],
        [4, 5, 7, 6],
        [0, 1, 5, 4],
        [2, 6, 7, 3],
        [0, 4, 6, 2],
        [1, 3, 7, 5],
    ];
    let triangles = sides
        .iter()
        .flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]])
        .collect();
    TriMesh::new((0..8).map(corner).collect(), triangles).expect("a box is a mesh")
}

fn structure(
    id: &str,
    tissue: TissueId,
    priority: i32,
    surface: TriMesh<PatientFrame>,
) -> Structure {
    Structure {
        id: id.into(),
        name: DisplayName {
            en: id.into(),
            zh: id.into(),
        },
        tissue,
        kind: StructureKind::Organ,
        priority,
        color: None,
        modelled: false,
        surface,
    }
}

/// A block with points, so large that its walls are never seen; the face is inside it. With the
/// probe at [`at`] the patient's axes are those of the probe: x along the scan, z is depth.
pub fn block(sound: Sound, points_mm: &[[f32; 3]]) -> Medium {
    let tissues = tissues(sound);
    let mut patient = Patient::empty("block");
    let surface = box_mesh([-400.0, -400.0, -100.0], [400.0, 400.0, 600.0]);
    let tissue = tissues.id("block").expect("the table has it");
    patient
        .structures
        .push(structure("block", tissue, 1, surface));
    for &point in points_mm {
        patient.scatterers.push(point, 1.0);
    }
    Medium::of_patient(&patient, &tissues).expect("a box can be looked at")
}

/// Boxes of one sound, one in the other: the last has the highest priority. The face is in the
/// first.
pub fn boxes(sound: Sound, corners: &[([f32; 3], [f32; 3])]) -> Medium {
    let tissues = tissues(sound);
    let tissue = tissues.id("block").expect("the table has it");
    let mut patient = Patient::empty("boxes");
    for (priority, &(low, high)) in (1..).zip(corners) {
        let id = format!("box_{priority}");
        let surface = box_mesh(low, high);
        patient
            .structures
            .push(structure(&id, tissue, priority, surface));
    }
    Medium::of_patient(&patient, &tissues).expect("boxes can be looked at")
}

/// A bit of everything: fat and muscle over liver, and in it a vessel with blood, a rib, a bubble
/// of air, tissue of another speed that lies aslant, and points. The face is a gel's width above.
pub fn everything() -> Medium {
    let tissues = TissueTable::builtin();
    let mut patient = Patient::empty("everything");
    let mut add = |id: &str, tissue: &str, priority: i32, surface| {
        let tissue = tissues.id(tissue).unwrap_or_else(|| panic!("no {tissue}"));
        patient
            .structures
            .push(structure(id, tissue, priority, surface));
    };
    let wide = |from: f32, to: f32| box_mesh([-300.0, -300.0, from], [300.0, 300.0, to]);
    add("fat", "fat", 1, wide(0.5, 300.0));
    add("muscle", "muscle", 2, wide(8.0, 290.0));
    add("liver", "liver", 3, wide(14.0, 280.0));
    add(
        "vessel",
        "blood",
        4,
        box_mesh([-9.0, -40.0, 22.0], [-3.0, 40.0, 28.0]),
    );
    add(
        "rib",
        "bone_cortical",
        4,
        box_mesh([5.0, -40.0, 16.0], [9.0, 40.0, 20.0]),
    );
    add(
        "bubble",
        "gas",
        4,
        box_mesh([-1.0, -2.0, 30.0], [1.0, 2.0, 32.0]),
    );
    let mut slab = box_mesh([-300.0, -300.0, 36.0], [300.0, 300.0, 60.0]);
    let lean = |&[x, y, z]: &[f32; 3]| [x, y, z + 0.1 * x.clamp(-100.0, 100.0)];
    let leaning: Vec<[f32; 3]> = slab.vertices().iter().map(lean).collect();
    slab.move_vertices(&leaning).expect("as many as before");
    add("slab", "fat", 4, slab);
    for i in 0..40u8 {
        let x = f32::from(i) - 20.0;
        patient.scatterers.push([x, 0.0, 24.0 + 0.5 * x], 1.0);
    }
    Medium::of_patient(&patient, tissues).expect("boxes can be looked at")
}

/// A view from the patient's origin moved along the scan.
pub fn at(x_mm: f64) -> View {
    let pose: Pose<PatientFrame, frame::Probe> = Pose::translation(Vector::new(x_mm, 0.0, 0.0));
    View::at(pose)
}

/// Speckle and points alone: nothing random, nothing secondary.
pub fn plain() -> Effects {
    Effects {
        secondary_paths: false,
        aberration: false,
        clutter: false,
        noise: false,
        flow: false,
        ..Effects::default()
    }
}

/// A built-in probe.
pub fn probe(name: &str) -> &'static Probe {
    Probe::builtin(name).expect("a built-in probe")
}

/// A focused setting with one cycle, uniform apertures and plain effects.
pub fn focused(focus_mm: f64, transmit: Option<f64>, receive: Option<f64>) -> Console {
    Console {
        transmit: Transmit::Focused {
            foci_mm: vec![focus_mm],
            f_number: transmit,
        },
        receive_f_number: receive,
        cycles: 1.0,
        apodization: Apodization::Uniform,
        transmit_apodization: Apodization::Uniform,
        effects: plain(),
        ..Console::default()
    }
}

/// Whether a figure meets its bar, as figures say it.
pub fn mark(is_good: bool) -> &'static str {
    if is_good { "ok" } else { "MISSED" }
}
