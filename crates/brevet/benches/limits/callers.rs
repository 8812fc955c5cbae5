//! Callers who do one command after the other until their round is over, and how many they get done together.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::runtime::Runtime;

use super::bare::Step;
use super::measure::{clock, float};

type Failure = Box<dyn std::error::Error>;
/// Why a caller gave up, on its way from one thread to another.
pub(crate) type GivenUp = Box<dyn std::error::Error + Send + Sync>;

/// A bare program with a queue in front of it.
pub(crate) trait BareProgram: Send + Sync + 'static {
    /// Does one step of a story; ends when it is durable.
    fn write(&self, step: Step, id: i64) -> impl Future<Output = Result<(), &'static str>> + Send;
}

/// Commands per second of so many callers at once. Each answers how many it got done.
pub(crate) fn rate<F>(runtime: &Runtime, callers: u32, call: impl Fn(u32) -> F) -> Result<f64, Failure>
where
    F: Future<Output = Result<u64, GivenUp>> + Send + 'static,
{
    let start = clock();
    let done = runtime.block_on(async {
        let mut done = 0;
        for caller in (0..callers).map(|caller| tokio::spawn(call(caller))).collect::<Vec<_>>() {
            done += caller.await?.map_err(|error| error.to_string())?;
        }
        Ok::<u64, Failure>(done)
    })?;
    Ok(float(done) / start.elapsed().as_secs_f64())
}

/// The same of a bare program; `next` is the number of the next story.
pub(crate) fn bare_rate<P: BareProgram>(
    runtime: &Runtime,
    bare: &Arc<P>,
    next: &Arc<AtomicI64>,
    callers: u32,
    round: Duration,
) -> Result<f64, Failure> {
    rate(runtime, callers, |_| {
        let (bare, next) = (Arc::clone(bare), Arc::clone(next));
        async move {
            let (start, mut done) = (clock(), 0);
            while start.elapsed() < round {
                let id = next.fetch_add(1, Ordering::Relaxed);
                for step in [Step::Submit, Step::Approve, Step::Revoke] {
                    bare.write(step, id).await?;
                    done += 1;
                }
            }
            Ok(done)
        }
    })
}
