//! How a body moves: breath, posture, the beat of the heart.
//!
//! A [`Deformation`] is made once for a patient. For a [`BodyState`] it gives the moved vertices of
//! every structure, and displacement fields by which what scatters sound in the tissue moves with
//! them: material coordinates are those of the patient as stored, lying on the back at
//! end-expiration.
//!
//! # Layers
//!
//! Organs slide along the wall of the trunk, so one continuous field cannot move both. There are
//! three, each smooth and defined everywhere, and each structure moves with one of them
//! ([`Layer`]): the wall's own; the organs', which a breath moves towards the feet; and for fat and
//! soft tissue that fill what is left, a mixture of both: the wall's next to the wall, the organs'
//! among organs.
//!
//! # Modes
//!
//! In each posture there are three modes, breathed out, quietly in and deeply in, worked out when
//! first asked for; a state lies between two of them. Each mode is smoothed until no volume element
//! is pressed below a third of its volume, so that no surface folds.
//!
//! What is absent here: time. Who breathes when is said by whoever asks.

mod breath;
mod grid;
pub mod heart;
mod posture;
mod relax;
mod sliding;
mod trunk;

use std::sync::OnceLock;

use geometry::scene::{Scene, SceneError};
use geometry::{Point, TriMesh, frame};
use nalgebra::Vector3;
use rayon::prelude::*;

use self::heart::{HeartCycle, HeartInstant, HeartPart};
use crate::atlas::StructureKind;
use crate::motion::table;
use crate::patient::{Patient, Structure};

pub use breath::breathing;
use breath::{Depth, breath};
pub use grid::Grid;
pub use relax::least_jacobian;
use relax::{Anchor, relax_all, unfold};
use trunk::Trunk;

catalog::choice! {
    /// How the patient lies.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub enum Posture {
        /// On the back.
        #[default]
        Supine,
        /// On the left side.
        LeftDecubitus,
    }
}

/// What a body is doing at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BodyState {
    /// How far breathed in: 0 at end-expiration, 1 at the end of a quiet breath in, about
    /// 3.75 ([`deepest_breath`]) at the end of the deepest.
    pub breath: f64,
    /// How the patient lies.
    pub posture: Posture,
    /// Whether the arm is raised over the head: the ribs spread.
    pub arm_up: bool,
    /// Where in its beat the heart is: 0 at the beginning of systole, 1 at that of the next.
    pub heart_phase: f64,
}

impl Default for BodyState {
    /// As the patient is stored.
    fn default() -> Self {
        Self {
            breath: 0.0,
            posture: Posture::Supine,
            arm_up: false,
            heart_phase: 0.0,
        }
    }
}

impl BodyState {
    /// Whether the body is as it is stored.
    pub fn is_rest(&self) -> bool {
        *self == Self::default()
    }
}

/// Breaths a minute of a patient at rest.
pub fn breaths_per_min(patient: &Patient) -> f64 {
    let own = patient.motion.breathing.as_ref();
    own.map_or(table().breaths_per_min, |own| own.rate_per_min)
}

/// The deepest breath in, as [`BodyState::breath`] counts.
pub fn deepest_breath() -> f64 {
    table().deep_breath
}

/// Which of the fields a structure moves with. See the [module](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Layer {
    /// Skin, muscle, bone: the wall of the trunk, and what is outside of it.
    #[default]
    Wall,
    /// Organs, vessels, what is in them.
    Organs,
    /// Fat and soft tissue between wall and organs.
    Filling,
}

/// All layers, in the order of [`Deformed::fields_mm`].
pub const LAYERS: [Layer; 3] = [Layer::Wall, Layer::Organs, Layer::Filling];

impl Layer {
    /// Of a structure.
    pub fn of(structure: &Structure) -> Self {
        let id = structure.id.as_str();
        match structure.kind {
            _ if id.starts_with("breast") || id.starts_with("testis") || id == "spinal_cord" => {
                Self::Wall
            }
            _ if id == "diaphragm" => Self::Filling,
            StructureKind::Fat if id == "subcutaneous_fat" => Self::Wall,
            StructureKind::Skin
            | StructureKind::Muscle
            | StructureKind::Bone
            | StructureKind::Cartilage => Self::Wall,
            StructureKind::Body | StructureKind::Fat => Self::Filling,
            _ => Self::Organs,
        }
    }

