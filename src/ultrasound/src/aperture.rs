//! Apertures: which sources serve a line at a depth, with which weights and delays.
//!
//! Delays are written as lengths that are added to the distance from the source, so that a wave in
//! step has come as far as the depth on the line, whatever its source. All phases are
//! `exp(+2πi f · length / c)`: a longer way has a more positive phase.

use equipment::{Apodization, Array, Console, Probe, Transmit};
use nalgebra::Complex;

use crate::field::{Place, Radiator, SPEED_MM_US, Source, Spreading, Wave};
use crate::grid::{ScanGrid, Shape};
use crate::pulse::{Band, Pulse, turn};

/// A scan line in the scan plane, seen from the aperture: x across the probe, z from its face.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// Where it leaves the face, mm.
    pub origin_mm: [f64; 2],
    /// Where it goes; a unit vector.
    pub direction: [f64; 2],
}

impl Line {
    /// The line with a given u.
    pub fn of(grid: &ScanGrid, u: f64) -> Self {
        let angle_rad = match grid.shape {
            Shape::Parallel { steer_rad } => steer_rad,
            Shape::Fan { .. } => u,
        };
        let origin = grid.place(u, 0.0, 0.0).to_array();
        Self {
            origin_mm: [origin[0], origin[2]],
            direction: [libm::sin(angle_rad), libm::cos(angle_rad)],
        }
    }

    /// The place at a depth.
    pub fn at(&self, z_mm: f64) -> Place {
        let [x, z] = self.origin_mm;
        [x + z_mm * self.direction[0], z + z_mm * self.direction[1]]
    }
}

/// What sends and receives in the scan plane.
#[derive(Clone, Debug)]
pub(crate) enum Aperture {
    /// A row of elements.
    Row(Row),
    /// One round element with a lens.
    Disc(Disc),
}

/// A row of elements with delays, straight or on an arc.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    elements: Vec<Element>,
    pitch_mm: f64,
    width_mm: f64,
    /// Radius of the arc; infinite for a straight row.
    radius_mm: f64,
    transmit: Transmit,
    receive_f_number: Option<f64>,
    transmit_apodization: Apodization,
    apodization: Apodization,
    nearest_mm: f64,
}

/// An element of a row.
#[derive(Clone, Copy, Debug)]
struct Element {
    place_mm: [f64; 2],
    normal: [f64; 2],
    /// Where it is along the face, from the middle.
    station_mm: f64,
}

/// One round element with a lens; the fields are round, too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disc {
    radius_mm: f64,
    focus_mm: f64,
    nearest_mm: f64,
}

/// The aperture across the scan plane: height of the elements and lens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    height_mm: f64,
    focus_mm: f64,
    nearest_mm: f64,
}

/// A part of an aperture that serves a line.
#[derive(Clone, Copy, Debug)]
struct Window {
    center_mm: f64,
    width_mm: f64,
    apodization: Apodization,
}

impl Aperture {
    /// The aperture of a probe.
    pub fn new(probe: &Probe, console: &Console, pulse: &Pulse) -> Self {
        let nearest_mm = nearest_mm(pulse);
        let row = |elements: u32, pitch_mm, width_mm, radius_mm| {
            Self::Row(Row {
                elements: elements_on_arc(elements, pitch_mm, radius_mm),
                pitch_mm,
                width_mm,
                radius_mm,
                transmit: console.transmit.clone(),
                receive_f_number: console.receive_f_number,
                transmit_apodization: console.transmit_apodization,
                apodization: console.apodization,
                nearest_mm,
            })
        };
        match probe.array {
            Array::Linear {
                elements,
                pitch_mm,
                element_width_mm,
            }
            | Array::Phased {
                elements,
                pitch_mm,
                element_width_mm,
                ..
            } => row(elements, pitch_mm, element_width_mm, f64::INFINITY),
            Array::Curved {
                elements,
                pitch_mm,
                element_width_mm,
                radius_mm,
            } => row(elements, pitch_mm, element_width_mm, radius_mm),
            Array::Rotational { element_mm, .. } => Self::Disc(Disc {
                radius_mm: 0.5 * element_mm,
                focus_mm: probe.elevation.focus_mm,
                nearest_mm,
            }),
        }
    }
}

