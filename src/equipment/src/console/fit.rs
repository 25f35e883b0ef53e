//! Whether settings and a probe go together.

use std::f64::consts::FRAC_PI_2;
use std::fmt;

use catalog::{Faults, Finding, FromNode, Kind, Node, Span, ToNode};

use super::check::require_sound_parts;
use super::{Console, Transmit, Zoom, put};
use crate::{Array, EquipmentError, Probe};

/// A transmit frequency has to lie where the pulse-echo response is down by no more than this.
const MOST_DOWN_DB: f64 = 20.0;

/// The most samples of a frame, over all its lines.
const MOST_SAMPLES: u64 = 512 * 8192;

/// A focus may lie behind the image, but not farther than this many depths.
const DEEPEST_FOCUS: f64 = 2.0;

/// Rounding of lengths that are to be inside each other, mm.
const SLACK_MM: f64 = 1e-9;

/// A knob that cannot stand as it does with a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The knob, as in files: `depth_mm`.
    pub knob: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub mend: String,
}

impl Misfit {
    /// With its place: where the file, as `written`, gives the knob, or where it names the preset
    /// that does, as `filled`, or else the whole.
    pub(super) fn finding(&self, written: &Node, filled: &Node) -> Finding {
        let Self {
            knob,
            message,
            mend,
        } = self;
        let (span, origin) = match (written.field(knob), filled.field(knob)) {
            (Some(own), _) => (own.span, ""),
            (None, Some(of_preset)) => (of_preset.span, ", as the preset sets it"),
            (None, None) => (written.span, ", which the file leaves out"),
        };
        let finding = Finding::new(span, format!("`{knob}`{origin}: {message}"));
        // "set 40 to 300 mm" reads as "expected 40 to 300 mm".
        let expected = ["set ", "keep to "]
            .iter()
            .find_map(|verb| mend.strip_prefix(verb));
        match expected.unwrap_or(mend) {
            "" => finding,
            expected => finding.expected(expected),
        }
    }
}

/// "`depth_mm`: 20 mm is …; set 40 to 300 mm"
impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.knob, self.message)?;
        if !self.mend.is_empty() {
            write!(f, "; {}", self.mend)?;
        }
        Ok(())
    }
}

/// The box round an image in the probe's frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// Least and greatest probe x, mm.
    pub x_mm: (f64, f64),
    /// Least and greatest probe z, mm: below 0 where a curved face falls away.
    pub z_mm: (f64, f64),
}

impl Console {
    /// Whether a probe can do what the knobs say. Knobs that a program set are held to the same
    /// rules as those read from a file.
    ///
    /// # Errors
    ///
    /// [`EquipmentError::Unfit`] with everything that does not fit.
    pub fn fit(&self, probe: &Probe) -> Result<(), EquipmentError> {
        let misfits = self.misfits(probe);
        if misfits.is_empty() {
            return Ok(());
        }
        Err(EquipmentError::Unfit {
            probe: probe.id.clone(),
            misfits,
        })
    }

    /// Everything that does not fit.
    pub(super) fn misfits(&self, probe: &Probe) -> Vec<Misfit> {
        let mut misfits = self.own_misfits();
        for misfit in self.misfits_with(probe) {
            // One word about a knob is enough, and what is wrong by itself comes first.
            if misfits.iter().all(|known| known.knob != misfit.knob) {
                misfits.push(misfit);
            }
        }
        misfits
    }

    /// The box round the image of a probe, whatever is zoomed.
    pub fn extent_mm(&self, probe: &Probe) -> Extent {
        match probe.array {
            Array::Linear { .. } => self.parallel_extent(probe.aperture_mm()),
            Array::Curved { radius_mm, .. } | Array::Rotational { radius_mm, .. } => {
                self.fan_extent(probe.opening_rad(), radius_mm)
            }
            Array::Phased { .. } => self.fan_extent(probe.opening_rad(), 0.0),
        }
    }

