// Entry of @longpole/sdk: one line instruments an OpenAI client, a fetch, or any async iterator of chunks.
export { instrumentFetch } from './fetch/instrument-fetch.ts'
export { type IteratorOptions, instrumentIterator } from './iterator/instrument-iterator.ts'
export { instrumentOpenAI } from './openai/instrument-openai.ts'
export type { InstrumentationOptions } from './options.ts'
export { formatOverhead, type Overhead, overhead } from './overhead-report.ts'
export { VERSION } from './version.ts'
