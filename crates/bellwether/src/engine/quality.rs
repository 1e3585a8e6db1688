//! `bellwether quality RESPONSES`: how well a scale measures.

use clap::{Arg, ArgMatches, Command};
use psychometrics::columns::Columns;
use psychometrics::factors::{
    Confirmatory, FactorsError, ParallelOptions, Rotation, Spectrum, confirmatory, exploratory,
    parallel_analysis, polychoric, polychoric_matrix,
};
use psychometrics::matrix::{Matrix, symmetric_eigen};
use psychometrics::quality::{
    Gaps, IfDropped, QualityError, Reliability, correlations, covariances, observed_range, omega,
    reliability, response_signs, reverse_keyed, split_halves,
};
use psychometrics::responses::MISSING;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use serde_json::{Map, Value, json};

use super::output::{Output, matrix, number, read, remark};
use super::sound;
use super::{common_arguments, file_argument, list, path, roles, threads};

/// Confidence level of every interval.
const LEVEL: f64 = 0.95;
/// Random halves of a scale with too many items to try all.
const N_HALVES: usize = 10_000;
/// Thresholds are listed by step of the scale up to so many categories.
const N_CATEGORIES_MAX: f64 = 64.0;
/// Parallel analysis is left out beyond so many random numbers.
const N_DRAWN_MAX: usize = 200_000_000;

/// The command and its arguments.
#[must_use]
pub fn command() -> Command {
    let reverse = Arg::new("reverse")
        .long("reverse")
        .value_name("A1,C4,…")
        .value_delimiter(',')
        .help("Items to turn: MIN + MAX − x");
    let categories = Arg::new("categories")
        .long("categories")
        .value_name("MIN..MAX")
        .allow_hyphen_values(true)
        .value_parser(range)
        .help("Lowest and highest answer; without it, those observed over all items");
    let seed = Arg::new("seed")
        .long("seed")
        .value_name("SEED")
        .allow_negative_numbers(true)
        .value_parser(clap::value_parser!(u64))
        .default_value("1")
        .help("Where the random numbers of parallel analysis and split halves start");
    Command::new("quality")
        .about("Say how well a scale measures: reliability, items, factors, signs of carelessness")
        .arg(file_argument("RESPONSES"))
        .arg(reverse)
        .arg(categories)
        .arg(seed)
        .args(common_arguments())
}

/// Runs the command.
///
/// # Errors
/// Every fault of the file or its figures, each a sentence.
pub fn run(given: &ArgMatches) -> Result<(), Vec<String>> {
    let range = given.get_one::<(i32, i32)>("categories").copied();
    let out = Output::open(given)?;
    let (roles, file) = (roles(given), path(given, "file").unwrap_or_default());
    let threads = threads(given);
    let read = read(&file, &tabular::Wanted { roles: &roles, answers: None, range, threads })?;
    let notes = sound::answers(&read, &file)?;
    let mut table = Table::of(read);
    let stated = range.map(|(low, high)| (f64::from(low), f64::from(high)));
    let scale = stated.or_else(|| observed_range(columns(&table).ok()?));
    let (low, high) = scale.ok_or_else(|| vec![String::from("nobody answered anything")])?;
    if low >= high {
        let shown = file.display();
        return Err(vec![format!("{shown}: every answer is {low}: there is nothing to compare")]);
    }
    let signs = signs(&table, (low, high)).map_err(|e| vec![e])?;
    turn(&mut table, &list(given, "reverse"), (low, high))?;
    let chance = Pcg64Mcg::seed_from_u64(given.get_one::<u64>("seed").copied().unwrap_or(1));
    let shown = file.display();
    let figures = figures(&table, threads, chance);
    let mut figures = figures.map_err(|e| vec![format!("{shown}: {e}")])?;
    figures.insert("response_quality".into(), signs);
    figures.insert("flags".into(), json!(notes));
    out.figures(&Value::Object(figures))?;
    remark(&notes);
    Ok(())
}

