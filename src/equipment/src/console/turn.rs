//! Knobs turned by a hand: one number at a time.

use super::{Console, Transmit};
use crate::{EquipmentError, Probe};

/// Knobs that a hand can turn to a number, besides the eight sliders `tgc_db.0` to `tgc_db.7`.
const TURNABLE: [&str; 9] = [
    "depth_mm",
    "frequency_mhz",
    "transmit.foci_mm",
    "width",
    "gain_db",
    "dynamic_range_db",
    "reject",
    "persistence",
    "compensation_db_cm_mhz",
];

const SLIDERS: [&str; 8] = [
    "tgc_db.0", "tgc_db.1", "tgc_db.2", "tgc_db.3", "tgc_db.4", "tgc_db.5", "tgc_db.6", "tgc_db.7",
];

impl Console {
    /// The settings with a knob turned to a number, in the knob's unit.
    ///
    /// # Errors
    ///
    /// No such knob, or a number that the probe cannot do; the console is then as it was.
    pub fn turned(&self, probe: &Probe, knob: &str, to: f64) -> Result<Self, EquipmentError> {
        let mut turned = self.clone();
        match knob {
            "depth_mm" => turned.depth_mm = to,
            "frequency_mhz" => turned.frequency_mhz = Some(to),
            "width" => turned.width = to,
            "gain_db" => turned.gain_db = to,
            "dynamic_range_db" => turned.dynamic_range_db = to,
            "reject" => turned.reject = to,
            "persistence" => turned.persistence = to,
            "compensation_db_cm_mhz" => turned.compensation_db_cm_mhz = to,
            "transmit.foci_mm" => match &mut turned.transmit {
                Transmit::Focused { foci_mm, .. } => *foci_mm = vec![to],
                _ => return Err(no_knob(knob)),
            },
            _ => {
                let number = knob.strip_prefix("tgc_db.").and_then(|n| n.parse().ok());
                let slider = number.and_then(|n: usize| turned.tgc_db.get_mut(n));
                *slider.ok_or_else(|| no_knob(knob))? = to;
            }
        }
        // A focus below the picture serves nothing: it stays within.
        if let Transmit::Focused { foci_mm, .. } = &mut turned.transmit {
            for focus in foci_mm {
                *focus = focus.min(turned.depth_mm);
            }
        }
        turned.fit(probe)?;
        Ok(turned)
    }
}

fn no_knob(knob: &str) -> EquipmentError {
    EquipmentError::unknown("knob to turn", knob, TURNABLE.into_iter().chain(SLIDERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knobs_turn_and_refuse() {
        let probe = Probe::named("C5-2v").expect("built in");
        let console = Console::default_for(probe);
        for knob in TURNABLE.into_iter().chain(SLIDERS) {
            let to = match knob {
                "width" | "reject" | "persistence" | "compensation_db_cm_mhz" => 0.5,
                "frequency_mhz" => 3.5,
                _ => 70.0,
            };
            let to = if knob.starts_with("tgc") || knob == "gain_db" {
                3.0
            } else {
                to
            };
            let turned = console.turned(probe, knob, to);
            assert!(turned.is_ok(), "{knob}: {turned:?}");
        }
        assert_eq!(
            console.turned(probe, "tgc_db.3", -6.0).map(|c| c.tgc_db[3]),
            Ok(-6.0)
        );
        for (knob, to) in [
            ("depth_mm", f64::NAN),
            ("gain_db", 1e9),
            ("tgc_db.8", 0.0),
            ("", 1.0),
        ] {
            assert!(console.turned(probe, knob, to).is_err(), "{knob}");
        }
        let error = console
            .turned(probe, "gain", 1.0)
            .expect_err("no such knob")
            .to_string();
        assert!(error.contains("did you mean `gain_db`"), "{error}");
    }
}
