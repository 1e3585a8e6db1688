use std::path::{Path, PathBuf};

use super::scores::{Kind, ScoreFile};
use super::{Progress, Roles, Table, Texts, Wanted, read};

fn table(path: &Path, roles: &Roles) -> Result<Table, Vec<String>> {
    read(path, &Wanted { roles, answers: None, range: None, threads: 1 }, &mut |_| {})
}

fn file(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn csv(text: &str, roles: &Roles) -> Result<Table, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    table(&file(&folder, "t.csv", text.as_bytes()), roles)
}

#[test]
fn spaces_line_ends_and_signs_are_read_and_blank_lines_passed_over() {
    let text = "\u{feff}a,\"b\"\r\n-1, 2\r\n\r\n\"+1\",\n0,3 \n-1,";
    let table = csv(text, &Roles::default()).unwrap();
    assert_eq!(table.items, ["a", "b"]);
    assert_eq!(table.responses.codes(0), [0, 2, 1, 0]);
    assert_eq!(table.responses.codes(1), [0, 255, 1, 255]);
    assert_eq!((table.responses.lowest(0), table.responses.lowest(1)), (-1, 2));
}

#[test]
fn quotes_are_read_as_the_csv_library_reads_them() {
    let roles = Roles { id: Some("who".into()), ..Roles::default() };
    let text = "who,a\n\"x, \"\"y\"\"\nz\",1\n\"p\"q,\"2\"\nr\"s\"\"t,3\n";
    let ids = csv(text, &roles).unwrap().ids.unwrap();
    let seen: Vec<&str> = (0..ids.len()).map(|at| ids.get(at)).collect();
    assert_eq!(seen, ["x, \"y\"\nz", "pq", "r\"s\"\"t"]);
}

#[test]
fn rows_that_straddle_pieces_are_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    for (gap, end) in [("3", "\n"), ("", "\n"), ("3", "\r\n"), ("\"3\"", "\r\n")] {
        let mut text = format!("a,b,c{end}");
        for i in 0..400_000 {
            let b = if i % 7 == 0 { gap } else { "3" };
            text += &format!("{},{b},{}{end}", i % 5, i % 2);
        }
        assert!(text.len() > 2 << 20);
        let path = file(&folder, "long.csv", text.as_bytes());
        let mut last = Progress::Bytes(0, 0);
        let roles = Roles::default();
        let wanted = Wanted { roles: &roles, answers: None, range: None, threads: 1 };
        let responses = read(&path, &wanted, &mut |at| last = at).unwrap().responses;
        assert_eq!(last, Progress::Bytes(text.len() as u64, text.len() as u64));
        assert_eq!(responses.n_persons(), 400_000);
        assert_eq!(responses.counts(0), [80_000; 5]);
        let missing = if gap.is_empty() { 57_143 } else { 0 };
        assert_eq!(responses.counts(1), [400_000 - missing]);
        assert_eq!(responses.counts(2), [200_000; 2]);
    }
}

/// Every fault in its place, without the file's name.
#[track_caller]
fn refused(text: &str, roles: &Roles, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "r.csv", text.as_bytes());
    let faults = table(&path, roles).unwrap_err();
    let start = format!("{}: ", path.display());
    let seen: Vec<&str> = faults.iter().map(|f| f.strip_prefix(&start).unwrap()).collect();
    assert_eq!(seen, expected);
}

