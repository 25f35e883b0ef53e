//! Parameters, values and findings of a recipe, and what its formulas make of them.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use catalog::{Document, Faults, Finding, FromNode, Kind, Node, NotEmpty, POSITIVE, Span, Spanned};

use super::RecipeError;
use super::formula::{Formula, FormulaFault, MARK};
use crate::atlas::DisplayName;

catalog::record! {
    /// Something the user sets with `--set id=value`.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Parameter {
        /// What formulas and `--set` call it.
        pub id: Spanned<String> [NotEmpty],
        /// Name shown to a person.
        pub name: DisplayName,
        /// Unit, as it is written after a number.
        pub unit: String = String::new(),
        /// Value unless set: a number, or one of the options.
        pub default: Preset,
        /// Least and most.
        pub range: Option<(f64, f64)> = None,
        /// It counts something: only whole numbers are taken.
        pub whole: bool = false,
        /// The least that this body has room for, a formula; asked only of what the user sets.
        pub least: Option<Node> = None,
        /// The most that this body has room for, likewise.
        pub most: Option<Node> = None,
        /// What there is to choose from, instead of a range. Formulas see the place in the list.
        pub options: Vec<String> = Vec::new(),
        /// What the patient's name says of it: a word for each option, or one for every number, in
        /// which `{}` stands for it.
        pub in_name: Vec<DisplayName> = Vec::new(),
    }
    check default_is_allowed
}

/// A parameter's value as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Preset {
    /// A number.
    Number(f64),
    /// One of the options.
    Option(String),
}

impl FromNode for Preset {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        match &node.kind {
            Kind::Text(text) => Some(Self::Option(text.clone())),
            _ => f64::from_node(node, faults).map(Self::Number),
        }
    }
}

impl catalog::ToNode for Preset {
    fn to_node(&self) -> Node {
        match self {
            Self::Number(value) => value.to_node(),
            Self::Option(name) => name.to_node(),
        }
    }
}

fn default_is_allowed(parameter: &Parameter, node: &Node, faults: &mut Faults) {
    if let Some((least, most)) = parameter.range {
        let holds = least <= most;
        faults.require(
            node.span,
            holds,
            format!(
                "the range of `{}` ends below where it begins",
                parameter.id.value
            ),
        );
    }
    let words = [0, parameter.options.len().max(1)];
    let holds = words.contains(&parameter.in_name.len());
    faults.require(
        node.span,
        holds,
        format!(
            "`in_name` of `{}` needs a word for each option, or one where there are none",
            parameter.id.value
        ),
    );
    if let Err(why) = parameter.number_of_preset(&parameter.default) {
        faults.report(
            node.span,
            format!("the default of `{}` {why}", parameter.id.value),
        );
    }
}

catalog::record! {
    /// A named number: a formula, or drawn by the seed.
    #[derive(Clone, Debug, PartialEq)]
    pub(super) struct Value {
        /// What formulas call it.
        pub id: Spanned<String> [NotEmpty],
        /// A number or a formula.
        pub value: Option<Node> = None,
        /// How it varies from patient to patient.
        pub draw: Option<Draw> = None,
    }
    check one_of_both
}

fn one_of_both(value: &Value, node: &Node, faults: &mut Faults) {
    let holds = value.value.is_some() != value.draw.is_some();
    faults.require(node.span, holds, "a value needs either `value` or `draw`");
}

catalog::record! {
    /// A normal distribution, cut at both ends.
    #[derive(Clone, Debug, PartialEq)]
    pub(super) struct Draw {
        /// Mean.
        pub mean: f64,
        /// Standard deviation.
        pub sd: f64 [POSITIVE],
        /// Least and most.
        pub range: (f64, f64),
    }
    check mean_in_range
}

fn mean_in_range(draw: &Draw, node: &Node, faults: &mut Faults) {
    let (least, most) = draw.range;
    let holds = (least..=most).contains(&draw.mean);
    faults.require(node.span, holds, "the mean lies outside of the range");
}