    /// Its place in [`LAYERS`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// A body that has moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Deformed {
    /// By structure: its vertices, patient frame, mm.
    pub vertices: Vec<Vec<[f32; 3]>>,
    /// By layer: how far what rests at a node has moved, mm.
    pub fields_mm: [Vec<[f32; 3]>; 3],
}

/// How one patient can move. See the [module](self).
#[derive(Debug)]
pub struct Deformation {
    grid: Grid,
    layers: Vec<Layer>,
    resting: Vec<Vec<[f32; 3]>>,
    mixture: Vec<f64>,
    ends: CutEnds,
    quiet: Fields,
    deep: Fields,
    left_decubitus: Fields,
    arm_up: Fields,
    /// By posture and arm, worked out when first asked for.
    stances: [OnceLock<Stance>; 4],
    beat: Option<Beat>,
}

/// The heart of one patient, and what moves with it.
#[derive(Debug)]
struct Beat {
    cycle: HeartCycle,
    /// By structure.
    parts: Vec<HeartPart>,
    center: Vector3<f64>,
    /// Farther off nothing moves, mm.
    reach_mm: f64,
}

impl Beat {
    /// `None` for a patient of whose heart nothing is known.
    fn of(patient: &Patient) -> Option<Self> {
        let motion = patient.motion.heart.as_ref()?;
        let rate = patient.motion.heart_rate_per_min;
        let cycle = HeartCycle::new(motion, rate.unwrap_or(heart::USUAL_RATE_PER_MIN)).ok()?;
        let parts = patient.structures.iter().map(|s| cycle.part_of(&s.id));
        let of_place = |(x, y, z)| Vector3::new(x, y, z);
        let center: Vector3<f64> = of_place(motion.base);
        let length_mm = (of_place(motion.apex.value) - center).norm();
        let across_mm = 2.0 * (motion.left_radius_mm + motion.left_wall_mm) + motion.right_width_mm;
        Some(Self {
            parts: parts.collect(),
            center,
            reach_mm: length_mm.max(motion.atria_mm) + across_mm + heart::MARGIN_MM,
            cycle,
        })
    }

    /// By how much the beat moves what rests at a place, mm; `None` where it does not.
    fn displacement(
        &self,
        instant: &HeartInstant<'_>,
        part: HeartPart,
        rest: [f32; 3],
    ) -> Option<Vector3<f64>> {
        let place = Point::from_f32(rest);
        let far_mm2 = (place.coords - self.center).norm_squared();
        if far_mm2 >= self.reach_mm * self.reach_mm {
            return None;
        }
        let by = instant.displacement(part, place).coords;
        (by != Vector3::zeros()).then_some(by)
    }
}

/// Displacements of wall and organs, by node, mm.
type Fields = [Vec<[f32; 3]>; 2];

/// How a patient breathes in a posture.
#[derive(Debug)]
struct Stance {
    /// At end-expiration; `None` where that is as stored.
    out: Option<Mode>,
    quiet: Mode,
    deep: Mode,
}

/// How far everything has moved in one state.
#[derive(Debug)]
struct Mode {
    fields_mm: [Vec<[f32; 3]>; 3],
    /// By structure and vertex.
    vertices_mm: Vec<Vec<[f32; 3]>>,
}

/// What lies at a node of the lattice.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Node {
    /// `None` outside the body.
    layer: Option<Layer>,
    /// The structures round it, from the innermost.
    hosts: [Option<u16>; 3],
}

/// A patient on the lattice.
struct Body<'a> {
    patient: &'a Patient,
    grid: Grid,
    nodes: Vec<Node>,
    trunk: Trunk,
    /// How much of what fills goes with the organs, by node: 1 among them, 0 at the wall.
    mixture: Vec<f64>,
}

