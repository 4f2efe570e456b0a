// What the tests share: the client with every codec, topics, readers and group members with bounded waits.

import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

import zstd from '@bokuweb/zstd-wasm'
import kafkajs from 'kafkajs'
import snappy from 'kafkajs-snappy'
import lz4 from 'lz4-napi'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs

await zstd.init()
CompressionCodecs[CompressionTypes.Snappy] = snappy
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async encoder => lz4.compressFrame(encoder.buffer),
  decompress: async buffer => lz4.decompressFrame(buffer),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async encoder => Buffer.from(zstd.compress(encoder.buffer, 3)),
  decompress: async buffer => Buffer.from(zstd.decompress(buffer)),
})

export const address = process.env.BROKER
export const PARTITIONS = 3

/** Codecs by the number in a batch's attributes, which is KafkaJS's number, too. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

export const kafka = new Kafka({ brokers: [address], clientId: 'kafkajs', logLevel: logLevel.NOTHING })

let names = 0
/** A name that no other test uses. */
export const unique = () => `n${process.pid}-${names++}`

/** Waits for a true value of `condition`, which may be asynchronous, and returns it. */
export async function until(condition, what, seconds = 30) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const value = await condition()
    if (value) return value
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** Runs `use` with a connected admin, producer or consumer. */
export async function using(client, use) {
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.disconnect()
  }
}

export const withAdmin = use => using(kafka.admin(), use)

/** A new topic with three partitions. */
export async function newTopic() {
  const topic = unique()
  await withAdmin(admin => admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }] }))
  return topic
}

/** Sends messages in one request and returns what was acknowledged. */
export const send = (topic, messages, options = {}, settings = {}) =>
  using(kafka.producer(settings), producer => producer.send({ topic, messages, ...options }))

/** A consumer in a group that runs until it leaves. */
export class Member {
  messages = []
  owned = []
  joins = 0

  constructor(groupId, topic, settings = {}) {
    this.topic = topic
    this.consumer = kafka.consumer({ groupId, heartbeatInterval: 300, sessionTimeout: 20_000, maxWaitTimeInMs: 50, ...settings })
    this.consumer.on(this.consumer.events.GROUP_JOIN, ({ payload }) => {
      this.owned = payload.memberAssignment[topic] ?? []
      this.joins += 1
    })
  }

  async join() {
    await this.consumer.connect()
    await this.consumer.subscribe({ topics: [this.topic], fromBeginning: true })
    await this.consumer.run({
      eachMessage: async ({ partition, message }) => {
        this.messages.push({ ...message, partition })
      },
    })
    return this
  }

  /** Commits, leaves the group and disconnects. */
  leave() {
    return this.consumer.disconnect()
  }

  values() {
    return this.messages.map(({ value }) => value?.toString() ?? null)
  }
}

/** Everything in a topic, by a group of its own. */
export async function read(topic, count) {
  const member = await new Member(unique(), topic).join()
  try {
    await until(() => member.messages.length >= count, `${count} messages of ${topic}`)
    return member.messages
  } finally {
    await member.leave()
  }
}

/** The codecs of the batches of a partition, from its files. */
export async function codecsOnDisk(topic, partition) {
  const folder = join(process.env.BROKER_DATA, `${topic}-${partition}`)
  const codecs = []
  for (const name of (await readdir(folder)).filter(name => name.endsWith('.log'))) {
    const file = await open(join(folder, name))
    const data = await file.readFile()
    await file.close()
    // A batch: base offset (8 bytes), length of the rest (4), …, attributes at byte 21, whose low bits are the codec.
    for (let at = 0; at < data.length; at += 12 + data.readInt32BE(at + 8)) {
      codecs.push(CODECS[data.readInt16BE(at + 21) & 7])
    }
  }
  return codecs
}
