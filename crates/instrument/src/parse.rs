//! From the text of a file to an [`Instrument`], or to all its faults.
//!
//! Three passes: TOML (its own errors end it there, since nothing else can be trusted); every
//! section by itself; then what only shows across sections ([`crate::checks`], [`crate::lint`]). A
//! check over several entries is left out where one of them could not be read, so that no fault is
//! a mere echo.

pub(crate) mod forms;
pub(crate) mod frame;
mod items;
pub(crate) mod map;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use toml::de::DeTable;

use crate::checks;
use crate::fault::Fault;
use crate::item::Item;
use crate::lint;
use crate::model::{About, Approach, Facet, Instrument, ItemId, Scale, Scoring};
use crate::read::{At, Desk, Role, Section, Text};
use crate::translation;

/// A file above this size is refused unread: the starter pool has a twentieth of it.
const FILE_BYTES_MAX: usize = 1 << 20;
/// More items than any questionnaire; keeps the order of asking, which is quadratic, quick.
const ITEMS_MAX: usize = 600;

impl Instrument {
    /// Reads an instrument file. `file_name` is only used in faults.
    ///
    /// # Errors
    /// Every fault of the file, in its order. Nothing is repaired or guessed.
    pub fn parse(text: &str, file_name: &str) -> Result<Instrument, Vec<Fault>> {
        parse_with_texts(text, file_name).map(|(instrument, _)| instrument)
    }
}

/// The same, with all texts and what they are for.
pub(crate) fn parse_with_texts(
    text: &str,
    file_name: &str,
) -> Result<(Instrument, Vec<Text>), Vec<Fault>> {
    let text = canonical(text);
    let desk = Desk::default();
    let read = read_document(&desk, &text);
    match read {
        Some(instrument) if desk.n_faults() == 0 => Ok((instrument, desk.texts())),
        _ => Err(desk.into_faults(file_name, &text)),
    }
}

/// Without byte-order mark, with line feeds for line ends; lines and columns stay the same.
fn canonical(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains("\r\n") { text.replace("\r\n", "\n").into() } else { text.into() }
}

fn read_document(desk: &Desk, text: &str) -> Option<Instrument> {
    if text.len() > FILE_BYTES_MAX {
        let what = format!("The file has {} bytes", text.len());
        desk.fault(0, what, format!("Keep an instrument below {FILE_BYTES_MAX} bytes"));
        return None;
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        let what = format!("This is not TOML: {}", one_line(error.message()));
        desk.fault(
            at,
            what,
            "Mend the line; https://toml.io/en/v1.0.0 shows how values are written",
        );
    }
    if !errors.is_empty() {
        return None;
    }
    let root = Section::new(desk, document.get_ref(), 0, "the file");
    let read = read_sections(desk, &root, text);
    root.end();
    read
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
}

/// Everything that could be read, and what may be concluded from it.
pub(crate) struct Draft {
    pub(crate) about: Option<About>,
    pub(crate) scales: Vec<Arc<Scale>>,
    pub(crate) facets: Vec<At<Facet>>,
    pub(crate) items: Vec<At<Arc<Item>>>,
    pub(crate) forms: Vec<At<forms::FormDraft>>,
    pub(crate) scoring: Option<At<Scoring>>,
    pub(crate) start: frame::StartValues,
    pub(crate) map: Option<At<map::MapDraft>>,
    /// Whether all facets, forms and items were read, so that they may be counted.
    pub(crate) countable: bool,
}

/// What sections name in others.
pub(crate) struct Known {
    /// Approach by facet id.
    pub(crate) facets: BTreeMap<String, Approach>,
    /// Ids of the scales that the file has, read well or not.
    pub(crate) scale_ids: Vec<String>,
    pub(crate) scales: Vec<Arc<Scale>>,
    /// Ids of the forms, shortest first.
    pub(crate) form_ids: Vec<String>,
    /// Kinds of which one could not be read: a name that is missing may be that one's.
    pub(crate) unsure: Vec<&'static str>,
}

