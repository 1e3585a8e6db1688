//! Rules of wording, over every text of the file.
//!
//! They come from test-construction practice: plain words, no gender, no negation in a reverse item
//! (a "no" to a "not" is a puzzle), no frequency word in an item that is answered by a frequency.

use std::collections::BTreeMap;

use crate::read::{Desk, Role, Text};
use crate::reading::{READING_GRADE_MAX, reading_grade, words};

/// Texts below this many words have no meaningful grade.
pub(crate) const GRADED_WORDS_MIN: usize = 4;

const GENDERED: [&str; 34] = [
    "he",
    "she",
    "him",
    "his",
    "her",
    "hers",
    "himself",
    "herself",
    "s/he",
    "man",
    "men",
    "woman",
    "women",
    "guy",
    "guys",
    "gentleman",
    "gentlemen",
    "lady",
    "ladies",
    "boy",
    "boys",
    "girl",
    "girls",
    "chairman",
    "foreman",
    "salesman",
    "spokesman",
    "businessman",
    "manpower",
    "mankind",
    "manmade",
    "workmanship",
    "mr",
    "mrs",
];
const ABLEIST_OR_WARLIKE: [&str; 9] =
    ["crazy", "insane", "lame", "blind", "deaf", "dumb", "crippled", "troops", "tribe"];
/// In a report, words about nature or praise where behaviour belongs.
const NATURE_OR_FLATTERY: [&str; 20] = [
    "born",
    "natural",
    "naturally",
    "nature",
    "instinct",
    "instinctively",
    "gifted",
    "talented",
    "genius",
    "brilliant",
    "exceptional",
    "extraordinary",
    "visionary",
    "charismatic",
    "hero",
    "personality",
    "introvert",
    "extrovert",
    "destined",
    "soul",
];
const NEGATIONS: [&str; 16] = [
    "not", "never", "no", "cannot", "without", "nor", "neither", "rarely", "seldom", "hardly",
    "barely", "scarcely", "fail", "fails", "failed", "nowhere",
];
const FREQUENCIES: [&str; 12] = [
    "always",
    "usually",
    "often",
    "frequently",
    "sometimes",
    "occasionally",
    "rarely",
    "seldom",
    "never",
    "regularly",
    "constantly",
    "normally",
];
const FIRST_PERSON: [&str; 7] = ["i", "me", "my", "mine", "myself", "i'm", "i've"];

/// Looks at every text by itself, and at behaviour items for repeats.
pub(crate) fn wording(desk: &Desk, texts: &[Text]) {
    for text in texts {
        if text.text.trim().is_empty() {
            let what = format!("{} is empty", text.address);
            desk.fault(text.at, what, "Write the text, or take the whole entry out");
            continue;
        }
        shape(desk, text);
        length(desk, text);
        let folded = folded(&text.text);
        if text.role != Role::Note {
            banned(desk, text, &folded);
        }
        grade(desk, text);
        voice(desk, text, &folded);
        negation(desk, text, &folded);
    }
    repeats(desk, texts);
}

/// Rules that hold in any language, and against the text that is translated.
pub(crate) fn translated(desk: &Desk, language: &str, original: &Text, text: &Text) {
    if text.text.trim().is_empty() {
        let what = format!("The {language} translation of {} is empty", text.address);
        desk.fault(text.at, what, "Translate it");
        return;
    }
    shape(desk, text);
    length(desk, text);
    for place in ["{first}", "{second}"] {
        if original.text.matches(place).count() != text.text.matches(place).count() {
            let what = format!("The {language} translation of {} has lost", text.address);
            desk.fault(text.at, format!("{what} or doubled `{place}`"), format!("Keep `{place}`"));
        }
    }
}

/// The texts that are graded, with their grades.
pub(crate) fn graded(texts: &[Text]) -> impl Iterator<Item = (&Text, f64)> {
    texts
        .iter()
        .filter(|text| is_graded(text))
        .filter_map(|text| reading_grade(&text.text).map(|grade| (text, grade)))
}

fn is_graded(text: &Text) -> bool {
    !matches!(text.role, Role::Label | Role::Note)
        && words(&text.text).nth(GRADED_WORDS_MIN - 1).is_some()
}

/// Whether a character is one that no reader sees, or that turns the direction of text.
fn is_hidden(c: char) -> bool {
    let invisible = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    c.is_control() || invisible
}

fn shape(desk: &Desk, text: &Text) {
    if let Some(hidden) = text.text.chars().find(|&c| is_hidden(c)) {
        let what = format!("{} holds the hidden character U+{:04X}", text.address, hidden as u32);
        desk.fault(text.at, what, "Take it out; a text is one line of visible characters");
    } else if text.text != text.text.trim() || text.text.contains("  ") {
        let what = format!("{} has spaces at an end, or two in a row", text.address);
        desk.fault(text.at, what, "Leave one space between words and none at the ends");
    }
}

