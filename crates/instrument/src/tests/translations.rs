//! A translation is whole or a fault.

use std::fmt::Write;

use super::{SMALL, check_text, small};
use crate::Instrument;

/// The small file with every text translated into German, by a rule that is easy to see.
fn translated(skip: &[&str]) -> String {
    let mut text = format!("{SMALL}\n[translations.de]\n");
    for (address, original) in small().texts() {
        if !skip.contains(&address) {
            writeln!(text, "{address:?} = {:?}", format!("DE {original}")).expect("a String grows");
        }
    }
    text
}

#[test]
fn a_whole_translation_is_found_by_address() {
    let instrument = Instrument::parse(&translated(&[]), "f").expect("sound");
    assert_eq!(instrument.translations().collect::<Vec<_>>(), ["de"]);
    let own = |language| instrument.text_in(language, "items.o2.self");
    assert_eq!(own("de"), Some("DE I lose my keys."));
    assert_eq!(own("en"), Some("I lose my keys."));
    assert_eq!(own("fr"), None);
    assert_eq!(instrument.text_in("de", "items.o2"), None);
    assert_eq!(instrument.text_in("de", "scales.three.labels.2"), Some("DE Some"));
    assert_eq!(instrument.text_in("de", "facets.hope.research_link"), None, "for the manual only");
}

#[test]
fn texts_may_be_nested_and_listed() {
    let text = translated(&[
        "items.o1.self",
        "scales.three.labels.1",
        "scales.three.labels.2",
        "scales.three.labels.3",
    ]);
    let text = format!(
        "{text}scales.three.labels = [\"wenig\", \"etwas\", \"viel\"]\n\
         [translations.de.items.o1]\nself = \"Ich räume auf.\"\n"
    );
    let instrument = Instrument::parse(&text, "f").expect("sound");
    assert_eq!(instrument.text_in("de", "scales.three.labels.3"), Some("viel"));
    assert_eq!(instrument.text_in("de", "items.o1.self"), Some("Ich räume auf."));
}

#[test]
fn missing_texts_are_named() {
    check_text(
        &translated(&["items.o1.self", "map.x.name"]),
        &["de] | The translation \"de\" lacks 2 texts. Translate items.o1.self, map.x.name."],
    );
    check_text(
        &format!("{SMALL}[translations.de]\n"),
        &[&format!(
            "de] | The translation \"de\" lacks {} texts. Translate facets.hope.action, \
         facets.hope.definition, facets.hope.name, facets.hope.too_little, facets.hope.too_much, \
         facets.order.action, facets.order.definition, facets.order.name and more.",
            small().texts().len()
        )],
    );
}

#[test]
fn faults_in_translations() {
    let broken = |old: &str, new: &str, expected: &[&str]| {
        super::check_in(&translated(&[]), old, new, expected);
    };
    broken(
        "\"DE I lose my keys.\"",
        "\"\"",
        &["\"\" | The de translation of items.o2.self is empty. Translate it."],
    );
    broken(
        "\"DE I lose my keys.\"",
        "3",
        &[
            "de] | The translation \"de\" lacks 1 text. Translate items.o2.self.",
            "3 | The translation items.o2.self is no text. Write a text.",
        ],
    );
    broken(
        "DE {first} or",
        "DE or",
        &["\"DE or {second}\" | The de translation of map.between.name has lost or doubled \
         `{first}`. Keep `{first}`."],
    );
    broken(
        "\"items.o2.self\"",
        "\"items.o9.self\"",
        &[
            "de] | The translation \"de\" lacks 1 text. Translate items.o2.self.",
            "\"DE I lose my keys.\" | items.o9.self translates no text of this file. Write an address \
         such as items.plan-f1.self.",
        ],
    );
    broken(
        "[translations.de]",
        "[translations.en]",
        &["en] | \"en\" is no language to translate into. Write a language tag such as \"de\" or \
         \"pt-BR\"."],
    );
}
