// The sidecar's options: a token from a file, and docker-compose.yml, whose variables nobody would miss if they were never read.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readToken } from '../../../collector/sidecar/settings.ts'
import { environmentVariables } from '../../config/environment.ts'
import { createCommand } from './sidecar.ts'

const directory = mkdtempSync(join(tmpdir(), 'longpole-sidecar-options-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function file(text: string): string {
  const path = join(directory, `token-${text.length}`)
  writeFileSync(path, text)
  return path
}

test('the token of the hub is the first line of its file', () => {
  expect(readToken('--token-file', file('first-token-of-two\nsecond-token\n'))).toBe('first-token-of-two')
})

test('a file without a token stops the start, names the option and shows nothing of the file', () => {
  expect(() => readToken('--token-file', join(directory, 'absent'))).toThrow(/^--token-file: .*absent cannot be read \(ENOENT\)/)
  expect(() => readToken('--token-file', file('\n'))).toThrow(/^--token-file: expected a token/)
  expect(() => readToken('--token-file', file('two words'))).toThrow(/^--token-file: (?!.*two words)/)
})

test('docker-compose.yml sets only variables that somebody reads', () => {
  const compose = parse(readFileSync(new URL('../../../docker-compose.yml', import.meta.url), 'utf8'), { merge: true }) as {
    services: Record<string, { environment?: Record<string, string> }>
  }
  const read = new Set([
    ...environmentVariables().map(({ variable }) => variable),
    ...createCommand().options.flatMap(({ envVar }) => envVar ?? []),
  ])
  const set = Object.values(compose.services).flatMap(({ environment }) => Object.keys(environment ?? {}))
  const ours = set.filter((name) => name.startsWith('LONGPOLE_'))
  expect(ours).toContain('LONGPOLE_TOKEN_FILE')
  expect(ours.filter((name) => !read.has(name))).toEqual([])
})
