// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createPrivateKey, sign as opensslSign } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromHex } from '../../daemon/base/bytes.ts'
import {
  type Ed25519,
  isSoundPoint,
  isSoundSignature,
  nativeEd25519,
} from '../../daemon/core/envelope/index.ts'
import { portableEd25519 } from '../../daemon/core/envelope/portable.ts'
import { smallOrderKeys, torsion } from '../../scripts/vectors/curve.ts'

const IMPLEMENTATIONS: [string, Ed25519][] = [
  ['native', nativeEd25519()],
  ['portable', portableEd25519()],
]
const SEED = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')!

/** The whole check of SPEC 2.4, as `openEnvelope` makes it. */
function accepts(ed25519: Ed25519, key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return isSoundPoint(key) && isSoundSignature(signature) && ed25519.verify(key, message, signature)
}

for (const [name, ed25519] of IMPLEMENTATIONS) {
  describe(`Ed25519, ${name} [SPEC 2.4, RFC 8032]`, () => {
    it('signs as RFC 8032 §7.1 TEST 1 says', () => {
      const signer = ed25519.signer(SEED)
      assert.equal(signer.key.toHex(), 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
      assert.equal(
        signer.sign(new Uint8Array()).toHex(),
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
      )
    })

    it('keeps its own copy of the seed', () => {
      const seed = Uint8Array.from(SEED)
      const signer = ed25519.signer(seed)
      const before = signer.sign(Uint8Array.of(1))
      seed.fill(0)
      assert.deepEqual(signer.sign(Uint8Array.of(1)), before)
    })

    it('accepts what OpenSSL signed and refuses it after one flipped bit, anywhere', () => {
      const signer = ed25519.signer(SEED)
      const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), SEED])
      const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
      const message = Uint8Array.from({ length: 63 }, (_, at) => at)
      const signature = Uint8Array.from(opensslSign(null, message, key))
      assert.ok(accepts(ed25519, signer.key, message, signature))
      for (let bit = 0; bit < 512; bit += 7) {
        const changed = Uint8Array.from(signature)
        changed[bit >> 3]! ^= 1 << (bit & 7)
        assert.ok(!accepts(ed25519, signer.key, message, changed), `bit ${bit}`)
      }
    })

    it('says the same aside, where it can', async () => {
      const { verifyAside } = ed25519
      assert.equal(verifyAside !== undefined, name === 'native')
      const signer = ed25519.signer(SEED)
      const message = Uint8Array.of(1, 2, 3)
      const signature = signer.sign(message)
      const wrong = signature.with(40, signature[40]! ^ 1)
      const nowhere = new Uint8Array(32).fill(2)
      const said = [
        verifyAside?.(signer.key, message, signature),
        verifyAside?.(signer.key, message, wrong),
        verifyAside?.(nowhere, message, signature),
      ]
      if (verifyAside) assert.deepEqual(await Promise.all(said), [true, false, false])
    })

    it('refuses every key of small order, and the neutral key that would accept any message', () => {
      for (const key of smallOrderKeys()) {
        for (const r of smallOrderKeys()) {
          const signature = new Uint8Array(64)
          signature.set(r)
          assert.ok(!accepts(ed25519, key, Uint8Array.of(1), signature))
        }
      }
    })

    it('refuses a key of mixed order whose signature holds only with the cofactor', () => {
      const mixed = torsion.mixedKey()
      const message = Uint8Array.of(1, 2, 3)
      let signature = new Uint8Array()
      torsion.mixedEnvelope(mixed, (_, sign) => {
        signature = Uint8Array.from(sign(message))
        return signature
      })
      assert.ok(isSoundPoint(mixed.key) && isSoundSignature(signature))
      assert.ok(!ed25519.verify(mixed.key, message, signature))
    })

    it('refuses a signature whose R has a part of small order', () => {
      const message = Uint8Array.of(4)
      const signature = torsion.signWithTorsionInR(2, message)
      const { key } = ed25519.signer(new Uint8Array(32).fill(2))
      assert.ok(!accepts(ed25519, key, message, signature))
    })
  })
}

describe('both Ed25519s [SPEC 2.4]', () => {
  const [[, native], [, portable]] = IMPLEMENTATIONS as [[string, Ed25519], [string, Ed25519]]

  it('agree on signatures, and on arbitrary bytes in place of them', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ maxLength: 100 }),
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        (seed, message, noise) => {
          const signer = native.signer(seed)
          const signature = signer.sign(message)
          assert.deepEqual(portable.signer(seed).sign(message), signature)
          assert.ok(accepts(portable, signer.key, message, signature))
          const judged = accepts(native, signer.key, message, noise)
          assert.equal(accepts(portable, signer.key, message, noise), judged)
          const asKey = noise.subarray(0, 32)
          assert.equal(
            accepts(portable, asKey, message, signature),
            accepts(native, asKey, message, signature),
          )
        },
      ),
      { numRuns: 60, seed: 1 },
    )
  })
})
