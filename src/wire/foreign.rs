//! Other protocols that reach a Kafka listener by mistake, told by their first bytes. Looks at bytes alone and never
//! fails: what it does not know is none of them.

/// What a client speaks that does not speak Kafka's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    /// A browser, a health check, a proxy.
    #[error("it speaks HTTP, and this port serves Kafka's protocol: use a Kafka client")]
    Http,
    /// A client that is configured for SSL or SASL_SSL.
    #[error(
        "it begins a TLS handshake, and this is a plaintext listener: set security.protocol=PLAINTEXT in the client"
    )]
    Tls,
}

/// What the requests of HTTP/1, and the preface of HTTP/2, begin with.
const HTTP: [&[u8]; 10] =
    [b"GET ", b"HEAD", b"POST", b"PUT ", b"DELE", b"OPTI", b"PATC", b"CONN", b"TRAC", b"PRI "];
/// A TLS record of a handshake, of any version that there is.
const TLS_HANDSHAKE: [u8; 2] = [0x16, 0x03];
const TLS_MINOR_MAX: u8 = 4;

/// Tells by the first bytes of a connection; `None` for Kafka's protocol, for what is unknown, and for fewer than four.
pub fn recognise(first: &[u8]) -> Option<Foreign> {
    let head = first.first_chunk::<4>()?;
    if HTTP.contains(&&head[..]) {
        return Some(Foreign::Http);
    }
    let [kind, major, minor, _] = *head;
    ([kind, major] == TLS_HANDSHAKE && minor <= TLS_MINOR_MAX).then_some(Foreign::Tls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_and_tls_are_told_by_their_first_bytes() {
        assert_eq!(recognise(b"GET / HTTP/1.1\r\n"), Some(Foreign::Http));
        assert_eq!(recognise(b"PRI * HTTP/2.0\r\n"), Some(Foreign::Http));
        assert_eq!(recognise(&[0x16, 3, 1, 2, 0, 1]), Some(Foreign::Tls));
        assert_eq!(recognise(&[0x16, 3, 3, 0]), Some(Foreign::Tls));
    }

    #[test]
    fn requests_and_other_bytes_are_neither() {
        for bytes in [&b""[..], b"GET", b"SSH-2.0-x", &[0, 0, 0, 16, 0, 18, 0, 3], &[0x16, 3, 9, 0]] {
            assert_eq!(recognise(bytes), None, "{bytes:?}");
        }
    }
}
