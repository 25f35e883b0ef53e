//! Thinning to one-voxel lines, from the wall inward, that keeps connected parts and tunnels.
//!
//! A voxel may go if it is *simple*: one part of vessel and one part of outside round it, so that
//! nothing is torn or filled (Malandain & Bertrand 1992, for vessel voxels that touch at corners and
//! outside voxels that touch at faces). Taking them in order of their distance to the wall (Pudney,
//! Computer Vision and Image Understanding 72, 1998) leaves lines in the middle. Voxels at the end
//! of a line stay.

use super::voxels::{CENTER, VoxelSet};
use super::wall::Wall;

/// Distance classes per voxel edge.
const CLASSES_PER_VOXEL: f32 = 8.0;

/// Thins the set down to lines (and, round hollows, shells).
pub(super) fn thin<F>(wall: &Wall<'_, F>, mut set: VoxelSet) -> VoxelSet {
    let distances_mm = wall_distances(wall, &set);
    leave_wall(&mut set, &distances_mm);
    let per_mm = CLASSES_PER_VOXEL / set.step_mm() as f32;
    let classes = distances_mm.iter().map(|d| (d * per_mm) as u32).collect();
    Thinning::new(set, classes).run()
}

/// Takes away voxels nearer to the wall than half a voxel's diagonal. Two that touch and stay are
/// together farther from the wall than from each other, so no wall, however thin the gap it
/// encloses, lies between them.
fn leave_wall(set: &mut VoxelSet, distances_mm: &[f32]) {
    let nearest_mm = (0.5 * 3_f64.sqrt() * set.step_mm()) as f32;
    let near: Vec<u32> = set
        .iter()
        .filter(|&voxel| distances_mm[voxel as usize] <= nearest_mm)
        .collect();
    near.into_iter().for_each(|voxel| set.remove(voxel));
}

/// Distance of each voxel to the wall, mm, by voxel number: from voxel to voxel the news of the
/// nearest triangle spreads, nearest first.
fn wall_distances<F>(wall: &Wall<'_, F>, set: &VoxelSet) -> Vec<f32> {
    let mut distances_mm = vec![f32::INFINITY; set.slots()];
    let mut triangles = vec![u32::MAX; set.slots()];
    let per_mm = CLASSES_PER_VOXEL / set.step_mm() as f32;
    let mut waiting = Buckets::default();
    for voxel in set.iter() {
        if is_border(set.neighbourhood(voxel)) {
            let (triangle, distance) = wall
                .nearest(set.center(voxel), f64::INFINITY)
                .unwrap_or((0, 0.0));
            distances_mm[voxel as usize] = distance as f32;
            triangles[voxel as usize] = triangle;
            waiting.push((distance as f32 * per_mm) as usize, voxel);
        }
    }
    while let Some((class, voxel)) = waiting.pop() {
        if ((distances_mm[voxel as usize] * per_mm) as usize) < class {
            continue;
        }
        let triangle = triangles[voxel as usize];
        set.for_each_face_neighbour(voxel, |neighbour| {
            if triangles[neighbour as usize] == triangle {
                return;
            }
            let distance = wall.distance_to(triangle, set.center(neighbour)) as f32;
            if distance < distances_mm[neighbour as usize] {
                distances_mm[neighbour as usize] = distance;
                triangles[neighbour as usize] = triangle;
                waiting.push(((distance * per_mm) as usize).max(class), neighbour);
            }
        });
    }
    distances_mm
}

/// First come, first served within a class; classes in rising order.
#[derive(Default)]
struct Buckets {
    classes: Vec<Vec<u32>>,
    current: usize,
    taken: usize,
}

impl Buckets {
    fn push(&mut self, class: usize, voxel: u32) {
        if self.classes.len() <= class {
            self.classes.resize_with(class + 1, Vec::new);
        }
        self.classes[class].push(voxel);
    }

    fn pop(&mut self) -> Option<(usize, u32)> {
        while let Some(bucket) = self.classes.get_mut(self.current) {
            if let Some(&voxel) = bucket.get(self.taken) {
                self.taken += 1;
                return Some((self.current, voxel));
            }
            *bucket = Vec::new();
            self.current += 1;
            self.taken = 0;
        }
        None
    }
}

struct Thinning {
    set: VoxelSet,
    classes: Vec<u32>,
    /// The last round in which a voxel was lined up, so that it is lined up once.
    lined_up: Vec<u32>,
    round: u32,
    shape: Neighbourhoods,
}

impl Thinning {
    fn new(set: VoxelSet, classes: Vec<u32>) -> Self {
        Self {
            lined_up: vec![0; classes.len()],
            round: 0,
            shape: Neighbourhoods::new(),
            set,
            classes,
        }
    }

    fn run(mut self) -> VoxelSet {
        let mut by_class: Vec<Vec<u32>> = Vec::new();
        for voxel in self.set.iter() {
            let class = self.classes[voxel as usize] as usize;
            if by_class.len() <= class {
                by_class.resize_with(class + 1, Vec::new);
            }
            by_class[class].push(voxel);
        }
        for (class, voxels) in by_class.into_iter().enumerate() {
            self.thin_class(class as u32, voxels);
        }
        self.set
    }