/// Depths and distances below half a wavelength count as that: nearer than this the sources' near
/// fields would matter.
fn nearest_mm(pulse: &Pulse) -> f64 {
    0.5 * SPEED_MM_US / pulse.frequency_mhz
}

fn elements_on_arc(count: u32, pitch_mm: f64, radius_mm: f64) -> Vec<Element> {
    let element = |i: u32| {
        let station_mm = (f64::from(i) - 0.5 * f64::from(count - 1)) * pitch_mm;
        if radius_mm.is_infinite() {
            return Element {
                place_mm: [station_mm, 0.0],
                normal: [0.0, 1.0],
                station_mm,
            };
        }
        let (sin, cos) = libm::sincos(station_mm / radius_mm);
        Element {
            place_mm: [radius_mm * sin, radius_mm * (cos - 1.0)],
            normal: [sin, cos],
            station_mm,
        }
    };
    (0..count).map(element).collect()
}

impl Row {
    /// The sources that serve a line at a depth.
    pub fn radiator(&self, line: &Line, z_mm: f64, band: &Band) -> Radiator {
        let z_mm = z_mm.max(self.nearest_mm);
        let focus_mm = self.focus_for_mm(z_mm);
        let sending = self.transmit_window(line, focus_mm);
        let receiving = self.receive_window(line, z_mm);
        let parts = parts(self.width_mm, z_mm, band).min(GREATEST_PARTS);
        let mut radiator = Radiator {
            sources: Vec::new(),
            spreading: Spreading::Cylindrical,
            nearest_mm: self.nearest_mm,
            set: Vec::new(),
            alike: false,
        };
        for element in &self.elements {
            let weight =
                |window: &Window| window.weight(element.station_mm, self.pitch_mm) / parts as f64;
            let mut sent = Wave {
                weight: weight(&sending),
                way_mm: 0.0,
            };
            let got = Wave {
                weight: weight(&receiving),
                way_mm: -distance(line.at(z_mm), element.place_mm),
            };
            if sent.weight == 0.0 && got.weight == 0.0 {
                continue;
            }
            let ways = self.transmit_ways_mm(element, line, z_mm, focus_mm);
            let mut set = Vec::new();
            if let [way_mm] = ways[..] {
                sent.way_mm = way_mm;
            } else {
                set = set_weights(sent.weight, &ways, band);
                sent.weight = 0.0;
            }
            for source in element.parts(parts, self.width_mm) {
                radiator.sources.push(Source {
                    sent,
                    got,
                    ..source
                });
                radiator.set.extend_from_slice(&set);
            }
        }
        radiator
    }

    /// How far from the middle a line may leave the face, mm along it, without an end of the row
    /// clipping its aperture, at most depths of an image so deep.
    pub fn free_station_mm(&self, depth_mm: f64) -> f64 {
        let sending_mm = match &self.transmit {
            Transmit::Focused { foci_mm, f_number } => f_number.map_or(f64::INFINITY, |f| {
                foci_mm.iter().fold(0.0_f64, |most, &z| most.max(z)) / f
            }),
            // Plane waves reach every line alike.
            Transmit::PlaneWaves { .. } | Transmit::DivergingWaves { .. } => 0.0,
        };
        let receiving_mm = self
            .receive_f_number
            .map_or(f64::INFINITY, |f| 0.5 * depth_mm / f);
        (self.half_length_mm() - 0.5 * sending_mm.max(receiving_mm)).max(0.0)
    }

    /// Half the length of the face along the row.
    pub fn half_length_mm(&self) -> f64 {
        0.5 * self.elements.len() as f64 * self.pitch_mm
    }

