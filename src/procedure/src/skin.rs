//! Putting a probe on the skin.
//!
//! **The rule.** The probe comes from outside along the direction in which it looks, until the
//! middle of its face meets the body's outermost surface. It is then pressed in by 1 mm, and
//! further, up to 12 mm, until on every scan line the gap left between face and skin is no wider
//! than the gel: a curved face on flat skin touches with its middle first. The body does not give
//! way; what the face has entered is not in the picture.

use std::sync::Arc;

use equipment::Array;
use equipment::hand::{PatientFromProbe, depth_of, face_of, moved_to};
use geometry::scene::{Crossing, Crossings, Ray, Scene};
use geometry::{Point, Vector, frame};
use ultrasound::grid::ScanGrid;

/// How far a face is pressed in at least, mm: skin is never dry of contact.
pub const LEAST_PRESS_MM: f64 = 1.0;

/// How far a face is pressed in at most, mm.
pub const MOST_PRESS_MM: f64 = 12.0;

/// Presses are found this exactly, mm.
const PRESS_STEP_MM: f64 = 0.01;

/// Places across the face at which the gap to the skin is looked at.
const FEELERS: u32 = 33;

/// Of the feelers only every so many look how deep the face is.
const FEELERS_APART: usize = 4;

/// The outside of one patient's body.
pub struct Skin {
    scene: Arc<Scene<frame::Patient>>,
}

/// Which of several entries into the body is meant.
#[derive(Clone, Copy)]
enum Entry {
    /// The one met first.
    Outermost,
    /// The one nearest to so many mm along the ray.
    NearestTo(f64),
}

impl Skin {
    /// The outside of these surfaces.
    pub fn new(scene: impl Into<Arc<Scene<frame::Patient>>>) -> Self {
        Self {
            scene: scene.into(),
        }
    }

    /// The pose with the probe moved along its depth direction onto the outermost skin and pressed
    /// in; `None` if that line misses the body.
    pub fn put(
        &self,
        aim: &PatientFromProbe,
        front: &Front,
        gel_mm: f64,
    ) -> Option<PatientFromProbe> {
        self.pressed(aim, front, gel_mm, Entry::Outermost)
    }

    /// As [`Skin::put`], but onto the skin nearest to where the probe is: for poses on the way from
    /// one to another.
    pub fn keep_on(
        &self,
        pose: &PatientFromProbe,
        front: &Front,
        gel_mm: f64,
    ) -> Option<PatientFromProbe> {
        let here = Entry::NearestTo(self.far_mm(face_of(pose)));
        self.pressed(pose, front, gel_mm, here)
    }

    /// How deep the place of the face that has got deepest is in the body, along the depth
    /// direction, mm; negative if the whole face is still so far off. `None` if there is no skin
    /// before or behind it.
    pub fn depth_mm(&self, pose: &PatientFromProbe, front: &Front) -> Option<f64> {
        let depth = depth_of(pose);
        let of_feeler = |place: Point<frame::Probe>| {
            let place = *pose * place;
            let back_mm = self.far_mm(place);
            let start = place + depth * -back_mm;
            let entry_mm = self.entry_mm(start, depth, Entry::NearestTo(back_mm))?;
            Some(back_mm - entry_mm)
        };
        let few = front
            .feelers()
            .step_by(FEELERS_APART)
            .map(|(place, _)| place);
        few.filter_map(of_feeler).max_by(f64::total_cmp)
    }

    /// How far the middle of the face lies inside the body, mm: from the face against the direction
    /// in which the probe looks until the body is left. `None` if it lies outside.
    pub fn inside_mm(&self, pose: &PatientFromProbe) -> Option<f64> {
        let face = face_of(pose);
        self.scene.innermost(face)?;
        let ray = Ray::new(face, depth_of(pose) * -1.0).ok()?;
        let mut crossings = Crossings::new();
        self.scene.cast(&ray, &mut crossings);
        let leaves = |c: &&Crossing| c.before.is_some() && c.after.is_none();
        let mut exits = crossings.of_ray(0).iter().filter(leaves);
        exits.next().map(|crossing| crossing.t_mm)
    }

    fn pressed(
        &self,
        aim: &PatientFromProbe,
        front: &Front,
        gel_mm: f64,
        which: Entry,
    ) -> Option<PatientFromProbe> {
        let depth = depth_of(aim);
        let back_mm = self.far_mm(face_of(aim));
        let contact_mm = self.entry_mm(face_of(aim) + depth * -back_mm, depth, which)?;
        let at = |press_mm: f64| {
            let forward = depth * (contact_mm + press_mm - back_mm);
            moved_to(aim, face_of(aim) + forward)
        };
        // The least press that is enough, by halving: gaps only close as the face goes in.
        let is_enough = |press_mm| self.widest_gap_mm(&at(press_mm), front) <= gel_mm;
        let (mut too_little, mut enough) = (LEAST_PRESS_MM, MOST_PRESS_MM);
        if is_enough(too_little) {
            return Some(at(too_little));
        }
        while enough - too_little > PRESS_STEP_MM {
            let middle = 0.5 * (too_little + enough);
            match is_enough(middle) {
                true => enough = middle,
                false => too_little = middle,
            }
        }
        Some(at(enough))
    }

