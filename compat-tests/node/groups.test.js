// Groups: members that join and leave, offsets that are committed, moved and read back.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { Member, kafka, newTopic, send, unique, until, using, withAdmin } from './support.js'

const ALL = [0, 1, 2]

const numbered = (from, count) => Array.from({ length: count }, (_, i) => ({ value: `${from + i}`, partition: i % 3 }))

/** Do the members own every partition, each one by one of them? */
function shared(...members) {
  const owned = members.flatMap(member => member.owned).sort()
  return members.every(member => member.owned.length > 0) && owned.join() === ALL.join()
}

describe('groups', () => {
  test('every message arrives once while members join and leave', async () => {
    const [topic, group] = [await newTopic(), unique()]
    const first = await new Member(group, topic).join()
    const second = new Member(group, topic)
    await until(() => shared(first), 'the first member to own everything')
    let sent = 0
    await using(kafka.producer(), async producer => {
      const more = async () => {
        await producer.send({ topic, messages: numbered(sent, 30) })
        sent += 30
        await until(() => first.messages.length + second.messages.length >= sent, `${sent} messages`)
      }
      await more()
      await second.join()
      await until(() => shared(first, second), 'two members that share the partitions')
      await more()
      assert.ok(second.messages.length > 0)
      await first.leave()
      await until(() => shared(second), 'the second member to own everything')
      await more()
    })
    await second.leave()
    const values = [...first.values(), ...second.values()].map(Number).sort((a, b) => a - b)
    assert.deepEqual(values, Array.from({ length: sent }, (_, i) => i))
  })

  test('a group goes on where it stopped', async () => {
    const [topic, group] = [await newTopic(), unique()]
    for (const turn of [0, 3]) {
      await send(topic, numbered(turn, 3))
      const member = await new Member(group, topic).join()
      await until(() => member.messages.length >= 3, 'three messages')
      await member.leave()
      assert.deepEqual(member.values().sort(), numbered(turn, 3).map(({ value }) => value))
    }
  })

  test('two groups each get everything', async () => {
    const topic = await newTopic()
    await send(topic, numbered(0, 30))
    const members = await Promise.all([unique(), unique()].map(group => new Member(group, topic).join()))
    for (const member of members) {
      await until(() => member.messages.length >= 30, 'thirty messages')
      await member.leave()
      assert.equal(new Set(member.values()).size, 30)
    }
  })

  test('offsets are committed, read back, moved and reset', async () => {
    const [topic, groupId] = [await newTopic(), unique()]
    await send(topic, Array.from({ length: 10 }, (_, i) => ({ value: `${i}`, partition: 0 })))
    await withAdmin(async admin => {
      const committed = async (resolveOffsets = false) => {
        const [found] = await admin.fetchOffsets({ groupId, topics: [topic], resolveOffsets })
        return found.partitions.find(({ partition }) => partition === 0)
      }
      assert.equal((await committed()).offset, '-1')
      const member = await new Member(groupId, topic).join()
      await until(() => member.messages.length >= 10, 'ten messages')
      await member.consumer.commitOffsets([{ topic, partition: 0, offset: '4', metadata: 'half' }])
      assert.deepEqual(await committed(), { partition: 0, offset: '4', metadata: 'half' })
      await assert.rejects(admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '1' }] }), /running|member/i)
      await member.leave()
      await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '7' }] })
      assert.equal((await committed()).offset, '7')
      const rest = await new Member(groupId, topic).join()
      await until(() => rest.messages.length >= 3, 'the last three messages')
      await rest.leave()
      assert.deepEqual(rest.values(), ['7', '8', '9'])
      await admin.resetOffsets({ groupId, topic, earliest: true })
      assert.equal((await committed(true)).offset, '0')
    })
  })

  test('a member seeks while it runs', async () => {
    const [topic, group] = [await newTopic(), unique()]
    await send(topic, Array.from({ length: 5 }, (_, i) => ({ value: `${i}`, partition: 0 })))
    const member = await new Member(group, topic).join()
    await until(() => member.messages.length >= 5, 'five messages')
    member.consumer.seek({ topic, partition: 0, offset: '3' })
    await until(() => member.messages.length >= 7, 'two messages again')
    await member.leave()
    assert.deepEqual(member.values(), ['0', '1', '2', '3', '4', '3', '4'])
  })
})
