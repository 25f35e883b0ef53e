//! Volume, centroid and principal axes of closed surfaces.
//!
//! The body is cut into signed tetrahedra from one reference point to each triangle, whose moments
//! are polynomials of the corners (Tonon, "Explicit exact formulas for the 3-D tetrahedron inertia
//! tensor", J. Math. Stat. 1, 2004).

use nalgebra as na;

use crate::frame::{Point, Vector};
use crate::mesh::TriMesh;

/// Where the volume of a closed surface lies and how it is spread.
#[derive(Clone, Copy, Debug)]
pub struct Moments<F> {
    /// Enclosed volume, mm³.
    pub volume_mm3: f64,
    /// Centre of the volume.
    pub centroid: Point<F>,
    /// Directions of largest, middle and smallest spread: orthonormal and right-handed.
    pub axes: [Vector<F>; 3],
    /// Standard deviation of the volume along each axis, mm.
    pub spread_mm: [f64; 3],
}

/// Moments of a closed surface; `None` where it encloses no volume.
///
/// The sign of each axis is fixed (its component largest in magnitude is positive, the third
/// completes a right-handed frame), so equal shapes give equal axes.
pub fn moments<F>(mesh: &TriMesh<F>) -> Option<Moments<F>> {
    let about = na::Vector3::from(mesh.bounds().center().map(f64::from));
    let mut volume = 0.0;
    let mut first = na::Vector3::zeros();
    let mut second = na::Matrix3::zeros();
    for triangle in 0..mesh.triangles().len() {
        let [a, b, c] = mesh
            .corners(triangle)
            .map(|p| na::Vector3::from(p.map(f64::from)) - about);
        let v = a.dot(&b.cross(&c)) / 6.0;
        let sum = a + b + c;
        volume += v;
        first += sum * (v / 4.0);
        let outer = a * a.transpose() + b * b.transpose() + c * c.transpose();
        second += (outer + sum * sum.transpose()) * (v / 20.0);
    }
    if !(volume.is_finite() && volume > 0.0) {
        return None;
    }
    let mean = first / volume;
    let covariance = second / volume - mean * mean.transpose();
    let (axes, spread_mm) = principal_axes(covariance);
    Some(Moments {
        volume_mm3: volume,
        centroid: Point::from_coords(mean + about),
        axes,
        spread_mm,
    })
}

fn principal_axes<F>(covariance: na::Matrix3<f64>) -> ([Vector<F>; 3], [f64; 3]) {
    let eigen = na::SymmetricEigen::new(covariance);
    let mut order = [0, 1, 2];
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let axis = |rank: usize| {
        let column: na::Vector3<f64> = eigen.eigenvectors.column(order[rank]).into();
        let leading = column[column.iamax()];
        if leading < 0.0 { -column } else { column }
    };
    let (long, middle) = (axis(0), axis(1));
    let short = long.cross(&middle);
    let spread = order.map(|n| eigen.eigenvalues[n].max(0.0).sqrt());
    ([long, middle, short].map(Vector::from_coords), spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Patient;

    /// A box with edges 2a, 2b, 2c has variance a²/3 along its first axis, and so on.
    #[test]
    fn a_box_has_its_textbook_moments() {
        let half = [6.0_f32, 3.0, 1.0];
        let corner = |i: u32| {
            std::array::from_fn(|x| {
                if i >> x & 1 == 1 {
                    half[x] + 10.0
                } else {
                    10.0 - half[x]
                }
            })
        };
        let quads = [
            [0, 2, 3, 1],
            [4, 5, 7, 6],
            [0, 1, 5, 4],
            [2, 6, 7, 3],
            [0, 4, 6, 2],
            [1, 3, 7, 5],
        ];
        let triangles = quads
            .iter()
            .flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]])
            .collect();
        let mesh = TriMesh::<Patient>::new((0..8).map(corner).collect(), triangles).unwrap();
        let found = moments(&mesh).unwrap();
        assert!((found.volume_mm3 - 144.0).abs() < 1e-9);
        assert!(found.centroid.distance(&Point::new(10.0, 10.0, 10.0)) < 1e-9);
        for (spread, half) in found.spread_mm.iter().zip(half) {
            assert!((spread - f64::from(half) / 3.0_f64.sqrt()).abs() < 1e-6);
        }
        assert!((found.axes[0].x() - 1.0).abs() < 1e-9 && (found.axes[1].y() - 1.0).abs() < 1e-9);
    }
}
