// `npm run bench:alert-cost [-- --models 50]`: what one evaluation of every objective rule costs at fleet size. Six hours of counters and
// rates every 30 s, thirty days of the slow rates, in a real Prometheus; each rule's expression is then one timed instant query.
import { parseArgs } from 'node:util'
import { METRICS } from '@longpole/model/conventions/metrics'
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { SLO_NAMES } from '@longpole/model/slo'
import { alertContext, alertGroups, recordingGroups } from '../../alerts/generate.ts'
import { configSchema } from '../../src/config/schema.ts'
import { createRandom } from './healthy.ts'
import { History, type Series } from './history.ts'

const { values } = parseArgs({ options: { models: { type: 'string', default: '50' }, days: { type: 'string', default: '30' } } })
const MODELS = Number(values.models)
const END = 1_790_000_000 - (1_790_000_000 % 240)
const HOUR = 3_600
const CLASSES = ['1k', '8k', '32k', 'inf']

/** One series of a random walk upwards (a counter) or around a level. */
function points(random: () => number, seconds: number, step: number, isCounter: boolean): [number, number][] {
  const made: [number, number][] = []
  let value = 0
  for (let at = END - seconds; at <= END; at += step) {
    value = isCounter ? value + Math.round(random() * 20) : 1 + random()
    made.push([at, isCounter ? value : Number(value.toFixed(4))])
  }
  return made
}

function* history(): Generator<Series> {
  const random = createRandom(1)
  const slices = Array.from({ length: MODELS }, (_, model) =>
    SLO_NAMES.map((slo) => ({ cluster: 'c1', model: `model-${model}`, slo })),
  ).flat()
  for (const labels of slices) {
    for (const prompt_class of CLASSES) {
      for (const result of ['good', 'bad']) {
        const own = { ...labels, prompt_class, vantage: 'client', result }
        yield { name: METRICS.sloRequestsTotal.name, labels: own, points: points(random, 6 * HOUR, 30, true) }
      }
    }
  }
  for (const name of [
    RECORDINGS.sliBadRate('5m'),
    RECORDINGS.sliTotalRate('5m'),
    RECORDINGS.sliBadRate('2m'),
    RECORDINGS.sliTotalRate('2m'),
  ]) {
    for (const labels of slices) yield { name, labels, points: points(random, 6 * HOUR, 30, false) }
  }
  for (const name of [RECORDINGS.sliBadRate('1h'), RECORDINGS.sliTotalRate('1h')]) {
    for (const labels of slices) yield { name, labels, points: points(random, Number(values.days) * 24 * HOUR, 120, false) }
  }
}

await using store = new History()
const samples = await store.add(history())
console.log(`${MODELS} models, ${SLO_NAMES.length} objectives each, ${samples} samples`)
const context = alertContext(configSchema.parse({}))
const groups = [...recordingGroups(context), ...alertGroups(context)].filter(({ name }) => /slo/.test(name))
await store.range('vector(1)', END, END, 30)
let per30Seconds = 0
for (const { name, interval, rules } of groups) {
  const startedMs = performance.now()
  for (const { expr } of rules) await store.range(expr, END, END, 30)
  const seconds = (performance.now() - startedMs) / 1_000
  const every = interval.endsWith('m') ? Number.parseInt(interval, 10) * 60 : Number.parseInt(interval, 10)
  per30Seconds += (seconds * 30) / every
  console.log(`${name}: ${rules.length} rules, ${seconds.toFixed(2)} s every ${interval}`)
}
console.log(`in all ${per30Seconds.toFixed(2)} s per 30 s`)
