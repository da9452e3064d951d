// Which observations belong to one LLM request: by parentage where the spans tell it, else by request id where a trace is broken,
// else by being the only two halves of one trace. Pure; correlate.ts calls it for each trace (and those linked to it by request id).
import { type Observation, VANTAGES, type Vantage } from '@longpole/model/observation'

/** The observations of one logical request, outermost first. */
export interface RequestParts {
  observations: Observation[]
  /** The nearest observation above each, where parentage tells it. */
  above: ReadonlyMap<Observation, Observation>
}

/** Parent of each span, by `trace id + span id`, of every span seen, whether in an observation or not. */
export type ParentMap = ReadonlyMap<string, string>

export const spanKey = (traceId: string, spanId: string): string => traceId + spanId

/** Parents of all spans; asked for only where an observation's own parent is no part of another observation. */
export type Parents = () => ParentMap

/** Requests in the order of their start. The result does not depend on the order of the observations. */
export function joinRequests(observations: readonly Observation[], parents: Parents): RequestParts[] {
  const ordered = [...observations].sort(outermostFirst)
  if (ordered.length === 0) return []
  const above = nearestAbove(ordered, parents)
  // Each but one hangs below another: they are one request already.
  if (above.size === ordered.length - 1) return [{ observations: ordered, above }]
  const groups = new Groups(ordered)
  for (const [lower, upper] of above) groups.unite(lower, upper)
  joinByRequestId(groups)
  joinHalves(groups, parents)
  return groups.list().map((members) => ({ observations: members.sort(outermostFirst), above }))
}

const RANKS: Record<Vantage, number> = Object.fromEntries(VANTAGES.map((vantage, index) => [vantage, index])) as Record<Vantage, number>

export function vantageRank(vantage: Vantage): number {
  return RANKS[vantage]
}

function outermostFirst(left: Observation, right: Observation): number {
  const byVantage = vantageRank(left.vantage) - vantageRank(right.vantage)
  if (byVantage !== 0) return byVantage
  if (left.role !== right.role) return left.role === 'request' ? -1 : right.role === 'request' ? 1 : 0
  if (left.startUnixNano !== right.startUnixNano) return left.startUnixNano < right.startUnixNano ? -1 : 1
  return spanKey(left.traceId, left.spanId) < spanKey(right.traceId, right.spanId) ? -1 : 1
}

/** Climbs from each observation through the spans' parents to the next observation. Cycles and endless chains end the climb. */
function nearestAbove(observations: readonly Observation[], parents: Parents): Map<Observation, Observation> {
  const ownerOf = ownerLookup(observations)
  const above = new Map<Observation, Observation>()
  let known: ParentMap | null = null
  for (const observation of observations) {
    const { traceId } = observation
    let spanId: string | undefined = observation.parentSpanId
    for (let steps = 0; spanId !== undefined && spanId !== '' && steps < MAX_DEPTH; steps++) {
      const found = ownerOf(traceId, spanId)
      if (found !== undefined && found !== observation) {
        if (!isAbove(found, observation, above)) above.set(observation, found)
        break
      }
      known ??= parents()
      spanId = known.get(spanKey(traceId, spanId))
    }
  }
  return above
}

/** Few enough to look at each. */
const MAX_SCANNED = 8

/** Whose span it is: of several observations that claim it, the outermost. */
function ownerLookup(observations: readonly Observation[]): (traceId: string, spanId: string) => Observation | undefined {
  if (observations.length <= MAX_SCANNED) {
    return (traceId, spanId) => observations.find((entry) => entry.traceId === traceId && entry.spanIds.includes(spanId))
  }
  const owner = new Map<string, Observation>()
  for (const observation of observations) {
    for (const spanId of observation.spanIds) {
      const key = spanKey(observation.traceId, spanId)
      if (!owner.has(key)) owner.set(key, observation)
    }
  }
  return (traceId, spanId) => owner.get(spanKey(traceId, spanId))
}

const MAX_DEPTH = 1_000

/** Whether `observation` already stands above `candidate`: hostile spans can be each other's parents. */
function isAbove(candidate: Observation, observation: Observation, above: Map<Observation, Observation>): boolean {
  let at: Observation | undefined = candidate
  for (let steps = 0; at !== undefined && steps < MAX_DEPTH; steps++) {
    if (at === observation) return true
    at = above.get(at)
  }
  return false
}

/**
 * Halves that share a request id. Two that saw the same vantage are two requests whose caller reused the id, so they stay apart; of
 * several that fit, the one that began nearest is taken.
 */
function joinByRequestId(groups: Groups): void {
  const byId = new Map<string, Observation[]>()
  for (const observation of groups.members) {
    for (const id of observation.requestIds) {
      if (id === '') continue
      const sharing = byId.get(id)
      if (sharing) sharing.push(observation)
      else byId.set(id, [observation])
    }
  }
  for (const id of [...byId.keys()].sort()) {
    const sharing = (byId.get(id) as Observation[]).slice(0, MAX_SHARING)
    for (const lower of sharing) {
      const candidates = sharing.filter((upper) => outermostFirst(upper, lower) < 0 && groups.fit(upper, lower))
      const nearest = candidates.reduce<Observation | undefined>(
        (best, next) => (best === undefined || distance(next, lower) < distance(best, lower) ? next : best),
        undefined,
      )
      if (nearest !== undefined) groups.unite(nearest, lower)
    }
  }
}

const MAX_SHARING = 64

function distance(left: Observation, right: Observation): bigint {
  const difference = left.startUnixNano - right.startUnixNano
  return difference < 0n ? -difference : difference
}

/** Within one trace: a lower half whose parent was never seen belongs to the only upper half there is. */
function joinHalves(groups: Groups, parents: Parents): void {
  const byTrace = new Map<string, Observation[][]>()
  for (const members of groups.list()) {
    const { traceId } = members[0] as Observation
    byTrace.set(traceId, [...(byTrace.get(traceId) ?? []), members])
  }
  for (const halves of byTrace.values()) {
    if (halves.length !== 2) continue
    const [upper, lower] = halves.map((members) => [...members].sort(outermostFirst)[0] as Observation).sort(outermostFirst) as [
      Observation,
      Observation,
    ]
    const parentMissing = lower.parentSpanId !== '' && !parents().has(spanKey(lower.traceId, lower.parentSpanId))
    if (parentMissing && groups.fit(upper, lower)) groups.unite(upper, lower)
  }
}

/** Disjoint sets of observations. */
class Groups {
  readonly members: readonly Observation[]
  private readonly setOf: Map<Observation, Observation[]>

  constructor(members: readonly Observation[]) {
    this.members = members
    this.setOf = new Map(members.map((member) => [member, [member]]))
  }

  unite(left: Observation, right: Observation): void {
    const [kept, given] = [this.set(left), this.set(right)]
    if (kept === given) return
    for (const member of given) {
      kept.push(member)
      this.setOf.set(member, kept)
    }
  }

  /** Two different groups that saw nothing in common; two servers of one disaggregated request are not "in common". */
  fit(left: Observation, right: Observation): boolean {
    const [seen, others] = [this.set(left), this.set(right)]
    if (seen === others) return false
    return !seen.some((one) => others.some((other) => one.vantage === other.vantage && !areTwoHops(one, other)))
  }

  list(): Observation[][] {
    return [...new Set(this.setOf.values())]
  }

  private set(member: Observation): Observation[] {
    return this.setOf.get(member) as Observation[]
  }
}

function areTwoHops(left: Observation, right: Observation): boolean {
  return left.role === 'hop' && right.role === 'hop' && left.columns.pool !== right.columns.pool
}
