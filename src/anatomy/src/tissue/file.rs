//! Tissues as written in a file.

use std::collections::BTreeMap;

use catalog::{
    CatalogError, Document, Faults, Finding, Format, FromNode, Kind, Known, Node, NotEmpty,
    POSITIVE, Rule, Ruled, Spanned, ToNode,
};

use super::{Provenance, Scatter, Texture, Tissue};
use crate::element::Element;
use crate::entry::{DisplayName, Entries, Entry, Id};

/// `Tissues(version: 1, …)`; a table has some kilobytes.
pub(super) const FORMAT: Format = Format::new("Tissues", 1).with_max_bytes(16 << 20);

/// How far mass fractions may be from summing to 1: published tables round to three digits.
const SUM_TOLERANCE: f64 = 0.002;

/// What a file holds.
pub(super) struct Contents {
    pub sources: BTreeMap<String, String>,
    pub tissues: Vec<Tissue>,
}

catalog::record! {
    struct TissueFile {
        sources: BTreeMap<String, String> [NotEmpty],
        tissues: Entries<TissueText>,
    }
}

catalog::record! {
    #[derive(Debug)]
    struct TissueText {
        id: String [Id],
        name: DisplayName,
        density_kg_m3: Figure [0.1..=25_000.0],
        sound_speed_m_s: Figure [100.0..=20_000.0],
        attenuation: AttenuationText,
        scatter: Option<ScatterText>,
        specularity: Figure [0.0..=1.0],
        composition: Composition,
        stiffness_kpa: Figure [0.0..=2e9],
        color: [u8; 3],
    }
}

impl Entry for TissueText {
    const KIND: &'static str = "tissue";
}

catalog::record! {
    #[derive(Debug)]
    struct AttenuationText {
        db_cm_at_1_mhz: Figure [0.0..=1000.0],
        power: Figure [0.0..=3.0],
    }
}

catalog::record! {
    #[derive(Debug)]
    struct ScatterText {
        texture: Texture,
        length_mm: f64 [0.001..=100.0],
        level_db: Figure [-100.0..=60.0],
        exponent: Figure [0.0..=4.5],
    }
}

catalog::record! {
    /// A number and where it comes from.
    #[derive(Debug)]
    struct Figure {
        value: f64,
        source: Option<String> [Known("source")] = None,
        estimate: bool = false,
    }
}

/// The range in the brackets after a `Figure` is about its value.
impl Ruled for Figure {
    type Leaf = f64;
    fn from_node_within<R: Rule<f64>>(node: &Node, rule: &R, faults: &mut Faults) -> Option<Self> {
        let figure = Self::from_node(node, faults)?;
        let value = node.field("value").unwrap_or(node);
        let within = rule.check(&figure.value, value, faults);
        let cited = require_provenance(node, &figure.source, figure.estimate, faults);
        (within && cited).then_some(figure)
    }
}

fn require_provenance(
    node: &Node,
    source: &Option<String>,
    estimate: bool,
    faults: &mut Faults,
) -> bool {
    let message = match (source, estimate) {
        (Some(_), false) | (None, true) => return true,
        (Some(_), true) => "a figure has a source or is an estimate, not both",
        (None, false) => "the figure does not say where it comes from",
    };
    let expected = "`source: \"key\"` with a key of `sources`, or `estimate: true`";
    faults.push(Finding::new(node.span, message).expected(expected));
    false
}

catalog::record! {
    #[derive(Debug)]
    struct CompositionText {
        mass_fractions: BTreeMap<Spanned<String>, f64> [(POSITIVE.0, std::ops::Bound::Included(1.0))],
        source: Option<String> [Known("source")] = None,
        estimate: bool = false,
    }
}

/// Mass fractions of known elements that sum to 1, in the order of atomic number.
#[derive(Debug)]
struct Composition {
    text: CompositionText,
    fractions: Vec<(Element, f64)>,
}

impl FromNode for Composition {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        let text = CompositionText::from_node(node, faults)?;
        let cited = require_provenance(node, &text.source, text.estimate, faults);
        let fractions = elements(&text.mass_fractions, faults);
        let whole = require_whole(node, &text.mass_fractions, faults);
        let fractions = fractions.filter(|_| cited && whole)?;
        Some(Self { text, fractions })
    }
}

impl ToNode for Composition {
    fn to_node(&self) -> Node {
        self.text.to_node()
    }
}

