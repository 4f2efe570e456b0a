package differential;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Runs every scenario of the package, or those named: {@code Runner BOOTSTRAP CLASSES [Name…]}. */
public final class Runner {
    public static void main(String[] arguments) throws Exception {
        List<String> names = Arrays.asList(arguments).subList(2, arguments.length);
        for (String name : names.isEmpty() ? all(Path.of(arguments[1])) : names) {
            try (Client client = new Client(arguments[0], name)) {
                ((Scenario) Class.forName("scenarios." + name).getDeclaredConstructor().newInstance()).run(client);
            } catch (Throwable failure) {
                failure.printStackTrace();
                System.out.println(name + "\tfailed\t" + failure);
            }
        }
        System.out.println("done");
        System.exit(0);
    }

    private static List<String> all(Path classes) throws Exception {
        try (Stream<Path> files = Files.list(classes.resolve("scenarios"))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(".class") && !file.contains("$"))
                    .map(file -> file.substring(0, file.length() - ".class".length()))
                    .sorted()
                    .toList();
        }
    }
}
