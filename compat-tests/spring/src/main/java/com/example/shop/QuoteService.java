package com.example.shop;

import com.example.shop.Events.Quote;
import com.example.shop.Events.QuoteRequest;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.messaging.handler.annotation.SendTo;
import org.springframework.stereotype.Component;

/** Answers each request for a quote on the topic that the request names. */
@Component
class QuoteService {

    static final long ARTICLE_CENTS = 250;

    @KafkaListener(id = "quotes-listener", topics = Topics.QUOTE_REQUESTS)
    @SendTo
    Quote on(QuoteRequest request) {
        return new Quote(request.article(), ARTICLE_CENTS * request.quantity());
    }
}