fn read_sections(desk: &Desk, root: &Section<'_>, text: &str) -> Option<Instrument> {
    let before = desk.n_faults();
    let about = frame::about(root);
    let mut unsure = Vec::new();
    let mut note = |kind, n_before| {
        if desk.n_faults() > n_before {
            unsure.push(kind);
        }
        desk.n_faults()
    };
    let n = desk.n_faults();
    let (scale_ids, scales) = frame::scales(desk, root);
    let n = note("scale", n);
    let (facet_approaches, facets) = frame::facets(desk, root);
    let n = note("facet", n);
    let (form_ids, forms) = forms::forms(desk, root);
    note("form", n);
    let known = Known { facets: facet_approaches, scale_ids, scales, form_ids, unsure };
    let (start, scoring) = frame::scoring(desk, root);
    let items = items::items(desk, root, &known, &start);
    let countable = desk.n_faults() == before && items.len() <= ITEMS_MAX;
    if items.len() > ITEMS_MAX {
        let what = format!("The file has {} items", items.len());
        desk.fault(items[ITEMS_MAX].at, what, format!("Keep to {ITEMS_MAX}"));
    }
    let map = map::map(desk, root, &known);
    let scales = known.scales;
    let draft = Draft { about, scales, facets, items, forms, scoring, start, map, countable };
    checks::across(desk, &draft);
    let texts = desk.texts();
    lint::wording(desk, &texts);
    let own_language = draft.about.as_ref().map_or("", |about| &about.language);
    let translations = translation::translations(desk, root, &texts, own_language);
    finish(desk, draft, texts, translations, text)
}

fn finish(
    desk: &Desk,
    draft: Draft,
    texts: Vec<Text>,
    translations: BTreeMap<String, BTreeMap<String, String>>,
    text: &str,
) -> Option<Instrument> {
    if !draft.countable {
        return None;
    }
    let items: Vec<Arc<Item>> = draft.items.into_iter().map(|item| item.value).collect();
    let ids: Vec<String> = draft.forms.iter().map(|form| form.value.id.to_string()).collect();
    let mut arranged = Vec::with_capacity(ids.len());
    for form in draft.forms {
        let at = form.at;
        let form = forms::arrange(form.value, &ids, &items);
        checks::neighbours(desk, at, &form);
        arranged.push(form);
    }
    let item_idx: BTreeMap<ItemId, usize> =
        items.iter().enumerate().map(|(at, item)| (item.id().clone(), at)).collect();
    let translated = |text: Text| (text.role != Role::Note).then_some((text.address, text.text));
    Some(Instrument {
        about: draft.about?,
        content_hash: hash(text),
        scales: draft.scales,
        facets: draft.facets.into_iter().map(|facet| facet.value).collect(),
        items,
        item_idx,
        forms: arranged,
        map: draft.map?.value.finished()?,
        scoring: draft.scoring?.value,
        translations,
        texts: texts.into_iter().filter_map(translated).collect(),
    })
}

fn hash(text: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Notes an id that was seen before; `true` if it is new.
fn is_new(desk: &Desk, seen: &mut BTreeMap<String, String>, id: &At<&str>, name: &str) -> bool {
    if let Some(first) = seen.get(id.value) {
        let what = format!("The id {:?} of {name} is taken by {first}", id.value);
        desk.fault(id.at, what, "Give it an id of its own");
        return false;
    }
    seen.insert(id.value.to_owned(), name.to_owned());
    true
}

/// Notes a name that nothing has; the remedy lists what there is.
fn unknown(desk: &Desk, known: &Known, kind: &str, word: &At<&str>, there_are: &[&str]) {
    if known.unsure.contains(&kind) {
        return;
    }
    let what = format!("There is no {kind} {:?}", word.value);
    desk.fault(word.at, what, format!("Write {}", crate::read::one_of(there_are)));
}
