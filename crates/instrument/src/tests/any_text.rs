//! No text makes the reader panic, and every fault points into the text.

use proptest::prelude::*;

use super::{SMALL, STARTER};
use crate::{Instrument, report_check};

fn holds_for(text: &str) {
    let n_lines = text.matches('\n').count() + 1;
    for fault in Instrument::parse(text, "any.toml").err().unwrap_or_default() {
        assert!((1..=n_lines).contains(&fault.line), "{fault} in {n_lines} lines");
        assert!(fault.column >= 1);
        let line = fault.to_string();
        assert!(line.starts_with(&format!("any.toml:{}:{}: ", fault.line, fault.column)), "{line}");
        assert!(line.ends_with('.') && !line.contains('\n'), "one line, one full stop: {line:?}");
    }
    let report = report_check(text, "any.toml");
    assert_eq!(report.is_sound(), report.faults().is_empty());
}

/// Cuts `text` at two places, and puts `inserted` between what is left.
fn mutated(text: &str, (from, length): (usize, usize), inserted: &str) -> String {
    let whole = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let from = from % (text.len() + 1);
    let to = (from + length).min(text.len());
    format!("{}{inserted}{}", &text[..whole(from)], &text[whole(to)..])
}

/// Pieces that mean something to the reader, and some that do not.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "",
        "\n",
        "\"",
        "]",
        "}",
        "= ",
        "nan",
        "-1",
        "1e400",
        "[[items]]\n",
        "[map]\n",
        "\u{feff}",
        "\r",
        "é",
        "\u{0}",
        "\"\"\"",
        "self = \"not\"\n",
        "{ from = 0.0 }",
        "[]",
        "true",
        "'",
        "99999999999999999999",
        "1979-05-27",
        "id = \"plan-f1\"\n",
        "[translations.de]\n",
    ]);
    prop_oneof![3 => known.prop_map(str::to_owned), 1 => ".{0,12}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn mutated_small_files(
        cuts in prop::collection::vec(((0..8_000_usize, 0..60_usize), piece()), 1..4),
    ) {
        let mut text = SMALL.to_owned();
        for (cut, inserted) in &cuts {
            text = mutated(&text, *cut, inserted);
        }
        holds_for(&text);
    }

    #[test]
    fn lines_swapped_dropped_and_doubled(
        moves in prop::collection::vec(any::<[prop::sample::Index; 2]>(), 1..6),
    ) {
        let mut lines: Vec<&str> = SMALL.lines().collect();
        for [one, two] in &moves {
            let (from, to) = (one.index(lines.len()), two.index(lines.len()));
            match from % 3 {
                0 => lines.swap(from, to),
                1 => { lines.remove(from); }
                _ => lines.insert(to, lines[from]),
            }
        }
        holds_for(&lines.join("\n"));
    }

    #[test]
    fn text_that_is_no_file(text in "\\PC{0,200}") {
        holds_for(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn mutated_starter_files(cut in (0..50_000_usize, 0..400_usize), inserted in piece()) {
        holds_for(&mutated(STARTER, cut, &inserted));
    }
}
