//! Logging: one line an event to stdout, time first, as brokers log. Relies on nothing of ours and is started once.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Starts logging at the level that `directives` names (`debug`, `milena::net=trace,info`), else at `info`. Returns a
/// sentence for the log when the directives cannot be understood. A second call changes nothing.
pub fn start(directives: Option<&str>) -> Option<String> {
    let builder = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    let (filter, problem) = match builder.parse(directives.unwrap_or_default()) {
        Ok(filter) => (filter, None),
        Err(error) => {
            let given = directives.unwrap_or_default();
            (
                EnvFilter::new("info"),
                Some(format!("log level {given} is not understood, info stands: {error}")),
            )
        }
    };
    // A closed stdout must not be answered with more output.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stdout().is_terminal())
        .log_internal_errors(false)
        .with_writer(std::io::stdout)
        .try_init();
    problem
}
