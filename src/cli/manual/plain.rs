//! Pages as plain text, for a terminal where there is no man(1): as much of man(7) and tbl(1) as pages of this program have.

/// The text of a page, a line for each of its lines.
pub fn plain(page: &str) -> String {
    let (mut text, mut in_format, mut indent) = (String::new(), false, "");
    for line in page.lines() {
        if in_format {
            in_format = !line.ends_with('.');
            continue;
        }
        let (request, rest) = line.split_once(' ').unwrap_or((line, ""));
        let shown = match request {
            "'\\\"" | "_" | "T}" => continue,
            ".TS" => {
                in_format = true;
                continue;
            }
            ".TH" => words(rest, " "),
            ".SH" | ".SS" => format!("\n{}", words(rest, " ")),
            ".PP" | ".TP" | ".TE" | "T{" => String::new(),
            "T}|T{" => {
                indent = "    ";
                continue;
            }
            ".B" | ".I" => words(rest, " "),
            ".BI" | ".BR" | ".IR" | ".RB" => words(rest, ""),
            _ => match line.strip_suffix("|T{") {
                Some(first) => {
                    text.push_str(&format!("{}\n", unescaped(first)));
                    indent = "    ";
                    continue;
                }
                None => unescaped(line),
            },
        };
        text.push_str(std::mem::take(&mut indent));
        text.push_str(&shown);
        text.push('\n');
    }
    text
}

/// The arguments of a request, with what stands between them.
fn words(rest: &str, between: &str) -> String {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut letters = rest.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(std::mem::take(&mut word)),
            '\\' => word.extend(['\\'].into_iter().chain(letters.next())),
            letter => word.push(letter),
        }
    }
    words.push(word);
    words.iter().map(|word| unescaped(word)).collect::<Vec<_>>().join(between)
}

fn unescaped(text: &str) -> String {
    let (mut plain, mut letters) = (String::new(), text.chars());
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            // The font.
            Some('f') => drop(letters.next()),
            Some('&') | None => {}
            Some('~') => plain.push(' '),
            Some('e') => plain.push('\\'),
            Some(other) => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_form_is_left() {
        let page = ".TH x 7\n.SH TWO WORDS\n.B \\-a b\n.BR pasta (1)\n.BI \\-\\-x\\ y= Z\n\\&.\\fBq\\fR \\\\\n.TS\ntab(|);\nl l.\na|b\n_\nT{\nleft\nT}|T{\nright\nT}\na|T{\nb\nT}\n.TE\n";
        let text = "x 7\n\nTWO WORDS\n-a b\npasta(1)\n--x y=Z\n.q \\\na|b\n\nleft\n    right\na\n    b\n\n";
        assert_eq!(plain(page), text);
        for page in super::super::others() {
            let text = plain(&page.text);
            let is_left = |line: &str| line.starts_with('.') && line[1..].starts_with(|c: char| c.is_uppercase());
            assert!(!text.lines().any(is_left) && !text.contains("\\f") && !text.contains("T{"), "{text}");
        }
    }
}
