// Puts recordings in place of their names, so that only the base rates must be kept as history: an alert expression then reads those.
import type { RecordingRule } from '../../alerts/rule.ts'

/**
 * The expression with every recording but the kept ones replaced by what it is made of; matchers of the selector move to the names
 * inside. Right for recordings whose labels are those of their sources, as all of the ladder's are.
 */
export function inlineRecordings(expr: string, rules: readonly RecordingRule[], kept: ReadonlySet<string>): string {
  let text = expr
  for (let depth = 0; depth < 6; depth++) {
    let isChanged = false
    for (const { record, expr: body } of rules) {
      if (kept.has(record)) continue
      const pattern = new RegExp(`(?<![\\w:])${record}(?![\\w:])(\\{[^}]*\\})?`, 'g')
      text = text.replaceAll(pattern, (_, matchers: string | undefined) => {
        isChanged = true
        return `(${matchers === undefined ? body : withMatchers(body, matchers)})`
      })
    }
    if (!isChanged) return text
  }
  return text
}

const NAMES = /(?<![\w:$"])((?:slo:|longpole_|model:|model_phase:|replica_phase:)[a-z0-9_:]+)(\{[^}]*\})?/gi

function withMatchers(body: string, matchers: string): string {
  const inner = matchers.slice(1, -1)
  return body.replaceAll(NAMES, (_, name: string, own: string | undefined) => {
    return own === undefined || own === '{}' ? `${name}{${inner}}` : `${name}{${own.slice(1, -1)}, ${inner}}`
  })
}
