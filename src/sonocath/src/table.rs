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

fn width(text: &str) -> usize {
    text.chars()
        .map(|c| if c as u32 >= 0x2E80 { 2 } else { 1 })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_in_both_scripts() {
        let rows = [["肝脏", "9.5"], ["kidney", "12"]].map(|row| row.map(str::to_owned));
        assert_eq!(aligned(&rows, &[1]), "肝脏    9.5\nkidney   12\n");
    }
}
