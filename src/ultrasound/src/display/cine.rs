//! The last pictures, to freeze and to step through.

use std::collections::VecDeque;

use super::picture::Picture;

/// A ring of the last pictures. Its memory is bounded: once full, the oldest makes room.
#[derive(Clone, Debug)]
pub struct Cine {
    frames: VecDeque<CineFrame>,
    capacity: usize,
    /// How many frames before the newest is shown; `None` while it runs.
    frozen: Option<usize>,
}

/// A kept picture.
#[derive(Clone, Debug, PartialEq)]
pub struct CineFrame {
    /// Tick of the simulation.
    pub tick: u64,
    /// What was on the screen.
    pub picture: Picture,
}

impl Cine {
    /// Keeps the last `capacity` pictures, at least one.
    pub fn new(capacity: usize) -> Self {
        Self {
            frames: VecDeque::new(),
            capacity: capacity.max(1),
            frozen: None,
        }
    }

    /// Keeps a copy of a picture, unless frozen. Once full, and while sizes agree, nothing is
    /// allocated.
    pub fn push(&mut self, tick: u64, picture: &Picture) {
        if self.is_frozen() {
            return;
        }
        let recycled = if self.frames.len() == self.capacity {
            self.frames.pop_front()
        } else {
            None
        };
        let frame = match recycled {
            Some(mut frame) => {
                frame.tick = tick;
                frame.picture.copy_from(picture);
                frame
            }
            None => CineFrame {
                tick,
                picture: picture.clone(),
            },
        };
        self.frames.push_back(frame);
    }

    /// Stops keeping pictures; shows the newest one.
    pub fn freeze(&mut self) {
        self.frozen.get_or_insert(0);
    }

    /// Runs on.
    pub fn unfreeze(&mut self) {
        self.frozen = None;
    }

    /// Whether it is frozen.
    pub fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Steps through the kept pictures, frozen by it if it ran: back for negative steps, onwards
    /// for positive ones. Ends at the oldest and the newest.
    pub fn step(&mut self, steps: isize) {
        let back = self.frozen.unwrap_or(0);
        let oldest = self.frames.len().saturating_sub(1);
        let moved = if steps < 0 {
            back.saturating_add(steps.unsigned_abs())
        } else {
            back.saturating_sub(steps.unsigned_abs())
        };
        self.frozen = Some(moved.min(oldest));
    }

    /// What is shown: the newest picture, or the one stepped to; `None` if there is none yet.
    pub fn shown(&self) -> Option<&CineFrame> {
        let newest = self.frames.len().checked_sub(1)?;
        self.frames.get(newest - self.frozen.unwrap_or(0))
    }

    /// The kept pictures, the oldest first.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = &CineFrame> {
        self.frames.iter()
    }

    /// Forgets all and runs on.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.frozen = None;
    }
}
