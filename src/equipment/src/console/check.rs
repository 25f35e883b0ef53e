//! What has to hold in settings whatever the probe.

use catalog::{Faults, Finding, FromNode, Node, Span};

use super::{Console, Transmit};

const TGC_SLIDERS: usize = 8;
const MOST_TGC_DB: f64 = 40.0;
const MOST_FOCI: usize = 8;
/// Plane or diverging waves of one frame.
const MOST_WAVES: usize = 128;
const MOST_WAVE_DEG: f64 = 60.0;
const MOST_LOOKS: usize = 9;
/// How far the lines of a look may be turned in all.
const MOST_LOOK_DEG: f64 = 45.0;

pub(super) fn require_sound(console: &Console, node: &Node, faults: &mut Faults) {
    require_tgc(&console.tgc_db, node, faults);
    require_transmit(&console.transmit, node, faults);
    require_looks(&console.compounding_deg, console.steering_deg, node, faults);
}

/// As [`require_sound`] for settings of which something could not be read: what could be is still
/// looked at, so that all that is wrong is said at once.
pub(super) fn require_sound_parts(node: &Node, faults: &mut Faults) {
    if let Some(sliders_db) = readable::<Vec<f64>>(node, "tgc_db") {
        require_tgc(&sliders_db, node, faults);
    }
    if let Some(transmit) = readable(node, "transmit") {
        require_transmit(&transmit, node, faults);
    }
    if let Some(looks_deg) = readable::<Vec<f64>>(node, "compounding_deg") {
        let steering_deg = readable(node, "steering_deg").unwrap_or_default();
        require_looks(&looks_deg, steering_deg, node, faults);
    }
}

/// A field's value; what keeps it from being read was said before.
fn readable<T: FromNode>(node: &Node, name: &str) -> Option<T> {
    T::from_node(node.field(name)?, &mut Faults::default())
}

/// Where a list and its items are written.
struct List<'n> {
    whole: Span,
    items: &'n [Node],
}

impl<'n> List<'n> {
    /// The list that is reached by field names, or else the whole record that lacks it.
    fn at(node: &'n Node, path: &[&str]) -> Self {
        let found = path.iter().try_fold(node, |node, name| node.field(name));
        Self {
            whole: found.unwrap_or(node).span,
            items: found.map_or(&[], Node::items),
        }
    }

    fn item(&self, index: usize) -> Span {
        self.items.get(index).map_or(self.whole, |item| item.span)
    }
}

fn report(faults: &mut Faults, span: Span, message: String, expected: &str) {
    faults.push(Finding::new(span, message).expected(expected));
}

fn require_tgc(sliders_db: &[f64], node: &Node, faults: &mut Faults) {
    let list = List::at(node, &["tgc_db"]);
    if sliders_db.len() != TGC_SLIDERS {
        let message = format!("time gain compensation has {} sliders", sliders_db.len());
        report(
            faults,
            list.whole,
            message,
            "8 values in dB, from the face to the full depth",
        );
    }
    for (at, db) in sliders_db.iter().enumerate() {
        if db.abs() > MOST_TGC_DB {
            let message = format!("slider {} stands at {db} dB", at + 1);
            report(faults, list.item(at), message, "-40 to 40 dB");
        }
    }
}

fn require_transmit(transmit: &Transmit, node: &Node, faults: &mut Faults) {
    match transmit {
        Transmit::Focused { foci_mm, .. } => {
            require_foci(foci_mm, &List::at(node, &["transmit", "foci_mm"]), faults);
        }
        Transmit::PlaneWaves { angles_deg } | Transmit::DivergingWaves { angles_deg, .. } => {
            let list = List::at(node, &["transmit", "angles_deg"]);
            require_waves(angles_deg, &list, faults);
        }
    }
}

fn require_foci(foci_mm: &[f64], list: &List<'_>, faults: &mut Faults) {
    if foci_mm.is_empty() {
        let message = "no focus is given".to_owned();
        report(faults, list.whole, message, "one at least, as `[60]`");
    }
    if foci_mm.len() > MOST_FOCI {
        let message = format!("there are {} foci", foci_mm.len());
        report(faults, list.whole, message, "at most 8");
    }
    let mut before = 0.0;
    for (at, focus) in foci_mm.iter().enumerate() {
        if *focus <= 0.0 {
            let message = format!("the focus at {focus} mm is not in front of the face");
            report(faults, list.item(at), message, "a depth above 0 mm");
        } else if *focus <= before {
            let message = format!("the focus at {focus} mm is not deeper than the one before it");
            report(faults, list.item(at), message, "foci that ascend");
        }
        before = *focus;
    }
}

fn require_waves(angles_deg: &[f64], list: &List<'_>, faults: &mut Faults) {
    if angles_deg.is_empty() {
        let message = "no angle is given".to_owned();
        report(faults, list.whole, message, "one at least, as `[0]`");
    }
    if angles_deg.len() > MOST_WAVES {
        let message = format!("there are {} waves", angles_deg.len());
        report(faults, list.whole, message, "at most 128");
    }
    for (at, angle) in angles_deg.iter().enumerate() {
        if angle.abs() > MOST_WAVE_DEG {
            let message = format!("a wave at {angle}° goes too far aside");
            report(faults, list.item(at), message, "-60 to 60°");
        }
    }
}

fn require_looks(looks_deg: &[f64], steering_deg: f64, node: &Node, faults: &mut Faults) {
    let list = List::at(node, &["compounding_deg"]);
    if looks_deg.len() > MOST_LOOKS {
        let message = format!("{} looks are compounded", looks_deg.len());
        report(faults, list.whole, message, "at most 9");
    }
    for (at, look) in looks_deg.iter().enumerate() {
        let whole = look + steering_deg;
        if whole.abs() > MOST_LOOK_DEG {
            let message = format!("the look at {look}° turns the lines to {whole}°");
            let expected = "-45 to 45° together with `steering_deg`";
            report(faults, list.item(at), message, expected);
        }
        if *look == 0.0 || looks_deg[..at].contains(look) {
            let message = format!("the look at {look}° is there twice");
            let expected = "angles other than 0, the straight look, and each once";
            report(faults, list.item(at), message, expected);
        }
    }
}
