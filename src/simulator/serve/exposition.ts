// An engine's /metrics page in exactly the shape that was recorded from the real one: every family, label and bucket of the recording,
// with the numbers of the simulated engine where it has them and zero or the recorded constant where it has none.

export type PageValues = Readonly<Record<string, (labels: Readonly<Record<string, string>>) => number>>

interface PageLine {
  /** Comments and empty lines, as they are. */
  raw: string | null
  name: string
  labels: Record<string, string>
  labelText: string
  value: number
  /** Family of a histogram's line. */
  family: string | null
}

interface Histogram {
  sum: number
  count: number
  values: number[]
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)/

export class ExpositionPage {
  private readonly lines: PageLine[]
  private readonly types = new Map<string, string>()
  private readonly boundaries = new Map<string, number[]>()
  private readonly histograms = new Map<string, Histogram>()
  private readonly model: string

  constructor(recorded: string, model: string) {
    this.model = model
    for (const [, name, type] of recorded.matchAll(/^# TYPE (\S+) (\S+)$/gm)) this.types.set(name as string, type as string)
    this.lines = recorded.split('\n').map((line) => this.parse(line))
  }

  /** Adds one observation to a histogram of the page; ignored where the page has no such family. */
  observe(family: string, value: number, times = 1): void {
    const bounds = this.boundaries.get(family)
    if (bounds === undefined || !Number.isFinite(value)) return
    let histogram = this.histograms.get(family)
    if (histogram === undefined) {
      histogram = { sum: 0, count: 0, values: bounds.map(() => 0) }
      this.histograms.set(family, histogram)
    }
    histogram.sum += value * times
    histogram.count += times
    const bucket = bounds.findIndex((bound) => value <= bound)
    if (bucket >= 0) histogram.values[bucket] = (histogram.values[bucket] as number) + times
  }

  render(values: PageValues, createdUnixSeconds: number): string {
    let text = ''
    for (const line of this.lines) {
      if (line.raw !== null) text += `${line.raw}\n`
      else text += `${line.name}${line.labelText} ${formatNumber(this.valueOf(line, values, createdUnixSeconds))}\n`
    }
    return `${text.trimEnd()}\n`
  }

  private valueOf(line: PageLine, values: PageValues, created: number): number {
    const given = values[line.name]
    if (given !== undefined) return given(line.labels)
    if (line.name.endsWith('_created')) return created
    if (line.family !== null) return this.histogramValue(line, line.family)
    return this.types.get(line.name) === 'counter' ? 0 : line.value
  }

  private histogramValue(line: PageLine, family: string): number {
    const histogram = this.histograms.get(family)
    // Families that a label splits (streamed or not) have all their observations in the streamed half.
    if (histogram === undefined || line.labels.is_streaming === 'false') return 0
    if (line.name.endsWith('_sum')) return histogram.sum
    if (line.name.endsWith('_count')) return histogram.count
    const bound = parseBound(line.labels.le as string)
    if (bound === Number.POSITIVE_INFINITY) return histogram.count
    const bounds = this.boundaries.get(family) as number[]
    let count = 0
    for (let index = 0; index < bounds.length && (bounds[index] as number) <= bound; index++) count += histogram.values[index] as number
    return count
  }

  private parse(line: string): PageLine {
    const match = line.startsWith('#') ? null : SAMPLE.exec(line)
    if (match === null) return { raw: line, name: '', labels: {}, labelText: '', value: 0, family: null }
    const [, name, text, value] = match as unknown as [string, string, string | undefined, string]
    const labels: Record<string, string> = {}
    for (const [, key, content] of (text ?? '').matchAll(/([a-zA-Z_]\w*)="([^"]*)"/g)) labels[key as string] = content as string
    if (labels.model_name !== undefined) labels.model_name = this.model
    const pairs = Object.entries(labels).map(([key, content]) => `${key}="${content}"`)
    const family = name.replace(/_(bucket|sum|count)$/, '')
    const isHistogram = family !== name && this.types.get(family) === 'histogram'
    if (isHistogram && labels.le !== undefined) this.addBoundary(family, parseBound(labels.le))
    return {
      raw: null,
      name,
      labels,
      labelText: pairs.length === 0 ? '' : `{${pairs.join(',')}}`,
      value: Number(value),
      family: isHistogram ? family : null,
    }
  }

  private addBoundary(family: string, bound: number): void {
    const bounds = this.boundaries.get(family) ?? []
    if (Number.isFinite(bound) && !bounds.includes(bound)) bounds.push(bound)
    bounds.sort((a, b) => a - b)
    this.boundaries.set(family, bounds)
  }
}

function parseBound(text: string): number {
  return text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text)
}

/** As prometheus_client for Python writes floats. */
function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toFixed(1) : String(value)
}
