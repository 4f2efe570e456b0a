package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.Map;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;

/** Feature levels that cannot be. */
public final class Features implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        client.tell("unknown", client.admin.updateFeatures(
                Map.of("no.such.feature", new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.UPGRADE)), new UpdateFeaturesOptions()).all());
        client.tell("too high", client.admin.updateFeatures(
                Map.of("metadata.version", new FeatureUpdate((short) 999, FeatureUpdate.UpgradeType.UPGRADE)), new UpdateFeaturesOptions()).all());
    }
}
