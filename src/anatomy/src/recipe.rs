//! Patients made from signed-distance expressions instead of scans.
//!
//! A recipe is a RON file (`assets/patients/*.ron`): for each structure the shape of its surface,
//! written in the words of [`Shape`]. A shape may refer to any other of the recipe by
//! `Same("skin")`, so that layers follow each other. Larger recipes are put together from parts
//! (`assets/patients/parts/*.ron`). Parameters, named values and findings make one recipe many
//! patients: wherever a number stands, a formula may stand (`"= 12 + 0.8 * (bmi - 22)"`), and the
//! seed draws the rest.
//!
//! Test objects add point scatterers and say themselves where a probe stands to see them.

mod builtin;
mod file;
mod flat;
mod formula;
mod settings;
mod settle;
mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use catalog::{CatalogError, Document, Faults, Finding, Kind, Node, Span, Spanned};
use geometry::frame;
use geometry::sdf::{self, Expr, SdfError, SurfaceLimits};
use geometry::{Affine, Point, TriMesh};
use nalgebra::{Matrix3, Vector3};
use rayon::prelude::*;
use thiserror::Error;

use crate::atlas::{Atlas, DisplayName, StructureEntry};
use crate::enrich::{self, EnrichError, Enrichment, Side, Step};
use crate::landmarks;
use crate::motion;
use crate::patient::{self, Landmark, Patient, Structure, surfaces_by_id};
use crate::patient_file::{Habitus, HeartMotion, Identity, Motion, Sex};
use crate::planes::{self, StandardPlane};
use crate::progress::Progress;
use crate::scatterers::{ScattererEntry, ScattererError, ScattererLimits, gather};
use crate::tissue::TissueTable;
use crate::tube_graph::{VesselTube, graph_of_tubes, tubes_of};
use crate::vessels::VesselGraph;

pub use file::{EnrichFile, Form, HabitusFile, PartFile, RecipeFile, RecipeStructure};
pub use settings::{Choices, FindingChoice, FindingEntry, Parameter, Preset, setting};
pub use shape::{Axis, Shape, SolidError};

use file::{PART, RECIPE};
use settings::Settings;
use settle::kept;
use shape::Solids;

/// Why a recipe gives no patient.
#[derive(Debug, Error)]
pub enum RecipeError {
    /// There is no built-in recipe of that name.
    #[error("there is no built-in patient `{name}`{}; `sonocath patient list` shows them", .nearest.as_ref().map_or_else(String::new, |n| format!("; did you mean `{n}`?")))]
    Unknown {
        /// The name.
        name: String,
        /// The nearest one there is.
        nearest: Option<&'static str>,
    },
    /// The file has faults.
    #[error(transparent)]
    File(#[from] CatalogError),
    /// A parameter or a finding cannot be chosen so.
    #[error("{0}")]
    Choice(String),
    /// There is no part of that name.
    #[error("{recipe}: there is no part `{name}`; looked for {looked_for}{}", .nearest.as_ref().map_or_else(String::new, |n| format!("; did you mean `{n}`?")))]
    UnknownPart {
        /// The recipe that names it, with line and column.
        recipe: String,
        /// The name.
        name: String,
        /// Where it could have been.
        looked_for: String,
        /// The nearest one there is.
        nearest: Option<&'static str>,
    },
    /// A shape gives no surface.
    #[error("structure `{structure}` of the {}: {source}", .finding.as_ref().map_or_else(|| "recipe".to_owned(), |f| format!("finding `{f}`")))]
    Shape {
        /// The structure.
        structure: String,
        /// The finding that puts it there.
        finding: Option<String>,
        /// Why.
        source: SolidError,
    },
    /// What is finer than its shapes cannot be added.
    #[error(transparent)]
    Enrich(#[from] EnrichError),
    /// Its scatterers cannot be read or placed.
    #[error(transparent)]
    Scatterers(#[from] ScattererError),
}

/// What a recipe calls the structures in it.
const OWN: &str = "structure of this recipe";

/// x, y, z in the patient frame, mm.
type Place = [f64; 3];

/// A recipe in which every reference leads somewhere and every formula has its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// What it is, for the list of patients.
    pub summary: DisplayName,
    /// What its patient is called.
    name: DisplayName,
    structures: Vec<Part>,
    /// Every solid by its id, forms and structures alike.
    shapes: BTreeMap<String, Shape>,
    parameters: Vec<Parameter>,
    findings: Vec<FindingEntry>,
    /// What was chosen, in words.
    chosen: String,
    /// What was chosen of that which decides whether a structure is there.
    decided: BTreeMap<String, Vec<String>>,
    habitus: Habitus,
    stretch: [f64; 3],
    enrichment: Option<Enrichment>,
    heart: Option<HeartMotion>,
    test_object: bool,
    scatterers: Vec<ScattererEntry>,
    landmarks: Vec<Landmark>,
    planes: Vec<(DisplayName, StandardPlane)>,
    home: Home,
}

/// Where a recipe was read.
#[derive(Clone, Debug, PartialEq)]
struct Home {
    /// What errors call it.
    source: PathBuf,
    /// Its folder, if it lies in one.
    folder: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq)]
struct Part {
    entry: StructureEntry,
    resolution_mm: f64,
    within: Vec<String>,
    clear_of: Vec<String>,
    gap_mm: f64,
    /// The part of its volume that cutting must leave.
    keeps: f64,
    /// The finding that puts it there.
    finding: Option<String>,
}

/// All files of a recipe, read but not judged.
struct Files {
    /// The recipe itself, then its parts.
    documents: Vec<Document>,
    home: Home,
}

impl Recipe {
    /// Ids of the built-in recipes.
    pub fn builtin_ids() -> impl Iterator<Item = &'static str> {
        builtin::ALL.iter().map(|(id, _)| *id)
    }

