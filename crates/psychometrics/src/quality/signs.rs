//! Signs of answers given without reading, and the keying of reversed items.

use super::QualityError;
use crate::columns::Columns;

/// Two items that ask the same thing in opposite directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReversePair {
    /// One item, by column.
    pub first: usize,
    /// The item that says the opposite, by column; not yet turned.
    pub second: usize,
}

/// Signs of one person's answers, all in the items' order and **before** reversing any.
///
/// None of them proves carelessness; together, and against others of the same form, they say
/// whom to ask again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResponseSigns {
    /// Items answered.
    pub n_answered: usize,
    /// Longest run of identical consecutive answers; a gap ends a run.
    pub longest_string: usize,
    /// Mean length of the runs.
    pub average_string: f64,
    /// Whether every answer (of at least two) is the same.
    pub straight_line: bool,
    /// Standard deviation of the person's answers (intra-individual response variability); NaN
    /// below two answers.
    pub variability: f64,
    /// Mean over reverse pairs of |x − (low + high − y)|/(high − low): 0 consistent, 1 opposite
    /// ends claimed twice; NaN when no pair is complete.
    pub inconsistency: f64,
}

/// Response-quality signs of every person.
///
/// Answers lie on a scale from `low` to `high`. O(persons × items).
///
/// # Errors
/// An answer off the scale, a scale without width, or a pair naming an item that is not there.
/// # References
/// Johnson 2005, *Journal of Research in Personality* 39, 103–129, doi:10.1016/j.jrp.2004.09.009;
/// Dunn, Heggestad, Shanock & Theilgard 2018, *Journal of Business and Psychology* 33, 105–121,
/// doi:10.1007/s10869-016-9479-0.
pub fn response_signs(
    items: Columns<'_>,
    pairs: &[ReversePair],
    low: f64,
    high: f64,
) -> Result<Vec<ResponseSigns>, QualityError> {
    let n_items = items.n_columns();
    for item in 0..n_items {
        on_scale(items.column(item), low, high)?;
    }
    for &ReversePair { first, second } in pairs {
        if first >= n_items || second >= n_items || first == second {
            return Err(QualityError::BadPair { first, second, n_items });
        }
    }
    Ok((0..items.n_rows()).map(|row| signs_of(items, row, pairs, low, high)).collect())
}

/// The answers with their direction turned: low + high − x; gaps stay gaps.
///
/// # Errors
/// An answer off the scale, or a scale without width.
pub fn reverse_keyed(answers: &[f64], low: f64, high: f64) -> Result<Vec<f64>, QualityError> {
    on_scale(answers, low, high)?;
    Ok(answers.iter().map(|answer| low + high - answer).collect())
}

/// Lowest and highest answer over all items, the range that reversing uses when no other is
/// stated; `None` when nobody answered anything.
#[must_use]
pub fn observed_range(items: Columns<'_>) -> Option<(f64, f64)> {
    let answers = || (0..items.n_columns()).flat_map(|item| items.column(item)).copied();
    let low = answers().fold(f64::INFINITY, f64::min);
    let high = answers().fold(f64::NEG_INFINITY, f64::max);
    (low <= high).then_some((low, high))
}

fn on_scale(answers: &[f64], low: f64, high: f64) -> Result<(), QualityError> {
    let fits = |answer: f64| answer.is_nan() || (low..=high).contains(&answer);
    match answers.iter().position(|&answer| !fits(answer)) {
        Some(row) => Err(QualityError::OffScale { row, value: answers[row], low, high }),
        None if low < high => Ok(()),
        None => Err(QualityError::OffScale { row: 0, value: low, low, high }),
    }
}

fn signs_of(
    items: Columns<'_>,
    row: usize,
    pairs: &[ReversePair],
    low: f64,
    high: f64,
) -> ResponseSigns {
    let (mut longest, mut run, mut n_runs, mut n) = (0, 0, 0, 0);
    let mut before = f64::NAN;
    let (mut sum, mut smallest, mut largest) = (0.0, f64::INFINITY, f64::NEG_INFINITY);
    for answer in items.row(row) {
        if !answer.is_nan() {
            n += 1;
            sum += answer;
            smallest = answer.min(smallest);
            largest = answer.max(largest);
            // NaN equals nothing, so a gap starts a new run.
            (run, n_runs) = if answer == before { (run + 1, n_runs) } else { (1, n_runs + 1) };
            longest = longest.max(run);
        }
        before = answer;
    }
    let mean = sum / f64::from(n);
    let answered = items.row(row).filter(|answer| !answer.is_nan());
    let squares: f64 = answered.map(|answer| (answer - mean) * (answer - mean)).sum();
    let gaps: Vec<f64> = pairs
        .iter()
        .map(|pair| items.at(row, pair.first) - (low + high - items.at(row, pair.second)))
        .filter(|gap| !gap.is_nan())
        .collect();
    ResponseSigns {
        n_answered: n as usize,
        longest_string: longest,
        average_string: f64::from(n) / f64::from(n_runs),
        straight_line: n > 1 && smallest == largest,
        variability: if n > 1 { libm::sqrt(squares / f64::from(n - 1)) } else { f64::NAN },
        inconsistency: gaps.iter().map(|gap| gap.abs()).sum::<f64>()
            / (gaps.len() as f64 * (high - low)),
    }
}
