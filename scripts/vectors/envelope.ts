// SPDX-License-Identifier: GPL-3.0-or-later
import { concat, utf8 } from '../../daemon/base/bytes.ts'
import {
  type Body,
  type Cbor,
  encodeCbor,
  type Signer,
  sealEnvelope,
  toBeSigned,
} from '../../daemon/core/envelope/index.ts'
import type { Code } from '../../schemas/gen/ts/codes.ts'
import * as wire from '../../schemas/gen/ts/wire.ts'
import { smallOrderKeys, torsion } from './curve.ts'
import {
  atDevice,
  atHome,
  DEVICE,
  device,
  EPOCH,
  HOME,
  hub,
  NONCE,
  NOW,
  otherDevice,
  owner,
  root,
  stranger,
} from './parties.ts'
import type { Case, Context, Step } from './text.ts'

type CommandBody = Extract<Body, { type: 'command' }>

const command = (changes: Partial<CommandBody> = {}): CommandBody => ({
  type: 'command',
  audience: DEVICE,
  sealedAt: NOW,
  expiresAt: NOW + 30,
  epoch: EPOCH,
  sequence: 1000,
  nonce: NONCE,
  operation: 'write',
  affordance: 1,
  value: true,
  ...changes,
})

/** An envelope put together by hand, so that any part of it can be wrong while the signature is right. */
interface Parts {
  readonly protected?: Uint8Array
  readonly unprotected?: Cbor
  readonly payload?: Uint8Array
  readonly signature?: Cbor
  readonly signer?: Signer
}

const header = (entries: [number | string, Cbor][]): Uint8Array => encodeCbor(new Map(entries))
const HEADER: [number, Cbor][] = [
  [wire.HEADER_ALG, wire.ALG_EDDSA],
  [wire.HEADER_KID, owner.key],
  [wire.HEADER_TYP, wire.TYPE_COMMAND],
]
const without = (entries: [number, Cbor][], key: number) => entries.filter(([name]) => name !== key)
const replacing = (entries: [number, Cbor][], key: number, value: Cbor): [number, Cbor][] =>
  entries.map(([name, present]) => [name, name === key ? value : present])

const BODY: [number, Cbor][] = [
  [wire.COMMAND_OPERATION, wire.OPERATION_WRITE],
  [wire.COMMAND_AFFORDANCE, 1],
  [wire.COMMAND_VALUE, true],
]
const CTI = concat(EPOCH, Uint8Array.fromHex('00000000000003e8'))
const CLAIMS: [number, Cbor][] = [
  [wire.CLAIM_AUD, DEVICE],
  [wire.CLAIM_EXP, NOW + 30],
  [wire.CLAIM_IAT, NOW],
  [wire.CLAIM_CTI, CTI],
  [wire.CLAIM_NONCE, NONCE],
  [wire.CLAIM_BODY, new Map(BODY)],
]

function assemble(parts: Parts = {}): Uint8Array {
  const protectedBytes = parts.protected ?? header(HEADER)
  const payload = parts.payload ?? encodeCbor(new Map(CLAIMS))
  const signature = parts.signature ?? (parts.signer ?? owner).sign(toBeSigned(protectedBytes, payload))
  return concat(
    Uint8Array.of(0xd2),
    encodeCbor([protectedBytes, parts.unprotected ?? new Map(), payload, signature]),
  )
}

const claims = (entries: [number, Cbor][]) => assemble({ payload: encodeCbor(new Map(entries)) })
const rawPayload = (hex: string) => assemble({ payload: Uint8Array.fromHex(hex) })
const bodyOf = (entries: [number, Cbor][]) => claims(replacing(CLAIMS, wire.CLAIM_BODY, new Map(entries)))

function flip(frame: Uint8Array, at: number): Uint8Array {
  const changed = Uint8Array.from(frame)
  changed[at < 0 ? frame.length + at : at]! ^= 1
  return changed
}

function one(
  name: string,
  section: string,
  comment: string,
  frame: Uint8Array,
  expect: Code,
  context = atDevice,
): Case {
  return { name, section, comment, context, steps: [{ frame, expect }] }
}

function several(
  name: string,
  section: string,
  comment: string,
  steps: Step[],
  context: Context = atDevice,
): Case {
  return { name, section, comment, context, steps }
}

const sealed = (body: Body, signer: Signer): Uint8Array => sealEnvelope(body, signer)
const good = sealed(command(), owner)

export function envelopeCases(): Case[] {
  return [
    ...accepted(),
    ...cborFaults(),
    ...structureFaults(),
    ...headerFaults(),
    ...claimFaults(),
    ...signerFaults(),
    ...signatureFaults(),
    ...gateFaults(),
  ]
}

