// KafkaJS's administration client.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import kafkajs from 'kafkajs'

import { Member, address, kafka, newTopic, send, unique, until } from './support.js'

const { ConfigResourceTypes } = kafkajs
const MINUTE_MS = 60_000
// Recent: retention takes away what is older than a week.
const BEGIN = Date.now() - 60 * MINUTE_MS

describe('admin', () => {
  const admin = kafka.admin({ retry: { retries: 2 } })
  before(() => admin.connect())
  after(() => admin.disconnect())

  const config = async (type, name) => {
    const { resources } = await admin.describeConfigs({ resources: [{ type, name }], includeSynonyms: true })
    assert.equal(resources[0].errorCode, 0)
    return Object.fromEntries(resources[0].configEntries.map(entry => [entry.configName, entry]))
  }
  const partitionsOf = async topic => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    return topics[0].partitions
  }
  /** Does the error, or one that it wraps, have the type? */
  const refusal = type => error =>
    error != null &&
    (error.type === type || [error.cause, error.errors?.[0], error.groups?.[0]?.error].some(inner => refusal(type)(inner)))

  test('a topic is created, listed and deleted', async () => {
    const topic = unique()
    const wanted = { topics: [{ topic, numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '60000' }] }] }
    assert.equal(await admin.createTopics(wanted), true)
    assert.equal(await admin.createTopics(wanted), false, 'it exists already')
    assert.ok((await admin.listTopics()).includes(topic))
    const partitions = await partitionsOf(topic)
    assert.deepEqual(partitions.map(({ partitionId, leader, replicas, isr }) => ({ partitionId, leader, replicas, isr }))
      .sort((a, b) => a.partitionId - b.partitionId), [0, 1].map(partitionId => ({ partitionId, leader: 1, replicas: [1], isr: [1] })))
    assert.equal((await config(ConfigResourceTypes.TOPIC, topic))['retention.ms'].configValue, '60000')
    await admin.deleteTopics({ topics: [topic] })
    await until(async () => !(await admin.listTopics()).includes(topic), 'the topic to be gone')
    await assert.rejects(admin.deleteTopics({ topics: [topic] }), refusal('UNKNOWN_TOPIC_OR_PARTITION'))
  })

  test('a creation that is only validated creates nothing, and a wrong one is refused', async () => {
    const topic = unique()
    assert.equal(await admin.createTopics({ validateOnly: true, waitForLeaders: false, topics: [{ topic }] }), true)
    assert.ok(!(await admin.listTopics()).includes(topic))
    const create = wanted => admin.createTopics({ topics: [{ topic, ...wanted }] })
    await assert.rejects(create({ replicationFactor: 2 }), refusal('INVALID_REPLICATION_FACTOR'))
    await assert.rejects(create({ numPartitions: 0 }), refusal('INVALID_PARTITIONS'))
    await assert.rejects(create({ configEntries: [{ name: 'retention.ms', value: 'soon' }] }), refusal('INVALID_CONFIG'))
    await assert.rejects(admin.createTopics({ topics: [{ topic: 'a name' }] }), refusal('INVALID_TOPIC_EXCEPTION'))
  })

  test('partitions are added and never taken away', async () => {
    const topic = await newTopic()
    await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
    await until(async () => (await partitionsOf(topic)).length === 5, 'five partitions')
    await assert.rejects(admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] }), refusal('INVALID_PARTITIONS'))
  })

  test('configurations are altered as a whole', async () => {
    const topic = await newTopic()
    for (const [name, value] of [['retention.ms', '60000'], ['segment.ms', '70000']]) {
      const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name, value }] }]
      await admin.alterConfigs({ resources, validateOnly: true })
      assert.notEqual((await config(ConfigResourceTypes.TOPIC, topic))[name].configValue, value)
      await admin.alterConfigs({ resources, validateOnly: false })
      await until(async () => (await config(ConfigResourceTypes.TOPIC, topic))[name].configValue === value, 'the new value')
    }
    assert.equal((await config(ConfigResourceTypes.TOPIC, topic))['retention.ms'].configValue, '604800000')
    const wrong = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: 'retention.ms', value: 'soon' }] }]
    await assert.rejects(admin.alterConfigs({ resources: wrong, validateOnly: false }), refusal('INVALID_CONFIG'))
  })

  test('the broker and the cluster describe themselves', async () => {
    const settings = await config(ConfigResourceTypes.BROKER, '1')
    assert.equal(settings['num.partitions'].configValue, '3')
    assert.equal(settings['num.partitions'].configSource, 4, 'the configuration of the broker')
    const cluster = await admin.describeCluster()
    const [host, port] = address.split(':')
    assert.deepEqual(cluster.brokers, [{ nodeId: 1, host, port: Number(port) }])
    assert.equal(cluster.controller, 1)
    assert.equal(cluster.clusterId.length, 22)
  })

  test('offsets are found by time', async () => {
    const topic = await newTopic()
    await send(topic, Array.from({ length: 10 }, (_, i) => ({ value: `${i}`, partition: 0, timestamp: String(BEGIN + i * MINUTE_MS) })))
    const at = async time => (await admin.fetchTopicOffsetsByTimestamp(topic, time)).find(({ partition }) => partition === 0).offset
    assert.equal(await at(BEGIN + 4 * MINUTE_MS - 1), '4')
    assert.equal(await at(BEGIN + 60 * MINUTE_MS), '10', 'KafkaJS takes the end when there is none')
    const ends = (await admin.fetchTopicOffsets(topic)).sort((a, b) => a.partition - b.partition)
    assert.deepEqual(ends.map(({ low, high }) => [low, high]), [['0', '10'], ['0', '0'], ['0', '0']])
  })

  test('records are deleted up to an offset', async () => {
    const topic = await newTopic()
    await send(topic, Array.from({ length: 10 }, (_, i) => ({ value: `${i}`, partition: 0 })))
    const low = async () => (await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === 0).low
    assert.equal(await low(), '0')
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] })
    assert.equal(await low(), '6')
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] })
    assert.equal(await low(), '10')
  })

  test('groups are listed, described and deleted', async () => {
    const [topic, groupId] = [await newTopic(), unique()]
    const member = await new Member(groupId, topic).join()
    await until(() => member.owned.length === 3, 'an assignment')
    const listed = (await admin.listGroups()).groups.find(group => group.groupId === groupId)
    assert.equal(listed.protocolType, 'consumer')
    const described = (await admin.describeGroups([groupId])).groups[0]
    assert.deepEqual([described.errorCode, described.state, described.protocol], [0, 'Stable', 'RoundRobinAssigner'])
    assert.equal(described.members.length, 1)
    await assert.rejects(admin.deleteGroups([groupId]), refusal('NON_EMPTY_GROUP'))
    await member.leave()
    assert.equal((await admin.describeGroups([groupId])).groups[0].state, 'Empty')
    assert.deepEqual(await admin.deleteGroups([groupId]), [{ groupId, errorCode: 0 }])
    assert.ok(!(await admin.listGroups()).groups.some(group => group.groupId === groupId))
    assert.equal((await admin.describeGroups([groupId])).groups[0].state, 'Dead')
  })

  test('one broker has no reassignments', async () => {
    const topic = await newTopic()
    await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment: [{ partition: 0, replicas: [1] }] }] })
    assert.deepEqual((await admin.listPartitionReassignments({})).topics, [])
  })
})