    /// A built-in recipe, with its parameters as they are given in it and seed 0.
    ///
    /// # Errors
    /// [`RecipeError::Unknown`].
    pub fn builtin(name: &str) -> Result<Self, RecipeError> {
        Self::builtin_with(name, &Choices::default())
    }

    /// A built-in recipe as chosen.
    ///
    /// # Errors
    /// [`RecipeError::Unknown`], [`RecipeError::Choice`].
    pub fn builtin_with(name: &str, choices: &Choices) -> Result<Self, RecipeError> {
        let found = builtin::ALL.iter().find(|(id, _)| *id == name);
        let (id, text) = found.ok_or_else(|| RecipeError::Unknown {
            name: name.to_owned(),
            nearest: catalog::nearest(name, Self::builtin_ids()),
        })?;
        Self::parse(text, &format!("{id}.ron"), choices, Atlas::builtin())
    }

    /// Reads a recipe; `source` names the text in faults.
    ///
    /// # Errors
    /// [`RecipeError::File`] with every fault, [`RecipeError::Choice`].
    pub fn parse(
        text: &str,
        source: &str,
        choices: &Choices,
        atlas: &Atlas,
    ) -> Result<Self, RecipeError> {
        let home = Home {
            source: source.into(),
            folder: None,
        };
        Files::gather(Document::parse(text, source, &RECIPE)?, home)?.resolve(choices, atlas)
    }

    /// Reads a recipe's file and its parts; the scatterer files it names are read when the patient
    /// is made.
    ///
    /// # Errors
    /// [`RecipeError::File`] with every fault, [`RecipeError::Choice`].
    pub fn open(
        path: impl AsRef<Path>,
        choices: &Choices,
        atlas: &Atlas,
    ) -> Result<Self, RecipeError> {
        let path = path.as_ref();
        let home = Home {
            source: path.to_owned(),
            folder: Some(path.parent().unwrap_or(Path::new("")).to_owned()),
        };
        Files::gather(Document::open(path, &RECIPE)?, home)?.resolve(choices, atlas)
    }

    /// What can be set.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// What can be switched on.
    pub fn findings(&self) -> &[FindingEntry] {
        &self.findings
    }

    /// Ids of the structures, in the order of the file.
    pub fn structure_ids(&self) -> impl Iterator<Item = &str> {
        self.structures.iter().map(|part| part.entry.id.as_str())
    }

    /// Ids of the recipe's own planes.
    pub fn own_plane_ids(&self) -> impl Iterator<Item = &str> {
        self.planes.iter().map(|(_, plane)| plane.id.as_str())
    }

