//! Against what a texture must be: unit mean square, anisotropy, no repetition, the same everywhere.

use anatomy::tissue::TissueTable;

use super::*;

/// The fibres along x, layers across z.
pub(super) const AXES: [[f32; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// Random numbers unlike those of the texture (the multiplier of Knuth's MMIX).
pub(super) struct Lcg(pub u64);

impl Lcg {
    /// From 0 to 1.
    pub fn unit(&mut self) -> f32 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }

    /// Nearly Gaussian, variance 1.
    pub fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() - 6.0
    }
}

pub(super) fn of_tissue(id: &str) -> Scatter {
    TissueTable::builtin().get(id).unwrap().scatter.unwrap()
}

fn texture(id: &str, seed: u64) -> Texture {
    Texture::new(&of_tissue(id), AXES, seed)
}

/// Without the wide twin.
pub(super) fn plain(texture: &Texture, x: &[f32], y: &[f32], z: &[f32], out: &mut [f32]) {
    match texture.kind {
        Kind::Even => {}
        Kind::Clumps(clumps) => apply_plain(clumps, texture.cells_from_mm, x, y, z, out),
        Kind::Sheets(sheets) => apply_plain(sheets, texture.cells_from_mm, x, y, z, out),
    }
}

/// Places within ±`half_mm`, as flat arrays.
fn places(count: usize, half_mm: f32, seed: u64) -> [Vec<f32>; 3] {
    let mut random = Lcg(seed);
    std::array::from_fn(|_| {
        let place = |_| (2.0 * random.unit() - 1.0) * half_mm;
        (0..count).map(place).collect()
    })
}

fn gains(texture: &Texture, [x, y, z]: &[Vec<f32>; 3]) -> Vec<f32> {
    let mut out = vec![1.0; x.len()];
    texture.gains(x, y, z, &mut out);
    out
}

fn mean(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    values.sum::<f64>() / count as f64
}

fn mean_square(gains: &[f32]) -> f64 {
    mean(gains.iter().map(|g| f64::from(*g).powi(2)), gains.len())
}

/// Correlation of two lists.
fn correlated(here: &[f32], there: &[f32]) -> f64 {
    let count = here.len();
    let average = |gains: &[f32]| mean(gains.iter().map(|g| f64::from(*g)), count);
    let (a, b) = (average(here), average(there));
    let moment = |f: fn(f64, f64) -> f64| {
        let product = |(g, h): (&f32, &f32)| f(f64::from(*g) - a, f64::from(*h) - b);
        mean(here.iter().zip(there).map(product), count)
    };
    moment(|g, h| g * h) / (moment(|g, _| g * g) * moment(|_, h| h * h)).sqrt()
}

/// Correlation of the gain at places with that at places a step further.
fn correlation(texture: &Texture, places: &[Vec<f32>; 3], step: [f32; 3]) -> f64 {
    let moved: [Vec<f32>; 3] =
        std::array::from_fn(|k| places[k].iter().map(|place| place + step[k]).collect());
    correlated(&gains(texture, places), &gains(texture, &moved))
}

/// The step at which the correlation along a direction has fallen to half.
fn half_length_mm(texture: &Texture, direction: [f32; 3]) -> f32 {
    let places = places(40_000, 400.0, 11);
    let step = 0.02;
    (1..5000)
        .map(|i| i as f32 * step)
        .find(|mm| correlation(texture, &places, direction.map(|d| d * mm)) < 0.5)
        .expect("it falls within 100 mm")
}

fn all_textured() -> impl Iterator<Item = (String, Scatter)> {
    let tissues = TissueTable::builtin().iter();
    tissues.filter_map(|(_, tissue)| {
        let scatter = tissue.scatter?;
        let uneven = !Texture::new(&scatter, AXES, 0).is_even();
        uneven.then(|| (tissue.id.clone(), scatter))
    })
}

