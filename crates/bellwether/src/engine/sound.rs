//! What no figures can come of, said before the work and by the file's own names.

use std::path::Path;

use psychometrics::responses::MISSING;
use tabular::Table;

/// Below so many persons a group's mean and variance are said to be unsteady.
const N_STEADY: usize = 30;
/// Gaps narrower than this are those of an answer that nobody chose.
const GAP_MIN: f64 = 3.0;
/// The highest answer of scales beside which 77 or 99 can only be a code.
const RATING_MAX: f64 = 10.0;

/// Looks for what would make every figure wrong, and returns what a reader should know.
///
/// # Errors
/// Nobody or one person with an answer; items without answers; a code for missing answers among
/// them; a group of one person.
pub(super) fn answers(table: &Table, file: &Path) -> Result<Vec<String>, Vec<String>> {
    let shown = file.display();
    match n_answering(table) {
        0 => return Err(vec![format!("{shown}: nobody answered anything: every answer is empty")]),
        1 => {
            return Err(vec![format!(
                "{shown}: only one person answered anything; what items measure shows in many \
                 persons' answers"
            )]);
        }
        _ => {}
    }
    let responses = &table.responses;
    let (mut faults, mut notes) = (Vec::new(), Vec::new());
    for (item, name) in table.items.iter().enumerate() {
        let (lowest, n) = (responses.lowest(item), responses.n_categories(item));
        if responses.codes(item).iter().all(|&code| code == MISSING) {
            faults.push(format!(
                "{shown}: item {name}: nobody answered it; leave it out with --ignore {name}"
            ));
            continue;
        }
        let highest = lowest + n as i32 - 1;
        if !is_code(lowest.into()) && !is_code(highest.into()) {
            continue;
        }
        let counts = responses.counts(item).into_iter().zip(lowest..);
        let present: Vec<(f64, usize)> =
            counts.filter(|&(n, _)| n > 0).map(|(n, value)| (value.into(), n)).collect();
        codes_apart(name, &present, &shown.to_string(), &mut faults, &mut notes);
    }
    groups(table, &shown.to_string(), &mut faults, &mut notes);
    if faults.is_empty() { Ok(notes) } else { Err(faults) }
}

/// Refuses a scale of too few items: with two the slopes cannot be told from each other, as only
/// one correlation speaks of them; where slopes are the same, two tell the population's variance.
/// On several correlated dimensions two a dimension do.
///
/// # Errors
/// How many there are and how many are needed.
pub(super) fn enough_items(
    n_items: usize,
    model: &str,
    dimensions: Option<(&[String], &[usize])>,
) -> Result<(), Vec<String>> {
    let needed = if model == "rasch" { 2 } else { 3 };
    match dimensions {
        Some((names, of_item)) if names.len() > 1 => {
            let n_on = |d: usize| of_item.iter().filter(|&&own| own == d).count();
            let thin = names.iter().enumerate().map(|(d, name)| (name, n_on(d)));
            let faults: Vec<String> = thin
                .filter(|&(_, n)| n < 2)
                .map(|(name, n)| format!("dimension {name} has {n} item(s): at least 2 are needed"))
                .collect();
            if faults.is_empty() { Ok(()) } else { Err(faults) }
        }
        _ if n_items >= needed => Ok(()),
        _ if n_items == 2 => Err(vec![format!(
            "2 items: at least 3 are needed where slopes are estimated (rasch does with 2)"
        )]),
        _ => Err(vec![format!(
            "{n_items} item: at least 2 items are needed, 3 where slopes are estimated"
        )]),
    }
}

/// Persons with an answer, counted no further than two.
fn n_answering(table: &Table) -> usize {
    let mut first = None;
    for item in 0..table.items.len() {
        let codes = table.responses.codes(item).iter().enumerate();
        for (person, _) in codes.filter(|&(_, &code)| code != MISSING) {
            match first {
                None => first = Some(person),
                Some(other) if other != person => return 2,
                Some(_) => {}
            }
        }
    }
    usize::from(first.is_some())
}