function accepted(): Case[] {
  const said = { sealedAt: NOW, epoch: EPOCH, sequence: 7 }
  const sample = { affordance: 3, at: NOW * 1000, value: 2153 }
  const digest = new Uint8Array(32).fill(9)
  const permit = Uint8Array.fromHex('c0c1c2c3c4c5c6c7')
  const types: [string, Body, Signer, Context][] = [
    ['owner', { type: 'owner', audience: HOME, ...said, name: 'Ada', key: owner.key }, root, atHome],
    ['member', { type: 'member', audience: HOME, ...said, name: 'hub', key: hub.key }, owner, atHome],
    [
      'permit',
      { type: 'permit', audience: HOME, ...said, name: 'porch', expiresAt: NOW + 900, permit },
      owner,
      atHome,
    ],
    [
      'enrolment',
      { type: 'enrolment', audience: HOME, ...said, name: 'porch', key: device.key, permit },
      owner,
      atHome,
    ],
    [
      'enrol',
      {
        type: 'enrol',
        audience: HOME,
        ...said,
        sealedAt: 0,
        permit,
        csr: new Uint8Array(180).fill(0x30),
        proofForHub: digest,
        proofForOwner: digest,
        board: 'host',
        firmware: '0.1.0',
        affordances: [1, 2, 5],
      },
      stranger,
      atHome,
    ],
    [
      'enrolled',
      { type: 'enrolled', audience: DEVICE, ...said, nonce: NONCE, certificate: digest, name: 'porch' },
      hub,
      atDevice,
    ],
    [
      'hello',
      {
        type: 'hello',
        audience: HOME,
        ...said,
        sealedAt: 0,
        board: 'qemu',
        firmware: '0.1.0',
        affordances: [3, 4],
        lost: 0,
      },
      device,
      atHome,
    ],
    [
      'welcome',
      { type: 'welcome', audience: DEVICE, ...said, nonce: NONCE, timeMs: NOW * 1000, wantsRecord: false },
      hub,
      atDevice,
    ],
    [
      'reading',
      {
        type: 'reading',
        audience: HOME,
        ...said,
        values: [sample, { ...sample, affordance: 257, value: false }],
      },
      device,
      atHome,
    ],
    ['command', command(), owner, atDevice],
    [
      'receipt',
      { type: 'receipt', audience: HOME, ...said, command: digest, code: 0, values: [sample] },
      device,
      atHome,
    ],
    [
      'request',
      {
        type: 'request',
        audience: HOME,
        ...said,
        expiresAt: NOW + 60,
        method: 'GET',
        path: '/things?x=ü',
        digest,
      },
      owner,
      atHome,
    ],
    [
      'beacon',
      {
        type: 'beacon',
        audience: HOME,
        ...said,
        position: 3,
        hash: digest,
        client: hub.key,
        ways: concat(otherDevice.key, hub.key),
      },
      hub,
      atHome,
    ],
  ]
  return [
    ...types.map(([name, body, signer, context]) =>
      one(`ok-${name}`, '4', `a ${name} as it should be`, sealed(body, signer), 'ok', context),
    ),
    one(
      'ok-invoke-without-value',
      '4.10',
      'an action that takes no value',
      sealed(withoutValue(), owner),
      'ok',
    ),
    one(
      'ok-negative-value',
      '1.1',
      'the smallest integer',
      sealed(command({ value: -wire.INTEGER_MAX }), owner),
      'ok',
    ),
    one('ok-by-hand', '2.1', 'put together member by member, not by our sealer', assemble(), 'ok'),
  ]
}

function withoutValue(): CommandBody {
  const { value: _absent, ...rest } = command({ operation: 'invoke', affordance: 5 })
  return rest
}

