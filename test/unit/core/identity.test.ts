// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import { Secret } from '../../../daemon/base/secret.ts'
import {
  derive,
  deriveP256,
  enrolKeys,
  keyProof,
  onionAddress,
  onionClientKey,
  onionSeed,
  parseWords,
  readEnrolCode,
  readHomeCode,
  wordsOf,
  writeEnrolCode,
  writeHomeCode,
  x25519Public,
} from '../../../daemon/core/identity/index.ts'

/** Of the vectors that came with BIP-39, those of 256 bits. */
const VECTORS: readonly [string, string][] = [
  ['00'.repeat(32), `${'abandon '.repeat(23)}art`],
  [
    '7f'.repeat(32),
    `${'legal winner thank year wave sausage worth useful '.repeat(2)}legal winner thank year wave sausage worth title`,
  ],
  [
    '80'.repeat(32),
    `${'letter advice cage absurd amount doctor acoustic avoid '.repeat(2)}letter advice cage absurd amount doctor acoustic bless`,
  ],
  ['ff'.repeat(32), `${'zoo '.repeat(23)}vote`],
  [
    '68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c',
    'hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug inflict delay length',
  ],
  [
    '9f6a2878b2520799a44ef18bc7df394e7061a224d2c33cd015b157d746869863',
    'panda eyebrow bullet gorilla call smoke muffin taste mesh discover soft ostrich alcohol speed nation flash devote level hobby quick inner drive ghost inside',
  ],
  [
    'f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f',
    'void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space point ten exist slush involve unfold',
  ],
]

suite('the 24 words [SPEC 5]', () => {
  for (const [entropy, words] of VECTORS) {
    test(`${entropy.slice(0, 8)}… and "${words.split(' ').slice(0, 2).join(' ')} …" are the same`, () => {
      assert.equal(wordsOf(new Secret(Uint8Array.fromHex(entropy))).reveal(), words)
      const parsed = parseWords(words)
      assert(parsed.ok)
      assert.equal(parsed.value.reveal().toHex(), entropy)
    })
  }

  const words = VECTORS[5]![1].split(' ')
  test('any case and any white space around them do not matter', () => {
    const typed = `\n\t ${words.map((word, at) => (at % 2 ? word.toUpperCase() : word)).join(' \r\n ')}\n`
    const parsed = parseWords(typed)
    assert(parsed.ok)
    assert.equal(parsed.value.reveal().toHex(), VECTORS[5]![0])
  })

  const refused: [string, readonly string[], RegExp][] = [
    ['23 words', words.slice(1), /these are 23/],
    ['25 words', [...words, 'art'], /these are 25/],
    ['12 words that are a valid sentence', `${'abandon '.repeat(11)}about`.split(' '), /these are 12/],
    ['no words', [], /24 words/],
    ['a word of no list', words.with(4, 'shallot'), /word 5/],
    ['a word cut to its first four letters', words.with(1, words[1]!.slice(0, 4)), /word 2/],
    ['a word of the French list', words.with(23, 'abaisser'), /word 24/],
    ['a name that every object has', words.with(0, 'constructor'), /word 1 /],
    ['two words exchanged', words.with(0, words[1]!).with(1, words[0]!), /order/],
    ['another last word', words.with(23, 'zoo'), /order/],
    ['commas between them', [words.join(', ')], /word 1 |these are/],
  ]
  for (const [what, typed, says] of refused) {
    test(`${what}: bad-words, and it is told what is wrong without repeating them`, () => {
      const parsed = parseWords(typed.join(' '))
      assert(!parsed.ok)
      assert.equal(parsed.why, 'bad-words')
      assert.match(parsed.detail!, says)
      for (const word of ['shallot', 'abaisser', 'panda', 'eyebrow']) assert(!parsed.detail!.includes(word))
    })
  }

  test('a change of any one word is noticed, but for one in 256', () => {
    const replaced = words.map((_, at) => parseWords(words.with(at, 'satoshi').join(' ')).ok)
    assert(replaced.filter(Boolean).length <= 1)
  })

  test('are not shown by anything that prints', () => {
    const shown = wordsOf(new Secret(new Uint8Array(32)))
    assert.deepEqual(
      [`${shown}`, JSON.stringify({ shown }), inspect({ shown })],
      ['•••', '{"shown":"•••"}', '{ shown: ••• }'],
    )
  })
})

