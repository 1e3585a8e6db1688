//! Work shared between threads without a pool: tasks are numbered, and results come back in
//! order, so that no result depends on how many threads there were.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs `task(0)`, `task(1)`, … on at most `threads` threads and returns the results in order.
///
/// A panic in a task is passed on.
pub(crate) fn map<T: Send>(
    threads: usize,
    n_tasks: usize,
    task: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let threads = threads.min(n_tasks);
    if threads <= 1 {
        return (0..n_tasks).map(task).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= n_tasks {
                return done;
            }
            done.push((at, task(at)));
        }
    };
    let mut results: Vec<(usize, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        let mut results = worker();
        for worker in workers {
            match worker.join() {
                Ok(done) => results.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    results.sort_unstable_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}
