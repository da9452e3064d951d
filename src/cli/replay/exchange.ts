// One recorded HTTP exchange (`*.sse.jsonl`): first line the request, the response's head and moments in milliseconds, then one line a
// chunk with its arrival time. Two writers made the captures; both layouts are read.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { InputError } from '../input-error.ts'

const headersSchema = z.array(z.tuple([z.string(), z.string()]))

const headSchema = z.object({
  request: z.object({
    method: z.string(),
    path: z.string().startsWith('/'),
    headers: z.record(z.string(), z.string()),
    body: z.unknown(),
  }),
  response: z
    .object({
      status_line: z.string().nullish(),
      status: z.number().nullish(),
      headers: headersSchema.nullish(),
      t_headers_ms: z.number().nullish(),
      t_end_ms: z.number().nullish(),
    })
    .nullish(),
  start_unix_ns: z.number().nullish(),
  sent_ms: z.number().nullish(),
  headers_ms: z.number().nullish(),
  end_ms: z.number().nullish(),
  aborted_ms: z.number().nullish(),
})

const chunkSchema = z.object({ t_ms: z.number(), bytes: z.string() })

export interface RecordedExchange {
  file: string
  /** Unix milliseconds; null where the writer did not keep it. */
  startUnixMs: number | null
  method: string
  path: string
  requestHeaders: Record<string, string>
  requestBody: string
  status: number
  responseHeaders: [string, string][]
  /** Milliseconds after the request was sent; null where no response came. */
  headersMs: number | null
  chunks: { atMs: number; bytes: string }[]
  endMs: number
  /** The client left then; null where it stayed. */
  abortedMs: number | null
}

/** Throws InputError naming the file and line where it is not a recorded exchange. */
export function readExchange(file: string): RecordedExchange {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  const head = parseLine(file, 1, lines[0], headSchema)
  const chunks = lines.slice(1).map((line, index) => parseLine(file, index + 2, line, chunkSchema))
  const sent = head.sent_ms ?? 0
  const after = (moment: number | null | undefined) => (moment == null ? null : Math.max(0, moment - sent))
  const lastChunk = chunks.at(-1)?.t_ms ?? null
  // A client that left before the answer began kept no head of one.
  const isAnswered = head.response?.status != null || head.response?.status_line != null
  return {
    file,
    startUnixMs: head.start_unix_ns == null ? null : head.start_unix_ns / 1e6,
    method: head.request.method,
    path: head.request.path,
    requestHeaders: head.request.headers,
    requestBody: typeof head.request.body === 'string' ? head.request.body : JSON.stringify(head.request.body ?? {}),
    status: head.response?.status ?? Number(/^HTTP\/\S+ (\d{3})/.exec(head.response?.status_line ?? '')?.[1] ?? 200),
    responseHeaders: head.response?.headers ?? [],
    headersMs: isAnswered ? after(head.headers_ms ?? head.response?.t_headers_ms ?? chunks[0]?.t_ms ?? 0) : null,
    chunks: chunks.map((chunk) => ({ atMs: after(chunk.t_ms) ?? 0, bytes: chunk.bytes })),
    endMs: after(head.end_ms ?? head.response?.t_end_ms ?? lastChunk) ?? 0,
    abortedMs: after(head.aborted_ms) ?? (isAnswered ? null : after(head.end_ms)),
  }
}

function parseLine<Schema extends z.ZodType>(file: string, line: number, text: string | undefined, schema: Schema): z.output<Schema> {
  let value: unknown
  try {
    value = JSON.parse(text ?? '')
  } catch {
    throw new InputError(`${file}:${line}: expected a JSON object of a recorded exchange, got ${JSON.stringify((text ?? '').slice(0, 60))}`)
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new InputError(`${file}:${line}: ${issue?.path.join('.') || 'line'}: ${issue?.message ?? 'not a recorded exchange'}`)
}
