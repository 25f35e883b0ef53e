//! What a session was worth, for the one who scanned and the one who teaches.
//!
//! [`html`] makes one page that stands alone: styles, drawings and pictures are in it, nothing is
//! loaded from anywhere and nothing in it runs. It reads on a screen, light or dark, and prints on A4.
//! [`json`] says the same in figures.
//!
//! What is absent here: judgement, engines, files and clocks. Scores come from `scoring`, pictures and
//! the date are handed in, and whoever calls writes the file. The same input makes the same bytes.
//!
//! # A tour
//!
//! ```
//! use recording::Header;
//! use report::{Language, ReportInput};
//! use scoring::{Band, DisplayName, SessionScore};
//!
//! let name = |en: &str, zh: &str| DisplayName { en: en.into(), zh: zh.into() };
//! let header = Header {
//!     engine: "sonocath 0.1.0 x86_64".into(),
//!     scenario: "Scenario(…)".into(),
//!     patient: "phantom".into(),
//!     patient_digest: 7,
//!     structures: vec!["liver".into()],
//!     probe: "C5-2v".into(),
//!     seed: 42,
//!     ticks_per_s: 60,
//! };
//! let input = ReportInput {
//!     title: &name("Liver & friends", "肝脏"),
//!     intro: &name("Find the plane.", "寻找切面。"),
//!     trainee: None,
//!     date: "2026-02-03",
//!     this_engine: "sonocath 0.1.0 x86_64",
//!     is_broken_off: false,
//!     header: &header,
//!     steps: &[],
//!     score: &SessionScore { points: 0.0, band: Band::NonStandard, tasks: vec![] },
//!     pictures: &[],
//! };
//!
//! let page = report::html(&input, Language::English);
//! assert!(page.starts_with("<!DOCTYPE html>"));
//! assert!(page.contains("Liver &amp; friends"));
//! assert!(page.contains("Nothing was recorded."));
//!
//! let same = report::json(&input);
//! assert_eq!(same["version"], report::JSON_VERSION);
//! assert_eq!(same["score"]["band"], "non_standard");
//! ```

mod contents;
mod icons;
mod json;
mod numbers;
mod page;
mod path_chart;
mod picture;
mod series;
mod time_chart;
mod words;

use recording::{Header, Step};
use scoring::{DisplayName, SessionScore};

pub use json::JSON_VERSION;

/// The language of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    English,
    /// Chinese (simplified).
    Chinese,
}

/// What a report is made of. Every text in it may be anything: the page escapes it.
#[derive(Clone, Copy, Debug)]
pub struct ReportInput<'a> {
    /// Title of the scenario.
    pub title: &'a DisplayName,
    /// What the scenario says about itself; may be empty.
    pub intro: &'a DisplayName,
    /// Who scanned, if that is to be said.
    pub trainee: Option<&'a str>,
    /// When, as it is to be printed; may be empty.
    pub date: &'a str,
    /// The engine that scored and made the pictures handed in, as in [`Header::engine`]. Where the
    /// recording was made by another, the page says so.
    pub this_engine: &'a str,
    /// Whether the recording ends in the middle of something.
    pub is_broken_off: bool,
    /// Patient, probe, engine and seed of the recording.
    pub header: &'a Header,
    /// The recorded steps, by rising tick.
    pub steps: &'a [Step],
    /// What it was worth. Its tasks are in the scenario's order, as events count them.
    pub score: &'a SessionScore,
    /// Pictures of the tasks, in the same order; missing ones at the end have none.
    pub pictures: &'a [TaskPictures<'a>],
}

/// The pictures of one task, as PNG files. What is not a PNG counts as none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskPictures<'a> {
    /// What the trainee handed in.
    pub acquired: Option<&'a [u8]>,
    /// What it should have looked like.
    pub exemplary: Option<&'a [u8]>,
}

/// All that a session leaves beside its recording, as file names and contents: `report.html`,
/// `report.json`, and of each task with a picture `task-1-acquired.png`, `task-1-exemplary.png`.
pub fn files(input: &ReportInput, language: Language) -> Vec<(String, Vec<u8>)> {
    let text = format!("{:#}\n", json(input));
    let mut files = vec![
        ("report.html".to_owned(), html(input, language).into_bytes()),
        ("report.json".to_owned(), text.into_bytes()),
    ];
    for (task, pictures) in input.pictures.iter().enumerate() {
        for (which, picture) in [
            ("acquired", pictures.acquired),
            ("exemplary", pictures.exemplary),
        ] {
            let file = picture.map(|bytes| (picture_name(task, which), bytes.to_vec()));
            files.extend(file);
        }
    }
    files
}

/// Name of the file that holds a task's picture, `acquired` or `exemplary`; tasks count from 0.
pub fn picture_name(task: usize, which: &str) -> String {
    format!("task-{}-{which}.png", task + 1)
}

/// Date and time of so many seconds after 1970-01-01 0:00 UTC, as `2026-11-21 14:05 UTC`.
///
/// From days to year, month, day: H. Hinnant, "chrono-compatible low-level date algorithms".
pub fn date_text(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let minutes = seconds % 86_400 / 60;
    let (hour, minute) = (minutes / 60, minutes % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

/// The report as one HTML page.
pub fn html(input: &ReportInput, language: Language) -> String {
    page::page(&contents::Contents::of(input), language)
}

/// The report as figures: what [`html`] shows, in both languages, without the pictures' pixels.
pub fn json(input: &ReportInput) -> serde_json::Value {
    json::json(&contents::Contents::of(input))
}

#[cfg(test)]
mod tests {
    use super::date_text;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date_text(0), "1970-01-01 00:00 UTC");
        assert_eq!(date_text(951_827_696), "2000-02-29 12:34 UTC");
        assert_eq!(date_text(1_795_269_900), "2026-11-21 14:05 UTC");
    }
}