catalog::record! {
    /// A disease that can be switched on with `--finding id:parameter=value,…`.
    #[derive(Clone, Debug, PartialEq)]
    pub struct FindingEntry {
        /// What formulas and `--finding` call it.
        pub id: Spanned<String> [NotEmpty],
        /// Name shown to a person.
        pub name: DisplayName,
        /// Structures without which it cannot be.
        pub needs: Vec<Spanned<String>> = Vec::new(),
        /// What it depends on; formulas call them `id.parameter`.
        pub parameters: Vec<Parameter> = Vec::new(),
    }
}

/// What a person chose: everything that makes one patient of a recipe differ from another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
    /// Natural variation follows from it.
    pub seed: u64,
    /// Parameters and their values, as written.
    pub set: Vec<(String, String)>,
    /// Findings that are on.
    pub findings: Vec<FindingChoice>,
    /// Parameters that are not set are drawn over their whole range by the seed.
    pub vary: bool,
}

/// A finding and its parameters, as written: `gallstones:count=5,size_mm=8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingChoice {
    /// The finding.
    pub id: String,
    /// Its parameters that are set.
    pub set: Vec<(String, String)>,
}

impl FromStr for FindingChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((id, settings)) = text.split_once(':') else {
            return Ok(Self {
                id: text.trim().to_owned(),
                set: Vec::new(),
            });
        };
        let id = id.trim().to_owned();
        if settings.trim().is_empty() {
            return Err(format!(
                "nothing stands behind the colon; write {id} alone, or {id}:name=value"
            ));
        }
        let set: Vec<_> = settings.split(',').map(setting).collect::<Result<_, _>>()?;
        Ok(Self { id, set })
    }
}

/// Reads `key=value`.
///
/// # Errors
/// What is missing, in words.
pub fn setting(text: &str) -> Result<(String, String), String> {
    let parts = text
        .split_once('=')
        .map(|(key, value)| (key.trim(), value.trim()));
    match parts {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            Ok((key.to_owned(), value.to_owned()))
        }
        None if text.trim().is_empty() => {
            Err("a comma too many: between commas stands name=value".to_owned())
        }
        _ => Err(format!("`{text}` is no setting; write it as name=value")),
    }
}

impl Parameter {
    /// The number that formulas see.
    fn number_of_preset(&self, preset: &Preset) -> Result<f64, String> {
        match preset {
            Preset::Number(_) if !self.options.is_empty() => {
                Err(format!("is a number, but must be {}", self.allowed()))
            }
            Preset::Number(value) => self.in_range(*value),
            Preset::Option(name) => self.number_of_option(name),
        }
    }

    fn number_of_option(&self, name: &str) -> Result<f64, String> {
        let place = self.options.iter().position(|option| option == name);
        place
            .map(|place| place as f64)
            .ok_or_else(|| format!("is `{name}`, but must be {}", self.allowed()))
    }

    fn in_range(&self, value: f64) -> Result<f64, String> {
        match self.range {
            Some((least, most)) if !(least..=most).contains(&value) => {
                Err(format!("is {value}, but must be {}", self.allowed()))
            }
            _ if !value.is_finite() => Err("must be a finite number".to_owned()),
            _ if self.whole && value.fract() != 0.0 => {
                Err(format!("is {value}, but must be {}", self.allowed()))
            }
            _ => Ok(value),
        }
    }

    /// The number that formulas see for a value as a person writes it.
    fn number_of(&self, written: &str) -> Result<f64, String> {
        if !self.options.is_empty() {
            return self.number_of_option(written);
        }
        match written.parse::<f64>() {
            Ok(value) => self.in_range(value),
            Err(_) => Err(format!("is `{written}`, but must be {}", self.allowed())),
        }
    }

    /// What it may be, in words.
    pub fn allowed(&self) -> String {
        if !self.options.is_empty() {
            return format!("one of {}", self.options.join(", "));
        }
        let unit = if self.unit.is_empty() { "" } else { " " };
        match self.range {
            Some((least, most)) => {
                let whole = if self.whole {
                    "a whole number from "
                } else {
                    ""
                };
                format!("{whole}{least} to {most}{unit}{}", self.unit)
            }
            None if self.whole => "a whole number".to_owned(),
            None => "a number".to_owned(),
        }
    }

    /// A value as a person writes it, rounded.
    fn written(&self, value: f64) -> String {
        let option = self.options.get(value as usize);
        option
            .cloned()
            .unwrap_or_else(|| format!("{}", (value * 100.0).round() / 100.0))
    }

