// One HTTP response of a simulated engine: turns the progress of a request in the core into chunks on a real socket.
import type { ServerResponse } from 'node:http'
import type { SimRequest, StreamListener } from '../core/request.ts'
import { type Answer, type EngineDialect, finishReason } from './dialect.ts'
import { type ChatPrompt, tokenText } from './prompt.ts'

export interface ResponseStreamOptions {
  response: ServerResponse
  dialect: EngineDialect
  answer: Answer
  prompt: ChatPrompt
  requestId: string
  seed: number
  /** Tokens of the whole answer. */
  total: number
}

export class ResponseStream implements StreamListener {
  private readonly options: ResponseStreamOptions
  private sent = 0

  constructor(options: ResponseStreamOptions) {
    this.options = options
  }

  accepted(): void {
    const { prompt, dialect } = this.options
    if (prompt.stream && dialect.headersBeforeQueue) this.open()
  }

  progress(tokens: number): void {
    const { prompt } = this.options
    // The last token waits for the reason to end.
    if (prompt.stream) this.send(Math.min(tokens, this.options.total - 1))
  }

  ended(request: SimRequest): void {
    const { response, prompt, dialect, answer } = this.options
    if (response.destroyed) return
    if (request.outcome !== 'ok') {
      this.fail(request)
      return
    }
    const finish = finishReason(request, prompt)
    if (!prompt.stream) {
      const body = JSON.stringify(dialect.whole(answer, request, this.text(0, request.outputTokens), finish))
      response.writeHead(200, { ...this.headers('application/json'), 'content-length': Buffer.byteLength(body) }).end(body)
      return
    }
    this.open()
    this.send(request.outputTokens - 1)
    const last = this.text(request.outputTokens - 1, request.outputTokens)
    if (dialect.headersBeforeQueue) this.write(dialect.chunk(answer, last, finish))
    else {
      this.write(dialect.chunk(answer, last, null))
      this.write(dialect.chunk(answer, '', finish))
    }
    if (prompt.includeUsage) this.write(dialect.usageChunk(answer, request))
    response.end('data: [DONE]\n\n')
  }

  /** Tokens of one step leave in one chunk. */
  private send(tokens: number): void {
    if (tokens <= this.sent) return
    this.open()
    this.write(this.options.dialect.chunk(this.options.answer, this.text(this.sent, tokens), null))
    this.sent = tokens
  }

  private open(): void {
    const { response, dialect, answer } = this.options
    if (response.headersSent) return
    response.writeHead(200, this.headers('text/event-stream; charset=utf-8'))
    response.flushHeaders()
    this.pendingRole = dialect.roleChunk(answer)
  }

  /** The role goes out with the first token, as both engines do it. */
  private pendingRole: object | null = null

  private write(chunk: object): void {
    const role = this.pendingRole
    this.pendingRole = null
    const { response } = this.options
    if (role !== null) response.write(`data: ${JSON.stringify(role)}\n\n`)
    response.write(`data: ${JSON.stringify(chunk)}\n\n`)
  }

  private fail(request: SimRequest): void {
    const { response, dialect } = this.options
    if (response.headersSent || request.errorClass === 'connection_reset') {
      response.destroy()
      return
    }
    const body = JSON.stringify(dialect.error(request.httpStatus ?? 500, 'InternalServerError', 'EngineCore encountered an issue.', null))
    response
      .writeHead(request.httpStatus ?? 500, { ...this.headers('application/json'), 'content-length': Buffer.byteLength(body) })
      .end(body)
  }

  private headers(type: string): Record<string, string> {
    const { dialect, requestId } = this.options
    return { server: 'uvicorn', 'content-type': type, ...(dialect.echoesRequestId ? { 'x-request-id': requestId } : {}) }
  }

  private text(from: number, to: number): string {
    let text = ''
    for (let index = from; index < to; index++) text += tokenText(this.options.seed, index)
    return text
  }
}
