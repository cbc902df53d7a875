// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * NXP SE050: T=1 blocks over I2C (ISO/IEC 7816-3 §11, UM11225), and of its applet (AN12413) what keeps one kind of key: select, write
 * and delete an Ed25519 pair, read its public half, sign. Numbers come out the other way round than RFC 8032 has them, each half of a
 * signature by itself.
 */
import { generateKeyPairSync, sign } from 'node:crypto'
import type { I2cChip } from './index.ts'
import type { KeyStore } from './keys.ts'
import type { Part } from './world.ts'

const [NAD_IN, NAD_OUT] = [0x5a, 0xa5]
const [HEAD, SUM] = [3, 2]
const [I_SEQUENCE, I_MORE, R_BLOCK, R_SEQUENCE, R_SPOILED] = [0x40, 0x20, 0x80, 0x10, 1]
const [S_SIZE, S_WAIT, S_RESET, S_ANSWER] = [0xc1, 0xc3, 0xcf, 0x20]
const AID = 'a0000003965453000000010300000000'
const SIZE_MAX_AT_FIRST = 254
const COMMAND_BYTES_MAX = 892
/** Table of AN12395: a pair takes a while, a signature less. */
const [PAIR_MS, SIGNATURE_MS] = [90, 30]
const [TAG_1, TAG_2, TAG_3, CURVE_ED25519, ED25519_PURE] = [0x41, 0x42, 0x43, 0x40, 0xa3]
const STATUS = {
  done: 0x9000,
  wrongLength: 0x6700,
  notAllowed: 0x6985,
  wrongData: 0x6a80,
  unknown: 0x6d00,
} as const

type Answer = { readonly data?: Uint8Array; readonly status: number; readonly ms?: number }

function crcOf(bytes: Uint8Array): Buffer {
  let crc = 0xffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x8408 : crc >> 1
  }
  const sum = Buffer.alloc(SUM)
  sum.writeUInt16LE(~crc & 0xffff)
  return sum
}

/** The fields of a command by tag; undefined when they are not what they say. */
function fieldsOf(bytes: Buffer): Map<number, Buffer> | undefined {
  const fields = new Map<number, Buffer>()
  for (let at = 0; at < bytes.length; ) {
    const isLong = bytes[at + 1] === 0x82
    const from = at + (isLong ? 4 : 2)
    if (from > bytes.length) return undefined
    const size = isLong ? bytes.readUInt16BE(at + 2) : bytes[at + 1]!
    if (from + size > bytes.length) return undefined
    fields.set(bytes[at]!, bytes.subarray(from, from + size))
    at = from + size
  }
  return fields
}

const turned = (bytes: Buffer): Buffer => Buffer.from(bytes).reverse()
const tlv = (bytes: Buffer): Buffer => Buffer.concat([Buffer.of(TAG_1, 0x82, 0, bytes.length), bytes])

class Applet {
  readonly #keys: KeyStore
  #isSelected = false

  constructor(keys: KeyStore) {
    this.#keys = keys
  }

  reset(): void {
    this.#isSelected = false
  }

  obey(command: Buffer): Answer {
    if (command.length < 4 || command.length > COMMAND_BYTES_MAX) return { status: STATUS.wrongLength }
    const isLong = command[4] === 0 && command.length > 7
    const from = isLong ? 7 : 5
    const size = isLong ? command.readUInt16BE(5) : (command[4] ?? 0)
    // What is left beyond the data can be Le alone.
    if (command.length < from + size || command.length > from + size + 2)
      return { status: STATUS.wrongLength }
    const data = command.subarray(from, from + size)
    if (command.readUInt32BE(0) === 0x00a40400) return this.#select(data)
    const fields = fieldsOf(data)
    const id = fields?.get(TAG_1)
    if (!this.#isSelected || !fields || id?.length !== 4) return { status: STATUS.notAllowed }
    return this.#act(command.readUInt32BE(0), `se050-${id.toString('hex')}`, fields)
  }

  #select(aid: Buffer): Answer {
    this.#isSelected = aid.toString('hex') === AID
    return this.#isSelected
      ? { data: Buffer.from('0302003fff010b', 'hex'), status: STATUS.done }
      : { status: STATUS.wrongData }
  }

  #act(head: number, name: string, fields: Map<number, Buffer>): Answer {
    const key = this.#keys.read(name)
    switch (head) {
      case 0x80040028:
        return { status: this.#keys.remove(name) ? STATUS.done : STATUS.notAllowed }
      case 0x80016100: {
        // A curve is named for a new object, and only for that.
        if (key || fields.get(TAG_2)?.[0] !== CURVE_ED25519) return { status: STATUS.wrongData }
        this.#keys.write(name, generateKeyPairSync('ed25519').privateKey)
        return { status: STATUS.done, ms: PAIR_MS }
      }
      case 0x80020000: {
        const x = key?.export({ format: 'jwk' }).x
        return x
          ? { data: tlv(turned(Buffer.from(x, 'base64url'))), status: STATUS.done }
          : { status: STATUS.notAllowed }
      }
      case 0x80030c09: {
        if (!key || fields.get(TAG_2)?.[0] !== ED25519_PURE) return { status: STATUS.notAllowed }
        const signature = sign(null, fields.get(TAG_3) ?? Buffer.alloc(0), key)
        const halves = [turned(signature.subarray(0, 32)), turned(signature.subarray(32))]
        return { data: tlv(Buffer.concat(halves)), status: STATUS.done, ms: SIGNATURE_MS }
      }
      default:
        return { status: STATUS.unknown }
    }
  }
}

