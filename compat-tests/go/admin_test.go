// Administration: topics, partitions, configurations, groups, offsets by time, deletion of records.

package clients

import (
	"fmt"
	"slices"
	"time"
)

var adminScenarios = []Scenario{
	{"a_topic_is_made_grown_and_deleted_and_its_name_is_free_again", nil, topicLifecycle},
	{"configs_are_described_altered_and_put_back", nil, configs},
	{"replacing_all_configs_puts_back_what_is_not_named", nil, replacedConfigs},
	{"groups_are_listed_described_and_deleted", nil, groups},
	{"offsets_are_found_by_time", nil, offsetsByTime},
	{"deleted_records_are_gone", []Feature{DeleteRecords}, deletedRecords},
}

// Kafka's error codes.
const (
	offsetOutOfRange        = 1
	unknownTopicOrPartition = 3
	topicAlreadyExists      = 36
	invalidPartitions       = 37
	invalidConfig           = 40
	nonEmptyGroup           = 68
	groupSubscribedToTopic  = 86
)

func topicLifecycle(h *House) {
	name := unique("topic")
	h.check(h.CreateTopic(h.ctx, name, 2, map[string]string{"retention.ms": "86400000"}))
	h.awaitLeaders(name, 2)
	h.refused(h.CreateTopic(h.ctx, name, 2, nil), topicAlreadyExists)
	configs, err := h.Configs(h.ctx, name)
	h.check(err)
	same(h, configs["retention.ms"], "86400000", "retention.ms")
	h.check(h.Produce(h.ctx, name, "none", false, values("old", 4, 2)))

	h.check(h.CreatePartitions(h.ctx, name, 4))
	h.awaitPartitions(name, 4)
	h.refused(h.CreatePartitions(h.ctx, name, 3), invalidPartitions)

	h.check(h.DeleteTopic(h.ctx, name))
	h.awaitPartitions(name, 0)
	h.refused(h.DeleteTopic(h.ctx, name), unknownTopicOrPartition)

	h.check(h.CreateTopic(h.ctx, name, 1, nil))
	h.awaitPartitions(name, 1)
	h.awaitLeaders(name, 1)
	same(h, len(h.readAll(name, 1)), 0, "records in the new topic of the name")
}

func (h *House) awaitPartitions(topic string, count int) {
	h.Helper()
	h.until(fmt.Sprintf("%s has %d partitions", topic, count), func() (bool, string) {
		all, err := h.Topics(h.ctx)
		return err == nil && all[topic] == count, fmt.Sprint(all[topic], err)
	})
}

func configs(h *House) {
	topic := h.topic(1)
	value := func(key, wanted string) {
		h.Helper()
		h.until(key+" is "+wanted, func() (bool, string) {
			configs, err := h.Configs(h.ctx, topic)
			return err == nil && configs[key] == wanted, fmt.Sprint(configs[key], err)
		})
	}
	hour, never, nonsense := "3600000", "1", "soon"
	value("retention.ms", "604800000")
	value("cleanup.policy", "delete")

	h.check(h.SetConfig(h.ctx, topic, "retention.ms", &hour))
	value("retention.ms", hour)
	h.check(h.SetConfig(h.ctx, topic, "min.insync.replicas", &never))
	value("min.insync.replicas", never)
	value("retention.ms", hour)
	h.refused(h.SetConfig(h.ctx, topic, "retention.ms", &nonsense), invalidConfig)
	value("retention.ms", hour)

	h.check(h.SetConfig(h.ctx, topic, "retention.ms", nil))
	value("retention.ms", "604800000")
}

func replacedConfigs(h *House) {
	topic := h.topic(1)
	hour := "3600000"
	h.check(h.SetConfig(h.ctx, topic, "retention.ms", &hour))
	h.check(h.ReplaceConfigs(h.ctx, topic, map[string]string{"segment.ms": "1800000"}))
	h.until("only the segment's time is set", func() (bool, string) {
		configs, err := h.Configs(h.ctx, topic)
		state := fmt.Sprint(configs["retention.ms"], configs["segment.ms"], err)
		return err == nil && configs["retention.ms"] == "604800000" && configs["segment.ms"] == "1800000", state
	})
	h.refused(h.ReplaceConfigs(h.ctx, topic, map[string]string{"segment.ms": "soon"}), invalidConfig)
}

func groups(h *House) {
	t := h.team(false)
	member := t.join("only", "")
	t.awaitMembers("only")
	t.handled(t.send("v"))
	listed := func() bool {
		h.Helper()
		all, err := h.Groups(h.ctx)
		h.check(err)
		return slices.Contains(all, t.group)
	}
	same(h, listed(), true, "the group is listed")
	h.refused(h.DeleteGroup(h.ctx, t.group), nonEmptyGroup)

	h.check(member.Close())
	t.until("an empty group", func() (bool, string) {
		group, err := h.DescribeGroup(h.ctx, t.group, t.topic)
		return err == nil && group.State == "Empty" && len(group.Members) == 0, fmt.Sprint(group, err)
	})
	h.check(h.DeleteGroup(h.ctx, t.group))
	same(h, listed(), false, "the group is listed")
	committed, err := h.Committed(h.ctx, t.group, t.topic, partitions)
	h.check(err)
	same(h, len(committed), 0, "committed offsets of a deleted group")
}

func offsetsByTime(h *House) {
	topic := h.topic(2)
	begin := time.UnixMilli(time.Now().UnixMilli() - 60_000)
	var sent []Record
	for i := range 10 {
		sent = append(sent, Record{Value: []byte("v"), Time: begin.Add(time.Duration(i) * time.Second)})
	}
	h.check(h.Produce(h.ctx, topic, "gzip", false, sent))
	at := func(time, wanted int64) {
		h.Helper()
		offsets, err := h.Offsets(h.ctx, topic, 2, time)
		h.check(err)
		same(h, offsets[0], wanted, fmt.Sprintf("offset at %d", time-begin.UnixMilli()))
	}
	at(earliest, 0)
	at(latest, 10)
	at(begin.UnixMilli()-1, 0)
	at(begin.UnixMilli()+3000, 3)
	at(begin.UnixMilli()+3001, 4)
	at(begin.UnixMilli()+9000, 9)
	at(begin.UnixMilli()+9001, -1)
	empty, err := h.Offsets(h.ctx, topic, 2, begin.UnixMilli())
	h.check(err)
	same(h, empty[1], -1, "offset in an empty partition")
}

func deletedRecords(h *House) {
	topic := h.topic(1)
	h.check(h.Produce(h.ctx, topic, "none", false, values("v", 10, 1)))
	h.check(h.DeleteRecords(h.ctx, topic, 0, 4))

	start, err := h.Offsets(h.ctx, topic, 1, earliest)
	h.check(err)
	same(h, start[0], 4, "first offset")
	left := h.readAll(topic, 1)
	same(h, len(left), 6, "records that are left")
	same(h, string(left[0].Value), "v4", "the first of them")
	h.refused(h.DeleteRecords(h.ctx, topic, 0, 11), offsetOutOfRange)

	h.check(h.DeleteRecords(h.ctx, topic, 0, -1))
	same(h, len(h.readAll(topic, 1)), 0, "records after everything was deleted")
}