function cborFaults(): Case[] {
  const nested = (depth: number) => `${'81'.repeat(depth)}00`
  return [
    one('cbor-empty', '1.1', 'no bytes at all', new Uint8Array(), 'cbor-truncated'),
    one(
      'cbor-cut-in-half',
      '1.1',
      'the first half of a good envelope',
      good.subarray(0, good.length / 2),
      'cbor-truncated',
    ),
    one('cbor-cut-by-one', '1.1', 'the last byte is missing', good.subarray(0, -1), 'cbor-truncated'),
    one(
      'cbor-trailing-zero',
      '1.1',
      'one byte more than the item',
      concat(good, Uint8Array.of(0)),
      'cbor-trailing',
    ),
    one('cbor-trailing-twin', '1.1', 'the same envelope twice', concat(good, good), 'cbor-trailing'),
    one(
      'cbor-tag-too-long',
      '1.1',
      'tag 18 in two bytes',
      concat(Uint8Array.of(0xd8, 0x12), good.subarray(1)),
      'cbor-not-canonical',
    ),
    one(
      'cbor-array-indefinite',
      '1.1',
      'an array of indefinite length',
      concat(Uint8Array.of(0xd2, 0x9f), good.subarray(2), Uint8Array.of(0xff)),
      'cbor-not-canonical',
    ),
    one(
      'cbor-array-too-long',
      '1.1',
      'the count 4 in two bytes',
      concat(Uint8Array.of(0xd2, 0x98, 4), good.subarray(2)),
      'cbor-not-canonical',
    ),
    one('cbor-reserved', '1.1', 'additional information 28', Uint8Array.of(0xd2, 0x9c), 'cbor-malformed'),
    one(
      'cbor-bytes-beyond-end',
      '1.1',
      'a byte string of 2^32 bytes',
      Uint8Array.fromHex('d2845b0000000100000000'),
      'cbor-truncated',
    ),
    one(
      'cbor-count-beyond-end',
      '1.1',
      'an array of 2^32 items',
      Uint8Array.fromHex('d29b000000010000000040'),
      'cbor-truncated',
    ),
    one(
      'cbor-length-out-of-range',
      '1.1',
      'a byte string of 2^53 bytes',
      Uint8Array.fromHex('d2845b0020000000000000'),
      'cbor-range',
    ),
    one(
      'cbor-payload-truncated',
      '1.1',
      'a payload that ends inside its map',
      rawPayload('a203'),
      'cbor-truncated',
    ),
    one('cbor-payload-empty', '1.1', 'an empty payload', rawPayload(''), 'cbor-truncated'),
    one('cbor-payload-trailing', '1.1', 'a payload of two items', rawPayload('a000'), 'cbor-trailing'),
    one('cbor-keys-unsorted', '1.1', 'map keys out of order', rawPayload('a206000300'), 'cbor-not-canonical'),
    one('cbor-keys-twice', '1.1', 'the same key twice', rawPayload('a203000300'), 'cbor-duplicate-key'),
    one(
      'cbor-keys-length-first',
      '1.1',
      'ordered by length first, as RFC 7049 had it: -1 before 24',
      rawPayload('a22000181800'),
      'cbor-not-canonical',
    ),
    one(
      'cbor-keys-bytewise',
      '1.1',
      '24 before -1 is the right order: only the claims are wrong',
      rawPayload('a21818002000'),
      'bad-claims',
    ),
    one('cbor-float', '1.1', 'a half-precision float', rawPayload('a103f93c00'), 'cbor-type'),
    one('cbor-null', '1.1', 'null', rawPayload('a103f6'), 'cbor-type'),
    one('cbor-undefined', '1.1', 'undefined', rawPayload('a103f7'), 'cbor-type'),
    one('cbor-simple', '1.1', 'a simple value', rawPayload('a103f8ff'), 'cbor-type'),
    one('cbor-false-in-two-bytes', '1.1', 'false with an argument', rawPayload('a103f814'), 'cbor-type'),
    one('cbor-inner-tag', '1.1', 'a tag inside', rawPayload('a103c11a00000000'), 'cbor-type'),
    one('cbor-key-is-bytes', '1.1', 'a byte string as map key', rawPayload('a1410000'), 'cbor-type'),
    one('cbor-key-is-bool', '1.1', 'a boolean as map key', rawPayload('a1f400'), 'cbor-type'),
    one(
      'cbor-integer-too-long',
      '1.1',
      'the integer 3 in two bytes',
      rawPayload('a1180300'),
      'cbor-not-canonical',
    ),
    one('cbor-integer-out-of-range', '1.1', '2^53', rawPayload('a1031b0020000000000000'), 'cbor-range'),
    one('cbor-negative-out-of-range', '1.1', '-2^53', rawPayload('a1033b001fffffffffffff'), 'cbor-range'),
    one('cbor-text-not-utf8', '1.1', 'a lone continuation byte', rawPayload('a1036180'), 'cbor-utf8'),
    one('cbor-text-surrogate', '1.1', 'a surrogate in UTF-8', rawPayload('a10363eda080'), 'cbor-utf8'),
    one('cbor-text-overlong', '1.1', 'an overlong slash', rawPayload('a10362c0af'), 'cbor-utf8'),
    one('cbor-text-above-unicode', '1.1', 'U+110000', rawPayload('a10364f4908080'), 'cbor-utf8'),
    one('cbor-depth-nine', '1.1', 'nine arrays around one another', rawPayload(nested(9)), 'cbor-depth'),
    one(
      'cbor-depth-eight',
      '1.1',
      'eight are allowed: only the claims are wrong',
      rawPayload(nested(8)),
      'bad-claims',
    ),
  ]
}

