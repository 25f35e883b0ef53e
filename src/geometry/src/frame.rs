//! Typed frames: a point or pose says in its type which space it is in.
//!
//! Every transform is named `b_from_a`, and its type reads the same way round: `Pose<B, A>` takes a
//! point of frame `A` to frame `B`. Chains therefore only compile when the inner frames meet:
//!
//! ```
//! use geometry::frame::{Patient, Point, Pose, Probe, Vector};
//!
//! let patient_from_probe = Pose::<Patient, Probe>::translation(Vector::new(10.0, 0.0, 0.0));
//! let tip_in_probe = Point::<Probe>::new(0.0, 0.0, 5.0);
//! let tip_in_patient: Point<Patient> = patient_from_probe * tip_in_probe;
//! assert_eq!(tip_in_patient, Point::new(10.0, 0.0, 5.0));
//! ```
//!
//! ```compile_fail
//! use geometry::frame::{Patient, Point, Pose, Probe, Vector};
//! let patient_from_probe = Pose::<Patient, Probe>::translation(Vector::new(1.0, 0.0, 0.0));
//! let already_in_patient = Point::<Patient>::new(0.0, 0.0, 0.0);
//! let wrong = patient_from_probe * already_in_patient; // frames do not meet
//! ```
//!
//! What the types do not protect from: two patients share the frame type [`Patient`], so mixing
//! points of two *different* patients still compiles; and `coords` hands out bare numbers.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Add, Mul, Sub};

use nalgebra as na;

/// A right-handed coordinate space with millimetre axes (voxel spaces excepted: their axes count
/// voxels).
pub trait Frame: Copy + Send + Sync + 'static {
    /// The frame's name as printed in errors and debug output.
    const NAME: &'static str;
}

/// The frame type's own name without its path, for debug output.
fn short_name<F>() -> &'static str {
    std::any::type_name::<F>()
        .rsplit("::")
        .next()
        .unwrap_or("?")
}

macro_rules! frame {
    ($(#[$doc:meta])* $name:ident, $text:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;
        impl Frame for $name { const NAME: &'static str = $text; }
    };
}
frame!(/// DICOM LPS: +x to the patient's left, +y posterior, +z superior; millimetres.
    Patient, "patient");
frame!(/// An ultrasound probe: the origin at the middle of its face, +x along the scan towards the marked
    /// side, +z out of the face into the body, +y = z × x (elevation); millimetres.
    Probe, "probe");
frame!(/// Continuous voxel indices (i, j, k) of one volume; voxel centres lie at whole numbers.
    Voxel, "voxel");
frame!(/// The axes of a mesh or markup file before unit and axis options are applied.
    File, "file");

/// A place in frame `F`, millimetres.
pub struct Point<F> {
    /// x, y, z.
    pub coords: na::Vector3<f64>,
    frame: PhantomData<F>,
}

/// A displacement or direction in frame `F`, millimetres.
pub struct Vector<F> {
    /// x, y, z.
    pub coords: na::Vector3<f64>,
    frame: PhantomData<F>,
}

macro_rules! triple {
    ($name:ident) => {
        impl<F> Clone for $name<F> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<F> Copy for $name<F> {}
        impl<F> PartialEq for $name<F> {
            fn eq(&self, other: &Self) -> bool {
                self.coords == other.coords
            }
        }
        impl<F> fmt::Debug for $name<F> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let [x, y, z] = self.to_array();
                write!(
                    f,
                    "{}<{}>({x}, {y}, {z})",
                    stringify!($name),
                    short_name::<F>()
                )
            }
        }
        impl<F> $name<F> {
            /// From its three components, mm.
            pub const fn new(x: f64, y: f64, z: f64) -> Self {
                Self {
                    coords: na::Vector3::new(x, y, z),
                    frame: PhantomData,
                }
            }
            /// From a bare vector that the caller knows to be in frame `F`.
            pub const fn from_coords(coords: na::Vector3<f64>) -> Self {
                Self {
                    coords,
                    frame: PhantomData,
                }
            }
            /// From single-precision components, as meshes store them.
            pub fn from_f32([x, y, z]: [f32; 3]) -> Self {
                Self::new(f64::from(x), f64::from(y), f64::from(z))
            }
            /// x component, mm.
            pub fn x(&self) -> f64 {
                self.coords.x
            }
            /// y component, mm.
            pub fn y(&self) -> f64 {
                self.coords.y
            }
            /// z component, mm.
            pub fn z(&self) -> f64 {
                self.coords.z
            }
            /// The three components, mm.
            pub fn to_array(&self) -> [f64; 3] {
                [self.coords.x, self.coords.y, self.coords.z]
            }
            /// The three components rounded to single precision, as meshes store them.
            pub fn to_f32(&self) -> [f32; 3] {
                self.to_array().map(|v| v as f32)
            }
        }
    };
}
triple!(Point);
triple!(Vector);

