// Text in a terminal's cells: what comes from outside cannot move the cursor or change colours, and no line is wider than the screen.

/** Control characters, and those that turn the direction of writing or have no glyph of their own. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu
/** Two cells: emoji shown as pictures, and the scripts of East Asia (Unicode Standard Annex 11, wide and fullwidth, in short). */
const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303F\uFF01-\uFF60\uFFE0-\uFFE6]/u
const COMBINING = /^\p{M}$/u

/** The text with a visible mark in place of every character that would do something instead of being shown. */
export function printable(text: string): string {
  return text.toWellFormed().replace(UNPRINTABLE, '·')
}

function cellsOf(character: string): number {
  if (COMBINING.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

/** Cells that a printable text takes. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += cellsOf(character)
  return width
}

/** At most so many cells; what does not fit ends in an ellipsis. */
export function clip(text: string, cells: number): string {
  if (widthOf(text) <= cells) return text
  if (cells <= 0) return ''
  let kept = ''
  let width = 0
  for (const character of text) {
    width += cellsOf(character)
    if (width > cells - 1) break
    kept += character
  }
  return `${kept}…`
}

/** Exactly so many cells, filled up on the right, or on the left for numbers. */
export function justify(text: string, cells: number, alignment: 'left' | 'right' = 'left'): string {
  const clipped = clip(text, cells)
  const space = ' '.repeat(Math.max(0, cells - widthOf(clipped)))
  return alignment === 'left' ? clipped + space : space + clipped
}

/** Lines of at most so many cells, broken between words where there are any. */
export function wrap(text: string, cells: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((part) => pieces(part, cells))) {
    if (line === '') line = word
    else if (widthOf(line) + 1 + widthOf(word) <= cells) line += ` ${word}`
    else {
      lines.push(line)
      line = word
    }
  }
  if (line !== '') lines.push(line)
  return lines
}

/** A word that is wider than a line, in pieces that are not. */
function pieces(word: string, cells: number): string[] {
  if (widthOf(word) <= cells) return [word]
  const parts: string[] = []
  let part = ''
  let width = 0
  for (const character of word) {
    const own = cellsOf(character)
    if (width + own > cells && part !== '') {
      parts.push(part)
      part = ''
      width = 0
    }
    part += character
    width += own
  }
  return part === '' ? parts : [...parts, part]
}