    /// Whether a fan's lines leave the face squarely.
    pub fn fits(&self, radius_mm: f64) -> bool {
        (radius_mm - self.radius_mm).abs() < 1e-3 * radius_mm
    }

    /// Whether left and right are alike for every wave sent.
    pub fn sends_evenly(&self) -> bool {
        match &self.transmit {
            Transmit::Focused { .. } => true,
            Transmit::PlaneWaves { angles_deg } | Transmit::DivergingWaves { angles_deg, .. } => {
                let has = |angle: f64| angles_deg.iter().any(|a| (a - angle).abs() < 1e-9);
                angles_deg.iter().all(|&angle| has(-angle))
            }
        }
    }

    /// The focus that serves a depth.
    fn focus_for_mm(&self, z_mm: f64) -> Option<f64> {
        let Transmit::Focused { foci_mm, .. } = &self.transmit else {
            return None;
        };
        let usable = foci_mm.iter().copied().filter(|&focus_mm| focus_mm > 0.0);
        usable.min_by(|a, b| (a - z_mm).abs().total_cmp(&(b - z_mm).abs()))
    }

    fn transmit_window(&self, line: &Line, focus_mm: Option<f64>) -> Window {
        let width_mm = match (&self.transmit, focus_mm) {
            (Transmit::Focused { f_number, .. }, Some(focus_mm)) => f_number.map(|f| focus_mm / f),
            _ => None,
        };
        self.window(line, width_mm, self.transmit_apodization)
    }

    fn receive_window(&self, line: &Line, z_mm: f64) -> Window {
        let width_mm = self.receive_f_number.map(|f| z_mm / f);
        self.window(line, width_mm, self.apodization)
    }

    fn window(&self, line: &Line, width_mm: Option<f64>, apodization: Apodization) -> Window {
        let half_mm = self.half_length_mm();
        width_mm.map_or(
            Window {
                center_mm: 0.0,
                width_mm: 2.0 * half_mm,
                apodization,
            },
            |width_mm| Window {
                center_mm: self.station_mm(line).clamp(-half_mm, half_mm),
                width_mm: width_mm.max(self.pitch_mm),
                apodization,
            },
        )
    }

    /// Where a line leaves the face, mm along it from the middle.
    fn station_mm(&self, line: &Line) -> f64 {
        let [x, z] = line.origin_mm;
        if self.radius_mm.is_infinite() {
            x
        } else {
            self.radius_mm * libm::atan2(x, z + self.radius_mm)
        }
    }

    /// What is added to the distance from an element so that its waves are in step, and 0 on the
    /// line at `z_mm`: one length for each wave sent. Waves of a set arrive there in step, as
    /// delay-and-sum makes them.
    fn transmit_ways_mm(
        &self,
        element: &Element,
        line: &Line,
        z_mm: f64,
        focus_mm: Option<f64>,
    ) -> Vec<f64> {
        let from = element.place_mm;
        let target = line.at(z_mm);
        let along = |direction: [f64; 2]| dot(from, direction) - dot(target, direction);
        match &self.transmit {
            Transmit::Focused { .. } => vec![match focus_mm {
                Some(focus_mm) => focus_mm - distance(line.at(focus_mm), from) - z_mm,
                None => along(line.direction),
            }],
            Transmit::PlaneWaves { angles_deg } => {
                let way = |&angle: &f64| along(direction(angle));
                or_straight(angles_deg).iter().map(way).collect()
            }
            Transmit::DivergingWaves {
                behind_mm,
                angles_deg,
            } => {
                let way = |&angle: &f64| {
                    let source = direction(angle).map(|part| -behind_mm * part);
                    distance(from, source) - distance(target, source)
                };
                or_straight(angles_deg).iter().map(way).collect()
            }
        }
    }
}

