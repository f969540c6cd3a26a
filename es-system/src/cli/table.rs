//! Tables in texts: columns that are as wide as their widest cell.

/// Returns lines with aligned columns, two spaces apart. The last column has any width.
pub(super) fn lines(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_aligned_and_no_line_ends_with_spaces() {
        let rows = [["a", "bcd", ""], ["ef", "g", "h"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(super::lines(&rows), "a   bcd\nef  g    h\n");
    }
}