    /// A value over the whole range, from a number from 0 to 1.
    fn at_share(&self, share: f64) -> Option<f64> {
        if !self.options.is_empty() {
            let count = self.options.len() as f64;
            return Some((share * count).floor().min(count - 1.0));
        }
        self.range.map(|(least, most)| match self.whole {
            true => (least + (most - least + 1.0) * share).floor().min(most),
            false => least + (most - least) * share,
        })
    }
}

/// Values that may depend on each other in a row: each is worked out within the one before.
const LONGEST_WAY: usize = 100;

/// Everything that formulas can name.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub parameters: Vec<Parameter>,
    pub findings: Vec<FindingEntry>,
    values: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug)]
enum Entry {
    Known(f64),
    /// The same bare option of two parameters at different places: it has to be qualified.
    Ambiguous,
    Formula {
        document: usize,
        span: Span,
        formula: Formula,
    },
}

impl Settings {
    /// Gathers what the documents declare and what was chosen. What is wrong in a document goes to
    /// its faults.
    pub fn gather(
        documents: &[Document],
        choices: &Choices,
        faults: &mut [Faults],
    ) -> Result<Self, RecipeError> {
        let mut settings = Self::default();
        let mut drawn: Vec<(usize, Value)> = Vec::new();
        let mut rooms: Vec<(usize, Value)> = Vec::new();
        let mut known: BTreeSet<String> = BTreeSet::new();
        for (n, document) in documents.iter().enumerate() {
            let faults = &mut faults[n];
            let parameters: Vec<Parameter> = list(document, "parameters", faults);
            let findings: Vec<FindingEntry> = list(document, "findings", faults);
            let ids = parameters.iter().map(|p| &p.id);
            for id in ids.chain(findings.iter().map(|f| &f.id)) {
                let is_new = known.insert(id.value.clone());
                faults.require(id.span, is_new, format!("`{}` is defined twice", id.value));
            }
            let own = parameters.iter().map(|p| (String::new(), p));
            let of_findings = findings.iter().flat_map(|finding| {
                let before = format!("{}.", finding.id.value);
                finding.parameters.iter().map(move |p| (before.clone(), p))
            });
            let all = own.chain(of_findings);
            rooms.extend(
                all.flat_map(|(before, p)| room_values(&before, p))
                    .map(|v| (n, v)),
            );
            settings.parameters.extend(parameters);
            settings.findings.extend(findings);
            drawn.extend(list(document, "values", faults).into_iter().map(|v| (n, v)));
        }
        settings.know("seed", (choices.seed % (1 << 53)) as f64);
        settings.choose_parameters(choices)?;
        settings.choose_findings(choices)?;
        for (n, value) in drawn {
            settings.declare(n, value, choices.seed, &mut faults[n]);
        }
        for (n, value) in rooms {
            settings.declare(n, value, choices.seed, &mut faults[n]);
        }
        Ok(settings)
    }

    /// Whether there is room for what was set, once values are settled.
    ///
    /// # Errors
    /// [`RecipeError::Choice`] with what there is room for.
    pub fn check_room(&self, choices: &Choices) -> Result<(), RecipeError> {
        for (key, written) in &choices.set {
            self.check_one("", key, &format!("--set {key}={written}"))?;
        }
        for finding in &choices.findings {
            let said: Vec<String> = finding
                .set
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            let said = format!("--finding {}:{}", finding.id, said.join(","));
            for (key, _) in &finding.set {
                self.check_one(&format!("{}.", finding.id), key, &said)?;
            }
        }
        Ok(())
    }

    fn check_one(&self, before: &str, key: &str, said: &str) -> Result<(), RecipeError> {
        /// Of what comes of rounding.
        const SLACK: f64 = 1e-9;
        let id = format!("{before}{key}");
        let value = self.known(&id).unwrap_or(0.0);
        let [least, most] = [Bound::Least, Bound::Most].map(|b| self.known(&b.name(&id)));
        // Towards what is allowed, that what is told is.
        let tenths = |value: f64| (value * 10.0 + SLACK).floor() / 10.0;
        let told = match (least, most) {
            (_, Some(most)) if value > most + SLACK => format!("{} at most", tenths(most)),
            (Some(least), _) if value < least - SLACK => format!("{} at least", -tenths(-least)),
            _ => return Ok(()),
        };
        Err(RecipeError::Choice(format!(
            "{said}: `{key}` is {value}, but in this body it can be {told}"
        )))
    }

