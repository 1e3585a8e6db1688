//! Charts as inline SVG: the map with the posterior's outline, and a bar for each level.

use askama::Template;
use instrument::{Axis, Instrument, Interval, Region};

use crate::report::hundredths;
use crate::scoring::{Level, Scores};

/// Where the plot begins and ends, in units of the viewBox (0 to 400).
const LEFT: f64 = 52.0;
const TOP: f64 = 12.0;
/// Length of either axis.
const SIDE: f64 = 336.0;
/// Room for labels between a region's edge and its words, and between two lines.
const MARGIN: f64 = 10.0;
const LINE_HEIGHT: f64 = 19.0;
/// Letters of a last line that would look lost.
const LAST_LINE_MIN: usize = 4;
/// Where a bar begins and how long it is.
const BAR_LEFT: f64 = 10.0;
const BAR_LENGTH: f64 = 380.0;

/// The map: managing to the right, leading upwards, both as shares of chances taken.
#[derive(Template)]
#[template(path = "map.html")]
pub(crate) struct MapChart {
    /// What a screen reader says.
    description: String,
    tints: Vec<Tint>,
    /// The dashed lines where regions meet.
    cuts: String,
    labels: Vec<Label>,
    /// The outline of the ellipse.
    outline: String,
    x: String,
    y: String,
    x_name: String,
    y_name: String,
}

struct Tint {
    class: &'static str,
    x: String,
    y: String,
    width: String,
    height: String,
}

struct Label {
    x: String,
    y: String,
    is_end: bool,
    lines: Vec<String>,
}

/// A level with its band.
#[derive(Template)]
#[template(path = "bar.html")]
pub(crate) struct Bar {
    class: &'static str,
    name: String,
    share: String,
    low: String,
    high: String,
    at: String,
    from: String,
    to: String,
    corner: String,
    is_square: bool,
}

impl MapChart {
    /// The map of a scored sitting.
    pub(crate) fn new(instrument: &Instrument, scores: &Scores) -> Self {
        let map = instrument.map();
        let [managing, leading] =
            [&scores.levels[0], &scores.levels[1]].map(|l| hundredths(l.share));
        let here = map.region_at(scores.mean[0], scores.mean[1]).map_or("", |r| r.name.as_str());
        let frames: Vec<Frame<'_>> = map
            .regions()
            .iter()
            .map(|region| Frame::new(region, map.x(), map.y(), scores))
            .collect();
        let point = |[x, y]: &[f64; 2]| format!("{} {}", across(*x), up(*y));
        let outline: Vec<String> = scores.outline.iter().map(point).collect();
        Self {
            description: format!(
                "The dot stands at {managing} in 100 for managing and {leading} in 100 for leading, in the region {here}. \
                 The oval around it reaches from {} to {} in managing and from {} to {} in leading.",
                extreme(&scores.outline, 0, f64::min),
                extreme(&scores.outline, 0, f64::max),
                extreme(&scores.outline, 1, f64::min),
                extreme(&scores.outline, 1, f64::max),
            ),
            tints: frames.iter().filter_map(Frame::tint).collect(),
            cuts: cuts(scores),
            labels: frames.iter().map(|frame| frame.label(&scores.outline)).collect(),
            outline: if outline.is_empty() {
                String::new()
            } else {
                format!("M{}Z", outline.join("L"))
            },
            x: across(scores.levels[0].share),
            y: up(scores.levels[1].share),
            x_name: map.x().name.clone(),
            y_name: map.y().name.clone(),
        }
    }
}

impl Bar {
    /// The bar of a level; `class` is `managing` or `leading`.
    pub(crate) fn new(class: &'static str, name: &str, level: &Level) -> Self {
        let along = |share: f64| BAR_LEFT + BAR_LENGTH * share;
        Self {
            class,
            name: name.to_owned(),
            share: hundredths(level.share),
            low: hundredths(level.low),
            high: hundredths(level.high),
            at: tenth(along(level.share)),
            from: tenth(along(level.low)),
            to: tenth(along(level.high)),
            corner: tenth(along(level.share) - 8.0),
            is_square: class == "managing",
        }
    }
}

/// A region's rectangle in shares of chances taken.
struct Frame<'a> {
    region: &'a Region,
    x: [f64; 2],
    y: [f64; 2],
}

impl<'a> Frame<'a> {
    fn new(region: &'a Region, x: &Axis, y: &Axis, scores: &Scores) -> Self {
        let side = |axis: &Axis| {
            let cuts = &scores.cuts[axis.approach.index()];
            ends(region.interval(axis.approach), axis, cuts)
        };
        Self { region, x: side(x), y: side(y) }
    }

    fn tint(&self) -> Option<Tint> {
        let class = match (self.x[1] >= 1.0 && self.x[0] > 0.0, self.y[1] >= 1.0 && self.y[0] > 0.0)
        {
            (true, true) => "both-tint",
            (true, false) => "managing-tint",
            (false, true) => "leading-tint",
            (false, false) => return None,
        };
        Some(Tint {
            class,
            x: across(self.x[0]),
            y: up(self.y[1]),
            width: tenth(SIDE * (self.x[1] - self.x[0])),
            height: tenth(SIDE * (self.y[1] - self.y[0])),
        })
    }

