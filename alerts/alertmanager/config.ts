// The Alertmanager configuration: one incident is one page. Pages of a model are one group whatever their objective, tickets of the
// same model are muted while its page lasts, and the watchdog goes to whoever must miss it. For Alertmanager 0.25 and newer.
import { ALERTS } from '../index.ts'

export const RECEIVER_KINDS = ['pagerduty', 'slack', 'webhook', 'email'] as const
export type ReceiverKind = (typeof RECEIVER_KINDS)[number]

export interface AlertmanagerOptions {
  /** Ways to reach a person; a page goes to all of them, a ticket to all but PagerDuty. */
  receivers: readonly ReceiverKind[]
  /** Where the watchdog is sent: `longpole alerts deadman`, or a service outside. */
  deadmanUrl: string
  webhookUrl: string
  emailTo: string
  emailFrom: string
  smtpSmarthost: string
  slackChannel: { page: string; ticket: string }
  /** Folder with one file per secret, so that none is in this file. */
  secretsFolder: string
  /** Overrides for tests on loopback. */
  endpoints?: { pagerduty?: string; slack?: string }
  timing?: Timing
}

export interface Timing {
  groupWait: string
  groupInterval: string
  repeatInterval: string
  watchdogInterval: string
}

export const DEFAULT_ALERTMANAGER: AlertmanagerOptions = {
  receivers: RECEIVER_KINDS,
  deadmanUrl: 'http://127.0.0.1:7172/watchdog',
  webhookUrl: 'http://127.0.0.1:7173/alerts',
  emailTo: 'oncall@example.com',
  emailFrom: 'alertmanager@example.com',
  smtpSmarthost: 'localhost:25',
  slackChannel: { page: '#oncall', ticket: '#llm-tickets' },
  secretsFolder: '/etc/alertmanager/secrets',
}

const DEFAULT_TIMING: Timing = { groupWait: '10s', groupInterval: '5m', repeatInterval: '4h', watchdogInterval: '1m' }

/** Page fields as PagerDuty's details, in the order of the card. */
const DETAILS = [
  'symptom',
  'cause',
  'runner_up',
  'blast_radius',
  'since',
  'changed',
  'slo_status',
  'dashboard_url',
  'console_url',
  'exemplars',
  'action',
  'runbook_url',
  'silence_url',
  'data_quality',
] as const

export function alertmanagerConfig(options: AlertmanagerOptions): Record<string, unknown> {
  const timing = options.timing ?? DEFAULT_TIMING
  return {
    global: {
      resolve_timeout: '5m',
      ...(options.receivers.includes('email')
        ? { smtp_smarthost: options.smtpSmarthost, smtp_from: options.emailFrom, smtp_require_tls: options.endpoints === undefined }
        : {}),
    },
    templates: ['longpole.tmpl'],
    route: route(timing),
    inhibit_rules: INHIBITIONS,
    receivers: [
      { name: 'page', ...receiver('page', options) },
      { name: 'ticket', ...receiver('ticket', options) },
      { name: 'deadman', webhook_configs: [{ url: options.deadmanUrl, send_resolved: false }] },
      { name: 'nobody' },
    ],
  }
}

function route({ groupWait, groupInterval, repeatInterval, watchdogInterval }: Timing): Record<string, unknown> {
  return {
    receiver: 'ticket',
    group_by: ['family', 'cluster', 'model'],
    group_wait: '1m',
    group_interval: '15m',
    repeat_interval: '24h',
    routes: [
      {
        matchers: ['alertname="Watchdog"'],
        receiver: 'deadman',
        group_by: ['alertname'],
        group_wait: '0s',
        group_interval: watchdogInterval,
        repeat_interval: watchdogInterval,
      },
      { matchers: ['alertname="InfoInhibitor"'], receiver: 'nobody' },
      {
        // By model and not by objective: six objectives of one model that fail together are one incident.
        matchers: ['channel="page"'],
        receiver: 'page',
        group_by: ['cluster', 'model'],
        group_wait: groupWait,
        group_interval: groupInterval,
        repeat_interval: repeatInterval,
      },
    ],
  }
}

const named = (...names: string[]) => `alertname=~"${names.join('|')}"`
/** Alerts whose labels know the model but not the cluster. */
const WITHOUT_CLUSTER = ['LLMNetworkPhase']

interface Inhibition {
  source_matchers: string[]
  target_matchers: string[]
  equal: string[]
}

/** Labels that are missing are equal: an alert on a model that nobody knows would mute what watches the path itself. */
function ofOneModel(source: string[], target: string[], equal: string[]): Inhibition {
  return { source_matchers: [...source, 'model!=""'], target_matchers: target, equal }
}

