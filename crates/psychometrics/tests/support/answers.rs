//! Answers from the CSV files that figures of other programs were made from.

use std::path::Path;

use psychometrics::responses::{Responses, ResponsesBuilder};

/// The named columns of a CSV file; R writes whole numbers as they are, empty or `NA` where missing.
pub fn responses_of(path: &Path, items: &[String]) -> Responses {
    let mut reader = csv::Reader::from_path(path).expect("data");
    let header = reader.headers().expect("a header").clone();
    let place = |item: &String| header.iter().position(|name| name == item).expect(item);
    let places: Vec<usize> = items.iter().map(place).collect();
    let mut builder = ResponsesBuilder::new(items.len()).expect("items");
    for record in reader.records() {
        let record = record.expect("a record");
        let row: Vec<Option<i32>> =
            places.iter().map(|&place| record[place].parse().ok()).collect();
        builder.push(&row).expect("a row");
    }
    builder.finish().expect("responses")
}
