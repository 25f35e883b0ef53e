//! Standard planes as data: what a plane needs and how it follows from a patient's surfaces.
//!
//! What is absent here: the geometry. A [`PlaneRule`] says in anatomical words how a plane lies;
//! who has the surfaces works it out.

use catalog::{Faults, Finding, FromNode, Known, Node, Spanned, ToNode};

use crate::direction::{Approach, Direction};
use crate::entry::{DisplayName, Entry, Id};

catalog::choice! {
    /// An examination that asks for planes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Exam {
        /// Focused assessment with sonography in trauma.
        Fast,
        /// Survey of the upper abdomen and bladder.
        AbdominalSurvey,
        /// Transabdominal view of the pelvic organs.
        Pelvis,
        /// Focused cardiac ultrasound (FoCUS): the five views of K. T. Spencer et al., J. Am. Soc.
        /// Echocardiogr. 26:567 (2013).
        FocusedCardiac,
    }
}

catalog::choice! {
    /// How a plane lies. Structures are named by id.
    ///
    /// `at` is a place along the structure's long axis (the first principal axis of its volume),
    /// from 0 at its superior end to 1 at the other, as shares of its extent along that axis. Of
    /// an axis nearer to left–right than to the others 0 is the right end, of one nearer to
    /// front–back the anterior end. 0.5 is the middle.
    #[derive(Clone, Debug, PartialEq)]
    pub enum PlaneRule {
        /// Holds the structure's centroid, its long axis and the direction of looking.
        LongAxis {
            /// The structure.
            of: String [Known("structure")],
        },
        /// Across the structure's long axis at a place along it.
        ShortAxis {
            /// The structure.
            of: String [Known("structure")],
            /// Place along the long axis, 0 to 1.
            at: f64 [0.0..=1.0] = 0.5,
        },
        /// Across left–right.
        Sagittal {
            /// The structure it goes through.
            through: String [Known("structure")],
            /// Place along the structure's long axis, 0 to 1.
            at: f64 [0.0..=1.0] = 0.5,
        },
        /// Across head–feet.
        Transverse {
            /// The structure it goes through.
            through: String [Known("structure")],
            /// Place along the structure's long axis, 0 to 1.
            at: f64 [0.0..=1.0] = 0.5,
        },
        /// Across front–back.
        Coronal {
            /// The structure it goes through.
            through: String [Known("structure")],
            /// Place along the structure's long axis, 0 to 1.
            at: f64 [0.0..=1.0] = 0.5,
        },
        /// Holds a direction of the body and the direction of looking.
        Spanned {
            /// The structure it goes through.
            through: String [Known("structure")],
            /// Place along the structure's long axis, 0 to 1.
            at: f64 [0.0..=1.0] = 0.5,
            /// The direction it holds.
            by: Direction,
        },
        /// Through the centroids of three structures.
        Through {
            /// The first structure.
            first: String [Known("structure")],
            /// The second.
            second: String [Known("structure")],
            /// The third.
            third: String [Known("structure")],
        },
    }
}

impl PlaneRule {
    /// The structures the plane follows from, one or three.
    pub fn subjects(&self) -> Vec<&str> {
        match self {
            Self::LongAxis { of } | Self::ShortAxis { of, .. } => vec![of],
            Self::Sagittal { through, .. }
            | Self::Transverse { through, .. }
            | Self::Coronal { through, .. }
            | Self::Spanned { through, .. } => vec![through],
            Self::Through {
                first,
                second,
                third,
            } => vec![first, second, third],
        }
    }

    fn subjects_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::LongAxis { of } | Self::ShortAxis { of, .. } => vec![of],
            Self::Sagittal { through, .. }
            | Self::Transverse { through, .. }
            | Self::Coronal { through, .. }
            | Self::Spanned { through, .. } => vec![through],
            Self::Through {
                first,
                second,
                third,
            } => vec![first, second, third],
        }
    }
}

/// A standard plane.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaneEntry {
    /// How files call it: `right_upper_quadrant`.
    pub id: String,
    /// How people call it.
    pub name: DisplayName,
    /// The examinations that ask for it.
    pub exams: Vec<Exam>,
    /// Structures that must all be there.
    pub required: Vec<String>,
    /// Groups of structures of each of which one must be there.
    pub any_of: Vec<Vec<String>>,
    /// Structures to be looked for in the picture if the patient has them.
    pub optional: Vec<String>,
    /// How it lies. Names structures of `required` and `any_of` alone.
    pub rule: PlaneRule,
    /// Where the probe stands.
    pub approach: Approach,
    /// Where in the patient the probe's marker points, as nearly as the plane allows.
    pub marker: Direction,
}

/// A plane for a patient who has what it needs.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedPlane<'a> {
    /// The plane.
    pub entry: &'a PlaneEntry,
    /// Its rule, in structures that are there.
    pub rule: PlaneRule,
    /// What must be visible in it: `required`, and of each group of `any_of` the first that is
    /// there.
    pub required: Vec<&'a str>,
    /// What of `optional` is there.
    pub optional: Vec<&'a str>,
}

