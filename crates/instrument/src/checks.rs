//! What only shows across sections: balance, nesting, pairs, scenarios, the map.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::form::{AnswersNeeded, Form, count_ratings};
use crate::item::{Graded, Item, ItemKind, Key, Pair, Scenario};
use crate::map::{Axis, Region};
use crate::model::{Approach, Facet, Status};
use crate::order;
use crate::parse::forms::{FormDraft, includes};
use crate::parse::map::MapDraft;
use crate::parse::{Draft, frame::StartValues};
use crate::read::{At, Desk};

/// Rating items that a facet needs before a form may report it (science: ω ≈ .72 at six).
const FACET_ITEMS_MIN: usize = 6;
/// Longest option of a scenario over its shortest, in characters.
const OPTION_LENGTH_RATIO_MAX: f64 = 1.5;

pub(crate) fn across(desk: &Desk, draft: &Draft) {
    status(desk, draft);
    if let Some(map) = &draft.map {
        axes(desk, map);
        bands(desk, draft, map);
        coverage(desk, map);
    }
    thresholds(desk, &draft.items, &draft.start);
    approaches(desk, draft);
    if draft.countable {
        forms(desk, draft);
        keys(desk, draft);
        pairs(desk, draft);
        scenarios(desk, draft);
    }
}

/// No two neighbours about one facet, however a file's items are spread.
pub(crate) fn neighbours(desk: &Desk, at: usize, form: &Form) {
    if let Some((one, two)) = order::neighbours(form.declared()) {
        let (form, one, two) = (form.id(), one.id(), two.id());
        desk.fault(
            at,
            format!("In form \"{form}\", {one} and {two} of one facet cannot be kept apart"),
            "Spread the items over more facets, none with more than half of them",
        );
    }
}

fn status(desk: &Desk, draft: &Draft) {
    let (Some(about), Some(scoring)) = (&draft.about, &draft.scoring) else { return };
    if about.status < Status::Calibrated && !scoring.value.provisional {
        let what = format!("`provisional` is false while the status is \"{}\"", about.status);
        desk.fault(scoring.at, what, "Write `provisional = true` until a calibration exists");
    }
}

fn approaches(desk: &Desk, draft: &Draft) {
    for approach in Approach::BOTH {
        let has_facet = draft.facets.iter().any(|facet| facet.value.approach == approach);
        if draft.countable && !has_facet {
            let remedy = "Add a facet of it, with items: a profile has two levels";
            let at = draft.facets.first().map_or(0, |facet| facet.at);
            desk.fault(at, format!("No facet is of {approach}"), remedy);
        }
    }
}

fn thresholds(desk: &Desk, items: &[At<Arc<Item>>], start: &StartValues) {
    let graded = |key| match key {
        Key::Forward => start.forward.as_ref(),
        Key::Reverse => start.reverse.as_ref(),
    };
    let wrong = |values: &At<Graded>, n_points: usize| values.value.b.len() + 1 != n_points;
    let mut reported = BTreeSet::new();
    for rating in items.iter().filter_map(|item| item.value.as_rating()) {
        let Some(values) = graded(rating.key()) else { continue };
        let scale = rating.scale();
        let n_points = scale.points().len();
        if wrong(values, n_points) && reported.insert((values.at, scale.id().clone())) {
            let what =
                format!("`b` has {} thresholds for {n_points} answers", values.value.b.len());
            desk.fault(values.at, what, format!("Write {}, one fewer than answers", n_points - 1));
        }
    }
}

fn forms(desk: &Desk, draft: &Draft) {
    let there_is = |kind| draft.items.iter().any(|item| item.value.kind() == kind);
    for form in &draft.forms {
        for block in form.value.blocks.iter().filter(|block| !there_is(block.value.kind)) {
            let kind = block.value.kind;
            let what = format!("Form \"{}\" has a block of kind \"{kind}\"", form.value.id);
            desk.fault(block.at, format!("{what}, and the file has no such item"), "Take it out");
        }
    }
    for (shorter, longer) in draft.forms.iter().zip(draft.forms.iter().skip(1)) {
        nesting(desk, draft, shorter, longer);
    }
    stranded(desk, draft);
}

/// A longer form has every kind of the shorter one, and more items.
fn nesting(desk: &Desk, draft: &Draft, shorter: &At<FormDraft>, longer: &At<FormDraft>) {
    let lost = shorter.value.blocks.iter().find(|block| !longer.value.has(block.value.kind));
    let (short_id, long_id) = (&shorter.value.id, &longer.value.id);
    if let Some(block) = lost {
        let kind = block.value.kind;
        let what = format!("Form \"{long_id}\" has no \"{kind}\" block, which \"{short_id}\" has");
        desk.fault(longer.at, what, "Add it: a longer form holds all of a shorter one");
    } else if items_of(draft, longer).len() <= items_of(draft, shorter).len() {
        let what = format!("Form \"{long_id}\" adds no item to \"{short_id}\"");
        desk.fault(longer.at, what, "Take it out, or put it before the form that is longer");
    }
}