#[test]
fn the_mean_square_is_one() {
    let places = places(400_000, 500.0, 1);
    let mut count = 0;
    for (id, scatter) in all_textured() {
        for seed in [1, 2, 0xDEAD_BEEF_0BAD_CAFE] {
            let square = mean_square(&gains(&Texture::new(&scatter, AXES, seed), &places));
            assert!(
                (square - 1.0).abs() < 0.03,
                "{id}, seed {seed}: {square:.4}"
            );
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

/// The level holds within one organ, too: a liver-sized box, not only over a metre.
#[test]
fn the_mean_square_is_nearly_one_in_an_organ() {
    for (id, side_mm, bar) in [
        ("pancreas", 40.0, 0.1),
        ("muscle", 100.0, 0.1),
        ("fat", 100.0, 0.15),
    ] {
        for seed in 0..4 {
            let places = places(200_000, 0.5 * side_mm, seed + 20);
            let square = mean_square(&gains(&texture(id, seed), &places));
            assert!((square - 1.0).abs() < bar, "{id}, seed {seed}: {square:.4}");
        }
    }
}

#[test]
fn even_tissues_cost_nothing_and_change_nothing() {
    for id in ["liver", "blood"] {
        let texture = texture(id, 9);
        assert!(texture.is_even());
        let places = places(100, 50.0, 2);
        assert!(gains(&texture, &places).iter().all(|gain| *gain == 1.0));
    }
}

#[test]
fn gains_multiply_what_is_there() {
    let (texture, [x, y, z]) = (texture("muscle", 4), places(1000, 50.0, 3));
    let once = gains(&texture, &[x.clone(), y.clone(), z.clone()]);
    let mut out = vec![3.0; 1000];
    texture.gains(&x, &y, &z, &mut out);
    assert!(once.iter().zip(&out).all(|(g, o)| 3.0 * g == *o));
}

#[test]
fn gains_are_numbers_of_at_least_zero() {
    let places = places(100_000, 10_000.0, 5);
    for (id, scatter) in all_textured() {
        let gains = gains(&Texture::new(&scatter, AXES, 8), &places);
        let least = gains.iter().copied().fold(f32::INFINITY, f32::min);
        let most = gains.iter().copied().fold(0.0, f32::max);
        assert!(least >= 0.0 && most < 20.0, "{id}: {least} to {most}");
    }
}

#[test]
fn nothing_fails_far_away() {
    for far in [1e9, f32::INFINITY, f32::NAN] {
        let places = [vec![far; 9], vec![-far; 9], vec![0.0; 9]];
        gains(&texture("muscle", 1), &places);
        gains(&texture("pancreas", 1), &places);
    }
}

/// The wide twin and the plain one, for lengths that fill no whole lane, too.
#[test]
fn the_same_bytes_on_every_processor() {
    for (id, scatter) in all_textured() {
        let texture = Texture::new(
            &scatter,
            [[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0], [0.0, 0.0, 1.0]],
            6,
        );
        for count in [1, 7, 8, 100_003] {
            let places = places(count, 300.0, 7);
            let mut narrow = vec![1.0; count];
            plain(&texture, &places[0], &places[1], &places[2], &mut narrow);
            let wide = gains(&texture, &places);
            let same = wide
                .iter()
                .zip(&narrow)
                .all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "{id}, {count} places");
        }
    }
}

/// A gain depends on its place alone, not on its neighbours in the array.
#[test]
fn a_place_has_one_gain() {
    let (texture, places) = (texture("fat", 3), places(1000, 80.0, 4));
    let all = gains(&texture, &places);
    for i in [0, 17, 999] {
        let single = gains(&texture, &[0, 1, 2].map(|k| vec![places[k][i]]));
        assert_eq!(single[0].to_bits(), all[i].to_bits());
    }
}

/// FNV-1a of the bits. If the texture is changed on purpose, put in the number that is printed.
#[test]
fn the_bytes_are_known() {
    let hash = |id: &str| {
        let bits = gains(&texture(id, 42), &places(10_000, 200.0, 42));
        let step =
            |h: u64, gain: &f32| (h ^ u64::from(gain.to_bits())).wrapping_mul(0x100_0000_01B3);
        bits.iter().fold(0xCBF2_9CE4_8422_2325, step)
    };
    let hashes = ["pancreas", "muscle", "fat"].map(hash);
    let expected = [
        0xE2C0_7949_B65D_7FFC,
        0xDA9E_ED91_F886_243D,
        0x5E1A_9811_8302_39A9,
    ];
    assert_eq!(hashes, expected, "{hashes:#X?}");
}

#[test]
fn seeds_tell_structures_apart() {
    let places = places(20_000, 100.0, 6);
    for id in ["pancreas", "muscle", "fat"] {
        let [a, b] = [1, 2].map(|seed| gains(&texture(id, seed), &places));
        let r = correlated(&a, &b);
        assert!(r.abs() < 0.035, "{id}: {r}");
    }
}

#[test]
fn bundles_run_along_the_fibres() {
    let muscle = texture("muscle", 1);
    let along = half_length_mm(&muscle, [1.0, 0.0, 0.0]);
    for across in [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] {
        let across = half_length_mm(&muscle, across);
        assert!(along > 10.0 * across, "{along:.2} against {across:.2} mm");
        // Striae are thin against what repeats.
        assert!((0.1..0.8).contains(&across), "{across:.2} mm");
    }
}

/// Fibres at 37° in the x-y plane.
#[test]
fn fibres_follow_the_axes() {
    let axes = [[0.8, 0.6, 0.0], [-0.6, 0.8, 0.0], [0.0, 0.0, 1.0]];
    let muscle = Texture::new(&of_tissue("muscle"), axes, 1);
    let along = half_length_mm(&muscle, axes[0]);
    let across = half_length_mm(&muscle, axes[1]);
    assert!(along > 10.0 * across, "{along:.2} against {across:.2} mm");
}

#[test]
fn septa_are_parallel_to_the_skin() {
    let fat = texture("fat", 1);
    let [x, y, z] =
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(|d| half_length_mm(&fat, d));
    assert!(x > 2.0 * z && y > 2.0 * z, "{x:.2}, {y:.2}, {z:.2} mm");
    assert!(z < 0.2 * 6.0, "septa are thin: {z:.2} mm");
}

#[test]
fn clumps_are_alike_in_all_directions_and_of_their_length() {
    for id in ["pancreas", "lung", "bowel_content"] {
        let (texture, length) = (texture(id, 1), of_tissue(id).length_mm as f32);
        let diagonal = [0.577, 0.577, 0.577];
        let lengths = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], diagonal]
            .map(|direction| half_length_mm(&texture, direction));
        let least = lengths.into_iter().fold(f32::INFINITY, f32::min);
        let most = lengths.into_iter().fold(0.0, f32::max);
        assert!(most < 1.25 * least, "{id}: {lengths:?}");
        assert!(
            (0.4..1.2).contains(&(least / length)),
            "{id}: {least} for {length}"
        );
    }
}

