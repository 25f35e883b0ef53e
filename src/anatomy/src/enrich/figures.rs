//! `assets/enrichment.ron`: the figures by which structures are added, each with its source.

use std::collections::BTreeMap;

use catalog::{CatalogError, Document, Format, Kind, Known, NotEmpty, POSITIVE};

const FORMAT: Format = Format::new("Enrichment", 1);

catalog::record! {
    /// The whole file.
    #[derive(Clone, Debug)]
    pub struct Figures {
        /// Sources by key.
        pub sources: BTreeMap<String, String> [NotEmpty],
        /// How coarse surfaces are smoothed.
        pub smooth: SmoothFigures,
        /// The interior of kidneys.
        pub kidney: KidneyFigures,
        /// Vessels of the kidneys.
        pub renal_vessels: RenalVesselFigures,
        /// Stomach and bowel.
        pub gut: GutFigures,
        /// Walls and sheaths.
        pub walls: WallFigures,
        /// Vessels of the liver.
        pub liver: LiverFigures,
    }
}

catalog::record! {
    /// How coarse surfaces are smoothed.
    #[derive(Clone, Debug)]
    pub struct SmoothFigures {
        /// Surfaces whose triangles have shorter edges are fine as they are, mm.
        pub coarse_edge_mm: Figure,
        /// Distance between samples, mm.
        pub spacing_mm: Figure,
        /// The same for small structures, mm.
        pub fine_spacing_mm: Figure,
        /// The same for those that reach over the whole body, mm.
        pub coarse_spacing_mm: Figure,
        /// Standard deviation of the Gaussian, mm.
        pub sigma_mm: Figure,
        /// No distance may change by more than this, mm.
        pub bound_mm: Figure,
    }
}

catalog::record! {
    /// Vessels of the kidneys.
    #[derive(Clone, Debug)]
    pub struct RenalVesselFigures {
        /// Radius of a renal artery, mm.
        pub artery_radius_mm: Figure,
        /// Radius of a renal vein, mm.
        pub vein_radius_mm: Figure,
    }
}

catalog::record! {
    /// Stomach and bowel.
    #[derive(Clone, Debug)]
    pub struct GutFigures {
        /// Thickness of the stomach's wall, mm.
        pub stomach_wall_mm: Figure,
        /// Thickness of the bowel's wall, mm.
        pub bowel_wall_mm: Figure,
        /// Share of the stomach that is gas.
        pub stomach_gas_share: Figure,
        /// Down to which share of its height the colon is gas, in the middle of a patch.
        pub colon_gas_height: Figure,
        /// Distance from patch to patch, mm.
        pub colon_gas_patch_mm: Figure,
    }
}

catalog::record! {
    /// Walls and sheaths.
    #[derive(Clone, Debug)]
    pub struct WallFigures {
        /// Wall of the gallbladder, mm.
        pub gallbladder_mm: Figure,
        /// Wall of an empty bladder, mm.
        pub bladder_empty_mm: Figure,
        /// Wall of a full bladder, mm.
        pub bladder_full_mm: Figure,
        /// From this volume on a bladder counts as full, ml.
        pub bladder_full_ml: Figure,
        /// Fat round the kidneys, mm.
        pub perirenal_fat_mm: Figure,
        /// The pericardium, mm.
        pub pericardium_mm: Figure,
    }
}

catalog::record! {
    /// A figure, how far people differ in it, and where it comes from.
    #[derive(Clone, Debug)]
    pub struct Figure {
        /// The mean.
        pub value: f64 [POSITIVE],
        /// Standard deviation among people.
        pub sd: f64 [0.0..=100.0] = 0.0,
        /// Key of the source.
        pub source: Option<String> [Known("source")] = None,
        /// Whether it is the editor's judgement.
        pub estimate: bool = false,
    }
}

