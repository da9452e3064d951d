// Columns of values into Arrow vectors, by hand: the builders of apache-arrow look at every value several times, and this is on the
// way of every span. Null, undefined and numbers that are none become null.
import { Bool, type Data, Dictionary, Field, Float64, Int32, Int64, List, makeData, makeVector, Utf8 } from 'apache-arrow'
import type { WireKind } from '../schema/table.ts'

type Values = readonly unknown[]

/** Data of one column, or null where it has no value at all: such a column need not be sent. */
export function encodeColumn(wire: WireKind, values: Values): Data | null {
  const validity = createValidity(values)
  if (validity.nullCount === values.length) return null
  return ENCODERS[wire](values, validity)
}

interface Validity {
  nullCount: number
  /** Undefined where there is no null. */
  bitmap: Uint8Array | undefined
}

const ENCODERS: Record<WireKind, (values: Values, validity: Validity) => Data> = {
  text: (values, { nullCount, bitmap }) => {
    const { bytes, offsets } = encodeStrings(values)
    return makeData({ type: new Utf8(), length: values.length, nullCount, nullBitmap: bitmap, valueOffsets: offsets, data: bytes })
  },
  dictionary: encodeDictionary,
  number: (values, { nullCount, bitmap }) => {
    const data = new Float64Array(values.length)
    for (let index = 0; index < values.length; index++) data[index] = (values[index] as number | null | undefined) ?? 0
    return makeData({ type: new Float64(), length: values.length, nullCount, nullBitmap: bitmap, data })
  },
  instant: (values, { nullCount, bitmap }) => {
    const data = new BigInt64Array(values.length)
    for (let index = 0; index < values.length; index++) data[index] = BigInt.asIntN(64, (values[index] as bigint | null | undefined) ?? 0n)
    return makeData({ type: new Int64(), length: values.length, nullCount, nullBitmap: bitmap, data })
  },
  flag: (values, { nullCount, bitmap }) => {
    const data = new Uint8Array(Math.ceil(values.length / 8))
    for (let index = 0; index < values.length; index++) if (values[index] === true) setBit(data, index)
    return makeData({ type: new Bool(), length: values.length, nullCount, nullBitmap: bitmap, data })
  },
  names: (values) => {
    const flat: string[] = []
    const offsets = new Int32Array(values.length + 1)
    for (let index = 0; index < values.length; index++) {
      const names = values[index] as string[] | null | undefined
      if (names !== null && names !== undefined) for (const name of names) flat.push(name)
      offsets[index + 1] = flat.length
    }
    const child = encodeDictionary(flat, { nullCount: 0, bitmap: undefined })
    const type = new List(new Field('item', child.type, false))
    return makeData({ type, length: values.length, nullCount: 0, valueOffsets: offsets, child })
  },
}

function encodeDictionary(values: Values, { nullCount, bitmap }: Validity): Data {
  const indexes = new Map<string, number>()
  const data = new Int32Array(values.length)
  // The same value often comes several times in a row.
  let last: string | null = null
  let lastIndex = 0
  for (let position = 0; position < values.length; position++) {
    const value = values[position] as string | null | undefined
    if (value === null || value === undefined) continue
    if (value !== last) {
      const known = indexes.get(value)
      lastIndex = known ?? indexes.size
      if (known === undefined) indexes.set(value, lastIndex)
      last = value
    }
    data[position] = lastIndex
  }
  const { bytes, offsets } = encodeStrings([...indexes.keys()])
  const dictionary = makeVector(makeData({ type: new Utf8(), length: indexes.size, nullCount: 0, valueOffsets: offsets, data: bytes }))
  const type = new Dictionary(new Utf8(), new Int32())
  return makeData({ type, length: values.length, nullCount, nullBitmap: bitmap, data, dictionary })
}

/** All strings in one buffer. Text that is all ASCII, as nearly all is, needs no second look at its lengths. */
function encodeStrings(values: Values): { bytes: Uint8Array; offsets: Int32Array } {
  const offsets = new Int32Array(values.length + 1)
  const joined = (values as string[]).join('')
  const bytes = Buffer.from(joined, 'utf8')
  const isAscii = bytes.length === joined.length
  let end = 0
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as string | null | undefined
    if (value !== null && value !== undefined) end += isAscii ? value.length : Buffer.byteLength(value, 'utf8')
    offsets[index + 1] = end
  }
  return { bytes, offsets }
}

function createValidity(values: Values): Validity {
  let nullCount = 0
  let bitmap: Uint8Array | undefined
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    if (value !== null && value !== undefined && !(typeof value === 'number' && !Number.isFinite(value))) continue
    if (bitmap === undefined) {
      bitmap = new Uint8Array(Math.ceil(values.length / 8)).fill(0xff)
    }
    nullCount++
    bitmap[index >> 3] = (bitmap[index >> 3] as number) & ~(1 << (index & 7))
  }
  return { nullCount, bitmap }
}

function setBit(bits: Uint8Array, index: number): void {
  bits[index >> 3] = (bits[index >> 3] as number) | (1 << (index & 7))
}
