// franz-go: kgo for records and groups, kadm for administration.

package clients

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestFranz(t *testing.T) {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Address))
	if err != nil {
		t.Fatal(err)
	}
	runScenarios(t, &franz{admin: kadm.NewClient(client)})
}

type franz struct{ admin *kadm.Client }

func (f *franz) Close() { f.admin.Close() }

func (f *franz) Lacks(Feature) bool { return false }

func (f *franz) Code(err error) int16 {
	var refused *kerr.Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return 0
}

var franzCodecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

func franzRecord(topic string, record Record) *kgo.Record {
	sent := &kgo.Record{
		Topic: topic, Partition: record.Partition, Key: record.Key, Value: record.Value, Timestamp: record.Time,
	}
	for _, header := range record.Headers {
		sent.Headers = append(sent.Headers, kgo.RecordHeader{Key: header.Key, Value: header.Value})
	}
	return sent
}

func fromFranz(got *kgo.Record) Record {
	record := Record{
		Partition: got.Partition, Offset: got.Offset, Key: got.Key, Value: got.Value, Time: got.Timestamp,
	}
	for _, header := range got.Headers {
		record.Headers = append(record.Headers, Header{header.Key, header.Value})
	}
	return record
}

func (f *franz) Produce(ctx context.Context, topic, codec string, idempotent bool, records []Record) error {
	options := []kgo.Opt{
		kgo.SeedBrokers(broker.Address), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(franzCodecs[codec]), kgo.ProducerLinger(5 * time.Millisecond),
	}
	if !idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	sent := make([]*kgo.Record, 0, len(records))
	for _, record := range records {
		sent = append(sent, franzRecord(topic, record))
	}
	return client.ProduceSync(ctx, sent...).FirstErr()
}

func (f *franz) Transaction(ctx context.Context, topic, id string, record Record) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Address), kgo.TransactionalID(id))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	if err := client.ProduceSync(ctx, franzRecord(topic, record)).FirstErr(); err != nil {
		return err
	}
	return client.EndTransaction(ctx, kgo.TryCommit)
}

func (f *franz) Read(ctx context.Context, topic string, ends map[int32]int64) ([]Record, error) {
	from := map[int32]kgo.Offset{}
	for partition := range ends {
		from[partition] = kgo.NewOffset().AtStart()
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Address),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	starts, err := f.Offsets(ctx, topic, len(ends), earliest)
	if err != nil {
		return nil, err
	}
	reading := newReading(starts, ends)
	for !reading.complete() {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		fetches.EachRecord(func(got *kgo.Record) { reading.add(fromFranz(got)) })
	}
	return reading.records(), nil
}

type franzMember struct {
	client *kgo.Client
	lock   sync.Mutex
	begins map[int32]int
	ended  chan error
	cancel context.CancelFunc
}

func (f *franz) Join(ctx context.Context, options MemberOptions) (Member, error) {
	ctx, cancel := context.WithCancel(ctx)
	member := &franzMember{begins: map[int32]int{}, ended: make(chan error, 1), cancel: cancel}
	balancer := kgo.RangeBalancer()
	if options.Cooperative {
		balancer = kgo.CooperativeStickyBalancer()
	}
	settings := []kgo.Opt{
		kgo.SeedBrokers(broker.Address), kgo.ClientID(options.Client), kgo.ConsumerGroup(options.Group),
		kgo.ConsumeTopics(options.Topic), kgo.Balancers(balancer), kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(), kgo.SessionTimeout(10 * time.Second),
		kgo.HeartbeatInterval(200 * time.Millisecond), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, added map[string][]int32) {
			member.lock.Lock()
			defer member.lock.Unlock()
			for _, partition := range added[options.Topic] {
				member.begins[partition]++
			}
		}),
	}
	if options.Instance != "" {
		settings = append(settings, kgo.InstanceID(options.Instance))
	}
	client, err := kgo.NewClient(settings...)
	if err != nil {
		cancel()
		return nil, err
	}
	member.client = client
	go func() { member.ended <- member.run(ctx, options) }()
	return member, nil
}

func (m *franzMember) run(ctx context.Context, options MemberOptions) error {
	for {
		fetches := m.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(got *kgo.Record) { options.Handle(options.Client, fromFranz(got)) })
		if err := m.client.CommitUncommittedOffsets(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		m.client.AllowRebalance()
	}
}

func (m *franzMember) Generation() int32 {
	_, generation := m.client.GroupMetadata()
	return generation
}

func (m *franzMember) Begins() map[int32]int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return maps.Clone(m.begins)
}

func (m *franzMember) Close() error {
	m.cancel()
	err := <-m.ended
	m.client.CloseAllowingRebalance()
	return err
}

func (f *franz) Commit(ctx context.Context, group, topic string, offsets map[int32]int64) error {
	var committed kadm.Offsets
	for partition, offset := range offsets {
		committed.AddOffset(topic, partition, offset, -1)
	}
	return f.admin.CommitAllOffsets(ctx, group, committed)
}

func (f *franz) Committed(ctx context.Context, group, topic string, _ int) (map[int32]int64, error) {
	all, err := f.admin.FetchOffsets(ctx, group)
	if err != nil {
		return nil, err
	}
	found := map[int32]int64{}
	for partition, response := range all[topic] {
		if response.Err != nil {
			return nil, response.Err
		}
		if response.At >= 0 {
			found[partition] = response.At
		}
	}
	return found, nil
}

