use super::{ABSENT, MISSING, Responses, ResponsesBuilder, ResponsesError};

fn responses(rows: &[&[Option<i32>]]) -> Responses {
    let mut builder = ResponsesBuilder::new(rows[0].len()).unwrap();
    rows.iter().for_each(|row| builder.push(row).unwrap());
    builder.finish().unwrap()
}

#[test]
fn answers_count_from_the_lowest_in_whatever_order_they_come() {
    let found = responses(&[&[Some(3)], &[None], &[Some(-2)], &[Some(5)]]);
    assert_eq!((found.lowest(0), found.n_categories(0)), (-2, 8));
    assert_eq!(found.codes(0), [5, MISSING, 0, 7]);
    assert_eq!(found.counts(0), [1, 0, 0, 0, 0, 1, 0, 1]);
    assert_eq!(found.category(1, 0), None);
}

#[test]
fn answers_that_do_not_fit_a_byte_are_refused_and_leave_no_trace() {
    let mut builder = ResponsesBuilder::new(2).unwrap();
    builder.push(&[Some(0), Some(0)]).unwrap();
    let refused = builder.push(&[Some(-3), Some(255)]);
    let expected = ResponsesError::TooWide { item: 1, person: 1, value: 255, other: 0 };
    assert_eq!(refused, Err(expected));
    let refused = builder.push(&[Some(254), Some(-255)]);
    assert!(matches!(refused, Err(ResponsesError::TooWide { .. })), "{refused:?}");
    let extremes = builder.push_columns(&[&[Some(1)], &[Some(i32::MIN)]]);
    assert!(matches!(extremes, Err(ResponsesError::TooWide { .. })), "{extremes:?}");
    builder.push(&[Some(254), Some(254)]).unwrap();
    let found = builder.finish().unwrap();
    assert_eq!((found.n_persons(), found.lowest(0), found.n_categories(0)), (2, 0, 255));
    assert_eq!(found.codes(0), [0, 254]);
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    assert_eq!(ResponsesBuilder::new(0).unwrap_err(), ResponsesError::NoItems);
    let mut builder = ResponsesBuilder::new(2).unwrap();
    let refused = builder.push(&[Some(1)]);
    assert_eq!(refused, Err(ResponsesError::RowLength { person: 0, given: 1, wanted: 2 }));
    let refused = builder.push_columns(&[&[Some(1), Some(2)], &[None]]);
    assert_eq!(refused, Err(ResponsesError::ColumnLength { item: 1, given: 1, wanted: 2 }));
    assert_eq!(builder.finish().unwrap_err(), ResponsesError::NoPersons);
    let ragged = Responses::from_categories(vec![vec![0, 1], vec![1]]);
    assert!(matches!(ragged, Err(ResponsesError::ColumnLength { item: 1, .. })));
}

#[test]
fn batches_and_rows_pack_alike() {
    let rows: [&[Option<i32>]; 3] = [&[Some(4), None], &[Some(1), Some(2)], &[None, Some(7)]];
    let columns: [&[Option<i32>]; 2] = [&[Some(4), Some(1), None], &[None, Some(2), Some(7)]];
    assert_eq!(Responses::from_columns(&columns).unwrap(), responses(&rows));
}

#[test]
fn rows_in_one_piece_pack_alike_and_are_refused_whole() {
    let mut builder = ResponsesBuilder::new(2).unwrap();
    builder.push_rows(&[4, ABSENT, 1, 2]).unwrap();
    let refused = builder.push_rows(&[3, 0, -5, 257, 256, 1]);
    let expected = ResponsesError::TooWide { item: 0, person: 4, value: 256, other: -5 };
    assert_eq!(refused, Err(expected));
    let refused = builder.push_rows(&[1, 2, 3]);
    assert_eq!(refused, Err(ResponsesError::RowLength { person: 3, given: 1, wanted: 2 }));
    builder.push_rows(&[ABSENT, 7]).unwrap();
    let rows: [&[Option<i32>]; 3] = [&[Some(4), None], &[Some(1), Some(2)], &[None, Some(7)]];
    assert_eq!(builder.finish().unwrap(), responses(&rows));
}

#[test]
fn patterns_are_the_distinct_rows_with_their_numbers() {
    // 30 items of nine categories and gaps need more than one word.
    let row = |seed: i32| -> Vec<Option<i32>> {
        (0..30).map(|i| (seed != 5 && (seed + i) % 7 != 0).then_some((seed * i) % 9)).collect()
    };
    for n_items in [1, 4, 30] {
        let rows: Vec<Vec<_>> = (0..60).map(|i| row(i % 7)[..n_items].to_vec()).collect();
        let slices: Vec<&[_]> = rows.iter().map(Vec::as_slice).collect();
        let found = responses(&slices);
        let (patterns, index) = found.patterns_with_index();
        assert_eq!(patterns, found.patterns());
        let answered = rows.iter().filter(|row| row.iter().any(Option::is_some)).count();
        assert_eq!(patterns.weights().iter().sum::<f64>(), answered as f64);
        let mut answers = vec![0; n_items];
        for (person, at) in index.iter().enumerate() {
            let Some(at) = *at else {
                assert!(rows[person].iter().all(Option::is_none));
                continue;
            };
            patterns.answers(at as usize, &mut answers);
            for (item, &answer) in answers.iter().enumerate() {
                let expected = found.category(person, item).unwrap_or(MISSING);
                assert_eq!(answer, expected, "person {person}, item {item}");
            }
        }
        let distinct: std::collections::BTreeSet<_> =
            rows.iter().filter(|row| row.iter().any(Option::is_some)).collect();
        assert_eq!(patterns.n_patterns(), distinct.len());
    }
}

#[test]
fn weights_are_summed_over_the_persons_named() {
    let found = responses(&[&[Some(1)], &[Some(2)], &[Some(1)], &[Some(2)], &[None]]);
    let weights = [0.5, 2.0, 1.5, 0.0, 9.0];
    let patterns = found.patterns_of(Some(&[0, 2, 3, 4]), Some(&weights));
    assert_eq!(patterns.weights(), [2.0]);
    assert_eq!(found.patterns_of(None, Some(&weights)).weights(), [2.0, 2.0]);
}

#[test]
fn selections_keep_the_coding() {
    let found = responses(&[&[Some(1), Some(0)], &[Some(5), None], &[Some(3), Some(1)]]);
    let complete = found.complete_persons();
    assert_eq!(complete, [0, 2]);
    let kept = found.select_persons(&complete[1..]).unwrap();
    assert_eq!((kept.lowest(0), kept.category(0, 0)), (1, Some(2)));
    assert_eq!(found.select_items(&[1]).unwrap().codes(0), [0, MISSING, 1]);
    assert_eq!(found.select_items(&[]).unwrap_err(), ResponsesError::NoItems);
}

#[test]
fn patterns_are_the_same_by_any_number_of_threads() {
    let mut state = 1_u32;
    let mut column = || -> Vec<u8> {
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state >> 28 == 0 { MISSING } else { (state >> 24) as u8 % 5 }
        };
        (0..70_000).map(next).collect()
    };
    let found = Responses::from_categories((0..9).map(|_| column()).collect()).unwrap();
    let alone = found.patterns();
    assert!(alone.n_patterns() > 60_000 && alone.weights().iter().sum::<f64>() >= 69_990.0);
    for threads in [2, 3, 7] {
        assert_eq!(found.patterns_by(threads), alone, "{threads} threads");
    }
}
