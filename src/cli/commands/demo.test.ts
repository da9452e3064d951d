// `longpole demo` as a newcomer runs it, with a minute of history instead of two hours: every process of it is a real one.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createCommand } from './demo.ts'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))
const ANYWHERE = { LONGPOLE_LISTEN_API: '127.0.0.1:0', LONGPOLE_LISTEN_OTLP_HTTP: '127.0.0.1:0', LONGPOLE_LISTEN_OTLP_GRPC: '127.0.0.1:0' }
const environment = { ...process.env, ...ANYWHERE, NO_COLOR: '1' }
const directory = mkdtempSync(join(tmpdir(), 'longpole-demo-test-'))

function configFile(name: string, text: string): string {
  const file = join(directory, name)
  writeFileSync(file, text)
  return file
}

/** Resolves with what the expression catches first, as soon as the demo has said it. */
function said(child: ChildProcess, output: { text: string }, expected: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const match = expected.exec(output.text)
      if (match !== null) resolve(match[1] ?? match[0])
    }
    child.stdout?.on('data', look)
    child.once('exit', (code) => reject(new Error(`the demo ended (${code}) before ${expected}; it said\n${output.text}`)))
    look()
  })
}

describe('longpole demo', () => {
  test('loads history, goes live on sockets, injects the fault, heals it when the page asks, and ends at a signal with status 0', async () => {
    const file = configFile('own.yaml', 'prices:\n  replicaHour:\n    qwen3-8b: 7.5\n')
    const words = ['--history', '1', '--rate', '6', '--after', '0', '--fault', 'F14', '--seed', '3', '--config', file]
    const child = spawn(process.execPath, [MAIN, 'demo', ...words], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = { text: '' }
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (output.text += part.toString()))
    try {
      const api = await said(child, output, /open (http:\S+)/)
      expect(Number(await said(child, output, /history: 100 %, (\d+) requests/))).toBeGreaterThan(250)
      await said(child, output, /live: 6 requests a second on 24 replicas in 3 regions/)
      await said(child, output, /2 of them on real sockets/)
      await said(child, output, /injected: F14 .*the truth is engine\.tokenize/)
      const state = await (await fetch(`${api}/api/v1/demo`)).json()
      expect(state).toMatchObject({ fault: 'F14', faults: expect.arrayContaining([{ id: 'F17', title: 'KV transfer degraded' }]) })
      const metrics = await (await fetch(`${api}/metrics`)).text()
      expect(metrics).toMatch(/\{[^}]*model="qwen3-8b"[^}]*\} 7\.5\b/)
      const body = JSON.stringify({ fault: null })
      const healed = await fetch(`${api}/api/v1/demo/fault`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      expect(healed.status).toBe(200)
      await said(child, output, /healed/)
      const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
      child.kill('SIGINT')
      expect(await ended).toBe(0)
      expect(output.text).not.toMatch(/longpole (hub|demo):/)
    } finally {
      child.kill('SIGKILL')
    }
  }, 120_000)

  test.each([
    [['--fault', 'F99'], /--fault F99:high: expected one of F1/],
    [['--rate', '900'], /--rate: expected a number from 1 to 60, got 900/],
    [['--config', configFile('wrong.yaml', 'prices:\n  replicaHour: dear\n')], /wrong\.yaml:2: prices\.replicaHour/],
    [['--config', configFile('shared.yaml', 'store:\n  url: http://clickhouse:8123\n')], /store\.url: expected nothing in a demo/],
    [['--config', configFile('closed.yaml', 'auth:\n  tokens: [a-token-of-enough-letters]\n')], /auth\.tokens: expected nothing in a demo/],
    [['--config', join(directory, 'absent.yaml')], /absent\.yaml: cannot be read \(ENOENT\)/],
  ])('refuses %j with a sentence that names it', async (words, sentence) => {
    await expect(createCommand().exitOverride().parseAsync(words, { from: 'user' })).rejects.toThrow(sentence)
  })
})
