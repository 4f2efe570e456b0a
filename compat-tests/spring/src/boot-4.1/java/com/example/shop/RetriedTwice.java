package com.example.shop;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.kafka.annotation.BackOff;
import org.springframework.kafka.annotation.RetryableTopic;

/** Three attempts, 300 and 600 ms apart, each on a topic of its own, then the dead-letter topic. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@RetryableTopic(attempts = "3", backOff = @BackOff(delay = 300, multiplier = 2))
@interface RetriedTwice {}
