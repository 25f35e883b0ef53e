//! Where chest and belly are in a patient.

use crate::atlas::StructureKind;
use crate::patient::Patient;

/// Measures of a trunk, patient frame, mm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trunk {
    /// Middle and half of the width.
    middle_x: f64,
    half_width: f64,
    /// Skin of the belly, front of the spine, skin of the back.
    front_y: f64,
    spine_y: f64,
    back_y: f64,
    /// Where the belly's wall ends below, where it moves freely.
    pubis_z: f64,
    crest_z: f64,
    /// The lowest ribs.
    margin_z: f64,
    /// The middles of the shoulder blades, where there are any.
    shoulders: [Option<[f64; 3]>; 2],
}

/// How far the chest's own movement reaches in from the lowest ribs, mm.
const MARGIN_MM: f64 = 80.0;

/// How far a shoulder blade takes along what lies round it, mm.
const SHOULDER_MM: f64 = 70.0;

/// From the lowest ribs to the collar bones, where nothing moves any more, mm.
const CHEST_MM: f64 = 300.0;

impl Trunk {
    /// Of a patient; where bones are missing, shares of the body's box stand in.
    pub fn of(patient: &Patient) -> Self {
        let boxed = |is: &dyn Fn(&str, StructureKind) -> bool| {
            let found = patient.structures.iter().filter(|s| is(&s.id, s.kind));
            found
                .map(|s| s.surface.bounds())
                .reduce(|all, one| all.union(&one))
        };
        let whole = boxed(&|_, kind| kind == StructureKind::Skin).or_else(|| boxed(&|_, _| true));
        let (low, high) = whole.map_or(([0.0; 3], [1.0; 3]), |b| {
            (b.min.map(f64::from), b.max.map(f64::from))
        });
        let spine = boxed(&|id, _| id.starts_with("vertebrae_L") || id == "spine");
        let ribs = boxed(&|id, _| id.starts_with("rib_"));
        let hips = boxed(&|id, _| id.starts_with("hip_"));
        let along = |share: f64| low[2] + share * (high[2] - low[2]);
        let margin_z = ribs.map_or(along(0.7), |ribs| f64::from(ribs.min[2]));
        let crest_z = hips.map_or(along(0.3), |hips| f64::from(hips.max[2]));
        let pubis_z = hips.map_or(along(0.0), |hips| f64::from(hips.min[2]));
        let spine_x = spine.map(|s| f64::from(s.min[0] + s.max[0]) / 2.0);
        let middle_x = spine_x.unwrap_or((low[0] + high[0]) / 2.0);
        let ribs_x = ribs.map(|r| f64::from(r.max[0] - r.min[0]) / 2.0);
        Self {
            middle_x,
            half_width: ribs_x.unwrap_or((high[0] - low[0]) / 2.0).max(1.0),
            front_y: low[1],
            spine_y: spine.map_or((low[1] + high[1]) / 2.0, |s| f64::from(s.min[1])),
            back_y: high[1],
            pubis_z,
            crest_z,
            margin_z,
            shoulders: ["scapula_left", "scapula_right"].map(|id| {
                let center = patient.structure(id)?.surface.bounds().center();
                Some(center.map(f64::from))
            }),
        }
    }

    /// 0 at the lowest ribs, 1 at the uppermost.
    pub fn along_chest(&self, z: f64) -> f64 {
        smooth((z - self.margin_z) / CHEST_MM)
    }

    /// 1 in the middle of a shoulder blade, 0 far from both.
    pub fn shoulder(&self, x: f64, y: f64, z: f64) -> f64 {
        let near = |center: &[f64; 3]| {
            let [dx, dy, dz] = [x - center[0], y - center[1], z - center[2]];
            let squared = (dx * dx + dy * dy + dz * dz) / (SHOULDER_MM * SHOULDER_MM);
            libm::exp(-0.5 * squared)
        };
        self.shoulders
            .iter()
            .flatten()
            .map(near)
            .fold(0.0, f64::max)
    }

    /// 0 in the belly, 1 in the chest.
    pub fn chest(&self, z: f64) -> f64 {
        smooth((z - self.margin_z) / MARGIN_MM)
    }

    /// 0 below the pubis and above the collar bones, 1 in between.
    pub fn breathes(&self, z: f64) -> f64 {
        let above = (z - self.pubis_z) / (self.crest_z - self.pubis_z).max(1.0);
        let below = (self.margin_z + CHEST_MM - z) / (CHEST_MM / 2.0);
        smooth(above) * smooth(below)
    }

    /// 0 behind the front of the spine, 1 at the skin of the belly.
    pub fn front(&self, y: f64) -> f64 {
        ((self.spine_y - y) / (self.spine_y - self.front_y).max(1.0)).clamp(0.0, 1.0)
    }

    /// −1 at the right side, 1 at the left.
    pub fn side(&self, x: f64) -> f64 {
        ((x - self.middle_x) / self.half_width).clamp(-1.0, 1.0)
    }

    /// 0 at the skin of the back, 1 from the front of the spine on.
    pub fn not_back(&self, y: f64) -> f64 {
        ((self.back_y - y) / (self.back_y - self.spine_y).max(1.0)).clamp(0.0, 1.0)
    }
}

/// From 0 to 1, level at both ends.
fn smooth(t: f64) -> f64 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
