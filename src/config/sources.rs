//! Where values come from: a Java properties file, `KAFKA_…` variables, `key=value` arguments. Text in, pairs out;
//! what a key means is not known here. Any input gives pairs or an error, never a panic.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::BTreeMap;

/// Variables that the `apache/kafka` image keeps for its own scripts and that are therefore no configuration.
const NOT_CONFIGURATION: [&str; 11] = [
    "KAFKA_VERSION",
    "KAFKA_HEAP_OPTS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_OPTS",
    "KAFKA_JMX_OPTS",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
    "KAFKA_JMX_HOSTNAME",
];

/// Reads a Java properties file: comments, continued lines, escapes, and `=`, `:` or space between key and value.
/// The last of several values of a key stands. Bytes that are not UTF-8 are read as Latin-1. Returns by key the value and
/// the number of its (first) line; the error names the line.
pub(super) fn properties(bytes: &[u8]) -> Result<BTreeMap<String, (String, usize)>, String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    };
    let mut pairs = BTreeMap::new();
    for (number, line) in logical_lines(text.strip_prefix('\u{feff}').unwrap_or(&text)) {
        let (key, value) = split(&line);
        let read = |part| unescape(part).map_err(|problem| format!("line {number}: {problem}"));
        pairs.insert(read(key)?, (read(value)?, number));
    }
    Ok(pairs)
}

const BLANK: [char; 3] = [' ', '\t', '\u{c}'];

/// Lines without comments and blank ones, continued lines joined, each with the number of its first line.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    for (number, natural) in (1..).zip(unified.split('\n')) {
        let natural = natural.trim_start_matches(BLANK);
        let (start, mut line) = match open.take() {
            Some(begun) => begun,
            None if natural.is_empty() || natural.starts_with(['#', '!']) => continue,
            None => (number, String::new()),
        };
        let slashes = natural.bytes().rev().take_while(|&byte| byte == b'\\').count();
        if slashes.is_multiple_of(2) {
            line.push_str(natural);
            lines.push((start, line));
        } else {
            line.push_str(natural.strip_suffix('\\').unwrap_or(natural));
            open = Some((start, line));
        }
    }
    lines.extend(open);
    lines
}

/// Cuts a line at its first unescaped `=`, `:` or blank.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == '=' || c == ':' || BLANK.contains(&c) {
            let (key, rest) = line.split_at(at);
            let rest = rest.trim_start_matches(BLANK);
            let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
            return (key, rest.trim_start_matches(BLANK));
        }
    }
    (line, "")
}

/// Resolves escapes. Built of UTF-16 units, because `\uD83D\uDE00` is one character in two escapes.
fn unescape(text: &str) -> Result<String, String> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some('u') => {
                    units.push(hex_unit(&chars.by_ref().take(4).collect::<String>())?);
                    continue;
                }
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some(other) => other,
                None => break,
            },
            plain => plain,
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    Ok(String::from_utf16_lossy(&units))
}

fn hex_unit(digits: &str) -> Result<u16, String> {
    let all_hex = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unit = u16::from_str_radix(digits, 16).ok().filter(|_| all_hex);
    unit.ok_or_else(|| format!("\\u{digits} is no escape: \\u takes four hex digits"))
}

/// The configuration in `KAFKA_…` variables, named as the `apache/kafka` image does: lower case, `_` for a dot, `__`
/// for an underscore, `___` for a dash. Other variables are left out.
pub(super) fn environment(variables: &[(String, String)]) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    for (name, value) in variables {
        if let Some(key) = key_of_variable(name) {
            pairs.insert(key, value.clone());
        }
    }
    pairs
}

/// The key that the variable `name` sets; `None` when it is no configuration.
pub(super) fn key_of_variable(name: &str) -> Option<String> {
    let rest = name.strip_prefix("KAFKA_").filter(|_| !NOT_CONFIGURATION.contains(&name))?;
    Some(rest.to_lowercase().replace('_', ".").replace("...", "-").replace("..", "_"))
}

