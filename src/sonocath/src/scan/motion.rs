//! What the patient does while it is scanned, as said on the command line.

use anatomy::Patient;
use anatomy::deform::heart::USUAL_RATE_PER_MIN;
use anatomy::deform::{BodyState, Posture, breathing, breaths_per_min, deepest_breath};

use crate::args::ScanArguments;
use crate::failure::Failure;

/// What the patient does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// At the first frame.
    still: BodyState,
    /// How deep the breaths are that are taken meanwhile, in quiet breaths; 0 for none.
    depth: f64,
    /// Whether the heart beats.
    beats: bool,
}

impl Motion {
    /// Understands the arguments.
    ///
    /// # Errors
    /// A word that means no breath or posture.
    pub fn of(arguments: &ScanArguments) -> Result<Self, Failure> {
        let depth = arguments.breathing.as_deref();
        let depth = depth.map_or(Ok(0.0), |said| breath("--breathing", said, "quiet"))?;
        Ok(Self {
            still: BodyState {
                breath: breath("--breath", &arguments.breath, "in")?,
                posture: posture(&arguments.posture)?,
                arm_up: arguments.arm_up,
                heart_phase: phase(arguments.heart_phase)?,
            },
            depth,
            beats: arguments.beating,
        })
    }

    /// Whether the patient breathes from frame to frame.
    pub fn breathes(&self) -> bool {
        self.depth > 0.0
    }

    /// The state at a time of the film.
    pub fn at(&self, patient: &Patient, time_s: f64) -> BodyState {
        let mut state = self.still;
        if self.breathes() {
            state.breath = self.depth * breathing(time_s, breaths_per_min(patient));
        }
        if self.beats {
            let rate = patient.motion.heart_rate_per_min;
            let beats = time_s / 60.0 * rate.unwrap_or(USUAL_RATE_PER_MIN);
            state.heart_phase = (state.heart_phase + beats).rem_euclid(1.0);
        }
        state
    }
}

/// A depth of breath: `out`, the word for a quiet breath, `deep`, or a number.
fn breath(option: &str, said: &str, quiet: &str) -> Result<f64, Failure> {
    let most = deepest_breath();
    match said {
        "out" => Ok(0.0),
        "deep" => Ok(most),
        said if said == quiet => Ok(1.0),
        _ => {
            let number = said.parse::<f64>().ok();
            number.filter(|b| (0.0..=most).contains(b)).ok_or_else(|| {
                Failure::new(format!(
                    "{option} {said}: write out, {quiet}, deep, or a number of quiet breaths from 0 \
                     to {most}"
                ))
            })
        }
    }
}

fn phase(share: f64) -> Result<f64, Failure> {
    if (0.0..=1.0).contains(&share) {
        return Ok(share);
    }
    Err(Failure::new(format!(
        "--heart-phase {share}: write a share of the beat from 0 (end of filling) to 1"
    )))
}

fn posture(said: &str) -> Result<Posture, Failure> {
    const KNOWN: [(&str, Posture); 2] = [
        ("supine", Posture::Supine),
        ("left-decubitus", Posture::LeftDecubitus),
    ];
    let found = KNOWN.iter().find(|(word, _)| *word == said);
    found.map(|(_, posture)| *posture).ok_or_else(|| {
        let words = KNOWN.map(|(word, _)| word);
        let hint = catalog::nearest(said, words)
            .map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
        Failure::new(format!(
            "--posture {said}: there is no such posture{hint} ({})",
            words.join(", ")
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_are_understood() {
        assert_eq!(breath("--breath", "out", "in").unwrap(), 0.0);
        assert_eq!(breath("--breath", "in", "in").unwrap(), 1.0);
        assert_eq!(breath("--breath", "0.5", "in").unwrap(), 0.5);
        assert_eq!(breath("--breath", "deep", "in").unwrap(), deepest_breath());
        for bad in ["", "-1", "9", "nan", "inn"] {
            let error = breath("--breath", bad, "in").unwrap_err().to_string();
            assert!(error.contains("out, in, deep"), "{error}");
        }
        assert_eq!(posture("supine").unwrap(), Posture::Supine);
        let error = posture("left-decubitis").unwrap_err().to_string();
        assert!(error.contains("did you mean `left-decubitus`"), "{error}");
    }
}