/// Answers as numbers, missing = NaN.
struct Table {
    items: Vec<String>,
    n_rows: usize,
    /// One item after the other.
    values: Vec<f64>,
}

impl Table {
    fn of(read: tabular::Table) -> Self {
        let (items, responses) = (read.items, read.responses);
        let mut values = Vec::with_capacity(items.len() * responses.n_persons());
        for item in 0..items.len() {
            let lowest = f64::from(responses.lowest(item));
            let number = |&code: &u8| match code {
                MISSING => f64::NAN,
                code => lowest + f64::from(code),
            };
            values.extend(responses.codes(item).iter().map(number));
        }
        Self { items, n_rows: responses.n_persons(), values }
    }
}

/// Two integers with two dots between them.
fn range(text: &str) -> Result<(i32, i32), String> {
    let ends = text.split_once("..").and_then(|(low, high)| {
        Some((low.trim().parse::<i32>().ok()?, high.trim().parse::<i32>().ok()?))
    });
    match ends {
        Some((low, high)) if low < high => Ok((low, high)),
        _ => Err(String::from("write the lowest and the highest answer, such as 1..6")),
    }
}

fn columns(table: &Table) -> Result<Columns<'_>, String> {
    Columns::new(&table.values, table.n_rows, table.items.len()).map_err(|e| e.to_string())
}

/// Turns the named items in place.
fn turn(table: &mut Table, names: &[String], (low, high): (f64, f64)) -> Result<(), Vec<String>> {
    let missing = |name: &&String| !table.items.contains(name);
    let unknown: Vec<String> = names
        .iter()
        .filter(missing)
        .map(|name| format!("--reverse {name}: the file has no such item"))
        .collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let n = table.n_rows;
    for (item, column) in table.items.iter().zip(table.values.chunks_exact_mut(n)) {
        if names.contains(item) {
            let turned = reverse_keyed(column, low, high);
            column.copy_from_slice(&turned.map_err(|e| vec![format!("item {item}: {e}")])?);
        }
    }
    Ok(())
}

fn figures(
    table: &Table,
    threads: usize,
    mut chance: Pcg64Mcg,
) -> Result<Map<String, Value>, String> {
    let items = columns(table)?;
    let worded = |error: QualityError| worded(&error, &table.items);
    let pearson = correlations(items, Gaps::Pairwise).map_err(worded)?;
    let covariance = covariances(items, Gaps::Pairwise).map_err(worded)?;
    let pairwise = reliability(items, Gaps::Pairwise, LEVEL).map_err(worded)?;
    let n_complete = items.complete_rows().len();
    let or_error = |seen: Result<Value, String>| seen.unwrap_or_else(|e| json!({ "error": e }));
    let mut all = Map::new();
    let mut put = |name: &str, value: Value| {
        all.insert(name.to_owned(), value);
    };
    put("items", json!(table.items));
    put("n", json!(table.n_rows));
    put("n_complete", json!(n_complete));
    put("pearson_pairwise", matrix(&pearson));
    put("covariance_pairwise", matrix(&covariance));
    put("alpha_pairwise_na_rm", alpha(&pairwise, &table.items));
    let complete = reliability(items, Gaps::Complete, LEVEL);
    let complete = complete.map(|seen| alpha(&seen, &table.items)).map_err(worded);
    put("alpha_complete_cases", or_error(complete));
    let eigenvalues = symmetric_eigen(&pearson).map(|eigen| json!(eigen.values));
    put("eigenvalues_pearson_pairwise", or_error(eigenvalues.map_err(|e| e.to_string())));
    put("cfa_ml_complete_cases", or_error(one_factor(items, &table.items)));
    put("polychoric_complete_cases", or_error(polychorics(items, &table.items, threads)));
    put("split_half", or_error(halves(items, &table.items, &mut chance)));
    put("factors_complete_cases", or_error(factors(items, &table.items, n_complete, &mut chance)));
    put("version", json!(env!("CARGO_PKG_VERSION")));
    Ok(all)
}

