// Nothing of the SDK may throw into its host. Every hook runs through this: the first failure is told once through OpenTelemetry's
// diagnostics, and after too many the SDK stands still and lets everything pass.
import { diag } from '@opentelemetry/api'

/** Failures after which the SDK gives up for the rest of the process. */
const LIMIT = 100

let failures = 0

/** How many hooks failed so far, and whether the SDK has given up. */
export function health(): { failures: number; disabled: boolean } {
  return { failures, disabled: failures >= LIMIT }
}

export function isDisabled(): boolean {
  return failures >= LIMIT
}

export function noteFailure(where: string, error: unknown): void {
  failures++
  if (failures !== 1 && failures !== LIMIT) return
  const consequence =
    failures === LIMIT ? 'the SDK stands still from now on' : 'the host is not affected; further failures are counted, not logged'
  try {
    diag.error(`@longpole/sdk: ${where} failed (${describe(error)}); ${consequence}`)
  } catch {
    // A logger that throws is the host's own; there is nobody left to tell.
  }
}

/** Runs a hook; its failure is counted and the fallback returned. */
export function guarded<T>(where: string, fallback: T, hook: () => T): T {
  if (failures >= LIMIT) return fallback
  try {
    return hook()
  } catch (error) {
    noteFailure(where, error)
    return fallback
  }
}

/** The class of an error, never its message: messages can quote content. */
function describe(error: unknown): string {
  try {
    return error instanceof Error ? error.name : typeof error
  } catch {
    return 'unknown'
  }
}
