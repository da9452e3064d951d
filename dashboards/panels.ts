// The vocabulary of panels: what a board's author writes. Every panel has a title, a sentence of what it shows, a unit and a text for
// when there is nothing; colours and options are chosen here, once. visualisations.ts turns these into Grafana's own JSON.

/** Grafana unit ids that the boards use. */
export type Unit =
  | 's'
  | 'percentunit'
  | 'short'
  | 'reqps'
  | 'bytes'
  | 'Bps'
  | 'none'
  | 'dateTimeAsIso'
  | 'dateTimeFromNow'
  | 'currencyUSD'
  | 'hertz'
  | 'tokens/s'

export interface Target {
  expr: string
  /** Grafana legend template, `{{phase}}`. */
  legend?: string
  /** One value now instead of a range. */
  instant?: boolean
  /** Ask for exemplars, which link to the request in the console. */
  exemplar?: boolean
}

export interface Threshold {
  /** From this value on; null is the base. */
  value: number | null
  colour: 'green' | 'yellow' | 'orange' | 'red' | 'blue' | 'text'
}

interface PanelBase {
  title: string
  /** What it shows and how to read it, for a tired person. */
  description: string
  unit: Unit
  targets: readonly Target[]
  /** Of 24 columns. */
  width: number
  height?: number
  /** Shown where there is no value; says what that means. */
  noValue: string
  thresholds?: readonly Threshold[]
  min?: number
  max?: number
  decimals?: number
  links?: readonly { title: string; url: string }[]
}

export interface TimeSeriesPanel extends PanelBase {
  kind: 'time series'
  /** Areas that add up. */
  stack?: boolean
  /** Draw as phases: fixed colour by phase id. */
  colourBy?: 'phase' | 'outcome' | 'quantile'
  legend?: 'list' | 'table' | 'hidden'
  /** Logarithmic axis, for quantiles. */
  logarithmic?: boolean
  /** Series whose name matches are dashed and grey: comparisons with the past. */
  faded?: string
}
export interface StatPanel extends PanelBase {
  kind: 'stat'
  sparkline?: boolean
  /** Colour the whole tile. */
  background?: boolean
  /** Values to text, `{ '1': 'up' }`. */
  mappings?: Readonly<Record<string, { text: string; colour: Threshold['colour'] }>>
}
export interface TablePanel extends PanelBase {
  kind: 'table'
  /** Columns in order: field name in the frame → title and unit. Others are hidden. */
  columns: readonly TableColumn[]
  sortBy?: { column: string; descending: boolean }
}
export interface TableColumn {
  /** Label name, or `Value #A` for the value of the first target. */
  field: string
  title: string
  unit?: Unit
  width?: number
  thresholds?: readonly Threshold[]
  /** Colour the cell's text or background by thresholds, or draw a bar. */
  cell?: 'text' | 'background' | 'bar'
  link?: { title: string; url: string }
  /** There for a link only. */
  hidden?: boolean
}
export interface BarPanel extends PanelBase {
  kind: 'bar'
}
export interface HeatmapPanel extends PanelBase {
  kind: 'heatmap'
}
export interface TextPanel {
  kind: 'text'
  markdown: string
  width: number
  height?: number
}

export type Panel = TimeSeriesPanel | StatPanel | TablePanel | BarPanel | HeatmapPanel | TextPanel

type Without<P extends Panel> = Omit<P, 'kind'>

export const timeSeries = (panel: Without<TimeSeriesPanel>): TimeSeriesPanel => ({ kind: 'time series', ...panel })
export const stat = (panel: Without<StatPanel>): StatPanel => ({ kind: 'stat', ...panel })
export const table = (panel: Without<TablePanel>): TablePanel => ({ kind: 'table', ...panel })
export const bar = (panel: Without<BarPanel>): BarPanel => ({ kind: 'bar', ...panel })
export const heatmap = (panel: Without<HeatmapPanel>): HeatmapPanel => ({ kind: 'heatmap', ...panel })
export const text = (panel: Without<TextPanel>): TextPanel => ({ kind: 'text', ...panel })

/** One row of a board. */
export interface Row {
  title: string
  panels: readonly Panel[]
  /** Closed until clicked: for depth that a first look does not need. */
  collapsed?: boolean
}
