// node:http and node:https for processes that must stay small. An ES import of node:http evaluates its lazy `WebSocket` export, which
// loads undici: 9 MB a thread that a proxy never uses. Types are imported from the modules as usual.
export const http = process.getBuiltinModule('node:http')
export const https = process.getBuiltinModule('node:https')
