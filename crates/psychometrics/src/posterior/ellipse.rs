use super::PosteriorError;

/// A credible ellipse on the map of managing (across) and leading (up).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ellipse {
    /// The posterior mean, in logits.
    pub centre: [f64; 2],
    /// Half the longer axis, then half the shorter, in logits.
    pub half_axes: [f64; 2],
    /// Direction of the longer axis, in radians, anticlockwise from the managing axis, in
    /// (−π/2, π/2]; 0 for a circle.
    pub angle_rad: f64,
    /// The probability inside, if the posterior is normal.
    pub level: f64,
}

impl Ellipse {
    /// The ellipse (θ − m)ᵀ C⁻¹ (θ − m) = q with q = −2 ln(1 − level), the quantile of χ² with
    /// two degrees of freedom.
    ///
    /// # Errors
    /// [`PosteriorError::Level`] unless `level` is strictly between 0 and 1.
    pub fn new(
        centre: [f64; 2],
        covariance: [[f64; 2]; 2],
        level: f64,
    ) -> Result<Self, PosteriorError> {
        if !(level > 0.0 && level < 1.0) {
            return Err(PosteriorError::Level { value: level });
        }
        let [[x, both], [_, y]] = covariance;
        let half_difference = 0.5 * (x - y);
        let radius = (half_difference * half_difference + both * both).sqrt();
        let larger = 0.5 * (x + y) + radius;
        // The product of the eigenvalues is the determinant: no cancellation in a thin ellipse.
        let smaller = if larger > 0.0 { ((x * y - both * both) / larger).max(0.0) } else { 0.0 };
        let quantile = -2.0 * libm::log1p(-level);
        Ok(Self {
            centre,
            half_axes: [(quantile * larger).sqrt(), (quantile * smaller).sqrt()],
            angle_rad: 0.5 * libm::atan2(both, half_difference),
            level,
        })
    }
}