fn groups(table: &Table, shown: &str, faults: &mut Vec<String>, notes: &mut Vec<String>) {
    let Some((names, of_person)) = &table.groups else { return };
    let mut has_answer = vec![false; of_person.len()];
    for item in 0..table.items.len() {
        for (has, &code) in has_answer.iter_mut().zip(table.responses.codes(item)) {
            *has |= code != MISSING;
        }
    }
    let mut sizes = vec![0_usize; names.len()];
    for (&group, _) in of_person.iter().zip(&has_answer).filter(|&(_, &has)| has) {
        sizes[group as usize] += 1;
    }
    for (name, n) in names.iter().zip(sizes) {
        match n {
            0 => faults.push(format!("{shown}: group {name}: nobody in it answered anything")),
            1 => faults.push(format!(
                "{shown}: group {name} has one person with answers: a group's mean and variance \
                 need several; join it with another group or leave the person out"
            )),
            2..N_STEADY => notes.push(format!(
                "group {name} has only {n} persons with answers: its mean and variance are unsteady"
            )),
            _ => {}
        }
    }
}

/// Whether statistics programs write this for a missing answer.
fn is_code(value: f64) -> bool {
    const CODES: [f64; 11] = [7.0, 8.0, 9.0, 77.0, 88.0, 97.0, 98.0, 99.0, 888.0, 998.0, 999.0];
    CODES.contains(&value.abs())
}

/// Answers of an item that look like codes for missing ones: below a scale that starts at 0 or
/// above, or beyond any rating scale, they are faults; 7, 8 and 9 may be answers, and are noted.
/// `present`: each answer and how often it was given.
pub(super) fn codes_apart(
    item: &str,
    present: &[(f64, usize)],
    shown: &str,
    faults: &mut Vec<String>,
    notes: &mut Vec<String>,
) {
    let others = present.iter().map(|&(value, _)| value).filter(|&value| !is_code(value));
    let (low, high) =
        others.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    for &(value, n) in present.iter().filter(|&&(value, _)| is_code(value)) {
        let gap = (low - value).max(value - high);
        if low > high || gap < GAP_MIN.max(high - low) {
            continue;
        }
        let said = format!("item {item}: {n} answer(s) are {value}, far from the others");
        let remedy = "leave the cell empty where an answer is missing";
        if value < 0.0 && low >= 0.0 || value > RATING_MAX && high <= RATING_MAX {
            faults
                .push(format!("{shown}: {said} ({low} to {high}): a missing-value code? {remedy}"));
        } else if value > 0.0 && low >= 0.0 {
            notes
                .push(format!("{said} ({low} to {high}): if it is a missing-value code, {remedy}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::codes_apart;

    fn seen(values: &[f64]) -> (usize, usize) {
        let present: Vec<(f64, usize)> = values.iter().map(|&value| (value, 4)).collect();
        let (mut faults, mut notes) = (Vec::new(), Vec::new());
        codes_apart("a", &present, "f.csv", &mut faults, &mut notes);
        (faults.len(), notes.len())
    }

    #[test]
    fn codes_are_told_from_answers() {
        assert_eq!(seen(&[-99.0, 1.0, 2.0, 5.0]), (1, 0));
        assert_eq!(seen(&[-9.0, -8.0, 0.0, 1.0]), (2, 0));
        assert_eq!(seen(&[0.0, 10.0, 99.0]), (1, 0));
        assert_eq!(seen(&[1.0, 2.0, 5.0, 9.0]), (0, 1));
        // Sliders, a scale about 0, seven and ten answers, a scale of nothing but codes.
        assert_eq!(seen(&[20.0, 40.0, 99.0]), (0, 1));
        assert_eq!(seen(&[-8.0, -3.0, 0.0, 8.0]), (0, 0));
        assert_eq!(seen(&[1.0, 2.0, 6.0, 7.0]), (0, 0));
        assert_eq!(seen(&[1.0, 6.0, 9.0, 10.0]), (0, 0));
        assert_eq!(seen(&[7.0, 8.0, 9.0]), (0, 0));
    }
}
