// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * libFuzzer over the parsers of firmware/core, with clang's sanitizers. Corpora begin with the bytes of schemas/vectors and with what earlier
 * runs found beyond them (firmware/fuzz/corpus, an input per line in base64), and grow in .build/fuzz; what breaks a parser is kept there
 * beside them. In: targets and seconds. Out: how far each came, or its failure.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeCbor, nativeEd25519 } from '../daemon/core/envelope/index.ts'
import { hubLeaf } from '../daemon/core/identity/certificates.ts'
import { answerTo, discoveryLabel } from '../daemon/edge/discovery/answer.ts'
import {
  CODE_CHECKSUM_BYTES,
  DISCOVERY_SERVICE,
  MESSAGE_TYPES,
  SERIAL_PART,
  SERIAL_PIECE_BYTES_MAX,
  SERIAL_PREFIX,
  SERIAL_TAKE,
} from '../schemas/gen/ts/wire.ts'
import { buildFirmware, programPath } from './firmware.ts'

const ROOT = join(import.meta.dirname, '..')
const INPUT_BYTES_MAX = 1200
/** firmware/fuzz/bus.c has so many parts, by number. */
const BUS_PARTS = 9
/** A story is several envelopes. */
const STORY_BYTES_MAX = 6144
const STORIES: ReadonlySet<string> = new Set(['flash', 'grants', 'update'])
const bytesMax = (target: string): number => (STORIES.has(target) ? STORY_BYTES_MAX : INPUT_BYTES_MAX)

export type Fuzzed = {
  target: string
  ok: boolean
  runs: number
  coverage: number
  corpus: number
  words: string
}

export const fuzzTargets = (): string[] =>
  readdirSync(join(ROOT, 'firmware', 'fuzz'))
    .filter((name) => name.endsWith('.c'))
    .map((name) => name.slice(0, -2))

/** The values of one field in all vectors of one room. */
function fieldsOf(room: string, field: string): string[] {
  const folder = join(ROOT, 'schemas', 'vectors', room)
  const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
  return lines.filter((line) => line.startsWith(`${field}: `)).map((line) => line.slice(field.length + 2))
}

const bytesOf = (room: string, field: string): Buffer[] =>
  fieldsOf(room, field).map((hex) => Buffer.from(hex, 'hex'))

/** Where the contents of the byte string at `at` begin and end. */
function stringAt(bytes: Buffer, at: number): [from: number, to: number] {
  const size = bytes[at]! & 31
  if (size < 24) return [at + 1, at + 1 + size]
  if (size === 24) return [at + 2, at + 2 + (bytes[at + 1] ?? 0)]
  return [at + 3, at + 3 + (((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0))]
}

/** The payload of a COSE_Sign1 that is sound so far, or whatever stands there. */
function payloadOf(frame: Buffer): Buffer {
  const [, end] = stringAt(frame, 2)
  return frame.subarray(...stringAt(frame, end + 1))
}

function storedIdentity(certificate: Uint8Array): Buffer {
  const key = new Uint8Array(32).fill(9)
  const fields = [key, key, key, key, '192.0.2.1', 7420, certificate, 'porch']
  const bytes = Buffer.from(encodeCbor(fields))
  bytes[0] = bytes[0]! + 1 // the target adds the sum, a ninth field
  return bytes
}

/** Each vector of a room as one story: its frames, each behind its length. */
function storiesOf(room: string): Buffer[] {
  const folder = join(ROOT, 'schemas', 'vectors', room)
  return readdirSync(folder).map((name) => {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n')
    const steps = lines
      .filter((line) => line.startsWith('frame: '))
      .map((line) => Buffer.from(line.slice(7), 'hex'))
    return Buffer.concat(steps.flatMap((frame) => [Buffer.of(frame.length >> 8, frame.length & 255), frame]))
  })
}

/** Every whole of the vectors, as such and in pieces, and every ask whose sum is right. */
function provisionStories(): Buffer[] {
  const wholes = bytesOf('serial', 'bytes')
  const asks = fieldsOf('serial', 'code').map((text) =>
    Buffer.from(text.slice(SERIAL_PREFIX.length), 'base64url').subarray(0, -CODE_CHECKSUM_BYTES),
  )
  const lines = [asks, ...wholes.map(asksFor)].map((story) =>
    Buffer.concat([Buffer.of(1), ...story.flatMap((ask) => [Buffer.of(ask.length), ask])]),
  )
  return [...wholes.map((whole) => Buffer.concat([Buffer.of(2), whole])), ...lines]
}

function asksFor(whole: Buffer): Buffer[] {
  const asks = []
  for (let at = 0; at < whole.length; at += SERIAL_PIECE_BYTES_MAX) {
    asks.push([1, SERIAL_PART, at, whole.subarray(at, at + SERIAL_PIECE_BYTES_MAX)])
  }
  asks.push([2, SERIAL_TAKE, whole.length, createHash('sha256').update(whole).digest()])
  return asks.map((ask) => Buffer.from(encodeCbor(ask)))
}

/** What the hub says to the device whose root the target knows. */
function answeredQuestion(root: Uint8Array): Buffer {
  const labels = [discoveryLabel(root), ...DISCOVERY_SERVICE.split('.')]
  const name = labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)]))
  const header = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  const question = Buffer.concat([header, ...name, Buffer.of(0, 0, 33, 0, 1)])
  return answerTo(question, labels[0]!, '192.0.2.1', 8883)!
}

