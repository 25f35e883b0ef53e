//! What the patient does as time passes: breathes, lies, lets the heart beat.

use anatomy::Patient;
use anatomy::deform::{BodyState, Posture, breathing, breaths_per_min, deepest_breath};
use equipment::Breath;

/// Quiet breaths a second at most, as a patient breathes in or out on command (estimate: two seconds
/// for the deepest breath).
const FASTEST_PER_S: f64 = 2.5;

/// How quickly the last of a breath is drawn, shares of what is missing a second.
const EASE_PER_S: f64 = 3.0;

/// Nearer than this a breath has reached its depth.
const REACHED: f64 = 1e-3;

/// A heart beats at most so often a minute.
const FASTEST_BEAT_PER_MIN: f64 = 300.0;

/// What the patient does with the breath.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    /// Holds it.
    Holds,
    /// On the way to a depth, to be held there.
    Goes(f64),
    /// Breathes out first, to breathe quietly from there on.
    Settles,
    /// Quietly, for so many seconds since the last breath out.
    Breathes(f64),
}

/// A patient who does what is said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Living {
    state: BodyState,
    doing: Doing,
    breaths_per_min: f64,
    /// 0 while it stands still.
    beats_per_min: f64,
}

impl Living {
    /// A patient at end-expiration who holds still, heart and all.
    pub fn still(patient: &Patient) -> Self {
        Self {
            state: BodyState::default(),
            doing: Doing::Holds,
            breaths_per_min: breaths_per_min(patient),
            beats_per_min: 0.0,
        }
    }

    /// What the body is doing now.
    pub fn state(&self) -> &BodyState {
        &self.state
    }

    /// Puts the body into a state, and holds it there.
    pub fn hold_in(&mut self, state: BodyState) {
        self.state = state;
        self.doing = Doing::Holds;
    }

    pub fn breathe(&mut self, how: Breath) {
        self.doing = match how {
            Breath::In => Doing::Goes(deepest_breath()),
            Breath::Out => Doing::Goes(0.0),
            Breath::Hold => Doing::Holds,
            Breath::Quietly => match self.doing {
                Doing::Breathes(time_s) => Doing::Breathes(time_s),
                _ => Doing::Settles,
            },
        };
    }

    pub fn lie(&mut self, how: Posture) {
        self.state.posture = how;
    }

    pub fn raise_arm(&mut self, up: bool) {
        self.state.arm_up = up;
    }

    /// Rates that are none leave the heart as it is.
    pub fn beat(&mut self, per_min: f64) {
        if per_min.is_finite() {
            self.beats_per_min = per_min.clamp(0.0, FASTEST_BEAT_PER_MIN);
        }
        if self.beats_per_min == 0.0 {
            self.state.heart_phase = 0.0;
        }
    }

    /// Lets time pass.
    pub fn pass(&mut self, dt_s: f64) {
        let breath = self.state.breath;
        match self.doing {
            Doing::Holds => {}
            Doing::Goes(to) => {
                self.state.breath = nearer(breath, to, dt_s);
                if self.state.breath == to {
                    self.doing = Doing::Holds;
                }
            }
            Doing::Settles => {
                self.state.breath = nearer(breath, 0.0, dt_s);
                if self.state.breath == 0.0 {
                    self.doing = Doing::Breathes(0.0);
                }
            }
            Doing::Breathes(time_s) => {
                let time_s = libm::fmod(time_s + dt_s, 60.0 / self.breaths_per_min);
                self.state.breath = breathing(time_s, self.breaths_per_min);
                self.doing = Doing::Breathes(time_s);
            }
        }
        let beats = self.beats_per_min / 60.0 * dt_s;
        self.state.heart_phase = libm::fmod(self.state.heart_phase + beats, 1.0);
    }
}

/// A breath on its way to a depth.
fn nearer(breath: f64, to: f64, dt_s: f64) -> f64 {
    let missing = to - breath;
    if missing.abs() < REACHED {
        return to;
    }
    let step = (EASE_PER_S * missing.abs() + 10.0 * REACHED).min(FASTEST_PER_S) * dt_s;
    breath + missing.signum() * step.min(missing.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DT_S: f64 = 1.0 / 60.0;

    fn living() -> Living {
        Living::still(&Patient::empty("somebody"))
    }

    fn passed(living: &mut Living, seconds: f64) -> Vec<f64> {
        let steps = (seconds / DT_S).round() as usize;
        (0..steps)
            .map(|_| {
                living.pass(DT_S);
                living.state.breath
            })
            .collect()
    }

    #[test]
    fn nobody_breathes_unasked() {
        let mut living = living();
        passed(&mut living, 30.0);
        assert!(living.state().is_rest());
    }

    #[test]
    fn a_deep_breath_is_drawn_and_held_until_it_is_let_out() {
        let mut living = living();
        living.breathe(Breath::In);
        let drawn = passed(&mut living, 5.0);
        assert!(
            drawn.windows(2).all(|pair| pair[0] <= pair[1]),
            "in, and in alone"
        );
        assert!(drawn[60] < deepest_breath(), "a second is too short for it");
        assert_eq!(drawn.last(), Some(&deepest_breath()));
        passed(&mut living, 60.0);
        assert_eq!(living.state.breath, deepest_breath(), "held");
        living.breathe(Breath::Out);
        assert_eq!(passed(&mut living, 5.0).last(), Some(&0.0));
        living.breathe(Breath::In);
        passed(&mut living, 1.0);
        living.breathe(Breath::Hold);
        let held = living.state.breath;
        assert!(held > 0.5 && held < deepest_breath());
        passed(&mut living, 3.0);
        assert_eq!(living.state.breath, held);
    }

    #[test]
    fn quiet_breaths_come_as_often_as_the_patient_takes_them() {
        let mut living = living();
        living.breathe(Breath::Quietly);
        let drawn = passed(&mut living, 60.0);
        let deepest = drawn.iter().copied().fold(0.0, f64::max);
        assert!((deepest - 1.0).abs() < 0.01, "{deepest}");
        let crossings = drawn
            .windows(2)
            .filter(|pair| pair[0] < 0.5 && pair[1] >= 0.5);
        assert_eq!(crossings.count(), 14);
        // Told again, the breath goes on as it was.
        let before = living.clone();
        living.breathe(Breath::Quietly);
        assert_eq!(living, before);
    }

    #[test]
    fn the_heart_beats_when_it_is_told_to() {
        let mut living = living();
        living.beat(75.0);
        passed(&mut living, 1.0);
        assert!((living.state.heart_phase - 0.25).abs() < 1e-9);
        living.beat(f64::NAN);
        assert_eq!(living.beats_per_min, 75.0);
        living.beat(0.0);
        assert!(living.state().is_rest());
    }
}
