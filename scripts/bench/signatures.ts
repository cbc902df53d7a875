// SPDX-License-Identifier: GPL-3.0-or-later
/** What sealing and checking cost by themselves, by the means that the daemon has. */
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { systemRandom } from '../../daemon/base/random.ts'

/** As much as is signed of a command. */
const SIGNED_BYTES = 186
const pair = generateKeyPairSync('ed25519')
const signed = systemRandom.bytes(SIGNED_BYTES)

/** So many of each, one after the other. */
export function signAndVerify(signatures: number, verifications: number): void {
  let signature = new Uint8Array()
  for (let n = 0; n < signatures; n++) signature = Uint8Array.from(sign(null, signed, pair.privateKey))
  for (let n = 0; n < verifications; n++) {
    if (!verify(null, signed, pair.publicKey, signature)) throw new Error('a signature did not verify')
  }
}