    /// The region's name, in the corner that lies farthest from the middle of the map, or above or below that one where it
    /// would lie under the outline.
    fn label(&self, outline: &[[f64; 2]]) -> Label {
        let is_end = self.x[1] >= 1.0 && self.x[0] > 0.0;
        let width = SIDE * (self.x[1] - self.x[0]) - 2.0 * MARGIN;
        let lines = wrap(&self.region.name, width);
        let x = if is_end {
            LEFT + SIDE * self.x[1] - MARGIN
        } else {
            LEFT + SIDE * self.x[0] + MARGIN
        };
        let further = LINE_HEIGHT * (lines.len() as f64 - 1.0);
        let at_top = TOP + SIDE * (1.0 - self.y[1]) + 24.0;
        let at_foot = TOP + SIDE * (1.0 - self.y[0]) - 11.0 - further;
        let (corner, other) = if self.y[0] <= 0.0 { (at_foot, at_top) } else { (at_top, at_foot) };
        let wide = lines.iter().map(|line| width_of(line)).fold(0.0, f64::max);
        let across = if is_end { [x - wide, x] } else { [x, x + wide] };
        let is_free = |y: &f64| !meets(outline, across, [y - LINE_HEIGHT, y + further]);
        let y = [corner, other].into_iter().find(is_free).unwrap_or(corner);
        Label { x: tenth(x), y: tenth(y), is_end, lines }
    }
}

/// Whether a rectangle of the viewBox meets the one around an outline.
fn meets(outline: &[[f64; 2]], across: [f64; 2], down: [f64; 2]) -> bool {
    let ends = |place: fn(&[f64; 2]) -> f64| {
        let places = outline.iter().map(place);
        places.fold([f64::INFINITY, f64::NEG_INFINITY], |[a, b], p| [a.min(p), b.max(p)])
    };
    let [left, right] = ends(|point| LEFT + SIDE * point[0]);
    let [top, foot] = ends(|point| TOP + SIDE * (1.0 - point[1]));
    left <= across[1] && across[0] <= right && top <= down[1] && down[0] <= foot
}

/// An interval of θ as shares, by the cuts of its axis; open ends are 0 and 1.
fn ends(interval: Interval, axis: &Axis, cuts: &[f64]) -> [f64; 2] {
    let share = |theta: f64, open: f64| {
        let at = axis.cuts.iter().position(|&cut| cut == theta);
        at.and_then(|at| cuts.get(at)).copied().unwrap_or(open)
    };
    [share(interval.from, 0.0), share(interval.below, 1.0)]
}

fn cuts(scores: &Scores) -> String {
    let [x, y] = &scores.cuts;
    let down = x.iter().map(|&share| format!("M{} {TOP}V{}", across(share), TOP + SIDE));
    let along = y.iter().map(|&share| format!("M{LEFT} {}H{}", up(share), LEFT + SIDE));
    down.chain(along).collect()
}

fn extreme(outline: &[[f64; 2]], dimension: usize, pick: fn(f64, f64) -> f64) -> String {
    hundredths(outline.iter().map(|point| point[dimension]).reduce(pick).unwrap_or(0.0))
}

fn across(share: f64) -> String {
    tenth(LEFT + SIDE * share)
}

fn up(share: f64) -> String {
    tenth(TOP + SIDE * (1.0 - share))
}

fn tenth(value: f64) -> String {
    format!("{value:.1}")
}

/// Width of a label's words in the viewBox, about: the font is the reader's own.
fn width_of(words: &str) -> f64 {
    let letter = |c: char| match c {
        'i' | 'l' | 'I' | 'j' | ',' | '.' | ' ' | '\'' => 6.0,
        't' | 'f' | 'r' => 7.5,
        'm' | 'w' | 'M' | 'W' => 15.5,
        _ => 11.0,
    };
    words.chars().map(letter).sum()
}

/// Breaks words into lines no wider than `width`, and leaves no short word alone on the last.
fn wrap(words: &str, width: f64) -> Vec<String> {
    let mut lines: Vec<Vec<&str>> = Vec::new();
    for word in words.split(' ') {
        let fits = |line: &Vec<&str>| width_of(&format!("{} {word}", line.join(" "))) <= width;
        match lines.last_mut() {
            Some(line) if fits(line) => line.push(word),
            _ => lines.push(vec![word]),
        }
    }
    if let [.., before, last] = lines.as_mut_slice()
        && last.concat().len() < LAST_LINE_MIN
        && before.len() > 1
    {
        last.splice(0..0, before.pop());
    }
    lines.iter().map(|line| line.join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_is_met_where_it_lies() {
        let outline = [[0.2, 0.2], [0.4, 0.4]];
        let at = |x: f64, y: f64| {
            let (x, y) = (LEFT + SIDE * x, TOP + SIDE * (1.0 - y));
            meets(&outline, [x - 5.0, x + 5.0], [y - 5.0, y + 5.0])
        };
        assert!(at(0.3, 0.3) && at(0.41, 0.3) && !at(0.5, 0.3) && !at(0.3, 0.5));
    }

    #[test]
    fn names_break_between_words() {
        assert_eq!(wrap("Both, less often so far", 181.0), ["Both, less often", "so far"]);
        assert_eq!(wrap("Mostly order", 103.0), ["Mostly", "order"]);
        assert_eq!(wrap("Both, often", 103.0), ["Both, often"]);
        assert_eq!(wrap("Unbreakable", 3.0), ["Unbreakable"]);
    }
}
