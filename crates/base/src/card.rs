//! The card that a network shows beside a shared link: a PNG drawn in this process, without a browser.
//!
//! Paper, the provider's name, the title, and a band in which even squares give way to free circles. Drawn when it is
//! first asked for, under an address that holds a hash of everything on it.

use std::sync::{Arc, OnceLock};

use axum::http::HeaderMap;
use axum::response::Response;
use tiny_skia::{Color, FillRule, Paint, Path, PathBuilder, Pixmap, Rect, Transform};
use ttf_parser::{Face, OutlineBuilder};

use crate::encode;
use crate::http::{Cache, Refusal, Stored};

/// Raise it whenever the drawing changes, so that no network keeps an old card.
const DRAWING_VERSION: &str = "2";
/// The size that networks ask for, in pixels.
pub const WIDTH: u32 = 1_200;
/// See [`WIDTH`].
pub const HEIGHT: u32 = 630;

const MARGIN: f32 = 80.0;
const TITLE_WIDTH: f32 = 1_040.0;
/// From the first of these that needs at most [`TITLE_LINES_MAX`] lines.
const TITLE_SIZES: [f32; 4] = [76.0, 66.0, 58.0, 48.0];
const TITLE_LINES_MAX: usize = 3;
const LINE_HEIGHT: f32 = 1.14;
const PAPER: &str = "#fbfaf7";
const INK: &str = "#1d1c1a";
const INK_SOFT: &str = "#57534a";

static BOLD: &[u8] = include_bytes!("../fonts/bellwether-card-bold.ttf");
static REGULAR: &[u8] = include_bytes!("../fonts/bellwether-card-regular.ttf");

/// A card: what stands on it, and its picture once it has been asked for. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Card(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    words: Words,
    path: String,
    png: OnceLock<Option<Stored>>,
}

/// What stands on a card.
#[derive(Clone, Debug)]
pub struct Words {
    /// The provider's name.
    pub provider: String,
    /// What kind of thing is shared.
    pub kicker: String,
    /// Its title.
    pub title: String,
    /// The provider's accent, `#rrggbb`.
    pub accent: String,
}

impl Card {
    /// The card of the page `slug`.
    #[must_use]
    pub fn new(slug: &str, words: Words) -> Self {
        let Words { provider, kicker, title, accent } = &words;
        let all = [DRAWING_VERSION, provider, kicker, title, accent].join("\n");
        let path = format!("/cards/{slug}-{}.png", &encode::sha256_hex(all.as_bytes())[..16]);
        Self(Arc::new(Inner { words, path, png: OnceLock::new() }))
    }

    /// Its address, without the site's.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The answer with the picture, drawn on a thread that may block if nobody has asked before.
    ///
    /// # Errors
    /// If it cannot be drawn.
    pub async fn answer(&self, request: &HeaderMap) -> Result<Response, Refusal> {
        let card = self.clone();
        let drawn = tokio::task::spawn_blocking(move || card.png().cloned()).await;
        let png = drawn.ok().flatten().ok_or_else(|| Refusal::broken("a card was not drawn"))?;
        Ok(png.answer(request))
    }

    /// The picture: drawn now if nobody has asked before, which takes some milliseconds of this thread.
    #[must_use]
    pub fn png(&self) -> Option<&Stored> {
        let inner = &*self.0;
        let draw = || Some(Stored::new("image/png", Cache::Immutable, draw(&inner.words)?));
        inner.png.get_or_init(draw).as_ref()
    }
}

fn draw(words: &Words) -> Option<Vec<u8>> {
    let (bold, regular) = (Face::parse(BOLD, 0).ok()?, Face::parse(REGULAR, 0).ok()?);
    let mut sheet = Pixmap::new(WIDTH, HEIGHT)?;
    sheet.fill(colour(PAPER)?);
    let accent = colour(&words.accent)?;
    draw_mark(&mut sheet, accent);
    let name = Line { face: &bold, size: 34.0, colour: colour(INK)? };
    name.write(&mut sheet, &words.provider, MARGIN + 60.0, 102.0);
    let kicker = Line { face: &regular, size: 30.0, colour: colour(INK_SOFT)? };
    let x = WIDTH as f32 - MARGIN - kicker.width(&words.kicker);
    kicker.write(&mut sheet, &words.kicker, x, 102.0);
    draw_title(&mut sheet, &bold, &words.title)?;
    draw_band(&mut sheet, accent)?;
    sheet.encode_png().ok()
}

