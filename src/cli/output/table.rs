//! Tables as Podman prints them: columns padded with spaces, two between, none narrower than twelve, nothing drawn.

use super::printable;

const GAP: usize = 2;
const NARROWEST: usize = 12;

/// The rows as text, one line each; the first is the heading.
pub fn table(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| printable(cell).replace(['\n', '\t'], " ")).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', (width + GAP).max(NARROWEST) - cell.chars().count()));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_line_up_and_escapes_are_shown() {
        let rows = [vec!["A".into(), "B".into()], vec!["long".into(), "\u{1b}[31m".into()]];
        assert_eq!(super::table(&rows), "A           B\nlong        \\u{1b}[31m\n");
    }
}
