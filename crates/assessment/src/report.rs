//! The words of a report: decided from a profile and the instrument, pure.
//!
//! Words first, figures second, doubt always. A region is named at the instrument's rule or above; below it the two
//! likeliest are named together if they reach the rule together; else none is. Two regions whose odds are equal are never
//! told apart by their order in a file.

use instrument::{Approach, Facet, Instrument, Region, StartFrom};
use publishing::{Programme, Publication};

use crate::scoring::{ItemScore, Odds, Profile, Scores};

/// Suggestions a report makes.
const N_TRIES: usize = 2;
/// Odds closer than this are equal: the rest is rounding.
const ODDS_TOLERANCE: f64 = 1e-9;

/// A stretch of a sentence, and whether it is a region's name.
pub(crate) type Piece = (String, bool);

/// What a profile comes to.
#[derive(Debug)]
pub(crate) enum Verdict<'a> {
    /// One region, and how sure.
    Named(&'a Region, f64),
    /// Two regions, the likelier first.
    Between(&'a Region, &'a Region, [f64; 2]),
    /// Nothing that may be named; the likeliest, and its odds.
    TooClose(&'a Region, f64),
}

/// A suggestion with the answer that it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Try {
    /// What to do.
    pub heading: String,
    /// How.
    pub text: String,
    /// The answer's words.
    pub answer: String,
    /// What was asked.
    pub statement: String,
}

/// A programme that fits, and why.
#[derive(Debug)]
pub(crate) struct Fit<'a> {
    /// The programme.
    pub programme: &'a Programme,
    /// "It works on …, where your answers leave most room."
    pub why: String,
}

/// Everything a report says that is not a figure.
#[derive(Debug)]
pub(crate) struct Words<'a> {
    /// The sentence at the top.
    pub opening: Vec<Piece>,
    /// What the named region means, in a sentence.
    pub meaning: Option<String>,
    /// How sure that is.
    pub sure: Vec<Piece>,
    /// Region and odds, likeliest first.
    pub odds: Vec<(String, String)>,
    /// What it looks like: a name where there are two, and the lines.
    pub tuesday: Vec<(Option<String>, Vec<String>)>,
    /// The risk to check.
    pub risk: Option<String>,
    /// The first step in words.
    pub first_step: String,
    /// Two things to try.
    pub tries: Vec<Try>,
    /// Who could help.
    pub fit: Option<Fit<'a>>,
}

/// A share or probability as whole hundredths.
pub(crate) fn percent(share: f64) -> u32 {
    // Between 0 and 100, so that the conversion keeps it.
    (share * 100.0).round().clamp(0.0, 100.0) as u32
}

/// A share in hundredths, before "in 100" or "to": never "100" or "0", which no number of answers can show.
pub(crate) fn hundredths(share: f64) -> String {
    match percent(share) {
        0 => String::from("fewer than 1"),
        100 => String::from("more than 99"),
        n => n.to_string(),
    }
}

/// The same for a best guess: "about 67".
pub(crate) fn about(share: f64) -> String {
    let hundredths = hundredths(share);
    if hundredths.contains(' ') { hundredths } else { format!("about {hundredths}") }
}

/// A probability in words of per cent, at its ends in words of hundredths.
pub(crate) fn chance_in_words(probability: f64) -> String {
    match percent(probability) {
        0 | 100 => format!("{} in 100", hundredths(probability)),
        n => format!("{n} %"),
    }
}

/// Odds in words: never "100 %" or "0 %", and never rounded up to the rule that they miss.
pub(crate) fn odds_in_words(probability: f64, rule: f64) -> String {
    let rounded = percent(probability);
    if probability < rule && rounded >= percent(rule) {
        return format!("{} %", percent(rule) - 1);
    }
    chance_in_words(probability)
}

impl<'a> Verdict<'a> {
    /// Decides by the instrument's rule.
    pub(crate) fn of(instrument: &'a Instrument, scores: &Scores) -> Option<Self> {
        let map = instrument.map();
        let ranked = ranked(scores);
        let region = |odds: &Odds| map.region(&odds.id);
        let (first, second) = (ranked.first()?, ranked.get(1));
        let rule = map.named_at_least();
        if first.probability >= rule {
            return Some(Self::Named(region(first)?, first.probability));
        }
        let third = ranked.get(2).map_or(0.0, |odds| odds.probability);
        if let Some(second) = second
            && first.probability + second.probability >= rule
            && second.probability - third > ODDS_TOLERANCE
        {
            let odds = [first.probability, second.probability];
            return Some(Self::Between(region(first)?, region(second)?, odds));
        }
        Some(Self::TooClose(region(first)?, first.probability))
    }
}

