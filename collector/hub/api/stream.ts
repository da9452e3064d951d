// GET /stream: server-sent events, `open` with the requests in flight and `settled` with the records that closed since the last one.
import type { ApiRequest } from '@longpole/model/api'
import { Router } from 'express'
import type { ApiContext } from './context.ts'
import { readQuery } from './input.ts'
import { toJsonValue } from './present.ts'
import { Problem } from './problem.ts'

const INTERVAL_MS = 1_000
const MAX_LISTENERS = 64
/** Of a second with more than a person could look at, the last are sent, and the number of the others. */
const MAX_SETTLED = 50
const MAX_OPEN = 200
/** A reader that is so far behind is left out of a round. */
const MAX_BUFFERED_BYTES = 1_000_000

export function createStreamRoutes({ live }: ApiContext): Router {
  const router = Router()
  let listeners = 0

  router.get('/stream', (request, response) => {
    readQuery(request, new Set())
    if (listeners >= MAX_LISTENERS) throw new Problem(503, 'too_many_listeners', `at most ${MAX_LISTENERS} readers at once`)
    listeners++
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' })
    let settled: ApiRequest[] = []
    let skipped = 0
    const unsubscribe = live.subscribe((record) => {
      settled.push(record)
      if (settled.length <= MAX_SETTLED) return
      settled.shift()
      skipped++
    })
    const send = (event: string, data: unknown) => response.write(`event: ${event}\ndata: ${JSON.stringify(data, toJsonValue)}\n\n`)
    const round = () => {
      if (response.writableLength > MAX_BUFFERED_BYTES) return
      const open = live.openRequests()
      send('open', { items: open.slice(0, MAX_OPEN), total: open.length })
      if (settled.length === 0) return
      send('settled', { items: settled, skipped })
      settled = []
      skipped = 0
    }
    send('settled', { items: live.recent().slice(0, MAX_SETTLED).reverse(), skipped: 0 })
    round()
    const timer = setInterval(round, INTERVAL_MS)
    response.on('close', () => {
      clearInterval(timer)
      unsubscribe()
      listeners--
    })
  })
  return router
}
