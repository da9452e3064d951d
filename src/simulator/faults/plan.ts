// "--fault F7:1.5@40" and "--shift W1" into injections on a world: names, severities and times, checked with clear errors.

import { NothingToPick, type RandomStream } from '../core/random.ts'
import { SHIFTS } from '../shifts/index.ts'
import type { World } from '../world.ts'
import { type FaultDefinition, type Injection, SHAPES, type Shape } from './fault.ts'
import { FAULTS } from './index.ts'
import { type FaultTimes, type ScheduledInjection, scheduleInjection } from './schedule.ts'

export const SEVERITIES: Record<string, number> = { low: 0.4, medium: 1, high: 2 }

export class PlanError extends Error {
  override readonly name = 'PlanError'
}

export interface PlannedFault {
  definition: FaultDefinition
  severity: number
  times: FaultTimes
}

export interface Injected extends PlannedFault {
  injection: Injection
  scheduled: ScheduledInjection
}

export interface PlanDefaults {
  /** Virtual seconds of the whole run. */
  seconds: number
  seed: number
  shape: Shape
  /** Seconds a fault lasts; Infinity: to the end. */
  duration: number
}

/** Parses `ID[:severity][@minute]`; `flag` is named in errors. */
export function parseFault(text: string, flag: string, defaults: PlanDefaults): PlannedFault {
  const known = flag === '--shift' ? SHIFTS : FAULTS
  const match = /^([^:@]+)(?::([^@]+))?(?:@(.+))?$/.exec(text)
  const id = match?.[1] ?? text
  const definition = known.find((entry) => entry.id.toLowerCase() === id.toLowerCase() || entry.name === id)
  if (definition === undefined) {
    throw new PlanError(`${flag} ${text}: expected one of ${known.map((entry) => `${entry.id} (${entry.name})`).join(', ')}; got ${id}`)
  }
  const severity = match?.[2] === undefined ? 1 : parseSeverity(match[2], flag, text)
  // Off any round minute, so that nothing lines up with a window's edge.
  const usual = Math.round(defaults.seconds * 0.6 + ((defaults.seed * 7919) % 37) + 3.7)
  const start = match?.[3] === undefined ? usual : parseMinute(match[3], flag, text, defaults.seconds)
  return { definition, severity, times: { start, end: start + defaults.duration, shape: defaults.shape } }
}

function parseSeverity(value: string, flag: string, text: string): number {
  const severity = SEVERITIES[value] ?? Number(value)
  if (!(severity > 0 && severity <= 5)) {
    throw new PlanError(`${flag} ${text}: severity must be low, medium, high or a number above 0 and at most 5; got ${value}`)
  }
  return severity
}

function parseMinute(value: string, flag: string, text: string, seconds: number): number {
  const minute = Number(value)
  if (!(minute >= 0) || minute * 60 >= seconds) {
    throw new PlanError(`${flag} ${text}: the minute must be from 0 to below ${seconds / 60}; got ${value}`)
  }
  return minute * 60
}

export function parseShape(value: string): Shape {
  const shape = SHAPES.find((entry) => entry === value)
  if (shape === undefined) throw new PlanError(`--shape: expected ${SHAPES.join(', ')}; got ${value}`)
  return shape
}

/** Throws PlanError where the fleet has nothing that the fault could strike. */
function inject(world: World, { definition, severity }: PlannedFault, random: RandomStream, source: string): Injection {
  try {
    return definition.inject(world, random, severity, source)
  } catch (error) {
    if (!(error instanceof NothingToPick)) throw error
    throw new PlanError(`${definition.id}: this fleet has nothing that "${definition.title}" could strike`)
  }
}

/** Sets up one fault on a world. Where it strikes depends on the seed and its position only, so a run without others draws the same. */
export function injectFault(world: World, planned: PlannedFault, position: number): Injected {
  const source = `${planned.definition.id}#${position}`
  const random = world.random(`fault ${source}`)
  const injection = inject(world, planned, random, source)
  const scheduled = scheduleInjection(world, injection, planned.times, `change-${random.suffix(8)}`)
  return { ...planned, injection, scheduled }
}
