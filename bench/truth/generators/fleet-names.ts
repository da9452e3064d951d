// How large the generated fleet is, and what its parts are called.

export const SIZES = {
  regions: 4,
  zones: 12,
  clusters: 24,
  nodes: 192,
  models: 6,
  tenants: 300,
  routes: 8,
  adapters: 30,
  clients: 10,
  gateways: 8,
}
export const name = {
  region: (id: number) => `region-${id}`,
  zone: (id: number) => `zone-${id}`,
  cluster: (id: number) => `cluster-${id}`,
  node: (id: number) => `node-${id}`,
  tenant: (id: number) => `tenant-${id}`,
  route: (id: number) => `/v1/route-${id}`,
  client: (id: number) => `client-${id}`,
  gateway: (id: number) => `gateway-${id}`,
  adapter: (id: number) => (id === 0 ? null : `adapter-${id}`),
  version: (id: number) => `0.${id}`,
  sdkVersion: (sdk: number, id: number) => `sdk${sdk}-${id}`,
  gpu: (id: number) => ['h100', 'h200', 'a100'][id] as string,
  model: (id: number) => `model-${id}`,
  revision: (id: number) => `rev-${id}`,
}
