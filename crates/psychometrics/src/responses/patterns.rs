use super::{MISSING, Responses};
use crate::parallel;

/// Rows that a thread packs at a time.
const PACKED_AT_ONCE: usize = 1 << 14;
/// Words that make a further thread worth its while in sorting.
const SORTED_MIN: usize = 1 << 14;

/// Distinct rows of answers, sorted, each with the weight of the persons who gave it.
///
/// A row stands in one or more 64-bit words, a few bits an item (20 items of five categories and
/// a gap fill one word), so that sorting compares words and neighbours share their first answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Patterns {
    fields: Vec<Field>,
    n_words: usize,
    /// `n_words` a pattern.
    words: Vec<u64>,
    weights: Vec<f64>,
}

/// Where an item stands within a row. Code 0 is a gap, category k is code k + 1.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Field {
    word: usize,
    shift: u32,
    mask: u64,
}

impl Patterns {
    /// How many distinct rows there are.
    #[must_use]
    pub fn n_patterns(&self) -> usize {
        self.weights.len()
    }

    /// How many items a row has.
    #[must_use]
    pub fn n_items(&self) -> usize {
        self.fields.len()
    }

    /// The summed weight of each row's persons; their number where persons are not weighted.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    pub(crate) fn into_weights(self) -> Vec<f64> {
        self.weights
    }

    /// Writes the categories of a row, [`MISSING`] for gaps.
    ///
    /// # Panics
    /// If there is no such pattern, or `out` does not have one entry an item.
    pub fn answers(&self, pattern: usize, out: &mut [u8]) {
        assert_eq!(out.len(), self.fields.len(), "one entry an item");
        let row = &self.words[pattern * self.n_words..(pattern + 1) * self.n_words];
        for (answer, field) in out.iter_mut().zip(&self.fields) {
            let code = (row[field.word] >> field.shift) & field.mask;
            // A mask has at most eight bits; a gap's 0 wraps to MISSING.
            *answer = (code as u8).wrapping_sub(1);
        }
        const { assert!(MISSING == 0_u8.wrapping_sub(1)) }
    }

    /// Whether any pattern lacks the item, for each of `items`; an answer that `categories` does
    /// not know is a gap too.
    pub(crate) fn has_gap(
        &self,
        items: &[usize],
        categories: &[&[u8]],
        threads: usize,
    ) -> Vec<bool> {
        parallel::map(threads, items.len(), |at| {
            let field = self.fields[items[at]];
            let mut known = [false; 256];
            for (code, known) in known.iter_mut().enumerate().skip(1) {
                *known = categories[at][code - 1] != MISSING;
            }
            let words = self.words[field.word..].iter().step_by(self.n_words);
            !words.map(|word| (word >> field.shift) & field.mask).all(|c| known[c as usize])
        })
    }

    /// How `code(answers to items)` is found for [`encode`](Self::encode).
    ///
    /// Neighbouring items of one word are read at once and looked up: the table has an entry for
    /// every value their bits can have.
    pub(crate) fn encoder(&self, items: &[usize], code: impl Fn(&[u8]) -> u8) -> Encoder {
        const BITS_MAX: u32 = 14;
        let fields: Vec<Field> = items.iter().map(|&item| self.fields[item]).collect();
        let bits = |field: &Field| field.mask.count_ones();
        let n_bits: u32 = fields.iter().map(bits).sum();
        let adjacent = fields
            .windows(2)
            .all(|two| two[0].word == two[1].word && two[0].shift == two[1].shift + bits(&two[1]));
        let last = fields[fields.len() - 1];
        let mut table = Vec::new();
        if adjacent && n_bits <= BITS_MAX {
            let mut answers = vec![MISSING; items.len()];
            for value in 0_u64..1 << n_bits {
                for (answer, field) in answers.iter_mut().zip(&fields) {
                    let code = (value >> (field.shift - last.shift)) & field.mask;
                    *answer = (code as u8).wrapping_sub(1);
                }
                table.push(code(&answers));
            }
        }
        Encoder { fields, table }
    }

    /// Writes the code of every pattern from `first` on to every `stride`-th place of `out`, for
    /// as many as there is room for. `code` is what the encoder was made of.
    pub(crate) fn encode(
        &self,
        encoder: &Encoder,
        first: usize,
        code: impl Fn(&[u8]) -> u8,
        out: &mut [u8],
        stride: usize,
    ) {
        let Encoder { fields, table } = encoder;
        let places = out.iter_mut().step_by(stride);
        let own = &self.words[first * self.n_words..];
        let last = fields[fields.len() - 1];
        if !table.is_empty() {
            let mask = table.len() as u64 - 1;
            let words = own[last.word..].iter().step_by(self.n_words);
            for (place, word) in places.zip(words) {
                *place = table[((word >> last.shift) & mask) as usize];
            }
            return;
        }
        let mut answers = vec![MISSING; fields.len()];
        for (place, row) in places.zip(own.chunks_exact(self.n_words)) {
            for (answer, field) in answers.iter_mut().zip(fields) {
                let code = (row[field.word] >> field.shift) & field.mask;
                *answer = (code as u8).wrapping_sub(1);
            }
            *place = code(&answers);
        }
    }
}

