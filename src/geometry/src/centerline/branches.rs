//! From thinned voxels to a graph, and which of its dead ends are vessels.
//!
//! Thinning leaves whiskers towards corners, facets and bumps. A dead end stays only if it leads out
//! of the balls inscribed along what is kept already, and there either runs on as a tube for a few of
//! its own radii (a thin side branch) or is at least half as wide as where it began (a stump). What
//! lies on loops or between loops always stays, and of a part without loops its longest path.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::graph::root;
use super::voxels::VoxelSet;
use super::wall::Wall;
use super::{ExtractOptions, Vec3, unit};

/// A rough graph at voxel accuracy.
pub(super) struct Skeleton {
    pub nodes: Vec<Vec3>,
    pub lines: Vec<Line>,
}

/// A chain of places between two nodes, both node places included.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub start: usize,
    pub end: usize,
    pub points: Vec<Vec3>,
    /// Distance to the wall at each point, mm.
    pub radii_mm: Vec<f64>,
}

impl Skeleton {
    /// Connected parts and independent loops.
    pub fn parts_and_loops(&self) -> (usize, usize) {
        let mut parts = self.part_of_nodes();
        parts.sort_unstable();
        parts.dedup();
        let parts = parts.len();
        (parts, self.lines.len() + parts - self.nodes.len())
    }

    /// For each node a node that stands for its connected part.
    fn part_of_nodes(&self) -> Vec<usize> {
        let mut parent: Vec<usize> = (0..self.nodes.len()).collect();
        for line in &self.lines {
            let (a, b) = (root(&mut parent, line.start), root(&mut parent, line.end));
            parent[a.max(b)] = a.min(b);
        }
        (0..self.nodes.len())
            .map(|n| root(&mut parent, n))
            .collect()
    }

    /// Without the parts whose wall is nowhere farther than `radius_mm`: specks along sharp edges of
    /// the lumen, where it is thinner than a voxel. The deepest part always stays.
    pub fn without_specks<F>(self, wall: &Wall<'_, F>, radius_mm: f64) -> Self {
        let part_of = self.part_of_nodes();
        let mut depth_mm = vec![0.0_f64; self.nodes.len()];
        for (node, &place) in self.nodes.iter().enumerate() {
            depth_mm[part_of[node]] = depth_mm[part_of[node]].max(wall.distance(place));
        }
        for line in &self.lines {
            let deepest = line.radii_mm.iter().copied().fold(0.0, f64::max);
            depth_mm[part_of[line.start]] = depth_mm[part_of[line.start]].max(deepest);
        }
        let least = depth_mm.iter().copied().fold(0.0, f64::max).min(radius_mm);
        let stays: Vec<bool> = part_of.iter().map(|&p| depth_mm[p] >= least).collect();
        let lines = self.lines.into_iter().filter(|l| stays[l.start]).collect();
        let nodes: Vec<usize> = (0..stays.len()).filter(|&n| stays[n]).collect();
        renumbered(&self.nodes, lines, &nodes)
    }
}

impl Line {
    fn length_mm(&self) -> f64 {
        self.points.windows(2).map(|p| (p[1] - p[0]).norm()).sum()
    }

    /// From `reach` places before to as many after.
    fn span(&self, index: usize, reach: usize) -> Vec3 {
        let after = (index + reach).min(self.points.len() - 1);
        self.points[after] - self.points[index.saturating_sub(reach)]
    }

    fn reversed(&self) -> Self {
        Self {
            start: self.end,
            end: self.start,
            points: self.points.iter().rev().copied().collect(),
            radii_mm: self.radii_mm.iter().rev().copied().collect(),
        }
    }

    fn other(&self, node: usize) -> usize {
        if self.start == node {
            self.end
        } else {
            self.start
        }
    }

    fn leaving(&self, node: usize) -> Self {
        if self.start == node {
            self.clone()
        } else {
            self.reversed()
        }
    }
}

/// The graph of the thinned voxels, whiskers included.
pub(super) fn trace<F>(wall: &Wall<'_, F>, thinned: &VoxelSet) -> Skeleton {
    Tracing::new(wall, thinned).trace()
}

