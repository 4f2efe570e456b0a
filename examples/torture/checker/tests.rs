//! Each kind of anomaly is found where it is, and nothing where all is well.

use super::*;

const PLACE: Place = Place { topic: Uuid::from_u128(1), partition: 0 };
const NOW_MS: i64 = 1_000_000;

fn topic(rules: Rules) -> Checker {
    let mut checker = Checker::default();
    checker.creating("orders");
    checker.created("orders", PLACE.topic, 1, rules);
    checker
}

fn with_key(mark: Mark, key: Option<&str>, value: Option<&str>) -> Content {
    Content::new(mark, key.map(str::as_bytes), value.map(str::as_bytes), NOW_MS)
}

fn content(mark: Mark) -> Content {
    with_key(mark, None, Some(&mark.encode()))
}

/// Sends a record, which is acknowledged at an offset.
fn send(checker: &mut Checker, stream: u32, offset: i64) -> Content {
    let content = content(checker.sending(stream));
    checker.acknowledged(offset, content.clone());
    content
}

/// Sends a record with a key; without a value it deletes the key.
fn put(checker: &mut Checker, stream: u32, offset: i64, key: &str, value: Option<&str>) -> Content {
    let content = with_key(checker.sending(stream), Some(key), value);
    checker.acknowledged(offset, content.clone());
    content
}

fn records(contents: &[(i64, &Content)]) -> Vec<Read> {
    let read =
        |(offset, content): &(i64, &Content)| Read { offset: *offset, content: Some((*content).clone()) };
    contents.iter().map(read).collect()
}

/// A log from its start to its end, with these records.
fn scan(start: i64, end: i64, contents: &[(i64, &Content)]) -> Scan {
    let records = records(contents);
    Scan { start, end, high_watermark: end, records, now_ms: NOW_MS, ..Scan::default() }
}

fn kinds(checker: &Checker) -> Vec<Kind> {
    Kind::ALL.into_iter().filter(|kind| checker.findings.count(*kind) > 0).collect()
}

/// A topic with records of one idempotent stream at offsets 0, 1 and 2.
fn three() -> (Checker, u32, [Content; 3]) {
    let mut checker = topic(Rules::default());
    let stream = checker.stream(PLACE, Sending::Idempotent);
    let contents = [0, 1, 2].map(|offset| send(&mut checker, stream, offset));
    (checker, stream, contents)
}

#[test]
fn a_log_that_holds_what_was_acknowledged_is_in_order() {
    let (mut checker, stream, [a, b, c]) = three();
    // Sent and not acknowledged: it may be there.
    let d = content(checker.sending(stream));
    checker.scanned(PLACE, &scan(0, 4, &[(0, &a), (1, &b), (2, &c), (3, &d)]));
    checker.killed();
    checker.scanned(PLACE, &scan(0, 4, &[(0, &a), (1, &b), (2, &c), (3, &d)]));
    assert_eq!(kinds(&checker), []);
    assert_eq!((checker.acknowledged, checker.read), (3, 8));
}

#[test]
fn an_acknowledged_record_that_is_missing_is_a_lost_write() {
    let (mut checker, _, [a, b, _]) = three();
    checker.scanned(PLACE, &scan(0, 2, &[(0, &a), (1, &b)]));
    assert_eq!(kinds(&checker), [Kind::LostWrite]);
}

#[test]
fn a_record_that_was_read_once_and_is_missing_is_a_lost_write() {
    let (mut checker, stream, [a, b, c]) = three();
    let d = content(checker.sending(stream));
    checker.scanned(PLACE, &scan(0, 4, &[(0, &a), (1, &b), (2, &c), (3, &d)]));
    checker.scanned(PLACE, &scan(0, 3, &[(0, &a), (1, &b), (2, &c)]));
    assert_eq!(kinds(&checker), [Kind::LostWrite, Kind::WatermarkFell]);
}

#[test]
fn a_log_start_that_nobody_moved_is_a_lost_write() {
    let (mut checker, _, [_, b, c]) = three();
    checker.scanned(PLACE, &scan(1, 3, &[(1, &b), (2, &c)]));
    assert_eq!(kinds(&checker), [Kind::LostWrite]);
}

#[test]
fn delete_records_takes_what_it_was_asked_for_and_no_more() {
    let (mut checker, _, [_, b, c]) = three();
    checker.trimming(PLACE, 1);
    checker.scanned(PLACE, &scan(1, 3, &[(1, &b), (2, &c)]));
    assert_eq!(kinds(&checker), []);
    checker.scanned(PLACE, &scan(2, 3, &[(2, &c)]));
    assert_eq!(kinds(&checker), [Kind::LostWrite]);
}

