// SPDX-License-Identifier: GPL-3.0-or-later
/** Debian's Chromium with a profile of its own that goes when it is closed, and nothing but what a test lets it reach. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'

const PROGRAM = '/usr/bin/chromium'

export const missingChromium = existsSync(PROGRAM) ? false : 'chromium is not installed: sh scripts/setup.sh'

export interface ChromiumOptions {
  /** Of a SOCKS proxy on 127.0.0.1; without it the browser reaches addresses of this machine alone. */
  readonly socksPort?: number
  /** DER of an authority that its owner trusts. */
  readonly ca?: Uint8Array
  /** Names ending in `.local` are this machine, as mDNS would say. */
  readonly local?: boolean
}

export interface TestBrowser extends AsyncDisposable {
  readonly browser: Browser
}

export async function openChromium({ socksPort, ca, local }: ChromiumOptions): Promise<TestBrowser> {
  const home = mkdtempSync(join(tmpdir(), 'chromium-'))
  if (ca) trust(home, ca)
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: join(home, 'config') },
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      // What it asks its makers for by itself, page or no page: whether it is signed in, what is newer. A closed port answers.
      '--gaia-url=http://127.0.0.1:9/',
      '--component-updater=url-source=http://127.0.0.1:9/',
      // No name is looked up but by the proxy.
      `--host-resolver-rules=${local ? 'MAP *.local 127.0.0.1 , ' : ''}MAP * ~NOTFOUND , EXCLUDE 127.0.0.1`,
      ...(socksPort === undefined ? [] : [`--proxy-server=socks5://127.0.0.1:${socksPort}`]),
    ],
  })
  return {
    browser,
    async [Symbol.asyncDispose]() {
      await browser.close()
      rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}

/** As a person does it who takes the home's CA into their browser. */
function trust(home: string, ca: Uint8Array): void {
  const database = join(home, '.pki', 'nssdb')
  mkdirSync(database, { recursive: true })
  const file = join(home, 'ca.der')
  writeFileSync(file, ca)
  const certutil = (...args: string[]) => execFileSync('certutil', ['-d', `sql:${database}`, ...args])
  certutil('-N', '--empty-password')
  certutil('-A', '-t', 'C,,', '-n', 'shallot', '-i', file)
}

/** What the console of a page said that is a complaint, among it every breach of its Content-Security-Policy. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.stack ?? error.message))
  return complaints
}
