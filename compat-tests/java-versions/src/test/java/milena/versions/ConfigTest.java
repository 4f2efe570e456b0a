package milena.versions;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.junit.jupiter.api.Test;

/** Configurations of topics. */
class ConfigTest {
    static String config(AdminClient admin, String topic, String key) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).get(key).value();
    }

    private static void await(AdminClient admin, String topic, String key, String value) throws Exception {
        Clients.until(() -> key + " is " + value, () -> value.equals(config(admin, topic, key)));
    }

    @Test
    void configsAreDescribedWithTheirDefaults() throws Exception {
        String topic = Clients.topic(1);
        try (AdminClient admin = Clients.admin()) {
            assertEquals("604800000", config(admin, topic, "retention.ms"));
            assertEquals("delete", config(admin, topic, "cleanup.policy"));
        }
    }

    @Test
    void aConfigIsAltered() throws Exception {
        String topic = Clients.topic(1);
        try (AdminClient admin = Clients.admin()) {
            Version.alter(admin, topic, "retention.ms", "3600000").get();
            await(admin, topic, "retention.ms", "3600000");
            Clients.refused(InvalidConfigurationException.class, Version.alter(admin, topic, "retention.ms", "soon"));
            assertEquals("3600000", config(admin, topic, "retention.ms"));
        }
    }
}
