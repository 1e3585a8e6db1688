//! Writes that wait together are made durable together, and a write that gives up takes nobody with it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod scratch;

use std::pin::pin;

use base::chance::Chance;
use base::clock::Clock;
use base::db::Db;
use base::http::{Once, Submit, issue_submit_id, once};
use base::keys::Keys;
use scratch::Scratch;

async fn open() -> (Db, Scratch) {
    let scratch = Scratch::new().await;
    (Db::open(&scratch.target()).await.unwrap(), scratch)
}

fn submit(seed: u64) -> Submit {
    let keys = Keys::from_bytes([1; 32]);
    let now_ms = Clock::manual(1_000).now_ms();
    let id = issue_submit_id(&keys, &Chance::from_seed(seed), "quiz", now_ms);
    Submit::check(&keys, "quiz", &id, now_ms).unwrap()
}

async fn send(db: &Db, submit: &Submit, outcome: &str) -> Once {
    let mut tx = db.begin().await.unwrap();
    let claim = once(&mut tx, submit, "body", outcome, 1_000).await.unwrap();
    tx.commit().await.unwrap();
    claim
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_identical_submissions_at_once_are_one() {
    let (db, _scratch) = open().await;
    let submit = submit(1);
    let sends = (0..50).map(|n| {
        let (db, submit) = (db.clone(), submit.clone());
        tokio::spawn(async move { send(&db, &submit, &format!("/sent/{n}")).await })
    });
    let mut outcomes = Vec::new();
    for send in sends.collect::<Vec<_>>() {
        outcomes.push(send.await.unwrap());
    }
    assert_eq!(outcomes.iter().filter(|once| **once == Once::First).count(), 1);
    let mut led_to: Vec<_> = outcomes.iter().filter(|once| **once != Once::First).collect();
    led_to.dedup();
    assert_eq!(led_to.len(), 1, "everybody else is led to the one place");
}

#[tokio::test]
async fn a_write_that_gives_up_is_undone_and_its_neighbours_stand() {
    let (db, _scratch) = open().await;
    assert_eq!(send(&db, &submit(1), "/one").await, Once::First);
    let mut given_up = db.begin().await.unwrap();
    once(&mut given_up, &submit(2), "body", "/two", 1_000).await.unwrap();
    drop(given_up);
    assert_eq!(send(&db, &submit(3), "/three").await, Once::First);
    assert_eq!(send(&db, &submit(2), "/again").await, Once::First, "the first try left nothing");
    assert_eq!(send(&db, &submit(1), "/x").await, Once::Again(String::from("/one")));
}

#[tokio::test]
async fn what_was_read_of_a_neighbour_is_durable_before_it_is_told() {
    let (db, _scratch) = open().await;
    let mut neighbour = db.begin().await.unwrap();
    once(&mut neighbour, &submit(1), "body", "/one", 1_000).await.unwrap();
    // Whoever only reads asks for the writer first, so that the neighbour's group stays open while it reads.
    let mut waiting = pin!(db.begin());
    let begun = tokio::select! {
        biased;
        begun = &mut waiting => Some(begun),
        () = std::future::ready(()) => None,
    };
    let commit = tokio::spawn(neighbour.commit());
    let mut reading = match begun {
        Some(begun) => begun.unwrap(),
        None => waiting.await.unwrap(),
    };
    let again = once(&mut reading, &submit(1), "body", "/x", 1_000).await;
    drop(reading);
    assert_eq!(again.unwrap(), Once::Again(String::from("/one")));
    db.settled().await.unwrap();
    // PostgreSQL lets nobody read what is not durable.
    assert!(db.commits().is_none_or(|commits| commits.n_writes == 1), "{:?}", db.commits());
    commit.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_was_committed_is_there_after_reopening() {
    let (db, scratch) = open().await;
    send(&db, &submit(1), "/one").await;
    db.close().await;
    let again = Db::open(&scratch.target()).await.unwrap();
    assert_eq!(send(&again, &submit(1), "/x").await, Once::Again(String::from("/one")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_go_away_at_any_moment_leave_the_writer_sound() {
    let (db, _dir) = open().await;
    for round in 0..200_u64 {
        let (one, two) = (db.clone(), db.clone());
        let leaves =
            tokio::spawn(async move { send(&one, &submit(10_000 + round), "/gone").await });
        let stays = tokio::spawn(async move { send(&two, &submit(round), "/here").await });
        for _ in 0..round % 17 {
            tokio::task::yield_now().await;
        }
        leaves.abort();
        assert_eq!(stays.await.unwrap(), Once::First, "round {round}");
    }
    assert_eq!(send(&db, &submit(0), "/x").await, Once::Again(String::from("/here")));
}
