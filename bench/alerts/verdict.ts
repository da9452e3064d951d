// What the alerts of a simulated incident are worth: who should have been woken and was, which pages woke nobody's incident, and whether
// the page named the phase and the slice.
import { type Finding, formatSlice, type Slice } from '@longpole/model/finding'
import { overlap } from '../../test/metrics/continuous-localizer.ts'
import { type CaseFiring, type CaseResult, firstPages } from './fault-case.ts'
import type { FaultCase } from './incident.ts'

/** Above FastBurn's threshold for so long, and somebody must be woken. */
export const MUST_PAGE_MINUTES = 15
/** Two slices are the same when they share so much of their rows (Jaccard), as in the localizer's own benchmark. */
const SAME_ROWS = 0.9

export interface PageVerdict {
  cluster: string
  model: string
  alert: string
  /** Fault to the first firing evaluation, minutes. */
  minutes: number
  isDeserved: boolean
  cause: string
  isLocalized: boolean
  phaseRight: boolean | null
  sliceRight: boolean | null
  /** The right slice is among the three best findings. */
  inTopThree: boolean | null
  confidence: string | null
  /** Seconds between the page's onset and the fault. */
  onsetError: number | null
  /** Fields that Prometheus left empty or could not expand. */
  brokenFields: string[]
}

export interface CaseVerdict {
  given: FaultCase
  requests: number
  /** Cluster and model that must be paged. */
  mustPage: { cluster: string; model: string; slo: string; minutes: number; badRatio: number; paged: number | null }[]
  pages: PageVerdict[]
  /** Names of the tickets that began after the fault. */
  tickets: string[]
  /** Names of whatever began before it. */
  before: string[]
}

/** `annotations`: those of `firstPages`, in their order. */
export function judgeCase(given: FaultCase, result: CaseResult, annotations: readonly Record<string, string>[]): CaseVerdict {
  const { incident, firings, findingsAt } = result
  const pages = firstPages(incident, firings).map((page, index) => judgePage(result, page, annotations[index] ?? {}, findingsAt(page.from)))
  const worst = new Map(incident.harmed.toReversed().map((harm) => [JSON.stringify([harm.cluster, harm.model]), harm]))
  const own = firings.filter(({ alert }) => alert.labels.family !== 'self')
  return {
    given,
    requests: incident.records.length,
    mustPage: [...worst.values()]
      .filter(({ fastMinutes }) => fastMinutes >= MUST_PAGE_MINUTES)
      .map(({ cluster, model, slo, fastMinutes, badRatio }) => ({
        cluster,
        model,
        slo,
        minutes: fastMinutes,
        badRatio: Number(badRatio.with.toFixed(3)),
        paged: pages.find((page) => page.cluster === cluster && page.model === model)?.minutes ?? null,
      })),
    pages,
    tickets: [
      ...new Set(
        own.filter(({ alert, from }) => alert.labels.channel === 'ticket' && from >= incident.faultAt).map(({ alert }) => alert.alert),
      ),
    ],
    before: [...new Set(own.filter(({ from }) => from < incident.faultAt).map(({ alert }) => alert.alert))],
  }
}

function judgePage({ incident }: CaseResult, page: CaseFiring, text: Record<string, string>, findings: readonly Finding[]): PageVerdict {
  const { cluster = '', model = '', replica } = page.labels
  const { truth, harmed, faultAt } = incident
  // What an alert on engines knows by itself comes before what the localizer found.
  const cause = (text.cause ?? '').replace(/^engine in .*? Localizer: /, '')
  const isLocalized = cause !== '' && !cause.startsWith('not localized')
  const own = findings.filter((finding) => finding.model === model)
  const named = own.find(
    (finding) => cause.includes(` in ${shownSlice(finding.slice, model)}`) && cause.startsWith(finding.phases[0]?.phase ?? 'phase'),
  )
  const rows = incident.records.filter((record) => {
    const start = Number(record.start_unix_ns / 1_000_000n) / 1e3
    return record.model === model && start >= faultAt && start < page.from
  })
  const wanted = truth === null ? [] : [truth.slice, truth.cause, ...truth.victims.map(({ slice }) => slice)]
  const isRight = (slice: Slice) => wanted.some((other) => overlap(rows, slice, other) >= SAME_ROWS)
  const phases = new Set(
    truth === null ? [] : [...truth.phases.map(({ phase }) => phase), ...truth.victims.flatMap((victim) => victim.phases)],
  )
  const judged = isLocalized && truth !== null
  const isCulprit = replica !== undefined && wanted.some(({ replica: replicas }) => replicas?.includes(replica))
  return {
    cluster,
    model,
    alert: page.alert.alert,
    minutes: Math.round((page.from - faultAt) / 6) / 10,
    isDeserved: isCulprit || harmed.some((harm) => harm.cluster === cluster && harm.model === model),
    cause,
    isLocalized,
    phaseRight: judged ? phases.has((cause.split(' in ')[0] ?? '') as never) : null,
    sliceRight: judged ? isCulprit || (named !== undefined && isRight(named.slice)) : null,
    inTopThree: judged ? own.slice(0, 3).some(({ slice }) => isRight(slice)) : null,
    confidence: /confidence (\w+)/.exec(cause)?.[1] ?? null,
    onsetError: named?.onset === null || named === undefined ? null : Date.parse(named.onset.at) / 1_000 - faultAt,
    brokenFields: Object.entries(text)
      .filter(([, value]) => value === '' || /<error expanding|<no value>|%!/.test(value))
      .map(([name]) => name),
  }
}

/** A slice as the page writes it: what is markup elsewhere is a space. */
function shownSlice(slice: Slice, model: string): string {
  const text = formatSlice(slice)
  return text === '' ? `all of model=${model}` : text.replaceAll(/[\p{C}\p{Z}<>&`|*]+/gu, ' ')
}
