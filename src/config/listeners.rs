//! `listeners`, `advertised.listeners` and `listener.security.protocol.map`: text in, checked values out.
//! Opens no socket and resolves no name. Controller listeners of an existing file are recognised and left out.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use super::value::ConfigError;

/// One address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The listener's name in upper case, `PLAINTEXT` unless the user named it.
    pub name: String,
    /// A host name or IP address without brackets; `None` is all interfaces.
    pub host: Option<String>,
    /// The port; 0 is any free one.
    pub port: u16,
    /// What clients are told; `None` is the address through which the client came.
    pub advertised: Option<Advertised>,
}

/// An address that clients are told to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// A host name or IP address without brackets; `None` is the address through which the client came.
    pub host: Option<String>,
    /// The port; 0 is the one that the listener is bound to.
    pub port: u16,
}

/// The values that together say where to listen.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListenerInput<'a> {
    pub(super) listeners: &'a [String],
    pub(super) advertised: &'a [String],
    /// `None` when the user did not set it.
    pub(super) protocol_map: Option<&'a str>,
    pub(super) controller_names: &'a [String],
    /// `None` when the user did not set it.
    pub(super) inter_broker_name: Option<&'a str>,
    /// `security.inter.broker.protocol`; `None` when the user did not set it.
    pub(super) inter_broker_protocol: Option<&'a str>,
}

struct Endpoint {
    name: String,
    host: String,
    port: u16,
}

const FORM: &str = "must be a list of NAME://host:port, for instance PLAINTEXT://127.0.0.1:9092";

/// Reads `NAME://host:port`, with an IPv6 address in brackets.
fn endpoint(key: &str, text: &str) -> Result<Endpoint, ConfigError> {
    let refuse = || ConfigError::new(key, text, FORM);
    let (name, address) = text.split_once("://").ok_or_else(refuse)?;
    let (host, port) = address.rsplit_once(':').ok_or_else(refuse)?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').ok_or_else(refuse)?,
        None => host,
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || "-%._:".contains(c);
    if name.trim().is_empty() || !host.chars().all(legal) {
        return Err(refuse());
    }
    let port = port
        .parse()
        .map_err(|_| ConfigError::new(key, text, format!("{FORM}; the port is from 0 to 65535")))?;
    Ok(Endpoint { name: name.trim().to_uppercase(), host: host.to_owned(), port })
}

fn is_controller(input: &ListenerInput<'_>, name: &str) -> bool {
    input.controller_names.iter().any(|controller| controller.eq_ignore_ascii_case(name))
}

/// The listeners to open, or everything that is wrong with the values.
pub(super) fn resolve(input: &ListenerInput<'_>) -> Result<Vec<Listener>, Vec<ConfigError>> {
    let mut errors = Vec::new();
    let map = input.protocol_map.map(|text| protocol_map(text, &mut errors));
    let mut listeners: Vec<Listener> = Vec::new();
    for text in input.listeners {
        match endpoint("listeners", text) {
            Ok(found) if is_controller(input, &found.name) => {}
            Ok(found) => match admit(&found, text, map.as_deref(), &listeners) {
                Ok(()) => listeners.push(Listener {
                    name: found.name,
                    host: Some(found.host).filter(|host| !host.is_empty()),
                    port: found.port,
                    advertised: None,
                }),
                Err(error) => errors.push(error),
            },
            Err(error) => errors.push(error),
        }
    }
    if listeners.is_empty() && errors.is_empty() {
        let given = input.listeners.join(",");
        errors.push(ConfigError::new(
            "listeners",
            given,
            "must name a listener for clients, like PLAINTEXT://:9092",
        ));
    }
    advertise(input, &mut listeners, &mut errors);
    check_inter_broker(input, &listeners, &mut errors);
    if errors.is_empty() { Ok(listeners) } else { Err(errors) }
}

const PROTOCOLS: [&str; 4] = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];