    /// Peels in rounds: only what could go at the round's start goes in it. Otherwise a plateau of
    /// equal distance would be eaten from one side and its line come to lie at the other.
    fn thin_class(&mut self, class: u32, mut voxels: Vec<u32>) {
        while !voxels.is_empty() {
            self.round += 1;
            voxels.retain(|&voxel| self.may_go(voxel));
            let mut next = Vec::new();
            for &voxel in &voxels {
                if self.may_go(voxel) {
                    self.set.remove(voxel);
                    self.line_up_neighbours(voxel, class, &mut next);
                }
            }
            next.retain(|&voxel| self.set.neighbourhood(voxel) & CENTER != 0);
            voxels = next;
        }
    }

    fn line_up_neighbours(&mut self, voxel: u32, class: u32, next: &mut Vec<u32>) {
        self.set.for_each_neighbour(voxel, |neighbour| {
            let due = self.classes[neighbour as usize] <= class
                && self.lined_up[neighbour as usize] != self.round;
            if due {
                self.lined_up[neighbour as usize] = self.round;
                next.push(neighbour);
            }
        });
    }

    fn may_go(&self, voxel: u32) -> bool {
        let around = self.set.neighbourhood(voxel) & !CENTER;
        around.count_ones() > 1 && self.shape.is_simple(around)
    }
}

fn is_border(around: u32) -> bool {
    around & FACES != FACES
}

/// The six voxels that share a face with the middle one.
const FACES: u32 = 1 << 4 | 1 << 10 | 1 << 12 | 1 << 14 | 1 << 16 | 1 << 22;

/// Which of the 27 places touch which.
struct Neighbourhoods {
    /// At faces, edges or corners.
    touching: [u32; 27],
    /// At faces, among the 18 places that share a face or edge with the middle.
    facing: [u32; 27],
    near: u32,
}

impl Neighbourhoods {
    fn new() -> Self {
        let at = |n: usize| [n % 3, n / 3 % 3, n / 9];
        let steps = |a: usize, b: usize| {
            std::array::from_fn::<usize, 3, _>(|i| at(a)[i].abs_diff(at(b)[i]))
        };
        let near = places(|n| n != 13 && steps(n, 13).iter().sum::<usize>() <= 2);
        Self {
            touching: std::array::from_fn(|a| {
                places(|b| b != a && b != 13 && steps(a, b).iter().all(|&s| s <= 1))
            }),
            facing: std::array::from_fn(|a| {
                places(|b| steps(a, b).iter().sum::<usize>() == 1) & near
            }),
            near,
        }
    }

    /// Whether the middle voxel, with these others round it, can go without a change of parts,
    /// tunnels or hollows.
    fn is_simple(&self, around: u32) -> bool {
        let outside_faces = !around & FACES;
        if around == 0 || outside_faces == 0 {
            return false;
        }
        let outside = !around & self.near;
        spread(around, lowest(around), &self.touching) == around
            && spread(outside, lowest(outside_faces), &self.facing) & FACES == outside_faces
    }
}

fn places(chosen: impl Fn(usize) -> bool) -> u32 {
    (0..27)
        .filter(|&n| chosen(n))
        .fold(0, |bits, n| bits | 1 << n)
}

fn lowest(bits: u32) -> u32 {
    bits & bits.wrapping_neg()
}

/// What can be reached from `seed` within `allowed`.
fn spread(allowed: u32, seed: u32, neighbours: &[u32; 27]) -> u32 {
    let (mut reached, mut fresh) = (seed, seed);
    while fresh != 0 {
        let place = fresh.trailing_zeros() as usize;
        fresh &= fresh - 1;
        let new = neighbours[place] & allowed & !reached;
        reached |= new;
        fresh |= new;
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(places: &[[i32; 3]]) -> u32 {
        places.iter().fold(0, |bits, [x, y, z]| {
            bits | 1 << ((x + 1) + 3 * (y + 1) + 9 * (z + 1))
        })
    }

    #[test]
    fn simple_voxels_by_hand() {
        let shape = Neighbourhoods::new();
        // The end of a line, the middle of a line, a corner beside two that touch.
        assert!(shape.is_simple(bits(&[[1, 0, 0]])));
        assert!(!shape.is_simple(bits(&[[1, 0, 0], [-1, 0, 0]])));
        assert!(shape.is_simple(bits(&[[1, 0, 0], [0, 1, 0]])));
        // Alone, and deep inside.
        assert!(!shape.is_simple(0));
        assert!(!shape.is_simple(0x7ff_ffff & !CENTER));
        // In a flat sheet: going would open a tunnel. At the sheet's rim: fine.
        let sheet: Vec<[i32; 3]> = (-1..=1)
            .flat_map(|x| (-1..=1).map(move |y| [x, y, 0]))
            .filter(|&p| p != [0, 0, 0])
            .collect();
        assert!(!shape.is_simple(bits(&sheet)));
        let half: Vec<[i32; 3]> = sheet.into_iter().filter(|p| p[0] >= 0).collect();
        assert!(shape.is_simple(bits(&half)));
    }
}
