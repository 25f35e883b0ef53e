//! Bad input, as a person is told about it.

use std::error::Error;
use std::fmt;

use anatomy::PatientError;
use anatomy::recipe::RecipeError;
use catalog::{CatalogError, Fault};
use equipment::EquipmentError;

/// One paragraph: what went wrong, where, and how to mend it.
#[derive(Debug)]
pub struct Failure {
    message: String,
    /// The faults of a data file, for `--json`.
    pub faults: Vec<Fault>,
}

impl Failure {
    /// Exit code of bad input.
    pub const EXIT_CODE: u8 = 2;

    /// From a sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            faults: Vec::new(),
        }
    }

    /// From words that make no sense on the command line.
    pub fn of_usage(error: &clap::Error) -> Self {
        let text = error.to_string();
        let text = text.trim();
        Self::new(text.strip_prefix("error: ").unwrap_or(text))
    }

    /// From an error and its causes, as far as they say more.
    pub fn from_error(error: &(dyn Error + 'static)) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = inner.source();
        }
        Self {
            message,
            faults: catalog_error(error).map_or_else(Vec::new, |e| e.faults().to_vec()),
        }
    }
}

/// The data file's error within, if it is one.
fn catalog_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CatalogError> {
    let of_patient = error.downcast_ref().and_then(|error| match error {
        PatientError::File(file) => Some(file),
        _ => None,
    });
    let of_recipe = error.downcast_ref().and_then(|error| match error {
        RecipeError::File(file) => Some(file),
        _ => None,
    });
    let of_equipment = error.downcast_ref().and_then(|error| match error {
        EquipmentError::File(file) | EquipmentError::UnfitFile { faults: file, .. } => Some(file),
        _ => None,
    });
    of_patient
        .or(of_recipe)
        .or(of_equipment)
        .or_else(|| error.downcast_ref())
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::from_error(&error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