/** What a page sends to a device's own server, and how others may try it. */
const REQUESTS = [
  'POST /command HTTP/1.1\r\nhost: lamp.local\r\norigin: https://hub.local\r\ncontent-type: application/cose\r\ncontent-length: 3\r\n\r\nabc',
  'OPTIONS /command HTTP/1.1\r\nhost: lamp.local\r\norigin: null\r\naccess-control-request-method: POST\r\naccess-control-request-private-network: true\r\n\r\n',
  'POST /command HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\nexpect: 100-continue\r\n\r\n',
  'GET / HTTP/1.0\r\n folded: a\r\n\r\n',
]

/** A question for the name of a device whose key is all zero, as firmware/fuzz/http.c has it. */
function nameQuestion(): Buffer {
  const label = discoveryLabel(new Uint8Array(32))
  const name = [label, 'local'].map((each) => Buffer.concat([Buffer.of(each.length), Buffer.from(each)]))
  return Buffer.concat([
    Buffer.from('000100000001000000000000', 'hex'),
    ...name,
    Buffer.from('0000010001', 'hex'),
  ])
}

/** Numbers as the ports have them: little-endian, 32 bits. */
function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length)
  for (const [index, number] of numbers.entries()) bytes.writeUInt32LE(number, 4 * index)
  return bytes
}

/** A string behind its size, as firmware/fuzz/story.h reads one. */
const told = (bytes: Uint8Array): Buffer =>
  bytes.length < 128
    ? Buffer.concat([Buffer.of(bytes.length), bytes])
    : Buffer.concat([Buffer.of(0x80 | (bytes.length >> 8), bytes.length & 255), bytes])

/** firmware/fuzz/spool.c: entries that are put, sent and noted, cuts, and slots with a serial of somebody's choice, the last of all too. */
function spoolStories(): Buffer[] {
  const [open, take, note, cut, refused, put] = [1, 2, 3, 4, 12, (count: number) => 6 | ((count - 1) << 3)]
  const power = (writes: number, how: number) => 5 | (writes << 3) | (how << 5)
  const forged = (slot: number, serial: number) =>
    Buffer.concat([
      Buffer.of(0, 0x80 | slot),
      told(Buffer.concat([words(serial), Buffer.alloc(8, 9), words(1, 1), Buffer.from('any')])),
    ])
  const stories = [
    [put(3), take, note, take, cut, take, note, open, take, note],
    [put(2), take, refused, take, refused, take, refused, take, note],
    [...Array<number>(3).fill(put(32)), take, note, open, take],
    [power(2, 1), put(4), open, take, power(0, 2), note, open, take],
    [0, 5, 3, 1, 2, 3, put(1), take],
    [put(3), 0, 0x40, 3, 1, 2, 3, take, 0, 0x41, 0, note, take, note],
  ].map((steps) => Buffer.from(steps))
  const last = Buffer.concat([forged(62, 2 ** 32 - 2), Buffer.of(put(32), put(22))])
  return [
    ...stories,
    forged(5, 5),
    forged(63, 2 ** 32 - 1),
    last,
    Buffer.concat([forged(1, 1), forged(2, 130)]),
  ]
}

