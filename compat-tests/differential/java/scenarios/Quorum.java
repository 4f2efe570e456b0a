package scenarios;

import differential.Client;
import differential.Scenario;

/** The metadata quorum of a single node. */
public final class Quorum implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        var quorum = client.admin.describeMetadataQuorum().quorumInfo().get();
        client.tell("leader", quorum.leaderId());
        client.tell("voters", quorum.voters().size());
        client.tell("observers", quorum.observers().size());
        client.tell("voter", quorum.voters().get(0).replicaId());
    }
}
