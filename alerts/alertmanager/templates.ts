// The notification templates. A group has many alerts; what is shown is the one whose cause is known, and the names of the others.
// Annotations come cleaned from the rules (template.ts); labels, which may hold anything, are never printed.
import { PAGE_FIELDS } from '../page.ts'

const FIELDS = [...PAGE_FIELDS, 'console_url', 'runbook_url', 'summary', 'description'] as const

/** Sets `$best`: the first alert, or the last whose cause is localized. Tickets have no cause and count as first. */
const BEST = `{{ $best := index .Alerts 0 }}{{ range .Alerts }}{{ if .Annotations.cause }}{{ if not (match "^not localized" .Annotations.cause) }}{{ $best = . }}{{ end }}{{ end }}{{ end }}`

const TITLES: Record<(typeof PAGE_FIELDS)[number] | 'console_url' | 'runbook_url', string> = {
  symptom: 'Symptom',
  cause: 'Cause',
  runner_up: 'Second cause',
  blast_radius: 'Blast radius',
  since: 'Since',
  changed: 'What changed',
  slo_status: 'Objective',
  dashboard_url: 'Dashboard',
  exemplars: 'Examples',
  action: 'Do first',
  silence_url: 'Silence',
  data_quality: 'Data quality',
  console_url: 'Why',
  runbook_url: 'Runbook',
}
const CARD = Object.entries(TITLES)

export function notificationTemplates(): string {
  return [
    ...FIELDS.map((name) =>
      define(
        `longpole.field.${name}`,
        `${BEST}{{ with $best.Annotations.${name} }}{{ . }}{{ else }}n/a: this alert does not carry it{{ end }}`,
      ),
    ),
    define(
      'longpole.alertnames',
      '{{ range $index, $alert := .Alerts }}{{ if lt $index 12 }}{{ if $index }}, {{ end }}{{ .Labels.alertname }}{{ with .Labels.slo }} ({{ . }}){{ end }}{{ end }}{{ end }}',
    ),
    // PagerDuty cuts at 1,024 and its own interface at 255: 7 + 110 + 2 + 130 fits.
    define(
      'longpole.summary',
      `${BEST}{{ if ne .Status "firing" }}[ok] {{ end }}{{ with $best.Annotations.symptom }}{{ printf "%.110s" . }}{{ else }}{{ printf "%.110s" $best.Annotations.summary }}{{ end }}{{ with $best.Annotations.cause }}: {{ printf "%.130s" . }}{{ end }}`,
    ),
    define(
      'longpole.slack.text',
      `${BEST}${CARD.map(([name, title]) => `{{ with $best.Annotations.${name} }}*${title}* {{ . }}\n{{ end }}`).join('')}{{ with $best.Annotations.cause }}{{ else }}{{ $best.Annotations.description }}\n{{ end }}_{{ template "longpole.alertnames" . }}_`,
    ),
    define(
      'longpole.email.text',
      `${BEST}{{ $best.Annotations.summary }}\n\n{{ $best.Annotations.description }}\n\n${CARD.map(([name, title]) => `{{ with $best.Annotations.${name} }}${title}: {{ . }}\n{{ end }}`).join('')}\nAlerts: {{ template "longpole.alertnames" . }}`,
    ),
    define(
      'longpole.email.html',
      `${BEST}<!doctype html><html><body style="font-family:sans-serif"><h2>{{ $best.Annotations.summary }}</h2><p>{{ $best.Annotations.description }}</p><table>${CARD.map(([name, title]) => `{{ with $best.Annotations.${name} }}<tr><th align="left" valign="top">${title}</th><td>${isLink(name) ? '<a href="{{ . }}">{{ . }}</a>' : '{{ . }}'}</td></tr>{{ end }}`).join('')}</table><p>Alerts: {{ template "longpole.alertnames" . }}</p></body></html>`,
    ),
  ].join('\n')
}

function isLink(name: string): boolean {
  return name.endsWith('_url')
}

function define(name: string, body: string): string {
  return `{{ define "${name}" }}${body}{{ end }}\n`
}
