// The last line of a test run, counted from the runner's own results: a file that failed to load and an unhandled error are failures,
// a skip says why, and under CI a skip for a missing tool is a failure.
import type { Reporter, SerializedError, TestModule, TestRunEndReason } from 'vitest/node'
import { findTool, TOOLS, type Tool } from './tools.ts'

/** A skip without a word of its own comes from a tool that is missing: says which. */
function missingTools(): string {
  const missing = (Object.keys(TOOLS) as Tool[]).flatMap((tool) => findTool(tool).missing ?? [])
  return missing.length === 0 ? 'no reason given' : missing.join('; ')
}

export class CountReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<SerializedError>, reason: TestRunEndReason): void {
    let passed = 0
    let skipped = 0
    let failed = errors.length
    for (const module of modules) {
      failed += module.errors().length
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'passed') passed++
        else if (result.state === 'failed') failed++
        else {
          skipped++
          console.log(`skipped: ${test.fullName}: ${result.state === 'skipped' ? (result.note ?? missingTools()) : 'did not run'}`)
        }
      }
    }
    if (reason === 'interrupted' || passed + failed === 0) failed++
    if (failed > 0 || (process.env.CI && skipped > 0)) process.exitCode = 1
    console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  }
}