/// The engine counts items from 0; people know them by their columns.
fn worded(error: &QualityError, items: &[String]) -> String {
    match error {
        QualityError::NoVariance { item } => format!(
            "item {0} was answered alike by everybody: leave it out with --ignore {0}",
            items[*item]
        ),
        QualityError::NoOverlap { first, second, n_persons } => format!(
            "items {} and {} were both answered by {n_persons} person(s): they cannot be compared",
            items[*first], items[*second]
        ),
        QualityError::Factor(cause) => {
            format!("the one-factor model behind omega failed: {}", factors_worded(cause, items))
        }
        other => other.to_string(),
    }
}

fn factors_worded(error: &FactorsError, items: &[String]) -> String {
    match error {
        FactorsError::Singular { item } => format!(
            "item {} does not vary, or the items before it determine it among complete cases",
            items[*item]
        ),
        FactorsError::BadCategories { item, n_categories } => format!(
            "item {} has {n_categories} distinct answer(s) among complete cases: 2 to 64 are needed",
            items[*item]
        ),
        other => other.to_string(),
    }
}

/// Alpha and what goes with it.
fn alpha(seen: &Reliability, items: &[String]) -> Value {
    let (r, p) = (seen.average_correlation, items.len() as f64);
    let by_item = |figures: &dyn Fn(usize) -> Value| -> Value {
        let items = items.iter().enumerate();
        Value::Object(items.map(|(at, name)| (name.clone(), figures(at))).collect())
    };
    json!({
        "n": seen.n_persons,
        "total": {
            "raw_alpha": seen.alpha, "std.alpha": seen.standardised_alpha,
            "G6(smc)": seen.lambda6, "average_r": r, "median_r": seen.median_correlation,
            "S/N": p * r / (1.0 - r), "ase": seen.alpha_standard_error,
            "mean": seen.mean, "sd": seen.sd,
        },
        "feldt": { "lower.ci": seen.alpha_interval.0, "upper.ci": seen.alpha_interval.1 },
        "if_item_deleted": by_item(&|at| without(seen.items[at].if_dropped, items.len())),
        "item_stats": by_item(&|at| {
            let item = &seen.items[at];
            json!({
                "n": item.n, "raw.r": item.item_total, "std.r": item.standardised_item_total,
                "r.cor": item.corrected_item_total, "r.drop": item.item_rest,
                "mean": item.mean, "sd": item.sd,
            })
        }),
    })
}

/// The scale without an item, under the names of R psych.
fn without(seen: Option<IfDropped>, n_items: usize) -> Value {
    // Without one of two there is no scale.
    let Some(seen) = seen else { return json!({ "raw_alpha": null }) };
    let (r, p) = (seen.average_correlation, (n_items - 1) as f64);
    json!({
        "raw_alpha": seen.alpha, "std.alpha": seen.standardised_alpha, "G6(smc)": seen.lambda6,
        "average_r": r, "S/N": p * r / (1.0 - r), "alpha se": seen.alpha_standard_error,
        "var.r": seen.correlation_variance, "med.r": seen.median_correlation,
    })
}

/// The rows without gaps, item after item, and how many there are.
fn complete_rows(items: Columns<'_>) -> (Vec<f64>, usize) {
    let rows = items.complete_rows();
    let of = |item: usize| rows.iter().map(move |&row| items.at(row, item)).collect::<Vec<f64>>();
    ((0..items.n_columns()).flat_map(of).collect(), rows.len())
}

