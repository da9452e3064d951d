// The options of commands that ask a hub: where it is and the token come from the environment, and the token stays off the screen.
import { Command } from 'commander'
import { afterEach, expect, test, vi } from 'vitest'
import { COMMANDS } from './commands.ts'
import { addHubOptions } from './hub-client.ts'

const TOKEN = 'a-token-of-enough-letters'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('hub and token come from the environment, the command line is over it', () => {
  vi.stubEnv('LONGPOLE_HUB_API', 'http://hub.internal:7171')
  vi.stubEnv('LONGPOLE_HUB_TOKEN', TOKEN)
  const parse = (...words: string[]) => addHubOptions(new Command('ask')).parse(words, { from: 'user' }).opts()
  expect(parse()).toEqual({ hub: 'http://hub.internal:7171', token: TOKEN })
  expect(parse('--hub', 'http://127.0.0.1:1', '--token', 'another')).toEqual({ hub: 'http://127.0.0.1:1', token: 'another' })
})

test('without them the hub is the one on this machine, and there is no token', () => {
  vi.stubEnv('LONGPOLE_HUB_API', undefined)
  vi.stubEnv('LONGPOLE_HUB_TOKEN', undefined)
  expect(addHubOptions(new Command('ask')).parse([], { from: 'user' }).opts()).toEqual({ hub: 'http://127.0.0.1:7171' })
})

test.each(COMMANDS.map(({ name, load }) => ({ name, load })))('the help of $name does not show the token', async ({ load }) => {
  vi.stubEnv('LONGPOLE_HUB_TOKEN', TOKEN)
  const command = (await load()).createCommand()
  for (const each of [command, ...command.commands]) expect(each.helpInformation()).not.toContain(TOKEN)
})
