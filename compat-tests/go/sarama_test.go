// IBM/sarama: sync producer, consumer, consumer group, cluster admin.

package clients

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
)

func TestSarama(t *testing.T) {
	client, err := sarama.NewClient([]string{broker.Address}, saramaConfig("admin"))
	if err != nil {
		t.Fatal(err)
	}
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		t.Fatal(err)
	}
	runScenarios(t, &saramaDriver{client, admin})
}

type saramaDriver struct {
	client sarama.Client
	admin  sarama.ClusterAdmin
}

func saramaConfig(clientID string) *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.V4_3_0_0
	config.ClientID = clientID
	config.Metadata.AllowAutoTopicCreation = false
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Consumer.MaxWaitTime = 100 * time.Millisecond
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.Session.Timeout = 10 * time.Second
	config.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	return config
}

// Close closes the client too.
func (s *saramaDriver) Close() { s.admin.Close() }

func (s *saramaDriver) Lacks(Feature) bool { return false }

func (s *saramaDriver) Code(err error) int16 {
	var refused sarama.KError
	var topic *sarama.TopicError
	var partition *sarama.TopicPartitionError
	var alter *sarama.AlterConfigError
	switch {
	case errors.As(err, &topic):
		return int16(topic.Err)
	case errors.As(err, &partition):
		return int16(partition.Err)
	case errors.As(err, &alter):
		return int16(alter.Err)
	case errors.As(err, &refused):
		return int16(refused)
	}
	return 0
}

var saramaCodecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

// saramaBytes keeps nil apart from empty: the first is null.
func saramaBytes(bytes []byte) sarama.Encoder {
	if bytes == nil {
		return nil
	}
	return sarama.ByteEncoder(bytes)
}

func saramaMessage(topic string, record Record) *sarama.ProducerMessage {
	message := &sarama.ProducerMessage{
		Topic: topic, Partition: record.Partition, Key: saramaBytes(record.Key), Value: saramaBytes(record.Value),
		Timestamp: record.Time,
	}
	for _, header := range record.Headers {
		message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(header.Key), Value: header.Value})
	}
	return message
}

func fromSarama(got *sarama.ConsumerMessage) Record {
	record := Record{
		Partition: got.Partition, Offset: got.Offset, Key: got.Key, Value: got.Value, Time: got.Timestamp,
	}
	for _, header := range got.Headers {
		record.Headers = append(record.Headers, Header{string(header.Key), header.Value})
	}
	return record
}

func (s *saramaDriver) Produce(_ context.Context, topic, codec string, idempotent bool, records []Record) error {
	config := saramaConfig("producer")
	config.Producer.Compression = saramaCodecs[codec]
	config.Producer.Flush.Frequency = 5 * time.Millisecond
	if idempotent {
		config.Producer.Idempotent = true
		config.Producer.RequiredAcks = sarama.WaitForAll
		config.Net.MaxOpenRequests = 1
	}
	producer, err := sarama.NewSyncProducer([]string{broker.Address}, config)
	if err != nil {
		return err
	}
	defer producer.Close()
	messages := make([]*sarama.ProducerMessage, 0, len(records))
	for _, record := range records {
		messages = append(messages, saramaMessage(topic, record))
	}
	return producer.SendMessages(messages)
}

func (s *saramaDriver) Transaction(_ context.Context, topic, id string, record Record) error {
	config := saramaConfig("producer")
	config.Producer.Idempotent = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Net.MaxOpenRequests = 1
	config.Producer.Transaction.ID = id
	producer, err := sarama.NewSyncProducer([]string{broker.Address}, config)
	if err != nil {
		return err
	}
	defer producer.Close()
	if err := producer.BeginTxn(); err != nil {
		return err
	}
	if _, _, err := producer.SendMessage(saramaMessage(topic, record)); err != nil {
		return err
	}
	return producer.CommitTxn()
}

