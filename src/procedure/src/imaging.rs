//! Pictures of what a procedure shows.

use std::sync::Arc;

use equipment::{Console, Probe};
use ultrasound::display::{Compensation, Display, Picture, PictureSize};
use ultrasound::engine::{Imager, Medium, UltrasoundError, View};

use crate::{Moved, ProcedureError};

/// All that a picture of a step depends on, besides patient, probe and size.
#[derive(Clone, Debug)]
pub struct Shot {
    /// Where from, when, with what seed.
    pub view: View,
    /// What the console is set to.
    pub console: Console,
    /// The patient as moved; `None` as stored.
    pub moved: Option<Arc<Moved>>,
}

impl Shot {
    /// The same sound shown with other settings of the display.
    pub fn adjusted(self, display: &Console) -> Self {
        Self {
            console: with_display_of(&self.console, display),
            view: self.view,
            moved: self.moved,
        }
    }
}

/// Makes pictures of shots. What follows from settings is kept until they change.
pub struct Imaging {
    probe: Probe,
    size: PictureSize,
    /// Scatterers in a resolution cell; `None`: as many as speckle needs.
    per_cell: Option<f64>,
    set: Option<Set>,
}

/// Scatterers in a resolution cell for a quick look.
const QUICK_PER_CELL: f64 = 6.0;

/// What follows from settings.
struct Set {
    console: Console,
    imager: Imager,
    display: Display,
    picture: Picture,
}

impl Imaging {
    /// Pictures of a size.
    pub fn new(probe: &Probe, size: PictureSize) -> Self {
        Self {
            probe: probe.clone(),
            size,
            per_cell: None,
            set: None,
        }
    }

    /// The same with so few scatterers in a resolution cell that speckle only looks like it: for a
    /// quick look, never for a picture that is handed in.
    #[must_use]
    pub fn quick(self) -> Self {
        Self {
            per_cell: Some(QUICK_PER_CELL),
            set: None,
            ..self
        }
    }

    /// The next picture of a running series: persistence mixes it with those before.
    ///
    /// # Errors
    /// Settings that the probe cannot do.
    pub fn next(&mut self, medium: &Medium, shot: &Shot) -> Result<&Picture, ProcedureError> {
        self.prepare(&shot.console)?;
        self.render(medium, shot)
    }

    /// A picture that depends on nothing but the shot: the same shot gives the same bytes.
    ///
    /// # Errors
    /// Settings that the probe cannot do.
    pub fn still(&mut self, medium: &Medium, shot: &Shot) -> Result<&Picture, ProcedureError> {
        self.prepare(&shot.console)?;
        if let Some(set) = &mut self.set {
            set.display.reset();
        }
        self.render(medium, shot)
    }

    fn render(&mut self, medium: &Medium, shot: &Shot) -> Result<&Picture, ProcedureError> {
        let set = self.set.as_mut().expect("settings were prepared");
        let medium = shot.moved.as_ref().map_or(medium, |moved| &moved.medium);
        let frame = set.imager.frame(medium, &shot.view);
        let shown = set
            .display
            .render(&frame.looks, shot.view.tick, &mut set.picture);
        shown.map_err(|error| UltrasoundError::Setting(error.to_string()))?;
        Ok(&set.picture)
    }

    fn prepare(&mut self, console: &Console) -> Result<(), ProcedureError> {
        if let Some(set) = &mut self.set {
            if set.console == *console {
                return Ok(());
            }
            if sounds_like(&set.console, console) {
                let machine = Compensation::of_machine(&set.imager, console);
                if same_picture(&set.console, console) {
                    set.display.adjust(console, &machine);
                } else {
                    set.display = Display::new(&set.imager.grids(), console, machine, self.size);
                    set.picture = set.display.picture();
                }
                set.console = console.clone();
                return Ok(());
            }
        }
        console.fit(&self.probe)?;
        let imager = match self.per_cell {
            None => Imager::new(&self.probe, console)?,
            Some(per_cell) => Imager::with_density(&self.probe, console, per_cell)?,
        };
        let machine = Compensation::of_machine(&imager, console);
        let display = Display::new(&imager.grids(), console, machine, self.size);
        self.set = Some(Set {
            console: console.clone(),
            picture: display.picture(),
            imager,
            display,
        });
        Ok(())
    }
}

/// Whether two settings send and receive alike, so that they differ on the display alone.
fn sounds_like(a: &Console, b: &Console) -> bool {
    let sound = |console: &Console| with_display_of(console, &Console::default());
    sound(a) == sound(b)
}

/// Whether two settings draw their pictures in the same place.
fn same_picture(a: &Console, b: &Console) -> bool {
    (a.zoom, a.flip_lateral, a.flip_axial) == (b.zoom, b.flip_lateral, b.flip_axial)
}

/// Settings with the knobs that act on the display alone taken from others.
fn with_display_of(console: &Console, display: &Console) -> Console {
    Console {
        gain_db: display.gain_db,
        tgc_db: display.tgc_db.clone(),
        compensation_db_cm_mhz: display.compensation_db_cm_mhz,
        dynamic_range_db: display.dynamic_range_db,
        reject: display.reject,
        gray_map: display.gray_map,
        persistence: display.persistence,
        zoom: display.zoom,
        flip_lateral: display.flip_lateral,
        flip_axial: display.flip_axial,
        ..console.clone()
    }
}