/// Entries `NAME:PROTOCOL`, in upper case.
fn protocol_map(text: &str, errors: &mut Vec<ConfigError>) -> Vec<(String, String)> {
    let mut map = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let pair = entry
            .rsplit_once(':')
            .map(|(name, protocol)| (name.trim().to_uppercase(), protocol.trim().to_uppercase()));
        match pair {
            Some(pair) if PROTOCOLS.contains(&pair.1.as_str()) => map.push(pair),
            _ => {
                let rule =
                    format!("must be a list of NAME:PROTOCOL with the protocols {}", PROTOCOLS.join(", "));
                errors.push(ConfigError::new("listener.security.protocol.map", text, rule));
            }
        }
    }
    map
}

/// Whether the listener can be served beside those before it.
fn admit(
    found: &Endpoint,
    text: &str,
    map: Option<&[(String, String)]>,
    before: &[Listener],
) -> Result<(), ConfigError> {
    let protocol = match map {
        Some(map) => map.iter().find(|(name, _)| *name == found.name).map(|(_, protocol)| protocol.as_str()),
        None if PROTOCOLS.contains(&found.name.as_str()) => Some(found.name.as_str()),
        None => None,
    };
    let refuse = |rule: String| Err(ConfigError::new("listeners", text, rule));
    match protocol {
        Some("PLAINTEXT") => {}
        Some(protocol) => return refuse(format!("the protocol {protocol} is not served; PLAINTEXT is")),
        None => {
            return refuse(format!("{} needs its protocol in listener.security.protocol.map", found.name));
        }
    }
    if before.iter().any(|other| other.name == found.name) {
        return refuse(format!("the name {} is used twice", found.name));
    }
    let on_port: Vec<_> = before.iter().filter(|other| found.port != 0 && other.port == found.port).collect();
    let shared = match on_port.as_slice() {
        [] => true,
        [other] => are_v4_and_v6(other.host.as_deref().unwrap_or(""), &found.host),
        _ => false,
    };
    if !shared {
        return refuse(format!(
            "the port {} is used twice; only an IPv4 and an IPv6 address can share one",
            found.port
        ));
    }
    Ok(())
}

/// Kafka's rule for two listeners on one port, whatever the system would allow.
fn are_v4_and_v6(a: &str, b: &str) -> bool {
    let kinds = |host: &str| host.parse::<std::net::IpAddr>().map(|address| address.is_ipv4());
    matches!((kinds(a), kinds(b)), (Ok(a), Ok(b)) if a != b)
}

fn advertise(input: &ListenerInput<'_>, listeners: &mut [Listener], errors: &mut Vec<ConfigError>) {
    const KEY: &str = "advertised.listeners";
    for text in input.advertised {
        let found = match endpoint(KEY, text) {
            Ok(found) => found,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        let unspecified =
            found.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_unspecified());
        if unspecified {
            errors.push(ConfigError::new(KEY, text, "must name a host that clients can reach"));
            continue;
        }
        match listeners.iter_mut().find(|listener| listener.name == found.name) {
            Some(listener) if listener.advertised.is_some() => {
                errors.push(ConfigError::new(KEY, text, format!("the name {} is used twice", found.name)));
            }
            Some(listener) => {
                let host = Some(found.host).filter(|host| !host.is_empty());
                listener.advertised = Some(Advertised { host, port: found.port });
            }
            None if is_controller(input, &found.name) => {}
            None => errors.push(ConfigError::new(KEY, text, "must use the names of listeners")),
        }
    }
}

