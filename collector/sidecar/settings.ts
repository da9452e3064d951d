// What a sidecar is started with, and what it refuses to start with. Plain data: the telemetry worker gets the same object.
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { isLoopback } from '../extensions/auth/auth.ts'

export interface Address {
  host: string
  port: number
}

/** Where the engine stands in the fleet; null where nobody said. */
export interface EngineIdentity {
  replica: string
  cluster: string | null
  region: string | null
  zone: string | null
  node: string | null
  pool: string | null
  /** Overrides the model of the engine's own metrics. */
  model: string | null
}

export interface SidecarSettings {
  version: string
  /** Base address of the engine. */
  upstream: string
  listen: Address
  admin: Address
  /** Base address of the hub's OTLP/HTTP receiver. */
  hub: string
  /** Sent to the hub as a bearer token; null for none. */
  hubToken: string | null
  /** Receivers for the engine's own spans; null for none. */
  otlpHttp: Address | null
  otlpGrpc: Address | null
  identity: EngineIdentity
  /** The engine's metrics page; null to leave it alone. */
  scrapeUrl: string | null
  scrapeIntervalMs: number
  upstreamIdleMs: number
  /** Longest wait for running streams after SIGTERM. */
  drainMs: number
}

export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly exitStatus = 2
}

/** `127.0.0.1:8001` or `[::1]:8001`. Throws naming `key`. */
export function parseAddress(key: string, text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535)
    throw new SettingsError(`${key}: expected HOST:PORT, for example 127.0.0.1:8001 (port 0 takes a free one), got ${JSON.stringify(text)}`)
  return { host: (match[1] ?? match[2]) as string, port }
}

export function formatAddress({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** An absolute http(s) address. Throws naming `key`. */
export function parseHttpUrl(key: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new SettingsError(`${key}: expected an http:// or https:// address, got ${JSON.stringify(text)}`)
  if (url.username !== '' || url.password !== '') throw new SettingsError(`${key}: expected an address without user and password`)
  return url
}

/** The bearer token of the hub: the first line of a file, so that it stands in no environment and no list of processes. Throws naming `key`. */
export function readToken(key: string, file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new SettingsError(`${key}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  const token = text.trim().split('\n')[0]?.trim() ?? ''
  // A header cannot carry anything else; the text itself is a secret and is not shown.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new SettingsError(`${key}: expected a token in the first line of ${file}, got none`)
  return token
}

/** Name of a replica that nobody named: the engine's address as the fleet knows it. */
export function defaultReplica(upstream: URL): string {
  const port = upstream.port === '' ? (upstream.protocol === 'https:' ? '443' : '80') : upstream.port
  return `${isLoopback(upstream.hostname) ? hostname() : upstream.hostname}:${port}`
}