export const INHIBITIONS: readonly Inhibition[] = [
  ofOneModel(['channel="page"', 'family=~"slo|cause"'], ['channel="ticket"', 'family=~"slo|cause"'], ['cluster', 'model']),
  ofOneModel(['channel="page"', 'family=~"slo|cause"'], [named(...WITHOUT_CLUSTER)], ['model']),
  // Objective pages stay in the group: they bring the finding along a few minutes later.
  ofOneModel(
    [named('LLMNoHealthyEngines')],
    ['alertname!~"LLMNoHealthyEngines|LLMSLO.*"', 'family=~"slo|cause|self"'],
    ['cluster', 'model'],
  ),
  ofOneModel([named('LLMEngineDown')], ['family="cause"', 'alertname!="LLMEngineDown"', 'replica!=""'], ['cluster', 'model', 'replica']),
  {
    source_matchers: [named('LLMTelemetryAbsent')],
    target_matchers: [named('LLMTrafficDropped', 'LLMProbeFailing', 'LLMTelemetryGap', 'LLMEngineMetricMissing')],
    equal: [],
  },
  { source_matchers: [named('LLMSidecarBypass')], target_matchers: [named('LLMSpansDropped')], equal: ['instance'] },
  { source_matchers: [named('InfoInhibitor')], target_matchers: ['severity="info"'], equal: ['cluster', 'model'] },
]

function receiver(channel: 'page' | 'ticket', options: AlertmanagerOptions): Record<string, unknown> {
  const builders: Record<ReceiverKind, () => [string, Record<string, unknown>] | null> = {
    pagerduty: () => (channel === 'page' ? ['pagerduty_configs', pagerduty(options)] : null),
    slack: () => ['slack_configs', slack(channel, options)],
    webhook: () => ['webhook_configs', { url: options.webhookUrl, send_resolved: true }],
    email: () => ['email_configs', email(options)],
  }
  const entries = options.receivers.map((kind) => builders[kind]()).filter((entry) => entry !== null)
  return Object.fromEntries(entries.map(([key, value]) => [key, [value]]))
}

function pagerduty({ secretsFolder, endpoints }: AlertmanagerOptions): Record<string, unknown> {
  const text = (name: string) => `{{ template "longpole.field.${name}" . }}`
  return {
    routing_key_file: `${secretsFolder}/pagerduty_routing_key`,
    ...(endpoints?.pagerduty === undefined ? {} : { url: endpoints.pagerduty }),
    description: '{{ template "longpole.summary" . }}',
    severity: 'critical',
    class: '{{ template "longpole.alertnames" . }}',
    group: 'longpole',
    links: [
      { href: text('console_url'), text: 'Why' },
      { href: text('dashboard_url'), text: 'Dashboard' },
      { href: text('runbook_url'), text: 'Runbook' },
    ],
    // Alertmanager fills in lists of raw labels under these two names unless they are given.
    details: {
      ...Object.fromEntries(DETAILS.map((name) => [name, text(name)])),
      firing: '{{ template "longpole.alertnames" . }}',
      resolved: '{{ .Alerts.Resolved | len }}',
    },
  }
}

function slack(channel: 'page' | 'ticket', { secretsFolder, slackChannel, endpoints }: AlertmanagerOptions): Record<string, unknown> {
  return {
    ...(endpoints?.slack === undefined ? { api_url_file: `${secretsFolder}/slack_api_url` } : { api_url: endpoints.slack }),
    channel: slackChannel[channel],
    send_resolved: true,
    color: '{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}',
    title: '{{ template "longpole.summary" . }}',
    title_link: '{{ template "longpole.field.console_url" . }}',
    text: '{{ template "longpole.slack.text" . }}',
    fallback: '{{ template "longpole.summary" . }}',
  }
}

function email({ emailTo }: AlertmanagerOptions): Record<string, unknown> {
  return {
    to: emailTo,
    send_resolved: true,
    headers: { Subject: '{{ template "longpole.summary" . }}' },
    html: '{{ template "longpole.email.html" . }}',
    text: '{{ template "longpole.email.text" . }}',
  }
}

/** Names that the routing speaks of must exist. */
export function unknownAlertNames(): string[] {
  const known = new Set(ALERTS.map(({ name }) => name))
  const mentioned = JSON.stringify(INHIBITIONS).matchAll(/\b(LLM\w+|InfoInhibitor)(?!\w|\.\*)/g)
  return [...mentioned].map((match) => match[1] as string).filter((name) => !known.has(name) && name !== 'LLMSLO')
}