/** In two pieces a block is read as well as in one. */
export function se050(now: () => number, keys: KeyStore): I2cChip {
  const applet = new Applet(keys)
  let [expected, ours, sizeMax] = [0, 0, SIZE_MAX_AT_FIRST]
  let command: Buffer[] = []
  let answer = Buffer.alloc(0)
  let readyAt = 0
  let hasWaited = false
  let blocks = 0
  let last = Buffer.alloc(0)
  let pending = Buffer.alloc(0)
  let isEndless = false

  function say(pcb: number, inf: Uint8Array = new Uint8Array()): void {
    const frame = Buffer.concat([Buffer.of(NAD_OUT, pcb, inf.length), inf])
    last = Buffer.concat([frame, crcOf(frame)])
    pending = Buffer.from(last)
  }

  /** One that is endless has ever more to say, and says nothing. */
  function sayNextOfAnswer(): void {
    if (isEndless) {
      say(ours | I_MORE)
      ours ^= I_SEQUENCE
      return
    }
    const piece = answer.subarray(0, sizeMax)
    answer = answer.subarray(piece.length)
    say(ours | (answer.length > 0 ? I_MORE : 0), piece)
    ours ^= I_SEQUENCE
  }

  function obeyWhole(part: Part): void {
    const {
      data = Buffer.alloc(0),
      status,
      ms = 0,
    } = part.fault === 'locked' ? { status: STATUS.notAllowed } : applet.obey(Buffer.concat(command))
    command = []
    const word = Buffer.alloc(2)
    word.writeUInt16BE(status)
    answer = Buffer.concat([data, word])
    readyAt = now() + ms
    // Whoever works long asks for more time, once a command.
    hasWaited = ms === 0
    if (hasWaited) sayNextOfAnswer()
    else say(S_WAIT, Buffer.of(1))
  }

  function hearInformation(pcb: number, inf: Buffer, part: Part): void {
    if ((pcb & I_SEQUENCE) !== expected) {
      say(R_BLOCK | (expected ? R_SEQUENCE : 0) | 2)
      return
    }
    expected ^= I_SEQUENCE
    command.push(Buffer.from(inf))
    if (pcb & I_MORE) say(R_BLOCK | (expected ? R_SEQUENCE : 0))
    else obeyWhole(part)
  }

  function hearOrder(pcb: number, inf: Buffer): void {
    if (pcb === (S_WAIT | S_ANSWER)) {
      hasWaited = true
      sayNextOfAnswer()
      return
    }
    if (pcb === S_RESET) {
      ;[expected, ours, sizeMax, command] = [0, 0, SIZE_MAX_AT_FIRST, []]
      applet.reset()
    }
    if (pcb === S_SIZE) sizeMax = inf[0]!
    say(pcb | S_ANSWER, inf)
  }

  function hear(frame: Buffer, part: Part): Buffer | undefined {
    const inf = frame.subarray(HEAD, frame.length - SUM)
    isEndless = part.fault === 'endless'
    if (frame[0] !== NAD_IN || frame[2] !== inf.length) return undefined
    if (!crcOf(frame.subarray(0, frame.length - SUM)).equals(frame.subarray(-SUM))) {
      say(R_BLOCK | (expected ? R_SEQUENCE : 0) | R_SPOILED)
      return Buffer.alloc(0)
    }
    const pcb = frame[1]!
    if ((pcb & R_BLOCK) === 0) hearInformation(pcb, inf, part)
    else if ((pcb & S_ANSWER) === 0 && pcb < 0xc0 && (pcb & 0xf) !== 0) pending = Buffer.from(last)
    else if (pcb < 0xc0) sayNextOfAnswer()
    else hearOrder(pcb, inf)
    return Buffer.alloc(0)
  }

  function spoil(part: Part): void {
    const isSpoiled = part.fault === 'checksum' || (part.fault === 'hiccup' && blocks % 3 === 2)
    if (isSpoiled) pending[pending.length - 1]! ^= 1
  }

  return {
    transfer(out, inSize, part) {
      if (out.length > 0) return inSize === 0 ? hear(Buffer.from(out), part) : undefined
      const isBusy = part.fault === 'asleep' || (hasWaited && now() < readyAt)
      if (isBusy || inSize > pending.length || inSize === 0) return undefined
      if (pending.length === last.length) {
        spoil(part)
        blocks++
      }
      const piece = pending.subarray(0, inSize)
      pending = pending.subarray(inSize)
      return Buffer.from(piece)
    },
  }
}
