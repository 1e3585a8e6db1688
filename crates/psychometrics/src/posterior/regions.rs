//! Named regions of the map, and how much of a posterior lies in each.

use super::density::Density;
use super::legendre::N;

/// Borders at infinity are drawn here, in logits; far outside any grid.
const FAR: f64 = 1e6;
/// Overlaps narrower than this, in logits, are taken for rounding of a shared border.
const OVERLAP_MIN: f64 = 1e-9;
/// Corners a map may have in all, so that its check stays short.
const N_CORNERS_MAX: usize = 200;

/// The outline of a region, in logits: managing across, leading up.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// managing in [from, to] and leading in [from, to]; sides may be infinite.
    Rectangle {
        /// Lowest and highest managing.
        managing: [f64; 2],
        /// Lowest and highest leading.
        leading: [f64; 2],
    },
    /// Corners [managing, leading] in order, convex or not, closed from last to first. Where the
    /// outline crosses itself, a point is inside if a ray from it crosses it an odd number of
    /// times.
    Polygon(Vec<[f64; 2]>),
}

/// A named part of the map.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// The name that the instrument gives it; unique in its map.
    pub name: String,
    /// Its outline.
    pub shape: Shape,
}

/// Why a list of regions is not a map.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RegionError {
    /// No region at all.
    #[error("a map needs at least one region")]
    Empty,
    /// More than two hundred corners in all.
    #[error("{n_corners} corners in all; a map has at most 200")]
    TooManyCorners {
        /// Corners of all regions.
        n_corners: usize,
    },
    /// A name that is empty or used before.
    #[error("region {position} is named {name:?}, which is empty or used before")]
    Name {
        /// Position in the list, from 0.
        position: usize,
        /// The name.
        name: String,
    },
    /// A polygon of fewer than three corners, a side from high to low, or a corner that is not a
    /// number (a polygon's must be finite and within a million).
    #[error("region {name:?} has an impossible outline")]
    Outline {
        /// The region.
        name: String,
    },
    /// Two regions share more than a border.
    #[error("regions {first:?} and {second:?} overlap near managing {managing}")]
    Overlap {
        /// The earlier in the list.
        first: String,
        /// The later.
        second: String,
        /// A place on the managing axis where they do, in logits.
        managing: f64,
    },
}

/// Regions that do not overlap. They need not cover the map.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionMap {
    regions: Vec<Region>,
    outlines: Vec<Vec<[f64; 2]>>,
}

/// How much of a posterior lies in one region.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionProbability {
    /// The region's name.
    pub name: String,
    /// Its posterior probability.
    pub probability: f64,
}

/// How a posterior is shared out over a map.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionProbabilities {
    /// One entry a region, in the map's order.
    pub regions: Vec<RegionProbability>,
    /// What lies in none of them.
    pub uncovered: f64,
}

impl RegionMap {
    /// Checks names, outlines and that no two regions overlap. Cost: O(edges³) once.
    ///
    /// # Errors
    /// [`RegionError`], naming the region.
    pub fn new(regions: Vec<Region>) -> Result<Self, RegionError> {
        if regions.is_empty() {
            return Err(RegionError::Empty);
        }
        let mut outlines: Vec<Vec<[f64; 2]>> = Vec::with_capacity(regions.len());
        for (position, region) in regions.iter().enumerate() {
            let name = region.name.clone();
            let used = regions[..position].iter().any(|earlier| earlier.name == name);
            if name.trim().is_empty() || used {
                return Err(RegionError::Name { position, name });
            }
            outlines.push(outline(&region.shape).ok_or(RegionError::Outline { name })?);
        }
        let n_corners = outlines.iter().map(Vec::len).sum();
        if n_corners > N_CORNERS_MAX {
            return Err(RegionError::TooManyCorners { n_corners });
        }
        let map = Self { regions, outlines };
        match map.overlap() {
            Some((first, second, managing)) => Err(RegionError::Overlap {
                first: map.regions[first].name.clone(),
                second: map.regions[second].name.clone(),
                managing,
            }),
            None => Ok(map),
        }
    }

