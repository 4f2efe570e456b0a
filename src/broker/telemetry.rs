//! What the broker remembers of clients that asked about telemetry (KIP-714): who may push, and when. A pure, bounded
//! cache; it never looks into metrics.

use std::collections::HashMap;

use uuid::Uuid;

use crate::types::{ErrorCode, Now};

/// Milliseconds between two pushes of a client, as long as no subscription says otherwise.
pub const PUSH_INTERVAL_MS: i32 = 300_000;
/// Bytes of metrics that one push may carry (`telemetry.max.bytes` in Kafka).
pub const TELEMETRY_BYTES_MAX: usize = 1024 * 1024;
/// Clients that are remembered; those that were silent for longest go first.
const CLIENTS_MAX: usize = 16_384;
const FORGOTTEN_AT_ONCE: usize = 1024;
/// The highest id of a codec (zstd).
const CODEC_MAX: i8 = 4;

/// What of a push is judged.
#[derive(Clone, Copy, Debug)]
pub struct Push {
    /// The subscription that it answers.
    pub subscription_id: i32,
    /// Whether the client goes away after it.
    pub terminating: bool,
    /// The codec of its metrics.
    pub codec: i8,
    /// How long its metrics are.
    pub bytes: usize,
}

/// One client instance.
#[derive(Clone, Copy, Debug, Default)]
struct Client {
    /// When it asked for its subscriptions, monotonic milliseconds.
    asked_ms: Option<i64>,
    /// When it pushed.
    pushed_ms: Option<i64>,
    terminating: bool,
}

