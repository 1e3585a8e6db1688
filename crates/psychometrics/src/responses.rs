//! Answers of many persons to the same items, packed a byte each, item after item.
//!
//! Answers arrive as whole numbers in any coding (1 to 5, −2 to 2, 0 and 1). Each item's lowest
//! number becomes category 0; 254 categories above it fit. Rows can be pushed one by one or in
//! batches, so that millions of persons never stand in memory as text. [`Responses::patterns`]
//! collapses identical rows.
//!
//! ```
//! use psychometrics::responses::ResponsesBuilder;
//!
//! let mut builder = ResponsesBuilder::new(2)?;
//! builder.push(&[Some(1), Some(5)])?;
//! builder.push(&[Some(4), None])?;
//! builder.push(&[Some(1), Some(5)])?;
//! let responses = builder.finish()?;
//! assert_eq!(responses.lowest(1), 5);
//! assert_eq!(responses.category(1, 0), Some(3));
//! assert_eq!(responses.patterns().n_patterns(), 2);
//! # Ok::<(), psychometrics::responses::ResponsesError>(())
//! ```

mod patterns;
#[cfg(test)]
mod tests;

pub use patterns::Patterns;

/// The code of a missing answer among packed categories.
pub const MISSING: u8 = u8::MAX;

/// A missing answer among those given to [`ResponsesBuilder::push_rows`].
pub const ABSENT: i32 = i32::MIN;

/// The most persons that can be held; positions of persons are 32-bit.
pub const N_PERSONS_MAX: usize = u32::MAX as usize;

/// The largest difference between two answers to one item.
const SPAN_MAX: i64 = 254;

/// What cannot be packed, with the place and the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponsesError {
    /// A questionnaire without items.
    #[error("no items")]
    NoItems,
    /// A table without persons.
    #[error("no persons")]
    NoPersons,
    /// A row, or a batch, with more or fewer columns than there are items.
    #[error("person {person}: {given} answers for {wanted} items")]
    RowLength {
        /// Position of the person, from 0.
        person: usize,
        /// Answers given.
        given: usize,
        /// Items.
        wanted: usize,
    },
    /// Columns of one batch that differ in length.
    #[error("item {item} has {given} answers where the first item has {wanted}")]
    ColumnLength {
        /// Position of the item, from 0.
        item: usize,
        /// Its answers.
        given: usize,
        /// Answers of the first item.
        wanted: usize,
    },
    /// Answers to one item that lie further apart than a byte can tell.
    #[error("item {item}, person {person}: answer {value} is more than 254 from {other}")]
    TooWide {
        /// Position of the item, from 0.
        item: usize,
        /// Position of the person, from 0.
        person: usize,
        /// The answer that does not fit.
        value: i32,
        /// The answer at the other end of the item's range.
        other: i32,
    },
    /// More than [`N_PERSONS_MAX`] persons.
    #[error("more than {N_PERSONS_MAX} persons")]
    TooManyPersons,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    /// The answer that code 0 stands for.
    lowest: i32,
    /// The highest code.
    span: u8,
    codes: Vec<u8>,
}

/// Persons × items of packed answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Responses {
    n_persons: usize,
    columns: Vec<Column>,
}

impl Responses {
    /// From one slice an item, all of one length, `None` where an answer is missing.
    ///
    /// # Errors
    /// [`ResponsesError`] if there is nothing, the lengths differ, or answers do not fit a byte.
    pub fn from_columns(columns: &[&[Option<i32>]]) -> Result<Self, ResponsesError> {
        let mut builder = ResponsesBuilder::new(columns.len())?;
        builder.push_columns(columns)?;
        builder.finish()
    }

    /// From one list of categories an item, counted from 0, [`MISSING`] where there is none.
    ///
    /// # Errors
    /// [`ResponsesError`] if there is nothing or the lengths differ.
    pub fn from_categories(columns: Vec<Vec<u8>>) -> Result<Self, ResponsesError> {
        let n_persons = columns.first().ok_or(ResponsesError::NoItems)?.len();
        let mut packed = Vec::with_capacity(columns.len());
        for (item, codes) in columns.into_iter().enumerate() {
            if codes.len() != n_persons {
                let (given, wanted) = (codes.len(), n_persons);
                return Err(ResponsesError::ColumnLength { item, given, wanted });
            }
            let span = codes.iter().copied().filter(|&code| code != MISSING).max().unwrap_or(0);
            packed.push(Column { lowest: 0, span, codes });
        }
        in_range(n_persons)?;
        Ok(Self { n_persons, columns: packed })
    }

    /// How many persons there are.
    #[must_use]
    pub fn n_persons(&self) -> usize {
        self.n_persons
    }

