//! Stomach and bowel: wall, content, gas.
//!
//! What a label map or a recipe calls colon is wall and content together. The wall takes the
//! outside; the content shrinks by its thickness. So neighbours meet the same surface as before, and
//! nothing new overlaps. Where no gas is known, some is put where it gathers in a person lying on
//! the back: in front, in patches along the colon and as a level in the stomach.

use nalgebra::Vector3;
use rayon::prelude::*;

use super::field::{Field, Grid};
use super::random::Draws;
use super::{Context, EnrichError};
use crate::patient::Patient;

/// Distance between samples, mm.
const SPACING_MM: f64 = 1.5;

/// Crumbs below this are left out, mm³.
const LEAST_MM3: f64 = 60.0;

/// Organs whose walls are one structure, and how thick the wall is.
struct Tract {
    wall: &'static str,
    organs: &'static [&'static str],
    /// What the wall must not share space with: structures of its own rung.
    neighbours: &'static [&'static str],
}

const TRACTS: [Tract; 2] = [
    Tract {
        wall: "stomach_wall",
        organs: &["stomach"],
        neighbours: &["liver", "spleen"],
    },
    Tract {
        wall: "bowel_wall",
        organs: &["duodenum", "small_bowel", "colon"],
        neighbours: &["liver", "spleen", "stomach_wall"],
    },
];

pub(super) fn add(
    patient: &mut Patient,
    context: &Context<'_>,
    notes: &mut Vec<String>,
) -> Result<(), EnrichError> {
    for tract in &TRACTS {
        add_wall(patient, tract, context, notes)?;
    }
    stomach_gas(patient, context, notes)?;
    bowel_gas(patient, context, notes)
}

fn add_wall(
    patient: &mut Patient,
    tract: &Tract,
    context: &Context<'_>,
    notes: &mut Vec<String>,
) -> Result<(), EnrichError> {
    if patient.structure(tract.wall).is_some() {
        return Ok(());
    }
    let organs: Vec<usize> = tract
        .organs
        .iter()
        .filter(|id| !context.request.keep_surfaces.iter().any(|keep| keep == *id))
        .filter_map(|id| patient.structure_index(id))
        .collect();
    let boxes = organs
        .iter()
        .map(|&n| patient.structures[n].surface.bounds());
    let Some(bounds) = boxes.reduce(|a, b| a.union(&b)) else {
        return Ok(());
    };
    let grid = Grid::around(&bounds, 4.0, SPACING_MM);
    let gut = &context.figures.gut;
    let mut outside = Field::nowhere(grid);
    let mut shrunk = Vec::new();
    let before: &Patient = patient;
    let of_organ = |&organ: &usize| {
        let structure = &before.structures[organ];
        let wall_mm = match structure.id.as_str() {
            "stomach" => gut.stomach_wall_mm.value,
            _ => gut.bowel_wall_mm.value,
        };
        let own = Grid::around(&structure.surface.bounds(), 3.0, SPACING_MM);
        let field = Field::near_mesh(&structure.surface, own, wall_mm + 2.0);
        let lumen = field.grown(-wall_mm as f32).smoothed(0.5);
        let content = lumen
            .surface(LEAST_MM3)
            .map_err(super::surface_error(&structure.id))?;
        Ok((organ, wall_mm, field, content))
    };
    let made: Vec<_> = organs
        .par_iter()
        .with_max_len(1)
        .map(of_organ)
        .collect::<Result<_, EnrichError>>()?;
    for (organ, wall_mm, field, content) in made {
        let structure = &patient.structures[organ];
        let Some(content) = content else {
            notes.push(format!(
                "`{}` gets no wall: it is too thin for one of {wall_mm} mm",
                structure.id
            ));
            continue;
        };
        outside.add_part(&field);
        shrunk.push((organ, content, wall_mm));
    }
    if shrunk.is_empty() {
        return Ok(());
    }
    for id in tract.neighbours {
        outside = super::cut_by(&outside, patient, id, 0.2);
    }
    context.put(patient, tract.wall, &outside, LEAST_MM3)?;
    for (organ, content, wall_mm) in shrunk {
        let structure = &mut patient.structures[organ];
        structure.surface = content;
        notes.push(format!(
            "`{}`: a wall of {wall_mm} mm modelled (`{}`), the content is what is left",
            structure.id, tract.wall
        ));
    }
    Ok(())
}

