// SPDX-License-Identifier: GPL-3.0-or-later
/** Leaves of a hub as a device reads them (SPEC 6.2), before anybody looks at whose signature is under them, or at the time. */
import { concat, utf8 } from '../../daemon/base/bytes.ts'
import {
  caCertificate,
  caName,
  DIGITAL_SIGNATURE,
  deviceLeaf,
  distinguishedName,
  extension,
  hubLeaf,
  OID,
  VERSION_3,
} from '../../daemon/core/identity/certificates.ts'
import {
  bitString,
  context,
  der,
  integer,
  octetString,
  oid,
  sequence,
  set,
  TAG,
  TRUE,
  utf8String,
} from '../../daemon/core/identity/der.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import type { Code } from '../../schemas/gen/ts/codes.ts'
import { device, hub, NOW, root, stranger } from './parties.ts'
import type { Case } from './text.ts'

/** The hub CA; that this is another key's work elsewhere does not matter here. */
const ca = root
const NOTHING = new Uint8Array(0)
const SERIAL = Uint8Array.of(0x41, 2, 3, 4, 5, 6, 7, 8)
const ED25519 = sequence(OID.ed25519)
const ECDSA = sequence(oid('2a8648ce3d040302'))
const DN_QUALIFIER = oid('55042e')
const ALTERNATIVE_NAME = oid('551d11')
const FORTNIGHTLY = oid('551d63')
const FAR = oid('2b0601040182ce0f01')
const NULL = Uint8Array.of(5, 0)

const utcTime = (text: string) => der(TAG.utcTime, utf8(text))
const generalizedTime = (text: string) => der(TAG.generalizedTime, utf8(text))
const keyInfo = (key: Uint8Array) => sequence(ED25519, bitString(key))
const name = (kind: Uint8Array, text: Uint8Array) => sequence(kind, text)
const usage = extension(OID.keyUsage, true, DIGITAL_SIGNATURE)
const purposes = (...list: Uint8Array[]) => extension(OID.extendedKeyUsage, false, sequence(...list))
const server = purposes(OID.serverAuth)
const constraints = (...items: Uint8Array[]) => extension(OID.basicConstraints, true, sequence(...items))
const ID = idOf(hub.key)

interface Parts {
  readonly version?: Uint8Array
  /** The whole INTEGER. */
  readonly serial?: Uint8Array
  readonly algorithm?: Uint8Array
  readonly outerAlgorithm?: Uint8Array
  readonly from?: Uint8Array
  readonly until?: Uint8Array
  readonly subject?: Uint8Array
  readonly key?: Uint8Array
  readonly behindKey?: Uint8Array
  readonly extensions?: readonly Uint8Array[]
  readonly signature?: Uint8Array
  readonly behindSignature?: Uint8Array
}

/** A leaf as the hub CA issues it, but for what is given. */
function leaf(parts: Parts = {}): Uint8Array {
  const signed = sequence(
    parts.version ?? VERSION_3,
    parts.serial ?? integer(SERIAL),
    parts.algorithm ?? ED25519,
    distinguishedName(caName('hub', ca.key)),
    sequence(parts.from ?? utcTime('250101000000Z'), parts.until ?? generalizedTime('99991231235959Z')),
    parts.subject ?? distinguishedName(ID),
    parts.key ?? keyInfo(hub.key),
    parts.behindKey ?? NOTHING,
    context(3, sequence(...(parts.extensions ?? [usage, server]))),
  )
  const signature = parts.signature ?? bitString(ca.sign(signed))
  return sequence(signed, parts.outerAlgorithm ?? ED25519, signature, parts.behindSignature ?? NOTHING)
}

function one(title: string, comment: string, bytes: Uint8Array, expect: Code = 'tls-profile'): Case {
  return { name: title, section: '6.2', comment, context: {}, steps: [{ bytes, expect }] }
}

const good = (title: string, comment: string, parts: Parts): Case =>
  one(`ok-${title}`, comment, leaf(parts), 'ok')
const bad = (title: string, comment: string, parts: Parts): Case => one(title, comment, leaf(parts))

