// Long work in stretches: encoding ten thousand rows takes a tenth of a second, in which nobody else would be answered.

/** Longest stretch. */
const STRETCH_MS = 5
/** Values between two looks at the clock. */
const LOOK_EVERY = 128

export interface Turns {
  /** To be awaited where it is not null: the stretch is over and others have their turn. */
  over(): Promise<void> | null
}

export function createTurns(): Turns {
  let startMs = performance.now()
  return {
    over() {
      if (performance.now() - startMs < STRETCH_MS) return null
      return new Promise((resume) => {
        setImmediate(() => {
          startMs = performance.now()
          resume()
        })
      })
    },
  }
}

/** `Array.map` in stretches. */
export async function mapInTurns<Value, Mapped>(
  values: readonly Value[],
  turns: Turns,
  map: (value: Value, index: number) => Mapped,
): Promise<Mapped[]> {
  const mapped: Mapped[] = new Array(values.length)
  for (let index = 0; index < values.length; index++) {
    mapped[index] = map(values[index] as Value, index)
    if (index % LOOK_EVERY !== LOOK_EVERY - 1) continue
    const over = turns.over()
    if (over !== null) await over
  }
  return mapped
}