/// Reads one `key=value` argument.
pub(super) fn argument(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    let key = key.trim();
    (!key.is_empty()).then(|| (key.to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let pairs = properties(text.as_bytes()).unwrap();
        pairs.into_iter().map(|(key, (value, _))| (key, value)).collect()
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn equals_colon_and_space_separate_key_and_value() {
        for line in ["k=v", "k:v", "k v", "  k \t=  v", "k = v", "k : v"] {
            assert_eq!(read(line), vec![pair("k", "v")], "{line}");
        }
        assert_eq!(read("k"), vec![pair("k", "")]);
        assert_eq!(read("k==v"), vec![pair("k", "=v")]);
        assert_eq!(read("listeners=PLAINTEXT://:9092"), vec![pair("listeners", "PLAINTEXT://:9092")]);
        assert_eq!(read("a\\=b=c"), vec![pair("a=b", "c")]);
    }

    #[test]
    fn comments_and_blank_lines_are_left_out_and_the_last_value_stands() {
        assert_eq!(read("# a=1\n  ! b=2\n\n \t\nc=3\r\nd=4\rc=5"), vec![pair("c", "5"), pair("d", "4")]);
    }

    #[test]
    fn a_line_that_ends_with_a_backslash_goes_on_without_leading_space() {
        assert_eq!(read("k=a,\\\n   b,\\\r\n\tc\nl=1"), vec![pair("k", "a,b,c"), pair("l", "1")]);
        assert_eq!(read("k=a\\\\\nl=1"), vec![pair("k", "a\\"), pair("l", "1")]);
        assert_eq!(read("k=a\\\n# no comment"), vec![pair("k", "a# no comment")]);
        assert_eq!(read("k=a\\"), vec![pair("k", "a")]);
    }

    #[test]
    fn escapes_are_javas() {
        assert_eq!(read("k=\\u00e4\\t\\n\\z\\\\"), vec![pair("k", "\u{e4}\t\nz\\")]);
        assert_eq!(read("k=\\ud83d\\ude00"), vec![pair("k", "\u{1f600}")]);
        assert_eq!(
            properties(b"a=1\nk=\\u12"),
            Err("line 2: \\u12 is no escape: \\u takes four hex digits".to_owned())
        );
        assert!(properties(b"k=\\u+123").is_err());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_latin1() {
        assert_eq!(properties(b"k=\xe4").unwrap()["k"].0, "\u{e4}");
        assert_eq!(properties("k=\u{e4}".as_bytes()).unwrap()["k"].0, "\u{e4}");
    }

    #[test]
    fn variables_map_as_in_the_image() {
        let variables = [
            ("KAFKA_NUM_PARTITIONS", "3"),
            ("KAFKA_LISTENER_NAME_A___B_SASL__X", "v"),
            ("KAFKA_HEAP_OPTS", "-Xmx1g"),
            ("KAFKA_OPTS", "-D"),
            ("PATH", "/bin"),
        ];
        let variables: Vec<_> = variables.iter().map(|(name, value)| pair(name, value)).collect();
        let found: Vec<_> = environment(&variables).into_iter().collect();
        assert_eq!(found, vec![pair("listener.name.a-b.sasl_x", "v"), pair("num.partitions", "3")]);
    }

    #[test]
    fn an_argument_needs_a_key_and_an_equals_sign() {
        assert_eq!(argument("a=b=c"), Some(pair("a", "b=c")));
        assert_eq!(argument("a="), Some(pair("a", "")));
        assert_eq!(argument("=b"), None);
        assert_eq!(argument("a"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_give_pairs_or_an_error(bytes: Vec<u8>) {
            let _ = properties(&bytes);
        }

        #[test]
        fn any_text_with_its_specials_escaped_is_read_back(key in "[a-z.= :#!\\\\]{1,12}", value in "\\PC{0,20}") {
            let unit = |unit: u16| format!("\\u{unit:04x}");
            let escape = |text: &str| text.encode_utf16().map(unit).collect::<Vec<_>>().concat();
            let read = properties(format!("{}={}", escape(&key), escape(&value)).as_bytes()).unwrap();
            proptest::prop_assert_eq!(read, BTreeMap::from([(key, (value, 1))]));
        }
    }
}
