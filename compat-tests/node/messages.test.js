// Records: every codec, headers, keys, nulls; acknowledgements, idempotence, and what is heard about transactions.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { CODECS, PARTITIONS, codecsOnDisk, kafka, newTopic, read, send, using } from './support.js'

// Recent: retention takes away what is older than a week.
const TIMESTAMP = Date.now() - 3_600_000
const bytes = text => Buffer.from(text)

/** Keys and values that are missing, empty, binary and long; headers that are empty, binary and repeated. */
function variedMessages(partition) {
  const varied = [
    { key: null, value: bytes('no key') },
    { key: bytes('no value'), value: null },
    { key: bytes(''), value: bytes('') },
    { key: Buffer.from([0, 255, 128]), value: Buffer.from(Array.from({ length: 256 }, (_, i) => i)) },
    { key: bytes('schlüssel'), value: bytes('größe 量') },
    { key: bytes('headers'), value: bytes('h'), headers: { a: [bytes('1'), bytes('2')], empty: bytes(''), binary: Buffer.from([0, 255]) } },
    { key: bytes('long'), value: bytes('abcdefgh'.repeat(10_000)) },
    ...Array.from({ length: 200 }, (_, i) => ({ key: bytes(`k${i}`), value: bytes(`value ${i}`) })),
  ]
  return varied.map((message, i) => ({ headers: {}, ...message, partition, timestamp: String(TIMESTAMP + i) }))
}

describe('messages', () => {
  for (const [compression, codec] of CODECS.entries()) {
    test(`messages come back as they were written with the codec ${codec}`, async () => {
      const topic = await newTopic()
      const written = Array.from({ length: PARTITIONS }, (_, partition) => variedMessages(partition))
      const acknowledged = await send(topic, written.flat(), { compression })
      assert.deepEqual(acknowledged.map(({ errorCode, baseOffset }) => [errorCode, baseOffset]), Array(PARTITIONS).fill([0, '0']))
      const all = await read(topic, written.flat().length)
      for (const [partition, expected] of written.entries()) {
        const found = all.filter(message => message.partition === partition)
        assert.deepEqual(found.map(({ offset }) => offset), expected.map((_, i) => String(i)))
        const fields = found.map(({ key, value, headers, timestamp }) => ({ headers, key, value, partition, timestamp }))
        assert.deepEqual(fields, expected)
        assert.deepEqual([...new Set(await codecsOnDisk(topic, partition))], [codec])
      }
    })
  }

  for (const acks of [-1, 0, 1]) {
    test(`messages that are sent with acks ${acks} arrive`, async () => {
      const topic = await newTopic()
      await send(topic, [{ value: 'a', partition: 0 }, { value: 'b', partition: 0 }], { acks })
      assert.deepEqual((await read(topic, 2)).map(({ value }) => value.toString()), ['a', 'b'])
    })
  }

  test('an idempotent producer writes each message once and in order', async () => {
    const topic = await newTopic()
    await using(kafka.producer({ idempotent: true, maxInFlightRequests: 1 }), async producer => {
      for (let i = 0; i < 100; i += 1) {
        const [{ baseOffset }] = await producer.send({ topic, messages: [{ value: `${i}`, partition: 0 }] })
        assert.equal(baseOffset, String(i))
      }
    })
    assert.deepEqual((await read(topic, 100)).map(({ value }) => value.toString()), Array.from({ length: 100 }, (_, i) => `${i}`))
  })

  test('a transaction is committed or refused, and never hangs', async () => {
    const topic = await newTopic()
    const begin = Date.now()
    const settings = { transactionalId: topic, idempotent: true, maxInFlightRequests: 1, retry: { retries: 2 } }
    const committed = await using(kafka.producer(settings), async producer => {
      try {
        const transaction = await producer.transaction()
        await transaction.send({ topic, messages: [{ value: 'committed', partition: 0 }] })
        await transaction.commit()
        return ['committed']
      } catch (refusal) {
        assert.match(refusal.name, /^KafkaJS/, refusal)
        assert.equal(refusal.retriable, false)
        return []
      }
    })
    assert.ok(Date.now() - begin < 30_000)
    // A broker without transactions has kept nothing of it: the next message is the first one.
    await send(topic, [{ value: 'after', partition: 0 }])
    const found = (await read(topic, committed.length + 1)).map(({ value }) => value.toString())
    assert.deepEqual(found, [...committed, 'after'])
  })
})
