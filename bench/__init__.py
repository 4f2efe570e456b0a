"""A benchmark that runs Milena beside Apache Kafka; `scripts/bench` is its command, docs/performance.md its manual."""
