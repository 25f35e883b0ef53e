//! Balls that sink in a room until they lie on its wall and on each other, as stones do in a bladder.

use geometry::sdf::{Expr, SdfError, Solid};
use geometry::{Point, frame};
use nalgebra::Vector3;
use rayon::prelude::*;

use super::Place;
use super::shape::SolidError;

type V3 = Vector3<f64>;

/// Balls of one size, and how they keep from each other and from the wall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Balls {
    pub count: usize,
    pub diameter_mm: f64,
    pub gap_mm: f64,
}

/// The balls' solid: each lies as deep in the direction `towards` as those before it leave room for.
///
/// # Errors
/// [`SolidError::Crowded`] where not all of them find room; [`SdfError::Unbounded`], [`SdfError::Parameter`].
pub(super) fn settle(room: &Expr, towards: Place, balls: Balls) -> Result<Expr, SolidError> {
    let down = V3::from(towards).try_normalize(1e-12);
    let down = down.ok_or_else(|| SdfError::Parameter {
        path: "Balls".to_owned(),
        name: "towards",
        value: 0.0,
        must_be: "a direction with a length above 0",
    })?;
    let room = Room::of(room, down)?;
    let places = room.places(balls);
    if places.len() < balls.count {
        return Err(SolidError::Crowded {
            count: balls.count,
            diameter_mm: balls.diameter_mm,
            fit: places.len(),
            fit_mm: room.largest(balls),
        });
    }
    let ball = |place: V3| Expr::Sphere {
        center: place.into(),
        radius_mm: 0.5 * balls.diameter_mm,
    };
    Ok(Expr::Union {
        parts: places.into_iter().map(ball).collect(),
        blend_mm: 0.0,
    })
}

/// A room, sampled.
struct Room {
    solid: Solid,
    down: V3,
    step_mm: f64,
    /// Places inside and how far they are from the wall, the deepest first.
    inside: Vec<(V3, f64)>,
}

impl Room {
    fn of(room: &Expr, down: V3) -> Result<Self, SolidError> {
        /// Of the lattice through the room's box.
        const SAMPLES: f64 = 2e5;
        let solid = Solid::new(room)?;
        let bounds = solid.bounds();
        let (first, last) = (V3::from(bounds.min), V3::from(bounds.max));
        let extent = last - first;
        if !extent.iter().all(|e| e.is_finite()) {
            return Err(SdfError::Unbounded {
                path: "Balls.of".to_owned(),
            }
            .into());
        }
        let extent = extent.map(|e| e.max(1e-3));
        let step_mm = (extent.product() / SAMPLES).cbrt();
        let [nx, ny, nz]: [usize; 3] = extent.map(|e| (e / step_mm).ceil() as usize + 1).into();
        let places = (0..nx * ny * nz).into_par_iter().filter_map(|n| {
            let ijk = V3::new(
                (n % nx) as f64,
                (n / nx % ny) as f64,
                (n / (nx * ny)) as f64,
            );
            let place = first + ijk * step_mm;
            let clear_mm = -distance_mm(&solid, place);
            (clear_mm > 0.0).then_some((place, clear_mm))
        });
        let mut inside: Vec<(V3, f64)> = places.collect();
        // Stable: equally deep places stay in the lattice's order.
        inside.sort_by(|a, b| b.0.dot(&down).total_cmp(&a.0.dot(&down)));
        Ok(Self {
            solid,
            down,
            step_mm,
            inside,
        })
    }

    /// Middles of as many of the balls as find room.
    fn places(&self, balls: Balls) -> Vec<V3> {
        let reach_mm = 0.5 * balls.diameter_mm + balls.gap_mm;
        let apart_mm = balls.diameter_mm + balls.gap_mm;
        let held = self.inside.iter().filter(|(_, clear)| *clear >= reach_mm);
        let mut free: Vec<V3> = held.map(|(place, _)| *place).collect();
        let mut placed: Vec<V3> = Vec::new();
        while placed.len() < balls.count {
            let Some(&deepest) = free.first() else { break };
            let fits = |place: V3| {
                distance_mm(&self.solid, place) <= -reach_mm
                    && placed
                        .iter()
                        .all(|other| (place - other).norm() >= apart_mm)
            };
            let place = self.sunk(deepest, &fits);
            free.retain(|other| (place - other).norm() >= apart_mm);
            placed.push(place);
        }
        placed
    }

