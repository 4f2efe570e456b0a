package differential;

/** What one file in {@code scenarios} does; it tells its results to the client. */
public interface Scenario {
    void run(Client client) throws Exception;
}
