// Serves the built console where there is one, and the plain first page where not. Files come from a list read at start: no path of a
// request ever reaches the file system.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import { Router } from 'express'
import type { ApiContext } from './context.ts'
import { renderList, renderPage } from './page/render.ts'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}
const INDEX = 'index.html'
/** Names of built files carry a hash of their content. */
const FOREVER = 'public, max-age=31536000, immutable'

interface Asset {
  type: string
  body: Buffer
}

export function createConsoleRoutes(context: ApiContext): Router {
  const { consoleDirectory } = context
  const isBuilt = consoleDirectory !== undefined && existsSync(join(consoleDirectory, INDEX))
  return isBuilt ? serveConsole(readAssets(consoleDirectory)) : servePage(context)
}

function serveConsole(assets: ReadonlyMap<string, Asset>): Router {
  const router = Router()
  const index = (assets.get(INDEX) as Asset).body.toString('utf8')
  router.use((request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next()
    const name = request.path.slice(1)
    const asset = name === INDEX ? undefined : assets.get(name)
    // Any other path is a page of the console, which finds its way by itself; a missing file is missing.
    if (asset === undefined && name !== INDEX && extname(name) in TYPES) return next()
    response.setHeader('Content-Type', asset?.type ?? (TYPES['.html'] as string))
    if (asset !== undefined && name.startsWith('assets/')) response.setHeader('Cache-Control', FOREVER)
    response.end(request.method === 'HEAD' ? undefined : (asset?.body ?? withBase(index, request.path)))
  })
  return router
}

/**
 * Addresses in the page are relative to its base, and the base to the address of the page: so the console works under any prefix that
 * a proxy takes away, without knowing it.
 */
function withBase(html: string, path: string): string {
  const depth = path.split('/').length - 2
  return html.replace('<head>', `<head><base href="${depth === 0 ? './' : '../'.repeat(depth)}">`)
}

function readAssets(directory: string): Map<string, Asset> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const type = TYPES[extname(entry.name)] ?? 'application/octet-stream'
      return [relative(directory, path).split(sep).join('/'), { type, body: readFileSync(path) }]
    }),
  )
}

function servePage({ live, version }: ApiContext): Router {
  const router = Router()
  const files = new URL('./page/', import.meta.url)
  for (const name of ['page.js', 'page.css']) {
    const body = readFileSync(new URL(name, files))
    router.get(`/${name}`, (_request, response) => {
      response.setHeader('Content-Type', TYPES[extname(name)] as string)
      response.end(body)
    })
  }
  const read = () => ({ open: live.openRequests(), recent: live.recent() })
  router.get('/', (_request, response) => {
    response.setHeader('Content-Type', TYPES['.html'] as string)
    response.end(renderPage(read(), version))
  })
  router.get('/live.html', (_request, response) => {
    response.setHeader('Content-Type', TYPES['.html'] as string)
    response.end(renderList(read()))
  })
  return router
}
