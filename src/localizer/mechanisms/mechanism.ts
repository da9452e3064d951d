// What a mechanism is: a test over the slice's rows, the rest and the samples, with evidence for and against. One folder each; adding
// one is a folder and a line in index.ts.
import type { MechanismId } from '@longpole/model/mechanism'
import type { Signals } from './signals.ts'

export interface Evidence {
  /** 0: excluded, 1: as clear as it gets. Compared between mechanisms. */
  score: number
  for: string[]
  against: string[]
  /** Signals that are missing and would decide. */
  needs: string[]
}

export interface MechanismTest {
  id: MechanismId
  /** Record columns and sample fields that feed it; src/engines says which engine signal each comes from. */
  signals: readonly string[]
  /** What else looks like it, and what tells them apart. */
  confusedWith: readonly MechanismId[]
  /** Null: does not apply. */
  test(signals: Signals): Evidence | null
}

export function evidence(
  score: number,
  reasons: (string | null | false)[],
  against: (string | null | false)[] = [],
  needs: string[] = [],
): Evidence {
  const told = (list: (string | null | false)[]): string[] => list.filter((reason): reason is string => typeof reason === 'string')
  return { score: Math.max(0, Math.min(1, score)), for: told(reasons), against: told(against), needs }
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