fn ranked(scores: &Scores) -> Vec<&Odds> {
    let mut ranked: Vec<&Odds> = scores.regions.iter().collect();
    ranked.sort_by(|one, other| other.probability.total_cmp(&one.probability));
    ranked
}

impl<'a> Words<'a> {
    /// The words for a scored profile; nothing if the instrument no longer has its regions.
    pub(crate) fn new(
        instrument: &Instrument,
        publication: &'a Publication,
        profile: &Profile,
        level: &str,
    ) -> Option<Self> {
        let scores = profile.scores.as_ref()?;
        let verdict = Verdict::of(instrument, scores)?;
        let map = instrument.map();
        let rule = map.named_at_least();
        let odds = |odds: &&Odds| {
            let name = map.region(&odds.id).map_or(odds.id.clone(), |region| region.name.clone());
            (name, odds_in_words(odds.probability, rule))
        };
        let facets = facets_to_try(instrument, profile, &verdict);
        let chosen: Vec<&Facet> = facets.iter().map(|(facet, _)| *facet).collect();
        let tuesday = match &verdict {
            Verdict::Named(region, _) => vec![(None, region.tuesday.clone())],
            Verdict::Between(one, other, _) => {
                [one, other].map(|r| (Some(r.name.clone()), r.tuesday.clone())).to_vec()
            }
            Verdict::TooClose(..) => Vec::new(),
        };
        Some(Self {
            opening: opening(instrument, &verdict),
            meaning: match &verdict {
                Verdict::Named(region, _) => Some(region.says.clone()),
                _ => None,
            },
            sure: sure(instrument, profile, &verdict),
            odds: ranked(scores).iter().map(odds).collect(),
            tuesday,
            risk: match &verdict {
                Verdict::Named(region, _) => Some(region.risk.clone()),
                _ => None,
            },
            first_step: match &verdict {
                Verdict::Named(region, _) => region.first_step.clone(),
                Verdict::Between(..) => map.between().first_step.clone(),
                Verdict::TooClose(..) => map.too_close().first_step.clone(),
            },
            tries: facets.into_iter().map(|(facet, item)| Try::new(facet, item)).collect(),
            fit: fit(publication, &verdict, &chosen, level),
        })
    }
}

fn opening(instrument: &Instrument, verdict: &Verdict<'_>) -> Vec<Piece> {
    let said = |text: &str| (text.to_owned(), false);
    match verdict {
        Verdict::Named(region, _) => {
            vec![said("As you see yourself: "), named(region), said(".")]
        }
        Verdict::Between(one, other, _) => vec![
            said("As you see yourself: between "),
            named(one),
            said(" and "),
            named(other),
            said("."),
        ],
        Verdict::TooClose(..) => {
            let name = lower_first(&instrument.map().too_close().name);
            vec![said(&format!("As you see yourself: {name}."))]
        }
    }
}

fn sure(instrument: &Instrument, profile: &Profile, verdict: &Verdict<'_>) -> Vec<Piece> {
    let said = |text: String| (text, false);
    let rule = instrument.map().named_at_least();
    let odds = |probability: f64| odds_in_words(probability, rule);
    let caveat = if profile.provisional {
        "if our provisional parameters hold"
    } else {
        "if our parameters hold"
    };
    match verdict {
        Verdict::Named(region, probability) => {
            let words = instrument.map().words_for(*probability).unwrap_or("likely");
            let mut pieces =
                vec![said(format!("{}: {} {caveat}.", upper_first(words), odds(*probability)))];
            let scores = profile.scores.as_ref();
            let next = scores.and_then(|scores| ranked(scores).get(1).copied().cloned());
            if let Some(next) = next
                && let Some(other) = instrument.map().region(&next.id).filter(|r| r.id != region.id)
            {
                pieces.extend([
                    said(String::from(" The next likeliest is ")),
                    named(other),
                    said(format!(", at {}.", odds(next.probability))),
                ]);
            }
            pieces
        }
        Verdict::Between(_, _, [one, other]) => {
            vec![said(format!(
                "{} {} for the first and {} for the second, {caveat}. Neither reaches the {} % that we ask before naming one.",
                instrument.map().between().says,
                odds(*one),
                odds(*other),
                percent(rule)
            ))]
        }
        Verdict::TooClose(region, probability) => vec![
            said(format!("{} The likeliest, ", instrument.map().too_close().says)),
            named(region),
            said(format!(
                ", has {}, {caveat}. That is a result too: neither approach stands out from the other, or from what we \
                 guess is usual.",
                odds(*probability)
            )),
        ],
    }
}

fn named(region: &Region) -> Piece {
    (lower_first(&region.name), true)
}

