//! How echoes weaken with depth, and how their frequency falls.
//!
//! Diffraction is divided out frequency by frequency: the power spectrum of the echoes from a depth
//! over that from the same scatterers in a medium without attenuation. Power as a whole would not
//! do: off the focus the beam itself filters, differently at each depth and for each spectrum, by
//! more than a third of the slope that is looked for.
//!
//! Speckle is heard over a stretch of depth, and a spectrum tells of where in it most of the power
//! lies. If power changes by exp(g z) for want of attenuation, that is g σ² behind the middle, σ² the
//! window's second moment: over a focus, where g falls, slopes seem too small by g′ σ² (4 % of
//! C5-2v's). And chance puts more scatterers now before the middle, now behind it. Both are divided
//! out before spectra are taken: each sample by the root mean square, over lines and seeds, of the
//! same depth without attenuation.

use std::ops::Range;

use equipment::Console;
use ultrasound::engine::{Imager, View};
use ultrasound::frame::Look;

use crate::pulse::Pulse;
use crate::scene::{self, SPECKLE, Sound, block, focused, mark, probe};

/// Frequencies of the spectra.
const FREQUENCIES: usize = 40;

/// Depths at which spectra are taken.
const DEPTHS: usize = 10;

/// Power spectra of echoes: `[depth][frequency]`, summed over lines and seeds.
type Spectra = Vec<Vec<f64>>;

/// A probe and its setting, with the frequencies and depths that are looked at.
struct Setting {
    probe: &'static str,
    console: Console,
    pulse: Pulse,
    frequencies_mhz: Vec<f64>,
    depths_mm: Vec<f64>,
    /// Half the length of the stretch from which a spectrum is taken.
    half_mm: f64,
}

impl Setting {
    fn new(name: &'static str, depth_mm: f64, console: Console) -> Self {
        let console = Console {
            depth_mm,
            lines: 97,
            samples: 2048,
            width: 0.5,
            ..console
        };
        let pulse = Pulse::new(probe(name), &console);
        let center = probe(name).center_frequency_mhz;
        let of = |share: f64, count: usize| (share + 0.5) / count as f64;
        Self {
            probe: name,
            pulse,
            frequencies_mhz: (0..FREQUENCIES)
                .map(|i| center * (0.4 + 1.2 * of(i as f64, FREQUENCIES)))
                .collect(),
            depths_mm: (0..DEPTHS)
                .map(|i| depth_mm * (0.12 + 0.8 * of(i as f64, DEPTHS)))
                .collect(),
            half_mm: 0.07 * depth_mm,
            console,
        }
    }

    /// Adds a look's spectra: stretches of lines, over `level` by sample, under a Hann window.
    fn add(
        &self,
        look: &Look,
        level: &[f64],
        lines: Range<usize>,
        f0_mhz: f64,
        spectra: &mut Spectra,
    ) {
        let grid = &look.grid;
        let half = (self.half_mm / grid.sample_mm) as usize;
        for (depth, spectrum) in self.depths_mm.iter().zip(spectra) {
            let first = (depth / grid.sample_mm).round() as usize - half;
            for (&f, power) in self.frequencies_mhz.iter().zip(spectrum) {
                // Along depth an echo of frequency f turns by −2 (k − k₀).
                let turns = 2.0 * (f - f0_mhz) * grid.sample_mm / (1e-3 * scene::SPEED_M_S);
                let wave: Vec<[f64; 2]> = (0..=2 * half)
                    .map(|i| {
                        let angle = std::f64::consts::TAU * turns * i as f64;
                        let window = std::f64::consts::PI * (i as f64 / half as f64 - 1.0);
                        let window = (0.5 + 0.5 * window.cos()) / level[first + i];
                        [window * angle.cos(), window * angle.sin()]
                    })
                    .collect();
                for line in look
                    .iq
                    .chunks(grid.samples)
                    .take(lines.end)
                    .skip(lines.start)
                {
                    let (mut re, mut im) = (0.0, 0.0);
                    for (value, [a, b]) in line[first..].iter().zip(&wave) {
                        let (x, y) = (f64::from(value.re), f64::from(value.im));
                        re += x * a - y * b;
                        im += x * b + y * a;
                    }
                    *power += re * re + im * im;
                }
            }
        }
    }

    /// What is seen, for some seeds.
    fn looks(
        &self,
        imager: &mut Imager,
        sound: Sound,
        points: &[[f32; 3]],
        seeds: u64,
    ) -> Vec<Look> {
        let medium = block(sound, points);
        let look = |seed: u64| {
            let view = View {
                seed,
                ..scene::at(0.0)
            };
            imager.frame(&medium, &view).looks.swap_remove(0)
        };
        (0..seeds).map(look).collect()
    }

