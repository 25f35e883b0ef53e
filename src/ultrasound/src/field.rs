//! The field of a set of sources at many points and frequencies.
//!
//! For each source and point, phase and directivity advance from frequency to frequency by
//! three-term recurrences. Eight points are worked out side by
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
    /// How it sends, unless a set of waves is sent.
    pub sent: Wave,
    /// How it receives, unless it receives as it sends.
    pub got: Wave,
}

/// Weight and delay of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Wave {
    /// Weight; 0 for none.
    pub weight: f64,
    /// What delays add to the distance from the source, mm.
    pub way_mm: f64,
}

/// How a source's wave weakens with the distance r.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spreading {
    /// As 1/√r: an infinitely long strip.
    Cylindrical,
    /// As 1/r: a point.
    Spherical,
}

/// Sources that serve a line at a depth.
#[derive(Clone, Debug)]
pub(crate) struct Radiator {
    pub sources: Vec<Source>,
    pub spreading: Spreading,
    /// Sources are not seen from nearer than this, mm.
    pub nearest_mm: f64,
    /// Where several waves are sent, the weights that stand for their sum: `[source][frequency]`.
    pub set: Vec<Complex<f64>>,
    /// Whether all is received as it is sent.
    pub alike: bool,
}

/// Speed of sound in the homogeneous medium of the tables, mm/µs.
pub(crate) const SPEED_MM_US: f64 = crate::grid::REFERENCE_SPEED_M_S * 1e-3;

/// A point in the plane of the field, mm: across and along.
pub(crate) type Place = [f64; 2];

impl Radiator {
    /// The echo of a point scatterer at one place for each frequency: sent × received, without
    /// pulse.
    pub fn two_way(&self, band: &Band, place: Place) -> Vec<Complex<f64>> {
        let prepared = Prepared::new(self, band);
        let mut sums = vec![Sums::ZERO; band.count];
        prepared.fields(Width::detect(), &[place], &mut sums);
        let lane = |eight: Eight| f64::from(eight.0[0]);
        let product = |(sums, scale): (&Sums, f64)| {
            Complex::new(lane(sums.sent_re), lane(sums.sent_im))
                * Complex::new(lane(sums.got_re), lane(sums.got_im))
                * scale
        };
        sums.iter().zip(lobe_scales(band)).map(product).collect()
    }

    /// The echoes of point scatterers for a few spectra at each of many places:
    /// `[spectrum][place]`, each `Σ_f spectrum(f) · sent(f) · received(f)`.
    pub fn echoes(
        &self,
        band: &Band,
        places: &[Place],
        spectra: &[Vec<Complex<f64>>],
    ) -> Vec<Vec<Complex<f32>>> {
        self.echoes_and_powers(band, places, spectra, None).0
    }

    /// The same, and for each frequency `Σ_place count(place) · |sent · received|²`: none without
    /// counts, which are by place.
    pub fn echoes_and_powers(
        &self,
        band: &Band,
        places: &[Place],
        spectra: &[Vec<Complex<f64>>],
        counts: Option<&[f32]>,
    ) -> (Vec<Vec<Complex<f32>>>, Vec<f64>) {
        let width = Width::detect();
        let prepared = Prepared::new(self, band);
        let scaled = |spectrum: &Vec<Complex<f64>>| -> Vec<Complex<f32>> {
            let values = spectrum.iter().zip(lobe_scales(band));
            values.map(|(value, scale)| single(value * scale)).collect()
        };
        let spectra: Vec<Vec<Complex<f32>>> = spectra.iter().map(scaled).collect();
        let mut sums = vec![Sums::ZERO; band.count];
        let mut echoes = vec![Vec::with_capacity(places.len()); spectra.len()];
        let mut powers = vec![Eight::all(0.0); counts.map_or(0, |_| band.count)];
        for (index, block) in places.chunks(LANES).enumerate() {
            prepared.fields(width, block, &mut sums);
            if let Some(counts) = counts {
                let mut of_block = Eight::all(0.0);
                let counts = counts.iter().skip(index * LANES);
                for (of, &count) in of_block.0.iter_mut().take(block.len()).zip(counts) {
                    *of = count;
                }
                add_powers(width, &sums, of_block, &mut powers);
            }
            for (spectrum, echoes) in spectra.iter().zip(&mut echoes) {
                let [re, im] = total(width, &sums, spectrum);
                let lanes = re.0.iter().zip(&im.0).take(block.len());
                echoes.extend(lanes.map(|(&re, &im)| Complex::new(re, im)));
            }
        }
        let whole = |(power, scale): (&Eight, f64)| {
            let sum: f64 = power.0.iter().map(|&power| f64::from(power)).sum();
            sum * scale * scale
        };
        let powers = powers.iter().zip(lobe_scales(band)).map(whole).collect();
        (echoes, powers)
    }
}