/// The facets to begin with, each with the answer that says so most.
///
/// A named region says which facets its first step draws from, and whether the one seen least or most comes first; elsewhere
/// it is the least seen of all. Facets with equal answers stand in the order of their single most telling answer, then in
/// the order of asking.
fn facets_to_try<'i>(
    instrument: &'i Instrument,
    profile: &'i Profile,
    verdict: &Verdict<'_>,
) -> Vec<(&'i Facet, &'i ItemScore)> {
    let (from, begin): (Option<&[instrument::FacetId]>, StartFrom) = match verdict {
        Verdict::Named(region, _) => (Some(&region.facets), region.start_from),
        _ => (None, StartFrom::Lowest),
    };
    let is_candidate = |facet: &&Facet| from.is_none_or(|ids| ids.contains(&facet.id));
    let mut ranked: Vec<(f64, f64, usize, &Facet, &ItemScore)> = Vec::new();
    for facet in instrument.facets().iter().filter(is_candidate) {
        let answered =
            profile.items.iter().enumerate().filter(|(_, item)| facet.id == item.facet.as_str());
        let answered: Vec<(usize, f64, &ItemScore)> =
            answered.filter_map(|(at, item)| Some((at, f64::from(item.category?), item))).collect();
        let sign = if begin == StartFrom::Lowest { 1.0 } else { -1.0 };
        let telling =
            answered.iter().min_by(|one, other| (sign * one.1).total_cmp(&(sign * other.1)));
        if let Some(&(at, category, item)) = telling {
            let mean = answered.iter().map(|(_, category, _)| category).sum::<f64>()
                / answered.len() as f64;
            ranked.push((sign * mean, sign * category, at, facet, item));
        }
    }
    ranked.sort_by(|one, other| {
        one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)).then(one.2.cmp(&other.2))
    });
    ranked.into_iter().take(N_TRIES).map(|(_, _, _, facet, item)| (facet, item)).collect()
}

impl Try {
    fn new(facet: &Facet, item: &ItemScore) -> Self {
        let (heading, text) = facet.action.split_once(". ").unwrap_or((&facet.action, ""));
        Self {
            heading: heading.trim_end_matches('.').to_owned(),
            text: text.to_owned(),
            answer: item.label.clone().unwrap_or_default(),
            statement: item.statement.clone(),
        }
    }
}

/// The programme that fits: it works on an approach that the verdict leaves room in, at the person's level if they gave one,
/// and on most of the facets suggested. Nothing where neither approach is the lesser one.
fn fit<'a>(
    publication: &'a Publication,
    verdict: &Verdict<'_>,
    chosen: &[&Facet],
    level: &str,
) -> Option<Fit<'a>> {
    let needs: Vec<Approach> =
        Approach::BOTH.into_iter().filter(|&a| is_lesser(verdict, a)).collect();
    if needs.is_empty() {
        return None;
    }
    let mut best: Option<(usize, &Programme)> = None;
    for programme in &publication.programmes {
        let front = &programme.front;
        let works_on =
            |approach: &Approach| front.approaches.iter().any(|a| a == approach.as_str());
        let is_for = level.is_empty() || front.levels.iter().any(|l| l == level);
        let shared =
            chosen.iter().filter(|facet| front.facets.iter().any(|id| facet.id == id.as_str()));
        // What it works on besides what is needed counts against it.
        let n_beside = front.approaches.len().saturating_sub(needs.len());
        let score = (2 * shared.count() + 2).saturating_sub(n_beside);
        let is_better = best.is_none_or(|(most, _)| score > most);
        if is_for && needs.iter().all(works_on) && score > 2 && is_better {
            best = Some((score, programme));
        }
    }
    best.map(|(_, programme)| {
        let of = |facet: &&&Facet| programme.front.facets.iter().any(|id| facet.id == id.as_str());
        let names: Vec<String> =
            chosen.iter().filter(of).map(|facet| format!("“{}”", facet.name)).collect();
        let names = names.join(" and ");
        let why = match verdict {
            Verdict::Named(region, _) if region.start_from == StartFrom::Highest => {
                format!("It works on {names}, where your answers already show most.")
            }
            _ => format!("It works on {names}, where your answers leave most room."),
        };
        Fit { programme, why }
    })
}

/// Whether every region of the verdict lies below the last cut of an approach.
fn is_lesser(verdict: &Verdict<'_>, approach: Approach) -> bool {
    let below = |region: &Region| region.interval(approach).below.is_finite();
    match verdict {
        Verdict::Named(region, _) => below(region),
        Verdict::Between(one, other, _) => below(one) && below(other),
        Verdict::TooClose(..) => false,
    }
}

pub(crate) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

pub(crate) fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests;
