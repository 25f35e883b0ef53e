//! The knobs that the room offers, their steps and ends.

use equipment::{Action, Console, Probe};

/// A knob with steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepKnob {
    /// As [`equipment::Knob::id`].
    pub id: &'static str,
    /// One step, in its unit.
    pub step: f64,
    range: (f64, f64),
}

/// Depth of the image, mm; its ends are the probe's.
pub const DEPTH: StepKnob = StepKnob {
    id: "depth_mm",
    step: 10.0,
    range: (20.0, 300.0),
};
/// Overall gain, dB.
pub const GAIN: StepKnob = StepKnob {
    id: "gain_db",
    step: 2.0,
    range: (-40.0, 40.0),
};
/// Dynamic range, dB.
pub const RANGE: StepKnob = StepKnob {
    id: "dynamic_range_db",
    step: 5.0,
    range: (30.0, 100.0),
};
/// How far a slider of time gain goes each way, dB.
pub const TGC_MOST_DB: f64 = 20.0;

impl StepKnob {
    /// What it is set to.
    pub fn value(&self, console: &Console) -> f64 {
        match self.id {
            "depth_mm" => console.depth_mm,
            "gain_db" => console.gain_db,
            _ => console.dynamic_range_db,
        }
    }

    /// The action of turning it by so many steps; it lands on whole steps inside its ends.
    pub fn turned(&self, console: &Console, probe: &Probe, steps: f64) -> Action {
        let (least, most) = match self.id {
            "depth_mm" => probe.depth_range_mm,
            _ => self.range,
        };
        let now = self.value(console) / self.step;
        // From between two steps the next whole one comes first.
        let whole = match steps > 0.0 {
            true => (now + 1e-9).floor() + steps,
            false => (now - 1e-9).ceil() + steps,
        };
        Action::Turn {
            knob: self.id.to_owned(),
            to: (whole * self.step).clamp(least, most),
        }
    }
}

/// The action of setting a slider of time gain.
pub fn tgc(slider: usize, db: f64) -> Action {
    Action::Turn {
        knob: format!("tgc_db.{slider}"),
        to: db.clamp(-TGC_MOST_DB, TGC_MOST_DB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(knob: StepKnob, from: f64, steps: f64) -> f64 {
        let probe = Probe::named("C5-2v").expect("built in");
        let mut console = Console::default_for(probe);
        (console.depth_mm, console.gain_db) = (from, from);
        match knob.turned(&console, probe, steps) {
            Action::Turn { to, .. } => to,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn knobs_land_on_whole_steps() {
        assert_eq!(turned(DEPTH, 160.0, 1.0), 170.0);
        assert_eq!(turned(DEPTH, 164.0, 1.0), 170.0);
        assert_eq!(turned(DEPTH, 164.0, -1.0), 160.0);
        assert_eq!(turned(GAIN, 0.0, -1.0), -2.0);
    }

    #[test]
    fn knobs_stop_at_their_ends() {
        assert_eq!(turned(DEPTH, 300.0, 1.0), 300.0);
        assert_eq!(turned(DEPTH, 40.0, -1.0), 40.0);
        assert_eq!(turned(GAIN, 40.0, 1.0), 40.0);
    }
}
