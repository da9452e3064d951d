// Texts of a body. Nearly all of them (keys, models, replicas) came a moment ago, so they are made once and found again by their bytes:
// a key first where the item before had one at the same place, then in a direct-mapped table.

const INTERN_BYTES = 40
const INTERN_SLOTS = 8_192
const KEYS_FOLLOWED = 64
const interned: string[] = new Array(INTERN_SLOTS).fill('')

export class TextReader {
  private readonly bytes: Buffer
  /** Keys of the item before, by place. */
  private readonly keys: string[] = []

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  read(start: number, end: number): string {
    return end - start <= INTERN_BYTES ? intern(this.bytes, start, end) : this.bytes.toString('utf8', start, end)
  }

  /** The key of the attribute at `place`. */
  readKey(start: number, end: number, place: number): string {
    if (place >= KEYS_FOLLOWED) return this.read(start, end)
    const before = this.keys[place]
    if (before !== undefined && before.length === end - start && equals(before, this.bytes, start)) return before
    const key = this.read(start, end)
    this.keys[place] = key
    return key
  }
}

function intern(bytes: Buffer, start: number, end: number): string {
  const length = end - start
  if (length === 0) return ''
  // Some bytes stand for all: the text that is found is compared whole.
  let hash = length
  hash = Math.imul(hash, 31) + (bytes[start] as number)
  hash = Math.imul(hash, 31) + (bytes[end - 1] as number)
  hash = Math.imul(hash, 31) + (bytes[end - (length >>> 2) - 1] as number)
  hash = Math.imul(hash, 31) + (bytes[start + (length >>> 1)] as number)
  hash = Math.imul(hash, 31) + (bytes[start + (length >>> 2)] as number)
  hash = Math.imul(hash, 31) + (bytes[Math.max(start, end - 2)] as number)
  const slot = (hash ^ (hash >>> 13)) & (INTERN_SLOTS - 1)
  const known = interned[slot] as string
  if (known.length === length && equals(known, bytes, start)) return known
  const text = bytes.toString('utf8', start, end)
  interned[slot] = text
  return text
}

/** Equal byte for character, which only ASCII text can be: a character above 127 never equals one byte of its own encoding. */
function equals(text: string, bytes: Buffer, start: number): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code > 127 || code !== bytes[start + at]) return false
  }
  return true
}
