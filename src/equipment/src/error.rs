//! What can be wrong with equipment.

use std::fmt;

use catalog::CatalogError;
use thiserror::Error;

use crate::Misfit;

/// Why there is no such probe or setting, or why they do not go together.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum EquipmentError {
    /// There is no built-in probe or preset of that name.
    #[error("there is no {kind} `{name}`; {}", mend(.nearest.as_deref(), .known))]
    Unknown {
        /// What was looked for: "probe", "preset".
        kind: &'static str,
        /// The name that was given.
        name: String,
        /// The nearest one there is.
        nearest: Option<String>,
        /// All there are.
        known: Vec<String>,
    },
    /// The file cannot be read or has faults.
    #[error(transparent)]
    File(#[from] CatalogError),
    /// Settings that a probe cannot do.
    #[error("the settings do not fit the probe `{probe}`:{}", lines(.misfits))]
    Unfit {
        /// The probe's id.
        probe: String,
        /// Everything that does not fit.
        misfits: Vec<Misfit>,
    },
    /// Settings of a file that a probe cannot do.
    #[error("the settings do not fit the probe `{probe}`:\n{faults}")]
    UnfitFile {
        /// The probe's id.
        probe: String,
        /// Everything that does not fit, with its place.
        faults: CatalogError,
    },
}

impl EquipmentError {
    pub(crate) fn unknown<'a>(
        kind: &'static str,
        name: &str,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> Self {
        Self::Unknown {
            kind,
            name: name.to_owned(),
            nearest: catalog::nearest(name, known.clone()).map(str::to_owned),
            known: known.map(str::to_owned).collect(),
        }
    }
}

/// "did you mean `a`? There are `a`, `b`", as far as there is something to say.
fn mend(nearest: Option<&str>, known: &[String]) -> impl fmt::Display {
    let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let there_are = format!("there are {}", names.join(", "));
    match nearest {
        Some(nearest) => format!("did you mean `{nearest}`? ({there_are})"),
        None => there_are,
    }
}

fn lines(misfits: &[Misfit]) -> String {
    let line = |misfit: &Misfit| format!("\n  {misfit}");
    misfits.iter().map(line).collect()
}