    /// How many items there are.
    #[must_use]
    pub fn n_items(&self) -> usize {
        self.columns.len()
    }

    /// The answer that category 0 of `item` stands for.
    ///
    /// # Panics
    /// If there is no such item.
    #[must_use]
    pub fn lowest(&self, item: usize) -> i32 {
        self.columns[item].lowest
    }

    /// Categories from the lowest to the highest answer of `item`, those nobody chose included.
    ///
    /// # Panics
    /// If there is no such item.
    #[must_use]
    pub fn n_categories(&self, item: usize) -> usize {
        usize::from(self.columns[item].span) + 1
    }

    /// All persons' categories of `item`, [`MISSING`] where there is no answer.
    ///
    /// # Panics
    /// If there is no such item.
    #[must_use]
    pub fn codes(&self, item: usize) -> &[u8] {
        &self.columns[item].codes
    }

    /// The category a person chose, counted from 0.
    ///
    /// # Panics
    /// If there is no such person or item.
    #[must_use]
    pub fn category(&self, person: usize, item: usize) -> Option<u8> {
        let code = self.columns[item].codes[person];
        (code != MISSING).then_some(code)
    }

    /// How many persons chose each category of `item`, lowest first.
    ///
    /// # Panics
    /// If there is no such item.
    #[must_use]
    pub fn counts(&self, item: usize) -> Vec<usize> {
        let mut counts = vec![0; self.n_categories(item)];
        for &code in self.codes(item).iter().filter(|&&code| code != MISSING) {
            counts[usize::from(code)] += 1;
        }
        counts
    }

    /// The same answers of the named items only, in the order named.
    ///
    /// # Errors
    /// [`ResponsesError::NoItems`] if none is named.
    /// # Panics
    /// If there is no such item.
    pub fn select_items(&self, items: &[usize]) -> Result<Self, ResponsesError> {
        if items.is_empty() {
            return Err(ResponsesError::NoItems);
        }
        let columns = items.iter().map(|&item| self.columns[item].clone()).collect();
        Ok(Self { n_persons: self.n_persons, columns })
    }

    /// The same items of the named persons only, in the order named. Lowest answers are kept.
    ///
    /// # Errors
    /// [`ResponsesError::NoPersons`] if none is named.
    /// # Panics
    /// If there is no such person.
    pub fn select_persons(&self, persons: &[usize]) -> Result<Self, ResponsesError> {
        if persons.is_empty() {
            return Err(ResponsesError::NoPersons);
        }
        let of = |column: &Column| Column {
            codes: persons.iter().map(|&person| column.codes[person]).collect(),
            ..*column
        };
        Ok(Self { n_persons: persons.len(), columns: self.columns.iter().map(of).collect() })
    }

    /// Persons who answered every item, ascending.
    #[must_use]
    pub fn complete_persons(&self) -> Vec<usize> {
        let complete =
            |&person: &usize| self.columns.iter().all(|column| column.codes[person] != MISSING);
        (0..self.n_persons).filter(complete).collect()
    }
}

/// Packs answers as they come.
#[derive(Debug, Clone)]
pub struct ResponsesBuilder {
    n_persons: usize,
    columns: Vec<Growing>,
}

/// A column whose range is not known yet: codes count from `base`, the lowest answer so far.
#[derive(Debug, Clone)]
struct Growing {
    base: i32,
    highest: i32,
    any: bool,
    codes: Vec<u8>,
}

impl ResponsesBuilder {
    /// For `n_items` items.
    ///
    /// # Errors
    /// [`ResponsesError::NoItems`] if there are none.
    pub fn new(n_items: usize) -> Result<Self, ResponsesError> {
        if n_items == 0 {
            return Err(ResponsesError::NoItems);
        }
        let empty = Growing { base: 0, highest: 0, any: false, codes: Vec::new() };
        Ok(Self { n_persons: 0, columns: vec![empty; n_items] })
    }

    /// Persons so far.
    #[must_use]
    pub fn n_persons(&self) -> usize {
        self.n_persons
    }

    /// One person's answers, one an item. After an error the builder is as it was before.
    ///
    /// # Errors
    /// [`ResponsesError::RowLength`] or [`ResponsesError::TooWide`].
    pub fn push(&mut self, row: &[Option<i32>]) -> Result<(), ResponsesError> {
        let (person, given, wanted) = (self.n_persons, row.len(), self.columns.len());
        if given != wanted {
            return Err(ResponsesError::RowLength { person, given, wanted });
        }
        for (item, (column, &value)) in self.columns.iter().zip(row).enumerate() {
            column.check(value, item, person)?;
        }
        for (column, &value) in self.columns.iter_mut().zip(row) {
            column.push(value);
        }
        self.n_persons += 1;
        Ok(())
    }