#[test]
fn retention_by_size_keeps_that_much() {
    for (bytes, found) in [(500, vec![]), (499, vec![Kind::LostWrite])] {
        let mut checker = topic(Rules { retention_bytes: Some(500), ..Rules::default() });
        let stream = checker.stream(PLACE, Sending::Idempotent);
        let [_, b] = [0, 1].map(|offset| send(&mut checker, stream, offset));
        checker.scanned(PLACE, &Scan { bytes, ..scan(1, 2, &[(1, &b)]) });
        assert_eq!(kinds(&checker), found, "{bytes}");
    }
}

#[test]
fn retention_by_time_keeps_what_is_younger() {
    for (now_ms, found) in [(NOW_MS + 701, vec![]), (NOW_MS + 700, vec![Kind::LostWrite])] {
        let mut checker = topic(Rules { retention_ms: Some(700), ..Rules::default() });
        let stream = checker.stream(PLACE, Sending::Idempotent);
        let [_, b] = [0, 1].map(|offset| send(&mut checker, stream, offset));
        checker.scanned(PLACE, &Scan { now_ms, ..scan(1, 2, &[(1, &b)]) });
        assert_eq!(kinds(&checker), found, "{now_ms}");
    }
}

fn compacted() -> (Checker, u32) {
    let mut checker = topic(Rules { compacted: true, ..Rules::default() });
    let stream = checker.stream(PLACE, Sending::Idempotent);
    (checker, stream)
}

#[test]
fn compaction_takes_what_a_newer_record_of_the_key_supersedes() {
    let (mut checker, stream) = compacted();
    put(&mut checker, stream, 0, "a", Some("1"));
    let b = put(&mut checker, stream, 1, "b", Some("1"));
    let a = put(&mut checker, stream, 2, "a", Some("2"));
    checker.scanned(PLACE, &scan(0, 3, &[(1, &b), (2, &a)]));
    assert_eq!(kinds(&checker), []);
    checker.scanned(PLACE, &scan(0, 3, &[(2, &a)]));
    assert_eq!(kinds(&checker), [Kind::LostWrite]);
}

#[test]
fn a_tombstone_may_go_once_what_it_deletes_is_gone() {
    let (mut checker, stream) = compacted();
    let a = put(&mut checker, stream, 0, "a", Some("1"));
    put(&mut checker, stream, 1, "a", None);
    let b = put(&mut checker, stream, 2, "b", Some("1"));
    checker.scanned(PLACE, &scan(0, 3, &[(2, &b)]));
    assert_eq!(kinds(&checker), []);
    checker.scanned(PLACE, &scan(0, 3, &[(0, &a), (2, &b)]));
    assert_eq!(kinds(&checker), [Kind::LostWrite], "the deleted value is back");
}

#[test]
fn a_record_that_nobody_sent_there_or_that_was_refused_is_an_aborted_read() {
    let other = Place { partition: 1, ..PLACE };
    for (place, sending) in [(other, Sending::Idempotent), (PLACE, Sending::Refused)] {
        let (mut checker, _, [a, b, c]) = three();
        let stream = checker.stream(place, sending);
        let wrong = content(checker.sending(stream));
        checker.scanned(PLACE, &scan(0, 4, &[(0, &a), (1, &b), (2, &c), (3, &wrong)]));
        assert_eq!(kinds(&checker), [Kind::AbortedRead]);
    }
    let (mut checker, stream, [a, b, c]) = three();
    let never = content(Mark { stream, number: 3 });
    checker.scanned(PLACE, &scan(0, 4, &[(0, &a), (1, &b), (2, &c), (3, &never)]));
    assert_eq!(kinds(&checker), [Kind::AbortedRead]);
}

#[test]
fn a_record_that_had_to_be_refused_and_was_not_is_an_aborted_read() {
    let mut checker = topic(Rules::default());
    let stream = checker.stream(PLACE, Sending::Refused);
    let mark = checker.sending(stream);
    checker.accepted(mark);
    assert_eq!(kinds(&checker), [Kind::AbortedRead]);
}

