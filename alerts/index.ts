// Every alert there is: one folder each, listed in the order of the documentation. Adding one is a folder and two lines here.
import { InfoInhibitor } from './InfoInhibitor/rule.ts'
import { LLMAuthFailures } from './LLMAuthFailures/rule.ts'
import { LLMCardinalityOverflow } from './LLMCardinalityOverflow/rule.ts'
import { LLMClientAbortSpike } from './LLMClientAbortSpike/rule.ts'
import { LLMClockSkew } from './LLMClockSkew/rule.ts'
import { LLMClusterSaturated } from './LLMClusterSaturated/rule.ts'
import { LLMConfigReloadFailed } from './LLMConfigReloadFailed/rule.ts'
import { LLMDecodeInterference } from './LLMDecodeInterference/rule.ts'
import { LLMDecodeSlow } from './LLMDecodeSlow/rule.ts'
import { LLMEngineDown } from './LLMEngineDown/rule.ts'
import { LLMEngineMetricMissing } from './LLMEngineMetricMissing/rule.ts'
import { LLMErrorBudgetExhausted } from './LLMErrorBudgetExhausted/rule.ts'
import { LLMExportBacklog } from './LLMExportBacklog/rule.ts'
import { LLMGPUHardFault } from './LLMGPUHardFault/rule.ts'
import { LLMGPUThrottled } from './LLMGPUThrottled/rule.ts'
import { LLMKVPressure } from './LLMKVPressure/rule.ts'
import { LLMKVTransferFailures } from './LLMKVTransferFailures/rule.ts'
import { LLMKVTransferSlow } from './LLMKVTransferSlow/rule.ts'
import { LLMLoadSkew } from './LLMLoadSkew/rule.ts'
import { LLMLocalizerStale } from './LLMLocalizerStale/rule.ts'
import { LLMNetworkPhase } from './LLMNetworkPhase/rule.ts'
import { LLMNoHealthyEngines } from './LLMNoHealthyEngines/rule.ts'
import { LLMPhaseRegression } from './LLMPhaseRegression/rule.ts'
import { LLMPrefillDecodeImbalance } from './LLMPrefillDecodeImbalance/rule.ts'
import { LLMPrefillSlow } from './LLMPrefillSlow/rule.ts'
import { LLMPrefixCacheCollapse } from './LLMPrefixCacheCollapse/rule.ts'
import { LLMProbeFailing } from './LLMProbeFailing/rule.ts'
import { LLMQueueGrowth } from './LLMQueueGrowth/rule.ts'
import { LLMQueueTimeBudget } from './LLMQueueTimeBudget/rule.ts'
import { LLMRateLimited } from './LLMRateLimited/rule.ts'
import { LLMReplicaOutlier } from './LLMReplicaOutlier/rule.ts'
import { LLMSidecarBypass } from './LLMSidecarBypass/rule.ts'
import { LLMSidecarOverhead } from './LLMSidecarOverhead/rule.ts'
import { LLMSLOBudgetTicket } from './LLMSLOBudgetTicket/rule.ts'
import { LLMSLOCliff } from './LLMSLOCliff/rule.ts'
import { LLMSLOFastBurn } from './LLMSLOFastBurn/rule.ts'
import { LLMSLOSlowBurn } from './LLMSLOSlowBurn/rule.ts'
import { LLMSpansDropped } from './LLMSpansDropped/rule.ts'
import { LLMStoreDiskLow } from './LLMStoreDiskLow/rule.ts'
import { LLMStreamStall } from './LLMStreamStall/rule.ts'
import { LLMTelemetryAbsent } from './LLMTelemetryAbsent/rule.ts'
import { LLMTelemetryGap } from './LLMTelemetryGap/rule.ts'
import { LLMTrafficDropped } from './LLMTrafficDropped/rule.ts'
import { LLMUpstreamErrors } from './LLMUpstreamErrors/rule.ts'
import { LLMVersionSkew } from './LLMVersionSkew/rule.ts'
import type { AlertDefinition } from './rule.ts'
import { Watchdog } from './Watchdog/rule.ts'

export const ALERTS: readonly AlertDefinition[] = [
  LLMSLOCliff,
  LLMSLOFastBurn,
  LLMSLOSlowBurn,
  LLMSLOBudgetTicket,
  LLMErrorBudgetExhausted,
  LLMPhaseRegression,
  LLMQueueGrowth,
  LLMQueueTimeBudget,
  LLMPrefillSlow,
  LLMPrefixCacheCollapse,
  LLMDecodeSlow,
  LLMDecodeInterference,
  LLMStreamStall,
  LLMKVPressure,
  LLMKVTransferSlow,
  LLMKVTransferFailures,
  LLMPrefillDecodeImbalance,
  LLMReplicaOutlier,
  LLMLoadSkew,
  LLMClusterSaturated,
  LLMNetworkPhase,
  LLMClientAbortSpike,
  LLMUpstreamErrors,
  LLMRateLimited,
  LLMEngineDown,
  LLMNoHealthyEngines,
  LLMTrafficDropped,
  LLMGPUHardFault,
  LLMGPUThrottled,
  LLMProbeFailing,
  LLMTelemetryAbsent,
  LLMTelemetryGap,
  LLMEngineMetricMissing,
  LLMSidecarBypass,
  LLMSidecarOverhead,
  LLMSpansDropped,
  LLMExportBacklog,
  LLMStoreDiskLow,
  LLMCardinalityOverflow,
  LLMLocalizerStale,
  LLMConfigReloadFailed,
  LLMAuthFailures,
  LLMClockSkew,
  LLMVersionSkew,
  Watchdog,
  InfoInhibitor,
]
