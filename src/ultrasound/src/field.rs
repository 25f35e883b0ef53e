//! The field of a set of sources at many points and frequencies.
//!
//! For each source and point the phase advances from frequency to frequency by one complex
//! product, and the directivity by a three-term recurrence. Eight points are worked out side by
//! side; the same code is compiled twice on x86-64, for every processor and for those with AVX2.
//! Both do the same IEEE operations, so they agree to the bit.

use std::ops::{Add, Div, Mul, Sub};

use nalgebra::Complex;

use crate::pulse::Band;

/// A strip of an aperture that radiates into the half plane before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Source {
    /// Place in the plane of the field, mm: across and along.
    pub place_mm: [f64; 2],
    /// Distance from the plane of the field, mm.
    pub aside_mm: f64,
    /// The way that it faces; a unit vector.
    pub normal: [f64; 2],
    /// Width across the normal, mm; 0 for a point.
    pub width_mm: f64,
}

/// How a source's wave weakens with the distance r.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spreading {
    /// As 1/√r: an infinitely long strip.
    Cylindrical,
    /// As 1/r: a point.
    Spherical,
}

/// Sources and what each sends and receives with.
///
/// Weights are `[source][frequency]` and hold apodisation and delays.
#[derive(Clone, Debug)]
pub(crate) struct Radiator {
    pub sources: Vec<Source>,
    pub spreading: Spreading,
    /// Sources are not seen from nearer than this, mm.
    pub nearest_mm: f64,
    pub transmit: Vec<Complex<f64>>,
    /// Empty where it is the same as for transmitting.
    pub receive: Vec<Complex<f64>>,
}

/// Speed of sound in the homogeneous medium of the tables, mm/µs.
pub(crate) const SPEED_MM_US: f64 = crate::grid::REFERENCE_SPEED_M_S * 1e-3;

/// A point in the plane of the field, mm: across and along.
pub(crate) type Place = [f64; 2];

impl Radiator {
    /// The echo of a point scatterer at one place for each frequency: sent × received, without
    /// pulse.
    pub fn two_way(&self, band: &Band, place: Place) -> Vec<Complex<f64>> {
        let mut sums = vec![Sums::ZERO; band.count];
        Prepared::new(self, band).fields(Width::detect(), &[place], &mut sums);
        let lane = |eight: Eight| f64::from(eight.0[0]);
        let product = |sums: &Sums| {
            Complex::new(lane(sums.sent_re), lane(sums.sent_im))
                * Complex::new(lane(sums.got_re), lane(sums.got_im))
        };
        sums.iter().map(product).collect()
    }

    /// The echoes of point scatterers for a few spectra at each of many places:
    /// `[spectrum][place]`, each `Σ_f spectrum(f) · sent(f) · received(f)`.
    pub fn echoes(
        &self,
        band: &Band,
        places: &[Place],
        spectra: &[Vec<Complex<f64>>],
    ) -> Vec<Vec<Complex<f32>>> {
        let width = Width::detect();
        let prepared = Prepared::new(self, band);
        let spectra: Vec<Vec<Complex<f32>>> = spectra.iter().map(|s| single(s)).collect();
        let mut sums = vec![Sums::ZERO; band.count];
        let mut echoes = vec![Vec::with_capacity(places.len()); spectra.len()];
        for block in places.chunks(LANES) {
            prepared.fields(width, block, &mut sums);
            for (spectrum, echoes) in spectra.iter().zip(&mut echoes) {
                let [re, im] = total(width, &sums, spectrum);
                let lanes = re.0.iter().zip(&im.0).take(block.len());
                echoes.extend(lanes.map(|(&re, &im)| Complex::new(re, im)));
            }
        }
        echoes
    }
}

fn single(values: &[Complex<f64>]) -> Vec<Complex<f32>> {
    let single = |z: &Complex<f64>| Complex::new(z.re as f32, z.im as f32);
    values.iter().map(single).collect()
}