    fn know(&mut self, name: &str, value: f64) {
        self.values.insert(name.to_owned(), Entry::Known(value));
    }

    fn choose_parameters(&mut self, choices: &Choices) -> Result<(), RecipeError> {
        let parameters = self.parameters.clone();
        for (key, _) in &choices.set {
            let ids = parameters.iter().map(|p| p.id.as_str());
            if !ids.clone().any(|id| id == key) {
                return Err(unknown_choice("this recipe has no parameter", key, ids));
            }
        }
        if let Some((key, [first, second])) = twice(&choices.set) {
            return Err(RecipeError::Choice(format!(
                "`{key}` is set twice, --set {key}={first} and --set {key}={second}; say which"
            )));
        }
        for parameter in &parameters {
            let written = choices
                .set
                .iter()
                .rfind(|(key, _)| *key == parameter.id.value);
            let value = match written {
                Some((_, written)) => parameter.number_of(written).map_err(|why| {
                    RecipeError::Choice(format!(
                        "--set {}={written}: `{}` {why}",
                        parameter.id.value, parameter.id.value
                    ))
                })?,
                None => {
                    let share = unit_hash(choices.seed, &parameter.id.value, 0);
                    let varied = parameter.at_share(share).filter(|_| choices.vary);
                    varied
                        .or_else(|| parameter.number_of_preset(&parameter.default).ok())
                        .unwrap_or(0.0)
                }
            };
            self.know_parameter("", parameter, value);
        }
        Ok(())
    }

    fn choose_findings(&mut self, choices: &Choices) -> Result<(), RecipeError> {
        let findings = self.findings.clone();
        for choice in &choices.findings {
            let ids = findings.iter().map(|f| f.id.as_str());
            if !ids.clone().any(|id| id == choice.id) {
                return Err(unknown_choice(
                    "this recipe has no finding",
                    &choice.id,
                    ids,
                ));
            }
            let same = choices
                .findings
                .iter()
                .filter(|other| other.id == choice.id);
            if same.count() > 1 {
                return Err(RecipeError::Choice(format!(
                    "--finding {} is given twice, but a body has it once; write one, with all of its parameters",
                    choice.id
                )));
            }
            if let Some((key, [first, second])) = twice(&choice.set) {
                return Err(RecipeError::Choice(format!(
                    "--finding {}: `{key}` is set twice, to {first} and to {second}; say which",
                    choice.id
                )));
            }
        }
        for finding in &findings {
            let id = &finding.id.value;
            let chosen = choices.findings.iter().rfind(|choice| choice.id == *id);
            self.know(id, f64::from(u8::from(chosen.is_some())));
            let set = chosen.map_or(&[][..], |choice| &choice.set);
            for (key, _) in set {
                let ids = finding.parameters.iter().map(|p| p.id.as_str());
                if !ids.clone().any(|known| known == key) {
                    return Err(unknown_choice(
                        &format!("the finding `{id}` has no parameter"),
                        key,
                        ids,
                    ));
                }
            }
            for parameter in &finding.parameters {
                let value = match set.iter().rfind(|(key, _)| *key == parameter.id.value) {
                    Some((key, written)) => parameter.number_of(written).map_err(|why| {
                        RecipeError::Choice(format!(
                            "--finding {id}:{key}={written}: `{key}` {why}"
                        ))
                    })?,
                    None => parameter
                        .number_of_preset(&parameter.default)
                        .unwrap_or(0.0),
                };
                self.know_parameter(&format!("{id}."), parameter, value);
            }
        }
        Ok(())
    }

    /// A parameter and its options: `sex`, `sex.male`, and `male` as long as that is unambiguous.
    fn know_parameter(&mut self, before: &str, parameter: &Parameter, value: f64) {
        let id = format!("{before}{}", parameter.id.value);
        for (place, option) in parameter.options.iter().enumerate() {
            self.know(&format!("{id}.{option}"), place as f64);
            match self.values.get(option) {
                None => self.know(option, place as f64),
                Some(Entry::Known(known)) if *known == place as f64 => {}
                Some(_) => {
                    self.values.insert(option.clone(), Entry::Ambiguous);
                }
            }
        }
        self.know(&id, value);
    }

