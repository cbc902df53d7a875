// SPDX-License-Identifier: GPL-3.0-or-later
/** The mDNS of SPEC 18.1: where a device's own server is, for browsers that ask for its name. Bytes in, bytes out. */
import { DIRECT_LABEL_CHARS } from '../../../schemas/gen/ts/wire.ts'
import { isCode } from '../../base/error.ts'

const HEADER_BYTES = 12
const QUESTIONS_MAX = 8
const LABELS_MAX = 8
const TYPE = { a: 1, nsec: 47, any: 255 } as const
const CLASS_IN = 1
/** RFC 6762 §5.4: in a question "answer me alone"; §10.2: in a record "this is all there is of its kind". */
const TOP_BIT = 0x8000
const IS_ANSWER_AUTHORITATIVE = 0x8400
/** So long a browser finds a device whose hub has gone. One that has moved meanwhile does not answer there, and is asked by its hub. */
const TTL_S = 3600
/** RFC 6762 §6.7: for who is no mDNS speaker. */
const TTL_LEGACY_S = 10
/** RFC 4034 §4.1.2, of types below 8: there is an A, and nothing else. */
const ONLY_A = Buffer.of(0, 1, 0x40)

const LABEL = new RegExp(`^[0-9a-f]{${DIRECT_LABEL_CHARS}}$`)

export interface ServersAnswer {
  readonly bytes: Buffer
  /** It is for the whole group; else for who asked. */
  readonly toGroup: boolean
}

interface Question {
  readonly label: string
  readonly type: number
  readonly alone: boolean
}

/**
 * The answer to a datagram that asks for devices' servers: an A record of each, and that there is no other.
 * @param addressOf  IPv4 of the device with this label, if it is here and has a server
 * @param isLegacy  it did not come from the mDNS port
 */
export function serversAnswer(
  datagram: Uint8Array,
  addressOf: (label: string) => string | undefined,
  isLegacy: boolean,
): ServersAnswer | undefined {
  const asked = readQuestions(Buffer.from(datagram))
  const own = asked?.questions.filter(({ label }) => LABEL.test(label)) ?? []
  const known = own.flatMap((question) => {
    const address = addressOf(question.label)
    return address === undefined ? [] : [{ ...question, address }]
  })
  const [first] = known
  if (!asked || !first) return undefined
  // Who is no mDNS speaker asked one thing, and wants its own question back (§6.7).
  if (isLegacy && asked.questions.length > 1) return undefined
  const labels = new Map(known.map((each) => [each.label, each.address]))
  const wantsA = ({ type }: Question) => type === TYPE.a || type === TYPE.any
  const records = [...labels].flatMap(([label, address]) => {
    const isAsked = known.some((each) => each.label === label && wantsA(each))
    return [...(isAsked ? [aRecord(label, address, isLegacy)] : []), nsecRecord(label, isLegacy)]
  })
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(isLegacy ? asked.id : 0, 0)
  header.writeUInt16BE(IS_ANSWER_AUTHORITATIVE, 2)
  header.writeUInt16BE(isLegacy ? 1 : 0, 4)
  header.writeUInt16BE(records.length, 6)
  const question = isLegacy ? asked.bytes : Buffer.alloc(0)
  return {
    bytes: Buffer.concat([header, question, ...records]),
    toGroup: !isLegacy && !known.every(({ alone }) => alone),
  }
}

/** Undefined for what is no question, or badly made. What follows the questions (known answers, EDNS) is passed over. */
function readQuestions(
  datagram: Buffer,
): { readonly id: number; readonly questions: readonly Question[]; readonly bytes: Buffer } | undefined {
  try {
    const [id, flags, count] = [0, 2, 4].map((at) => datagram.readUInt16BE(at)) as [number, number, number]
    // QR and opcode; the other bits mean nothing here (§18).
    if ((flags & 0xf800) !== 0 || count > QUESTIONS_MAX) return undefined
    const questions: Question[] = []
    let at = HEADER_BYTES
    for (let n = 0; n < count; n++) {
      const name = readName(datagram, at)
      if (!name) return undefined
      const [type, kind] = [datagram.readUInt16BE(name.end), datagram.readUInt16BE(name.end + 2)]
      at = name.end + 4
      const [label = '', local, ...more] = name.labels
      const isOurs = local === 'local' && more.length === 0 && (kind & ~TOP_BIT) === CLASS_IN
      questions.push({ label: isOurs ? label : '', type, alone: (kind & TOP_BIT) !== 0 })
    }
    return { id, questions, bytes: datagram.subarray(HEADER_BYTES, at) }
  } catch (error) {
    if (!isCode(error, 'ERR_OUT_OF_RANGE') && !isCode(error, 'ERR_BUFFER_OUT_OF_BOUNDS')) throw error
    return undefined
  }
}

/** Labels in lower case; a pointer goes back, so no name is without end (RFC 1035 §4.1.4). */
function readName(datagram: Buffer, from: number): { labels: string[]; end: number } | undefined {
  const labels: string[] = []
  let [at, end, limit] = [from, 0, from]
  for (;;) {
    const size = datagram.readUInt8(at)
    if (size === 0) return { labels, end: end || at + 1 }
    if (size >= 0xc0) {
      const target = datagram.readUInt16BE(at) & 0x3fff
      if (target >= limit) return undefined
      end ||= at + 2
      limit = target
      at = target
      continue
    }
    if (size > 63 || at + 1 + size > datagram.length || labels.length === LABELS_MAX) return undefined
    labels.push(datagram.toString('latin1', at + 1, at + 1 + size).toLowerCase())
    at += 1 + size
  }
}

function nameOf(label: string): Buffer {
  return Buffer.concat([label, 'local', ''].map((part) => Buffer.from([part.length, ...Buffer.from(part)])))
}

function aRecord(label: string, address: string, isLegacy: boolean): Buffer {
  return record(label, TYPE.a, Buffer.from(address.split('.').map(Number)), isLegacy)
}

/** So that nobody waits for an AAAA record (RFC 6762 §6.1). */
function nsecRecord(label: string, isLegacy: boolean): Buffer {
  return record(label, TYPE.nsec, Buffer.concat([nameOf(label), ONLY_A]), isLegacy)
}

function record(label: string, type: number, data: Buffer, isLegacy: boolean): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(isLegacy ? CLASS_IN : CLASS_IN | TOP_BIT, 2)
  fixed.writeUInt32BE(isLegacy ? TTL_LEGACY_S : TTL_S, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([nameOf(label), fixed, data])
}
