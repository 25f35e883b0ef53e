//! From raw hits to crossings: sorted along the ray, media resolved.

use crate::frame::Vector;

use super::ray::{Line, STEPS_PER_MM, StartFrom};
use super::triangle::Meeting;
use super::{Span, SurfaceId};

/// One passage of a ray through one surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossing {
    /// Distance from the ray's origin, mm; a multiple of 2⁻²⁰.
    pub t_mm: f64,
    /// The triangle's unit normal, facing outward.
    pub normal: [f32; 3],
    /// Weights of the triangle's second and third corner; the first one's is the rest to 1.
    pub barycentric: [f32; 2],
    /// The triangle, counted within its surface.
    pub triangle: u32,
    /// The surface.
    pub surface: SurfaceId,
    /// Which surface's medium the ray is in before; `None` outside all.
    pub before: Option<SurfaceId>,
    /// Which surface's medium the ray is in after. Equal to `before` where a surface of higher
    /// priority hides this one.
    pub after: Option<SurfaceId>,
    /// Whether the ray goes from the surface's outside to its inside.
    pub entering: bool,
}

impl Crossing {
    /// Whether the medium stays the same.
    pub fn is_hidden(&self) -> bool {
        self.before == self.after
    }
    /// The normal in the scene's frame.
    pub fn normal_in<F>(&self) -> Vector<F> {
        Vector::from_f32(self.normal)
    }
    /// Weights of all three corners.
    pub fn weights(&self) -> [f64; 3] {
        let [second, third] = self.barycentric.map(f64::from);
        [1.0 - second - third, second, third]
    }
}

/// Rays per chunk: what one thread works on at a time.
pub(super) const CHUNK_RAYS: usize = 1024;

/// The crossings of every ray of a bundle. Reuse it: the next cast takes over the memory.
#[derive(Debug)]
pub struct Crossings<F> {
    chunks: Vec<Chunk<F>>,
    rays: usize,
}

impl<F> Default for Crossings<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F> Crossings<F> {
    /// Empty.
    pub const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            rays: 0,
        }
    }

    /// How many rays were cast.
    pub fn ray_count(&self) -> usize {
        self.rays
    }

    /// How many crossings all rays have together.
    pub fn crossing_count(&self) -> usize {
        self.used().iter().map(|chunk| chunk.crossings.len()).sum()
    }

    /// The crossings of ray `ray` in order; empty if there is no such ray.
    pub fn of_ray(&self, ray: usize) -> &[Crossing] {
        match self.used().get(ray / CHUNK_RAYS) {
            Some(chunk) => chunk.of_ray(ray % CHUNK_RAYS),
            None => &[],
        }
    }

    /// The medium at the origin of ray `ray`; `None` outside everything.
    pub fn start_of_ray(&self, ray: usize) -> Option<SurfaceId> {
        let chunk = self.used().get(ray / CHUNK_RAYS)?;
        *chunk.starts.get(ray % CHUNK_RAYS)?
    }

    /// Every ray's crossings, in the order of the rays.
    pub fn iter(&self) -> impl Iterator<Item = &[Crossing]> {
        (0..self.rays).map(|ray| self.of_ray(ray))
    }

    fn used(&self) -> &[Chunk<F>] {
        &self.chunks[..self.rays.div_ceil(CHUNK_RAYS)]
    }

    pub(super) fn prepare(&mut self, rays: usize) -> &mut [Chunk<F>] {
        self.rays = rays;
        let needed = rays.div_ceil(CHUNK_RAYS);
        if self.chunks.len() < needed {
            self.chunks.resize_with(needed, Chunk::default);
        }
        &mut self.chunks[..needed]
    }
}

/// Up to [`CHUNK_RAYS`] rays' results, and the memory used on the way to them.
#[derive(Debug)]
pub(super) struct Chunk<F> {
    crossings: Vec<Crossing>,
    /// For each ray, where its crossings end.
    ends: Vec<u32>,
    starts: Vec<Option<SurfaceId>>,
    /// Raw hits of each ray of a packet.
    pub hits: [Hits; 8],
    pub queue: Queue,
    nest: Nest,
    frame: std::marker::PhantomData<F>,
}

/// What is still to be visited of a tree.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub nodes: Vec<u32>,
    pub blocks: Vec<u32>,
}

impl<F> Default for Chunk<F> {
    fn default() -> Self {
        Self {
            crossings: Vec::new(),
            ends: Vec::new(),
            starts: Vec::new(),
            hits: Default::default(),
            queue: Queue::default(),
            nest: Nest::default(),
            frame: std::marker::PhantomData,
        }
    }
}