/// How many points stand side by side.
const LANES: usize = 8;

/// Eight single-precision numbers.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
struct Eight([f32; LANES]);

impl Eight {
    #[inline(always)]
    fn all(value: f32) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut out = [0.0; LANES];
        for i in 0..LANES {
            out[i] = f(self.0[i], other.0[i]);
        }
        Self(out)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.map(f32::sqrt))
    }
}

impl Add for Eight {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}
impl Sub for Eight {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}
impl Mul for Eight {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
}
impl Div for Eight {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }
}

/// Sent and received field at eight points and one frequency.
#[derive(Clone, Copy, Debug)]
struct Sums {
    sent_re: Eight,
    sent_im: Eight,
    got_re: Eight,
    got_im: Eight,
}

impl Sums {
    const ZERO: Self = Self {
        sent_re: Eight([0.0; LANES]),
        sent_im: Eight([0.0; LANES]),
        got_re: Eight([0.0; LANES]),
        got_im: Eight([0.0; LANES]),
    };
}

/// How wide the processor's instructions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Width {
    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Self::Avx2;
        }
        Self::Plain
    }
}

/// What the inner loops read of a source.
#[derive(Clone, Copy, Debug)]
struct Emitter {
    place: [f32; 2],
    aside_squared: f32,
    normal: [f32; 2],
    half_width: f32,
    sends: bool,
    gets: bool,
}

/// Weight of a source at a frequency, over the wave number.
#[derive(Clone, Copy, Debug)]
struct Weight {
    sent: Complex<f32>,
    got: Complex<f32>,
}

/// A radiator in single precision.
struct Prepared {
    emitters: Vec<Emitter>,
    /// `[source][frequency]`.
    weights: Vec<Weight>,
    frequencies: usize,
    /// Whether everything received is as sent.
    alike: bool,
    spreading: Spreading,
    nearest: f32,
    first_turns_per_mm: f32,
    step_turns_per_mm: f32,
}

impl Prepared {
    fn new(radiator: &Radiator, band: &Band) -> Self {
        let alike = radiator.receive.is_empty();
        let received = if alike {
            &radiator.transmit
        } else {
            &radiator.receive
        };
        let over_wave_number: Vec<f64> = band
            .frequencies_mhz()
            .map(|f| SPEED_MM_US / (core::f64::consts::TAU * f))
            .collect();
        let single = |z: Complex<f64>| Complex::new(z.re as f32, z.im as f32);
        let pairs = radiator.transmit.iter().zip(received);
        let weights: Vec<Weight> = pairs
            .zip(over_wave_number.iter().cycle())
            .map(|((&sent, &got), &scale)| Weight {
                sent: single(sent * scale),
                got: single(got * scale),
            })
            .collect();
        let zero = Complex::new(0.0, 0.0);
        let emitter = |(source, weights): (&Source, &[Weight])| Emitter {
            place: source.place_mm.map(|mm| mm as f32),
            aside_squared: (source.aside_mm * source.aside_mm) as f32,
            normal: source.normal.map(|n| n as f32),
            half_width: (0.5 * source.width_mm) as f32,
            sends: weights.iter().any(|w| w.sent != zero),
            gets: !alike && weights.iter().any(|w| w.got != zero),
        };
        let of_sources = weights.chunks_exact(band.count.max(1));
        Self {
            emitters: radiator
                .sources
                .iter()
                .zip(of_sources)
                .map(emitter)
                .collect(),
            weights,
            frequencies: band.count,
            alike,
            spreading: radiator.spreading,
            nearest: radiator.nearest_mm as f32,
            first_turns_per_mm: (band.first_mhz / SPEED_MM_US) as f32,
            step_turns_per_mm: (band.step_mhz / SPEED_MM_US) as f32,
        }
    }

