//! What healthy adults measure, and how a patient compares: `assets/normal.ron`.

use catalog::{Faults, Format, Known, Node, NotEmpty};
use geometry::{TriMesh, frame};

use crate::patient::Patient;
use crate::patient_file::Sex;
use crate::vessels::VesselGraph;

const NORMAL: Format = Format::new("NormalRanges", 1);

catalog::record! {
    /// `normal.ron` as written.
    #[derive(Debug)]
    struct NormalRanges {
        /// What is known.
        ranges: Vec<NormalRange>,
    }
}

catalog::record! {
    /// What a structure measures in healthy adults.
    #[derive(Clone, Debug, PartialEq)]
    pub struct NormalRange {
        /// The structure.
        pub structure: String [Known("structure")],
        /// What is measured.
        pub quantity: Quantity,
        /// Least and most, in the quantity's unit.
        pub range: (f64, f64),
        /// Only for this sex.
        pub sex: Option<Sex> = None,
        /// Where the range comes from.
        pub source: String [NotEmpty],
    }
    check least_below_most
}

fn least_below_most(range: &NormalRange, node: &Node, faults: &mut Faults) {
    let holds = range.range.0 < range.range.1;
    faults.require(node.span, holds, "the range ends below where it begins");
}

catalog::choice! {
    /// What can be measured of a structure.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Quantity {
        /// What its surface holds, ml.
        Volume,
        /// Diameter of a vessel's lumen, the mean along it, mm.
        Diameter,
        /// Longest way across, mm.
        Longest,
    }
}

impl Quantity {
    /// Unit of its values.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Volume => "ml",
            Self::Diameter | Self::Longest => "mm",
        }
    }
}

/// One measurement of a patient beside what is normal.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What is normal.
    pub normal: NormalRange,
    /// What the patient has, in the quantity's unit.
    pub value: f64,
}

impl Comparison {
    /// Whether the patient lies within.
    pub fn is_normal(&self) -> bool {
        let (least, most) = self.normal.range;
        (least..=most).contains(&self.value)
    }
}

fn table() -> Vec<NormalRange> {
    let text = include_str!("../../../assets/normal.ron");
    let read: Result<NormalRanges, _> = catalog::read_str(text, "assets/normal.ron", &NORMAL);
    read.expect("a test reads the embedded table").ranges
}

/// Everything of a patient that there is a normal range for. Where the patient's sex is not known,
/// the ranges of both sexes are joined.
pub fn compare(patient: &Patient) -> Vec<Comparison> {
    let sex = patient.habitus.sex;
    let mut found: Vec<Comparison> = Vec::new();
    for normal in table() {
        if normal.sex.is_some() && sex.is_some() && normal.sex != sex {
            continue;
        }
        let same = |c: &&mut Comparison| {
            c.normal.structure == normal.structure && c.normal.quantity == normal.quantity
        };
        if let Some(known) = found.iter_mut().find(same) {
            let (least, most) = known.normal.range;
            known.normal.range = (least.min(normal.range.0), most.max(normal.range.1));
        } else if let Some(value) = measure(patient, &normal) {
            found.push(Comparison { normal, value });
        }
    }
    found
}

fn measure(patient: &Patient, normal: &NormalRange) -> Option<f64> {
    let structure = patient.structure(&normal.structure)?;
    match normal.quantity {
        Quantity::Volume => Some(structure.surface.signed_volume_mm3() / 1000.0),
        Quantity::Diameter => mean_diameter_mm(&patient.vessels, &structure.id),
        Quantity::Longest => Some(longest_mm(&structure.surface)),
    }
}

/// Mean along the vessel of the diameter of the circle with its lumen's area, mm.
pub fn mean_diameter_mm(vessels: &VesselGraph, structure: &str) -> Option<f64> {
    let (mut length_mm, mut area) = (0.0, 0.0);
    for segment in &vessels.segments {
        if segment.structure.as_deref() != Some(structure) {
            continue;
        }
        for (points, radii) in segment.points.windows(2).zip(segment.radii_mm.windows(2)) {
            let step = points[0].distance(&points[1]);
            length_mm += step;
            area += step * (radii[0] + radii[1]);
        }
    }
    (length_mm > 0.0).then(|| area / length_mm)
}

/// Longest way across along 13 directions: within 5 % of the longest of all.
fn longest_mm(surface: &TriMesh<frame::Patient>) -> f64 {
    let directions =
        (-1..=1).flat_map(|x| (-1..=1).flat_map(move |y| (0..=1).map(move |z| [x, y, z])));
    let across = |direction: [i32; 3]| {
        let length = f64::from(direction.iter().map(|c| c * c).sum::<i32>()).sqrt();
        let along = |v: &[f32; 3]| {
            (0..3)
                .map(|a| f64::from(v[a]) * f64::from(direction[a]))
                .sum()
        };
        let ends = surface.vertices().iter().map(along);
        let (least, most) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v: f64| {
            (a.min(v), b.max(v))
        });
        (most - least) / length
    };
    directions
        .filter(|direction| *direction != [0, 0, 0])
        .map(across)
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use geometry::sdf::{Expr, SurfaceLimits, surface};

    use super::*;
    use crate::atlas::Atlas;
    use crate::patient::Structure;

    #[test]
    fn every_range_is_of_a_structure_of_the_atlas() {
        for range in table() {
            let known = Atlas::builtin().structure(&range.structure).is_some();
            assert!(known, "{}", range.structure);
        }
    }

    #[test]
    fn a_patient_is_compared_with_the_own_sex_or_with_both() {
        let ball = Expr::Sphere {
            center: [0.0; 3],
            radius_mm: 31.0,
        };
        let mesh = surface(&ball, 1.0, &SurfaceLimits::default()).unwrap();
        let entry = Atlas::builtin().structure("kidney_left").unwrap();
        let mut patient = Patient::empty("ball");
        patient.structures.push(Structure::of_entry(entry, mesh));
        let volume = |patient: &Patient| {
            let all = compare(patient);
            let volume = all.iter().find(|c| c.normal.quantity == Quantity::Volume);
            volume.unwrap().clone()
        };
        // 124.8 ml: small for a man, usual for a woman; 62 mm across is no kidney.
        assert!(volume(&patient).is_normal() && (volume(&patient).value - 124.8).abs() < 1.0);
        patient.habitus.sex = Some(Sex::Male);
        assert!(!volume(&patient).is_normal());
        patient.habitus.sex = Some(Sex::Female);
        assert!(volume(&patient).is_normal());
        let longest = compare(&patient)
            .into_iter()
            .find(|c| c.normal.quantity == Quantity::Longest);
        let longest = longest.unwrap();
        assert!(!longest.is_normal() && (longest.value - 62.0).abs() < 1.0);
    }
}
