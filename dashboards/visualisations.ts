// From the vocabulary of panels.ts to Grafana's builders. Everything that is a matter of taste (legends, fills, colours) is decided here.
import * as barGauge from '@grafana/grafana-foundation-sdk/bargauge'
import * as common from '@grafana/grafana-foundation-sdk/common'
import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  StackingMode,
  TooltipDisplayMode,
  VizOrientation,
} from '@grafana/grafana-foundation-sdk/common'
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard'
import * as heatmaps from '@grafana/grafana-foundation-sdk/heatmap'
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus'
import * as stats from '@grafana/grafana-foundation-sdk/stat'
import * as tables from '@grafana/grafana-foundation-sdk/table'
import * as texts from '@grafana/grafana-foundation-sdk/text'
import * as series from '@grafana/grafana-foundation-sdk/timeseries'
import { OUTCOME_COLOURS, PHASE_COLOURS, QUANTILE_COLOURS } from '@longpole/model/conventions/palette'
import type { Panel, StatPanel, TablePanel, Target, TextPanel, Threshold, TimeSeriesPanel } from './panels.ts'

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' }

type Builder = { build(): dashboard.Panel; gridPos(position: dashboard.GridPos): Builder }

const REF_IDS = 'ABCDEFGHIJKLMNOP'

function query(target: Target, index: number, panel: Panel): prometheus.DataqueryBuilder {
  const builder = new prometheus.DataqueryBuilder()
    .expr(target.expr)
    .refId(REF_IDS[index] as string)
    .datasource(DATASOURCE)
  if (target.legend !== undefined) builder.legendFormat(target.legend)
  if (target.instant === true) builder.instant().format(prometheus.PromQueryFormat.Table)
  else builder.range()
  if (panel.kind === 'heatmap') builder.format(prometheus.PromQueryFormat.Heatmap)
  if (target.exemplar === true) builder.exemplar(true)
  return builder
}

function thresholds(steps: readonly Threshold[] | undefined): dashboard.ThresholdsConfigBuilder {
  const used = steps ?? [{ value: null, colour: 'text' as const }]
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps(used.map(({ value, colour }) => ({ value, color: colour })))
}

const fixed = (colour: string) => ({ id: 'color', value: { mode: 'fixed', fixedColor: colour } })

function coloursOf(panel: TimeSeriesPanel): Record<string, string> {
  if (panel.colourBy === 'phase') return PHASE_COLOURS
  if (panel.colourBy === 'outcome') return OUTCOME_COLOURS
  if (panel.colourBy === 'quantile') return QUANTILE_COLOURS
  return {}
}

function timeSeriesPanel(panel: TimeSeriesPanel): series.PanelBuilder {
  const builder = new series.PanelBuilder()
    .fillOpacity(panel.stack === true ? 70 : 0)
    .lineWidth(panel.stack === true ? 0 : 2)
    .showPoints(common.VisibilityMode.Never)
    .spanNulls(false)
    .tooltip(new common.VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(common.SortOrder.Descending))
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.PaletteClassic))
  const legend = new common.VizLegendOptionsBuilder().placement(LegendPlacement.Bottom)
  if (panel.legend === 'hidden') legend.showLegend(false).displayMode(LegendDisplayMode.List)
  else if (panel.legend === 'table')
    legend.showLegend(true).displayMode(LegendDisplayMode.Table).placement(LegendPlacement.Right).calcs(['mean', 'lastNotNull'])
  else legend.showLegend(true).displayMode(LegendDisplayMode.List)
  builder.legend(legend)
  if (panel.stack === true) builder.stacking(new common.StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
  if (panel.logarithmic === true)
    builder.scaleDistribution(new common.ScaleDistributionConfigBuilder().type(common.ScaleDistribution.Log).log(10))
  for (const [name, colour] of Object.entries(coloursOf(panel))) builder.overrideByName(name, [fixed(colour)])
  if (panel.faded !== undefined) {
    builder.overrideByRegexp(panel.faded, [
      fixed('#9CA3AF'),
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 8] } },
      { id: 'custom.fillOpacity', value: 0 },
      { id: 'custom.lineWidth', value: 1 },
      { id: 'custom.stacking', value: { mode: 'none' } },
    ])
  }
  if (panel.thresholds !== undefined)
    builder.thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Line))
  return builder
}

