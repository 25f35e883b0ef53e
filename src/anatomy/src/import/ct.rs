//! What the CT adds to a label map: skin, fat, the lean tissue without a label, bowel gas.

use std::path::Path;

use geometry::Volume;
use geometry::labels::{LabelSurface, SurfaceOptions, surface_of_mask};
use geometry::polygonise::polygonise;

use super::body::{body_mask, gas_mask, inset_field, lean_mask};
use super::labels::structure;
use super::{ImportError, Sourced};
use crate::atlas::Atlas;
use crate::progress::Progress;

/// Thickness of the skin of the trunk: epidermis and dermis are 1.5 to 2.5 mm there (ICRP
/// Publication 89, 2002, §10.2).
const SKIN_MM: f32 = 2.0;

/// Smaller patches of unlabelled lean tissue are crumbs between labels.
const LEAST_LEAN_ML: f64 = 2.0;

/// Smaller bubbles are noise.
const LEAST_GAS_ML: f64 = 0.3;

/// Structures made from the CT, named as in the atlas.
pub(super) fn import(
    path: &Path,
    ct: &Volume<f32>,
    labels: &Volume<u16>,
    airy: impl Fn(u16) -> bool,
    atlas: &Atlas,
    progress: &dyn Progress,
) -> Result<Vec<Sourced>, ImportError> {
    progress.stage("skin, fat and muscle from the CT", 4);
    let body = body_mask(ct, labels);
    let skin = surface(path, &body, 0.0)?.ok_or_else(|| ImportError::NoBody(path.to_owned()))?;
    progress.step();
    let inner = polygonise(&inset_field(&skin.mesh, &body, SKIN_MM), 0.0).map_err(|source| {
        ImportError::Polygonise {
            file: path.to_owned(),
            source,
        }
    })?;
    progress.step();
    let lean = surface(path, &lean_mask(ct, labels, &body), LEAST_LEAN_ML)?;
    progress.step();
    let gas = surface(path, &gas_mask(ct, labels, &body, airy), LEAST_GAS_ML)?;
    progress.step();

    let fat = LabelSurface {
        mesh: inner,
        ..skin.clone()
    };
    let given_in = path.display().to_string();
    [
        ("skin", Some(skin)),
        ("body_fat", Some(fat)),
        ("skeletal_muscle", lean),
        ("bowel_gas", gas),
    ]
    .into_iter()
    .filter_map(|(id, surface)| Some((id, surface?)))
    .map(|(id, surface)| {
        let structure = structure(atlas, &given_in, id, surface)?;
        Ok(Sourced {
            structure,
            given_in: given_in.clone(),
            unit: None,
        })
    })
    .collect()
}

fn surface(
    path: &Path,
    mask: &Volume<u8>,
    least_ml: f64,
) -> Result<Option<LabelSurface>, ImportError> {
    let least_voxels = (least_ml * 1000.0 / mask.voxel_mm3()).ceil() as u64;
    let options = SurfaceOptions {
        drop_islands_below_voxels: least_voxels,
        ..Default::default()
    };
    surface_of_mask(mask, &options).map_err(|source| ImportError::Label {
        file: path.to_owned(),
        source,
    })
}
