import { get } from 'node:http'
import { createServer, type Server } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MalformedResponse, type ResponseHead, ResponseParser } from './response-parser.ts'

interface Read {
  heads: ResponseHead[]
  body: string
  trailers: string[] | null
  /** Bytes that did not belong to the response. */
  rest: number
  isComplete: boolean
  keepsAlive: boolean
  error: boolean
}

function read(pieces: readonly Buffer[], { isHead = false, ended = false } = {}): Read {
  const result: Read = { heads: [], body: '', trailers: null, rest: 0, isComplete: false, keepsAlive: false, error: false }
  const parser = new ResponseParser(
    {
      onInformation: (head) => result.heads.push(head),
      onHead: (head) => result.heads.push(head),
      onBody: (chunk) => {
        result.body += chunk.toString('latin1')
      },
      onEnd: (trailers) => {
        result.trailers = trailers
      },
    },
    isHead,
  )
  try {
    for (const piece of pieces) result.rest += piece.length - parser.execute(piece)
    if (ended) parser.finish()
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedResponse)
    result.error = true
  }
  return { ...result, isComplete: parser.isDone, keepsAlive: parser.keepsAlive }
}

const bytes = (text: string) => Buffer.from(text, 'latin1')
const eachByte = (all: Buffer) => Array.from(all, (_, index) => all.subarray(index, index + 1))
const CHUNKED =
  'HTTP/1.1 200 OK\r\nA: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10;x=y\r\n0123456789abcdef\r\n0\r\nT: 9\r\nU:\r\n\r\n'
const LENGTH = 'HTTP/1.1 404 Not Found Here\r\nContent-Length: 5\r\nX: a\tb \r\n\r\nhello'

describe('a response', () => {
  test('in chunks, with extensions and trailers', () => {
    const seen = read([bytes(CHUNKED)])
    expect(seen).toMatchObject({ body: 'abc0123456789abcdef', trailers: ['T', '9', 'U', ''], rest: 0, isComplete: true, keepsAlive: true })
    expect(seen.heads).toEqual([{ status: 200, reason: 'OK', headers: ['A', '1', 'Transfer-Encoding', 'chunked'], httpVersion: '1.1' }])
  })

  test('with a length; what follows is not taken', () => {
    expect(read([bytes(`${LENGTH}HTTP/1.1 200`)])).toMatchObject({ body: 'hello', isComplete: true, rest: 12, trailers: [] })
  })

  test('until the end of the connection', () => {
    const text = bytes('HTTP/1.1 200 OK\r\n\r\nabc')
    expect(read([text])).toMatchObject({ body: 'abc', isComplete: false, keepsAlive: false })
    expect(read([text], { ended: true })).toMatchObject({ body: 'abc', isComplete: true, keepsAlive: false })
    expect(read([bytes(LENGTH).subarray(0, -1)], { ended: true }).isComplete).toBe(false)
    expect(read([bytes(CHUNKED).subarray(0, -1)], { ended: true }).isComplete).toBe(false)
  })

  test('without a body: HEAD, 204, 304', () => {
    expect(read([bytes(LENGTH).subarray(0, -5)], { isHead: true })).toMatchObject({ body: '', isComplete: true })
    for (const status of ['204 No Content', '304 Not Modified']) {
      expect(read([bytes(`HTTP/1.1 ${status}\r\nContent-Length: 5\r\n\r\n`)])).toMatchObject({ isComplete: true, error: false })
    }
  })

  test('behind others that only inform', () => {
    const seen = read([bytes(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${LENGTH}`)])
    expect(seen.heads.map(({ status }) => status)).toEqual([100, 103, 404])
    expect(seen).toMatchObject({ body: 'hello', isComplete: true })
  })

  test.each([
    ['HTTP/1.1', '', true],
    ['HTTP/1.1', 'Connection: close\r\n', false],
    ['HTTP/1.1', 'Connection: foo, Close\r\n', false],
    ['HTTP/1.0', '', false],
    ['HTTP/1.0', 'Connection: keep-alive\r\n', true],
  ])('%s with %j: the connection stays: %s', (version, field, stays) => {
    expect(read([bytes(`${version} 200 OK\r\n${field}Content-Length: 0\r\n\r\n`)]).keepsAlive).toBe(stays)
  })

  test.each([CHUNKED, LENGTH, `HTTP/1.1 100 Continue\r\n\r\n${CHUNKED}`, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'])(
    'every split gives the same: %j',
    (text) => {
      const all = bytes(text)
      const whole = read([all])
      expect(read(eachByte(all))).toEqual(whole)
      for (let first = 0; first <= all.length; first++) {
        for (let second = first; second <= all.length; second += 3) {
          const seen = read([all.subarray(0, first), all.subarray(first, second), all.subarray(second)])
          if (JSON.stringify(seen) !== JSON.stringify(whole)) expect.fail(`split at ${first} and ${second}: ${JSON.stringify(seen)}`)
        }
      }
    },
  )
})

describe('what is no response', () => {
  test.each([
    'SSH-2.0-OpenSSH\r\n\r\n',
    'HTTP/1.1 099 Odd\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA : space\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\nB: c\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: \0\r\n\r\n',
    'HTTP/1.1 200 O\rK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nbad trailer\r\n\r\n',
  ])('%j', (text) => {
    expect(read([bytes(text)]).error).toBe(true)
    expect(read(eachByte(bytes(text))).error).toBe(true)
  })

  test('lines and header sections that are too long', () => {
    for (const text of [
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(5_000)}`,
      `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(70_000)}\r\n\r\n`,
    ]) {
      expect(read([bytes(text)]).error).toBe(true)
      expect(read(eachByte(bytes(text))).error).toBe(true)
    }
  })

  test('any bytes, in any pieces: an error or not, the same one way as the other, and nothing else', () => {
    const piece = fc.constantFrom(
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.0 404 \r\n',
      'Content-Length: 3\r\n',
      'Transfer-Encoding: chunked\r\n',
      '\r\n',
      '3\r\n',
      'abc',
      '0\r\n',
      'A: b\r\n',
      '\n',
      '\r',
      ' ',
      ';',
      'x',
      '\0',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(9), { maxLength: 20 }), (pieces, sizes) => {
        const all = bytes(pieces.join(''))
        const parts: Buffer[] = []
        let at = 0
        for (const size of sizes) {
          parts.push(all.subarray(at, at + size))
          at += size
        }
        parts.push(all.subarray(at))
        const whole = read([all])
        const split = read(parts)
        expect({ ...split, rest: 0 }).toEqual({ ...whole, rest: 0 })
      }),
      { numRuns: 3_000, seed: 21 },
    )
  })
})