function serials(): Case[] {
  const raw = (...octets: number[]) => ({ serial: der(TAG.integer, Uint8Array.from(octets)) })
  const long = (first: number, size: number) => raw(first, ...Array<number>(size - 1).fill(1))
  return [
    good('serial-one', 'the smallest serial number', raw(1)),
    good('serial-high-bit', 'a zero in front, because the next bit is set', raw(0, 0x80)),
    good('serial-20', 'as long as a serial number may be', long(0x7f, 20)),
    bad('serial-zero', 'the serial number zero', raw(0)),
    bad('serial-empty', 'a serial number without octets', raw()),
    bad('serial-negative', 'a negative serial number', raw(0x80, 1)),
    bad('serial-padded', 'a zero in front that is not needed', raw(0, 0x7f)),
    bad('serial-padded-zero', 'zero in two octets', raw(0, 0)),
    bad('serial-21', 'a serial number of 21 octets', long(0x7f, 21)),
    bad(
      'serial-21-sign',
      '20 octets and the zero that keeps them positive',
      raw(0, ...Array<number>(20).fill(0xff)),
    ),
    bad('serial-text', 'a serial number that is no INTEGER', { serial: octetString(SERIAL) }),
    bad('serial-missing', 'no serial number', { serial: NOTHING }),
  ]
}

function subjects(): Case[] {
  const named = (...sets: Uint8Array[]) => ({ subject: sequence(...sets) })
  const own = sequence(OID.commonName, utf8String(ID))
  return [
    bad('subject-other-key', 'named by another key', { subject: distinguishedName(idOf(stranger.key)) }),
    bad('subject-home', 'named by the home’s root', { subject: distinguishedName(idOf(root.key)) }),
    bad('subject-plain', 'a name for people', { subject: distinguishedName('hub') }),
    bad('subject-empty', 'no name', named()),
    bad('subject-short', 'a character of the id is missing', { subject: distinguishedName(ID.slice(1)) }),
    bad('subject-padded', 'the id with base64 padding', { subject: distinguishedName(`${ID}=`) }),
    bad(
      'subject-printable',
      'the id as PrintableString',
      named(set(name(OID.commonName, der(0x13, utf8(ID))))),
    ),
    bad('subject-other-kind', 'the id in another attribute', named(set(name(DN_QUALIFIER, utf8String(ID))))),
    bad('subject-twice', 'the id in two RDNs', named(set(own), set(own))),
    bad(
      'subject-two-values',
      'two attributes in one RDN',
      named(set(own, name(DN_QUALIFIER, utf8String('x')))),
    ),
    bad(
      'subject-more',
      'an organisation besides',
      named(set(name(oid('55040a'), utf8String('home'))), set(own)),
    ),
    bad('subject-sequence', 'a SEQUENCE where the SET belongs', named(sequence(own))),
  ]
}

function dates(): Case[] {
  const until = (value: Uint8Array) => ({ until: value })
  return [
    good('ended', 'one that ended long ago: who has the time judges that', until(utcTime('260101000000Z'))),
    good('not-begun', 'one that begins in the far future', { from: generalizedTime('90000101000000Z') }),
    good('leap-day', 'the 29th of February of a leap year', until(generalizedTime('20960229000000Z'))),
    good('utc-last', 'the last second of UTCTime', until(utcTime('491231235959Z'))),
    good('utc-first', 'the first second of UTCTime', { from: utcTime('500101000000Z') }),
    bad('date-february-30', 'a day that does not exist', until(utcTime('260230000000Z'))),
    bad('date-no-leap-day', 'the 29th of February of 2100', until(generalizedTime('21000229000000Z'))),
    bad('date-april-31', 'the 31st of April', until(utcTime('260431000000Z'))),
    bad('date-day-zero', 'the day before the first', until(utcTime('260100000000Z'))),
    bad('date-month-zero', 'the month before January', until(utcTime('260001000000Z'))),
    bad('date-month-13', 'the month after December', until(utcTime('261301000000Z'))),
    bad('date-hour-24', 'an hour too many', until(utcTime('260101240000Z'))),
    bad('date-minute-60', 'a minute too many', until(utcTime('260101006000Z'))),
    bad('date-second-60', 'a leap second', until(utcTime('261231235960Z'))),
    bad('date-offset', 'an offset in place of Z', until(utcTime('2601010000+0100'))),
    bad('date-no-seconds', 'no seconds', until(utcTime('2601010000Z'))),
    bad('date-fraction', 'a fraction of a second', until(generalizedTime('20600101000000.5Z'))),
    bad('date-letter', 'a letter among the digits', until(utcTime('2601O1000000Z'))),
    bad('date-early-generalized', 'GeneralizedTime before 2050', until(generalizedTime('20491231235959Z'))),
    bad(
      'date-short-generalized',
      'GeneralizedTime in the letters of the other',
      until(generalizedTime('600101000000Z')),
    ),
    bad('date-long-utc', 'UTCTime in the letters of the other', until(utcTime('20260101000000Z'))),
    bad('date-third', 'a third date', { until: concat(utcTime('260101000000Z'), utcTime('270101000000Z')) }),
    bad('date-one', 'one date', { until: NOTHING }),
  ]
}