impl Element {
    /// The element as parts side by side.
    fn parts(&self, count: usize, width_mm: f64) -> impl Iterator<Item = Source> {
        let part_mm = width_mm / count as f64;
        let element = *self;
        (0..count).map(move |i| {
            let off_mm = (i as f64 - 0.5 * (count - 1) as f64) * part_mm;
            let [x, z] = element.place_mm;
            let [nx, nz] = element.normal;
            Source {
                place_mm: [x + off_mm * nz, z - off_mm * nx],
                aside_mm: 0.0,
                normal: element.normal,
                width_mm: part_mm,
                sent: Wave::default(),
                got: Wave::default(),
            }
        })
    }
}

impl Disc {
    /// The sources of the disc, in a frame with the disc's middle as the origin. By symmetry half
    /// the disc does.
    pub fn radiator(&self, z_mm: f64, band: &Band) -> Radiator {
        let z_mm = z_mm.max(self.nearest_mm);
        let spacing_mm = 0.5 * shortest_mm(band);
        let rings = (libm::ceil(self.radius_mm / spacing_mm) as usize).clamp(4, GREATEST_RINGS);
        let ring_mm = self.radius_mm / rings as f64;
        let mut radiator = Radiator {
            sources: Vec::new(),
            spreading: Spreading::Spherical,
            nearest_mm: self.nearest_mm,
            set: Vec::new(),
            alike: true,
        };
        for ring in 0..rings {
            let rho_mm = (ring as f64 + 0.5) * ring_mm;
            let points = (libm::ceil(core::f64::consts::PI * rho_mm / ring_mm) as usize).max(2);
            let area = rho_mm * ring_mm / points as f64;
            let sent = Wave {
                weight: area,
                way_mm: self.focus_mm - libm::hypot(self.focus_mm, rho_mm) - z_mm,
            };
            for point in 0..points {
                let angle = core::f64::consts::PI * (point as f64 + 0.5) / points as f64;
                let (sin, cos) = libm::sincos(angle);
                radiator.sources.push(Source {
                    place_mm: [rho_mm * cos, 0.0],
                    aside_mm: rho_mm * sin,
                    normal: [0.0, 1.0],
                    width_mm: 0.0,
                    sent,
                    got: Wave::default(),
                });
            }
        }
        radiator
    }

    /// Diameter, mm.
    pub fn width_mm(&self) -> f64 {
        2.0 * self.radius_mm
    }

    /// As [`Slice::edge_mm`].
    pub fn edge_mm(&self, z_mm: f64, wavelength_mm: f64) -> f64 {
        let slice = Slice {
            height_mm: self.width_mm(),
            focus_mm: self.focus_mm,
            nearest_mm: self.nearest_mm,
        };
        slice.edge_mm(z_mm, wavelength_mm)
    }
}

impl Slice {
    /// The elevation aperture of a probe.
    pub fn new(probe: &Probe, pulse: &Pulse) -> Self {
        Self {
            height_mm: probe.elevation.aperture_mm,
            focus_mm: probe.elevation.focus_mm,
            nearest_mm: nearest_mm(pulse),
        }
    }

    /// The sources across the scan plane, in the plane of elevation and depth.
    pub fn radiator(&self, z_mm: f64, band: &Band) -> Radiator {
        let z_mm = z_mm.max(self.nearest_mm);
        let count = parts(self.height_mm, z_mm, band).clamp(12, GREATEST_STRIPS);
        let strip_mm = self.height_mm / count as f64;
        let mut radiator = Radiator {
            sources: Vec::new(),
            spreading: Spreading::Cylindrical,
            nearest_mm: self.nearest_mm,
            set: Vec::new(),
            alike: true,
        };
        for i in 0..count {
            let e_mm = (i as f64 - 0.5 * (count - 1) as f64) * strip_mm;
            let sent = Wave {
                weight: 1.0 / count as f64,
                way_mm: self.focus_mm - libm::hypot(self.focus_mm, e_mm) - z_mm,
            };
            radiator.sources.push(Source {
                place_mm: [e_mm, 0.0],
                aside_mm: 0.0,
                normal: [0.0, 1.0],
                width_mm: strip_mm,
                sent,
                got: Wave::default(),
            });
        }
        radiator
    }

