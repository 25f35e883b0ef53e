//! The list of all structures: swatch and name, by kind, in as many columns as it needs.

use crate::drawing::canvas::{Canvas, Rect};
use crate::drawing::color::{Rgb, mix, theme};
use crate::drawing::text::{self, Align, Style};

/// A group of names under one heading.
pub struct Group<'a> {
    /// The heading.
    pub title: &'a str,
    /// Colour and name, in order.
    pub entries: Vec<(Rgb, &'a str)>,
}

/// How a legend is set: columns and the height of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Setting {
    columns: usize,
    line: i32,
}

/// From roomy to dense; the last is used for any length, on a taller sheet.
const SETTINGS: [Setting; 6] = [
    Setting {
        columns: 1,
        line: 34,
    },
    Setting {
        columns: 2,
        line: 32,
    },
    Setting {
        columns: 2,
        line: 28,
    },
    Setting {
        columns: 3,
        line: 26,
    },
    Setting {
        columns: 3,
        line: 23,
    },
    Setting {
        columns: 4,
        line: 22,
    },
];
const MARGIN: i32 = 22;

/// One line of the legend.
#[derive(Clone, Copy, PartialEq)]
enum Line<'a> {
    Title(&'a str),
    Entry(Rgb, &'a str),
    Gap,
}

/// A legend that has found its setting.
pub struct Legend<'a> {
    setting: Setting,
    columns: Vec<Vec<Line<'a>>>,
}

impl<'a> Legend<'a> {
    /// Chooses the roomiest setting whose height stays within `height`.
    pub fn new(groups: &[Group<'a>], height: i32) -> Self {
        let of = |setting: Setting| {
            let lines = (height - 2 * MARGIN) / setting.line;
            let columns = columns(groups, lines.max(4) as usize);
            Self { setting, columns }
        };
        SETTINGS
            .into_iter()
            .map(of)
            .find(|legend| legend.columns.len() <= legend.setting.columns)
            .unwrap_or_else(|| Self::tall(groups))
    }

    /// The densest setting with columns as long as needed.
    fn tall(groups: &[Group<'a>]) -> Self {
        let setting = SETTINGS[SETTINGS.len() - 1];
        let total: usize = groups.iter().map(|g| g.entries.len() + 2).sum();
        let columns = (total / setting.columns..)
            .map(|lines| columns(groups, lines))
            .find(|columns| columns.len() <= setting.columns)
            .expect("with enough lines everything fits into one column");
        Self { setting, columns }
    }

    /// Height it needs, picture points.
    pub fn height(&self) -> i32 {
        let longest = self.columns.iter().map(Vec::len).max().unwrap_or(0);
        2 * MARGIN + longest as i32 * self.setting.line
    }

    /// Draws it into `area`.
    pub fn draw(&self, canvas: &mut Canvas, area: Rect) {
        canvas.fill(area, theme::PANEL_BOTTOM, 1.0);
        let width = (area.w - 2 * MARGIN) / self.setting.columns as i32;
        for (number, column) in self.columns.iter().enumerate() {
            for (row, line) in column.iter().enumerate() {
                let cell = Rect {
                    x: area.x + MARGIN + number as i32 * width,
                    y: area.y + MARGIN + row as i32 * self.setting.line,
                    w: width - 12,
                    h: self.setting.line,
                };
                line.draw(canvas, cell);
            }
        }
    }
}

/// Breaks groups into columns of at most `lines`, with no heading at the foot of a column.
fn columns<'a>(groups: &[Group<'a>], lines: usize) -> Vec<Vec<Line<'a>>> {
    let mut columns: Vec<Vec<Line>> = vec![Vec::new()];
    for group in groups.iter().filter(|g| !g.entries.is_empty()) {
        let last = columns.last().map_or(0, Vec::len);
        if last + 3 > lines {
            columns.push(Vec::new());
        } else if last > 0 {
            push(&mut columns, Line::Gap, lines);
        }
        push(&mut columns, Line::Title(group.title), lines);
        for &(color, name) in &group.entries {
            push(&mut columns, Line::Entry(color, name), lines);
        }
    }
    columns
}

