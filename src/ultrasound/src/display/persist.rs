//! Persistence: a share of the last picture stays in the next one, per tick.

/// Keeps the ticks of persistence.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    share: f64,
    /// Tick of the newest frame.
    newest: Option<u64>,
    /// Tick of the frame before it.
    before: Option<u64>,
}

/// What a frame does to the memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// Whether the newest picture becomes the one before.
    pub(super) advance: bool,
    /// Share of the picture before that stays.
    pub(super) share: f32,
}

impl Clock {
    /// Of the console's share.
    pub(super) fn new(share: f64) -> Self {
        let mut clock = Self {
            share: 0.0,
            newest: None,
            before: None,
        };
        clock.set_share(share);
        clock
    }

    /// Takes another share; 0 if it is none. Where nothing persisted until now, nothing is there to
    /// persist.
    pub(super) fn set_share(&mut self, share: f64) {
        if !self.persists() {
            self.reset();
        }
        self.share = if share > 0.0 { share.min(0.999) } else { 0.0 };
    }

    /// Whether anything persists.
    pub(super) fn persists(&self) -> bool {
        self.share > 0.0
    }

    pub(super) fn reset(&mut self) {
        self.newest = None;
        self.before = None;
    }

    /// A frame of a tick comes.
    pub(super) fn advance(&mut self, tick: u64) -> Step {
        if self.newest.is_some_and(|newest| tick < newest) {
            self.reset();
        }
        let advance = self.newest.is_some_and(|newest| tick > newest);
        if advance {
            self.before = self.newest;
        }
        self.newest = Some(tick);
        // Over 10⁶ ticks nothing stays of any share.
        let share = self.before.map_or(0.0, |before| {
            libm::pow(self.share, (tick - before).min(1_000_000) as f64)
        });
        Step {
            advance,
            share: share as f32,
        }
    }
}

/// Mixes `share` of the grey of `before` into `now`.
#[inline(always)]
pub fn blend(before: &[f32], share: f32, now: &mut [f32]) {
    let fresh = 1.0 - share;
    for (now, &before) in now.iter_mut().zip(before) {
        *now = *now * fresh + before * share;
    }
}
