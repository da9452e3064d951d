// The generated rules in a hurry: every window, `for` and interval divided by one factor, so that hours pass in minutes on real servers.
import { parse, stringify } from 'yaml'

const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const

export function compressRules(yaml: string, factor: number): string {
  const shorter = (duration: string) => {
    const [, amount, unit] = /^(\d+)([smhd])$/.exec(duration) ?? []
    const milliseconds = (Number(amount) * UNITS[unit as keyof typeof UNITS] * 1_000) / factor
    return `${Math.max(1, Math.round(milliseconds))}ms`
  }
  const file = parse(yaml) as { groups: { interval: string; rules: { expr: string; for?: string; keep_firing_for?: string }[] }[] }
  for (const group of file.groups) {
    // Not below half a second: each evaluation must see a new scrape.
    group.interval = `${Math.max(500, Number.parseInt(shorter(group.interval), 10))}ms`
    for (const rule of group.rules) {
      rule.expr = rule.expr
        .replaceAll(/\[(\d+[smhd])\]/g, (_, window: string) => `[${shorter(window)}]`)
        .replaceAll(/offset (\d+[smhd])/g, (_, offset: string) => `offset ${shorter(offset)}`)
      if (rule.for !== undefined && rule.for !== '0s') rule.for = shorter(rule.for)
      if (rule.keep_firing_for !== undefined) rule.keep_firing_for = shorter(rule.keep_firing_for)
    }
  }
  return stringify(file, { lineWidth: 0, aliasDuplicateObjects: false })
}
