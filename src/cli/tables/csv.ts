// Comma-separated values with a header line (RFC 4180: quotes may hold commas, quotes and line breaks). An empty cell is missing.
import { createReadStream } from 'node:fs'
import { InputError } from '../input-error.ts'
import type { TableBuilder } from './builder.ts'

const PROGRESS_ROWS = 200_000

/** Splits text into records as it comes. */
export class CsvSplitter {
  private field = ''
  private fields: string[] = []
  private quoted = false
  private afterQuote = false
  private pendingReturn = false

  /** Records that ended within this piece of text. */
  push(text: string): string[][] {
    const records: string[][] = []
    for (let index = 0; index < text.length; index++) {
      const character = text[index] as string
      if (this.pendingReturn) {
        this.pendingReturn = false
        if (character === '\n') continue
      }
      if (this.quoted) this.inQuotes(character)
      else if (character === '"' && (this.field === '' || this.afterQuote)) {
        if (this.afterQuote) this.field += '"'
        this.quoted = true
        this.afterQuote = false
      } else if (character === ',') this.endField()
      else if (character === '\n' || character === '\r') {
        this.pendingReturn = character === '\r'
        this.endRecord(records)
      } else this.field += character
    }
    return records
  }

  private inQuotes(character: string): void {
    if (character !== '"') this.field += character
    else {
      this.quoted = false
      this.afterQuote = true
    }
  }

  private endField(): void {
    this.fields.push(this.field)
    this.field = ''
    this.afterQuote = false
  }

  private endRecord(records: string[][]): void {
    this.endField()
    if (this.fields.length > 1 || this.fields[0] !== '') records.push(this.fields)
    this.fields = []
  }

  finish(): string[][] {
    const records: string[][] = []
    if (this.field !== '' || this.fields.length > 0) this.endRecord(records)
    return records
  }
}

export async function readCsv(file: string, builder: TableBuilder, progress: (rows: number) => void): Promise<void> {
  const splitter = new CsvSplitter()
  let header: string[] | null = null
  const take = (record: string[]) => {
    if (header === null) {
      header = record.map((name, index) => (index === 0 ? name.replace(/^\uFEFF/, '') : name).trim())
      return
    }
    const row = builder.rowCount
    if (record.length !== header.length) {
      throw new InputError(`${file}: record ${row + 1} has ${record.length} cells, the header has ${header.length}`)
    }
    for (let index = 0; index < header.length; index++)
      builder.set(row, header[index] as string, record[index], `${file}: record ${row + 1}`)
    builder.endRow()
    if (builder.rowCount % PROGRESS_ROWS === 0) progress(builder.rowCount)
  }
  for await (const text of createReadStream(file, { encoding: 'utf8' })) for (const record of splitter.push(text as string)) take(record)
  for (const record of splitter.finish()) take(record)
}
