// The plain first page: live requests as waterfalls of their phases, open ones growing. Written on the server as HTML and SVG (the
// policy allows no inline style), so that it needs no build; the script only fetches the list again.
import type { ApiOpenRequest, ApiRequest } from '@longpole/model/api'
import { isPhaseId, PHASES, type PhaseId } from '@longpole/model/phase'

const MAX_ROWS = 60
const MAX_OPEN_ROWS = 30
const BAR_WIDTH = 1_000
const BAR_HEIGHT = 16
/** A bar shorter than this cannot be seen. */
const MIN_BAR = 0.6

const TITLES = new Map<string, string>(PHASES.map((phase) => [phase.id, phase.title]))

export interface PageData {
  open: readonly ApiOpenRequest[]
  recent: readonly ApiRequest[]
}

export function renderPage(data: PageData, version: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Longpole</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="page.css">
<script src="page.js" defer></script>
</head>
<body>
<header><h1>Longpole</h1><p>Live requests, phase by phase. <a href="api/v1/openapi.json">API</a> · <a href="metrics">metrics</a> · ${escapeHtml(version)}</p></header>
<p id="status" role="status"></p>
<main id="live" aria-live="off">
${renderList(data)}
</main>
</body>
</html>
`
}

/** What the script puts into the page once a second. */
export function renderList({ open, recent }: PageData): string {
  if (open.length === 0 && recent.length === 0) return renderEmpty()
  const oldestFirst = [...open].sort((a, b) => b.age_seconds - a.age_seconds)
  const shownOpen = oldestFirst.slice(0, MAX_OPEN_ROWS)
  const shown = recent.slice(0, MAX_ROWS)
  const scale = axisSeconds([...shownOpen.map((request) => request.age_seconds), ...shown.map((request) => request.e2e ?? 0)])
  const present = new Set<string>([
    ...shown.flatMap((request) => request.phases.map((phase) => phase.phase)),
    ...shownOpen.map((request) => request.phase),
  ])
  return `${renderLegend(present)}
<table>
<thead><tr><th scope="col">Request</th><th scope="col">Model</th><th scope="col">Replica</th><th scope="col" class="n">Tokens in / out</th><th scope="col" class="n">TTFT</th><th scope="col" class="n">Total</th><th scope="col" class="wide">0 … ${formatSeconds(scale)}</th></tr></thead>
<tbody>
${shownOpen.map((request) => renderOpen(request, scale)).join('\n')}
${oldestFirst.length > shownOpen.length ? `<tr><td colspan="7">and ${oldestFirst.length - shownOpen.length} more in flight</td></tr>` : ''}
${shown.map((request) => renderSettled(request, scale)).join('\n')}
</tbody>
</table>`
}

function renderEmpty(): string {
  return `<section class="empty">
<h2>No requests yet</h2>
<p>The hub is up and waits for telemetry. Next, one of:</p>
<ul>
<li>put a sidecar before an inference server and send requests through it: <code>longpole sidecar --upstream http://127.0.0.1:8000 --listen 127.0.0.1:8001 --hub http://127.0.0.1:4318</code></li>
<li>point any OpenTelemetry exporter at this hub: <code>OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318</code></li>
<li>see what is missing: <code>longpole doctor</code></li>
</ul>
</section>`
}

function renderLegend(present: ReadonlySet<string>): string {
  const items = PHASES.filter((phase) => present.has(phase.id)).map(
    ({ id, title }) =>
      `<li><svg class="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect class="${phaseClass(id)}" width="10" height="10"/></svg>${escapeHtml(title)}</li>`,
  )
  return `<ul class="legend">${items.join('')}</ul>`
}

function renderOpen(request: ApiOpenRequest, scale: number): string {
  const title = `${titleOf(request.phase)}, ${formatSeconds(request.age_seconds)} so far`
  const bar = rectangle(request.phase, 0, request.age_seconds, scale, title, 'open')
  const late = request.late.length === 0 ? '' : ` <strong class="bad">late: ${escapeHtml(request.late.join(', '))}</strong>`
  return renderRow({
    name: request.request_id || request.trace_id,
    state: `<span class="open">open</span>${late}`,
    model: request.model,
    replica: request.replica,
    tokens: '',
    ttft: '',
    total: formatSeconds(request.age_seconds),
    bars: bar,
  })
}

