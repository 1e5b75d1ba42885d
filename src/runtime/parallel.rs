//! Work on several things at a time.

use std::panic::resume_unwind;
use std::sync::LazyLock;
use std::thread;

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// More threads than this do not help: what they read and write goes through one disk.
const MOST_THREADS: usize = 8;

/// Fewer items are worked off where they are: a thread costs as much as a short mail.
const FEW: usize = 4;

/// The threads that stay: the search states that patterns keep for each thread are many times as large as a mail, and
/// threads of their own for every step left some behind with each.
static POOL: LazyLock<Option<ThreadPool>> = LazyLock::new(|| {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let name = |_| "reader".to_owned();
    let pool = || ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build().ok();
    (threads > 1).then(pool).flatten()
});

/// Applies `work` to every item on as many threads as there are processors; the results in the order of the items.
pub fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    match &*POOL {
        Some(pool) if items.len() >= FEW => pool.install(|| items.par_iter().map(&work).collect()),
        _ => items.iter().map(work).collect(),
    }
}

/// Does both at the same time.
pub fn both<A, B: Send>(here: impl FnOnce() -> A, beside: impl FnOnce() -> B + Send) -> (A, B) {
    thread::scope(|scope| {
        let other = scope.spawn(beside);
        let result = here();
        (result, other.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_items() {
        for count in [0, 1, 3, 1000] {
            let items: Vec<usize> = (0..count).collect();
            let expected: Vec<usize> = items.iter().map(|n| n * 2).collect();
            assert_eq!(each(&items, |n| n * 2), expected);
        }
        assert_eq!(both(|| 1, || 2), (1, 2));
    }
}