    /// Makes the patient. The same recipe and choices give the same patient, whatever the number
    /// of threads.
    ///
    /// # Errors
    /// [`RecipeError::Shape`], [`RecipeError::Scatterers`], [`RecipeError::Enrich`].
    pub fn make(
        &self,
        atlas: &Atlas,
        tissues: &TissueTable,
        progress: &dyn Progress,
    ) -> Result<Patient, RecipeError> {
        let scatterers = gather(
            &self.scatterers,
            self.home.folder.as_deref(),
            &self.home.source,
            &ScattererLimits::default(),
        )?;
        let solids = self.solids()?;
        let structures = self.structures(&solids, progress)?;
        let vessels = self.vessels(&solids, tissues);
        let mut patient = Patient {
            identity: Identity {
                name: self.name.en.clone(),
                name_zh: (self.name.zh != self.name.en).then(|| self.name.zh.clone()),
                record: String::new(),
            },
            habitus: self.habitus.clone(),
            source: self.source(),
            landmarks: Vec::new(),
            planes: Vec::new(),
            motion: Motion::default(),
            scatterers,
            structures,
            vessels,
        };
        if let Some(enrichment) = &self.enrichment {
            enrich::enrich(&mut patient, enrichment, atlas, tissues, progress)?;
        }
        let (landmarks, planes) = rayon::join(
            || landmarks::derive(&patient.structures, &patient.vessels),
            || self.all_planes(atlas, &patient.structures),
        );
        patient.landmarks = self.all_landmarks(landmarks);
        patient.planes = planes;
        // Enrichment goes by what was there before it.
        for part in self.structures.iter().filter(|part| part.finding.is_some()) {
            let made = patient.structures.iter_mut();
            made.filter(|structure| structure.id == part.entry.id)
                .for_each(|structure| structure.modelled = true);
        }
        if !self.test_object {
            patient.motion = motion::at_rest(&patient.structures);
            patient.motion.heart = self.heart.clone();
        }
        Ok(patient)
    }

    /// The graph of the tubes that vessels are made of, stretched as the body is.
    fn vessels(&self, solids: &[Expr], tissues: &TissueTable) -> VesselGraph {
        let tubes = self
            .structures
            .iter()
            .zip(solids)
            .flat_map(|(part, solid)| {
                let circuit = part.entry.circuit;
                let tubes = circuit.map_or_else(Vec::new, |_| tubes_of(solid));
                tubes
                    .into_iter()
                    .zip(circuit.into_iter().cycle())
                    .map(|(points, circuit)| VesselTube {
                        structure: part.entry.id.clone(),
                        tissue: tissues[part.entry.tissue].id.clone(),
                        circuit,
                        flow: part.entry.flow,
                        points,
                    })
            });
        let mut graph = graph_of_tubes(&tubes.collect::<Vec<_>>());
        let widened = self.stretch.iter().product::<f64>().cbrt();
        for node in &mut graph.nodes {
            node.at = self.stretched(node.at);
        }
        for segment in &mut graph.segments {
            segment
                .points
                .iter_mut()
                .for_each(|p| *p = self.stretched(*p));
            segment.radii_mm.iter_mut().for_each(|r| *r *= widened);
        }
        graph
    }

    fn structures(
        &self,
        solids: &[Expr],
        progress: &dyn Progress,
    ) -> Result<Vec<Structure>, RecipeError> {
        progress.stage("surfaces", self.structures.len() as u64);
        let stretch = self.stretch();
        let made = self.structures.par_iter().zip(solids);
        let structures = made
            .map(|(part, solid)| {
                let failed = |source: SolidError| RecipeError::Shape {
                    structure: part.entry.id.clone(),
                    finding: part.finding.clone(),
                    source,
                };
                let mut surface = part
                    .surface(solid)
                    .map_err(|source| failed(source.into()))?;
                if let Some(stretch) = &stretch {
                    let flat = SdfError::Empty {
                        resolution_mm: part.resolution_mm,
                    };
                    surface = surface
                        .transformed(stretch)
                        .map_err(|_| failed(flat.into()))?;
                }
                progress.step();
                Ok(Structure::of_entry(&part.entry, surface))
            })
            .collect();
        progress.done();
        structures
    }

