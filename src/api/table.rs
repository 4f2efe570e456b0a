//! One row an API. A new API is one file beside this one and one row here.

use kafka_protocol::messages as m;

use super::{Api, ApiKey, Operation, call};

macro_rules! api {
    ($key:ident $min:literal..=$max:literal, $operation:ident, $request:ident => $handler:path) => {
        api!($key $min..=$max advertised $min, $operation, $request => $handler)
    };
    ($key:ident $min:literal..=$max:literal advertised $low:literal, $operation:ident, $request:ident => $handler:path) => {
        Api {
            key: ApiKey::$key,
            name: stringify!($key),
            served: ($min, $max),
            advertised_min: $low,
            operation: Operation::$operation,
            call: |context, body, correlation_id| {
                call::<m::$request, _>(
                    stringify!($key),
                    context,
                    body,
                    correlation_id,
                    $handler,
                )
            },
        }
    };
}

/// Every API that is served, by key.
pub static TABLE: &[Api] = &[];

/// The row of the API with this key.
pub fn row(key: i16) -> Option<&'static Api> {
    TABLE.iter().find(|api| api.key as i16 == key)
}
