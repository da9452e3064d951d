// Names of recording rules (level:metric:operation; the slo: names are Sloth's, so that its dashboards work unchanged).
// Boards and rules use them from here; the rules themselves live in alerts/recordings.

/** Windows for which a bad ratio and a bad count are recorded. */
export const RATIO_WINDOWS = ['2m', '5m', '30m', '1h', '2h', '6h', '1d', '3d', '30d'] as const
export type RatioWindow = (typeof RATIO_WINDOWS)[number]

export const RECORDINGS = {
  sliErrorRatio: (window: RatioWindow) => `slo:sli_error:ratio_rate${window}`,
  sliErrorCount: (window: RatioWindow) => `slo:sli_error:increase${window}`,
  objective: 'slo:objective:ratio',
  errorBudget: 'slo:error_budget:ratio',
  currentBurnRate: 'slo:current_burn_rate:ratio',
  periodBurnRate: 'slo:period_burn_rate:ratio',
  budgetRemaining: 'slo:period_error_budget_remaining:ratio',
  phaseMeanSeconds: 'model_phase:longpole_phase_seconds:mean5m',
  phaseSecondsRate: 'model_phase:longpole_phase_seconds_sum:rate5m',
  phaseCountRate: 'model_phase:longpole_phase_seconds_count:rate5m',
  requestRate: 'model:longpole_requests:rate5m',
  ttftQuantile: (quantile: '50' | '95' | '99') => `model:longpole_ttft_seconds:p${quantile}_5m`,
  tpotQuantile: (quantile: '50' | '95' | '99') => `model:longpole_tpot_seconds:p${quantile}_5m`,
  cacheHitRatio: 'model:longpole_cached_tokens:ratio5m',
  prefillSecondsPerUncachedKilotoken: 'model:longpole_prefill_seconds_per_kilotoken:mean5m',
  replicaPhaseMeanSeconds: 'replica_phase:longpole_replica_phase_seconds:mean5m',
} as const