    /// The solid of each structure, cut as it says.
    fn solids(&self) -> Result<Vec<Expr>, RecipeError> {
        let mut solids = Solids::new(&self.shapes);
        let present: BTreeSet<&str> = self.structure_ids().collect();
        // A form is always there; a structure that is left out cuts nothing.
        let absent = |id: &str| !present.contains(id) && Atlas::builtin().structure(id).is_some();
        let widened: f64 = self.stretch.iter().product();
        self.structures
            .iter()
            .map(|part| {
                part.solid(&mut solids, &absent)
                    .map_err(|source| RecipeError::Shape {
                        structure: part.entry.id.clone(),
                        finding: part.finding.clone(),
                        source: source.stretched(widened),
                    })
            })
            .collect()
    }

    fn stretch(&self) -> Option<Affine<frame::Patient, frame::Patient>> {
        let by = Vector3::from(self.stretch);
        let linear = Matrix3::from_diagonal(&by);
        (by != Vector3::repeat(1.0))
            .then(|| Affine::new(linear, Vector3::zeros()))
            .flatten()
    }

    fn source(&self) -> String {
        if self.chosen.is_empty() {
            self.summary.en.clone()
        } else {
            format!("{} ({})", self.summary.en, self.chosen)
        }
    }

    /// The recipe's own landmarks, then those derived whose ids are free.
    fn all_landmarks(&self, derived: Vec<Landmark>) -> Vec<Landmark> {
        let is_free = |landmark: &Landmark| self.landmarks.iter().all(|own| own.id != landmark.id);
        let derived = derived.into_iter().filter(is_free);
        let own = self.landmarks.iter().cloned().map(|mut landmark| {
            landmark.at = self.stretched(landmark.at);
            landmark
        });
        own.chain(derived).collect()
    }

    fn stretched(&self, place: Point<frame::Patient>) -> Point<frame::Patient> {
        let [x, y, z] = place.to_array();
        let [a, b, c] = self.stretch;
        Point::new(x * a, y * b, z * c)
    }

    /// The recipe's own planes, then those derived whose ids are free.
    fn all_planes(
        &self,
        atlas: &Atlas,
        structures: &[Structure],
    ) -> Vec<(DisplayName, StandardPlane)> {
        let mut all = self.planes.clone();
        for (_, plane) in &mut all {
            plane.center = self.stretched(plane.center);
        }
        if !self.test_object {
            let derived = planes::derive_all(atlas, &surfaces_by_id(structures));
            let is_free = |id: &str| self.planes.iter().all(|(_, own)| own.id != id);
            all.extend(derived.into_iter().filter(|(_, plane)| is_free(&plane.id)));
        }
        all
    }
}

impl Part {
    fn solid(
        &self,
        solids: &mut Solids<'_>,
        absent: &dyn Fn(&str) -> bool,
    ) -> Result<Expr, SolidError> {
        let within: Vec<Expr> = self
            .within
            .iter()
            .map(|id| solids.named(id))
            .collect::<Result<_, _>>()?;
        let clear_of = self.clear_of.iter().filter(|id| !absent(id));
        let clear_of: Vec<Expr> = clear_of
            .map(|id| solids.named(id).map(|solid| grown(solid, self.gap_mm)))
            .collect::<Result<_, _>>()?;
        let solid = solids.structure(&self.entry.id, &|solid| cut(solid, &within, &clear_of))?;
        if self.keeps > 0.0 && !solids.fills(&self.entry.id) {
            let (share, volume_mm3) = kept(&solids.named(&self.entry.id)?, &solid)?;
            if share < self.keeps {
                return Err(SolidError::Cut {
                    volume_ml: volume_mm3 / 1000.0,
                    left_ml: share * volume_mm3 / 1000.0,
                });
            }
        }
        Ok(solid)
    }

    fn surface(&self, solid: &Expr) -> Result<TriMesh<frame::Patient>, SdfError> {
        if let Some(exact) = flat::surface(solid) {
            return Ok(exact);
        }
        sdf::surface(solid, self.resolution_mm, &SurfaceLimits::default())
    }
}

