//! The atlas: anatomical structures known by name, and the standard planes made of them.
//!
//! Both are data, `assets/structures.ron` and `assets/planes.ron`, built in, or other files of
//! that form. What is absent here: any patient. The atlas says what a liver is, not where one lies.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use catalog::{
    CatalogError, Document, Faults, Finding, Format, FromNode, Known, Node, Rule, ToNode,
};
use thiserror::Error;

use crate::direction::Direction;
use crate::entry::{Entries, Entry, Id};
pub use crate::plane::{Exam, FittedPlane, PlaneEntry, PlaneRule};
pub use crate::tissue::DisplayName;
use crate::tissue::{TissueId, TissueTable};

const STRUCTURES: Format = Format::new("Structures", 1).with_max_bytes(16 << 20);
const PLANES: Format = Format::new("Planes", 1).with_max_bytes(16 << 20);

catalog::choice! {
    /// What kind of thing a structure is.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum StructureKind {
        /// The trunk's soft tissue, in which everything else lies.
        Body,
        /// Skin; its outer surface bounds the patient.
        Skin,
        /// Fat.
        Fat,
        /// Muscle.
        Muscle,
        /// Bone.
        Bone,
        /// Cartilage.
        Cartilage,
        /// A solid organ.
        Organ,
        /// A part, wall or sheath of an organ.
        OrganPart,
        /// An organ that is mostly its content.
        Hollow,
        /// Blood in an artery.
        Artery,
        /// Blood in a vein.
        Vein,
        /// A tube of air.
        Airway,
        /// A space with a content: heart chambers, gas, cerebral ventricles.
        Cavity,
        /// What should not be there.
        Lesion,
    }
}

impl StructureKind {
    /// Whether its centreline is a vessel of the vessel graph.
    pub fn is_vessel(self) -> bool {
        matches!(self, Self::Artery | Self::Vein)
    }
}

catalog::choice! {
    /// Which blood a vessel carries. Vessels of different circuits never open into each other.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Circuit {
        /// From the left heart.
        Arterial,
        /// To the right heart.
        Venous,
        /// From bowel and spleen to the liver.
        Portal,
        /// From the right heart to the lungs.
        PulmonaryArterial,
        /// From the lungs to the left heart.
        PulmonaryVenous,
    }
}

catalog::record! {
    /// The ends at which blood comes in and leaves, as directions in the patient: a hint for
    /// graphs whose ends are not labelled.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Flow {
        /// Blood comes in at the end that lies farthest this way.
        pub inlet: Direction,
        /// Blood leaves at the end that lies farthest this way.
        pub outlet: Direction,
    }
}

/// A structure that the atlas knows.
#[derive(Clone, Debug, PartialEq)]
pub struct StructureEntry {
    /// How files call it: `kidney_left`.
    pub id: String,
    /// How people call it.
    pub name: DisplayName,
    /// What it is made of.
    pub tissue: TissueId,
    /// What kind of thing it is.
    pub kind: StructureKind,
    /// Where surfaces overlap the higher one wins; the ladder is in the head of the file.
    pub priority: i32,
    /// Plausible length of the longest side of its box: least and most, mm.
    pub longest_mm: (f64, f64),
    /// sRGB, for display: its own, or else its tissue's.
    pub color: [u8; 3],
    /// Vessels: which way the blood goes, if that can be said in general.
    pub flow: Option<Flow>,
    /// Vessels: whose blood it is; `None` for everything else.
    pub circuit: Option<Circuit>,
}

/// A structure is larger or smaller than a human one can be.
#[derive(Clone, Debug, PartialEq, Error)]
#[error(
    "structure `{structure}` is {longest_mm:.1} mm long, where {least_mm} to {most_mm} mm are \
     plausible; is the file in another unit than millimetres?"
)]
pub struct ImplausibleSize {
    /// The structure's id.
    pub structure: String,
    /// The longest side of its box.
    pub longest_mm: f64,
    /// The least that is plausible.
    pub least_mm: f64,
    /// The most that is plausible.
    pub most_mm: f64,
}

impl StructureEntry {
    /// Whether a structure whose box has this longest side can be what it is called.
    ///
    /// # Errors
    ///
    /// It is larger or smaller than any; a length that is no number, too.
    pub fn check_longest(&self, longest_mm: f64) -> Result<(), ImplausibleSize> {
        let (least_mm, most_mm) = self.longest_mm;
        if (least_mm..=most_mm).contains(&longest_mm) {
            return Ok(());
        }
        Err(ImplausibleSize {
            structure: self.id.clone(),
            longest_mm,
            least_mm,
            most_mm,
        })
    }
}

/// Structures and planes by id.
#[derive(Clone, Debug, PartialEq)]
pub struct Atlas {
    structures: Vec<StructureEntry>,
    by_id: BTreeMap<String, usize>,
    planes: Vec<PlaneEntry>,
}

