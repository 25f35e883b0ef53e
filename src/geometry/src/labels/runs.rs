//! Masks as runs of voxels along i: memory grows with the surface, not with the box.

use crate::volume::Volume;

/// A mask inside an index box.
#[derive(Clone, Debug)]
pub(super) struct RunMask {
    origin: [usize; 3],
    dims: [usize; 3],
    /// Where each row's runs start in `runs`; one more entry than rows.
    row_starts: Vec<usize>,
    /// First index and the index after the last, counted from the box's origin.
    runs: Vec<[u32; 2]>,
}

impl RunMask {
    /// The voxels of a kind within an index box (both ends included).
    pub(super) fn of_box<T: Copy>(
        volume: &Volume<T>,
        min: [usize; 3],
        max: [usize; 3],
        inside: impl Fn(T) -> bool,
    ) -> Self {
        let mut mask = Self {
            origin: min,
            dims: std::array::from_fn(|a| max[a] - min[a] + 1),
            row_starts: vec![0],
            runs: Vec::new(),
        };
        for k in min[2]..=max[2] {
            for j in min[1]..=max[1] {
                let start = volume.index([min[0], j, k]);
                mask.push_row(&volume.voxels[start..start + mask.dims[0]], &inside);
            }
        }
        mask
    }

    fn push_row<T: Copy>(&mut self, row: &[T], inside: impl Fn(T) -> bool) {
        let mut start = 0;
        for chunk in row.chunk_by(|&a, &b| inside(a) == inside(b)) {
            let end = start + chunk.len();
            if inside(chunk[0]) {
                self.runs.push([start as u32, end as u32]);
            }
            start = end;
        }
        self.row_starts.push(self.runs.len());
    }

    pub(super) fn dims(&self) -> [usize; 3] {
        self.dims
    }
    pub(super) fn origin(&self) -> [usize; 3] {
        self.origin
    }
    pub(super) fn voxels(&self) -> u64 {
        self.runs.iter().map(run_length).sum()
    }

    /// Writes slice k as 1 inside, 0 outside.
    pub(super) fn fill_slice(&self, k: usize, slice: &mut [f32]) {
        slice.fill(0.0);
        for (j, row) in slice.chunks_exact_mut(self.dims[0]).enumerate() {
            for &[start, end] in &self.runs[self.row(j + k * self.dims[1])] {
                row[start as usize..end as usize].fill(1.0);
            }
        }
    }

    fn row(&self, n: usize) -> std::ops::Range<usize> {
        self.row_starts[n]..self.row_starts[n + 1]
    }

    /// Takes out face-connected groups of fewer than `min_voxels`; returns how many groups there
    /// were before.
    pub(super) fn drop_islands(&mut self, min_voxels: u64) -> usize {
        let roots = self.component_roots();
        let mut sizes = vec![0_u64; self.runs.len()];
        for (run, &root) in self.runs.iter().zip(&roots) {
            sizes[root as usize] += run_length(run);
        }
        let groups = sizes.iter().filter(|&&size| size > 0).count();
        if sizes.iter().any(|&size| size > 0 && size < min_voxels) {
            self.keep_runs(|n| sizes[roots[n] as usize] >= min_voxels);
        }
        groups
    }

    fn keep_runs(&mut self, keep: impl Fn(usize) -> bool) {
        let mut kept = Vec::new();
        let mut starts = vec![0];
        for row in 0..self.row_starts.len() - 1 {
            kept.extend(self.row(row).filter(|&n| keep(n)).map(|n| self.runs[n]));
            starts.push(kept.len());
        }
        self.runs = kept;
        self.row_starts = starts;
    }

    /// For each run the first run of its face-connected group.
    fn component_roots(&self) -> Vec<u32> {
        let mut parent: Vec<u32> = (0..self.runs.len() as u32).collect();
        let height = self.dims[1];
        for row in 0..self.row_starts.len() - 1 {
            if row % height != 0 {
                self.join_rows(row - 1, row, &mut parent);
            }
            if row >= height {
                self.join_rows(row - height, row, &mut parent);
            }
        }
        (0..parent.len() as u32)
            .map(|n| find_root(&mut parent, n))
            .collect()
    }

    fn join_rows(&self, a: usize, b: usize, parent: &mut [u32]) {
        let (mut m, mut n) = (self.row(a), self.row(b));
        while !m.is_empty() && !n.is_empty() {
            let ([a_start, a_end], [b_start, b_end]) = (self.runs[m.start], self.runs[n.start]);
            if a_start < b_end && b_start < a_end {
                let (x, y) = (
                    find_root(parent, m.start as u32),
                    find_root(parent, n.start as u32),
                );
                parent[x.max(y) as usize] = x.min(y);
            }
            if a_end < b_end {
                m.start += 1;
            } else {
                n.start += 1;
            }
        }
    }
}

fn run_length(&[start, end]: &[u32; 2]) -> u64 {
    u64::from(end - start)
}

fn find_root(parent: &mut [u32], mut n: u32) -> u32 {
    while parent[n as usize] != n {
        parent[n as usize] = parent[parent[n as usize] as usize];
        n = parent[n as usize];
    }
    n
}