/// How some items' answers become a byte: their fields, and, where these stand side by side and
/// are short, the byte for every value of theirs.
pub(crate) struct Encoder {
    fields: Vec<Field>,
    table: Vec<u8>,
}

impl Responses {
    /// Identical rows collapsed; each person weighs 1. Rows without any answer are left out.
    ///
    /// Cost: O(persons × items) to pack and O(persons · log persons) comparisons of words.
    #[must_use]
    pub fn patterns(&self) -> Patterns {
        self.patterns_by(1)
    }

    /// The same by several threads, which need as much memory again for the words.
    pub(crate) fn patterns_by(&self, threads: usize) -> Patterns {
        let layout = Layout::of(self);
        let rows = layout.pack(self, None, threads);
        if layout.n_words > 1 {
            let order = layout.order(&rows);
            return layout.collapse_ordered(&rows, &order, |_| 1.0);
        }
        // In place and with room for what is needed: with ten million persons, who hardly repeat
        // each other, each of these lists is as long as half the answers.
        let mut words = sorted(rows, threads);
        words.drain(..words.partition_point(|&word| word == 0));
        let runs = || words.chunk_by(|a, b| a == b);
        let mut weights = Vec::with_capacity(runs().count());
        weights.extend(runs().map(|run| run.len() as f64));
        words.dedup();
        Patterns { fields: layout.fields, n_words: 1, words, weights }
    }

    /// Every person's row in order, none collapsed or left out, each with weight 1.
    pub(crate) fn rows(&self) -> Patterns {
        let layout = Layout::of(self);
        let words = layout.pack(self, None, 1);
        let weights = vec![1.0; self.n_persons()];
        Patterns { fields: layout.fields, n_words: layout.n_words, words, weights }
    }

    /// Identical rows of the named persons collapsed, each person with a weight.
    ///
    /// `persons` names whom to take, `None` all; `weights` has one entry for every person of the
    /// table. Rows without any answer, and persons of weight 0, are left out.
    ///
    /// # Panics
    /// If a person does not exist, or there is not one weight a person.
    #[must_use]
    pub fn patterns_of(&self, persons: Option<&[u32]>, weights: Option<&[f64]>) -> Patterns {
        let layout = Layout::of(self);
        let rows = layout.pack(self, persons, 1);
        let order = layout.order(&rows);
        let person = |at: u32| persons.map_or(at, |persons| persons[at as usize]) as usize;
        match weights {
            None => layout.collapse_ordered(&rows, &order, |_| 1.0),
            Some(weights) => {
                assert_eq!(weights.len(), self.n_persons(), "one weight a person");
                layout.collapse_ordered(&rows, &order, |at| weights[person(at)])
            }
        }
    }

    /// Identical rows collapsed, and for every person the pattern given, `None` for a person
    /// without any answer.
    #[must_use]
    pub fn patterns_with_index(&self) -> (Patterns, Vec<Option<u32>>) {
        let layout = Layout::of(self);
        let rows = layout.pack(self, None, 1);
        let order = layout.order(&rows);
        let mut index = vec![None; self.n_persons()];
        let mut n_patterns = 0;
        let mut previous: Option<&[u64]> = None;
        for &at in &order {
            let row = layout.row(&rows, at);
            if row.iter().all(|&word| word == 0) {
                continue;
            }
            if previous != Some(row) {
                n_patterns += 1;
                previous = Some(row);
            }
            index[at as usize] = Some(n_patterns - 1);
        }
        (layout.collapse_ordered(&rows, &order, |_| 1.0), index)
    }
}

/// How the rows of a table are packed into words.
struct Layout {
    fields: Vec<Field>,
    n_words: usize,
}

impl Layout {
    /// Fields from the highest bits downwards, so that the first item sorts first; a field does
    /// not straddle two words.
    fn of(responses: &Responses) -> Self {
        let (mut fields, mut word, mut used) = (Vec::new(), 0, 0);
        for item in 0..responses.n_items() {
            // Categories and the gap: codes 0 to n_categories.
            let n_bits = usize::BITS - responses.n_categories(item).leading_zeros();
            if used + n_bits > u64::BITS {
                (word, used) = (word + 1, 0);
            }
            used += n_bits;
            fields.push(Field { word, shift: u64::BITS - used, mask: (1 << n_bits) - 1 });
        }
        Self { fields, n_words: word + 1 }
    }

