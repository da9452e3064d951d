// Verdicts of many simulated incidents as the figures of docs/alerting.md: recall and precision of pages, time to the page, and what the
// pages said.
import type { CaseVerdict, PageVerdict } from './verdict.ts'

export function summarize(verdicts: readonly CaseVerdict[]): string {
  const must = verdicts.flatMap((verdict) => verdict.mustPage.map((entry) => ({ verdict, ...entry })))
  const paged = must.filter((entry) => entry.paged !== null)
  const pages = verdicts.flatMap((verdict) => verdict.pages.map((page) => ({ verdict, ...page })))
  const deserved = pages.filter(({ isDeserved }) => isDeserved)
  const localized = deserved.filter(({ isLocalized }) => isLocalized)
  const wrong = localized.filter((page) => !(page.phaseRight && page.sliceRight))
  const onsets = localized.flatMap(({ onsetError }) => (onsetError === null ? [] : [Math.abs(onsetError)]))
  const minutes = paged.map((entry) => entry.paged as number)
  const rows: [string, string][] = [
    ['incidents simulated', `${verdicts.length}, ${sum(verdicts.map(({ requests }) => requests))} requests`],
    ['must be paged and are', share(paged.length, must.length)],
    ['pages that are deserved', share(deserved.length, pages.length)],
    ['minutes to the page, p50 and p95', `${quantile(minutes, 0.5)} and ${quantile(minutes, 0.95)}`],
    ['a localized cause in the page', share(localized.length, deserved.length)],
    ['right phase', share(count(localized, 'phaseRight'), localized.length)],
    ['right phase and right slice, first', share(localized.length - wrong.length, localized.length)],
    ['right slice among the first three', share(count(localized, 'inTopThree'), localized.length)],
    ['wrong ones that say low or medium', share(wrong.filter(({ confidence }) => confidence !== 'high').length, wrong.length)],
    ['seconds of error of the onset, p50 and p95', `${quantile(onsets, 0.5)} and ${quantile(onsets, 0.95)}`],
    [
      'pages with an empty field or one that could not be expanded',
      String(pages.filter(({ brokenFields }) => brokenFields.length > 0).length),
    ],
  ]
  const lines = [
    '| what | result |',
    '|---|---|',
    ...rows.map(([what, result]) => `| ${what} | ${result} |`),
    '',
    'Missed:',
    ...must
      .filter((entry) => entry.paged === null)
      .map(({ verdict, model, slo, minutes: above, badRatio }) => `- ${name(verdict)}: ${model}, ${slo} ${badRatio} bad for ${above} min`),
    '',
    'Undeserved:',
    ...pages
      .filter(({ isDeserved }) => !isDeserved)
      .map(({ verdict, alert, cluster, model, minutes: at }) => `- ${name(verdict)}: ${alert} ${cluster} ${model} after ${at} min`),
    '',
    'Without the culprit, or with another:',
    ...deserved
      .filter((page) => !(page.isLocalized && page.phaseRight && page.sliceRight))
      .map(
        ({ verdict, alert, phaseRight, sliceRight, cause }) =>
          `- ${name(verdict)}: ${alert}, phase ${said(phaseRight)}, slice ${said(sliceRight)}: ${cause}`,
      ),
    '',
    '| incident | must be paged | paged after min | alert | phase | slice | tickets |',
    '|---|---|---|---|---|---|---|',
    ...verdicts.map(row),
  ]
  return `${lines.join('\n')}\n`
}

function row(verdict: CaseVerdict): string {
  const { pages, mustPage, tickets } = verdict
  const [first] = pages
  const cells = [
    name(verdict),
    mustPage.length === 0 ? 'no' : `${mustPage.map(({ slo, badRatio }) => `${slo} ${badRatio}`).join(', ')}`,
    first === undefined ? '–' : String(first.minutes),
    first?.alert ?? '–',
    first === undefined ? '–' : said(first.phaseRight),
    first === undefined ? '–' : said(first.sliceRight),
    tickets.filter((ticket) => !ticket.startsWith('LLMSLO')).join(', ') || '–',
  ]
  return `| ${cells.join(' | ')} |`
}

function name({ given }: CaseVerdict): string {
  return `${given.fault ?? 'healthy'} ${given.shape} ${given.rate}/s seed ${given.seed}`
}

function said(isRight: boolean | null): string {
  return isRight === null ? 'none' : isRight ? 'right' : 'wrong'
}

function count(pages: readonly PageVerdict[], key: 'phaseRight' | 'inTopThree'): number {
  return pages.filter((page) => page[key] === true).length
}

function share(part: number, whole: number): string {
  return whole === 0 ? `${part} of 0` : `${part} of ${whole} (${((100 * part) / whole).toFixed(0)} %)`
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** By nearest rank, one decimal. */
export function quantile(values: readonly number[], q: number): string {
  if (values.length === 0) return '–'
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] as number).toFixed(1)
}