/// A title in letters that the font lacks is left out: no reader should see boxes.
fn draw_title(sheet: &mut Pixmap, face: &Face<'_>, title: &str) -> Option<()> {
    let ink = colour(INK)?;
    let line = |size| Line { face, size, colour: ink };
    if !line(1.0).can_write(title) {
        return Some(());
    }
    let set = |size: f32| (size, balanced(&line(size), title));
    let fits = |lines: &[String]| lines.len() <= TITLE_LINES_MAX;
    let fitting = TITLE_SIZES.into_iter().map(set).find(|(_, lines)| fits(lines));
    let (size, mut lines) = fitting.unwrap_or_else(|| set(TITLE_SIZES[TITLE_SIZES.len() - 1]));
    if !fits(&lines) {
        lines.truncate(TITLE_LINES_MAX);
        lines.last_mut()?.push('…');
    }
    let line = line(size);
    let mut y = 286.0 - (lines.len() as f32 - 1.0) * size * LINE_HEIGHT / 2.0 + size * 0.35;
    for words in &lines {
        line.write(sheet, words, MARGIN, y);
        y += size * LINE_HEIGHT;
    }
    Some(())
}

/// As many lines as needed, all about equally long.
fn balanced(line: &Line<'_>, text: &str) -> Vec<String> {
    let widest = wrapped(line, text, TITLE_WIDTH);
    let (mut narrow, mut wide) = (TITLE_WIDTH / 4.0, TITLE_WIDTH);
    for _ in 0..10 {
        let middle = (narrow + wide) / 2.0;
        match wrapped(line, text, middle).len() <= widest.len() {
            true => wide = middle,
            false => narrow = middle,
        }
    }
    wrapped(line, text, wide)
}

fn wrapped(line: &Line<'_>, text: &str, width: f32) -> Vec<String> {
    let space = line.width(" ");
    let mut lines: Vec<String> = Vec::new();
    let mut filled = 0.0;
    for word in text.split_whitespace() {
        let wanted = line.width(word);
        match lines.last_mut() {
            Some(last) if filled + space + wanted <= width => {
                last.push(' ');
                last.push_str(word);
                filled += space + wanted;
            }
            _ => {
                lines.push(word.to_owned());
                filled = wanted;
            }
        }
    }
    lines
}

/// One line of text.
struct Line<'a> {
    face: &'a Face<'a>,
    /// Pixels to the em.
    size: f32,
    colour: Color,
}

impl Line<'_> {
    fn scale(&self) -> f32 {
        self.size / f32::from(self.face.units_per_em())
    }

    fn can_write(&self, text: &str) -> bool {
        text.chars().all(|c| c.is_whitespace() || self.face.glyph_index(c).is_some())
    }

    fn width(&self, text: &str) -> f32 {
        let glyphs = text.chars().map(|c| self.face.glyph_index(c).unwrap_or_default());
        let advances = glyphs.map(|glyph| self.face.glyph_hor_advance(glyph).unwrap_or(0));
        advances.map(|advance| f32::from(advance) * self.scale()).sum()
    }

    /// Writes with the left edge at `x` and the base line at `y`.
    fn write(&self, sheet: &mut Pixmap, text: &str, x: f32, y: f32) {
        if !self.can_write(text) {
            return;
        }
        let mut pen = Pen { path: PathBuilder::new(), x, y, scale: self.scale() };
        for c in text.chars() {
            let glyph = self.face.glyph_index(c).unwrap_or_default();
            self.face.outline_glyph(glyph, &mut pen);
            let advance = self.face.glyph_hor_advance(glyph).unwrap_or(0);
            pen.x += f32::from(advance) * pen.scale;
        }
        if let Some(path) = pen.path.finish() {
            fill(sheet, &path, self.colour, FillRule::Winding);
        }
    }
}

/// Takes a glyph's outline to its place on the sheet.
struct Pen {
    path: PathBuilder,
    x: f32,
    y: f32,
    scale: f32,
}