function structureFaults(): Case[] {
  const array = good.subarray(1)
  const large = concat(good, new Uint8Array(1025 - good.length))
  const items = (...list: Cbor[]) => concat(Uint8Array.of(0xd2), encodeCbor(list))
  const [head, body, signature] = [header(HEADER), encodeCbor(new Map(CLAIMS)), new Uint8Array(64)]
  return [
    one('too-large', '2.5', '1,025 bytes, whatever they are', large, 'too-large'),
    one('untagged', '2.1', 'a COSE_Sign1 without its tag', array, 'wrong-tag'),
    one('tag-mac0', '2.1', 'tag 17, a COSE_Mac0', concat(Uint8Array.of(0xd1), array), 'wrong-tag'),
    one('tag-sign', '2.1', 'tag 98, a COSE_Sign', concat(Uint8Array.of(0xd8, 0x62), array), 'wrong-tag'),
    one(
      'tag-cwt',
      '2.1',
      'tag 61 around it, the CWT tag',
      concat(Uint8Array.of(0xd8, 0x3d), good),
      'wrong-tag',
    ),
    one('just-text', '2.1', 'a text string', encodeCbor('hello'), 'wrong-tag'),
    one('three-elements', '2.1', 'the signature is missing', items(head, new Map(), body), 'bad-structure'),
    one(
      'five-elements',
      '2.1',
      'one element too many',
      items(head, new Map(), body, signature, 0),
      'bad-structure',
    ),
    one(
      'protected-as-map',
      '2.1',
      'a protected header that is not a byte string',
      items(new Map(HEADER), new Map(), body, signature),
      'bad-structure',
    ),
    one(
      'unprotected-as-bytes',
      '2.1',
      'an unprotected header that is not a map',
      items(head, head, body, signature),
      'bad-structure',
    ),
    one(
      'payload-as-text',
      '2.1',
      'a payload that is text',
      items(head, new Map(), 'x', signature),
      'bad-structure',
    ),
    one(
      'signature-of-63',
      '2.1',
      'a signature of 63 bytes',
      items(head, new Map(), body, signature.subarray(1)),
      'bad-structure',
    ),
    one(
      'signature-empty',
      '2.1',
      'no signature',
      items(head, new Map(), body, new Uint8Array()),
      'bad-structure',
    ),
    one(
      'unprotected-kid',
      '2.2',
      'a key id outside the signature',
      assemble({ unprotected: new Map([[4, owner.key]]) }),
      'bad-header',
    ),
  ]
}

function headerFaults(): Case[] {
  const head = (entries: [number | string, Cbor][]) => assemble({ protected: header(entries) })
  return [
    one(
      'header-empty',
      '2.2',
      'an empty protected header',
      assemble({ protected: new Uint8Array() }),
      'cbor-truncated',
    ),
    one('header-empty-map', '2.2', 'a protected header of no parameters', head([]), 'bad-header'),
    one(
      'header-is-array',
      '2.2',
      'a protected header that is an array',
      assemble({ protected: encodeCbor([1]) }),
      'bad-header',
    ),
    one('header-no-alg', '2.2', 'no algorithm', head(without(HEADER, wire.HEADER_ALG)), 'bad-header'),
    one('header-no-kid', '2.2', 'no key', head(without(HEADER, wire.HEADER_KID)), 'bad-header'),
    one('header-no-typ', '2.2', 'no type', head(without(HEADER, wire.HEADER_TYP)), 'bad-header'),
    one(
      'header-more',
      '2.2',
      'a parameter that is not ours',
      head([...HEADER, [5, new Uint8Array(1)]]),
      'bad-header',
    ),
    one(
      'header-kid-31',
      '2.2',
      'a key of 31 bytes',
      head(replacing(HEADER, wire.HEADER_KID, owner.key.subarray(1))),
      'bad-header',
    ),
    one(
      'header-kid-text',
      '2.2',
      'a key as text',
      head(replacing(HEADER, wire.HEADER_KID, HOME)),
      'bad-header',
    ),
    one(
      'header-crit',
      '2.2',
      'a critical parameter',
      head([...HEADER, [wire.HEADER_CRIT, [99]]]),
      'unknown-critical',
    ),
    one('header-alg-es256', '2.2', 'ES256', head(replacing(HEADER, wire.HEADER_ALG, -7)), 'wrong-algorithm'),
    one(
      'header-alg-ed25519',
      '2.2',
      'the fully specified Ed25519 (RFC 9864) is another number',
      head(replacing(HEADER, wire.HEADER_ALG, -19)),
      'wrong-algorithm',
    ),
    one(
      'header-alg-text',
      '2.2',
      'an algorithm as text',
      head(replacing(HEADER, wire.HEADER_ALG, 'EdDSA')),
      'bad-header',
    ),
    one(
      'type-unknown',
      '2.2',
      'a type nobody knows',
      head(replacing(HEADER, wire.HEADER_TYP, 'application/vnd.shallot.wish.v1')),
      'unknown-type',
    ),
    one(
      'type-later-version',
      '2.2',
      'a later version of a known type',
      head(replacing(HEADER, wire.HEADER_TYP, 'application/vnd.shallot.command.v2')),
      'unknown-type',
    ),
    one(
      'type-as-number',
      '2.2',
      'a type as a number',
      head(replacing(HEADER, wire.HEADER_TYP, 7)),
      'bad-header',
    ),
  ]
}