    /// Ends of the scanned share of a whole width or opening round 0.
    fn scanned(&self, whole: f64) -> (f64, f64) {
        let scanned = whole * self.width;
        let middle = self.center * (whole - scanned) / 2.0;
        (middle - scanned / 2.0, middle + scanned / 2.0)
    }

    fn parallel_extent(&self, aperture_mm: f64) -> Extent {
        let (left, right) = self.scanned(aperture_mm);
        let steering = self.steering_deg.to_radians();
        let aside = self.depth_mm * libm::sin(steering);
        Extent {
            x_mm: (left + aside.min(0.0), right + aside.max(0.0)),
            z_mm: (0.0, self.depth_mm * libm::cos(steering)),
        }
    }

    /// Of lines that fan out from an apex `radius_mm` behind the face.
    fn fan_extent(&self, opening_rad: f64, radius_mm: f64) -> Extent {
        let (first, last) = self.scanned(opening_rad);
        // An arc is widest at its ends and where it crosses an axis.
        let axes = (-2..=2).map(|quarter| f64::from(quarter) * FRAC_PI_2);
        let turns = axes.filter(|turn| (first..=last).contains(turn));
        let mut extent = Extent {
            x_mm: (f64::INFINITY, f64::NEG_INFINITY),
            z_mm: (f64::INFINITY, f64::NEG_INFINITY),
        };
        for turn in [first, last].into_iter().chain(turns) {
            for range_mm in [radius_mm, radius_mm + self.depth_mm] {
                let x = range_mm * libm::sin(turn);
                let z = range_mm * libm::cos(turn) - radius_mm;
                extent.x_mm = (extent.x_mm.0.min(x), extent.x_mm.1.max(x));
                extent.z_mm = (extent.z_mm.0.min(z), extent.z_mm.1.max(z));
            }
        }
        extent
    }

    /// What reading a file with these knobs would find.
    fn own_misfits(&self) -> Vec<Misfit> {
        let mut node = self.to_node();
        let knobs = numbered(&mut node);
        let mut faults = Faults::default();
        if Self::from_node(&node, &mut faults).is_none() {
            require_sound_parts(&node, &mut faults);
        }
        let findings = faults.findings().iter();
        findings.map(|finding| misfit_of(finding, &knobs)).collect()
    }

    fn misfits_with(&self, probe: &Probe) -> Vec<Misfit> {
        let checks = [
            self.depth_misfit(probe),
            self.frequency_misfit(probe),
            self.transmit_misfit(probe),
            self.focus_misfit(),
            self.steering_misfit(probe),
            self.compounding_misfit(probe),
            self.samples_misfit(),
            self.zoom_misfit(probe),
        ];
        checks.into_iter().flatten().collect()
    }

    fn depth_misfit(&self, probe: &Probe) -> Option<Misfit> {
        let (least, most) = probe.depth_range_mm;
        let holds = (least..=most).contains(&self.depth_mm);
        let message = format!("the probe does not offer {} mm", self.depth_mm);
        let mend = format!("set {least} to {most} mm");
        misfit(holds, "depth_mm", message, mend)
    }

    fn frequency_misfit(&self, probe: &Probe) -> Option<Misfit> {
        let frequency = self.frequency_mhz?;
        let (low, high) = probe.band_mhz(MOST_DOWN_DB);
        let holds = (low..=high).contains(&frequency);
        let message = format!("{frequency} MHz is outside the probe's band");
        let offered: Vec<String> = probe.frequencies_mhz.iter().map(f64::to_string).collect();
        let offered = offered.join(", ");
        let mend = format!("set one of {offered} MHz, or any from {low:.2} to {high:.2} MHz");
        misfit(holds, "frequency_mhz", message, mend)
    }

    fn transmit_misfit(&self, probe: &Probe) -> Option<Misfit> {
        let focused = matches!(self.transmit, Transmit::Focused { .. });
        let holds = focused || !probe.is_rotational();
        let message = "a single element that turns makes no plane or diverging waves".to_owned();
        misfit(holds, "transmit", message, "set `Focused`".to_owned())
    }

