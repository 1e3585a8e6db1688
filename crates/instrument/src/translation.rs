//! `[translations]`: the same texts in other languages, whole or not at all.
//!
//! A language is a table; inside it a text stands at its own address, as nested tables or as one
//! dotted key: `[translations.de.items.plan-f1] self = "…"`. Lists may be written as lists.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::lint;
use crate::parse::frame::language_tag;
use crate::read::{At, Desk, Role, Section, Text};

/// How many missing texts are named; the rest is counted.
const NAMED_MAX: usize = 8;
/// Depth of an address; keeps the walk short.
const DEPTH_MAX: usize = 12;

/// Texts by language and address.
pub(crate) fn translations(
    desk: &Desk,
    root: &Section<'_>,
    texts: &[Text],
    own_language: &str,
) -> BTreeMap<String, BTreeMap<String, String>> {
    let Some(all) = root.maybe_table("translations", "[translations]") else {
        return BTreeMap::new();
    };
    let originals: BTreeMap<&str, &Text> = texts
        .iter()
        .filter(|text| text.role != Role::Note)
        .map(|text| (text.address.as_str(), text))
        .collect();
    let mut translations = BTreeMap::new();
    for (name, table) in all.tables_by_name() {
        if language_tag(name.value).is_none() || name.value == own_language {
            let what = format!("{:?} is no language to translate into", name.value);
            desk.fault(name.at, what, "Write a language tag such as \"de\" or \"pt-BR\"");
            continue;
        }
        let translated = language(desk, &name, table, &originals);
        translations.insert(name.value.to_owned(), translated);
    }
    translations
}

fn language(
    desk: &Desk,
    name: &At<&str>,
    table: &DeTable<'_>,
    originals: &BTreeMap<&str, &Text>,
) -> BTreeMap<String, String> {
    let mut found = Vec::new();
    flatten_table(desk, table, "", 0, &mut found);
    let mut translated = BTreeMap::new();
    for Text { address, at, text, .. } in found {
        match originals.get(address.as_str()) {
            Some(original) => {
                let text = Text { address, at, text, role: original.role };
                lint::translated(desk, name.value, original, &text);
                translated.insert(text.address, text.text);
            }
            None => {
                let what = format!("{address} translates no text of this file");
                desk.fault(at, what, "Write an address such as items.plan-f1.self");
            }
        }
    }
    let missing: Vec<&str> =
        originals.keys().copied().filter(|address| !translated.contains_key(*address)).collect();
    if !missing.is_empty() {
        let named = missing[..missing.len().min(NAMED_MAX)].join(", ");
        let more = if missing.len() > NAMED_MAX { " and more" } else { "" };
        let n = missing.len();
        let texts = if n == 1 { "text" } else { "texts" };
        let what = format!("The translation \"{}\" lacks {n} {texts}", name.value);
        desk.fault(name.at, what, format!("Translate {named}{more}"));
    }
    translated
}

fn flatten_table(
    desk: &Desk,
    table: &DeTable<'_>,
    above: &str,
    depth: usize,
    found: &mut Vec<Text>,
) {
    for (key, value) in table {
        flatten(desk, value, join(above, key.get_ref()), depth + 1, found);
    }
}

fn flatten(
    desk: &Desk,
    value: &Spanned<DeValue<'_>>,
    address: String,
    depth: usize,
    found: &mut Vec<Text>,
) {
    let at = value.span().start;
    match value.get_ref() {
        DeValue::String(text) => {
            found.push(Text { address, at, text: text.clone().into_owned(), role: Role::Told });
        }
        DeValue::Table(table) if depth < DEPTH_MAX => {
            flatten_table(desk, table, &address, depth, found);
        }
        DeValue::Array(list) if depth < DEPTH_MAX => {
            for (nth, entry) in list.iter().enumerate() {
                flatten(desk, entry, join(&address, &(nth + 1).to_string()), depth + 1, found);
            }
        }
        _ => desk.fault(at, format!("The translation {address} is no text"), "Write a text"),
    }
}

fn join(above: &str, key: &str) -> String {
    if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") }
}