function renderSettled(request: ApiRequest, scale: number): string {
  let start = 0
  const bars = request.phases.map((phase) => {
    const error = phase.error_seconds === null ? '' : ` ± ${formatSeconds(phase.error_seconds)}`
    const title = `${titleOf(phase.phase)} ${formatSeconds(phase.seconds)}${error} (${phase.exactness}; ${phase.source})`
    const bar = rectangle(phase.phase, start, phase.seconds, scale, title, phase.exactness)
    start += phase.seconds
    return bar
  })
  const failed = request.outcome === 'ok' ? '' : ` ${escapeHtml(request.error_class ?? '')}`
  return renderRow({
    name: request.request_id ?? request.trace_id,
    link: `api/v1/requests/${encodeURIComponent(request.record_id)}`,
    state: `<span class="${request.outcome === 'ok' ? 'ok' : 'bad'}">${escapeHtml(request.outcome)}${failed}</span>`,
    model: request.model,
    replica: request.replica,
    tokens: `${request.prompt_tokens ?? '–'} / ${request.output_tokens ?? '–'}`,
    ttft: request.ttft === null ? '–' : formatSeconds(request.ttft),
    total: request.e2e === null ? '–' : formatSeconds(request.e2e),
    bars: bars.join(''),
  })
}

interface Row {
  name: string
  link?: string
  state: string
  model: string | null
  replica: string | null
  tokens: string
  ttft: string
  total: string
  bars: string
}

function renderRow({ name, link, state, model, replica, tokens, ttft, total, bars }: Row): string {
  const short = escapeHtml(name.length > 14 ? `${name.slice(0, 13)}…` : name)
  const shown = link === undefined ? short : `<a href="${escapeHtml(link)}">${short}</a>`
  return `<tr><td>${shown} ${state}</td><td>${cut(model)}</td><td>${cut(replica)}</td><td class="n">${tokens}</td><td class="n">${ttft}</td><td class="n">${total}</td><td class="wide"><svg viewBox="0 0 ${BAR_WIDTH} ${BAR_HEIGHT}" preserveAspectRatio="none" role="img">${bars}</svg></td></tr>`
}

function rectangle(phase: string, startSeconds: number, seconds: number, scale: number, title: string, state: string): string {
  const x = (startSeconds / scale) * BAR_WIDTH
  const width = Math.max(seconds > 0 ? MIN_BAR : 0, (seconds / scale) * BAR_WIDTH)
  return `<rect class="${phaseClass(phase)} ${escapeHtml(state)}" x="${x.toFixed(2)}" width="${width.toFixed(2)}" height="${BAR_HEIGHT}"><title>${escapeHtml(title)}</title></rect>`
}

/** Everything on one axis, so that bars can be compared; a round number above the longest. */
function axisSeconds(values: readonly number[]): number {
  const longest = Math.max(0.001, ...values)
  const power = 10 ** Math.floor(Math.log10(longest))
  return ([1, 2, 5, 10].find((step) => step * power >= longest) ?? 10) * power
}

function titleOf(phase: string): string {
  return TITLES.get(phase) ?? phase
}

function phaseClass(phase: string): string {
  return isPhaseId(phase) ? `p-${(phase satisfies PhaseId).replaceAll(/[._]/g, '-')}` : 'p-unattributed'
}

function formatSeconds(seconds: number): string {
  if (seconds >= 100) return `${seconds.toFixed(0)} s`
  if (seconds >= 1) return `${seconds.toFixed(2)} s`
  return `${(seconds * 1_000).toFixed(seconds < 0.01 ? 2 : 0)} ms`
}

function cut(value: string | null): string {
  if (value === null) return '–'
  return escapeHtml(value.length > 32 ? `${value.slice(0, 31)}…` : value)
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string)
}