/// What turns products of sin(kx)/x into such of sin(kx)/(kx): 1/k², in (mm turns)².
fn lobe_scales(band: &Band) -> impl Iterator<Item = f64> + '_ {
    band.frequencies_mhz().map(|f_mhz| {
        let wavelength_mm = SPEED_MM_US / (core::f64::consts::TAU * f_mhz);
        wavelength_mm * wavelength_mm
    })
}

fn single(value: Complex<f64>) -> Complex<f32> {
    Complex::new(value.re as f32, value.im as f32)
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
        for (out, (&a, &b)) in out.iter_mut().zip(self.0.iter().zip(&other.0)) {
            *out = f(a, b);
        }
        Self(out)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.map(f32::abs))
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
    sent: [f32; 2],
    got: [f32; 2],
}

/// A radiator in single precision.
struct Prepared {
    emitters: Vec<Emitter>,
    /// Weights of a set of waves: `[source][frequency]`.
    set: Vec<Complex<f32>>,
    frequencies: usize,
    alike: bool,
    spreading: Spreading,
    nearest: f32,
    first_turns_per_mm: f32,
    step_turns_per_mm: f32,
}

impl Prepared {
    fn new(radiator: &Radiator, band: &Band) -> Self {
        let wave = |wave: Wave| [wave.weight as f32, wave.way_mm as f32];
        let emitter = |source: &Source| Emitter {
            place: source.place_mm.map(|mm| mm as f32),
            aside_squared: (source.aside_mm * source.aside_mm) as f32,
            normal: source.normal.map(|n| n as f32),
            half_width: (0.5 * source.width_mm) as f32,
            sent: wave(source.sent),
            got: wave(source.got),
        };
        Self {
            emitters: radiator.sources.iter().map(emitter).collect(),
            set: radiator.set.iter().map(|&weight| single(weight)).collect(),
            frequencies: band.count,
            alike: radiator.alike,
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
        for (i, emitter) in self.emitters.iter().enumerate() {
            let (lobe, r) = self.lobe(emitter, places);
            let gets = !self.alike && emitter.got[0] != 0.0;
            let sends = emitter.sent[0] != 0.0;
            if !self.set.is_empty() {
                let set = &self.set[i * self.frequencies..(i + 1) * self.frequencies];
                add_set(lobe, self.phase([1.0, 0.0], r), set, sums);
            }
            match (sends, gets) {
                (true, true) => {
                    let phases = [self.phase(emitter.sent, r), self.phase(emitter.got, r)];
                    add_both(lobe, phases, sums);
                }
                (true, false) => add_sent(lobe, self.phase(emitter.sent, r), sums),
                (false, true) => add_got(lobe, self.phase(emitter.got, r), sums),
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

    /// Amplitude and directivity of a source at the first frequency and how they go on from there;
    /// and the distance from it.
    #[inline(always)]
    fn lobe(&self, emitter: &Emitter, [across, along]: [Eight; 2]) -> (Lobe, Eight) {
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
        // Half the source's width as seen from the point: the sinc's argument is k · half.
        let sine = ((dx * nz - dz * nx) * over_r).abs();
        let half = (sine * Eight::all(emitter.half_width)).max(Eight::all(LEAST_HALF));
        let scale = amplitude / half;
        let (sin, cos) = sin_cos(half * Eight::all(self.first_turns_per_mm));
        let (step_sin, step_cos) = sin_cos(half * Eight::all(self.step_turns_per_mm));
        let lobe = Lobe {
            now: sin * scale,
            before: (sin * step_cos - cos * step_sin) * scale,
            twice_cos: step_cos + step_cos,
        };
        (lobe, r)
    }

    /// The wave of a source that sends with a weight and a delay, over its amplitude.
    #[inline(always)]
    fn phase(&self, [weight, way]: [f32; 2], r: Eight) -> Phase {
        let weight = Eight::all(weight);
        let way = r + Eight::all(way);
        let (sin, cos) = sin_cos(way * Eight::all(self.first_turns_per_mm));
        let (step_sin, step_cos) = sin_cos(way * Eight::all(self.step_turns_per_mm));
        Phase {
            re: weight * cos,
            im: weight * sin,
            re_before: weight * (cos * step_cos + sin * step_sin),
            im_before: weight * (sin * step_cos - cos * step_sin),
            twice_cos: step_cos + step_cos,
        }
    }
}

/// Keeps sin(kx)/x finite for points straight ahead, mm.
const LEAST_HALF: f32 = 1e-6;

/// Amplitude and directivity of a source at eight points and one frequency: amplitude · sin(kx)/x.
#[derive(Clone, Copy)]
struct Lobe {
    now: Eight,
    before: Eight,
    twice_cos: Eight,
}

impl Lobe {
    /// Goes on to the next frequency: sin((n+1)δ) = 2 cos δ sin nδ − sin((n−1)δ).
    #[inline(always)]
    fn advance(&mut self) {
        let next = self.twice_cos * self.now - self.before;
        self.before = self.now;
        self.now = next;
    }
}

/// Phase of a source's wave at eight points and one frequency.
#[derive(Clone, Copy)]
struct Phase {
    re: Eight,
    im: Eight,
    re_before: Eight,
    im_before: Eight,
    twice_cos: Eight,
}

impl Phase {
    /// As [`Lobe::advance`], for sine and cosine.
    #[inline(always)]
    fn advance(&mut self) {
        let re = self.twice_cos * self.re - self.re_before;
        let im = self.twice_cos * self.im - self.im_before;
        self.re_before = self.re;
        self.im_before = self.im;
        self.re = re;
        self.im = im;
    }
}

/// Adds what a source sends.
#[inline(always)]
fn add_sent(mut lobe: Lobe, mut phase: Phase, sums: &mut [Sums]) {
    for sums in sums {
        sums.sent_re = sums.sent_re + lobe.now * phase.re;
        sums.sent_im = sums.sent_im + lobe.now * phase.im;
        lobe.advance();
        phase.advance();
    }
}

/// Adds what a source receives.
#[inline(always)]
fn add_got(mut lobe: Lobe, mut phase: Phase, sums: &mut [Sums]) {
    for sums in sums {
        sums.got_re = sums.got_re + lobe.now * phase.re;
        sums.got_im = sums.got_im + lobe.now * phase.im;
        lobe.advance();
        phase.advance();
    }
}

/// Adds what a source sends and receives.
#[inline(always)]
fn add_both(mut lobe: Lobe, [mut sent, mut got]: [Phase; 2], sums: &mut [Sums]) {
    for sums in sums {
        sums.sent_re = sums.sent_re + lobe.now * sent.re;
        sums.sent_im = sums.sent_im + lobe.now * sent.im;
        sums.got_re = sums.got_re + lobe.now * got.re;
        sums.got_im = sums.got_im + lobe.now * got.im;
        lobe.advance();
        sent.advance();
        got.advance();
    }
}

/// Adds what a source sends in a set of waves.
#[inline(always)]
fn add_set(mut lobe: Lobe, mut phase: Phase, set: &[Complex<f32>], sums: &mut [Sums]) {
    for (weight, sums) in set.iter().zip(sums) {
        let re = lobe.now * phase.re;
        let im = lobe.now * phase.im;
        let [w_re, w_im] = [Eight::all(weight.re), Eight::all(weight.im)];
        sums.sent_re = sums.sent_re + (re * w_re - im * w_im);
        sums.sent_im = sums.sent_im + (re * w_im + im * w_re);
        lobe.advance();
        phase.advance();
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

/// Adds `count · |sent · received|²` at eight points to each frequency's powers.
fn add_powers(width: Width, sums: &[Sums], count: Eight, powers: &mut [Eight]) {
    match width {
        Width::Plain => add_powers_inline(sums, count, powers),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Width::Avx2` is only made by `Width::detect` where the processor has AVX2.
        Width::Avx2 => unsafe { add_powers_avx2(sums, count, powers) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_powers_avx2(sums: &[Sums], count: Eight, powers: &mut [Eight]) {
    add_powers_inline(sums, count, powers);
}

#[inline(always)]
fn add_powers_inline(sums: &[Sums], count: Eight, powers: &mut [Eight]) {
    for (sums, power) in sums.iter().zip(powers) {
        let sent = sums.sent_re * sums.sent_re + sums.sent_im * sums.sent_im;
        let got = sums.got_re * sums.got_re + sums.got_im * sums.got_im;
        *power = *power + sent * got * count;
    }
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

#[cfg(test)]
mod tests {
    use core::f64::consts::TAU;

    use super::*;

    fn radiator() -> Radiator {
        let source = |i: i32| {
            let angle = 0.02 * f64::from(i);
            Source {
                place_mm: [0.5 * f64::from(i), -0.01 * f64::from(i * i)],
                aside_mm: 0.0,
                normal: [libm::sin(angle), libm::cos(angle)],
                width_mm: 0.45,
                sent: Wave {
                    weight: if i < 3 { 1.0 } else { 0.0 },
                    way_mm: -40.0 - 0.02 * f64::from(i),
                },
                got: Wave {
                    weight: if i > -4 { 0.7 } else { 0.0 },
                    way_mm: -40.0 + 0.03 * f64::from(i),
                },
            }
        };
        Radiator {
            sources: (-9..10).map(source).collect(),
            spreading: Spreading::Cylindrical,
            nearest_mm: 0.2,
            set: Vec::new(),
            alike: false,
        }
    }

    fn band(count: usize) -> Band {
        Band {
            first_mhz: 1.2,
            step_mhz: 4.2 / count as f64,
            count,
            pulse_us: 0.5,
        }
    }

    /// The formulas as they stand, in double precision.
    fn two_way(radiator: &Radiator, f_mhz: f64, place: Place) -> [Complex<f64>; 2] {
        let k = TAU * f_mhz / SPEED_MM_US;
        let mut sums = [Complex::new(0.0, 0.0); 2];
        for source in &radiator.sources {
            let [dx, dz] = [0, 1].map(|i| place[i] - source.place_mm[i]);
            let r = libm::hypot(dx, dz);
            let [nx, nz] = source.normal;
            let cos = (dx * nx + dz * nz) / r;
            let x = k * 0.5 * source.width_mm * (dx * nz - dz * nx) / r;
            let sinc = if x == 0.0 { 1.0 } else { libm::sin(x) / x };
            let amplitude = cos.max(0.0) * sinc * 0.5 * source.width_mm / libm::sqrt(r);
            for (sum, wave) in sums.iter_mut().zip([source.sent, source.got]) {
                let (sin, cos) = libm::sincos(k * (r + wave.way_mm));
                *sum += Complex::new(cos, sin) * (amplitude * wave.weight);
            }
        }
        sums
    }

    #[test]
    fn fields_are_those_of_the_formulas() {
        let radiator = radiator();
        for count in [32, 96] {
            let band = band(count);
            let peak = two_way(&radiator, 2.7, [0.0, 40.0]).map(|sum| sum.norm());
            for x in [-30.0, -3.0, -0.5, 0.0, 0.2, 1.7, 25.0] {
                let got = radiator.two_way(&band, [x, 39.0]);
                for (f_mhz, got) in band.frequencies_mhz().zip(got) {
                    let [sent, received] = two_way(&radiator, f_mhz, [x, 39.0]);
                    let half = 0.5 * 0.45;
                    let error = (got * (half * half) - sent * received).norm();
                    assert!(
                        error < 1e-3 * peak[0] * peak[1],
                        "{x} mm, {f_mhz} MHz: {error}"
                    );
                }
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn wide_instructions_change_nothing() {
        let radiator = radiator();
        let band = band(40);
        let prepared = Prepared::new(&radiator, &band);
        let places: Vec<Place> = (0..8).map(|i| [f64::from(i) - 3.0, 35.0]).collect();
        let sums = |width| {
            let mut sums = vec![Sums::ZERO; band.count];
            prepared.fields(width, &places, &mut sums);
            let spectrum = vec![Complex::new(0.5, 0.1); band.count];
            format!("{sums:?} {:?}", total(width, &sums, &spectrum))
        };
        assert_eq!(sums(Width::Plain), sums(Width::detect()));
    }
}
