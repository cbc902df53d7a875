// SPDX-License-Identifier: GPL-3.0-or-later
/** A device with a door to the LAN (SPEC 18), and the pages and strangers who come there. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { systemRandom } from '../../daemon/base/random.ts'
import { sealEnvelope, type Hello, type Message } from '../../daemon/core/envelope/index.ts'
import { toPem } from '../../daemon/core/identity/certificates.ts'
import { webCaCertificate, webKey, webLeaf, webScalar, type WebKey } from '../../daemon/core/identity/web-certificates.ts'
import type { PartyId } from '../../daemon/core/model/index.ts'
import { type Firmware, type FirmwareOptions, startFirmware } from './firmware.ts'
import { type FirmwareHome, until } from './firmware-home.ts'

export const ORIGIN = 'https://hub.home.arpa:8443'

export interface Direct extends AsyncDisposable {
  readonly firmware: Firmware
  readonly id: PartyId
  readonly hello: Message<Hello>
  readonly port: number
  /** The web CA's certificate, PEM, and a file with it. */
  readonly ca: string
  readonly caFile: string
  /** Sends the hub's word: a leaf for this point, that is good until a year after `now`. */
  give(options?: { point?: Uint8Array; now?: number; certificate?: Uint8Array; origins?: readonly string[] }): void
}

const pemToDer = (pem: string): Uint8Array =>
  Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')

/** An enrolled device whose hub has given it a leaf. */
export async function openDirect(
  home: FirmwareHome,
  options: Partial<FirmwareOptions> = {},
): Promise<Direct> {
  await using undo = new AsyncDisposableStack()
  const firmware = undo.use(
    await startFirmware({
      port: 'sanitize',
      program: 'porch-light',
      ...options,
      environment: { SHALLOT_DOOR: '0', ...options.environment },
    }),
  )
  firmware.say(home.code('porch-light'))
  const { id, hello } = await home.device('porch-light')
  const server = hello.body.direct
  if (!server) throw new Error('the hello names no server')
  const webCa: WebKey = webKey(webScalar(randomBytes(48)))
  const ca = toPem('CERTIFICATE', webCaCertificate(webCa))
  const directory = mkdtempSync(join(tmpdir(), 'shallot-direct-'))
  undo.defer(() => rmSync(directory, { recursive: true, force: true }))
  const caFile = join(directory, 'ca.pem')
  writeFileSync(caFile, ca)
  const direct = {
    firmware,
    id,
    hello,
    port: server.port,
    ca,
    caFile,
    give({ point = server.key, now = Date.now(), certificate, origins = [ORIGIN] } = {}) {
      const leaf = webLeaf(webCa, { key: webCa.key, point }, ['127.0.0.1', 'lamp.local'], randomBytes(16), now)
      const frame = sealEnvelope(
        {
          type: 'direct',
          audience: id,
          sealedAt: Math.floor(Date.now() / 1000),
          epoch: systemRandom.bytes(8),
          sequence: 1,
          nonce: hello.body.epoch,
          certificate: certificate ?? pemToDer(leaf.cert),
          origins,
        },
        home.home.hubKey,
      )
      if (home.home.link.send(id, frame) !== 'sent') throw new Error('no room on the link')
    },
  } satisfies Omit<Direct, keyof AsyncDisposable>
  const owned = undo.move()
  return { ...direct, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