/// The graph without whiskers.
pub(super) fn prune<F>(
    wall: &Wall<'_, F>,
    skeleton: Skeleton,
    options: &ExtractOptions,
) -> Skeleton {
    let kept = Selection::new(wall, &skeleton, options).kept();
    merged(skeleton, &kept)
}

/// Walks along voxels with exactly two neighbours; the others are nodes, touching ones together.
struct Tracing<'a, F> {
    wall: &'a Wall<'a, F>,
    set: &'a VoxelSet,
    neighbours: BTreeMap<u32, Vec<u32>>,
    node_of: HashMap<u32, usize>,
    used: HashSet<u32>,
    skeleton: Skeleton,
}

impl<'a, F> Tracing<'a, F> {
    fn new(wall: &'a Wall<'a, F>, set: &'a VoxelSet) -> Self {
        let around = |voxel: u32| -> Vec<u32> {
            let mut found = Vec::new();
            set.for_each_neighbour(voxel, |neighbour| found.push(neighbour));
            found
        };
        Self {
            wall,
            set,
            neighbours: set.iter().map(|voxel| (voxel, around(voxel))).collect(),
            node_of: HashMap::new(),
            used: HashSet::new(),
            skeleton: Skeleton {
                nodes: Vec::new(),
                lines: Vec::new(),
            },
        }
    }

    fn trace(mut self) -> Skeleton {
        let voxels: Vec<u32> = self.neighbours.keys().copied().collect();
        for &voxel in &voxels {
            if self.neighbours[&voxel].len() != 2 && !self.node_of.contains_key(&voxel) {
                self.add_node(voxel);
            }
        }
        for &voxel in &voxels {
            if self.node_of.contains_key(&voxel) {
                self.walk_from(voxel);
            }
        }
        // What is left are rings without a branch.
        for &voxel in &voxels {
            if !self.node_of.contains_key(&voxel) && !self.used.contains(&voxel) {
                self.add_node(voxel);
                self.walk_from(voxel);
            }
        }
        self.skeleton
    }

    /// A node of all voxels that touch `voxel` through voxels with three or more neighbours.
    fn add_node(&mut self, voxel: u32) {
        let node = self.skeleton.nodes.len();
        let branching = |voxel: &u32| self.neighbours[voxel].len() >= 3;
        let mut cluster = vec![voxel];
        self.node_of.insert(voxel, node);
        let mut next = 0;
        while branching(&voxel) && next < cluster.len() {
            for &neighbour in &self.neighbours[&cluster[next]] {
                if branching(&neighbour) && !self.node_of.contains_key(&neighbour) {
                    self.node_of.insert(neighbour, node);
                    cluster.push(neighbour);
                }
            }
            next += 1;
        }
        let places = cluster.iter().map(|&v| self.set.center(v));
        // The deepest voxel stands for the cluster: it surely lies inside.
        let deepest = places
            .map(|p| (self.wall.distance(p), p))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map_or_else(Vec3::zeros, |(_, place)| place);
        self.skeleton.nodes.push(deepest);
    }

    fn walk_from(&mut self, voxel: u32) {
        let node = self.node_of[&voxel];
        for first in self.neighbours[&voxel].clone() {
            match self.node_of.get(&first) {
                // Two ends, or an end and a branching, side by side: once, from the lower node.
                Some(&other) if other > node => self.add_line(node, &[], other),
                Some(_) => {}
                None if self.used.contains(&first) => {}
                None => self.walk(voxel, first),
            }
        }
    }

    fn walk(&mut self, from: u32, first: u32) {
        let mut chain = vec![first];
        let (mut before, mut here) = (from, first);
        loop {
            self.used.insert(here);
            let on = self.neighbours[&here]
                .iter()
                .copied()
                .find(|&n| n != before);
            let Some(next) = on else { return };
            if let Some(&end) = self.node_of.get(&next) {
                return self.add_line(self.node_of[&from], &chain, end);
            }
            chain.push(next);
            (before, here) = (here, next);
        }
    }

    fn add_line(&mut self, start: usize, chain: &[u32], end: usize) {
        let mut points = vec![self.skeleton.nodes[start]];
        points.extend(chain.iter().map(|&v| self.set.center(v)));
        points.push(self.skeleton.nodes[end]);
        let radii_mm = points.iter().map(|&p| self.wall.distance(p)).collect();
        self.skeleton.lines.push(Line {
            start,
            end,
            points,
            radii_mm,
        });
    }
}

