//! Gauss–Legendre nodes, and the polynomial through values at them.

/// Nodes a panel: interpolation of degree 9, integration exact to degree 19.
pub(super) const N: usize = 10;

/// The nodes and weights on [−1, 1], and the Legendre polynomials at the nodes.
pub(super) struct Rule {
    pub(super) nodes: [f64; N],
    pub(super) weights: [f64; N],
    /// `at_nodes[k][n]` is Pₙ(xₖ).
    at_nodes: [[f64; N]; N],
}

impl Rule {
    /// Newton's iteration from Chebyshev-like starts; five steps reach the last bit.
    pub(super) fn new() -> Self {
        let (mut nodes, mut weights, mut at_nodes) = ([0.0; N], [0.0; N], [[0.0; N]; N]);
        for k in 0..N {
            let turn = (k as f64 + 0.75) / (N as f64 + 0.5);
            let mut x = -libm::cos(core::f64::consts::PI * turn);
            for _ in 0..5 {
                let p = polynomials(x);
                x -= p[N] * (x * x - 1.0) / (N as f64 * (x * p[N] - p[N - 1]));
            }
            let p = polynomials(x);
            let derivative = N as f64 * (x * p[N] - p[N - 1]) / (x * x - 1.0);
            nodes[k] = x;
            weights[k] = 2.0 / ((1.0 - x * x) * derivative * derivative);
            at_nodes[k].copy_from_slice(&p[..N]);
        }
        Self { nodes, weights, at_nodes }
    }

    /// The weight of each node's value in the interpolating polynomial at `s` in [−1, 1]:
    /// wₖ Σₙ (2n + 1)/2 Pₙ(xₖ) Pₙ(s).
    pub(super) fn interpolate(&self, s: f64) -> [f64; N] {
        let p = polynomials(s);
        core::array::from_fn(|k| {
            let sum: f64 = (0..N).map(|n| (n as f64 + 0.5) * self.at_nodes[k][n] * p[n]).sum();
            self.weights[k] * sum
        })
    }

    /// The weight of each node's value in the integral of that polynomial from −1 to `s`: as
    /// ∫Pₙ = (Pₙ₊₁ − Pₙ₋₁)/(2n + 1), wₖ/2 · [s + 1 + Σₙ Pₙ(xₖ) (Pₙ₊₁(s) − Pₙ₋₁(s))].
    pub(super) fn integrate_to(&self, s: f64) -> [f64; N] {
        let p = polynomials(s);
        core::array::from_fn(|k| {
            let sum: f64 = (1..N).map(|n| self.at_nodes[k][n] * (p[n + 1] - p[n - 1])).sum();
            0.5 * self.weights[k] * (s + 1.0 + sum)
        })
    }
}

/// P₀(x) … P_N(x) by the three-term recurrence.
fn polynomials(x: f64) -> [f64; N + 1] {
    let mut p = [1.0; N + 1];
    p[1] = x;
    for n in 1..N {
        let order = n as f64;
        p[n + 1] = ((2.0 * order + 1.0) * x * p[n] - order * p[n - 1]) / (order + 1.0);
    }
    p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monomials_are_integrated_exactly() {
        let rule = Rule::new();
        for degree in 0..2 * N as i32 {
            let sum: f64 = (0..N).map(|k| rule.weights[k] * rule.nodes[k].powi(degree)).sum();
            let exact = if degree % 2 == 0 { 2.0 / f64::from(degree + 1) } else { 0.0 };
            assert!((sum - exact).abs() < 1e-14, "degree {degree}: {sum} for {exact}");
        }
    }

    #[test]
    fn the_polynomial_and_its_integral_are_those_of_the_function() {
        let rule = Rule::new();
        for s in [-1.0_f64, -0.7, 0.0, 0.31, 1.0] {
            let (value, integral) = (rule.interpolate(s), rule.integrate_to(s));
            for degree in 0..N as i32 {
                let at = |k: usize| rule.nodes[k].powi(degree);
                let interpolated: f64 = (0..N).map(|k| value[k] * at(k)).sum();
                assert!((interpolated - s.powi(degree)).abs() < 1e-13);
                let integrated: f64 = (0..N).map(|k| integral[k] * at(k)).sum();
                let next = degree + 1;
                let exact = (s.powi(next) - (-1.0_f64).powi(next)) / f64::from(next);
                assert!((integrated - exact).abs() < 1e-13);
            }
        }
    }
}
