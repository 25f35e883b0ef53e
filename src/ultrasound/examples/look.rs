use std::io::Write;
use anatomy::patient::Patient;
use anatomy::tissue::TissueTable;
use equipment::{Console, Probe};
use geometry::frame::{Patient as P, Probe as Pr};
use geometry::{Pose, Point, Vector};
use ultrasound::engine::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    // look patient probe x,y,z lx,ly,lz dx,dy,dz out depth
    let tissues = TissueTable::builtin();
    let patient = if std::path::Path::new(&a[1]).exists() {
        Patient::load(std::path::Path::new(&a[1]), tissues).unwrap()
    } else {
        let recipe = anatomy::recipe::Recipe::builtin(&a[1]).unwrap();
        recipe.make(anatomy::atlas::Atlas::builtin(), tissues, &anatomy::Silent).unwrap()
    };
    let probe = Probe::builtin(&a[2]).unwrap();
    let v = |s: &str| { let c: Vec<f64> = s.split(',').map(|c| c.parse().unwrap()).collect(); nalgebra::Vector3::new(c[0], c[1], c[2]) };
    let (at, l, d) = (v(&a[3]), v(&a[4]), v(&a[5]));
    let d = d.normalize(); let l = (l - d * l.dot(&d)).normalize(); let y = d.cross(&l);
    let rot = nalgebra::Rotation3::from_matrix_unchecked(nalgebra::Matrix3::from_columns(&[l, y, d]));
    let pose: Pose<P, Pr> = Pose::from_isometry(nalgebra::Isometry3::from_parts(at.into(), nalgebra::UnitQuaternion::from_rotation_matrix(&rot)));
    let mut console = Console::default();
    console.depth_mm = a[7].parse().unwrap();
    if a[2].starts_with("L1") { console.transmit = equipment::Transmit::Focused { foci_mm: vec![20.0], f_number: Some(2.5) }; console.receive_f_number = Some(1.5); console.lines = 192; }
    if a[2].starts_with("P4") { console.transmit = equipment::Transmit::Focused { foci_mm: vec![80.0], f_number: None }; console.receive_f_number = None; }
    let t0 = std::time::Instant::now();
    let medium = Medium::of_patient(&patient, tissues).unwrap();
    let t1 = std::time::Instant::now();
    let mut imager = Imager::new(probe, &console).unwrap();
    eprintln!("medium {:?} imager {:?}", t1 - t0, t1.elapsed());
    let view = View::at(pose);
    let n: usize = a.get(8).map_or(1, |n| n.parse().unwrap());
    let mut frame = imager.frame(&medium, &view);
    eprintln!("{:?} contact {}", frame.account, frame.facts.contact);
    let mut shares = std::collections::BTreeMap::new();
    let t = std::time::Instant::now();
    let mut last = t;
    for _ in 0..n { frame = imager.frame_watched(&medium, &view, &mut |s| { let now = std::time::Instant::now(); *shares.entry(s).or_insert(0.0) += (now - last).as_secs_f64(); last = now; }); }
    let all = t.elapsed().as_secs_f64();
    eprintln!("{:.2} ms a frame; {:?}", all / n as f64 * 1e3, shares.iter().map(|(s, v)| format!("{s:?} {:.2} ms", v / n as f64 * 1e3)).collect::<Vec<_>>());
    let t = std::time::Instant::now();
    for _ in 0..n { let _ = imager.facts(&medium, &view); }
    eprintln!("facts {:.2} ms", t.elapsed().as_secs_f64() / n as f64 * 1e3);
    let facts = imager.facts(&medium, &view);
    assert_eq!(facts, frame.facts);
    for (s, f) in patient.structures.iter().zip(&facts.structures) { if f.visible_mm2 > 0.0 { eprint!("{} {:.0} ", s.id, f.visible_mm2); } }
    eprintln!();
    let look = &frame.looks[0];
    let g = &look.grid;
    let comp = imager.sensitivity_db();
    let f0 = imager.frequency_mhz();
    let (w, h) = (760usize, 620usize);
    let mut img = vec![0u8; w * h];
    let mm = console.depth_mm * 1.05 / h as f64;
    for y in 0..h { for x in 0..w {
        let p = Point::new(-(x as f64 - w as f64 / 2.0) * mm, 0.0, y as f64 * mm - 2.0);
        let [u, z, _] = g.beam_coordinates(p);
        let (lf, sf) = (g.line_of_u(u), z / g.sample_mm);
        if lf < 0.0 || lf >= (g.lines - 1) as f64 || sf < 0.0 || sf >= (g.samples - 1) as f64 { continue; }
        let (l0, s0) = (lf as usize, sf as usize);
        let (fl, fs) = ((lf - l0 as f64) as f32, (sf - s0 as f64) as f32);
        let e = |l: usize, s: usize| look.envelope[l * g.samples + s];
        let v = (e(l0, s0) * (1.0 - fl) + e(l0 + 1, s0) * fl) * (1.0 - fs) + (e(l0, s0 + 1) * (1.0 - fl) + e(l0 + 1, s0 + 1) * fl) * fs;
        let db = 20.0 * (v as f64).max(1e-12).log10() - comp[s0] as f64 + 2.0 * 0.5 * f0 * z / 10.0;
        let white = -30.0; let dr = 60.0;
        img[y * w + x] = (((db - white) / dr + 1.0) * 255.0).clamp(0.0, 255.0) as u8;
    } }
    let mut f = std::fs::File::create(&a[6]).unwrap();
    write!(f, "P5\n{w} {h}\n255\n").unwrap(); f.write_all(&img).unwrap();
    let _ = Vector::<P>::new(0.0, 0.0, 0.0);
}
