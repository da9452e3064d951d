// One attempt's way as phases that add up to its duration. Between two nested vantages only differences of durations are taken, each
// on one clock; what lies between them is the network (client.upload there, stream.network back), never the engine.
import { secondsBetween } from '@longpole/model/clock'
import type { Observation } from '@longpole/model/observation'
import type { Boundary, PhaseDuration, PhaseId } from '@longpole/model/phase'
import { boundsOf, type ClockOffsets, type SeamStamps } from './clock-offset.ts'
import { addPhases, engineLayer, isBeforeFirstToken, type Layer, layerOf, nonNegative, sum } from './layers.ts'

/** How a path is read; both come from outside so that the result is a function of its arguments. */
export interface PathContext {
  offsets: Pick<ClockOffsets, 'offset'>
  /** Which boundary the response headers of a stream mark, by engine. */
  streamHeaders(engine: string | null): Boundary | 'unknown'
}

export interface Path {
  /** Add up to the duration of the outermost observation, `unattributed` included. */
  phases: PhaseDuration[]
  /** Phases that came out negative and were clamped. */
  negatives: PhaseId[]
  seams: SeamStamps[]
}

/** What lies between two nested vantages. */
interface Seam {
  name: string
  outer: Layer
  inner: Layer
  seconds: number
  stamps: SeamStamps | null
}

/** `outer` is the outermost vantage of the attempt; `inside` everything below it. `shared` are phases measured above (`client.consume`). */
export function composePath(
  outer: Observation,
  inside: readonly Observation[],
  shared: readonly PhaseDuration[],
  context: PathContext,
): Path {
  const engine = engineLayer(outer.vantage === 'engine' ? [outer, ...inside] : inside.filter(({ vantage }) => vantage === 'engine'))
  const middle = inside.filter(({ vantage }) => vantage === 'gateway' || vantage === 'sidecar').map(layerOf)
  const top = outer.vantage === 'engine' && engine !== null ? engine : layerOf(outer)
  const duration = durationOf(outer, inside, engine)
  const layers = outer.vantage === 'engine' || engine === null ? [top, ...middle] : [top, ...middle, engine]
  const isStream = top.first !== null && (layers.length === 1 || layers.some((layer) => layer !== top && layer.first !== null))

  const negatives: PhaseId[] = []
  const own = ownPhases(layers, shared)
  const seams = seamsBetween(layers, isStream, own, negatives)
  const split = splitTokenize(own, seams, engine, context)
  const phases = addPhases([...split, ...network(seams, context), ...after(top, layers, own, isStream, duration, shared)])
  shrinkTo(duration, phases, negatives)
  const rest = duration - sum(phases)
  return {
    phases: [...phases, { phase: 'unattributed', seconds: nonNegative(rest), source: 'remainder', exactness: 'residual' }],
    negatives,
    seams: seams.flatMap(({ stamps }) => (stamps === null ? [] : [stamps])),
  }
}

/** The outermost span's; where only engines were seen, several of them can be longer than the first one. */
function durationOf(outer: Observation, inside: readonly Observation[], engine: Layer | null): number {
  const own = nonNegative(secondsBetween(outer.startUnixNano, outer.endUnixNano))
  if (outer.vantage !== 'engine' || inside.length === 0) return own
  return Math.max(own, engine?.total ?? 0, ...inside.map((entry) => secondsBetween(entry.startUnixNano, entry.endUnixNano)))
}

/** Each phase from the vantage that is nearest to where it happens: the engine's own word over what the sidecar read from an answer. */
function ownPhases(layers: readonly Layer[], shared: readonly PhaseDuration[]): PhaseDuration[] {
  const chosen = new Map<PhaseId, PhaseDuration>()
  for (const layer of layers) {
    for (const entry of layer.phases) {
      const belongs = entry.phase.startsWith('client.') === (layer.observation.vantage === 'client')
      if (entry.phase !== 'client.consume' && (belongs || !chosen.has(entry.phase))) chosen.set(entry.phase, entry)
    }
  }
  for (const entry of shared) if (entry.phase !== 'client.consume' && !chosen.has(entry.phase)) chosen.set(entry.phase, entry)
  return [...chosen.values()]
}

const OWNERS: Record<string, readonly string[]> = {
  client: ['client.connect', 'client.upload', 'client.backoff'],
  gateway: ['gateway.queue', 'gateway.route'],
  sidecar: ['sidecar'],
}

