use super::{Batch, Blocks, Tables, UNDERFLOW, lanes, scalar, shared_blocks};

const TOLERANCE: f64 = 1e-12;

/// A small generator, so that these tests depend on nothing.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

struct Case {
    blocks: Blocks,
    tables: Tables,
    prior: Vec<f64>,
    nodes: Vec<f64>,
    codes: Vec<u8>,
    weights: Vec<f64>,
}

/// `n_patterns` sorted random patterns of items with 2 to 4 categories, some with gaps.
fn case(n_items: usize, n_nodes: usize, n_patterns: usize, smallest: f64) -> Case {
    let mut chance = Chance((n_items * 1000 + n_nodes * 10 + n_patterns) as u64);
    let width = n_nodes.next_multiple_of(8);
    let n_categories: Vec<usize> = (0..n_items).map(|item| 2 + item % 3).collect();
    let has_gap: Vec<bool> = (0..n_items).map(|item| item % 2 == 1).collect();
    let blocks = Blocks::new(&n_categories, &has_gap, 200);
    let items: Vec<Vec<f64>> = n_categories
        .iter()
        .map(|n| {
            let mut at = 0;
            let mut value = || {
                at += 1;
                let inside = (at - 1) % width < n_nodes;
                if inside { smallest.powf(chance.next()) } else { 0.0 }
            };
            (0..n * width).map(|_| value()).collect()
        })
        .collect();
    let slices: Vec<&[f64]> = items.iter().map(Vec::as_slice).collect();
    let tables = Tables::new(&blocks, &slices, width);
    let inside = |at: usize| if at < n_nodes { 1.0 / n_nodes as f64 } else { 0.0 };
    let mut patterns: Vec<Vec<u8>> = (0..n_patterns)
        .map(|_| {
            let of = |n: usize, u: f64| ((n as f64 * u * u) as usize).min(n - 1) as u8;
            blocks.blocks.iter().map(|block| of(block.n_rows, chance.next())).collect()
        })
        .collect();
    patterns.sort();
    Case {
        prior: (0..width).map(inside).collect(),
        nodes: (0..width).map(|at| at as f64 * 0.2 - 6.0).collect(),
        codes: patterns.concat(),
        weights: (0..n_patterns).map(|_| 0.5 + chance.next()).collect(),
        tables,
        blocks,
    }
}

fn close(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= TOLERANCE * (1.0 + a.abs()))
}

fn check(case: &Case) {
    let batch = Batch { codes: &case.codes, weights: &case.weights };
    let mut expected = vec![0.0; case.tables.rows.len()];
    let naive = scalar::accumulate(&case.tables, &case.prior, batch, &mut expected);
    for n_shared in 0..case.blocks.n_blocks() {
        let mut counts = vec![0.0; case.tables.rows.len()];
        let found = lanes::accumulate(&case.tables, &case.prior, batch, n_shared, &mut counts);
        assert!((found - naive).abs() <= TOLERANCE * (1.0 + naive.abs()), "{found} {naive}");
        assert!(close(&counts, &expected), "{n_shared} blocks shared");
    }
    let (n, width) = (case.weights.len(), case.tables.width);
    let (mut a, mut b) = (vec![0.0; n * width], vec![0.0; n * width]);
    let (mut log_a, mut log_b) = (vec![0.0; n], vec![0.0; n]);
    scalar::posteriors(&case.tables, &case.prior, &case.codes, &mut a, &mut log_a);
    lanes::posteriors(&case.tables, &case.prior, &case.codes, &mut b, &mut log_b);
    assert!(close(&a, &b) && close(&log_a, &log_b));
    let (mut means, mut deviations) = ((vec![0.0; n], vec![0.0; n]), (vec![0.0; n], vec![0.0; n]));
    let (tables, prior, nodes) = (&case.tables, &case.prior, &case.nodes);
    scalar::moments(tables, prior, nodes, &case.codes, &mut means.0, &mut deviations.0);
    lanes::moments(tables, prior, nodes, &case.codes, &mut means.1, &mut deviations.1);
    assert!(close(&means.0, &means.1));
    // The plain loop sums squares about the mean, the other about 0: up to 36 against 0.04.
    let apart = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-7 && (*a < 0.05 || (a - b).abs() < 1e-12);
    assert!(deviations.0.iter().zip(&deviations.1).all(apart), "{deviations:?}");
    let total: f64 = case.weights.iter().sum();
    let summed: f64 = case.blocks.sum_all(&expected, width).iter().sum();
    assert!((summed - total).abs() < 1e-9 * (1.0 + total));
}

#[test]
fn vector_loops_agree_with_the_plain_ones_at_every_size() {
    for n in 0..=64 {
        check(&case(1 + n % 9, 1 + n, n, 0.01));
    }
    check(&case(20, 61, 500, 0.01));
}

#[test]
fn products_that_underflow_are_done_in_logarithms() {
    let case = case(300, 61, 40, 1e-60);
    let mut row = vec![0.0; 64];
    let mut log = [0.0];
    let n_blocks = case.blocks.n_blocks();
    lanes::posteriors(&case.tables, &case.prior, &case.codes[..n_blocks], &mut row, &mut log);
    assert!(log[0] < UNDERFLOW.ln(), "this case is meant to underflow: {}", log[0]);
    check(&case);
}

#[test]
fn shared_blocks_are_chosen_where_runs_are_long() {
    let codes: Vec<u8> = (0..400_u32).flat_map(|i| [(i / 100) as u8, (i % 100) as u8, 0]).collect();
    assert_eq!(shared_blocks(&codes, 3), 1);
    let codes: Vec<u8> = (0..600_u32).map(|i| (i % 251) as u8).collect();
    assert_eq!(shared_blocks(&codes, 3), 0);
}

#[test]
fn blocks_give_back_what_they_were_made_of() {
    let blocks = Blocks::new(&[5, 5, 5, 2, 3], &[true, false, true, true, false], 10_000);
    assert!(blocks.n_blocks() < 5, "items share blocks");
    let mut codes = vec![0; blocks.n_blocks()];
    let mut answers = vec![0; 5];
    codes.iter_mut().zip(&blocks.blocks).for_each(|(code, block)| *code = (block.n_rows - 1) as u8);
    blocks.decode(&codes, &mut answers);
    assert_eq!(answers, [255, 4, 255, 255, 2]);
    blocks.decode(&vec![0; codes.len()], &mut answers);
    assert_eq!(answers, [0; 5]);
}
