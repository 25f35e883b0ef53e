//! Lines of figures over time, thinned so that no extreme is lost.

/// Stretches of points without a gap; each point begins with its time in s.
pub(crate) type Runs<const N: usize> = Vec<Vec<[f64; N]>>;

/// Collects points into runs.
pub(crate) struct Collector<const N: usize> {
    runs: Runs<N>,
    is_open: bool,
}

impl<const N: usize> Collector<N> {
    pub(crate) fn new() -> Self {
        Self {
            runs: Vec::new(),
            is_open: false,
        }
    }

    /// The next point, or a gap. What is not finite is a gap too.
    pub(crate) fn push(&mut self, point: Option<[f64; N]>) {
        let Some(point) = point.filter(|p| p.iter().all(|v| v.is_finite())) else {
            self.is_open = false;
            return;
        };
        match self.runs.last_mut() {
            Some(run) if self.is_open => run.push(point),
            _ => self.runs.push(vec![point]),
        }
        self.is_open = true;
    }

    pub(crate) fn finish(self) -> Runs<N> {
        self.runs
    }
}

/// Of each `bucket_s` seconds of each run the first and last point and those where a figure is
/// smallest and greatest: what is drawn a bucket a pixel looks the same.
pub(crate) fn thinned<const N: usize>(runs: &[Vec<[f64; N]>], bucket_s: f64) -> Runs<N> {
    runs.iter().map(|run| thinned_run(run, bucket_s)).collect()
}

fn thinned_run<const N: usize>(run: &[[f64; N]], bucket_s: f64) -> Vec<[f64; N]> {
    let bucket_of = |point: &[f64; N]| (point[0] / bucket_s).floor();
    run.chunk_by(|a, b| bucket_of(a) == bucket_of(b))
        .flat_map(extremes)
        .collect()
}

/// The first, the last and the extreme points, each once, in their order.
fn extremes<const N: usize>(points: &[[f64; N]]) -> Vec<[f64; N]> {
    let mut kept = vec![0, points.len() - 1];
    for figure in 1..N {
        let by = |&a: &usize, &b: &usize| points[a][figure].total_cmp(&points[b][figure]);
        kept.extend((0..points.len()).min_by(by));
        kept.extend((0..points.len()).max_by(by));
    }
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|at| points[at]).collect()
}

/// The greatest of a figure.
pub(crate) fn peak<const N: usize>(runs: &[Vec<[f64; N]>], figure: usize) -> Option<f64> {
    runs.iter()
        .flatten()
        .map(|point| point[figure])
        .max_by(f64::total_cmp)
}

/// Plain mean of a figure over the points.
pub(crate) fn mean<const N: usize>(runs: &[Vec<[f64; N]>], figure: usize) -> Option<f64> {
    let count: usize = runs.iter().map(Vec::len).sum();
    let sum: f64 = runs.iter().flatten().map(|point| point[figure]).sum();
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_and_what_is_not_finite_begin_a_new_run() {
        let mut collector = Collector::<2>::new();
        for point in [
            Some([0.0, 1.0]),
            Some([1.0, 1.0]),
            None,
            None,
            Some([3.0, 1.0]),
            Some([4.0, f64::NAN]),
            Some([5.0, 1.0]),
        ] {
            collector.push(point);
        }
        let lengths: Vec<usize> = collector.finish().iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 1, 1]);
    }

    #[test]
    fn thinning_keeps_ends_and_extremes_and_little_else() {
        let point = |i: i32| [f64::from(i) * 0.01, f64::from((i * 7919) % 1009)];
        let mut run: Vec<[f64; 2]> = (0..100_000).map(point).collect();
        run[54_321][1] = 9e9;
        run[12_345][1] = -9e9;
        let thin = thinned(std::slice::from_ref(&run), 2.0);
        assert!(thin[0].len() <= 4 * 500, "{}", thin[0].len());
        for at in [0, 99_999, 54_321, 12_345] {
            assert!(thin[0].contains(&run[at]), "{at}");
        }
        assert!(thin[0].windows(2).all(|w| w[0][0] < w[1][0]));
        assert_eq!(peak(&thin, 1), peak(&[run], 1));
    }
}
