// truth.json of a labelled data set: what was injected, what a perfect localizer would answer, and what it did by counterfactual.
import type { Slice } from '@longpole/model/finding'
import type { PhaseId } from '@longpole/model/phase'
import type { Injected } from '../faults/plan.ts'
import { measureEffect, type SliceEffect } from './effect.ts'
import type { RowLog } from './row-log.ts'

/** Version of the data-set format: docs/simulate.md. */
export const FORMAT_VERSION = 1

/** Shares below this of a phase's change are noise. */
const MATERIAL_RATIO = 1.2
const MATERIAL_ROWS = 100

export interface InjectionTruth {
  id: string
  name: string
  kind: 'fault' | 'shift'
  severity: number
  shape: string
  start_unix_ns: string
  end_unix_ns: string
  verdict: string
  mechanism: string
  slice: Slice
  cause: Slice
  /** In the order in which they move, with the measured first move. */
  phases: { phase: PhaseId; first_moves_unix_ns: string | null; with: number; without: number }[]
  victims: { slice: Slice; phases: readonly PhaseId[]; why: string }[]
  steady: { phases: readonly PhaseId[]; outside_slice: true }
  columns: readonly string[]
  change: string | null
  confusers: readonly string[]
  /** Null where no counterfactual was run. */
  effect: { slice: SliceEffect; elsewhere: SliceEffect; whole: SliceEffect; material: boolean } | null
}

/** Slices whose membership a RowLog must record, in the order in which `describe` looks them up. */
export function slicesOf(injected: readonly Injected[]): Slice[] {
  return injected.flatMap(({ injection }) => [injection.truth.slice, ...injection.truth.victims.map((victim) => victim.slice)])
}

export interface Comparison {
  actual: RowLog
  /** The same seed without injection i. */
  healed: RowLog
}

export function describeInjection(
  injected: readonly Injected[],
  position: number,
  instant: (seconds: number) => string,
  until: number,
  comparison: Comparison | null,
): InjectionTruth {
  const { definition, severity, times, injection } = injected[position] as Injected
  const { truth } = injection
  const end = Math.min(times.end, until)
  const effect = comparison === null ? null : effectOf(injected, position, comparison, { from: times.start, to: end })
  return {
    id: definition.id,
    name: definition.name,
    kind: definition.id.startsWith('W') ? 'shift' : 'fault',
    severity,
    shape: times.shape,
    start_unix_ns: instant(times.start),
    end_unix_ns: instant(end),
    verdict: truth.verdict,
    mechanism: truth.mechanism,
    slice: truth.slice,
    cause: truth.cause,
    phases: truth.phases.map((phase) => {
      const measured = effect?.slice.phases.find((entry) => entry.phase === phase)
      const moved = measured?.first_moves_after_seconds ?? null
      return {
        phase,
        first_moves_unix_ns: moved === null ? null : instant(times.start + moved),
        with: measured?.with ?? 0,
        without: measured?.without ?? 0,
      }
    }),
    victims: [...truth.victims],
    steady: { phases: truth.steadyPhases, outside_slice: true },
    columns: truth.columns,
    change: injection.change?.title ?? null,
    confusers: definition.confusers,
    effect,
  }
}

function effectOf(injected: readonly Injected[], position: number, { actual, healed }: Comparison, window: { from: number; to: number }) {
  let bit = 0
  for (let index = 0; index < position; index++) bit += 1 + (injected[index] as Injected).injection.truth.victims.length
  const victims = (injected[position] as Injected).injection.truth.victims.length
  const own = 1 << bit
  let touched = own
  for (let index = 1; index <= victims; index++) touched |= 1 << (bit + index)
  const slice = measureEffect(actual, healed, (log, row) => ((log.members[row] as number) & own) !== 0, window)
  const elsewhere = measureEffect(actual, healed, (log, row) => ((log.members[row] as number) & touched) === 0, window)
  const whole = measureEffect(actual, healed, () => true, window)
  return { slice, elsewhere, whole, material: isMaterial(slice) }
}

/** The slice's p95 of some target up by a fifth, or failures by 5 points, on at least 100 rows. */
function isMaterial(effect: SliceEffect): boolean {
  if (effect.rows.with < MATERIAL_ROWS) return false
  const slower = [effect.e2e, effect.ttft, effect.tpot].some(({ p95 }) => p95.with > MATERIAL_RATIO * p95.without)
  return slower || effect.failed_ratio.with > effect.failed_ratio.without + 0.05
}
