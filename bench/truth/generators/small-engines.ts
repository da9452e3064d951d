// Three small replicas with real queues, as a person with one machine would record them: step by step continuous batching with chunked
// prefill and a prefix cache, few tenants, routes and regions, 2,200 baseline and 620 incident requests, faults made by hand.
import type { Slice } from '@longpole/model/finding'
import type { Truth, TruthCase } from '../case.ts'
import { START } from '../case.ts'
import { sliceTest } from '../score.ts'
import { ask, buildTable, type Row } from './columns.ts'
import { createRandom, cumulate, type Random } from './random.ts'
import { withChanges } from './small-changes.ts'

const DIMENSIONS = ['replica', 'tenant', 'route', 'client_region', 'gateway', 'sdk_version', 'prompt_class']
const PHASES = [
  'phase_client_upload',
  'phase_gateway_route',
  'phase_engine_tokenize',
  'phase_engine_admit',
  'phase_engine_queue',
  'phase_engine_prefill',
  'phase_stream_network',
  'phase_engine_decode',
  'phase_client_consume',
]
const NUMBERS = ['ttft', 'e2e', 'tpot', 'prompt_tokens', 'cached_tokens', 'output_tokens', ...PHASES]

const BASELINE_ROWS = 2_200
const INCIDENT_ROWS = 620
const RATE = 3
const SLOTS = 8

interface Request {
  at: number
  tenant: number
  route: number
  region: number
  replica: number
  gateway: number
  sdk: number
  prompt: number
  cached: number
  output: number
  upload: number
  gatewaySeconds: number
  back: number
  consume: number
  /** When the engine has it, first scheduled, first token, last token. */
  queued: number
  admitted: number
  scheduled: number
  first: number
  last: number
}

export interface SmallFault {
  family: string
  severity: number
  target: string
  truth(seed: number): Omit<Truth, 'onset' | 'material'>
  /** Changes a request before it is sent; `during` tells whether the fault is on. */
  request?(request: Request, during: boolean, random: Random): void
  /** Factor on the duration of a step that begins at `at`. */
  slow?(replica: number, at: number, during: boolean): number
  /** Seconds for which the replica stands still before a step that begins at `at`. */
  pause?(replica: number, at: number, during: boolean): number
  /** Most requests that run at once on a replica. */
  slots?(replica: number, during: boolean): number
  /** Factor on a tenant's arrivals. */
  arrivals?(tenant: number, during: boolean): number
  hangs?(replica: number): boolean
  /** Where it is several at once. */
  parts?: readonly SmallFault[]
}

export function smallEngineCase(fault: SmallFault, seed: number): TruthCase {
  const made = withChanges(makeCase(fault, seed))
  if (made.truth.kind !== 'fault' || fault.hangs !== undefined) return made
  const parts = fault.parts ?? [fault]
  const healthy = makeCase(without(fault, null), seed)
  const rise = quantileNow(made, {}) - quantileNow(healthy, {})
  let material = true
  const shares = parts.map((part) => {
    const others = parts.length === 1 ? healthy : makeCase(without(fault, part), seed)
    const slice = part.truth(seed).slices[0] ?? {}
    if (quantileNow(made, slice) < MATERIAL * quantileNow(others, slice)) material = false
    return { slice, share: (quantileNow(made, {}) - quantileNow(others, {})) / rise }
  })
  const judged = rise > MIN_RISE * quantileNow(healthy, {})
  return { ...made, truth: { ...made.truth, material, ...(judged ? { shares } : {}) } }
}

/** The slice's 95th percentile rose by a fifth against the same seed without the fault. */
const MATERIAL = 1.2
/** A share of a smaller rise of everybody's 95th percentile means nothing. */
const MIN_RISE = 0.1

/** The same traffic without one of its faults; null: without any. */
function without(fault: SmallFault, part: SmallFault | null): SmallFault {
  const { family, target, truth } = fault
  const others = (fault.parts ?? []).filter((other) => part !== null && other !== part)
  return others.length === 0 ? { family, severity: 0, target, truth } : together(others)
}