/// The bubble under the front wall of the stomach, with its level.
fn stomach_gas(
    patient: &mut Patient,
    context: &Context<'_>,
    notes: &mut Vec<String>,
) -> Result<(), EnrichError> {
    let Some(stomach) = patient.structure("stomach") else {
        return Ok(());
    };
    if ["stomach_gas", "bowel_gas"]
        .iter()
        .any(|id| patient.structure(id).is_some())
    {
        return Ok(());
    }
    let figure = &context.figures.gut.stomach_gas_share;
    let draws = Draws::new(context.request.seed, "stomach_gas");
    let share = draws.figure(figure, 0);
    let grid = Grid::around(&stomach.surface.bounds(), 2.0, SPACING_MM);
    let field = Field::near_mesh(&stomach.surface, grid, 3.0);
    let level = level_mm(&field, share);
    let gas = Field::of_points(grid, |n| {
        let below = grid.place(n).y - level;
        (field.values[n] + 0.4).max(below as f32)
    });
    if context.put(patient, "stomach_gas", &gas, LEAST_MM3)? {
        notes.push(format!(
            "`stomach_gas` modelled: {:.0} % of the stomach, in front",
            share * 100.0
        ));
    }
    Ok(())
}

/// The depth (y) above which, to the front, this share of a solid lies.
fn level_mm(field: &Field, share: f64) -> f64 {
    let mut depths: Vec<f64> = field
        .values
        .iter()
        .enumerate()
        .filter(|(_, v)| **v < 0.0)
        .map(|(n, _)| field.grid.place(n).y)
        .collect();
    depths.sort_by(f64::total_cmp);
    let at = (depths.len() as f64 * share.clamp(0.0, 1.0)) as usize;
    depths.get(at).copied().unwrap_or(f64::NEG_INFINITY)
}

/// Patches of gas in the front half of the colon.
fn bowel_gas(
    patient: &mut Patient,
    context: &Context<'_>,
    notes: &mut Vec<String>,
) -> Result<(), EnrichError> {
    let Some(colon) = patient.structure("colon") else {
        return Ok(());
    };
    if patient.structure("bowel_gas").is_some() {
        return Ok(());
    }
    let gut = &context.figures.gut;
    let draws = Draws::new(context.request.seed, "bowel_gas");
    let grid = Grid::around(&colon.surface.bounds(), 2.0, SPACING_MM);
    let field = Field::near_mesh(&colon.surface, grid, 3.0);
    let height = heights(&field);
    let front = gut.colon_gas_height.value;
    let length = gut.colon_gas_patch_mm.value;
    let gas = Field::of_points(grid, |n| {
        if field.values[n] > 0.0 {
            return 3.0;
        }
        let patch = waves(grid.place(n), length, draws);
        // The level sinks to nothing at a patch's rim.
        let level = front * (0.5 + patch).clamp(-0.2, 1.0);
        let below = (f64::from(height[n]) - level) * 12.0;
        (field.values[n] + 0.4).max(below as f32)
    });
    if context.put(patient, "bowel_gas", &gas.smoothed(1.0), LEAST_MM3)? {
        notes.push("`bowel_gas` modelled: patches in front in the colon".to_owned());
    }
    Ok(())
}

/// For each point inside, how far it lies from the front of its stretch along y (0) to its back (1).
fn heights(field: &Field) -> Vec<f32> {
    let [ni, nj, nk] = field.grid.dims;
    let mut heights = vec![1.0; field.values.len()];
    for k in 0..nk {
        for i in 0..ni {
            let at = |j: usize| i + ni * (j + nj * k);
            let mut j = 0;
            while j < nj {
                if field.values[at(j)] >= 0.0 {
                    j += 1;
                    continue;
                }
                let end = (j..nj).find(|&e| field.values[at(e)] >= 0.0).unwrap_or(nj);
                for inside in j..end {
                    heights[at(inside)] = (inside - j) as f32 / (end - j) as f32;
                }
                j = end;
            }
        }
    }
    heights
}

