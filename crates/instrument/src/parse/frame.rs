//! The sections that items stand on: `[instrument]`, `[scales]`, `[[facets]]`, `[scoring]`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::item::{Graded, Wording};
use crate::model::{
    About, Approach, Facet, FacetId, InstrumentId, Point, Rules, Scale, ScaleId, Scoring, Status,
    StopRule, Version, id_fault,
};
use crate::parse::is_new;
use crate::read::{At, Desk, Role, Section};

/// Points of a scale: more cannot be told apart, or shown on a small screen.
const POINTS_MAX: usize = 11;
/// |b| and |mean| above this are slips of the pen, not parameters.
const THETA_MAX: f64 = 10.0;

pub(super) const APPROACHES: [&str; 2] = ["management", "leadership"];

pub(super) fn about(root: &Section<'_>) -> Option<About> {
    let section = root.table("instrument", "[instrument]")?;
    let at = "instrument";
    let id = section.id();
    let version = section.parsed("version", "three numbers such as \"0.1.0\"", Version::from_word);
    let status =
        section.choice("status", &["draft", "pilot", "calibrated", "normed"], Status::from_word);
    let language = section.parsed("language", "a language tag such as \"en-GB\"", language_tag);
    let origin = section.text(at, "origin", Role::Note);
    let licence = section.text(at, "licence", Role::Note);
    let title = section.text(at, "title", Role::Label);
    let time_frame = section.text(at, "time_frame", Role::Label);
    let own = section.text(at, "self_stem", Role::Asked);
    let rater = section.text(at, "rater_stem", Role::Asked);
    section.choice_list("approaches", &APPROACHES);
    section.end();
    Some(About {
        id: InstrumentId::checked(id?.value),
        version: version?.value,
        status: status?.value,
        language: language?.value,
        origin: origin?,
        licence: licence?,
        title: title?,
        time_frame: time_frame?,
        stem: Wording { own: own?, rater: rater? },
    })
}

