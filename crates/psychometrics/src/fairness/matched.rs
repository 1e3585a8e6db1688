//! Differences between two groups among people with the same score.

use crate::distributions::chi_squared_upper;

/// Effects smaller than this many delta units, or not significant, are negligible.
const DELTA_MODERATE: f64 = 1.0;

/// From this many delta units on, and significantly above [`DELTA_MODERATE`], effects are large.
const DELTA_LARGE: f64 = 1.5;

/// Delta units an ln odds ratio: the scale on which item difficulty has standard deviation 4.
const DELTA_PER_LN_ODDS: f64 = -2.35;

/// Standardised mean differences from which an effect is moderate, and large.
const MEAN_DIFFERENCE_STEPS: (f64, f64) = (0.17, 0.25);

/// Significance that a moderate or large effect needs.
const P_MAX: f64 = 0.05;

/// Why two groups could not be compared on an item.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MatchingError {
    /// Lists that are not one entry a person.
    #[error("{n_answers} answers, {n_groups} group marks, {n_scores} scores: one of each a person")]
    Lengths {
        /// Answers given.
        n_answers: usize,
        /// Group marks given.
        n_groups: usize,
        /// Matching scores given.
        n_scores: usize,
    },
    /// A group nobody is in, gaps left out.
    #[error("{n_reference} persons in the reference group and {n_focal} in the focal group")]
    EmptyGroup {
        /// Persons of the reference group.
        n_reference: usize,
        /// Persons of the focal group.
        n_focal: usize,
    },
    /// An answer that the method cannot use.
    #[error("person {person}: answer {value}, {wanted}")]
    Answer {
        /// Position of the person, from 0.
        person: usize,
        /// The answer.
        value: f64,
        /// What would do.
        wanted: &'static str,
    },
    /// Answers or scores that leave nothing to compare.
    #[error("{what}")]
    NothingToCompare {
        /// What does not vary.
        what: &'static str,
    },
    /// Group or score tell the answer without error: no finite odds or coefficient is best.
    #[error("group or score tell the answers without error; the estimate is infinite")]
    Separated,
}

/// How much a difference matters, by the rules of the Educational Testing Service (A, B, C).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A: negligible.
    Negligible,
    /// B: slight to moderate.
    Moderate,
    /// C: moderate to large.
    Large,
}

/// One item's answers, who of the persons is in the focal group, and the scores they are matched
/// on; persons with a gap (NaN) are left out.
#[derive(Debug, Clone, Copy)]
pub struct Matched<'a> {
    /// The item's answers.
    pub answers: &'a [f64],
    /// Whether each person is in the focal group; the others are the reference.
    pub focal: &'a [bool],
    /// What persons are matched on, usually the sum over all items, this one included.
    pub scores: &'a [f64],
}

impl Matched<'_> {
    /// Answer, group and score of persons without a gap, checked.
    pub(super) fn persons(&self) -> Result<Vec<(f64, bool, f64)>, MatchingError> {
        let (n_answers, n_groups, n_scores) =
            (self.answers.len(), self.focal.len(), self.scores.len());
        if n_answers != n_groups || n_answers != n_scores {
            return Err(MatchingError::Lengths { n_answers, n_groups, n_scores });
        }
        let mut persons = Vec::with_capacity(n_answers);
        for (person, (&value, &score)) in self.answers.iter().zip(self.scores).enumerate() {
            if value.is_infinite() || score.is_infinite() {
                let (value, wanted) = (if score.is_infinite() { score } else { value }, "finite");
                return Err(MatchingError::Answer { person, value, wanted });
            }
            if !value.is_nan() && !score.is_nan() {
                persons.push((value, self.focal[person], score));
            }
        }
        let n_focal = persons.iter().filter(|person| person.1).count();
        let n_reference = persons.len() - n_focal;
        if n_focal == 0 || n_reference == 0 {
            return Err(MatchingError::EmptyGroup { n_reference, n_focal });
        }
        Ok(persons)
    }

    /// (answer, in the focal group) by score; only scores that both groups have.
    fn strata(&self) -> Result<Vec<Vec<(f64, bool)>>, MatchingError> {
        let mut persons = self.persons()?;
        persons.sort_by(|a, b| a.2.total_cmp(&b.2));
        let same = |a: &(f64, bool, f64), b: &(f64, bool, f64)| a.2 == b.2;
        let of = |part: &[(f64, bool, f64)]| part.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>();
        let both = |part: &Vec<(f64, bool)>| {
            part.iter().any(|person| person.1) && part.iter().any(|person| !person.1)
        };
        let strata: Vec<_> = persons.chunk_by(same).map(of).filter(both).collect();
        if strata.is_empty() {
            return Err(MatchingError::NothingToCompare {
                what: "the groups have no score in common",
            });
        }
        Ok(strata)
    }
}