    fn spectra(&self, looks: &[Look], target: Target, level: &[f64], f0_mhz: f64) -> Spectra {
        let mut spectra = vec![vec![0.0; FREQUENCIES]; DEPTHS];
        for look in looks {
            // A point is looked at along the axis alone.
            let middle = look.grid.lines / 2;
            let lines = match target {
                Target::Points => middle..middle + 1,
                Target::Speckle { .. } => 0..look.grid.lines,
            };
            self.add(look, level, lines, f0_mhz, &mut spectra);
        }
        spectra
    }

    /// What is left of the pulse's power spectrum at each depth: the closed form without
    /// attenuation times what the echoes say is left at each frequency.
    fn left(&self, lossy: &Spectra, lossless: &Spectra) -> Spectra {
        let of_depth = |(lossy, lossless): (&Vec<f64>, &Vec<f64>)| {
            let of = |((&f, a), b): ((&f64, &f64), &f64)| self.pulse.amplitude(f).powi(2) * a / b;
            self.frequencies_mhz
                .iter()
                .zip(lossy)
                .zip(lossless)
                .map(of)
                .collect()
        };
        lossy.iter().zip(lossless).map(of_depth).collect()
    }
}

/// Fat, liver and muscle across its fibres at 1 MHz as in the reference; powers of frequency as are
/// usual.
const TISSUES: [(&str, f64, f64); 3] = [
    ("fat", 0.63, 1.0),
    ("liver", 0.5, 1.1),
    ("muscle", 0.96, 1.0),
];

fn settings() -> [Setting; 3] {
    [
        Setting::new("L11-5v", 45.0, focused(25.0, Some(2.5), Some(2.5))),
        Setting::new("C5-2v", 130.0, focused(60.0, Some(3.0), Some(3.0))),
        Setting::new("P4-2v", 150.0, focused(80.0, None, None)),
    ]
}

/// Local slopes and mean frequencies beside closed forms, over all depths.
#[derive(Clone, Copy, Debug, Default)]
struct Errors {
    /// Greatest relative error of the slope between a depth's two neighbours.
    slope: f64,
    /// Relative error of the loss between the first and the last depth.
    loss: f64,
    /// Greatest relative error of the mean frequency.
    frequency: f64,
}

impl Errors {
    fn of(setting: &Setting, sound: Sound, left: &Spectra) -> Self {
        let power_db = |depth: usize| 10.0 * left[depth].iter().sum::<f64>().log10();
        // 2 α f̄, and as much for any power of frequency: the loss is that of the mean of α.
        let slope_db_mm = |z_mm: f64| {
            let loss = |f: f64| sound.db_cm * f.powf(sound.power);
            2.0 * setting.pulse.mean(sound, z_mm, loss) / 10.0
        };
        let mut errors = Self::default();
        let z = &setting.depths_mm;
        for depth in 1..DEPTHS - 1 {
            let run = z[depth + 1] - z[depth - 1];
            let slope = (power_db(depth - 1) - power_db(depth + 1)) / run;
            errors.slope = errors
                .slope
                .max((slope / slope_db_mm(z[depth]) - 1.0).abs());
        }
        let steps = 100;
        let run = z[DEPTHS - 1] - z[0];
        let at = |i: i32| slope_db_mm(z[0] + run * (f64::from(i) + 0.5) / f64::from(steps));
        let loss = (0..steps).map(at).sum::<f64>() * run / f64::from(steps);
        errors.loss = (power_db(0) - power_db(DEPTHS - 1)) / loss - 1.0;
        for (spectrum, &z_mm) in left.iter().zip(z) {
            let weighed = setting
                .frequencies_mhz
                .iter()
                .zip(spectrum)
                .map(|(f, p)| f * p);
            let mean = weighed.sum::<f64>() / spectrum.iter().sum::<f64>();
            let want = setting.pulse.frequency_mhz(sound, z_mm);
            errors.frequency = errors.frequency.max((mean / want - 1.0).abs());
        }
        errors
    }
}

/// What is looked at: points on the axis, or speckle of some seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Target {
    Points,
    Speckle { seeds: u64 },
}

