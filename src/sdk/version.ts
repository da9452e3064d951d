// Version of the SDK as its instrumentation scope carries it; a test holds it to package.json.
export const VERSION = '0.1.0'
