//! When an adaptive test ends, in words: `se<0.3 max=30 min=5`.

use psychometrics::adaptive::{Certainty, StopRules};

/// Rules as they were written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stop {
    /// The rules.
    pub rules: StopRules,
}

impl Stop {
    /// Reads rules that are separated by spaces; each may stand once.
    ///
    /// # Errors
    /// Every word that is no rule, and what to write.
    pub fn read(text: &str) -> Result<Self, Vec<String>> {
        let (mut rules, mut faults) = (StopRules::default(), Vec::new());
        let (mut cuts, mut probability, mut names) = (None, None, Vec::new());
        for word in text.split_whitespace() {
            let (name, value) = match word.split_once("<=").or_else(|| word.split_once(['<', '=']))
            {
                Some((name, value)) => (name, value),
                None => (word, ""),
            };
            if names.contains(&name) {
                faults.push(format!("--stop: {name} stands there twice"));
            }
            names.push(name);
            let positive = || value.parse::<f64>().ok().filter(|v| *v > 0.0 && v.is_finite());
            let count = || value.parse::<usize>().ok().filter(|&n| n >= 1);
            let understood = match name {
                "se" => positive().map(|se| rules.se = Some(se)),
                "max" => count().map(|n| rules.n_items_max = n),
                "min" => count().map(|n| rules.n_items_min = n),
                "certainty" => positive().filter(|p| *p < 1.0).map(|p| probability = Some(p)),
                "cuts" => numbers(value).map(|list| cuts = Some(list)),
                _ => None,
            };
            if understood.is_none() {
                faults.push(format!("--stop “{word}”: {}", wanted(name)));
            }
        }
        match (cuts, probability) {
            (Some(cuts), Some(probability)) => {
                rules.certainty = Some(Certainty { cuts, probability });
            }
            (None, None) => {}
            _ => faults.push(String::from(
                "--stop: cuts and certainty go together, such as “cuts=-0.5,0.5 certainty=0.9”",
            )),
        }
        if rules.n_items_min > rules.n_items_max {
            faults.push(format!(
                "--stop: min={} is more than max={}",
                rules.n_items_min, rules.n_items_max
            ));
        }
        if faults.is_empty() { Ok(Self { rules }) } else { Err(faults) }
    }

    /// Asks no more items than there are; says so if that changes anything.
    pub fn fit(&mut self, n_items: usize) -> Option<String> {
        let asked = self.rules.n_items_max;
        self.rules.n_items_max = asked.min(n_items);
        self.rules.n_items_min = self.rules.n_items_min.min(n_items);
        (asked > n_items)
            .then(|| format!("a test has {n_items} items at most, as there are no more"))
    }
}

/// Ascending numbers with commas between them.
fn numbers(text: &str) -> Option<Vec<f64>> {
    let list: Option<Vec<f64>> =
        text.split(',').map(|part| part.parse().ok().filter(|v: &f64| v.is_finite())).collect();
    list.filter(|list| list.windows(2).all(|pair| pair[0] < pair[1]))
}

fn wanted(name: &str) -> &'static str {
    match name {
        "se" => "write the standard error in logits at which a test ends, such as se<0.3",
        "max" => "write the largest number of items, such as max=30",
        "min" => "write the smallest number of items, such as min=5",
        "certainty" => "write the probability of one class at which a test ends, such as 0.9",
        "cuts" => "write the borders between classes, ascending, such as cuts=-0.5,0.5",
        _ => "this is no rule; write rules such as “se<0.3 max=30 min=5”",
    }
}

#[cfg(test)]
mod tests {
    use super::Stop;

    #[track_caller]
    fn read(text: &str) -> (Option<f64>, usize, usize) {
        let rules = Stop::read(text).unwrap().rules;
        (rules.se, rules.n_items_min, rules.n_items_max)
    }

    #[test]
    fn rules_are_read_in_any_order() {
        assert_eq!(read("se<0.30 max=20"), (Some(0.3), 1, 20));
        assert_eq!(read(" min=5   se<=0.4"), (Some(0.4), 5, 30));
        assert_eq!(read(""), (None, 1, 30));
        let rules = Stop::read("cuts=-0.5,0.5 certainty=0.9").unwrap().rules;
        assert_eq!(rules.certainty.unwrap().cuts, [-0.5, 0.5]);
        let mut stop = Stop::read("max=20 min=15").unwrap();
        assert!(stop.fit(20).is_none());
        assert!(stop.fit(8).unwrap().contains("8 items at most"));
        assert_eq!((stop.rules.n_items_min, stop.rules.n_items_max), (8, 8));
    }

    #[test]
    fn what_is_no_rule_is_refused_with_what_to_write() {
        let refused = |text: &str| Stop::read(text).unwrap_err().join("\n");
        let all = refused("se<0 max=0 min=x length=3 certainty=1 cuts=1,0");
        for word in ["se<0", "max=0", "min=x", "length=3", "certainty=1", "cuts=1,0"] {
            assert!(all.contains(&format!("“{word}”")), "{all}");
        }
        assert!(refused("se<0.3 se<0.2").contains("se stands there twice"));
        assert!(refused("certainty=0.9").contains("go together"));
        assert!(refused("min=9 max=8").contains("min=9 is more than max=8"));
    }
}