    /// Four quadrants cut at the population's mean, θ = 0, named by behaviour: "Mostly order",
    /// "Mostly fresh insight", "Both, often" and "Both, less often so far".
    #[must_use]
    pub fn quadrants() -> Self {
        let (low, high) = ([f64::NEG_INFINITY, 0.0], [0.0, f64::INFINITY]);
        let regions: Vec<Region> = [
            ("Mostly order", high, low),
            ("Mostly fresh insight", low, high),
            ("Both, often", high, high),
            ("Both, less often so far", low, low),
        ]
        .into_iter()
        .map(|(name, managing, leading)| Region {
            name: name.to_owned(),
            shape: Shape::Rectangle { managing, leading },
        })
        .collect();
        let outlines = regions.iter().filter_map(|region| outline(&region.shape)).collect();
        Self { regions, outlines }
    }

    /// The regions, in the order of their probabilities.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    pub(super) fn integrate(&self, density: &Density) -> RegionProbabilities {
        let [across, up] = density.panels;
        let mut sums = vec![0.0; self.regions.len()];
        let cuts = self.cuts(density);
        let n_up = up.n_panels * N;
        let (mut row, mut below) = (vec![0.0; n_up], vec![0.0; up.n_panels]);
        for cut in cuts.windows(2) {
            let (half, centre) = (0.5 * (cut[1] - cut[0]), 0.5 * (cut[1] + cut[0]));
            for k in 0..N {
                let managing = centre + half * density.rule.nodes[k];
                let (panel, s) = across.locate(managing);
                let mix = density.rule.interpolate(s);
                mix_rows(&density.values[panel * N * n_up..][..N * n_up], &mix, &mut row);
                accumulate(density, &row, &mut below);
                let weight = density.rule.weights[k] * half;
                for (sum, outline) in sums.iter_mut().zip(&self.outlines) {
                    let heights = crossings(outline, managing);
                    for pair in heights.chunks_exact(2) {
                        let high = mass_below(density, &row, &below, pair[1]);
                        *sum += weight * (high - mass_below(density, &row, &below, pair[0]));
                    }
                }
            }
        }
        let covered: f64 = sums.iter().sum();
        let named = self.regions.iter().zip(sums);
        RegionProbabilities {
            regions: named
                .map(|(region, sum)| RegionProbability {
                    name: region.name.clone(),
                    probability: sum.clamp(0.0, 1.0),
                })
                .collect(),
            uncovered: (1.0 - covered).clamp(0.0, 1.0),
        }
    }

    /// Where along managing the integrand stops being one polynomial: panel borders, corners,
    /// and crossings of an edge with a panel border of leading.
    fn cuts(&self, density: &Density) -> Vec<f64> {
        let [across, up] = density.panels;
        let mut cuts: Vec<f64> = (0..=across.n_panels).map(|at| across.border(at)).collect();
        for [from, to] in self.outlines.iter().flat_map(|outline| edges(outline)) {
            cuts.push(from[0]);
            for position in 0..=up.n_panels {
                let height = up.border(position);
                let (low, high) = (from[1].min(to[1]), from[1].max(to[1]));
                if low < height && height < high && from[0] != to[0] {
                    let share = (height - from[1]) / (to[1] - from[1]);
                    cuts.push(from[0] + share * (to[0] - from[0]));
                }
            }
        }
        cuts.retain(|cut| (across.low..=across.high).contains(cut));
        cuts.sort_by(f64::total_cmp);
        cuts.dedup();
        cuts
    }

    /// Two regions that overlap, and where. Between neighbouring corners and crossings the
    /// order of all edges is the same throughout, so the middle tells.
    fn overlap(&self) -> Option<(usize, usize, f64)> {
        let all: Vec<[[f64; 2]; 2]> = self.outlines.iter().flat_map(|o| edges(o)).collect();
        let mut cuts: Vec<f64> = all.iter().map(|edge| edge[0][0]).collect();
        for (position, first) in all.iter().enumerate() {
            cuts.extend(all[..position].iter().filter_map(|second| crossing(first, second)));
        }
        cuts.sort_by(f64::total_cmp);
        for cut in cuts.windows(2).filter(|cut| cut[1] - cut[0] > OVERLAP_MIN) {
            let managing = 0.5 * (cut[0] + cut[1]);
            let mut spans: Vec<(f64, f64, usize)> = Vec::new();
            for (region, outline) in self.outlines.iter().enumerate() {
                let heights = crossings(outline, managing);
                spans.extend(heights.chunks_exact(2).map(|pair| (pair[0], pair[1], region)));
            }
            spans.sort_by(|a, b| a.0.total_cmp(&b.0));
            for pair in spans.windows(2) {
                let shared = pair[0].1.min(pair[1].1) - pair[1].0;
                if shared > OVERLAP_MIN {
                    let (a, b) = (pair[0].2, pair[1].2);
                    return Some((a.min(b), a.max(b), managing));
                }
            }
        }
        None
    }
}

