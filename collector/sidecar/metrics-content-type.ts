// Kept apart from self-metrics.ts, so that the byte thread does not load the metrics library for a string.
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
