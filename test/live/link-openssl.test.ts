// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemRandom } from '../../daemon/base/random.ts'
import { sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { caCertificate, hubLeaf, privateKeyPem, toPem } from '../../daemon/core/identity/certificates.ts'
import { webCaCertificate, webKey, webLeaf, webScalar } from '../../daemon/core/identity/web-certificates.ts'
import { writeFrame } from '../../daemon/edge/link/frames.ts'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import { LAMP } from '../../scripts/device/index.ts'
import { ed25519, type LinkHome, openLinkHome, signerOf } from '../support/link-home.ts'

/** `openssl s_client` as a peer: another TLS than the hub's Node in name, and with every knob. */
async function sClient(
  home: LinkHome,
  args: readonly string[],
  input = new Uint8Array(0),
  port = home.hub.port,
) {
  const child = spawn(
    'timeout',
    ['10', 'openssl', 's_client', '-connect', `127.0.0.1:${port}`, '-quiet', ...args],
    { stdio: 'pipe' },
  )
  const out: Buffer[] = []
  const complaints: Buffer[] = []
  child.stdout.on('data', (chunk) => out.push(chunk))
  child.stderr.on('data', (chunk) => complaints.push(chunk))
  child.stdin.on('error', () => {})
  child.stdin.write(input)
  const [status] = await once(child, 'close')
  return { status, out: Buffer.concat(out), complaints: Buffer.concat(complaints).toString() }
}

const ALPN = ['-alpn', 'shallot/1']

async function withFiles<T>(
  files: Record<string, string>,
  use: (path: (name: string) => string) => Promise<T>,
) {
  const folder = await mkdtemp(join(tmpdir(), 'shallot-link-'))
  try {
    for (const [name, text] of Object.entries(files))
      await writeFile(join(folder, name), text, { mode: 0o600 })
    return await use((name) => join(folder, name))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The code in the refusal note that ends what the hub said. */
function refusalIn(out: Buffer): string | undefined {
  const [name] = Object.entries(CODES).find(([, number]) => {
    const note = number < 256 ? [0x82, 0, 0x18, number] : [0x82, 0, 0x19, number >> 8, number & 0xff]
    return out.subarray(-note.length).equals(Uint8Array.from(note))
  }) ?? [undefined]
  return name
}

describe('openssl s_client against the link [SPEC 6.1, 6.2]', () => {
  const refusedInTls: Record<string, [string[], RegExp]> = {
    'TLS 1.2': [[...ALPN, '-tls1_2'], /protocol version/],
    'a group other than X25519': [[...ALPN, '-groups', 'P-256:P-384:X448'], /handshake failure/],
    'a signature algorithm other than Ed25519': [
      [...ALPN, '-sigalgs', 'ECDSA+SHA256:RSA-PSS+SHA256'],
      /handshake failure/,
    ],
    'a suite that the link does not have': [
      [...ALPN, '-ciphersuites', 'TLS_AES_128_CCM_SHA256'],
      /handshake failure/,
    ],
    'a protocol that is not ours': [['-alpn', 'h2'], /no application protocol/],
  }
  for (const [what, [args, complaint]] of Object.entries(refusedInTls))
    it(`${what} is refused in the handshake`, async () => {
      await using home = await openLinkHome()
      const { complaints, out } = await sClient(home, args)
      assert.match(complaints, complaint)
      assert.equal(out.length, 0)
    })

  it('no ALPN is refused', async () => {
    await using home = await openLinkHome()
    const { out } = await sClient(home, [])
    assert.equal(refusalIn(out), 'bad-alpn')
  })

  it('no client certificate is refused on shallot/1', async () => {
    await using home = await openLinkHome()
    const { out } = await sClient(home, ALPN)
    assert.equal(refusalIn(out), 'no-client-certificate')
  })

  it('a P-256 client certificate is not even asked for: it counts as none', async () => {
    await using home = await openLinkHome()
    const ca = webKey(webScalar(systemRandom.bytes(48)))
    const leaf = webLeaf(
      ca,
      webKey(webScalar(systemRandom.bytes(48))),
      ['localhost'],
      systemRandom.bytes(16),
      Date.now(),
    )
    await withFiles({ cert: leaf.cert, key: leaf.key }, async (path) => {
      const { out, complaints } = await sClient(home, [...ALPN, '-cert', path('cert'), '-key', path('key')])
      assert.ok(refusalIn(out) === 'no-client-certificate' || /alert/.test(complaints), complaints)
    })
    assert.ok(home.lines.some((line) => line.event === 'link-refused'))
  })

  it('an RSA client certificate neither', async () => {
    await using home = await openLinkHome()
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    await withFiles({ key }, async (path) => {
      const made = spawn('openssl', [
        'req',
        '-x509',
        '-new',
        '-key',
        path('key'),
        '-subj',
        '/CN=x',
        '-out',
        path('cert'),
      ])
      assert.equal((await once(made, 'close'))[0], 0)
      const { out, complaints } = await sClient(home, [...ALPN, '-cert', path('cert'), '-key', path('key')])
      assert.ok(refusalIn(out) === 'no-client-certificate' || /alert/.test(complaints), complaints)
    })
  })

  it('a hub’s leaf in the hands of a client is certificate-profile', async () => {
    await using home = await openLinkHome()
    const seed = systemRandom.bytes(32)
    const cert = toPem('CERTIFICATE', hubLeaf(home.deviceCa, ed25519.signer(seed).key, systemRandom.bytes(8)))
    await withFiles({ cert, key: privateKeyPem(seed) }, async (path) => {
      const { out } = await sClient(home, [...ALPN, '-cert', path('cert'), '-key', path('key')])
      assert.equal(refusalIn(out), 'certificate-profile')
    })
  })

  it('the hub’s leaf verifies under the hub CA for servers, and not under another', async () => {
    await using home = await openLinkHome()
    const pem = (ca: ReturnType<typeof signerOf>) => toPem('CERTIFICATE', caCertificate('hub', ca))
    await withFiles({ ours: pem(home.hubCa), other: pem(signerOf(9)) }, async (path) => {
      const verify = (name: string) => [...ALPN, '-CAfile', path(name), '-verify_return_error']
      assert.equal(refusalIn((await sClient(home, verify('ours'))).out), 'no-client-certificate')
      assert.match(
        (await sClient(home, verify('other'))).complaints,
        /verify error|certificate verify failed/,
      )
    })
  })
})

describe('max_fragment_length [SPEC 6.1]', () => {
  for (const [asked, largest] of [
    [undefined, Number.POSITIVE_INFINITY],
    [1024, 1024],
    [512, 512],
  ] as const)
    it(`${asked ?? 'no limit'}: hello, welcome and four papers in records of at most that`, async () => {
      await using home = await openLinkHome()
      const { keys, certificate } = home.known('porch')
      home.desk.letters = [1, 2, 3, 4].map(() => new Uint8Array(900).fill(0xd2))
      const claims = { audience: home.hub.homeId, sealedAt: 0, epoch: new Uint8Array(8), sequence: 0 }
      const hello = sealEnvelope({ type: 'hello', ...LAMP, lost: 0, ...claims }, keys.signer)
      // A frame that is refused ends the session, and with it s_client.
      const input = Buffer.concat([writeFrame(hello), writeFrame(Uint8Array.of(0xff))])
      await using tap = await openTap(home.hub.port)
      const files = { cert: toPem('CERTIFICATE', certificate), key: privateKeyPem(keys.seed) }
      await withFiles(files, async (path) => {
        const limit = asked ? ['-maxfraglen', String(asked)] : []
        const args = [...ALPN, ...limit, '-cert', path('cert'), '-key', path('key')]
        const { out } = await sClient(home, args, input, tap.port)
        assert.ok(out.length > 3600, `${out.length} bytes of papers`)
        assert.equal(refusalIn(out), 'bad-note')
      })
      // A record's length counts the kind of its contents and the tag: RFC 8446 §5.2, RFC 6066 §4.
      const overhead = 17
      assert.ok(Math.max(...tap.records()) <= largest + overhead, `${Math.max(...tap.records())}`)
      if (!asked)
        assert.ok(Math.max(...tap.records()) > 1024 + overhead, 'without the wish records are larger')
    })
})

/** A relay that reads the lengths of the TLS records which the hub sends. */
async function openTap(to: number) {
  const fromHub: Buffer[] = []
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1')
    near.on('error', () => {}).on('close', () => far.destroy())
    far.on('error', () => {}).on('close', () => near.destroySoon())
    far.on('data', (chunk: Buffer) => fromHub.push(chunk))
    near.pipe(far).pipe(near)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    records(): number[] {
      const bytes = Buffer.concat(fromHub)
      const lengths: number[] = []
      for (let at = 0; at + 5 <= bytes.length; at += 5 + lengths.at(-1)!)
        lengths.push(bytes.readUInt16BE(at + 3))
      return lengths
    },
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

describe('openssl verify', () => {
  it('finds nothing to complain of in the web CA and its leaf, by the strict rules of RFC 5280', async () => {
    const ca = webKey(webScalar(systemRandom.bytes(48)))
    const leaf = webLeaf(
      ca,
      webKey(webScalar(systemRandom.bytes(48))),
      ['hub.local', '10.1.2.3'],
      systemRandom.bytes(16),
      Date.now(),
    )
    await withFiles({ ca: toPem('CERTIFICATE', webCaCertificate(ca)), leaf: leaf.cert }, async (path) => {
      const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', path('ca'), path('leaf')]
      const verify = spawn('openssl', args, { stdio: 'ignore' })
      assert.equal((await once(verify, 'close'))[0], 0)
    })
  })
})