#[test]
fn faults_are_listed_from_the_top_of_the_file() {
    let plain = Roles::default();
    refused(
        "a,b\n900,1\n1,x\n2,3,4\n,99999999999\n5,1.0\n1,NA\n",
        &plain,
        &[
            "line 3, column a: “1”: 1 and 900 are more than 254 apart; is it an item?",
            "line 3, column b: “x”: answers are whole numbers; name the column with --id, --group, \
             --weight or --ignore if it holds no answers",
            "line 4: 3 cells under 2 columns",
            "line 4, column a: “2”: 2 and 900 are more than 254 apart; is it an item?",
            "line 5, column b: “99999999999”: this is too large to be an answer; name the column \
             with --id, --group, --weight or --ignore if it holds no answers",
            "line 6, column a: “5”: 5 and 900 are more than 254 apart; is it an item?",
            "line 6, column b: “1.0”: write whole numbers without a decimal point",
            "line 7, column a: “1”: 1 and 900 are more than 254 apart; is it an item?",
            "line 7, column b: “NA”: leave a missing answer empty",
        ],
    );
    let many = "x,1\n".repeat(25);
    let folder = tempfile::tempdir().unwrap();
    let faults = table(&file(&folder, "m.csv", format!("a,b\n{many}").as_bytes()), &plain);
    let faults = faults.unwrap_err();
    assert_eq!(faults.len(), 11);
    assert!(faults[9].contains("line 11, column a") && faults[10].ends_with("… and 15 more"));
    let empty = "the file is empty: a header row names the columns";
    refused("", &plain, &[empty]);
    refused("\n\n", &plain, &[empty]);
    refused("a,b\n", &plain, &["there is a header and no row: no persons"]);
    refused(
        "a;b\n1;2\n",
        &plain,
        &["line 1: the columns of “a;b” are separated by semicolons; save the file with commas \
           between the columns"],
    );
    refused("a,b\n1,2\n\"3,2\n", &plain, &["line 3: a quotation mark is opened and never closed"]);
    refused("1,1\n2,1\n", &plain, &["two columns are named 1; is the header row missing?"]);
    refused(
        "a,a,\n1,2,3\n",
        &plain,
        &["two columns are named a", "column 3 has no name in the header"],
    );
    refused(
        "a,b\r1,2\r",
        &plain,
        &["lines end in a lone carriage return; save the file with line feeds"],
    );
}

#[test]
fn other_kinds_of_file_are_recognised() {
    let folder = tempfile::tempdir().unwrap();
    for (bytes, said) in [
        (&b"PK\x03\x04more"[..], "spreadsheet"),
        (b"\xFF\xFEa\0,\0", "UTF-16"),
        (b"\x1F\x8B\x08\0", "gzip"),
        (b"PAR1 and no more", "cannot be read as Parquet"),
    ] {
        let path = file(&folder, "x.csv", bytes);
        let faults = table(&path, &Roles::default()).unwrap_err();
        assert!(faults[0].contains(said), "{faults:?}");
    }
}

fn written(kind: Kind, path: &Path, ids: &Texts, figures: &[Vec<f64>]) {
    let names = ["theta".to_owned(), "se".to_owned()];
    let out = std::fs::File::create(path).unwrap();
    let mut scores = ScoreFile::new(kind, out, Some("who"), &names).unwrap();
    let cut = ids.len() / 2;
    for range in [0..cut, cut..ids.len()] {
        let part: Vec<Vec<f64>> = figures.iter().map(|f| f[range.clone()].to_vec()).collect();
        scores.write(Some((ids, range)), &part).unwrap();
    }
    scores.finish().unwrap();
}

#[test]
fn scores_are_written_in_parts_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut ids = Texts::default();
    (0..1000).for_each(|at| ids.push(&format!("p {at}, \"x\"")));
    let theta: Vec<f64> = (0..1000).map(|at| f64::from(at % 9)).collect();
    let mut se = vec![1.0; 1000];
    (se[3], se[999]) = (f64::NAN, f64::INFINITY);
    let roles = Roles { id: Some("who".into()), ..Roles::default() };
    for (kind, name) in [(Kind::Csv, "s.csv"), (Kind::Parquet, "s.parquet")] {
        let path = folder.path().join(name);
        assert_eq!(Kind::of(Some(&path)), kind);
        written(kind, &path, &ids, &[theta.clone(), se.clone()]);
        let table = table(&path, &roles).unwrap();
        assert_eq!(table.items, ["theta", "se"]);
        assert_eq!(table.ids.as_ref(), Some(&ids));
        assert_eq!(table.responses.counts(0)[8], 111);
        assert_eq!(table.responses.codes(1)[3], 255);
        assert_eq!(table.responses.counts(1), [998]);
    }
    // A half is no answer: the same fault from both kinds, by line or by row.
    for (kind, name, place) in
        [(Kind::Csv, "h.csv", "line 3"), (Kind::Parquet, "h.parquet", "row 2")]
    {
        let path = folder.path().join(name);
        let mut halves = theta.clone();
        halves[1] = 0.5;
        written(kind, &path, &ids, &[halves, se.clone()]);
        let faults = table(&path, &roles).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains(&format!("{place}, column theta: “0.5”")), "{faults:?}");
    }
}

