// SPDX-License-Identifier: GPL-3.0-or-later
/** The DNS of SPEC 6.8: one question that is ours, and the answer to it. Bytes in, bytes out. */
import { createHash } from 'node:crypto'
import { DISCOVERY_LABEL_CHARS, DISCOVERY_SERVICE } from '../../../schemas/gen/ts/wire.ts'

const HEADER_BYTES = 12
const TYPE = { a: 1, srv: 33, any: 255 } as const
const CLASS_IN = 1
/** RFC 6762 §6.7: an answer to somebody who is no mDNS speaker is not for keeping. */
const TTL_S = 10
const IS_ANSWER_AUTHORITATIVE = 0x8400

/** The label by which a home is asked for: it says which one it is to who knows its root, and nothing to others. */
export function discoveryLabel(root: Uint8Array): string {
  return createHash('sha256').update(root).digest('hex').slice(0, DISCOVERY_LABEL_CHARS)
}

function nameOf(labels: readonly string[]): Buffer {
  return Buffer.concat([
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.of(0),
  ])
}

/**
 * The answer to a datagram, if it asks, and for nothing but this home's hub.
 * @param address  IPv4, where the device link listens
 */
export function answerTo(
  question: Uint8Array,
  label: string,
  address: string,
  port: number,
): Buffer | undefined {
  const asked = Buffer.from(question)
  const service = nameOf([label, ...DISCOVERY_SERVICE.split('.')])
  const size = HEADER_BYTES + service.length + 4
  if (asked.length !== size || asked.readUInt16BE(2) !== 0 || asked.readUInt16BE(4) !== 1) return undefined
  const [name, type, kind] = [
    asked.subarray(HEADER_BYTES, -4),
    asked.readUInt16BE(size - 4),
    asked.readUInt16BE(size - 2),
  ]
  const isOurs = name.toString('latin1').toLowerCase() === service.toString('latin1')
  if (!isOurs || (type !== TYPE.srv && type !== TYPE.any) || (kind & 0x7fff) !== CLASS_IN) return undefined
  const host = nameOf([label, 'local'])
  const place = Buffer.concat([Buffer.alloc(6), host])
  place.writeUInt16BE(port, 4)
  const header = Buffer.alloc(HEADER_BYTES)
  asked.copy(header, 0, 0, 2)
  header.writeUInt16BE(IS_ANSWER_AUTHORITATIVE, 2)
  header.set([0, 1, 0, 1, 0, 0, 0, 1], 4)
  const toName = Buffer.of(0xc0, HEADER_BYTES)
  return Buffer.concat([
    header,
    asked.subarray(HEADER_BYTES),
    record(toName, TYPE.srv, place),
    record(host, TYPE.a, Buffer.from(address.split('.').map(Number))),
  ])
}

function record(name: Buffer, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(CLASS_IN, 2)
  fixed.writeUInt32BE(TTL_S, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([name, fixed, data])
}
