// `node --import @longpole/sdk/node/register app.js`: tracing from the first line, and the global fetch instrumented, so that a program
// needs no change. A client that is instrumented itself is not traced twice. LONGPOLE_OVERHEAD=1 prints the SDK's own cost at exit.
import { instrumentFetch } from '../fetch/instrument-fetch.ts'
import { formatOverhead } from '../overhead-report.ts'
import { startTracing } from './index.ts'

startTracing()
if (typeof globalThis.fetch === 'function') globalThis.fetch = instrumentFetch(globalThis.fetch)
if (process.env.LONGPOLE_OVERHEAD === '1') process.on('exit', () => process.stderr.write(`${formatOverhead()}\n`))
