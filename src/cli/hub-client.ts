// Asks the hub's API from the command line. The store itself belongs to the hub's process alone, so every command goes this way.
import type { ApiError } from '@longpole/model/api'
import { type Command, Option } from 'commander'
import { InputError } from './input-error.ts'

export interface HubOptions {
  hub: string
  token?: string
}

/** `--hub` and `--token`, the same for every command. */
export function addHubOptions(command: Command): Command {
  return command
    .addOption(new Option('--hub <url>', 'where the hub answers').env('LONGPOLE_HUB_API').default('http://127.0.0.1:7171'))
    .addOption(hubTokenOption())
}

/** `--token`. From the environment and never as a default: `--help` shows defaults, and a token is not for the screen. */
export function hubTokenOption(): Option {
  return new Option('--token <token>', 'bearer token of the hub; better in the environment').env('LONGPOLE_HUB_TOKEN')
}

/** What the hub said; `code` is the API's name for it, null where the answer was none of the API's. */
export class HubError extends InputError {
  readonly code: string | null

  constructor(message: string, exitStatus: number, code: string | null) {
    super(message, exitStatus)
    this.code = code
  }
}

/** The hub does not answer: no fault of the input, so status 1. */
const UNREACHABLE_STATUS = 1

export interface HubRequest {
  method?: 'GET' | 'POST'
  query?: URLSearchParams
  body?: unknown
  signal?: AbortSignal
  headers?: Record<string, string>
}

/** Resolves with an answer of status 2xx. Rejects with InputError: what the hub said, or that nobody answers and what to do. */
export async function askHub({ hub, token }: HubOptions, path: string, request: HubRequest = {}): Promise<Response> {
  if (!URL.canParse(hub)) throw new InputError(`--hub: expected an address such as http://127.0.0.1:7171, got ${hub}`)
  const url = new URL(path.replace(/^\//, ''), hub.endsWith('/') ? hub : `${hub}/`)
  for (const [name, value] of request.query ?? []) url.searchParams.append(name, value)
  const headers: Record<string, string> = { ...request.headers }
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  if (request.body !== undefined) headers['content-type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(url, {
      method: request.method ?? 'GET',
      headers,
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    })
  } catch (error) {
    throw new InputError(
      `no hub answers at ${url.origin} (${reasonOf(error)}): start one with \`longpole hub\`, or name it with --hub`,
      UNREACHABLE_STATUS,
    )
  }
  if (!response.ok) throw await failureOf(response)
  return response
}

function reasonOf(error: unknown): string {
  const { cause, message, name } = error as Error & { cause?: { code?: string; message?: string } }
  if (name === 'TimeoutError') return 'no answer in time'
  return cause?.code ?? cause?.message ?? message
}

async function failureOf(response: Response): Promise<HubError> {
  const text = await response.text().catch(() => '')
  let said: Partial<ApiError['error']> = {}
  try {
    said = (JSON.parse(text) as Partial<ApiError>).error ?? {}
  } catch {
    // A proxy in between may answer with a page.
  }
  const status = response.status >= 500 ? UNREACHABLE_STATUS : 2
  const message = said.message ?? `the hub answered with status ${response.status}`
  const hint = response.status === 401 ? 'the hub wants a token: give --token or LONGPOLE_HUB_TOKEN' : message
  return new HubError(hint, status, said.code ?? null)
}