    /// The widest gap between face and skin along the lines, mm; lines that meet no skin do not
    /// count.
    fn widest_gap_mm(&self, pose: &PatientFromProbe, front: &Front) -> f64 {
        let gap_mm = |(place, direction): (Point<frame::Probe>, Vector<frame::Probe>)| {
            let start = *pose * place;
            if self.scene.innermost(start).is_some() {
                return Some(0.0);
            }
            self.entry_mm(start, *pose * direction, Entry::Outermost)
        };
        front.feelers().filter_map(gap_mm).fold(0.0, f64::max)
    }

    /// A distance that leads out of the whole scene from `place`, mm.
    fn far_mm(&self, place: Point<frame::Patient>) -> f64 {
        let bounds = self.scene.bounds();
        let reach = |axis: usize| {
            let at = place.to_array()[axis];
            let (low, high) = (f64::from(bounds.min[axis]), f64::from(bounds.max[axis]));
            (at - low).abs().max((at - high).abs())
        };
        (0..3).map(reach).sum::<f64>() + 1.0
    }

    /// How far from `start` along `depth` the body is entered.
    fn entry_mm(
        &self,
        start: Point<frame::Patient>,
        depth: Vector<frame::Patient>,
        which: Entry,
    ) -> Option<f64> {
        let ray = Ray::new(start, depth).ok()?;
        let mut crossings = Crossings::new();
        self.scene.cast(&ray, &mut crossings);
        let enters = |c: &&Crossing| c.before.is_none() && c.after.is_some();
        let mut entries = crossings.of_ray(0).iter().filter(enters).map(|c| c.t_mm);
        match which {
            Entry::Outermost => entries.next(),
            Entry::NearestTo(at) => {
                entries.min_by(|a, b| (a - at).abs().total_cmp(&(b - at).abs()))
            }
        }
    }
}

/// The part of a probe's face from which a picture's lines start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Front {
    /// From where to where it reaches across the scan, probe x, mm.
    pub from_mm: f64,
    /// See `from_mm`.
    pub to_mm: f64,
    /// Radius of its curve; `None` if it is flat.
    pub radius_mm: Option<f64>,
}

impl Front {
    /// Of a probe whose lines run so; `None` if it works from within a vessel.
    pub fn of(array: &Array, lines: &ScanGrid) -> Option<Self> {
        let end = |line: usize| lines.place(lines.u_of_line(line as f64), 0.0, 0.0).x();
        let [from_mm, to_mm] = [end(0), end(lines.lines.max(1) - 1)];
        match *array {
            Array::Linear { .. } => Some(Self {
                from_mm,
                to_mm,
                radius_mm: None,
            }),
            Array::Curved { radius_mm, .. } => Some(Self {
                from_mm,
                to_mm,
                radius_mm: Some(radius_mm),
            }),
            // All lines start in the middle, but the whole face sends them.
            Array::Phased {
                elements, pitch_mm, ..
            } => {
                let half = 0.5 * f64::from(elements) * pitch_mm;
                Some(Self {
                    from_mm: -half,
                    to_mm: half,
                    radius_mm: None,
                })
            }
            Array::Rotational { .. } => None,
        }
    }

    /// Places on the face of a probe that is held so.
    pub(crate) fn places(
        &self,
        pose: &PatientFromProbe,
    ) -> impl Iterator<Item = Point<frame::Patient>> {
        self.feelers().map(move |(place, _)| *pose * place)
    }

    /// Places on the face, and where sound leaves it.
    fn feelers(&self) -> impl Iterator<Item = (Point<frame::Probe>, Vector<frame::Probe>)> {
        let Self {
            from_mm,
            to_mm,
            radius_mm,
        } = *self;
        let step = (to_mm - from_mm) / f64::from(FEELERS - 1);
        (0..FEELERS).map(move |n| {
            let x = from_mm + step * f64::from(n);
            let Some(radius) = radius_mm else {
                return (Point::new(x, 0.0, 0.0), Vector::new(0.0, 0.0, 1.0));
            };
            let sine = (x / radius).clamp(-1.0, 1.0);
            let cosine = libm::sqrt(1.0 - sine * sine);
            let place = Point::new(x, 0.0, radius * (cosine - 1.0));
            (place, Vector::new(sine, 0.0, cosine))
        })
    }
}

