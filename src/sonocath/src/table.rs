//! Tables for a person.

/// Rows of cells as lines, each column as wide as its widest cell and two spaces apart; cells of
/// the columns in `right` stand at the right. Chinese characters take two cells of a terminal.
pub fn aligned<const N: usize>(rows: &[[String; N]], right: &[usize]) -> String {
    let widest: [usize; N] =
        std::array::from_fn(|c| rows.iter().map(|row| width(&row[c])).max().unwrap_or(0));
    let mut text = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widest[column] - width(cell));
            text += &match right.contains(&column) {
                true => format!("{pad}{cell}  "),
                false => format!("{cell}{pad}  "),
            };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// The same, no wider than `most` if that can be: cells of every column but the first are wrapped
/// between words, those of the widest column first.
pub fn wrapped<const N: usize>(rows: &[[String; N]], most: usize) -> String {
    let mut widths: [usize; N] =
        std::array::from_fn(|c| rows.iter().map(|row| width(&row[c])).max().unwrap_or(0));
    let longest_word = |c: usize| {
        let words = rows
            .iter()
            .flat_map(|row| pieces(&row[c]))
            .map(|piece| width(piece.trim_end()));
        words.max().unwrap_or(0)
    };
    let least: [usize; N] =
        std::array::from_fn(|c| if c == 0 { widths[0] } else { longest_word(c) });
    let gaps = 2 * N.saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > most {
        let wide = (0..N).filter(|&c| widths[c] > least[c]);
        let Some(widest) = wide.max_by_key(|&c| widths[c]) else {
            break;
        };
        widths[widest] -= 1;
    }
    let mut lines = Vec::new();
    for row in rows {
        let cells: [Vec<String>; N] = std::array::from_fn(|c| broken(&row[c], widths[c]));
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        let part = |c: usize, line: usize| cells[c].get(line).cloned().unwrap_or_default();
        lines.extend((0..height).map(|line| std::array::from_fn(|c| part(c, line))));
    }
    aligned::<N>(&lines, &[])
}

/// A cell's lines.
fn broken(cell: &str, most: usize) -> Vec<String> {
    if width(cell) <= most {
        return vec![cell.to_owned()];
    }
    let mut lines = vec![String::new()];
    for piece in pieces(cell) {
        let line = lines.len() - 1;
        if !lines[line].is_empty() && width(&lines[line]) + width(piece.trim_end()) > most {
            lines.push(piece.to_owned());
        } else {
            lines[line].push_str(piece);
        }
    }
    lines
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// Where a text may be broken: behind spaces, and behind Chinese characters unless a closing mark
/// follows.
fn pieces(text: &str) -> Vec<&str> {
    const CLOSING: &str = "，。、；：）》」』”";
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let closes = text[end..]
            .chars()
            .next()
            .is_some_and(|c| CLOSING.contains(c));
        if c == ' ' || is_wide(c) && !closes && c != '（' {
            pieces.push(&text[start..end]);
            start = end;
        }
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

fn width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// Whether a character takes two cells of a terminal.
fn is_wide(c: char) -> bool {
    c as u32 >= 0x2E80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_in_both_scripts() {
        let rows = [["肝脏", "9.5"], ["kidney", "12"]].map(|row| row.map(str::to_owned));
        assert_eq!(aligned(&rows, &[1]), "肝脏    9.5\nkidney   12\n");
    }

    #[test]
    fn cells_are_wrapped_between_words_and_characters() {
        let rows = [
            ["a", "one of left, right, both", "Side"],
            ["bb", "1 to 4", "患侧（左、右）"],
        ];
        let rows = rows.map(|row| row.map(str::to_owned));
        let text = wrapped(&rows, 24);
        assert_eq!(
            text,
            "a   one of  Side\n    left,\n    right,\n    both\nbb  1 to 4  患侧\n            （左、\n            右）\n"
        );
        assert_eq!(wrapped(&rows, 200), aligned(&rows, &[]));
        assert!(wrapped(&rows, 1).lines().count() > 4);
    }
}
