// Names of recording rules (level:metric:operation; the slo: names are Sloth's, so that its dashboards work unchanged).
// Boards and rules use them from here; the rules themselves live in alerts/recordings.

/** Windows for which a bad ratio and a bad count are recorded. */
export const RATIO_WINDOWS = ['2m', '5m', '15m', '30m', '1h', '2h', '6h', '1d', '3d', '30d'] as const
export type RatioWindow = (typeof RATIO_WINDOWS)[number]

/** Windows whose rates are recorded from the counters themselves; longer ones are averages of these, weighted by traffic. */
export const BASE_WINDOWS = ['1m', '2m', '5m', '1h'] as const
export type BaseWindow = (typeof BASE_WINDOWS)[number]

export const RECORDINGS = {
  sliBadRate: (window: BaseWindow) => `slo:sli_bad:rate${window}`,
  sliTotalRate: (window: BaseWindow) => `slo:sli_total:rate${window}`,
  sliErrorRatio: (window: RatioWindow) => `slo:sli_error:ratio_rate${window}`,
  sliErrorCount: (window: RatioWindow) => `slo:sli_error:increase${window}`,
  sloInfo: 'sloth_slo_info',
  objective: 'slo:objective:ratio',
  errorBudget: 'slo:error_budget:ratio',
  currentBurnRate: 'slo:current_burn_rate:ratio',
  periodBurnRate: 'slo:period_burn_rate:ratio',
  budgetRemaining: 'slo:period_error_budget_remaining:ratio',
  phaseMeanSeconds: 'model_phase:longpole_phase_seconds:mean5m',
  phaseP95Seconds: 'model_phase:longpole_phase_seconds:p95_5m',
  phaseSecondsRate: 'model_phase:longpole_phase_seconds_sum:rate5m',
  phaseCountRate: 'model_phase:longpole_phase_seconds_count:rate5m',
  requestRate: 'model:longpole_requests:rate5m',
  ttftQuantile: (quantile: '50' | '95' | '99') => `model:longpole_ttft_seconds:p${quantile}_5m`,
  tpotQuantile: (quantile: '50' | '95' | '99') => `model:longpole_tpot_seconds:p${quantile}_5m`,
  cacheHitRatio: 'model:longpole_cached_tokens:ratio5m',
  prefillSecondsPerUncachedKilotoken: 'model:longpole_prefill_seconds_per_kilotoken:mean5m',
  prefillSecondsPerUncachedKilotokenMedian: 'model:longpole_prefill_seconds_per_kilotoken:median7d',
  tpotMedianSeconds: 'model:longpole_tpot_seconds:p95_5m_median7d',
  itlQuantile: (quantile: '50' | '99') => `model:longpole_itl_seconds:p${quantile}_5m`,
  engineWaiting: 'model:longpole_engine_waiting:sum',
  engineRunningMean: 'model:longpole_engine_running:mean',
  engineRunningMeanUsual: 'model:longpole_engine_running:mean_p90_7d',
  replicaPhaseMeanSeconds: 'replica_phase:longpole_replica_phase_seconds:mean5m',
  slicePhaseMeanSeconds: 'slice_phase:longpole_phase_seconds:mean5m',
  slicePhaseCountRate: 'slice_phase:longpole_phase_seconds_count:rate5m',
  slicePhaseUsualSeconds: 'slice_phase:longpole_phase_seconds:median6h',
  slicePhaseUsualMostSeconds: 'slice_phase:longpole_phase_seconds:p95_6h',
  slicePhaseExcessWeight: 'slice_phase:longpole_phase_seconds:excess_weight5m',
  replicaPhaseCountRate: 'replica_phase:longpole_replica_phase_seconds_count:rate5m',
} as const