/// None if a symbol is no element's; all such are reported.
fn elements(
    mass_fractions: &BTreeMap<Spanned<String>, f64>,
    faults: &mut Faults,
) -> Option<Vec<(Element, f64)>> {
    let mut known = Vec::new();
    for (symbol, share) in mass_fractions {
        match Element::from_symbol(symbol) {
            Some(element) => known.push((element, *share)),
            None => report_element(symbol, faults),
        }
    }
    known.sort_by_key(|(element, _)| *element);
    (known.len() == mass_fractions.len()).then_some(known)
}

fn report_element(symbol: &Spanned<String>, faults: &mut Faults) {
    let shown: String = symbol.chars().take(24).collect();
    let message = format!("`{shown}` is no chemical element");
    let finding = Finding::new(symbol.span, message).expected("a symbol as `Na`, up to uranium");
    faults.push(finding);
}

fn require_whole(
    node: &Node,
    mass_fractions: &BTreeMap<Spanned<String>, f64>,
    faults: &mut Faults,
) -> bool {
    let sum: f64 = mass_fractions.values().sum();
    let place = node.field("mass_fractions").unwrap_or(node).span;
    let holds = (sum - 1.0).abs() <= SUM_TOLERANCE;
    if !holds {
        let message = format!("the mass fractions sum to {sum:.4}");
        faults.push(Finding::new(place, message).expected("1, within 0.002"));
    }
    holds
}

/// Everything that a document says, checked.
pub(super) fn read(document: Document) -> Result<Contents, CatalogError> {
    let root = document.root().span;
    knowing_sources(document).resolve_with(|file: TissueFile, faults| {
        let countable = file.tissues.0.len() <= usize::from(u16::MAX);
        let message = "more tissues than the 65535 that labels can tell apart";
        faults.require(root, countable, message);
        Some(file.resolved())
    })
}

/// Tells the document the keys of its own `sources`, as far as they can be read.
fn knowing_sources(document: Document) -> Document {
    let Some(Kind::Map(entries)) = document.root().field("sources").map(|node| &node.kind) else {
        return document;
    };
    let key = |(key, _): &(Node, Node)| match &key.kind {
        Kind::Text(text) => Some(text.clone()),
        _ => None,
    };
    let keys: Vec<String> = entries.iter().filter_map(key).collect();
    document.knowing("source", "`sources` of this file", keys)
}

impl TissueFile {
    fn resolved(self) -> Contents {
        let tissues = self.tissues.0.into_iter();
        Contents {
            sources: self.sources,
            tissues: tissues.map(TissueText::resolved).collect(),
        }
    }
}

impl TissueText {
    fn resolved(self) -> Tissue {
        let provenance = self.provenance();
        Tissue {
            provenance,
            id: self.id,
            name: self.name,
            density_kg_m3: self.density_kg_m3.value,
            sound_speed_m_s: self.sound_speed_m_s.value,
            attenuation_db_cm_at_1_mhz: self.attenuation.db_cm_at_1_mhz.value,
            attenuation_power: self.attenuation.power.value,
            scatter: self.scatter.map(ScatterText::resolved),
            specularity: self.specularity.value,
            composition: self.composition.fractions,
            stiffness_kpa: self.stiffness_kpa.value,
            color: self.color,
        }
    }

    fn provenance(&self) -> BTreeMap<&'static str, Provenance> {
        let composition = &self.composition.text;
        let scatter = self.scatter.as_ref();
        let always = [
            ("density_kg_m3", self.density_kg_m3.provenance()),
            ("sound_speed_m_s", self.sound_speed_m_s.provenance()),
            (
                "attenuation.db_cm_at_1_mhz",
                self.attenuation.db_cm_at_1_mhz.provenance(),
            ),
            ("attenuation.power", self.attenuation.power.provenance()),
            ("specularity", self.specularity.provenance()),
            ("composition", provenance(&composition.source)),
            ("stiffness_kpa", self.stiffness_kpa.provenance()),
        ];
        let if_it_scatters = scatter.map(|scatter| {
            [
                ("scatter.level_db", scatter.level_db.provenance()),
                ("scatter.exponent", scatter.exponent.provenance()),
            ]
        });
        always
            .into_iter()
            .chain(if_it_scatters.into_iter().flatten())
            .collect()
    }
}

impl ScatterText {
    fn resolved(self) -> Scatter {
        Scatter {
            texture: self.texture,
            length_mm: self.length_mm,
            level_db: self.level_db.value,
            exponent: self.exponent.value,
        }
    }
}

impl Figure {
    fn provenance(&self) -> Provenance {
        provenance(&self.source)
    }
}

fn provenance(source: &Option<String>) -> Provenance {
    match source {
        Some(key) => Provenance::Source(key.clone()),
        None => Provenance::Estimate,
    }
}
