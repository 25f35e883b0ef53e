use proptest::prelude::*;

use super::*;
use crate::words::moves_in_words;
use nalgebra as na;

/// A plane with its exemplary probe, `deep_mm` in front of the plane's middle.
pub(crate) fn target(axes: na::UnitQuaternion<f64>, deep_mm: f64) -> PlaneTarget {
    let [lateral, depth] = [na::Vector3::x(), na::Vector3::z()].map(|axis| axes * axis);
    let center = Point::new(-60.0, 20.0, 35.0);
    let face = center + Vector::from_coords(depth * -deep_mm);
    PlaneTarget {
        plane: "kidney_right_long".to_owned(),
        center,
        lateral: Vector::from_coords(lateral),
        depth: Vector::from_coords(depth),
        patient_from_probe: hand::of_axes(face, lateral, depth),
        depth_mm: 160.0,
        required: Vec::new(),
    }
}

fn attitude() -> impl Strategy<Value = na::UnitQuaternion<f64>> {
    let unit = -1.0..1.0_f64;
    [unit.clone(), unit.clone(), unit.clone(), unit]
        .prop_filter("no direction", |q| {
            q.iter().map(|c| c * c).sum::<f64>() > 0.01
        })
        .prop_map(|[w, i, j, k]| na::UnitQuaternion::new_normalize(na::Quaternion::new(w, i, j, k)))
}

prop_compose! {
    /// Wherever a hand may have the probe that is meant to stand at the target's.
    fn wrong()(
        slide in [-60.0..60.0_f64, -60.0..60.0],
        rotate in -180.0..180.0_f64,
        rock in -30.0..30.0_f64,
        tilt in -50.0..50.0_f64,
    ) -> Vec<Move> {
        vec![
            Move::Slide { marker_mm: slide[0], across_mm: slide[1] },
            Move::Rotate(rotate),
            Move::Rock(rock),
            Move::Tilt(tilt),
        ]
    }
}

proptest! {
    /// Rounded as they are told, for every pose from which the target can be reached at all.
    #[test]
    fn the_moves_bring_the_probe_into_the_plane(
        axes in attitude(), deep_mm in 30.0..150.0_f64, wrong in wrong(),
    ) {
        let target = target(axes, deep_mm);
        let pose = apply(&wrong, &target.patient_from_probe);
        let moves = moves_to(&pose, &target);
        let error = PlaneError::between(&apply(&moves, &pose), &target);
        let steep = Seen::from(&pose, &target).normal().z().abs() > 0.965;
        prop_assume!(!steep);
        prop_assert!(error.normal_deg <= 10.0, "{error:?} after {moves:?}");
        prop_assert!(error.offset_mm <= 5.0, "{error:?} after {moves:?}");
        let words = moves_in_words(&moves, &pose);
        prop_assert!(!words.en.contains("-") || words.en.contains("counter-"), "{}", words.en);
    }

    /// The angle is that between the normals, whichever way they point.
    #[test]
    fn the_error_is_that_of_planes(axes in attitude(), wrong in wrong()) {
        let target = target(axes, 80.0);
        let pose = apply(&wrong, &target.patient_from_probe);
        let error = PlaneError::between(&pose, &target);
        let normal = (pose * V::new(0.0, 1.0, 0.0)).coords;
        let wanted = target.lateral.cross(&target.depth).coords;
        let cosine = normal.dot(&wanted).abs().min(1.0);
        prop_assert!((error.normal_deg.to_radians().cos() - cosine).abs() < 1e-9);
        let offset = (target.center - hand::face_of(&pose)).coords.dot(&normal).abs();
        prop_assert!((error.offset_mm - offset).abs() < 1e-9);
    }

    /// Sliding and rocking within the plane leaves the plane.
    #[test]
    fn moves_within_the_plane_are_no_error(
        axes in attitude(), slide in -80.0..80.0_f64, rock in -60.0..60.0_f64,
    ) {
        let target = target(axes, 90.0);
        let within = [Move::Slide { marker_mm: slide, across_mm: 0.0 }, Move::Rock(rock)];
        let error = PlaneError::between(&apply(&within, &target.patient_from_probe), &target);
        prop_assert!(error.normal_deg < 1e-6 && error.offset_mm < 1e-9, "{error:?}");
        prop_assert!(!error.flipped);
    }
}

#[test]
fn each_turn_is_mended_by_its_own_move() {
    let target = target(na::UnitQuaternion::identity(), 80.0);
    let from = |wrong: Move| apply(&[wrong], &target.patient_from_probe);
    let slide = |marker_mm, across_mm| Move::Slide {
        marker_mm,
        across_mm,
    };
    for (wrong, mends) in [
        (Move::Tilt(14.0), Move::Tilt(-14.0)),
        (Move::Rotate(-33.0), Move::Rotate(33.0)),
        (slide(0.0, 9.0), slide(0.0, -9.0)),
    ] {
        assert_eq!(
            moves_to(&from(wrong.clone()), &target),
            [mends],
            "{wrong:?}"
        );
    }
    let error = PlaneError::between(&from(Move::Rotate(180.0)), &target);
    assert!(error.flipped && error.normal_deg < 1e-6, "{error:?}");
    // Off by more than a quarter turn: on in the same direction, over the marker's flip.
    assert_eq!(
        moves_to(&from(Move::Rotate(100.0)), &target),
        [Move::Rotate(-100.0)]
    );
}

#[test]
fn directions_are_the_patients() {
    // A probe on the belly, looking back, its marker to the patient's right: +y is headward... z ×
    // x.
    let axes = na::Matrix3::from_columns(&[
        na::Vector3::new(-1.0, 0.0, 0.0),
        na::Vector3::new(0.0, 0.0, 1.0),
        na::Vector3::new(0.0, 1.0, 0.0),
    ]);
    let axes = na::UnitQuaternion::from_matrix(&axes);
    let pose = target(axes, 80.0).patient_from_probe;
    let told = |a_move: Move| moves_in_words(&[a_move], &pose);
    let slide = |marker_mm, across_mm| Move::Slide {
        marker_mm,
        across_mm,
    };
    let words = told(Move::Tilt(-12.0));
    assert_eq!(words.en, "tilt the beam 12° towards the feet");
    assert_eq!(words.zh, "声束向足侧倾斜 12°");
    let words = told(slide(8.0, 0.0));
    assert_eq!(
        words.en,
        "slide 8 mm towards the patient's right (to the marker side)"
    );
    assert_eq!(words.zh, "向患者右侧平移 8 mm（朝标记侧）");
    let words = told(slide(0.0, 6.0));
    assert_eq!(
        words.en,
        "slide 6 mm towards the head (across the scan plane)"
    );
    assert_eq!(
        told(Move::Rotate(15.0)).en,
        "rotate 15° clockwise (seen from the cable)"
    );
    assert_eq!(told(Move::Rotate(180.0)).en, "turn the probe by 180°");
    assert_eq!(
        told(Move::Rock(-20.0)).en,
        "rock the beam 20° towards the patient's left (away from the marker)"
    );
    let depth = Move::Turn {
        knob: "depth_mm".to_owned(),
        by: -40.0,
    };
    assert_eq!(told(depth.clone()).en, "turn depth down by 40 mm");
    assert_eq!(told(depth).zh, "将深度减少 40 mm");
}