/** firmware/fuzz/kept.c: writes that are cut, bits that flip, and a torn write whose half is whole, first of all and over a value. */
function keptStories(): Buffer[] {
  const half = Buffer.from([1, 2])
  const sum = createHash('sha256').update(half).digest().subarray(0, 4)
  const torn = [0x21, 0, 8, ...half, ...sum, 3, 4, 3]
  return [
    [0, 3, 1, 2, 3, 2, 9, 6, 5],
    [0, 1, 7, 5, 0, 2, 8, 8, 0x83],
    [0, 1, 7, 0x25, 0x83, 0, 1, 9],
    torn,
    [0, 1, 7, ...torn],
  ].map((steps) => Buffer.from(steps))
}

/** firmware/fuzz/flash.c: one blob in each, under a sum that is right. */
function flashStories(): Buffer[] {
  const key = Buffer.alloc(32, 3)
  const lists = bytesOf('grants', 'frame')
  const records = bytesOf('enrolment', 'frame')
  const state = Buffer.concat([words(9), Buffer.of(1, 2, 1, 1), words(0, 4000, 0), Buffer.alloc(64, 6)])
  const blobs: readonly (readonly [blob: number, bytes: Uint8Array])[] = [
    [0, Buffer.concat([words(1, 5, 0, 1), key.subarray(0, 16), words(2 ** 31, 1)])],
    [2, words(7)],
    ...[...lists, ...records].flatMap((frame) => [4, 5, 9].map((blob) => [blob, frame] as const)),
    [8, encodeCbor([['192.0.2.1', 7420]])],
    [11, Buffer.concat([Buffer.from('in a chip\0chip'), Buffer.alloc(18), Buffer.alloc(65, 4)])],
    ...[1, 3].map(
      (phase) => [12, Buffer.concat([state.subarray(0, 5), Buffer.of(phase), state.subarray(6)])] as const,
    ),
  ]
  const stories = blobs.map(([blob, bytes]) => Buffer.concat([Buffer.of(0x11, 0x40 | blob), told(bytes)]))
  const wifi = Buffer.concat([
    Buffer.of(0x11, 0x40 | 14),
    told(Buffer.from('home')),
    told(Buffer.from('password')),
  ])
  return [...stories, wifi]
}

/** What core/tls stores behind its sum: head, then the daemon's own bytes. */
function storedTicket(nonce: number, size: number): Buffer {
  const head = Buffer.concat([Buffer.of(1, size & 255, size >> 8, 2, nonce), words(7200, 99)])
  return Buffer.concat([head, Buffer.alloc(8 + 32 + 32, 5), Buffer.alloc(size, 6)])
}

/** By which the vectors' codes are known. */
const PIN_SALT = Buffer.alloc(16, 1)

/** Ends of firmware/fuzz/grants.c's stories: power again and a code, over flash as it is, and with bits of a code and of uses changed. */
const LIVES = [
  [0, 0, 4],
  [0, 0, 5, 8, 1, 0, 9, 2],
  [0, 0, 5, 8, 1, 2, 2, 255],
  [0, 0, 5, 8, 1, 0, 103, 6],
  [0, 0, 2, 8, 1, 0, 200, 1, 12, 1, 0, 4, 1],
].map((steps) => Buffer.from(steps))

function seedsOf(target: string): Buffer[] {
  const signer = nativeEd25519().signer(new Uint8Array(32).fill(3))
  const leaf = hubLeaf(signer, signer.key, new Uint8Array(8).fill(1))
  const frames = bytesOf('envelope', 'frame')
  const types = Object.keys(MESSAGE_TYPES).map((_, index) => index)
  switch (target) {
    case 'claims':
      return frames.flatMap((frame) =>
        types.map((type) => Buffer.concat([Buffer.of(type), payloadOf(frame)])),
      )
    case 'code':
      return fieldsOf('code', 'code').map((text) => Buffer.from(`\0${text}`))
    case 'frame':
    case 'session':
      return bytesOf('session', 'bytes').flatMap((bytes) =>
        [62, 63].map((first) => Buffer.concat([Buffer.of(first), bytes])),
      )
    case 'certificate':
      return [Buffer.from(leaf)]
    case 'grants': {
      const stories = storiesOf(target)
      const ofCodes = stories.filter((story) => story.includes(PIN_SALT))
      return [...stories, ...ofCodes.flatMap((story) => LIVES.map((life) => Buffer.concat([story, life])))]
    }
    case 'update':
      return storiesOf(target)
    case 'http':
      return [
        ...REQUESTS.map((text) => Buffer.from(`\x07${text}`, 'latin1')),
        Buffer.concat([Buffer.of(0), nameQuestion()]),
      ]
    case 'discovery':
      return [answeredQuestion(new Uint8Array(32).fill(7, 0, 1))]
    case 'provision':
      return provisionStories()
    case 'spool':
      return spoolStories()
    case 'flash':
      return flashStories()
    case 'ticket':
      return [0, 8, 9].map((nonce) => storedTicket(nonce, 200))
    case 'bus':
      return Array.from({ length: BUS_PARTS }, (_, part) => [part, part | 0x80]).flatMap((firsts) =>
        firsts.map((first) => Buffer.from([first, ...Array.from({ length: 120 }, (_, i) => (i * 37) & 255)])),
      )
    case 'kept':
      return keptStories()
    case 'identity':
      return [storedIdentity(leaf), storedIdentity(new Uint8Array(0))]
    default:
      return frames
  }
}