function claimFaults(): Case[] {
  const changed = (key: number, value: Cbor) => claims(replacing(CLAIMS, key, value))
  const lost = (key: number) => claims(without(CLAIMS, key))
  const beyond = concat(EPOCH, Uint8Array.fromHex('0020000000000000'))
  const reading = (values: Cbor) =>
    assemble({
      signer: device,
      protected: header([
        [wire.HEADER_ALG, wire.ALG_EDDSA],
        [wire.HEADER_KID, device.key],
        [wire.HEADER_TYP, wire.TYPE_READING],
      ]),
      payload: encodeCbor(
        new Map<number, Cbor>([
          [wire.CLAIM_AUD, HOME],
          [wire.CLAIM_IAT, NOW],
          [wire.CLAIM_CTI, CTI],
          [wire.CLAIM_BODY, new Map([[wire.READING_VALUES, values]])],
        ]),
      ),
    })
  const cnf = (key: Cbor) =>
    assemble({
      signer: root,
      protected: header([
        [wire.HEADER_ALG, wire.ALG_EDDSA],
        [wire.HEADER_KID, root.key],
        [wire.HEADER_TYP, wire.TYPE_OWNER],
      ]),
      payload: encodeCbor(
        new Map<number, Cbor>([
          [wire.CLAIM_SUB, 'Ada'],
          [wire.CLAIM_AUD, HOME],
          [wire.CLAIM_IAT, NOW],
          [wire.CLAIM_CTI, CTI],
          [wire.CLAIM_CNF, key],
        ]),
      ),
    })
  const coseKey = (kty: Cbor, crv: Cbor, x: Cbor): Cbor =>
    new Map([
      [
        wire.CNF_COSE_KEY,
        new Map<number, Cbor>([
          [wire.COSE_KTY, kty],
          [wire.COSE_CRV, crv],
          [wire.COSE_X, x],
        ]),
      ],
    ])
  const sample: Cbor = [3, NOW * 1000, 2153]
  return [
    one('claims-as-array', '2.3', 'a payload that is an array', rawPayload('80'), 'bad-claims'),
    one('claims-no-aud', '2.3', 'no audience', lost(wire.CLAIM_AUD), 'bad-claims'),
    one('claims-no-exp', '2.3', 'no deadline where one is needed', lost(wire.CLAIM_EXP), 'bad-claims'),
    one('claims-no-iat', '2.3', 'no time of sealing', lost(wire.CLAIM_IAT), 'bad-claims'),
    one('claims-no-cti', '2.3', 'no message id', lost(wire.CLAIM_CTI), 'bad-claims'),
    one('claims-no-nonce', '2.3', 'no nonce in a command', lost(wire.CLAIM_NONCE), 'bad-claims'),
    one('claims-no-body', '2.3', 'no body', lost(wire.CLAIM_BODY), 'bad-claims'),
    one(
      'claims-more',
      '2.3',
      'a claim that does not belong',
      claims([...CLAIMS, [wire.CLAIM_SUB, 'x']]),
      'bad-claims',
    ),
    one('claims-aud-bytes', '2.3', 'an audience as bytes', changed(wire.CLAIM_AUD, device.key), 'bad-claims'),
    one(
      'claims-aud-short',
      '2.3',
      'an audience of 42 characters',
      changed(wire.CLAIM_AUD, DEVICE.slice(1)),
      'bad-claims',
    ),
    one('claims-exp-negative', '2.3', 'a negative deadline', changed(wire.CLAIM_EXP, -1), 'bad-claims'),
    one('claims-iat-text', '2.3', 'a time as text', changed(wire.CLAIM_IAT, 'now'), 'bad-claims'),
    one(
      'claims-cti-15',
      '3.1',
      'a message id of 15 bytes',
      changed(wire.CLAIM_CTI, CTI.subarray(1)),
      'bad-claims',
    ),
    one('claims-cti-beyond', '3.1', 'a sequence of 2^53', changed(wire.CLAIM_CTI, beyond), 'bad-claims'),
    one(
      'claims-nonce-7',
      '2.3',
      'a nonce of 7 bytes',
      changed(wire.CLAIM_NONCE, NONCE.subarray(1)),
      'bad-claims',
    ),
    one(
      'claims-too-long-a-life',
      '3.4',
      'a command for two days',
      changed(wire.CLAIM_EXP, NOW + 172_800),
      'bad-claims',
    ),
    one(
      'body-no-operation',
      '4.10',
      'a command that names no operation',
      bodyOf(without(BODY, wire.COMMAND_OPERATION)),
      'bad-claims',
    ),
    one(
      'body-operation-4',
      '4.10',
      'an operation that does not exist',
      bodyOf(replacing(BODY, wire.COMMAND_OPERATION, 4)),
      'bad-claims',
    ),
    one(
      'body-affordance-beyond',
      '4.10',
      'affordance 65,536',
      bodyOf(replacing(BODY, wire.COMMAND_AFFORDANCE, 65_536)),
      'bad-claims',
    ),
    one(
      'body-value-text',
      '4.10',
      'a value as text',
      bodyOf(replacing(BODY, wire.COMMAND_VALUE, 'on')),
      'bad-claims',
    ),
    one('body-more', '4.10', 'a member that does not belong', bodyOf([...BODY, [4, 0]]), 'bad-claims'),
    one(
      'body-text-key',
      '4.10',
      'a member with a text key',
      assemble({
        payload: encodeCbor(
          new Map<number, Cbor>(
            replacing(CLAIMS, wire.CLAIM_BODY, new Map<number | string, Cbor>([...BODY, ['x', 0]])),
          ),
        ),
      }),
      'bad-claims',
    ),
    one('reading-empty', '4.9', 'a reading of no samples', reading([]), 'bad-claims', atHome),
    one(
      'reading-17',
      '4.9',
      'a reading of 17 samples',
      reading(new Array(17).fill(sample)),
      'bad-claims',
      atHome,
    ),
    one(
      'reading-sample-of-two',
      '4.9',
      'a sample without its value',
      reading([[3, 0]]),
      'bad-claims',
      atHome,
    ),
    one(
      'reading-time-negative',
      '4.9',
      'a sample from before 1970',
      reading([[3, -1, 0]]),
      'bad-claims',
      atHome,
    ),
    one(
      'reading-value-bytes',
      '4.9',
      'a value as bytes',
      reading([[3, 0, new Uint8Array(1)]]),
      'bad-claims',
      atHome,
    ),
    one('cnf-not-a-map', '4.1', 'a key that is not a COSE_Key', cnf(owner.key), 'bad-claims', atHome),
    one(
      'cnf-p256',
      '4.1',
      'a COSE_Key on another curve',
      cnf(coseKey(2, 1, owner.key)),
      'bad-claims',
      atHome,
    ),
    one('cnf-x25519', '4.1', 'an X25519 key', cnf(coseKey(1, 4, owner.key)), 'bad-claims', atHome),
    one(
      'cnf-short',
      '4.1',
      'a key of 31 bytes',
      cnf(coseKey(1, 6, owner.key.subarray(1))),
      'bad-claims',
      atHome,
    ),
    one(
      'name-empty',
      '2.3',
      'an owner without a name',
      sealed(
        { type: 'owner', audience: HOME, sealedAt: NOW, epoch: EPOCH, sequence: 1, name: '', key: owner.key },
        root,
      ),
      'bad-claims',
      atHome,
    ),
    one(
      'name-65-bytes',
      '2.3',
      'a name of 65 bytes in 33 characters',
      sealed(
        {
          type: 'owner',
          audience: HOME,
          sealedAt: NOW,
          epoch: EPOCH,
          sequence: 1,
          name: `${'ü'.repeat(32)}x`,
          key: owner.key,
        },
        root,
      ),
      'bad-claims',
      atHome,
    ),
  ]
}

