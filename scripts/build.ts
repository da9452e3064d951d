// Builds what is published on its own, @longpole/model and @longpole/sdk, as JavaScript with declarations into dist/packages/<name>:
// `npm run build`, then `npm pack dist/packages/sdk`. In the repository both run from source; what is published needs no type stripping
// and runs on Node 18 and later.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PACKAGES = ['model', 'sdk'] as const

type Exports = Record<string, string>
interface Manifest {
  version: string
  exports: Exports
  sideEffects: boolean | string[]
}

/** Writes one folder a package into `out`, ready for `npm pack`; what was there goes. */
export function buildPackages(out: string): void {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  mkdirSync(join(ROOT, 'dist'), { recursive: true })
  const work = mkdtempSync(join(ROOT, 'dist/build-'))
  try {
    compile(work)
    for (const name of PACKAGES) {
      renameSync(join(work, 'out', name), join(out, name))
      writeManifest(name, out)
      copyFileSync(join(ROOT, 'LICENSE'), join(out, name, 'LICENSE'))
    }
    copyFileSync(join(ROOT, 'src/sdk/README.md'), join(out, 'sdk/README.md'))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function compile(work: string): void {
  const config = {
    extends: join(ROOT, 'tsconfig.base.json'),
    compilerOptions: {
      rootDir: join(ROOT, 'src'),
      outDir: join(work, 'out'),
      target: 'es2022',
      declaration: true,
      typeRoots: [join(ROOT, 'node_modules/@types')],
    },
    include: PACKAGES.map((name) => join(ROOT, 'src', name)),
    exclude: [join(ROOT, 'src/**/*.test.ts'), join(ROOT, 'src/**/testing')],
  }
  const path = join(work, 'tsconfig.json')
  writeFileSync(path, JSON.stringify(config))
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', path], { stdio: 'inherit' })
}

/** The same manifest, with its entries pointing at what was built. */
function writeManifest(name: (typeof PACKAGES)[number], out: string): void {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'src', name, 'package.json'), 'utf8')) as Manifest
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest
  if (manifest.version !== version)
    throw new Error(`src/${name}/package.json: version: expected ${version} as in package.json, got ${manifest.version}`)
  const entries = Object.entries(manifest.exports).map(([entry, path]) => {
    const built = path.replace(/\.ts$/, '')
    return [entry, { types: `${built}.d.ts`, default: `${built}.js` }]
  })
  const sideEffects = Array.isArray(manifest.sideEffects)
    ? manifest.sideEffects.map((path) => path.replace(/\.ts$/, '.js'))
    : manifest.sideEffects
  const published = { ...manifest, exports: Object.fromEntries(entries), sideEffects, files: ['**/*.js', '**/*.d.ts'] }
  writeFileSync(join(out, name, 'package.json'), `${JSON.stringify(published, null, 2)}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildPackages(join(ROOT, 'dist/packages'))