const keptFile = (target: string): string => join(ROOT, 'firmware', 'fuzz', 'corpus', `${target}.txt`)

function keptOf(target: string): Buffer[] {
  if (!existsSync(keptFile(target))) return []
  const lines = readFileSync(keptFile(target), 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => Buffer.from(line, 'base64'))
}

function writeInputs(folder: string, inputs: readonly Buffer[], target: string): void {
  mkdirSync(folder, { recursive: true })
  for (const input of inputs) {
    if (input.length > bytesMax(target)) continue
    writeFileSync(join(folder, createHash('sha1').update(input).digest('hex')), input)
  }
}

function corpusOf(target: string): string {
  const corpus = join(ROOT, '.build', 'fuzz', target, 'corpus')
  writeInputs(corpus, [...seedsOf(target), ...keptOf(target)], target)
  return corpus
}

/**
 * Writes to firmware/fuzz/corpus the fewest inputs that reach what no vector does.
 * @returns how many
 */
export function keep(target: string): number {
  buildFirmware('fuzz', [target])
  const corpus = corpusOf(target)
  const reached = join(corpus, '..', 'reached')
  rmSync(reached, { recursive: true, force: true })
  writeInputs(reached, seedsOf(target), target)
  const seeds = new Set(readdirSync(reached))
  const merge = ['-set_cover_merge=1', `-max_len=${bytesMax(target)}`, reached, corpus]
  execFileSync(programPath('fuzz', target), merge, { stdio: 'ignore' })
  const found = readdirSync(reached).filter((name) => !seeds.has(name))
  const lines = found.map((name) => readFileSync(join(reached, name)).toString('base64'))
  const sorted = lines.toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1))
  writeFileSync(keptFile(target), sorted.map((line) => `${line}\n`).join(''))
  return lines.length
}

/** Runs one target that was built; its corpus is kept. */
export function fuzz(target: string, seconds: number): Fuzzed {
  buildFirmware('fuzz', [target])
  const corpus = corpusOf(target)
  const limits = [`-max_total_time=${seconds}`, `-max_len=${bytesMax(target)}`, '-timeout=10']
  const place = `-artifact_prefix=${join(corpus, '..')}/`
  const { status, stderr } = spawnSync(programPath('fuzz', target), [...limits, place, corpus], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const done = /#(\d+)\s+DONE\s+cov: (\d+) ft: \d+ corp: (\d+)/.exec(stderr)
  const [runs, coverage, entries] = (done ?? []).slice(1).map(Number)
  const words = stderr.split('\n').slice(-40).join('\n')
  return {
    target,
    ok: status === 0 && done !== null,
    runs: runs ?? 0,
    coverage: coverage ?? 0,
    corpus: entries ?? 0,
    words,
  }
}

/** @returns whether all held */
export function fuzzAll(targets: readonly string[], seconds: number): boolean {
  let all = true
  for (const target of targets) {
    const { ok, runs, coverage, corpus, words } = fuzz(target, seconds)
    all &&= ok
    console.log(
      `${ok ? '✔' : '✖'} ${target.padEnd(12)} ${runs} runs, ${coverage} edges, ${corpus} inputs kept`,
    )
    if (!ok) console.error(words)
  }
  return all
}