/// What stays. A part without lines keeps a node.
struct Kept {
    lines: Vec<bool>,
    nodes: Vec<bool>,
}

/// Decides which lines stay.
struct Selection<'a, F> {
    wall: &'a Wall<'a, F>,
    graph: &'a Skeleton,
    options: &'a ExtractOptions,
    /// Lines at each node.
    at: Vec<Vec<usize>>,
    kept: Vec<bool>,
    on_kept: Vec<bool>,
    /// Middles and radii of the inscribed balls along the kept lines.
    balls: Vec<(Vec3, f64)>,
}

impl<'a, F> Selection<'a, F> {
    fn new(wall: &'a Wall<'a, F>, graph: &'a Skeleton, options: &'a ExtractOptions) -> Self {
        let mut at = vec![Vec::new(); graph.nodes.len()];
        for (number, line) in graph.lines.iter().enumerate() {
            at[line.start].push(number);
            if line.end != line.start {
                at[line.end].push(number);
            }
        }
        Self {
            wall,
            balls: Vec::new(),
            graph,
            options,
            at,
            kept: vec![true; graph.lines.len()],
            on_kept: vec![false; graph.nodes.len()],
        }
    }

    fn kept(mut self) -> Kept {
        self.keep_loops();
        self.keep_longest_paths();
        let mut whiskers = self.whiskers();
        // Long ones first: what hangs on a whisker that goes, goes with it.
        whiskers.sort_by(|a, b| {
            b.reach_mm
                .total_cmp(&a.reach_mm)
                .then(a.lines.cmp(&b.lines))
        });
        for whisker in whiskers {
            if self.on_kept[whisker.root] && self.is_vessel(&whisker) {
                self.keep(&whisker.lines);
            }
        }
        Kept {
            lines: self.kept,
            nodes: self.on_kept,
        }
    }

    fn keep(&mut self, lines: &[usize]) {
        for &number in lines {
            self.kept[number] = true;
            self.on_kept[self.graph.lines[number].start] = true;
            self.on_kept[self.graph.lines[number].end] = true;
            let line = &self.graph.lines[number];
            let balls = line.points.iter().zip(&line.radii_mm);
            self.balls.extend(balls.map(|(&p, &r)| (p, r)));
        }
    }

    /// Takes dead ends away until only loops and what lies between them is left.
    fn keep_loops(&mut self) {
        let mut degrees = vec![0; self.graph.nodes.len()];
        for line in &self.graph.lines {
            degrees[line.start] += 1;
            degrees[line.end] += 1;
        }
        let mut ends: Vec<usize> = (0..degrees.len()).filter(|&n| degrees[n] == 1).collect();
        while let Some(end) = ends.pop() {
            let Some(&number) = self.at[end].iter().find(|&&l| self.kept[l]) else {
                continue;
            };
            self.kept[number] = false;
            let other = self.graph.lines[number].other(end);
            degrees[end] -= 1;
            degrees[other] -= 1;
            if degrees[other] == 1 {
                ends.push(other);
            }
        }
        let core: Vec<usize> = (0..self.kept.len()).filter(|&l| self.kept[l]).collect();
        self.keep(&core);
    }

    /// In parts without loops, keeps the path between the two ends farthest apart.
    fn keep_longest_paths(&mut self) {
        let mut seen = vec![false; self.graph.nodes.len()];
        for node in 0..self.graph.nodes.len() {
            if seen[node] {
                continue;
            }
            let part = self.reach_from(node);
            part.order.iter().for_each(|&n| seen[n] = true);
            if part.order.iter().any(|&n| self.on_kept[n]) {
                continue;
            }
            let far = self.reach_from(part.farthest());
            let path = far.path_to(far.farthest(), self.graph);
            self.on_kept[node] |= path.is_empty();
            self.keep(&path);
        }
    }

    /// Lengths from `node` to everything connected with it (in trees: the only path).
    fn reach_from(&self, node: usize) -> Reach {
        let mut reach = Reach {
            order: vec![node],
            length_mm: BTreeMap::from([(node, 0.0)]),
            by_line: BTreeMap::new(),
        };
        let mut next = 0;
        while next < reach.order.len() {
            let here = reach.order[next];
            for &number in &self.at[here] {
                let line = &self.graph.lines[number];
                let other = line.other(here);
                if !reach.length_mm.contains_key(&other) {
                    let length = reach.length_mm[&here] + line.length_mm();
                    reach.length_mm.insert(other, length);
                    reach.by_line.insert(other, number);
                    reach.order.push(other);
                }
            }
            next += 1;
        }
        reach
    }