fn grown(solid: Expr, by_mm: f64) -> Expr {
    if by_mm == 0.0 {
        return solid;
    }
    Expr::Offset {
        of: Box::new(solid),
        by_mm,
    }
}

/// A solid cut to others and by others.
fn cut(solid: Expr, within: &[Expr], clear_of: &[Expr]) -> Expr {
    let mut solid = solid;
    if !within.is_empty() {
        let parts = std::iter::once(solid).chain(within.iter().cloned());
        solid = Expr::Intersection {
            parts: parts.collect(),
            blend_mm: 0.0,
        };
    }
    if !clear_of.is_empty() {
        solid = Expr::Difference {
            of: Box::new(solid),
            cut: clear_of.to_vec(),
            blend_mm: 0.0,
        };
    }
    solid
}

impl Files {
    /// The recipe and the parts that it names: from its own folder, else those that are built in.
    fn gather(recipe: Document, home: Home) -> Result<Self, RecipeError> {
        let mut faults = recipe.faults();
        let named: Vec<Spanned<String>> = recipe
            .root()
            .field("parts")
            .and_then(|node| catalog::FromNode::from_node(node, &mut faults))
            .unwrap_or_default();
        let parts = named.iter().map(|part| home.part(&recipe, part));
        let parts: Vec<Document> = parts.collect::<Result<_, _>>()?;
        let documents = std::iter::once(recipe).chain(parts).collect();
        Ok(Self { documents, home })
    }

    /// Formulas to numbers, then trees to values, then references to what they name.
    fn resolve(mut self, choices: &Choices, atlas: &Atlas) -> Result<Recipe, RecipeError> {
        let mut faults: Vec<Faults> = self.documents.iter().map(Document::faults).collect();
        let settings = Settings::gather(&self.documents, choices, &mut faults);
        // A fault of a file comes before a wrong choice: it may be the reason for it.
        self.stop_at(&faults)?;
        let mut settings = settings?;
        settings.settle(&mut faults);
        self.stop_at(&faults)?;
        settings.check_room(choices)?;
        let presence = self.presence();
        for document in &mut self.documents {
            document.replace_texts(&mut |text, span| settings.number(text, span));
        }
        let own: Vec<String> = self.solid_ids();
        let ids: Vec<&str> = atlas
            .structures()
            .iter()
            .map(|entry| entry.id.as_str())
            .collect();
        let documents = std::mem::take(&mut self.documents);
        self.documents = documents
            .into_iter()
            .map(|document| {
                document
                    .knowing("structure", "the atlas", ids.iter().copied())
                    .knowing(OWN, "this recipe", own.iter().cloned())
            })
            .collect();
        let recipe: RecipeFile =
            self.documents[0].resolve_with(|file, faults| self.checked(file, atlas, faults))?;
        let parts: Vec<PartFile> = self.documents[1..]
            .iter()
            .map(Document::resolve)
            .collect::<Result<_, _>>()?;
        self.check_together(&recipe, &parts)?;
        let joined = Joined {
            settings,
            presence,
            seed: choices.seed,
            home: self.home,
        };
        let recipe = join(recipe, parts, joined, atlas);
        recipe.check_needs(choices)?;
        Ok(recipe)
    }

    fn stop_at(&self, faults: &[Faults]) -> Result<(), RecipeError> {
        let first = self
            .documents
            .iter()
            .zip(faults)
            .find(|(_, f)| !f.is_empty());
        match first {
            Some((document, faults)) => Err(document.error(faults.clone()).into()),
            None => Ok(()),
        }
    }

    /// The names in the formulas of `present`, by structure.
    fn presence(&self) -> BTreeMap<String, Vec<String>> {
        let structures = self.documents.iter().filter_map(|document| {
            let Kind::List(structures) = &document.root().field("structures")?.kind else {
                return None;
            };
            Some(structures)
        });
        let of_one = |structure: &Node| {
            let [id, formula] = ["id", "present"].map(|name| match &structure.field(name)?.kind {
                Kind::Text(text) => Some(text.as_str()),
                _ => None,
            });
            let is_part_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
            let names = formula?.split(|c| !is_part_of_name(c));
            let names = names.filter(|name| !name.is_empty()).map(str::to_owned);
            Some((id?.to_owned(), names.collect()))
        };
        structures.flatten().filter_map(of_one).collect()
    }

