// vLLM's `system_fingerprint`, in the last data chunk and in JSON bodies: `vllm-<version>-<8 hex>`, whose hash changes with the model and
// the settings it was started with. Nothing else of a response tells an engine's version.
import type { RequestColumns } from '@longpole/model/request-columns'
import { VLLM } from './spans.ts'

const FINGERPRINT = /^vllm-(\d{1,6}\.[0-9A-Za-z.+]{1,40})-([0-9a-f]{4,16})$/

/** Engine, version and hash of settings; nothing for another server's fingerprint. */
export function readFingerprint(fingerprint: string | null): Partial<RequestColumns> {
  const match = fingerprint === null ? null : FINGERPRINT.exec(fingerprint)
  return match === null ? {} : { engine: VLLM, engine_version: match[1] as string, flags_hash: match[2] as string }
}
