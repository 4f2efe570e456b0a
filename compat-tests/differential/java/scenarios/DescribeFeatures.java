package scenarios;

import differential.Client;
import differential.Scenario;

/** Features that clients look at. */
public final class DescribeFeatures implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        client.tell("metadata.version", client.admin.describeFeatures().featureMetadata().get().finalizedFeatures().get("metadata.version"));
        client.tell("finalized epoch", client.admin.describeFeatures().featureMetadata().get().finalizedFeaturesEpoch().isPresent());
    }
}