    /// Half the height of what the edges' rays leave between them at a depth, widened by the
    /// diffraction of the lowest frequency that counts: nothing is to be seen beyond, mm.
    pub fn edge_mm(&self, z_mm: f64, wavelength_mm: f64) -> f64 {
        let z_mm = z_mm.max(self.nearest_mm);
        let rays_mm = 0.5 * self.height_mm * (1.0 - z_mm / self.focus_mm).abs();
        rays_mm + 5.0 * wavelength_mm * (z_mm / self.height_mm).max(0.5)
    }
}

impl Window {
    /// Weight of an element: one that an edge of the window cuts counts in proportion.
    fn weight(&self, station_mm: f64, pitch_mm: f64) -> f64 {
        let from_center_mm = station_mm - self.center_mm;
        let half_mm = 0.5 * self.width_mm;
        let low_mm = (from_center_mm - 0.5 * pitch_mm).max(-half_mm);
        let high_mm = (from_center_mm + 0.5 * pitch_mm).min(half_mm);
        let covered = ((high_mm - low_mm) / pitch_mm).max(0.0);
        // Rounding leaves crumbs of elements that only touch the edge.
        if covered < 1e-9 {
            return 0.0;
        }
        covered * shade(self.apodization, 0.5 * (low_mm + high_mm) / half_mm)
    }
}

/// Weight at a place of an aperture that reaches from −1 to 1.
fn shade(apodization: Apodization, place: f64) -> f64 {
    use core::f64::consts::PI;
    let place = place.abs().min(1.0);
    match apodization {
        Apodization::Uniform => 1.0,
        Apodization::Hann => 0.5 + 0.5 * libm::cos(PI * place),
        Apodization::Hamming => 0.54 + 0.46 * libm::cos(PI * place),
        Apodization::Tukey { taper } => {
            if place <= 1.0 - taper || taper <= 0.0 {
                1.0
            } else {
                0.5 + 0.5 * libm::cos(PI * (place - 1.0 + taper) / taper)
            }
        }
    }
}

/// Into how many parts a strip of an aperture must be cut so that each is seen from its far field,
/// its phase true to 0.1 rad, at a depth and all frequencies: `k (w/2)² / (2 z) ≤ 0.1`.
fn parts(width_mm: f64, z_mm: f64, band: &Band) -> usize {
    let k = core::f64::consts::TAU / shortest_mm(band);
    (libm::ceil(width_mm * libm::sqrt(k / (0.8 * z_mm))) as usize).max(1)
}

const GREATEST_PARTS: usize = 4;
const GREATEST_STRIPS: usize = 128;
const GREATEST_RINGS: usize = 32;

/// The shortest wavelength that counts, mm: that of three quarters of the band.
fn shortest_mm(band: &Band) -> f64 {
    SPEED_MM_US / (band.first_mhz + 0.75 * band.step_mhz * band.count as f64)
}

/// For each frequency the mean of `exp(2πi f way / c)` over the waves, weighted.
fn set_weights(weight: f64, ways_mm: &[f64], band: &Band) -> Vec<Complex<f64>> {
    let mut sums = vec![Complex::new(0.0, 0.0); band.count];
    let share = weight / ways_mm.len().max(1) as f64;
    for way_mm in ways_mm {
        let time_us = way_mm / SPEED_MM_US;
        let mut phase = turn(band.first_mhz * time_us) * share;
        let step = turn(band.step_mhz * time_us);
        for sum in &mut sums {
            *sum += phase;
            phase *= step;
        }
    }
    sums
}

/// The angles of a set of waves: straight ahead if none is given.
fn or_straight(angles_deg: &[f64]) -> &[f64] {
    if angles_deg.is_empty() {
        &[0.0]
    } else {
        angles_deg
    }
}

fn direction(angle_deg: f64) -> [f64; 2] {
    let (sin, cos) = libm::sincos(angle_deg.to_radians());
    [sin, cos]
}

fn dot(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    libm::hypot(a[0] - b[0], a[1] - b[1])
}
