// Colours of a terminal by how many it has; with none every function gives the text back unchanged.
import { PHASE_COLOURS } from '@longpole/model/conventions/palette'
import type { PhaseId } from '@longpole/model/phase'
import pc from 'picocolors'

type Colour = (text: string) => string

export interface Paint {
  hasColours: boolean
  bold: Colour
  dim: Colour
  inverse: Colour
  ok: Colour
  warn: Colour
  bad: Colour
  /** In the colour that the phase has on the page and on every board. */
  phase(id: string, text: string): string
}

/** `bits`: colour depth as `tty.WriteStream.getColorDepth` tells it: 1, 4, 8 or 24. */
export function createPaint(bits: number): Paint {
  const { bold, dim, inverse, green, yellow, red, blue } = pc.createColors(bits > 1)
  return {
    hasColours: bits > 1,
    bold,
    dim,
    inverse,
    ok: green,
    warn: yellow,
    bad: red,
    phase: (id, text) =>
      bits > 4 ? `\u001B[38;${colourCode(PHASE_COLOURS[id as PhaseId] ?? '#9CA3AF', bits)}m${text}\u001B[39m` : blue(text),
  }
}

/** SGR parameters of a colour (ECMA-48, ITU-T T.416): direct, or the nearest of the 6 × 6 × 6 cube. */
function colourCode(hex: string, bits: number): string {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number]
  if (bits >= 24) return `2;${red};${green};${blue}`
  const step = (value: number) => Math.round((value / 255) * 5)
  return `5;${16 + 36 * step(red) + 6 * step(green) + step(blue)}`
}