fn push<'a>(columns: &mut Vec<Vec<Line<'a>>>, line: Line<'a>, lines: usize) {
    if columns.last().is_none_or(|c| c.len() >= lines) {
        columns.push(Vec::new());
    }
    if let Some(column) = columns.last_mut() {
        column.push(line);
    }
}

impl Line<'_> {
    fn draw(&self, canvas: &mut Canvas, cell: Rect) {
        let middle = cell.y as f32 + 0.5 * cell.h as f32;
        let size = (0.62 * cell.h as f32).clamp(13.0, 17.0);
        match *self {
            Line::Gap => {}
            Line::Title(title) => {
                let style = Style::plain(size, theme::TEXT_DIM);
                let title = text::fitted(title, size, cell.w as f32);
                text::draw(canvas, [cell.x as f32, middle], Align::Left, &title, style);
            }
            Line::Entry(color, name) => {
                let side = (0.62 * cell.h as f32).round() as i32;
                let swatch = Rect {
                    x: cell.x,
                    y: cell.y + (cell.h - side) / 2,
                    w: side,
                    h: side,
                };
                canvas.fill(swatch, color, 1.0);
                canvas.frame(swatch, mix(color, [0, 0, 0], 0.45));
                let x = (cell.x + side + 9) as f32;
                let room = (cell.w - side - 9) as f32;
                let name = text::fitted(name, size, room / text::LEAST_SHRINK);
                let size = text::shrunk(&name, size, room);
                let style = Style::plain(size, theme::TEXT_SOFT);
                text::draw(canvas, [x, middle], Align::Left, &name, style);
            }
        }
    }
}

/// Order for names: numbers in them count as numbers, so that rib 9 stands before rib 10.
pub fn by_name(a: &str, b: &str) -> std::cmp::Ordering {
    key(a).cmp(&key(b)).then_with(|| a.cmp(b))
}

/// Runs of digits as numbers (leading zeros dropped, longer is larger), the rest in lower case.
fn key(name: &str) -> Vec<(String, usize, String)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let word_end = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (word, tail) = rest.split_at(word_end);
        let digits_end = tail
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (digits, tail) = tail.split_at(digits_end);
        let digits = digits.trim_start_matches('0');
        parts.push((word.to_lowercase(), digits.len(), digits.to_owned()));
        rest = tail;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(counts: &[usize]) -> Vec<Group<'static>> {
        let group = |&n: &usize| Group {
            title: "Kind",
            entries: vec![([9; 3], "Name"); n],
        };
        counts.iter().map(group).collect()
    }

    fn entries(legend: &Legend) -> usize {
        let entry = |l: &&Line| matches!(l, Line::Entry(..));
        legend.columns.iter().flatten().filter(entry).count()
    }

    #[test]
    fn seventy_names_fit_the_panel() {
        let legend = Legend::new(&groups(&[18, 12, 24, 9, 1, 6]), 700);
        assert_eq!(entries(&legend), 70);
        assert!(legend.height() <= 700 && legend.columns.len() <= 4);
    }

    #[test]
    fn few_names_are_set_roomily_and_many_make_the_sheet_taller() {
        assert_eq!(Legend::new(&groups(&[3, 2]), 700).setting, SETTINGS[0]);
        let many = Legend::new(&groups(&[150, 150, 0, 100]), 700);
        assert_eq!(entries(&many), 400);
        assert!(many.height() > 700 && many.columns.len() <= 4);
        assert_eq!(entries(&Legend::new(&[], 700)), 0);
    }

    #[test]
    fn no_heading_stands_alone_at_the_foot() {
        for lines in 4..40 {
            for column in columns(&groups(&[5, 7, 1, 12, 3]), lines) {
                assert!(
                    !matches!(column.last(), Some(Line::Title(_))),
                    "{lines} lines"
                );
                assert!(column.len() <= lines);
            }
        }
    }

    #[test]
    fn names_sort_by_their_numbers() {
        let mut names = ["Rib 10 left", "Rib 9 left", "aorta", "Liver", "Rib 9 right"];
        names.sort_by(|a, b| by_name(a, b));
        assert_eq!(
            names,
            ["aorta", "Liver", "Rib 9 left", "Rib 9 right", "Rib 10 left"]
        );
    }
}