impl Body<'_> {
    /// Which organ each node belongs to, counted from 1, with all that lies in it; 0 for what
    /// gives way.
    fn solids(&self) -> Vec<u16> {
        let structures = &self.patient.structures;
        let is_solid = |&&host: &&u16| {
            let structure = &structures[usize::from(host)];
            let is_organ = structure.kind == StructureKind::Organ
                && Layer::of(structure) == Layer::Organs
                && !structure.id.starts_with("lung");
            is_organ || structure.id == "gallbladder"
        };
        let solid = |node: &Node| {
            node.hosts
                .iter()
                .flatten()
                .find(is_solid)
                .map_or(0, |h| h + 1)
        };
        self.nodes.iter().map(solid).collect()
    }

    /// Whether each node slides along the wall: organs, and what lies among them.
    fn slides(&self) -> Vec<bool> {
        /// Less of a mixture goes with the wall.
        const LEAST: f64 = 0.3;
        let nodes = self.nodes.iter().zip(&self.mixture);
        let slides = |(node, &mixture): (&Node, &f64)| match node.layer {
            Some(Layer::Organs) => true,
            Some(Layer::Filling) => mixture > LEAST,
            Some(Layer::Wall) | None => false,
        };
        nodes.map(slides).collect()
    }
}

/// No mode presses a volume element below this share of its volume.
const LEAST_JACOBIAN: f64 = 0.35;

impl Deformation {
    /// Works out how a patient moves.
    ///
    /// # Errors
    /// Surfaces that no scene can be made of.
    pub fn new(patient: &Patient) -> Result<Self, SceneError> {
        Ok(Self::in_scene(patient, &patient.scene()?))
    }

    /// As [`Deformation::new`], with the patient's own scene.
    pub fn in_scene(patient: &Patient, scene: &Scene<frame::Patient>) -> Self {
        let layers: Vec<Layer> = patient.structures.iter().map(Layer::of).collect();
        let body = Body::new(patient, scene, &layers);
        let ((quiet, deep), (left_decubitus, arm_up)) = rayon::join(
            || {
                let [quiet, deep] = [Depth::Quiet, Depth::Deep];
                rayon::join(|| breath(&body, quiet), || breath(&body, deep))
            },
            || rayon::join(|| posture::left_decubitus(&body), || posture::arm_up(&body)),
        );
        let rest = |s: &Structure| s.surface.vertices().to_vec();
        Self {
            resting: patient.structures.iter().map(rest).collect(),
            ends: CutEnds::of(patient),
            grid: body.grid,
            mixture: body.mixture,
            layers,
            quiet,
            deep,
            left_decubitus,
            arm_up,
            stances: Default::default(),
            beat: Beat::of(patient),
        }
    }

    /// How the patient breathes in a posture.
    fn stance(&self, posture: Posture, arm_up: bool) -> &Stance {
        self.stances[posture as usize * 2 + usize::from(arm_up)].get_or_init(|| {
            let mut base = Vec::new();
            if posture == Posture::LeftDecubitus {
                base.push(&self.left_decubitus);
            }
            if arm_up {
                base.push(&self.arm_up);
            }
            let with = |breath: &[&Fields]| {
                let all: Vec<&Fields> = base.iter().chain(breath).copied().collect();
                self.mode(&all)
            };
            let out = || (!base.is_empty()).then(|| with(&[]));
            let (out, (quiet, deep)) = rayon::join(out, || {
                rayon::join(|| with(&[&self.quiet]), || with(&[&self.deep]))
            });
            Stance { out, quiet, deep }
        })
    }

    /// What several movements together make.
    fn mode(&self, of: &[&Fields]) -> Mode {
        let sum = |side: usize| {
            let mut sum = vec![[0.0; 3]; self.grid.len()];
            for fields in of {
                add(&mut sum, &fields[side], 1.0);
            }
            sum
        };
        let (mut wall, mut organs) = (sum(0), sum(1));
        let mut filling: Vec<[f32; 3]> = wall
            .iter()
            .zip(&organs)
            .zip(&self.mixture)
            .map(|((wall, organs), &mixed)| {
                let mixed = mixed as f32;
                [0, 1, 2].map(|c| wall[c] + (organs[c] - wall[c]) * mixed)
            })
            .collect();
        for field in [&mut wall, &mut organs, &mut filling] {
            unfold(&self.grid, field, LEAST_JACOBIAN);
        }
        let fields_mm = [wall, organs, filling];
        let moved = |(resting, layer): (&Vec<[f32; 3]>, &Layer)| {
            let field = &fields_mm[layer.index()];
            let moved = |vertex: &[f32; 3]| {
                let moved = self.grid.sample(field, *vertex).map(|c| c as f32);
                self.ends.hold(vertex, moved.into())
            };
            resting.iter().map(moved).collect()
        };
        let vertices_mm = self
            .resting
            .par_iter()
            .zip(&self.layers)
            .map(moved)
            .collect();
        Mode {
            fields_mm,
            vertices_mm,
        }
    }