    fn solid_ids(&self) -> Vec<String> {
        let lists = [["structures", "id"], ["forms", "id"]];
        self.documents
            .iter()
            .flat_map(|document| lists.iter().flat_map(|path| document.root().texts_at(path)))
            .map(str::to_owned)
            .collect()
    }

    /// What only the recipe's own file can tell of scatterers, landmarks and planes.
    fn checked(&self, file: RecipeFile, atlas: &Atlas, faults: &mut Faults) -> Option<RecipeFile> {
        faults.require_distinct("landmark", file.landmarks.iter().map(|l| &l.id));
        faults.require_distinct("plane", file.planes.iter().map(|p| &p.id));
        for entry in &file.scatterers {
            let names_file = matches!(entry.value, ScattererEntry::File { .. });
            let has_home = self.home.folder.is_some() || !names_file;
            let message = "a recipe that is built in or lies in no folder cannot name files";
            faults.require(entry.span, has_home, message);
        }
        let own = self.solid_ids();
        let own = own.iter().map(String::as_str);
        let shown = file
            .planes
            .iter()
            .flat_map(|p| p.required.iter().chain(&p.optional));
        // A name that the atlas does not hold has been reported by the reader.
        for id in shown.filter(|id| atlas.structure(id).is_some()) {
            faults.require_name(id, "structure", "this recipe", own.clone());
        }
        Some(file)
    }

    /// What only all files together can tell: solids that are there twice, circles of references.
    fn check_together(&self, recipe: &RecipeFile, parts: &[PartFile]) -> Result<(), RecipeError> {
        let mut faults: Vec<Faults> = self.documents.iter().map(Document::faults).collect();
        let mut solids: BTreeMap<&str, Reference<'_>> = BTreeMap::new();
        let own = [(&recipe.forms, &recipe.structures)];
        let lists = own
            .into_iter()
            .chain(parts.iter().map(|p| (&p.forms, &p.structures)));
        for (document, (forms, structures)) in lists.enumerate() {
            let forms = forms.iter().map(|form| (&form.id, &form.shape));
            let structures = structures.iter().map(|s| (&s.id, &s.shape));
            for (id, shape) in forms.chain(structures) {
                let reference = Reference { document, shape };
                if let Some(first) = solids.insert(&id.value, reference) {
                    let mut finding =
                        Finding::new(id.span, format!("the solid `{}` is there twice", id.value));
                    if first.document == document {
                        finding = finding.related("first shape", first.shape.span);
                    }
                    faults[document].push(finding);
                }
            }
        }
        let (circles, order) = follow(&solids);
        for (document, span, circle) in circles {
            let message = format!("the solid depends on itself: {circle}");
            faults[document].report(span, message);
        }
        self.stop_at(&faults)?;
        for (document, span, message) in too_large(&solids, &order) {
            faults[document].report(span, message);
        }
        self.stop_at(&faults)
    }
}

/// A solid's shape and the file it stands in.
struct Reference<'a> {
    document: usize,
    shape: &'a Spanned<Shape>,
}

/// Every circle of `Same`, once, where it was entered; and the solids in an order in which each comes
/// behind those that it refers to.
fn follow<'a>(
    solids: &BTreeMap<&'a str, Reference<'a>>,
) -> (Vec<(usize, Span, String)>, Vec<&'a str>) {
    let mut found = Vec::new();
    let mut order: Vec<&str> = Vec::new();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for &start in solids.keys() {
        // Depth first by hand: a hostile file may chain many.
        let mut way: Vec<(&str, Vec<&str>)> = Vec::new();
        let mut on_way: BTreeSet<&str> = BTreeSet::new();
        let mut next = Some(start);
        loop {
            if let Some(id) = next.take() {
                if on_way.contains(id) {
                    let from = way
                        .iter()
                        .position(|(on_way, _)| *on_way == id)
                        .unwrap_or(0);
                    let names = way[from..].iter().map(|(id, _)| *id).chain([id]);
                    let circle = names.collect::<Vec<_>>().join(" → ");
                    let at = &solids[way[way.len() - 1].0];
                    found.push((at.document, at.shape.span, circle));
                } else if !done.contains(id) {
                    let mut references = Vec::new();
                    if let Some(solid) = solids.get(id) {
                        solid.shape.value.references(&mut references);
                    }
                    way.push((id, references));
                    on_way.insert(id);
                }
            }
            let Some((id, references)) = way.last_mut() else {
                break;
            };
            match references.pop() {
                Some(reference) => next = Some(reference),
                None => {
                    done.insert(*id);
                    on_way.remove(*id);
                    order.push(*id);
                    way.pop();
                }
            }
        }
    }
    (found, order)
}