/// A file with one column of each type that answers come in, and one of names.
fn of_all_types(
    path: &Path,
    compression: parquet::basic::Compression,
) -> parquet::errors::Result<()> {
    use parquet::basic::{LogicalType, Repetition, Type as Physical};
    use parquet::data_type::{
        BoolType, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type,
    };
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::types::Type;
    use std::sync::Arc;

    let column = |name: &str, physical, logical, repetition| {
        let column = Type::primitive_type_builder(name, physical);
        let column = column.with_logical_type(logical).with_repetition(repetition);
        column.build().map(Arc::new)
    };
    let (may, must) = (Repetition::OPTIONAL, Repetition::REQUIRED);
    let columns = vec![
        column("who", Physical::INT64, None, must)?,
        column("short", Physical::INT32, Some(LogicalType::integer(8, true)), may)?,
        column("long", Physical::INT64, None, must)?,
        column("truth", Physical::BOOLEAN, None, may)?,
        column("single", Physical::FLOAT, None, may)?,
        column("double", Physical::DOUBLE, None, must)?,
        column("text", Physical::BYTE_ARRAY, Some(LogicalType::String), may)?,
        column("team", Physical::BYTE_ARRAY, Some(LogicalType::String), must)?,
        column("w", Physical::DOUBLE, None, must)?,
    ];
    let schema = Arc::new(Type::group_type_builder("t").with_fields(columns).build()?);
    let out = std::fs::File::create(path).unwrap();
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    macro_rules! put {
        ($type:ty, $values:expr, $levels:expr) => {
            if let Some(mut column) = group.next_column()? {
                column.typed::<$type>().write_batch($values, $levels, None)?;
                column.close()?;
            }
        };
    }
    let gap: &[i16] = &[1, 0, 1];
    put!(Int64Type, &[7, 8, 9], None);
    put!(Int32Type, &[-2, 3], Some(gap));
    put!(Int64Type, &[1, 2, 3], None);
    put!(BoolType, &[true, false], Some(gap));
    put!(FloatType, &[4.0, 5.0], Some(gap));
    put!(DoubleType, &[1.0, f64::NAN, 2.0], None);
    put!(ByteArrayType, &[" 1".into(), "2".into()], Some(gap));
    put!(ByteArrayType, &["b".into(), "a".into(), "b".into()], None);
    put!(DoubleType, &[0.5, 1.0, 2.0], None);
    group.close()?;
    writer.close().map(drop)
}

#[test]
fn parquet_columns_of_every_type_are_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.parquet");
    of_all_types(&path, parquet::basic::Compression::UNCOMPRESSED).unwrap();
    let roles = Roles {
        id: Some("who".into()),
        group: Some("team".into()),
        weight: Some("w".into()),
        ignore: vec![],
    };
    let found = table(&path, &roles).unwrap();
    assert_eq!(found.items, ["short", "long", "truth", "single", "double", "text"]);
    let codes: Vec<&[u8]> = (0..6).map(|item| found.responses.codes(item)).collect();
    assert_eq!(codes, [[0, 255, 5], [0, 1, 2], [1, 255, 0], [0, 255, 1], [0, 255, 1], [0, 255, 1]]);
    assert_eq!(found.ids.unwrap().get(2), "9");
    assert_eq!(found.groups, Some((vec!["a".into(), "b".into()], vec![1, 0, 1])));
    assert_eq!(found.weights, Some(vec![0.5, 1.0, 2.0]));
    let faults = table(&path, &Roles { weight: None, ..roles }).unwrap_err();
    assert!(faults[0].contains("row 1, column w: “0.5”"), "{faults:?}");
}

