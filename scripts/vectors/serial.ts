// SPDX-License-Identifier: GPL-3.0-or-later
/** What a device makes of lines on its serial line, and of what was handed over in them (SPEC 17). */
import { createHash } from 'node:crypto'
import { concat, toBase64url, utf8 } from '../../daemon/base/bytes.ts'
import { type Cbor, encodeCbor } from '../../daemon/core/envelope/index.ts'
import type { Code } from '../../schemas/gen/ts/codes.ts'
import * as wire from '../../schemas/gen/ts/wire.ts'
import type { Case } from './text.ts'

function lineOf(item: Uint8Array, sum = createHash('sha256').update(item).digest().subarray(0, 4)): string {
  return wire.SERIAL_PREFIX + toBase64url(concat(item, sum))
}

const saying = (item: Cbor): string => lineOf(encodeCbor(item))
const PIECE = new Uint8Array(64).fill(0x5a)
const DIGEST = new Uint8Array(32).fill(0xa5)
const who = saying([1, wire.SERIAL_WHO])
const part = saying([255, wire.SERIAL_PART, 576, PIECE])

function line(name: string, comment: string, code: string, expect: Code): Case {
  return { name, section: '17.1', comment, context: {}, steps: [{ code, expect }] }
}

const ask = (name: string, comment: string, item: Cbor, expect: Code = 'bad-provision'): Case => ({
  ...line(name, comment, saying(item), expect),
  section: '17.2',
})

function lines(): Case[] {
  const flipped = `${who.slice(0, 16)}${who[16] === 'A' ? 'B' : 'A'}${who.slice(17)}`
  return [
    line('line-who', 'the shortest ask', who, 'ok'),
    line('line-longest', 'the longest ask there is', part, 'ok'),
    line('line-other', 'what somebody types', 'hello', 'missing'),
    line('line-code', 'an enrolment code, which is none of these lines', 'shallot:enrol:AAAA', 'missing'),
    line('line-prefix', 'the prefix alone', wire.SERIAL_PREFIX, 'serial-damaged'),
    line('line-flipped', 'one character is another', flipped, 'serial-damaged'),
    line('line-cut', 'the last character is missing', who.slice(0, -1), 'serial-damaged'),
    line(
      'line-lost',
      'a character in the middle is missing',
      who.slice(0, 18) + who.slice(19),
      'serial-damaged',
    ),
    line('line-padding', 'base64 padding', `${who}=`, 'serial-damaged'),
    line('line-space', 'a blank inside', `${who.slice(0, 20)} ${who.slice(20)}`, 'serial-damaged'),
    line('line-sum-alone', 'a checksum of nothing', lineOf(new Uint8Array(0)), 'serial-damaged'),
    line('line-121', 'a character too many', wire.SERIAL_PREFIX.padEnd(121, 'A'), 'frame-too-large'),
    line(
      'line-120',
      'as many as there may be, and noise',
      wire.SERIAL_PREFIX.padEnd(120, 'A'),
      'serial-damaged',
    ),
    line(
      'cbor-trailing',
      'bytes after the item',
      lineOf(concat(encodeCbor([1, 1]), Uint8Array.of(0))),
      'cbor-trailing',
    ),
    line(
      'cbor-long-head',
      'a head longer than needed',
      lineOf(Uint8Array.of(0x82, 0x18, 1, 1)),
      'cbor-not-canonical',
    ),
    line('cbor-truncated', 'an array of three with two', lineOf(Uint8Array.of(0x83, 1, 1)), 'cbor-truncated'),
    line('cbor-float', 'a float', lineOf(Uint8Array.of(0x82, 1, 0xf9, 0, 0)), 'cbor-type'),
  ]
}

function asks(): Case[] {
  const { SERIAL_WHO: WHO, SERIAL_PART: PART, SERIAL_TAKE: TAKE } = wire
  return [
    ask('ask-part', 'a first piece', [2, PART, 0, Uint8Array.of(1)], 'ok'),
    ask('ask-take', 'the whole', [3, TAKE, wire.PROVISION_BYTES_MAX, DIGEST], 'ok'),
    ask('ask-no-array', 'a map', new Map([[1, 1]])),
    ask('ask-one', 'a sequence alone', [1]),
    ask('ask-sequence-zero', 'sequence 0 is what a device tells by itself', [0, WHO]),
    ask('ask-sequence-beyond', 'sequence 256', [256, WHO]),
    ask('ask-sequence-text', 'a sequence in words', ['1', WHO]),
    ask('ask-kind-zero', 'kind 0', [1, 0]),
    ask('ask-kind-later', 'a kind of a later version', [1, 4]),
    ask('ask-kind-negative', 'kind −1', [1, -1]),
    ask('ask-who-more', 'a word too many', [1, WHO, 1]),
    ask('ask-part-short', 'no piece', [1, PART, 0]),
    ask('ask-part-empty', 'a piece of nothing', [1, PART, 0, new Uint8Array(0)]),
    ask('ask-part-text', 'a piece of text', [1, PART, 0, 'piece']),
    ask('ask-part-before', 'a place before the beginning', [1, PART, -1, Uint8Array.of(1)]),
    ask('ask-part-beyond', 'a place behind the end', [1, PART, wire.PROVISION_BYTES_MAX, Uint8Array.of(1)]),
    ask('ask-part-true', 'a place that is no number', [1, PART, true, Uint8Array.of(1)]),
    ask('ask-take-nothing', 'a whole of nothing', [1, TAKE, 0, DIGEST]),
    ask('ask-take-beyond', 'more than a device takes', [1, TAKE, wire.PROVISION_BYTES_MAX + 1, DIGEST]),
    ask('ask-take-digest', 'a digest of 31 bytes', [1, TAKE, 1, DIGEST.subarray(1)]),
    ask('ask-take-more', 'a word too many', [1, TAKE, 1, DIGEST, 1]),
    ask('ask-answer', 'what a device answers', [1, 0, 1, 'host', 'porch-light 0.1.0', 2]),
  ]
}

