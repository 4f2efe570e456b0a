package milena.versions;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Groups with what came after 2.1: static members (2.3) and cooperative rebalances (2.4). */
class NewerGroupTest {
    private static final String COOPERATIVE = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";

    @Test
    void membersOfACooperativeGroupThatJoinAndLeaveShareThePartitions() throws Exception {
        try (Group group = new Group(COOPERATIVE)) {
            GroupTest.Members.comeAndGo(group, "cooperative-sticky");
        }
    }

    @Test
    void aCooperativeRebalanceLeavesAloneWhatStays() throws Exception {
        try (Group group = new Group(COOPERATIVE)) {
            GroupTest.Members.assertBeginsOfWhatStays(group, 1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"org.apache.kafka.clients.consumer.RangeAssignor", COOPERATIVE})
    void aStaticMemberThatStartsAgainCausesNoRebalance(String assignor) throws Exception {
        try (Group group = new Group(assignor)) {
            Member stays = group.join("stays", "group.instance.id", "a");
            group.awaitMembers("stays");
            Member returns = group.join("returns", "group.instance.id", "b");
            Map<String, Set<Integer>> before = group.awaitMembers("stays", "returns");
            group.assertHandled(group.send("before"), "stays", "returns");
            int generation = stays.generation();

            returns.close();
            List<String> meanwhile = group.send("meanwhile");
            Member again = group.join("returns", "group.instance.id", "b");
            group.assertHandled(meanwhile, "stays", "returns");

            assertEquals(before, group.awaitMembers("stays", "returns"));
            assertEquals(generation, stays.generation());
            assertEquals(generation, again.generation());
        }
    }
}
