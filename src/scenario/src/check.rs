//! Whether a patient has what a scenario asks for.

use anatomy::Patient;
use anatomy::atlas::Atlas;
use catalog::{CatalogError, Document, Finding, Node, Span};

use crate::Scenario;
use crate::file::FORMAT;

impl Scenario {
    /// Whether a patient has every plane and structure that the tasks and the start ask for.
    ///
    /// # Errors
    ///
    /// Everything that is missing, each with the line and column that ask for it: for a plane which
    /// of the structures that it requires the patient lacks, and which planes the patient has.
    pub fn check_patient(&self, patient: &Patient) -> Result<(), CatalogError> {
        let document = Document::parse(self.text.as_str(), self.source.as_str(), &FORMAT)?;
        let mut faults = document.faults();
        let root = document.root();
        let tasks = root.field("tasks").map_or(&[][..], Node::items);
        let start = root.field("start").into_iter();
        let start = start.flat_map(|node| std::iter::once(node).chain(node.items()));
        for asking in start.chain(tasks) {
            let plane = text_of(asking, "plane");
            let plane = plane.and_then(|(id, span)| plane_missing(id, span, patient));
            let structure = text_of(asking, "structure");
            let structure = structure.and_then(|(id, span)| structure_missing(id, span, patient));
            plane
                .into_iter()
                .chain(structure)
                .for_each(|finding| faults.push(finding));
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(document.error(faults))
    }
}

fn text_of<'n>(node: &'n Node, field: &str) -> Option<(&'n str, Span)> {
    let value = node.field(field)?;
    let text = value.texts_at(&[]).first().copied()?;
    Some((text, value.span))
}

fn plane_missing(id: &str, span: Span, patient: &Patient) -> Option<Finding> {
    let mut had = patient.planes.iter().map(|(_, plane)| plane.id.as_str());
    if had.any(|plane| plane == id) {
        return None;
    }
    let name = &patient.identity.name;
    let lacking = lacking(id, patient);
    let why = if lacking.is_empty() {
        "although the structures are there: the plane does not meet them, or the probe cannot look \
         along it"
            .to_owned()
    } else {
        format!(
            "which needs {}, which the patient lacks",
            lacking.join(" and ")
        )
    };
    let message = format!("patient `{name}` has no plane `{id}`, {why}");
    let had: Vec<&str> = patient.planes.iter().map(|(_, p)| p.id.as_str()).collect();
    let mut finding = Finding::new(span, message).one_of(id, had.iter().copied());
    finding.expected = Some(match had.as_slice() {
        [] => "a patient with standard planes".to_owned(),
        had => format!("one of the patient's planes: {}", quoted(had)),
    });
    Some(finding)
}

/// What of a plane's requirements a patient does not have: ids, groups as "`a` or `b`".
fn lacking(plane: &str, patient: &Patient) -> Vec<String> {
    let entry = Atlas::builtin().plane(plane);
    entry.map_or_else(Vec::new, |plane| {
        plane.lacking(|id| patient.structure(id).is_some())
    })
}

fn structure_missing(id: &str, span: Span, patient: &Patient) -> Option<Finding> {
    if patient.structure(id).is_some() {
        return None;
    }
    let message = format!("patient `{}` has no `{id}`", patient.identity.name);
    let had: Vec<&str> = patient.structures.iter().map(|s| s.id.as_str()).collect();
    let mut finding = Finding::new(span, message).one_of(id, had.iter().copied());
    finding.expected = Some(format!("one of the patient's structures: {}", quoted(&had)));
    Some(finding)
}

fn quoted(ids: &[&str]) -> String {
    let quoted: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
    quoted.join(", ")
}
