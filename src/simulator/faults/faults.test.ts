import { existsSync, readdirSync } from 'node:fs'
import { MECHANISMS } from '@longpole/model/mechanism'
import { describe, expect, test } from 'vitest'
import { RecordBatch } from '../output/record-batch.ts'
import { RECORD_COLUMNS } from '../output/record-columns.ts'
import { SHIFTS } from '../shifts/index.ts'
import { Simulation } from '../simulation.ts'
import type { FaultDefinition } from './fault.ts'
import { FAULTS } from './index.ts'
import { injectFault, PlanError, parseFault } from './plan.ts'
import { intensities } from './schedule.ts'

const START = 1_767_600_000_000_000_000n
const DEFAULTS = { seconds: 75, seed: 4, shape: 'step', duration: Number.POSITIVE_INFINITY } as const
const ALL = [...FAULTS, ...SHIFTS]

interface Columns {
  names: string[]
  vocabularies: Map<string, Set<string>>
}

function columnsOf(fault: FaultDefinition | null): Columns {
  const batch = new RecordBatch({ seed: 4, startUnixNano: START }, 16_384)
  const inject =
    fault === null
      ? []
      : [(world: Simulation['world']) => void injectFault(world, parseFault(`${fault.id}:high@0.25`, flagOf(fault), DEFAULTS), 0)]
  const simulation = new Simulation({
    seed: 4,
    seconds: DEFAULTS.seconds,
    rate: 30,
    agents: 6,
    startUnixNano: START,
    inject,
    onEnded: (request) => batch.append(request),
  })
  simulation.run()
  for (const request of simulation.takeOpen()) batch.append(request)
  const vocabularies = new Map<string, Set<string>>()
  batch.columns.forEach((column, index) => {
    if (column.kind === 'dictionary') vocabularies.set(RECORD_COLUMNS[index]?.name as string, new Set(column.dictionary.values))
  })
  return { names: RECORD_COLUMNS.map(({ name }) => name), vocabularies }
}

function flagOf(fault: FaultDefinition): '--fault' | '--shift' {
  return fault.id.startsWith('W') ? '--shift' : '--fault'
}

describe('the catalogue', () => {
  test('F1 to F33 and W1 to W7 are there, each with a folder, a README and a mechanism of the model', () => {
    expect(FAULTS.map(({ id }) => id)).toEqual(Array.from({ length: 33 }, (_, index) => `F${index + 1}`))
    expect(SHIFTS.map(({ id }) => id)).toEqual(Array.from({ length: 7 }, (_, index) => `W${index + 1}`))
    for (const { id, name } of ALL) {
      const family = id.startsWith('W') ? '../shifts' : '.'
      expect(existsSync(new URL(`${family}/${name}/README.md`, import.meta.url)), name).toBe(true)
    }
  })

  test('every folder is in the list', () => {
    const folders = (path: string) =>
      readdirSync(new URL(path, import.meta.url), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
    expect(folders('.').sort()).toEqual(FAULTS.map(({ name }) => name).sort())
    expect(folders('../shifts').sort()).toEqual(SHIFTS.map(({ name }) => name).sort())
  })
})

describe('every fault and shift', () => {
  const healthy = columnsOf(null)
  /** What a fault creates by itself: failures, a new replica, a new order of events. */
  const CREATED = new Set([
    'outcome',
    'error_class',
    'finish_reason',
    'replica',
    'decode_replica',
    'rank',
    'node',
    'zone',
    'gateway',
    'cluster',
  ])

  test.each(ALL.map((fault) => [fault.id, fault] as const))('%s leaves columns and vocabularies as a healthy run has them', (_, fault) => {
    const faulted = columnsOf(fault)
    expect(faulted.names).toEqual(healthy.names)
    for (const [name, values] of faulted.vocabularies) {
      if (CREATED.has(name) || name.startsWith('phase_')) continue
      for (const value of values) expect(healthy.vocabularies.get(name), `${name}=${value}`).toContain(value)
    }
    const text = [...faulted.vocabularies.values()].flatMap((values) => [...values]).join(' ')
    for (const word of ['fault', 'inject', fault.name]) expect(text).not.toContain(word)
  })

  test.each(ALL.map((fault) => [fault.id, fault] as const))('%s tells a truth of known words, and heals without a trace', (_, fault) => {
    const simulation = new Simulation({ seed: 6, seconds: 60, rate: 5, agents: 2, startUnixNano: START })
    const { injection } = injectFault(simulation.world, parseFault(`${fault.id}@0.5`, flagOf(fault), { ...DEFAULTS, seconds: 60 }), 0)
    const { truth } = injection
    expect(MECHANISMS.map(({ id }) => id)).toContain(truth.mechanism)
    const columns = new Set(RECORD_COLUMNS.map(({ name }) => name))
    for (const slice of [truth.slice, truth.cause, ...truth.victims.map((victim) => victim.slice)]) {
      for (const [name, values] of Object.entries(slice)) {
        expect(columns).toContain(name)
        expect(values.length).toBeGreaterThan(0)
      }
    }
    for (const column of truth.columns) expect(columns).toContain(column)
    for (const steady of truth.steadyPhases) expect(truth.phases).not.toContain(steady)
    injection.apply(1, 0)
    injection.apply(0, 0)
    for (const engine of simulation.world.fleet.engines) {
      expect([engine.hung, engine.up]).toEqual([false, true])
      for (const rank of engine.ranks) {
        expect([rank.decodeScale.value, rank.prefillScale.value, rank.kvScale.value, rank.cacheScale.value]).toEqual([1, 1, 1, 1])
      }
    }
  })
})

describe('asking for a fault', () => {
  test('an unknown one is refused with the known ones', () => {
    expect(() => parseFault('F99', '--fault', DEFAULTS)).toThrow(PlanError)
    expect(() => parseFault('F99', '--fault', DEFAULTS)).toThrow(/expected one of F1 \(gpu-clock-throttle\).*got F99/)
    expect(() => parseFault('F1', '--shift', DEFAULTS)).toThrow(/expected one of W1/)
  })

  test('severity and minute are checked', () => {
    expect(() => parseFault('F1:huge', '--fault', DEFAULTS)).toThrow(/severity must be low, medium, high or a number.*got huge/)
    expect(() => parseFault('F1@9', '--fault', DEFAULTS)).toThrow(/the minute must be from 0 to below 1.25; got 9/)
    expect(parseFault('gpu-clock-throttle:low@1', '--fault', DEFAULTS)).toMatchObject({ severity: 0.4, times: { start: 60 } })
  })

  test('shapes: a ramp grows, turns come and go, all end healed', () => {
    expect(intensities({ start: 10, end: 20, shape: 'step' })).toEqual([
      { at: 10, intensity: 1 },
      { at: 20, intensity: 0 },
    ])
    const ramp = intensities({ start: 0, end: 1000, shape: 'ramp' })
    expect(ramp.at(-2)?.intensity).toBe(1)
    expect(
      ramp.every(({ intensity }, index) => index === 0 || index === ramp.length - 1 || intensity > (ramp[index - 1]?.intensity ?? 0)),
    ).toBe(true)
    for (const shape of ['intermittent', 'recurring'] as const)
      expect(intensities({ start: 0, end: 5000, shape }).at(-1)?.intensity).toBe(0)
  })

  test('turns of a fault that lasts to the end are drawn until the run ends', () => {
    const endless = { start: 0, end: Number.POSITIVE_INFINITY }
    expect(intensities({ ...endless, shape: 'intermittent' }, 120)).toEqual(
      [0, 20, 60, 80].map((at, index) => ({ at, intensity: 1 - (index % 2) })),
    )
  })
})
