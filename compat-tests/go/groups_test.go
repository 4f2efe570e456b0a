// Groups: members that come and go, static members, offsets that are committed and reset.

package clients

import (
	"fmt"
	"maps"
	"slices"
)

const partitions = 6

var groupScenarios = []Scenario{
	{"members_that_join_and_leave_share_the_partitions/eager", nil, comingAndGoing(false)},
	{"members_that_join_and_leave_share_the_partitions/cooperative", []Feature{Cooperative}, comingAndGoing(true)},
	{"an_eager_rebalance_takes_every_partition_away_first", []Feature{Callbacks}, whatStays(false, 2)},
	{"a_cooperative_rebalance_leaves_alone_what_stays", []Feature{Callbacks, Cooperative}, whatStays(true, 1)},
	{"a_static_member_that_starts_again_causes_no_rebalance/eager", []Feature{StaticMembers}, staticRestart(false)},
	{"a_static_member_that_starts_again_causes_no_rebalance/cooperative", []Feature{StaticMembers, Cooperative}, staticRestart(true)},
	{"a_group_goes_on_where_it_committed", nil, goingOn},
	{"a_group_begins_again_where_its_offsets_were_reset_to", nil, reset},
	{"a_group_forgets_the_offset_of_one_partition", nil, forgetting},
}

// Team is a group of members that share a ledger.
type Team struct {
	*House
	group, topic string
	cooperative  bool
	ledger       *Ledger
}

func (h *House) team(cooperative bool) *Team {
	h.Helper()
	return &Team{h, unique("group"), h.topic(partitions), cooperative, newLedger()}
}

// join starts a member; it ends with the scenario at the latest.
func (t *Team) join(client, instance string) Member {
	t.Helper()
	member, err := t.Join(t.ctx, MemberOptions{
		Group: t.group, Topic: t.topic, Client: client, Instance: instance,
		Cooperative: t.cooperative, Handle: t.ledger.handle,
	})
	t.check(err)
	once := &onceClosed{Member: member}
	t.Cleanup(func() { once.Close() })
	return once
}

type onceClosed struct {
	Member
	closed bool
}

func (o *onceClosed) Close() error {
	if o.closed {
		return nil
	}
	o.closed = true
	return o.Member.Close()
}

// awaitMembers waits until the group is stable with these members and an even spread of all partitions.
func (t *Team) awaitMembers(clients ...string) Group {
	t.Helper()
	var group Group
	t.until(fmt.Sprint("a stable group of ", clients), func() (bool, string) {
		var err error
		group, err = t.DescribeGroup(t.ctx, t.group, t.topic)
		state := fmt.Sprint(group, err)
		if err != nil || group.State != "Stable" || len(group.Members) != len(clients) {
			return false, state
		}
		var all []int32
		for _, client := range clients {
			share := group.Members[client]
			if len(share) != partitions/len(clients) {
				return false, state
			}
			all = append(all, share...)
		}
		slices.Sort(all)
		return len(slices.Compact(all)) == partitions, state
	})
	return group
}

// handled waits until each value was handled and its offset committed, and asserts that none was handled twice.
func (t *Team) handled(sent []Record) {
	t.Helper()
	t.awaitCommitted()
	times := t.ledger.times()
	for _, record := range sent {
		same(t.House, times[string(record.Value)], 1, "times that "+string(record.Value)+" was handled")
	}
}

// awaitCommitted waits until the committed offsets are the ends of the partitions.
func (t *Team) awaitCommitted() {
	t.Helper()
	ends, err := t.Offsets(t.ctx, t.topic, partitions, latest)
	t.check(err)
	t.until("everything is committed", func() (bool, string) {
		committed, err := t.Committed(t.ctx, t.group, t.topic, partitions)
		return err == nil && maps.Equal(committed, ends), fmt.Sprint(committed, " of ", ends, err)
	})
}

func (t *Team) send(prefix string) []Record {
	t.Helper()
	sent := values(prefix, 20*partitions, partitions)
	t.check(t.Produce(t.ctx, t.topic, "none", false, sent))
	return sent
}

func comingAndGoing(cooperative bool) func(*House) {
	return func(h *House) {
		t := h.team(cooperative)
		first := t.join("first", "")
		t.awaitMembers("first")
		alone := t.send("alone")
		t.handled(alone)

		t.join("second", "")
		group := t.awaitMembers("first", "second")
		if wanted := map[bool]string{false: "range", true: "cooperative-sticky"}[cooperative]; group.Protocol != "" {
			same(h, group.Protocol, wanted, "protocol of the group")
		}
		both := t.send("both")
		t.handled(both)
		same(h, t.ledger.handlers(both), []string{"first", "second"}, "who handled them")

		h.check(first.Close())
		t.awaitMembers("second")
		rest := t.send("rest")
		t.handled(rest)
		same(h, t.ledger.handlers(rest), []string{"second"}, "who handled the rest")
		t.handled(slices.Concat(alone, both, rest))
	}
}

