// Marks on a time axis: those that stand on one spot become one, and labels that would cover each other go below each other.

export interface Mark {
  /** Unix seconds. */
  at: number
  label: string
  kind: 'onset' | 'change'
}

/** One dashed line with its label, in pixels of the plot. */
export interface PlacedMark {
  x: number
  kind: Mark['kind']
  label: string
  /** Row of the label, from the top; null where there is no room for it any more. */
  row: number | null
  /** Side of the line on which the label stands. */
  side: 'left' | 'right'
}

/** Marks nearer to each other than this cannot be told apart, pixels. */
const MERGE_PIXELS = 4
const LABEL_GAP = 4
const MAX_ROWS = 4
const MAX_CHARACTERS = 40

export interface MarkSpace {
  left: number
  right: number
  /** Place of a time, pixels. */
  placeOf(at: number): number
  widthOf(label: string): number
}

/** Only marks within the plot; the onset keeps a line of its own and the first row. */
export function placeMarks(marks: readonly Mark[], { left, right, placeOf, widthOf }: MarkSpace): PlacedMark[] {
  const inside = marks
    .map((mark) => ({ ...mark, x: placeOf(mark.at) }))
    .filter(({ x }) => x >= left && x <= right)
    .sort((a, b) => Number(b.kind === 'onset') - Number(a.kind === 'onset') || a.x - b.x)
  const rows: { from: number; to: number }[][] = []
  return merge(inside).map(({ x, kind, labels }) => {
    const label = shorten(labels)
    const width = widthOf(label)
    const side = x + LABEL_GAP + width > right && x - LABEL_GAP - width >= left ? 'left' : 'right'
    const from = side === 'right' ? x : x - LABEL_GAP - width
    const to = side === 'right' ? x + LABEL_GAP + width : x
    const free = rows.findIndex((taken) => taken.every((other) => to + LABEL_GAP < other.from || from - LABEL_GAP > other.to))
    const row = free >= 0 ? free : rows.length < MAX_ROWS ? rows.push([]) - 1 : null
    if (row !== null) rows[row]?.push({ from, to })
    return { x, kind, label, row, side }
  })
}

function merge(marks: readonly (Mark & { x: number })[]): { x: number; kind: Mark['kind']; labels: string[] }[] {
  const merged: { x: number; kind: Mark['kind']; labels: string[] }[] = []
  for (const { x, kind, label } of marks) {
    const near = merged.find((other) => other.kind === kind && Math.abs(other.x - x) < MERGE_PIXELS)
    if (near === undefined) merged.push({ x, kind, labels: [label] })
    else near.labels.push(label)
  }
  return merged
}

function shorten(labels: readonly string[]): string {
  const [first = ''] = labels
  const characters = [...first]
  const text = characters.length > MAX_CHARACTERS ? `${characters.slice(0, MAX_CHARACTERS - 1).join('')}…` : first
  return labels.length > 1 ? `${text} and ${labels.length - 1} more` : text
}