/// Solids that follow too many others in a row, or that are too many solids when everything they
/// refer to is put in: twice twice twice … fills any memory.
fn too_large(solids: &BTreeMap<&str, Reference<'_>>, order: &[&str]) -> Vec<(usize, Span, String)> {
    /// As deep as solids may be nested at all.
    const LONGEST_CHAIN: usize = 60;
    const MOST_PARTS: usize = 20_000;
    let mut sizes: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut found = Vec::new();
    for &id in order {
        let Some(solid) = solids.get(id) else {
            continue;
        };
        let mut references = Vec::new();
        solid.shape.value.references(&mut references);
        let of = |id: &&str| sizes.get(id).copied().unwrap_or((0, 0));
        let chain = 1 + references.iter().map(|id| of(id).0).max().unwrap_or(0);
        let parts = references
            .iter()
            .fold(1, |sum: usize, id| sum.saturating_add(of(id).1));
        if chain > LONGEST_CHAIN || parts > MOST_PARTS {
            let message = format!(
                "`{id}` is too large: it may follow {LONGEST_CHAIN} solids in a row and be made of {MOST_PARTS}"
            );
            found.push((solid.document, solid.shape.span, message));
            // Told once: what follows it is not told again.
            sizes.insert(id, (0, 0));
        } else {
            sizes.insert(id, (chain, parts));
        }
    }
    found
}

impl Home {
    fn part(&self, recipe: &Document, name: &Spanned<String>) -> Result<Document, RecipeError> {
        let file = format!("parts/{}.ron", name.value);
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let own_folder = self
            .folder
            .as_ref()
            .filter(|_| name.value.chars().all(is_plain));
        if let Some(folder) = own_folder {
            let path = folder.join(&file);
            if path.is_file() {
                return Ok(Document::open(path, &PART)?);
            }
        }
        let built_in = builtin::PARTS.iter().find(|(id, _)| *id == name.value);
        let (_, text) = built_in.ok_or_else(|| {
            let place = recipe.place(name.span);
            let folder = own_folder;
            RecipeError::UnknownPart {
                recipe: format!("{}:{}:{}", recipe.source(), place.line, place.column),
                name: name.value.clone(),
                looked_for: folder.map_or_else(
                    || "the parts that are built in".to_owned(),
                    |folder| {
                        format!(
                            "{} and the parts that are built in",
                            folder.join(&file).display()
                        )
                    },
                ),
                nearest: catalog::nearest(&name.value, builtin::PARTS.iter().map(|(id, _)| *id)),
            }
        })?;
        Ok(Document::parse(*text, file, &PART)?)
    }
}

/// What all files share.
struct Joined {
    settings: Settings,
    /// The names in the formulas by which structures are there or not.
    presence: BTreeMap<String, Vec<String>>,
    seed: u64,
    home: Home,
}

