//! Calibration, scoring and adaptive testing by size:
//! `cargo bench -p psychometrics --bench engine [-- SIZE …]`, sizes 10k, 100k, 1m and adaptive.
//!
//! Graded answers of N(0, 1) persons to 20 items of five categories, simulated from a fixed seed;
//! an adaptive test of 10,000 examinees, 30 of 300 such items each. Prints processor seconds of
//! one thread (where the system tells them, else elapsed seconds), of two threads elapsed seconds.
//!
//! `--write FOLDER [SIZE …]` writes the answers and the bank as CSV for other programs.
//! `--common ANSWERS.csv ESTIMATES …` prints the log-likelihood of each file of estimates on 61
//! nodes on ±6: a JSON file as `bellwether calibrate` writes it, or slope, d₁, d₂ … a line an item.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench talks and stops at faults")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use psychometrics::adaptive::{AdaptiveTest, ItemBank, NodeGrid, Settings};
use psychometrics::calibrate::{Calibration, Model, Options, Sample, Specification, calibrate};
use psychometrics::models::{Graded, ItemModel, ItemParameters};
use psychometrics::responses::Responses;
use psychometrics::score::{Bank, Method, eap, score};
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

const N_ITEMS: usize = 20;
const SIZES: [(&str, usize); 3] = [("10k", 10_000), ("100k", 100_000), ("1m", 1_000_000)];
const SEED: u64 = 20_261_124;
const N_EXAMINEES: usize = 10_000;
const N_BANK: usize = 300;

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if arguments.first().is_some_and(|first| first == "--common") {
        arguments[2..].iter().for_each(|file| println!("{:.6}", common(&arguments[1], file)));
        return;
    }
    let at = arguments.iter().position(|a| a == "--write");
    let folder = at.map(|at| arguments.drain(at..at + 2).nth(1).unwrap());
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|a| a == name);
    for (name, n_persons) in SIZES.into_iter().filter(|(name, _)| wanted(name)) {
        let responses = simulate(n_persons, &mut Pcg64Mcg::seed_from_u64(SEED));
        match &folder {
            Some(folder) => write(&responses, &format!("{folder}/graded_{name}.csv")),
            None => measure(name, &responses),
        }
    }
    let bank = bank(&mut Pcg64Mcg::seed_from_u64(SEED));
    if let Some(folder) = folder {
        write_bank(&bank, &format!("{folder}/bank.csv"));
    } else if wanted("adaptive") {
        adaptive(&bank);
    }
}

fn measure(name: &str, responses: &Responses) {
    let specification = Specification::of(Model::Graded, N_ITEMS);
    let fit =
        |options: &Options| calibrate(&Sample::of(responses), &specification, options).unwrap();
    let plain = Options { standard_errors: false, ..Options::default() };
    let (found, seconds) = timed(|| fit(&plain));
    report(name, "calibrate", seconds, &found);
    let (found, seconds) = timed(|| fit(&Options::default()));
    report(name, "calibrate + errors", seconds, &found);
    let start = Instant::now();
    fit(&Options { threads: 2, ..Options::default() });
    println!("{name:>5} {:<22} {:8.3} s wall", "two threads", start.elapsed().as_secs_f64());
    let bank = Bank::of(&found, 0).unwrap();
    // The system's account of a thread's time moves in steps of milliseconds: scores of few persons are made many times.
    let n_times = (1_000_000 / responses.n_persons()).max(1);
    let scores = || (0..n_times).for_each(|_| drop(black_box(eap(&bank, responses, 1).unwrap())));
    let least = (0..3).map(|_| timed(scores).1);
    let seconds = least.fold(f64::INFINITY, f64::min) / n_times as f64;
    println!("{name:>5} {:<22} {seconds:8.5} s", "EAP");
    if responses.n_persons() <= 100_000 {
        let (_, seconds) = timed(|| score(&bank, responses, Method::Map, 1).unwrap());
        println!("{name:>5} {:<22} {seconds:8.4} s", "MAP");
    }
}

fn report(size: &str, what: &str, seconds: f64, found: &Calibration) {
    let Calibration { log_likelihood, cycles, newton_steps, gradient_max, .. } = found;
    println!(
        "{size:>5} {what:<22} {seconds:8.3} s  log-likelihood {log_likelihood:.4}, {cycles} cycles, \
         {newton_steps} steps, gradient {gradient_max:.1e}"
    );
}

/// What `work` gives, and the CPU seconds of this thread it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let (cpu, wall) = (cpu_seconds(), Instant::now());
    let result = work();
    let spent = match (cpu, cpu_seconds()) {
        (Some(before), Some(after)) => after - before,
        _ => wall.elapsed().as_secs_f64(),
    };
    (result, spent)
}

fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds * 1e-9)
}

/// Processor seconds of all threads so far, to a hundredth; elapsed ones where none are told.
fn process_seconds() -> f64 {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let elapsed = START.elapsed().as_secs_f64();
    let Ok(text) = std::fs::read_to_string("/proc/self/stat") else { return elapsed };
    // User and system time are the 12th and 13th field after the name in parentheses.
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(11).take(2).map(|n| n.parse::<f64>().unwrap());
    ticks.sum::<f64>() / 100.0
}

