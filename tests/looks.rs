//! What pictures look like: golden pictures, and the order of greys.
//!
//! Golden pictures guard looks, not physics. Noise and everything else that changes from frame to
//! frame is off. Where a change of looks is meant, look at the new pictures and keep them:
//!
//! ```sh
//! SONOCATH_UPDATE_GOLDEN=1 cargo nextest run -p sonocath looks real_ct
//! ```

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use anatomy::atlas::{Atlas, StructureKind};
use anatomy::patient::{Patient, Structure};
use anatomy::progress::Silent;
use anatomy::recipe::Recipe;
use anatomy::tissue::{DisplayName, TissueTable};
use equipment::{Apodization, Console, Effects, Probe, Transmit};
use geometry::{Pose, TriMesh, frame};
use nalgebra::{Isometry3, Matrix3, Rotation3, Translation3, UnitQuaternion, Vector3};
use ultrasound::display::{Compensation, Display, Picture, PictureSize};
use ultrasound::engine::{Imager, Medium, View};
use ultrasound::frame::{BmodeFrame, PathKind};

/// Where the probe is held.
type Held = Pose<frame::Patient, frame::Probe>;

/// Size of golden pictures.
const SIZE: PictureSize = PictureSize {
    width: 160,
    height: 120,
};

/// Greatest mean absolute difference between a picture and its golden one, grey levels of 255. A
/// gain off by 1 dB moves greys by 4 where there is grey.
const TOLERANCE: f64 = 1.0;

/// Everything that does not change from frame to frame.
const STEADY: Effects = Effects {
    refraction: true,
    local_sound_speed: true,
    secondary_paths: true,
    aberration: true,
    clutter: true,
    noise: false,
    flow: false,
    speckle: true,
};

/// Few lines and samples, so that a frame is made in no time.
fn console(depth_mm: f64, focus_mm: f64) -> Console {
    Console {
        depth_mm,
        transmit: Transmit::Focused {
            foci_mm: vec![focus_mm],
            f_number: Some(3.0),
        },
        receive_f_number: Some(2.0),
        apodization: Apodization::Hamming,
        lines: 64,
        samples: 384,
        compensation_db_cm_mhz: 0.5,
        dynamic_range_db: 65.0,
        effects: STEADY,
        ..Console::default()
    }
}

/// Where a probe is whose middle of the face, marker side and sound are there, patient LPS, mm.
fn held(at: [f64; 3], marker: [f64; 3], depth: [f64; 3]) -> Held {
    let depth = Vector3::from(depth).normalize();
    let across = depth.cross(&Vector3::from(marker)).normalize();
    let columns = Matrix3::from_columns(&[across.cross(&depth), across, depth]);
    let turn = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(columns));
    Pose::from_isometry(Isometry3::from_parts(Translation3::from(at), turn))
}

/// What comes back from a patient, and what took it in.
fn scanned(patient: &Patient, probe: &str, console: &Console, held: Held) -> (Imager, BmodeFrame) {
    let probe = Probe::named(probe).expect("a built-in probe");
    let mut imager = Imager::new(probe, console).expect("settings that the probe can do");
    let medium = Medium::of_patient(patient, TissueTable::builtin()).expect("known tissues");
    let frame = imager.frame(&medium, &View::at(held));
    (imager, frame)
}

/// The picture that the machine shows of it.
fn shown((imager, frame): &(Imager, BmodeFrame), console: &Console) -> Picture {
    let own = imager.sensitivity_db().iter();
    let compensation = Compensation {
        gain_db_at_depth: own.map(|db| (-db).clamp(0.0, 40.0)).collect(),
        frequency_mhz: imager.frequency_mhz(),
    };
    let mut display = Display::new(&imager.grids(), console, compensation, SIZE);
    let mut picture = display.picture();
    display
        .render(&frame.looks, 0, &mut picture)
        .expect("the frame is the imager's");
    picture
}

/// Both at once.
fn picture(patient: &Patient, probe: &str, console: &Console, held: Held) -> Picture {
    shown(&scanned(patient, probe, console, held), console)
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden")
        .join(format!("{name}.png"))
}