#[test]
fn an_offset_that_is_used_for_another_record_is_inconsistent() {
    let mut checker = topic(Rules::default());
    let stream = checker.stream(PLACE, Sending::Plain);
    let a = content(checker.sending(stream));
    checker.scanned(PLACE, &scan(0, 1, &[(0, &a)]));
    send(&mut checker, stream, 0);
    assert_eq!(kinds(&checker), [Kind::InconsistentOffsets]);
}

#[test]
fn other_content_under_the_same_mark_is_inconsistent() {
    let (mut checker, _, [a, b, c]) = three();
    let changed = with_key(b.mark, None, Some("changed"));
    checker.scanned(PLACE, &scan(0, 3, &[(0, &a), (1, &changed), (2, &c)]));
    assert_eq!(kinds(&checker), [Kind::InconsistentOffsets]);
}

#[test]
fn a_hole_in_the_offsets_is_inconsistent() {
    let mut checker = topic(Rules::default());
    let stream = checker.stream(PLACE, Sending::Idempotent);
    let [a, b] = [0, 2].map(|offset| send(&mut checker, stream, offset));
    checker.scanned(PLACE, &scan(0, 3, &[(0, &a), (2, &b)]));
    assert_eq!(kinds(&checker), [Kind::InconsistentOffsets]);
}

#[test]
fn records_that_end_before_the_log_does_are_inconsistent() {
    let (mut checker, _, [a, b, c]) = three();
    checker.scanned(PLACE, &scan(0, 5, &[(0, &a), (1, &b), (2, &c)]));
    assert_eq!(kinds(&checker), [Kind::InconsistentOffsets]);
}

#[test]
fn a_second_copy_of_an_idempotent_record_is_a_duplicate() {
    for (sending, found) in
        [(Sending::Idempotent, vec![Kind::InconsistentOffsets, Kind::Duplicate]), (Sending::Plain, vec![])]
    {
        let mut checker = topic(Rules::default());
        let stream = checker.stream(PLACE, sending);
        let a = send(&mut checker, stream, 0);
        checker.scanned(PLACE, &scan(0, 2, &[(0, &a), (1, &a)]));
        assert_eq!(kinds(&checker), found);
    }
}

#[test]
fn records_of_one_producer_in_another_order_are_out_of_order() {
    let mut checker = topic(Rules::default());
    let stream = checker.stream(PLACE, Sending::Idempotent);
    let [a, b] = [(); 2].map(|()| content(checker.sending(stream)));
    checker.scanned(PLACE, &scan(0, 2, &[(0, &b), (1, &a)]));
    assert_eq!(kinds(&checker), [Kind::OutOfOrder]);
}

#[test]
fn a_record_that_was_acknowledged_without_an_offset_has_to_be_somewhere() {
    let (mut checker, stream, [a, b, c]) = three();
    let d = send(&mut checker, stream, -1);
    let mut lost = topic(Rules::default());
    let other = lost.stream(PLACE, Sending::Plain);
    send(&mut lost, other, -1);
    checker.scanned(PLACE, &scan(0, 4, &[(0, &a), (1, &b), (2, &c), (3, &d)]));
    lost.scanned(PLACE, &scan(0, 0, &[]));
    assert_eq!((kinds(&checker), kinds(&lost)), (vec![], vec![Kind::LostWrite]));
}

fn poll(checker: &Checker, asked: i64, contents: &[(i64, &Content)]) -> Poll {
    let records = records(contents);
    Poll { life: checker.life(), asked, start: 0, high_watermark: 3, records }
}

#[test]
fn a_reader_that_is_led_past_a_record_was_skipped() {
    let (mut checker, _, [a, _, c]) = three();
    checker.polled("reader", PLACE, &poll(&checker, 0, &[(0, &a), (2, &c)]));
    assert_eq!(kinds(&checker), [Kind::PollSkip]);
}

#[test]
fn a_reader_that_gets_an_offset_again_is_told() {
    let (mut checker, _, [a, b, c]) = three();
    checker.polled("reader", PLACE, &poll(&checker, 0, &[(0, &a), (1, &b)]));
    checker.polled("reader", PLACE, &poll(&checker, 2, &[(2, &c)]));
    assert_eq!(kinds(&checker), []);
    checker.polled("reader", PLACE, &poll(&checker, 2, &[(1, &b)]));
    assert_eq!(kinds(&checker), [Kind::NonmonotonicPoll]);
}

