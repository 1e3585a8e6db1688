//! What monitoring reads.

use std::collections::BTreeSet;

use crate::program::{Server, request};
use crate::scratch::Scratch;
use crate::stopping::free_address;

#[tokio::test]
async fn metrics_are_well_formed_and_name_no_person_and_no_id() {
    let scratch = Scratch::new().await;
    let address = free_address();
    let server = Server::start(&scratch, &["--metrics-listen", &address]);
    assert_eq!(server.get("/metrics").status, 404, "the public listener does not have them");
    assert_eq!(server.sign_up("ada@example.org").status, 303);
    let link = server.mailed("/s/");
    assert_eq!(server.get(&link).status, 200);
    assert_eq!(server.get("/nowhere").status, 404);

    let answer = request(&format!("http://{address}"), "GET", "/metrics", "").unwrap();
    assert!(answer.head.contains("text/plain; version=0.0.4"), "{}", answer.head);
    let text = answer.body;
    let token = link.trim_start_matches("/s/");
    assert!(!text.contains("example.org") && !text.contains(token), "{text}");
    let routes = text.split("route=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let routes: BTreeSet<&str> = routes.collect();
    assert!(routes.contains("/s/{token}") && routes.contains("unmatched"), "{routes:?}");
    assert!(text.contains("method=\"POST\",route=\"/quiz/{slug}\",status=\"3xx\"} 1"), "{text}");
    assert!(text.contains("bellwether_mail_messages{state=\"sent\"} 1"), "{text}");
    if scratch.url().is_none() {
        assert!(text.contains("bellwether_commit_group_writes_bucket{le=\"1\"}"), "{text}");
    }
    assert_is_prometheus(&text);
    server.stop();
}

/// Every sample follows its HELP and TYPE, has a number, and is not there twice.
fn assert_is_prometheus(text: &str) {
    let (mut known, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            known.insert(name);
        } else if !line.starts_with("# HELP ") {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let name = sample.split('{').next().unwrap();
            let parts = ["_bucket", "_sum", "_count"];
            let base = parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name);
            assert!(known.contains(base) || known.contains(name), "{line}");
            assert!(seen.insert(sample), "{line} is there twice");
        }
    }
    assert!(known.contains("bellwether_build_info"));
}
