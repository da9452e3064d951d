// Says in the terminal what the hub's localizer finds while the demo runs: each finding once when it opens and once when it closes.
import { type Finding, formatSlice } from '@longpole/model/finding'

const POLL_MS = 3_000

/** Returns a function that stops it. */
export function watchFindings(api: string, say: (line: string) => void): () => void {
  const open = new Map<string, string>()
  let isPolling = false
  const poll = async () => {
    if (isPolling) return
    isPolling = true
    try {
      const response = await fetch(`${api}/api/v1/findings?limit=20`)
      if (!response.ok) return
      const { items } = (await response.json()) as { items: Finding[] }
      for (const finding of items) tell(finding)
    } catch {
      // The hub is busy or ending; the next look will tell.
    } finally {
      isPolling = false
    }
  }
  const tell = (finding: Finding) => {
    const sentence = describe(finding)
    if (finding.closed !== null) {
      if (open.delete(finding.id)) say(`  over: ${sentence}`)
    } else if (open.get(finding.id) !== sentence) {
      open.set(finding.id, sentence)
      say(`  Longpole: ${sentence}`)
      say(`            ${api}/why/${encodeURIComponent(finding.id)}`)
    }
  }
  const timer = setInterval(poll, POLL_MS)
  return () => clearInterval(timer)
}

function describe(finding: Finding): string {
  const target = finding.target.slo ?? finding.target.column
  if (finding.verdict === 'workload_shift') return `${target}: the workload changed, nothing is broken (${finding.model ?? 'all models'})`
  const where = formatSlice(finding.slice) || 'the whole fleet'
  const phase = finding.phases[0]?.phase ?? 'an unknown phase'
  const why = finding.mechanism === null ? '' : `, ${finding.mechanism.name}`
  return `${target}: ${phase} of ${where}${why}, ${finding.confidence} confidence`
}
