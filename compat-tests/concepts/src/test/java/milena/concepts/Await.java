package milena.concepts;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.Supplier;

/** Bounded waiting for a condition. */
final class Await {
    private Await() { }

    /** Returns once the condition holds; fails, with what is seen then, when it does not in time. */
    static void until(Duration most, Supplier<String> seen, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + most.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("not within " + most.toSeconds() + " s: " + seen.get());
            }
            Thread.sleep(10);
        }
    }
}