impl PlaneEntry {
    /// The plane for a patient with the structures for which `has` is true; none if something it
    /// needs is missing.
    pub fn fit(&self, has: impl Fn(&str) -> bool) -> Option<FittedPlane<'_>> {
        let chosen = self.chosen(&has)?;
        let required = self.required.iter().all(|id| has(id));
        required.then(|| FittedPlane {
            entry: self,
            rule: self.rule_with(&chosen),
            required: texts(&self.required)
                .chain(chosen.iter().copied())
                .collect(),
            optional: texts(&self.optional).filter(|id| has(id)).collect(),
        })
    }

    /// What it needs of which a patient, with the structures for which `has` is true, lacks: ids as
    /// "`a`", groups as "`a` or `b`".
    pub fn lacking(&self, has: impl Fn(&str) -> bool) -> Vec<String> {
        let quoted = |id: &str| format!("`{id}`");
        let required = texts(&self.required).filter(|id| !has(id)).map(quoted);
        let groups = self.any_of.iter();
        let groups = groups.filter(|group| !texts(group).any(&has));
        let either = groups.map(|group| texts(group).map(quoted).collect::<Vec<_>>().join(" or "));
        required.chain(either).collect()
    }

    /// Of each group the first member that is there; none if a group has none.
    fn chosen(&self, has: impl Fn(&str) -> bool) -> Option<Vec<&str>> {
        self.any_of
            .iter()
            .map(|group| texts(group).find(|id| has(id)))
            .collect()
    }

    /// The rule with each structure that stands for a group replaced by the one chosen of it.
    fn rule_with(&self, chosen: &[&str]) -> PlaneRule {
        let mut rule = self.rule.clone();
        for subject in rule.subjects_mut() {
            let mut groups = self.any_of.iter().zip(chosen);
            if let Some((_, id)) = groups.find(|(group, _)| group.contains(subject)) {
                (*id).clone_into(subject);
            }
        }
        rule
    }
}

fn texts(ids: &[String]) -> impl Iterator<Item = &str> {
    ids.iter().map(String::as_str)
}

catalog::record! {
    struct PlaneText {
        id: String [Id],
        name: DisplayName,
        exams: Vec<Exam>,
        required: Vec<Spanned<String>> [Known("structure")],
        any_of: Vec<Vec<Spanned<String>>> [Known("structure")] = Vec::new(),
        optional: Vec<Spanned<String>> [Known("structure")] = Vec::new(),
        rule: Spanned<PlaneRule>,
        approach: Approach,
        marker: Direction,
    }
}

/// A plane as written that makes sense.
pub(crate) struct SoundPlane {
    text: PlaneText,
}

impl Entry for SoundPlane {
    const KIND: &'static str = "plane";
}

impl FromNode for SoundPlane {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        let text = PlaneText::from_node(node, faults)?;
        let sound = [
            text.require_groups(node, faults),
            text.require_each_once(faults),
            text.require_subjects(faults),
            text.require_view(faults),
        ];
        sound
            .into_iter()
            .all(|holds| holds)
            .then_some(Self { text })
    }
}

impl ToNode for SoundPlane {
    fn to_node(&self) -> Node {
        self.text.to_node()
    }
}

impl PlaneText {
    fn require_groups(&self, node: &Node, faults: &mut Faults) -> bool {
        let place = |field| node.field(field).unwrap_or(node).span;
        let filled = self.any_of.iter().all(|group| !group.is_empty());
        let asked = !self.exams.is_empty();
        faults.require(place("any_of"), filled, "a group of `any_of` is empty")
            & faults.require(place("exams"), asked, "no exam asks for this plane")
    }

    /// A structure that is required cannot be optional too.
    fn require_each_once(&self, faults: &mut Faults) -> bool {
        let groups = self.any_of.iter().flatten();
        let all = self.required.iter().chain(groups).chain(&self.optional);
        faults.require_distinct("structure", all)
    }

    /// A rule can only speak of structures that are there.
    fn require_subjects(&self, faults: &mut Faults) -> bool {
        let needed: Vec<&str> = self.needed().collect();
        let mut holds = true;
        for subject in self.rule.subjects() {
            if !needed.contains(&subject) {
                holds = false;
                let message =
                    format!("the rule speaks of `{subject}`, which the plane does not require");
                let finding = Finding::new(self.rule.span, message);
                faults.push(finding.one_of(subject, needed.iter().copied()));
            }
        }
        holds
    }

    fn needed(&self) -> impl Iterator<Item = &str> {
        let groups = self.any_of.iter().flatten();
        self.required
            .iter()
            .chain(groups)
            .map(|id| id.value.as_str())
    }

    /// Two directions span a plane only if they differ; three structures if no two are the same.
    fn require_view(&self, faults: &mut Faults) -> bool {
        let (holds, message) = match &self.rule.value {
            PlaneRule::Spanned { by, .. } => {
                let across = by.unit().cross(&self.approach.looking()).norm() > 0.1;
                (
                    across,
                    "the probe looks along the direction that is to span the plane",
                )
            }
            PlaneRule::Through {
                first,
                second,
                third,
            } => {
                let differ = first != second && second != third && third != first;
                (
                    differ,
                    "a plane through three centroids needs three structures",
                )
            }
            _ => return true,
        };
        faults.require(self.rule.span, holds, message)
    }
}

impl SoundPlane {
    /// The plane without the places where it was written.
    pub fn resolved(self) -> PlaneEntry {
        let text = self.text;
        PlaneEntry {
            id: text.id,
            name: text.name,
            exams: text.exams,
            required: values(text.required),
            any_of: text.any_of.into_iter().map(values).collect(),
            optional: values(text.optional),
            rule: text.rule.value,
            approach: text.approach,
            marker: text.marker,
        }
    }
}

fn values(ids: Vec<Spanned<String>>) -> Vec<String> {
    ids.into_iter().map(|id| id.value).collect()
}
