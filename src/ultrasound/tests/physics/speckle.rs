//! Statistics of the speckle of an even medium.

use equipment::Console;
use ultrasound::engine::{Imager, View};
use ultrasound::frame::Look;

use crate::scene::{self, SPECKLE, block, focused, mark, probe};

/// Seeds of the scatterers: ten for the SNR. How bright speckle is on the whole has to be known
/// better than nine other seeds tell for the distance to Rayleigh: a hundred do. And of Rayleigh's
/// own samples, too, one in twenty is farther off than the bar.
const FEW_SEEDS: u64 = 10;
const MANY_SEEDS: u64 = 100;

/// Distance of views of the same block: so far apart that they share nothing.
const APART_MM: f64 = 120.0;

/// Envelope SNR of fully developed speckle, √(π/(4 − π)).
const RAYLEIGH_SNR: f64 = 1.913;

/// Where samples are taken: so far apart that they are independent.
struct Lattice {
    lines: Vec<usize>,
    samples: Vec<usize>,
}

/// A probe, its setting, the depths between which samples are taken, and their distances along and
/// across, mm. Every seed's block is looked at in some places, to have 2,500 samples.
struct Setting {
    probe: &'static str,
    console: Console,
    between_mm: [f64; 2],
    apart_mm: [f64; 2],
    places: usize,
}

impl Setting {
    /// Places as far apart as asked for.
    fn lattice(&self, look: &Look) -> Lattice {
        let grid = &look.grid;
        let step = (self.apart_mm[0] / grid.sample_mm).ceil() as usize;
        let first = (self.between_mm[0] / grid.sample_mm).ceil() as usize;
        let last = (self.between_mm[1] / grid.sample_mm).floor() as usize;
        let nearest = grid.line_distance_mm(self.between_mm[0]);
        let stride = (self.apart_mm[1] / nearest).ceil() as usize;
        let edge = (grid.lines - 1) % stride / 2;
        Lattice {
            lines: (edge..grid.lines).step_by(stride).collect(),
            samples: (first..=last).step_by(step).collect(),
        }
    }
}

/// Intensities of a frame, `[line][sample]`.
fn intensities(look: &Look) -> Vec<f64> {
    let square = |&value: &f32| f64::from(value) * f64::from(value);
    look.envelope.iter().map(square).collect()
}

/// How bright speckle is on the whole, by depth and by line: the mean of the other seeds' frames
/// over all lines at each depth, times that over all depths at each line and its neighbours.
struct Brightness {
    by_sample: Vec<f64>,
    by_line: Vec<f64>,
}

impl Brightness {
    fn of_others(seeds: &[&[Vec<f64>]], seed: usize, lattice: &Lattice, samples: usize) -> Self {
        const NEAR: usize = 2;
        let others = || {
            let other = |(other, _): &(usize, &&[Vec<f64>])| *other != seed;
            let frames = seeds.iter().enumerate().filter(other);
            frames.flat_map(|(_, frames)| frames.iter())
        };
        let lines = seeds[seed][0].len() / samples;
        let mean = |values: &mut dyn Iterator<Item = f64>| {
            let (sum, count) = values.fold((0.0, 0.0), |(s, n), value| (s + value, n + 1.0));
            sum / count
        };
        let mut by_sample = vec![1.0; samples];
        for &sample in &lattice.samples {
            let over_lines =
                |frame: &Vec<f64>| mean(&mut (0..lines).map(|line| frame[line * samples + sample]));
            by_sample[sample] = mean(&mut others().map(over_lines));
        }
        let by_line = (0..lines)
            .map(|line| {
                let near = line.saturating_sub(NEAR)..(line + NEAR + 1).min(lines);
                mean(&mut near.flat_map(|line| {
                    let over = &by_sample;
                    others().flat_map(move |frame| {
                        let at = move |&s: &usize| frame[line * samples + s] / over[s];
                        lattice.samples.iter().map(at)
                    })
                }))
            })
            .collect();
        Self { by_sample, by_line }
    }
}

/// The envelope at the lattice's places, `[view][line][sample]`, over the root mean square there.
fn over_scale(seeds: &[&[Vec<f64>]], seed: usize, lattice: &Lattice, samples: usize) -> Vec<f64> {
    let scale = Brightness::of_others(seeds, seed, lattice, samples);
    let mut over = Vec::new();
    for frame in seeds[seed] {
        for &line in &lattice.lines {
            for &sample in &lattice.samples {
                let mean = scale.by_sample[sample] * scale.by_line[line];
                over.push((frame[line * samples + sample] / mean).sqrt());
            }
        }
    }
    over
}

/// Mean over standard deviation.
fn snr(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    mean / variance.sqrt()
}

/// Kolmogorov–Smirnov distance to the Rayleigh distribution of mean square 1.
fn distance_to_rayleigh(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let off = |(i, v): (usize, &f64)| {
        let wanted = 1.0 - (-v * v).exp();
        let (below, with) = (i as f64 / n, (i + 1) as f64 / n);
        (wanted - below).abs().max((with - wanted).abs())
    };
    sorted.iter().enumerate().map(off).fold(0.0, f64::max)
}

/// Correlation of the intensities of neighbours on the lattice, along and across.
fn neighbour_correlation(over: &[Vec<f64>], rows: usize) -> [f64; 2] {
    [1, rows].map(|step| {
        let (mut both, mut square) = (0.0, 0.0);
        for values in over {
            for i in 0..values.len() {
                let off = |i: usize| values[i] * values[i] - 1.0;
                let is_neighbour = i + step < values.len() && (step != 1 || (i + 1) % rows != 0);
                if is_neighbour {
                    both += off(i) * off(i + step);
                    square += (off(i).powi(2) + off(i + step).powi(2)) / 2.0;
                }
            }
        }
        both / square
    })
}

