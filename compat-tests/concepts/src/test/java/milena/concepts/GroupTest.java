package milena.concepts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Members share the partitions of a topic, whoever comes and goes. */
class GroupTest {
    private static final Duration MOST = Duration.ofSeconds(40);
    private static final int SESSION_MS = 4_000;
    private static final String EAGER = "range";
    private static final String COOPERATIVE = "cooperative";

    private static final AtomicInteger NUMBERS = new AtomicInteger();
    private static Broker broker;
    private static Client client;

    /** A topic of three partitions, a group, its ledger; values are numbered as they are sent. */
    private static final class Scene {
        final String topic = "topic" + NUMBERS.incrementAndGet();
        final String group = "group-of-" + topic;
        final Ledger ledger = new Ledger();
        final String[] properties;
        private final List<String> sent = new ArrayList<>();

        Scene(String assignor) throws Exception {
            Class<?> strategy = assignor.equals(EAGER) ? RangeAssignor.class : CooperativeStickyAssignor.class;
            properties = new String[] {
                "partition.assignment.strategy", strategy.getName(),
                "session.timeout.ms", String.valueOf(SESSION_MS),
                "heartbeat.interval.ms", "300",
            };
            client.createTopic(topic, 3);
        }

        Member member(String name) {
            return new Member(client, name, group, topic, ledger, properties);
        }

        MemberProcess memberProcess(String name) throws Exception {
            return new MemberProcess(client, name, group, topic, ledger, properties);
        }

        void send(int count) {
            List<String> values = Client.values("v" + sent.size() + "-", count);
            client.sendRoundRobin(topic, 3, values);
            sent.addAll(values);
        }

        /** Waits until every value that was sent has arrived, and checks that nothing committed came twice. */
        void allArrived() throws Exception {
            Await.until(MOST, () -> ledger.values().size() + " of " + sent.size(),
                () -> ledger.values().size() == sent.size());
            assertEquals(new TreeSet<>(sent), ledger.values());
            assertEquals(List.of(), ledger.repeatedAfterCommit());
        }

        /** No partition has a hole: the offsets that arrived are all from 0 to the end. */
        void nothingSkipped() {
            for (TopicPartition partition : Client.partitions(topic, 3)) {
                Set<Long> offsets = new TreeSet<>();
                ledger.deliveries().stream().filter(d -> d.partition().equals(partition)).forEach(d -> offsets.add(d.offset()));
                assertEquals(sent.size() / 3, offsets.size(), partition.toString());
            }
        }
    }

    @BeforeAll
    static void start() throws Exception {
        broker = Broker.start(Map.of("group.min.session.timeout.ms", "1000"));
        client = new Client(broker.address());
    }

    @AfterAll
    static void stop() throws Exception {
        broker.close();
    }

