// A TCP relay in a process of its own: passes bytes both ways, may delay each direction by a fixed time, and writes down when the
// parts of each HTTP exchange went by. It shares no code with the product: its stamps are what the product is held against.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { ExchangeReader, type ExchangeStamps } from './exchange-reader.ts'

export type { ExchangeStamps } from './exchange-reader.ts'

export interface RelayOptions {
  upstreamPort: number
  /** Milliseconds added to every byte towards the server, and towards the client. */
  toServerMs?: number
  toClientMs?: number
}

export interface Relay {
  port: number
  setDelay(delay: { toServerMs: number; toClientMs: number }): Promise<void>
  /** Everything seen so far, by `x-request-id`. */
  stamps(): Promise<ExchangeStamps[]>
  close(): Promise<void>
}

export async function startRelay(options: RelayOptions): Promise<Relay> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  let calls: Promise<unknown> = Promise.resolve()
  // One question at a time: answers carry no number.
  const ask = <Answer>(question: object): Promise<Answer> => {
    const answer = calls.then(async () => {
      child.send(question)
      return (await once(child, 'message'))[0] as Answer
    })
    calls = answer
    return answer
  }
  return {
    port,
    setDelay: async (delay) => void (await ask({ delay })),
    stamps: () => ask<ExchangeStamps[]>({ stamps: true }),
    async close() {
      child.kill()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

/** Wall time in milliseconds, finer than Date.now(). */
export function wallMs(): number {
  return performance.timeOrigin + performance.now()
}

function serve(options: RelayOptions): void {
  const delay = { toServerMs: options.toServerMs ?? 0, toClientMs: options.toClientMs ?? 0 }
  const seen: ExchangeStamps[] = []
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const upstream = connect({ port: options.upstreamPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    const reader = new ExchangeReader((stamps) => seen.push(stamps))
    pass(
      client,
      upstream,
      () => delay.toServerMs,
      (data, at) => reader.request(data, at),
    )
    pass(
      upstream,
      client,
      () => delay.toClientMs,
      (data, at) => reader.response(data, at),
    )
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => {
      reader.end(wallMs())
      setTimeout(() => client.destroy(), delay.toClientMs)
    })
  })
  process.on('message', (question: { stamps?: true; delay?: typeof delay }) => {
    if (question.delay !== undefined) Object.assign(delay, question.delay)
    process.send?.(question.stamps === true ? seen : {})
  })
  process.on('disconnect', () => process.exit())
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
}

/** Bytes are written first (at once, or when their delay is over) and looked at after; the stamp is that of the writing. */
function pass(from: Socket, to: Socket, delayMs: () => number, look: (data: Buffer, atMs: number) => void): void {
  const forward = (action: () => void) => {
    const ms = delayMs()
    if (ms === 0) action()
    else setTimeout(action, ms)
  }
  from.on('data', (data) => {
    forward(() => {
      const atMs = wallMs()
      if (!to.destroyed) to.write(data)
      look(data, atMs)
    })
  })
  from.on('end', () => forward(() => to.end()))
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url))
  serve(JSON.parse(process.argv[2] ?? '{}') as RelayOptions)
