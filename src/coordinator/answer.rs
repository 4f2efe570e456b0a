//! An answer that may come later. The effect it tells of has happened already: dropping an answer undoes nothing.

use std::future::{Future, ready};
use std::pin::Pin;

use crate::types::ErrorCode;

/// A future that can be sent between threads and owns what it needs.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// What the coordinator answers; an `Err` stands for the whole request (`NOT_COORDINATOR`, …).
pub enum Answer<T> {
    /// Decided, and what it was decided on is committed.
    Ready(Result<T, ErrorCode>),
    /// Waits for other members, or for the log.
    Later(BoxFuture<Result<T, ErrorCode>>),
}

impl<T: Send + 'static> Answer<T> {
    /// A refusal that needs no shard.
    pub const fn refused(error: ErrorCode) -> Self {
        Self::Ready(Err(error))
    }

    /// Waits for the answer.
    pub async fn wait(self) -> Result<T, ErrorCode> {
        match self {
            Self::Ready(result) => result,
            Self::Later(future) => future.await,
        }
    }

    /// The answer as a future.
    pub fn into_future(self) -> BoxFuture<Result<T, ErrorCode>> {
        match self {
            Self::Ready(result) => Box::pin(ready(result)),
            Self::Later(future) => future,
        }
    }

    /// The answer translated; a ready one stays ready.
    pub fn map<U: Send + 'static>(
        self,
        translate: impl FnOnce(Result<T, ErrorCode>) -> Result<U, ErrorCode> + Send + 'static,
    ) -> Answer<U> {
        match self {
            Self::Ready(result) => Answer::Ready(translate(result)),
            Self::Later(future) => Answer::Later(Box::pin(async move { translate(future.await) })),
        }
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready(result) => f.debug_tuple("Ready").field(result).finish(),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}
