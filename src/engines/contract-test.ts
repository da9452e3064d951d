// What every adapter promises, held against its recorded spans. Each adapter's test calls `describeAdapter` with its fixtures; the
// engine's version stands in their file names.
import { readFileSync } from 'node:fs'
import type { Observation } from '@longpole/model/observation'
import { isPhaseId } from '@longpole/model/phase'
import { REQUEST_COLUMNS } from '@longpole/model/request-columns'
import type { Span } from '@longpole/model/span'
import { describe, expect, test } from 'vitest'
import { decodeTraces } from '../wire/otlp/decode.ts'
import type { EngineAdapter } from './adapter.ts'
import { ADAPTERS } from './index.ts'
import { observeSpans, requestIdsOf } from './observe.ts'
import { byStart } from './span-tree.ts'

/** The spans of a recorded OTLP body. */
export function readSpans(file: URL): Span[] {
  return decodeTraces(readFileSync(file)).spans
}

/** A file of one JSON object a line: what the client saw of the recorded requests. */
export function readLines<Row>(file: URL): Row[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
}

export function byTrace(spans: readonly Span[]): Map<string, Span[]> {
  return Map.groupBy(spans, (span) => span.traceId)
}

/** All observations of a recorded body, trace by trace. */
export function observeAll(spans: readonly Span[]): Observation[] {
  return [...byTrace(spans).values()].flatMap((trace) => observeSpans(trace).observations)
}

export function secondsOfPhase(observation: Observation, id: string): number {
  return observation.phases.filter(({ phase }) => phase === id).reduce((sum, { seconds }) => sum + seconds, 0)
}

const COLUMNS = new Set<string>(REQUEST_COLUMNS.map(({ name }) => name))
/** Rounding of doubles and of stamps, and processes of one host whose clocks were anchored apart. */
const SLACK_SECONDS = 0.001

export function describeAdapter(adapter: EngineAdapter, fixtures: readonly URL[]): void {
  describe(`the ${adapter.title} adapter keeps the contract`, () => {
    test('is listed, names itself and says what it cannot observe', () => {
      expect(ADAPTERS).toContain(adapter)
      expect(adapter.name).toMatch(/^[a-z0-9-]+$/)
      expect(adapter.unobservable.length).toBeGreaterThan(0)
      for (const { phase } of adapter.produces) expect(isPhaseId(phase)).toBe(true)
    })
    for (const file of fixtures) describeFixture(adapter, file)
  })
}

function describeFixture(adapter: EngineAdapter, file: URL): void {
  const name = file.pathname.split('/').at(-1) ?? ''
  const version = adapter.seenVersions.find((seen) => name.includes(seen))
  describe(name, () => {
    const traces = [...byTrace(readSpans(file).sort(byStart)).values()]
    const observed = traces.map((trace) =>
      adapter.observe(
        trace.filter((span) => adapter.claims(span)),
        trace,
      ),
    )
    const declared = new Set(adapter.produces.map(({ phase, source, exactness }) => `${phase}\n${source}\n${exactness}`))

    test('is of a version that the adapter says it has seen', () => expect(version).toBeDefined())

    test('says something', () => expect(observed.flat().length).toBeGreaterThan(0))

    test('every phase is declared, with its source and exactness, and no longer than its observation', () => {
      for (const observation of observed.flat()) {
        const whole = Number(observation.endUnixNano - observation.startUnixNano) / 1e9
        for (const { phase, seconds, source, exactness } of observation.phases) {
          expect(declared).toContain(`${phase}\n${source}\n${exactness}`)
          expect(seconds).toBeGreaterThanOrEqual(0)
          expect(seconds).toBeLessThanOrEqual(whole + SLACK_SECONDS)
        }
        const sum = observation.phases.reduce((total, { seconds }) => total + seconds, 0)
        expect(sum).toBeLessThanOrEqual(whole + SLACK_SECONDS)
        expect(new Set(observation.phases.map(({ phase }) => phase)).size).toBe(observation.phases.length)
      }
    })

    test('observations lie in their trace, no span is in two of them, and columns are those of a record', () => {
      for (const [index, observations] of observed.entries()) {
        const ids = new Set(traces[index]?.map((span) => span.spanId))
        const used = observations.flatMap(({ spanIds }) => spanIds)
        expect(new Set(used).size).toBe(used.length)
        for (const observation of observations) {
          expect(observation.vantage).toBe(adapter.vantage)
          expect(observation.spanIds).toContain(observation.spanId)
          for (const id of observation.spanIds) expect(ids).toContain(id)
          for (const column of Object.keys(observation.columns)) expect(COLUMNS).toContain(column)
        }
      }
    })

    test('the request ids of an observation are known span by span', () => {
      for (const [index, observations] of observed.entries()) {
        const ids = new Set(traces[index]?.flatMap(requestIdsOf))
        for (const { requestIds } of observations) for (const id of requestIds) expect(ids).toContain(id)
      }
    })

    test('stamps are in order', () => {
      for (const { startUnixNano, endUnixNano, boundaries } of observed.flat()) {
        const { received, headers, firstToken, lastToken } = boundaries
        const stamps = [startUnixNano, received, headers, firstToken, lastToken].filter((stamp) => stamp !== undefined)
        for (let at = 1; at < stamps.length; at++) expect(stamps[at]! >= stamps[at - 1]!).toBe(true)
        expect(endUnixNano >= startUnixNano).toBe(true)
      }
    })

    test('order of arrival and duplicates change nothing', () => {
      for (const trace of traces) {
        const once = observeSpans(trace)
        expect(observeSpans([...trace, ...trace].reverse())).toEqual(once)
      }
    })

    test('spans whose parts have not all come yet give less, never nonsense', () => {
      for (const trace of traces) {
        for (let count = 0; count < trace.length; count += 3) {
          for (const { phases } of observeSpans(trace.slice(0, count)).observations) {
            for (const { seconds } of phases) expect(seconds).toBeGreaterThanOrEqual(0)
          }
        }
      }
    })

    test('shifting every stamp by 37 seconds changes no duration', () => {
      const shift = -37_000_000_000n
      for (const trace of traces) {
        const shifted = trace.map((span) => ({
          ...span,
          startUnixNano: span.startUnixNano + shift,
          endUnixNano: span.endUnixNano + shift,
        }))
        const phases = (spans: readonly Span[]) => observeSpans(spans).observations.map((observation) => observation.phases)
        expect(phases(shifted)).toEqual(phases(trace))
      }
    })
  })
}
