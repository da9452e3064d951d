// `npm run e2e:hang`: a real vLLM is frozen (SIGSTOP) with 50 requests in it. They must be seen as open with age and phase, on the API, in
// /metrics and in the counters of the objectives, within 15 s; thawed, each becomes one record. See README.md.

import type { ApiOpenRequest } from '@longpole/model/api'
import { METRICS } from '@longpole/model/conventions/metrics'
import { instrumentOpenAI } from '@longpole/sdk'
import { startTracing } from '@longpole/sdk/node'
import OpenAI from 'openai'
import { type Check, print } from './checks.ts'
import { findEngine, VLLM } from './engine.ts'
import { runProgram, startHub, startSidecar, type Workspace, waitFor } from './processes.ts'
import { fetchRecords, total } from './records.ts'

const REQUESTS = 50
const SEEN_WITHIN_MS = 15_000

async function main(workspace: Workspace): Promise<boolean> {
  const engine = await findEngine(workspace, VLLM)
  if (engine === null) return false
  const { processGroup } = engine
  if (processGroup === null) {
    console.error('set LONGPOLE_E2E_VLLM_PROCESS_GROUP to the process group of the running engine: it is frozen for half a minute')
    return false
  }
  const thaw = () => process.kill(-processGroup, 'SIGCONT')
  workspace.defer(async () => void thaw())
  const hub = await startHub(workspace)
  const sidecar = await startSidecar(workspace, {
    upstreamUrl: engine.url,
    hubUrl: hub.otlpUrl,
    replica: 'vllm-0',
    otlpPort: engine.otlpPort,
  })
  const tracing = startTracing({ endpoint: hub.otlpUrl, serviceName: 'e2e-hang', flushOnExit: false })
  const client = instrumentOpenAI(new OpenAI({ baseURL: `http://127.0.0.1:${sidecar.port}/v1`, apiKey: 'none', maxRetries: 0 }))
  const model = ((await (await fetch(`${engine.url}/v1/models`)).json()) as { data: { id: string }[] }).data[0]?.id ?? ''
  const runId = `hang-${process.pid}-`
  const ask = async (index: number): Promise<void> => {
    const messages = [{ role: 'user' as const, content: `${index} return value` }]
    const headers = { 'x-request-id': `${runId}${index}` }
    for await (const _ of await client.chat.completions.create({ model, stream: true, max_tokens: 400, messages }, { headers }));
  }
  const answered = Promise.all(Array.from({ length: REQUESTS }, (_, index) => ask(index)))
  await waitFor('requests running', 20_000, async () => total(await page(engine.url), 'vllm:num_requests_running') > 0)
  process.kill(-processGroup, 'SIGSTOP')
  const frozen = performance.now()

  const open = async () => ((await (await fetch(`${hub.apiUrl}/api/v1/open?limit=1000`)).json()) as { items: ApiOpenRequest[] }).items
  const isSeen = async () => (await open()).length === REQUESTS && (await inMetrics(hub.apiUrl)) === REQUESTS && (await bad(hub.apiUrl)) > 0
  await waitFor('all open requests, everywhere', SEEN_WITHIN_MS, isSeen).catch(console.error)
  const seconds = (performance.now() - frozen) / 1000
  const items = await open()
  const found: Check[] = [
    check(
      'all are open in the API, with age and phase',
      items.filter(({ age_seconds, phase }) => age_seconds > 0 && phase !== '').length,
      REQUESTS,
    ),
    check('all are open in /metrics', await inMetrics(hub.apiUrl), REQUESTS),
    { name: 'they count against the objectives', ok: (await bad(hub.apiUrl)) > 0, detail: `${await bad(hub.apiUrl)} bad` },
    { name: 'within 15 s', ok: seconds <= SEEN_WITHIN_MS / 1000, detail: `${seconds.toFixed(1)} s after it froze` },
  ]
  thaw()
  await answered
  await tracing.shutdown()
  const isClosed = async () => {
    const all = [...(await fetchRecords(hub.apiUrl, runId)).values()].flat()
    return all.length >= REQUESTS && all.every(({ outcome }) => outcome !== 'open') && (await open()).length === 0
  }
  await waitFor('all closed', 60_000, isClosed).catch(console.error)
  const records = [...(await fetchRecords(hub.apiUrl, runId)).values()]
  return print([
    ...found,
    check('thawed, each is one record', records.filter((same) => same.length === 1 && same[0]?.outcome === 'ok').length, REQUESTS),
    check('and none is open', (await open()).length, 0),
  ])
}

async function page(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text()
}

async function inMetrics(apiUrl: string): Promise<number> {
  return total(await page(apiUrl), METRICS.requestsOpen.name)
}

async function bad(apiUrl: string): Promise<number> {
  return total(await page(apiUrl), METRICS.sloRequestsTotal.name, 'result="bad"')
}

function check(name: string, got: number, expected: number): Check {
  return { name, ok: got === expected, detail: `${got} of ${expected}` }
}

await runProgram(main)