fn measure(setting: &Setting, seeds: u64) -> Result<(), String> {
    let Setting { probe: name, .. } = *setting;
    let medium = block(SPECKLE, &[]);
    let mut imager = Imager::new(probe(name), &setting.console).expect("a good setting");
    let mut per_cell = 0.0;
    let mut frames = Vec::new();
    let mut layout = None;
    for seed in 0..seeds {
        for place in 0..setting.places {
            let view = View {
                seed,
                ..scene::at(place as f64 * APART_MM)
            };
            let mut frame = imager.frame(&medium, &view);
            per_cell = f64::from(frame.account.scatterers_per_cell);
            let look = frame.looks.swap_remove(0);
            frames.push(intensities(&look));
            layout.get_or_insert_with(|| (setting.lattice(&look), look.grid.samples));
        }
    }
    let (lattice, samples) = layout.expect("there are seeds");
    let rows = lattice.samples.len();
    let by_seed: Vec<&[Vec<f64>]> = frames.chunks(setting.places).collect();
    let over: Vec<Vec<f64>> = (0..by_seed.len())
        .map(|seed| over_scale(&by_seed, seed, &lattice, samples))
        .collect();
    let [along, across] = neighbour_correlation(&over, rows);
    let all = over.concat();
    let ratio = snr(&all);
    let per_seed = over[0].len();
    println!(
        "figure: {name}, speckle, fewest scatterers in a resolution cell | >= 15 | {per_cell:.1}"
    );
    println!(
        "figure: {name}, envelope SNR of {} samples, {seeds} seeds | 1.913 +- 0.03 | {ratio:.3} (intensities of neighbouring samples correlate by {along:.3} along, {across:.3} across)",
        all.len()
    );
    let mut misses = Vec::new();
    if seeds >= MANY_SEEDS {
        misses.extend(rayleigh(name, &over));
    }
    if per_cell < 15.0 {
        misses.push(format!("{per_cell} scatterers in a cell"));
    }
    if (ratio - RAYLEIGH_SNR).abs() > 0.03 {
        misses.push(format!("SNR {ratio}"));
    }
    if all.len() < 20_000 || per_seed < 2_500 {
        misses.push(format!("{per_seed} samples a seed"));
    }
    if misses.is_empty() {
        Ok(())
    } else {
        Err(format!("{name}: {misses:?}"))
    }
}

/// How many seeds' samples are Rayleigh; those that are too few.
fn rayleigh(name: &str, over: &[Vec<f64>]) -> Vec<String> {
    let per_seed = over[0].len();
    let limit = 1.36 / (per_seed as f64).sqrt();
    let distances: Vec<f64> = over.iter().map(|v| distance_to_rayleigh(v)).collect();
    let worst = distances.iter().copied().fold(0.0, f64::max);
    let mean = distances.iter().sum::<f64>() / distances.len() as f64;
    let mut misses = Vec::new();
    for list in [&distances[..10], &distances] {
        let within = list.iter().filter(|&&distance| distance < limit).count();
        let is_good = within * 10 >= list.len() * 9;
        println!(
            "figure: {name}, seeds whose {per_seed} samples are Rayleigh, brightness from the other {} seeds (Kolmogorov-Smirnov distance < 1.36/sqrt(n) = {limit:.4}) | 9 of 10 | {within} of {} (of all: mean distance {mean:.4}, worst {worst:.4}) | {}",
            over.len() - 1,
            list.len(),
            mark(is_good)
        );
        if !is_good {
            misses.push(format!("{within} of {} seeds within {limit}", list.len()));
        }
    }
    misses
}

/// Uniform blocks without attenuation; every setting sees them through its own focus. Only lines
/// whose apertures no end of the array clips: beside them brightness is not depth times line.
fn settings() -> [Setting; 3] {
    let console = |depth_mm: f64, width: f64, console: Console| Console {
        depth_mm,
        width,
        lines: 96,
        samples: 2048,
        ..console
    };
    [
        Setting {
            probe: "L11-5v",
            console: console(45.0, 0.5, focused(25.0, Some(2.5), Some(2.5))),
            between_mm: [5.0, 44.5],
            apart_mm: [0.5, 1.2],
            places: 2,
        },
        Setting {
            probe: "C5-2v",
            console: console(91.0, 0.5, focused(60.0, Some(3.0), Some(3.0))),
            between_mm: [20.0, 90.0],
            apart_mm: [1.1, 3.0],
            places: 3,
        },
        Setting {
            probe: "P4-2v",
            console: console(150.0, 0.45, focused(80.0, None, None)),
            between_mm: [40.0, 148.0],
            apart_mm: [1.2, 2.8],
            places: 3,
        },
    ]
}

#[test]
fn speckle_of_a_linear_array_is_fully_developed() {
    let [linear, ..] = settings();
    assert_eq!(measure(&linear, FEW_SEEDS), Ok(()));
}

#[test]
#[ignore = "long: tools/validations/ultrasound"]
fn speckle_of_all_arrays_is_rayleigh() {
    let misses: Vec<String> = settings()
        .iter()
        .filter_map(|setting| measure(setting, MANY_SEEDS).err())
        .collect();
    assert!(misses.is_empty(), "{misses:?}");
}