fn write_gray(path: &Path, gray: &[u8]) {
    let file = BufWriter::new(File::create(path).expect("the folder is writable"));
    let mut encoder = png::Encoder::new(file, SIZE.width as u32, SIZE.height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(gray).expect("as many as said");
}

fn read_gray(path: &Path) -> Vec<u8> {
    let file = BufReader::new(File::open(path).expect("a golden picture"));
    let mut reader = png::Decoder::new(file).read_info().expect("a PNG");
    let mut gray = vec![0; reader.output_buffer_size().expect("it is small")];
    reader.next_frame(&mut gray).expect("it is whole");
    gray
}

/// Mean absolute difference, grey levels.
fn difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len(), "pictures of one size");
    let sum: u64 = a
        .iter()
        .zip(b)
        .map(|(&a, &b)| u64::from(a.abs_diff(b)))
        .sum();
    sum as f64 / a.len() as f64
}

/// Compares a picture with its golden one, or keeps it as that.
fn compare(name: &str, picture: &Picture) {
    let path = golden(name);
    if std::env::var_os("SONOCATH_UPDATE_GOLDEN").is_some_and(|set| set == "1") {
        return write_gray(&path, &picture.pixels);
    }
    let off = difference(&picture.pixels, &read_gray(&path));
    if off <= TOLERANCE {
        return;
    }
    let new = std::env::temp_dir().join(format!("sonocath-{name}.png"));
    write_gray(&new, &picture.pixels);
    panic!(
        "{name} differs by {off:.2} grey levels on average (bar {TOLERANCE}): compare {} with \
         tests/golden/{name}.png; if the change is meant, run again with SONOCATH_UPDATE_GOLDEN=1",
        new.display()
    );
}

fn made(recipe: &str) -> Patient {
    Recipe::builtin(recipe)
        .expect("a built-in recipe")
        .make(Atlas::builtin(), TissueTable::builtin(), &Silent)
        .expect("a recipe that can be made")
}

/// On a test object: the marker towards x, the sound towards y.
fn on_object() -> Held {
    held([0.0; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
}

#[test]
fn a_cyst_looks_as_it_did() {
    let cyst = picture(
        &made("phantom-cyst"),
        "L11-5v",
        &console(60.0, 40.0),
        on_object(),
    );
    compare("cyst", &cyst);
}

#[test]
fn a_bone_looks_as_it_did() {
    let bone = picture(
        &made("phantom-bone"),
        "C5-2v",
        &console(120.0, 60.0),
        on_object(),
    );
    compare("bone", &bone);
}

#[test]
fn a_mirror_looks_as_it_did() {
    let mirror = picture(
        &made("phantom-mirror"),
        "C5-2v",
        &console(120.0, 60.0),
        on_object(),
    );
    compare("mirror", &mirror);
}

/// The right kidney of the imported CT patient, from the flank. The test that imports it calls this,
/// for importing takes longer than all pictures.
pub fn the_real_kidney_looks_as_it_did(folder: &Path) {
    let patient = Patient::load(folder, TissueTable::builtin()).expect("what was just imported");
    let flank = held([-150.0, -132.0, 345.7], [0.0, 0.41, 0.91], [1.0, 0.0, 0.0]);
    let kidney = picture(&patient, "C5-2v", &console(140.0, 80.0), flank);
    compare("kidney", &kidney);
}

/// A wrong picture must not pass.
#[test]
fn a_decibel_of_gain_is_noticed() {
    let plain = console(60.0, 40.0);
    let louder = Console {
        gain_db: 1.0,
        ..plain.clone()
    };
    let cyst = scanned(&made("phantom-cyst"), "L11-5v", &plain, on_object());
    let (before, after) = (shown(&cyst, &plain), shown(&cyst, &louder));
    let off = difference(&before.pixels, &after.pixels);
    assert!(off > TOLERANCE, "{off} grey levels");
}

/// From bright to black.
const GREY_ORDER: [&str; 8] = [
    "renal_sinus",
    "pancreas",
    "spleen",
    "liver",
    "renal_cortex",
    "renal_medulla",
    "blood",
    "bile",
];

/// How deep the near side of the blocks is, how far the sampled part reaches into them, mm.
const BLOCK_MM: f32 = 60.0;
const SAMPLED_MM: (f64, f64) = (4.0, 12.0);

/// A box from `low` to `high`.
fn block(low: [f32; 3], high: [f32; 3]) -> TriMesh<frame::Patient> {
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
        .flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]]);
    TriMesh::new((0..8).map(corner).collect(), triangles.collect()).expect("a box is a mesh")
}

