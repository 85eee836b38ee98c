//! What somebody sees of all that a terminal was sent: as much of its language as this program speaks.

/// A screen without end, of so many columns.
pub struct Screen {
    columns: usize,
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

impl Screen {
    /// After all of `sent`.
    pub fn of(sent: &str, columns: usize) -> Self {
        let mut screen = Self { columns, rows: vec![Vec::new()], row: 0, column: 0 };
        let mut rest = sent;
        while let Some(next) = rest.chars().next() {
            rest = &rest[next.len_utf8()..];
            match next {
                '\r' => screen.column = 0,
                '\n' => screen.go_down(),
                '\x1b' => rest = screen.obey(rest),
                next => screen.put(next),
            }
        }
        screen
    }

    /// What the rows say: one that is full, and not with room to its end, goes on in the next. Those that say nothing are left out.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![String::new()];
        for row in &self.rows {
            lines.last_mut().unwrap().extend(row);
            if row.len() < self.columns || row.ends_with(&[' ', ' ']) {
                lines.push(String::new());
            }
        }
        lines.into_iter().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
    }

    fn go_down(&mut self) {
        self.row += 1;
        if self.row == self.rows.len() {
            self.rows.push(Vec::new());
        }
    }

    fn put(&mut self, letter: char) {
        if self.column == self.columns {
            self.column = 0;
            self.go_down();
        }
        let row = &mut self.rows[self.row];
        row.resize(row.len().max(self.column + 1), ' ');
        row[self.column] = letter;
        self.column += 1;
    }

    /// A sequence of ECMA-48, without its first letter; gives what comes behind it.
    fn obey<'a>(&mut self, sequence: &'a str) -> &'a str {
        let rest = sequence.strip_prefix('[').unwrap_or_else(|| panic!("no sequence: {sequence:?}"));
        let end = rest.find(|letter: char| ('@'..='~').contains(&letter)).unwrap();
        let (number, what) = (&rest[..end], &rest[end..=end]);
        let count = || number.parse::<usize>().unwrap_or(1);
        match (what, number) {
            ("A", _) => self.row = self.row.saturating_sub(count()),
            ("B", _) => (0..count()).for_each(|_| self.go_down()),
            ("G", _) => self.column = count() - 1,
            ("K", "2") => self.rows[self.row].clear(),
            ("K", "" | "0") => self.rows[self.row].truncate(self.column),
            ("m" | "h" | "l", _) => {}
            _ => panic!("an unknown sequence: {:?}", &rest[..=end]),
        }
        &rest[end + 1..]
    }
}