    /// Cuts everything that hangs on the kept lines into paths, each as long as can be.
    fn whiskers(&self) -> Vec<Whisker> {
        let mut whiskers = Vec::new();
        for root in (0..self.graph.nodes.len()).filter(|&n| self.on_kept[n]) {
            self.add_whiskers(root, &mut whiskers);
        }
        whiskers
    }

    fn add_whiskers(&self, root: usize, whiskers: &mut Vec<Whisker>) {
        let (order, up) = self.hanging_on(root);
        let mut best: HashMap<usize, Whisker> = HashMap::new();
        for &node in order.iter().rev() {
            let Some(&line) = up.get(&node) else { continue };
            let parent = self.graph.lines[line].other(node);
            let mut whisker = best.remove(&node).unwrap_or(Whisker {
                root: node,
                lines: Vec::new(),
                reach_mm: 0.0,
            });
            whisker.root = parent;
            whisker.lines.push(line);
            whisker.reach_mm += self.graph.lines[line].length_mm();
            match best.get_mut(&parent) {
                Some(_) if parent == root => whiskers.push(whisker),
                Some(longest) if whisker.reach_mm > longest.reach_mm => {
                    whiskers.push(std::mem::replace(longest, whisker));
                }
                Some(_) => whiskers.push(whisker),
                None => {
                    best.insert(parent, whisker);
                }
            }
        }
        whiskers.extend(best.remove(&root));
    }

    /// The nodes of the trees that hang on `root`, parents first, and the line that leads up.
    fn hanging_on(&self, root: usize) -> (Vec<usize>, HashMap<usize, usize>) {
        let (mut order, mut up) = (vec![root], HashMap::new());
        let mut next = 0;
        while next < order.len() {
            let here = order[next];
            for &number in self.at[here].iter().filter(|&&l| !self.kept[l]) {
                let other = self.graph.lines[number].other(here);
                if up.get(&here) != Some(&number) && !up.contains_key(&other) {
                    up.insert(other, number);
                    order.push(other);
                }
            }
            next += 1;
        }
        (order, up)
    }

    fn is_vessel(&self, whisker: &Whisker) -> bool {
        let path = self.path_from_root(whisker);
        let round_outside: Vec<usize> = (1..path.points.len())
            .filter(|&i| self.leads_out(path.points[i], 0.0) && self.is_round(&path, i))
            .collect();
        self.is_stump(&path, &round_outside) || self.is_tube(&path, &round_outside)
    }

    /// Whether somewhere the path's own ball is still wide and sticks far out of the kept ones.
    /// Towards a right-angled edge of a flat end it would stick out by at most 0.21 of the root's
    /// radius while half as wide as that, towards a cube's corner by 0.37.
    fn is_stump(&self, path: &Line, round_outside: &[usize]) -> bool {
        const STICKS_OUT: f64 = 0.75;
        let root = path.radii_mm[0];
        round_outside.iter().any(|&i| {
            let radius = path.radii_mm[i];
            radius >= self.options.min_stump_radius * root
                && self.leads_out(path.points[i], STICKS_OUT * root - radius)
        })
    }

    /// Whether the lumen's section across the path is more than a slit or an open space.
    fn is_round(&self, path: &Line, index: usize) -> bool {
        const ROUND: f64 = 0.25;
        const REACH_RADII: f64 = 3.0;
        let (place, radius) = (path.points[index], path.radii_mm[index]);
        let tangent = unit(path.span(index, 3));
        let section = self.wall.section(place, tangent, REACH_RADII * radius);
        self.wall.trust(place, &section) > ROUND
    }

    /// Whether a place lies at least `by_mm` outside all kept balls.
    fn leads_out(&self, place: Vec3, by_mm: f64) -> bool {
        const MOST_BALLS: usize = 20_000;
        let stride = self.balls.len() / MOST_BALLS + 1;
        let within = |(middle, radius): &(Vec3, f64)| (place - middle).norm() < radius + by_mm;
        !self.balls.iter().step_by(stride).any(within)
    }

