//! Talking to a person or to a program: text or JSON, progress bars or plain lines.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Language;
use crate::failure::Failure;

/// Where output goes and in which form.
pub struct Terminal {
    json: bool,
    /// Language of names and captions.
    pub language: Language,
    bar: Mutex<Option<ProgressBar>>,
}

impl Terminal {
    /// Text in `language`, or JSON.
    pub fn new(json: bool, language: Language) -> Self {
        Self {
            json,
            language,
            bar: Mutex::new(None),
        }
    }

    /// Prints the outcome: `text` for a person, `value` for a program.
    pub fn report(&self, text: &str, value: &serde_json::Value) {
        if self.json {
            self.print(&format!("{value:#}"))
        } else {
            self.print(text)
        }
    }

    /// Prints a failure: a paragraph on standard error, or with `--json` an object on standard
    /// output.
    pub fn fail(&self, failure: &Failure) {
        self.end_stage();
        if self.json {
            let error =
                serde_json::json!({ "message": failure.to_string(), "faults": failure.faults });
            self.print(&format!("{:#}", serde_json::json!({ "error": error })));
        } else {
            // Nothing is left to tell if standard error is closed.
            let _ = writeln!(std::io::stderr(), "sonocath: {failure}");
        }
    }

    /// The text in the chosen language.
    pub fn pick<'a>(&self, en: &'a str, zh: &'a str) -> &'a str {
        match self.language {
            Language::En => en,
            Language::Zh => zh,
        }
    }

    /// Columns of the terminal; 80 where output goes to a file or a pipe.
    pub fn width(&self) -> usize {
        /// Where a terminal does not tell, or there is none.
        const USUAL: usize = 80;
        let size = console::Term::stdout().size_checked();
        size.map_or(USUAL, |(_, columns)| usize::from(columns))
    }

    fn print(&self, text: &str) {
        let Err(error) = writeln!(std::io::stdout(), "{}", text.trim_end()) else {
            return;
        };
        // A closed pipe (`| head`) is the reader's wish; anything else is a loss to tell of.
        if error.kind() != ErrorKind::BrokenPipe {
            let _ = writeln!(std::io::stderr(), "sonocath: standard output: {error}");
            std::process::exit(i32::from(Failure::EXIT_CODE));
        }
    }

    fn end_stage(&self) {
        if let Some(bar) = self.bar.lock().ok().and_then(|mut bar| bar.take()) {
            bar.finish_and_clear();
        }
    }
}

/// Progress goes to standard error: a bar on a terminal, a plain line a stage elsewhere.
impl anatomy::Progress for Terminal {
    fn stage(&self, name: &str, steps: u64) {
        self.end_stage();
        if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{msg:32} {wide_bar} {pos}/{len}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(steps)
                .with_style(style)
                .with_message(name.to_owned());
            if let Ok(mut current) = self.bar.lock() {
                *current = Some(bar);
            }
        } else if !self.json {
            let _ = writeln!(std::io::stderr(), "{name} …");
        }
    }

    fn step(&self) {
        if let Ok(bar) = self.bar.lock()
            && let Some(bar) = bar.as_ref()
        {
            bar.inc(1);
        }
    }

    fn done(&self) {
        self.end_stage();
    }
}