/// Steps from well beyond the texture's own size to 200 mm, in directions of the lattice and others.
#[test]
fn nothing_repeats_within_200_mm() {
    let places = places(20_000, 300.0, 12);
    let directions = [
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [0.0, 0.8, 0.6],
        [0.36, 0.48, 0.8],
    ];
    // Independent samples correlate by 1/√20000 = 0.007; of 2500 figures the largest is near 3.5 of that.
    let bar = 5.0 / 20_000_f64.sqrt();
    for (id, from_mm) in [("pancreas", 12.0), ("muscle", 80.0), ("fat", 60.0)] {
        let texture = texture(id, 1);
        let mut largest = (0.0_f64, 0.0, directions[0]);
        for direction in directions {
            for i in 0..500 {
                let mm = from_mm + (200.0 - from_mm) * i as f32 / 500.0;
                let r = correlation(&texture, &places, direction.map(|d| d * mm)).abs();
                if r > largest.0 {
                    largest = (r, mm, direction);
                }
            }
        }
        assert!(largest.0 < bar, "{id}: {largest:?}");
    }
}

/// Standard deviation of the gain in dB: fine clumps look even, coarse ones lobulated.
#[test]
fn coarse_clumps_differ_more_than_fine_ones() {
    let deviation_db = |length_mm: f64| {
        let scatter = Scatter {
            length_mm,
            ..of_tissue("pancreas")
        };
        let gains = gains(
            &Texture::new(&scatter, AXES, 1),
            &places(100_000, 300.0, 13),
        );
        let db: Vec<f64> = gains
            .iter()
            .map(|g| 20.0 * f64::from(*g).max(1e-3).log10())
            .collect();
        let average = mean(db.iter().copied(), db.len());
        mean(db.iter().map(|db| (db - average).powi(2)), db.len()).sqrt()
    };
    let (spleen, liver, pancreas) = (deviation_db(0.5), deviation_db(0.8), deviation_db(1.5));
    println!("{spleen:.2}, {liver:.2}, {pancreas:.2} dB");
    assert!(spleen < 1.0 && liver < 2.5 && (3.0..6.0).contains(&pancreas));
    assert!(spleen < liver && liver < pancreas);
}