    /** Waits until the members have exactly these numbers of partitions, and all three between them. */
    private static void shared(List<Member> members, List<Integer> counts) throws Exception {
        List<Set<Integer>> last = new ArrayList<>();
        Await.until(MOST, last::toString, () -> {
            last.clear();
            Set<Integer> union = new HashSet<>();
            for (Member member : members) {
                last.add(member.assigned());
                union.addAll(member.assigned());
            }
            return last.stream().map(Set::size).sorted().toList().equals(counts) && union.size() == 3;
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {EAGER, COOPERATIVE})
    void threeMembersGetOneOfThreePartitionsEach(String assignor) throws Exception {
        Scene scene = new Scene(assignor);
        try (Member a = scene.member("a"); Member b = scene.member("b"); Member c = scene.member("c")) {
            shared(List.of(a, b, c), List.of(1, 1, 1));
            scene.send(300);
            scene.allArrived();
            for (Member member : List.of(a, b, c)) {
                assertEquals(100, scene.ledger.valuesOf(member.name()).size(), member.name());
            }
        }
        assertEquals(300, scene.ledger.deliveries().size());
    }

    @ParameterizedTest
    @ValueSource(strings = {EAGER, COOPERATIVE})
    void aFourthMemberOnThreePartitionsIdles(String assignor) throws Exception {
        Scene scene = new Scene(assignor);
        try (Member a = scene.member("a"); Member b = scene.member("b"); Member c = scene.member("c")) {
            shared(List.of(a, b, c), List.of(1, 1, 1));
            try (Member d = scene.member("d"); Admin admin = client.admin()) {
                Await.until(MOST, () -> "four members", () -> admin.describeConsumerGroups(List.of(scene.group))
                    .describedGroups().get(scene.group).get().members().size() == 4);
                List<Member> all = List.of(a, b, c, d);
                shared(all, List.of(0, 1, 1, 1));
                scene.send(300);
                scene.allArrived();
                List<Integer> received =
                    all.stream().map(member -> scene.ledger.valuesOf(member.name()).size()).sorted().toList();
                assertEquals(List.of(0, 100, 100, 100), received);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {EAGER, COOPERATIVE})
    void aMemberThatJoinsTakesOverPartitions(String assignor) throws Exception {
        Scene scene = new Scene(assignor);
        try (Member a = scene.member("a")) {
            shared(List.of(a), List.of(3));
            scene.send(300);
            scene.allArrived();
            try (Member b = scene.member("b")) {
                shared(List.of(a, b), List.of(1, 2));
                scene.send(300);
                scene.allArrived();
                Set<Integer> held = b.assigned();
                assertEquals(100 * held.size(), scene.ledger.valuesOf("b").size());
                scene.nothingSkipped();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {EAGER, COOPERATIVE})
    void thePartitionsOfAMemberThatLeavesMoveAndNothingIsLostOrSkipped(String assignor) throws Exception {
        Scene scene = new Scene(assignor);
        try (Member a = scene.member("a"); Member b = scene.member("b")) {
            try (Member c = scene.member("c")) {
                shared(List.of(a, b, c), List.of(1, 1, 1));
                scene.send(3_000);
                Await.until(MOST, () -> "c received nothing", () -> !scene.ledger.valuesOf("c").isEmpty());
                // It leaves in the middle of the stream.
            }
            shared(List.of(a, b), List.of(1, 2));
            scene.send(3_000);
            scene.allArrived();
            scene.nothingSkipped();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {EAGER, COOPERATIVE})
    void thePartitionsOfAMemberThatDiesMoveWhenItsSessionEndsAndNothingIsLostOrSkipped(String assignor) throws Exception {
        Scene scene = new Scene(assignor);
        try (Member a = scene.member("a"); MemberProcess dying = scene.memberProcess("dying"); Admin admin = client.admin()) {
            Await.until(MOST, () -> "both have partitions", () -> !dying.assigned().isEmpty() && !a.assigned().isEmpty());
            Set<Integer> held = dying.assigned();
            scene.send(3_000);
            Await.until(MOST, () -> "the one that dies received nothing", () -> !scene.ledger.valuesOf("dying").isEmpty());
            dying.die();
            long death = System.nanoTime();
            Map<TopicPartition, Long> committed = new HashMap<>();
            admin.listConsumerGroupOffsets(scene.group).partitionsToOffsetAndMetadata().get()
                .forEach((partition, offset) -> committed.put(partition, offset.offset()));
            scene.send(300);

            shared(List.of(a), List.of(3));
            long tookMs = (System.nanoTime() - death) / 1_000_000;
            assertTrue(tookMs > SESSION_MS / 2, "it was missed after " + tookMs + " ms, before its session could end");
            scene.allArrived();
            scene.nothingSkipped();
            for (int partition : held) {
                TopicPartition moved = new TopicPartition(scene.topic, partition);
                long first = scene.ledger.deliveries().stream()
                    .filter(d -> d.member().equals("a") && d.partition().equals(moved))
                    .mapToLong(Ledger.Delivery::offset).findFirst().orElseThrow();
                assertEquals(committed.getOrDefault(moved, 0L), first, "where the survivor begins in " + moved);
            }
        }
    }

    @Test
    void twoGroupsEachGetEverything() throws Exception {
        Scene scene = new Scene(EAGER);
        Ledger other = new Ledger();
        try (Member a = scene.member("a");
                Member b = new Member(client, "b", "another-" + scene.group, scene.topic, other, scene.properties)) {
            shared(List.of(a), List.of(3));
            shared(List.of(b), List.of(3));
            scene.send(300);
            scene.allArrived();
            Await.until(MOST, () -> other.values().size() + " in the other group", () -> other.values().size() == 300);
        }
        assertEquals(scene.ledger.values(), other.values());
        assertEquals(300, scene.ledger.deliveries().size());
        assertEquals(300, other.deliveries().size());
    }
}