function signerFaults(): Case[] {
  const said = { audience: HOME, sealedAt: NOW, epoch: EPOCH, sequence: 1 }
  const values = [{ affordance: 3, at: 0, value: 1 }]
  return [
    one(
      'signer-stranger',
      '2.6',
      'a command by somebody unknown',
      sealed(command(), stranger),
      'unknown-signer',
    ),
    one('signer-hub', '2.6', 'a command by the hub itself', sealed(command(), hub), 'unknown-signer'),
    one(
      'signer-root',
      '2.6',
      'the root makes owners and nothing else',
      sealed(command(), root),
      'unknown-signer',
    ),
    one('signer-device', '2.6', 'a device commands itself', sealed(command(), device), 'unknown-signer'),
    one(
      'signer-owner-makes-owner',
      '2.6',
      'an owner makes an owner',
      sealed({ type: 'owner', ...said, name: 'Eve', key: stranger.key }, owner),
      'unknown-signer',
      atHome,
    ),
    one(
      'signer-hub-makes-member',
      '2.6',
      'a hub makes a member',
      sealed({ type: 'member', ...said, name: 'two', key: stranger.key }, hub),
      'unknown-signer',
      atHome,
    ),
    one(
      'signer-other-device',
      '2.6',
      'a reading by a device that is not enrolled',
      sealed({ type: 'reading', ...said, values }, otherDevice),
      'unknown-signer',
      atHome,
    ),
    one(
      'signer-owner-forges-reading',
      '2.6',
      'a reading sealed by an owner',
      sealed({ type: 'reading', ...said, values }, owner),
      'unknown-signer',
      atHome,
    ),
    one(
      'signer-owner-forges-welcome',
      '2.6',
      'a welcome that the hub did not seal',
      sealed(
        { type: 'welcome', ...said, audience: DEVICE, nonce: NONCE, timeMs: 1, wantsRecord: false },
        owner,
      ),
      'unknown-signer',
    ),
    one(
      'audience-other-device',
      '2.5',
      'a command for another device',
      sealed(command({ audience: idText(otherDevice) }), owner),
      'wrong-audience',
    ),
    one(
      'audience-home',
      '2.5',
      'a command for the home',
      sealed(command({ audience: HOME }), owner),
      'wrong-audience',
    ),
    one(
      'audience-other-home',
      '2.5',
      'a reading for another home',
      sealed({ type: 'reading', ...said, audience: DEVICE, values }, device),
      'wrong-audience',
      atHome,
    ),
  ]
}

function idText(signer: Signer): string {
  return Buffer.from(signer.key).toString('base64url')
}

/** An honest envelope whose S is below 2^248, as one in sixteen is. */
function sealedWithSmallS(): { frame: Uint8Array; s: bigint } {
  for (let sequence = 1000; ; sequence++) {
    const frame = sealed(command({ sequence }), owner)
    const s = BigInt(`0x${frame.slice(-32).reverse().toHex()}`)
    if (s < 2n ** 248n) return { frame, s }
  }
}