    /// Whether the outer part of a path is long for its radius. A pyramid's tip has round sections
    /// too, but narrows so fast that it never is (3.5 radii in a cube's corner).
    fn is_tube(&self, path: &Line, round_outside: &[usize]) -> bool {
        let (mut length, mut radius_along) = (0.0, 0.0);
        for &i in round_outside {
            let step = 0.5 * path.span(i, 1).norm();
            length += step;
            radius_along += step * path.radii_mm[i];
        }
        length * length > self.options.min_branch_radii * radius_along
    }

    fn path_from_root(&self, whisker: &Whisker) -> Line {
        let mut path = Line {
            start: whisker.root,
            end: whisker.root,
            points: Vec::new(),
            radii_mm: Vec::new(),
        };
        for &number in whisker.lines.iter().rev() {
            let line = self.graph.lines[number].leaving(path.end);
            path.points.extend(&line.points);
            path.radii_mm.extend(&line.radii_mm);
            path.end = line.end;
        }
        path
    }
}

/// A dead-end path, lines from the tip to the root.
struct Whisker {
    root: usize,
    lines: Vec<usize>,
    reach_mm: f64,
}

struct Reach {
    order: Vec<usize>,
    length_mm: BTreeMap<usize, f64>,
    by_line: BTreeMap<usize, usize>,
}

impl Reach {
    fn farthest(&self) -> usize {
        let farther =
            |a: &(&usize, &f64), b: &(&usize, &f64)| a.1.total_cmp(b.1).then(b.0.cmp(a.0));
        self.length_mm
            .iter()
            .max_by(farther)
            .map_or(self.order[0], |(&node, _)| node)
    }

    fn path_to(&self, mut node: usize, graph: &Skeleton) -> Vec<usize> {
        let mut path = Vec::new();
        while let Some(&line) = self.by_line.get(&node) {
            path.push(line);
            node = graph.lines[line].other(node);
        }
        path
    }
}

/// The kept lines, joined where only two meet; nodes numbered anew.
fn merged(graph: Skeleton, kept: &Kept) -> Skeleton {
    let mut lines: Vec<Option<Line>> = graph
        .lines
        .into_iter()
        .zip(&kept.lines)
        .map(|(line, &kept)| kept.then_some(line))
        .collect();
    let mut alone = kept.nodes.clone();
    for line in lines.iter().flatten() {
        alone[line.start] = false;
        alone[line.end] = false;
    }
    for node in 0..graph.nodes.len() {
        join_at(node, &mut lines);
    }
    let alone: Vec<usize> = (0..alone.len()).filter(|&n| alone[n]).collect();
    renumbered(&graph.nodes, lines.into_iter().flatten().collect(), &alone)
}

fn join_at(node: usize, lines: &mut [Option<Line>]) {
    let touching: Vec<usize> = (0..lines.len())
        .filter(|&l| {
            lines[l]
                .as_ref()
                .is_some_and(|line| line.start == node || line.end == node)
        })
        .collect();
    let &[first, second] = touching.as_slice() else {
        return;
    };
    let is_loop = |l: usize| lines[l].as_ref().is_some_and(|line| line.start == line.end);
    if is_loop(first) || is_loop(second) {
        return;
    }
    let (Some(a), Some(b)) = (lines[first].take(), lines[second].take()) else {
        return;
    };
    let mut joined = a.leaving(node).reversed();
    let on = b.leaving(node);
    joined.end = on.end;
    joined.points.extend(on.points.into_iter().skip(1));
    joined.radii_mm.extend(on.radii_mm.into_iter().skip(1));
    lines[first] = Some(joined);
}

fn renumbered(nodes: &[Vec3], mut lines: Vec<Line>, alone: &[usize]) -> Skeleton {
    let mut used: Vec<usize> = lines
        .iter()
        .flat_map(|l| [l.start, l.end])
        .chain(alone.iter().copied())
        .collect();
    used.sort_unstable();
    used.dedup();
    for line in &mut lines {
        for end in [&mut line.start, &mut line.end] {
            *end = used.partition_point(|&n| n < *end);
        }
    }
    Skeleton {
        nodes: used.into_iter().map(|n| nodes[n]).collect(),
        lines,
    }
}
