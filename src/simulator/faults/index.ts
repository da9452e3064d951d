// The faults that the simulator knows. Adding one is a folder and a line here.
import { adapterThrash } from './adapter-thrash/fault.ts'
import { affinityLost } from './affinity-lost/fault.ts'
import { badRevision } from './bad-revision/fault.ts'
import { balancerImbalance } from './balancer-imbalance/fault.ts'
import { cacheKeyChange } from './cache-key-change/fault.ts'
import { cacheThrash } from './cache-thrash/fault.ts'
import { capacityLoss } from './capacity-loss/fault.ts'
import { clientNetwork } from './client-network/fault.ts'
import { clockSkew } from './clock-skew/fault.ts'
import { coldStart } from './cold-start/fault.ts'
import { crashLoop } from './crash-loop/fault.ts'
import { decodeKvFull } from './decode-kv-full/fault.ts'
import { detokenizerBound } from './detokenizer-bound/fault.ts'
import { expertImbalance } from './expert-imbalance/fault.ts'
import type { FaultDefinition } from './fault.ts'
import { gpuClockThrottle } from './gpu-clock-throttle/fault.ts'
import { graphMiss } from './graph-miss/fault.ts'
import { hbmThrottle } from './hbm-throttle/fault.ts'
import { hostStall } from './host-stall/fault.ts'
import { kvTierSlow } from './kv-tier-slow/fault.ts'
import { kvTransferDegraded } from './kv-transfer-degraded/fault.ts'
import { nicDegraded } from './nic-degraded/fault.ts'
import { noisyTenant } from './noisy-tenant/fault.ts'
import { powerCap } from './power-cap/fault.ts'
import { preemptionStorm } from './preemption-storm/fault.ts'
import { prefillStarvesDecode } from './prefill-starves-decode/fault.ts'
import { rankOverload } from './rank-overload/fault.ts'
import { regionFailover } from './region-failover/fault.ts'
import { replicaHang } from './replica-hang/fault.ts'
import { retryStorm } from './retry-storm/fault.ts'
import { revisionErrors } from './revision-errors/fault.ts'
import { sidecarOverhead } from './sidecar-overhead/fault.ts'
import { speculationDrop } from './speculation-drop/fault.ts'
import { tokenizerStarved } from './tokenizer-starved/fault.ts'

export const FAULTS: readonly FaultDefinition[] = [
  gpuClockThrottle,
  hbmThrottle,
  powerCap,
  nicDegraded,
  expertImbalance,
  rankOverload,
  affinityLost,
  cacheThrash,
  cacheKeyChange,
  preemptionStorm,
  capacityLoss,
  prefillStarvesDecode,
  balancerImbalance,
  tokenizerStarved,
  detokenizerBound,
  hostStall,
  kvTransferDegraded,
  decodeKvFull,
  graphMiss,
  coldStart,
  clientNetwork,
  retryStorm,
  regionFailover,
  speculationDrop,
  badRevision,
  adapterThrash,
  noisyTenant,
  kvTierSlow,
  sidecarOverhead,
  clockSkew,
  replicaHang,
  crashLoop,
  revisionErrors,
]