#[test]
fn a_consumer_of_a_group_gets_each_offset_in_order_until_it_is_assigned_anew() {
    let (mut checker, _, [a, b, c]) = three();
    let [a, b, c] = [(0, &a), (1, &b), (2, &c)].map(|read| records(&[read]).remove(0));
    for read in [&a, &b] {
        checker.consumed("group", "member", PLACE, read);
    }
    checker.assigned("member");
    checker.consumed("group", "member", PLACE, &b);
    assert_eq!(kinds(&checker), []);
    checker.consumed("group", "member", PLACE, &b);
    assert_eq!(kinds(&checker), [Kind::NonmonotonicPoll]);
    checker.consumed("group", "other", PLACE, &a);
    checker.consumed("group", "other", PLACE, &c);
    assert_eq!(kinds(&checker), [Kind::PollSkip, Kind::NonmonotonicPoll]);
}

#[test]
fn what_never_comes_to_a_reader_is_unseen() {
    let (mut checker, _, _) = three();
    checker.caught_up("reader", PLACE, 3);
    assert_eq!(kinds(&checker), []);
    checker.caught_up("reader", PLACE, 2);
    assert_eq!(kinds(&checker), [Kind::Unseen]);
}

#[test]
fn what_a_group_commits_and_never_got_is_unseen() {
    let (mut checker, _, [a, b, _]) = three();
    checker.consumed("group", "member", PLACE, &records(&[(0, &a)]).remove(0));
    checker.committed("group", PLACE, 1);
    assert_eq!(kinds(&checker), []);
    checker.committed("group", PLACE, 2);
    assert_eq!(kinds(&checker), [Kind::Unseen]);
    checker.consumed("other", "member", PLACE, &records(&[(1, &b)]).remove(0));
}

#[test]
fn a_commit_that_is_lower_than_it_was_went_back() {
    let (mut checker, _, [a, b, c]) = three();
    for read in records(&[(0, &a), (1, &b), (2, &c)]) {
        checker.consumed("group", "member", PLACE, &read);
    }
    checker.commit_acknowledged("group", PLACE, 2);
    checker.committed("group", PLACE, 3);
    assert_eq!(kinds(&checker), []);
    checker.committed("group", PLACE, 2);
    assert_eq!(kinds(&checker), [Kind::CommitWentBack], "what was seen counts as well");
    checker.committed("other", PLACE, -1);
    assert_eq!(checker.findings.count(Kind::CommitWentBack), 1);
}

#[test]
fn a_commit_by_timer_counts_once_it_is_seen_at_rest() {
    let (mut checker, _, [a, b, c]) = three();
    for read in records(&[(0, &a), (1, &b), (2, &c)]) {
        checker.consumed("group", "member", PLACE, &read);
    }
    // Of 3; then the client sent 2 again.
    checker.commit_acknowledged_by_timer();
    checker.committed("group", PLACE, 2);
    assert_eq!((kinds(&checker), checker.commits_acknowledged), (vec![], 1));
    checker.committed("group", PLACE, 1);
    assert_eq!(kinds(&checker), [Kind::CommitWentBack]);
}

#[test]
fn a_commit_behind_the_end_of_the_log_is_inconsistent() {
    let mut checker = topic(Rules::default());
    checker.committed("group", PLACE, 1);
    assert_eq!(kinds(&checker), [Kind::InconsistentOffsets]);
}

fn listed(topics: &[(&str, u128)]) -> BTreeMap<String, Uuid> {
    topics.iter().map(|(name, id)| ((*name).to_owned(), Uuid::from_u128(*id))).collect()
}

#[test]
fn a_created_topic_that_is_gone_or_another_one_is_lost() {
    for topics in [listed(&[]), listed(&[("orders", 2)])] {
        let mut checker = topic(Rules::default());
        checker.listed(&listed(&[("orders", 1)]), 1);
        assert_eq!(kinds(&checker), []);
        checker.listed(&topics, 1);
        assert_eq!(kinds(&checker), [Kind::TopicLost]);
    }
}

#[test]
fn a_deleted_topic_or_one_that_nobody_made_has_returned() {
    for topics in [listed(&[("orders", 1)]), listed(&[("orders", 2)])] {
        let mut checker = topic(Rules::default());
        checker.deleting("orders");
        checker.deleted("orders");
        checker.listed(&listed(&[]), 1);
        assert_eq!(kinds(&checker), []);
        checker.listed(&topics, 1);
        assert_eq!(kinds(&checker), [Kind::TopicReturned]);
    }
}