impl Client {
    fn last_ms(&self) -> Option<i64> {
        self.asked_ms.max(self.pushed_ms)
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Telemetry {
    clients: HashMap<Uuid, Client>,
}

impl Telemetry {
    /// A client asks what to push.
    ///
    /// # Errors
    /// `THROTTLING_QUOTA_EXCEEDED` within an interval of its last request.
    pub fn ask(&mut self, id: Uuid, now: Now) -> Result<(), ErrorCode> {
        let client = self.client(id);
        if is_recent(client.last_ms(), now) {
            return Err(ErrorCode::ThrottlingQuotaExceeded);
        }
        client.asked_ms = Some(now.mono_ms);
        Ok(())
    }

    /// A client pushes.
    ///
    /// # Errors
    /// `INVALID_REQUEST` without an id or after a push that was said to be its last, `THROTTLING_QUOTA_EXCEEDED` for a
    /// second one within an interval, `UNKNOWN_SUBSCRIPTION_ID`, `UNSUPPORTED_COMPRESSION_TYPE`, `TELEMETRY_TOO_LARGE`.
    pub fn push(&mut self, id: Uuid, push: Push, now: Now) -> Result<(), ErrorCode> {
        if id.is_nil() {
            return Err(ErrorCode::InvalidRequest);
        }
        let client = self.client(id);
        if client.terminating {
            return Err(ErrorCode::InvalidRequest);
        }
        // The first push after a question is not held back.
        let may_push = client.asked_ms > client.pushed_ms || !is_recent(client.pushed_ms, now);
        if may_push {
            client.pushed_ms = Some(now.mono_ms);
        } else if !push.terminating {
            return Err(ErrorCode::ThrottlingQuotaExceeded);
        }
        client.terminating = push.terminating;
        if push.subscription_id != subscription_id(id) {
            return Err(ErrorCode::UnknownSubscriptionId);
        }
        if !(0..=CODEC_MAX).contains(&push.codec) {
            return Err(ErrorCode::UnsupportedCompressionType);
        }
        if push.bytes > TELEMETRY_BYTES_MAX {
            return Err(ErrorCode::TelemetryTooLarge);
        }
        Ok(())
    }

    fn client(&mut self, id: Uuid) -> &mut Client {
        if self.clients.len() >= CLIENTS_MAX && !self.clients.contains_key(&id) {
            self.forget_silent();
        }
        self.clients.entry(id).or_default()
    }

    /// Makes room for many, because it looks at all: every client without an id is a new one.
    fn forget_silent(&mut self) {
        let mut by_age: Vec<_> = self.clients.iter().map(|(id, client)| (client.last_ms(), *id)).collect();
        if FORGOTTEN_AT_ONCE < by_age.len() {
            by_age.select_nth_unstable(FORGOTTEN_AT_ONCE);
        }
        for (_, id) in by_age.iter().take(FORGOTTEN_AT_ONCE) {
            self.clients.remove(id);
        }
    }
}

fn is_recent(last_ms: Option<i64>, now: Now) -> bool {
    last_ms.is_some_and(|last| now.mono_ms.saturating_sub(last) < i64::from(PUSH_INTERVAL_MS))
}

/// The id of what a client is subscribed to, which is nothing: another one for each client.
pub fn subscription_id(client: Uuid) -> i32 {
    crc32c::crc32c(client.as_bytes()).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(id: Uuid) -> Push {
        Push { subscription_id: subscription_id(id), terminating: false, codec: 4, bytes: 10 }
    }

    #[test]
    fn a_client_asks_and_pushes_once_an_interval() {
        let (mut telemetry, id) = (Telemetry::default(), Uuid::from_u128(7));
        let at = |ms| Now::default().after_ms(ms);
        assert_eq!(telemetry.ask(id, at(0)), Ok(()));
        assert_eq!(telemetry.ask(id, at(299_999)), Err(ErrorCode::ThrottlingQuotaExceeded));
        assert_eq!(telemetry.push(id, push(id), at(1)), Ok(()));
        assert_eq!(telemetry.push(id, push(id), at(2)), Err(ErrorCode::ThrottlingQuotaExceeded));
        assert_eq!(telemetry.ask(id, at(300_000)), Err(ErrorCode::ThrottlingQuotaExceeded));
        assert_eq!(telemetry.push(id, push(id), at(300_001)), Ok(()));
        assert_eq!(telemetry.ask(id, at(600_001)), Ok(()));
    }

    #[test]
    fn the_last_push_may_come_early_and_nothing_after_it() {
        let (mut telemetry, id) = (Telemetry::default(), Uuid::from_u128(7));
        telemetry.push(id, push(id), Now::default()).unwrap();
        let last = Push { terminating: true, ..push(id) };
        assert_eq!(telemetry.push(id, last, Now::default()), Ok(()));
        let later = Now::default().after_ms(600_000);
        assert_eq!(telemetry.push(id, last, later), Err(ErrorCode::InvalidRequest));
        assert_eq!(telemetry.ask(id, later), Ok(()));
    }

    #[test]
    fn what_does_not_fit_the_subscription_is_refused() {
        let cases = [
            (Push { subscription_id: 1, ..push(Uuid::from_u128(1)) }, ErrorCode::UnknownSubscriptionId),
            (Push { codec: 5, ..push(Uuid::from_u128(2)) }, ErrorCode::UnsupportedCompressionType),
            (Push { codec: -1, ..push(Uuid::from_u128(3)) }, ErrorCode::UnsupportedCompressionType),
            (Push { bytes: (1 << 20) + 1, ..push(Uuid::from_u128(4)) }, ErrorCode::TelemetryTooLarge),
        ];
        let mut telemetry = Telemetry::default();
        for (id, (push, code)) in (1..).zip(cases) {
            assert_eq!(telemetry.push(Uuid::from_u128(id), push, Now::default()), Err(code));
        }
        assert_eq!(
            telemetry.push(Uuid::nil(), push(Uuid::nil()), Now::default()),
            Err(ErrorCode::InvalidRequest)
        );
    }

    #[test]
    fn the_clients_that_were_silent_for_longest_are_forgotten_many_at_once() {
        let mut telemetry = Telemetry::default();
        for id in 0..=CLIENTS_MAX as u128 {
            telemetry.ask(Uuid::from_u128(id + 1), Now::default().after_ms(id as i64)).unwrap();
        }
        assert_eq!(telemetry.clients.len(), CLIENTS_MAX - FORGOTTEN_AT_ONCE + 1);
        let knows = |id: usize| telemetry.clients.contains_key(&Uuid::from_u128(id as u128));
        assert!(!knows(1) && !knows(FORGOTTEN_AT_ONCE));
        assert!(knows(FORGOTTEN_AT_ONCE + 1) && knows(CLIENTS_MAX) && knows(CLIENTS_MAX + 1));
    }
}
