//! Settings that start from a preset: `Settings(version: 1, preset: "abdomen", depth_mm: 120)`.
//!
//! What the file names replaces the preset's as a whole, but of `effects` one by one: who turns the
//! noise on does not mean to turn on everything else.

use catalog::{Faults, Finding, FromNode, Kind, Name, Node, Span, Spanned, ToNode};

use super::knobs::KNOBS;
use super::put;
use crate::Preset;

const PRESET: &str = "preset";
const EFFECTS: &str = "effects";

/// Takes the name of a preset off a settings record and adds what the record leaves out.
pub(super) fn fill_from_preset(settings: &mut Node, faults: &mut Faults) {
    let Some(name) = take_preset(settings, faults) else {
        return;
    };
    let builtin = Preset::builtin_names();
    let home = "the built-in presets";
    if faults.require_name(&name, PRESET, home, builtin)
        && let Some(preset) = Preset::builtin(&name)
    {
        fill(settings, preset.console.to_node(), name.span);
    }
}

fn take_preset(settings: &mut Node, faults: &mut Faults) -> Option<Name> {
    take_misspelt(settings, faults);
    let node = settings.remove_field(PRESET)?;
    while let Some(again) = settings.remove_field(PRESET) {
        let finding = Finding::new(again.span, "the preset is given twice");
        faults.push(finding.related("first", node.span));
    }
    Option::<Spanned<String>>::from_node(&node, faults)?
}

/// An unknown field that is nearer to `preset` than to any knob: whoever reads the knobs cannot
/// know that.
fn take_misspelt(settings: &mut Node, faults: &mut Faults) {
    if settings.field(PRESET).is_some() {
        return;
    }
    let ids = || KNOBS.iter().map(|knob| knob.id);
    let is_misspelt = |name: &Name| {
        ids().all(|id| id != name.value)
            && catalog::nearest(name, ids().chain([PRESET])) == Some(PRESET)
    };
    let fields = settings.fields().iter();
    let misspelt: Vec<Name> = fields
        .map(|field| &field.name)
        .filter(|name| is_misspelt(name))
        .cloned()
        .collect();
    for name in misspelt {
        let finding = Finding::new(name.span, format!("unknown field `{}`", name.value));
        faults.push(finding.one_of(&name, [PRESET]));
        settings.remove_field(&name);
    }
}

/// Adds to `settings` those of the preset's fields that it lacks, as if they stood at `span`.
fn fill(settings: &mut Node, mut preset: Node, span: Span) {
    put(&mut preset, span);
    let Kind::Record(_, fields) = preset.kind else {
        return;
    };
    for field in fields {
        match settings.field_mut(&field.name) {
            None => settings.set_field(&field.name, field.value),
            Some(own) if *field.name == *EFFECTS => fill_effects(own, field.value, span),
            Some(_) => {}
        }
    }
}

fn fill_effects(own: &mut Node, preset: Node, span: Span) {
    match &own.kind {
        // `()`, a record that names nothing.
        Kind::Tuple(None, items) if items.is_empty() => *own = preset,
        _ => fill(own, preset, span),
    }
}
