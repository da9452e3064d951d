// The real engine under test: one that runs already, or one started by a command of the environment.
import { freePorts, startProcess, type Workspace, waitFor } from './processes.ts'

export interface Engine {
  /** Base address of its HTTP server. */
  url: string
  /** Port of 127.0.0.1 that it sends its spans to (OTLP over HTTP). */
  otlpPort: number
  /** Process group, to be frozen; null where it is not known. */
  processGroup: number | null
}

export interface EngineVariables {
  /** Variable with the base address of a running engine. */
  url: string
  /** Variable with the OTLP/HTTP port that the running engine exports to. */
  otlpPort: string
  /** Variable with the process group of the running engine, where a test stops and continues it. */
  processGroup?: string
  /** Variable with a shell command that serves one; PORT, OTLP (host and port) and OTLP_URL (base address) are set for it. */
  command: string
}

export const VLLM: EngineVariables = {
  url: 'LONGPOLE_E2E_VLLM_URL',
  otlpPort: 'LONGPOLE_E2E_VLLM_OTLP_PORT',
  processGroup: 'LONGPOLE_E2E_VLLM_PROCESS_GROUP',
  command: 'LONGPOLE_E2E_VLLM_COMMAND',
}
export const SGLANG: EngineVariables = {
  url: 'LONGPOLE_E2E_SGLANG_URL',
  otlpPort: 'LONGPOLE_E2E_SGLANG_OTLP_PORT',
  command: 'LONGPOLE_E2E_SGLANG_COMMAND',
}

const START_LIMIT_MS = 15 * 60_000

/** Null, and a message that says what to set, where the environment names no engine. */
export async function findEngine(
  workspace: Workspace,
  variables: EngineVariables,
  env: Record<string, string> = {},
): Promise<Engine | null> {
  const url = process.env[variables.url]
  const command = process.env[variables.command]
  if (url !== undefined && url !== '') {
    const otlpPort = Number(process.env[variables.otlpPort] ?? 4318)
    await waitFor(`engine at ${url}`, 10_000, async () => (await fetch(`${url}/v1/models`)).ok)
    const processGroup = variables.processGroup === undefined ? null : Number(process.env[variables.processGroup]) || null
    return { url: url.replace(/\/+$/, ''), otlpPort, processGroup }
  }
  if (command === undefined || command === '') {
    console.error(
      `No engine: set ${variables.url} (and ${variables.otlpPort}) to a running one, or ${variables.command} to a command that serves one. ` +
        'See test/e2e/README.md.',
    )
    return null
  }
  const [port, otlpPort] = (await freePorts(2)) as [number, number]
  const started = { PORT: String(port), OTLP: `http://127.0.0.1:${otlpPort}`, OTLP_URL: `http://127.0.0.1:${otlpPort}/v1/traces` }
  console.log(`starting the engine on port ${port}: ${command}`)
  const { child } = startProcess(workspace, 'engine', command, [], { shell: true, signal: 'SIGINT', env: { ...started, ...env } })
  await waitFor(`engine on port ${port}`, START_LIMIT_MS, async () => (await fetch(`http://127.0.0.1:${port}/v1/models`)).ok)
  return { url: `http://127.0.0.1:${port}`, otlpPort, processGroup: child.pid ?? null }
}
