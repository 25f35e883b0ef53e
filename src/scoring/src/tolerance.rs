//! From an error to a share of points.

/// An error costs nothing up to `green` and everything from `amber` on; linear in between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Full points up to here.
    pub green: f64,
    /// No points from here on.
    pub amber: f64,
}

impl Tolerance {
    /// A tolerance; `green` below `amber`, or it is a step.
    pub const fn new(green: f64, amber: f64) -> Self {
        Self { green, amber }
    }

    /// Share of the points, 0 to 1. An error that is no number earns none.
    pub fn share(&self, error: f64) -> f64 {
        if error <= self.green {
            1.0
        } else if error < self.amber {
            (self.amber - error) / (self.amber - self.green)
        } else {
            0.0
        }
    }
}

/// A figure earns everything within `full`, nothing outside of `none`; linear in between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Least and greatest figure with full points.
    pub full: (f64, f64),
    /// At and beyond these there are no points.
    pub none: (f64, f64),
}

impl Window {
    /// A window; `none` lies around `full`.
    pub const fn new(full: (f64, f64), none: (f64, f64)) -> Self {
        Self { full, none }
    }

    /// Share of the points, 0 to 1. What is no number earns none.
    pub fn share(&self, figure: f64) -> f64 {
        let (least, most) = self.full;
        if figure < least {
            Tolerance::new(-least, -self.none.0).share(-figure)
        } else {
            Tolerance::new(most, self.none.1).share(figure)
        }
    }

    /// By how much a figure has to change to have full points; 0 inside.
    pub fn amends(&self, figure: f64) -> f64 {
        figure.clamp(self.full.0, self.full.1.max(self.full.0)) - figure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_between_green_and_amber() {
        let tolerance = Tolerance::new(5.0, 10.0);
        let shares = [0.0, 5.0, 7.5, 10.0, 99.0, f64::NAN].map(|error| tolerance.share(error));
        assert_eq!(shares, [1.0, 1.0, 0.5, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_window_has_two_flanks() {
        let window = Window::new((2.0, 4.0), (1.0, 8.0));
        let shares = [0.5, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0].map(|figure| window.share(figure));
        assert_eq!(shares, [0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.0]);
        assert_eq!([1.0, 3.0, 6.0].map(|f| window.amends(f)), [1.0, 0.0, -2.0]);
    }
}
