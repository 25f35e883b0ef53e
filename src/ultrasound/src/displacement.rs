//! Where tissue has moved: lattices of displacements between which is interpolated.

use anatomy::deform::{Deformation, Deformed};
use nalgebra::{Matrix3, Vector3};

use crate::medium::{AIR, MediumId};
use crate::speckle::Tile;

/// How far tissue has moved from where it was.
///
/// Media move in one layer or in several that slide along each other, each with a [`Field`] of its
/// own. The surfaces of the medium are moved by [`Medium::follow`](crate::engine::Medium::follow);
/// this moves the scatterers with them: a scatterer is where its medium's field has brought it.
#[derive(Clone, Debug, PartialEq)]
pub struct Displacement {
    fields: Vec<Field>,
    /// By structure; empty where there is one layer.
    layer_of_structure: Vec<u8>,
}

impl Displacement {
    /// All tissue in one layer, from nodes at `origin_mm + index · spacing_mm` (patient frame), x
    /// running fastest. `None` unless there are as many values as nodes, at least one along each
    /// axis, all finite, and the spacing is positive.
    pub fn new(
        origin_mm: [f64; 3],
        spacing_mm: [f64; 3],
        nodes: [usize; 3],
        values_mm: Vec<[f32; 3]>,
    ) -> Option<Self> {
        let field = Field::new(origin_mm, spacing_mm, nodes, values_mm)?;
        Some(Self {
            fields: vec![field],
            layer_of_structure: Vec::new(),
        })
    }

    /// In several layers: structure i of the medium moves with field `layer_of_structure[i]`.
    /// `None` if there is no such field, or more than 255.
    pub fn layered(fields: Vec<Field>, layer_of_structure: Vec<u8>) -> Option<Self> {
        let is_known = |&layer: &u8| usize::from(layer) < fields.len();
        let fits = !fields.is_empty() && layer_of_structure.iter().all(is_known);
        fits.then_some(Self {
            fields,
            layer_of_structure,
        })
    }

    /// Of a patient's body that has moved.
    pub fn of_body(deformation: &Deformation, deformed: &Deformed) -> Option<Self> {
        let grid = deformation.grid();
        let spacing = [grid.spacing_mm; 3];
        let field =
            |values: &Vec<_>| Field::new(grid.origin_mm, spacing, grid.nodes, values.clone());
        let fields = deformed
            .fields_mm
            .iter()
            .map(field)
            .collect::<Option<_>>()?;
        let layers = deformation.layers().iter();
        Self::layered(fields, layers.map(|layer| layer.index() as u8).collect())
    }

    /// How many layers there are.
    pub fn layers(&self) -> usize {
        self.fields.len()
    }

    /// The layer in which a medium moves; the first of what is no structure.
    pub fn layer_of(&self, medium: MediumId) -> usize {
        match medium {
            AIR => 0,
            _ => {
                let layer = self.layer_of_structure.get(usize::from(medium) - 1);
                layer.map_or(0, |&layer| usize::from(layer))
            }
        }
    }

    /// A layer's field; the first's if there is no such layer.
    pub fn field(&self, layer: usize) -> &Field {
        self.fields.get(layer).unwrap_or(&self.fields[0])
    }
}

/// How far the tissue of one layer has moved, on a regular lattice over the resting body.
///
/// The tissue that rests at X is now at X + d(X). Between nodes d is trilinear; outside the lattice
/// it is that of the nearest place on its border.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    origin_mm: [f64; 3],
    spacing_mm: [f64; 3],
    nodes: [usize; 3],
    /// x runs fastest.
    values_mm: Vec<[f32; 3]>,
}

impl Field {
    /// From nodes, as [`Displacement::new`].
    pub fn new(
        origin_mm: [f64; 3],
        spacing_mm: [f64; 3],
        nodes: [usize; 3],
        values_mm: Vec<[f32; 3]>,
    ) -> Option<Self> {
        let count = nodes.iter().try_fold(1usize, |n, &of| n.checked_mul(of))?;
        let is_finite = values_mm.iter().flatten().all(|v| v.is_finite())
            && origin_mm.iter().all(|v| v.is_finite());
        let is_spaced = spacing_mm.iter().all(|&s| s.is_finite() && s > 0.0);
        (count > 0 && count == values_mm.len() && is_finite && is_spaced).then_some(Self {
            origin_mm,
            spacing_mm,
            nodes,
            values_mm,
        })
    }