    /// The lattice of the fields.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// By structure: which field it moves with.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The body in a state. Breaths beyond the deepest are the deepest.
    pub fn at(&self, state: &BodyState) -> Deformed {
        let weighed = self.weighed(state);
        let beat = self.beat.as_ref().filter(|_| state.heart_phase != 0.0);
        let beat = beat.map(|beat| (beat, beat.cycle.at(state.heart_phase)));
        // First the heart beats where it rests, then all is carried off as it then lies: what neither
        // folds does not fold together.
        let beaten = |part: HeartPart, layer: Layer, rest: [f32; 3]| {
            let (beat, instant) = beat.as_ref().filter(|_| layer != Layer::Wall)?;
            let by = beat.displacement(instant, part, rest)?;
            let at = [0, 1, 2].map(|axis| rest[axis] + by[axis] as f32);
            let carried = weighed.iter().map(|(mode, weight)| {
                let field = &mode.fields_mm[layer.index()];
                self.grid.sample(field, at) * f64::from(*weight)
            });
            Some((by + carried.sum::<Vector3<f64>>()).map(|c| c as f32))
        };
        let fields_mm = LAYERS.map(|layer| {
            let mut field = vec![[0.0; 3]; self.grid.len()];
            for (mode, weight) in &weighed {
                add(&mut field, &mode.fields_mm[layer.index()], *weight);
            }
            if beat.is_some() {
                field.par_iter_mut().enumerate().for_each(|(node, by)| {
                    let rest = self.grid.place(node).map(|c| c as f32).into();
                    if let Some(beaten) = beaten(HeartPart::Tissue, layer, rest) {
                        *by = beaten.into();
                    }
                });
            }
            field
        });
        let vertices = self
            .resting
            .par_iter()
            .enumerate()
            .map(|(structure, resting)| {
                let mut vertices = resting.clone();
                for (mode, weight) in &weighed {
                    add(&mut vertices, &mode.vertices_mm[structure], *weight);
                }
                let layer = self.layers[structure];
                let part = self.beat.as_ref().map(|beat| beat.parts[structure]);
                if let (Some(part), true) = (part, beat.is_some()) {
                    for (vertex, rest) in vertices.iter_mut().zip(resting) {
                        if let Some(by) = beaten(part, layer, *rest) {
                            *vertex = [0, 1, 2].map(|axis| rest[axis] + by[axis]);
                        }
                    }
                }
                vertices
            })
            .collect();
        Deformed {
            vertices,
            fields_mm,
        }
    }

    /// The modes that a state lies between.
    fn weighed(&self, state: &BodyState) -> Vec<(&Mode, f32)> {
        let most = deepest_breath();
        let breath = if state.breath.is_finite() {
            state.breath.clamp(0.0, most)
        } else {
            0.0
        };
        let stance = match (breath > 0.0, state.posture, state.arm_up) {
            (false, Posture::Supine, false) => return Vec::new(),
            (_, posture, arm_up) => self.stance(posture, arm_up),
        };
        let deep = ((breath - 1.0) / (most - 1.0)).max(0.0);
        let quiet = breath.min(1.0) * (1.0 - deep);
        let weighed = [
            (stance.out.as_ref(), 1.0 - quiet - deep),
            (Some(&stance.quiet), quiet),
            (Some(&stance.deep), deep),
        ];
        let weighed = weighed.into_iter().filter(|(_, weight)| *weight != 0.0);
        weighed
            .filter_map(|(mode, w)| Some((mode?, w as f32)))
            .collect()
    }
}

/// Adds a weighed list.
fn add(to: &mut [[f32; 3]], of: &[[f32; 3]], weight: f32) {
    for (to, of) in to.iter_mut().zip(of) {
        for (to, of) in to.iter_mut().zip(of) {
            *to += of * weight;
        }
    }
}