#[test]
fn compressed_parquet_is_read() {
    use parquet::basic::{Compression, GzipLevel, ZstdLevel};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.parquet");
    let mut ways = vec![Compression::SNAPPY, Compression::LZ4_RAW];
    ways.push(Compression::GZIP(GzipLevel::default()));
    if cfg!(feature = "zstd") {
        ways.push(Compression::ZSTD(ZstdLevel::default()));
    }
    let roles = Roles { ignore: vec!["team".into(), "w".into()], ..Roles::default() };
    for way in ways {
        of_all_types(&path, way).unwrap();
        let found = table(&path, &roles).unwrap();
        assert_eq!(found.responses.codes(2), [0, 1, 2], "{way:?}");
    }
}

#[test]
fn letters_of_another_encoding_are_refused_and_a_byte_order_mark_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let roles = Roles { id: Some("who".into()), ..Roles::default() };
    for (bytes, said) in [
        (&b"who,m\xFCde\nx,1\n"[..], "line 1: the name \u{201c}m\u{fffd}de\u{201d} is not UTF-8"),
        (b"who,a\nx,1\nM\xFCller,1\n", "line 3, column who: \u{201c}M\u{fffd}ller\u{201d}: not"),
        (b"who,a\nx,1\n\"M\xFCller\",1\n", "save the file as UTF-8"),
    ] {
        let path = file(&folder, "x.csv", bytes);
        let faults = table(&path, &roles).unwrap_err();
        assert!(faults[0].contains(said), "{faults:?}");
    }
    let path = file(&folder, "x.csv", "\u{feff}who,müde\nMüller,1\n".as_bytes());
    let table = table(&path, &roles).unwrap();
    assert_eq!(table.items, ["müde"]);
}

#[test]
fn threads_do_not_change_what_is_read() {
    let mut text = String::from("a,b,c\n");
    for row in 0..150_000_u32 {
        let digit = |k: u32| (row.wrapping_mul(2_654_435_761) >> k) % 5;
        let line = match row {
            100_000 => String::from("1, 2,\"3\"\r\n"),
            140_000 => String::from("\n12,-1,3\n"),
            row if row % 7 == 0 => format!("{},,{}\n", digit(3), digit(9)),
            _ => format!("{},{},{}\n", digit(3), digit(6), digit(9)),
        };
        text.push_str(&line);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &text).unwrap();
    let roles = Roles::default();
    let by = |threads| {
        let wanted = Wanted { roles: &roles, answers: None, range: None, threads };
        read(file.path(), &wanted, &mut |_| {}).unwrap().responses
    };
    let alone = by(1);
    assert_eq!((alone.n_persons(), alone.lowest(1), alone.n_categories(0)), (150_000, -1, 13));
    assert_eq!(alone.category(7, 1), None);
    for threads in [2, 3, 5] {
        assert!(by(threads) == alone, "{threads} threads");
    }
    std::fs::write(file.path(), text.replacen("\n12,", "\nx,", 1)).unwrap();
    let faults = |threads| {
        let wanted = Wanted { roles: &roles, answers: None, range: None, threads };
        read(file.path(), &wanted, &mut |_| {}).unwrap_err()
    };
    assert!(faults(1)[0].contains("line 140003"), "{:?}", faults(1));
    assert_eq!(faults(1), faults(3));
}

#[test]
fn what_a_terminal_does_not_show_is_written_out() {
    let fault = |text: &str| csv(text, &Roles::default()).unwrap_err().join("\n");
    assert!(fault("a,b\n1,\0\n").contains("column b: “\\0”"), "{}", fault("a,b\n1,\0\n"));
    let broken = fault("a,b\n1,\"2\n3\"\n");
    assert!(broken.contains("column b: “2\\n3”") && broken.lines().count() == 1, "{broken}");
    let folder = tempfile::tempdir().unwrap();
    let wide: Vec<u8> = "a,b\n1,2\n".bytes().flat_map(|byte| [byte, 0]).collect();
    for bytes in [wide.clone(), [&[0xFF, 0xFE][..], &wide].concat()] {
        let refused = table(&file(&folder, "w.csv", &bytes), &Roles::default()).unwrap_err();
        assert!(refused[0].contains("this is UTF-16 text"), "{refused:?}");
    }
}