/// All files as one recipe: parts first, in the order in which they are named.
fn join(file: RecipeFile, parts: Vec<PartFile>, joined: Joined, atlas: &Atlas) -> Recipe {
    let Joined {
        settings,
        presence,
        seed,
        home,
    } = joined;
    // The first finding that decides whether a structure is there has put it there.
    let finding_of = |structure: &str| {
        let names = presence.get(structure)?;
        let is_finding = |name: &&String| settings.findings.iter().any(|f| f.id.value == **name);
        names.iter().find(is_finding).cloned()
    };
    let mut shapes = BTreeMap::new();
    let mut structures = Vec::new();
    let mut landmarks = Vec::new();
    let mut planes = Vec::new();
    let mut heart = None;
    let own = PartFile {
        parameters: Vec::new(),
        values: Vec::new(),
        findings: Vec::new(),
        forms: file.forms,
        structures: file.structures,
        landmarks: file.landmarks,
        planes: file.planes,
        heart: file.heart,
    };
    for part in parts.into_iter().chain([own]) {
        shapes.extend(part.forms.into_iter().map(|f| (f.id.value, f.shape.value)));
        for structure in part.structures {
            let resolution_mm = structure.resolution_mm.unwrap_or(file.resolution_mm);
            let entry = atlas
                .structure(&structure.id)
                .filter(|_| structure.present != 0.0);
            structures.extend(entry.map(|entry| Part {
                entry: entry.clone(),
                resolution_mm,
                within: structure.within.into_iter().map(|id| id.value).collect(),
                clear_of: structure.clear_of.into_iter().map(|id| id.value).collect(),
                gap_mm: structure.gap_mm,
                keeps: structure.keeps,
                finding: finding_of(&structure.id.value),
            }));
            shapes.insert(structure.id.value, structure.shape.value);
        }
        heart = part.heart.or(heart);
        landmarks.extend(part.landmarks.into_iter().map(patient::landmark));
        planes.extend(part.planes.into_iter().map(patient::plane));
    }
    // A plane is there only with all that it has to show.
    let is_there = |id: &String| structures.iter().any(|part: &Part| part.entry.id == *id);
    planes.retain(|(_, plane): &(_, StandardPlane)| plane.required.iter().all(is_there));
    let heart = heart.map(|heart: HeartMotion| heart.stretched(file.stretch));
    Recipe {
        summary: file.summary,
        name: settings.name(&DisplayName {
            zh: file.patient_zh.unwrap_or_else(|| file.patient.clone()),
            en: file.patient,
        }),
        structures,
        shapes,
        chosen: settings.summary(seed),
        decided: presence
            .into_iter()
            .map(|(structure, names)| (structure, settings.said(&names)))
            .collect(),
        parameters: settings.parameters,
        findings: settings.findings,
        habitus: habitus(&file.habitus),
        stretch: file.stretch,
        enrichment: file.enrich.map(|file| enrichment(&file, seed)),
        heart,
        test_object: file.test_object,
        scatterers: file
            .scatterers
            .into_iter()
            .map(|entry| entry.value)
            .collect(),
        landmarks,
        planes,
        home,
    }
}

fn enrichment(file: &EnrichFile, seed: u64) -> Enrichment {
    let grades = [
        (Side::Left, file.hydronephrosis_left),
        (Side::Right, file.hydronephrosis_right),
    ];
    Enrichment {
        seed,
        keep_surfaces: Vec::new(),
        hydronephrosis: grades.into_iter().filter(|(_, grade)| *grade > 0).collect(),
        // Surfaces made from expressions have no facets.
        steps: Step::ALL
            .into_iter()
            .filter(|step| *step != Step::Smoothing)
            .collect(),
    }
}

fn habitus(file: &HabitusFile) -> Habitus {
    let sex = |male: f64| if male == 0.0 { Sex::Female } else { Sex::Male };
    Habitus {
        sex: file.is_male.map(sex),
        age_years: file.age_years,
        height_cm: file.height_cm,
        weight_kg: file.weight_kg,
    }
}

impl Recipe {
    /// No stones without a gallbladder.
    fn check_needs(&self, choices: &Choices) -> Result<(), RecipeError> {
        let on =
            |finding: &&FindingEntry| choices.findings.iter().any(|c| c.id == finding.id.value);
        for finding in self.findings.iter().filter(on) {
            for needed in &finding.needs {
                if !self.structure_ids().any(|id| id == needed.value) {
                    let why = match self.decided.get(&needed.value).map(Vec::as_slice) {
                        None | Some([]) => self.chosen.clone(),
                        Some(set) => format!("because of {}", set.join(" and ")),
                    };
                    return Err(RecipeError::Choice(format!(
                        "the finding `{}` needs the structure `{}`, which this patient does not have: {why}",
                        finding.id.value, needed.value
                    )));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
