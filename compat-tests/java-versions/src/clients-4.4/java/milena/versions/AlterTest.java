package milena.versions;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.junit.jupiter.api.Test;

/** Configurations that are altered. */
class AlterTest {
    private static void await(AdminClient admin, String topic, String key, String value) throws Exception {
        Clients.until(() -> key + " is " + value, () -> value.equals(ConfigTest.config(admin, topic, key)));
    }

    @Test
    void aConfigIsAltered() throws Exception {
        String topic = Clients.topic(1);
        try (AdminClient admin = Clients.admin()) {
            Version.alter(admin, topic, "retention.ms", "3600000").get();
            await(admin, topic, "retention.ms", "3600000");
            Clients.refused(InvalidConfigurationException.class, Version.alter(admin, topic, "retention.ms", "soon"));
            assertEquals("3600000", ConfigTest.config(admin, topic, "retention.ms"));
        }
    }
}