    /// A batch of persons, one slice an item. After an error the builder is as it was before.
    ///
    /// # Errors
    /// [`ResponsesError`] if the slices differ in number or length, or an answer does not fit.
    pub fn push_columns(&mut self, batch: &[&[Option<i32>]]) -> Result<(), ResponsesError> {
        let (given, wanted) = (batch.len(), self.columns.len());
        if given != wanted {
            return Err(ResponsesError::RowLength { person: self.n_persons, given, wanted });
        }
        let n_new = batch[0].len();
        for (item, answers) in batch.iter().enumerate() {
            if answers.len() != n_new {
                let given = answers.len();
                return Err(ResponsesError::ColumnLength { item, given, wanted: n_new });
            }
        }
        let before: Vec<Growing> = self.columns.iter().map(Growing::emptied).collect();
        for (item, answers) in batch.iter().enumerate() {
            let column = &mut self.columns[item];
            for (at, &value) in answers.iter().enumerate() {
                if let Err(error) = column.check(value, item, self.n_persons + at) {
                    let n_persons = self.n_persons;
                    let columns = self.columns.iter_mut().zip(&before);
                    columns.for_each(|(column, before)| column.restore(before, n_persons));
                    return Err(error);
                }
                column.push(value);
            }
        }
        self.n_persons += n_new;
        Ok(())
    }

    /// Whole rows one after the other, [`ABSENT`] where an answer is missing: the quickest way in
    /// for a reader of files. After an error the builder is as it was before.
    ///
    /// # Errors
    /// [`ResponsesError::RowLength`] if the last row is not whole, [`ResponsesError::TooWide`].
    pub fn push_rows(&mut self, rows: &[i32]) -> Result<(), ResponsesError> {
        let wanted = self.columns.len();
        let (n_new, rest) = (rows.len() / wanted, rows.len() % wanted);
        if rest > 0 {
            let person = self.n_persons + n_new;
            return Err(ResponsesError::RowLength { person, given: rest, wanted });
        }
        let mut ends = vec![(i32::MAX, i32::MIN); wanted];
        for row in rows.chunks_exact(wanted) {
            for ((low, high), &value) in ends.iter_mut().zip(row) {
                *low = (*low).min(if value == ABSENT { i32::MAX } else { value });
                *high = (*high).max(value);
            }
        }
        for (item, (column, &(low, high))) in self.columns.iter().zip(&ends).enumerate() {
            if high != ABSENT && !column.holds(low, high) {
                return Err(self.first_too_wide(item, rows));
            }
        }
        for (item, (column, (low, high))) in self.columns.iter_mut().zip(ends).enumerate() {
            if high != ABSENT {
                column.widen(low, high);
            }
            let base = column.base;
            // Within 254 of the base by the check, so that the last byte is the difference.
            let code = |&value: &i32| {
                if value == ABSENT { MISSING } else { value.wrapping_sub(base) as u8 }
            };
            column.codes.extend(rows[item..].iter().step_by(wanted).map(code));
        }
        self.n_persons += n_new;
        Ok(())
    }

    /// A batch of persons, one slice an item, of answers from 0 to 254 as bytes, [`MISSING`] where
    /// there is none. After an error the builder is as it was before.
    ///
    /// # Errors
    /// [`ResponsesError`] if the slices differ in number or length, or an answer does not fit.
    pub fn push_bytes(&mut self, batch: &[&[u8]]) -> Result<(), ResponsesError> {
        let (given, wanted) = (batch.len(), self.columns.len());
        if given != wanted {
            return Err(ResponsesError::RowLength { person: self.n_persons, given, wanted });
        }
        let n_new = batch[0].len();
        let mut ends = Vec::with_capacity(wanted);
        for (item, (answers, column)) in batch.iter().zip(&self.columns).enumerate() {
            if answers.len() != n_new {
                let given = answers.len();
                return Err(ResponsesError::ColumnLength { item, given, wanted: n_new });
            }
            let low = answers.iter().copied().fold(MISSING, u8::min);
            let up = |high: u8, &answer: &u8| high.max(if answer == MISSING { 0 } else { answer });
            let (low, high) = (i32::from(low), i32::from(answers.iter().fold(0, up)));
            if low != i32::from(MISSING) && !column.holds(low, high) {
                let check = |(at, &answer): (usize, &u8)| {
                    let value = (answer != MISSING).then_some(i32::from(answer));
                    column.check(value, item, self.n_persons + at)
                };
                answers.iter().enumerate().try_for_each(check)?;
            }
            ends.push((low, high));
        }
        for ((answers, column), (low, high)) in batch.iter().zip(&mut self.columns).zip(ends) {
            if low != i32::from(MISSING) {
                column.widen(low, high);
            }
            // Within 254 of the base, so that the last byte is the difference.
            let base = column.base as u8;
            let code = |&answer: &u8| match answer {
                MISSING => MISSING,
                answer => answer.wrapping_sub(base),
            };
            column.codes.extend(answers.iter().map(code));
        }
        self.n_persons += n_new;
        Ok(())
    }

