//! Directions in the patient, and where a probe stands.

use geometry::frame::{Patient, Vector};

catalog::choice! {
    /// A direction along an axis of the body.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Direction {
        /// To the patient's left.
        Left,
        /// To the patient's right.
        Right,
        /// To the front.
        Anterior,
        /// To the back.
        Posterior,
        /// To the head.
        Superior,
        /// To the feet.
        Inferior,
    }
}

impl Direction {
    /// The unit vector in the patient frame (left, posterior, superior).
    ///
    /// ```
    /// use anatomy::direction::Direction;
    /// assert_eq!(Direction::Anterior.unit().to_array(), [0.0, -1.0, 0.0]);
    /// ```
    pub fn unit(self) -> Vector<Patient> {
        match self {
            Self::Left => Vector::new(1.0, 0.0, 0.0),
            Self::Right => Vector::new(-1.0, 0.0, 0.0),
            Self::Anterior => Vector::new(0.0, -1.0, 0.0),
            Self::Posterior => Vector::new(0.0, 1.0, 0.0),
            Self::Superior => Vector::new(0.0, 0.0, 1.0),
            Self::Inferior => Vector::new(0.0, 0.0, -1.0),
        }
    }
}

catalog::choice! {
    /// Where on the body the probe stands, and so where it looks.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Approach {
        /// On the front of the trunk, looking straight back.
        Anterior,
        /// On the back, looking straight forward.
        Posterior,
        /// On the right flank, looking to the left.
        RightLateral,
        /// On the left flank, looking to the right.
        LeftLateral,
        /// Between the right ribs in the mid-axillary line, looking to the left and somewhat back.
        RightIntercostal,
        /// Between the left ribs behind the mid-axillary line, looking to the right and somewhat
        /// forward.
        LeftIntercostal,
        /// Under the costal margin, looking up and back.
        Subcostal,
        /// Under the xiphoid process, looking up, back and to the left.
        Subxiphoid,
        /// Above the pubic symphysis, looking back and somewhat down.
        Suprapubic,
        /// Between the left ribs beside the sternum, looking back and somewhat down.
        Parasternal,
        /// Over the apex of the heart, looking back, to the right and up.
        Apical,
    }
}

impl Approach {
    /// The direction of the central scan line, of length one, in the patient frame (left,
    /// posterior, superior). The angles are customary, not measured: 20° back between the right
    /// ribs, 15° forward between the left ones, 40° up under the ribs, 50° up and 20° left under
    /// the xiphoid, 20° down above the pubis and beside the sternum, 50° right and 28° up over the
    /// heart's apex.
    pub fn looking(self) -> Vector<Patient> {
        match self {
            Self::Anterior => Direction::Posterior.unit(),
            Self::Posterior => Direction::Anterior.unit(),
            Self::RightLateral => Direction::Left.unit(),
            Self::LeftLateral => Direction::Right.unit(),
            // Cosines and sines of 20°, 15°, 40°, 50° and 20°.
            Self::RightIntercostal => {
                Vector::new(0.939_692_620_785_908, 0.342_020_143_325_669, 0.0)
            }
            Self::LeftIntercostal => {
                Vector::new(-0.965_925_826_289_068, -0.258_819_045_102_521, 0.0)
            }
            Self::Subcostal => Vector::new(0.0, 0.766_044_443_118_978, 0.642_787_609_686_539),
            Self::Subxiphoid => Vector::new(
                0.219_846_310_392_954,
                0.604_022_773_555_054,
                0.766_044_443_118_978,
            ),
            Self::Suprapubic | Self::Parasternal => {
                Vector::new(0.0, 0.939_692_620_785_908, -0.342_020_143_325_669)
            }
            Self::Apical => Vector::new(
                -0.676_377_097_074_859,
                0.567_547_772_692_273,
                0.469_471_562_785_891,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog::Choice;

    #[test]
    fn every_approach_looks_along_a_unit_vector() {
        let all = [
            Approach::Anterior,
            Approach::Posterior,
            Approach::RightLateral,
            Approach::LeftLateral,
            Approach::RightIntercostal,
            Approach::LeftIntercostal,
            Approach::Subcostal,
            Approach::Subxiphoid,
            Approach::Suprapubic,
            Approach::Parasternal,
            Approach::Apical,
        ];
        assert_eq!(all.len(), Approach::NAMES.len());
        for approach in all {
            assert!(
                (approach.looking().norm() - 1.0).abs() < 1e-12,
                "{}",
                approach.name()
            );
        }
    }

    #[test]
    fn a_probe_looks_away_from_where_it_stands() {
        assert!(
            Approach::RightIntercostal
                .looking()
                .dot(&Direction::Left.unit())
                > 0.9
        );
        assert!(
            Approach::LeftIntercostal
                .looking()
                .dot(&Direction::Right.unit())
                > 0.9
        );
        assert!(
            Approach::Subcostal
                .looking()
                .dot(&Direction::Superior.unit())
                > 0.5
        );
        assert!(
            Approach::Suprapubic
                .looking()
                .dot(&Direction::Posterior.unit())
                > 0.9
        );
    }

    #[test]
    fn directions_are_lps() {
        assert_eq!(
            Direction::Left.unit().cross(&Direction::Posterior.unit()),
            Direction::Superior.unit()
        );
    }
}
