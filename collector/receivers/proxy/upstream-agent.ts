// The pool of connections to the engine: most recently used first, closed by us while idle before the engine would, never timed out
// while a request is on them.
import type { AgentOptions, Agent as HttpAgent } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { http, https } from '../../../src/wire/http/node-http.ts'

/** Interval of TCP keep-alive probes, milliseconds: finds peers that are gone without a word. */
export const TCP_KEEPALIVE_MS = 60_000

/** No `timeout`: node:http would apply it to connections in use. */
const OPTIONS: AgentOptions & { noDelay: boolean } = {
  keepAlive: true,
  keepAliveMsecs: TCP_KEEPALIVE_MS,
  scheduling: 'lifo',
  maxSockets: Number.POSITIVE_INFINITY,
  maxFreeSockets: 1024,
  noDelay: true,
}

/** An agent for `protocol` ("http:" or "https:") that keeps idle connections for `idleMs`. */
export function createUpstreamAgent(protocol: string, idleMs: number): HttpAgent {
  const agent = protocol === 'https:' ? new https.Agent(OPTIONS) : new http.Agent(OPTIONS)
  const keep: (stream: Duplex) => unknown = agent.keepSocketAlive.bind(agent)
  const reuse = agent.reuseSocket.bind(agent)
  agent.keepSocketAlive = (stream): boolean => {
    if (keep(stream) === false) return false
    const socket = stream as Socket
    // The engine's own `Keep-Alive: timeout` hint may be shorter. The agent destroys a free socket that times out.
    socket.setTimeout(socket.timeout ? Math.min(socket.timeout, idleMs) : idleMs)
    return true
  }
  agent.reuseSocket = (stream, request) => {
    ;(stream as Socket).setTimeout(0)
    reuse(stream, request)
  }
  return agent
}
