import { describe, expect, test } from 'vitest'
import { parseTrace, scheduleTrace, TraceError } from './trace.ts'

const AZURE = 'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n'
const MOONCAKE = '{"timestamp": 0, "input_length": 1200, "output_length": 5, "hash_ids": [0, 7, 9]}\n'

describe('traces', () => {
  test("Azure's rows keep their times to the microsecond and their lengths", () => {
    const rows = parseTrace('conv.csv', AZURE)
    expect(rows.map(({ promptTokens, outputTokens }) => [promptTokens, outputTokens])).toEqual([
      [374, 44],
      [396, 109],
    ])
    expect(rows[1]?.at).toBeCloseTo(4.314579, 4)
  })

  test("Mooncake's full blocks become the simulator's, a part of a block none", () => {
    const [row] = parseTrace('trace.jsonl', MOONCAKE)
    expect(row?.blocks).toHaveLength(4)
    expect(new Set(row?.blocks).size).toBe(4)
  })

  test('a broken line is refused with file, line and key', () => {
    expect(() => parseTrace('conv.csv', `${AZURE}2023-11-16 18:16:00.1,x,4\n`)).toThrow(
      'conv.csv:4: ContextTokens: expected a number from 0, got "x"',
    )
    expect(() => parseTrace('conv.csv', `${AZURE}noon,1,4\n`)).toThrow(/conv.csv:4: TIMESTAMP/)
    expect(() => parseTrace('conv.csv', 'a,b\n')).toThrow(/conv.csv:1: header: expected a column TIMESTAMP/)
    expect(() => parseTrace('t.jsonl', `${MOONCAKE}{"timestamp":`)).toThrow(/t.jsonl:2: line: expected a JSON object/)
    expect(() => parseTrace('t.jsonl', '{"timestamp":0,"input_length":1,"output_length":1}')).toThrow(
      /hash_ids: expected a list of numbers, got nothing/,
    )
    expect(() => parseTrace('t.jsonl', '')).toThrow(TraceError)
  })

  test('more load is more copies, less is a share; times stay in order and inside the window', () => {
    const rows = Array.from({ length: 600 }, (_, index) => ({ at: index, promptTokens: 1, outputTokens: 1, blocks: null }))
    for (const rate of [0.4, 1, 3.5]) {
      const planned = scheduleTrace(rows, rate, -60, 1200, 3)
      expect(planned.length / 1200).toBeGreaterThan(rate * 0.85)
      expect(planned.length / 1200).toBeLessThan(rate * 1.15)
      expect(planned.every(({ at }, index) => at >= -60 && at < 1140 && (index === 0 || at >= (planned[index - 1]?.at ?? 0)))).toBe(true)
    }
  })
})