function keys(): Case[] {
  const key = (info: Uint8Array, of = hub.key) => ({ key: info, subject: distinguishedName(idOf(of)) })
  const smallOrder = new Uint8Array(32)
  const beyond = Uint8Array.from(new Uint8Array(32).fill(0xff), (byte, i) => (i === 31 ? 0x7f : byte))
  return [
    bad('key-small-order', 'a key of small order', key(keyInfo(smallOrder), smallOrder)),
    bad('key-not-canonical', 'a key that is not canonical', key(keyInfo(beyond), beyond)),
    bad('key-31', 'a key of 31 bytes', key(keyInfo(hub.key.subarray(1)))),
    bad('key-33', 'a key of 33 bytes', key(keyInfo(concat(hub.key, Uint8Array.of(0))))),
    bad(
      'key-unused-bits',
      'unused bits',
      key(sequence(ED25519, der(TAG.bitString, Uint8Array.of(1), hub.key))),
    ),
    bad('key-x25519', 'a key of another kind', key(sequence(sequence(oid('2b656e')), bitString(hub.key)))),
    bad('key-parameters', 'parameters', key(sequence(sequence(OID.ed25519, NULL), bitString(hub.key)))),
    bad('key-behind', 'bytes behind the key', key(sequence(ED25519, bitString(hub.key), NULL))),
    bad('unique-identifier', 'a unique identifier', { behindKey: der(0x81, Uint8Array.of(0, 1)) }),
    bad('algorithm-inside', 'another algorithm inside', { algorithm: ECDSA }),
    bad('algorithm-outside', 'another algorithm outside', { outerAlgorithm: ECDSA }),
    bad('algorithm-parameters', 'parameters of the algorithm, inside and outside', {
      algorithm: sequence(OID.ed25519, NULL),
      outerAlgorithm: sequence(OID.ed25519, NULL),
    }),
    good('signature-any', 'a signature of nobody: it is judged after this', {
      signature: bitString(new Uint8Array(64)),
    }),
    bad('signature-63', 'a signature of 63 bytes', { signature: bitString(new Uint8Array(63)) }),
    bad('signature-65', 'a signature of 65 bytes', { signature: bitString(new Uint8Array(65)) }),
    bad('signature-unused-bits', 'a signature with unused bits', {
      signature: der(TAG.bitString, Uint8Array.of(1), new Uint8Array(64)),
    }),
    bad('signature-octets', 'a signature that is no BIT STRING', {
      signature: octetString(new Uint8Array(65)),
    }),
    bad('signature-missing', 'no signature', { signature: NOTHING }),
    bad('signature-behind', 'bytes behind the signature', { behindSignature: NULL }),
  ]
}