/// Where the scan has cut the body above and below: there is no skin, and what comes in there as
/// tissue moves on is more of the same, so that the cut surface stays in its plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CutEnds {
    low_mm: f32,
    high_mm: f32,
}

/// Vertices so near to the end of the body lie on the cut, mm.
const CUT_MM: f32 = 1.6;

impl CutEnds {
    /// Of a patient; a whole body has none.
    pub fn of(patient: &Patient) -> Self {
        let skin = patient
            .structures
            .iter()
            .filter(|s| matches!(s.kind, StructureKind::Skin | StructureKind::Body));
        let (mut low_mm, mut high_mm) = (f32::NEG_INFINITY, f32::INFINITY);
        for mesh in skin.map(|s| &s.surface) {
            let bounds = mesh.bounds();
            if is_cut(mesh, bounds.min[2]) {
                low_mm = low_mm.max(bounds.min[2] + CUT_MM);
            }
            if is_cut(mesh, bounds.max[2]) {
                high_mm = high_mm.min(bounds.max[2] - CUT_MM);
            }
        }
        Self { low_mm, high_mm }
    }

    /// Whether a place lies on a cut or beyond it, where the scan did not reach.
    pub fn reach(&self, place: Point<frame::Patient>) -> bool {
        let z = place.z();
        z > f64::from(self.high_mm) || z < f64::from(self.low_mm)
    }

    fn hold(&self, vertex: &[f32; 3], moved: [f32; 3]) -> [f32; 3] {
        let is_cut = vertex[2] > self.high_mm || vertex[2] < self.low_mm;
        [moved[0], moved[1], if is_cut { 0.0 } else { moved[2] }]
    }
}

/// Whether a mesh ends flat at a height: a piece of a body, not its round end.
fn is_cut(mesh: &TriMesh<frame::Patient>, at_mm: f32) -> bool {
    /// Larger than any flat place of a whole body.
    const LEAST_MM2: f64 = 5000.0;
    let is_near = |corner: &[f32; 3]| (corner[2] - at_mm).abs() < CUT_MM;
    let flat = (0..mesh.triangles().len()).map(|index| mesh.corners(index));
    let flat = flat.filter(|corners| corners.iter().all(is_near));
    let area = |[a, b, c]: [[f32; 3]; 3]| {
        let (u, v) = ([b[0] - a[0], b[1] - a[1]], [c[0] - a[0], c[1] - a[1]]);
        f64::from((u[0] * v[1] - u[1] * v[0]).abs()) / 2.0
    };
    flat.map(area).sum::<f64>() > LEAST_MM2
}

impl<'a> Body<'a> {
    fn new(patient: &'a Patient, scene: &Scene<frame::Patient>, layers: &[Layer]) -> Self {
        let bounds = scene.bounds();
        let grid = match scene.triangle_count() {
            0 => Grid::over([0.0; 3], [1.0; 3]),
            _ => Grid::over(bounds.min, bounds.max),
        };
        let rank = |id: u16| (-patient.structures[usize::from(id)].priority, id);
        let nodes = grid.inside(scene, |open| {
            let mut open: Vec<u16> = open.iter().map(|id| id.0).collect();
            open.sort_unstable_by_key(|&id| rank(id));
            let mut hosts = [None; 3];
            for (host, &id) in hosts.iter_mut().zip(&open) {
                *host = Some(id);
            }
            Node {
                layer: open.first().map(|&id| layers[usize::from(id)]),
                hosts,
            }
        });
        Self {
            trunk: Trunk::of(patient),
            mixture: mixture(&grid, &nodes),
            patient,
            grid,
            nodes,
        }
    }
}

fn mixture(grid: &Grid, nodes: &[Node]) -> Vec<f64> {
    let anchor = |node: &Node| match node.layer {
        Some(Layer::Organs) => Anchor::fixed(1.0),
        Some(Layer::Filling) => Anchor::default(),
        Some(Layer::Wall) | None => Anchor::fixed(0.0),
    };
    let anchors: Vec<Anchor> = nodes.iter().map(anchor).collect();
    relax_all(grid, &anchors)
}

#[cfg(test)]
mod tests;
