// What the scenarios share: names, waits, topics, and ledgers of what was read.

package clients

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

const scenarioMax = 60 * time.Second

// House is what a scenario gets: the client under test and a deadline.
type House struct {
	*testing.T
	Driver
	ctx context.Context
}

// runScenarios runs each scenario with one client, side by side: most of their time is waiting for rebalances.
func runScenarios(t *testing.T, driver Driver) {
	t.Cleanup(driver.Close)
	for _, scenario := range scenarios {
		t.Run(scenario.name, func(t *testing.T) {
			for _, feature := range scenario.needs {
				if driver.Lacks(feature) {
					t.Skipf("not in this client: %s", feature)
				}
			}
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), scenarioMax)
			defer cancel()
			scenario.run(&House{t, driver, ctx})
		})
	}
}

// Scenario is one behaviour, the same for every client.
type Scenario struct {
	name  string
	needs []Feature
	run   func(*House)
}

var scenarios = slices.Concat(messageScenarios, groupScenarios, adminScenarios)

// check ends the scenario after an error.
func (h *House) check(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// refused asserts Kafka's error code.
func (h *House) refused(err error, code int16) {
	h.Helper()
	if err == nil {
		h.Fatalf("accepted, where error %d belongs", code)
	}
	if got := h.Code(err); got != code {
		h.Fatalf("error %d where %d belongs: %v", got, code, err)
	}
}

// same asserts equality.
func same[T any](h *House, got, wanted T, what string) {
	h.Helper()
	if fmt.Sprint(got) != fmt.Sprint(wanted) {
		h.Fatalf("%s: got %v, wanted %v", what, got, wanted)
	}
}

// until waits for a condition.
func (h *House) until(what string, condition func() (bool, string)) {
	h.Helper()
	for {
		met, state := condition()
		if met {
			return
		}
		select {
		case <-h.ctx.Done():
			h.Fatalf("waited in vain: %s; now %s", what, state)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// unique is a name that no other scenario has.
func unique(prefix string) string {
	return fmt.Sprintf("%s-%08x", prefix, rand.Uint32())
}

// topic makes one whose partitions have leaders, which an answer to ListOffsets shows.
func (h *House) topic(partitions int) string {
	h.Helper()
	name := unique("topic")
	h.check(h.CreateTopic(h.ctx, name, partitions, nil))
	h.awaitLeaders(name, partitions)
	return name
}

func (h *House) awaitLeaders(topic string, partitions int) {
	h.Helper()
	h.until(topic+" has leaders", func() (bool, string) {
		ends, err := h.Offsets(h.ctx, topic, partitions, latest)
		return err == nil && len(ends) == partitions, fmt.Sprint(ends, err)
	})
}

// values makes records `prefix0`, `prefix1`, … that go round the partitions.
func values(prefix string, count, partitions int) []Record {
	records := make([]Record, count)
	for i := range records {
		records[i] = Record{Partition: int32(i % partitions), Value: fmt.Appendf(nil, "%s%d", prefix, i)}
	}
	return records
}

// readAll is what a topic holds now.
func (h *House) readAll(topic string, partitions int) []Record {
	h.Helper()
	ends, err := h.Offsets(h.ctx, topic, partitions, latest)
	h.check(err)
	records, err := h.Read(h.ctx, topic, ends)
	h.check(err)
	return records
}

// A reading goes from the first to the end offset of each partition.
type reading struct {
	ends map[int32]int64
	open map[int32]bool
	all  []Record
}

func newReading(starts, ends map[int32]int64) *reading {
	open := map[int32]bool{}
	for partition, end := range ends {
		if starts[partition] < end {
			open[partition] = true
		}
	}
	return &reading{ends: ends, open: open}
}

func (r *reading) add(record Record) {
	if record.Offset >= r.ends[record.Partition] {
		return
	}
	r.all = append(r.all, record)
	if record.Offset == r.ends[record.Partition]-1 {
		delete(r.open, record.Partition)
	}
}

func (r *reading) complete() bool { return len(r.open) == 0 }

func (r *reading) records() []Record {
	slices.SortStableFunc(r.all, func(a, b Record) int { return cmp.Compare(a.Partition, b.Partition) })
	return r.all
}

// Ledger is what the members of a group handled.
type Ledger struct {
	lock sync.Mutex
	by   map[string]map[string]int // value → client → times
}

func newLedger() *Ledger { return &Ledger{by: map[string]map[string]int{}} }

func (l *Ledger) handle(client string, record Record) {
	l.lock.Lock()
	defer l.lock.Unlock()
	value := string(record.Value)
	if l.by[value] == nil {
		l.by[value] = map[string]int{}
	}
	l.by[value][client]++
}

// times is how often each value was handled, by whomever.
func (l *Ledger) times() map[string]int {
	l.lock.Lock()
	defer l.lock.Unlock()
	sums := map[string]int{}
	for value, clients := range l.by {
		for times := range maps.Values(clients) {
			sums[value] += times
		}
	}
	return sums
}

// handlers are the members that handled any of these records.
func (l *Ledger) handlers(records []Record) []string {
	l.lock.Lock()
	defer l.lock.Unlock()
	names := map[string]bool{}
	for _, record := range records {
		for name := range l.by[string(record.Value)] {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
