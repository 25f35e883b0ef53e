//! The liver's vessels on a made liver, and on a patient's folder named by `SONOCATH_LIVER`.

use geometry::check::inspect;
use geometry::sdf::{self, Expr, SurfaceLimits, TubePoint};

use super::super::trees::strahler;
use super::super::{Enrichment, figures::Figures};
use super::*;
use crate::atlas::Atlas;
use crate::patient::{Existing, Structure};
use crate::tissue::TissueTable;

fn made(id: &str, shape: &Expr, step_mm: f64) -> Structure {
    let mesh = sdf::surface(shape, step_mm, &SurfaceLimits::default()).unwrap();
    Structure::of_entry(Atlas::builtin().structure(id).unwrap(), mesh)
}

fn ellipsoid(center: [f64; 3], radii_mm: [f64; 3]) -> Expr {
    Expr::Ellipsoid { center, radii_mm }
}

fn tube(points: &[([f64; 3], f64)]) -> Expr {
    let point = |&(place, radius_mm): &([f64; 3], f64)| TubePoint { place, radius_mm };
    Expr::Tube {
        points: points.iter().map(point).collect(),
    }
}

/// A liver of 1.5 l: two lobes, cut out below, with a cava behind and a portal vein at the porta.
fn made_patient() -> Patient {
    let lobes = Expr::Union {
        parts: vec![
            ellipsoid([-75.0, 5.0, 150.0], [68.0, 82.0, 82.0]),
            ellipsoid([5.0, -45.0, 180.0], [75.0, 48.0, 36.0]),
        ],
        blend_mm: 20.0,
    };
    let liver = Expr::Difference {
        of: Box::new(lobes),
        cut: vec![
            ellipsoid([-20.0, 0.0, 85.0], [48.0, 60.0, 52.0]),
            ellipsoid([10.0, 60.0, 180.0], [45.0, 62.0, 90.0]),
        ],
        blend_mm: 10.0,
    };
    let cava = tube(&[
        ([-20.0, 16.0, 40.0], 10.0),
        ([-24.0, 12.0, 130.0], 11.0),
        ([-28.0, 0.0, 222.0], 12.0),
    ]);
    let portal = tube(&[
        ([-12.0, -12.0, 84.0], 6.0),
        ([-28.0, -10.0, 100.0], 6.0),
        ([-42.0, -8.0, 118.0], 6.0),
    ]);
    let gallbladder = tube(&[([-72.0, -68.0, 66.0], 14.0), ([-48.0, -20.0, 98.0], 6.0)]);
    Patient {
        structures: vec![
            made("liver", &liver, 2.0),
            made("inferior_vena_cava", &cava, 1.5),
            made("portal_vein", &portal, 1.0),
            made("gallbladder", &gallbladder, 1.5),
        ],
        ..Patient::empty("liver")
    }
}

fn added(patient: &mut Patient, seed: u64) -> Vec<String> {
    let request = Enrichment { seed, ..Enrichment::default() };
    let context = Context {
        request: &request,
        figures: &Figures::builtin().unwrap(),
        atlas: Atlas::builtin(),
        tissues: TissueTable::builtin(),
    };
    let mut notes = Vec::new();
    add(patient, &context, &mut notes).unwrap();
    notes
}

fn grown(patient: &Patient, seed: u64) -> (Grown, Vec<String>) {
    let organ = &patient.structure("liver").unwrap().surface;
    let figures = Figures::builtin().unwrap().liver;
    let mut notes = Vec::new();
    let plan = Plan::new(patient, organ, &figures, seed, &mut notes);
    let grown = plan.grow(&mut notes);
    (grown, notes)
}

#[test]
fn looks() {
    let Ok(folder) = std::env::var("SONOCATH_LIVER") else {
        return;
    };
    let tissues = TissueTable::builtin();
    let mut patient = if folder == "made" {
        made_patient()
    } else {
        Patient::load(std::path::Path::new(&folder), tissues).unwrap()
    };
    let start = std::time::Instant::now();
    let notes = added(&mut patient, 1);
    println!("{:?}\n{notes:#?}", start.elapsed());
    for id in [PORTAL, HEPATIC, ARTERY, DUCT] {
        if let Some(s) = patient.structure(id) {
            println!("{id}: {}", inspect(&s.surface));
        }
    }
    let out = std::env::var("SONOCATH_OUT").unwrap();
    patient.save(std::path::Path::new(&out), Existing::ReplacePatient, tissues).unwrap();
}
