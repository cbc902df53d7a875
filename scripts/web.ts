// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Builds the phone page: daemon/web → .build/web/page.html, one document with everything inside it. Does nothing when
 * that was made from these very sources, so that setup can call it each time.
 */
import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Rolldown } from 'vite'

const ROOT = join(import.meta.dirname, '..')
const WEB = join(ROOT, 'daemon/web')
const OUT = join(ROOT, '.build/web')
/** What the page may be made of (test/house/directions.test.ts), and what makes it. */
const SOURCES = ['daemon/{web,base,core}/**/*', 'schemas/gen/ts/*', 'scripts/web.ts', 'package-lock.json']
/** The first that can turn bytes into base64url by themselves, which every envelope needs. */
const BROWSERS = ['chrome140', 'firefox133', 'safari18.2']

const page = join(OUT, 'page.html')
const stamp = `<!-- ${hashOfSources()} -->`
if (!isFresh()) {
  const html = `${await bundle()}${stamp}\n`
  mkdirSync(OUT, { recursive: true })
  const draft = `${page}.${process.pid}`
  writeFileSync(draft, html)
  renameSync(draft, page)
  console.log(`the phone page: ${html.length} characters`)
}

function isFresh(): boolean {
  try {
    return readFileSync(page, 'utf8').endsWith(`${stamp}\n`)
  } catch {
    return false
  }
}

function hashOfSources(): string {
  const hash = createHash('sha256')
  for (const file of SOURCES.flatMap((glob) => globSync(glob, { cwd: ROOT })).sort()) {
    if (/\.\w+$/.test(file)) hash.update(file).update(readFileSync(join(ROOT, file)))
  }
  return hash.digest('hex')
}

async function bundle(): Promise<string> {
  const built = await build({
    configFile: false,
    root: WEB,
    logLevel: 'warn',
    build: {
      write: false,
      target: BROWSERS,
      modulePreload: false,
      cssCodeSplit: false,
      rollupOptions: { input: join(WEB, 'main.tsx'), output: { codeSplitting: false } },
    },
  })
  const { output } = (Array.isArray(built) ? built[0] : built) as Rolldown.RolldownOutput
  const script = output.find((file) => file.type === 'chunk')
  const style = output.find((file) => file.type === 'asset' && file.fileName.endsWith('.css'))
  if (output.length !== 2 || script?.type !== 'chunk' || style?.type !== 'asset') {
    throw new Error(`the page should be one script and one style, not ${output.map((file) => file.fileName)}`)
  }
  // Inside a document, a script ends at the first end tag, wherever that stands.
  const inside = script.code.trim().replaceAll('</script', '<\\/script')
  return readFileSync(join(WEB, 'page.html'), 'utf8')
    .replace('/*style*/', () => String(style.source).trim())
    .replace('/*script*/', () => inside)
}
