// `npm run e2e:hostile`: bodies that are no OTLP, or too much of it. Each must get its status and its counter, none may end the hub or
// make it grow by more than 100 MB. Floods of valid spans may cost more, within a bound. See README.md.
import { gzipSync } from 'node:zlib'
import { METRICS } from '@longpole/model/conventions/metrics'
import type { Attributes, Span } from '@longpole/model/span'
import { PbfWriter } from 'pbf'
import { encodeTraces } from '../../src/wire/otlp/encode.ts'
import { type Check, print } from './checks.ts'
import { createTestHub, residentMegabytes, type TestHub } from './ingest/hub.ts'
import { makeRequest, randomId } from './ingest/spans.ts'
import { runProgram, type Workspace } from './processes.ts'

const GROWTH_MEGABYTES = 100
/**
 * Spans of open and recent traces (96 MB by estimate), bodies in work (32 MB, some six times that as spans), 200,000 remembered records,
 * and what the garbage collector lets lie before it looks.
 */
const FLOOD_MEGABYTES = 800
const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'

interface Attack {
  name: string
  bodies: () => Generator<Body>
  /** The status that each may get. */
  statuses: readonly number[]
  /** Reason under which each refusal is counted; null where the bodies are taken. */
  reason: string | null
}

interface Body {
  bytes: Uint8Array | string
  type?: string
  gzip?: boolean
}

const ATTACKS: readonly Attack[] = [
  {
    name: 'gzip bombs',
    statuses: [413],
    reason: 'too_large',
    bodies: () => times(30, { bytes: gzipSync(Buffer.alloc(256 << 20)), gzip: true }),
  },
  { name: 'truncated at every byte', statuses: [400], reason: 'malformed', bodies: truncated },
  { name: 'truncated gzip', statuses: [400], reason: 'malformed', bodies: truncatedGzip },
  { name: '10,000-deep nesting', statuses: [400], reason: 'malformed', bodies: () => times(50, { bytes: nested(10_000) }) },
  {
    name: '100,000-deep JSON',
    statuses: [400],
    reason: 'malformed',
    bodies: () => times(20, { bytes: nestedJson(100_000), type: JSON_TYPE }),
  },
  { name: '8 MB of brackets', statuses: [400], reason: 'malformed', bodies: () => times(20, { bytes: '['.repeat(8e6), type: JSON_TYPE }) },
  {
    name: '2,300,000 empty spans',
    statuses: [413],
    reason: 'too_many_items',
    bodies: () => times(20, { bytes: jsonSpans('{},'.repeat(2_300_000)), type: JSON_TYPE }),
  },
  { name: 'wrong types', statuses: [400], reason: 'malformed', bodies: wrongTypes },
  { name: 'a media type of no use', statuses: [415], reason: 'media_type', bodies: () => times(20, { bytes: 'x', type: 'text/plain' }) },
  { name: '100,000 attributes', statuses: [200], reason: null, bodies: () => times(15, { bytes: one(manyAttributes()) }) },
  { name: 'a string of 7 MB', statuses: [200], reason: null, bodies: () => times(15, { bytes: one({ k: 'x'.repeat(7e6) }) }) },
]

async function main(workspace: Workspace): Promise<boolean> {
  const hub = await createTestHub(workspace)
  await hub.start()
  await warmUp(hub)
  const base = residentMegabytes(hub.pid())
  console.log(`the hub has ${base.toFixed(0)} MB before`)
  let highest = base
  const watch = setInterval(() => {
    highest = Math.max(highest, residentMegabytes(hub.pid()))
  }, 25)
  const checks: Check[] = []
  for (const attack of ATTACKS) {
    highest = residentMegabytes(hub.pid())
    checks.push(await strike(hub, attack))
    const growth = highest - base
    checks.push({ name: `  growth under ${attack.name}`, ok: growth <= GROWTH_MEGABYTES, detail: `${growth.toFixed(0)} MB` })
  }
  highest = 0
  const status = await flood(hub)
  checks.push({ name: 'floods of valid spans', ok: status, detail: status ? 'all taken, or told to come again' : 'not answered' })
  checks.push({
    name: '  memory under floods',
    ok: highest - base <= FLOOD_MEGABYTES,
    detail: `${(highest - base).toFixed(0)} MB more, at most ${FLOOD_MEGABYTES}`,
  })
  clearInterval(watch)
  const isReady = (await fetch(`${hub.apiUrl}/readyz`)).ok
  checks.push({ name: 'the hub is as ready as before', ok: isReady, detail: '' })
  return print(checks)
}

/** Ordinary traffic first: what code and buffers cost once is not growth. */
async function warmUp(hub: TestHub): Promise<void> {
  for (let batch = 0; batch < 30; batch++) await hub.send(Array.from({ length: 300 }, makeRequest).flat())
  await new Promise((resolve) => setTimeout(resolve, 8_000))
}

