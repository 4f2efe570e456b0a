// segmentio/kafka-go: Writer, Reader (alone and in a group), Client.

package clients

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

func TestKafkaGo(t *testing.T) {
	transport := &kafka.Transport{ClientID: "kafka-go", MetadataTTL: 200 * time.Millisecond}
	runScenarios(t, &kafkaGo{
		transport: transport,
		client:    &kafka.Client{Addr: kafka.TCP(broker.Address), Timeout: 20 * time.Second, Transport: transport},
	})
}

type kafkaGo struct {
	transport *kafka.Transport
	client    *kafka.Client
}

func (k *kafkaGo) Close() { k.transport.CloseIdleConnections() }

func (k *kafkaGo) Lacks(feature Feature) bool {
	switch feature {
	case Cooperative, StaticMembers, DeleteRecords, Idempotence, Transactions, NullValues, Callbacks:
		return true
	}
	return false
}

func (k *kafkaGo) Code(err error) int16 {
	var refused kafka.Error
	if errors.As(err, &refused) {
		return int16(refused)
	}
	return 0
}

var kafkaGoCodecs = map[string]kafka.Compression{
	"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
}

func (k *kafkaGo) Produce(ctx context.Context, topic, codec string, _ bool, records []Record) error {
	writer := &kafka.Writer{
		Addr: kafka.TCP(broker.Address), Topic: topic, Transport: k.transport, Compression: kafkaGoCodecs[codec],
		BatchTimeout: 5 * time.Millisecond, RequiredAcks: kafka.RequireAll,
		// The partition of a message is the balancer's to choose.
		Balancer: kafka.BalancerFunc(func(message kafka.Message, _ ...int) int { return message.WriterData.(int) }),
	}
	messages := make([]kafka.Message, 0, len(records))
	for _, record := range records {
		message := kafka.Message{Key: record.Key, Value: record.Value, Time: record.Time, WriterData: int(record.Partition)}
		for _, header := range record.Headers {
			message.Headers = append(message.Headers, kafka.Header{Key: header.Key, Value: header.Value})
		}
		messages = append(messages, message)
	}
	return errors.Join(writer.WriteMessages(ctx, messages...), writer.Close())
}

// Transaction is not in kafka-go's Writer.
func (k *kafkaGo) Transaction(context.Context, string, string, Record) error {
	return errors.ErrUnsupported
}

func fromKafkaGo(got kafka.Message) Record {
	record := Record{
		Partition: int32(got.Partition), Offset: got.Offset, Key: got.Key, Value: got.Value, Time: got.Time,
	}
	for _, header := range got.Headers {
		record.Headers = append(record.Headers, Header{header.Key, header.Value})
	}
	return record
}

func (k *kafkaGo) Read(ctx context.Context, topic string, ends map[int32]int64) ([]Record, error) {
	starts, err := k.Offsets(ctx, topic, len(ends), earliest)
	if err != nil {
		return nil, err
	}
	reading := newReading(starts, ends)
	for partition := range maps.Clone(reading.open) {
		reader := kafka.NewReader(kafka.ReaderConfig{
			Brokers: []string{broker.Address}, Topic: topic, Partition: int(partition), MaxWait: 500 * time.Millisecond,
		})
		for err == nil && reading.open[partition] {
			var got kafka.Message
			if got, err = reader.ReadMessage(ctx); err == nil {
				reading.add(fromKafkaGo(got))
			}
		}
		if err = errors.Join(err, reader.Close()); err != nil {
			return nil, err
		}
	}
	return reading.records(), nil
}

type kafkaGoMember struct {
	reader *kafka.Reader
	cancel context.CancelFunc
	ended  chan error
}