describe("beside node's own parser", () => {
  let server: Server
  let answer: Buffer = Buffer.alloc(0)
  let port = 0
  beforeAll(async () => {
    server = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(answer))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as { port: number }).port
  })
  afterAll(() => server.close())

  /** What node:http makes of the same bytes; null where it refuses them. */
  function nodeReads(text: Buffer): Promise<{ status: number; headers: string[]; body: string } | null> {
    answer = text
    return new Promise((resolve) => {
      const request = get({ port, host: '127.0.0.1', agent: false }, (response) => {
        let body = ''
        response.setEncoding('latin1')
        response.on('data', (part) => {
          body += part
        })
        response.on('error', () => resolve(null))
        response.on('end', () =>
          resolve(response.complete ? { status: response.statusCode ?? 0, headers: response.rawHeaders, body } : null),
        )
      })
      request.on('error', () => resolve(null))
    })
  }

  test('what is accepted here is accepted there, and means the same', async () => {
    const field = fc.constantFrom(
      'A: b',
      'x-y:  z ',
      'Content-Length: 3',
      'Content-Length: 0',
      'Transfer-Encoding: chunked',
      'Connection: close',
      'Empty:',
      'L: \xe9',
      'B : x',
      'C\x01: y',
    )
    const body = fc.constantFrom(
      '',
      'abc',
      'abcd',
      '3\r\nabc\r\n0\r\n\r\n',
      '1;e\r\na\r\n2\r\nbc\r\n0\r\n\r\n',
      '0\r\nT: 1\r\n\r\n',
      '3\r\nab',
    )
    const status = fc.constantFrom('HTTP/1.1 200 OK', 'HTTP/1.0 200 OK', 'HTTP/1.1 204 No Content', 'HTTP/1.1 500 ', 'HTTP/1.1 299')
    await fc.assert(
      fc.asyncProperty(status, fc.array(field, { maxLength: 4 }), body, async (line, fields, rest) => {
        const text = bytes(`${[line, ...fields].join('\r\n')}\r\n\r\n${rest}`)
        const ours = read([text], { ended: true })
        const theirs = await nodeReads(text)
        if (ours.error || !ours.isComplete || ours.rest > 0) return
        const [head] = ours.heads
        expect({ status: head?.status, headers: head?.headers, body: ours.body }).toEqual(theirs)
      }),
      { numRuns: 300, seed: 8 },
    )
  })
})
