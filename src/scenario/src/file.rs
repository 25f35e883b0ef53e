//! What a scenario's file may say.

use anatomy::recipe::Recipe;
use anatomy::tissue::DisplayName;
use catalog::{
    Faults, Finding, Format, FromNode, Kind, Known, Name, Node, POSITIVE, Rule, Ruled, Spanned,
    ToNode,
};
use equipment::hand::Turn;
use scoring::{PlaneRules, PlaneTask, SweepRules, SweepTask, Task, TaskKind, Tolerance, Window};

use crate::units::{Angle, Length};
use crate::{PatientRef, Start};

/// `Scenario(version: 1, …)`.
pub(crate) const FORMAT: Format = Format::new("Scenario", 1).with_max_bytes(1 << 20);

/// A place of a probe is near the body.
const NEAR_MM: std::ops::RangeInclusive<f64> = -500.0..=500.0;
const HALF_TURN: std::ops::RangeInclusive<f64> = -180.0..=180.0;

catalog::record! {
    pub(crate) struct ScenarioFile {
        pub id: String [Id],
        pub title: DisplayName,
        pub intro: DisplayName,
        pub patient: String [PatientName],
        pub probe: Spanned<String> [Known("probe")],
        pub preset: Spanned<String> [Known("preset")],
        pub start: Option<StartText> = None,
        pub tasks: Vec<TaskText>,
    }
}

catalog::record! {
    /// The exemplary pose of a plane, shifted on the skin, then turned.
    pub(crate) struct StartText {
        pub plane: String [Known("plane")],
        pub marker_mm: Length [NEAR_MM] = Length { mm: 0.0 },
        pub across_mm: Length [NEAR_MM] = Length { mm: 0.0 },
        pub tilt_deg: Angle [HALF_TURN] = Angle { deg: 0.0 },
        pub rock_deg: Angle [HALF_TURN] = Angle { deg: 0.0 },
        pub rotate_deg: Angle [HALF_TURN] = Angle { deg: 0.0 },
    }
}

catalog::choice! {
    pub(crate) enum TaskText {
        /// A picture of a plane.
        Plane {
            id: String [Id],
            plane: String [Known("plane")],
            name: Option<DisplayName> = None,
            instruction: DisplayName,
            time_limit_s: Option<f64> [POSITIVE] = None,
            rules: PlaneRulesText = PlaneRulesText::default(),
        },
        /// A sweep through a structure.
        Sweep {
            id: String [Id],
            structure: String [Known("structure")],
            name: Option<DisplayName> = None,
            instruction: DisplayName,
            share: f64 [0.05..=1.0] = 0.8,
            time_limit_s: Option<f64> [POSITIVE] = None,
            rules: SweepRulesText = SweepRulesText::default(),
        },
    }
}

catalog::record! {
    /// What a task judges in its own way.
    #[derive(Default)]
    pub(crate) struct PlaneRulesText {
        pub visible_share: Option<f64> [0.01..=1.0] = None,
        pub visible_least_mm2: Option<f64> [0.0..=1e6] = None,
        pub normal_deg: Option<Graded<Angle>> = None,
        pub offset_mm: Option<Graded<Length>> = None,
        pub place_mm: Option<Graded<Length>> = None,
        pub depth_ratio: Option<WindowText> = None,
        pub gain_db: Option<Graded<f64>> = None,
        pub contact: Option<WindowText> = None,
        pub force_n: Option<WindowText> = None,
        pub path_mm: Option<Graded<Length>> = None,
        pub time_s: Option<Graded<f64>> = None,
    }
}

catalog::record! {
    /// What a task judges in its own way.
    #[derive(Default)]
    pub(crate) struct SweepRulesText {
        pub speed_mm_s: Option<Graded<Length>> = None,
        pub contact: Option<WindowText> = None,
        pub force_n: Option<WindowText> = None,
        pub gaps: Option<Graded<f64>> = None,
    }
}

/// `(green: 5, amber: 10)`.
pub(crate) struct Graded<T> {
    green: T,
    amber: T,
}

/// A quantity that a tolerance grades.
pub(crate) trait Quantity: Copy {
    fn number(self) -> f64;
}
impl Quantity for f64 {
    fn number(self) -> f64 {
        self
    }
}
impl Quantity for Length {
    fn number(self) -> f64 {
        self.mm
    }
}
impl Quantity for Angle {
    fn number(self) -> f64 {
        self.deg
    }
}

impl<T: Ruled<Leaf = f64> + Quantity> FromNode for Graded<T> {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        const FIELDS: &[&str] = &["green", "amber"];
        let fields = catalog::Fields::of_record(node, "Tolerance", FIELDS, faults)?;
        let green = fields.required_within::<T, _>("green", &(0.0..=1e6), faults);
        let amber = fields.required_within::<T, _>("amber", &(0.0..=1e6), faults);
        let (green, amber) = (green?, amber?);
        let ordered = green.number() < amber.number();
        faults
            .require(node.span, ordered, "`green` is not below `amber`")
            .then_some(Self { green, amber })
    }
}

impl<T: ToNode> ToNode for Graded<T> {
    fn to_node(&self) -> Node {
        let field = |name: &str, value: &T| catalog::Field {
            name: name.into(),
            value: value.to_node(),
        };
        let fields = vec![field("green", &self.green), field("amber", &self.amber)];
        Node::record(None, fields)
    }
}

