package milena.versions;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Groups: members that come and go, offsets that are committed and reset. */
class GroupTest {
    private static final String RANGE = "org.apache.kafka.clients.consumer.RangeAssignor";

    @ParameterizedTest
    @ValueSource(strings = {"Range", "RoundRobin", "Sticky"})
    void membersThatJoinAndLeaveShareThePartitions(String assignor) throws Exception {
        try (Group group = new Group("org.apache.kafka.clients.consumer." + assignor + "Assignor")) {
            Members.comeAndGo(group, assignor.toLowerCase());
        }
    }

    @Test
    void anEagerRebalanceTakesEveryPartitionAwayFirst() throws Exception {
        try (Group group = new Group(RANGE)) {
            Members.assertBeginsOfWhatStays(group, 2);
        }
    }

    @Test
    void aGroupGoesOnWhereItCommitted() throws Exception {
        try (Group group = new Group(RANGE)) {
            Member first = group.join("first");
            List<String> before = group.send("before");
            group.assertHandled(before, "first");
            first.close();
            List<String> meanwhile = group.send("meanwhile");

            group.join("second");
            group.assertHandled(meanwhile, "second");
            group.assertHandled(before, "first");
        }
    }

    @Test
    void aGroupBeginsAgainWhereItsOffsetsWereResetTo() throws Exception {
        try (Group group = new Group(RANGE)) {
            Member first = group.join("first");
            List<String> sent = group.send("v");
            group.assertHandled(sent, "first");
            first.close();
            group.awaitEmpty();

            Map<TopicPartition, Long> wanted = new HashMap<>();
            for (TopicPartition partition : Clients.partitions(group.topic, Group.PARTITIONS)) {
                wanted.put(partition, (long) partition.partition());
            }
            Version.reset(group.admin, group.id, wanted);
            assertEquals(wanted, group.committed());

            group.join("second");
            group.awaitCommitted();
            for (int i = 0; i < sent.size(); i++) {
                boolean again = i / Group.PARTITIONS >= i % Group.PARTITIONS;
                assertEquals(again ? 2 : 1, group.times(sent.get(i)), sent.get(i));
            }
        }
    }

    /** What tests of several assignors do. */
    static final class Members {
        static void comeAndGo(Group group, String protocol) throws Exception {
            Member first = group.join("first");
            group.awaitMembers("first");
            List<String> alone = group.send("alone");
            group.assertHandled(alone, "first");

            group.join("second");
            group.awaitMembers("first", "second");
            assertEquals(protocol, group.describe().partitionAssignor());
            List<String> both = group.send("both");
            group.assertHandled(both, "first", "second");

            first.close();
            group.awaitMembers("second");
            List<String> rest = group.send("rest");
            group.assertHandled(rest, "second");
            group.assertHandled(alone, "first");
            group.assertHandled(both, "first", "second");
        }

        static void assertBeginsOfWhatStays(Group group, int begins) throws Exception {
            Member first = group.join("first");
            group.awaitMembers("first");
            group.assertHandled(group.send("alone"), "first");
            group.join("second");
            Map<String, Set<Integer>> shares = group.awaitMembers("first", "second");
            group.assertHandled(group.send("both"), "first", "second");

            for (int stays : shares.get("first")) {
                assertEquals(begins, first.begins(stays));
            }
            for (int went : shares.get("second")) {
                assertEquals(1, first.begins(went));
            }
        }

        private Members() {}
    }
}
