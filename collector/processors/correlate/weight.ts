// The weight of a request from its tracestate: `ot=th:<hex>` is the rejection threshold of consistent probability sampling
// (OpenTelemetry "TraceState: Probability Sampling", th in 56 bits, trailing zeros left out): weight = 1 ÷ (1 − th ÷ 2^56).

/** 1 where there is no threshold or it is not valid. */
export function weightOf(traceState: string): number {
  const vendor = traceState.split(',').find((entry) => entry.trim().startsWith('ot='))
  const threshold = vendor
    ?.trim()
    .slice(3)
    .split(';')
    .find((entry) => entry.startsWith('th:'))
    ?.slice(3)
  if (threshold === undefined || !/^[0-9a-f]{1,14}$/.test(threshold)) return 1
  const rejected = Number.parseInt(threshold.padEnd(14, '0'), 16) / 2 ** 56
  return 1 / (1 - rejected)
}