fn one_factor(items: Columns<'_>, names: &[String]) -> Result<Value, String> {
    let whole = omega(items, LEVEL).map_err(|e| worded(&e, names))?;
    let Confirmatory { n, loadings, loadings_se, residuals, residuals_se, fit, .. } =
        confirmatory(items, &vec![0; items.n_columns()]).map_err(|e| factors_worded(&e, names))?;
    let standard: Vec<f64> = loadings
        .iter()
        .zip(&residuals)
        .map(|(loading, residual)| loading / (loading * loading + residual).sqrt())
        .collect();
    let improper: Vec<usize> = (0..residuals.len()).filter(|&i| residuals[i] < 0.0).collect();
    // Of a model that fits any covariances lavaan says that it fits perfectly.
    let perfect = |figure: f64| (fit.df == 0).then_some(figure);
    Ok(json!({
        "n": n, "loadings": loadings, "loadings_se": loadings_se,
        "residual_var": residuals, "residual_var_se": residuals_se, "std_loadings": standard,
        "negative_residual_items": improper,
        "omega": whole.omega, "omega_se": whole.standard_error,
        "omega_interval": [whole.interval.0, whole.interval.1],
        "fit": {
            "chisq": fit.chi_squared, "df": fit.df, "pvalue": fit.p, "cfi": fit.cfi,
            "tli": fit.tli.or(perfect(1.0)), "rmsea": fit.rmsea.or(perfect(0.0)), "srmr": fit.srmr, "logl": fit.log_likelihood,
        },
    }))
}

fn polychorics(items: Columns<'_>, names: &[String], threads: usize) -> Result<Value, String> {
    let p = items.n_columns();
    let (values, n) = complete_rows(items);
    let complete =
        Columns::new(&values, n, p).map_err(|_| String::from("nobody answered every item"))?;
    let all = polychoric_matrix(complete, threads).map_err(|e| factors_worded(&e, names))?;
    let (low, high) = observed_range(complete).unwrap_or_default();
    let mut cuts = Vec::with_capacity(p);
    for item in 0..p {
        let other = if item == 0 { 1 } else { 0 };
        let answers = complete.column(item);
        let pair = polychoric(answers, complete.column(other)).map_err(|e| e.to_string())?;
        cuts.push(on_range(&pair.thresholds_first, answers, low, high));
    }
    let definite = smoothed(&all.rho).map_err(|e| e.to_string())?;
    Ok(json!({
        "n": n, "psych_correct0_two_step": matrix(&definite),
        "lavaan_two_step": matrix(&all.rho_corrected), "psych_tau": cuts,
        "standard_errors": matrix(&all.standard_error),
    }))
}

/// An item's thresholds at every step of the scale's range as R psych lists them: null (its
/// infinity) below the item's lowest answer and above its highest.
fn on_range(thresholds: &[f64], answers: &[f64], low: f64, high: f64) -> Vec<Option<f64>> {
    let mut seen = answers.to_vec();
    seen.sort_by(f64::total_cmp);
    seen.dedup();
    let n_steps = high - low;
    if n_steps >= N_CATEGORIES_MAX {
        return thresholds.iter().copied().map(Some).collect();
    }
    let at = |step: i32| {
        let n_below = seen.partition_point(|&value| value <= low + f64::from(step));
        n_below.checked_sub(1).and_then(|before| thresholds.get(before)).copied()
    };
    (0..n_steps as i32).map(at).collect()
}

/// The correlations themselves where they are positive definite; else, as R psych does with
/// polychoric ones, eigenvalues below 1e-12 are set to 1e-10 and the diagonal back to 1.
fn smoothed(rho: &Matrix) -> Result<Matrix, psychometrics::matrix::EigenError> {
    let eigen = symmetric_eigen(rho)?;
    if eigen.values.iter().all(|&value| value >= f64::EPSILON) {
        return Ok(rho.clone());
    }
    let lifted: Vec<f64> =
        eigen.values.iter().map(|&value| if value < 1e-12 { 1e-10 } else { value }).collect();
    let p = lifted.len();
    let product = |i: usize, j: usize| -> f64 {
        let term = |m: usize| lifted[m] * eigen.vectors.at(i, m) * eigen.vectors.at(j, m);
        (0..p).map(term).sum()
    };
    let sd: Vec<f64> = (0..p).map(|i| product(i, i).sqrt()).collect();
    Ok(Matrix::from_fn(p, p, |i, j| if i == j { 1.0 } else { product(i, j) / (sd[i] * sd[j]) }))
}

