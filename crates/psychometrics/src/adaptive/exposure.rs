//! Exposure parameters that keep every item below a wanted rate.

use rand::Rng;

use super::{AdaptiveError, AdaptiveTest};

/// Parameters found by [`sympson_hetter`].
#[derive(Debug, Clone, PartialEq)]
pub struct SympsonHetter {
    /// Probability of asking each item once it is chosen: [`super::Settings::exposure`].
    pub parameters: Vec<f64>,
    /// Highest exposure rate in the last simulation.
    pub exposure_max: f64,
    /// Simulations run.
    pub cycles: u32,
}

/// Exposure parameters by Sympson and Hetter's repeated simulation.
///
/// After each simulation of `thetas` an item chosen for a share S of the persons gets the
/// parameter min(1, `rate_max`/S); the longest test's number of items always keep 1, so that a
/// test can be filled. `chance_of(cycle, person)` gives each person's generator.
/// Cost: `cycles` simulations. The rate holds for the population of `thetas`, and in it to within
/// the noise of so many persons.
///
/// # Errors
/// As [`AdaptiveTest::simulate`], a rate outside (0, 1], no cycles, or a rate that so few items
/// cannot keep: rate × items must reach the largest number of items a test.
/// # References
/// Sympson & Hetter 1985, *Proceedings of the 27th annual meeting of the Military Testing
/// Association*, 973–977; van der Linden 2003, *Journal of Educational and Behavioral Statistics*
/// 28, 249–265, doi:10.3102/10769986028003249.
pub fn sympson_hetter<R: Rng>(
    test: &AdaptiveTest,
    thetas: &[f64],
    rate_max: f64,
    cycles: u32,
    threads: usize,
    chance_of: impl Fn(u32, usize) -> R + Sync,
) -> Result<SympsonHetter, AdaptiveError> {
    let wrong = |setting, value, wanted| Err(AdaptiveError::Setting { setting, value, wanted });
    let n_items = test.bank().n_items();
    let length = test.settings().stop.n_items_max;
    if !(rate_max > 0.0 && rate_max <= 1.0) {
        return wrong("exposure rate", rate_max, "above 0, at most 1");
    }
    if rate_max * (n_items as f64) < length as f64 {
        return wrong("exposure rate", rate_max, "at least the share of the bank in one test");
    }
    if cycles == 0 {
        return wrong("cycles", 0.0, "1 or more");
    }
    let mut test = test.clone();
    test.settings.exposure = vec![1.0; n_items];
    let mut exposure_max = 0.0;
    for cycle in 0..cycles {
        let seen = test.simulate(thetas, threads, |person| chance_of(cycle, person))?;
        exposure_max = seen.summary.exposure_max;
        if cycle + 1 == cycles {
            break;
        }
        let next = seen.chosen.iter().map(|&share| (rate_max / share).min(1.0));
        let mut parameters: Vec<f64> = next.collect();
        let mut order: Vec<usize> = (0..n_items).collect();
        order.sort_by(|&a, &b| parameters[b].total_cmp(&parameters[a]));
        order.iter().take(length).for_each(|&item| parameters[item] = 1.0);
        test.settings.exposure = parameters;
    }
    Ok(SympsonHetter { parameters: test.settings.exposure, exposure_max, cycles })
}
