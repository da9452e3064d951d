// Reads records from the hub's API as anyone would.
import type { ApiRequest } from '@longpole/model/api'

/** All records whose request id begins with the prefix, by request id. */
export async function fetchRecords(apiUrl: string, prefix: string): Promise<Map<string, ApiRequest[]>> {
  const records = new Map<string, ApiRequest[]>()
  let cursor: string | null = null
  do {
    const url = new URL('/api/v1/requests', apiUrl)
    url.searchParams.set('limit', '1000')
    if (cursor !== null) url.searchParams.set('cursor', cursor)
    const response = await fetch(url)
    if (!response.ok) throw new Error(`GET ${url.pathname}: HTTP ${response.status} ${(await response.text()).slice(0, 300)}`)
    const page = (await response.json()) as { items: ApiRequest[]; next: string | null }
    for (const record of page.items) {
      const id = record.request_id ?? ''
      if (!id.startsWith(prefix)) continue
      const same = records.get(id)
      if (same) same.push(record)
      else records.set(id, [record])
    }
    cursor = page.next
  } while (cursor !== null)
  return records
}

/** Sum of the series of one metric on an engine's page, 0 where it is not there. */
export function total(page: string, name: string, where = ''): number {
  return page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes(where))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
