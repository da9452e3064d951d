// The console's bundle, built when it is missing or older than its sources: a fresh clone needs no build step. Where the build tool is not
// installed (an image without development dependencies) the bundle was built before, or the hub serves its plain page.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const CONSOLE = new URL('../../collector/console/', import.meta.url)

function newestSource(): number {
  let newest = 0
  for (const entry of readdirSync(CONSOLE, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.parentPath.includes('/dist')) continue
    newest = Math.max(newest, statSync(`${entry.parentPath}/${entry.name}`).mtimeMs)
  }
  return newest
}

export function isConsoleFresh(): boolean {
  const index = new URL('dist/index.html', CONSOLE)
  return existsSync(index) && statSync(index).mtimeMs >= newestSource()
}

/** Builds the bundle if it has to; says so, because it takes a second or two. A failed build is told and does not stop the hub. */
export async function ensureConsole(say: (sentence: string) => void): Promise<void> {
  if (isConsoleFresh()) return
  try {
    const { build } = await import('vite')
    say('building the console')
    // Vite takes development from the environment, whatever mode it is told: a bundle built by a test would not start.
    const environment = process.env.NODE_ENV
    process.env.NODE_ENV = 'production'
    try {
      await build({ configFile: fileURLToPath(new URL('vite.config.ts', CONSOLE)), logLevel: 'error' })
    } finally {
      if (environment === undefined) delete process.env.NODE_ENV
      else process.env.NODE_ENV = environment
    }
  } catch (error) {
    say(`the console could not be built (${(error as Error).message.split('\n')[0]}); a plain page is served instead`)
  }
}
