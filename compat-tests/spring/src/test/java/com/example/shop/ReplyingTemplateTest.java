package com.example.shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.example.shop.Events.Quote;
import com.example.shop.Events.QuoteRequest;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.kafka.requestreply.KafkaReplyTimeoutException;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;
import org.springframework.kafka.requestreply.RequestReplyFuture;

/** Request and reply over two topics. */
class ReplyingTemplateTest extends ShopTest {

    private static final Duration WAIT_MAX = Duration.ofSeconds(20);

    @Autowired
    ReplyingKafkaTemplate<String, QuoteRequest, Quote> quotes;

    @BeforeEach
    void theReplyTopicIsAssigned() throws InterruptedException {
        assertThat(quotes.waitForAssignment(WAIT_MAX)).isTrue();
    }

    private RequestReplyFuture<String, QuoteRequest, Quote> request(String article, int quantity) {
        return quotes.sendAndReceive(
                new ProducerRecord<>(Topics.QUOTE_REQUESTS, new QuoteRequest(article, quantity)), WAIT_MAX);
    }

    @Test
    void aRequestGetsItsReply() throws Exception {
        var reply = request("tea", 3).get(20, TimeUnit.SECONDS);

        assertThat(reply.topic()).isEqualTo(Topics.QUOTE_REPLIES);
        assertThat(reply.value()).isEqualTo(new Quote("tea", 3 * QuoteService.ARTICLE_CENTS));
    }

    @Test
    void eachOfManyRequestsAtOnceGetsItsOwnReply() throws Exception {
        var requests = IntStream.range(0, 50).mapToObj(number -> request("article " + number, number)).toList();

        for (int number = 0; number < requests.size(); number++) {
            assertThat(requests.get(number).get(20, TimeUnit.SECONDS).value())
                    .isEqualTo(new Quote("article " + number, number * QuoteService.ARTICLE_CENTS));
        }
    }

    @Test
    void aRequestThatNobodyAnswersTimesOut() {
        var unanswered = quotes.sendAndReceive(
                new ProducerRecord<>(Topics.CATALOGUE, "key", new QuoteRequest("nothing", 1)), Duration.ofMillis(300));

        assertThatThrownBy(() -> unanswered.get(20, TimeUnit.SECONDS))
                .hasCauseInstanceOf(KafkaReplyTimeoutException.class);
    }
}