function statPanel(panel: StatPanel): stats.PanelBuilder {
  const builder = new stats.PanelBuilder()
    .colorMode(panel.background === true ? BigValueColorMode.BackgroundSolid : BigValueColorMode.Value)
    .graphMode(panel.sparkline === true ? BigValueGraphMode.Area : BigValueGraphMode.None)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
  if (panel.mappings !== undefined) {
    const options = Object.fromEntries(
      Object.entries(panel.mappings).map(([value, { text, colour }], index) => [value, { text, color: colour, index }]),
    )
    builder.mappings([{ type: dashboard.MappingType.ValueToText, options }])
  }
  return builder
}

function tablePanel(panel: TablePanel): tables.PanelBuilder {
  const builder = new tables.PanelBuilder().showHeader(true).cellHeight(common.TableCellHeight.Sm)
  for (const column of panel.columns) {
    // What is unknown in one row is not what an empty table means.
    const properties: { id: string; value: unknown }[] = [
      { id: 'displayName', value: column.title },
      { id: 'noValue', value: '–' },
    ]
    if (column.hidden === true) properties.push({ id: 'custom.hidden', value: true })
    if (column.unit !== undefined) properties.push({ id: 'unit', value: column.unit })
    if (column.width !== undefined) properties.push({ id: 'custom.width', value: column.width })
    if (column.thresholds !== undefined) properties.push({ id: 'thresholds', value: thresholds(column.thresholds).build() })
    const cell = { text: 'color-text', background: 'color-background', bar: 'gauge' }[column.cell ?? 'text']
    if (column.cell !== undefined) properties.push({ id: 'custom.cellOptions', value: { type: cell } })
    if (column.link !== undefined)
      properties.push({ id: 'links', value: [{ title: column.link.title, url: column.link.url, targetBlank: false }] })
    builder.overrideByName(column.field, properties)
  }
  const order = Object.fromEntries(panel.columns.map((column, index) => [column.field, index]))
  builder.transformations([
    ...(panel.targets.length > 1 ? [{ id: 'merge', options: {} }] : []),
    { id: 'filterFieldsByName', options: { include: { names: panel.columns.map((column) => column.field) } } },
    { id: 'organize', options: { indexByName: order } },
  ])
  if (panel.sortBy !== undefined)
    builder.sortBy([new common.TableSortByFieldStateBuilder().displayName(panel.sortBy.column).desc(panel.sortBy.descending)])
  return builder
}

function barPanel(): barGauge.PanelBuilder {
  return new barGauge.PanelBuilder()
    .orientation(VizOrientation.Horizontal)
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .valueMode(common.BarGaugeValueMode.Text)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
}

function heatmapPanel(): heatmaps.PanelBuilder {
  return new heatmaps.PanelBuilder()
    .calculate(false)
    .color(
      new heatmaps.HeatmapColorOptionsBuilder()
        .mode(heatmaps.HeatmapColorMode.Scheme)
        .scheme('Viridis')
        .steps(64)
        .reverse(false)
        .exponent(0.5)
        .fill('dark-blue'),
    )
    .cellGap(1)
}

function textPanel(panel: TextPanel): texts.PanelBuilder {
  return new texts.PanelBuilder().mode(texts.TextMode.Markdown).content(panel.markdown).transparent(true)
}

/** A Grafana panel builder for one panel of the vocabulary. */
export function visualise(panel: Panel): Builder {
  if (panel.kind === 'text') return textPanel(panel)
  const builder =
    panel.kind === 'time series'
      ? timeSeriesPanel(panel)
      : panel.kind === 'stat'
        ? statPanel(panel)
        : panel.kind === 'table'
          ? tablePanel(panel)
          : panel.kind === 'bar'
            ? barPanel()
            : heatmapPanel()
  builder
    .title(panel.title)
    .description(panel.description)
    .unit(panel.unit)
    .datasource(DATASOURCE)
    .noValue(panel.noValue)
    .thresholds(thresholds(panel.thresholds))
  for (const [index, target] of panel.targets.entries()) builder.withTarget(query(target, index, panel))
  if (panel.min !== undefined) builder.min(panel.min)
  if (panel.max !== undefined) builder.max(panel.max)
  if (panel.decimals !== undefined) builder.decimals(panel.decimals)
  if (panel.links !== undefined) {
    builder.links(
      panel.links.map(({ title, url }) => new dashboard.DashboardLinkBuilder(title).type(dashboard.DashboardLinkType.Link).url(url)),
    )
  }
  return builder
}