/// The corners of a shape, or `None` where they make none.
fn outline(shape: &Shape) -> Option<Vec<[f64; 2]>> {
    match shape {
        Shape::Rectangle { managing, leading } => {
            let rising = |side: &[f64; 2]| side[0] < side[1];
            if !(rising(managing) && rising(leading)) {
                return None;
            }
            let [left, right] = managing.map(|side| side.clamp(-FAR, FAR));
            let [low, high] = leading.map(|side| side.clamp(-FAR, FAR));
            Some(vec![[left, low], [right, low], [right, high], [left, high]])
        }
        Shape::Polygon(corners) => {
            let possible = |at: &f64| at.is_finite() && at.abs() <= FAR;
            let fine = corners.len() >= 3 && corners.iter().flatten().all(possible);
            fine.then(|| corners.clone())
        }
    }
}

fn edges(outline: &[[f64; 2]]) -> impl Iterator<Item = [[f64; 2]; 2]> {
    let next = outline.iter().cycle().skip(1);
    outline.iter().zip(next).map(|(from, to)| [*from, *to])
}

/// The heights at which the vertical line at `managing` crosses the outline, rising; an even
/// number. `managing` is never that of a corner.
fn crossings(outline: &[[f64; 2]], managing: f64) -> Vec<f64> {
    let mut heights: Vec<f64> = edges(outline)
        .filter(|[from, to]| (from[0] < managing) != (to[0] < managing))
        .map(|[from, to]| {
            let share = (managing - from[0]) / (to[0] - from[0]);
            from[1] + share * (to[1] - from[1])
        })
        .collect();
    heights.sort_by(f64::total_cmp);
    heights
}

/// Where along managing two edges cross, if they do so in one point.
fn crossing(a: &[[f64; 2]; 2], b: &[[f64; 2]; 2]) -> Option<f64> {
    let (u, v) = ([a[1][0] - a[0][0], a[1][1] - a[0][1]], [b[1][0] - b[0][0], b[1][1] - b[0][1]]);
    let cross = u[0] * v[1] - u[1] * v[0];
    if cross == 0.0 {
        return None;
    }
    let gap = [b[0][0] - a[0][0], b[0][1] - a[0][1]];
    let on_a = (gap[0] * v[1] - gap[1] * v[0]) / cross;
    let on_b = (gap[0] * u[1] - gap[1] * u[0]) / cross;
    let within = 0.0..=1.0;
    (within.contains(&on_a) && within.contains(&on_b)).then(|| a[0][0] + on_a * u[0])
}

/// The density along leading at one managing, from the ten rows of its panel.
fn mix_rows(rows: &[f64], mix: &[f64; N], out: &mut [f64]) {
    out.fill(0.0);
    for (row, share) in rows.chunks_exact(out.len()).zip(mix) {
        for (sum, value) in out.iter_mut().zip(row) {
            *sum += share * value;
        }
    }
}

/// Writes the mass of all panels below each panel.
fn accumulate(density: &Density, row: &[f64], below: &mut [f64]) {
    let half = density.panels[1].half_width();
    let mut sum = 0.0;
    for (start, values) in below.iter_mut().zip(row.chunks_exact(N)) {
        *start = sum;
        let of_panel: f64 =
            values.iter().zip(&density.rule.weights).map(|(value, w)| value * w).sum();
        sum += half * of_panel;
    }
}

/// The mass along leading below `height`.
fn mass_below(density: &Density, row: &[f64], below: &[f64], height: f64) -> f64 {
    let (panel, s) = density.panels[1].locate(height);
    let weights = density.rule.integrate_to(s);
    let part: f64 =
        weights.iter().zip(&row[panel * N..][..N]).map(|(weight, value)| weight * value).sum();
    below[panel] + density.panels[1].half_width() * part
}
