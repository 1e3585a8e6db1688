//! `[map]`.

use std::collections::BTreeMap;

use crate::map::{Axis, Band, Interval, Map, MiddleWords, Region, StartFrom};
use crate::model::{Approach, FacetId, RegionId};
use crate::parse::frame::APPROACHES;
use crate::parse::{Known, is_new, unknown};
use crate::read::{At, Desk, Role, Section};

/// The map before its regions were laid against its axes.
pub(crate) struct MapDraft {
    pub(crate) x: Option<At<Axis>>,
    pub(crate) y: Option<At<Axis>>,
    pub(crate) bands: Vec<At<Band>>,
    pub(crate) regions: Vec<At<Region>>,
    /// Whether all regions were read, so that gaps between them mean something.
    pub(crate) regions_whole: bool,
    cuts_note: Option<String>,
    ellipse: Option<f64>,
    between: Option<MiddleWords>,
    too_close: Option<MiddleWords>,
}

impl MapDraft {
    pub(super) fn finished(self) -> Option<Map> {
        Some(Map {
            x: self.x?.value,
            y: self.y?.value,
            cuts_note: self.cuts_note?,
            ellipse: self.ellipse?,
            bands: self.bands.into_iter().map(|band| band.value).collect(),
            regions: self.regions.into_iter().map(|region| region.value).collect(),
            between: self.between?,
            too_close: self.too_close?,
        })
    }
}

pub(super) fn map(desk: &Desk, root: &Section<'_>, known: &Known) -> Option<At<MapDraft>> {
    let section = root.table("map", "[map]")?;
    let at = section.at;
    let cuts_note = section.text("map", "cuts_note", Role::Told);
    let ellipse = section
        .number("ellipse", ("a share above 0 and below 1", |share| share > 0.0 && share < 1.0));
    let x = section.table("x", "[map.x]").and_then(|axis_at| axis(desk, axis_at, "map.x"));
    let y = section.table("y", "[map.y]").and_then(|axis_at| axis(desk, axis_at, "map.y"));
    let bands = bands(desk, &section);
    let (regions, regions_whole) = regions(desk, &section, known);
    let between = section.table("between", "[map.between]").and_then(|section| {
        names_both(desk, &section);
        middle(section, "map.between")
    });
    let too_close =
        section.table("too_close", "[map.too_close]").and_then(|s| middle(s, "map.too_close"));
    section.end();
    let ellipse = ellipse.map(|ellipse| ellipse.value);
    let value =
        MapDraft { x, y, bands, regions, regions_whole, cuts_note, ellipse, between, too_close };
    Some(At { at, value })
}

fn axis(desk: &Desk, section: Section<'_>, address: &str) -> Option<At<Axis>> {
    let at = section.at;
    let approach = section.choice("approach", &APPROACHES, Approach::from_word);
    let name = section.text(address, "name", Role::Label);
    let unit = section.text(address, "unit", Role::Label);
    let cuts = section.numbers("cuts");
    section.end();
    let cuts = cuts?;
    let sound = cuts.value.iter().all(|cut| cut.value.is_finite())
        && cuts.value.windows(2).all(|pair| pair[0].value < pair[1].value);
    if !sound {
        desk.fault(
            cuts.at,
            "`cuts` do not rise",
            "Write them in order, the lowest first, each once",
        );
        return None;
    }
    let cuts = cuts.value.iter().map(|cut| cut.value).collect();
    let value = Axis { approach: approach?.value, name: name?, unit: unit?, cuts };
    Some(At { at, value })
}

fn bands(desk: &Desk, section: &Section<'_>) -> Vec<At<Band>> {
    let mut bands: Vec<At<Band>> = Vec::new();
    for (nth, band) in section.tables("bands", "[[map.bands]]").into_iter().enumerate() {
        let at = band.at;
        let least = band
            .number("at_least", ("a probability above 0 and at most 1", |p| p > 0.0 && p <= 1.0));
        let words = band.text(&format!("map.bands.{}", nth + 1), "words", Role::Label);
        band.end();
        let (Some(least), Some(words)) = (least, words) else { continue };
        if bands.last().is_some_and(|above| above.value.at_least <= least.value) {
            let what = format!("`at_least` is {}, no lower than the band above", least.value);
            desk.fault(least.at, what, "Write the bands in order, the surest first");
        }
        bands.push(At { at, value: Band { at_least: least.value, words } });
    }
    bands
}

