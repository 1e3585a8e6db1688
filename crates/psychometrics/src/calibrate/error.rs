use crate::models::ModelError;

/// Why nothing can be estimated, with the place and the value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrateError {
    /// The specification does not have one entry an item.
    #[error("{given} items specified, the responses have {wanted}")]
    ItemCount {
        /// Items specified.
        given: usize,
        /// Items of the responses.
        wanted: usize,
    },
    /// More dimensions than can be integrated over, or none.
    #[error("{n_dimensions} dimensions: 1 to 4 are possible")]
    DimensionCount {
        /// How many were asked for.
        n_dimensions: usize,
    },
    /// An item on a dimension that does not exist.
    #[error("item {item} measures dimension {dimension} of {n_dimensions}, counted from 0")]
    Dimension {
        /// Position of the item, from 0.
        item: usize,
        /// The dimension given.
        dimension: usize,
        /// How many there are.
        n_dimensions: usize,
    },
    /// A dimension that no item measures.
    #[error("no item measures dimension {dimension}, counted from 0")]
    EmptyDimension {
        /// The dimension.
        dimension: usize,
    },
    /// A setting outside its range.
    #[error("{option} is {value}: {wanted}")]
    Setting {
        /// Which setting.
        option: &'static str,
        /// The value given.
        value: f64,
        /// What is possible.
        wanted: &'static str,
    },
    /// Groups or weights that are not one a person.
    #[error("{given} {what} for {wanted} persons")]
    PersonCount {
        /// "groups" or "weights".
        what: &'static str,
        /// How many were given.
        given: usize,
        /// Persons.
        wanted: usize,
    },
    /// A weight that is negative or not a number.
    #[error("person {person}: weight {value} is not a finite number of at least 0")]
    Weight {
        /// Position of the person, from 0.
        person: usize,
        /// The value given.
        value: f64,
    },
    /// A group number without anybody who answered.
    #[error("group {group}: nobody with an answer")]
    EmptyGroup {
        /// The group, from 0.
        group: usize,
    },
    /// Fewer persons with answers than parameters to estimate.
    #[error("{n_persons} persons with answers cannot tell {n_parameters} parameters")]
    TooFewPersons {
        /// Persons with at least one answer.
        n_persons: usize,
        /// Free parameters.
        n_parameters: usize,
    },
    /// An item nobody answered (in that group, where groups have their own parameters).
    #[error("item {item}: nobody answered it{}", in_group(.group))]
    NoAnswers {
        /// Position of the item, from 0.
        item: usize,
        /// The group, where parameters are by group.
        group: Option<usize>,
    },
    /// An item that everybody answered alike: no parameter can be estimated.
    #[error("item {item}: all {n_answers} answers are {value}{}", in_group(.group))]
    NoVariance {
        /// Position of the item, from 0.
        item: usize,
        /// The group, where parameters are by group.
        group: Option<usize>,
        /// The one answer.
        value: i32,
        /// How often it was given.
        n_answers: usize,
    },
    /// A model for two categories, and an item with more.
    #[error("item {item} has {n_categories} categories; its model has two")]
    NotTwoCategories {
        /// Position of the item, from 0.
        item: usize,
        /// Categories found.
        n_categories: usize,
    },
    /// An answer that an anchored item does not have.
    #[error("item {item}: answer {value} is none of the anchored item's categories")]
    UnknownAnswer {
        /// Position of the item, from 0.
        item: usize,
        /// The answer.
        value: i32,
    },
    /// An anchor whose values are not one a category.
    #[error("item {item}: {given} values for {wanted} anchored categories")]
    AnchorValues {
        /// Position of the item, from 0.
        item: usize,
        /// Values given.
        given: usize,
        /// Categories of the parameters.
        wanted: usize,
    },
    /// A prior with an impossible number, or of a kind that its parameter cannot have.
    #[error("item {item}: {reason}")]
    Prior {
        /// Position of the item, from 0.
        item: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// Everything is anchored and the population fixed.
    #[error("nothing is left to estimate")]
    NothingFree,
    /// The estimates are no possible item; a fault of this library.
    #[error("item {item}: the estimates are not an item")]
    Estimates {
        /// Position of the item, from 0.
        item: usize,
        /// Why not.
        source: ModelError,
    },
}

fn in_group(group: &Option<usize>) -> String {
    group.map_or_else(String::new, |group| format!(" in group {group}"))
}

/// What a reader of the estimates should know.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Flag {
    /// The tolerance was not met.
    #[error(
        "no convergence after {cycles} cycles and {newton_steps} Newton steps: the gradient per \
         person is still {gradient_max:.1e}"
    )]
    NotConverged {
        /// EM cycles.
        cycles: u32,
        /// Newton steps.
        newton_steps: u32,
        /// The largest absolute derivative per person.
        gradient_max: f64,
    },
    /// Answers between the lowest and the highest that nobody gave. Those that were given are
    /// numbered without gaps, and the model has that many fewer categories.
    #[error("item {item}: nobody answered {missing:?}; its categories are the others")]
    EmptyCategories {
        /// Position of the item, from 0.
        item: usize,
        /// The group, where parameters are by group.
        group: Option<usize>,
        /// The answers nobody gave.
        missing: Vec<i32>,
    },
    /// A category of few answers: its parameters rest on them.
    #[error("item {item}: only {n_answers} answers are {value}")]
    RareCategory {
        /// Position of the item, from 0.
        item: usize,
        /// The group, where parameters are by group.
        group: Option<usize>,
        /// The answer.
        value: i32,
        /// How often it was given.
        n_answers: usize,
    },
    /// A slope so steep that the item alone would nearly fix θ: usually too few persons, a
    /// duplicated item, or items that depend on each other (as a Heywood case in factor analysis).
    #[error(
        "item {item}: slope {slope:.2} is Heywood-like, no estimate to be used: the other items \
         all but determine this one. Leave out one of duplicated items, or take more persons"
    )]
    SteepSlope {
        /// Position of the item, from 0.
        item: usize,
        /// The group, where parameters are by group.
        group: Option<usize>,
        /// The slope.
        slope: f64,
    },
    /// A slope below 0: the item runs against the others; it may want reversing.
    #[error("item {item}: slope {slope:.2} is negative; is the item reversed?")]
    NegativeSlope {
        /// Position of the item, from 0.
        item: usize,
        /// The group, where parameters are by group.
        group: Option<usize>,
        /// The slope.
        slope: f64,
    },
    /// A slope next to 0: the item tells nothing of what the others measure.
    #[error(
        "item {item}: slope {slope:.2} is next to nothing: it does not measure with the others"
    )]
    FlatSlope {
        /// Position of the item, from 0.
        item: usize,
        /// The group, where parameters are by group.
        group: Option<usize>,
        /// The slope.
        slope: f64,
    },
    /// Fewer than five persons a parameter.
    #[error("{n_persons} persons for {n_parameters} parameters: estimates are unsteady")]
    FewPersons {
        /// Persons with at least one answer.
        n_persons: usize,
        /// Free parameters.
        n_parameters: usize,
    },
    /// A population so narrow that its density falls between the nodes of the grid: usually items
    /// that have nothing in common.
    #[error(
        "a population's variance of {variance:.1e} is no estimate to be used: nodes {step:.2} \
         apart cannot tell it from 0. Do the items measure the same? Else take more nodes"
    )]
    NarrowPopulation {
        /// The variance.
        variance: f64,
        /// From node to node, in logits.
        step: f64,
    },
    /// The likelihood is flat in some direction at the estimates: standard errors are not given.
    #[error("the information matrix is not positive definite: no standard errors")]
    NoInformation,
}