/// Slopes about 1.4 and thresholds about −1.7, −0.6, 0.5 and 1.6, both with some spread.
fn simulate(n_persons: usize, chance: &mut impl Rng) -> Responses {
    let items: Vec<(f64, [f64; 4])> = (0..N_ITEMS)
        .map(|_| {
            let slope = (0.3 + 0.25 * normal(chance)).exp();
            let shift = -0.1 + 0.5 * normal(chance);
            (slope, [-1.7, -0.6, 0.5, 1.6].map(|b| b + shift))
        })
        .collect();
    let mut columns = vec![Vec::new(); N_ITEMS];
    for _ in 0..n_persons {
        let theta = normal(chance);
        for (column, (slope, thresholds)) in columns.iter_mut().zip(&items) {
            let u: f64 = chance.random();
            let passed = |b: &&f64| 1.0 / (1.0 + (-slope * (theta - **b)).exp()) > u;
            column.push(thresholds.iter().filter(passed).count() as u8);
        }
    }
    Responses::from_categories(columns).unwrap()
}

/// A sum of twelve uniforms: near enough to a normal for a bench, and quick.
fn normal(chance: &mut impl Rng) -> f64 {
    (0..12).map(|_| chance.random::<f64>()).sum::<f64>() - 6.0
}

/// Graded items of five categories around thresholds of their own.
fn bank(chance: &mut impl Rng) -> Vec<Graded> {
    let mut item = || {
        let (slope, shift) = ((0.3 + 0.25 * normal(chance)).exp(), normal(chance));
        Graded::from_thresholds(slope, &[-1.2, -0.4, 0.4, 1.2].map(|b| b + shift)).unwrap()
    };
    (0..N_BANK).map(|_| item()).collect()
}

fn adaptive(bank: &[Graded]) {
    let items = bank.iter().cloned().map(ItemParameters::Graded).collect();
    let mut chance = Pcg64Mcg::seed_from_u64(SEED);
    let thetas: Vec<f64> = (0..N_EXAMINEES).map(|_| normal(&mut chance)).collect();
    let before = process_seconds();
    let bank = ItemBank::new(items, NodeGrid::default()).unwrap();
    let test = AdaptiveTest::new(bank, Settings::default()).unwrap();
    let found = test.simulate(&thetas, 1, |person| Pcg64Mcg::seed_from_u64(person as u64));
    let (seconds, rmse) = (process_seconds() - before, found.unwrap().summary.rmse);
    println!("{:>5} {:<22} {seconds:8.4} s  root mean square error {rmse:.4}", "10k", "adaptive");
}

fn common(answers: &str, estimates: &str) -> f64 {
    let text = std::fs::read_to_string(estimates).unwrap();
    let items = if estimates.ends_with(".json") { of_json(&text) } else { of_csv(&text) };
    let nodes: Vec<f64> = (0..61).map(|at| -6.0 + 0.2 * f64::from(at)).collect();
    let mut prior: Vec<f64> = nodes.iter().map(|theta| -0.5 * theta * theta).collect();
    let total: f64 = prior.iter().map(|log| log.exp()).sum();
    prior.iter_mut().for_each(|log| *log -= total.ln());
    let logs: Vec<Vec<f64>> = items
        .iter()
        .map(|item| {
            let mut table = vec![0.0; item.n_categories() * nodes.len()];
            item.fill_log_table(&nodes, &mut table);
            table
        })
        .collect();
    let mut sum = 0.0;
    let mut row = vec![0.0; nodes.len()];
    for line in std::fs::read_to_string(answers).unwrap().lines().skip(1) {
        row.copy_from_slice(&prior);
        for (answer, table) in line.split(',').zip(&logs) {
            let category: usize = answer.parse::<usize>().unwrap() - 1;
            let own = &table[category * nodes.len()..(category + 1) * nodes.len()];
            row.iter_mut().zip(own).for_each(|(sum, log)| *sum += log);
        }
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        sum += largest + row.iter().map(|log| (log - largest).exp()).sum::<f64>().ln();
    }
    sum
}

fn of_json(text: &str) -> Vec<Graded> {
    let found: serde_json::Value = serde_json::from_str(text).unwrap();
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let item = |item: &serde_json::Value| {
        let intercepts: Vec<f64> = item["d"].as_array().unwrap().iter().map(number).collect();
        Graded::new(number(&item["a"]), &intercepts).unwrap()
    };
    found["items"].as_array().unwrap().iter().map(item).collect()
}

fn of_csv(text: &str) -> Vec<Graded> {
    let item = |line: &str| {
        let numbers: Vec<f64> = line.split(',').map(|n| n.trim().parse().unwrap()).collect();
        Graded::new(numbers[0], &numbers[1..]).unwrap()
    };
    text.lines().map(item).collect()
}

fn write_bank(bank: &[Graded], path: &str) {
    let mut text = String::new();
    for item in bank {
        let _ = write!(text, "{}", item.slope());
        item.intercepts().iter().for_each(|d| {
            let _ = write!(text, ",{d}");
        });
        text.push('\n');
    }
    std::fs::write(path, text).unwrap();
    println!("{path}");
}

fn write(responses: &Responses, path: &str) {
    let mut text = (1..=N_ITEMS).map(|i| format!("i{i}")).collect::<Vec<_>>().join(",");
    for person in 0..responses.n_persons() {
        for item in 0..N_ITEMS {
            let separator = if item == 0 { '\n' } else { ',' };
            let _ = write!(text, "{separator}{}", responses.codes(item)[person] + 1);
        }
    }
    text.push('\n');
    std::fs::write(path, text).unwrap();
    println!("{path}");
}
