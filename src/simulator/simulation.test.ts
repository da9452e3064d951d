import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { PHASE, type SimRequest } from './core/request.ts'
import { encodeNdjson } from './output/ndjson.ts'
import { RecordBatch } from './output/record-batch.ts'
import { Simulation } from './simulation.ts'

const START = 1_767_600_000_000_000_000n

function run(seed: number, seconds = 60, rate = 40): { requests: SimRequest[]; simulation: Simulation } {
  const requests: SimRequest[] = []
  const simulation = new Simulation({ seed, seconds, rate, agents: 6, startUnixNano: START, onEnded: (request) => requests.push(request) })
  simulation.run()
  return { requests, simulation }
}

function bytesOf(seed: number): string {
  const batch = new RecordBatch({ seed, startUnixNano: START }, 16_384)
  for (const request of run(seed, 30, 8).requests) batch.append(request)
  return createHash('sha256').update(encodeNdjson(batch)).digest('hex')
}

describe('a simulated fleet', () => {
  test('the same seed gives the same bytes, another seed others', () => {
    const first = bytesOf(11)
    expect(bytesOf(11)).toBe(first)
    expect(bytesOf(12)).not.toBe(first)
  })

  test('no power has a broken exponent: its last bits differ between versions of V8', () => {
    const directory = new URL('.', import.meta.url)
    for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue
      expect(readFileSync(new URL(file, directory), 'utf8'), file).not.toMatch(/\*\* ?-?\d*\.\d|Math\.pow/)
    }
  })

  test('no phase is negative, and the phases of an ended request add up to its time on the clock', () => {
    for (const request of run(5).requests) {
      for (const seconds of request.phases) expect(seconds).toBeGreaterThanOrEqual(0)
      if (request.outcome !== 'ok') continue
      // The return path of the first token runs beside decoding; the rest is one path.
      const onClock = request.endedAt - request.startedAt
      const afterwards = ['engine.emit', 'stream.network', 'stream.drain', 'unattributed'] as const
      const path = request.totalSeconds - afterwards.reduce((sum, phase) => sum + (request.phases[PHASE[phase]] as number), 0)
      expect(Math.abs(path - onClock)).toBeLessThan(1e-6)
    }
  })

  test('tokens and KV memory are conserved: an idle fleet holds none, and what was decoded is what was asked for', () => {
    const requests: SimRequest[] = []
    const simulation = new Simulation({
      seed: 3,
      seconds: 900,
      rate: 30,
      agents: 0,
      startUnixNano: START,
      inject: [
        (world) =>
          world.later(60, () => {
            for (const tenant of world.tenants) tenant.rateScale.set('test', 0)
          }),
      ],
      onEnded: (request) => requests.push(request),
    })
    simulation.run()
    expect(simulation.takeOpen()).toHaveLength(0)
    for (const engine of simulation.world.fleet.engines) {
      expect(engine.running + engine.waiting).toBe(0)
      for (const rank of engine.ranks) {
        expect(rank.reservedTokens).toBeCloseTo(0, 6)
        expect(rank.contextTokens).toBeCloseTo(0, 3)
        expect(rank.cache.tokens).toBeLessThanOrEqual(rank.capacity)
      }
    }
    for (const request of requests) if (request.outcome === 'ok') expect(request.generatedTokens).toBeCloseTo(request.outputTokens, 6)
  })

  test("Little's law holds on every replica: mean number in the engine = arrival rate × mean time in it", () => {
    // From `from` on: what began before second 0 is not in the list, and has ended by then.
    const [from, seconds] = [90, 240]
    let samples = 0
    const inside = new Map<string, number>()
    const requests: SimRequest[] = []
    const simulation = new Simulation({
      seed: 8,
      seconds,
      rate: 40,
      agents: 0,
      startUnixNano: START,
      onEnded: (request) => requests.push(request),
    })
    for (let now = 0; now < seconds; now += 0.5) {
      simulation.run(now)
      if (now < from) continue
      samples++
      for (const engine of simulation.world.fleet.engines) {
        if (engine.spec.role === 'both') inside.set(engine.spec.name, (inside.get(engine.spec.name) ?? 0) + engine.running + engine.waiting)
      }
    }
    const all = [...requests, ...simulation.takeOpen()]
    for (const [name, sum] of inside) {
      const own = all.filter(
        (request) => request.engine?.spec.name === name && request.attempts === 1 && !Number.isNaN(request.last.queued),
      )
      if (own.length < 100) continue
      const held = own.reduce((total, { last, endedAt }) => {
        const end = Number.isNaN(endedAt) ? seconds : endedAt
        return total + Math.max(0, Math.min(end, seconds) - Math.max(last.queued, from))
      }, 0)
      const ratio = held / (seconds - from) / (sum / samples)
      expect(ratio, name).toBeGreaterThan(0.9)
      expect(ratio, name).toBeLessThan(1.1)
    }
  })

  test('a waiting line is served first come, first served', () => {
    const { requests } = run(9, 120, 70)
    const byEngine = new Map<string, SimRequest[]>()
    for (const request of requests) {
      const engine = request.engine
      if (engine?.spec.role !== 'both' || Number.isNaN(request.last.scheduled) || request.attempts > 1) continue
      byEngine.set(engine.spec.name, [...(byEngine.get(engine.spec.name) ?? []), request])
    }
    expect(byEngine.size).toBeGreaterThan(0)
    for (const list of byEngine.values()) {
      list.sort((a, b) => a.last.queued - b.last.queued || a.last.scheduled - b.last.scheduled)
      for (let index = 1; index < list.length; index++) {
        const [before, after] = [list[index - 1], list[index]] as [SimRequest, SimRequest]
        if (before.last.queued < after.last.queued) expect(before.last.scheduled).toBeLessThanOrEqual(after.last.scheduled)
      }
    }
  })
})
