//! The patient as the room shows it: decimated surfaces by layer. Made once, on a worker.

use std::sync::Arc;

use anatomy::atlas::StructureKind;
use anatomy::tissue::{DisplayName, TissueTable};
use anatomy::{Patient, Structure};
use bevy::math::Vec3;
use bevy_rapier3d::prelude::Collider;
use geometry::Point;
use rayon::prelude::*;

use crate::convert;
use crate::decimate::{ShownMesh, cell_for, clustered, smooth};
use crate::hand::SkinHand;
use crate::skin::SkinSurface;

/// How finely a body is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// For a graphics card.
    Fine,
    /// For a processor that plays one: a triangle of a few pixels costs it as much as a large one.
    Coarse,
}

impl Detail {
    /// For a device.
    pub fn of_device(is_software: bool) -> Self {
        match is_software {
            true => Self::Coarse,
            false => Self::Fine,
        }
    }

    /// Triangles by group: the skin, what is hidden at first, and all else.
    fn triangles(self) -> [usize; 3] {
        match self {
            Self::Fine => [16_000, 20_000, 44_000],
            Self::Coarse => [8_000, 10_000, 22_000],
        }
    }
}

/// Layers in which a body is peeled, from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The skin.
    Skin,
    /// Fat, muscle and what is just called body.
    Soft,
    /// Bone and cartilage.
    Bone,
    /// Organs, their parts and what is in them.
    Organs,
    /// Arteries and veins.
    Vessels,
}

impl Layer {
    /// All, from outside.
    pub const ALL: [Self; 5] = [
        Self::Skin,
        Self::Soft,
        Self::Bone,
        Self::Organs,
        Self::Vessels,
    ];

    /// Where a kind of structure belongs.
    pub fn of(kind: StructureKind) -> Self {
        use StructureKind as Kind;
        match kind {
            Kind::Skin => Self::Skin,
            Kind::Body | Kind::Fat | Kind::Muscle => Self::Soft,
            Kind::Bone | Kind::Cartilage => Self::Bone,
            Kind::Artery | Kind::Vein => Self::Vessels,
            Kind::Organ
            | Kind::OrganPart
            | Kind::Hollow
            | Kind::Airway
            | Kind::Cavity
            | Kind::Lesion => Self::Organs,
        }
    }

    /// Position in [`Layer::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// A structure as shown.
#[derive(Clone, Debug)]
pub struct Part {
    /// What people call it.
    pub name: DisplayName,
    /// Where it belongs.
    pub layer: Layer,
    /// sRGB.
    pub color: [u8; 3],
    /// Its surface.
    pub mesh: ShownMesh,
    /// For picking; `None` where Rapier cannot use the surface.
    pub collider: Option<Collider>,
}

/// A body ready to be shown.
#[derive(Clone, Debug)]
pub struct Body {
    /// Its structures.
    pub parts: Vec<Part>,
    /// The skin for the hand.
    pub skin: Option<SkinSurface>,
    /// Where the hand begins.
    pub start: Option<SkinHand>,
    /// Corners of its box in the world, m.
    pub bounds: (Vec3, Vec3),
}

impl Body {
    /// Triangles in all.
    pub fn triangles(&self) -> usize {
        self.parts
            .iter()
            .map(|part| part.mesh.triangles.len())
            .sum()
    }
}

/// Makes a patient ready to be shown. Takes seconds: call it on a worker.
pub fn shown(patient: &Patient, tissues: &TissueTable, detail: Detail) -> Body {
    let budgets = budgets(&patient.structures, detail);
    let parts: Vec<Part> = patient
        .structures
        .par_iter()
        .zip(&budgets)
        .map(|(structure, &triangles)| part(structure, triangles, tissues))
        .collect();
    let skin = outermost(&parts).and_then(|part| SkinSurface::new(&part.mesh));
    let start = skin
        .as_ref()
        .and_then(|skin| right_flank(patient, skin))
        .or_else(|| skin.as_ref().and_then(front));
    Body {
        bounds: bounds(&parts),
        skin,
        start,
        parts,
    }
}

/// Makes it on a thread of its own.
pub fn shown_on_worker(patient: Arc<Patient>, detail: Detail) -> std::sync::mpsc::Receiver<Body> {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // Nobody listens any more: the room was left.
        let _ = send.send(shown(&patient, TissueTable::builtin(), detail));
    });
    receive
}

