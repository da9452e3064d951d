// The mechanisms that records and samples can tell apart, in the order in which ties are decided.

import { adapterLoad } from './adapter-load/mechanism.ts'
import { cacheHitDrop } from './cache-hit-drop/mechanism.ts'
import { capacityLoss } from './capacity-loss/mechanism.ts'
import { clientNetwork } from './client-network/mechanism.ts'
import { clockSkew } from './clock-skew/mechanism.ts'
import { coldStart } from './cold-start/mechanism.ts'
import { crashLoop } from './crash-loop/mechanism.ts'
import { decodeKvFull } from './decode-kv-full/mechanism.ts'
import { demandSaturation } from './demand-saturation/mechanism.ts'
import { detokenizerCpu } from './detokenizer-cpu/mechanism.ts'
import { expertImbalance } from './expert-imbalance/mechanism.ts'
import { gatewayOverhead } from './gateway-overhead/mechanism.ts'
import { hang } from './hang/mechanism.ts'
import { hostStall } from './host-stall/mechanism.ts'
import { instrumentationChange } from './instrumentation-change/mechanism.ts'
import { kvTierSlow } from './kv-tier-slow/mechanism.ts'
import { kvTransfer } from './kv-transfer/mechanism.ts'
import { loadImbalance } from './load-imbalance/mechanism.ts'
import type { MechanismTest } from './mechanism.ts'
import { noisyNeighbour } from './noisy-neighbour/mechanism.ts'
import { preemption } from './preemption/mechanism.ts'
import { prefillDecodeInterference } from './prefill-decode-interference/mechanism.ts'
import { regionFailover } from './region-failover/mechanism.ts'
import { retryStorm } from './retry-storm/mechanism.ts'
import { serverErrors } from './server-errors/mechanism.ts'
import { slowConsumer } from './slow-consumer/mechanism.ts'
import { slowRank } from './slow-rank/mechanism.ts'
import { slowerCompute } from './slower-compute/mechanism.ts'
import { speculationDrop } from './speculation-drop/mechanism.ts'
import { tokenizerCpu } from './tokenizer-cpu/mechanism.ts'

export const MECHANISM_TESTS: readonly MechanismTest[] = [
  hang,
  crashLoop,
  serverErrors,
  retryStorm,
  regionFailover,
  clientNetwork,
  gatewayOverhead,
  tokenizerCpu,
  detokenizerCpu,
  slowConsumer,
  kvTransfer,
  kvTierSlow,
  decodeKvFull,
  cacheHitDrop,
  preemption,
  coldStart,
  adapterLoad,
  speculationDrop,
  expertImbalance,
  slowRank,
  slowerCompute,
  prefillDecodeInterference,
  hostStall,
  noisyNeighbour,
  demandSaturation,
  capacityLoss,
  loadImbalance,
  instrumentationChange,
  clockSkew,
]
