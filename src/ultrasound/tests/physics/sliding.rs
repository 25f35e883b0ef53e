//! Tissue that slides along other tissue, tracked in the picture.

use std::sync::Arc;

use equipment::Console;
use rayon::ThreadPoolBuilder;
use ultrasound::displacement::{Displacement, Field};
use ultrasound::engine::{Imager, Medium, View};
use ultrasound::frame::Look;

use crate::scene::{self, FLUID, Sound, boxes, focused, mark, probe};

const TISSUE: Sound = Sound {
    scatters: true,
    ..FLUID
};

/// A wall that the face rests in, an organ under it, and in that a lesion.
const BOXES: [([f32; 3], [f32; 3]); 3] = [
    ([-400.0, -400.0, -100.0], [400.0, 400.0, 400.0]),
    ([-300.0, -300.0, 14.0], [300.0, 300.0, 390.0]),
    ([-5.0, -20.0, 24.0], [5.0, 20.0, 34.0]),
];

/// What the organ does: along the scan, and from the face, mm; the deeper the farther.
fn organ_mm([_, _, z]: [f32; 3]) -> [f32; 3] {
    [3.1, 0.0, 1.0 + 0.02 * (z - 24.0)]
}

fn field(of: impl Fn([f32; 3]) -> [f32; 3]) -> Field {
    let (low, step, nodes) = (-100.0f32, 5.0f32, 101usize);
    let values = (0..nodes).map(|n| of([0.0, 0.0, low + step * n as f32]));
    let field = Field::new(
        [0.0, 0.0, f64::from(low)],
        [1.0, 1.0, f64::from(step)],
        [1, 1, nodes],
        values.collect(),
    );
    field.expect("as many values as nodes")
}

/// The wall stays, organ and lesion slide along it.
fn slid() -> (Medium, Arc<Displacement>) {
    let mut medium = boxes(TISSUE, &BOXES);
    let moved = |index: usize| -> Vec<[f32; 3]> {
        let (low, high) = BOXES[index];
        let mesh = scene::box_mesh(low, high);
        let vertices = mesh.vertices().iter();
        let go = |v: &[f32; 3]| {
            let by = if index == 0 { [0.0; 3] } else { organ_mm(*v) };
            [v[0] + by[0], v[1] + by[1], v[2] + by[2]]
        };
        vertices.map(go).collect()
    };
    medium
        .follow(&[moved(0), moved(1), moved(2)])
        .expect("the boxes' own vertices");
    let fields = vec![field(|_| [0.0; 3]), field(organ_mm)];
    let displacement = Displacement::layered(fields, vec![0, 1, 1]).expect("two layers");
    (medium, Arc::new(displacement))
}

fn console() -> Console {
    Console {
        depth_mm: 45.0,
        samples: 1200,
        lines: 160,
        width: 0.8,
        ..focused(28.0, Some(2.5), Some(1.5))
    }
}

fn look(imager: &mut Imager, medium: &Medium, view: &View) -> Look {
    imager.frame(medium, view).looks.remove(0)
}

/// By how many lines and samples a patch's speckle has moved: the peak of the envelopes'
/// normalised correlation.
fn tracked(before: &Look, now: &Look, lines: (i64, i64), samples: (i64, i64)) -> [f64; 2] {
    let grid = &before.grid;
    let value = |look: &Look, line: i64, sample: i64| {
        f64::from(look.envelope[line as usize * grid.samples + sample as usize])
    };
    let places = || (lines.0..lines.1).flat_map(|l| (samples.0..samples.1).map(move |s| (l, s)));
    let count = places().count() as f64;
    let mean = |look: &Look, by: (i64, i64)| {
        places()
            .map(|(l, s)| value(look, l + by.0, s + by.1))
            .sum::<f64>()
            / count
    };
    let before_mean = mean(before, (0, 0));
    let correlation = |by: (i64, i64)| {
        let now_mean = mean(now, by);
        let (mut both, mut power) = (0.0, 0.0);
        for (l, s) in places() {
            let b = value(now, l + by.0, s + by.1) - now_mean;
            both += (value(before, l, s) - before_mean) * b;
            power += b * b;
        }
        both / power.sqrt()
    };
    let lags = || (-20..=20).flat_map(|l| (-60..=60).step_by(2).map(move |s| (l, s)));
    let best = lags()
        .max_by(|&a, &b| correlation(a).total_cmp(&correlation(b)))
        .expect("there are lags");
    let peak = |step: (i64, i64)| {
        let at = |n: i64| correlation((best.0 + n * step.0, best.1 + n * step.1));
        let [a, b, c] = [at(-1), at(0), at(1)];
        0.5 * (a - c) / (a - 2.0 * b + c)
    };
    [
        best.0 as f64 + peak((1, 0)),
        best.1 as f64 + 2.0 * peak((0, 2)),
    ]
}

