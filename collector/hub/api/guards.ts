// What stands before every route: who asks, under which name, and what a browser may do with the answer.
import type { Request, RequestHandler } from 'express'
import type { MetricRegistry } from '../../exporters/prometheus/registry.ts'
import { type Authorizer, isLoopback } from '../../extensions/auth/auth.ts'
import { Problem } from './problem.ts'

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'none'",
  "base-uri 'self'",
  "frame-ancestors 'none'",
].join('; ')

/** No inline script, nothing from elsewhere, no framing, no guessing of types, no CORS. */
export const setSecurityHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY)
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('Referrer-Policy', 'same-origin')
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
  response.setHeader('Cache-Control', 'no-store')
  next()
}

/**
 * A page of somebody else whose name is made to resolve to this address (DNS rebinding) would be of the "same origin" in the browser;
 * its Host header still has its own name.
 */
export function checkHost(listenHost: string, allowedHosts: readonly string[]): RequestHandler {
  const allowed = new Set([listenHost, ...allowedHosts].map((host) => host.toLowerCase()))
  return (request, _response, next) => {
    const host = hostOf(request)
    if (host !== null && (isLoopback(host) || isAddress(host) || allowed.has(host.toLowerCase()))) return next()
    next(
      new Problem(421, 'wrong_host', `this hub is not ${host ?? 'named'}: reach it by its address, or add the name to auth.allowedHosts`, {
        key: 'Host',
      }),
    )
  }
}

function hostOf(request: Request): string | null {
  const host = request.headers.host
  if (host === undefined || !URL.canParse(`http://${host}`)) return null
  return new URL(`http://${host}`).hostname
}

/** An address cannot be rebound. */
function isAddress(host: string): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host) || host.startsWith('[')
}

/** Fails closed; `/healthz` and `/readyz` say nothing that needs a secret. */
export function checkToken(authorizer: Authorizer, registry: MetricRegistry): RequestHandler {
  return (request, response, next) => {
    if (request.path === '/healthz' || request.path === '/readyz' || authorizer.allows(request.headers.authorization)) return next()
    registry.increment('authFailuresTotal', { component: 'api' })
    response.setHeader('WWW-Authenticate', 'Bearer realm="longpole", Basic realm="longpole"')
    next(new Problem(401, 'unauthorized', 'a token is needed: Authorization: Bearer <token>'))
  }
}

/** A write comes from our own page or from a program, never from another site's page in somebody's browser. */
export const checkSameOrigin: RequestHandler = (request, _response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS') return next()
  const site = request.headers['sec-fetch-site']
  const { origin, host } = request.headers
  const isForeign =
    (site !== undefined && site !== 'same-origin' && site !== 'none') || (origin !== undefined && !isOwnOrigin(origin, host))
  if (isForeign) return next(new Problem(403, 'foreign_origin', 'writes are taken from the same origin only'))
  next()
}

function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host
}