#[cfg(test)]
mod tests {
    use equipment::hand::of_axes;
    use geometry::TriMesh;
    use geometry::scene::SceneSurface;
    use geometry::sdf::{Expr, SurfaceLimits, surface};

    use super::*;

    /// A box with its front at y = −100 mm, and an arm before it.
    fn skin_with_arm() -> Skin {
        let solid = |center, half_mm| {
            let rounding_mm = 0.0;
            let shape = Expr::Box {
                center,
                half_mm,
                rounding_mm,
            };
            surface(&shape, 4.0, &SurfaceLimits::default()).unwrap()
        };
        let meshes: [TriMesh<frame::Patient>; 2] = [
            solid([0.0, 0.0, 0.0], [150.0, 100.0, 200.0]),
            solid([100.0, -170.0, 0.0], [40.0, 30.0, 40.0]),
        ];
        let surfaces: Vec<_> = meshes
            .iter()
            .map(|mesh| SceneSurface { mesh, priority: 0 })
            .collect();
        Skin::new(Scene::build(&surfaces).unwrap())
    }

    /// Marker to the patient's right, looking to the back.
    fn aim(at: [f64; 3]) -> PatientFromProbe {
        let (right, back) = ([-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]);
        of_axes(Point::from_coords(at.into()), right.into(), back.into())
    }

    fn flat(half: f64) -> Front {
        Front {
            from_mm: -half,
            to_mm: half,
            radius_mm: None,
        }
    }

    fn near(found: Option<PatientFromProbe>, wanted: [f64; 3]) {
        let found = face_of(&found.expect("the line meets the body"));
        let [x, y, z] = wanted;
        let off = found.distance(&Point::new(x, y, z));
        assert!(off < 0.02, "{found:?} is not {wanted:?}");
    }

    #[test]
    fn a_flat_face_on_flat_skin_is_pressed_in_by_1_mm() {
        let skin = skin_with_arm();
        let found = skin.put(&aim([0.0, 30.0, 20.0]), &flat(19.2), 5.0);
        near(found, [0.0, -99.0, 20.0]);
    }

    #[test]
    fn a_curved_face_on_flat_skin_is_pressed_in_until_the_gel_reaches_the_skin() {
        // A C5-2v: half the opening is 37.58°, the sag 49.57 (1 − cos) = 10.285 mm.
        let half_angle = 37.58_f64.to_radians();
        let front = Front {
            radius_mm: Some(49.57),
            ..flat(49.57 * half_angle.sin())
        };
        let sag = 49.57 * (1.0 - half_angle.cos());
        let skin = skin_with_arm();
        for gel_mm in [3.0, 5.0, 12.0] {
            // The outermost line, at the half angle to the depth, has the gap (sag − press) / cos.
            let press: f64 = (sag - gel_mm * half_angle.cos()).max(1.0);
            let found = skin.put(&aim([0.0, 30.0, 20.0]), &front, gel_mm);
            near(found, [0.0, -100.0 + press, 20.0]);
        }
        let found = skin.put(&aim([0.0, 30.0, 20.0]), &front, 0.0);
        near(found, [0.0, -100.0 + sag, 20.0]);
    }

    #[test]
    fn the_outermost_skin_is_met_first_and_the_nearest_kept() {
        let skin = skin_with_arm();
        near(
            skin.put(&aim([100.0, 0.0, 0.0]), &flat(10.0), 5.0),
            [100.0, -199.0, 0.0],
        );
        near(
            skin.keep_on(&aim([100.0, -95.0, 0.0]), &flat(10.0), 5.0),
            [100.0, -99.0, 0.0],
        );
    }

    /// The box's front is at y = −100 mm, the arm's at −200 and its back at −140 mm.
    #[test]
    fn how_far_a_face_is_inside_is_measured_against_its_direction() {
        let skin = skin_with_arm();
        let at = |place| skin.inside_mm(&aim(place));
        let near = |found: Option<f64>, wanted: f64| {
            let found = found.expect("the place is inside");
            assert!((found - wanted).abs() < 0.01, "{found}, not {wanted}");
        };
        near(at([0.0, -99.0, 20.0]), 1.0);
        near(at([0.0, 50.0, 20.0]), 150.0);
        near(at([100.0, -150.0, 0.0]), 50.0);
        near(at([100.0, -90.0, 0.0]), 10.0);
        // Before, between and behind.
        assert_eq!(at([100.0, -210.0, 0.0]), None);
        assert_eq!(at([100.0, -120.0, 0.0]), None);
        assert_eq!(at([0.0, 130.0, 20.0]), None);
    }

    #[test]
    fn a_line_past_the_body_meets_nothing() {
        let skin = skin_with_arm();
        let past = aim([0.0, 0.0, 500.0]);
        assert!(skin.put(&past, &flat(10.0), 5.0).is_none());
    }
}
