// SPDX-License-Identifier: GPL-3.0-or-later
/** The API as a client that is not ours sees it: curl, in a process of its own. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openTestHome, type TestHome } from '../support/http-home.ts'

const missing = spawnSync('curl', ['--version']).error ? 'curl is not installed: apt-get install curl' : false

async function curl(...args: readonly string[]): Promise<string> {
  const child = spawn('curl', ['--silent', '--show-error', '--include', '--max-time', '10', ...args])
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part) => {
    text += part
  })
  await once(child, 'close')
  return text
}

const proof = (home: TestHome, method: string, path: string, body?: Uint8Array) => [
  '--header',
  `Authorization: ${home.owner.authorization({ method, path, ...(body && { body }) })}`,
]

describe('the HTTP API with curl', { skip: missing }, () => {
  it('reads a Thing over the unix socket', async () => {
    await using home = await openTestHome()
    const { socketPath } = await home.unix()
    const path = '/things/weather'
    const text = await curl(
      '--unix-socket',
      socketPath,
      ...proof(home, 'GET', path),
      `http://localhost${path}`,
    )
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*application\/td\+json[\s\S]*"title":"weather"/)
  })

  it('sends a sealed command from a file and prints each stage as it comes', async () => {
    await using home = await openTestHome()
    const { socketPath } = await home.unix()
    const path = '/things/porch-light/properties/on'
    const body = home.owner.command({
      device: home.light.id,
      nonce: home.light.nonce,
      affordance: 1,
      value: true,
    })
    const file = join(home.dir, 'command.cose')
    await writeFile(file, body)
    const text = await curl(
      '--unix-socket',
      socketPath,
      ...proof(home, 'PUT', path, body),
      ...['--request', 'PUT', '--header', 'Content-Type: application/cose', '--data-binary', `@${file}`],
      `http://localhost${path}`,
    )
    assert.match(text, /"at-hub"[^\n]*\n[\s\S]*"at-device"[^\n]*\n[\s\S]*"done"/)
  })

  it('keeps HTTP/1.0 and header-only clients to the same rules', async () => {
    await using home = await openTestHome()
    const { socketPath } = await home.unix()
    const path = '/status'
    const old = await curl(
      '--http1.0',
      '--unix-socket',
      socketPath,
      ...proof(home, 'GET', path),
      `http://localhost${path}`,
    )
    assert.match(old, /^HTTP\/1\.1 200 /)
    assert.match(
      await curl('--head', '--unix-socket', socketPath, `http://localhost${path}`),
      /^HTTP\/1\.1 401 /,
    )
  })
})