catalog::record! {
    /// What is inside a kidney.
    #[derive(Clone, Debug)]
    pub struct KidneyFigures {
        /// From the capsule to the bases of the pyramids, mm.
        pub cortex_mm: Figure,
        /// From the capsule to the sinus, mm.
        pub parenchyma_mm: Figure,
        /// Pyramids along the convex border.
        pub pyramids_lateral: Figure,
        /// Pyramids on the front, and as many on the back.
        pub pyramids_face: Figure,
        /// Pyramids in each of the two lips of the hilum.
        pub pyramids_lip: Figure,
        /// Radius of a pyramid's base, mm.
        pub pyramid_base_radius_mm: Figure,
        /// Radius of its tip, mm.
        pub papilla_radius_mm: Figure,
        /// Cortex between neighbouring pyramids, mm.
        pub column_mm: Figure,
        /// Radius of the fat that reaches out along the calyces, mm.
        pub calyx_sheath_radius_mm: Figure,
        /// Half the length of the sinus' mouth, along the kidney, mm.
        pub hilum_half_length_mm: Figure,
        /// Half its width, mm.
        pub hilum_half_width_mm: Figure,
        /// Collecting system by grade of hydronephrosis, from 0.
        pub grades: Vec<GradeFigures>,
    }
}

catalog::record! {
    /// The collecting system at one grade of hydronephrosis.
    #[derive(Clone, Debug)]
    pub struct GradeFigures {
        /// Radius of the renal pelvis, mm.
        pub pelvis_mm: f64 [0.0..=60.0],
        /// Radius of the tubes to the calyces, mm; 0: none.
        pub infundibulum_mm: f64 [0.0..=40.0],
        /// Radius of the calyces, mm; 0: none.
        pub calyx_mm: f64 [0.0..=40.0],
        /// Fat that is left between the calyces and the parenchyma where urine fills the rest of
        /// the sinus, mm; 0: it does not.
        pub fat_rim_mm: f64 [0.0..=20.0],
        /// Share of the parenchyma that is left.
        pub parenchyma: f64 [0.1..=1.0],
        /// Key of the source.
        pub source: Option<String> [Known("source")] = None,
    }
}

catalog::record! {
    /// The liver's vessels.
    #[derive(Clone, Debug)]
    pub struct LiverFigures {
        /// Least radius of the portal vein at its bifurcation, mm; the patient's own is taken between.
        pub portal_least_radius_mm: Figure,
        /// Greatest radius of the portal vein at its bifurcation, mm.
        pub portal_most_radius_mm: Figure,
        /// Radius of the right hepatic vein where it meets the cava, mm.
        pub hepatic_radius_mm: Figure,
        /// Radius of the thinnest branch, mm.
        pub least_radius_mm: Figure,
        /// Radius of the thinnest branch in the vessel graph, mm.
        pub graph_least_radius_mm: Figure,
        /// Radius of a hepatic artery as a share of the portal branch's beside it.
        pub artery_share: Figure,
        /// Radius of a bile duct as a share of the portal branch's beside it.
        pub duct_share: Figure,
        /// Radius at which arteries and ducts end, mm.
        pub companion_least_mm: Figure,
        /// From the liver's surface or another structure to a vessel's wall, mm.
        pub margin_mm: Figure,
        /// Between walls of portal branches and hepatic veins, mm.
        pub gap_mm: Figure,
        /// Between walls of one tree's branches, mm.
        pub own_gap_mm: Figure,
        /// Shortest branch, mm.
        pub shortest_mm: Figure,
        /// Share of the volume to the right of the right hepatic vein.
        pub posterior_share: Figure,
        /// Share of the volume between the right and the middle hepatic vein.
        pub anterior_share: Figure,
        /// Share of the volume between the middle and the left hepatic vein.
        pub medial_share: Figure,
        /// Share of the volume to the left of the left hepatic vein.
        pub lateral_share: Figure,
        /// Share of the right posterior section that is segment VI.
        pub posterior_lower: Figure,
        /// Share of the right anterior section that is segment V.
        pub anterior_lower: Figure,
        /// Share of the left lateral section that is segment III.
        pub lateral_front: Figure,
    }
}

impl Figures {
    /// The figures that are built in.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn builtin() -> Result<Self, CatalogError> {
        let text = include_str!("../../../../assets/enrichment.ron");
        let document = Document::parse(text, "enrichment.ron", &FORMAT)?;
        let keys = keys_of(&document, "sources");
        document
            .knowing("source", "`sources` of this file", keys)
            .resolve_with(|figures: Self, _| Some(figures))
    }
}

/// The keys of one of the document's maps, as far as they can be read.
fn keys_of(document: &Document, map: &str) -> Vec<String> {
    let Some(Kind::Map(entries)) = document.root().field(map).map(|node| &node.kind) else {
        return Vec::new();
    };
    entries
        .iter()
        .filter_map(|(key, _)| match &key.kind {
            Kind::Text(text) => Some(text.clone()),
            _ => None,
        })
        .collect()
}
