package milena.versions;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.RetriableException;

/** A group on a topic of its own: its members, and a ledger of what they handled. */
final class Group implements AutoCloseable {
    static final int PARTITIONS = 6;

    final String id = Clients.unique("group");
    final String topic;
    final AdminClient admin = Clients.admin();
    private final String assignor;
    private final List<Member> members = new ArrayList<>();
    /** Who handled a value, once for each time. */
    private final Map<String, List<String>> handled = new ConcurrentHashMap<>();

    /** The assignor is a class name. */
    Group(String assignor) throws Exception {
        this.topic = Clients.topic(PARTITIONS);
        this.assignor = assignor;
    }

    /** Starts a member, whose name is its client id; it ends with the group at the latest. */
    Member join(String name, String... pairs) {
        String[] all = Arrays.copyOf(pairs, pairs.length + 10);
        String[] common = {"group.id", id, "client.id", name, "partition.assignment.strategy", assignor,
            "session.timeout.ms", "10000", "heartbeat.interval.ms", "200"};
        System.arraycopy(common, 0, all, pairs.length, common.length);
        Member member = new Member(name, topic, this::handle, all);
        members.add(member);
        return member;
    }

    private void handle(String member, String value) {
        handled.computeIfAbsent(value, key -> new ArrayList<>()).add(member);
    }

    ConsumerGroupDescription describe() throws Exception {
        return answer(() -> admin.describeConsumerGroups(List.of(id)).all()).get(id);
    }

    /** The answer of a coordinator, which may still be loading; not every version of the client asks again by itself. */
    private static <T> T answer(Supplier<Future<T>> request) throws Exception {
        while (true) {
            try {
                return request.get().get();
            } catch (ExecutionException refused) {
                if (!(refused.getCause() instanceof RetriableException)) {
                    throw refused;
                }
                Thread.sleep(50);
            }
        }
    }

    private static Map<String, Set<Integer>> shares(ConsumerGroupDescription group) {
        Map<String, Set<Integer>> shares = new TreeMap<>();
        for (MemberDescription member : group.members()) {
            shares.put(member.clientId(), member.assignment().topicPartitions().stream()
                .map(TopicPartition::partition).collect(Collectors.toCollection(TreeSet::new)));
        }
        return shares;
    }

    /**
     * Waits until the group is stable with these members and an even spread of all partitions. Returns the partitions of
     * each member by its client id, as the coordinator tells.
     */
    Map<String, Set<Integer>> awaitMembers(String... names) throws Exception {
        AtomicReference<Map<String, Set<Integer>>> found = new AtomicReference<>(Map.of());
        Clients.until(() -> "a stable group of " + List.of(names) + ", now " + found, () -> {
            for (Member member : members) {
                member.check();
            }
            ConsumerGroupDescription group;
            try {
                group = describe();
            } catch (ExecutionException unknown) {
                if (unknown.getCause() instanceof GroupIdNotFoundException) {
                    return false;
                }
                throw unknown;
            }
            Map<String, Set<Integer>> shares = shares(group);
            found.set(shares);
            Set<Integer> all = new TreeSet<>();
            shares.values().forEach(all::addAll);
            return group.state().toString().equals("Stable") && shares.keySet().equals(Set.of(names))
                && shares.values().stream().allMatch(share -> share.size() == PARTITIONS / names.length)
                && all.size() == PARTITIONS;
        });
        return found.get();
    }

    void awaitEmpty() throws Exception {
        Clients.until(() -> "an empty group", () -> describe().state().toString().equals("Empty"));
    }

    List<String> send(String prefix) throws Exception {
        return Clients.send(topic, PARTITIONS, prefix, 20 * PARTITIONS);
    }

    Map<TopicPartition, Long> committed() throws Exception {
        return answer(() -> admin.listConsumerGroupOffsets(id).partitionsToOffsetAndMetadata()).entrySet().stream()
            .filter(entry -> entry.getValue() != null)
            .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().offset()));
    }

    /** Waits until the committed offsets are the ends of the partitions. */
    void awaitCommitted() throws Exception {
        Map<TopicPartition, Long> ends = Clients.ends(topic, PARTITIONS);
        Clients.until(() -> "everything is committed", () -> ends.equals(committed()));
    }

    /** Waits until everything is handled and committed, and asserts by whom, each value once. */
    void assertHandled(List<String> values, String... names) throws Exception {
        awaitCommitted();
        Set<String> by = new TreeSet<>();
        for (String value : values) {
            List<String> times = handled.getOrDefault(value, List.of());
            assertEquals(1, times.size(), () -> value + " was handled by " + times);
            by.addAll(times);
        }
        assertEquals(new TreeSet<>(List.of(names)), by);
    }

    /** How often a value was handled. */
    int times(String value) {
        return handled.getOrDefault(value, List.of()).size();
    }

    @Override
    public void close() throws Exception {
        for (Member member : members) {
            member.close();
        }
        admin.close();
    }
}
