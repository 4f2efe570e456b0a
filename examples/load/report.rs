//! What a command measured, as one line of JSON: numbers in the order in which they were added, and histograms of
//! latencies. Keys are the program's own plain words, so nothing needs escaping.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

/// The largest latency that a histogram tells apart.
const LATENCY_NS_MAX: u64 = 600_000_000_000;
/// Significant decimal digits of a histogram.
const DIGITS: u8 = 3;

/// Latencies in nanoseconds.
#[derive(Clone)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LATENCY_NS_MAX, DIGITS);
        #[expect(clippy::expect_used, reason = "fails on wrong bounds only, which are constants")]
        Self(histogram.expect("bounds that the histogram accepts"))
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(latency.as_nanos() as u64);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for value in other.0.iter_recorded() {
            self.0.saturating_record_n(value.value_iterated_to(), value.count_since_last_iteration());
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency below which this part (0 to 1) of all lie.
    pub(crate) fn quantile(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_quantile(quantile))
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |quantile| self.quantile(quantile).as_secs_f64() * 1e6;
        write!(out, r#"{{"count":{},"p50_us":{:.3},"#, self.count(), micros(0.5))?;
        write!(out, r#""p99_us":{:.3},"p999_us":{:.3},"#, micros(0.99), micros(0.999))?;
        write!(out, r#""max_us":{:.3},"mean_us":{:.3}}}"#, self.0.max() as f64 / 1e3, self.0.mean() / 1e3)
    }
}

/// A JSON object under construction.
#[derive(Default)]
pub(crate) struct Report(Vec<(&'static str, String)>);

impl Report {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn count(mut self, key: &'static str, value: u64) -> Self {
        self.0.push((key, value.to_string()));
        self
    }

    /// A time, in seconds.
    pub(crate) fn seconds(mut self, key: &'static str, value: Duration) -> Self {
        self.0.push((key, format!("{:.6}", value.as_secs_f64())));
        self
    }

    pub(crate) fn latencies(mut self, key: &'static str, value: &Latencies) -> Self {
        self.0.push((key, value.to_string()));
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<String> = self.0.iter().map(|(key, value)| format!(r#""{key}":{value}"#)).collect();
        write!(out, "{{{}}}", fields.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_line_of_json_in_the_order_of_its_fields() {
        let mut latencies = Latencies::new();
        for micros in 1..=1000 {
            latencies.record(Duration::from_micros(micros));
        }
        let report = Report::new()
            .count("records", 7)
            .seconds("seconds", Duration::from_millis(1500))
            .latencies("ack", &latencies);
        assert_eq!(
            report.to_string(),
            r#"{"records":7,"seconds":1.500000,"ack":{"count":1000,"p50_us":500.223,"p99_us":990.207,"#
                .to_owned()
                + r#""p999_us":999.423,"max_us":1000.447,"mean_us":500.505}}"#
        );
    }

    #[test]
    fn no_latency_at_all_is_a_histogram_of_zeros() {
        let expected =
            r#"{"count":0,"p50_us":0.000,"p99_us":0.000,"p999_us":0.000,"max_us":0.000,"mean_us":0.000}"#;
        assert_eq!(Latencies::new().to_string(), expected);
    }

    #[test]
    fn added_latencies_count_beside_those_that_were_there() {
        let (mut all, mut more) = (Latencies::new(), Latencies::new());
        all.record(Duration::from_micros(10));
        more.record(Duration::from_millis(10));
        more.record(Duration::from_millis(10));
        all.add(&more);
        assert_eq!(all.count(), 3);
        assert!(all.quantile(0.9) >= Duration::from_millis(10));
    }
}
