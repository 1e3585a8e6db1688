//! Rust text with its strings and comments told apart from its code: as much of a lexer as the house's rules need.

/// What a character of a source file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Code,
    Text,
    Comment,
}

/// A source file, line by line.
#[derive(Debug)]
pub struct Source {
    /// Each line as written.
    pub lines: Vec<String>,
    /// Each line with strings and comments blanked.
    pub code: Vec<String>,
    /// Each line's comment, if it has one.
    pub comments: Vec<String>,
    /// Whether a string, or a part of one, stands on the line.
    pub has_text: Vec<bool>,
}

impl Source {
    /// Tells code, strings and comments apart.
    pub fn new(text: &str) -> Self {
        let kinds = kinds(text);
        let mut source = Self { lines: vec![], code: vec![], comments: vec![], has_text: vec![] };
        let mut at = 0;
        for line in text.split('\n') {
            let n_chars = line.chars().count();
            let kinds = &kinds[at..at + n_chars];
            let keep = |kind| {
                let pairs = line.chars().zip(kinds);
                pairs.map(|(c, &k)| if k == kind { c } else { ' ' }).collect::<String>()
            };
            source.code.push(keep(Kind::Code));
            source.comments.push(keep(Kind::Comment).trim().to_owned());
            source.has_text.push(kinds.contains(&Kind::Text));
            source.lines.push(line.to_owned());
            at += n_chars + 1;
        }
        source
    }

    /// Every function with a body: the line it begins on (from 0) and how many lines it has.
    pub fn functions(&self) -> Vec<(usize, usize)> {
        let mut functions = Vec::new();
        for (start, line) in self.code.iter().enumerate() {
            if !is_function(line) {
                continue;
            }
            let mut depth = 0;
            'body: for (offset, line) in self.code[start..].iter().enumerate() {
                for c in line.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 1 => {
                            functions.push((start, offset + 1));
                            break 'body;
                        }
                        '}' => depth -= 1,
                        ';' if depth == 0 && !line.contains('[') => break 'body,
                        _ => {}
                    }
                }
            }
        }
        functions
    }
}

fn is_function(code: &str) -> bool {
    let mut words = code.split_whitespace();
    words.any(|word| word == "fn")
        && code.split_whitespace().take_while(|&word| word != "fn").all(|word| {
            word.starts_with("pub")
                || ["const", "async", "unsafe"].contains(&word)
                || word.ends_with(')')
        })
}

/// What each character belongs to; a string's quotes belong to the string.
fn kinds(text: &str) -> Vec<Kind> {
    let chars: Vec<char> = text.chars().collect();
    let mut kinds = Vec::with_capacity(chars.len());
    while kinds.len() < chars.len() {
        let rest = &chars[kinds.len()..];
        let (kind, n_chars) = token(rest);
        kinds.resize((kinds.len() + n_chars.max(1)).min(chars.len()), kind);
    }
    kinds
}

/// The kind and length of what `rest` begins with.
fn token(rest: &[char]) -> (Kind, usize) {
    let second = rest.get(1).copied().unwrap_or(' ');
    match rest[0] {
        '/' if second == '/' => (Kind::Comment, up_to(rest, "\n")),
        '/' if second == '*' => (Kind::Comment, up_to(rest, "*/") + 2),
        '"' => (Kind::Text, string(rest)),
        'r' if second == '"' || second == '#' => raw_string(rest),
        '\'' => quote(rest),
        c if c.is_alphanumeric() || c == '_' => {
            let n = rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
            // `br"…"` and `b"…"`: the prefix is code, the rest is looked at next; `r` must be seen by itself.
            let is_prefix = rest.get(n) == Some(&'"') || rest.get(n) == Some(&'#');
            let ends_in_r = rest[n - 1] == 'r' && n <= 2;
            (Kind::Code, if is_prefix && ends_in_r { n - 1 } else { n })
        }
        _ => (Kind::Code, 1),
    }
}

/// A character literal is text; a lifetime stays code.
fn quote(rest: &[char]) -> (Kind, usize) {
    match rest {
        ['\'', '\\', _, after @ ..] => {
            let end = after.iter().position(|&c| c == '\'').unwrap_or(0);
            (Kind::Text, 3 + end + 1)
        }
        ['\'', _, '\'', ..] => (Kind::Text, 3),
        _ => (Kind::Code, 1),
    }
}

fn string(rest: &[char]) -> usize {
    let mut n = 1;
    while n < rest.len() {
        match rest[n] {
            '\\' => n += 2,
            '"' => return n + 1,
            _ => n += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[char]) -> (Kind, usize) {
    let n_hashes = rest[1..].iter().take_while(|&&c| c == '#').count();
    if rest.get(1 + n_hashes) != Some(&'"') {
        return (Kind::Code, 1);
    }
    let end = format!("\"{}", "#".repeat(n_hashes));
    let body = &rest[2 + n_hashes..];
    (Kind::Text, 2 + n_hashes + up_to(body, &end) + end.len())
}

/// How many characters stand before `end`, or all.
fn up_to(rest: &[char], end: &str) -> usize {
    let end: Vec<char> = end.chars().collect();
    rest.windows(end.len()).position(|window| window == end).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn strings_and_comments_are_not_code() {
        let source =
            Source::new("let a = \"// todo!\"; // why\nlet b = r#\"x\"y\"#; let c = '\"';");
        assert_eq!(source.code[0].trim(), "let a =           ;");
        assert_eq!(source.comments[0], "// why");
        assert!(source.has_text[0]);
        assert_eq!(source.code[1].split_whitespace().collect::<String>(), "letb=;letc=;");
    }

    #[test]
    fn a_string_over_two_lines_is_text_on_both() {
        let source = Source::new("f(\"one \\\n    two\");\nlet x: &'static str = y;");
        assert_eq!(source.has_text, [true, true, false]);
        assert!(source.code[2].contains("&'static str"));
    }

    #[test]
    fn a_function_is_measured_to_its_closing_brace() {
        let text = "pub(crate) async fn a() {\n    if x { \"}\" }\n}\nfn b();\nfn c() { 1 }\n";
        assert_eq!(Source::new(text).functions(), [(0, 3), (4, 1)]);
    }
}
