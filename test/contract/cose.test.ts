// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { describe, it } from 'node:test'
import { Sign1 } from '@auth0/cose'
import { fromHex } from '../../daemon/base/bytes.ts'
import { nativeEd25519 } from '../../daemon/core/envelope/index.ts'
import { readVectors } from '../support/vectors.ts'

/** An envelope as somebody else's COSE library reads it: the key from `kid`, the signature by its own code. */
async function verifiedByOthers(frame: Uint8Array): Promise<Uint8Array | undefined> {
  const message = Sign1.decode(frame)
  const kid = message.protectedHeaders.get(4) as Uint8Array
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), kid])
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  try {
    await message.verify(key)
    return Uint8Array.from(kid)
  } catch {
    return undefined
  }
}

function framesOf(prefix: string): [string, Uint8Array][] {
  return readVectors('envelope')
    .filter(({ file }) => file.startsWith(prefix))
    .map(({ file, lines }) => [file, fromHex(lines.find(([field]) => field === 'frame')![1])!])
}

describe('our envelopes under a COSE library that is not ours [RFC 9052 §4.4]', () => {
  it('verify, every type of message', async () => {
    const frames = framesOf('ok-')
    assert.ok(frames.length >= 12)
    for (const [file, frame] of frames) assert.ok(await verifiedByOthers(frame), file)
  })

  it('name the key that sealed them', async () => {
    const [, frame] = framesOf('ok-command')[0]!
    assert.deepEqual(await verifiedByOthers(frame), nativeEd25519().signer(new Uint8Array(32).fill(2)).key)
  })

  it('do not verify once a bit of signature or payload has changed', async () => {
    for (const prefix of ['signature-flipped-r', 'signature-flipped-s', 'signature-payload-changed']) {
      const [, frame] = framesOf(prefix)[0]!
      assert.equal(await verifiedByOthers(frame), undefined, prefix)
    }
  })

  it('do not verify when external data was signed in', async () => {
    const [, frame] = framesOf('signature-external-data')[0]!
    assert.equal(await verifiedByOthers(frame), undefined)
  })
})
