// Texts that may be kept, made safe: names stay, secrets and prose do not. Used for attribute values, span names and labels.

export const REDACTED = '[redacted]'
const MAX_TEXT = 256

/** Keys, tokens, cookies and mail addresses, wherever in the text they stand. Each alternative is linear: no nested quantifiers. */
const SECRET = new RegExp(
  [
    String.raw`\b(?:sk|pk|rk|key|token)[-_][A-Za-z0-9_-]{8}`,
    String.raw`\b(?:bearer|basic|digest)\s+[A-Za-z0-9+/=._~-]{4}`,
    String.raw`\beyJ[A-Za-z0-9_-]{8}`,
    String.raw`\b(?:AKIA|ASIA)[0-9A-Z]{12}`,
    String.raw`\bgh[pousr]_[A-Za-z0-9]{10}`,
    String.raw`\bxox[abprs]-`,
    String.raw`\bhf_[A-Za-z0-9]{10}`,
    String.raw`\bAIza[A-Za-z0-9_-]{10}`,
    '-----BEGIN',
    String.raw`\b(?:authorization|proxy-authorization|cookie|set-cookie|x-api-key|api[-_]?key|password|passwd|secret|access[-_]?token)\s*["']?\s*[=:]`,
    String.raw`[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}\.[A-Za-z]{2}`,
  ].join('|'),
  'i',
)

const CACHE_ENTRIES = 20_000
let cache = new Map<string, string>()

/** Ids of requests and spans, bare or as engines name them: hexadecimal digits hold none of what SECRET looks for. */
const ID = /^(?:(?:chat)?cmpl-)?[0-9a-f-]{16,64}$/

/** The text, cut; REDACTED where it holds a secret or is prose (line breaks, many words): a name is neither. */
export function safeText(text: string): string {
  if (text.length < 4) return text
  const known = cache.get(text)
  if (known !== undefined) return known
  // Each comes once, so it shall not push out of the cache what comes again and again.
  if (ID.test(text)) return text
  const safe = makeSafe(text)
  if (cache.size >= CACHE_ENTRIES) cache = new Map()
  if (text.length <= MAX_TEXT) cache.set(text, safe)
  return safe
}

function makeSafe(text: string): string {
  const cut = text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text
  if (/[\r\n]/.test(cut) || wordCount(cut) > MAX_WORDS || SECRET.test(cut)) return REDACTED
  return cut
}

/** Names of spans and models have fewer; ranks and ids (`[TP 0]`) are no words. */
const MAX_WORDS = 4

function wordCount(text: string): number {
  return text.includes(' ') ? text.split(' ').filter((word) => /[\p{L}]{3}/u.test(word)).length : 1
}

/** An address without user, query and fragment. */
export function safeUrl(text: string): string {
  if (!/[?#@]/.test(text)) return safeText(text)
  const end = text.search(/[?#]/)
  const plain = end < 0 ? text : text.slice(0, end)
  return safeText(plain.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1'))
}

/** A class of errors is one word; a message is not. */
export function safeClass(text: string): string {
  return /^[\w.$:-]{1,80}$/.test(text) ? safeText(text) : 'other'
}
