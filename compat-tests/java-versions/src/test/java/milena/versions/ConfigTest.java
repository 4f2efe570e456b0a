package milena.versions;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;

/** Configurations of topics. */
class ConfigTest {
    static String config(AdminClient admin, String topic, String key) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).get(key).value();
    }

    @Test
    void configsAreDescribedWithTheirDefaults() throws Exception {
        String topic = Clients.topic(1);
        try (AdminClient admin = Clients.admin()) {
            assertEquals("604800000", config(admin, topic, "retention.ms"));
            assertEquals("delete", config(admin, topic, "cleanup.policy"));
        }
    }
}