func (k *kafkaGo) Join(ctx context.Context, options MemberOptions) (Member, error) {
	ctx, cancel := context.WithCancel(ctx)
	member := &kafkaGoMember{cancel: cancel, ended: make(chan error, 1)}
	member.reader = kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{broker.Address}, GroupID: options.Group, Topic: options.Topic,
		Dialer:         &kafka.Dialer{ClientID: options.Client, Timeout: 10 * time.Second},
		GroupBalancers: []kafka.GroupBalancer{kafka.RangeGroupBalancer{}},
		StartOffset:    kafka.FirstOffset, MaxWait: 200 * time.Millisecond,
		SessionTimeout: 10 * time.Second, HeartbeatInterval: 200 * time.Millisecond,
	})
	go func() { member.ended <- member.run(ctx, options) }()
	return member, nil
}

func (m *kafkaGoMember) run(ctx context.Context, options MemberOptions) error {
	for {
		got, err := m.reader.FetchMessage(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		options.Handle(options.Client, fromKafkaGo(got))
		if err := m.reader.CommitMessages(ctx, got); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// Generation is not told by a Reader.
func (m *kafkaGoMember) Generation() int32 { return -1 }

// Begins is not told by a Reader.
func (m *kafkaGoMember) Begins() map[int32]int { return nil }

func (m *kafkaGoMember) Close() error {
	m.cancel()
	return errors.Join(<-m.ended, m.reader.Close())
}

func (k *kafkaGo) Commit(ctx context.Context, group, topic string, offsets map[int32]int64) error {
	var commits []kafka.OffsetCommit
	for partition, offset := range offsets {
		commits = append(commits, kafka.OffsetCommit{Partition: int(partition), Offset: offset})
	}
	response, err := k.client.OffsetCommit(ctx, &kafka.OffsetCommitRequest{
		GroupID: group, GenerationID: -1, Topics: map[string][]kafka.OffsetCommit{topic: commits},
	})
	if err != nil {
		return err
	}
	for _, partition := range response.Topics[topic] {
		if partition.Error != nil {
			return partition.Error
		}
	}
	return nil
}

func (k *kafkaGo) Committed(ctx context.Context, group, topic string, partitions int) (map[int32]int64, error) {
	var wanted []int
	for partition := range partitions {
		wanted = append(wanted, partition)
	}
	response, err := k.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{
		GroupID: group, Topics: map[string][]int{topic: wanted},
	})
	if err != nil {
		return nil, err
	}
	found := map[int32]int64{}
	for _, partition := range response.Topics[topic] {
		if partition.Error != nil {
			return nil, partition.Error
		}
		if partition.CommittedOffset >= 0 {
			found[int32(partition.Partition)] = partition.CommittedOffset
		}
	}
	return found, response.Error
}

func (k *kafkaGo) Forget(ctx context.Context, group, topic string, partition int32) error {
	response, err := k.client.OffsetDelete(ctx, &kafka.OffsetDeleteRequest{
		GroupID: group, Topics: map[string][]int{topic: {int(partition)}},
	})
	if err != nil {
		return err
	}
	for _, one := range response.Topics[topic] {
		if one.Error != nil {
			return one.Error
		}
	}
	return response.Error
}

func (k *kafkaGo) CreateTopic(ctx context.Context, topic string, partitions int, configs map[string]string) error {
	wanted := kafka.TopicConfig{Topic: topic, NumPartitions: partitions, ReplicationFactor: -1}
	for key, value := range configs {
		wanted.ConfigEntries = append(wanted.ConfigEntries, kafka.ConfigEntry{ConfigName: key, ConfigValue: value})
	}
	response, err := k.client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{wanted}})
	if err != nil {
		return err
	}
	return response.Errors[topic]
}

func (k *kafkaGo) DeleteTopic(ctx context.Context, topic string) error {
	response, err := k.client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	if err != nil {
		return err
	}
	return response.Errors[topic]
}

func (k *kafkaGo) Topics(ctx context.Context) (map[string]int, error) {
	response, err := k.client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, topic := range response.Topics {
		counts[topic.Name] = len(topic.Partitions)
	}
	return counts, nil
}

