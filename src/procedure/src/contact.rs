//! What the body does to a hand that holds a probe.

use equipment::hand::{PatientFromProbe, depth_of, face_of, moved_to};
use recording::ProbeState;

use crate::skin::{Front, MOST_PRESS_MM, Skin};

/// Force on the skin per mm of indentation, N/mm (estimate: some 5 to 10 N indent a relaxed abdomen
/// by about 10 mm under a curved probe).
pub const STIFFNESS_N_MM: f64 = 0.7;

/// Beyond the greatest indentation the wall is taut, and pushing on only adds force, N/mm
/// (estimate).
const TAUT_N_MM: f64 = 2.5;

/// How far above the skin is told apart, mm.
const FAR_MM: f64 = 300.0;

/// Puts the probe where hand and body let it be: it goes no deeper into the body than
/// [`MOST_PRESS_MM`], however hard the hand pushes.
pub(crate) fn hold(skin: &Skin, front: &Front, hand: &PatientFromProbe) -> ProbeState {
    let Some(depth_mm) = skin.depth_mm(hand, front) else {
        return ProbeState {
            patient_from_probe: *hand,
            press_mm: -FAR_MM,
            force_n: 0.0,
        };
    };
    let press_mm = depth_mm.clamp(-FAR_MM, MOST_PRESS_MM);
    let back_mm = depth_mm.max(press_mm) - press_mm;
    let face = face_of(hand) + depth_of(hand) * -back_mm;
    ProbeState {
        patient_from_probe: if back_mm > 0.0 {
            moved_to(hand, face)
        } else {
            *hand
        },
        press_mm,
        force_n: press_mm.max(0.0) * STIFFNESS_N_MM + back_mm * TAUT_N_MM,
    }
}
