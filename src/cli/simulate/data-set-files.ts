// The files of a data set, written while the run goes on: synchronously, for the run never waits and nothing may pile up in memory.
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { ChangeEvent } from '@longpole/model/change-event'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { SimRequest } from '../../simulator/core/request.ts'
import { encodeNdjson } from '../../simulator/output/ndjson.ts'
import { RecordBatch } from '../../simulator/output/record-batch.ts'
import { type Disturbance, disturb } from '../../simulator/spans/disturb.ts'
import { InputError } from '../input-error.ts'

export const FORMATS = ['ndjson', 'arrow', 'otlp'] as const
export type Format = (typeof FORMATS)[number]

export interface DataSetFiles {
  record(request: SimRequest): void
  sample(sample: EngineSample): void
  event(event: ChangeEvent): void
  close(): void
}

interface RecordWriter {
  add(request: SimRequest): void
  end(): void
}

export interface DataSetSettings {
  directory: string
  format: Format
  seed: number
  startUnixNano: bigint
  disturbance: Disturbance
}

export async function openDataSet(settings: DataSetSettings): Promise<DataSetFiles> {
  const { directory } = settings
  const samples = openFile(join(directory, 'samples.ndjson'))
  const events = openFile(join(directory, 'events.ndjson'))
  const records = await WRITERS[settings.format](settings)
  return {
    record: (request) => records.add(request),
    sample: (sample) => samples.write(`${toJson(sample)}\n`),
    event: (event) => events.write(`${toJson(event)}\n`),
    close() {
      records.end()
      samples.close()
      events.close()
    },
  }
}

/** The heavier encoders are loaded only when asked for. */
const WRITERS: Record<Format, (settings: DataSetSettings) => RecordWriter | Promise<RecordWriter>> = {
  ndjson: ndjsonWriter,
  arrow: arrowWriter,
  otlp: otlpWriter,
}

/** `take` gets every batch that is full, and the last one. */
function batchWriter({ seed, startUnixNano }: DataSetSettings, take: (batch: RecordBatch) => void, end: () => void): RecordWriter {
  const batch = new RecordBatch({ seed, startUnixNano })
  const flush = () => {
    if (batch.rows > 0) take(batch)
    batch.clear()
  }
  return {
    add(request) {
      batch.append(request)
      if (batch.isFull) flush()
    },
    end() {
      flush()
      end()
    },
  }
}

function ndjsonWriter(settings: DataSetSettings): RecordWriter {
  const file = openFile(join(settings.directory, 'records.ndjson'))
  return batchWriter(settings, (batch) => file.write(encodeNdjson(batch)), file.close)
}

async function arrowWriter(settings: DataSetSettings): Promise<RecordWriter> {
  const { encodeArrowStream, recordSchema, toArrowBatch } = await import('../../simulator/output/arrow.ts')
  const file = openFile(join(settings.directory, 'records.arrow'))
  const schema = recordSchema()
  const batches: ReturnType<typeof toArrowBatch>[] = []
  const take = (batch: RecordBatch) => void batches.push(toArrowBatch(schema, batch))
  return batchWriter(settings, take, () => {
    file.write(encodeArrowStream(batches))
    file.close()
  })
}

/** Requests whose spans are made at once, and spans of one body. */
const OTLP_REQUESTS = 500
const OTLP_SPANS = 4_000

/** Bodies in the order in which they would reach a hub: `longpole replay` sends them. */
async function otlpWriter({ directory, seed, startUnixNano, disturbance }: DataSetSettings): Promise<RecordWriter> {
  const { encodeSpans } = await import('../../simulator/spans/encode.ts')
  const { requestSpans } = await import('../../simulator/spans/request-spans.ts')
  const { Senders } = await import('../../simulator/spans/senders.ts')
  const senders = new Senders(seed)
  const instant = (seconds: number) => startUnixNano + BigInt(Math.round(seconds * 1e9))
  let requests: SimRequest[] = []
  let pending: ReturnType<typeof disturb> = []
  let files = 0
  const write = (until: number) => {
    const spans = disturb(
      requests.flatMap((request) => requestSpans(request, seed, senders)),
      disturbance,
      seed,
    )
    requests = []
    pending = [...pending, ...spans].sort((a, b) => a.at - b.at)
    const due = pending.filter(({ at }) => at <= until)
    pending = pending.slice(due.length)
    for (let from = 0; from < due.length; from += OTLP_SPANS) {
      const name = `otlp-traces-${String(++files).padStart(5, '0')}.bin`
      writeFileSync(
        join(directory, name),
        encodeSpans(
          due.slice(from, from + OTLP_SPANS).map(({ span }) => span),
          instant,
        ),
      )
    }
  }
  return {
    add(request) {
      // What has not ended sends no span yet.
      if (request.outcome === 'open') return
      requests.push(request)
      if (requests.length >= OTLP_REQUESTS) write(request.endedAt)
    },
    end: () => write(Number.POSITIVE_INFINITY),
  }
}

interface OutputFile {
  write(data: string | Uint8Array): void
  close(): void
}

function openFile(path: string): OutputFile {
  const guard = <T>(act: () => T): T => {
    try {
      return act()
    } catch (error) {
      throw new InputError(`--out: ${path} cannot be written: ${(error as Error).message}`)
    }
  }
  const file = guard(() => openSync(path, 'w'))
  return {
    write: (data) => void guard(() => (typeof data === 'string' ? writeSync(file, data) : writeSync(file, data))),
    close: () => closeSync(file),
  }
}

function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, entry) => (typeof entry === 'bigint' ? String(entry) : entry))
}
