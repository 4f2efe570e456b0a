//! Keys of subscriptions to client metrics.
use super::Effect::Inert;
use super::Update::ClusterWide;
use super::{Key, row};
use crate::config::value::Kind::{Int, List};
use crate::config::value::Valid::Any;

#[rustfmt::skip] // A table is read by its columns.
pub(super) const KEYS: &[Key] = &[
    row("interval.ms", Int, Some("300000"), Any, ClusterWide, Inert,
        "Pause between two reports of a client's metrics, from 100 to 3600000."),
    row("match", List, Some(""), Any, ClusterWide, Inert,
        "Which clients report, as selector=regular expression."),
    row("metrics", List, Some(""), Any, ClusterWide, Inert,
        "Which metrics are reported, by prefixes of their names; * is all."),
];