func (k *kafkaGo) CreatePartitions(ctx context.Context, topic string, total int) error {
	response, err := k.client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{
		Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: int32(total)}},
	})
	if err != nil {
		return err
	}
	return response.Errors[topic]
}

func (k *kafkaGo) Configs(ctx context.Context, topic string) (map[string]string, error) {
	response, err := k.client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{
		Resources:       []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic}},
		IncludeSynonyms: true, IncludeDocumentation: true,
	})
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, resource := range response.Resources {
		if resource.Error != nil {
			return nil, resource.Error
		}
		for _, entry := range resource.ConfigEntries {
			found[entry.ConfigName] = entry.ConfigValue
		}
	}
	return found, nil
}

func (k *kafkaGo) SetConfig(ctx context.Context, topic, key string, value *string) error {
	change := kafka.IncrementalAlterConfigsRequestConfig{Name: key, ConfigOperation: kafka.ConfigOperationDelete}
	if value != nil {
		change.Value, change.ConfigOperation = *value, kafka.ConfigOperationSet
	}
	response, err := k.client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
			Configs: []kafka.IncrementalAlterConfigsRequestConfig{change},
		}},
	})
	if err != nil {
		return err
	}
	return response.Resources[0].Error
}

func (k *kafkaGo) ReplaceConfigs(ctx context.Context, topic string, configs map[string]string) error {
	wanted := kafka.AlterConfigRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic}
	for key, value := range configs {
		wanted.Configs = append(wanted.Configs, kafka.AlterConfigRequestConfig{Name: key, Value: value})
	}
	response, err := k.client.AlterConfigs(ctx, &kafka.AlterConfigsRequest{
		Resources: []kafka.AlterConfigRequestResource{wanted},
	})
	if err != nil {
		return err
	}
	for _, refused := range response.Errors {
		if refused != nil {
			return refused
		}
	}
	return nil
}

func (k *kafkaGo) Groups(ctx context.Context) ([]string, error) {
	response, err := k.client.ListGroups(ctx, &kafka.ListGroupsRequest{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, group := range response.Groups {
		names = append(names, group.GroupID)
	}
	return names, response.Error
}

func (k *kafkaGo) DescribeGroup(ctx context.Context, group, topic string) (Group, error) {
	response, err := k.client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
	if err != nil {
		return Group{}, err
	}
	described := response.Groups[0]
	found := Group{State: described.GroupState, Members: map[string][]int32{}}
	for _, member := range described.Members {
		var partitions []int32
		for _, given := range member.MemberAssignments.Topics {
			if given.Topic == topic {
				for _, partition := range given.Partitions {
					partitions = append(partitions, int32(partition))
				}
			}
		}
		slices.Sort(partitions)
		found.Members[member.ClientID] = partitions
	}
	return found, described.Error
}

func (k *kafkaGo) DeleteGroup(ctx context.Context, group string) error {
	response, err := k.client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})
	if err != nil {
		return err
	}
	return response.Errors[group]
}

func (k *kafkaGo) Offsets(ctx context.Context, topic string, partitions int, at int64) (map[int32]int64, error) {
	var wanted []kafka.OffsetRequest
	for partition := range partitions {
		wanted = append(wanted, kafka.OffsetRequest{Partition: partition, Timestamp: at})
	}
	response, err := k.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{topic: wanted},
	})
	if err != nil {
		return nil, err
	}
	found := map[int32]int64{}
	for _, partition := range response.Topics[topic] {
		if partition.Error != nil {
			return nil, partition.Error
		}
		switch at {
		case earliest:
			found[int32(partition.Partition)] = partition.FirstOffset
		case latest:
			found[int32(partition.Partition)] = partition.LastOffset
		default:
			for offset := range partition.Offsets {
				found[int32(partition.Partition)] = offset
			}
		}
	}
	return found, nil
}

// DeleteRecords is not in kafka-go.
func (k *kafkaGo) DeleteRecords(context.Context, string, int32, int64) error {
	return errors.ErrUnsupported
}