impl<F> Point<F> {
    /// The frame's origin.
    pub const fn origin() -> Self {
        Self::new(0.0, 0.0, 0.0)
    }
    /// Distance to another point, mm.
    pub fn distance(&self, other: &Self) -> f64 {
        (self.coords - other.coords).norm()
    }
}

impl<F> Vector<F> {
    /// Length, mm.
    pub fn norm(&self) -> f64 {
        self.coords.norm()
    }
    /// The same direction with length 1; `None` where the length is not a positive finite number.
    pub fn normalized(&self) -> Option<Self> {
        let norm = self.norm();
        (norm.is_finite() && norm > 0.0).then(|| Self::from_coords(self.coords / norm))
    }
    /// Scalar product.
    pub fn dot(&self, other: &Self) -> f64 {
        self.coords.dot(&other.coords)
    }
    /// Vector product.
    pub fn cross(&self, other: &Self) -> Self {
        Self::from_coords(self.coords.cross(&other.coords))
    }
}

impl<F> Sub for Point<F> {
    type Output = Vector<F>;
    fn sub(self, other: Self) -> Vector<F> {
        Vector::from_coords(self.coords - other.coords)
    }
}
impl<F> Add<Vector<F>> for Point<F> {
    type Output = Self;
    fn add(self, step: Vector<F>) -> Self {
        Self::from_coords(self.coords + step.coords)
    }
}
impl<F> Add for Vector<F> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::from_coords(self.coords + other.coords)
    }
}
impl<F> Sub for Vector<F> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::from_coords(self.coords - other.coords)
    }
}
impl<F> Mul<f64> for Vector<F> {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self::from_coords(self.coords * factor)
    }
}

/// A rigid placement `to_from_from`: takes frame `From` to frame `To` without stretching.
pub struct Pose<To, From> {
    /// The bare isometry.
    pub isometry: na::Isometry3<f64>,
    frames: PhantomData<(To, From)>,
}

impl<To, From> Clone for Pose<To, From> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<To, From> Copy for Pose<To, From> {}
impl<To, From> PartialEq for Pose<To, From> {
    fn eq(&self, other: &Self) -> bool {
        self.isometry == other.isometry
    }
}
impl<To, From> fmt::Debug for Pose<To, From> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}_from_{}({})",
            short_name::<To>(),
            short_name::<From>(),
            self.isometry
        )
    }
}

impl<To, From> Pose<To, From> {
    /// From a bare isometry that the caller knows to be `to_from_from`.
    pub const fn from_isometry(isometry: na::Isometry3<f64>) -> Self {
        Self {
            isometry,
            frames: PhantomData,
        }
    }
    /// The two frames coincide.
    pub fn identity() -> Self {
        Self::from_isometry(na::Isometry3::identity())
    }
    /// Axes parallel, `From`'s origin at `offset` in `To`.
    pub fn translation(offset: Vector<To>) -> Self {
        Self::from_isometry(na::Isometry3::from_parts(
            na::Translation3::from(offset.coords),
            na::UnitQuaternion::identity(),
        ))
    }
    /// The way back.
    pub fn inverse(&self) -> Pose<From, To> {
        Pose::from_isometry(self.isometry.inverse())
    }
}

impl<To, From> Mul<Point<From>> for Pose<To, From> {
    type Output = Point<To>;
    fn mul(self, p: Point<From>) -> Point<To> {
        Point::from_coords((self.isometry * na::Point3::from(p.coords)).coords)
    }
}
impl<To, From> Mul<Vector<From>> for Pose<To, From> {
    type Output = Vector<To>;
    fn mul(self, v: Vector<From>) -> Vector<To> {
        Vector::from_coords(self.isometry * v.coords)
    }
}
impl<To, Mid, From> Mul<Pose<Mid, From>> for Pose<To, Mid> {
    type Output = Pose<To, From>;
    fn mul(self, other: Pose<Mid, From>) -> Pose<To, From> {
        Pose::from_isometry(self.isometry * other.isometry)
    }
}