/// How many triangles each structure may have: large ones more, but less than in proportion.
fn budgets(structures: &[Structure], detail: Detail) -> Vec<usize> {
    let layers: Vec<Layer> = structures.iter().map(|s| Layer::of(s.kind)).collect();
    let weights: Vec<f64> = structures
        .iter()
        .map(|s| s.surface.area_mm2().max(1.0).powf(0.75))
        .collect();
    let group = |layer: Layer| match layer {
        Layer::Skin => 0,
        Layer::Soft => 1,
        _ => 2,
    };
    let totals = detail.triangles();
    let mut sums = [0.0; 3];
    for (layer, weight) in layers.iter().zip(&weights) {
        sums[group(*layer)] += weight;
    }
    let share = |(layer, weight): (&Layer, &f64)| {
        let of = group(*layer);
        (totals[of] as f64 * weight / sums[of]) as usize
    };
    layers.iter().zip(&weights).map(share).collect()
}

fn part(structure: &Structure, triangles: usize, tissues: &TissueTable) -> Part {
    let surface = &structure.surface;
    let cell_mm = match surface.triangles().len() <= triangles {
        true => 0.0,
        false => cell_for(surface.area_mm2(), triangles.max(60)),
    };
    let mut mesh = clustered(surface.vertices(), surface.triangles(), cell_mm);
    smooth(&mut mesh, 2);
    Part {
        name: structure.name.clone(),
        layer: Layer::of(structure.kind),
        color: structure.display_color(tissues),
        collider: collider(&mesh),
        mesh,
    }
}

/// A surface for Rapier, in the world.
pub(crate) fn collider(mesh: &ShownMesh) -> Option<Collider> {
    let vertices = mesh.places.iter().map(|&p| convert::vertex(p)).collect();
    match mesh.triangles.is_empty() {
        true => None,
        false => Collider::trimesh(vertices, mesh.triangles.clone()).ok(),
    }
}

/// The skin, or else the largest part: test objects have no skin.
fn outermost(parts: &[Part]) -> Option<&Part> {
    let skin = parts.iter().find(|part| part.layer == Layer::Skin);
    skin.or_else(|| {
        let extent = |part: &&Part| {
            let (least, most) = bounds(std::slice::from_ref(*part));
            most - least
        };
        parts
            .iter()
            .max_by(|a, b| extent(a).length().total_cmp(&extent(b).length()))
    })
}

fn bounds(parts: &[Part]) -> (Vec3, Vec3) {
    let places = parts.iter().flat_map(|part| &part.mesh.places);
    let all = places.fold(None, |bounds: Option<(Vec3, Vec3)>, &p| {
        let p = convert::vertex(p);
        Some(bounds.map_or((p, p), |(least, most)| (least.min(p), most.max(p))))
    });
    all.unwrap_or((Vec3::splat(-0.1), Vec3::splat(0.1)))
}

/// On the right flank beside the kidney, where the FAST examination begins.
fn right_flank(patient: &Patient, skin: &SkinSurface) -> Option<SkinHand> {
    let kidney = patient.structure("kidney_right")?;
    let [x, y, z] = kidney.surface.bounds().center().map(f64::from);
    // A hand's breadth above the kidney's middle lies the recess; a little to the front is no rib.
    let toward = Point::new(x, y - 20.0, z + 15.0);
    let from = Point::new(x - 400.0, y - 120.0, z + 15.0);
    skin.hand_towards(from, toward)
}

/// On the middle of the front.
fn front(skin: &SkinSurface) -> Option<SkinHand> {
    let [x, y, z] = skin.middle().to_array();
    // Beside the very middle, where triangles of a box meet.
    let (x, z) = (x + 0.37, z + 0.61);
    skin.hand_towards(Point::new(x, y - 1000.0, z), Point::new(x, y, z))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anatomy::Silent;
    use anatomy::atlas::Atlas;
    use anatomy::recipe::Recipe;

    #[test]
    fn the_phantom_is_shown_within_budget_with_a_start_on_its_right() {
        let recipe = Recipe::builtin("phantom-torso").expect("built in");
        let patient = recipe
            .make(Atlas::builtin(), TissueTable::builtin(), &Silent)
            .expect("it is made in other tests too");
        let body = shown(&patient, TissueTable::builtin(), Detail::Fine);
        assert_eq!(body.parts.len(), patient.structures.len());
        assert!(body.triangles() < 100_000, "{}", body.triangles());
        let coarse = shown(&patient, TissueTable::builtin(), Detail::Coarse);
        assert!(coarse.triangles() < 50_000, "{}", coarse.triangles());
        let start = body.start.expect("it has a skin and a kidney");
        assert!(start.outward.x() < -0.5, "{:?}", start.outward);
        assert!(body.parts.iter().all(|part| part.collider.is_some()));
    }

    #[test]
    fn every_layer_has_its_place() {
        for (index, layer) in Layer::ALL.into_iter().enumerate() {
            assert_eq!(layer.index(), index);
        }
    }
}
