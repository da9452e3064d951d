// Reads HTTP/1.1 exchanges of one connection from the bytes that go by: requests by their length, responses chunked or by length,
// event streams event by event. Written for the end-to-end tests alone.

export interface ExchangeStamps {
  requestId: string
  /** Wall milliseconds. */
  requestBegan: number
  requestEnded: number
  headers: number | null
  /** First event with a non-empty delta. */
  firstToken: number | null
  lastToken: number | null
  ended: number | null
  status: number | null
}

interface Message {
  head: string
  /** Bytes of body still to come; null until the head is complete, Infinity for chunked. */
  left: number | null
}

export class ExchangeReader {
  #requestBuffer = ''
  #responseBuffer = ''
  #request: Message | null = null
  #response: (Message & { events: string }) | null = null
  #began = 0
  readonly #open: ExchangeStamps[] = []
  readonly #onDone: (stamps: ExchangeStamps) => void

  constructor(onDone: (stamps: ExchangeStamps) => void) {
    this.#onDone = onDone
  }

  /** Latin-1 keeps a character a byte, so that lengths are right. */
  request(data: Buffer, atMs: number): void {
    let text = this.#requestBuffer + data.toString('latin1')
    this.#requestBuffer = ''
    while (text !== '') {
      if (this.#request === null) {
        if (this.#requestBuffer === '' && this.#began === 0) this.#began = atMs
        const end = text.indexOf('\r\n\r\n')
        if (end === -1) {
          this.#requestBuffer = text
          return
        }
        const head = text.slice(0, end)
        this.#request = { head, left: Number(header(head, 'content-length') ?? 0) }
        text = text.slice(end + 4)
      }
      const taken = Math.min(text.length, this.#request.left ?? 0)
      this.#request.left = (this.#request.left ?? 0) - taken
      text = text.slice(taken)
      if (this.#request.left > 0) return
      const requestId = header(this.#request.head, 'x-request-id') ?? ''
      const stamps = { requestId, requestBegan: this.#began, requestEnded: atMs }
      this.#open.push({ ...stamps, headers: null, firstToken: null, lastToken: null, ended: null, status: null })
      this.#request = null
      this.#began = 0
    }
  }

  response(data: Buffer, atMs: number): void {
    let text = this.#responseBuffer + data.toString('latin1')
    this.#responseBuffer = ''
    while (text !== '') {
      if (this.#response === null) {
        const end = text.indexOf('\r\n\r\n')
        if (end === -1) {
          this.#responseBuffer = text
          return
        }
        text = this.#readHead(text.slice(0, end), text.slice(end + 4), atMs)
        continue
      }
      text = this.#response.left === Number.POSITIVE_INFINITY ? this.#readChunk(text, atMs) : this.#readLength(text, atMs)
      if (this.#responseBuffer !== '') return
    }
  }

  /** The connection is gone: what is open ends here. */
  end(atMs: number): void {
    for (const stamps of this.#open.splice(0)) this.#onDone({ ...stamps, ended: atMs })
  }

  #readHead(head: string, rest: string, atMs: number): string {
    const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1] ?? 0)
    if (status === 100) return rest
    const chunked = /chunked/i.test(header(head, 'transfer-encoding') ?? '')
    const left = chunked ? Number.POSITIVE_INFINITY : Number(header(head, 'content-length') ?? 0)
    this.#response = { head, left, events: '' }
    const current = this.#open[0]
    if (current !== undefined) Object.assign(current, { headers: atMs, status })
    if (left === 0) this.#finish(atMs)
    return rest
  }

  #readLength(text: string, atMs: number): string {
    const response = this.#response as Message
    const taken = Math.min(text.length, response.left ?? 0)
    response.left = (response.left ?? 0) - taken
    if (response.left === 0) this.#finish(atMs)
    return text.slice(taken)
  }

  #readChunk(text: string, atMs: number): string {
    const lineEnd = text.indexOf('\r\n')
    const size = lineEnd === -1 ? Number.NaN : Number.parseInt(text.slice(0, lineEnd), 16)
    const bodyEnd = lineEnd + 2 + size
    if (lineEnd === -1 || text.length < bodyEnd + 2) {
      this.#responseBuffer = text
      return ''
    }
    if (size === 0) this.#finish(atMs)
    else this.#readEvents(text.slice(lineEnd + 2, bodyEnd), atMs)
    return text.slice(bodyEnd + 2)
  }

  #readEvents(text: string, atMs: number): void {
    const response = this.#response
    const current = this.#open[0]
    if (response === null || current === undefined) return
    response.events += text
    const events = response.events.split(/\r?\n\r?\n/)
    response.events = events.pop() as string
    for (const event of events) {
      if (!hasDelta(event)) continue
      current.firstToken ??= atMs
      current.lastToken = atMs
    }
  }

  #finish(atMs: number): void {
    this.#response = null
    const current = this.#open.shift()
    if (current !== undefined) this.#onDone({ ...current, ended: atMs })
  }
}

function header(head: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'im').exec(head)?.[1]
}

interface Choice {
  text?: string
  delta?: {
    content?: string | null
    reasoning_content?: string | null
    reasoning?: string | null
    refusal?: string | null
    tool_calls?: ToolCall[]
  }
}
interface ToolCall {
  function?: { name?: string | null; arguments?: string | null }
}

function hasDelta(event: string): boolean {
  const data = event
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).trim())
    .join('\n')
  if (data === '' || data === '[DONE]') return false
  const choices = (JSON.parse(Buffer.from(data, 'latin1').toString('utf8')) as { choices?: Choice[] }).choices ?? []
  return choices.some(({ text, delta }) => {
    const calls = delta?.tool_calls ?? []
    const words = [text, delta?.content, delta?.reasoning_content, delta?.reasoning, delta?.refusal]
    return words.some(Boolean) || calls.some((call) => Boolean(call.function?.name) || Boolean(call.function?.arguments))
  })
}