const { PROVISION_VERSION: VERSION, PROVISION_WIFI_NAME: NAME } = wire
const { PROVISION_WIFI_PASSWORD: PASSWORD, PROVISION_CODE: CODE } = wire

function orders(
  name: string,
  comment: string,
  members: [number, Cbor][],
  expect: Code = 'bad-provision',
): Case {
  return raw(name, comment, encodeCbor(new Map<number, Cbor>([[VERSION, 1], ...members])), expect)
}

function raw(name: string, comment: string, bytes: Uint8Array, expect: Code): Case {
  return { name, section: '17.3', comment, context: {}, steps: [{ bytes, expect }] }
}

const named = (password: Cbor): [number, Cbor][] => [
  [NAME, 'Home'],
  [PASSWORD, password],
]

function wholes(): Case[] {
  const later = new Map<number, Cbor>([
    [VERSION, 2],
    [9, 'anything'],
  ])
  return [
    orders('whole', 'a network and a code', [...named('correct horse'), [CODE, 'shallot:enrol:AAAA']], 'ok'),
    orders('whole-open', 'an open network', [[NAME, 'Café']], 'ok'),
    orders('whole-key', 'a key in hexadecimal', named('0a'.repeat(32)), 'ok'),
    orders('whole-code', 'a code alone', [[CODE, 'shallot:enrol:AAAA']], 'ok'),
    orders(
      'whole-longest',
      'the longest of everything',
      [
        [NAME, 'n'.repeat(32)],
        [PASSWORD, '~'.repeat(63)],
        [CODE, 'c'.repeat(512)],
      ],
      'ok',
    ),
    orders('nothing', 'nothing at all', []),
    orders('password-alone', 'a password without a network', [[PASSWORD, 'correct horse']]),
    orders('name-empty', 'a network without a name', [[NAME, '']]),
    orders('name-33', 'a name of 33 bytes', [[NAME, 'n'.repeat(33)]]),
    orders('name-nul', 'a name with a NUL, which would end it early', [[NAME, 'Ho\0me']]),
    orders('name-bytes', 'a name that is no text', [[NAME, utf8('Home')]]),
    orders('password-7', 'a password of 7 characters', named('1234567')),
    orders('password-64', '64 characters that are no key', named('g'.repeat(64))),
    orders('password-65', '65 digits', named('a'.repeat(65))),
    orders('password-umlaut', 'a letter that is not ASCII', named('pässwort')),
    orders('password-line', 'a line end inside', named('correct\nhorse')),
    orders('password-number', 'a number', named(12_345_678)),
    orders('code-empty', 'an empty code', [[CODE, '']]),
    orders('code-513', 'a code of 513 characters', [[CODE, 'c'.repeat(513)]]),
    orders('unknown', 'a member of no version', [
      [NAME, 'Home'],
      [5, 'x'],
    ]),
    orders('key-text', 'a key in words', [
      [NAME, 'Home'],
      ['wifi' as unknown as number, 'x'],
    ]),
    raw('no-version', 'no version', encodeCbor(new Map<number, Cbor>([[NAME, 'Home']])), 'bad-provision'),
    raw(
      'version-zero',
      'version 0',
      encodeCbor(
        new Map<number, Cbor>([
          [VERSION, 0],
          [NAME, 'Home'],
        ]),
      ),
      'bad-provision',
    ),
    raw('version-later', 'a later version, whatever it holds', encodeCbor(later), 'code-version'),
    raw('no-map', 'an array', encodeCbor([VERSION, 1]), 'bad-provision'),
    raw('no-cbor', 'text', utf8('Home'), 'bad-provision'),
    raw('unsorted', 'keys out of order', Uint8Array.of(0xa2, 2, 0x61, 0x61, 1, 1), 'bad-provision'),
  ]
}

export function serialCases(): Case[] {
  return [...lines(), ...asks(), ...wholes()]
}
