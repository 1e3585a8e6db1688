//! `bellwether agreement RATINGS --group COLUMN`: how far raters of one person agree.

use clap::{Arg, ArgMatches, Command};
use psychometrics::columns::{Columns, Groups};
use psychometrics::raters::{
    Agreement, Centre, Likelihood, Null, RatersError, a_wg, average_deviation, mean_variance,
    one_way, one_way_components, r_wg, r_wg_j, r_wg_j_lindell, variance_of_means,
};
use serde_json::{Map, Value, json};

use super::output::{Output, number, remark};
use super::sound::codes_apart;
use super::table::{Reading, Table};
use super::{common_arguments, file_argument, list, path, text};

/// Confidence level of every interval.
const LEVEL: f64 = 0.95;

/// What the mean over the items is called.
const SCALE_MEAN: &str = "the mean of the items";

/// The command and its arguments.
#[must_use]
pub fn command() -> Command {
    let group = Arg::new("group")
        .long("group")
        .required(true)
        .value_name("COLUMN")
        .help("The column that says who was rated, or which team the rater belongs to");
    let categories = Arg::new("categories")
        .long("categories")
        .value_name("A")
        .allow_negative_numbers(true)
        .value_parser(clap::value_parser!(u32).range(2..=100))
        .default_value("5")
        .help("Answer categories, for what chance agreement would look like");
    Command::new("agreement")
        .about("Say how far raters agree: ICC(1), ICC(2), variance components, r_wg(j), a_wg, AD")
        .arg(file_argument("RATINGS").help(
            "A CSV file (a header row, a line a rater, a column an item, numbers, an empty cell \
             for a missing rating) or a Parquet file",
        ))
        .arg(group)
        .arg(categories)
        .args(common_arguments())
}

/// Runs the command.
///
/// # Errors
/// Every fault of the file or its figures, each a sentence.
pub fn run(given: &ArgMatches) -> Result<(), Vec<String>> {
    let reading = Reading {
        id: text(given, "id"),
        group: text(given, "group"),
        ignored: list(given, "ignore"),
    };
    let out = Output::open(given)?;
    let file = path(given, "file").unwrap_or_default();
    let table = reading.read(&file)?;
    let shown = file.display().to_string();
    let flags = flags(&table, &shown)?;
    let categories = given.get_one::<u32>("categories").copied().unwrap_or(5);
    let mut figures = figures(&table, categories).map_err(|e| vec![format!("{shown}: {e}")])?;
    figures["flags"] = json!(flags);
    out.figures(&figures)?;
    remark(&flags);
    Ok(())
}

