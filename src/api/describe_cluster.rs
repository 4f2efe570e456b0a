//! `DescribeCluster`, versions 0–2 (KIP-700; endpoint types KIP-919; fenced brokers KIP-1073): the brokers and the
//! addresses at which this client reaches them.

use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::{BrokerId, DescribeClusterRequest, DescribeClusterResponse};
use kafka_protocol::protocol::StrBytes;

use super::{CLUSTER_OPERATIONS, Context, Reply};
use crate::broker::endpoints::advertised;
use crate::controller::command::ApiError;
use crate::types::ErrorCode;

/// An endpoint of brokers.
const BROKERS: i8 = 1;
/// An endpoint of controllers.
const CONTROLLERS: i8 = 2;

/// Answers from the image.
pub(super) fn handle(context: Context, request: DescribeClusterRequest) -> Reply<DescribeClusterResponse> {
    if let Err(error) = check_endpoint(request.endpoint_type) {
        let response = DescribeClusterResponse::default()
            .with_error_code(error.code.code())
            .with_error_message(error.message.map(StrBytes::from_string));
        return Reply::Now(response);
    }
    let broker = &context.broker;
    let image = broker.controller.image();
    let (host, port) = advertised(&broker.config, &context.connection.listener, context.connection.local);
    let known = image.brokers().get(&broker.node_id);
    let this = DescribeClusterBroker::default()
        .with_broker_id(BrokerId(broker.node_id.0))
        .with_host(StrBytes::from_string(host))
        .with_port(i32::from(port))
        .with_rack(known.and_then(|known| known.rack.clone()).map(StrBytes::from_string));
    let mut response = DescribeClusterResponse::default()
        .with_error_message(None)
        .with_cluster_id(StrBytes::from_string(image.cluster_id.to_string()))
        .with_controller_id(BrokerId(broker.node_id.0))
        .with_brokers(vec![this]);
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = CLUSTER_OPERATIONS;
    }
    Reply::Now(response)
}

/// Clients talk to brokers here; there is no endpoint of controllers.
fn check_endpoint(endpoint: i8) -> Result<(), ApiError> {
    match endpoint {
        BROKERS => Ok(()),
        CONTROLLERS => {
            let message = "this is an endpoint of brokers, and one of controllers was asked for";
            Err(ApiError::new(ErrorCode::MismatchedEndpointType, message))
        }
        other => {
            let message = format!("endpoint type {other} is not supported");
            Err(ApiError::new(ErrorCode::UnsupportedEndpointType, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brokers_are_described() {
        let code = |endpoint| check_endpoint(endpoint).err().map(|error| error.code.code());
        assert_eq!((code(1), code(2), code(0)), (None, Some(114), Some(115)));
    }
}
