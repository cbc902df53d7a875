// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from 'node:crypto'
import { concat, toBase64url, utf8 } from '../../daemon/base/bytes.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { type Cbor, encodeCbor } from '../../daemon/core/envelope/index.ts'
import { writeEnrolCode } from '../../daemon/core/identity/index.ts'
import type { Code } from '../../schemas/gen/ts/codes.ts'
import * as wire from '../../schemas/gen/ts/wire.ts'
import { hub, root, stranger } from './parties.ts'
import type { Case } from './text.ts'

const SECRET = new Uint8Array(16).fill(0x5a)
const MEMBERS: [number, Cbor][] = [
  [wire.CODE_VERSION, 1],
  [wire.CODE_HOST, '192.168.1.10'],
  [wire.CODE_PORT, 8443],
  [wire.CODE_ROOT, root.key],
  [wire.CODE_HUB_CA, [hub.key, stranger.key]],
  [wire.CODE_SECRET, SECRET],
]

function codeOf(item: Uint8Array, prefix: string = wire.CODE_ENROL_PREFIX): string {
  const checksum = createHash('sha256').update(item).digest().subarray(0, 4)
  return prefix + toBase64url(concat(item, checksum))
}

const good = codeOf(encodeCbor(new Map(MEMBERS)))
const having = (key: number, value: Cbor) =>
  codeOf(encodeCbor(new Map(MEMBERS.map(([name, present]) => [name, name === key ? value : present]))))

function one(name: string, comment: string, code: string, expect: Code): Case {
  return { name, section: '7.1', comment, context: {}, steps: [{ code, expect }] }
}

export function codeCases(): Case[] {
  const written = writeEnrolCode({
    host: '192.168.1.10',
    port: 8443,
    root: root.key,
    hubCas: [hub.key, stranger.key],
    secret: new Secret(SECRET),
  }).reveal()
  return [
    one('ok', 'a code as shallot enrol prints it', written, 'ok'),
    one('ok-one-ca', 'only the current CA', having(wire.CODE_HUB_CA, [hub.key]), 'ok'),
    one('ok-spaces', 'pasted with blanks inside', good.replace(/(.{40})/g, '$1 '), 'ok'),
    one('empty', 'nothing', '', 'code-damaged'),
    one('prefix-only', 'the prefix alone', wire.CODE_ENROL_PREFIX, 'code-damaged'),
    one('wrong-prefix', 'an invitation to a home', good.replace('enrol', 'home'), 'code-damaged'),
    one(
      'typo',
      'one character is another',
      `${good.slice(0, 60)}${good[60] === 'A' ? 'B' : 'A'}${good.slice(61)}`,
      'code-damaged',
    ),
    one('cut', 'the end is missing', good.slice(0, -8), 'code-damaged'),
    one('cut-by-one', 'the last character is missing', good.slice(0, -1), 'code-damaged'),
    one('padding', 'base64 padding', `${good}=`, 'code-damaged'),
    one('other-alphabet', 'a plus sign', `${good.slice(0, 30)}+${good.slice(31)}`, 'code-damaged'),
    one(
      'too-long',
      'more characters than a code may have',
      good + 'A'.repeat(wire.CODE_CHARS_MAX),
      'code-damaged',
    ),
    one('not-a-map', 'an array with a right checksum', codeOf(encodeCbor([1])), 'code-damaged'),
    one('not-cbor', 'text with a right checksum', codeOf(utf8('hello')), 'code-damaged'),
    one('later-version', 'version 2', having(wire.CODE_VERSION, 2), 'code-version'),
    one('version-zero', 'version 0', having(wire.CODE_VERSION, 0), 'code-damaged'),
    one('port-zero', 'port 0', having(wire.CODE_PORT, 0), 'code-damaged'),
    one('port-beyond', 'port 65,536', having(wire.CODE_PORT, 65_536), 'code-damaged'),
    one('host-empty', 'no host', having(wire.CODE_HOST, ''), 'code-damaged'),
    one('host-too-long', 'a host of 65 characters', having(wire.CODE_HOST, 'h'.repeat(65)), 'code-damaged'),
    one('root-short', 'a root of 31 bytes', having(wire.CODE_ROOT, root.key.subarray(1)), 'code-damaged'),
    one('no-ca', 'no CA', having(wire.CODE_HUB_CA, []), 'code-damaged'),
    one('three-cas', 'three CAs', having(wire.CODE_HUB_CA, [hub.key, hub.key, hub.key]), 'code-damaged'),
    one('secret-short', 'a secret of 15 bytes', having(wire.CODE_SECRET, SECRET.subarray(1)), 'code-damaged'),
    one('member-missing', 'no secret', codeOf(encodeCbor(new Map(MEMBERS.slice(0, 5)))), 'code-damaged'),
    one(
      'member-more',
      'a seventh member',
      codeOf(encodeCbor(new Map<number, Cbor>([...MEMBERS, [7, 0]]))),
      'code-damaged',
    ),
  ]
}
