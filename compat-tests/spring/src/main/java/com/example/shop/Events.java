package com.example.shop;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** The values of the application's records; each travels as JSON. */
final class Events {

    record Note(String id, String text) {}

    record Line(String article, int quantity, BigDecimal price) {}

    record Order(String id, String customer, Instant placedAt, List<Line> lines, Map<String, String> attributes) {}

    record Shipment(String id, int number) {}

    enum Settlement {
        SETTLED,
        OPEN,
        DEFERRED_ONCE
    }

    record Payment(String id, int number, Settlement settlement) {}

    record Refund(String id, long cents) {}

    record Entry(String id, int number) {}

    record QuoteRequest(String article, int quantity) {}

    record Quote(String article, long cents) {}

    private Events() {}
}
