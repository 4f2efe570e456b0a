package milena.concepts;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The broker's binary (environment variable MILENA_BIN) on a free port, in a temporary directory. */
final class Broker implements AutoCloseable {
    private static final String READY = "Transitioning from RECOVERY to RUNNING";
    /** A JVM broker needs about 12 s after a kill. */
    private static final Duration START_MAX = Duration.ofSeconds(60);

    private final Path home;
    private final Path log;
    private final int port = freePort();
    private final Map<String, String> settings;
    private Process process;

    /** Starts a broker with these settings. */
    static Broker start(Map<String, String> settings) throws Exception {
        Broker broker = new Broker(settings);
        broker.start();
        return broker;
    }

    private Broker(Map<String, String> settings) throws IOException {
        this.settings = settings;
        this.home = Files.createTempDirectory("concepts-");
        this.log = home.resolve("broker.log");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            if (process != null) {
                process.destroyForcibly();
            }
        }));
    }

    /** Below the ephemeral range, where no outgoing connection can take the port between two starts. */
    private static int freePort() {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
            try (ServerSocket probe = new ServerSocket()) {
                probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                return port;
            } catch (IOException taken) {
                // the next one
            }
        }
    }

    String address() {
        return "127.0.0.1:" + port;
    }

    /** The directory of a partition. */
    Path partition(String topic, int partition) {
        return home.resolve("data").resolve(topic + "-" + partition);
    }

    /** Starts it again on the same port and directory. */
    void start() throws Exception {
        List<String> command = new ArrayList<>(List.of(System.getenv("MILENA_BIN")));
        override(command, "listeners", "PLAINTEXT://" + address());
        override(command, "log.dirs", home.resolve("data").toString());
        settings.forEach((key, value) -> override(command, key, value));
        long begin = Files.exists(log) ? Files.size(log) : 0;
        process = new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
        Await.until(START_MAX, () -> "the broker is ready\n" + tail(), () -> {
            if (logFrom(begin).contains(READY)) {
                return true;
            }
            if (!process.isAlive()) {
                throw new AssertionError("the broker ended with " + process.exitValue() + "\n" + tail());
            }
            return false;
        });
    }

    private static void override(List<String> command, String key, String value) {
        command.add("--override");
        command.add(key + "=" + value);
    }

    private String logFrom(long begin) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
            byte[] bytes = new byte[(int) (file.length() - begin)];
            file.seek(begin);
            file.readFully(bytes);
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }

    private String tail() {
        try {
            List<String> lines = logFrom(0).lines().toList();
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
        } catch (IOException failure) {
            return failure.toString();
        }
    }

    /** SIGTERM; the exit code has to be 0. */
    void stop() throws Exception {
        Process stopping = process;
        process = null;
        stopping.destroy();
        if (!stopping.waitFor(60, TimeUnit.SECONDS)) {
            stopping.destroyForcibly().waitFor();
            throw new AssertionError("the broker did not stop on SIGTERM\n" + tail());
        }
        if (stopping.exitValue() != 0) {
            throw new AssertionError("exit code " + stopping.exitValue() + " after SIGTERM\n" + tail());
        }
    }

    /** `kill -9`. */
    void kill() throws Exception {
        Process killed = process;
        process = null;
        killed.destroyForcibly().waitFor();
    }

    /** Ends it one way or the other, and starts it again. */
    void restart(Ending ending) throws Exception {
        if (ending == Ending.STOPPED) {
            stop();
        } else {
            kill();
        }
        start();
    }

    /** How a broker's process ends. */
    enum Ending { STOPPED, KILLED }

    @Override
    public void close() throws Exception {
        if (process != null) {
            stop();
        }
        try (Stream<Path> files = Files.walk(home)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
