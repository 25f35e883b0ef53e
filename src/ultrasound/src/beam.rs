//! The two-way beam as a table, from the aperture.

use nalgebra::Complex;

/// The two-way beam of one setting in a homogeneous medium at 1540 m/s, as factors
///
/// `response(z, x, e; f) = spectrum(z; f) · lateral(z, x) · elevation(z, e)`
///
/// where x is the distance from the line along the arc (or across parallel lines) and e the
/// elevation. Lateral and elevation are 1 on the axis. A rectangular aperture with a lens is
/// separable in the paraxial approximation.
///
/// Depth node i lies at `i · depth_step_mm`.
#[derive(Clone, Debug)]
pub struct Beam {
    /// Distance of depth nodes, mm.
    pub depth_step_mm: f64,
    /// Number of depth nodes.
    pub depths: usize,
    /// One-way attenuations, dB/cm/MHz, of the homogeneous medium for which lateral and elevation
    /// were computed, ascending from 0: downshift widens the beam.
    pub attenuations_db_cm_mhz: Vec<f64>,
    /// Lines of like apertures share a class: at the edge of an array fewer elements serve; a
    /// phased array's lines are foreshortened. For each line its class and whether the class'
    /// profile is to be read from right to left.
    pub class_of_line: Vec<(u16, bool)>,
    /// Number of classes. Class 0 is that of the middle line.
    pub classes: usize,
    /// Lateral profile near the axis:
    /// `[class][attenuation][depth][offset]`, offsets from −`half_lines` to +`half_lines` line
    /// distances (at that depth) in steps of 1/`steps_per_line`, both ends included.
    pub lateral: Vec<Complex<f32>>,
    /// Reach of `lateral`, lines.
    pub half_lines: usize,
    /// Resolution of `lateral`.
    pub steps_per_line: usize,
    /// Lateral profile over the whole image with side and grating lobes, at half-line steps:
    /// `[class][depth][offset]`, offsets from −(lines−1) to lines−1 line distances, for the
    /// middle one of the attenuations.
    pub far_lateral: Vec<Complex<f32>>,
    /// On-axis two-way amplitude of each class over that of class 0: `[class][depth]`.
    pub class_gain: Vec<f32>,
    /// Elevation profile `[depth][offset]`, offsets from −`elevation_reach_mm` to
    /// +`elevation_reach_mm`, `elevation_nodes` of them (odd).
    pub elevation: Vec<Complex<f32>>,
    /// Nodes of the elevation profile at each depth.
    pub elevation_nodes: usize,
    /// Reach of the elevation profile at each depth, mm: where it has fallen below −40 dB for good,
    /// or its geometrical edge.
    pub elevation_reach_mm: Vec<f64>,
    /// Frequencies of `spectrum`, MHz, evenly spaced.
    pub frequencies_mhz: Vec<f64>,
    /// On-axis two-way spectrum of class 0 without attenuation, `[depth][frequency]`: pulse,
    /// probe and diffraction, its delay 2z/c taken out. Scaled so that the envelope's peak at the
    /// depth of greatest gain is 1.
    pub spectrum: Vec<Complex<f32>>,
    /// −6 dB widths for the middle one of the attenuations at each depth, mm: axial, lateral,
    /// elevation.
    pub widths_mm: Vec<[f32; 3]>,
    /// ∫∫ lateral · elevation dx de at the depth of greatest gain, mm² (its magnitude): what turns
    /// a plane reflector's echo into 1.
    pub focal_area_mm2: f64,
    /// Depth of greatest on-axis gain, mm.
    pub focal_depth_mm: f64,
}