impl<F> Chunk<F> {
    pub fn clear(&mut self) {
        self.crossings.clear();
        self.ends.clear();
        self.starts.clear();
    }

    fn of_ray(&self, ray: usize) -> &[Crossing] {
        let Some(&end) = self.ends.get(ray) else {
            return &[];
        };
        let start = ray.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.crossings[start as usize..end as usize]
    }

    /// Turns the raw hits in `lane` into the next ray's crossings.
    /// `corners` finds a triangle's corners by what was recorded as its place.
    #[inline(always)]
    pub fn finish_ray(
        &mut self,
        lane: usize,
        line: &Line,
        spans: &[Span],
        ranks: &Ranks,
        corners: impl Fn(u32) -> [[f32; 3]; 3],
    ) {
        let hits = &mut self.hits[lane];
        hits.sort();
        self.nest.begin(line, hits, ranks);
        self.starts.push(self.nest.medium(ranks));
        let mut before = self.nest.medium(ranks);
        for hit in &hits.kept {
            self.nest.pass(ranks.rank_of(hit.surface()), hit.sign());
            let after = self.nest.medium(ranks);
            let normal = normal(line, corners(hit.place), hit.entering());
            self.crossings
                .push(hit.crossing(normal, spans, before, after));
            before = after;
        }
        self.nest.end(hits, ranks);
        hits.clear();
        self.ends.push(self.crossings.len() as u32);
    }
}

/// A kept hit: 46 bits of steps along the ray, 1 bit for leaving, 16 bits of surface.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hit {
    key: u64,
    /// In the scene's list.
    triangle: u32,
    /// Where its corners are found again.
    place: u32,
    barycentric: [f32; 2],
}

const LEAVING: u64 = 1 << 16;

impl Hit {
    #[inline(always)]
    fn surface(&self) -> u16 {
        self.key as u16
    }
    #[inline(always)]
    fn entering(&self) -> bool {
        self.key & LEAVING == 0
    }
    #[inline(always)]
    fn sign(&self) -> i32 {
        if self.entering() { 1 } else { -1 }
    }
    #[inline(always)]
    fn is_before(&self, other: &Self) -> bool {
        self.key < other.key || (self.key == other.key && self.triangle < other.triangle)
    }
    fn order(&self) -> (u64, u32) {
        (self.key, self.triangle)
    }

    #[inline(always)]
    fn crossing(
        &self,
        normal: [f32; 3],
        spans: &[Span],
        before: Option<SurfaceId>,
        after: Option<SurfaceId>,
    ) -> Crossing {
        let surface = self.surface();
        Crossing {
            t_mm: (self.key >> 17) as f64 * (1.0 / STEPS_PER_MM),
            normal,
            barycentric: self.barycentric,
            triangle: self.triangle - spans[usize::from(surface)].first_triangle,
            surface: SurfaceId(surface),
            before,
            after,
            entering: self.entering(),
        }
    }
}

/// Unit normal of a triangle; against or along the line where the triangle has no area.
#[inline(always)]
fn normal(line: &Line, corners: [[f32; 3]; 3], entering: bool) -> [f32; 3] {
    let [a, b, c] = corners.map(|p| p.map(f64::from));
    let (u, v) = (
        [b[0] - a[0], b[1] - a[1], b[2] - a[2]],
        [c[0] - a[0], c[1] - a[1], c[2] - a[2]],
    );
    let n = [
        u[1] * v[2] - u[2] * v[1],
        u[2] * v[0] - u[0] * v[2],
        u[0] * v[1] - u[1] * v[0],
    ];
    let squared = n[0] * n[0] + n[1] * n[1] + n[2] * n[2];
    if squared < f64::MIN_POSITIVE {
        let sign = if entering { -1.0 } else { 1.0 };
        return line.direction.map(|d| (sign * d) as f32);
    }
    let per_length = 1.0 / squared.sqrt();
    n.map(|component| (component * per_length) as f32)
}

/// Where a hit comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub surface: u16,
    /// In the scene's list.
    pub triangle: u32,
    /// Where its corners are found again when all hits are sorted.
    pub place: u32,
}

/// One ray's raw hits in any order.
#[derive(Debug, Default)]
pub(super) struct Hits {
    kept: Vec<Hit>,
    /// Surface and change of winding for passes that only tell the medium at the origin.
    aside: Vec<(u16, i32)>,
}

