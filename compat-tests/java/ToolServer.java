import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs the main methods of Kafka's tools one after the other in one JVM, because starting a JVM for each costs a second.
 *
 * A request is a line of base64 fields: standard input, main class, arguments. The answer is a line too: exit code,
 * standard output, standard error. An exit that a tool asks for ends the tool, not the JVM; its shutdown hooks
 * run before the answer.
 */
public final class ToolServer {
    private static final class Ended extends Error {
        Ended() {
            super("the tool asked for an exit", null, false, false);
        }
    }

    private static Integer exitCode;
    private static final List<Thread> hooks = new CopyOnWriteArrayList<>();

    public static void main(String[] unused) throws Exception {
        Exit.Procedure end = (code, message) -> {
            // Some tools catch everything and exit again: the first code counts.
            if (exitCode == null) {
                exitCode = code;
                if (message != null) {
                    System.err.println(message);
                }
            }
            throw new Ended();
        };
        Exit.setExitProcedure(end);
        Exit.setHaltProcedure(end);
        Exit.setShutdownHookAdder((name, hook) -> hooks.add(new Thread(hook, name)));

        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream answers = System.out;
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            answers.println(answer(line.split(" ", -1)));
            answers.flush();
        }
    }

    private static String answer(String[] fields) throws Exception {
        String[] arguments = new String[fields.length - 2];
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = new String(Base64.getDecoder().decode(fields[i + 2]), StandardCharsets.UTF_8);
        }
        String main = new String(Base64.getDecoder().decode(fields[1]), StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        System.setIn(new ByteArrayInputStream(Base64.getDecoder().decode(fields[0])));
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
        int code = run(main, arguments);
        System.out.flush();
        System.err.flush();
        Base64.Encoder encoder = Base64.getEncoder();
        return code + " " + encoder.encodeToString(out.toByteArray()) + " " + encoder.encodeToString(err.toByteArray());
    }

    private static int run(String main, String[] arguments) throws Exception {
        exitCode = null;
        hooks.clear();
        int code = runMain(main, arguments);
        // Some tools flush, close and print their summary here.
        for (Thread hook : hooks) {
            hook.start();
        }
        for (Thread hook : hooks) {
            hook.join();
        }
        return code;
    }

    private static int runMain(String main, String[] arguments) throws Exception {
        try {
            Class.forName(main).getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException failure) {
            if (exitCode == null) {
                failure.getCause().printStackTrace();
                return 1;
            }
        }
        return exitCode == null ? 0 : exitCode;
    }
}
