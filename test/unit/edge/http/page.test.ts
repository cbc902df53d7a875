// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { preparePage, tellPage } from '../../../../daemon/edge/http/page.ts'
import { ask, begin, lines, openTestHome } from '../../../support/http-home.ts'

const STYLE = 'body{margin:0}'
const SCRIPT = 'document.title="home"'
const PAGE = `<!doctype html><style>${STYLE}</style><script type="module">${SCRIPT}</script>\n`

const open = (page?: string) => openTestHome({}, (home) => home, page)

async function bytesOf(socketPath: string, accept?: string) {
  const headers = accept === undefined ? {} : { 'accept-encoding': accept }
  const { answer } = await begin({ socketPath, path: '/', headers })
  const parts: Buffer[] = []
  for await (const part of answer) parts.push(part)
  return { answer, bytes: Buffer.concat(parts) }
}

describe('the page over HTTP', () => {
  it('is served on / to strangers, plain or packed as they take it', async () => {
    await using home = await open(PAGE)
    const { socketPath } = await home.unix({ origin: 'onion:invitation:phone' })
    const plain = await bytesOf(socketPath)
    const zipped = await bytesOf(socketPath, 'gzip, deflate')
    const brotli = await bytesOf(socketPath, 'gzip, deflate, br')
    assert.equal(plain.answer.headers['content-type'], 'text/html; charset=utf-8')
    assert.equal(plain.bytes.toString(), PAGE)
    assert.equal(gunzipSync(zipped.bytes).toString(), PAGE)
    assert.equal(brotliDecompressSync(brotli.bytes).toString(), PAGE)
  })

  it('allows its own script and style by their hashes, and nothing else', async () => {
    await using home = await open(PAGE)
    const { socketPath } = await home.unix()
    const { answer } = await bytesOf(socketPath)
    const policy = answer.headers['content-security-policy'] as string
    const hash = (text: string) => createHash('sha256').update(text).digest('base64')
    assert.deepEqual(policy.split('; ').slice(0, 4), [
      "default-src 'none'",
      `script-src 'sha256-${hash(SCRIPT)}'`,
      `style-src 'sha256-${hash(STYLE)}'`,
      "connect-src 'self'",
    ])
    assert.doesNotMatch(policy, /unsafe|\*|https?:/)
    // On the LAN it may also ask devices by their own names, and nobody else (SPEC 18).
    const lan = preparePage(PAGE).policy.https
    assert.equal(lan, policy.replace("connect-src 'self'", "connect-src 'self' https://*.local:*"))
    assert.equal(answer.headers['referrer-policy'], 'no-referrer')
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
  })

  it('allows no script at all where there is none', () => {
    const { policy } = preparePage('<!doctype html><p>hello</p>')
    for (const each of Object.values(policy)) assert.match(each, /script-src 'none'; style-src 'none'/)
  })

  it('is not sent again to a browser that has it', async () => {
    await using home = await open(PAGE)
    const { socketPath } = await home.unix()
    const { headers } = await ask({ socketPath, path: '/' })
    const again = await ask({ socketPath, path: '/', headers: { 'if-none-match': headers.etag! } })
    const other = await ask({ socketPath, path: '/', headers: { 'if-none-match': '"other"' } })
    assert.deepEqual([again.status, again.text, other.status], [304, '', 200])
  })

  it('keeps openers away where a browser honours it, over TLS', () => {
    const page = preparePage(PAGE)
    const header = (scheme: 'http' | 'https') => {
      const reply = tellPage(page, {}, scheme)
      return 'headers' in reply ? reply.headers?.['cross-origin-opener-policy'] : undefined
    }
    assert.deepEqual([header('https'), header('http')], ['same-origin', undefined])
  })

  for (const [what, options, status] of [
    ['with a query', { path: '/?a=1' }, 400],
    ['with a body', { path: '/', body: 'x' }, 400],
    ['by POST', { path: '/', method: 'POST' }, 405],
    ['under a name that is not ours', { path: '/', headers: { host: 'evil.example' } }, 421],
    ['as a file', { path: '/page.html' }, 404],
    ['by a way around', { path: '/../page.html' }, 404],
  ] as const) {
    it(`is refused ${what}: ${status}`, async () => {
      await using home = await open(PAGE)
      const { socketPath } = await home.unix()
      assert.equal((await ask({ socketPath, ...options })).status, status)
    })
  }

  it('is not there on a device’s own face', async () => {
    await using home = await open(PAGE)
    const { socketPath } = await home.unix({ only: home.light.id })
    assert.equal((await ask({ socketPath, path: '/' })).status, 404)
  })

  it('says what to do when it was not built', async () => {
    await using home = await open()
    const { socketPath } = await home.unix()
    const { status, json } = await ask({ socketPath, path: '/' })
    assert.deepEqual([status, json.code], [404, 'not-found'])
    assert.match(json.detail as unknown as string, /npm run page/)
  })
})

describe('the first picture [SPEC 9.4]', () => {
  it('comes as the first event of the stream, with what happens after it', async () => {
    await using home = await open()
    const { socketPath } = await home.unix()
    const { answer, sent } = await begin({ socketPath, path: '/events?home=1', as: home.owner })
    let text = ''
    for await (const part of answer) {
      text += part
      if (text.includes('event: home') && text.endsWith('\n\n') && !text.includes('event: reading')) {
        await home.light.report([{ affordance: 2, at: 1000, value: 40 }])
      }
      if (text.includes('event: reading')) break
    }
    sent.destroy()
    const [first, second] = text.split('\n').filter((line) => line.startsWith('event: '))
    assert.deepEqual([first, second], ['event: home', 'event: reading'])
    const [picture] = lines(
      text
        .split('\n')
        .find((line) => line.startsWith('data: '))!
        .slice(6),
    )
    const things = picture!.things as unknown as {
      name: string
      affordances: { name: string; may: object }[]
    }[]
    assert.deepEqual(things.map(({ name }) => name).sort(), ['porch-light', 'weather'])
    const light = things.find(({ name }) => name === 'porch-light')!
    assert.deepEqual(
      light.affordances.map(({ name, may }) => [name, Object.keys(may)]),
      [
        ['on', ['read', 'write']],
        ['level', ['read', 'write']],
        ['toggle', ['invoke']],
        ['identify', ['invoke']],
      ],
    )
  })

  for (const path of ['/events?home=2', '/events?home=yes', '/events?home=1&home=1']) {
    it(`${path} is refused`, async () => {
      await using home = await open()
      const { socketPath } = await home.unix()
      assert.equal((await ask({ socketPath, path, as: home.owner })).status, 400)
    })
  }
})
