package scenarios;

import differential.Client;
import differential.Scenario;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeClusterResult;

/** The cluster, its controller and nodes. */
public final class DescribeCluster implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        DescribeClusterResult cluster = client.admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
        client.tell("nodes", cluster.nodes().get().size());
        client.tell("node", cluster.nodes().get().iterator().next().id());
        client.tell("controller", cluster.controller().get().id());
        client.tell("operations", cluster.authorizedOperations());
        client.tell("cluster id", cluster.clusterId().get().length());
    }
}