    /// From a place of the lattice down as far as it goes, by ever smaller steps.
    fn sunk(&self, from: V3, fits: &dyn Fn(V3) -> bool) -> V3 {
        /// The last step is a 32nd of the lattice's.
        const HALVINGS: u32 = 5;
        /// Each goes down, so that there are few; a bound all the same.
        const MOST_STEPS: usize = 200;
        let mut place = from;
        let mut step_mm = self.step_mm;
        for _ in 0..HALVINGS {
            step_mm *= 0.5;
            for _ in 0..MOST_STEPS {
                let lower = |place: &V3, next: &V3| next.dot(&self.down) > place.dot(&self.down);
                let around = (0..27)
                    .map(|n| V3::new(f64::from(n % 3), f64::from(n / 3 % 3), f64::from(n / 9)));
                let next = around
                    .map(|ijk| place + ijk.add_scalar(-1.0) * step_mm)
                    .filter(|next| lower(&place, next) && fits(*next))
                    .max_by(|a, b| a.dot(&self.down).total_cmp(&b.dot(&self.down)));
                let Some(next) = next else { break };
                place = next;
            }
        }
        place
    }

    /// The largest diameter, in tenths of a millimetre, of which there is room for as many.
    fn largest(&self, balls: Balls) -> Option<f64> {
        let fits = |tenths: u32| {
            let smaller = Balls {
                diameter_mm: 0.1 * f64::from(tenths),
                ..balls
            };
            self.places(smaller).len() == balls.count
        };
        let (mut fitting, mut too_large) = (0, (10.0 * balls.diameter_mm).ceil() as u32);
        while too_large > fitting + 1 {
            let middle = fitting.midpoint(too_large);
            if fits(middle) {
                fitting = middle;
            } else {
                too_large = middle;
            }
        }
        (fitting > 0).then(|| 0.1 * f64::from(fitting))
    }
}

fn distance_mm(solid: &Solid, place: V3) -> f64 {
    solid.distance_mm(Point::<frame::Patient>::from_coords(place))
}

/// What part of a solid a cut leaves, from 0 to 1, and how much there was, mm³.
///
/// # Errors
/// [`SdfError::Unbounded`]; as [`Solid::new`].
pub(super) fn kept(whole: &Expr, cut: &Expr) -> Result<(f64, f64), SdfError> {
    /// Each share is right to a percent or so.
    const SAMPLES: f64 = 6e4;
    let (whole, cut) = (Solid::new(whole)?, Solid::new(cut)?);
    let bounds = whole.bounds();
    let first = V3::from(bounds.min);
    let extent = V3::from(bounds.max) - first;
    if !extent.iter().all(|e| e.is_finite()) {
        return Err(SdfError::Unbounded {
            path: "keeps".to_owned(),
        });
    }
    let extent = extent.map(|e| e.max(1e-3));
    let step_mm = (extent.product() / SAMPLES).cbrt();
    let [nx, ny, nz]: [usize; 3] = extent
        .map(|e| (e / step_mm).ceil().max(1.0) as usize)
        .into();
    let counts = (0..nx * ny * nz).into_par_iter().map(|n| {
        let ijk = V3::new(
            (n % nx) as f64,
            (n / nx % ny) as f64,
            (n / (nx * ny)) as f64,
        );
        let place = first + ijk.add_scalar(0.5) * step_mm;
        let is_in = distance_mm(&whole, place) < 0.0;
        let is_left = is_in && distance_mm(&cut, place) < 0.0;
        (u64::from(is_in), u64::from(is_left))
    });
    let (whole, left) = counts.reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    if whole == 0 {
        // Nothing that the lattice sees: what comes of it is told where its surface is made.
        return Ok((1.0, 0.0));
    }
    let volume_mm3 = whole as f64 * step_mm * step_mm * step_mm;
    Ok((left as f64 / whole as f64, volume_mm3))
}
