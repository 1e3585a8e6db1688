//! What an operator is told when something cannot be done, in three lines: what, where, what to do.

use std::fmt;

use base::db::DbError;

/// One thing that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong.
    pub what: String,
    /// The key, file or operation that it is about.
    pub place: String,
    /// What to do about it.
    pub remedy: String,
    /// It failed on its way and may succeed when tried again as it is; otherwise something has to be written differently.
    pub may_pass: bool,
}

impl Trouble {
    /// `what` is wrong with `place`; do as `remedy` says.
    pub fn new(
        place: impl fmt::Display,
        what: impl fmt::Display,
        remedy: impl fmt::Display,
    ) -> Self {
        let text = |part: &dyn fmt::Display| part.to_string();
        Self { what: text(&what), place: text(&place), remedy: text(&remedy), may_pass: false }
    }

    /// The same, of something that may succeed when tried again.
    #[must_use]
    pub fn passing(self) -> Self {
        Self { may_pass: true, ..self }
    }
}

/// Faults in a sentence each, as troubles.
#[must_use]
pub fn all(faults: Vec<String>) -> Vec<Trouble> {
    faults.into_iter().map(Trouble::from).collect()
}

/// Takes a fault in one sentence apart: `place: what is wrong. What to do.`
impl From<String> for Trouble {
    fn from(fault: String) -> Self {
        let (place, rest) = fault.split_once(": ").unwrap_or(("", &fault));
        let (what, remedy) = rest.split_once(". ").unwrap_or((rest, ""));
        Self::new(place, what.trim_end_matches('.'), remedy)
    }
}

impl From<DbError> for Trouble {
    fn from(error: DbError) -> Self {
        let may_pass = !matches!(error, DbError::Refused { .. });
        let mut fault = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(deeper) = source {
            fault.push_str(": ");
            fault.push_str(&deeper.to_string());
            source = deeper.source();
        }
        Self { may_pass, ..Self::from(fault) }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        for (label, text) in [("where", &self.place), ("to do", &self.remedy)] {
            if !text.is_empty() {
                write!(f, "\n  {label}: {text}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Trouble;

    #[test]
    fn a_fault_in_one_sentence_becomes_three_lines() {
        let fault = "listen: \"here\" will not do. Write an address, such as 127.0.0.1:8080.";
        let trouble = Trouble::from(fault.to_owned());
        let lines = "\"here\" will not do\n  where: listen\n  to do: Write an address, such as 127.0.0.1:8080.";
        assert_eq!(trouble.to_string(), lines);
        assert_eq!(Trouble::from(String::from("plain")).to_string(), "plain");
    }
}
