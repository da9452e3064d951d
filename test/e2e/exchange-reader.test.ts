import { describe, expect, test } from 'vitest'
import { ExchangeReader, type ExchangeStamps } from './exchange-reader.ts'

const event = (delta: object) => `data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`

describe('the relay’s reader of exchanges', () => {
  const request = 'POST /v1/chat/completions HTTP/1.1\r\nX-Request-Id: a-1\r\nContent-Length: 4\r\n\r\nbody'
  const response = [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    chunk(event({ role: 'assistant', content: '' })),
    chunk(event({ content: 'é' })),
    chunk(event({ content: '' })) + chunk(event({ content: 'b' })),
    chunk('data: [DONE]\n\n'),
    '0\r\n\r\n',
  ]

  test('stamps the first and last non-empty delta, not the role', () => {
    const done: ExchangeStamps[] = []
    const reader = new ExchangeReader((stamps) => done.push(stamps))
    reader.request(Buffer.from(request), 1)
    for (const [index, part] of response.entries()) reader.response(Buffer.from(part), 10 + index)
    expect(done).toEqual([
      { requestId: 'a-1', requestBegan: 1, requestEnded: 1, headers: 10, status: 200, firstToken: 12, lastToken: 13, ended: 15 },
    ])
  })

  test('byte by byte gives the same order, and two exchanges of one connection stay apart', () => {
    const done: ExchangeStamps[] = []
    const reader = new ExchangeReader((stamps) => done.push(stamps))
    let at = 0
    for (let round = 0; round < 2; round++) {
      for (const byte of Buffer.from(request.replace('a-1', `a-${round}`))) reader.request(Buffer.from([byte]), at++)
      for (const byte of Buffer.from(response.join(''))) reader.response(Buffer.from([byte]), at++)
    }
    expect(done.map(({ requestId }) => requestId)).toEqual(['a-0', 'a-1'])
    for (const { requestBegan, requestEnded, headers, firstToken, lastToken, ended } of done) {
      const stamps = [requestBegan, requestEnded, headers!, firstToken!, lastToken!, ended!]
      expect(stamps).toEqual([...stamps].sort((left, right) => left - right))
      expect(new Set(stamps).size).toBe(6)
    }
  })

  test('a JSON answer with a length and a connection that breaks', () => {
    const done: ExchangeStamps[] = []
    const reader = new ExchangeReader((stamps) => done.push(stamps))
    reader.request(Buffer.from(request + request), 1)
    reader.response(Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}'), 2)
    reader.end(3)
    expect(done).toMatchObject([
      { status: 400, headers: 2, ended: 2, firstToken: null },
      { status: null, ended: 3 },
    ])
  })
})