function extensions(): Case[] {
  const with_ = (...list: Uint8Array[]) => ({ extensions: list })
  const bits = (hex: string) => extension(OID.keyUsage, true, Uint8Array.fromHex(hex))
  const falsely = (id: Uint8Array, value: Uint8Array) =>
    sequence(id, der(TAG.boolean, Uint8Array.of(0)), octetString(value))
  const names = (critical: boolean) =>
    extension(ALTERNATIVE_NAME, critical, sequence(der(0x82, utf8('home.local'))))
  const far = extension(FAR, false, NULL)
  return [
    good('purpose-alone', 'no key usage', with_(server)),
    good(
      'purpose-critical',
      'the purpose, critical',
      with_(extension(OID.extendedKeyUsage, true, sequence(OID.serverAuth))),
    ),
    good('constraints', 'basicConstraints that say no CA', with_(constraints(), server)),
    good('names', 'names that are not critical', with_(server, names(false))),
    good('unknown', 'an unknown extension that is not critical', with_(server, far)),
    bad('no-extension', 'an empty list', with_()),
    bad('no-purpose', 'no purpose', with_(usage)),
    bad('purpose-client', 'a purpose that is a device’s', with_(purposes(OID.clientAuth))),
    bad('purpose-both', 'two purposes', with_(purposes(OID.serverAuth, OID.clientAuth))),
    bad('purpose-any', 'any purpose', with_(purposes(oid('551d2500')))),
    bad('purpose-none', 'an empty list of purposes', with_(purposes())),
    bad('purpose-twice', 'the purpose in two extensions', with_(server, server)),
    bad('purpose-repeated', 'the purpose twice in one', with_(purposes(OID.serverAuth, OID.serverAuth))),
    bad('usage-certificates', 'a key that signs certificates', with_(bits('03020204'), server)),
    bad('usage-more', 'a key that may do more', with_(bits('030205a0'), server)),
    bad('usage-padded', 'digitalSignature in two octets', with_(bits('0303078000'), server)),
    bad('usage-twice', 'the key usage twice', with_(usage, usage, server)),
    bad('ca', 'a CA', with_(constraints(TRUE), server)),
    bad(
      'ca-false-written',
      'cA FALSE written out',
      with_(constraints(der(TAG.boolean, Uint8Array.of(0))), server),
    ),
    bad('constraints-path', 'a path length', with_(constraints(integer(Uint8Array.of(0))), server)),
    bad('constraints-twice', 'basicConstraints twice', with_(constraints(), server, constraints())),
    bad('names-critical', 'names that are critical', with_(server, names(true))),
    bad('names-twice', 'names twice', with_(names(false), server, names(false))),
    bad(
      'unknown-critical',
      'an unknown extension that is critical',
      with_(server, extension(FORTNIGHTLY, true, NULL)),
    ),
    bad(
      'unknown-far-critical',
      'one from elsewhere that is critical',
      with_(server, extension(FAR, true, NULL)),
    ),
    bad('unknown-twice', 'an unknown extension twice', with_(far, server, far)),
    bad(
      'critical-false',
      'not critical, written out',
      with_(falsely(OID.extendedKeyUsage, sequence(OID.serverAuth))),
    ),
    bad(
      'critical-one',
      'critical as 1',
      with_(
        server,
        sequence(OID.keyUsage, der(TAG.boolean, Uint8Array.of(1)), octetString(DIGITAL_SIGNATURE)),
      ),
    ),
    bad(
      'extension-behind',
      'bytes behind an extension’s value',
      with_(sequence(OID.extendedKeyUsage, octetString(sequence(OID.serverAuth)), NULL)),
    ),
    bad('extension-no-value', 'an extension without a value', with_(server, sequence(FAR))),
  ]
}

function wholes(): Case[] {
  const sound = leaf()
  const size = (bytes: number) => extension(FAR, false, new Uint8Array(bytes))
  const filled = (total: number) => {
    const short = leaf({ extensions: [server, size(150)] }).length
    const bytes = leaf({ extensions: [server, size(150 + total - short)] })
    if (bytes.length !== total) throw new Error(`${bytes.length} bytes in place of ${total}`)
    return bytes
  }
  const wide = concat(Uint8Array.of(sound[0]!, 0x83, 0), sound.subarray(2))
  return [
    one('ok', 'what the hub CA issues', hubLeaf(ca, hub.key, SERIAL), 'ok'),
    one('ok-512', 'the longest there may be', filled(512), 'ok'),
    one('too-long', 'a byte more', filled(513)),
    one('empty', 'nothing', NOTHING),
    one('cut', 'one that ends too early', sound.subarray(0, -1)),
    one('byte-behind', 'a byte behind it', concat(sound, Uint8Array.of(0))),
    one(
      'two',
      'a second certificate behind it',
      concat(hubLeaf(ca, hub.key, SERIAL), Uint8Array.of(0x30, 0)),
    ),
    one('long-length', 'a length in a longer form than needed', wide),
    one(
      'indefinite-length',
      'a length that is said to come later',
      concat(Uint8Array.of(0x30, 0x80), sound.subarray(4)),
    ),
    one('device', 'a device’s leaf', deviceLeaf(ca, device.key, SERIAL, NOW * 1000)),
    one('anchor', 'the hub CA itself', caCertificate('hub', ca)),
    bad('version-1', 'X.509 version 1', { version: NOTHING }),
    bad('version-2', 'X.509 version 2', { version: context(0, integer(Uint8Array.of(1))) }),
    bad('version-4', 'X.509 version 4', { version: context(0, integer(Uint8Array.of(3))) }),
  ]
}

export function certificateCases(): Case[] {
  return [...wholes(), ...serials(), ...subjects(), ...dates(), ...keys(), ...extensions()]
}