func (f *franz) Forget(ctx context.Context, group, topic string, partition int32) error {
	var wanted kadm.TopicsSet
	wanted.Add(topic, partition)
	responses, err := f.admin.DeleteOffsets(ctx, group, wanted)
	if err != nil {
		return err
	}
	refused, _ := responses.Lookup(topic, partition)
	return refused
}

func (f *franz) CreateTopic(ctx context.Context, topic string, partitions int, configs map[string]string) error {
	wanted := map[string]*string{}
	for key, value := range configs {
		wanted[key] = &value
	}
	_, err := f.admin.CreateTopic(ctx, int32(partitions), -1, wanted, topic)
	return err
}

func (f *franz) DeleteTopic(ctx context.Context, topic string) error {
	_, err := f.admin.DeleteTopic(ctx, topic)
	return err
}

func (f *franz) Topics(ctx context.Context) (map[string]int, error) {
	listed, err := f.admin.ListTopics(ctx)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for name, detail := range listed {
		counts[name] = len(detail.Partitions)
	}
	return counts, listed.Error()
}

func (f *franz) CreatePartitions(ctx context.Context, topic string, total int) error {
	responses, err := f.admin.UpdatePartitions(ctx, total, topic)
	if err != nil {
		return err
	}
	return responses.Error()
}

func (f *franz) Configs(ctx context.Context, topic string) (map[string]string, error) {
	described, err := f.admin.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return nil, err
	}
	resource, err := described.On(topic, nil)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, config := range resource.Configs {
		found[config.Key] = config.MaybeValue()
	}
	return found, resource.Err
}

func (f *franz) SetConfig(ctx context.Context, topic, key string, value *string) error {
	change := kadm.AlterConfig{Op: kadm.SetConfig, Name: key, Value: value}
	if value == nil {
		change.Op = kadm.DeleteConfig
	}
	responses, err := f.admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{change}, topic)
	if err != nil {
		return err
	}
	response, err := responses.On(topic, nil)
	if err != nil {
		return err
	}
	return response.Err
}

func (f *franz) ReplaceConfigs(ctx context.Context, topic string, configs map[string]string) error {
	var wanted []kadm.AlterConfig
	for key, value := range configs {
		wanted = append(wanted, kadm.AlterConfig{Name: key, Value: &value})
	}
	responses, err := f.admin.AlterTopicConfigsState(ctx, wanted, topic)
	if err != nil {
		return err
	}
	response, err := responses.On(topic, nil)
	if err != nil {
		return err
	}
	return response.Err
}

func (f *franz) Groups(ctx context.Context) ([]string, error) {
	listed, err := f.admin.ListGroups(ctx)
	return listed.Groups(), err
}

func (f *franz) DescribeGroup(ctx context.Context, group, topic string) (Group, error) {
	all, err := f.admin.DescribeGroups(ctx, group)
	if err != nil {
		return Group{}, err
	}
	described := all[group]
	found := Group{State: described.State, Protocol: described.Protocol, Members: map[string][]int32{}}
	for _, member := range described.Members {
		var partitions []int32
		if assigned, ok := member.Assigned.AsConsumer(); ok {
			for _, given := range assigned.Topics {
				if given.Topic == topic {
					partitions = given.Partitions
				}
			}
		}
		found.Members[member.ClientID] = partitions
	}
	return found, described.Err
}

func (f *franz) DeleteGroup(ctx context.Context, group string) error {
	_, err := f.admin.DeleteGroup(ctx, group)
	return err
}

func (f *franz) Offsets(ctx context.Context, topic string, _ int, time int64) (map[int32]int64, error) {
	var listed kadm.ListedOffsets
	var err error
	switch time {
	case latest:
		listed, err = f.admin.ListEndOffsets(ctx, topic)
	case earliest:
		listed, err = f.admin.ListStartOffsets(ctx, topic)
	default:
		return f.offsetsByTime(ctx, topic, time)
	}
	if err != nil {
		return nil, err
	}
	found := map[int32]int64{}
	listed.Each(func(offset kadm.ListedOffset) { found[offset.Partition] = offset.Offset })
	return found, listed.Error()
}

// offsetsByTime undoes what kadm adds: it answers the end of the partition, with timestamp −1, where Kafka answers −1.
func (f *franz) offsetsByTime(ctx context.Context, topic string, time int64) (map[int32]int64, error) {
	listed, err := f.admin.ListOffsetsAfterMilli(ctx, time, topic)
	if err != nil {
		return nil, err
	}
	found := map[int32]int64{}
	listed.Each(func(offset kadm.ListedOffset) {
		found[offset.Partition] = offset.Offset
		if offset.Timestamp == -1 {
			found[offset.Partition] = -1
		}
	})
	return found, listed.Error()
}

func (f *franz) DeleteRecords(ctx context.Context, topic string, partition int32, before int64) error {
	var wanted kadm.Offsets
	wanted.AddOffset(topic, partition, before, -1)
	responses, err := f.admin.DeleteRecords(ctx, wanted)
	if err != nil {
		return err
	}
	response, found := responses.Lookup(topic, partition)
	if !found {
		return errors.New("no answer for partition " + strconv.Itoa(int(partition)))
	}
	return response.Err
}
