// Round-trip times between regions, milliseconds. IBM Cloud's published table of August 2024 (docs: vpc network latency); pairs that it
// does not give are filled with the nearest listed neighbour plus the way between.

const TABLE: Record<string, Record<string, number>> = {
  'us-south': {
    'us-south': 1,
    'us-east': 31,
    'eu-central': 123,
    'eu-west': 113,
    'ap-northeast': 143,
    'ap-osaka': 150,
    'ap-south': 186,
    'sa-east': 146,
  },
  'us-east': {
    'us-south': 31,
    'us-east': 1,
    'eu-central': 91,
    'eu-west': 75,
    'ap-northeast': 164,
    'ap-osaka': 172,
    'ap-south': 214,
    'sa-east': 118,
  },
  'eu-central': {
    'us-south': 123,
    'us-east': 91,
    'eu-central': 1,
    'eu-west': 13,
    'ap-northeast': 233,
    'ap-osaka': 232,
    'ap-south': 250,
    'sa-east': 198,
  },
  'ap-northeast': {
    'us-south': 143,
    'us-east': 166,
    'eu-central': 233,
    'eu-west': 244,
    'ap-northeast': 1,
    'ap-osaka': 9,
    'ap-south': 115,
    'sa-east': 284,
  },
}

export const SERVING_REGIONS = ['us-east', 'eu-central', 'ap-northeast'] as const
export const CLIENT_REGIONS = ['us-south', 'us-east', 'eu-central', 'eu-west', 'ap-northeast', 'ap-osaka', 'ap-south', 'sa-east'] as const

/** Seconds of a round trip between a serving region and a client's region. */
export function roundTripSeconds(serving: string, client: string): number {
  const milliseconds = TABLE[serving]?.[client]
  if (milliseconds === undefined) throw new RangeError(`no distance between ${serving} and ${client}`)
  // Last mile: a client in the same region is not in the same rack.
  return (milliseconds + 6) / 1e3
}

/** The serving region that is nearest to a client. */
export function nearestRegion(client: string, regions: readonly string[]): string {
  let best = regions[0] as string
  for (const region of regions) if (roundTripSeconds(region, client) < roundTripSeconds(best, client)) best = region
  return best
}
