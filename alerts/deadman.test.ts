import { expect, test } from 'vitest'
import { startDeadman } from './deadman.ts'
import { startSink } from './testing/sink.ts'

const watchdog = (annotations: Record<string, string> = {}, status = 'firing') =>
  JSON.stringify({ status, alerts: [{ status, labels: { alertname: 'Watchdog' }, annotations }] })
const WATCHDOG = watchdog()
const send = async (url: string, body = WATCHDOG) => (await fetch(url, { method: 'POST', body })).status

test('a watchdog that stops is missed, and heard again when it returns', async () => {
  await using sink = await startSink()
  const deadman = await startDeadman({ host: '127.0.0.1', port: 0, withinSeconds: 0.3, notifyUrl: sink.url, log: () => {} })
  try {
    expect(await send(deadman.url)).toBe(200)
    const alarm = await sink.wait(({ body }) => body.includes('"firing"'), 5_000)
    expect(JSON.parse(alarm.body)).toMatchObject({ alertname: 'LLMWatchdogMissing', severity: 'critical' })
    expect(await send(deadman.url)).toBe(200)
    await sink.wait(({ body }) => body.includes('"resolved"'), 5_000)
  } finally {
    await deadman.close()
  }
})

test('a watchdog that never came is missed as well', async () => {
  await using sink = await startSink()
  const deadman = await startDeadman({ host: '127.0.0.1', port: 0, withinSeconds: 0.2, notifyUrl: sink.url, log: () => {} })
  try {
    await sink.wait(({ body }) => body.includes('"firing"'), 5_000)
  } finally {
    await deadman.close()
  }
})

test('what is no watchdog does not keep it quiet', async () => {
  const lines: string[] = []
  const deadman = await startDeadman({ host: '127.0.0.1', port: 0, withinSeconds: 60, notifyUrl: null, log: (line) => lines.push(line) })
  try {
    expect(await send(deadman.url, '{"status":"firing","alerts":[{"labels":{"alertname":"Other"}}]}')).toBe(400)
    expect(await send(deadman.url, watchdog({}, 'resolved'))).toBe(400)
    expect(lines).toEqual([])
  } finally {
    await deadman.close()
  }
})

test('a watchdog that Alertmanager only repeats does not keep it quiet', async () => {
  await using sink = await startSink()
  const deadman = await startDeadman({ host: '127.0.0.1', port: 0, withinSeconds: 0.5, notifyUrl: sink.url, log: () => {} })
  // The last one may find it closed.
  const repeat = setInterval(() => void send(deadman.url, watchdog({ evaluated: '1790000000' })).catch(() => undefined), 50)
  try {
    await sink.wait(({ body }) => body.includes('"firing"'), 5_000)
    await send(deadman.url, watchdog({ evaluated: '1790000060' }))
    await sink.wait(({ body }) => body.includes('"resolved"'), 5_000)
  } finally {
    clearInterval(repeat)
    await deadman.close()
  }
})
