// Everything about an engine that a fault may turn. At rest all factors are 1 and all addends 0.
import { Addend, Factor } from '../core/factor.ts'

export class EngineKnobs {
  readonly acceptScale = new Factor()
  readonly tokenizerScale = new Factor()
  readonly emitScale = new Factor()
  readonly transferScale = new Factor()
  /** KV that arrives here. */
  readonly receiveScale = new Factor()
  readonly transferDelay = new Addend()
  readonly adapterScale = new Factor()
  readonly adapterSlotScale = new Factor()
  readonly loadScale = new Factor()
  /** Below 1 routers send more here than is fair. */
  readonly routeBias = new Factor()
  readonly sidecarDelay = new Addend()
  /** Seconds by which this host's clock runs ahead. */
  readonly clockSkew = new Addend()
  /** Adapters that do not stay resident. */
  readonly brokenAdapters = new Set<string>()
  readonly batchedTokensScale = new Factor()
  readonly sequencesScale = new Factor()
  /** Seconds that the host process stops every `hostStallPeriod`. */
  readonly hostStall = new Addend()
  hostStallPeriod = 1.5
  /** Probability that a request fails in the server. */
  readonly errorRate = new Addend()
  /** Batches above this many sequences leave the captured-graph path. */
  graphLimit = Number.POSITIVE_INFINITY
  readonly offGraphScale = new Factor()
  readonly expertSkew = new Factor()
  /** Healthy, but routers send nothing new. */
  draining = false
}