    /// Everybody's row, or the named persons', in order.
    fn pack(&self, responses: &Responses, persons: Option<&[u32]>, threads: usize) -> Vec<u64> {
        let n_rows = persons.map_or(responses.n_persons(), <[u32]>::len);
        let mut rows = vec![0; n_rows * self.n_words];
        // A part stays in the second-level cache while the items pass over it.
        let mut parts: Vec<&mut [u64]> = rows.chunks_mut(PACKED_AT_ONCE * self.n_words).collect();
        parallel::each(threads, &mut parts, |part, rows| {
            let first = part * PACKED_AT_ONCE;
            let range = first..first + rows.len() / self.n_words;
            for (item, field) in self.fields.iter().enumerate() {
                let codes = responses.codes(item);
                let place = |code: u8| u64::from(code.wrapping_add(1)) << field.shift;
                let words = rows[field.word..].iter_mut().step_by(self.n_words);
                match persons {
                    None => {
                        let both = words.zip(&codes[range.clone()]);
                        both.for_each(|(word, &code)| *word |= place(code));
                    }
                    Some(persons) => words
                        .zip(&persons[range.clone()])
                        .for_each(|(word, &person)| *word |= place(codes[person as usize])),
                }
            }
        });
        rows
    }

    fn row<'a>(&self, rows: &'a [u64], at: u32) -> &'a [u64] {
        &rows[at as usize * self.n_words..(at as usize + 1) * self.n_words]
    }

    /// Positions of rows, sorted by content and then by position: weights are summed in an order
    /// that does not depend on how the sorting went.
    fn order(&self, rows: &[u64]) -> Vec<u32> {
        let mut keyed: Vec<(u64, u32)> =
            rows.iter().step_by(self.n_words).copied().zip(0..).collect();
        if self.n_words == 1 {
            keyed.sort_unstable();
        } else {
            keyed.sort_unstable_by(|a, b| {
                a.0.cmp(&b.0)
                    .then_with(|| self.row(rows, a.1).cmp(self.row(rows, b.1)))
                    .then(a.1.cmp(&b.1))
            });
        }
        keyed.into_iter().map(|(_, at)| at).collect()
    }

    fn collapse_ordered(
        self,
        rows: &[u64],
        order: &[u32],
        weight: impl Fn(u32) -> f64,
    ) -> Patterns {
        let (mut words, mut weights): (Vec<u64>, Vec<f64>) = (Vec::new(), Vec::new());
        for run in order.chunk_by(|&a, &b| self.row(rows, a) == self.row(rows, b)) {
            let row = self.row(rows, run[0]);
            let total: f64 = run.iter().map(|&at| weight(at)).sum();
            if total > 0.0 && row.iter().any(|&word| word != 0) {
                words.extend_from_slice(row);
                weights.push(total);
            }
        }
        Patterns { fields: self.fields, n_words: self.n_words, words, weights }
    }
}

/// Sorts words: on several threads each those between two bounds, in a second list.
fn sorted(mut words: Vec<u64>, threads: usize) -> Vec<u64> {
    let n_parts = threads.min(words.len() / SORTED_MIN);
    if n_parts < 2 {
        words.sort_unstable();
        return words;
    }
    const SAMPLE: usize = 1024;
    let mut sample: Vec<u64> = words.iter().step_by(words.len() / SAMPLE).copied().collect();
    sample.sort_unstable();
    // Each part starts at its bound; the first one's is 0, below all.
    let bound = |part: usize| match part {
        0 => 0,
        _ => sample[sample.len() * part / n_parts],
    };
    let is_in = |part: usize, word: u64| {
        word >= bound(part) && (part + 1 == n_parts || word < bound(part + 1))
    };
    let n_of = parallel::map(threads, n_parts, |part| {
        words.iter().filter(|&&word| is_in(part, word)).count()
    });
    let mut out = vec![0; words.len()];
    let (mut parts, mut rest): (Vec<&mut [u64]>, &mut [u64]) = (Vec::new(), &mut out);
    for n in n_of {
        let (own, behind) = rest.split_at_mut(n);
        parts.push(own);
        rest = behind;
    }
    parallel::each(threads, &mut parts, |part, own| {
        let chosen = words.iter().copied().filter(|&word| is_in(part, word));
        own.iter_mut().zip(chosen).for_each(|(place, word)| *place = word);
        own.sort_unstable();
    });
    out
}
