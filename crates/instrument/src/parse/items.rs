//! Items of all kinds.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::item::{
    Amount, Check, Comment, Item, Key, Outcome, Pair, PairSide, Rating, Scenario, ScenarioOption,
    Wording,
};
use crate::model::{Approach, FacetId, FormId, ItemId, OptionId, Scale};
use crate::parse::frame::StartValues;
use crate::parse::{Known, is_new, unknown};
use crate::read::{At, Desk, Role, Section};

/// Words for the approaches in scenarios, which speak of situations.
const CALLS: [&str; 2] = ["order", "insight"];

/// Reads the items of the file and keeps them in its order, kind by kind.
struct Shelf<'k> {
    desk: &'k Desk,
    known: &'k Known,
    start: &'k StartValues,
    seen: BTreeMap<String, String>,
    seen_options: BTreeMap<String, String>,
    items: Vec<At<Arc<Item>>>,
}

pub(super) fn items(
    desk: &Desk,
    root: &Section<'_>,
    known: &Known,
    start: &StartValues,
) -> Vec<At<Arc<Item>>> {
    let mut shelf = Shelf {
        desk,
        known,
        start,
        seen: BTreeMap::new(),
        seen_options: BTreeMap::new(),
        items: Vec::new(),
    };
    shelf.take(root.tables("items", "[[items]]"), Shelf::rating);
    shelf.take(root.maybe_tables("scenarios", "[[scenarios]]"), Shelf::scenario);
    shelf.take(root.maybe_tables("pairs", "[[pairs]]"), Shelf::pair);
    shelf.take(root.maybe_tables("amounts", "[[amounts]]"), Shelf::amount);
    shelf.take(root.maybe_tables("outcomes", "[[outcomes]]"), Shelf::outcome);
    shelf.take(root.maybe_tables("comments", "[[comments]]"), Shelf::comment);
    shelf.take(root.maybe_tables("checks", "[[checks]]"), Shelf::check);
    shelf.items
}

