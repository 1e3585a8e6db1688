//! `[[forms]]`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::form::{AnswersNeeded, Block, Form};
use crate::item::{Item, ItemKind, Voice};
use crate::model::FormId;
use crate::order;
use crate::parse::is_new;
use crate::read::{At, Desk, Role, Section};

/// A form before its items are known.
#[derive(Debug, Clone)]
pub(crate) struct FormDraft {
    pub(crate) id: FormId,
    pub(crate) name: String,
    pub(crate) minutes_max: usize,
    pub(crate) page_size: usize,
    pub(crate) answers_needed: At<AnswersNeeded>,
    pub(crate) reports_facets: At<bool>,
    pub(crate) blocks: Vec<At<Block>>,
}

impl FormDraft {
    pub(crate) fn has(&self, kind: ItemKind) -> bool {
        self.blocks.iter().any(|block| block.value.kind == kind)
    }
}

/// Ids of all forms of the file, and the forms that could be read; both shortest first.
pub(super) fn forms(desk: &Desk, root: &Section<'_>) -> (Vec<String>, Vec<At<FormDraft>>) {
    let mut seen = BTreeMap::new();
    let mut ids = Vec::new();
    let mut forms = Vec::new();
    for section in root.tables("forms", "[[forms]]") {
        let (at, name) = (section.at, section.name.clone());
        let id = section.id();
        let draft = form(desk, section, id.as_ref().map(|id| id.value));
        let Some(id) = id else { continue };
        if is_new(desk, &mut seen, &id, &name) {
            ids.push(id.value.to_owned());
            forms.extend(draft.map(|value| At { at, value }));
        }
    }
    (ids, forms)
}

fn form(desk: &Desk, section: Section<'_>, id: Option<&str>) -> Option<FormDraft> {
    let address = format!("forms.{}", id.unwrap_or("?"));
    let name = section.text(&address, "name", Role::Label);
    let minutes_max = section.count("minutes_max", 1, 240);
    let page_size = section.count("page_size", 1, 50);
    let answers_needed = answers_needed(desk, &section);
    let reports_facets = section.flag("reports_facets");
    let blocks = blocks(desk, &section);
    section.end();
    Some(FormDraft {
        id: FormId::checked(id?),
        name: name?,
        minutes_max: minutes_max?.value,
        page_size: page_size?.value,
        answers_needed: answers_needed?,
        reports_facets: reports_facets?,
        blocks,
    })
}

fn answers_needed(desk: &Desk, section: &Section<'_>) -> Option<At<AnswersNeeded>> {
    let number = section.whole_or_fraction("min_answered_per_approach")?;
    let value = match number.value {
        Ok(count) => usize::try_from(count).ok().filter(|&n| n > 0).map(AnswersNeeded::Count),
        Err(share) => (share > 0.0 && share <= 1.0).then_some(AnswersNeeded::Share(share)),
    };
    if value.is_none() {
        desk.fault(
            number.at,
            "`min_answered_per_approach` is out of range",
            "Write a whole number of answers, 1 or more, or a share such as 0.8",
        );
    }
    value.map(|value| At { at: number.at, value })
}

fn blocks(desk: &Desk, section: &Section<'_>) -> Vec<At<Block>> {
    let words = ItemKind::ALL.map(ItemKind::as_str);
    let mut blocks: Vec<At<Block>> = Vec::new();
    for block in section.tables("blocks", &format!("block # of {}", section.name)) {
        let at = block.at;
        let kind = block.choice("kind", &words, ItemKind::from_word);
        let served = block.flag("served");
        block.end();
        let (Some(kind), Some(served)) = (kind, served) else { continue };
        if blocks.iter().any(|earlier| earlier.value.kind == kind.value) {
            let what = format!("{} has two blocks of kind \"{}\"", section.name, kind.value);
            desk.fault(kind.at, what, "Name each kind once");
            continue;
        }
        blocks.push(At { at, value: Block { kind: kind.value, served: served.value } });
    }
    blocks
}

/// Whether an item belongs to the form at that place of `form_ids`.
pub(crate) fn includes(
    form_idx: usize,
    blocks: &[At<Block>],
    form_ids: &[String],
    item: &Item,
) -> bool {
    let shortest = match item {
        Item::Rating(rating) => Some(&rating.form),
        Item::Pair(pair) => Some(&pair.form),
        _ => None,
    };
    let reached = shortest.is_none_or(|shortest| {
        form_ids.iter().position(|id| shortest == id.as_str()).is_some_and(|at| at <= form_idx)
    });
    reached && blocks.iter().any(|block| block.value.kind == item.kind())
}

/// The finished form: its items in the order of asking, all and by voice.
pub(super) fn arrange(draft: FormDraft, form_ids: &[String], items: &[Arc<Item>]) -> Form {
    let form_idx = form_ids.iter().position(|id| draft.id == id.as_str()).unwrap_or(0);
    let is_in = |item: &&Arc<Item>| includes(form_idx, &draft.blocks, form_ids, item);
    let included: Vec<Arc<Item>> = items.iter().filter(is_in).cloned().collect();
    let blocks: Vec<Block> = draft.blocks.iter().map(|block| block.value).collect();
    let declared = order::arrange(&blocks, &included);
    let served_to = |voice: Voice| {
        let is_served = |item: &&Arc<Item>| {
            let kind = item.kind();
            kind.is_asked_of(voice) && blocks.contains(&Block { kind, served: true })
        };
        declared.iter().filter(is_served).cloned().collect()
    };
    Form {
        id: draft.id,
        name: draft.name,
        minutes_max: draft.minutes_max,
        page_size: draft.page_size,
        answers_needed: draft.answers_needed.value,
        reports_facets: draft.reports_facets.value,
        own: served_to(Voice::Own),
        rater: served_to(Voice::Rater),
        declared,
        blocks,
    }
}
