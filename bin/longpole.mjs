#!/usr/bin/env node
// Plain JavaScript on purpose: this file must run on any Node, so that it can say what to do on an old one.
// It starts the command line on a Node that runs TypeScript from source: this one, or the one npm installed beside it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const main = join(root, 'src/cli/main.ts')
const MINIMUM = [22, 18]

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])
}

/** The Node that npm installed as an optional dependency of this platform, if there is one. */
function bundledNode() {
  const path = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  return existsSync(path) ? path : undefined
}

function fail(message) {
  process.stderr.write(`longpole: ${message}\n`)
  process.exit(2)
}

if (!existsSync(join(root, 'node_modules', 'commander'))) {
  fail('dependencies are not installed. Run `npm ci` in the repository first.')
}

if (isNewEnough(process.versions.node)) {
  // Stripped and compiled modules are kept, so that every later start is quicker and smaller.
  module.enableCompileCache?.(join(root, 'node_modules', '.cache', 'longpole'))
  await import(main)
} else {
  const node = bundledNode()
  if (node === undefined) {
    fail(
      `Node ${MINIMUM.join('.')} or newer is needed, this is ${process.versions.node} (${process.execPath}), and npm installed no newer one for ` +
        `${process.platform}-${process.arch}. Run \`npm ci\` without --omit=optional, or install Node 24 from https://nodejs.org.`,
    )
  }
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143)
  })
}