/// A slab of the tissue in water, across the whole view: nothing is lost on the way to it.
fn slab(tissue: &str) -> Patient {
    let mut patient = Patient::empty(tissue);
    let sides = [
        (
            "water",
            0,
            block([-150.0, -60.0, -2.0], [150.0, 60.0, 100.0]),
        ),
        (
            tissue,
            1,
            block([-140.0, -50.0, BLOCK_MM], [140.0, 50.0, 90.0]),
        ),
    ];
    for (tissue, priority, surface) in sides {
        patient.structures.push(Structure {
            id: tissue.to_owned(),
            name: DisplayName {
                en: tissue.to_owned(),
                zh: tissue.to_owned(),
            },
            tissue: TissueTable::builtin().id(tissue).expect("a known tissue"),
            kind: StructureKind::Organ,
            priority,
            color: None,
            modelled: false,
            surface,
        });
    }
    patient
}

/// Mean echo power of what the labels call the slab, seen on the straight way at the sampled depth, dB.
fn level_db(frame: &BmodeFrame) -> f64 {
    let look = &frame.looks[0];
    let deep = |sample: usize| {
        let into_mm = sample as f64 * look.grid.sample_mm - f64::from(BLOCK_MM);
        (SAMPLED_MM.0..SAMPLED_MM.1).contains(&into_mm)
    };
    let middle = look.grid.lines * 3 / 8..look.grid.lines * 5 / 8;
    let mut power = (0.0, 0_u32);
    for (index, (truth, &echo)) in look.truth.iter().zip(&look.envelope).enumerate() {
        let (line, sample) = (index / look.grid.samples, index % look.grid.samples);
        let labelled = truth.structure == 2 && truth.path == PathKind::Direct;
        if middle.contains(&line) && deep(sample) && labelled {
            power = (power.0 + f64::from(echo).powi(2), power.1 + 1);
        }
    }
    assert!(power.1 > 200, "{} samples of the slab", power.1);
    10.0 * (power.0 / f64::from(power.1) + 1e-30).log10()
}

#[allow(clippy::print_stdout, reason = "validations gather the figures")]
#[test]
fn greys_have_the_order_that_every_sonographer_knows() {
    // What the body wall spoils is not the tissue's.
    let console = Console {
        effects: Effects {
            secondary_paths: false,
            aberration: false,
            clutter: false,
            ..STEADY
        },
        ..console(90.0, f64::from(BLOCK_MM))
    };
    let probe = Probe::named("C5-2v").expect("a built-in probe");
    let mut imager = Imager::new(probe, &console).expect("settings that the probe can do");
    let levels = GREY_ORDER.map(|tissue| {
        let medium = Medium::of_patient(&slab(tissue), TissueTable::builtin());
        let view = View {
            truth: true,
            ..View::at(Pose::identity())
        };
        level_db(&imager.frame(&medium.expect("known tissues"), &view))
    });
    let liver = levels[3];
    let told: Vec<String> = GREY_ORDER
        .iter()
        .zip(levels)
        .map(|(tissue, level)| format!("{tissue} {:+.1}", level - liver))
        .collect();
    println!(
        "figure: grey order, dB re liver behind 6 cm of water, C5-2v | falling; pancreas and spleen \
         may be equal, spleen and liver too | {}",
        told.join(", ")
    );
    let [sinus, pancreas, spleen, liver, cortex, medulla, blood, bile] = levels;
    // Speckle leaves the mean of a few hundred resolution cells uncertain by some tenths of a decibel.
    let speckle_db = 0.5;
    assert!(sinus > pancreas, "{told:?}");
    assert!(pancreas > spleen - speckle_db, "{told:?}");
    assert!(spleen > liver - speckle_db, "{told:?}");
    assert!(liver > cortex && cortex > medulla, "{told:?}");
    // Only the order: both are far brighter here than their own backscatter, bile's being 60 dB down.
    // Probably the wall before them shows, by the pulse's tail or side lobes; that was not taken apart.
    assert!(medulla > blood && medulla > bile, "{told:?}");
}