function signatureFaults(): Case[] {
  const L = 2n ** 252n + 27742317777372353535851937790883648493n
  const signature = good.subarray(-64)
  const s = BigInt(`0x${Uint8Array.from(signature.subarray(32)).reverse().toHex()}`)
  const littleEndian = (value: bigint) => Uint8Array.fromHex(value.toString(16).padStart(64, '0')).reverse()
  const withSignature = (bytes: Uint8Array) => concat(good.subarray(0, -64), bytes)
  const withKey = (key: Uint8Array, bytes: Uint8Array = new Uint8Array(64)) =>
    assemble({ protected: header(replacing(HEADER, wire.HEADER_KID, key)), signature: bytes })
  const knows = (key: Uint8Array): Context => ({ ...atDevice, owner: [owner.key, key] })
  const neutral = concat(Uint8Array.of(1), new Uint8Array(31))
  const offCurve = concat(Uint8Array.of(2), new Uint8Array(31))
  const aboveP = Uint8Array.fromHex(`f0${'ff'.repeat(30)}7f`)
  const mixed = torsion.mixedKey()
  const small = sealedWithSmallS()
  return [
    one('signature-flipped-r', '2.4', 'one bit of R', flip(good, -64), 'bad-signature'),
    one('signature-flipped-s', '2.4', 'one bit of S', flip(good, -32), 'bad-signature'),
    one(
      'signature-zero',
      '2.4',
      'sixty-four zeros: R is of small order',
      withSignature(new Uint8Array(64)),
      'bad-signature',
    ),
    one(
      'signature-s-plus-l',
      '2.4',
      'S + L, the other spelling of S',
      withSignature(concat(signature.subarray(0, 32), littleEndian(s + L))),
      'bad-signature',
    ),
    one(
      'signature-s-plus-l-low',
      '2.4',
      'S + L for a small S: the top byte is still that of L',
      concat(small.frame.subarray(0, -32), littleEndian(small.s + L)),
      'bad-signature',
    ),
    one(
      'signature-payload-changed',
      '2.4',
      'one bit of the payload: off instead of on',
      flip(good, good.length - 64 - 2 - 1),
      'bad-signature',
    ),
    one(
      'signature-other-key',
      '2.4',
      "another owner's key over the same bytes",
      assemble({ signer: stranger }),
      'bad-signature',
    ),
    one(
      'signature-other-context',
      '2.4',
      'signed as "Signature" instead of "Signature1"',
      assemble({
        signature: owner.sign(
          encodeCbor(['Signature', header(HEADER), new Uint8Array(), encodeCbor(new Map(CLAIMS))]),
        ),
      }),
      'bad-signature',
    ),
    one(
      'signature-external-data',
      '2.4',
      'signed with external data',
      assemble({
        signature: owner.sign(
          encodeCbor(['Signature1', header(HEADER), utf8('x'), encodeCbor(new Map(CLAIMS))]),
        ),
      }),
      'bad-signature',
    ),
    one(
      'signature-r-neutral',
      '2.4',
      'R is the neutral point',
      withSignature(concat(neutral, signature.subarray(32))),
      'bad-signature',
    ),
    one(
      'signature-r-not-canonical',
      '2.4',
      'R with y above p',
      withSignature(concat(aboveP, signature.subarray(32))),
      'bad-signature',
    ),
    one(
      'signature-torsion-in-r',
      '2.4',
      'valid with the cofactor, not without: R has a part of small order',
      torsionInR(),
      'bad-signature',
    ),
    ...smallOrderKeys().map((key, at) =>
      one(`key-small-order-${at}`, '2.4', 'a signer of small order', withKey(key), 'bad-key', knows(key)),
    ),
    one(
      'key-small-order-accepts-all',
      '2.4',
      'the neutral point as key, with the signature that fits every message',
      withKey(neutral, concat(neutral, new Uint8Array(32))),
      'bad-key',
      knows(neutral),
    ),
    one('key-not-canonical', '2.4', 'a key with y above p', withKey(aboveP), 'bad-key', knows(aboveP)),
    one(
      'key-off-curve',
      '2.4',
      'a key that is no point',
      withKey(offCurve, signature),
      'bad-signature',
      knows(offCurve),
    ),
    one(
      'key-mixed-order',
      '2.4',
      'a key with a part of small order, signed so that only the cofactor equation holds',
      torsion.mixedEnvelope(mixed, (kid, sign) => {
        const protectedBytes = header(replacing(HEADER, wire.HEADER_KID, kid))
        const payload = encodeCbor(new Map(CLAIMS))
        return assemble({
          protected: protectedBytes,
          payload,
          signature: sign(toBeSigned(protectedBytes, payload)),
        })
      }),
      'bad-signature',
      knows(mixed.key),
    ),
  ]
}

function torsionInR(): Uint8Array {
  const protectedBytes = header(HEADER)
  const payload = encodeCbor(new Map(CLAIMS))
  return assemble({ signature: torsion.signWithTorsionInR(2, toBeSigned(protectedBytes, payload)) })
}

