//! The quiz: sign-up, sittings, scoring and the report.
//!
//! What it promises: nothing happens on a GET; a sign-up answers the same for every address; an answer that was acknowledged
//! is kept; pressing a button twice does what pressing it once does; a profile is a pure function of the answers and the
//! instrument; a region is named only when its probability reaches the instrument's rule.
//!
//! Links. `/s/` opens a sitting. The link in a mail speaks of a *sign-up*, so whoever has it owns that sign-up's address, and
//! pressing its button confirms the address. The link of a quiz that asks for details last, or never, speaks of the
//! *sitting* and proves nothing but the browser. `/r/` opens the report of a sitting; a new nonce revokes it.

mod chart;
mod holding;
mod mail;
mod model;
mod pages;
mod quiz;
mod report;
mod scoring;
mod store;

use base::db::DbError;
use base::house::House;

pub use holding::{attached, holding};
pub use mail::templates;
pub use model::{LINK_LIFE_MS, State, UNCLAIMED_LIFE_MS};
pub use pages::{routes, samples};
pub use quiz::{Quiz, Quizzes};
pub use scoring::{
    Answers, Count, ENGINE, ItemScore, Level, Odds, PROFILE_VERSION, Profile, Scorer, Scores,
};
pub use store::{STATEMENTS, SittingSummary, by_state};

/// Deletes invitations and answers that nobody took up or claimed in [`UNCLAIMED_LIFE_MS`]. Harmless to run twice.
///
/// # Errors
/// If the database fails.
pub async fn retain(house: &House) -> Result<u64, DbError> {
    let mut tx = house.db.begin().await?;
    let n_deleted = store::retain(&mut tx, house.clock.now_ms() - UNCLAIMED_LIFE_MS).await?;
    tx.commit().await?;
    Ok(n_deleted)
}
