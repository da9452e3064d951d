// Two hundred names that mean harm to a page: markup, addresses, templates, directions, lengths and what databases and spreadsheets take for
// theirs, put together by a seed; and a request that carries one as its model, tenant, route and error through the hub's own receiver.
import { GenAi, Longpole, Otel, ScopeName } from '@longpole/model/conventions/attributes'
import type { Span } from '@longpole/model/span'
import { createRandom } from '../../src/localizer/sampling.ts'

const HACK = 'window.hacked=1'
const PAYLOADS = [
  `<script>${HACK}</script>`,
  `"><img src=x onerror="${HACK}">`,
  `'><svg/onload='${HACK}'>`,
  `javascript:${HACK}`,
  `data:text/html,<script>${HACK}</script>`,
  `';${HACK};//`,
  `</script><script>${HACK}</script>`,
  `</style><svg onload=${HACK}>`,
  `</textarea><iframe srcdoc="<script>parent.hacked=1</script>">`,
  `<a href="javascript:${HACK}" autofocus onfocus="${HACK}">x</a>`,
  `<style>*{display:none}</style>`,
  `<base href="//example.test/">`,
  `<form><button formaction="javascript:${HACK}">x`,
  `{{constructor.constructor("${HACK}")()}}`,
  `\${${HACK}}`,
  `\`-${HACK}-\``,
  '__proto__',
  'constructor',
  'toString',
  "x' OR '1'='1'; DROP TABLE requests; --",
  '=cmd|" /C calc"!A1',
  '../../../../etc/passwd',
  '%3Cscript%3E%00',
  '?from=1&to=2#<b>',
  'url(javascript:1);position:fixed;inset:0',
  '\u202Ertl\u0000\r\nSet-Cookie: a=b',
  '\u2028\u2029\uFEFF',
  'a\u0300\u0301\u0302\u0303\u0304\u0305'.repeat(20),
  '😀'.repeat(50),
  '\u0645\u0631\u062D\u0628\u0627 עולם',
  'W'.repeat(1_500),
  `${'long-'.repeat(300)}end`,
  ' \t ',
  '"}],"x":[{"',
]

/** Every payload alone, then two or three of them joined. */
export function hostileNames(count: number, seed: number): string[] {
  const random = createRandom(seed)
  const any = () => PAYLOADS[Math.floor(random() * PAYLOADS.length)] as string
  return Array.from({ length: count }, (_, index) => {
    const alone = PAYLOADS[index]
    return `${alone ?? [any(), any(), ...(random() < 0.4 ? [any()] : [])].join(['', ' ', '/', '\n'][Math.floor(random() * 4)])}#${index}`
  })
}

/** What a client's SDK would send of a request that failed. */
export function hostileSpan(name: string, index: number): Span {
  const now = BigInt(Date.now()) * 1_000_000n
  return {
    traceId: (index + 1).toString(16).padStart(32, 'a'),
    spanId: (index + 1).toString(16).padStart(16, '0'),
    parentSpanId: '',
    traceState: '',
    flags: 1,
    name: `chat ${name}`,
    kind: 3,
    startUnixNano: now - 2_000_000_000n,
    endUnixNano: now,
    attributes: {
      [Longpole.role]: 'request',
      [Longpole.vantage]: 'client',
      [Longpole.outcome]: 'error',
      [Longpole.errorClass]: name,
      [GenAi.requestModel]: name,
      [Longpole.tenant]: name,
      [Otel.httpRoute]: name,
      [Longpole.replica]: name,
      [Longpole.clientRegion]: name,
    },
    events: [],
    links: [],
    statusCode: 2,
    statusMessage: name,
    resource: { [Otel.serviceName]: name },
    scopeName: ScopeName.sdk,
    scopeVersion: '',
  }
}
