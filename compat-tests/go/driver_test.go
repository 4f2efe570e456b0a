// What every client is asked to do, in the client's own way. One file for each client implements it;
// the scenarios in the other files know nothing but this.

package clients

import (
	"context"
	"time"
)

// A Record as it is sent and read: nil is null. Offset counts only when it was read.
type Record struct {
	Partition  int32
	Offset     int64
	Key, Value []byte
	Headers    []Header
	Time       time.Time
}

// A Header of a record.
type Header struct {
	Key   string
	Value []byte
}

// Feature is something that not every client has.
type Feature string

const (
	Cooperative   Feature = "cooperative rebalancing"
	StaticMembers Feature = "static members"
	DeleteRecords Feature = "deletion of records"
	Idempotence   Feature = "an idempotent producer"
	Transactions  Feature = "a transactional producer"
	NullValues    Feature = "null told from empty when reading"
	Callbacks     Feature = "callbacks that tell which partitions come and stay"
)

// Timestamps with a meaning of their own in ListOffsets.
const (
	latest   int64 = -1
	earliest int64 = -2
)

// Driver is one client library. Its methods wait for the broker's answer; an error is the client's own.
type Driver interface {
	// Lacks tells what this client does not offer.
	Lacks(Feature) bool
	// Code is Kafka's error code inside an error of this client, 0 when there is none.
	Code(error) int16

	// Produce sends the records to the partitions that they name. The codec is none, gzip, snappy, lz4 or zstd.
	Produce(ctx context.Context, topic, codec string, idempotent bool, records []Record) error
	// Transaction sends one record in a transaction and commits it.
	Transaction(ctx context.Context, topic, id string, record Record) error
	// Read returns what the partitions hold from their first offset up to `ends`, by partition in order of offset.
	Read(ctx context.Context, topic string, ends map[int32]int64) ([]Record, error)

	// Join starts a member of a group. It commits what it was given after `Handle` returned.
	Join(ctx context.Context, options MemberOptions) (Member, error)
	// Commit sets offsets of a group without members.
	Commit(ctx context.Context, group, topic string, offsets map[int32]int64) error
	// Committed leaves out partitions without a committed offset.
	Committed(ctx context.Context, group, topic string, partitions int) (map[int32]int64, error)
	// Forget removes a group's committed offset of one partition.
	Forget(ctx context.Context, group, topic string, partition int32) error

	CreateTopic(ctx context.Context, topic string, partitions int, configs map[string]string) error
	DeleteTopic(ctx context.Context, topic string) error
	// Topics is the number of partitions of each topic.
	Topics(ctx context.Context) (map[string]int, error)
	// CreatePartitions grows a topic to `total` partitions.
	CreatePartitions(ctx context.Context, topic string, total int) error
	Configs(ctx context.Context, topic string) (map[string]string, error)
	// SetConfig alters one configuration and leaves the others; nil removes it.
	SetConfig(ctx context.Context, topic, key string, value *string) error
	// ReplaceConfigs sets all configurations of a topic; what is not named goes back to its default.
	ReplaceConfigs(ctx context.Context, topic string, configs map[string]string) error

	Groups(ctx context.Context) ([]string, error)
	DescribeGroup(ctx context.Context, group, topic string) (Group, error)
	DeleteGroup(ctx context.Context, group string) error

	// Offsets asks each partition by time (milliseconds, `latest` or `earliest`); −1 when there is no such record.
	Offsets(ctx context.Context, topic string, partitions int, time int64) (map[int32]int64, error)
	// DeleteRecords removes what is before an offset.
	DeleteRecords(ctx context.Context, topic string, partition int32, before int64) error

	// Close ends what the driver keeps open.
	Close()
}

// MemberOptions are what a member of a group starts with.
type MemberOptions struct {
	Group, Topic string
	// Client is its client id.
	Client string
	// Instance is its group.instance.id, empty for a dynamic member.
	Instance    string
	Cooperative bool
	Handle      func(client string, record Record)
}

// Member is a consumer in a group.
type Member interface {
	// Generation of the group as the member knows it.
	Generation() int32
	// Begins tells how often the member was given each partition.
	Begins() map[int32]int
	// Close ends the member. A dynamic one leaves the group.
	Close() error
}

// Group as its coordinator describes it.
type Group struct {
	State string
	// Protocol is the assignor; empty when the client does not tell.
	Protocol string
	// Members are the partitions of one topic by client id.
	Members map[string][]int32
}