impl Hits {
    /// Sorts a meeting into what is kept and what only counts for the start.
    #[inline(always)]
    pub fn record(&mut self, line: &Line, of: Origin, meeting: &Meeting) {
        let ahead = meeting.steps >= 0.0;
        if ahead && meeting.steps <= line.end_steps {
            let leaving = if meeting.entering { 0 } else { LEAVING };
            self.kept.push(Hit {
                key: ((meeting.steps as i64 as u64) << 17) | leaving | u64::from(of.surface),
                triangle: of.triangle,
                place: of.place,
                barycentric: meeting.barycentric,
            });
        } else if ahead == (line.start_from == StartFrom::Ahead) {
            // Winding at the origin = passes inward behind it = passes outward ahead of it.
            let inward = meeting.entering != ahead;
            self.aside.push((of.surface, if inward { 1 } else { -1 }));
        }
    }

    /// By insertion: the hits are few and come nearly in order.
    #[inline(always)]
    fn sort(&mut self) {
        const FEW: usize = 40;
        let kept = &mut self.kept[..];
        if kept.len() > FEW {
            kept.sort_unstable_by_key(Hit::order);
            return;
        }
        for next in 1..kept.len() {
            let hit = kept[next];
            let mut hole = next;
            while hole > 0 && hit.is_before(&kept[hole - 1]) {
                kept[hole] = kept[hole - 1];
                hole -= 1;
            }
            kept[hole] = hit;
        }
    }

    fn clear(&mut self) {
        self.kept.clear();
        self.aside.clear();
    }

    pub fn take_aside(self) -> Vec<(u16, i32)> {
        self.aside
    }
}

/// The surfaces' order of precedence: rank 0 fills its place against all others.
#[derive(Clone, Debug)]
pub(super) struct Ranks {
    rank_of: Vec<u16>,
    surface_at: Vec<SurfaceId>,
}

impl Ranks {
    pub fn new(priorities: impl Iterator<Item = i32>) -> Self {
        let priorities: Vec<i32> = priorities.collect();
        let mut order: Vec<u16> = (0..priorities.len() as u16).collect();
        order.sort_by_key(|&id| (std::cmp::Reverse(priorities[usize::from(id)]), id));
        let mut rank_of = vec![0; order.len()];
        for (rank, &id) in order.iter().enumerate() {
            rank_of[usize::from(id)] = rank as u16;
        }
        Self {
            rank_of,
            surface_at: order.into_iter().map(SurfaceId).collect(),
        }
    }
    #[inline(always)]
    pub fn rank_of(&self, surface: u16) -> u16 {
        self.rank_of[usize::from(surface)]
    }
    #[inline(always)]
    pub fn surface_at(&self, rank: u16) -> SurfaceId {
        self.surface_at[usize::from(rank)]
    }
}

/// Which surfaces the ray is inside of at the moment.
#[derive(Debug, Default)]
struct Nest {
    /// By rank; all 0 between rays.
    windings: Vec<i32>,
    /// Bit = rank, set where the winding is positive.
    inside: Vec<u64>,
}

impl Nest {
    #[inline(always)]
    fn begin(&mut self, line: &Line, hits: &Hits, ranks: &Ranks) {
        let surfaces = ranks.rank_of.len();
        if self.windings.len() < surfaces {
            self.windings.resize(surfaces, 0);
            self.inside.resize(surfaces.div_ceil(64), 0);
        }
        for &(surface, winding) in &hits.aside {
            self.pass(ranks.rank_of(surface), winding);
        }
        if line.start_from == StartFrom::Ahead {
            for hit in &hits.kept {
                self.pass(ranks.rank_of(hit.surface()), -hit.sign());
            }
        }
    }

    #[inline(always)]
    fn pass(&mut self, rank: u16, change: i32) {
        let winding = &mut self.windings[usize::from(rank)];
        *winding += change;
        let (word, bit) = (usize::from(rank) / 64, rank % 64);
        let inside = u64::from(*winding > 0);
        self.inside[word] = (self.inside[word] & !(1 << bit)) | (inside << bit);
    }

    #[inline(always)]
    fn medium(&self, ranks: &Ranks) -> Option<SurfaceId> {
        let word = self.inside.iter().position(|&word| word != 0)?;
        let rank = 64 * word + self.inside[word].trailing_zeros() as usize;
        Some(ranks.surface_at[rank])
    }

    #[inline(always)]
    fn end(&mut self, hits: &Hits, ranks: &Ranks) {
        let surfaces = hits.kept.iter().map(Hit::surface);
        for surface in surfaces.chain(hits.aside.iter().map(|&(surface, _)| surface)) {
            let rank = usize::from(ranks.rank_of(surface));
            self.windings[rank] = 0;
            self.inside[rank / 64] &= !(1 << (rank % 64));
        }
    }
}
