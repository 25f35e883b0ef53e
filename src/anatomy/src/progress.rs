//! How long work tells a shell how far it is.

/// Hears of stages and steps. Calls may come from several threads.
pub trait Progress: Sync {
    /// A stage of so many steps begins; the one before is over.
    fn stage(&self, name: &str, steps: u64);
    /// One step of the current stage is done.
    fn step(&self);
    /// The last stage is over.
    fn done(&self);
}

/// Hears nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _name: &str, _steps: u64) {}
    fn step(&self) {}
    fn done(&self) {}
}
