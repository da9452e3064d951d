// Numbers and instants for people: units always, four significant digits at most, local time with UTC at hand.

/** Seconds as ns … h with three significant digits. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–'
  const size = Math.abs(seconds)
  if (size === 0) return '0 s'
  if (size < 1e-3) return `${(seconds * 1e6).toPrecision(3)} µs`
  if (size < 0.9995) return `${trim((seconds * 1e3).toPrecision(3))} ms`
  if (size < 99.95) return `${trim(seconds.toPrecision(3))} s`
  if (size < 5_400) return `${Math.round(seconds / 60)} min`
  return `${trim((seconds / 3_600).toPrecision(3))} h`
}

function trim(text: string): string {
  return text.includes('.') && !text.includes('e') ? text.replace(/\.?0+$/, '') : text
}

export function percent(ratio: number | null | undefined, digits = 0): string {
  return ratio === null || ratio === undefined || !Number.isFinite(ratio) ? '–' : `${(ratio * 100).toFixed(digits)} %`
}

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : COMPACT.format(value)
}

export function rate(perSecond: number): string {
  return perSecond >= 10
    ? `${perSecond.toFixed(0)}/s`
    : perSecond >= 0.1
      ? `${perSecond.toFixed(1)}/s`
      : `${(perSecond * 60).toFixed(1)}/min`
}

/** Share of a bar that an age fills, 0 to 1: 10 ms … 1,000 s on a logarithmic scale. */
export function ageShare(seconds: number): number {
  return Math.min(1, (Math.log10(Math.max(seconds, 0.01)) + 2) / 5)
}

/** RFC 3339, Unix nanoseconds as a string, or Unix seconds → milliseconds. */
export function toMs(instant: string | number): number {
  if (typeof instant === 'number') return instant * 1e3
  return /^\d{16,}$/.test(instant) ? Number(BigInt(instant) / 1_000_000n) : Date.parse(instant)
}

export function clock(instant: string | number, withSeconds = true): string {
  const options: Intl.DateTimeFormatOptions = {
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
    ...(withSeconds ? { second: '2-digit' } : {}),
  }
  return new Date(toMs(instant)).toLocaleTimeString([], options)
}

/** The same instant in UTC, for titles. */
export function utc(instant: string | number): string {
  if (Number.isNaN(toMs(instant))) return 'no instant'
  return new Date(toMs(instant))
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC')
}

export function ago(instant: string | number, now = Date.now()): string {
  const seconds = Math.max(0, (now - toMs(instant)) / 1e3)
  if (seconds < 90) return `${Math.round(seconds)} s ago`
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min ago`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h ago`
  return `${Math.round(seconds / 86_400)} days ago`
}
