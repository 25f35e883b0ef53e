//! A probe as written in a file, and what has to hold in it.

use anatomy::tissue::DisplayName;
use catalog::{Faults, Finding, Format, Node, NotEmpty, Span};

use super::{Array, Elevation, Face, Probe};

/// `Probe(version: 1, …)`; a file has some hundred bytes.
pub(super) const FORMAT: Format = Format::new("Probe", 1).with_max_bytes(1 << 20);

/// Transmit frequencies have to lie where the pulse-echo response is down by no more than this.
const MOST_DOWN_DB: f64 = 20.0;

/// Speed of sound at which lengths are compared with the wavelength, m/s.
const SPEED_M_S: f64 = 1540.0;

/// The widest array there is, mm; more of it means that something is in another unit.
const MOST_APERTURE_MM: f64 = 250.0;

/// The widest arc of a curved array, degrees: endocavity probes reach 210.
const MOST_OPENING_DEG: f64 = 240.0;

/// Depths that a [`Console`](crate::Console) can be set to, mm.
const CONSOLE_DEPTH_MM: (f64, f64) = (2.0, 400.0);

catalog::record! {
    /// A probe whose id may be left to the file's name.
    #[derive(Debug)]
    pub(super) struct ProbeText {
        id: Option<String> [NotEmpty] = None,
        name: DisplayName,
        array: Array,
        center_frequency_mhz: f64 [0.5..=80.0],
        fractional_bandwidth: f64 [0.05..=1.5],
        frequencies_mhz: Vec<f64>,
        elevation: Elevation,
        face: Face,
        depth_range_mm: (f64, f64),
    }
    check require_sound
}

impl ProbeText {
    /// The probe; `stem` is its id if it gives none.
    pub(super) fn resolved(self, stem: String) -> Probe {
        Probe {
            id: self.id.unwrap_or(stem),
            name: self.name,
            array: self.array,
            center_frequency_mhz: self.center_frequency_mhz,
            fractional_bandwidth: self.fractional_bandwidth,
            frequencies_mhz: self.frequencies_mhz,
            elevation: self.elevation,
            face: self.face,
            depth_range_mm: self.depth_range_mm,
        }
    }

    pub(super) fn of(probe: &Probe) -> Self {
        Self {
            id: Some(probe.id.clone()),
            name: probe.name.clone(),
            array: probe.array.clone(),
            center_frequency_mhz: probe.center_frequency_mhz,
            fractional_bandwidth: probe.fractional_bandwidth,
            frequencies_mhz: probe.frequencies_mhz.clone(),
            elevation: probe.elevation,
            face: probe.face,
            depth_range_mm: probe.depth_range_mm,
        }
    }
}

fn require_sound(probe: &ProbeText, node: &Node, faults: &mut Faults) {
    require_array(probe, node, faults);
    require_frequencies(probe, node, faults);
    require_depths(probe, node, faults);
}

/// Where a field is written, or else the whole that lacks it.
fn place(node: &Node, path: &[&str]) -> Span {
    let inner = path
        .iter()
        .try_fold(node, |node, name| node.field(name))
        .unwrap_or(node);
    inner.span
}

fn require_array(probe: &ProbeText, node: &Node, faults: &mut Faults) {
    match probe.array {
        Array::Linear {
            elements,
            pitch_mm,
            element_width_mm,
        } => require_row(node, elements, pitch_mm, element_width_mm, faults),
        Array::Curved {
            elements,
            pitch_mm,
            element_width_mm,
            radius_mm,
        } => {
            require_row(node, elements, pitch_mm, element_width_mm, faults);
            require_arc(node, f64::from(elements) * pitch_mm, radius_mm, faults);
        }
        Array::Phased {
            elements,
            pitch_mm,
            element_width_mm,
            ..
        } => {
            require_row(node, elements, pitch_mm, element_width_mm, faults);
            require_steerable(node, pitch_mm, probe.center_frequency_mhz, faults);
        }
        Array::Rotational { ring_down_mm, .. } => {
            let holds = ring_down_mm < probe.depth_range_mm.0;
            let message = format!("the ring-down of {ring_down_mm} mm hides the shallowest image");
            let least = probe.depth_range_mm.0;
            let expected = format!("less than the least depth, {least} mm");
            let span = place(node, &["array", "ring_down_mm"]);
            require(faults, span, holds, message, expected);
        }
    }
}

fn require(faults: &mut Faults, span: Span, holds: bool, message: String, expected: String) {
    if !holds {
        faults.push(Finding::new(span, message).expected(expected));
    }
}

fn require_row(node: &Node, elements: u32, pitch_mm: f64, width_mm: f64, faults: &mut Faults) {
    let message =
        format!("elements {width_mm} mm wide overlap: their middles are only {pitch_mm} mm apart");
    let expected = format!("at most `pitch_mm`, {pitch_mm}");
    let span = place(node, &["array", "element_width_mm"]);
    require(faults, span, width_mm <= pitch_mm, message, expected);

    let aperture_mm = f64::from(elements) * pitch_mm;
    let message = format!("{elements} elements {pitch_mm} mm apart make {aperture_mm:.0} mm");
    let expected = format!("at most {MOST_APERTURE_MM} mm in all; is the pitch in mm?");
    let span = place(node, &["array", "pitch_mm"]);
    let holds = aperture_mm <= MOST_APERTURE_MM;
    require(faults, span, holds, message, expected);
}