    fn declare(&mut self, document: usize, value: Value, seed: u64, faults: &mut Faults) {
        let id = value.id;
        if self.values.contains_key(&id.value) {
            faults.report(id.span, format!("`{}` is defined twice", id.value));
            return;
        }
        let entry = if let Some(draw) = value.draw {
            Entry::Known(draw.of(seed, &id.value))
        } else {
            let Some(node) = value.value else { return };
            match &node.kind {
                Kind::Text(text) => match formula(text, node.span) {
                    Ok(formula) => Entry::Formula {
                        document,
                        span: node.span,
                        formula,
                    },
                    Err(finding) => return faults.push(finding),
                },
                _ => match f64::from_node(&node, faults) {
                    Some(number) => Entry::Known(number),
                    None => return,
                },
            }
        };
        self.values.insert(id.value, entry);
    }

    /// Works out every value, so that each formula's faults are reported once and at its place.
    pub fn settle(&mut self, faults: &mut [Faults]) {
        let names: Vec<String> = self.values.keys().cloned().collect();
        for name in names {
            let mut way = Vec::new();
            if let Err(Stuck::At(document, finding)) = self.settle_one(&name, &mut way) {
                faults[document].push(finding);
            }
        }
    }

    fn settle_one(&mut self, name: &str, way: &mut Vec<String>) -> Result<f64, Stuck> {
        let (document, span, formula) = match self.values.get(name) {
            Some(Entry::Known(value)) => return Ok(*value),
            Some(Entry::Formula {
                document,
                span,
                formula,
            }) => (*document, *span, formula.clone()),
            Some(Entry::Ambiguous) => return Err(Stuck::Ambiguous),
            None => return Err(Stuck::Unknown),
        };
        if way.len() >= LONGEST_WAY {
            let message =
                format!("`{name}` is at the end of a chain of more than {LONGEST_WAY} values");
            return Err(Stuck::At(document, Finding::new(span, message)));
        }
        way.push(name.to_owned());
        let mut stuck = None;
        let value = formula.value(&mut |inner, at| {
            if let Some(from) = way.iter().position(|on_way| on_way == inner) {
                let circle = way[from..].iter().map(String::as_str).chain([inner]);
                let circle: Vec<&str> = circle.collect();
                let message = format!("`{inner}` depends on itself: {}", circle.join(" → "));
                return Err(fault(at, inner, message, None));
            }
            match self.settle_one(inner, way) {
                Ok(value) => Ok(value),
                Err(Stuck::At(document, finding)) => {
                    stuck = Some((document, finding));
                    Err(fault(at, inner, String::new(), None))
                }
                Err(Stuck::Ambiguous) => Err(ambiguous(at, inner)),
                Err(Stuck::Unknown) => Err(unknown(at, inner)),
            }
        });
        way.pop();
        // Known from here on, so that what depends on it does not report the fault again.
        let settled = Entry::Known(value.clone().unwrap_or(0.0));
        self.values.insert(name.to_owned(), settled);
        match (value, stuck) {
            (Ok(value), _) if value.is_finite() => Ok(value),
            (Ok(_), _) => {
                let message = format!("`{name}` comes to no finite number");
                Err(Stuck::At(document, Finding::new(span, message)))
            }
            (Err(_), Some((document, finding))) => Err(Stuck::At(document, finding)),
            (Err(fault), None) => Err(Stuck::At(document, self.finding(&fault, span))),
        }
    }

    /// The value of a text that begins with `=`; `None` for any other text.
    pub fn number(&self, text: &str, span: Span) -> Option<Result<Kind, Finding>> {
        text.starts_with(MARK).then(|| {
            let value = formula(text, span)?
                .value(&mut |name, at| match self.values.get(name) {
                    Some(Entry::Known(value)) => Ok(*value),
                    Some(Entry::Ambiguous) => Err(ambiguous(at, name)),
                    _ => Err(unknown(at, name)),
                })
                .map_err(|fault| self.finding(&fault, span))?;
            if !value.is_finite() {
                let message = format!("`{text}` comes to no finite number");
                return Err(Finding::new(span, message));
            }
            // Whole numbers stay whole: seeds and counts are.
            let whole = value == value.trunc() && value.abs() < 1e15;
            Ok(if whole {
                Kind::Integer(value as i128)
            } else {
                Kind::Float(value)
            })
        })
    }

