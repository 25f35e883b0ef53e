//! A bounding-volume hierarchy over any list of boxes: overlap and nearest queries.
//!
//! This is the plain tree for build-time work (checks, closest points, voxelising). Ray queries on
//! whole scenes have a wider one of their own in [`crate::scene`].

use crate::mesh::Aabb;

const LEAF_SIZE: usize = 4;

/// A binary tree of boxes; built once, refitted when the boxes move.
#[derive(Clone, Debug)]
pub struct Bvh {
    nodes: Vec<Node>,
    /// Item numbers in leaf order.
    items: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    bounds: Aabb,
    /// Leaf: first place in `items`. Inner: index of the right child (the left one follows directly).
    link: u32,
    /// Leaf: number of items. Inner: 0.
    count: u32,
}

impl Bvh {
    /// Builds the tree by halving along the longest axis of the box middles. Deterministic.
    pub fn build(boxes: &[Aabb]) -> Self {
        let mut tree = Self {
            nodes: Vec::with_capacity(boxes.len()),
            items: (0..boxes.len() as u32).collect(),
        };
        if !boxes.is_empty() {
            let centers: Vec<[f32; 3]> = boxes.iter().map(Aabb::center).collect();
            tree.build_node(boxes, &centers, 0, boxes.len());
        }
        tree
    }

    fn build_node(&mut self, boxes: &[Aabb], centers: &[[f32; 3]], start: usize, end: usize) {
        let items = &mut self.items[start..end];
        let bounds = items.iter().fold(Aabb::EMPTY, |bounds, &item| {
            bounds.union(&boxes[item as usize])
        });
        let index = self.nodes.len();
        self.nodes.push(Node {
            bounds,
            link: start as u32,
            count: (end - start) as u32,
        });
        if end - start <= LEAF_SIZE {
            return;
        }
        let spread = Aabb::of_points(items.iter().map(|&item| &centers[item as usize])).extent();
        let axis = (0..3)
            .max_by(|&a, &b| spread[a].total_cmp(&spread[b]))
            .unwrap_or(0);
        let middle = items.len() / 2;
        items.select_nth_unstable_by(middle, |&a, &b| {
            let key = |item: u32| centers[item as usize][axis];
            key(a).total_cmp(&key(b)).then(a.cmp(&b))
        });
        self.build_node(boxes, centers, start, start + middle);
        self.nodes[index].link = self.nodes.len() as u32;
        self.nodes[index].count = 0;
        self.build_node(boxes, centers, start + middle, end);
    }

    /// Takes over moved boxes without changing the tree's shape.
    pub fn refit(&mut self, boxes: &[Aabb]) {
        for index in (0..self.nodes.len()).rev() {
            let node = self.nodes[index];
            self.nodes[index].bounds = if node.count > 0 {
                self.leaf_items(&node)
                    .iter()
                    .fold(Aabb::EMPTY, |bounds, &item| {
                        bounds.union(&boxes[item as usize])
                    })
            } else {
                self.nodes[index + 1]
                    .bounds
                    .union(&self.nodes[node.link as usize].bounds)
            };
        }
    }

    /// Calls `visit` with every item whose leaf box meets `query` (a superset of the overlapping
    /// items: test the item itself).
    pub fn overlapping(&self, query: &Aabb, mut visit: impl FnMut(u32)) {
        let mut stack = vec![0_u32];
        while let Some(index) = stack.pop() {
            let Some(node) = self.nodes.get(index as usize) else {
                return;
            };
            if !node.bounds.overlaps(query) {
                continue;
            }
            if node.count > 0 {
                self.leaf_items(node).iter().for_each(|&item| visit(item));
            } else {
                stack.push(node.link);
                stack.push(index + 1);
            }
        }
    }

    /// The item with the smallest squared distance to `place`, given `squared_distance(item)`, among
    /// those closer than `limit_squared`.
    pub fn nearest(
        &self,
        place: [f64; 3],
        limit_squared: f64,
        mut squared_distance: impl FnMut(u32) -> f64,
    ) -> Option<(u32, f64)> {
        let mut best = None;
        let mut best_squared = limit_squared;
        let mut stack = vec![(0_u32, 0.0)];
        while let Some((index, bound)) = stack.pop() {
            let Some(node) = self.nodes.get(index as usize) else {
                break;
            };
            if bound >= best_squared {
                continue;
            }
            if node.count > 0 {
                for &item in self.leaf_items(node) {
                    let squared = squared_distance(item);
                    if squared < best_squared {
                        best_squared = squared;
                        best = Some((item, squared));
                    }
                }
            } else {
                let mut children = [index + 1, node.link].map(|child| {
                    (
                        child,
                        box_distance_squared(&self.nodes[child as usize].bounds, place),
                    )
                });
                if children[0].1 < children[1].1 {
                    children.swap(0, 1);
                }
                stack.extend(children.iter().filter(|child| child.1 < best_squared));
            }
        }
        best
    }

    fn leaf_items(&self, node: &Node) -> &[u32] {
        &self.items[node.link as usize..(node.link + node.count) as usize]
    }
}

fn box_distance_squared(bounds: &Aabb, place: [f64; 3]) -> f64 {
    (0..3)
        .map(|a| {
            let outside = (f64::from(bounds.min[a]) - place[a])
                .max(place[a] - f64::from(bounds.max[a]))
                .max(0.0);
            outside * outside
        })
        .sum()
}