/** What a layer itself took before the next one had the request (or after it answered). */
function ownSeconds(layer: Layer, own: readonly PhaseDuration[]): number {
  const mine = OWNERS[layer.observation.vantage] ?? []
  return sum(own.filter(({ phase }) => mine.includes(phase)))
}

function seamsBetween(layers: readonly Layer[], isStream: boolean, own: readonly PhaseDuration[], negatives: PhaseId[]): Seam[] {
  const measured = layers.filter((layer, index) => index === 0 || isInside(layer, layers[0] as Layer, isStream))
  const seams: Seam[] = []
  for (let index = 1; index < measured.length; index++) {
    const [outer, inner] = [measured[index - 1] as Layer, measured[index] as Layer]
    // Layers that were left out of the chain still own their time.
    const skipped = layers.slice(layers.indexOf(outer) + 1, layers.indexOf(inner))
    const mine = ownSeconds(outer, own) + skipped.reduce((total, layer) => total + ownSeconds(layer, own), 0)
    const raw = isStream ? (outer.first ?? 0) - mine - (inner.first ?? 0) : outer.total - mine - inner.total
    if (raw < -CLOCK_RESOLUTION) negatives.push('stream.network')
    seams.push({
      name: `${outer.observation.vantage}_${inner.observation.vantage}`,
      outer,
      inner,
      seconds: nonNegative(raw),
      stamps: seamStamps(outer, inner, ownSeconds(outer, own)),
    })
  }
  return seams
}

/**
 * Whether the layer's times can be used: some gateways end their span long after the last byte, and then what lies inside is measured
 * against the layer outside of it. Engines are believed.
 */
function isInside(layer: Layer, top: Layer, isStream: boolean): boolean {
  if (isStream && layer.first === null) return false
  if (layer.observation.vantage === 'engine') return true
  const [whole, outside] = isStream ? [layer.first as number, top.first as number] : [layer.total, top.total]
  return whole <= outside * 1.05 + 0.05
}

const CLOCK_RESOLUTION = 1e-6

/** When the outer vantage had given the request away, and when the first token came back to it; the same at the inner one. */
function seamStamps(outer: Layer, inner: Layer, own: number): SeamStamps | null {
  const [above, below] = [outer.observation, inner.observation]
  const returned = below.boundaries.firstTokenOut ?? below.boundaries.firstToken
  if (above.boundaries.firstToken === undefined || returned === undefined) return null
  const received = above.vantage === 'client' ? above.startUnixNano : (above.boundaries.received ?? above.startUnixNano)
  return {
    outer: above.clock,
    inner: `${below.clock}${below.columns.replica ? ` ${below.columns.replica}` : ''}`,
    sentUnixNano: above.boundaries.sent ?? received + BigInt(Math.round(own * 1e9)),
    seenUnixNano: above.boundaries.firstToken,
    receivedUnixNano: below.boundaries.received ?? below.startUnixNano,
    returnedUnixNano: returned,
  }
}

/**
 * `client.upload` and `stream.network`, their sum exact. Each alone rests on the offset of the two clocks: from many requests where
 * that tells more, else from this request's own bounds (half and half, ± half).
 */
function network(seams: readonly Seam[], { offsets }: PathContext): PhaseDuration[] {
  const phases: PhaseDuration[] = []
  for (const { name, seconds, stamps } of seams) {
    let there = seconds / 2
    let error = seconds / 2
    const known = stamps === null ? null : offsets.offset(stamps.outer, stamps.inner)
    if (stamps !== null && known !== null && known.errorSeconds < error) {
      // high = received − sent = offset + time there, and offset = −known.
      there = Math.min(seconds, nonNegative(boundsOf(stamps).high + known.offsetSeconds))
      error = known.errorSeconds
    }
    const exactness = error <= Math.max(0.001, 0.1 * seconds) && known !== null ? 'measured' : 'upper_bound'
    const entry = (phase: PhaseId, value: number): PhaseDuration => ({
      phase,
      seconds: value,
      source: `${name} difference of durations`,
      exactness,
      errorSeconds: error,
      parts: { [name]: value },
    })
    phases.push(entry('client.upload', there), entry('stream.network', seconds - there))
  }
  return phases
}

/** A headers stamp behind the gap by more than this is network, not tokenizing. */
const EMIT_ALLOWANCE = 0.05

/**
 * Where headers leave when the prompt is tokenized (vLLM streams), the sidecar's stamp of them splits the engine's residual into
 * tokenize (what the headers took, without the way there and back) and admit (the rest: the wait for the running step).
 */