function gateFaults(): Case[] {
  const at = (sequence: number) => sealed(command({ sequence }), owner)
  const unknownTime: Context = { ...atDevice, now: 0 }
  const said = { epoch: EPOCH, sequence: 1 }
  const values = [{ affordance: 3, at: 0, value: 1 }]
  return [
    one(
      'expired',
      '3.4',
      'the deadline was a second ago',
      sealed(command({ sealedAt: NOW - 31, expiresAt: NOW - 1 }), owner),
      'expired',
    ),
    one(
      'expires-now',
      '3.4',
      'the deadline is now: too late',
      sealed(command({ sealedAt: NOW - 30, expiresAt: NOW }), owner),
      'expired',
    ),
    one(
      'expires-next-second',
      '3.4',
      'one second left',
      sealed(command({ sealedAt: NOW - 29, expiresAt: NOW + 1 }), owner),
      'ok',
    ),
    one(
      'no-clock',
      '3.4',
      'a deadline, and a receiver that does not know the time',
      good,
      'no-clock',
      unknownTime,
    ),
    one(
      'no-clock-needed',
      '3.4',
      'a reading needs no clock',
      sealed({ type: 'reading', audience: HOME, sealedAt: NOW, ...said, values }, device),
      'ok',
      { ...atHome, now: 0 },
    ),
    one(
      'not-yet',
      '3.4',
      'sealed 301 seconds ahead',
      sealed(command({ sealedAt: NOW + 301, expiresAt: NOW + 400 }), owner),
      'not-yet',
    ),
    one(
      'skew-allowed',
      '3.4',
      'sealed 300 seconds ahead',
      sealed(command({ sealedAt: NOW + 300, expiresAt: NOW + 400 }), owner),
      'ok',
    ),
    one(
      'not-yet-owner',
      '3.4',
      'an owner from the future',
      sealed(
        { type: 'owner', audience: HOME, sealedAt: NOW + 301, ...said, name: 'Ada', key: owner.key },
        root,
      ),
      'not-yet',
      atHome,
    ),
    one(
      'device-clock-ahead',
      '3.4',
      'a reading by a device whose hub has since set its clock back',
      sealed({ type: 'reading', audience: HOME, sealedAt: NOW + 100_000, ...said, values }, device),
      'ok',
      atHome,
    ),
    one(
      'welcome-brings-time',
      '3.4',
      'a welcome from the future sets the clock',
      sealed(
        {
          type: 'welcome',
          audience: DEVICE,
          sealedAt: NOW + 100_000,
          ...said,
          nonce: NONCE,
          timeMs: 1,
          wantsRecord: false,
        },
        hub,
      ),
      'ok',
    ),
    one(
      'nonce-stale',
      '3.2',
      'a command for an earlier boot',
      sealed(command({ nonce: EPOCH }), owner),
      'stale-nonce',
    ),
    one(
      'nonce-stale-welcome',
      '3.2',
      'a recorded welcome',
      sealed(
        {
          type: 'welcome',
          audience: DEVICE,
          sealedAt: NOW,
          ...said,
          nonce: EPOCH,
          timeMs: 1,
          wantsRecord: false,
        },
        hub,
      ),
      'stale-nonce',
    ),
    several('replay-twice', '3.3', 'the same command twice', [
      { frame: good, expect: 'ok' },
      { frame: good, expect: 'replayed' },
    ]),
    several('replay-window', '3.3', 'four are remembered; a late one inside the window is taken once', [
      { frame: at(10), expect: 'ok' },
      { frame: at(40), expect: 'ok' },
      { frame: at(20), expect: 'ok' },
      { frame: at(5), expect: 'ok' },
      { frame: at(20), expect: 'replayed' },
      { frame: at(4), expect: 'replayed' },
      { frame: at(30), expect: 'ok' },
      { frame: at(5), expect: 'replayed' },
      { frame: at(7), expect: 'replayed' },
      { frame: at(41), expect: 'ok' },
    ]),
    several('replay-refused-leaves-no-mark', '3.3', 'a sequence counts only when everything else was right', [
      {
        frame: sealed(command({ sequence: 50, expiresAt: NOW - 1, sealedAt: NOW - 2 }), owner),
        expect: 'expired',
      },
      { frame: sealed(command({ sequence: 50, nonce: EPOCH }), owner), expect: 'stale-nonce' },
      { frame: at(50), expect: 'ok' },
    ]),
    several(
      'replay-per-signer',
      '3.3',
      'each signer has a window of its own',
      [
        { frame: sealed(command({ sequence: 60 }), owner), expect: 'ok' },
        { frame: sealed(command({ sequence: 60 }), stranger), expect: 'ok' },
        { frame: sealed(command({ sequence: 60 }), stranger), expect: 'replayed' },
      ],
      { ...atDevice, owner: [owner.key, stranger.key] },
    ),
    several('deadline-passes', '3.4', 'the same command is refused once its time is over', [
      { frame: at(70), expect: 'ok' },
      { now: NOW + 31, frame: at(71), expect: 'expired' },
    ]),
    several('new-boot', '3.2', 'after a new boot nonce the old commands are stale', [
      { frame: at(80), expect: 'ok' },
      { nonce: EPOCH, frame: at(81), expect: 'stale-nonce' },
      { frame: sealed(command({ sequence: 82, nonce: EPOCH }), owner), expect: 'ok' },
    ]),
  ]
}
