import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { assertProtected, createAuthorizer, isLoopback } from './auth.ts'

const TOKEN = 'correct-horse-battery'
const OTHER = 'another-token-that-is-valid'

test('without tokens everything is allowed, on loopback only', () => {
  const authorizer = createAuthorizer({ tokens: [], tokenFile: null })
  expect(authorizer.allows(undefined)).toBe(true)
  expect(() => assertProtected('listen.api', '127.0.0.1', authorizer)).not.toThrow()
  for (const host of ['0.0.0.0', '[::]', '10.0.0.1', 'example.org', '127.0.0.1.example.org', '']) {
    expect(() => assertProtected('listen.api', host, authorizer)).toThrow('listen.api')
  }
})

test('with tokens each request needs one of them, as bearer or as the password of basic', () => {
  const authorizer = createAuthorizer({ tokens: [TOKEN, OTHER], tokenFile: null })
  expect(() => assertProtected('listen.api', '0.0.0.0', authorizer)).not.toThrow()
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
  for (const allowed of [`Bearer ${TOKEN}`, `bearer  ${OTHER}`, basic(`anyone:${TOKEN}`), basic(`:${OTHER}`)]) {
    expect(authorizer.allows(allowed)).toBe(true)
  }
  for (const refused of [
    undefined,
    '',
    TOKEN,
    'Bearer',
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN} x`,
    `Digest ${TOKEN}`,
    basic(TOKEN),
    'Basic %%%',
  ]) {
    expect(authorizer.allows(refused)).toBe(false)
  }
})

test('a file of tokens that is missing, empty or weak stops the start', () => {
  const directory = mkdtempSync(join(tmpdir(), 'longpole-auth-'))
  const file = join(directory, 'tokens')
  expect(() => createAuthorizer({ tokens: [], tokenFile: file })).toThrow('cannot be read (ENOENT)')
  writeFileSync(file, '\n\n')
  expect(() => createAuthorizer({ tokens: [], tokenFile: file })).toThrow('holds no token')
  writeFileSync(file, `${TOKEN}\nshort\n`)
  expect(() => createAuthorizer({ tokens: [], tokenFile: file })).toThrow('token 2 has fewer than 16 characters')
  writeFileSync(file, `  ${TOKEN}  \n`)
  expect(createAuthorizer({ tokens: [], tokenFile: file }).allows(`Bearer ${TOKEN}`)).toBe(true)
})

test('loopback is 127/8, ::1 and localhost', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', '[::1]', '::1', 'localhost', 'LOCALHOST', '::ffff:127.0.0.1'])
    expect(isLoopback(host)).toBe(true)
  for (const host of ['128.0.0.1', '0.0.0.0', '::', 'localhost.example.org', '1270.0.0.1']) expect(isLoopback(host)).toBe(false)
})
