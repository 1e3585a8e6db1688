//! What the operator's monitoring reads: Prometheus text on a second listener.
//!
//! Labels are route patterns, methods, status classes and mail states: no address, no path with an id, no person.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base::db::{Commits, DbError};
use base::house::House;

/// Upper ends of the classes of duration, in seconds.
const SECONDS_MAX: [f64; 13] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// A request that no route takes.
const UNMATCHED: &str = "unmatched";
/// The kernel counts a process's time in hundredths of a second on every machine that Linux runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Requests answered since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<Key, u64>>,
    durations: Mutex<BTreeMap<Arc<str>, Durations>>,
}

/// What requests are told apart by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    route: Arc<str>,
    method: &'static str,
    /// The first digit of the status.
    class: u16,
}

/// How long a route's requests took.
#[derive(Clone, Copy, Debug, Default)]
struct Durations {
    n_by_class: [u64; SECONDS_MAX.len()],
    n: u64,
    sum_s: f64,
}

/// Counts every request that goes through `routes`.
pub fn counted(routes: Router, metrics: Arc<Metrics>) -> Router {
    routes.layer(axum::middleware::from_fn_with_state(metrics, count))
}

/// What the second listener serves: the metrics, and readiness while the first listener is already closed.
pub fn routes(house: Arc<House>, metrics: Arc<Metrics>) -> Router {
    let state = (Arc::clone(&house), metrics);
    Router::new().route("/metrics", get(show)).with_state(state).merge(base::pages::health(house))
}

async fn count(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str);
    let (route, method) = (Arc::from(route), known_method(request.method()));
    let response = next.run(request).await;
    metrics.add(route, method, response.status(), began.elapsed().as_secs_f64());
    response
}

/// A method of the standard by its name; a made-up one must not make a label.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