    /// d at a place of the resting body, mm.
    pub fn at(&self, place: Vector3<f64>) -> Vector3<f64> {
        let mut low = [0; 3];
        let mut fraction = [0.0; 3];
        for axis in 0..3 {
            let last = (self.nodes[axis] - 1) as f64;
            let at = (place[axis] - self.origin_mm[axis]) / self.spacing_mm[axis];
            let at = at.clamp(0.0, last);
            low[axis] = (at as usize).min(self.nodes[axis].saturating_sub(2));
            fraction[axis] = at - low[axis] as f64;
        }
        let mut sum = Vector3::zeros();
        for corner in 0..8 {
            let mut weight = 1.0;
            let mut node = [0; 3];
            for axis in 0..3 {
                let high = corner >> axis & 1;
                let fraction = fraction[axis];
                weight *= if high == 1 { fraction } else { 1.0 - fraction };
                node[axis] = (low[axis] + high).min(self.nodes[axis] - 1);
            }
            let index = (node[2] * self.nodes[1] + node[1]) * self.nodes[0] + node[0];
            let value = self.values_mm[index].map(f64::from);
            sum += Vector3::from(value) * weight;
        }
        sum
    }

    /// Where the tissue that is now at a place rests; the displacement must not fold.
    pub fn resting(&self, place: Vector3<f64>) -> Vector3<f64> {
        /// As near as this is near enough, mm.
        const NEAR_MM: f64 = 1e-3;
        let mut resting = place;
        for _ in 0..8 {
            resting = place - self.at(resting);
        }
        // Where tissue shears so much that this does not settle, along the field's own slope.
        for _ in 0..24 {
            let off = resting + self.at(resting) - place;
            if off.norm() < NEAR_MM {
                break;
            }
            let step = self
                .slope(resting)
                .try_inverse()
                .map_or(off, |inverse| inverse * off);
            let most = self.spacing_mm[0]
                .min(self.spacing_mm[1])
                .min(self.spacing_mm[2]);
            resting -= step * (most / step.norm()).min(1.0);
        }
        resting
    }

    /// How present places change with resting ones: 1 + ∇d.
    fn slope(&self, place: Vector3<f64>) -> Matrix3<f64> {
        const STEP: f64 = 0.05;
        let columns = [0, 1, 2].map(|axis| {
            let reach = STEP * self.spacing_mm[axis];
            let aside = Vector3::ith(axis, reach);
            (self.at(place + aside) - self.at(place - aside)) / (2.0 * reach)
        });
        Matrix3::identity() + Matrix3::from_columns(&columns)
    }

    /// Moves a tile to where its tissue rests, and widens it so that all of that is inside.
    pub(crate) fn widen(&self, tile: &mut Tile) {
        let center = self.resting(tile.center);
        let mut slack = 0.0f64;
        for corner in 0..27 {
            let mut place = tile.center;
            for (axis, step) in [1, 3, 9].into_iter().enumerate() {
                let sign = f64::from(corner / step % 3) - 1.0;
                place += tile.axes.row(axis).transpose() * (sign * tile.half_mm[axis]);
            }
            let moved = (self.resting(place) - center) - (place - tile.center);
            slack = slack.max(moved.norm());
        }
        tile.center = center;
        tile.half_mm = tile.half_mm.map(|half| half + 1.5 * slack);
    }

    /// From resting places less `resting_center` to present places less `center`, mm.
    pub(crate) fn move_places(
        &self,
        resting_center: Vector3<f64>,
        center: Vector3<f64>,
        resting: &[Vec<f32>; 3],
        present: &mut [Vec<f32>; 3],
    ) {
        for list in present.iter_mut() {
            list.clear();
        }
        let shift = resting_center - center;
        let [xs, ys, zs] = resting;
        for ((&x, &y), &z) in xs.iter().zip(ys).zip(zs) {
            let rest = Vector3::new(x, y, z).map(f64::from);
            let now = rest + shift + self.at(resting_center + rest);
            for (list, coordinate) in present.iter_mut().zip(now.iter()) {
                list.push(*coordinate as f32);
            }
        }
    }
}