impl Pen {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

/// The two approaches, overlapping: a square and a circle.
fn draw_mark(sheet: &mut Pixmap, accent: Color) {
    let (mut square, mut circle) = (PathBuilder::new(), PathBuilder::new());
    for inset in [0.0, 4.0] {
        let side = 26.0 - 2.0 * inset;
        if let Some(edge) = Rect::from_xywh(MARGIN + inset, 72.0 + inset, side, side) {
            square.push_rect(edge);
        }
        circle.push_circle(MARGIN + 30.0, 94.0, 13.0 - inset);
    }
    for ring in [square, circle] {
        if let Some(ring) = ring.finish() {
            fill(sheet, &ring, accent, FillRule::EvenOdd);
        }
    }
}

/// Even squares in rows on the left; towards the right they give way to circles of several sizes that drift upwards.
fn draw_band(sheet: &mut Pixmap, accent: Color) -> Option<()> {
    const COLUMNS: u32 = 29;
    const ROWS: u32 = 3;
    const STEP: f32 = 36.6;
    let (mut squares, mut circles) = (PathBuilder::new(), PathBuilder::new());
    for column in 0..COLUMNS {
        let along = column as f32 / (COLUMNS - 1) as f32;
        for row in 0..ROWS {
            let scatter = scatter(column * ROWS + row);
            let (x, y) = (MARGIN + column as f32 * STEP, 482.0 + row as f32 * STEP);
            if scatter > (along - 0.25) * 1.9 {
                squares.push_rect(Rect::from_xywh(x, y, 16.0, 16.0)?);
            } else if scatter < 0.8 {
                let rise = (along - 0.3).max(0.0) * 40.0 * scatter;
                circles.push_circle(x + 8.0, y + 8.0 - rise, 4.0 + 8.0 * scatter);
            }
        }
    }
    fill(sheet, &squares.finish()?, colour(INK)?, FillRule::Winding);
    fill(sheet, &circles.finish()?, accent, FillRule::Winding);
    Some(())
}

/// A number in 0..1 that looks like chance and is the same every time (Knuth's multiplicative hash).
fn scatter(place: u32) -> f32 {
    let mixed = (place + 7).wrapping_mul(2_654_435_769);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519);
    (mixed >> 16) as f32 / 65_536.0
}

fn fill(sheet: &mut Pixmap, path: &Path, colour: Color, rule: FillRule) {
    let mut paint = Paint::default();
    paint.set_color(colour);
    paint.anti_alias = true;
    sheet.fill_path(path, &paint, rule, Transform::identity(), None);
}

/// The colour written `#rrggbb`.
fn colour(written: &str) -> Option<Color> {
    let digits = written.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let [_, r, g, b] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some(Color::from_rgba8(r, g, b, 255))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(title: &str) -> Words {
        Words {
            provider: "Your Organisation".into(),
            kicker: "Article".into(),
            title: title.into(),
            accent: "#1b5a46".into(),
        }
    }

    #[test]
    fn a_card_is_a_picture_of_the_asked_size_and_the_same_every_time() {
        let one = Card::new("a", words("What is the difference?"));
        let png = one.png().unwrap().body();
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(png[16..24], [WIDTH.to_be_bytes(), HEIGHT.to_be_bytes()].concat());
        assert!(png.len() < 100_000, "{} bytes", png.len());
        assert_eq!(draw(&words("What is the difference?")).unwrap(), png);
    }

    #[test]
    fn its_address_changes_with_what_stands_on_it() {
        let path = |title: &str| Card::new("a", words(title)).path().to_owned();
        assert_eq!(path("One"), path("One"));
        assert_ne!(path("One"), path("Two"));
        assert!(path("One").starts_with("/cards/a-") && path("One").ends_with(".png"));
    }

    #[test]
    fn a_long_title_is_cut_and_one_in_other_letters_left_out() {
        let face = Face::parse(BOLD, 0).unwrap();
        let line = Line { face: &face, size: 48.0, colour: Color::BLACK };
        assert!(line.can_write("Führung – “Leadership” Žižka № 5"));
        assert!(!line.can_write("領導"));
        let lines = balanced(
            &line,
            "Becoming a supervisor for the first time, and what can wait until later",
        );
        assert_eq!(lines.len(), 2, "{lines:?}");
        let (first, second) = (line.width(&lines[0]), line.width(&lines[1]));
        assert!((first - second).abs() < 0.3 * first, "{lines:?}");
        assert!(draw(&words("領導")).is_some());
        assert!(draw(&words(&"long ".repeat(200))).is_some());
    }
}
