//! What lies round organs: walls of gallbladder and bladder, fat round the kidneys, the pericardium.
//!
//! Capsules of liver and spleen and the walls of vessels are no surfaces of their own: the layers of
//! `assets/boundaries.ron` draw them wherever such structures meet others.

use super::field::{Field, Grid};
use super::{Context, EnrichError};
use crate::patient::Patient;

/// Crumbs below this are left out, mm³.
const LEAST_MM3: f64 = 100.0;

pub(super) fn walls(
    patient: &mut Patient,
    context: &Context<'_>,
    notes: &mut Vec<String>,
) -> Result<(), EnrichError> {
    let figures = &context.figures.walls;
    wall(
        patient,
        ("gallbladder", "gallbladder_wall"),
        figures.gallbladder_mm.value,
        context,
        notes,
    )?;
    let Some(bladder) = patient.structure("urinary_bladder") else {
        return Ok(());
    };
    // The fuller, the thinner.
    let volume_ml = bladder.surface.signed_volume_mm3() / 1000.0;
    let filled = (volume_ml / figures.bladder_full_ml.value).clamp(0.0, 1.0);
    let (empty, full) = (
        figures.bladder_empty_mm.value,
        figures.bladder_full_mm.value,
    );
    wall(
        patient,
        ("urinary_bladder", "urinary_bladder_wall"),
        empty + (full - empty) * filled,
        context,
        notes,
    )
}

/// A wall outside a lumen. It may take from neighbours of lower rungs; bones keep their place.
fn wall(
    patient: &mut Patient,
    (lumen, wall): (&'static str, &'static str),
    thickness_mm: f64,
    context: &Context<'_>,
    notes: &mut Vec<String>,
) -> Result<(), EnrichError> {
    const SPACING_MM: f64 = 1.0;
    if patient.structure(wall).is_some() {
        return Ok(());
    }
    let Some(structure) = patient.structure(lumen) else {
        return Ok(());
    };
    let margin = thickness_mm + 3.0;
    let grid = Grid::around(&structure.surface.bounds(), margin, SPACING_MM);
    let field = Field::near_mesh(&structure.surface, grid, thickness_mm + 1.5);
    let mut grown = field.grown(thickness_mm as f32).smoothed(0.6);
    let bones: Vec<String> = patient
        .structures
        .iter()
        .filter(|s| s.kind == crate::atlas::StructureKind::Bone)
        .map(|s| s.id.clone())
        .collect();
    for bone in bones {
        grown = super::cut_by(&grown, patient, &bone, 0.2);
    }
    if context.put(patient, wall, &grown, LEAST_MM3)? {
        notes.push(format!("`{wall}` modelled, {thickness_mm:.1} mm thick"));
    }
    Ok(())
}

/// The fat in which the kidneys lie, within the renal fascia.
pub(super) fn perirenal_fat(
    patient: &mut Patient,
    context: &Context<'_>,
    notes: &mut Vec<String>,
) -> Result<(), EnrichError> {
    const SPACING_MM: f64 = 2.0;
    const FAT: &str = "perirenal_fat";
    if patient.structure(FAT).is_some() {
        return Ok(());
    }
    let thickness = &context.figures.walls.perirenal_fat_mm;
    let kidneys: Vec<_> = ["kidney_left", "kidney_right"]
        .iter()
        .filter_map(|id| patient.structure(id))
        .collect();
    let boxes = kidneys.iter().map(|s| s.surface.bounds());
    let Some(bounds) = boxes.reduce(|a, b| a.union(&b)) else {
        return Ok(());
    };
    let reach = thickness.value + 14.0;
    let grid = Grid::around(&bounds, reach, SPACING_MM);
    let mut fat = Field::nowhere(grid);
    for kidney in kidneys {
        let own = Field::of_mesh(&kidney.surface, grid);
        fat = fat.or(&own.closed(10.0).grown(thickness.value as f32));
    }
    if context.put(patient, FAT, &fat.smoothed(2.0), LEAST_MM3)? {
        notes.push(format!("`{FAT}` modelled, {:.0} mm thick", thickness.value));
    }
    Ok(())
}

/// The sac round the heart.
pub(super) fn pericardium(
    patient: &mut Patient,
    context: &Context<'_>,
    notes: &mut Vec<String>,
) -> Result<(), EnrichError> {
    const SPACING_MM: f64 = 1.5;
    const SAC: &str = "pericardium";
    if patient.structure(SAC).is_some() {
        return Ok(());
    }
    let Some(heart) = patient.structure("heart") else {
        return Ok(());
    };
    // On one rung with it; its outer border is drawn where it meets other things.
    if patient.structure("pericardial_effusion").is_some() {
        notes.push(format!("`{SAC}` is not added: the effusion fills it"));
        return Ok(());
    }
    let thickness_mm = context.figures.walls.pericardium_mm.value;
    let grid = Grid::around(&heart.surface.bounds(), 12.0, SPACING_MM);
    let own = Field::of_mesh(&heart.surface, grid);
    let sac = own.closed(6.0).smoothed(1.0).grown(thickness_mm as f32);
    let sac = sac.or(&own.grown(thickness_mm as f32));
    if context.put(patient, SAC, &sac, LEAST_MM3)? {
        notes.push(format!("`{SAC}` modelled, {thickness_mm} mm thick"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use geometry::check::inspect;
    use geometry::sdf::{Expr, SurfaceLimits, surface};

    use super::*;
    use crate::atlas::Atlas;
    use crate::enrich::{Enrichment, Step, enrich};
    use crate::patient::Structure;
    use crate::progress::Silent;
    use crate::tissue::TissueTable;

    fn ball(id: &str, x: f64, radius_mm: f64) -> Structure {
        let shape = Expr::Sphere {
            center: [x, 0.0, 0.0],
            radius_mm,
        };
        let mesh = surface(&shape, 1.5, &SurfaceLimits::default()).unwrap();
        Structure::of_entry(Atlas::builtin().structure(id).unwrap(), mesh)
    }

    /// Radius of the ball of a structure's volume.
    fn radius_mm(patient: &Patient, id: &str) -> f64 {
        let volume = patient.structure(id).unwrap().surface.signed_volume_mm3();
        libm::cbrt(volume * 3.0 / (4.0 * std::f64::consts::PI))
    }

    #[test]
    fn sheaths_are_as_thick_as_the_figures_say() {
        let mut patient = Patient {
            structures: vec![
                ball("gallbladder", 0.0, 20.0),
                ball("urinary_bladder", 200.0, 45.0),
                ball("kidney_left", 400.0, 30.0),
                ball("heart", 600.0, 40.0),
            ],
            ..Patient::empty("balls")
        };
        let request = Enrichment {
            steps: vec![Step::Pericardium, Step::PerirenalFat, Step::Walls],
            ..Enrichment::default()
        };
        let (atlas, tissues) = (Atlas::builtin(), TissueTable::builtin());
        enrich(&mut patient, &request, atlas, tissues, &Silent).unwrap();
        for (id, truth_mm) in [
            ("gallbladder_wall", 22.0),
            ("urinary_bladder_wall", 47.5),
            ("perirenal_fat", 38.0),
            ("pericardium", 41.5),
        ] {
            let found = radius_mm(&patient, id);
            assert!((found - truth_mm).abs() < 0.4, "{id}: {found} {truth_mm}");
            let structure = patient.structure(id).unwrap();
            assert!(structure.modelled && inspect(&structure.surface).is_sound());
        }
    }
}
