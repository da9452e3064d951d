// What a schema wanted, in words: the middle of every sentence about bad YAML, of longpole.yaml and of other files alike.
import type { z } from 'zod'

/** What follows "expected" for this issue. */
export function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(String).join(', ')}`
  if (issue.code === 'invalid_type') return issue.expected
  if (issue.code === 'too_small') return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`
  if (issue.code === 'too_big') return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue.origin)}`
  if (issue.code === 'invalid_union') return [...new Set(issue.errors.flat().map(expectation))].join(' or ')
  return issue.message
}

function unitOf(origin: string): string {
  return origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : ''
}
