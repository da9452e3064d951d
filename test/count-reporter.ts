// The last line of a test run, counted from the runner's own results: a file that failed to load and an unhandled error are failures,
// a skip says why, and under CI a skip for a missing tool is a failure.
import type { Reporter, SerializedError, TestModule, TestRunEndReason } from 'vitest/node'

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
          console.log(`skipped: ${test.fullName}: ${result.state === 'skipped' ? (result.note ?? 'no reason given') : 'did not run'}`)
        }
      }
    }
    if (reason === 'interrupted' || passed + failed === 0) failed++
    if (failed > 0 || (process.env.CI && skipped > 0)) process.exitCode = 1
    console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  }
}