func (s *saramaDriver) Read(ctx context.Context, topic string, ends map[int32]int64) ([]Record, error) {
	consumer, err := sarama.NewConsumer([]string{broker.Address}, saramaConfig("reader"))
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	starts, err := s.Offsets(ctx, topic, len(ends), earliest)
	if err != nil {
		return nil, err
	}
	reading := newReading(starts, ends)
	for partition := range maps.Clone(reading.open) {
		claim, err := consumer.ConsumePartition(topic, partition, sarama.OffsetOldest)
		if err != nil {
			return nil, err
		}
		for reading.open[partition] {
			select {
			case got := <-claim.Messages():
				reading.add(fromSarama(got))
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if err := claim.Close(); err != nil {
			return nil, err
		}
	}
	return reading.records(), nil
}

type saramaMember struct {
	options    MemberOptions
	group      sarama.ConsumerGroup
	cancel     context.CancelFunc
	ended      chan error
	lock       sync.Mutex
	session    sarama.ConsumerGroupSession
	beginCount map[int32]int
}

func (s *saramaDriver) Join(ctx context.Context, options MemberOptions) (Member, error) {
	config := saramaConfig(options.Client)
	config.Consumer.Group.InstanceId = options.Instance
	strategy := sarama.NewBalanceStrategyRange()
	if options.Cooperative {
		strategy = sarama.NewBalanceStrategyCooperativeSticky()
	}
	config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}
	group, err := sarama.NewConsumerGroup([]string{broker.Address}, options.Group, config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	member := &saramaMember{
		options: options, group: group, cancel: cancel, ended: make(chan error, 1), beginCount: map[int32]int{},
	}
	go func() { member.ended <- member.run(ctx) }()
	return member, nil
}

func (m *saramaMember) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := m.group.Consume(ctx, []string{m.options.Topic}, m); err != nil {
			return fmt.Errorf("the member %s: %w", m.options.Client, err)
		}
	}
	return nil
}

// Setup is called at the begin of a session.
func (m *saramaMember) Setup(session sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.session = session
	return nil
}

// Cleanup is called at the end of a session.
func (m *saramaMember) Cleanup(sarama.ConsumerGroupSession) error { return nil }

