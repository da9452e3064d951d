// Our own answers, in the shape in which OpenAI-compatible clients look for an error.
import type { ServerResponse } from 'node:http'

/** Sends `{"error":{message,type,code}}`; does nothing where a response has begun or the client is gone. */
export function replyError(response: ServerResponse, status: number, type: string, message: string): void {
  if (response.headersSent || response.destroyed) return
  const body = Buffer.from(JSON.stringify({ error: { message: `longpole sidecar: ${message}`, type, code: status } }))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}