    fn finding(&self, fault: &FormulaFault, span: Span) -> Finding {
        let finding = place(fault, span);
        match &fault.unknown {
            Some(name) => finding.one_of(name, self.values.keys().map(String::as_str)),
            None => finding,
        }
    }

    /// What was chosen and came of it, for the patient's source:
    /// `gallstones:count=3,size_mm=10; sex=male, bmi=23; seed=7`.
    pub fn summary(&self, seed: u64) -> String {
        let parameters: Vec<String> = self.parameters.iter().map(|p| self.shown("", p)).collect();
        let finding = |finding: &FindingEntry| {
            let id = &finding.id.value;
            let before = format!("{id}.");
            let set = finding.parameters.iter().map(|p| self.shown(&before, p));
            match set.collect::<Vec<_>>().join(",") {
                none if none.is_empty() => id.clone(),
                set => format!("{id}:{set}"),
            }
        };
        let seed = (seed != 0).then(|| format!("seed={seed}"));
        let findings = self.findings_on().map(finding);
        let all = findings.chain([parameters.join(", ")]).chain(seed);
        let all = all.filter(|words| !words.is_empty());
        all.collect::<Vec<_>>().join("; ")
    }

    /// `bmi=23`; the most that there is room for, where the preset is more.
    fn shown(&self, before: &str, parameter: &Parameter) -> String {
        let id = format!("{before}{}", parameter.id.value);
        let value = self.known(&id).unwrap_or(0.0);
        let most = self.known(&Bound::Most.name(&id)).unwrap_or(f64::INFINITY);
        let least = self
            .known(&Bound::Least.name(&id))
            .unwrap_or(f64::NEG_INFINITY);
        let value = parameter.written(value.min(most).max(least));
        format!("{}={value}", parameter.id.value)
    }

    /// `sex=male` for each of these names that is a parameter.
    pub fn said(&self, names: &[String]) -> Vec<String> {
        let of_name = |name: &String| {
            let mut parameters = self.parameters.iter();
            let parameter = parameters.find(|p| p.id.value == *name)?;
            Some(self.shown("", parameter))
        };
        names.iter().filter_map(of_name).collect()
    }

    fn known(&self, name: &str) -> Option<f64> {
        match self.values.get(name) {
            Some(Entry::Known(value)) => Some(*value),
            _ => None,
        }
    }

    fn findings_on(&self) -> impl Iterator<Item = &FindingEntry> {
        let is_on = |finding: &&FindingEntry| self.known(&finding.id.value) == Some(1.0);
        self.findings.iter().filter(is_on)
    }

    /// The patient's name: what all of the recipe's patients are called and what tells this one from
    /// them, `Adult trunk, man, BMI 23`. Not what it has: that is for whoever examines it to find.
    pub fn name(&self, all: &DisplayName) -> DisplayName {
        let of_parameter = |parameter: &Parameter| {
            let value = self.known(&parameter.id.value)?;
            let number = format!("{}", value.round());
            let words = match parameter.options.is_empty() {
                true => parameter.in_name.first()?,
                false => parameter.in_name.get(value as usize)?,
            };
            Some(DisplayName {
                en: words.en.replace("{}", &number),
                zh: words.zh.replace("{}", &number),
            })
        };
        let told: Vec<_> = self.parameters.iter().filter_map(of_parameter).collect();
        let joined = |all: &str, of: &dyn Fn(&DisplayName) -> String, between: &str| {
            let said = std::iter::once(all.to_owned()).chain(told.iter().map(of));
            said.collect::<Vec<_>>().join(between)
        };
        DisplayName {
            en: joined(&all.en, &|words| words.en.clone(), ", "),
            zh: joined(&all.zh, &|words| words.zh.clone(), "，"),
        }
    }
}

/// An end of what a body has room for.
#[derive(Clone, Copy, Debug)]
enum Bound {
    Least,
    Most,
}

impl Bound {
    /// What its value is called among the values: no name that a formula could say.
    fn name(self, parameter: &str) -> String {
        format!("{self:?} {parameter}")
    }
}