    /// The fields at up to eight places.
    fn fields(&self, width: Width, places: &[Place], sums: &mut [Sums]) {
        let mut across = [0.0; LANES];
        let mut along = [0.0; LANES];
        for i in 0..LANES {
            let place = places[i.min(places.len() - 1)];
            across[i] = place[0] as f32;
            along[i] = place[1] as f32;
        }
        let places = [Eight(across), Eight(along)];
        match width {
            Width::Plain => self.fields_inline(places, sums),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Width::Avx2` is only made by `Width::detect` where the processor has AVX2.
            Width::Avx2 => unsafe { self.fields_avx2(places, sums) },
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn fields_avx2(&self, places: [Eight; 2], sums: &mut [Sums]) {
        self.fields_inline(places, sums);
    }

    #[inline(always)]
    fn fields_inline(&self, places: [Eight; 2], sums: &mut [Sums]) {
        sums.fill(Sums::ZERO);
        let of_sources = self.weights.chunks_exact(self.frequencies.max(1));
        for (emitter, weights) in self.emitters.iter().zip(of_sources) {
            let wave = self.wave(emitter, places);
            match (emitter.sends, emitter.gets) {
                (true, true) => add_wave::<true, true>(wave, weights, sums),
                (true, false) => add_wave::<true, false>(wave, weights, sums),
                (false, true) => add_wave::<false, true>(wave, weights, sums),
                (false, false) => {}
            }
        }
        if self.alike {
            for sums in sums {
                sums.got_re = sums.sent_re;
                sums.got_im = sums.sent_im;
            }
        }
    }

    /// The wave of one source at the first frequency, and how it goes on from there.
    #[inline(always)]
    fn wave(&self, emitter: &Emitter, [across, along]: [Eight; 2]) -> Wave {
        let dx = across - Eight::all(emitter.place[0]);
        let dz = along - Eight::all(emitter.place[1]);
        let [nx, nz] = emitter.normal.map(Eight::all);
        let squared = dx * dx + dz * dz + Eight::all(emitter.aside_squared);
        let r = squared.sqrt().max(Eight::all(self.nearest));
        let over_r = Eight::all(1.0) / r;
        let cos = ((dx * nx + dz * nz) * over_r).max(Eight::all(0.0));
        let amplitude = match self.spreading {
            Spreading::Cylindrical => cos * over_r.sqrt(),
            Spreading::Spherical => cos * over_r,
        };
        let (sin_first, cos_first) = sin_cos(r * Eight::all(self.first_turns_per_mm));
        let (step_im, step_re) = sin_cos(r * Eight::all(self.step_turns_per_mm));

        // Half the source's width as seen from the point: the sinc's argument is k · half.
        let sine = (dx * nz - dz * nx) * over_r;
        let sine = sine.zip(Eight::all(0.0), |a, _| a.abs());
        let half = (sine * Eight::all(emitter.half_width)).max(Eight::all(LEAST_HALF));
        let over_half = Eight::all(1.0) / half;
        let (s, c) = sin_cos(half * Eight::all(self.first_turns_per_mm));
        let (step_s, step_c) = sin_cos(half * Eight::all(self.step_turns_per_mm));
        Wave {
            re: amplitude * cos_first,
            im: amplitude * sin_first,
            step_re,
            step_im,
            lobe: s * over_half,
            lobe_before: (s * step_c - c * step_s) * over_half,
            lobe_step: step_c + step_c,
        }
    }
}

/// Keeps sin(kx)/x finite for points straight ahead, mm.
const LEAST_HALF: f32 = 1e-6;

/// The wave of one source at eight points: its phase and its directivity at a frequency.
#[derive(Clone, Copy)]
struct Wave {
    re: Eight,
    im: Eight,
    step_re: Eight,
    step_im: Eight,
    lobe: Eight,
    lobe_before: Eight,
    lobe_step: Eight,
}

/// Adds the wave of one source to the fields of all frequencies.
#[inline(always)]
fn add_wave<const SENT: bool, const GOT: bool>(
    mut wave: Wave,
    weights: &[Weight],
    sums: &mut [Sums],
) {
    for (weight, sums) in weights.iter().zip(sums) {
        let re = wave.re * wave.lobe;
        let im = wave.im * wave.lobe;
        if SENT {
            let [w_re, w_im] = [Eight::all(weight.sent.re), Eight::all(weight.sent.im)];
            sums.sent_re = sums.sent_re + (re * w_re - im * w_im);
            sums.sent_im = sums.sent_im + (re * w_im + im * w_re);
        }
        if GOT {
            let [w_re, w_im] = [Eight::all(weight.got.re), Eight::all(weight.got.im)];
            sums.got_re = sums.got_re + (re * w_re - im * w_im);
            sums.got_im = sums.got_im + (re * w_im + im * w_re);
        }
        let re = wave.re * wave.step_re - wave.im * wave.step_im;
        wave.im = wave.re * wave.step_im + wave.im * wave.step_re;
        wave.re = re;
        // sin((n+1)δ) = 2 cos δ sin nδ − sin((n−1)δ)
        let lobe = wave.lobe_step * wave.lobe - wave.lobe_before;
        wave.lobe_before = wave.lobe;
        wave.lobe = lobe;
    }
}

/// `Σ_f spectrum · sent · received` at eight points: real and imaginary parts.
fn total(width: Width, sums: &[Sums], spectrum: &[Complex<f32>]) -> [Eight; 2] {
    match width {
        Width::Plain => total_inline(sums, spectrum),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Width::Avx2` is only made by `Width::detect` where the processor has AVX2.
        Width::Avx2 => unsafe { total_avx2(sums, spectrum) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn total_avx2(sums: &[Sums], spectrum: &[Complex<f32>]) -> [Eight; 2] {
    total_inline(sums, spectrum)
}

#[inline(always)]
fn total_inline(sums: &[Sums], spectrum: &[Complex<f32>]) -> [Eight; 2] {
    let mut re = Eight::all(0.0);
    let mut im = Eight::all(0.0);
    for (sums, weight) in sums.iter().zip(spectrum) {
        let both_re = sums.sent_re * sums.got_re - sums.sent_im * sums.got_im;
        let both_im = sums.sent_re * sums.got_im + sums.sent_im * sums.got_re;
        let [w_re, w_im] = [Eight::all(weight.re), Eight::all(weight.im)];
        re = re + (both_re * w_re - both_im * w_im);
        im = im + (both_re * w_im + both_im * w_re);
    }
    [re, im]
}

/// Sine and cosine of angles in turns of either sign, up to a million.
///
/// Taylor's series of the half angle, which lies within ±π/2, to 6e−8; then the double-angle
/// formulas.
#[inline(always)]
fn sin_cos(turns: Eight) -> (Eight, Eight) {
    // Adding and taking away 1.5 · 2²³ rounds to the nearest whole number.
    let round = Eight::all(12_582_912.0);
    let whole = (turns + round) - round;
    let half = (turns - whole) * Eight::all(core::f32::consts::PI);
    let squared = half * half;
    let series = |coefficients: &[f32]| {
        let mut sum = Eight::all(0.0);
        for &coefficient in coefficients {
            sum = sum * squared + Eight::all(coefficient);
        }
        sum
    };
    let sin = half
        * series(&[
            -1.0 / 39_916_800.0,
            1.0 / 362_880.0,
            -1.0 / 5_040.0,
            1.0 / 120.0,
            -1.0 / 6.0,
            1.0,
        ]);
    let cos = series(&[
        1.0 / 479_001_600.0,
        -1.0 / 3_628_800.0,
        1.0 / 40_320.0,
        -1.0 / 720.0,
        1.0 / 24.0,
        -0.5,
        1.0,
    ]);
    let product = sin * cos;
    (product + product, cos * cos - sin * sin)
}