/// Smooth waves between about −1 and 1, of this length, at random phases and directions.
fn waves(p: Vector3<f64>, length_mm: f64, draws: Draws) -> f64 {
    const COUNT: u64 = 5;
    let turn = 2.0 * std::f64::consts::PI;
    let wave = |n: u64| {
        let z = 2.0 * draws.unit(10 + 3 * n) - 1.0;
        let angle = turn * draws.unit(11 + 3 * n);
        let flat = (1.0 - z * z).sqrt();
        let direction = Vector3::new(flat * libm::cos(angle), flat * libm::sin(angle), z);
        libm::sin(turn * (p.dot(&direction) / length_mm + draws.unit(12 + 3 * n)))
    };
    (0..COUNT).map(wave).sum::<f64>() / (COUNT as f64 / 2.0).sqrt() / 2.0_f64.sqrt()
}

#[cfg(test)]
mod tests {
    use geometry::check::inspect;
    use geometry::sdf::{Expr, SurfaceLimits, TubePoint, surface};

    use super::*;
    use crate::atlas::Atlas;
    use crate::enrich::{Enrichment, Step, enrich};
    use crate::patient::Structure;
    use crate::progress::Silent;
    use crate::tissue::TissueTable;

    fn structure(id: &str, shape: &Expr) -> Structure {
        let mesh = surface(shape, 1.5, &SurfaceLimits::default()).unwrap();
        Structure::of_entry(Atlas::builtin().structure(id).unwrap(), mesh)
    }

    fn enriched() -> (Patient, Vec<String>) {
        let bend = [[-80.0, 0.0, 0.0], [0.0, -20.0, 20.0], [80.0, 0.0, 0.0]];
        let colon = Expr::Tube {
            points: bend
                .map(|place| TubePoint {
                    place,
                    radius_mm: 22.0,
                })
                .to_vec(),
        };
        let stomach = Expr::Ellipsoid {
            center: [0.0, 0.0, 90.0],
            radii_mm: [60.0, 30.0, 30.0],
        };
        let mut patient = Patient {
            structures: vec![structure("colon", &colon), structure("stomach", &stomach)],
            ..Patient::empty("gut")
        };
        let request = Enrichment {
            steps: vec![Step::Gut],
            ..Enrichment::default()
        };
        let (atlas, tissues) = (Atlas::builtin(), TissueTable::builtin());
        let notes = enrich(&mut patient, &request, atlas, tissues, &Silent).unwrap();
        (patient, notes)
    }

    #[test]
    fn walls_take_the_outside_and_the_content_shrinks() {
        let (patient, notes) = enriched();
        for s in &patient.structures {
            assert!(inspect(&s.surface).is_sound(), "{}", s.id);
        }
        let volume = |id: &str| patient.structure(id).unwrap().surface.signed_volume_mm3();
        // An ellipsoid shrunk by 3 mm all round, to first order its area times 3 mm.
        let ellipsoid =
            |by: f64| 4.0 / 3.0 * std::f64::consts::PI * (60.0 - by) * (30.0 - by) * (30.0 - by);
        assert!(
            (volume("stomach_wall") / ellipsoid(0.0) - 1.0).abs() < 0.02,
            "{notes:?}"
        );
        assert!(
            (volume("stomach") / ellipsoid(3.0) - 1.0).abs() < 0.03,
            "{notes:?}"
        );
        assert!(volume("bowel_wall") > 1.1 * volume("colon"));
    }

    #[test]
    fn gas_gathers_in_front() {
        let (patient, notes) = enriched();
        let gas = patient.structure("stomach_gas").unwrap();
        let stomach = patient.structure("stomach").unwrap();
        let share = gas.surface.signed_volume_mm3() / stomach.surface.signed_volume_mm3();
        assert!((0.05..0.25).contains(&share), "{share} {notes:?}");
        assert!(gas.surface.bounds().max[1] < 0.0);
        let middle = geometry::moments::moments(&patient.structure("bowel_gas").unwrap().surface);
        assert!(middle.unwrap().centroid.y() < -5.0);
    }
}