/// Items that no form asks, or whose own form does not; one fault for each form and kind.
fn stranded(desk: &Desk, draft: &Draft) {
    let mut reported = BTreeSet::new();
    for item in &draft.items {
        let kind = item.value.kind();
        let own = match &*item.value {
            Item::Rating(rating) => Some(rating.shortest_form()),
            Item::Pair(pair) => Some(pair.shortest_form()),
            _ => None,
        };
        let forms = draft.forms.iter();
        let up_to_own = match own {
            // Where a shorter form has the kind, `nesting` has spoken.
            Some(id) => 1 + forms.clone().position(|form| form.value.id == *id).unwrap_or(0),
            None => draft.forms.len(),
        };
        let asked = forms.take(up_to_own).any(|form| form.value.has(kind));
        if !asked && reported.insert((own.cloned(), kind)) {
            let what = match own {
                Some(id) => format!("is put in form \"{id}\", which has no block of kind"),
                None => "can be in no form: none has a block of kind".to_owned(),
            };
            let what = format!("{} {what} \"{kind}\"", item.value.id());
            desk.fault(item.at, what, "Add the block to the form, or move the item");
        }
    }
}

fn items_of(draft: &Draft, form: &At<FormDraft>) -> Vec<Arc<Item>> {
    let ids: Vec<String> = draft.forms.iter().map(|form| form.value.id.to_string()).collect();
    let form_idx = ids.iter().position(|id| form.value.id == id.as_str()).unwrap_or(0);
    let is_in = |item: &&At<Arc<Item>>| includes(form_idx, &form.value.blocks, &ids, &item.value);
    draft.items.iter().filter(is_in).map(|item| item.value.clone()).collect()
}

/// Per form: every facet asked, as often forward as in reverse, often enough for what is reported.
fn keys(desk: &Desk, draft: &Draft) {
    for form in draft.forms.iter().filter(|form| form.value.has(ItemKind::Rating)) {
        let items = items_of(draft, form);
        for facet in &draft.facets {
            facet_keys(desk, form, facet, &items);
        }
        reported_facets(desk, draft, form, &items);
        for approach in Approach::BOTH {
            let n_ratings = count_ratings(&items, approach);
            let needed = form.value.answers_needed.value;
            if let AnswersNeeded::Count(needed) = needed
                && needed > n_ratings
            {
                let what = format!(
                    "Form \"{}\" wants {needed} answers on {approach} and asks {n_ratings}",
                    form.value.id
                );
                let remedy = "Write a smaller number, or a share such as 0.8";
                desk.fault(form.value.answers_needed.at, what, remedy);
            }
        }
    }
}

fn facet_keys(desk: &Desk, form: &At<FormDraft>, facet: &At<Facet>, items: &[Arc<Item>]) {
    let (form_id, facet_id) = (&form.value.id, &facet.value.id);
    let n_keyed = |key| {
        let ratings = items.iter().filter_map(|item| item.as_rating());
        ratings.filter(|rating| rating.facet() == facet_id && rating.key() == key).count()
    };
    let (n_forward, n_reverse) = (n_keyed(Key::Forward), n_keyed(Key::Reverse));
    if n_forward != n_reverse {
        let what = format!(
            "Form \"{form_id}\" has {n_forward} forward and {n_reverse} reverse items of \
             facet \"{facet_id}\""
        );
        desk.fault(facet.at, what, "Even them out, or saying yes to all counts as a score");
    } else if n_forward == 0 {
        let what = format!("Form \"{form_id}\" asks nothing about facet \"{facet_id}\"");
        desk.fault(facet.at, what, "Give it a forward and a reverse item, or take the facet out");
    }
}

/// A form that reports facets asks enough about each.
fn reported_facets(desk: &Desk, draft: &Draft, form: &At<FormDraft>, items: &[Arc<Item>]) {
    if !form.value.reports_facets.value {
        return;
    }
    let n_items = |facet: &At<Facet>| {
        let ratings = items.iter().filter_map(|item| item.as_rating());
        ratings.filter(|rating| *rating.facet() == facet.value.id).count()
    };
    let Some(thinnest) = draft.facets.iter().min_by_key(|facet| n_items(facet)) else { return };
    let n_items = n_items(thinnest);
    if n_items < FACET_ITEMS_MIN {
        let (form_id, facet_id) = (&form.value.id, &thinnest.value.id);
        let what =
            format!("Form \"{form_id}\" reports facets, with {n_items} items of \"{facet_id}\"");
        let remedy = format!("Write `reports_facets = false`, or ask {FACET_ITEMS_MIN} or more");
        desk.fault(form.value.reports_facets.at, what, remedy);
    }
}

