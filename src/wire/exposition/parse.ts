// Reads a /metrics page: Prometheus text format 0.0.4 and OpenMetrics 1.0, as real servers write them. The page is hostile until
// proven otherwise: every length has a limit, a bad line is counted and skipped, nothing throws.

/** One line of a page. */
export interface ExpositionSample {
  /** Sample name as written: with `_total`, `_bucket`, `_sum`, `_count`. */
  name: string
  labels: Record<string, string>
  /** NaN and ±Inf as written. */
  value: number
}

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'info' | 'stateset' | 'unknown'

export interface Exposition {
  samples: ExpositionSample[]
  /** Family name (as in the TYPE line) → type. */
  types: Map<string, MetricType>
  /** Lines that could not be read, and were left out. */
  badLines: number
  /** Why reading stopped before the end of the page; absent when it did not. */
  truncated?: 'samples' | 'characters'
}

export interface ExpositionLimits {
  /** Characters read of one page; a vLLM with every option writes 80 k, a large Dynamo frontend 100 k. */
  characters: number
  samples: number
  /** Characters of one line. */
  line: number
  labels: number
}

export const EXPOSITION_LIMITS: ExpositionLimits = { characters: 16 * 1024 * 1024, samples: 200_000, line: 16_384, labels: 64 }

const TYPES = new Map<string, MetricType>([
  ['counter', 'counter'],
  ['gauge', 'gauge'],
  ['histogram', 'histogram'],
  ['gaugehistogram', 'histogram'],
  ['summary', 'summary'],
  ['info', 'info'],
  ['stateset', 'stateset'],
])

/** Parses one page. `keep` leaves out samples by name before their labels are read: a sampler needs a few dozen of thousands. */
export function parseExposition(
  text: string,
  limits: Partial<ExpositionLimits> = {},
  keep: (name: string) => boolean = () => true,
): Exposition {
  const bounds = { ...EXPOSITION_LIMITS, ...limits }
  const page: Exposition = { samples: [], types: new Map(), badLines: 0 }
  const end = Math.min(text.length, bounds.characters)
  let at = 0
  while (at < end) {
    let stop = text.indexOf('\n', at)
    if (stop === -1) stop = text.length
    if (stop > end) break
    if (stop - at > bounds.line) page.badLines++
    else if (!readLine(text.slice(at, stop), page, bounds, keep)) return page
    at = stop + 1
  }
  if (text.length > bounds.characters) page.truncated = 'characters'
  return page
}

/** False ends the page: the end mark, or more samples than allowed. */
function readLine(raw: string, page: Exposition, bounds: ExpositionLimits, keep: (name: string) => boolean): boolean {
  const line = raw.trim()
  if (line === '') return true
  if (line.startsWith('#')) {
    if (line === '# EOF') return false
    readType(line, page, bounds)
    return true
  }
  const nameEnd = endOfName(line)
  const name = line.slice(0, nameEnd)
  if (name !== '' && !keep(name)) return true
  const sample = name === '' ? null : readSample(line, name, bounds.labels)
  if (sample === null) page.badLines++
  else if (page.samples.length >= bounds.samples) {
    page.truncated = 'samples'
    return false
  } else page.samples.push(sample)
  return true
}

function readType(line: string, page: Exposition, bounds: ExpositionLimits): void {
  const words = line.split(/[ \t]+/, 4)
  if (words[1] !== 'TYPE' || words[2] === undefined || page.types.size >= bounds.samples) return
  page.types.set(words[2], TYPES.get(words[3] ?? '') ?? 'unknown')
}

/** `[a-zA-Z_:][a-zA-Z0-9_:]*`; 0 where the line does not start with a name. */
function endOfName(line: string): number {
  let at = 0
  while (at < line.length && isNameCode(line.charCodeAt(at), at > 0)) at++
  return at
}

function isNameCode(code: number, digitAllowed: boolean): boolean {
  const letter = (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
  return letter || code === 95 || code === 58 || (digitAllowed && code >= 48 && code <= 57)
}

/** `name{label="value",…} value [timestamp] [# {exemplar}]`; null where it is something else. */
function readSample(line: string, name: string, maxLabels: number): ExpositionSample | null {
  let at = skipBlanks(line, name.length)
  const labels: Record<string, string> = Object.create(null)
  if (line[at] === '{') {
    const after = readLabels(line, at + 1, labels, maxLabels)
    if (after === -1) return null
    at = skipBlanks(line, after)
  } else if (at === name.length) return null
  const rest = line.slice(at)
  const word = rest.split(/[ \t]/, 1)[0] ?? ''
  const value = readNumber(word)
  return value === null ? null : { name, labels, value }
}

function skipBlanks(line: string, from: number): number {
  let at = from
  while (line[at] === ' ' || line[at] === '\t') at++
  return at
}

/** Position after the closing brace, or -1. */
function readLabels(line: string, from: number, labels: Record<string, string>, maxLabels: number): number {
  let at = skipBlanks(line, from)
  let count = 0
  while (at < line.length) {
    if (line[at] === '}') return at + 1
    const start = at
    while (at < line.length && isNameCode(line.charCodeAt(at), at > start)) at++
    const label = line.slice(start, at)
    at = skipBlanks(line, at)
    if (label === '' || line[at] !== '=') return -1
    at = skipBlanks(line, at + 1)
    if (line[at] !== '"') return -1
    const closing = endOfQuoted(line, at + 1)
    if (closing === -1 || ++count > maxLabels) return -1
    labels[label] = unescapeLabel(line.slice(at + 1, closing))
    at = skipBlanks(line, closing + 1)
    if (line[at] === ',') at = skipBlanks(line, at + 1)
    else if (line[at] !== '}') return -1
  }
  return -1
}

function endOfQuoted(line: string, from: number): number {
  for (let at = from; at < line.length; at++) {
    if (line[at] === '\\') at++
    else if (line[at] === '"') return at
  }
  return -1
}

function unescapeLabel(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
}

/** Go's float syntax as the format asks for, without hexadecimal. */
function readNumber(word: string): number | null {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(word)) return Number(word)
  if (/^[+-]?inf(inity)?$/i.test(word)) return word.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return /^nan$/i.test(word) ? Number.NaN : null
}
