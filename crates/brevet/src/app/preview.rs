//! What a change of the policies would do, found out on a copy of the state.

use brevet_core::{Origin, PolicyStep, Preview, preview};

use super::error::AppError;
use super::{App, World};

/// Copies of the state that are looked at, at once: each is as large as the state.
pub(super) const PREVIEWS_AT_ONCE: usize = 1;

impl<W: World> App<W> {
    /// Says what a step would do now, or why it would be refused. Nothing is written, and no thread that answers others is
    /// kept from it.
    pub async fn preview(&self, origin: Origin, step: PolicyStep) -> Result<Preview, AppError> {
        let app = self.clone();
        let previewing = std::sync::Arc::clone(&self.inner.previewing);
        let looking = previewing.acquire_owned().await.map_err(|_| AppError::Stopping)?;
        let look = move || {
            // Until it is over, also where nobody waits for it any more.
            let _looking = looking;
            let copy = app.read(Clone::clone);
            preview(copy, app.now(), origin, step)
        };
        Ok(tokio::task::spawn_blocking(look).await.map_err(|_| AppError::Stopping)??)
    }
}