func whatStays(cooperative bool, begins int) func(*House) {
	return func(h *House) {
		t := h.team(cooperative)
		first := t.join("first", "")
		t.awaitMembers("first")
		t.handled(t.send("alone"))
		t.join("second", "")
		group := t.awaitMembers("first", "second")
		t.handled(t.send("both"))

		for _, partition := range group.Members["first"] {
			same(h, first.Begins()[partition], begins, fmt.Sprintf("times that partition %d was given", partition))
		}
		for _, partition := range group.Members["second"] {
			same(h, first.Begins()[partition], 1, fmt.Sprintf("times that partition %d was given", partition))
		}
	}
}

func staticRestart(cooperative bool) func(*House) {
	return func(h *House) {
		t := h.team(cooperative)
		// The first is the leader, who may call for a rebalance when it starts again.
		stays := t.join("stays", "instance-a")
		t.awaitMembers("stays")
		returns := t.join("returns", "instance-b")
		before := t.awaitMembers("stays", "returns")
		t.handled(t.send("before"))
		generation := stays.Generation()

		h.check(returns.Close())
		meanwhile := t.send("meanwhile")
		again := t.join("returns", "instance-b")
		t.handled(meanwhile)

		after := t.awaitMembers("stays", "returns")
		same(h, after.Members["stays"], before.Members["stays"], "the other's partitions")
		same(h, after.Members["returns"], before.Members["returns"], "its partitions")
		same(h, stays.Generation(), generation, "the other's generation")
		same(h, again.Generation(), generation, "its generation")
		for partition, begins := range stays.Begins() {
			if slices.Contains(before.Members["stays"], partition) && begins > 2 {
				h.Fatalf("partition %d was given %d times", partition, begins)
			}
		}
	}
}

func goingOn(h *House) {
	t := h.team(false)
	first := t.join("first", "")
	t.handled(t.send("before"))
	h.check(first.Close())
	meanwhile := t.send("meanwhile")

	t.join("second", "")
	t.handled(meanwhile)
	same(h, t.ledger.handlers(meanwhile), []string{"second"}, "who handled what came between")
	for value, times := range t.ledger.times() {
		same(h, times, 1, "times that "+value+" was handled")
	}
}

func reset(h *House) {
	t := h.team(false)
	first := t.join("first", "")
	sent := t.send("v")
	t.handled(sent)
	h.check(first.Close())
	t.until("an empty group", func() (bool, string) {
		group, err := h.DescribeGroup(h.ctx, t.group, t.topic)
		return err == nil && group.State == "Empty", fmt.Sprint(group, err)
	})

	wanted := map[int32]int64{}
	for partition := range int32(partitions) {
		wanted[partition] = int64(partition)
	}
	h.check(h.Commit(h.ctx, t.group, t.topic, wanted))
	committed, err := h.Committed(h.ctx, t.group, t.topic, partitions)
	h.check(err)
	same(h, committed, wanted, "committed offsets")

	t.join("second", "")
	t.awaitCommitted()
	times := t.ledger.times()
	for i, record := range sent {
		expected := 2
		if i/partitions < i%partitions { // its offset is below the one that its partition was reset to
			expected = 1
		}
		same(h, times[string(record.Value)], expected, "times that "+string(record.Value)+" was handled")
	}
}

func forgetting(h *House) {
	t := h.team(false)
	member := t.join("only", "")
	t.awaitMembers("only")
	t.handled(t.send("v"))
	h.refused(h.Forget(h.ctx, t.group, t.topic, 1), groupSubscribedToTopic)
	h.check(member.Close())
	t.until("an empty group", func() (bool, string) {
		group, err := h.DescribeGroup(h.ctx, t.group, t.topic)
		return err == nil && group.State == "Empty", fmt.Sprint(group, err)
	})

	h.check(h.Forget(h.ctx, t.group, t.topic, 1))
	committed, err := h.Committed(h.ctx, t.group, t.topic, partitions)
	h.check(err)
	same(h, committed, map[int32]int64{0: 20, 2: 20, 3: 20, 4: 20, 5: 20}, "committed offsets")
}
