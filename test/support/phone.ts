// SPDX-License-Identifier: GPL-3.0-or-later
/** A phone as far as the wire goes (SPEC 13.4): it reads the code, makes a key, and asks to be let in. */
import { request } from 'node:http'
import { toBase64url } from '../../daemon/base/bytes.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { nativeEd25519, type Signer, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { keyProof, matchDigits, pairKeys, readPhoneCode } from '../../daemon/core/identity/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'

export interface AskingPhone {
  readonly key: Signer
  readonly seed: Secret
  /** What it shows its holder. */
  readonly digits: string
  readonly status: number
  readonly answer: Record<string, unknown>
}

/** @param socket  the daemon's API: what the phone would reach by its onion */
export async function askToJoin(
  socket: string,
  code: string,
  seedBytes = systemRandom.bytes(32),
): Promise<AskingPhone> {
  const read = readPhoneCode(code)
  if (!read.ok) throw new Error(`the code is ${read.why}`)
  const seed = new Secret(seedBytes)
  const key = nativeEd25519().signer(seed.reveal())
  const keys = pairKeys(read.value.secret)
  const frame = sealEnvelope(
    {
      type: 'pair',
      audience: idOf(read.value.root),
      sealedAt: Math.floor(Date.now() / 1000),
      epoch: systemRandom.bytes(8),
      sequence: Date.now(),
      pairing: keys.pairing,
      proofForHub: keyProof(keys.hubProofKey, key.key),
      proofForOwner: keyProof(keys.ownerProofKey, key.key),
    },
    key,
  )
  const path = `/pairings/${toBase64url(keys.pairing)}/pair`
  const { status, text } = await post(socket, path, frame, { 'content-type': 'application/cose' })
  const answer = text === '' ? {} : JSON.parse(text)
  return { key, seed, digits: matchDigits(keys.ownerProofKey, key.key), status, answer }
}

async function post(socketPath: string, path: string, body: Uint8Array, headers: Record<string, string>) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const asking = request(
    { socketPath, path, method: 'POST', headers: { host: 'localhost', ...headers } },
    (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      answer.on('end', () => resolve({ status: answer.statusCode!, text }))
    },
  )
  asking.on('error', reject)
  asking.end(body)
  return promise
}
