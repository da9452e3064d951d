// The configuration of the demo's hub: the user's file or the defaults, with a store and a tenants' key of the demo's own.
import { loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'
import { InputError } from '../input-error.ts'
import { freeAddress } from './checks.ts'

/** OTLP addresses that are in use are changed to free ones: the demo's own fleet is told where to send. */
export async function loadDemoConfig(file: string | undefined, directory: string, tenantKey: string): Promise<Config> {
  const wanted = loadConfig({ file })
  refuse('store.url', wanted.store.url !== null, 'a made-up fleet does not belong into a store that others use')
  refuse('auth.tokens', wanted.auth.tokens.length > 0 || wanted.auth.tokenFile !== null, 'the fleet of the demo sends without a token')
  return loadConfig({
    file,
    overrides: {
      store: { data: directory },
      tenants: { key: tenantKey, keyFile: null },
      listen: { otlpHttp: await freeAddress(wanted.listen.otlpHttp), otlpGrpc: await freeAddress(wanted.listen.otlpGrpc) },
    },
  })
}

function refuse(key: string, isSet: boolean, reason: string): void {
  if (isSet) throw new InputError(`${key}: expected nothing in a demo, got a value; ${reason}. Leave it out, or start longpole hub instead`)
}