fn halves(items: Columns<'_>, names: &[String], chance: &mut Pcg64Mcg) -> Result<Value, String> {
    let seen =
        split_halves(items, Gaps::Pairwise, N_HALVES, chance).map_err(|e| worded(&e, names))?;
    Ok(json!({
        "odd_even": seen.odd_even, "odd_even_guttman": seen.odd_even_guttman,
        "best": seen.best, "worst": seen.worst, "mean": seen.mean,
        "n_splits": seen.n_splits, "exhaustive": seen.exhaustive,
    }))
}

fn factors(
    items: Columns<'_>,
    names: &[String],
    n: usize,
    chance: &mut Pcg64Mcg,
) -> Result<Value, String> {
    let options = ParallelOptions::default();
    let n_drawn = n.saturating_mul(items.n_columns()).saturating_mul(options.n_draws);
    if n_drawn > N_DRAWN_MAX {
        return Err(format!("parallel analysis would draw {n_drawn} numbers: take a sample"));
    }
    let seen = parallel_analysis(items, options, chance).map_err(|e| factors_worded(&e, names))?;
    let wanted = seen.factors.n_above.max(1);
    let found = match exploratory(items, wanted, Rotation::Oblimin) {
        Ok(found) => json!({
            "n_factors": wanted, "loadings": matrix(&found.loadings),
            "phi": matrix(&found.factor_correlations), "communality": found.communalities,
            "objective": found.discrepancy, "RMSEA": found.rmsea, "TLI": found.tli,
            "improper_items": found.improper_items,
        }),
        Err(error) => json!({ "n_factors": wanted, "error": error.to_string() }),
    };
    let Spectrum { observed, simulated_mean, simulated_quantile, n_above } = seen.components;
    Ok(json!({
        "n": seen.n, "n_draws": options.n_draws, "quantile": options.quantile,
        "eigenvalues_pc": observed, "simulated_pc_mean": simulated_mean,
        "simulated_pc_quantile": simulated_quantile, "ncomp": n_above,
        "eigenvalues_fa": seen.factors.observed,
        "simulated_fa_mean": seen.factors.simulated_mean,
        "simulated_fa_quantile": seen.factors.simulated_quantile, "nfact": seen.factors.n_above,
        "minres_oblimin": found,
    }))
}

/// Counts of persons whose answers show signs of not having read, before any item is turned.
fn signs(table: &Table, (low, high): (f64, f64)) -> Result<Value, String> {
    let all = response_signs(columns(table)?, &[], low, high).map_err(|e| e.to_string())?;
    let answered: Vec<_> = all.iter().filter(|signs| signs.n_answered > 0).collect();
    let n = answered.len() as f64;
    let mean = answered.iter().map(|signs| signs.longest_string as f64).sum::<f64>() / n;
    Ok(json!({
        "n_answered_nothing": all.len() - answered.len(),
        "n_straight_line": answered.iter().filter(|signs| signs.straight_line).count(),
        "longest_string_mean": number(mean),
        "longest_string_max": answered.iter().map(|signs| signs.longest_string).max(),
        "range": [low, high],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R psych 2.2.9, `cor.smooth`.
    #[test]
    fn smoothed_correlations_are_those_of_psych() {
        let given = [[1.0, 0.9, 0.1], [0.9, 1.0, 0.8], [0.1, 0.8, 1.0]];
        let seen = smoothed(&Matrix::from_fn(3, 3, |i, j| given[i][j])).unwrap();
        for (i, j, expected) in
            [(0, 1, 0.79253978981341), (0, 2, 0.13201363160197), (1, 2, 0.70910905313860)]
        {
            assert!((seen.at(i, j) - expected).abs() < 1e-12, "{}", seen.at(i, j));
        }
    }
}