async function strike(hub: TestHub, { name, bodies, statuses, reason }: Attack): Promise<Check> {
  const refused = async () => (await hub.metrics())(METRICS.payloadsRejectedTotal.name, reason ?? '"')
  const before = await refused()
  const seen = new Map<number, number>()
  const queue = bodies()
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const body of queue) {
        const status = await hub.post(body.bytes, {
          'content-type': body.type ?? PROTOBUF,
          ...(body.gzip ? { 'content-encoding': 'gzip' } : {}),
        })
        seen.set(status, (seen.get(status) ?? 0) + 1)
      }
    }),
  )
  const counted = (await refused()) - before
  // Told to come again is no wrong answer: too many big bodies at once.
  const wrong = [...seen].filter(([status]) => !statuses.includes(status) && status !== 429)
  const rejections = [...seen].filter(([status]) => statuses.includes(status) && status !== 200).reduce((sum, [, count]) => sum + count, 0)
  const isCounted = reason === null ? true : counted === rejections
  const detail = [...seen].map(([status, count]) => `${count} × ${status}`).join(', ')
  return { name, ok: wrong.length === 0 && isCounted, detail: `${detail}; ${reason ?? 'no reason'} counted ${counted}` }
}

/** Tiny traces, fat spans, and requests of ever new models. */
async function flood(hub: TestHub): Promise<boolean> {
  const kinds: (() => Span)[] = [
    () => ({ ...makeRequest()[0], attributes: {}, scopeName: 'http' }),
    () => fat(),
    () => ({ ...makeRequest()[0], attributes: { 'longpole.role': 'request', 'gen_ai.request.model': `model-${randomId(8)}` } }),
  ]
  const statuses = new Set<number>()
  for (const [index, kind] of kinds.entries()) {
    const size = index === 1 ? 500 : 5_000
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let batch = 0; batch < 15; batch++) statuses.add(await hub.send(Array.from({ length: size }, kind)))
      }),
    )
  }
  return [...statuses].every((status) => status === 200 || status === 429 || status === 503)
}

function fat(): Span {
  const value = randomId(16).repeat(6)
  const attributes = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`longpole.dimension.d${index}`, value]))
  return { ...makeRequest()[0], attributes }
}

function* times(count: number, body: Body): Generator<Body> {
  for (let index = 0; index < count; index++) yield body
}

function* truncated(): Generator<Body> {
  const whole = encodeTraces(makeRequest())
  // Cut between two resource groups it is a shorter, whole body.
  for (let end = 1; end < whole.length; end++) if (!isWhole(whole, end)) yield { bytes: whole.subarray(0, end) }
}

function isWhole(bytes: Uint8Array, end: number): boolean {
  let at = 0
  while (at < end) {
    at++
    let length = 0
    let shift = 0
    for (let more = true; more; shift += 7) {
      const byte = bytes[at++] as number
      length |= (byte & 0x7f) << shift
      more = byte >= 0x80
    }
    at += length
  }
  return at === end
}

function* truncatedGzip(): Generator<Body> {
  const whole = gzipSync(encodeTraces(makeRequest()))
  for (let end = 1; end < whole.length; end++) yield { bytes: whole.subarray(0, end), gzip: true }
}

function one(attributes: Attributes): Uint8Array {
  return encodeTraces([{ ...makeRequest()[0], attributes }])
}

function manyAttributes(): Attributes {
  return Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`key.${index}`, index]))
}

/** An attribute value of so many lists in each other. */
function nested(depth: number): Uint8Array {
  let value: Uint8Array = new Uint8Array(0)
  for (let level = 0; level < depth; level++) value = message(5, value.length === 0 ? value : message(1, value))
  return message(1, message(2, message(2, message(9, message(2, value)))))
}

function message(field: number, content: Uint8Array): Uint8Array {
  const writer = new PbfWriter(new Uint8Array(content.length + 16))
  writer.writeBytesField(field, content)
  return writer.finish()
}

function nestedJson(depth: number): string {
  const value = `${'{"arrayValue":{"values":['.repeat(depth)}{}${']}}'.repeat(depth)}`
  return jsonSpans(`{"attributes":[{"key":"k","value":${value}}]},`)
}

function jsonSpans(spans: string): string {
  return `{"resourceSpans":[{"scopeSpans":[{"spans":[${spans}{}]}]}]}`
}

function* wrongTypes(): Generator<Body> {
  for (const value of [
    '1',
    '"x"',
    'true',
    '[]',
    '{"scopeSpans":1}',
    '[1]',
    '[[]]',
    '[{"scopeSpans":"x"}]',
    '[{"scopeSpans":[{"spans":{}}]}]',
  ]) {
    if (value !== '[]') yield { bytes: `{"resourceSpans":${value}}`, type: JSON_TYPE }
  }
  for (const text of ['null', '[]', '"x"', '1', '', '{', '{"resourceSpans":[}']) yield { bytes: text, type: JSON_TYPE }
  // Groups that are varints or end in the air.
  for (const bytes of [[0x0b], [0x0e], [0x0a, 0xff], [0x0a, 0x05, 0x12], [0x0f, 0x01]]) yield { bytes: Uint8Array.from(bytes) }
}

await runProgram(main)
