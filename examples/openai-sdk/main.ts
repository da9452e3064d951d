// The openai package against any OpenAI-compatible server, traced by one line. Start it with
//   OPENAI_BASE_URL=http://127.0.0.1:8000/v1 MODEL=your-model node --import @longpole/sdk/node/register examples/openai-sdk/main.ts
// and look at http://127.0.0.1:7171 (longpole hub) for the phases of the request.
import { formatOverhead, instrumentOpenAI } from '@longpole/sdk'
import OpenAI from 'openai'

const client = instrumentOpenAI(new OpenAI({ apiKey: process.env.OPENAI_API_KEY ?? 'none' }), { dimensions: { example: 'openai-sdk' } })

const stream = await client.chat.completions.create({
  model: process.env.MODEL ?? 'default',
  messages: [{ role: 'user', content: 'Say what a long pole is.' }],
  max_completion_tokens: 64,
  stream: true,
  // Without it servers do not tell how many tokens there were.
  stream_options: { include_usage: true },
})
for await (const part of stream) process.stdout.write(part.choices[0]?.delta.content ?? '')
process.stdout.write(`\n${formatOverhead()}\n`)