function splitTokenize(own: PhaseDuration[], seams: readonly Seam[], engine: Layer | null, context: PathContext): PhaseDuration[] {
  const merged = own.find(({ phase, exactness }) => phase === 'engine.tokenize' && exactness === 'upper_bound')
  const seam = seams.find(({ inner }) => inner === engine)
  if (merged === undefined || seam === undefined || own.some(({ phase }) => phase === 'engine.admit')) return own
  const { headers, received, sent = received, firstToken } = seam.outer.observation.boundaries
  const isSidecar = seam.outer.observation.vantage === 'sidecar'
  const marksTokenized = context.streamHeaders(engine?.observation.columns.engine ?? null) === 'D'
  if (!isSidecar || !marksTokenized || headers === undefined || sent === undefined || firstToken === undefined) return own
  const waited = secondsBetween(sent, headers) - nonNegative(seam.seconds - EMIT_ALLOWANCE)
  const tokenize = Math.min(merged.seconds, nonNegative(waited))
  return own.flatMap((entry) =>
    entry !== merged
      ? [entry]
      : [
          { ...entry, seconds: tokenize, source: 'sidecar response headers' },
          {
            phase: 'engine.admit',
            seconds: merged.seconds - tokenize,
            source: `${merged.source} - sidecar response headers`,
            exactness: 'residual',
          },
        ],
  )
}

/** Decode where the engine did not tell it, then what is left until the last byte: the caller's own time, and the drain. */
function after(
  top: Layer,
  layers: readonly Layer[],
  own: readonly PhaseDuration[],
  isStream: boolean,
  duration: number,
  shared: readonly PhaseDuration[],
): PhaseDuration[] {
  if (!isStream || top.first === null) return []
  const phases: PhaseDuration[] = []
  const rest = duration - top.first
  let known = sum(own.filter(({ phase }) => !isBeforeFirstToken(phase)))
  if (!own.some(({ phase }) => phase === 'engine.decode')) {
    const seen = [...layers]
      .reverse()
      .find(({ observation: { boundaries } }) => boundaries.firstToken !== undefined && boundaries.lastToken !== undefined)
    if (seen === undefined) return []
    const { firstToken, lastToken } = seen.observation.boundaries as { firstToken: bigint; lastToken: bigint }
    const seconds = Math.min(nonNegative(rest - known), nonNegative(secondsBetween(firstToken, lastToken)))
    phases.push({
      phase: 'engine.decode',
      seconds,
      source: `${seen.observation.vantage} first to last token`,
      exactness: 'upper_bound',
    })
    known += seconds
  }
  if (top.observation.vantage === 'engine') return phases
  const left = nonNegative(rest - known)
  const consume = [...top.phases, ...shared].find(({ phase }) => phase === 'client.consume')
  const consumed = Math.min(left, consume?.seconds ?? 0)
  if (consume !== undefined) phases.push({ ...consume, seconds: consumed })
  phases.push({ phase: 'stream.drain', seconds: left - consumed, source: `${top.observation.vantage} end - decode`, exactness: 'residual' })
  return phases
}

/** What gives way first where the parts are longer than the whole: bounds and residuals, and measured times only at the very last. */
const GIVES_WAY: readonly PhaseId[] = [
  'stream.drain',
  'client.consume',
  'stream.network',
  'client.upload',
  'engine.emit',
  'engine.admit',
  'engine.tokenize',
  'kv.transfer',
  'gateway.route',
  'gateway.queue',
  'sidecar',
  'client.backoff',
  'client.connect',
  'engine.decode',
  'kv.load',
  'engine.queue_or_kv',
  'engine.prefill',
  'engine.queue',
]

/** The first token may have been late alone (a busy server's emit): then the way of the last token was shorter, and the sum too long. */
export function shrinkTo(duration: number, phases: PhaseDuration[], negatives: PhaseId[]): void {
  let excess = sum(phases) - duration
  for (const id of GIVES_WAY) {
    if (excess <= 0) return
    const at = phases.findIndex(({ phase }) => phase === id)
    const entry = phases[at]
    if (entry === undefined || entry.seconds === 0) continue
    const taken = Math.min(entry.seconds, excess)
    const kept = entry.seconds - taken
    const parts =
      entry.parts && Object.fromEntries(Object.entries(entry.parts).map(([key, value]) => [key, (value * kept) / entry.seconds]))
    phases[at] = { ...entry, seconds: kept, ...(parts === undefined ? {} : { parts }) }
    if (taken > CLOCK_RESOLUTION) negatives.push(id)
    excess -= taken
  }
}
