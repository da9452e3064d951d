// Reads HTTP/1.x responses of the engine (RFC 9112) as they come, in any pieces. Strict: what two readers could understand differently is
// an error. The body is handed on by reference, without its framing; the client's framing is written anew by node:http.

export interface ResponseHead {
  status: number
  reason: string
  /** Name, value, name, value, … as they came. */
  headers: string[]
  httpVersion: '1.0' | '1.1'
}

export interface ResponseHandler {
  /** A 1xx response; the final one is still to come. */
  onInformation(head: ResponseHead): void
  onHead(head: ResponseHead): void
  onBody(chunk: Buffer): void
  /** The message is complete. */
  onEnd(trailers: string[]): void
}

/** The engine sent something that is no response. */
export class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse'
}

export const MAX_HEAD_BYTES = 65_536
const MAX_LINE = 4_096
const NO_BYTES = Buffer.alloc(0)
const HEAD_END = Buffer.from('\r\n\r\n')
const LINE_END = Buffer.from('\r\n')
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*((?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)[\t ]*$/

type State = 'head' | 'length' | 'size' | 'chunk' | 'chunk-end' | 'trailers' | 'until-close' | 'done'

export class ResponseParser {
  readonly #handler: ResponseHandler
  readonly #hasNoBody: boolean
  #state: State = 'head'
  /** The unfinished head, line or trailer section. */
  #held: Buffer = NO_BYTES
  #heldLength = 0
  /** Bytes left of the body or of the chunk. */
  #left = 0
  #keepsAlive = false

  /** `isHead`: the request's method was HEAD, so that the response has no body. */
  constructor(handler: ResponseHandler, isHead: boolean) {
    this.#handler = handler
    this.#hasNoBody = isHead
  }

  get isDone(): boolean {
    return this.#state === 'done'
  }

  /** The connection may carry another request once this response is done. */
  get keepsAlive(): boolean {
    return this.#keepsAlive
  }

  /** One read; returns how many of its bytes belong to this response. Throws MalformedResponse. */
  execute(read: Buffer): number {
    let at = 0
    while (at < read.length && this.#state !== 'done') at = this.#step(read, at)
    return at
  }

  /** The connection has ended in order. True where that completes the response. */
  finish(): boolean {
    if (this.#state !== 'until-close') return this.#state === 'done'
    this.#end([])
    return true
  }

  #step(read: Buffer, at: number): number {
    switch (this.#state) {
      case 'length':
      case 'chunk':
        return this.#takeBody(read, at)
      case 'until-close':
        this.#handler.onBody(at === 0 ? read : read.subarray(at))
        return read.length
      case 'head':
        return this.#takeUntil(read, at, HEAD_END, MAX_HEAD_BYTES, (text) => this.#readHead(text))
      case 'trailers':
        return this.#takeTrailers(read, at)
      default:
        return this.#takeUntil(read, at, LINE_END, MAX_LINE, (text) => this.#readChunkLine(text))
    }
  }

  #takeBody(read: Buffer, at: number): number {
    const end = Math.min(read.length, at + this.#left)
    this.#left -= end - at
    const ended = this.#left === 0
    if (this.#state === 'chunk' && ended) this.#state = 'chunk-end'
    this.#handler.onBody(at === 0 && end === read.length ? read : read.subarray(at, end))
    if (this.#state === 'length' && ended) this.#end([])
    return end
  }

  /** Collects bytes up to `mark`, hands over the text in front of it, and returns the position behind it. */
  #takeUntil(read: Buffer, at: number, mark: Buffer, limit: number, onText: (text: string) => void): number {
    if (this.#heldLength === 0) {
      const found = read.indexOf(mark, at)
      if (found !== -1 && found - at <= limit) {
        onText(read.toString('latin1', at, found))
        return found + mark.length
      }
    }
    const before = this.#heldLength
    this.#hold(read.subarray(at, at + limit + mark.length))
    const held = this.#held.subarray(0, this.#heldLength)
    const found = held.indexOf(mark, Math.max(0, before - mark.length + 1))
    if (found === -1 || found > limit) {
      if (held.length > limit) throw new MalformedResponse(`more than ${limit} bytes without an end`)
      return read.length
    }
    this.#heldLength = 0
    onText(held.toString('latin1', 0, found))
    return at + found + mark.length - before
  }

  #hold(bytes: Buffer): void {
    const length = this.#heldLength + bytes.length
    if (length > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.max(512, length * 2))
      this.#held.copy(grown, 0, 0, this.#heldLength)
      this.#held = grown
    }
    bytes.copy(this.#held, this.#heldLength)
    this.#heldLength = length
  }

  #readHead(text: string): void {
    const lines = text.split('\r\n')
    const status = STATUS_LINE.exec(lines[0] as string)
    if (status === null) throw new MalformedResponse('the first line is no status line')
    const headers = readFields(lines, 1)
    const head: ResponseHead = { status: Number(status[2]), reason: status[3] ?? '', headers, httpVersion: `1.${status[1] as '0' | '1'}` }
    if (head.status === 101) throw new MalformedResponse('an upgrade that nobody asked for')
    if (head.status < 200) {
      this.#handler.onInformation(head)
      return
    }
    this.#frame(head)
    this.#handler.onHead(head)
    if (this.#state === 'head') this.#end([])
  }

  /** Sets how the body ends (RFC 9112 6.3). The state stays `head` where there is none. */
  #frame({ status, headers, httpVersion }: ResponseHead): void {
    let length: number | null = null
    let chunked = false
    let connection = ''
    for (let index = 0; index < headers.length; index += 2) {
      const value = headers[index + 1] as string
      switch ((headers[index] as string).toLowerCase()) {
        case 'content-length':
          if (length !== null || !/^\d{1,15}$/.test(value)) throw new MalformedResponse('a Content-Length that is doubled or no number')
          length = Number(value)
          break
        case 'transfer-encoding':
          if (chunked || value.toLowerCase() !== 'chunked') throw new MalformedResponse('a Transfer-Encoding other than chunked')
          chunked = true
          break
        case 'connection':
          connection += `,${value.toLowerCase()}`
          break
      }
    }
    if (chunked && length !== null) throw new MalformedResponse('both Content-Length and Transfer-Encoding')
    const options = connection.split(',').map((option) => option.trim())
    this.#keepsAlive = httpVersion === '1.1' ? !options.includes('close') : options.includes('keep-alive')
    if (this.#hasNoBody || status === 204 || status === 304) return
    if (chunked) this.#state = 'size'
    else if (length === null) {
      this.#state = 'until-close'
      this.#keepsAlive = false
    } else if (length > 0) {
      this.#state = 'length'
      this.#left = length
    }
  }

  /** A chunk's size line, or the empty line behind its data. */
  #readChunkLine(text: string): void {
    if (this.#state === 'chunk-end') {
      if (text !== '') throw new MalformedResponse('a chunk is longer than its size')
      this.#state = 'size'
      return
    }
    const size = /^([0-9A-Fa-f]{1,12})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/.exec(text)
    if (size === null) throw new MalformedResponse('a chunk without a size')
    this.#left = Number.parseInt(size[1] as string, 16)
    this.#state = this.#left === 0 ? 'trailers' : 'chunk'
  }

  /** An empty line ends the message; else fields up to an empty line. */
  #takeTrailers(read: Buffer, at: number): number {
    const before = this.#heldLength
    if (before < 2) {
      const begin = Buffer.concat([this.#held.subarray(0, before), read.subarray(at, at + 2 - before)])
      if (begin.length === 1) {
        this.#hold(begin.subarray(before))
        return read.length
      }
      if (begin[0] === 0x0d && begin[1] === 0x0a) {
        this.#heldLength = 0
        this.#end([])
        return at + 2 - before
      }
    }
    return this.#takeUntil(read, at, HEAD_END, MAX_HEAD_BYTES, (text) => this.#end(readFields(text.split('\r\n'), 0)))
  }

  #end(trailers: string[]): void {
    this.#state = 'done'
    this.#handler.onEnd(trailers)
  }
}

function readFields(lines: readonly string[], from: number): string[] {
  const fields: string[] = []
  for (let index = from; index < lines.length; index++) {
    const field = FIELD.exec(lines[index] as string)
    if (field === null) throw new MalformedResponse('a line of the header section is no field')
    fields.push(field[1] as string, field[2] as string)
  }
  return fields
}
