// Every question the pages ask, as react-query hooks: one place for keys and refresh rates.
import type {
  ApiAccuracy,
  ApiBreakdown,
  ApiEvent,
  ApiFleet,
  ApiHeatmap,
  ApiOpenRequest,
  ApiRequest,
  ApiRequestDetail,
  ApiSeries,
  ApiSummary,
  ApiVerdict,
  ApiWhyRequest,
  ApiWhyResponse,
  List,
} from '@longpole/model/api'
import type { Finding } from '@longpole/model/finding'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { get, isPassing, post, type Query } from './client.ts'

/** Live pages ask again this often, milliseconds. */
const LIVE_MS = 3_000

/** What is not asked again by itself is, until it was answered once: a hub that restarts must not leave a page without its content. */
const untilAnswered = (every: number | false) => (query: { state: { error: Error | null } }) =>
  every === false && query.state.error !== null && isPassing(query.state.error) ? LIVE_MS : every

function useLive<T>(path: string, query: Query = {}, every: number | false = LIVE_MS, enabled = true) {
  return useQuery({
    queryKey: [path, query],
    queryFn: ({ signal }) => get<T>(path, query, signal),
    refetchInterval: untilAnswered(every),
    placeholderData: keepPreviousData,
    enabled,
  })
}

export const useSummary = () => useLive<ApiSummary>('summary')
export const useOpen = () => useLive<List<ApiOpenRequest>>('open', { limit: 500 }, 2_000)
export const useRecent = (query: Query, live = true) => useLive<List<ApiRequest>>('requests', query, live ? LIVE_MS : false)
export const useFleet = () => useLive<ApiFleet>('fleet', {}, 5_000)
export const useFindings = (query: Query = {}) => useLive<List<Finding>>('findings', query, 5_000)
export const useEvents = (query: Query = {}) => useLive<List<ApiEvent>>('events', query, 10_000)
export const useAccuracy = () => useLive<ApiAccuracy>('accuracy', {}, 30_000)
export const useFinding = (id: string) => useLive<Finding>(`findings/${encodeURIComponent(id)}`, {}, 5_000)
export const useRequest = (id: string) => useLive<ApiRequestDetail>(`requests/${encodeURIComponent(id)}`, {}, false)
export const useHeatmap = (query: Query) => useLive<ApiHeatmap>('heatmap', query, 10_000)
export const useBreakdown = (query: Query) => useLive<ApiBreakdown>('breakdown', query, 10_000)
export const useSeries = (query: Query, enabled = true) => useLive<ApiSeries>('series', query, 10_000, enabled)

/** The comparison of Explore: asked when the selection changes, not on a timer. */
export function useWhy(question: ApiWhyRequest | null) {
  return useQuery({
    queryKey: ['why', question],
    queryFn: () => post<ApiWhyResponse>('why', question),
    enabled: question !== null,
    refetchInterval: untilAnswered(false),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
  })
}

export function useVerdict() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ finding, verdict }: ApiVerdict) => post<ApiVerdict>(`findings/${encodeURIComponent(finding)}/verdict`, { verdict }),
    onSuccess: () => client.invalidateQueries(),
  })
}