/// One node talks to no other; what would be wrong with a real Kafka is refused here, too.
fn check_inter_broker(input: &ListenerInput<'_>, listeners: &[Listener], errors: &mut Vec<ConfigError>) {
    const KEY: &str = "inter.broker.listener.name";
    let Some(name) = input.inter_broker_name else { return };
    let mut refuse = |rule: &str| errors.push(ConfigError::new(KEY, name, rule));
    if input.inter_broker_protocol.is_some() {
        refuse("cannot be set together with security.inter.broker.protocol");
    }
    let found = listeners.iter().find(|listener| listener.name.eq_ignore_ascii_case(name));
    if found.is_some_and(|found| found.advertised.is_none()) && !input.advertised.is_empty() {
        refuse("must be one of those in advertised.listeners");
    }
    // Another error may have left the listener out.
    if found.is_none() && errors.is_empty() {
        errors.push(ConfigError::new(KEY, name, "must be the name of a listener"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        text.split(',').filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
    }

    fn run(listeners: &str, advertised: &str, map: Option<&str>) -> Result<Vec<Listener>, String> {
        let (listeners, advertised, controllers) = (list(listeners), list(advertised), list("CONTROLLER"));
        let input = ListenerInput {
            listeners: &listeners,
            advertised: &advertised,
            protocol_map: map,
            controller_names: &controllers,
            inter_broker_name: None,
            inter_broker_protocol: None,
        };
        resolve(&input)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    fn listener(name: &str, host: Option<&str>, port: u16) -> Listener {
        Listener { name: name.to_owned(), host: host.map(str::to_owned), port, advertised: None }
    }

    fn advertised_as(host: &str, port: u16) -> Advertised {
        Advertised { host: Some(host.to_owned()), port }
    }

    #[test]
    fn hosts_are_names_addresses_or_all_interfaces() {
        assert_eq!(run("PLAINTEXT://:9092", "", None), Ok(vec![listener("PLAINTEXT", None, 9092)]));
        assert_eq!(
            run("plaintext://localhost:0", "", None),
            Ok(vec![listener("PLAINTEXT", Some("localhost"), 0)])
        );
        assert_eq!(
            run("PLAINTEXT://[::1]:9092", "", None),
            Ok(vec![listener("PLAINTEXT", Some("::1"), 9092)])
        );
        assert_eq!(
            run("PLAINTEXT://127.0.0.1:9092", "", None),
            Ok(vec![listener("PLAINTEXT", Some("127.0.0.1"), 9092)])
        );
    }

    #[test]
    fn a_controller_listener_is_tolerated_and_not_opened() {
        let map = Some("PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:SASL_SSL");
        let found = run("PLAINTEXT://:9092,BROKER://:9093,CONTROLLER://:9094", "", map).unwrap();
        assert_eq!(found, vec![listener("PLAINTEXT", None, 9092), listener("BROKER", None, 9093)]);
        assert!(
            run("CONTROLLER://:9094", "", None).unwrap_err().contains("must name a listener for clients")
        );
    }

    #[test]
    fn each_listener_is_advertised_under_its_own_name() {
        let map = Some("PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT");
        let advertised = "BROKER://inside:9093,PLAINTEXT://outside:19092,CONTROLLER://c:1";
        let found = run("PLAINTEXT://:9092,BROKER://:9093", advertised, map).unwrap();
        assert_eq!(found[0].advertised, Some(advertised_as("outside", 19092)));
        assert_eq!(found[1].advertised, Some(advertised_as("inside", 9093)));
        assert!(run("PLAINTEXT://:9092", "OTHER://a:1", None).unwrap_err().contains("names of listeners"));
        assert!(run("PLAINTEXT://:9092", "PLAINTEXT://0.0.0.0:1", None).unwrap_err().contains("can reach"));
    }

    #[test]
    fn an_advertised_address_may_leave_host_and_port_to_the_listener_and_be_ipv6() {
        let found = |advertised| run("PLAINTEXT://:9092", advertised, None).unwrap()[0].advertised.clone();
        assert_eq!(found("PLAINTEXT://:19092"), Some(Advertised { host: None, port: 19092 }));
        assert_eq!(found("PLAINTEXT://outside:0"), Some(advertised_as("outside", 0)));
        assert_eq!(found("PLAINTEXT://[2001:db8::1]:1"), Some(advertised_as("2001:db8::1", 1)));
        let twice = run("PLAINTEXT://:9092", "PLAINTEXT://a:1,PLAINTEXT://b:2", None).unwrap_err();
        assert!(twice.contains("name PLAINTEXT is used twice"), "{twice}");
    }

    #[test]
    fn the_listener_among_brokers_is_an_advertised_one_and_not_also_named_by_its_protocol() {
        let check = |advertised: &str, name: &str, protocol: Option<&str>| {
            let listeners = list("A://:1,B://:2");
            let (advertised, controllers) = (list(advertised), list("CONTROLLER"));
            let input = ListenerInput {
                listeners: &listeners,
                advertised: &advertised,
                protocol_map: Some("A:PLAINTEXT,B:PLAINTEXT"),
                controller_names: &controllers,
                inter_broker_name: Some(name),
                inter_broker_protocol: protocol,
            };
            resolve(&input).map(drop).map_err(|errors| errors[0].to_string())
        };
        assert_eq!(check("", "a", None), Ok(()));
        assert_eq!(check("A://h:1", "A", None), Ok(()));
        assert!(check("B://h:1", "A", None).unwrap_err().contains("advertised.listeners"));
        assert!(check("", "CONTROLLER", None).unwrap_err().contains("the name of a listener"));
        assert!(check("", "A", Some("PLAINTEXT")).unwrap_err().contains("security.inter.broker.protocol"));
    }

    #[test]
    fn other_protocols_than_plaintext_are_refused_by_name() {
        assert!(run("SASL_SSL://:9092", "", None).unwrap_err().contains("SASL_SSL is not served"));
        assert!(run("IN://:9092", "", Some("IN:SSL")).unwrap_err().contains("SSL is not served"));
        assert!(run("IN://:9092", "", None).unwrap_err().contains("listener.security.protocol.map"));
        assert!(run("IN://:9092", "", Some("IN")).unwrap_err().contains("NAME:PROTOCOL"));
        assert!(run("IN://:9092", "", Some("IN:FOO")).unwrap_err().contains("SASL_SSL"));
        assert!(run("in://:9092", "", Some("In:plaintext")).is_ok());
    }

    #[test]
    fn a_port_or_name_is_used_once_but_ipv4_and_ipv6_may_share_a_port() {
        let map = Some("A:PLAINTEXT,B:PLAINTEXT");
        assert!(run("A://:9092,B://:9092", "", map).unwrap_err().contains("port 9092 is used twice"));
        assert!(run("A://:9092,A://:9093", "", map).unwrap_err().contains("name A is used twice"));
        assert!(run("A://127.0.0.1:9092,B://127.0.0.2:9092", "", map).is_err(), "as with Kafka");
        assert!(run("A://localhost:9092,B://[::1]:9092", "", map).is_err(), "a name may be either");
        assert!(run("A://127.0.0.1:9092,B://[::1]:9092", "", map).is_ok());
        let three = Some("A:PLAINTEXT,B:PLAINTEXT,C:PLAINTEXT");
        assert!(run("A://127.0.0.1:9092,B://[::1]:9092,C://127.0.0.2:9092", "", three).is_err());
        assert!(run("A://127.0.0.1:0,B://127.0.0.1:0", "", map).is_ok());
    }

    #[test]
    fn text_that_is_no_address_is_refused_whole() {
        for bad in [
            "9092",
            "PLAINTEXT://:x",
            "PLAINTEXT://:70000",
            "://:1",
            "PLAINTEXT://[::1:1",
            "PLAINTEXT://a b:1",
        ] {
            assert!(
                run(bad, "", None)
                    .unwrap_err()
                    .contains("NAME://host:port, for instance PLAINTEXT://127.0.0.1:9092"),
                "{bad}"
            );
        }
    }
}