/// The formulas of what there is room for, as values.
fn room_values(before: &str, parameter: &Parameter) -> Vec<Value> {
    let ends = [
        (Bound::Least, &parameter.least),
        (Bound::Most, &parameter.most),
    ];
    let value = |(bound, node): (Bound, &Option<Node>)| {
        let id = bound.name(&format!("{before}{}", parameter.id.value));
        node.clone().map(|node| Value {
            id: Spanned {
                value: id,
                span: node.span,
            },
            value: Some(node),
            draw: None,
        })
    };
    ends.into_iter().filter_map(value).collect()
}

/// The first key that is there twice, and its first two values.
fn twice(set: &[(String, String)]) -> Option<(&str, [&str; 2])> {
    set.iter().enumerate().find_map(|(n, (key, first))| {
        let again = set[n + 1..].iter().find(|(other, _)| other == key);
        again.map(|(_, second)| (key.as_str(), [first.as_str(), second.as_str()]))
    })
}

/// Why a value is not known.
enum Stuck {
    At(usize, Finding),
    Ambiguous,
    Unknown,
}

fn list<T: FromNode>(document: &Document, field: &str, faults: &mut Faults) -> Vec<T> {
    let node = document.root().field(field);
    node.and_then(|node| Vec::<T>::from_node(node, faults))
        .unwrap_or_default()
}

fn formula(text: &str, span: Span) -> Result<Formula, Finding> {
    let inner = text.strip_prefix(MARK).unwrap_or(text);
    Formula::parse(inner).map_err(|fault| place(&fault, span))
}

/// A fault's place in the file: behind the quote and the mark. (A text with escapes in it would
/// shift it; formulas need none.)
fn place(fault: &FormulaFault, span: Span) -> Finding {
    let start = (span.start + 2 + fault.at as u32).min(span.end);
    let end = (start + fault.length as u32).min(span.end);
    Finding::new(Span { start, end }, fault.message.clone())
}

fn fault(at: usize, name: &str, message: String, unknown: Option<String>) -> FormulaFault {
    FormulaFault {
        at,
        length: name.len(),
        message,
        unknown,
    }
}

fn unknown(at: usize, name: &str) -> FormulaFault {
    let message = format!("there is no parameter, value or finding `{name}`");
    fault(at, name, message, Some(name.to_owned()))
}

fn ambiguous(at: usize, name: &str) -> FormulaFault {
    let message =
        format!("`{name}` is an option of more than one parameter; write parameter.{name}");
    fault(at, name, message, None)
}

/// What is not there, after `lacks`, what was meant, and what there is.
fn unknown_choice<'a>(
    lacks: &str,
    given: &str,
    valid: impl Iterator<Item = &'a str> + Clone,
) -> RecipeError {
    let names: Vec<&str> = valid.clone().collect();
    let there = if names.is_empty() {
        "there are none".to_owned()
    } else {
        format!("there are {}", names.join(", "))
    };
    let near = catalog::nearest(given, valid)
        .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    RecipeError::Choice(format!("{lacks} `{given}`{near}; {there}"))
}

impl Draw {
    /// The value of a seed: Box and Muller's transform of two hashes, cut.
    fn of(&self, seed: u64, id: &str) -> f64 {
        let (u, v) = (unit_hash(seed, id, 1), unit_hash(seed, id, 2));
        let radius = (-2.0 * libm::log(1.0 - u)).sqrt();
        let normal = radius * libm::cos(std::f64::consts::TAU * v);
        let (least, most) = self.range;
        (self.mean + self.sd * normal).max(least).min(most)
    }
}

/// A number from 0 to 1 (exclusive) that follows from a seed, a name and a counter.
fn unit_hash(seed: u64, name: &str, counter: u64) -> f64 {
    let start = mix(seed ^ mix(counter));
    let key = name
        .bytes()
        .fold(start, |key, byte| mix(key ^ u64::from(byte)));
    (key >> 11) as f64 / (1_u64 << 53) as f64
}

/// A bijective scrambling of 64 bits (the finaliser of `SplitMix64`, Steele et al. 2014).
fn mix(value: u64) -> u64 {
    let mut v = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    v = (v ^ (v >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    v = (v ^ (v >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    v ^ (v >> 31)
}