fn require_arc(node: &Node, arc_mm: f64, radius_mm: f64, faults: &mut Faults) {
    let opening_deg = (arc_mm / radius_mm).to_degrees();
    let least_mm = arc_mm / MOST_OPENING_DEG.to_radians();
    let message = format!("{arc_mm:.1} mm of elements on this radius open to {opening_deg:.0}°");
    let expected =
        format!("a radius of at least {least_mm:.1} mm, for {MOST_OPENING_DEG}° at most");
    let span = place(node, &["array", "radius_mm"]);
    let holds = opening_deg <= MOST_OPENING_DEG;
    require(faults, span, holds, message, expected);
}

/// An array whose pitch is more than a wavelength has grating lobes even where it looks straight on.
fn require_steerable(node: &Node, pitch_mm: f64, center_mhz: f64, faults: &mut Faults) {
    let wavelength_mm = Probe::wavelength_mm(center_mhz, SPEED_M_S);
    let message = format!(
        "a pitch of {pitch_mm} mm is more than the wavelength at {center_mhz} MHz: \
         the sector would be full of grating lobes"
    );
    let expected = format!("at most {wavelength_mm:.3} mm, better half of it");
    let span = place(node, &["array", "pitch_mm"]);
    let holds = pitch_mm <= wavelength_mm;
    require(faults, span, holds, message, expected);
}

fn require_frequencies(probe: &ProbeText, node: &Node, faults: &mut Faults) {
    let offered = &probe.frequencies_mhz;
    let list = node.field("frequencies_mhz").unwrap_or(node);
    let (Some(first), Some(last)) = (offered.first(), offered.last()) else {
        let message = "no frequency is offered".to_owned();
        let expected = format!("`[{}]` at least", probe.center_frequency_mhz);
        return require(faults, list.span, false, message, expected);
    };
    let mut before = 0.0;
    for (frequency, item) in offered.iter().zip(list.items()) {
        require_frequency(probe, *frequency, before, item.span, faults);
        before = *frequency;
    }
    let center = probe.center_frequency_mhz;
    let message = format!("the centre frequency of {center} MHz is none that is offered");
    let expected = format!("one between those of `frequencies_mhz`, {first} to {last}");
    let span = place(node, &["center_frequency_mhz"]);
    let holds = (*first..=*last).contains(&center) || first > last;
    require(faults, span, holds, message, expected);
}

fn require_frequency(
    probe: &ProbeText,
    frequency: f64,
    before: f64,
    span: Span,
    faults: &mut Faults,
) {
    let center = probe.center_frequency_mhz;
    let (low, high) = band_mhz(center, probe.fractional_bandwidth, MOST_DOWN_DB);
    let fault = if frequency <= 0.0 {
        Some(("is not above 0", "a frequency in MHz".to_owned()))
    } else if !(low..=high).contains(&frequency) {
        let expected = format!("{low:.2} to {high:.2} MHz, where the response is within 20 dB");
        Some(("lies outside the probe's band", expected))
    } else if frequency <= before {
        Some((
            "is not above the one before it",
            "frequencies that ascend".to_owned(),
        ))
    } else {
        None
    };
    if let Some((what, expected)) = fault {
        let message = format!("the frequency {frequency} {what}");
        faults.push(Finding::new(span, message).expected(expected));
    }
}

fn require_depths(probe: &ProbeText, node: &Node, faults: &mut Faults) {
    let (least, most) = probe.depth_range_mm;
    let span = place(node, &["depth_range_mm"]);
    let message = format!("the least depth, {least} mm, is not below the greatest, {most} mm");
    let ordered = least < most;
    require(faults, span, ordered, message, "`(least, most)`".to_owned());
    let (console_least, console_most) = CONSOLE_DEPTH_MM;
    let message = format!("depths of {least} to {most} mm cannot all be set");
    let expected = format!("depths from {console_least} to {console_most} mm");
    let holds = !ordered || (least >= console_least && most <= console_most);
    require(faults, span, holds, message, expected);
}

/// See [`Probe::band_mhz`].
///
/// The response is exp(−(|f − f_c| / w)^p) with w = B / (2 (ln 2)^(1/p)), so that it is a half at
/// the ends of the band B, and p = ln 126 / ln(2 f_c / B), so that it is 2^−126 at 0.
pub(super) fn band_mhz(center_mhz: f64, fractional_bandwidth: f64, down_db: f64) -> (f64, f64) {
    let power = libm::log(126.0) / libm::log(2.0 / fractional_bandwidth);
    let halvings = down_db / (20.0 * libm::log10(2.0));
    let half_band_mhz = center_mhz * fractional_bandwidth / 2.0;
    let reach_mhz = half_band_mhz * libm::pow(halvings.max(0.0), power.recip());
    ((center_mhz - reach_mhz).max(0.0), center_mhz + reach_mhz)
}