impl Shelf<'_> {
    fn take(
        &mut self,
        sections: Vec<Section<'_>>,
        read: impl Fn(&mut Self, &Section<'_>, Option<&str>) -> Option<Item>,
    ) {
        for section in sections {
            let id = section.id();
            let item = read(self, &section, id.as_ref().map(|id| id.value));
            let (at, name) = (section.at, section.name.clone());
            section.end();
            let Some(id) = id else { continue };
            if is_new(self.desk, &mut self.seen, &id, &name) {
                self.items.extend(item.map(|value| At { at, value: Arc::new(value) }));
            }
        }
    }

    fn rating(&mut self, section: &Section<'_>, id: Option<&str>) -> Option<Item> {
        let facet = self.facet(section);
        let key = section.whole("key").and_then(|key| self.key(&key));
        let form = self.form(section);
        let reverse = key == Some(Key::Reverse);
        let wording = wording(section, &format!("items.{}", id.unwrap_or("?")), reverse);
        let scale = self.scale(section, "frequency");
        let (facet, approach) = facet?;
        let start = match key? {
            Key::Forward => &self.start.forward,
            Key::Reverse => &self.start.reverse,
        };
        Some(Item::Rating(Rating {
            id: ItemId::checked(id?),
            facet,
            approach,
            key: key?,
            form: form?,
            wording: wording?,
            scale: scale?,
            parameters: start.as_ref()?.value.clone(),
        }))
    }

    fn key(&self, key: &At<i64>) -> Option<Key> {
        match key.value {
            1 => Some(Key::Forward),
            -1 => Some(Key::Reverse),
            other => {
                let remedy = "Write 1 for a forward item, -1 for a reverse one";
                self.desk.fault(key.at, format!("`key` is {other}"), remedy);
                None
            }
        }
    }

    /// The facet named under `facet`, with its approach.
    fn facet(&self, section: &Section<'_>) -> Option<(FacetId, Approach)> {
        let word = section.word("facet")?;
        let Some(&approach) = self.known.facets.get(word.value) else {
            let there_are: Vec<&str> = self.known.facets.keys().map(String::as_str).collect();
            unknown(self.desk, self.known, "facet", &word, &there_are);
            return None;
        };
        Some((FacetId::checked(word.value), approach))
    }

    fn form(&self, section: &Section<'_>) -> Option<FormId> {
        let word = section.word("form")?;
        if !self.known.form_ids.iter().any(|id| id == word.value) {
            let there_are: Vec<&str> = self.known.form_ids.iter().map(String::as_str).collect();
            unknown(self.desk, self.known, "form", &word, &there_are);
            return None;
        }
        Some(FormId::checked(word.value))
    }

    /// The scale named under `scale`; the usual one of the kind where nothing is named.
    fn scale(&self, section: &Section<'_>, usual: &str) -> Option<Arc<Scale>> {
        let word = section.maybe_word("scale").unwrap_or(At { at: section.at, value: usual });
        if !self.known.scale_ids.iter().any(|id| id == word.value) {
            let there_are: Vec<&str> = self.known.scale_ids.iter().map(String::as_str).collect();
            unknown(self.desk, self.known, "scale", &word, &there_are);
            return None;
        }
        // A scale that is there but broken has had its fault.
        self.known.scales.iter().find(|scale| scale.id == word.value).cloned()
    }

    fn pair(&mut self, section: &Section<'_>, id: Option<&str>) -> Option<Item> {
        let address = format!("pairs.{}", id.unwrap_or("?"));
        let form = self.form(section);
        let side = |key: &'static str, approach: Approach| {
            let name = format!("`{key}` of {}", section.name);
            let side = section.table(key, &name)?;
            let facet = self.side_facet(&side, approach);
            let wording = wording(&side, &format!("{address}.{key}"), false);
            side.end();
            Some(PairSide { facet: facet?, wording: wording? })
        };
        let management = side("management", Approach::Management);
        let leadership = side("leadership", Approach::Leadership);
        let scale = self.scale(section, "preference");
        Some(Item::Pair(Pair {
            id: ItemId::checked(id?),
            form: form?,
            management: management?,
            leadership: leadership?,
            scale: scale?,
            slope: self.start.pair_slope?,
        }))
    }

    fn side_facet(&self, side: &Section<'_>, approach: Approach) -> Option<FacetId> {
        let at = side.word("facet")?.at;
        let (facet, of_facet) = self.facet(side)?;
        if of_facet != approach {
            let what = format!("The {approach} side has the {of_facet} facet \"{facet}\"");
            self.desk.fault(at, what, format!("Name a facet of {approach}, or swap the sides"));
            return None;
        }
        Some(facet)
    }

    fn scenario(&mut self, section: &Section<'_>, id: Option<&str>) -> Option<Item> {
        let address = format!("scenarios.{}", id.unwrap_or("?"));
        let demand = section.choice("demand", &CALLS, called);
        let title = section.text(&address, "title", Role::Label);
        let cues = section.words("cues");
        let text = section.text(&address, "text", Role::Asked);
        let sections = section.tables("options", &format!("option # of {}", section.name));
        let n_options = sections.len();
        let options: Vec<ScenarioOption> =
            sections.into_iter().filter_map(|option| self.option(option, &address)).collect();
        if options.len() < n_options {
            return None;
        }
        Some(Item::Scenario(Scenario {
            id: ItemId::checked(id?),
            demand: demand?.value,
            title: title?,
            cues: cues?.value.iter().map(|cue| cue.value.to_owned()).collect(),
            text: text?,
            options,
        }))
    }

    fn option(&mut self, section: Section<'_>, address: &str) -> Option<ScenarioOption> {
        let id = section.id();
        let approach = section.choice("approach", &CALLS, called);
        let strength = section.count("strength", 1, 2);
        let fit = section.count("fit", 0, 9);
        let last = format!("options.{}", id.as_ref().map_or("?", |id| id.value));
        let text = section.text_as(address, "text", &last, Role::Asked);
        let name = section.name.clone();
        section.end();
        let id = id.filter(|id| is_new(self.desk, &mut self.seen_options, id, &name))?;
        Some(ScenarioOption {
            id: OptionId::checked(id.value),
            approach: approach?.value,
            strength: strength?.value,
            fit: fit?.value,
            text: text?,
        })
    }

    fn amount(&mut self, section: &Section<'_>, id: Option<&str>) -> Option<Item> {
        let facet = self.facet(section);
        let wording = wording(section, &format!("amounts.{}", id.unwrap_or("?")), false);
        let scale = self.scale(section, "amount");
        let (facet, approach) = facet?;
        let (wording, scale) = (wording?, scale?);
        Some(Item::Amount(Amount { id: ItemId::checked(id?), facet, approach, wording, scale }))
    }

    fn outcome(&mut self, section: &Section<'_>, id: Option<&str>) -> Option<Item> {
        // Raters may speak in the first person here: "I would choose …".
        let text = section.text(&format!("outcomes.{}", id.unwrap_or("?")), "rater", Role::Asked);
        let scale = self.scale(section, "frequency");
        Some(Item::Outcome(Outcome { id: ItemId::checked(id?), text: text?, scale: scale? }))
    }

    fn comment(&mut self, section: &Section<'_>, id: Option<&str>) -> Option<Item> {
        let text = section.text(&format!("comments.{}", id.unwrap_or("?")), "text", Role::Asked);
        Some(Item::Comment(Comment { id: ItemId::checked(id?), text: text? }))
    }

    fn check(&mut self, section: &Section<'_>, id: Option<&str>) -> Option<Item> {
        let text = section.text(&format!("checks.{}", id.unwrap_or("?")), "text", Role::Asked);
        let answer = section.whole("answer");
        let scale = self.scale(section, "frequency");
        let (answer, scale) = (answer?, scale?);
        if scale.position(answer.value).is_none() {
            let what = format!("The answer {} is not on scale \"{}\"", answer.value, scale.id);
            let values: Vec<String> = scale.points.iter().map(|p| p.value.to_string()).collect();
            self.desk.fault(answer.at, what, format!("Write one of {}", values.join(", ")));
            return None;
        }
        let answer = answer.value;
        Some(Item::Check(Check { id: ItemId::checked(id?), text: text?, answer, scale }))
    }
}

fn wording(section: &Section<'_>, address: &str, reverse: bool) -> Option<Wording> {
    let own = section.text(address, "self", Role::Own { reverse });
    let rater = section.text(address, "rater", Role::Rater { reverse });
    Some(Wording { own: own?, rater: rater? })
}

fn called(word: &str) -> Option<Approach> {
    CALLS.iter().position(|call| *call == word).map(|at| Approach::BOTH[at])
}
