// Reads a JSON body by a schema; a mistake is answered with the key, what was expected and what came.
import type { Request } from 'express'
import type { z } from 'zod'
import { badInput } from './problem.ts'

export function readBody<Output>(request: Request, schema: z.ZodType<Output>): Output {
  const body: unknown = request.body
  if (body === undefined) throw badInput('body', 'JSON with Content-Type: application/json', request.headers['content-type'])
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const [issue] = result.error.issues as [z.core.$ZodIssue]
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] as string] : issue.path
  const got = path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], body)
  throw badInput(path.length === 0 ? 'body' : path.map(String).join('.'), expectationOf(issue), got)
}

function expectationOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return issue.expected
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(String).join(', ')}`
  if (issue.code === 'unrecognized_keys') return 'no such key'
  return issue.message
}