/// What a reader should know of the ratings.
///
/// # Errors
/// No ratings at all, items without any, codes for missing ones among them.
fn flags(table: &Table, shown: &str) -> Result<Vec<String>, Vec<String>> {
    let (mut faults, mut notes) = (Vec::new(), Vec::new());
    for (name, column) in table.items.iter().zip(table.values.chunks_exact(table.n_rows)) {
        let mut given: Vec<f64> = column.iter().copied().filter(|x| !x.is_nan()).collect();
        given.sort_by(f64::total_cmp);
        if given.is_empty() {
            faults.push(format!(
                "{shown}: item {name}: nobody rated it; leave it out with --ignore {name}"
            ));
        }
        let present: Vec<(f64, usize)> =
            given.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect();
        codes_apart(name, &present, shown, &mut faults, &mut notes);
    }
    if faults.len() == table.items.len() && table.values.iter().all(|x| x.is_nan()) {
        return Err(vec![format!("{shown}: nobody rated anything: every rating is empty")]);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut sizes = vec![0_usize; table.group_names.len()];
    table.group_of.iter().for_each(|&group| sizes[group as usize] += 1);
    let alone: Vec<&str> = table
        .group_names
        .iter()
        .zip(&sizes)
        .filter(|&(_, &n)| n == 1)
        .map(|(name, _)| name.as_str())
        .collect();
    if let [first, ..] = alone[..] {
        let who = match alone.len() {
            1 => format!("group {first} has one rater"),
            n => format!("{n} groups, such as {first}, have one rater"),
        };
        notes.push(format!(
            "{who}: of agreement within it nothing can be said (null); its rating \
                            counts in ICC(1), ICC(2) and the variance components"
        ));
    }
    Ok(notes)
}

fn figures(table: &Table, categories: u32) -> Result<Value, String> {
    let groups = Groups::new(&table.group_of);
    let columns = Columns::new(&table.values, table.n_rows, table.items.len())
        .map_err(|e| format!("the ratings cannot be used: {e}"))?;
    let null = Null::Rectangular { categories };
    let mut all = Map::new();
    let mut put = |name: &str, value: Value| {
        all.insert(name.to_owned(), value);
    };
    put("items", json!(table.items));
    put("n", json!(table.n_rows));
    put("n_groups", json!(groups.n_groups()));
    put("ranvar", number(null.variance().map_err(|e| e.to_string())?));
    put("variables", by_item(table, |at, name| icc(columns.column(at), &groups, name))?);
    put("mult.icc", mult_icc(table, columns, &groups));
    put("scale_mean", icc(&means(columns), &groups, SCALE_MEAN)?);
    let said = |what: &'static str, key: &'static str| {
        move |seen: Result<Vec<Agreement>, RatersError>| match seen {
            Ok(seen) => by_group(&seen, &table.group_names, key),
            // Such as ratings outside the scale: the other figures stand.
            Err(RatersError::OffScale { row, column, value, low, high }) => {
                let (row, item) = (row + 1, &table.items[column]);
                let said =
                    format!("row {row}, item {item}: {value} is not between {low} and {high}");
                json!({ "error": format!("{what}: {said}; give --categories its number") })
            }
            Err(error) => json!({ "error": format!("{what}: {error}") }),
        }
    };
    let of_item = |ratings: &[f64]| said("rwg", "rwg")(r_wg(ratings, &groups, null));
    put("rwg", by_item(table, |at, _| Ok(of_item(columns.column(at))))?);
    put("rwg_first_item", of_item(columns.column(0)));
    put("rwg.j", said("rwg.j", "rwg.j")(r_wg_j(columns, &groups, null)));
    if categories == 5 {
        let skewed = r_wg_j(columns, &groups, Null::SlightlySkewedFive);
        put("rwg.j_slightly_skewed", said("rwg.j", "rwg.j")(skewed));
    }
    let lindell = r_wg_j_lindell(columns, &groups, null);
    put("rwg.j.lindell", said("rwg.j.lindell", "rwg.lindell")(lindell));
    let deviation = |centre| average_deviation(columns, &groups, centre);
    put("ad.m", said("ad.m", "AD.M")(deviation(Centre::Mean)));
    put("ad.md", said("ad.md", "AD.Md")(deviation(Centre::Median)));
    let (low, high) = scale(columns, categories);
    let mut awg = said("awg", "a.wg")(a_wg(columns, &groups, low, high));
    if awg.get("error").is_none() {
        awg["nraters"] = awg["gsize"].clone();
        // R multilevel's name for the variance of the raters' means over the items.
        let of_means = variance_of_means(columns, &groups).map_err(|e| e.to_string())?;
        let of_means: Vec<_> = rated(&of_means).map(|group| json!(group.value)).collect();
        let of_items = mean_variance(columns, &groups).map_err(|e| e.to_string())?;
        awg["nitems"] = vec![table.items.len(); of_means.len()].into();
        awg["avg.grp.var"] = of_means.into();
        awg["mean.item.var"] = rated(&of_items).map(|group| json!(group.value)).collect();
    }
    put("awg", awg);
    put("version", json!(env!("CARGO_PKG_VERSION")));
    Ok(Value::Object(all))
}

/// One value an item, under its name.
fn by_item(
    table: &Table,
    figure: impl Fn(usize, &str) -> Result<Value, String>,
) -> Result<Value, String> {
    let items = table.items.iter().enumerate();
    let named = items.map(|(at, name)| Ok((name.clone(), figure(at, name)?)));
    named.collect::<Result<Map<String, Value>, String>>().map(Value::Object)
}

/// 1 to A, or 0 to A − 1 where somebody answered 0 and nobody A.
fn scale(columns: Columns<'_>, categories: u32) -> (f64, f64) {
    let top = f64::from(categories);
    match psychometrics::quality::observed_range(columns) {
        Some((low, high)) if low == 0.0 && high < top => (0.0, top - 1.0),
        _ => (1.0, top),
    }
}

/// Each row's mean over the items, missing where an item is.
fn means(columns: Columns<'_>) -> Vec<f64> {
    let n_items = columns.n_columns();
    let sum = |row| (0..n_items).map(|item| columns.at(row, item)).sum::<f64>();
    (0..columns.n_rows()).map(|row| sum(row) / n_items as f64).collect()
}

fn icc(ratings: &[f64], groups: &Groups, what: &str) -> Result<Value, String> {
    let seen = one_way(ratings, groups, LEVEL).map_err(|e| match e {
        RatersError::NoVariance { .. } if what != SCALE_MEAN => {
            format!("{what}: {e}; leave it out with --ignore {what}")
        }
        e => format!("{what}: {e}"),
    })?;
    let components = |likelihood| match one_way_components(ratings, groups, likelihood) {
        Ok(seen) => json!({
            "tau00": seen.between, "sigma2": seen.within, "ICC1": seen.icc1,
            "fixed_mean": seen.mean, "fixed_mean_se": seen.mean_se, "logLik": seen.log_likelihood,
        }),
        Err(error) => json!({ "error": error.to_string() }),
    };
    Ok(json!({
        "n": seen.n, "n_groups": seen.n_groups, "mean_group_size": seen.mean_group_size,
        "MSB": seen.mean_square_between, "MSW": seen.mean_square_within, "F": seen.f, "p": seen.p,
        "ICC1": seen.icc1, "ICC1_interval": [seen.icc1_interval.0, seen.icc1_interval.1],
        "ICC2": seen.icc2, "ICC2_interval": [seen.icc2_interval.0, seen.icc2_interval.1],
        "lmer_REML": components(Likelihood::Restricted),
        "lmer_ML": components(Likelihood::Full),
    }))
}

/// ICC(1) and ICC(2) from the variance components, as R multilevel's `mult.icc` has them: with the
/// mean size of the groups, raters without a rating included.
fn mult_icc(table: &Table, columns: Columns<'_>, groups: &Groups) -> Value {
    let size = table.n_rows as f64 / table.group_names.len() as f64;
    let icc1 = |item| {
        let seen = one_way_components(columns.column(item), groups, Likelihood::Restricted);
        seen.map_or(f64::NAN, |seen| seen.icc1)
    };
    let first: Vec<f64> = (0..table.items.len()).map(icc1).collect();
    let second: Vec<f64> =
        first.iter().map(|icc1| size * icc1 / (1.0 + (size - 1.0) * icc1)).collect();
    json!({ "Variable": table.items, "ICC1": first, "ICC2": second })
}

/// One figure a group, as parallel lists, and their mean and median over groups that have one.
fn by_group(seen: &[Agreement], names: &[String], key: &str) -> Value {
    let mut known: Vec<f64> = rated(seen).filter_map(|agreement| agreement.value).collect();
    known.sort_by(f64::total_cmp);
    let half = known.len() / 2;
    let median = match known.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => known[half],
        _ => 0.5 * (known[half - 1] + known[half]),
    };
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let mut all = Map::new();
    let name = |agreement: &Agreement| &names[agreement.group as usize];
    all.insert("grpid".into(), rated(seen).map(name).cloned().collect());
    all.insert(key.into(), rated(seen).map(|agreement| json!(agreement.value)).collect());
    all.insert("gsize".into(), rated(seen).map(|agreement| agreement.n_raters).collect());
    all.insert("mean".into(), number(mean));
    all.insert("median".into(), number(median));
    Value::Object(all)
}

/// Groups of which somebody answered every item asked about; others are not listed, as in R.
fn rated(seen: &[Agreement]) -> impl Iterator<Item = &Agreement> {
    seen.iter().filter(|agreement| agreement.n_raters > 0)
}