/** Several faults at once. */
export function together(parts: readonly SmallFault[]): SmallFault {
  const first = parts[0] as SmallFault
  return {
    family: parts.map(({ family }) => family).join(' + '),
    severity: first.severity,
    target: parts.some(({ target }) => target === 'e2e') ? 'e2e' : first.target,
    parts,
    truth: (seed) => ({ ...first.truth(seed), slices: parts.flatMap((part) => part.truth(seed).slices), phases: [], mechanisms: [] }),
    request: (...given) => {
      for (const part of parts) part.request?.(...given)
    },
    slow: (...given) => parts.reduce((factor, part) => factor * (part.slow?.(...given) ?? 1), 1),
    pause: (...given) => parts.reduce((pause, part) => pause + (part.pause?.(...given) ?? 0), 0),
    slots: (...given) => parts.reduce((slots, part) => Math.min(slots, part.slots?.(...given) ?? SLOTS), SLOTS),
  }
}

function quantileNow({ table, question }: TruthCase, slice: Slice): number {
  const inside = sliceTest(table, slice)
  const target = table.numbers.get(question.target) as Float64Array
  const values = target
    .filter((value, row) => (table.time[row] as number) >= question.incident.from && inside(row) && !Number.isNaN(value))
    .sort()
  return values[Math.floor(0.95 * values.length)] ?? 0
}

function makeCase(fault: SmallFault, seed: number): TruthCase {
  const random = createRandom(seed + 17)
  const onset = START + BASELINE_ROWS / RATE
  const requests = arrivals(fault, random, createRandom(seed * 13 + 5), onset)
  for (let replica = 0; replica < 3; replica++) {
    serve(
      requests.filter((request) => request.replica === replica),
      replica,
      fault,
      createRandom(seed * 31 + replica),
      onset,
    )
  }
  const end = (requests.at(-1) as Request).at + 1
  const rows = requests.map((request) => toRow(request, fault, onset, end))
  const hanging = fault.hangs !== undefined
  const dimensions = hanging ? [...DIMENSIONS, 'outcome'] : DIMENSIONS
  const table = buildTable(rows, dimensions, NUMBERS)
  const question = ask(fault.target, DIMENSIONS, PHASES, onset, end)
  const truth = { ...fault.truth(seed), onset: fault.truth(seed).kind === 'quiet' ? null : onset, material: true }
  const suite = fault.parts === undefined ? 'small-engines' : 'two faults'
  return { suite, family: fault.family, severity: fault.severity, seed, table, question, truth }
}

const TENANTS = ['acme', 'blue', 'cato', 'dune', 'echo', 'fern']
const ROUTES = ['chat', 'summarize', 'complete']
const REGIONS = ['eu', 'us', 'ap']
export const names = { TENANTS, ROUTES, REGIONS, REPLICAS: ['r0', 'r1', 'r2'] }

/** A fault draws from a stream of its own, so that the traffic is the same with and without it. */
function arrivals(fault: SmallFault, random: Random, ofFault: Random, onset: number): Request[] {
  const weights = [0.28, 0.22, 0.18, 0.14, 0.1, 0.08]
  const before = cumulate(weights)
  const after = cumulate(weights.map((weight, tenant) => weight * (fault.arrivals?.(tenant, true) ?? 1)))
  const growth = weights.reduce((sum, weight, tenant) => sum + weight * (fault.arrivals?.(tenant, true) ?? 1), 0)
  const requests: Request[] = []
  let at = START
  let pace = 1
  while (requests.length < BASELINE_ROWS + INCIDENT_ROWS) {
    pace = Math.max(0.5, Math.min(1.6, pace + 0.06 * random.normal() - 0.03 * (pace - 1)))
    const during = at >= onset
    at += random.exponential() / (RATE * pace * (during ? growth : 1))
    const tenant = random.pick(during ? after : before)
    const route = random.next() < 0.5 ? tenant % 3 : random.integer(3)
    const region = random.next() < 0.6 ? (tenant + 1) % 3 : random.integer(3)
    const prompt = Math.round(40 + Math.exp([5.2, 6.3, 4.6][route]! + 0.5 * random.normal()))
    const request: Request = {
      at,
      tenant,
      route,
      region,
      replica: random.integer(3),
      gateway: random.integer(2),
      sdk: tenant % 2,
      prompt,
      cached: Math.floor((prompt * [0.6, 0.3, 0.5, 0.2, 0.4, 0.7][tenant]! * random.next() ** 0.3) / 16) * 16,
      output: Math.round(8 + [60, 30, 25][route]! * random.exponential()),
      upload: [0.004, 0.045, 0.09][region]! * (1 + 0.15 * random.exponential()),
      gatewaySeconds: 0.002 + 0.002 * random.exponential(),
      back: [0.004, 0.045, 0.09][region]! * (1 + 0.15 * random.exponential()),
      consume: 0.002 * random.exponential(),
      queued: 0,
      admitted: 0,
      scheduled: Number.NaN,
      first: Number.NaN,
      last: Number.NaN,
    }
    fault.request?.(request, during, ofFault)
    requests.push(request)
  }
  return requests
}

