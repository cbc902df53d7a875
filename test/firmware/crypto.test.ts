// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { getPublicKey, sign } from '@noble/ed25519'
import { EMULATED } from '../../scripts/firmware.ts'
import { smallOrderKeys, torsion } from '../../scripts/vectors/curve.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'

const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const FIELD = 2n ** 255n - 19n
const SCALAR_ROUNDS = 60

const hex = (text: string): Uint8Array => Uint8Array.fromHex(text)
const text = (plain: string): Uint8Array => new TextEncoder().encode(plain)
const repeat = (byte: number, count: number): Uint8Array => new Uint8Array(count).fill(byte)

function littleEndian(value: bigint, size = 32): Uint8Array {
  return hex(value.toString(16).padStart(2 * size, '0')).reverse()
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Uint8Array.from(bytes).reverse().toHex()}`)
}

/** RFC 8032 §7.1: TEST 1, 2, 3 and SHA(abc). */
const ED25519 = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    key: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    seed: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    key: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
].map((one) => ({
  seed: hex(one.seed),
  key: hex(one.key),
  message: hex(one.message),
  signature: hex(one.signature),
}))

/** RFC 4231 §4.2, 4.3, 4.4 and 4.7: a short key, text, a long row, a key longer than a block. */
const HMAC = [
  [repeat(0x0b, 20), text('Hi There'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    text('Jefe'),
    text('what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [repeat(0xaa, 20), repeat(0xdd, 50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
  [
    repeat(0xaa, 131),
    text('Test Using Larger Than Block-Size Key - Hash Key First'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
] as const

const counting = (from: number, to: number): Uint8Array =>
  Uint8Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** RFC 5869 A.1 to A.3. */
const HKDF = [
  {
    secret: repeat(0x0b, 22),
    salt: counting(0, 0x0c),
    info: counting(0xf0, 0xf9),
    out: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  },
  {
    secret: counting(0, 0x4f),
    salt: counting(0x60, 0xaf),
    info: counting(0xb0, 0xff),
    out: 'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
  },
  {
    secret: repeat(0x0b, 22),
    salt: repeat(0, 0),
    info: repeat(0, 0),
    out: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  },
]

/** FIPS 180-4's own examples: nothing, one block, two blocks of each. */
const TWO_SHORT_BLOCKS = 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'
const TWO_LONG_BLOCKS =
  'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu'
const DIGESTS = {
  sha256: [
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [TWO_SHORT_BLOCKS, '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'],
  ],
  sha512: [
    [
      '',
      'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
    ],
    [
      'abc',
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ],
    [
      TWO_LONG_BLOCKS,
      '8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909',
    ],
  ],
} as const

for (const port of ['sanitize', ...EMULATED] as const)
  describe(`cryptography on the ${port} port`, { timeout: 120_000 }, () => {
    let firmware: Firmware
    before(async () => {
      firmware = await startFirmware({ port, program: 'crypto-check' })
    })
    after(() => firmware[Symbol.asyncDispose]())

    const ask = async (verb: string, ...words: Uint8Array[]): Promise<string> => {
      const answer = await firmware.ask([verb, ...words.map((word) => word.toHex() || '-')].join(' '))
      return answer.slice(verb.length + 1)
    }

    it('agrees with RFC 8032 on keys, signatures and their verification', async () => {
      for (const { seed, key, message, signature } of ED25519) {
        assert.equal(await ask('public', seed), key.toHex())
        assert.equal(await ask('sign', seed, message), signature.toHex())
        assert.equal(await ask('verify', key, signature, message), 'ok')
      }
    })

    it('refuses every signature of RFC 8032 with one bit turned over, or over another message', async () => {
      for (const { key, message, signature } of ED25519) {
        const spoiled = Uint8Array.from(signature)
        spoiled[40]! ^= 1
        assert.equal(await ask('verify', key, spoiled, message), 'bad-signature')
        const more = Buffer.concat([message, Buffer.of(0)])
        assert.equal(await ask('verify', key, signature, more), 'bad-signature')
      }
    })

    it('refuses an S that is not below the group order', async () => {
      const { key, message, signature } = ED25519[2]!
      const s = numberOf(signature.subarray(32))
      const second = Buffer.concat([signature.subarray(0, 32), littleEndian(s + GROUP_ORDER)])
      assert.equal(await ask('verify', key, second, message), 'bad-signature')
    })

    it('refuses an S just above the group order, whose top byte is that of the order', async () => {
      const seed = repeat(7, 32)
      const key = getPublicKey(seed)
      for (let round = 0, met = 0; met < 4; round++) {
        const message = text(`message ${round}`)
        const signature = sign(message, seed)
        const s = numberOf(signature.subarray(32))
        if (s >= 2n ** 248n) continue
        met++
        const second = Buffer.concat([signature.subarray(0, 32), littleEndian(s + GROUP_ORDER)])
        assert.equal(await ask('verify', key, signature, message), 'ok')
        assert.equal(await ask('verify', key, second, message), 'bad-signature')
      }
    })

    it('signs what @noble/ed25519 signs', async () => {
      for (let round = 0; round < 8; round++) {
        const seed = randomBytes(32)
        const message = randomBytes(round * 31)
        assert.equal(await ask('sign', seed, message), sign(message, seed).toHex())
        assert.equal(await ask('public', seed), getPublicKey(seed).toHex())
      }
    })

    it('agrees with RFC 4231 on HMAC-SHA-256', async () => {
      for (const [key, data, mac] of HMAC) assert.equal(await ask('hmac', key, data), mac)
    })

    it('agrees with RFC 5869 on HKDF-SHA-256, also without salt and info', async () => {
      for (const { secret, salt, info, out } of HKDF) {
        assert.equal(await ask('hkdf', Uint8Array.of(out.length / 2), secret, salt, info), out)
        assert.equal(Buffer.from(hkdfSync('sha256', secret, salt, info, out.length / 2)).toString('hex'), out)
      }
    })

    it('agrees with FIPS 180-4 on SHA-256 and SHA-512', async () => {
      for (const verb of ['sha256', 'sha512'] as const)
        for (const [data, digest] of DIGESTS[verb]) assert.equal(await ask(verb, text(data)), digest)
    })

    it('agrees with node:crypto at every size around a block', async () => {
      for (const size of [1, 55, 56, 57, 63, 64, 65, 111, 112, 113, 127, 128, 129, 500]) {
        const data = randomBytes(size)
        for (const verb of ['sha256', 'sha512'])
          assert.equal(await ask(verb, data), createHash(verb).update(data).digest('hex'))
        assert.equal(await ask('hmac', data, data), createHmac('sha256', data).update(data).digest('hex'))
      }
    })

    it('calls every point of small order, however it is spelled, a bad key', async () => {
      const keys = smallOrderKeys()
      assert.ok(keys.length >= 11)
      for (const key of keys) {
        assert.equal(await ask('check', key), 'bad-key', key.toHex())
        assert.equal(await ask('verify', key, new Uint8Array(64), text('anything')), 'bad-key')
        const signature = Buffer.concat([key, new Uint8Array(32)])
        assert.equal(await ask('verify', ED25519[0]!.key, signature, text('anything')), 'bad-signature')
      }
    })

    it('calls every y of the field’s size or more a bad key, and the last one below it, of order two', async () => {
      for (let y = FIELD - 1n; y < 2n ** 255n; y++)
        assert.equal(await ask('check', littleEndian(y)), 'bad-key')
    })

    it('accepts honest keys as keys', async () => {
      for (const { key } of ED25519) assert.equal(await ask('check', key), 'ok')
    })

    it('refuses a signature whose R hides a part of small order', async () => {
      const message = text('a command')
      const key = getPublicKey(repeat(7, 32))
      assert.equal(await ask('verify', key, torsion.signWithTorsionInR(7, message), message), 'bad-signature')
    })

    it('reduces and multiplies modulo the group order as whole numbers do', async () => {
      const edges = [0n, 1n, GROUP_ORDER - 1n, GROUP_ORDER, GROUP_ORDER + 1n, 2n ** 252n, 2n ** 255n - 1n]
      const scalars = [...edges, ...Array.from({ length: SCALAR_ROUNDS }, () => numberOf(randomBytes(31)))]
      for (const [index, a] of scalars.entries()) {
        const b = scalars[(index * 7 + 3) % scalars.length]!
        const c = scalars[(index * 5 + 1) % scalars.length]!
        const wide = (a * b + c) * 2n ** 3n + BigInt(index)
        assert.equal(
          numberOf(hex(await ask('reduce', littleEndian(wide % 2n ** 512n, 64)))),
          (wide % 2n ** 512n) % GROUP_ORDER,
        )
        const product = await ask('muladd', littleEndian(a), littleEndian(b), littleEndian(c))
        assert.equal(numberOf(hex(product)), (a * b + c) % GROUP_ORDER)
      }
      const most = 2n ** 512n - 1n
      assert.equal(numberOf(hex(await ask('reduce', littleEndian(most, 64)))), most % GROUP_ORDER)
    })
  })
