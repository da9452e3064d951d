// Who may talk to a listener. No tokens: loopback only, and a listener on another address refuses to start. Tokens: every request must
// carry one. Telemetry fails open, this fails closed.
import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface AuthConfig {
  tokens: readonly string[]
  tokenFile: string | null
}

export interface Authorizer {
  readonly hasTokens: boolean
  /** `authorization` is the header's value (or gRPC's metadata entry); true where no tokens are configured. */
  allows(authorization: string | undefined): boolean
}

/** Least length of a token; shorter ones could be guessed. */
export const MIN_TOKEN_LENGTH = 16

/** Throws where the file of tokens cannot be read or holds none: an installation that asked for tokens must not run without. */
export function createAuthorizer({ tokens, tokenFile }: AuthConfig): Authorizer {
  const all = [...tokens, ...(tokenFile === null ? [] : readTokens(tokenFile))]
  const hashes = all.map(hashOf)
  return {
    hasTokens: hashes.length > 0,
    allows(authorization) {
      if (hashes.length === 0) return true
      const token = tokenOf(authorization)
      if (token === null) return false
      const hash = hashOf(token)
      // All are compared, each in constant time: the time taken tells nothing about which one was near.
      return hashes.reduce((found, known) => timingSafeEqual(known, hash) || found, false)
    },
  }
}

/** Throws where the listener would be open to others without a token. `key` is its place in the configuration. */
export function assertProtected(key: string, host: string, authorizer: Authorizer): void {
  if (isLoopback(host) || authorizer.hasTokens) return
  throw new Error(
    `${key}: ${host} can be reached from other machines, so a token is needed, and auth.tokens and auth.tokenFile are empty. ` +
      'Set one (LONGPOLE_AUTH_TOKENS), or listen on 127.0.0.1.',
  )
}

/** 127.0.0.0/8, ::1 and localhost; a name that is not known to be loopback is not. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase()
  return name === 'localhost' || name === '::1' || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(name)
}

/** `Bearer <token>`, or `Basic` with the token as password, which is what a browser can be asked for. */
function tokenOf(authorization: string | undefined): string | null {
  const match = /^(Bearer|Basic) +(\S+)$/i.exec(authorization ?? '')
  if (match === null) return null
  const [, scheme, credentials] = match as unknown as [string, string, string]
  if (scheme.toLowerCase() === 'bearer') return credentials
  const text = Buffer.from(credentials, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? null : text.slice(colon + 1)
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function readTokens(file: string): string[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`auth.tokenFile: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  const tokens = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (tokens.length === 0) throw new Error(`auth.tokenFile: ${file} holds no token`)
  const short = tokens.findIndex((token) => token.length < MIN_TOKEN_LENGTH)
  if (short >= 0) throw new Error(`auth.tokenFile: ${file}: token ${short + 1} has fewer than ${MIN_TOKEN_LENGTH} characters`)
  return tokens
}