impl Atlas {
    /// The atlas that is built in, on [`TissueTable::builtin`].
    pub fn builtin() -> &'static Self {
        static ATLAS: OnceLock<Atlas> = OnceLock::new();
        ATLAS.get_or_init(|| {
            let structures = include_str!("../../../assets/structures.ron");
            let planes = include_str!("../../../assets/planes.ron");
            let (structures, planes) = ((structures, "structures.ron"), (planes, "planes.ron"));
            Self::parse(structures, planes, TissueTable::builtin())
                .expect("the built-in atlas is read by a test")
        })
    }

    /// Reads files of the form of `assets/structures.ron` and `assets/planes.ron`.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or everything that is wrong with the first faulty one.
    pub fn open(
        structures: impl AsRef<Path>,
        planes: impl AsRef<Path>,
        tissues: &TissueTable,
    ) -> Result<Self, CatalogError> {
        let structures = Document::open(structures, &STRUCTURES)?;
        let planes = Document::open(planes, &PLANES)?;
        Self::read(structures, planes, tissues)
    }

    /// Reads texts of that form; the second of each pair names the text in faults.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the first faulty one.
    pub fn parse(
        structures: (&str, &str),
        planes: (&str, &str),
        tissues: &TissueTable,
    ) -> Result<Self, CatalogError> {
        let structures = Document::parse(structures.0, structures.1, &STRUCTURES)?;
        let planes = Document::parse(planes.0, planes.1, &PLANES)?;
        Self::read(structures, planes, tissues)
    }

    fn read(
        structures: Document,
        planes: Document,
        tissues: &TissueTable,
    ) -> Result<Self, CatalogError> {
        let home = structures.source().to_owned();
        let structures = read_structures(structures, tissues)?;
        let ids = structures.iter().map(|structure| structure.id.as_str());
        let planes = planes.knowing("structure", home, ids);
        let by_id = ids_in_order(&structures);
        Ok(Self {
            structures,
            by_id,
            planes: read_planes(&planes)?,
        })
    }

    /// The structure called `id`.
    pub fn structure(&self, id: &str) -> Option<&StructureEntry> {
        self.by_id.get(id).map(|index| &self.structures[*index])
    }

    /// All structures, in the order of the file.
    pub fn structures(&self) -> &[StructureEntry] {
        &self.structures
    }

    /// The id most like `id`, for messages.
    pub fn nearest_structure(&self, id: &str) -> Option<&str> {
        catalog::nearest(id, self.by_id.keys().map(String::as_str))
    }

    /// The plane called `id`.
    pub fn plane(&self, id: &str) -> Option<&PlaneEntry> {
        self.planes.iter().find(|plane| plane.id == id)
    }

    /// All planes, in the order of the file.
    pub fn planes(&self) -> &[PlaneEntry] {
        &self.planes
    }

    /// The planes of a patient with the structures for which `has` is true, in the order of the
    /// file.
    pub fn planes_for(&self, has: impl Fn(&str) -> bool) -> Vec<FittedPlane<'_>> {
        self.planes
            .iter()
            .filter_map(|plane| plane.fit(&has))
            .collect()
    }
}

fn ids_in_order(structures: &[StructureEntry]) -> BTreeMap<String, usize> {
    let ids = structures.iter().map(|structure| structure.id.clone());
    ids.enumerate().map(|(index, id)| (id, index)).collect()
}

catalog::record! {
    struct StructureFile {
        structures: Entries<StructureText>,
    }
}

catalog::record! {
    struct PlaneFile {
        planes: Entries<crate::plane::SoundPlane>,
    }
}

catalog::record! {
    struct StructureText {
        id: String [Id],
        name: DisplayName,
        tissue: String [Known("tissue")],
        kind: StructureKind,
        priority: i32 [0..=100],
        longest_mm: Range,
        color: Option<[u8; 3]> = None,
        flow: Option<Flow> = None,
        circuit: Option<Circuit> = None,
    }
}

impl Entry for StructureText {
    const KIND: &'static str = "structure";
}

/// `(least, most)`, both above zero.
struct Range(f64, f64);

impl FromNode for Range {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        let (least, most) = <(f64, f64)>::from_node(node, faults)?;
        let positive = catalog::POSITIVE.check(&least, node, faults);
        let ordered = least < most;
        if !ordered {
            let finding = Finding::new(node.span, "the least is not below the most");
            faults.push(finding.expected("`(least, most)`"));
        }
        (positive && ordered).then_some(Self(least, most))
    }
}

impl ToNode for Range {
    fn to_node(&self) -> Node {
        (self.0, self.1).to_node()
    }
}

fn read_structures(
    document: Document,
    tissues: &TissueTable,
) -> Result<Vec<StructureEntry>, CatalogError> {
    let ids = tissues.iter().map(|(_, tissue)| tissue.id.as_str());
    document
        .knowing("tissue", tissues.source(), ids)
        .resolve_with(|file: StructureFile, _| {
            let entries = file.structures.0.into_iter();
            entries.map(|text| text.resolved(tissues)).collect()
        })
}

impl StructureText {
    /// None if there is no such tissue, which reading has reported.
    fn resolved(self, tissues: &TissueTable) -> Option<StructureEntry> {
        let tissue = tissues.id(&self.tissue)?;
        Some(StructureEntry {
            id: self.id,
            name: self.name,
            tissue,
            kind: self.kind,
            priority: self.priority,
            longest_mm: (self.longest_mm.0, self.longest_mm.1),
            color: self.color.unwrap_or(tissues[tissue].color),
            flow: self.flow,
            circuit: self.circuit.or(match self.kind {
                StructureKind::Artery => Some(Circuit::Arterial),
                StructureKind::Vein => Some(Circuit::Venous),
                _ => None,
            }),
        })
    }
}

fn read_planes(document: &Document) -> Result<Vec<PlaneEntry>, CatalogError> {
    document.resolve_with(|file: PlaneFile, _| {
        let planes = file.planes.0.into_iter();
        Some(planes.map(crate::plane::SoundPlane::resolved).collect())
    })
}

#[cfg(test)]
mod tests;