/** RFC 5869 as written there, for one block. */
function hkdf(ikm: Uint8Array, info: string): string {
  const prk = createHmac('sha256', 'shallot/1').update(ikm).digest()
  return createHmac('sha256', prk).update(info).update(Uint8Array.of(1)).digest('hex')
}

const SEED = new Secret(Uint8Array.fromHex(VECTORS[4]![0]))

suite('keys from the seed [SPEC 5]', () => {
  /** A home's keys must never change: these were taken once. */
  const GOLDEN: Readonly<Record<string, string>> = {
    root: '02c8b02c78bf39dc5773b4f352c1f5e867ad6dc54f77c82ecffa67226a496c18',
    'owner/0': '175dff432b51a1ca4f5989e498b27e7826c3c2e311ae973eeaa7ad4916bf7a84',
    'device-ca/0': 'fc95cf7cbda89b819995462bbb3bcfd0c2af9ec133f70bd5aeb06944dde2e80a',
    'hub-ca/0': '21b8610710b87ac9d9f917a54295b28e75e07dc92014a0795ea3126034435f6d',
    onion: 'f8b60a710cab309652dfafd83583ad3a0fd2ce4caed29c12e0f5683aaf56b7fb',
  }
  for (const [purpose, hex] of Object.entries(GOLDEN)) {
    test(`${purpose} is what it always was, and what RFC 5869 says`, () => {
      assert.equal(derive(SEED, purpose).reveal().toHex(), hex)
      assert.equal(hex, hkdf(SEED.reveal(), purpose))
    })
  }

  test('the scalar of the web CA is what it always was', () => {
    assert.equal(
      deriveP256(SEED, 'web-ca/0').reveal().toHex(),
      '142e0f3963f201126c3ab1110ce39e40ef741084c14204d41db4b878561c59b2',
    )
  })

  test('every purpose gives another key, and so does every seed', () => {
    const purposes = [
      'root',
      'owner/0',
      'owner/1',
      'device-ca/0',
      'device-ca/1',
      'hub-ca/0',
      'hub-ca/1',
      'onion',
      '',
    ]
    const other = new Secret(new Uint8Array(32))
    const keys = [SEED, other].flatMap((seed) =>
      purposes.map((purpose) => derive(seed, purpose).reveal().toHex()),
    )
    assert.equal(new Set(keys).size, keys.length)
  })

  test('an onion address, its epochs, its holder and another service have keys of their own', () => {
    const keys = [
      onionSeed(SEED, 'invitation:a', 0),
      onionSeed(SEED, 'invitation:a', 1),
      onionSeed(SEED, 'invitation:b', 0),
      onionSeed(SEED, 'device:a', 0),
      onionClientKey(SEED, 'invitation:a', 0),
      onionClientKey(SEED, 'invitation:a', 1),
    ].map((key) => key.reveal().toHex())
    assert.equal(new Set(keys).size, keys.length)
    assert.equal(keys[0], hkdf(SEED.reveal(), 'onion/invitation:a/0'))
  })

  test('x25519Public() agrees with RFC 7748 §6.1', () => {
    const bob = new Secret(
      Uint8Array.fromHex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'),
    )
    assert.equal(
      x25519Public(bob).toHex(),
      'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
    )
  })

  test('onionAddress() agrees with other implementations of rend-spec-v3 §6', () => {
    const key = Uint8Array.fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
    assert.equal(onionAddress(key), '25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl5sid.onion')
  })
})

