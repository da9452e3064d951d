// Plain fetch against any OpenAI-compatible server, with tracing started by one call and spans flushed at the end.
//   BASE_URL=http://127.0.0.1:8000/v1 MODEL=your-model node examples/fetch/main.ts
import { formatOverhead, instrumentFetch } from '@longpole/sdk'
import { startTracing } from '@longpole/sdk/node'

const tracing = startTracing({ serviceName: 'fetch-example' })
const tracedFetch = instrumentFetch(fetch, { provider: 'vllm' })

const response = await tracedFetch(`${process.env.BASE_URL ?? 'http://127.0.0.1:8000/v1'}/chat/completions`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    model: process.env.MODEL ?? 'default',
    messages: [{ role: 'user', content: 'Say what a long pole is.' }],
    max_tokens: 64,
    stream: true,
    stream_options: { include_usage: true },
  }),
})
for await (const bytes of response.body ?? []) process.stdout.write(bytes)
console.log(formatOverhead())
await tracing.shutdown()
