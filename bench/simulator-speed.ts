// `npm run bench:simulator -- [TRACE]`: simulated requests a second of CPU time on one core, for the whole fleet of 24 replicas: the
// generator's mix, the same as rows in Arrow, and a trace's mix where one is given, at a load that the fleet serves and far above it.
import { readFileSync } from 'node:fs'
import { encodeArrowStream, recordSchema, toArrowBatch } from '../src/simulator/output/arrow.ts'
import { RecordBatch } from '../src/simulator/output/record-batch.ts'
import { Simulation } from '../src/simulator/simulation.ts'
import { parseTrace, type TraceRow } from '../src/simulator/workload/trace.ts'

const SECONDS = 600
const file = process.argv[2]
const trace = file === undefined ? undefined : parseTrace(file, readFileSync(file, 'utf8'))

measure('generated mix, 40 a second', 40, false)
measure('generated mix, 40 a second, as Arrow', 40, true)
for (const rate of trace === undefined ? [] : [50, 200]) measure(`${file?.split('/').pop()}, ${rate} a second`, rate, false, trace)

function measure(name: string, rate: number, encode: boolean, rows?: readonly TraceRow[]): void {
  const batch = new RecordBatch({ seed: 1, startUnixNano: 0n }, 32_768)
  const schema = recordSchema()
  let requests = 0
  let bytes = 0
  const flush = () => {
    bytes += encodeArrowStream([toArrowBatch(schema, batch)]).length
    batch.clear()
  }
  const wall = performance.now()
  const cpu = process.cpuUsage()
  const simulation = new Simulation({
    seed: 1,
    seconds: SECONDS,
    rate,
    agents: 12,
    startUnixNano: 0n,
    trace: rows,
    onEnded(request) {
      requests++
      if (!encode) return
      batch.append(request)
      if (batch.isFull) flush()
    },
  })
  simulation.run()
  const { user, system } = process.cpuUsage(cpu)
  const cpuSeconds = (user + system) / 1e6
  const wallSeconds = (performance.now() - wall) / 1e3
  const memory = Math.round(process.memoryUsage().rss / 1e6)
  process.stdout.write(
    `${name.padEnd(44)} ${requests} requests, ${Math.round(requests / cpuSeconds)} a CPU second, ${Math.round(requests / wallSeconds)} a wall second, ${memory} MB${bytes > 0 ? `, ${(bytes / requests).toFixed(0)} bytes each` : ''}\n`,
  )
}
