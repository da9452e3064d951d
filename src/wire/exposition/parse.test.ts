import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseExposition } from './parse.ts'

describe('parseExposition', () => {
  test('reads names, labels, escapes, values, timestamps, exemplars and types', () => {
    const page = parseExposition(
      [
        '# HELP a b',
        '# TYPE vllm:x counter',
        'vllm:x_total{model_name="m\\"q\\\\z\\n",engine="0"} 1.5e+01 1700000000000',
        'lone 3',
        'spaced { a = "1" , } +Inf',
        'ex_bucket{le="0.5"} 7 # {trace_id="abc"} 0.3 1700000000.1',
        'nan NaN',
        '# EOF',
        'after 1',
      ].join('\n'),
    )
    expect(page.types.get('vllm:x')).toBe('counter')
    expect(page.badLines).toBe(0)
    expect(page.samples.map(({ name, labels, value }) => [name, { ...labels }, value])).toEqual([
      ['vllm:x_total', { model_name: 'm"q\\z\n', engine: '0' }, 15],
      ['lone', {}, 3],
      ['spaced', { a: '1' }, Number.POSITIVE_INFINITY],
      ['ex_bucket', { le: '0.5' }, 7],
      ['nan', {}, Number.NaN],
    ])
  })

  test('skips and counts bad lines and goes on with the next', () => {
    const bad = ['{a="1"} 2', 'x{a=1} 2', 'x{a="1" 2', 'x{a="1"}', 'x{a="1"} two', 'x', '9x 1', 'x{a="1"b="2"} 1', 'x 0x10']
    const page = parseExposition(`${bad.join('\n')}\ngood 1\n`)
    expect(page.badLines).toBe(bad.length)
    expect(page.samples).toHaveLength(1)
  })

  test('a label called __proto__ is a label', () => {
    const [sample] = parseExposition('x{__proto__="polluted"} 1').samples
    expect(Object.entries(sample!.labels)).toEqual([['__proto__', 'polluted']])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('a page without an end stops at the limits and says so', () => {
    const endless = 'x 1\n'.repeat(1_000)
    expect(parseExposition(endless, { samples: 10 })).toMatchObject({ truncated: 'samples', samples: { length: 10 } })
    expect(parseExposition(endless, { characters: 401 })).toMatchObject({ truncated: 'characters', samples: { length: 100 } })
    expect(parseExposition(`y{a="${'a'.repeat(100)}"} 1\nx 1`, { line: 50 })).toMatchObject({ badLines: 1, samples: { length: 1 } })
    const many = Array.from({ length: 5 }, (_, index) => `l${index}="v"`).join(',')
    expect(parseExposition(`x{${many}} 1`, { labels: 4 }).badLines).toBe(1)
  })

  test('samples that nobody wants are left out without reading their labels', () => {
    const page = parseExposition('a{x=broken} 1\nb 2', {}, (name) => name === 'b')
    expect(page.samples.map((sample) => sample.name)).toEqual(['b'])
    expect(page.badLines).toBe(0)
  })

  test('never throws, whatever the text', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom('a{', 'a{b="', '# TYPE', '# TYPE x', 'a{b="\\', 'a 1', '{', '# EOF', 'a{b="c"} 1 # {'),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        const page = parseExposition(lines.join('\n'))
        for (const sample of page.samples) expect(typeof sample.value).toBe('number')
      }),
      { seed: 20261124, numRuns: 500 },
    )
  })

  test('any label value survives being written and read', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.double(), (value, number) => {
        const escaped = value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
        const written = Number.isFinite(number) ? String(number) : Number.isNaN(number) ? 'NaN' : number > 0 ? '+Inf' : '-Inf'
        const [sample] = parseExposition(`x{a="${escaped}"} ${written}`).samples
        expect(sample?.labels.a).toBe(value)
        expect(sample?.value).toEqual(Object.is(number, -0) ? 0 : number)
      }),
      { seed: 20261124, numRuns: 300 },
    )
  })
})