/// By sample: the root mean square over lines and looks.
fn level(looks: &[Look]) -> Vec<f64> {
    let samples = looks[0].grid.samples;
    let mut power = vec![0.0; samples];
    for line in looks.iter().flat_map(|look| look.iq.chunks(samples)) {
        for (sum, value) in power.iter_mut().zip(line) {
            *sum += f64::from(value.norm_sqr());
        }
    }
    let lines = (looks.len() * looks[0].grid.lines) as f64;
    power.iter().map(|sum| (sum / lines).sqrt()).collect()
}

/// Errors for each tissue.
fn measure(setting: &Setting, target: Target) -> [(&'static str, Errors); 3] {
    let mut imager = Imager::new(probe(setting.probe), &setting.console).expect("a good setting");
    let (scatters, points, seeds) = match target {
        Target::Points => {
            let on_axis = |&z_mm: &f64| [0.0, 0.0, z_mm as f32];
            (false, setting.depths_mm.iter().map(on_axis).collect(), 1)
        }
        Target::Speckle { seeds } => (true, Vec::new(), seeds),
    };
    let of = |sound: Sound| Sound { scatters, ..sound };
    let f0_mhz = imager.frequency_mhz();
    let lossless = setting.looks(&mut imager, of(SPECKLE), &points, seeds);
    // A point's echo comes from one depth, wherever the window's middle is.
    let level = match target {
        Target::Points => vec![1.0; lossless[0].grid.samples],
        Target::Speckle { .. } => level(&lossless),
    };
    let lossless = setting.spectra(&lossless, target, &level, f0_mhz);
    TISSUES.map(|(tissue, db_cm, power)| {
        let sound = of(Sound {
            db_cm,
            power,
            scatters,
        });
        let lossy = setting.looks(&mut imager, sound, &points, seeds);
        let lossy = setting.spectra(&lossy, target, &level, f0_mhz);
        let left = setting.left(&lossy, &lossless);
        (tissue, Errors::of(setting, sound, &left))
    })
}

#[test]
#[ignore = "long: tools/validations/ultrasound"]
fn points_weaken_as_their_frequency_says() {
    let mut misses = Vec::new();
    for setting in settings() {
        for (tissue, errors) in measure(&setting, Target::Points) {
            let Errors {
                slope, frequency, ..
            } = errors;
            println!(
                "figure: {}, {tissue}, points on the axis: local slope of the echoes' power off 2 alpha f(z), worst of {} depths | within 3 % | {:.1} % | {}",
                setting.probe,
                DEPTHS - 2,
                slope * 100.0,
                mark(slope < 0.03)
            );
            println!(
                "figure: {}, {tissue}, points on the axis: mean frequency off the closed form, worst of {DEPTHS} depths | within 3 % | {:.1} % | {}",
                setting.probe,
                frequency * 100.0,
                mark(frequency < 0.03)
            );
            if slope >= 0.03 || frequency >= 0.03 {
                misses.push(format!("{} {tissue}: {errors:?}", setting.probe));
            }
        }
    }
    assert!(misses.is_empty(), "{misses:?}");
}

#[test]
fn speckles_frequency_falls_as_in_closed_form() {
    let mut misses = Vec::new();
    for setting in settings() {
        for (tissue, errors) in measure(&setting, Target::Speckle { seeds: 1 }) {
            let Errors { frequency, .. } = errors;
            println!(
                "figure: {}, {tissue}, speckle: mean frequency off the closed form, worst of {DEPTHS} depths | within 3 % | {:.1} % | {}",
                setting.probe,
                frequency * 100.0,
                mark(frequency < 0.03)
            );
            if frequency >= 0.03 {
                misses.push(format!("{} {tissue}: {errors:?}", setting.probe));
            }
        }
    }
    assert!(misses.is_empty(), "{misses:?}");
}

#[test]
#[ignore = "long: tools/validations/ultrasound"]
fn speckle_weakens_as_its_frequency_says() {
    let mut misses = Vec::new();
    for setting in settings() {
        for (tissue, errors) in measure(&setting, Target::Speckle { seeds: 6 }) {
            let Errors { slope, loss, .. } = errors;
            println!(
                "figure: {}, {tissue}, speckle of 97 lines and 6 seeds: local slope of power off 2 alpha f(z), worst of {} depths | within 3 % | {:.1} % (over all depths {:+.1} %) | {}",
                setting.probe,
                DEPTHS - 2,
                slope * 100.0,
                loss * 100.0,
                mark(slope < 0.03)
            );
            if slope >= 0.03 {
                misses.push(format!("{} {tissue}: {errors:?}", setting.probe));
            }
        }
    }
    assert!(misses.is_empty(), "{misses:?}");
}
