package com.example.shop;

import com.example.shop.Events.Note;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.messaging.handler.annotation.Headers;
import org.springframework.stereotype.Component;

/** Keeps each note with the headers that came with it. */
@Component
class NoteListener {

    static final String ID = "notes-listener";

    private final Journal journal;

    NoteListener(Journal journal) {
        this.journal = journal;
    }

    @KafkaListener(id = ID, topics = Topics.NOTES)
    void on(ConsumerRecord<String, Note> record, @Headers Map<String, Object> headers) {
        journal.add(ID, record, new HashMap<>(headers), 1);
    }
}