/// Both values of lattice points against those of neighbours up to 4 cells away.
#[test]
fn lattice_values_do_not_know_their_neighbours() {
    const SIDE: i32 = 40;
    let at = |i: i32, j: i32, k: i32| noise::pair(i as f32, j as f32, k as f32, 77);
    let inner = |f: &dyn Fn(i32, i32, i32) -> f64| {
        let mut sum = 0.0;
        for i in 0..SIDE {
            for j in 0..SIDE {
                sum += (0..SIDE).map(|k| f(i, j, k)).sum::<f64>();
            }
        }
        3.0 * sum / f64::from(SIDE).powi(3)
    };
    // Variance 1/3; 64000 independent products stray by 1/√64000, the largest of 1500 by 3.5 of that.
    let bar = 5.0 / f64::from(SIDE).powi(3).sqrt();
    let steps = (0..5).flat_map(|i| (-4..5).flat_map(move |j| (-4..5).map(move |k| [i, j, k])));
    for [di, dj, dk] in steps {
        let own = (di, dj, dk) == (0, 0, 0);
        let pairs = |i, j, k| (at(i, j, k), at(i + di, j + dj, k + dk));
        let cross = inner(&|i, j, k| {
            let (here, there) = pairs(i, j, k);
            f64::from(here.0 * there.1)
        });
        let same = inner(&|i, j, k| {
            let (here, there) = pairs(i, j, k);
            f64::from(here.0 * there.0)
        });
        let expected = if own { 1.0 } else { 0.0 };
        assert!(cross.abs() < bar, "{di} {dj} {dk}: {cross}");
        assert!((same - expected).abs() < bar, "{di} {dj} {dk}: {same}");
    }
}

/// The moments in closed form against a sum over many places.
#[test]
fn moments_of_the_noise_are_those_derived() {
    let places = places(1_000_000, 1000.0, 14);
    let count = places[0].len();
    let noise = |i: usize| noise::pair(places[0][i], places[1][i], places[2][i], 5);
    let moment = |power: i32| mean((0..count).map(|i| f64::from(noise(i).1).powi(power)), count);
    assert!(moment(1).abs() < 2e-3);
    assert!((moment(2) / f64::from(noise::MEAN_SQUARE) - 1.0).abs() < 0.01);
    assert!((moment(4) / f64::from(noise::MEAN_FOURTH) - 1.0).abs() < 0.02);
}
