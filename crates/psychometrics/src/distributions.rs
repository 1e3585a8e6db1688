//! Distribution functions that the statistics of this crate stand on.
//!
//! Written from the literature for `f64` on top of `libm`, so that every processor gives the
//! same bits. Each pair of tails is computed without subtracting from one, because p-values
//! live in the smaller tail. Accuracies are those seen by the tests beside this file, against
//! 30-digit values of an independent multiple-precision library.

mod bivariate;
mod continuous;
mod normal;

pub(crate) use bivariate::{bivariate_normal_cdf, bivariate_normal_pdf};
pub(crate) use continuous::{
    chi_squared_noncentrality, chi_squared_upper, f_quantile_upper, f_tails, ln_gamma,
    noncentrality, t_quantile_upper, t_tails,
};
pub(crate) use normal::{normal_cdf, normal_pdf, normal_quantile};

#[cfg(test)]
mod tests;