/// A general affine map `to_from_from`: voxel grids, file units and axis conventions.
pub struct Affine<To, From> {
    /// The linear part, columns are the images of the axes.
    pub linear: na::Matrix3<f64>,
    /// The image of the origin.
    pub offset: na::Vector3<f64>,
    frames: PhantomData<(To, From)>,
}

impl<To, From> Clone for Affine<To, From> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<To, From> Copy for Affine<To, From> {}
impl<To, From> PartialEq for Affine<To, From> {
    fn eq(&self, other: &Self) -> bool {
        self.linear == other.linear && self.offset == other.offset
    }
}
impl<To, From> fmt::Debug for Affine<To, From> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}_from_{}({:?} + {:?})",
            short_name::<To>(),
            short_name::<From>(),
            self.linear,
            self.offset
        )
    }
}

impl<To, From> Affine<To, From> {
    /// From the linear part and the offset; `None` if an entry is not finite or the map is not
    /// invertible.
    pub fn new(linear: na::Matrix3<f64>, offset: na::Vector3<f64>) -> Option<Self> {
        let finite = linear.iter().chain(offset.iter()).all(|v| v.is_finite());
        let scale = linear.abs().max();
        let invertible = scale > 0.0 && (linear / scale).determinant().abs() > 1e-12;
        (finite && invertible).then_some(Self {
            linear,
            offset,
            frames: PhantomData,
        })
    }
    /// Uniform scale about the origin; `None` unless the factor is finite and not zero.
    pub fn scale(factor: f64) -> Option<Self> {
        Self::new(
            na::Matrix3::from_diagonal_element(factor),
            na::Vector3::zeros(),
        )
    }
    /// Determinant of the linear part: volume ratio, negative where handedness flips.
    pub fn determinant(&self) -> f64 {
        self.linear.determinant()
    }
    /// The way back.
    pub fn inverse(&self) -> Affine<From, To> {
        let linear = self
            .linear
            .try_inverse()
            .expect("the constructor refuses maps that are not invertible");
        Affine {
            linear,
            offset: -(linear * self.offset),
            frames: PhantomData,
        }
    }
    /// Lengths of the images of the three unit axes: a voxel grid's spacing, mm.
    pub fn axis_lengths(&self) -> [f64; 3] {
        std::array::from_fn(|axis| self.linear.column(axis).norm())
    }
}

impl<To, From> Mul<Point<From>> for Affine<To, From> {
    type Output = Point<To>;
    fn mul(self, p: Point<From>) -> Point<To> {
        Point::from_coords(self.linear * p.coords + self.offset)
    }
}
impl<To, Mid, From> Mul<Affine<Mid, From>> for Affine<To, Mid> {
    type Output = Affine<To, From>;
    fn mul(self, other: Affine<Mid, From>) -> Affine<To, From> {
        Affine {
            linear: self.linear * other.linear,
            offset: self.linear * other.offset + self.offset,
            frames: PhantomData,
        }
    }
}
impl<To, From> std::convert::From<Pose<To, From>> for Affine<To, From> {
    fn from(pose: Pose<To, From>) -> Self {
        Self {
            linear: pose.isometry.rotation.to_rotation_matrix().into_inner(),
            offset: pose.isometry.translation.vector,
            frames: PhantomData,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affine_inverse_round_trips() {
        let linear = na::Matrix3::new(3.0, 0.1, 0.0, 0.0, -2.0, 0.3, 0.2, 0.0, 1.5);
        let patient_from_voxel =
            Affine::<Patient, Voxel>::new(linear, na::Vector3::new(5.0, -7.0, 11.0)).unwrap();
        let p = Point::new(4.0, 5.0, 6.0);
        let back = patient_from_voxel.inverse() * (patient_from_voxel * p);
        assert!(back.distance(&p) < 1e-12);
    }

    #[test]
    fn affine_refuses_nan_and_flat_maps() {
        let nan = na::Matrix3::from_diagonal_element(f64::NAN);
        assert!(Affine::<Patient, Voxel>::new(nan, na::Vector3::zeros()).is_none());
        let flat = na::Matrix3::from_diagonal(&na::Vector3::new(1.0, 1.0, 0.0));
        assert!(Affine::<Patient, Voxel>::new(flat, na::Vector3::zeros()).is_none());
    }
}