/// Every facet equally often, no two facets twice; one of each approach is sure by now.
fn pairs(desk: &Desk, draft: &Draft) {
    let pairs: Vec<(usize, &Pair)> = kind_of(draft, |item| match item {
        Item::Pair(pair) => Some(pair),
        _ => None,
    });
    let Some(&(first_at, _)) = pairs.first() else { return };
    let mut met = BTreeMap::new();
    let mut uses: BTreeMap<&str, usize> =
        draft.facets.iter().map(|facet| (facet.value.id.as_str(), 0)).collect();
    for (at, pair) in &pairs {
        let sides = Approach::BOTH.map(|approach| pair.side(approach).facet().as_str());
        for side in sides {
            *uses.entry(side).or_default() += 1;
        }
        if let Some(earlier) = met.insert(sides, pair.id()) {
            let what = format!("{} sets {} against {}", pair.id(), sides[0], sides[1]);
            desk.fault(*at, format!("{what} again, as {earlier} does"), "Pair other facets");
        }
    }
    let by_use = |(one, two): (&(&&str, &usize), &(&&str, &usize))| one.1.cmp(two.1);
    let least = uses.iter().min_by(|one, two| by_use((one, two)));
    let most = uses.iter().max_by(|one, two| by_use((one, two)));
    if let (Some((few, n_few)), Some((many, n_many))) = (least, most)
        && n_few != n_many
    {
        let what = format!("Facet \"{many}\" is in {n_many} pairs, \"{few}\" in {n_few}");
        desk.fault(first_at, what, "Put every facet in equally many");
    }
}

fn kind_of<'d, T>(draft: &'d Draft, pick: impl Fn(&'d Item) -> Option<T>) -> Vec<(usize, T)> {
    let picked = |item: &'d At<Arc<Item>>| pick(&item.value).map(|found| (item.at, found));
    draft.items.iter().filter_map(picked).collect()
}

fn scenarios(desk: &Desk, draft: &Draft) {
    let scenarios: Vec<(usize, &Scenario)> = kind_of(draft, |item| match item {
        Item::Scenario(scenario) => Some(scenario),
        _ => None,
    });
    for (at, scenario) in &scenarios {
        options(desk, *at, scenario);
    }
    let Some(&(first_at, _)) = scenarios.first() else { return };
    let n = scenarios.len();
    let count = |holds: &dyn Fn(&Scenario) -> bool| {
        scenarios.iter().filter(|(_, scenario)| holds(scenario)).count()
    };
    let n_longest = count(&best_is_longest);
    if 2 * n_longest > n {
        let what = format!("The best option is the longest in {n_longest} of {n} scenarios");
        desk.fault(first_at, what, "Shorten best options until it is so in half or fewer");
    }
    let n_strong = count(&|s| best(s).is_some_and(|option| option.strength() == 2));
    if n > 3 && (3 * n_strong > 2 * n || 3 * (n - n_strong) > 2 * n) {
        let what = format!("The strong option is best in {n_strong} of {n} scenarios");
        let remedy = "Let it be best in a third to two thirds, so that no habit of choosing wins";
        desk.fault(first_at, what, remedy);
    }
    let n_order = count(&|scenario| scenario.demand() == Approach::Management);
    if 2 * n_order != n {
        let what = format!("{n_order} of {n} scenarios call for order");
        desk.fault(first_at, what, "Let half call for order and half for insight");
    }
}

fn best(scenario: &Scenario) -> Option<&crate::ScenarioOption> {
    scenario.options().iter().max_by_key(|option| option.fit())
}

fn n_chars(option: &crate::ScenarioOption) -> usize {
    option.text().chars().count()
}

fn best_is_longest(scenario: &Scenario) -> bool {
    let longest = scenario.options().iter().map(n_chars).max();
    best(scenario).map(n_chars) == longest
}

fn options(desk: &Desk, at: usize, scenario: &Scenario) {
    let id = scenario.id();
    let options = scenario.options();
    let mut fits: Vec<usize> = options.iter().map(crate::ScenarioOption::fit).collect();
    fits.sort_unstable();
    if !fits.iter().copied().eq(0..options.len()) {
        let what = format!("The fits of {id} are not 0 to {} once each", options.len() - 1);
        desk.fault(at, what, "Give the worst option 0 and each better one 1 more");
    }
    let n_order = options.iter().filter(|o| o.approach() == Approach::Management).count();
    if 2 * n_order != options.len() {
        let what = format!("Of the {} options of {id}, order has {n_order}", options.len());
        desk.fault(at, what, "Give it as many of order as of insight");
    }
    if best(scenario).is_some_and(|option| option.approach() != scenario.demand()) {
        let what = format!("The best option of {id} is not of the approach it calls for");
        desk.fault(at, what, "Change `demand`, or the fits");
    }
    let lengths = || options.iter().map(n_chars);
    if let (Some(shortest), Some(longest)) = (lengths().min(), lengths().max())
        && longest as f64 > OPTION_LENGTH_RATIO_MAX * shortest as f64
    {
        let what = format!("The options of {id} have from {shortest} to {longest} characters");
        let remedy = "Keep the longest within one and a half times the shortest";
        desk.fault(at, what, remedy);
    }
}

