package milena.concepts;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;

/** A member in a JVM of its own, so that it can die: it neither leaves nor commits then. */
final class MemberProcess implements AutoCloseable {
    private final Process process;
    private final Thread reader;
    private volatile Set<Integer> assigned = Set.of();

    MemberProcess(Client client, String name, String group, String topic, Ledger ledger, String... pairs)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"),
            MemberProcess.class.getName(), client.address(), name, group, topic));
        command.addAll(List.of(pairs));
        process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        reader = new Thread(() -> follow(name, ledger));
        reader.start();
    }

    private void follow(String name, Ledger ledger) {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(process.getInputStream()))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split(" ");
                switch (words[0]) {
                    case "assigned" -> assigned = Stream.of(words).skip(1).map(Integer::valueOf).collect(Collectors.toSet());
                    case "delivered" -> ledger.delivered(new Ledger.Delivery(
                        name, new TopicPartition(words[1], Integer.parseInt(words[2])), Long.parseLong(words[3]), words[4]));
                    default -> { }
                }
            }
        } catch (IOException ended) {
            // its end of the pipe is gone
        }
    }

    Set<Integer> assigned() {
        return assigned;
    }

    /** `kill -9`: the broker hears nothing. */
    void die() throws Exception {
        process.destroyForcibly().waitFor();
        reader.join();
    }

    @Override
    public void close() throws Exception {
        die();
    }

    /** Arguments: address, name, group, topic, then pairs of consumer properties. Prints what it gets. */
    public static void main(String[] arguments) throws Exception {
        Ledger ledger = new Ledger(delivery -> print("delivered " + delivery.partition().topic() + " "
            + delivery.partition().partition() + " " + delivery.offset() + " " + delivery.value()));
        String[] pairs = Arrays.copyOfRange(arguments, 4, arguments.length);
        Client client = new Client(arguments[0]);
        try (Member member = new Member(client, arguments[1], arguments[2], arguments[3], ledger, pairs)) {
            Set<Integer> last = Set.of();
            while (true) {
                Set<Integer> now = member.assigned();
                if (!now.equals(last)) {
                    last = now;
                    print("assigned " + now.stream().map(String::valueOf).collect(Collectors.joining(" ")));
                }
                Thread.sleep(5);
            }
        }
    }

    private static synchronized void print(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