async fn show(State((house, metrics)): State<(Arc<House>, Arc<Metrics>)>) -> Response {
    match metrics.text(&house).await {
        Ok(text) => ([("content-type", "text/plain; version=0.0.4")], text).into_response(),
        Err(e) => {
            tracing::error!("The metrics could not be read: {e}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

impl Metrics {
    fn add(&self, route: Arc<str>, method: &'static str, status: StatusCode, seconds: f64) {
        let key = Key { route: Arc::clone(&route), method, class: status.as_u16() / 100 };
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
        let mut durations = self.durations.lock().unwrap_or_else(PoisonError::into_inner);
        let durations = durations.entry(route).or_default();
        let class = SECONDS_MAX.partition_point(|&seconds_max| seconds_max < seconds);
        if let Some(n) = durations.n_by_class.get_mut(class) {
            *n += 1;
        }
        durations.n += 1;
        durations.sum_s += seconds;
    }

    async fn text(&self, house: &House) -> Result<String, DbError> {
        let mails = base::mail::count_by_state(&mut house.db.reader().await?).await?;
        let mut text = Text(String::new());
        text.head("bellwether_build_info", "gauge", "The version that runs.");
        let version = env!("CARGO_PKG_VERSION");
        let labels = format!("{{version=\"{version}\",engine=\"{}\"}}", house.db.engine());
        text.line("bellwether_build_info", &labels, 1);
        self.add_requests(&mut text);
        self.add_durations(&mut text);
        text.head("bellwether_mail_messages", "gauge", "Mails in the outbox, by state.");
        for (state, n) in mails {
            text.line("bellwether_mail_messages", &format!("{{state=\"{state}\"}}"), n);
        }
        if let Some(commits) = house.db.commits() {
            add_commits(&mut text, commits);
        }
        add_process(&mut text);
        Ok(text.0)
    }

    fn add_requests(&self, text: &mut Text) {
        text.head("bellwether_http_requests_total", "counter", "Requests answered.");
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for (Key { route, method, class }, n) in requests.iter() {
            let labels = format!("{{method=\"{method}\",route=\"{route}\",status=\"{class}xx\"}}");
            text.line("bellwether_http_requests_total", &labels, n);
        }
    }

    fn add_durations(&self, text: &mut Text) {
        let name = "bellwether_http_request_duration_seconds";
        text.head(name, "histogram", "Time from a request's head to its answer's head.");
        let durations = self.durations.lock().unwrap_or_else(PoisonError::into_inner);
        for (route, durations) in durations.iter() {
            let label = format!("route=\"{route}\"");
            let classes = SECONDS_MAX.iter().map(ToString::to_string);
            let counts = classes.zip(durations.n_by_class);
            text.histogram(name, &label, counts, durations.n, durations.sum_s);
        }
    }
}

fn add_commits(text: &mut Text, commits: Commits) {
    let name = "bellwether_commit_group_writes";
    text.head(name, "histogram", "Writes made durable together by one fsync.");
    let (&last, smaller) = commits.by_size.split_last().unwrap_or((&0, &[]));
    let classes = Commits::SIZES_MAX.iter().map(ToString::to_string);
    let n_groups = smaller.iter().sum::<u64>() + last;
    let counts = classes.zip(smaller.iter().copied());
    #[expect(clippy::cast_precision_loss, reason = "a count of writes is far below 2^53")]
    text.histogram(name, "", counts, n_groups, commits.n_writes as f64);
    let name = "bellwether_commit_failures_total";
    text.head(
        name,
        "counter",
        "Groups that could not be made durable; none of their writes was acknowledged.",
    );
    text.line(name, "", commits.n_failed);
}

/// Memory and time as the kernel counts them; left out where there is no `/proc`.
fn add_process(text: &mut Text) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    if let Some(kilobytes) = kilobytes {
        text.head("process_resident_memory_bytes", "gauge", "Memory that the process occupies.");
        text.line("process_resident_memory_bytes", "", kilobytes * 1_024);
    }
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program stands in brackets and may hold anything; the numbers come after it.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map_or(vec![], |(_, rest)| rest.split_whitespace().collect());
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
    if let (Some(user), Some(system)) = (ticks(11), ticks(12)) {
        text.head("process_cpu_seconds_total", "counter", "Processor time used.");
        text.line("process_cpu_seconds_total", "", (user + system) / TICKS_PER_SECOND);
    }
}

/// The text format of Prometheus, version 0.0.4.
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// Classes are given with their own counts and written cumulated, as the format wants.
    fn histogram(
        &mut self,
        name: &str,
        label: &str,
        counts: impl Iterator<Item = (String, u64)>,
        n: u64,
        sum: f64,
    ) {
        let comma = if label.is_empty() { "" } else { "," };
        let mut n_so_far = 0;
        for (class_max, n_in_class) in counts {
            n_so_far += n_in_class;
            let labels = format!("{{{label}{comma}le=\"{class_max}\"}}");
            self.line(&format!("{name}_bucket"), &labels, n_so_far);
        }
        self.line(&format!("{name}_bucket"), &format!("{{{label}{comma}le=\"+Inf\"}}"), n);
        let labels = if label.is_empty() { String::new() } else { format!("{{{label}}}") };
        self.line(&format!("{name}_sum"), &labels, sum);
        self.line(&format!("{name}_count"), &labels, n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_cumulated_and_nothing_is_lost_above_the_last_class() {
        let metrics = Metrics::default();
        for seconds in [0.0001, 0.0005, 0.3, 99.0] {
            metrics.add(Arc::from("/x/{id}"), "GET", StatusCode::OK, seconds);
        }
        let mut text = Text(String::new());
        metrics.add_requests(&mut text);
        metrics.add_durations(&mut text);
        let has = |line: &str| assert!(text.0.lines().any(|l| l == line), "{line}\n{}", text.0);
        has("bellwether_http_requests_total{method=\"GET\",route=\"/x/{id}\",status=\"2xx\"} 4");
        let name = "bellwether_http_request_duration_seconds";
        has(&format!("{name}_bucket{{route=\"/x/{{id}}\",le=\"0.0005\"}} 2"));
        has(&format!("{name}_bucket{{route=\"/x/{{id}}\",le=\"10\"}} 3"));
        has(&format!("{name}_bucket{{route=\"/x/{{id}}\",le=\"+Inf\"}} 4"));
        has(&format!("{name}_count{{route=\"/x/{{id}}\"}} 4"));
    }
}