/** One replica: FIFO admission up to its slots, decodes first, then prefill chunks up to 1,024 tokens a step. */
function serve(requests: Request[], replica: number, fault: SmallFault, random: Random, onset: number): void {
  for (const request of requests) request.queued = request.at + request.upload + request.gatewaySeconds + 0.001 + request.prompt * 4e-6
  const order = [...requests].sort((left, right) => left.queued - right.queued)
  let now = START
  let next = 0
  const waiting: Request[] = []
  let running: { request: Request; left: number; tokens: number }[] = []
  let weather = 1
  while (next < order.length || waiting.length > 0 || running.length > 0) {
    if (waiting.length === 0 && running.length === 0) now = Math.max(now, (order[next] as Request).queued)
    const during = now >= onset
    if (during && fault.hangs?.(replica) === true) return
    while (next < order.length && (order[next] as Request).queued <= now) {
      const request = order[next++] as Request
      request.admitted = now
      waiting.push(request)
    }
    const slots = fault.slots?.(replica, during) ?? SLOTS
    while (running.length < slots && waiting.length > 0) {
      const request = waiting.shift() as Request
      request.scheduled = now
      running.push({ request, left: Math.max(16, request.prompt - request.cached), tokens: 0 })
    }
    weather = Math.max(0.8, Math.min(1.5, weather + 0.02 * random.normal() - 0.01 * (weather - 1)))
    let budget = 1_024
    let prefill = 0
    let decodes = 0
    for (const entry of running) {
      if (entry.left === 0) decodes++
      else if (budget > 0) {
        const chunk = Math.min(entry.left, budget)
        budget -= chunk
        prefill += chunk
      }
    }
    const step = (0.006 + prefill * 0.00032 + decodes * 0.0011) * weather * (1 + 0.1 * random.exponential())
    now += step * (fault.slow?.(replica, now, during) ?? 1) + (fault.pause?.(replica, now, during) ?? 0)
    budget = 1_024
    for (const entry of running) {
      if (entry.left > 0) {
        if (budget <= 0) continue
        const chunk = Math.min(entry.left, budget)
        budget -= chunk
        entry.left -= chunk
        if (entry.left > 0) continue
        entry.request.first = now
        entry.tokens = 1
      } else entry.tokens++
      if (entry.tokens >= entry.request.output) entry.request.last = now
    }
    running = running.filter((entry) => Number.isNaN(entry.request.last))
  }
}

function toRow(request: Request, fault: SmallFault, onset: number, end: number): Row {
  const open = Number.isNaN(request.last) || (fault.hangs !== undefined && request.last > end && request.at > onset)
  const ttft = request.first + request.back - request.at
  const common: Row = {
    time: request.at,
    replica: names.REPLICAS[request.replica] as string,
    tenant: TENANTS[request.tenant] as string,
    route: ROUTES[request.route] as string,
    client_region: REGIONS[request.region] as string,
    gateway: `g${request.gateway}`,
    sdk_version: `1.${request.sdk}`,
    prompt_class: request.prompt <= 256 ? 'short' : 'long',
    prompt_tokens: request.prompt,
    outcome: open ? 'open' : 'ok',
    phase_client_upload: request.upload,
    phase_gateway_route: request.gatewaySeconds,
  }
  if (open) return { ...common, cached_tokens: null, output_tokens: null }
  const e2e = request.last + request.back + request.consume - request.at
  return {
    ...common,
    cached_tokens: request.cached,
    output_tokens: request.output,
    ttft,
    e2e,
    tpot: request.output > 1 ? (request.last - request.first) / (request.output - 1) : null,
    phase_engine_tokenize: 0.001 + request.prompt * 4e-6,
    phase_engine_admit: Math.max(0, request.admitted - request.queued),
    phase_engine_queue: request.scheduled - request.admitted,
    phase_engine_prefill: request.first - request.scheduled,
    phase_stream_network: request.back,
    phase_engine_decode: request.last - request.first,
    phase_client_consume: request.consume,
  }
}
