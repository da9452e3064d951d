// Changes of the fleet that nobody announced, read off the samples: a replica that restarted, has another version, is new or is gone.
import { createHash } from 'node:crypto'
import type { ChangeEvent, ChangeKind } from '@longpole/model/change-event'
import type { Clock } from '@longpole/model/clock'
import type { EngineSample } from '@longpole/model/engine-sample'

export interface ChangeDetector {
  /** The changes that this sample shows against the earlier ones of its replica. */
  sample(sample: EngineSample): ChangeEvent[]
  /** Replicas that have been silent for too long. */
  silent(): ChangeEvent[]
}

interface Replica {
  sample: EngineSample
  startUnixSeconds: number | null
  seenMs: number
}

/** Scrapes jitter; an age that says the start lies later by more is another start. */
const START_TOLERANCE_SECONDS = 10
const SILENT_MS = 60_000
const MAX_REPLICAS = 10_000
/** Replicas that are found while the hub itself is starting are not new, only new to it. */
const WARM_UP_MS = 60_000

export function createChangeDetector(clock: Clock): ChangeDetector {
  const replicas = new Map<string, Replica>()
  const bornMs = clock.monotonicMs()

  return {
    sample(sample) {
      const key = `${sample.cluster ?? ''}\n${sample.model ?? ''}\n${sample.replica}`
      const before = replicas.get(key)
      const startUnixSeconds = sample.age_seconds === null ? null : Number(sample.unix_ns) / 1e9 - sample.age_seconds
      if (before === undefined && replicas.size >= MAX_REPLICAS) return []
      replicas.set(key, {
        sample: { ...sample, engine_version: sample.engine_version ?? before?.sample.engine_version ?? null },
        startUnixSeconds: startUnixSeconds ?? before?.startUnixSeconds ?? null,
        seenMs: clock.monotonicMs(),
      })
      if (before === undefined) {
        const isWarm = clock.monotonicMs() - bornMs > WARM_UP_MS
        return isWarm ? [event('scale', sample, `${sample.replica} joined`, null, sample.replica)] : []
      }
      return changesBetween(before, sample, startUnixSeconds)
    },
    silent() {
      const gone: ChangeEvent[] = []
      for (const [key, { sample, seenMs }] of replicas) {
        if (clock.monotonicMs() - seenMs < SILENT_MS) continue
        replicas.delete(key)
        gone.push(event('scale', { ...sample, unix_ns: clock.unixNano() }, `${sample.replica} is no longer heard of`, sample.replica, null))
      }
      return gone
    },
  }
}

function changesBetween(before: Replica, sample: EngineSample, startUnixSeconds: number | null): ChangeEvent[] {
  const changes: ChangeEvent[] = []
  const [from, to] = [before.sample.engine_version, sample.engine_version]
  if (from !== null && to !== null && from !== to) changes.push(event('deploy', sample, `${sample.replica}: ${from} → ${to}`, from, to))
  if (startUnixSeconds !== null && before.startUnixSeconds !== null) {
    const later = startUnixSeconds - before.startUnixSeconds
    if (later > START_TOLERANCE_SECONDS) {
      const [old, young] = [before.startUnixSeconds, startUnixSeconds].map((at) => new Date(at * 1e3).toISOString())
      changes.push(event('restart', sample, `${sample.replica} restarted`, old as string, young as string))
    }
  }
  return changes
}

/** The id is a hash of what happened, so that two hubs that see the same change tell the same event. */
function event(kind: ChangeKind, sample: EngineSample, title: string, from: string | null, to: string | null): ChangeEvent {
  const scope: Record<string, string[]> = { replica: [sample.replica] }
  if (sample.cluster !== null) scope.cluster = [sample.cluster]
  if (sample.model !== null) scope.model = [sample.model]
  const minute = sample.unix_ns / 60_000_000_000n
  const id = createHash('sha256')
    .update(`${kind}\n${JSON.stringify(scope)}\n${from}\n${to}\n${minute}`)
    .digest('hex')
    .slice(0, 16)
  return { id, kind, unix_ns: sample.unix_ns, scope, title, source: 'derived', from_value: from, to_value: to }
}