    /// The first answer of `item` that makes its range too wide.
    fn first_too_wide(&self, item: usize, rows: &[i32]) -> ResponsesError {
        let mut column = self.columns[item].emptied();
        let answers = rows[item..].iter().step_by(self.columns.len()).copied().enumerate();
        for (at, value) in answers.filter(|&(_, value)| value != ABSENT) {
            if let Err(error) = column.check(Some(value), item, self.n_persons + at) {
                return error;
            }
            column.widen(value, value);
        }
        // Cannot be: the answers' ends were too far apart.
        let (value, other) = (column.highest, column.base);
        ResponsesError::TooWide { item, person: self.n_persons, value, other }
    }

    /// All that was pushed. An item that nobody answered has the lowest answer 0.
    ///
    /// # Errors
    /// [`ResponsesError::NoPersons`] or [`ResponsesError::TooManyPersons`].
    pub fn finish(self) -> Result<Responses, ResponsesError> {
        in_range(self.n_persons)?;
        let packed = |column: Growing| Column {
            lowest: column.base,
            span: (i64::from(column.highest) - i64::from(column.base)) as u8,
            codes: column.codes,
        };
        let columns = self.columns.into_iter().map(packed).collect();
        Ok(Responses { n_persons: self.n_persons, columns })
    }
}

impl Growing {
    fn check(&self, value: Option<i32>, item: usize, person: usize) -> Result<(), ResponsesError> {
        let Some(value) = value.filter(|_| self.any) else { return Ok(()) };
        let apart = |other: i32| (i64::from(value) - i64::from(other)).abs() > SPAN_MAX;
        match [self.base, self.highest].into_iter().find(|&other| apart(other)) {
            Some(other) => Err(ResponsesError::TooWide { item, person, value, other }),
            None => Ok(()),
        }
    }

    /// Appends an answer that [`check`](Self::check) let pass.
    fn push(&mut self, value: Option<i32>) {
        let Some(value) = value else {
            self.codes.push(MISSING);
            return;
        };
        if !self.any {
            (self.base, self.highest, self.any) = (value, value, true);
        }
        if value < self.base {
            self.move_base(value);
        }
        self.highest = self.highest.max(value);
        // Between 0 and 254 by the check.
        self.codes.push((i64::from(value) - i64::from(self.base)) as u8);
    }

    /// Whether answers from `low` to `high` fit beside those there are.
    fn holds(&self, low: i32, high: i32) -> bool {
        let (low, high) =
            if self.any { (low.min(self.base), high.max(self.highest)) } else { (low, high) };
        i64::from(high) - i64::from(low) <= SPAN_MAX
    }

    /// Makes room for answers from `low` to `high`, which [`holds`](Self::holds) let pass.
    fn widen(&mut self, low: i32, high: i32) {
        if !self.any {
            (self.base, self.highest, self.any) = (low, high, true);
        }
        if low < self.base {
            self.move_base(low);
        }
        self.highest = self.highest.max(high);
    }

    fn emptied(&self) -> Self {
        Self { codes: Vec::new(), ..*self }
    }

    /// Back to `n_persons` answers with the range they had.
    fn restore(&mut self, before: &Self, n_persons: usize) {
        self.codes.truncate(n_persons);
        let shift = (i64::from(before.base) - i64::from(self.base)) as u8;
        if before.any && shift > 0 {
            for code in self.codes.iter_mut().filter(|code| **code != MISSING) {
                *code -= shift;
            }
        }
        (self.base, self.highest, self.any) = (before.base, before.highest, before.any);
    }

    /// A lower answer than any before came: all codes move up. Happens once a category at most.
    fn move_base(&mut self, lowest: i32) {
        let shift = (i64::from(self.base) - i64::from(lowest)) as u8;
        for code in self.codes.iter_mut().filter(|code| **code != MISSING) {
            *code += shift;
        }
        self.base = lowest;
    }
}

fn in_range(n_persons: usize) -> Result<(), ResponsesError> {
    match n_persons {
        0 => Err(ResponsesError::NoPersons),
        n if n > N_PERSONS_MAX => Err(ResponsesError::TooManyPersons),
        _ => Ok(()),
    }
}