#[test]
fn an_unanswered_change_of_topics_is_settled_by_what_is_there() {
    let mut checker = topic(Rules::default());
    checker.deleting("orders");
    checker.creating("new");
    checker.creating("other");
    checker.listed(&listed(&[("new", 2)]), 1);
    checker.listed(&listed(&[("new", 2)]), 1);
    assert_eq!(kinds(&checker), []);
    assert_eq!(checker.topic("new"), Some(Uuid::from_u128(2)));
    // Once settled, it stays so.
    checker.listed(&listed(&[("orders", 1)]), 1);
    assert_eq!(kinds(&checker), [Kind::TopicLost, Kind::TopicReturned]);
}

#[test]
fn a_watermark_that_is_lower_than_a_reader_saw_it_fell() {
    let (mut checker, ..) = three();
    checker.polled("reader", PLACE, &poll(&checker, 3, &[]));
    checker.polled("reader", PLACE, &Poll { high_watermark: 2, ..poll(&checker, 3, &[]) });
    assert_eq!(kinds(&checker), [Kind::WatermarkFell]);
    let (mut checker, _, [a, b, c]) = three();
    checker.polled("reader", PLACE, &Poll { high_watermark: 4, ..poll(&checker, 3, &[]) });
    checker.scanned(PLACE, &scan(0, 3, &[(0, &a), (1, &b), (2, &c)]));
    assert_eq!(kinds(&checker), [Kind::WatermarkFell]);
}

#[test]
fn a_log_start_may_fall_over_a_kill_as_far_as_it_was_on_disk() {
    let (mut checker, _, [_, b, c]) = three();
    checker.trimming(PLACE, 2);
    checker.scanned(PLACE, &scan(1, 3, &[(1, &b), (2, &c)]));
    let before = checker.life();
    checker.polled("reader", PLACE, &Poll { start: 2, ..poll(&checker, 3, &[]) });
    checker.killed();
    // An answer of before the kill that is only looked at now.
    checker.polled("reader", PLACE, &Poll { life: before, start: 2, ..poll(&checker, 3, &[]) });
    checker.polled("reader", PLACE, &Poll { start: 1, ..poll(&checker, 3, &[]) });
    checker.scanned(PLACE, &scan(1, 3, &[(1, &b), (2, &c)]));
    assert_eq!(kinds(&checker), []);
    checker.polled("reader", PLACE, &Poll { start: 0, ..poll(&checker, 3, &[]) });
    assert_eq!(kinds(&checker), [Kind::WatermarkFell]);
}

#[test]
fn an_acknowledged_log_start_does_not_fall_without_a_kill() {
    let (mut checker, _, [a, b, c]) = three();
    checker.trimming(PLACE, 2);
    checker.trimmed(PLACE, checker.life(), 2);
    checker.scanned(PLACE, &scan(0, 3, &[(0, &a), (1, &b), (2, &c)]));
    assert_eq!(kinds(&checker), [Kind::WatermarkFell]);
}

#[test]
fn a_leader_epoch_that_is_lower_than_it_was_fell() {
    let (mut checker, ..) = three();
    checker.leader_epoch(PLACE, 2);
    checker.killed();
    assert_eq!(kinds(&checker), []);
    checker.leader_epoch(PLACE, 1);
    assert_eq!(kinds(&checker), [Kind::EpochFell]);
}

#[test]
fn a_partition_that_cannot_be_read_is_unreadable_and_its_records_are_lost() {
    let (mut checker, _, [a, ..]) = three();
    let scan = Scan { error: Some("error 56".into()), high_watermark: 3, ..scan(0, 1, &[(0, &a)]) };
    checker.scanned(PLACE, &scan);
    assert_eq!(kinds(&checker), [Kind::LostWrite, Kind::Unreadable]);
}

#[test]
fn a_deleted_topic_is_forgotten_with_all_that_is_known_of_it() {
    let (mut checker, _, [a, ..]) = three();
    checker.consumed("group", "member", PLACE, &records(&[(0, &a)]).remove(0));
    checker.commit_acknowledged("group", PLACE, 1);
    checker.polled("reader", PLACE, &poll(&checker, 0, &[(0, &a)]));
    checker.deleting("orders");
    checker.deleted("orders");
    assert!(checker.places().is_empty());
    assert_eq!((checker.commits_acknowledged, checker.topics_deleted), (1, 1));
    checker.commit_acknowledged("group", PLACE, 1);
    assert_eq!(checker.end(PLACE), 0, "what comes late makes nothing anew");
    assert_eq!(kinds(&checker), []);
}
