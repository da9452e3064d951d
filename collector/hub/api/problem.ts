// Errors of the API: one shape, a clear text, the key that was wrong.
import type { ApiError } from '@longpole/model/api'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { StoreUnavailable } from '../../store/store.ts'

export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly code: string
  readonly details: { key?: string; expected?: string; got?: string }

  constructor(status: number, code: string, message: string, details: { key?: string; expected?: string; got?: string } = {}) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
  }

  toBody(): ApiError {
    return { error: { code: this.code, message: this.message, ...this.details } }
  }
}

/** Bad input: names the key, what was expected and what came. */
export function badInput(key: string, expected: string, got: unknown): Problem {
  const shown = got === undefined ? 'nothing' : typeof got === 'string' ? got : JSON.stringify(got)
  const text = shown.length > 100 ? `${shown.slice(0, 99)}…` : shown
  return new Problem(400, 'bad_input', `${key}: expected ${expected}, got ${text}`, { key, expected, got: text })
}

export const notFound: RequestHandler = (request, _response, next) => {
  next(new Problem(404, 'not_found', `there is no ${request.method} ${request.path}`))
}

const RETRY_AFTER_SECONDS = '2'

/** Last handler: every error becomes an ApiError. What is not ours stays inside and is told to `onError`. */
export function handleProblems(onError: (error: unknown) => void): ErrorRequestHandler {
  return (error, _request, response, next) => {
    if (response.headersSent) {
      // The answer has begun: only breaking it off tells the client that it is not whole.
      response.destroy()
      return
    }
    const problem = toProblem(error)
    if (problem.status >= 500 && !(error instanceof Problem) && !(error instanceof StoreUnavailable)) onError(error)
    if (problem.status === 503) response.setHeader('Retry-After', RETRY_AFTER_SECONDS)
    response.status(problem.status).json(problem.toBody())
    void next
  }
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof StoreUnavailable) return new Problem(503, 'store_unavailable', 'the store does not answer; try again')
  const { type, status } = error as { type?: string; status?: number }
  if (type === 'entity.too.large') return new Problem(413, 'too_large', 'the body is too large')
  if (type === 'entity.parse.failed') return new Problem(400, 'bad_input', 'the body is not valid JSON')
  if (typeof status === 'number' && status >= 400 && status < 500) return new Problem(status, 'bad_request', 'the request cannot be read')
  return new Problem(500, 'internal', 'something went wrong here; the log of the hub has it')
}
