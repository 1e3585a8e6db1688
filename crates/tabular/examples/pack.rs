//! What reading costs, on files of any size.
//!
//! `pack make N FILE.{csv,parquet}` writes N persons' answers to 20 items of 5 categories;
//! `pack read FILE` packs them and says how many there are. `/usr/bin/time -v` says the rest.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Repetition, Type as Physical};
use parquet::data_type::Int32Type;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use tabular::{Roles, Wanted};

const N_ITEMS: u64 = 20;
const N_CATEGORIES: u64 = 5;
const PERSONS_PER_GROUP: u64 = 1 << 20;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", n, file] if file.ends_with(".parquet") => make_parquet(n.parse()?, file),
        ["make", n, file] => make_csv(n.parse()?, file),
        ["read", file] => read(file),
        _ => Err("write `make N FILE` or `read FILE`".into()),
    }
}

/// Answers that hang together through a trait of the person, from a fixed mix of bits.
fn answer(person: u64, item: u64) -> i32 {
    let mix = |of: u64| {
        let of = (of + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (of ^ (of >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33
    };
    let own = mix(person) % 7;
    let noise = mix(person * N_ITEMS + item) % 5 + mix(person * 31 + item * 7) % 5;
    ((own + noise) * (N_CATEGORIES - 1) / 14 + 1) as i32
}

fn make_csv(n: u64, file: &str) -> Outcome {
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    let names: Vec<String> = (1..=N_ITEMS).map(|item| format!("i{item}")).collect();
    writeln!(out, "{}", names.join(","))?;
    for person in 0..n {
        let cells: Vec<String> =
            (0..N_ITEMS).map(|item| answer(person, item).to_string()).collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(out.flush()?)
}

fn make_parquet(n: u64, file: &str) -> Outcome {
    let column = |item| {
        Type::primitive_type_builder(&format!("i{item}"), Physical::INT32)
            .with_repetition(Repetition::OPTIONAL)
            .build()
            .map(Arc::new)
    };
    let columns = (1..=N_ITEMS).map(column).collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(Type::group_type_builder("answers").with_fields(columns).build()?);
    let properties = WriterProperties::builder()
        .set_compression(parquet::basic::Compression::SNAPPY)
        .set_max_row_group_row_count(Some(usize::MAX))
        .build();
    let out = std::fs::File::create(file)?;
    let mut writer = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
    for start in (0..n).step_by(PERSONS_PER_GROUP as usize) {
        let persons = start..(start + PERSONS_PER_GROUP).min(n);
        let levels = vec![1_i16; (persons.end - persons.start) as usize];
        let mut group = writer.next_row_group()?;
        let mut item = 0;
        while let Some(mut column) = group.next_column()? {
            let values: Vec<i32> = persons.clone().map(|person| answer(person, item)).collect();
            column.typed::<Int32Type>().write_batch(&values, Some(&levels), None)?;
            column.close()?;
            item += 1;
        }
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

fn read(file: &str) -> Outcome {
    let roles = Roles::default();
    let wanted = Wanted { roles: &roles, answers: None, range: None, threads: 1 };
    let table = tabular::read(Path::new(file), &wanted, &mut |_| {});
    let responses = table.map_err(|faults| faults.join("\n"))?.responses;
    let (n_persons, n_items) = (responses.n_persons(), responses.n_items());
    let line = format!("{n_persons} persons, {n_items} items, {:?}", responses.counts(0));
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