/// A language tag such as `en-GB`: letters and digits in parts of two to eight.
pub(crate) fn language_tag(word: &str) -> Option<String> {
    let part_is_well = |part: &str| {
        (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let begins = word.starts_with(|c: char| c.is_ascii_lowercase());
    (begins && word.len() <= 35 && word.split('-').all(part_is_well)).then(|| word.to_owned())
}

/// Ids of all scales of the file, and those that could be read.
pub(super) fn scales(desk: &Desk, root: &Section<'_>) -> (Vec<String>, Vec<Arc<Scale>>) {
    let Some(all) = root.table("scales", "[scales]") else { return Default::default() };
    let mut ids = Vec::new();
    let mut scales = Vec::new();
    for (name, table) in all.tables_by_name() {
        let section = Section::new(desk, table, name.at, format!("[scales.{}]", name.value));
        if let Some(fault) = id_fault(name.value) {
            let what = format!("The scale name {:?} {fault}", name.value);
            desk.fault(name.at, what, "Write a short name such as \"frequency\"");
            continue;
        }
        if name.value == "likely" {
            section.choice_list("values", &["most", "least"]);
            section.end();
            continue;
        }
        ids.push(name.value.to_owned());
        scales.extend(scale(desk, section, name.value).map(Arc::new));
    }
    (ids, scales)
}

fn scale(desk: &Desk, section: Section<'_>, id: &str) -> Option<Scale> {
    let address = format!("scales.{id}");
    let values = section.wholes("values");
    let labels = section.texts(&address, "labels", Role::Label);
    let help = section.maybe_texts(&address, "help", Role::Label);
    let shares = section.maybe_numbers("values_for_share");
    let rater_extra = section.maybe_text(&address, "rater_extra", Role::Label);
    section.end();

    let (values, labels) = (values?, labels?);
    let n_points = values.value.len();
    if !(2..=POINTS_MAX).contains(&n_points) {
        let what = format!("The scale {id:?} has {n_points} values");
        desk.fault(values.at, what, format!("Give it from 2 to {POINTS_MAX}"));
        return None;
    }
    let mut sound = rising(desk, &values.value, &format!("The values of scale {id:?}"));
    let mut same_length = |key: &str, n: usize, at: usize| {
        if n != n_points {
            let what = format!("`{key}` of scale {id:?} has {n} entries for {n_points} values");
            desk.fault(at, what, format!("Give it {n_points}, one for each value"));
            sound = false;
        }
    };
    same_length("labels", labels.value.len(), labels.at);
    help.iter().for_each(|help| same_length("help", help.value.len(), help.at));
    shares.iter().for_each(|shares| {
        same_length("values_for_share", shares.value.len(), shares.at);
    });
    if let Some(shares) = &shares {
        sound &= all_within(desk, &shares.value, (0.0, 1.0), "A share of chances")
            && rising(desk, &shares.value, "The shares");
    }
    let points = (0..n_points).map(|nth| Point {
        value: values.value[nth].value,
        label: labels.value[nth].clone(),
        help: help.as_ref().map(|help| help.value[nth].clone()),
        share: shares.as_ref().map(|shares| shares.value[nth].value),
    });
    sound.then(|| Scale { id: ScaleId::checked(id), points: points.collect(), rater_extra })
}

/// Whether each entry is above the one before it; a fault at the first that is not.
fn rising<T: PartialOrd + Copy + std::fmt::Display>(
    desk: &Desk,
    entries: &[At<T>],
    what: &str,
) -> bool {
    let falls = |pair: &&[At<T>]| {
        let rises = pair[0].value < pair[1].value;
        !rises
    };
    let Some(pair) = entries.windows(2).find(falls) else { return true };
    let what = format!("{what} do not rise: {} comes after {}", pair[1].value, pair[0].value);
    desk.fault(pair[1].at, what, "Write them in order, the lowest first, each once");
    false
}

fn all_within(desk: &Desk, entries: &[At<f64>], (least, most): (f64, f64), what: &str) -> bool {
    let outside = |entry: &&At<f64>| !(least..=most).contains(&entry.value);
    let Some(entry) = entries.iter().find(outside) else { return true };
    desk.fault(
        entry.at,
        format!("{what} is {}", entry.value),
        format!("Write a number from {least} to {most}"),
    );
    false
}

/// The approach of every facet whose id and approach could be read, and the whole facets.
pub(super) fn facets(
    desk: &Desk,
    root: &Section<'_>,
) -> (BTreeMap<String, Approach>, Vec<At<Facet>>) {
    let mut seen = BTreeMap::new();
    let mut approaches = BTreeMap::new();
    let mut facets = Vec::new();
    for section in root.tables("facets", "[[facets]]") {
        let (at, name) = (section.at, section.name.clone());
        let id = section.id();
        let approach = section.choice("approach", &APPROACHES, Approach::from_word);
        let rest = facet_texts(section, id.as_ref().map_or("?", |id| id.value));
        let (Some(id), Some(approach)) = (id, approach) else { continue };
        if !is_new(desk, &mut seen, &id, &name) {
            continue;
        }
        approaches.insert(id.value.to_owned(), approach.value);
        let [name, definition, research_link, too_little, too_much, action] = rest;
        let whole = || {
            Some(Facet {
                id: FacetId::checked(id.value),
                approach: approach.value,
                name: name?,
                definition: definition?,
                research_link: research_link?,
                too_little: too_little?,
                too_much: too_much?,
                action: action?,
            })
        };
        facets.extend(whole().map(|value| At { at, value }));
    }
    (approaches, facets)
}

fn facet_texts(section: Section<'_>, id: &str) -> [Option<String>; 6] {
    let address = format!("facets.{id}");
    let texts = [
        ("name", Role::Label),
        ("definition", Role::Told),
        ("research_link", Role::Note),
        ("too_little", Role::Told),
        ("too_much", Role::Told),
        ("action", Role::Told),
    ]
    .map(|(key, role)| section.text(&address, key, role));
    section.end();
    texts
}

/// Parameters that items begin with, by kind and key.
#[derive(Default)]
pub(crate) struct StartValues {
    pub(crate) forward: Option<At<Graded>>,
    pub(crate) reverse: Option<At<Graded>>,
    pub(crate) pair_slope: Option<f64>,
}

const POSITIVE: (&str, fn(f64) -> bool) = ("a number above 0", |number| number > 0.0);
const SHARE: (&str, fn(f64) -> bool) =
    ("a share above 0 and at most 1", |number| number > 0.0 && number <= 1.0);

pub(super) fn scoring(desk: &Desk, root: &Section<'_>) -> (StartValues, Option<At<Scoring>>) {
    let Some(section) = root.table("scoring", "[scoring]") else { return Default::default() };
    let at = section.at;
    section.choice("model", &["graded-response"], |word| (word == "graded-response").then_some(()));
    let prior = section.table("theta_prior", "`theta_prior`").map(prior);
    let correlation = section.number(
        "approach_correlation_prior",
        ("a correlation between -1 and 1, ends excluded", |number| number.abs() < 1.0),
    );
    let provisional = section.flag("provisional");
    let start = section.table("start_values", "[scoring.start_values]");
    let start = start.map(|section| start_values(desk, section)).unwrap_or_default();
    let stop = section.table("stop", "[scoring.stop]").map(|section| stop_rule(desk, section));
    let rules = section.table("rules", "[scoring.rules]").map(rules);
    section.end();
    let whole = || {
        let (prior_mean, prior_sd) = prior??;
        Some(Scoring {
            prior_mean,
            prior_sd,
            prior_correlation: correlation?.value,
            provisional: provisional?.value,
            stop: stop??,
            rules: rules??,
        })
    };
    (start, whole().map(|value| At { at, value }))
}

fn prior(section: Section<'_>) -> Option<(f64, f64)> {
    let mean =
        section.number("mean", ("a mean between -10 and 10", |number| number.abs() <= THETA_MAX));
    let sd = section.number("sd", POSITIVE);
    section.end();
    Some((mean?.value, sd?.value))
}

fn start_values(desk: &Desk, section: Section<'_>) -> StartValues {
    let graded_under = |key, name| {
        let section = section.table(key, name)?;
        let at = section.at;
        graded(desk, section).map(|value| At { at, value })
    };
    let forward = graded_under("forward", "`forward` start values");
    let reverse = graded_under("reverse", "`reverse` start values");
    let pair_slope = section.table("pair", "`pair` start values").and_then(|section| {
        let slope = section.number("a", POSITIVE);
        section.end();
        slope.map(|slope| slope.value)
    });
    section.end();
    StartValues { forward, reverse, pair_slope }
}

fn graded(desk: &Desk, section: Section<'_>) -> Option<Graded> {
    let slope = section.number("a", POSITIVE);
    let thresholds = section.numbers("b");
    section.end();
    let thresholds = thresholds?;
    let within = all_within(desk, &thresholds.value, (-THETA_MAX, THETA_MAX), "A threshold");
    let sound = within && rising(desk, &thresholds.value, "The thresholds");
    if thresholds.value.is_empty() {
        desk.fault(
            thresholds.at,
            "`b` is empty",
            "Write one threshold fewer than the scale has values",
        );
        return None;
    }
    let a = slope?.value;
    sound.then(|| Graded { a, b: thresholds.value.iter().map(|b| b.value).collect() })
}

fn stop_rule(desk: &Desk, section: Section<'_>) -> Option<StopRule> {
    let se_approach = section.number("se_approach", POSITIVE);
    let least = section.count("min_items_per_approach", 1, 200);
    let most = section.count("max_items_per_approach", 1, 200);
    let cover = section.flag("cover_every_facet");
    section.end();
    let (least, most) = (least?, most?);
    if least.value > most.value {
        let what = format!("`max_items_per_approach` is {}, below the minimum", most.value);
        desk.fault(most.at, what, format!("Write {} or more", least.value));
    }
    Some(StopRule {
        se_approach: se_approach?.value,
        min_items_per_approach: least.value,
        max_items_per_approach: most.value,
        cover_every_facet: cover?.value,
    })
}

fn rules(section: Section<'_>) -> Option<Rules> {
    let per_facet = section.number("min_answered_per_facet", SHARE);
    let raters = section.count("min_raters_per_group", 3, 100);
    let apart = section.flag("self_never_merged_with_others");
    let named = section.number(
        "region_named_when_probability_at_least",
        ("a probability above 0.5 and at most 1, so that two regions never both have it", |p| {
            p > 0.5 && p <= 1.0
        }),
    );
    let reliable = section.number("change_called_reliable_when_abs_rci_at_least", POSITIVE);
    section.end();
    Some(Rules {
        min_answered_per_facet: per_facet?.value,
        min_raters_per_group: raters?.value,
        self_never_merged_with_others: apart?.value,
        region_named_when_probability_at_least: named?.value,
        change_called_reliable_when_abs_rci_at_least: reliable?.value,
    })
}
