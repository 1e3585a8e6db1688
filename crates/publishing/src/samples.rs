//! The pages to read in every state, for the gallery and its test.

use std::sync::Arc;

use base::house::House;
use base::samples::{NOW_MS, Sample, SampleError, Shown};

use crate::day::Day;
use crate::model::Publication;
use crate::pages::Set;

const WEEK_MS: i64 = 7 * 24 * 3_600_000;

/// Every page of this part in every state.
#[must_use]
pub fn samples() -> Vec<Sample> {
    let sample = |name, render| Sample { group: "reading", name, render };
    vec![
        sample("home", |house| with(house, |set| Shown::page(&set.home()))),
        sample("articles", |house| with(house, |set| Shown::page(&set.articles()))),
        sample("articles-empty", |house| {
            let publication = Publication::default();
            Shown::page(&set(house, &publication).articles())
        }),
        sample("article", |house| with(house, |set| Shown::page(&set.article(lead(set)?)))),
        sample("article-updated", |house| {
            with(house, |set| {
                let mut article = lead(set)?.clone();
                article.front.updated = Some(Day::of(NOW_MS));
                article.body.contents.truncate(1);
                article.front.related.clear();
                article.front.programmes.clear();
                article.illustration.clear();
                Shown::page(&set.article(&article))
            })
        }),
        sample("programmes", |house| with(house, |set| Shown::page(&set.programmes()))),
        sample("programmes-empty", |house| {
            let publication = Publication::default();
            Shown::page(&set(house, &publication).programmes())
        }),
        sample("programme", |house| {
            with(house, |set| Shown::page(&set.programme(&set.publication.programmes[0])))
        }),
        sample("programme-with-dates", |house| {
            with(house, |set| {
                let mut programme = set.publication.programmes[0].clone();
                programme.front.dates = (1..4).map(|n| Day::of(NOW_MS + n * 6 * WEEK_MS)).collect();
                programme.front.next_dates_note =
                    String::from("Other dates for a team of your own: ask.");
                Shown::page(&set.programme(&programme))
            })
        }),
        sample("privacy", |house| legal(house, "privacy")),
        sample("cookies", |house| legal(house, "cookies")),
        sample("accessibility", |house| legal(house, "accessibility")),
    ]
}

fn set<'a>(house: &'a House, publication: &'a Publication) -> Set<'a> {
    Set { house, publication, today: Day::of(NOW_MS), bar: true }
}

fn with(
    house: &Arc<House>,
    show: impl Fn(Set<'_>) -> Result<Shown, SampleError>,
) -> Result<Shown, SampleError> {
    let publication = Publication::load(&house.source, &house.site);
    let publication = publication.map_err(|faults| faults.join("\n"))?;
    show(set(house, &publication))
}

fn lead(set: Set<'_>) -> Result<&crate::Article, SampleError> {
    let lead = set.publication.article(&set.house.site.home.lead_article);
    lead.ok_or_else(|| "there is no lead article".into())
}

fn legal(house: &Arc<House>, slug: &'static str) -> Result<Shown, SampleError> {
    with(house, |set| {
        let page = set.publication.pages.iter().find(|page| page.slug == slug);
        Shown::page(&set.legal(page.ok_or("there is no such page")?))
    })
}
