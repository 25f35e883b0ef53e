//! The two-way beam as a table, from the aperture.
//!
//! **Sign of phases.** An echo from depth z on the line has the carrier `exp(+i 2 k₀ z)` with
//! k₀ = 2π f₀ / (1540 m/s) and f₀ the transmit frequency: whatever comes later has a more positive
//! phase. So an echo from beside the line, where the way is longer, has a positive phase in
//! [`Beam::lateral`] and [`Beam::elevation`]; and from [`Beam::spectrum`] the echo of a scatterer at
//! depth z appears at depth d of the line as
//!
//! `exp(+i 2 k₀ z) · Σ_f spectrum(z; f) · exp(−i 2 (k − k₀) (d − z))`, k = 2π f / (1540 m/s).
//!
//! **What is taken at which time.** Lateral and elevation are amplitudes at the moment when the
//! envelope of the echo from the axis at the same depth peaks (the middle of its top). Echoes from far off the axis come
//! later than that moment; what of them is left at it is small, as it is in a cut through a
//! point's image along the arc.
//!
//! **What depth is.** A scatterer's depth is its distance along the line that looks at it, and its
//! lateral distance is square to that line (along the arc in a fan). Of parallel lines that are
//! steered by s, two that are Δu apart on the face see one scatterer at depths that differ by
//! Δu · sin s.
//!
//! **Near the face** fields are taken at half a wavelength's depth. A focus, a depth and the
//! apertures' centre are where the line leaves the face; the ends of the array clip apertures.
//!
//! **Model.** Strips that radiate into a soft baffle, `cos θ · sinc(k b/2 sin θ) · exp(ikr) / √r`, as
//! in García, SIMUS, Comput. Methods Programs Biomed. 218, 2022; 1540 m/s everywhere.

mod classes;
mod setting;
#[cfg(test)]
mod tests;

use equipment::{Console, Probe};
use nalgebra::Complex;

use crate::grid::ScanGrid;

use setting::Setting;

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
    /// Amplitude factor for tissue's scatterers, of class 0: `[attenuation][depth]`.
    ///
    /// The product of factors is right on the axis, but beside it each frequency has a beam of its
    /// own, the wider the lower it is. Of scatterers without number the power
    /// `Σ_f |spectrum|² ∫|lateral_f|² dx ∫|elevation_f|² de` echoes in a medium without
    /// attenuation, not `Σ_f |spectrum|² · ∫|lateral|² dx · ∫|elevation|² de`; for each attenuation's
    /// lateral profile this is the square root of the first over the second. Single points and
    /// planes are not to be scaled.
    ///
    /// So the speckle of every frequency f weakens by exp(−4αfz) and by nothing else, although lateral
    /// profiles widen with the attenuation. How the power is shared out among the frequencies is
    /// [`Beam::speckle_spectrum`]'s.
    ///
    /// Profiles count as far as they are tabled.
    pub speckle_gain: Vec<f32>,
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
    /// The spectrum with which tissue's scatterers are to echo instead of `spectrum`,
    /// `[depth][frequency]`: each frequency f has the share of `|spectrum_f|² ∫|lateral_f|² dx
    /// ∫|elevation_f|² de` in all of them, with the wider beams of the low ones, and the phase that it
    /// has on the axis. The power of all together is that of `spectrum`: what the beams' widths do
    /// to it is in `speckle_gain`.
    pub speckle_spectrum: Vec<Complex<f32>>,
    /// −6 dB widths for the middle one of the attenuations at each depth, mm: axial, lateral,
    /// elevation.
    pub widths_mm: Vec<[f32; 3]>,
    /// ∫∫ lateral · elevation dx de at the depth of greatest gain, mm² (its magnitude): what turns
    /// a plane reflector's echo into 1.
    pub focal_area_mm2: f64,
    /// Depth of greatest on-axis gain, mm.
    pub focal_depth_mm: f64,
}

impl Beam {
    /// The beam of a probe at a setting, for the lines of a grid.
    pub fn new(probe: &Probe, console: &Console, grid: &ScanGrid) -> Self {
        let setting = Setting::new(probe, console, grid);
        let far = setting.far_rows();
        let half_lines = setting.half_lines(&far);
        let steps_per_line = setting.steps_per_line(&far);
        let near = setting.near_rows(&far, half_lines, steps_per_line);
        let elevations = setting.elevation_rows();
        let (spectrum, focus) = setting.spectra(&far, &elevations);
        let mut beam = Self {
            depth_step_mm: setting.depth_step_mm,
            depths: setting.depths,
            attenuations_db_cm_mhz: setting::ATTENUATIONS_DB_CM_MHZ.to_vec(),
            class_of_line: setting.classes.of_line.clone(),
            classes: setting.classes.list.len(),
            lateral: setting.sorted_near(&near),
            half_lines,
            steps_per_line,
            far_lateral: far.iter().flat_map(|row| row.profile.clone()).collect(),
            class_gain: setting.class_gain(&far),
            speckle_gain: setting.speckle_gain(&far, &near, &elevations),
            elevation: elevations
                .iter()
                .flat_map(|row| row.profile.clone())
                .collect(),
            elevation_nodes: 2 * setting::ELEVATION_SIDE - 1,
            elevation_reach_mm: elevations.iter().map(|row| row.reach_mm).collect(),
            frequencies_mhz: setting.band.frequencies_mhz().collect(),
            spectrum: Vec::new(),
            speckle_spectrum: setting.speckle_spectrum(&spectrum, &far, &near, &elevations),
            widths_mm: Vec::new(),
            focal_area_mm2: 0.0,
            focal_depth_mm: focus as f64 * setting.depth_step_mm,
        };
        beam.widths_mm = (0..setting.depths)
            .map(|depth| setting.widths_mm(&beam, &spectrum[depth], depth))
            .collect();
        beam.focal_area_mm2 = setting.focal_area_mm2(&beam, focus);
        beam.spectrum = spectrum
            .into_iter()
            .flatten()
            .map(setting::single)
            .collect();
        beam
    }

    /// Near lateral profile of a class, for one of the attenuations, at a depth node.
    fn near_row(&self, class: usize, attenuation: usize, depth: usize) -> &[Complex<f32>] {
        let nodes = 2 * self.half_lines * self.steps_per_line + 1;
        let attenuations = self.attenuations_db_cm_mhz.len();
        let row = (class * attenuations + attenuation) * self.depths + depth;
        &self.lateral[row * nodes..(row + 1) * nodes]
    }

    /// Far lateral profile of a class at a depth node.
    fn far_row(&self, class: usize, depth: usize) -> &[Complex<f32>] {
        let nodes = self.far_lateral.len() / (self.classes * self.depths);
        let row = class * self.depths + depth;
        &self.far_lateral[row * nodes..(row + 1) * nodes]
    }

    /// Elevation profile at a depth node.
    fn elevation_row(&self, depth: usize) -> &[Complex<f32>] {
        &self.elevation[depth * self.elevation_nodes..(depth + 1) * self.elevation_nodes]
    }
}