fn axes(desk: &Desk, map: &At<MapDraft>) {
    if let (Some(x), Some(y)) = (&map.value.x, &map.value.y)
        && x.value.approach == y.value.approach
    {
        let what = format!("Both axes of the map show {}", x.value.approach);
        desk.fault(y.at, what, format!("Write `approach = \"{}\"`", x.value.approach.other()));
    }
}

fn bands(desk: &Desk, draft: &Draft, map: &At<MapDraft>) {
    let (Some(lowest), Some(scoring)) = (map.value.bands.last(), &draft.scoring) else { return };
    let named = scoring.value.rules.region_named_when_probability_at_least;
    if lowest.value.at_least != named {
        let what = format!("The lowest band begins at {}", lowest.value.at_least);
        let what = format!("{what}, and regions are named from {named}");
        desk.fault(lowest.at, what, format!("Write `at_least = {named}`"));
    }
}

/// Regions begin and end at cuts, and each cell between cuts lies in exactly one.
fn coverage(desk: &Desk, map: &At<MapDraft>) {
    let (Some(x), Some(y)) = (&map.value.x, &map.value.y) else { return };
    if x.value.approach == y.value.approach || !map.value.regions_whole {
        return;
    }
    let cuts_of = |approach| {
        if x.value.approach == approach { &x.value.cuts } else { &y.value.cuts }
    };
    let mut on_cuts = true;
    for region in &map.value.regions {
        on_cuts &= ends_at_cuts(desk, region, cuts_of);
    }
    if !on_cuts {
        return;
    }
    for axis in [x, y] {
        unused_cuts(desk, axis, &map.value.regions);
    }
    for &management in &cells(cuts_of(Approach::Management)) {
        for &leadership in &cells(cuts_of(Approach::Leadership)) {
            cell(desk, map, management, leadership);
        }
    }
}

fn ends_at_cuts<'c>(
    desk: &Desk,
    region: &At<Region>,
    cuts_of: impl Fn(Approach) -> &'c Vec<f64>,
) -> bool {
    let mut on_cuts = true;
    for approach in Approach::BOTH {
        let interval = region.value.interval(approach);
        for end in [interval.from, interval.below] {
            if end.is_finite() && !cuts_of(approach).contains(&end) {
                let what = format!("Region \"{}\" ends at {end} in {approach}", region.value.id);
                let remedy = format!("End it at a cut of that axis: {:?}", cuts_of(approach));
                desk.fault(region.at, format!("{what}, where no cut is"), remedy);
                on_cuts = false;
            }
        }
    }
    on_cuts
}

fn unused_cuts(desk: &Desk, axis: &At<Axis>, regions: &[At<Region>]) {
    let approach = axis.value.approach;
    for cut in &axis.value.cuts {
        let ends_there = |region: &At<Region>| {
            let interval = region.value.interval(approach);
            interval.from == *cut || interval.below == *cut
        };
        if !regions.iter().any(ends_there) {
            let what = format!("No region ends at the cut {cut} in {approach}");
            desk.fault(axis.at, what, "Take the cut out, or end regions there");
        }
    }
}

/// One point inside each stretch between cuts.
fn cells(cuts: &[f64]) -> Vec<f64> {
    let (Some(first), Some(last)) = (cuts.first(), cuts.last()) else { return vec![0.0] };
    let between = cuts.windows(2).map(|pair| pair[0] + (pair[1] - pair[0]) / 2.0);
    std::iter::once(first - 1.0).chain(between).chain(std::iter::once(last + 1.0)).collect()
}

fn cell(desk: &Desk, map: &At<MapDraft>, management: f64, leadership: f64) {
    let mut holding = map.value.regions.iter().filter(|r| r.value.contains(management, leadership));
    let place = format!("around managing {management}, leading {leadership}");
    match (holding.next(), holding.next()) {
        (None, _) => {
            let remedy = "Let one region reach there";
            desk.fault(map.at, format!("No region covers the map {place}"), remedy);
        }
        (Some(one), Some(two)) => {
            let what = format!("Regions \"{}\" and \"{}\" overlap", one.value.id, two.value.id);
            desk.fault(two.at, format!("{what} {place}"), "End one where the other begins");
        }
        (Some(_), None) => {}
    }
}