impl<T: Quantity> Graded<T> {
    fn resolved(&self) -> Tolerance {
        Tolerance::new(self.green.number(), self.amber.number())
    }
}

catalog::record! {
    /// `(full: (2, 20), none: (0, 35))`.
    pub(crate) struct WindowText {
        full: (f64, f64),
        none: (f64, f64),
    }
    check WindowText::require_nested
}

impl WindowText {
    fn require_nested(&self, node: &Node, faults: &mut Faults) {
        let (full, none) = (self.full, self.none);
        let nested = none.0 < full.0 && full.0 <= full.1 && full.1 < none.1;
        faults.require(node.span, nested, "`full` does not lie within `none`");
    }

    fn resolved(&self) -> Window {
        Window::new(self.full, self.none)
    }
}

/// A name for files and the command line.
pub(crate) struct Id;

impl Rule<String> for Id {
    fn check(&self, id: &String, node: &Node, faults: &mut Faults) -> bool {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let holds = !id.is_empty() && id.len() <= 64 && id.chars().all(is_plain);
        if !holds {
            faults.mismatch(node, "an id of at most 64 letters, digits, `_` and `-`");
        }
        holds
    }
}

/// A built-in patient's name or a folder.
pub(crate) struct PatientName;

impl Rule<String> for PatientName {
    fn check(&self, written: &String, node: &Node, faults: &mut Faults) -> bool {
        let holds = PatientRef::of(written).is_some();
        if !holds {
            let message = format!("there is no built-in patient `{written}`");
            let mut finding = Finding::new(node.span, message);
            finding = finding.one_of(written, Recipe::builtin_ids());
            let names = finding
                .expected
                .unwrap_or_else(|| "a built-in patient".to_owned());
            finding.expected = Some(format!(
                "{names}, or a folder as a path, such as `./{written}`"
            ));
            faults.push(finding);
        }
        holds
    }
}

/// There is a task, and no two have the same id; as far as ids are texts, whatever else is wrong.
pub(crate) fn require_tasks(root: &Node, faults: &mut Faults) {
    let Some(tasks) = root.field("tasks") else {
        return;
    };
    let empty = matches!(&tasks.kind, Kind::List(tasks) if tasks.is_empty());
    faults.require(tasks.span, !empty, "there is no task");
    let id = |task: &Node| match &task.field("id")?.kind {
        Kind::Text(text) => Some(Name::new(text.clone(), task.field("id")?.span)),
        _ => None,
    };
    let ids: Vec<Name> = tasks.items().iter().filter_map(id).collect();
    faults.require_distinct("task", &ids);
}

impl StartText {
    pub fn resolved(self) -> Start {
        Start {
            plane: self.plane,
            marker_mm: self.marker_mm.mm,
            across_mm: self.across_mm.mm,
            turn: Turn {
                tilt_deg: self.tilt_deg.deg,
                rock_deg: self.rock_deg.deg,
                rotate_deg: self.rotate_deg.deg,
            },
        }
    }
}

impl TaskText {
    /// The task, named after the plane or structure unless it has a name of its own.
    pub fn resolved(self, known_as: impl Fn(&str) -> DisplayName) -> Task {
        match self {
            Self::Plane {
                id,
                plane,
                name,
                instruction,
                time_limit_s,
                rules,
            } => Task {
                id,
                name: name.unwrap_or_else(|| known_as(&plane)),
                instruction,
                time_limit_s,
                kind: TaskKind::Plane(PlaneTask {
                    rules: rules.resolved(),
                    plane,
                }),
            },
            Self::Sweep {
                id,
                structure,
                name,
                instruction,
                share,
                time_limit_s,
                rules,
            } => Task {
                id,
                name: name.unwrap_or_else(|| known_as(&structure)),
                instruction,
                time_limit_s,
                kind: TaskKind::Sweep(SweepTask {
                    rules: rules.resolved(),
                    structure,
                    share,
                }),
            },
        }
    }
}

fn graded<T: Quantity>(text: Option<Graded<T>>, default: Tolerance) -> Tolerance {
    text.map_or(default, |text| text.resolved())
}

fn window(text: Option<WindowText>, default: Window) -> Window {
    text.map_or(default, |text| text.resolved())
}

impl PlaneRulesText {
    fn resolved(self) -> PlaneRules {
        let default = PlaneRules::default();
        PlaneRules {
            visible_share: self.visible_share.unwrap_or(default.visible_share),
            visible_least_mm2: self.visible_least_mm2.unwrap_or(default.visible_least_mm2),
            normal_deg: graded(self.normal_deg, default.normal_deg),
            offset_mm: graded(self.offset_mm, default.offset_mm),
            place_mm: graded(self.place_mm, default.place_mm),
            depth_ratio: window(self.depth_ratio, default.depth_ratio),
            gain_db: graded(self.gain_db, default.gain_db),
            contact: window(self.contact, default.contact),
            force_n: window(self.force_n, default.force_n),
            path_mm: graded(self.path_mm, default.path_mm),
            time_s: self.time_s.map(|text| text.resolved()),
        }
    }
}

impl SweepRulesText {
    fn resolved(self) -> SweepRules {
        let default = SweepRules::default();
        SweepRules {
            speed_mm_s: graded(self.speed_mm_s, default.speed_mm_s),
            contact: window(self.contact, default.contact),
            force_n: window(self.force_n, default.force_n),
            gaps: graded(self.gaps, default.gaps),
        }
    }
}