/// A right-or-wrong item compared among people with the same score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MantelHaenszel {
    /// Persons compared: those whose score both groups have.
    pub n: usize,
    /// Scores compared.
    pub n_strata: usize,
    /// Odds of the reference group to answer right over those of the focal group, common to all
    /// scores.
    pub odds_ratio: f64,
    /// Standard error of its logarithm.
    pub ln_odds_se: f64,
    /// Its 95 % limits.
    pub interval: (f64, f64),
    /// χ² on one degree of freedom, with continuity correction.
    pub chi_squared: f64,
    /// P(χ² or larger) if the item works alike.
    pub p: f64,
    /// −2.35 ln odds ratio: below 0 the item is harder for the focal group.
    pub delta: f64,
    /// What that amounts to.
    pub effect: Effect,
}

/// Mantel and Haenszel's comparison of two groups on an item answered 0 or 1.
///
/// α = Σ AₖDₖ/Nₖ / Σ BₖCₖ/Nₖ over scores k, with A and B the reference group's right and wrong
/// answers, C and D the focal group's; the variance of ln α is Robins, Breslow and Greenland's;
/// χ² = (|Σ(A − E A)| − ½)²/Σ Var A. Negligible: |delta| below 1 or not significant at 5 %; large:
/// at least 1.5 and significantly above 1; moderate otherwise.
/// Cost: a sort of the persons. Accuracy: 1e-10 of R `mantelhaen.test` and statsmodels 0.15.0
/// (`golden_fairness`).
///
/// # Errors
/// [`MatchingError`]; answers must be 0 or 1, and not all alike.
/// # References
/// Holland & Thayer 1988, in Wainer & Braun (eds), *Test Validity*, 129–145; Robins, Breslow &
/// Greenland 1986, *Biometrics* 42, 311–323, doi:10.2307/2531052; Zieky 1993, in Holland & Wainer
/// (eds), *Differential Item Functioning*, 337–347.
pub fn mantel_haenszel(item: &Matched<'_>) -> Result<MantelHaenszel, MatchingError> {
    let other = |value: &&f64| !value.is_nan() && **value != 0.0 && **value != 1.0;
    if let Some(person) = item.answers.iter().position(|value| other(&value)) {
        let (value, wanted) = (item.answers[person], "only 0 and 1 can be compared by odds");
        return Err(MatchingError::Answer { person, value, wanted });
    }
    let strata = item.strata()?;
    let mut sums = OddsSums::default();
    strata.iter().for_each(|stratum| sums.add(stratum));
    if sums.variance <= 0.0 {
        let what = "everybody with the same score answered alike";
        return Err(MatchingError::NothingToCompare { what });
    }
    if sums.r <= 0.0 || sums.s <= 0.0 {
        return Err(MatchingError::Separated);
    }
    let odds_ratio = sums.r / sums.s;
    let ln_odds_se = libm::sqrt(
        sums.pr / (2.0 * sums.r * sums.r)
            + sums.mixed / (2.0 * sums.r * sums.s)
            + sums.qs / (2.0 * sums.s * sums.s),
    );
    let gap = sums.gap.abs();
    let corrected = gap - gap.min(0.5);
    let chi_squared = corrected * corrected / sums.variance;
    let p = chi_squared_upper(chi_squared, 1.0);
    let delta = DELTA_PER_LN_ODDS * libm::log(odds_ratio);
    let z = (delta.abs() - DELTA_MODERATE) / (DELTA_PER_LN_ODDS.abs() * ln_odds_se);
    let effect = match delta.abs() {
        size if p > P_MAX || size < DELTA_MODERATE => Effect::Negligible,
        size if size >= DELTA_LARGE && z > 1.644_853_626_951_472_2 => Effect::Large,
        _ => Effect::Moderate,
    };
    let reach = libm::exp(1.959_963_984_540_054 * ln_odds_se);
    Ok(MantelHaenszel {
        n: strata.iter().map(Vec::len).sum(),
        n_strata: strata.len(),
        odds_ratio,
        ln_odds_se,
        interval: (odds_ratio / reach, odds_ratio * reach),
        chi_squared,
        p,
        delta,
        effect,
    })
}

/// What the strata add up to.
#[derive(Default)]
struct OddsSums {
    r: f64,
    s: f64,
    pr: f64,
    mixed: f64,
    qs: f64,
    gap: f64,
    variance: f64,
}