fn length(desk: &Desk, text: &Text) {
    let chars_max = match text.role {
        Role::Label => 80,
        Role::Own { .. } | Role::Rater { .. } => 160,
        Role::Asked | Role::Told | Role::Region | Role::Note => 400,
    };
    let n_chars = text.text.chars().count();
    if n_chars > chars_max {
        let what = format!("{} has {n_chars} characters", text.address);
        desk.fault(text.at, what, format!("Say it in {chars_max} or fewer"));
    }
}

fn banned(desk: &Desk, text: &Text, words: &[Folded<'_>]) {
    let found = |list: &[&str]| find_word(words, list);
    if let Some(word) = found(&GENDERED) {
        let what = format!("{} holds the gendered word {word:?}", text.address);
        desk.fault(text.at, what, "Write \"they\", \"people\", or the role itself");
    }
    if let Some(word) = found(&ABLEIST_OR_WARLIKE) {
        let what = format!("{} holds the word {word:?}, which can hurt or put off", text.address);
        desk.fault(text.at, what, "Say plainly what happens, without the picture");
    }
    if let (Role::Region, Some(word)) = (text.role, found(&NATURE_OR_FLATTERY)) {
        let what = format!("{} tells of nature or flatters: {word:?}", text.address);
        desk.fault(text.at, what, "Name a behaviour that others could see");
    }
}

fn grade(desk: &Desk, text: &Text) {
    let too_hard = |grade: &f64| *grade > READING_GRADE_MAX;
    if let Some(grade) = reading_grade(&text.text).filter(|_| is_graded(text)).filter(too_hard) {
        let what = format!("{} has reading grade {grade:.1}", text.address);
        let remedy = format!("Use shorter words or sentences, down to grade {READING_GRADE_MAX}");
        desk.fault(text.at, what, remedy);
    }
}

fn voice(desk: &Desk, text: &Text, words: &[Folded<'_>]) {
    let of_rater = text.text.to_lowercase().contains("this person");
    if matches!(text.role, Role::Own { .. }) && of_rater {
        let what = format!("{} speaks of \"this person\"", text.address);
        desk.fault(text.at, what, "Write it in the first person, with \"I\"");
    }
    if let (Role::Rater { .. }, Some(word)) = (text.role, find_word(words, &FIRST_PERSON)) {
        let what = format!("{} speaks in the first person: {word:?}", text.address);
        desk.fault(text.at, what, "Begin with \"This person\"");
    }
}

fn negation(desk: &Desk, text: &Text, words: &[Folded<'_>]) {
    let (Role::Own { reverse } | Role::Rater { reverse }) = text.role else { return };
    let shortened = words.iter().find(|word| word.lower.ends_with("n't")).map(|word| word.written);
    let negated = shortened.or_else(|| find_word(words, &NEGATIONS)).filter(|_| reverse);
    if let Some(word) = negated {
        let what = format!("{} is a reverse item with a negation: {word:?}", text.address);
        desk.fault(text.at, what, "Describe the lapse as something a person does");
    } else if let Some(word) = find_word(words, &FREQUENCIES) {
        let what = format!("{} says how often ({word:?}), and so does its answer", text.address);
        desk.fault(text.at, what, "Take the word out; the answer says how often");
    }
}

/// Two behaviours in the same words, in the same voice.
fn repeats(desk: &Desk, texts: &[Text]) {
    let mut seen: BTreeMap<(bool, String), &str> = BTreeMap::new();
    for text in texts {
        let of_rater = match text.role {
            Role::Own { .. } => false,
            Role::Rater { .. } => true,
            _ => continue,
        };
        let folded = words(&text.text).collect::<Vec<_>>().join(" ").to_lowercase();
        if folded.is_empty() {
            continue;
        }
        match seen.get(&(of_rater, folded.clone())) {
            Some(first) => {
                let what = format!("{} says the same as {first}", text.address);
                desk.fault(text.at, what, "Describe another behaviour");
            }
            None => {
                seen.insert((of_rater, folded), &text.address);
            }
        }
    }
}

/// A word as it is written, and in the form that lists have it in.
struct Folded<'t> {
    written: &'t str,
    lower: String,
}

fn folded(text: &str) -> Vec<Folded<'_>> {
    let fold = |written| Folded { written, lower: str::to_lowercase(written).replace('’', "'") };
    words(text).map(fold).collect()
}

/// The first word that a list has, possessive or plain.
fn find_word<'t>(words: &[Folded<'t>], list: &[&str]) -> Option<&'t str> {
    let is_listed = |word: &&Folded<'_>| {
        let bare = word.lower.strip_suffix("'s").unwrap_or(&word.lower);
        list.contains(&word.lower.as_str()) || list.contains(&bare)
    };
    words.iter().find(is_listed).map(|word| word.written)
}
