//! Thin layers that label maps do not have: capsules, fasciae, vessel walls, pleura.
//!
//! The rules are data: `assets/boundaries.ron`, built in, or another file of that form. What is
//! absent here: the echo of the step in impedance between two tissues, which follows from the
//! tissues themselves and comes on top.

use std::path::Path;
use std::sync::OnceLock;

use anatomy::atlas::{Atlas, StructureEntry, StructureKind};
use anatomy::tissue::TissueTable;
use catalog::{CatalogError, Document, Faults, Format, Known, Node, Spanned};

const FORMAT: Format = Format::new("Boundaries", 1);

/// What lies on one side of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side<'a> {
    /// The structure's id.
    pub id: &'a str,
    /// What kind of structure it is.
    pub kind: StructureKind,
    /// The id of its tissue.
    pub tissue: &'a str,
}

catalog::record! {
    /// A thin layer between two structures, and what comes back from it.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Layer {
        /// How thick it is; half of it lies on each side of the interface.
        pub thickness_mm: f64 [0.01..=10.0],
        /// Which of its faces echo.
        pub faces: Faces = Faces::One,
        /// Amplitude of its echo at normal incidence, dB relative to a perfect mirror; of each
        /// face, where there are two.
        pub reflection_db: f64 [-80.0..=0.0],
        /// Angle of incidence at which the mirror-like part has fallen to half its amplitude.
        pub spread_deg: f64 [1.0..=90.0],
        /// The part that comes back at any angle, dB relative to `reflection_db`.
        pub diffuse_db: f64 [-80.0..=0.0] = -20.0,
        /// Backscatter level inside the layer, dB relative to liver, as in the table of tissues.
        pub scatter_db: f64 [-60.0..=40.0],
    }
}

catalog::choice! {
    /// Which faces of a layer echo.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Faces {
        /// It is one bright line.
        One,
        /// Two bright lines, its thickness apart, and its inside between them.
        Two,
    }
}

impl<'a> Side<'a> {
    /// A structure of the atlas, whose tissues are in `tissues`.
    pub fn of(entry: &'a StructureEntry, tissues: &'a TissueTable) -> Self {
        Self {
            id: &entry.id,
            kind: entry.kind,
            tissue: &tissues[entry.tissue].id,
        }
    }
}

impl Layer {
    /// Amplitude of the echo of a face relative to a perfect mirror, at an angle of incidence: a
    /// Gaussian lobe about the normal, at least the diffuse part.
    pub fn amplitude(&self, incidence_rad: f64) -> f64 {
        let normal = libm::pow(10.0, self.reflection_db / 20.0);
        let diffuse = libm::pow(10.0, self.diffuse_db / 20.0);
        let turns = incidence_rad / self.spread_deg.to_radians();
        let lobe = libm::exp2(-turns * turns);
        normal * lobe.max(diffuse)
    }
}

/// The rules, in the order in which they are tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Boundaries {
    rules: Vec<Rule>,
}

catalog::record! {
    /// Which interfaces, and what lies there.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Rule {
        /// What people call it.
        pub name: Spanned<String> [catalog::NotEmpty],
        /// One side.
        pub a: Sides,
        /// The other side.
        pub b: Sides,
        /// What lies between; `None` ends the search without a layer.
        pub layer: Option<Layer>,
    }
    check require_sides
}

/// A side without members would never fit.
fn require_sides(rule: &Rule, _: &Node, faults: &mut Faults) {
    for (name, sides) in [("a", &rule.a), ("b", &rule.b)] {
        let holds = !sides.is_empty();
        let message = format!("`{name}` of rule `{}` is empty", rule.name.value);
        faults.require(rule.name.span, holds, message);
    }
}

catalog::choice! {
    /// A set of sides.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Sides {
        /// Everything, the outside too.
        Any,
        /// Where no structure is.
        Outside,
        /// What is in at least one of the lists.
        Of {
            /// Ids of structures.
            structures: Vec<String> [Known(STRUCTURE)] = Vec::new(),
            /// Kinds of structures.
            kinds: Vec<StructureKind> = Vec::new(),
            /// Ids of tissues.
            tissues: Vec<String> [Known(TISSUE)] = Vec::new(),
        },
    }
}

const STRUCTURE: &str = "structure";
const TISSUE: &str = "tissue";

catalog::record! {
    struct File {
        rules: Vec<Rule>,
    }
}

impl Sides {
    fn is_empty(&self) -> bool {
        match self {
            Self::Any | Self::Outside => false,
            Self::Of {
                structures,
                kinds,
                tissues,
            } => structures.is_empty() && kinds.is_empty() && tissues.is_empty(),
        }
    }

    /// Whether a side is in the set; `None` is the outside.
    pub fn holds(&self, side: Option<Side<'_>>) -> bool {
        let Self::Of {
            structures,
            kinds,
            tissues,
        } = self
        else {
            return *self == Self::Any || side.is_none();
        };
        side.is_some_and(|side| {
            kinds.contains(&side.kind)
                || structures.iter().any(|id| id == side.id)
                || tissues.iter().any(|id| id == side.tissue)
        })
    }
}

impl Rule {
    fn holds(&self, a: Option<Side<'_>>, b: Option<Side<'_>>) -> bool {
        (self.a.holds(a) && self.b.holds(b)) || (self.a.holds(b) && self.b.holds(a))
    }
}

impl Boundaries {
    /// The rules that are built in, for [`Atlas::builtin`] and [`TissueTable::builtin`].
    pub fn builtin() -> &'static Self {
        static RULES: OnceLock<Boundaries> = OnceLock::new();
        RULES.get_or_init(|| {
            let text = include_str!("../../../assets/boundaries.ron");
            Self::parse(text, "boundaries.ron").expect("the built-in rules are read by a test")
        })
    }

    /// Reads a file of the form of `assets/boundaries.ron`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or everything that is wrong with it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CatalogError> {
        Self::read(Document::open(path, &FORMAT)?)
    }

    /// Reads a text of the form of `assets/boundaries.ron`; `source` names it in faults.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn parse(text: &str, source: &str) -> Result<Self, CatalogError> {
        Self::read(Document::parse(text, source, &FORMAT)?)
    }

    fn read(document: Document) -> Result<Self, CatalogError> {
        let structures = Atlas::builtin().structures().iter();
        let tissues = TissueTable::builtin();
        document
            .knowing(
                STRUCTURE,
                "structures.ron",
                structures.map(|s| s.id.as_str()),
            )
            .knowing(
                TISSUE,
                tissues.source(),
                tissues.iter().map(|(_, t)| t.id.as_str()),
            )
            .resolve_with(|file: File, faults| {
                faults.require_distinct("rule", file.rules.iter().map(|rule| &rule.name));
                Some(Self { rules: file.rules })
            })
    }

    /// The rules, in the order in which they are tried.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The first rule for the interface of two sides, in whichever order; `None` is the outside.
    pub fn rule(&self, a: Option<Side<'_>>, b: Option<Side<'_>>) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.holds(a, b))
    }

    /// What lies between two sides, in whichever order; `None` is the outside.
    pub fn between(&self, a: Option<Side<'_>>, b: Option<Side<'_>>) -> Option<&Layer> {
        self.rule(a, b)?.layer.as_ref()
    }
}

#[cfg(test)]
mod tests;
