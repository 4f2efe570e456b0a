package differential;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Clients of one scenario, names that no other one uses, and the place where results go. */
public final class Client implements AutoCloseable {
    public final Admin admin;
    private final String bootstrap;
    private final String scenario;
    private final String run = String.format("%08x", ThreadLocalRandom.current().nextInt());
    private final List<AutoCloseable> open = new ArrayList<>();

    Client(String bootstrap, String scenario) {
        this.bootstrap = bootstrap;
        this.scenario = scenario;
        admin = Admin.create(Map.of("bootstrap.servers", bootstrap, "client.id", "differential"));
        open.add(admin);
        System.out.println(scenario + "\trun\t" + run);
    }

    /** A name of this run alone. */
    public String name(String base) {
        return base + "-" + run;
    }

    /** One result: its label is unique in the scenario. Sets and maps are sorted, exceptions become their class. */
    public void tell(String label, Object value) {
        if (value instanceof KafkaFuture<?> future) {
            tell(label, (Callable<?>) future::get);
            return;
        }
        System.out.println(scenario + "\t" + label + "\t" + show(value).replace("\n", " "));
    }

    /** The outcome of a call, the class of its exception included. */
    public void tell(String label, Callable<?> call) {
        Object outcome;
        try {
            outcome = call.call();
        } catch (Throwable failure) {
            outcome = failure;
        }
        tell(label, outcome);
    }

    private static String show(Object value) {
        if (value instanceof ExecutionException failure && failure.getCause() != null) {
            return failure.getCause().getClass().getSimpleName();
        }
        if (value instanceof Throwable failure) {
            return failure.getClass().getSimpleName();
        }
        if (value instanceof Map<?, ?> map) {
            TreeMap<String, String> sorted = new TreeMap<>();
            map.forEach((key, item) -> sorted.put(show(key), show(item)));
            return sorted.toString();
        }
        if (value instanceof Set<?> set) {
            TreeSet<String> sorted = new TreeSet<>();
            set.forEach(item -> sorted.add(show(item)));
            return sorted.toString();
        }
        if (value instanceof Collection<?> list) {
            return list.stream().map(Client::show).toList().toString();
        }
        if (value instanceof Uuid id) {
            return id.equals(Uuid.ZERO_UUID) ? "no id" : "id";
        }
        return String.valueOf(value);
    }

    /** A new topic that serves already. */
    public String topic(String base, int partitions) throws Exception {
        return topic(base, partitions, Map.of());
    }

    /** A new topic with configurations. */
    public String topic(String base, int partitions, Map<String, String> configs) throws Exception {
        String name = name(base);
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(configs))).all().get();
        until(() -> serves(name, partitions));
        return name;
    }

    private boolean serves(String topic, int partitions) {
        try {
            TopicDescription found = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
            return found.partitions().size() == partitions
                    && found.partitions().stream().allMatch(partition -> partition.leader() != null);
        } catch (Exception notYet) {
            return false;
        }
    }

    /** Waits for a condition. */
    public void until(Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + 20_000_000_000L;
        while (!condition.call()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("waited in vain");
            }
            Thread.sleep(20);
        }
    }

    /** A producer of texts. */
    public KafkaProducer<String, String> producer(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(Map.of("bootstrap.servers", bootstrap));
        all.putAll(settings);
        KafkaProducer<String, String> producer =
                new KafkaProducer<>(all, new StringSerializer(), new StringSerializer());
        open.add(producer);
        return producer;
    }

    /** Appends texts to a partition. */
    public void produce(String topic, int partition, String... values) throws Exception {
        KafkaProducer<String, String> producer = producer(Map.of());
        for (String value : values) {
            producer.send(new ProducerRecord<>(topic, partition, null, value)).get();
        }
    }

    /** A consumer of texts. */
    public KafkaConsumer<String, String> consumer(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "auto.offset.reset", "earliest"));
        all.putAll(settings);
        KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(all, new StringDeserializer(), new StringDeserializer());
        open.add(consumer);
        return consumer;
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
    }
}