    fn focus_misfit(&self) -> Option<Misfit> {
        let Transmit::Focused { foci_mm, .. } = &self.transmit else {
            return None;
        };
        let deepest = self.depth_mm * DEEPEST_FOCUS;
        let beyond = foci_mm.iter().find(|focus| **focus > deepest)?;
        let depth = self.depth_mm;
        let message = format!("a focus at {beyond} mm lies far behind an image of {depth} mm");
        let mend = format!("set foci of at most {deepest} mm, or more depth");
        misfit(false, "transmit", message, mend)
    }

    fn steering_misfit(&self, probe: &Probe) -> Option<Misfit> {
        let holds = probe.is_linear() || self.steering_deg == 0.0;
        let message = "only the parallel lines of a linear array can be steered".to_owned();
        misfit(holds, "steering_deg", message, "set 0".to_owned())
    }

    fn compounding_misfit(&self, probe: &Probe) -> Option<Misfit> {
        let holds = probe.is_linear() || self.compounding_deg.is_empty();
        let message = "only looks of a linear array can be compounded".to_owned();
        misfit(holds, "compounding_deg", message, "set `[]`".to_owned())
    }

    fn samples_misfit(&self) -> Option<Misfit> {
        let (lines, samples) = (u64::from(self.lines), u64::from(self.samples));
        let holds = lines * samples <= MOST_SAMPLES;
        let message = format!("{lines} lines of {samples} samples are more than a frame can hold");
        let most = MOST_SAMPLES / lines.max(1);
        let mend = format!("set at most {most} samples, or fewer lines");
        misfit(holds, "samples", message, mend)
    }

    fn zoom_misfit(&self, probe: &Probe) -> Option<Misfit> {
        let Zoom {
            center_mm: (x, z),
            height_mm,
        } = self.zoom?;
        let image = self.extent_mm(probe);
        let within = |value: f64, (least, most): (f64, f64)| {
            (least - SLACK_MM..=most + SLACK_MM).contains(&value)
        };
        let (top, bottom) = (z - height_mm / 2.0, z + height_mm / 2.0);
        let holds = within(x, image.x_mm) && within(top, image.z_mm) && within(bottom, image.z_mm);
        let message =
            format!("its middle at x {x} mm and depths {top} to {bottom} mm go beyond the image");
        let mend = format!(
            "keep to x {:.1} to {:.1} mm and depths {:.1} to {:.1} mm",
            image.x_mm.0, image.x_mm.1, image.z_mm.0, image.z_mm.1
        );
        misfit(holds, "zoom", message, mend)
    }
}

fn misfit(holds: bool, knob: &str, message: String, mend: String) -> Option<Misfit> {
    (!holds).then(|| Misfit {
        knob: knob.to_owned(),
        message,
        mend,
    })
}

/// Puts the values of a record's fields, and all in them, at the number of the field, so that a
/// finding says which field it is about. Returns the fields' names in the order of the numbers.
fn numbered(record: &mut Node) -> Vec<String> {
    let Kind::Record(_, fields) = &mut record.kind else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for (number, field) in (0..).zip(fields) {
        let span = Span {
            start: number,
            end: number,
        };
        put(&mut field.value, span);
        names.push(field.name.value.clone());
    }
    names
}

fn misfit_of(finding: &Finding, knobs: &[String]) -> Misfit {
    let knob = knobs.get(finding.span.start as usize).cloned();
    let knob = knob.unwrap_or_default();
    let named = format!("`{knob}`: ");
    let message = finding.message.strip_prefix(&named);
    let expected = finding.expected.as_deref();
    Misfit {
        message: message.unwrap_or(&finding.message).to_owned(),
        mend: expected.map_or_else(String::new, |expected| format!("set {expected}")),
        knob,
    }
}
