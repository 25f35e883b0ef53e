//! Writes the report of an invented session in both languages, to look at.
//!
//! `cargo run -p report --example demo -- FOLDER`

mod session;

use std::path::PathBuf;

use report::Language;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    let session = session::Session::demo();
    let borrowed = session.borrowed();
    let input = borrowed.input();
    for (language, name) in [(Language::English, "en"), (Language::Chinese, "zh")] {
        let page = report::html(&input, language);
        std::fs::write(folder.join(format!("report-{name}.html")), page)?;
    }
    std::fs::write(
        folder.join("report.json"),
        format!("{:#}", report::json(&input)),
    )
}