suite('codes for people [SPEC 1.4]', () => {
  const enrolment = {
    host: '192.168.1.2',
    port: 8883,
    root: new Uint8Array(32).fill(1),
    hubCas: [new Uint8Array(32).fill(2), new Uint8Array(32).fill(3)],
    secret: new Secret(new Uint8Array(16).fill(4)),
  }
  const home = {
    root: new Uint8Array(32).fill(1),
    onion: new Uint8Array(32).fill(2),
    clientKey: new Secret(new Uint8Array(32).fill(3)),
    lan: ['https://192.168.1.2:8443'],
    webCa: new Uint8Array(300).fill(4),
  }

  test('an enrolment code gives back what was written, also torn and indented by a mail program', () => {
    const code = writeEnrolCode(enrolment).reveal()
    for (const text of [code, `  ${code.replace(/.{20}/g, '$&\r\n  ')}\n`]) {
      const read = readEnrolCode(text)
      assert(read.ok)
      assert.deepEqual(
        { ...read.value, secret: read.value.secret.reveal() },
        {
          ...enrolment,
          secret: enrolment.secret.reveal(),
        },
      )
    }
  })

  for (const [what, code, read] of [
    ['an enrolment code', writeEnrolCode(enrolment).reveal(), readEnrolCode],
    ['a home code', writeHomeCode(home).reveal(), readHomeCode],
  ] as const) {
    test(`${what} with any one character changed is refused`, () => {
      for (let at = 0; at < code.length; at++) {
        const other = code[at] === 'A' ? 'B' : 'A'
        assert(!read(code.slice(0, at) + other + code.slice(at + 1)).ok, `character ${at}`)
      }
    })

    test(`${what} cut short anywhere, or with more behind it, is refused`, () => {
      for (let end = 0; end < code.length; end++) assert(!read(code.slice(0, end)).ok, `cut at ${end}`)
      for (const more of ['A', 'AAAA', '=', code]) assert(!read(code + more).ok, more.slice(0, 4))
    })

    test(`${what} with two neighbours exchanged is refused`, () => {
      for (let at = 0; at + 1 < code.length; at++) {
        const [a, b] = [code[at]!, code[at + 1]!]
        if (a !== b) assert(!read(code.slice(0, at) + b + a + code.slice(at + 2)).ok, `at ${at}`)
      }
    })
  }

  test('one kind of code is not taken for the other', () => {
    assert(!readHomeCode(writeEnrolCode(enrolment).reveal()).ok)
    assert(!readEnrolCode(writeHomeCode(home).reveal()).ok)
  })

  const unsound: [string, Parameters<typeof writeEnrolCode>[0]][] = [
    ['no host', { ...enrolment, host: '' }],
    ['a host of 65 bytes', { ...enrolment, host: 'a'.repeat(65) }],
    ['port 0', { ...enrolment, port: 0 }],
    ['port 65536', { ...enrolment, port: 65_536 }],
    ['a root of 31 bytes', { ...enrolment, root: new Uint8Array(31) }],
    ['no CA', { ...enrolment, hubCas: [] }],
    ['three CAs', { ...enrolment, hubCas: [1, 2, 3].map((n) => new Uint8Array(32).fill(n)) }],
    ['a CA of 33 bytes', { ...enrolment, hubCas: [new Uint8Array(33)] }],
    ['a secret of 15 bytes', { ...enrolment, secret: new Secret(new Uint8Array(15)) }],
  ]
  for (const [what, code] of unsound) {
    test(`an enrolment code with ${what} is damaged, although its checksum is right`, () => {
      const read = readEnrolCode(writeEnrolCode(code).reveal())
      assert.equal(read.ok ? 'read' : read.why, 'code-damaged')
    })
  }

  test('the secret of a code makes three keys that tell nothing of one another', () => {
    const keys = enrolKeys(enrolment.secret)
    assert.equal(keys.permit.length, 8)
    const device = new Uint8Array(32).fill(9)
    const proofs = [keys.hubProofKey, keys.ownerProofKey].map((key) => keyProof(key, device).toHex())
    assert.notEqual(proofs[0], proofs[1])
    const other = keyProof(keys.hubProofKey, new Uint8Array(32).fill(8)).toHex()
    assert.notEqual(proofs[0], other)
  })
})
