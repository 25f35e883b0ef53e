//! Putting a probe on the skin.
//!
//! **The rule.** The probe comes from outside along the direction in which it looks, until the
//! middle of its face meets the body's outermost surface. It is then pressed in by 1 mm, and
//! further, up to 10 mm, until under every part of the face that the picture uses the gap left
//! between face and skin is no wider than the gel: a curved face on flat skin touches with its
//! middle first.

use equipment::Array;
use geometry::scene::{Crossing, Crossings, Ray, Scene};
use geometry::{Point, Vector, frame};

use super::pose::{PatientFromProbe, depth_of, face_of, moved_to};

/// How far a face is pressed in at least, mm: skin is never dry of contact.
pub const LEAST_PRESS_MM: f64 = 1.0;

/// How far a face is pressed in at most, mm.
pub const MOST_PRESS_MM: f64 = 10.0;

/// Places across the face at which the gap to the skin is looked at.
const FEELERS: u32 = 33;

/// The outside of one patient's body.
pub struct Skin {
    scene: Scene<frame::Patient>,
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
    pub fn new(scene: Scene<frame::Patient>) -> Self {
        Self { scene }
    }

    /// The pose with the probe moved along its depth direction onto the outermost skin and pressed
    /// in; `None` if that line misses the body.
    pub fn put(
        &self,
        aim: &PatientFromProbe,
        face: &Front,
        gel_mm: f64,
    ) -> Option<PatientFromProbe> {
        self.pressed(aim, face, gel_mm, Entry::Outermost)
    }

    /// As [`Skin::put`], but onto the skin nearest to where the probe is: for poses on the way from
    /// one to another.
    pub fn keep_on(
        &self,
        pose: &PatientFromProbe,
        face: &Front,
        gel_mm: f64,
    ) -> Option<PatientFromProbe> {
        let here = Entry::NearestTo(self.far_mm(face_of(pose)));
        self.pressed(pose, face, gel_mm, here)
    }

    fn pressed(
        &self,
        aim: &PatientFromProbe,
        face: &Front,
        gel_mm: f64,
        which: Entry,
    ) -> Option<PatientFromProbe> {
        let depth = depth_of(aim);
        let back_mm = self.far_mm(face_of(aim));
        // All from one plane across the depth, so that differences are heights.
        let skin_mm = |x| {
            let start = *aim * Point::new(x, 0.0, 0.0) + depth * -back_mm;
            self.entry_mm(start, depth, which)
        };
        let contact_mm = skin_mm(0.0)?;
        let gap_mm = |x| Some(skin_mm(x)? - contact_mm + face.lift_mm(x));
        let widest_mm = face.places(FEELERS).filter_map(gap_mm).fold(0.0, f64::max);
        let press_mm = (widest_mm - gel_mm).clamp(LEAST_PRESS_MM, MOST_PRESS_MM);
        let forward = depth * (contact_mm + press_mm - back_mm);
        Some(moved_to(aim, face_of(aim) + forward))
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
    /// The whole face of an array; `None` for one that works from within a vessel.
    pub fn of(array: &Array) -> Option<Self> {
        let flat = |width_mm: f64| Self {
            from_mm: -0.5 * width_mm,
            to_mm: 0.5 * width_mm,
            radius_mm: None,
        };
        match *array {
            Array::Linear {
                elements, pitch_mm, ..
            }
            | Array::Phased {
                elements, pitch_mm, ..
            } => Some(flat(f64::from(elements) * pitch_mm)),
            Array::Curved {
                elements,
                pitch_mm,
                radius_mm,
                ..
            } => {
                let half_angle = 0.5 * f64::from(elements) * pitch_mm / radius_mm;
                // Beyond a quarter turn the face's sides are reached, not its ends.
                let half = radius_mm * libm::sin(half_angle.min(std::f64::consts::FRAC_PI_2));
                Some(Self {
                    from_mm: -half,
                    to_mm: half,
                    radius_mm: Some(radius_mm),
                })
            }
            Array::Rotational { .. } => None,
        }
    }

    /// How far behind its middle the face lies at x, mm.
    fn lift_mm(&self, x: f64) -> f64 {
        self.radius_mm.map_or(0.0, |radius| {
            radius - libm::sqrt((radius * radius - x * x).max(0.0))
        })
    }

    fn places(&self, count: u32) -> impl Iterator<Item = f64> {
        let (from, to) = (self.from_mm, self.to_mm);
        let step = (to - from) / f64::from(count - 1);
        (0..count).map(move |n| from + step * f64::from(n))
    }
}

#[cfg(test)]
mod tests {
    use geometry::TriMesh;
    use geometry::scene::SceneSurface;
    use geometry::sdf::{Expr, SurfaceLimits, surface};

    use super::super::pose::Held;
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

    fn aim(text: &str) -> PatientFromProbe {
        Held::parse(text).unwrap().pose().unwrap()
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
        assert!(off < 0.01, "{found:?} is not {wanted:?}");
    }

    #[test]
    fn a_flat_face_on_flat_skin_is_pressed_in_by_1_mm() {
        let skin = skin_with_arm();
        let found = skin.put(&aim("0,30,20:right:posterior"), &flat(19.2), 5.0);
        near(found, [0.0, -99.0, 20.0]);
    }

    #[test]
    fn a_curved_face_on_flat_skin_is_pressed_in_by_its_sag_less_the_gel() {
        let front = Front::of(&Array::Curved {
            elements: 128,
            pitch_mm: 0.508,
            element_width_mm: 0.46,
            radius_mm: 49.57,
        });
        let front = front.expect("it stands on skin");
        // Half the opening is 0.5 · 128 · 0.508 / 49.57 rad = 37.58°: sag 49.57 (1 − cos) = 10.29 mm.
        let skin = skin_with_arm();
        let pressed = |gel_mm| skin.put(&aim("0,30,20:right:posterior"), &front, gel_mm);
        near(pressed(5.0), [0.0, -100.0 + 5.29, 20.0]);
        near(pressed(9.8), [0.0, -99.0, 20.0]);
        near(pressed(0.0), [0.0, -90.0, 20.0]);
    }

    #[test]
    fn the_outermost_skin_is_met_first_and_the_nearest_kept() {
        let skin = skin_with_arm();
        near(
            skin.put(&aim("100,0,0:right:posterior"), &flat(10.0), 5.0),
            [100.0, -199.0, 0.0],
        );
        near(
            skin.keep_on(&aim("100,-95,0:right:posterior"), &flat(10.0), 5.0),
            [100.0, -99.0, 0.0],
        );
    }

    #[test]
    fn a_line_past_the_body_meets_nothing() {
        let skin = skin_with_arm();
        let past = aim("0,0,500:right:posterior");
        assert!(skin.put(&past, &flat(10.0), 5.0).is_none());
    }
}