// ConsumeClaim is called for each partition that the member is given, until it is taken away.
func (m *saramaMember) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	m.lock.Lock()
	m.beginCount[claim.Partition()]++
	m.lock.Unlock()
	for {
		select {
		case got, open := <-claim.Messages():
			if !open {
				return nil
			}
			m.options.Handle(m.options.Client, fromSarama(got))
			session.MarkMessage(got, "")
			if len(claim.Messages()) == 0 {
				session.Commit()
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

func (m *saramaMember) Generation() int32 {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.session.GenerationID()
}

func (m *saramaMember) Begins() map[int32]int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return maps.Clone(m.beginCount)
}

func (m *saramaMember) Close() error {
	m.cancel()
	return errors.Join(<-m.ended, m.group.Close())
}

func (s *saramaDriver) Commit(_ context.Context, group, topic string, offsets map[int32]int64) error {
	wanted := map[int32]sarama.OffsetAndMetadata{}
	for partition, offset := range offsets {
		wanted[partition] = sarama.OffsetAndMetadata{Offset: offset, LeaderEpoch: -1}
	}
	response, err := s.admin.AlterConsumerGroupOffsets(group, map[string]map[int32]sarama.OffsetAndMetadata{topic: wanted}, nil)
	if err != nil {
		return err
	}
	for partition, code := range response.Errors[topic] {
		if code != sarama.ErrNoError {
			return fmt.Errorf("partition %d: %w", partition, code)
		}
	}
	return nil
}

func (s *saramaDriver) Committed(_ context.Context, group, topic string, partitions int) (map[int32]int64, error) {
	wanted := map[string][]int32{topic: {}}
	for partition := range int32(partitions) {
		wanted[topic] = append(wanted[topic], partition)
	}
	response, err := s.admin.ListConsumerGroupOffsets(group, wanted)
	if err != nil {
		return nil, err
	}
	if response.Err != sarama.ErrNoError {
		return nil, response.Err
	}
	found := map[int32]int64{}
	for partition, block := range response.Blocks[topic] {
		if block.Err != sarama.ErrNoError {
			return nil, block.Err
		}
		if block.Offset >= 0 {
			found[partition] = block.Offset
		}
	}
	return found, nil
}

func (s *saramaDriver) Forget(_ context.Context, group, topic string, partition int32) error {
	return s.admin.DeleteConsumerGroupOffset(group, topic, partition)
}

func (s *saramaDriver) CreateTopic(_ context.Context, topic string, partitions int, configs map[string]string) error {
	detail := &sarama.TopicDetail{
		NumPartitions: int32(partitions), ReplicationFactor: -1, ConfigEntries: map[string]*string{},
	}
	for key, value := range configs {
		detail.ConfigEntries[key] = &value
	}
	return s.admin.CreateTopic(topic, detail, false)
}

func (s *saramaDriver) DeleteTopic(_ context.Context, topic string) error {
	return s.admin.DeleteTopic(topic)
}

func (s *saramaDriver) Topics(context.Context) (map[string]int, error) {
	listed, err := s.admin.ListTopics()
	counts := map[string]int{}
	for name, detail := range listed {
		counts[name] = int(detail.NumPartitions)
	}
	return counts, err
}

func (s *saramaDriver) CreatePartitions(_ context.Context, topic string, total int) error {
	return s.admin.CreatePartitions(topic, int32(total), nil, false)
}

func (s *saramaDriver) Configs(_ context.Context, topic string) (map[string]string, error) {
	results, err := s.admin.DescribeConfigs(
		[]*sarama.ConfigResource{{Type: sarama.TopicResource, Name: topic}},
		sarama.DescribeConfigsOptions{IncludeSynonyms: true, IncludeDocumentation: true})
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, result := range results {
		if result.ErrorCode != sarama.ErrNoError {
			return nil, result.ErrorCode
		}
		for _, entry := range result.Configs {
			found[entry.Name] = entry.Value
		}
	}
	return found, nil
}

func (s *saramaDriver) SetConfig(_ context.Context, topic, key string, value *string) error {
	change := sarama.IncrementalAlterConfigsEntry{Operation: sarama.IncrementalAlterConfigsOperationSet, Value: value}
	if value == nil {
		change.Operation = sarama.IncrementalAlterConfigsOperationDelete
	}
	return s.admin.IncrementalAlterConfig(sarama.TopicResource, topic,
		map[string]sarama.IncrementalAlterConfigsEntry{key: change}, false)
}

func (s *saramaDriver) ReplaceConfigs(_ context.Context, topic string, configs map[string]string) error {
	wanted := map[string]*string{}
	for key, value := range configs {
		wanted[key] = &value
	}
	return s.admin.AlterConfig(sarama.TopicResource, topic, wanted, false)
}

func (s *saramaDriver) Groups(context.Context) ([]string, error) {
	listed, err := s.admin.ListConsumerGroups()
	var names []string
	for name := range listed {
		names = append(names, name)
	}
	return names, err
}

func (s *saramaDriver) DescribeGroup(_ context.Context, group, topic string) (Group, error) {
	all, err := s.admin.DescribeConsumerGroups([]string{group})
	if err != nil {
		return Group{}, err
	}
	described := all[0]
	if described.Err != sarama.ErrNoError {
		return Group{}, described.Err
	}
	found := Group{State: described.State, Protocol: described.Protocol, Members: map[string][]int32{}}
	for _, member := range described.Members {
		assigned, err := member.GetMemberAssignment()
		if err != nil {
			return Group{}, err
		}
		var partitions []int32
		if assigned != nil {
			partitions = assigned.Topics[topic]
		}
		found.Members[member.ClientId] = partitions
	}
	return found, nil
}

func (s *saramaDriver) DeleteGroup(_ context.Context, group string) error {
	return s.admin.DeleteConsumerGroup(group)
}

func (s *saramaDriver) Offsets(_ context.Context, topic string, partitions int, time int64) (map[int32]int64, error) {
	wanted := map[int32]int64{}
	for partition := range int32(partitions) {
		wanted[partition] = time
	}
	results, err := s.admin.ListOffsets(map[string]map[int32]int64{topic: wanted}, nil)
	if err != nil {
		return nil, err
	}
	found := map[int32]int64{}
	for partition, result := range results[topic] {
		if result.Err != nil && result.Err != sarama.ErrNoError {
			return nil, result.Err
		}
		found[partition] = result.Offset
	}
	return found, nil
}

func (s *saramaDriver) DeleteRecords(_ context.Context, topic string, partition int32, before int64) error {
	return s.admin.DeleteRecords(topic, map[int32]int64{partition: before})
}
