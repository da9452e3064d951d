// Run by `npm run lock`. A registry mirror may lack packages for platforms nobody here uses; npm then drops them from the
// lock file, and `npm ci` refuses a lock that does not mention every optional dependency. This puts the entries back.
import { readFileSync, writeFileSync } from 'node:fs'

const FILE = 'package-lock.json'
const lock = JSON.parse(readFileSync(FILE, 'utf8'))
const added = []

for (const [parentPath, parent] of Object.entries({ ...lock.packages })) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const hoisted = `node_modules/${name}`
    if (lock.packages[hoisted] || lock.packages[`${parentPath}/node_modules/${name}`] || !/^\d/.test(version)) continue
    const os = name.match(/(android|darwin|linux|win32|freebsd|openbsd|netbsd|sunos|aix|openharmony)/)?.[1]
    const cpu = name.match(/(x64|arm64|arm|ia32|ppc64|riscv64|s390x|mips64el|loong64)/)?.[1]
    lock.packages[hoisted] = {
      version,
      optional: true,
      ...(parent.dev && { dev: true }),
      ...(os && { os: [os] }),
      ...(cpu && { cpu: [cpu] }),
      ...(name.includes('musl') && { libc: ['musl'] }),
    }
    added.push(`${name}@${version}`)
  }
}

lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
for (const entry of Object.values(lock.packages)) delete entry.resolved_from
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`package-lock.json: ${added.length} platform packages put back`)