/// The regions that could be read, and whether these are all.
fn regions(desk: &Desk, section: &Section<'_>, known: &Known) -> (Vec<At<Region>>, bool) {
    let mut seen = BTreeMap::new();
    let mut regions = Vec::new();
    let sections = section.tables("regions", "[[map.regions]]");
    let n_sections = sections.len();
    for region_at in sections {
        let (at, name) = (region_at.at, region_at.name.clone());
        let id = region_at.id();
        let read = region(desk, region_at, id.as_ref().map(|id| id.value), known);
        let Some(id) = id else { continue };
        if is_new(desk, &mut seen, &id, &name) {
            regions.extend(read.map(|value| At { at, value }));
        }
    }
    let whole = n_sections > 0 && regions.len() == n_sections;
    (regions, whole)
}

fn region(desk: &Desk, section: Section<'_>, id: Option<&str>, known: &Known) -> Option<Region> {
    let address = format!("map.regions.{}", id.unwrap_or("?"));
    let name = section.text(&address, "name", Role::Label);
    let management = interval(desk, &section, "management");
    let leadership = interval(desk, &section, "leadership");
    let says = section.text(&address, "says", Role::Region);
    let risk = section.text(&address, "risk", Role::Region);
    let first_step = section.text(&address, "first_step", Role::Region);
    let facets = facets(desk, &section, known);
    let start_from = section.choice("choose", &["lowest", "highest"], |word| match word {
        "lowest" => Some(StartFrom::Lowest),
        "highest" => Some(StartFrom::Highest),
        _ => None,
    });
    let tuesday = section.texts(&address, "tuesday", Role::Region);
    section.end();
    let tuesday = tuesday?;
    if !(1..=5).contains(&tuesday.value.len()) {
        let what = format!("`tuesday` has {} lines", tuesday.value.len());
        desk.fault(tuesday.at, what, "Write from 1 to 5 short behaviours");
    }
    Some(Region {
        id: RegionId::checked(id?),
        name: name?,
        management: management?,
        leadership: leadership?,
        says: says?,
        risk: risk?,
        first_step: first_step?,
        facets: facets?,
        start_from: start_from?.value,
        tuesday: tuesday.value,
    })
}

fn interval(desk: &Desk, section: &Section<'_>, key: &'static str) -> Option<Interval> {
    let ends = section.table(key, &format!("`{key}` of {}", section.name))?;
    let at = ends.at;
    let finite: (&str, fn(f64) -> bool) = ("a number", |_| true);
    let end = |key: &'static str, open: f64| {
        if ends.has(key) { ends.number(key, finite).map(|end| end.value) } else { Some(open) }
    };
    let from = end("from", f64::NEG_INFINITY);
    let below = end("below", f64::INFINITY);
    ends.end();
    let (from, below) = (from?, below?);
    if from >= below {
        let what = format!("`{key}` begins at {from} and ends at {below}");
        desk.fault(at, what, "Write `from` below `below`, or leave one of them out");
        return None;
    }
    Some(Interval { from, below })
}

fn facets(desk: &Desk, section: &Section<'_>, known: &Known) -> Option<Vec<FacetId>> {
    let words = section.words("facets")?;
    if words.value.is_empty() {
        desk.fault(words.at, "`facets` is empty", "Name at least one facet to begin with");
        return None;
    }
    let facet = |word: &At<&str>| {
        if !known.facets.contains_key(word.value) {
            let there_are: Vec<&str> = known.facets.keys().map(String::as_str).collect();
            unknown(desk, known, "facet", word, &there_are);
            return None;
        }
        Some(FacetId::checked(word.value))
    };
    let read: Vec<Option<FacetId>> = words.value.iter().map(facet).collect();
    read.into_iter().collect()
}

fn middle(section: Section<'_>, address: &str) -> Option<MiddleWords> {
    let name = section.text(address, "name", Role::Label);
    let says = section.text(address, "says", Role::Region);
    let first_step = section.text(address, "first_step", Role::Region);
    section.end();
    Some(MiddleWords { name: name?, says: says?, first_step: first_step? })
}

fn names_both(desk: &Desk, between: &Section<'_>) {
    let Some(name) = between.maybe_word("name") else { return };
    for place in ["{first}", "{second}"] {
        if name.value.matches(place).count() != 1 {
            let what = format!("The name between two regions does not hold `{place}` once");
            desk.fault(name.at, what, "Write \"Between {first} and {second}\"");
        }
    }
}
