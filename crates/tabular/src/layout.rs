//! Which column is what.

use std::collections::{HashMap, HashSet};

use super::Wanted;

/// Columns that are not items, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    /// The column that names the person.
    pub id: Option<String>,
    /// The column that says which group a person is in.
    pub group: Option<String>,
    /// The column with persons' sampling weights.
    pub weight: Option<String>,
    /// Columns that are passed over.
    pub ignore: Vec<String>,
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Its place among the items.
    Item(usize),
    Id,
    Group,
    Weight,
    Ignored,
}

/// The columns of a file, understood.
#[derive(Debug)]
pub struct Layout {
    /// Name and role of each, in the file's order.
    pub columns: Vec<(String, Role)>,
    /// Names of the items.
    pub items: Vec<String>,
}

impl Layout {
    /// Decides what each column is for.
    ///
    /// # Errors
    /// Every fault of the names.
    pub fn new(names: Vec<String>, wanted: &Wanted<'_>) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut seen = HashSet::new();
        for (at, name) in names.iter().enumerate() {
            if name.is_empty() {
                faults.push(format!("column {} has no name in the header", at + 1));
            } else if !seen.insert(name.as_str()) {
                let hint = match name.parse::<i64>() {
                    Ok(_) => "; is the header row missing?",
                    Err(_) => "",
                };
                faults.push(format!("two columns are named {name}{hint}"));
            }
        }
        let roles = wanted.roles;
        faults.extend(absent(roles, &seen));
        faults.extend(claimed_twice(roles));
        let known = wanted.answers.map(|answers| {
            let places = answers.iter().enumerate().map(|(at, (name, _))| (name.as_str(), at));
            places.collect::<HashMap<&str, usize>>()
        });
        for (name, _) in wanted.answers.unwrap_or_default() {
            if !seen.contains(name.as_str()) {
                faults.push(format!("item {name} of the calibration is no column of this file"));
            }
        }
        // The calibration's order, whatever that of the columns.
        let mut items: Vec<String> = Vec::new();
        let order = wanted.answers.unwrap_or_default().iter().map(|(name, _)| name.clone());
        items.extend(order);
        let role = |name: &String| {
            let is = |role: &Option<String>| role.as_ref() == Some(name);
            if is(&roles.id) {
                return Role::Id;
            } else if is(&roles.group) {
                return Role::Group;
            } else if is(&roles.weight) {
                return Role::Weight;
            } else if roles.ignore.contains(name) {
                return Role::Ignored;
            }
            match &known {
                None => {
                    items.push(name.clone());
                    Role::Item(items.len() - 1)
                }
                Some(known) => match known.get(name.as_str()) {
                    Some(&place) => Role::Item(place),
                    None => {
                        faults.push(format!(
                            "column {name} is no item of the calibration; name it with --ignore \
                             if it is not meant to be one"
                        ));
                        Role::Ignored
                    }
                },
            }
        };
        let of: Vec<Role> = names.iter().map(role).collect();
        if faults.is_empty() && items.is_empty() {
            faults.push(String::from(
                "no column is an item: every one has another use or is ignored",
            ));
        }
        if !faults.is_empty() {
            return Err(listed(faults));
        }
        Ok(Self { columns: names.into_iter().zip(of).collect(), items })
    }
}

/// Columns that an option names and the file does not have.
fn absent(roles: &Roles, seen: &HashSet<&str>) -> Vec<String> {
    let single = [("--id", &roles.id), ("--group", &roles.group), ("--weight", &roles.weight)];
    let named = single.iter().filter_map(|(flag, name)| Some((*flag, (*name).as_ref()?)));
    let ignored = roles.ignore.iter().map(|name| ("--ignore", name));
    let absent = named.chain(ignored).filter(|(_, name)| !seen.contains(name.as_str()));
    absent.map(|(flag, name)| format!("{flag} {name}: there is no column of that name")).collect()
}

/// Columns that two options name.
fn claimed_twice(roles: &Roles) -> Vec<String> {
    let single = [("--id", &roles.id), ("--group", &roles.group), ("--weight", &roles.weight)];
    let named = single.iter().filter_map(|(flag, name)| Some((*flag, (*name).as_ref()?)));
    let all: Vec<_> = named.chain(roles.ignore.iter().map(|name| ("--ignore", name))).collect();
    let mut faults = Vec::new();
    for (at, (flag, name)) in all.iter().enumerate() {
        let earlier = all[..at].iter().find(|(other, same)| same == name && other != flag);
        if let Some((other, _)) = earlier {
            faults.push(format!("{other} and {flag} both name {name}; a column has one use"));
        }
    }
    faults
}

/// Ten of them and a count of the rest.
fn listed(faults: Vec<String>) -> Vec<String> {
    let mut list = super::faults::Faults::default();
    for (fault, at) in faults.into_iter().zip(0..) {
        list.add((0, at), || fault);
    }
    list.into_words()
}