#[test]
fn a_lesion_and_the_speckle_round_it_move_together() {
    const BAR_MM: f64 = 0.3;
    let mut imager = Imager::new(probe("L11-5v"), &console()).expect("a good setting");
    let before = look(&mut imager, &boxes(TISSUE, &BOXES), &scene::at(0.0));
    let (medium, displacement) = slid();
    let view = View {
        displacement: Some(displacement),
        ..scene::at(0.0)
    };
    let now = look(&mut imager, &medium, &view);
    let grid = &before.grid;
    let mut misses = Vec::new();
    for (name, x_mm, z_mm, moves) in [
        ("in the lesion", 0.0, 29.0, true),
        ("beside the lesion", -8.0, 29.0, true),
        ("in the wall", 0.0, 7.0, false),
    ] {
        let line = (x_mm / grid.pitch + grid.lines as f64 / 2.0) as i64;
        let sample = (z_mm / grid.sample_mm) as i64;
        let reach = ((3.0 / grid.pitch) as i64, (3.0 / grid.sample_mm) as i64);
        let [by_lines, by_samples] = tracked(
            &before,
            &now,
            (line - reach.0, line + reach.0),
            (sample - reach.1, sample + reach.1),
        );
        let found = [by_lines * grid.pitch, by_samples * grid.sample_mm];
        let by = organ_mm([0.0, 0.0, z_mm as f32]).map(f64::from);
        let wanted = if moves { [by[0], by[2]] } else { [0.0; 2] };
        let off = (found[0] - wanted[0]).hypot(found[1] - wanted[1]);
        println!(
            "figure: speckle {name}, tracked in the picture after the organ slid by {:.2} mm and {:.2} mm, off its surface's motion | at most {BAR_MM} mm | {off:.3} mm ({})",
            by[0],
            by[2],
            mark(off <= BAR_MM)
        );
        if off > BAR_MM {
            misses.push(format!("{name}: {found:?}, wanted {wanted:?}"));
        }
    }
    assert!(misses.is_empty(), "{misses:?}");
}

#[test]
fn sliding_tissue_makes_the_same_bytes_with_any_number_of_threads() {
    let (medium, displacement) = slid();
    let view = View {
        displacement: Some(displacement),
        ..scene::at(0.3)
    };
    let [one, two] = [1, 2].map(|threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| {
            let mut imager = Imager::new(probe("L11-5v"), &console()).expect("a good setting");
            look(&mut imager, &medium, &view).envelope
        })
    });
    let bits = |list: &[f32]| list.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert!(bits(&one) == bits(&two));
}

#[test]
fn a_medium_that_goes_back_is_as_before() {
    let before = boxes(TISSUE, &BOXES);
    let (mut medium, _) = slid();
    let resting: Vec<Vec<[f32; 3]>> = BOXES
        .iter()
        .map(|&(low, high)| scene::box_mesh(low, high).vertices().to_vec())
        .collect();
    medium.follow(&resting).expect("its own vertices");
    let mut imager = Imager::new(probe("L11-5v"), &console()).expect("a good setting");
    let [a, b] = [&before, &medium].map(|m| look(&mut imager, m, &scene::at(0.0)).envelope);
    assert!(a == b);
    let wrong = vec![vec![[0.0; 3]; 3]; 3];
    assert!(medium.follow(&wrong).is_err());
}