impl OddsSums {
    fn add(&mut self, stratum: &[(f64, bool)]) {
        let count = |answer: f64, focal: bool| {
            stratum.iter().filter(|person| **person == (answer, focal)).count() as f64
        };
        let (a, b) = (count(1.0, false), count(0.0, false));
        let (c, d) = (count(1.0, true), count(0.0, true));
        let n = a + b + c + d;
        let (r, s) = (a * d / n, b * c / n);
        let (p, q) = ((a + d) / n, (b + c) / n);
        self.r += r;
        self.s += s;
        self.pr += p * r;
        self.mixed += p * s + q * r;
        self.qs += q * s;
        self.gap += a - (a + b) * (a + c) / n;
        self.variance += (a + b) * (c + d) * (a + c) * (b + d) / (n * n * (n - 1.0));
    }
}

/// An item with any number of ordered answers compared among people with the same score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mantel {
    /// Persons compared: those whose score both groups have.
    pub n: usize,
    /// Scores compared.
    pub n_strata: usize,
    /// Mantel's χ² on one degree of freedom.
    pub chi_squared: f64,
    /// P(χ² or larger) if the item works alike.
    pub p: f64,
    /// Mean answer of the focal group less that of the reference group with the same score,
    /// weighted by the focal group, in steps of the answer: below 0 the focal group answers lower.
    pub mean_difference: f64,
    /// The same over the standard deviation of all persons' answers.
    pub standardised: f64,
    /// What that amounts to: from 0.17 on moderate, above 0.25 large, if significant at 5 %.
    pub effect: Effect,
}

/// Mantel's test of two groups on an item with ordered answers, and Dorans and Schmitt's
/// standardised mean difference.
///
/// χ² = (Σ(F − E F))²/Σ Var F over scores, F the sum of the focal group's answers. With right and
/// wrong answers it is the Mantel–Haenszel χ² without continuity correction.
/// Cost: a sort of the persons. Accuracy: 1e-10 of the formulae in NumPy (`golden_fairness`).
///
/// # Errors
/// [`MatchingError`]; somebody must have answered otherwise than another with the same score.
/// # References
/// Mantel 1963, *JASA* 58, 690–700, doi:10.1080/01621459.1963.10500879; Zwick, Donoghue & Grima
/// 1993, *Journal of Educational Measurement* 30, 233–251, doi:10.1111/j.1745-3984.1993.tb00425.x;
/// Dorans & Schmitt 1993, in Bennett & Ward (eds), *Construction versus Choice*, 135–165.
pub fn mantel(item: &Matched<'_>) -> Result<Mantel, MatchingError> {
    let strata = item.strata()?;
    let (mut gap, mut variance, mut shift, mut n_focal) = (0.0, 0.0, 0.0, 0.0);
    for stratum in &strata {
        let n = stratum.len() as f64;
        let own = stratum.iter().filter(|person| person.1);
        let (focal, answered) = own.fold((0.0, 0.0), |sum, p| (sum.0 + 1.0, sum.1 + p.0));
        let total: f64 = stratum.iter().map(|person| person.0).sum();
        let squares: f64 = stratum.iter().map(|person| person.0 * person.0).sum();
        gap += answered - focal / n * total;
        variance += focal * (n - focal) / (n * n * (n - 1.0)) * (n * squares - total * total);
        shift += answered - focal * (total - answered) / (n - focal);
        n_focal += focal;
    }
    if variance <= 0.0 || !variance.is_finite() {
        let what = "everybody with the same score answered alike";
        return Err(MatchingError::NothingToCompare { what });
    }
    let chi_squared = gap * gap / variance;
    let p = chi_squared_upper(chi_squared, 1.0);
    let mean_difference = shift / n_focal;
    let standardised = mean_difference / deviation(&item.persons()?);
    let effect = match standardised.abs() {
        size if p > P_MAX || size < MEAN_DIFFERENCE_STEPS.0 => Effect::Negligible,
        size if size > MEAN_DIFFERENCE_STEPS.1 => Effect::Large,
        _ => Effect::Moderate,
    };
    let n = strata.iter().map(Vec::len).sum();
    let n_strata = strata.len();
    Ok(Mantel { n, n_strata, chi_squared, p, mean_difference, standardised, effect })
}

fn deviation(persons: &[(f64, bool, f64)]) -> f64 {
    let n = persons.len() as f64;
    let mean = persons.iter().map(|person| person.0).sum::<f64>() / n;
    let squares: f64 = persons.iter().map(|p| (p.0 - mean) * (p.0 - mean)).sum();
    libm::sqrt(squares / (n - 1.0))
}
