//! Physical units as types, for crate borders where a bare number would not say what it is.
//!
//! Inside a crate a number carries its unit in its name (`depth_mm`, `f0_hz`); these types are for
//! hand-over points. They convert only by named functions, never silently:
//!
//! ```
//! use geometry::units::{Degrees, Radians};
//! let tilt: Radians = Degrees(180.0).to_radians();
//! assert!((tilt.0 - std::f64::consts::PI).abs() < 1e-12);
//! ```
//!
//! ```compile_fail
//! use geometry::units::{Millimetres, Seconds};
//! let nonsense = Millimetres(1.0) + Seconds(1.0);
//! ```

use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $symbol:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)?;
                f.write_str(concat!(" ", $symbol))
            }
        }
        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self { Self(self.0 + other.0) }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self { Self(self.0 - other.0) }
        }
        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self { Self(-self.0) }
        }
        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self { Self(self.0 * factor) }
        }
        impl Div<f64> for $name {
            type Output = Self;
            fn div(self, divisor: f64) -> Self { Self(self.0 / divisor) }
        }
        impl Div for $name {
            type Output = f64;
            fn div(self, other: Self) -> f64 { self.0 / other.0 }
        }
    };
}

unit!(/// A length.
    Millimetres, "mm");
unit!(/// A volume; 1 ml = 1000 mm³.
    Millilitres, "ml");
unit!(/// An angle as computed with.
    Radians, "rad");
unit!(/// An angle as written in files.
    Degrees, "°");
unit!(/// Simulated time.
    Seconds, "s");

impl Degrees {
    /// The same angle in radians.
    pub fn to_radians(self) -> Radians {
        Radians(self.0.to_radians())
    }
}

impl Radians {
    /// The same angle in degrees.
    pub fn to_degrees(self) -> Degrees {
        Degrees(self.0.to_degrees())
    }
}

impl Millilitres {
    /// The volume of so many cubic millimetres.
    pub fn from_mm3(mm3: f64) -> Self {
        Self(mm3 / 1000.0)
    }
}
