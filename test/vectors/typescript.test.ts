// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex } from '../../daemon/base/bytes.ts'
import { decodeCbor, nativeEd25519 } from '../../daemon/core/envelope/index.ts'
import { portableEd25519 } from '../../daemon/core/envelope/portable.ts'
import { readHubLeaf } from '../../daemon/core/identity/certificates.ts'
import { readEnrolCode } from '../../daemon/core/identity/index.ts'
import { FrameReader } from '../../daemon/edge/link/frames.ts'
import { CODES, codeByNumber } from '../../schemas/gen/ts/codes.ts'
import { readHubNote } from '../../scripts/device/index.ts'
import { readVectors, type Vector } from '../support/vectors.ts'
import { Lock } from './lock.ts'
import { Photographer } from './photographer.ts'
import { Receiver } from './receiver.ts'
import { Recipient } from './recipient.ts'
import { readAsk, readOrders } from './serial.ts'

const HEADER = new Set(['comment', 'section', 'made-by', 'room'])

/** Plays one file: every step's input goes to `step`, and what it answers must be what the file expects. */
function play(
  vector: Vector,
  learn: (field: string, value: string) => boolean,
  step: (input: string) => string,
) {
  let reached: string | undefined
  let steps = 0
  for (const [field, value] of vector.lines) {
    if (field === 'expect') {
      assert.ok(value in CODES, `${value} is not in the list of codes`)
      assert.equal(reached, value)
      reached = undefined
      steps++
    } else if (field === 'frame' || field === 'code' || field === 'bytes') {
      assert.equal(reached, undefined, 'a step without an expectation')
      reached = step(value)
    } else assert.ok(HEADER.has(field) || learn(field, value), `unknown field ${field}`)
  }
  assert.ok(steps > 0, 'a vector that expects nothing')
}

for (const [name, ed25519] of [
  ['native', nativeEd25519()],
  ['portable', portableEd25519()],
] as const) {
  describe(`envelope vectors with the ${name} Ed25519 [SPEC 2, 3]`, () => {
    for (const vector of readVectors('envelope')) {
      it(vector.file, () => {
        const receiver = new Receiver(ed25519)
        play(
          vector,
          (field, value) => receiver.learn(field, value),
          (hex) => receiver.receive(fromHex(hex)!),
        )
      })
    }
  })
}

describe('enrolment code vectors [SPEC 7.1]', () => {
  for (const vector of readVectors('code')) {
    it(vector.file, () =>
      play(
        vector,
        () => false,
        (text) => {
          const read = readEnrolCode(text)
          return read.ok ? 'ok' : read.why
        },
      ),
    )
  }
})

describe('enrolment vectors, as a device reads them [SPEC 7.2]', () => {
  for (const vector of readVectors('enrolment')) {
    it(vector.file, () => {
      const receiver = new Receiver(nativeEd25519())
      play(
        vector,
        (field, value) => receiver.learn(field, value),
        (hex) => refusalIn(fromHex(hex)!) ?? receiver.receive(fromHex(hex)!),
      )
    })
  }
})

describe('session vectors, as a device reads the link [SPEC 6.3]', () => {
  for (const vector of readVectors('session')) {
    it(vector.file, () => {
      const receiver = new Receiver(nativeEd25519())
      const reader = new FrameReader()
      play(
        vector,
        (field, value) => receiver.learn(field, value),
        (hex) => readLink(reader, receiver, fromHex(hex)!),
      )
    })
  }
})

describe('grant vectors, as a lock judges [SPEC 12]', () => {
  const vectors = readVectors('grants')
  for (const vector of vectors) {
    it(vector.file, () => {
      const lock = new Lock(nativeEd25519())
      play(
        vector,
        (field, value) => lock.learn(field, value),
        (hex) => lock.receive(fromHex(hex)!),
      )
    })
  }

  it('reach every code of grants, and refuse more often than they accept', () => {
    const expected = vectors.flatMap(({ lines }) =>
      lines.filter(([field]) => field === 'expect').map(([, name]) => name),
    )
    const accepting = vectors.filter(({ lines }) =>
      lines.every(([field, value]) => field !== 'expect' || value === 'ok'),
    )
    assert.ok(accepting.length * 2 < vectors.length)
    const ofKeypadAndHub = ['wrong-pin', 'keypad-locked', 'grant-wider']
    const codes = Object.entries(CODES).filter(([, number]) => number >= 166 && number < 180)
    assert.ok(codes.length > 10)
    assert.deepEqual(
      codes
        .map(([name]) => name)
        .filter((name) => !expected.includes(name) && !ofKeypadAndHub.includes(name)),
      [],
    )
  })
})

describe('update vectors, as a device judges [SPEC 15]', () => {
  const vectors = readVectors('update')
  for (const vector of vectors) {
    it(vector.file, () => {
      const recipient = new Recipient(nativeEd25519())
      play(
        vector,
        (field, value) => recipient.learn(field, value),
        (hex) => recipient.receive(fromHex(hex)!),
      )
    })
  }

  it('reach every code that a device has for manifests', () => {
    const expected = vectors.flatMap(({ lines }) =>
      lines.filter(([field]) => field === 'expect').map(([, name]) => name),
    )
    const ofHub = ['image-size', 'update-returned', 'update-silent', 'rollout-open', 'stopped']
    const codes = Object.entries(CODES).filter(([, number]) => number >= 340 && number < 360)
    assert.ok(codes.length > 10)
    assert.deepEqual(
      codes.map(([name]) => name).filter((name) => !expected.includes(name) && !ofHub.includes(name)),
      [],
    )
  })
})

describe('still vectors, as a camera hears its hub [SPEC 19.3]', () => {
  for (const vector of readVectors('stills')) {
    it(vector.file, () => {
      const photographer = new Photographer()
      play(
        vector,
        (field, value) => photographer.learn(field, value),
        (hex) => photographer.receive(fromHex(hex)!),
      )
    })
  }
})

describe('serial vectors, as a device reads its line [SPEC 17]', () => {
  for (const vector of readVectors('serial')) {
    it(vector.file, () =>
      play(
        vector,
        () => false,
        (input) => {
          const bytes = fromHex(input)
          const read = bytes ? readOrders(bytes) : (readAsk(input) ?? { ok: false, why: 'missing' })
          return read.ok ? 'ok' : read.why
        },
      ),
    )
  }
})

describe('certificate vectors, as a device reads a hub’s leaf [SPEC 6.2]', () => {
  for (const vector of readVectors('certificate')) {
    it(vector.file, () =>
      play(
        vector,
        () => false,
        (hex) => {
          const read = readHubLeaf(fromHex(hex)!)
          return read.ok ? 'ok' : read.why
        },
      ),
    )
  }
})

const FROM_DEVICES: ReadonlySet<string> = new Set(['hello', 'reading', 'receipt', 'enrol'])

/** The first code that the bytes lead to; all frames in them were fine: `ok`. */
function readLink(reader: FrameReader, receiver: Receiver, bytes: Uint8Array): string {
  reader.push(bytes)
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
    if ('why' in frame) return frame.why
    if (frame.length === 0) continue
    const reached = frame[0] === 0xd2 ? readEnvelope(receiver, frame) : readNote(frame)
    if (reached !== 'ok') return reached
  }
  return 'ok'
}

function readNote(frame: Uint8Array): string {
  const note = readHubNote(frame)
  return note.ok ? 'ok' : note.why
}

function readEnvelope(receiver: Receiver, frame: Uint8Array): string {
  return FROM_DEVICES.has(receiver.typeOf(frame) ?? '') ? 'unexpected-message' : receiver.receive(frame)
}

function refusalIn(frame: Uint8Array): string | undefined {
  const note = decodeCbor(frame)
  if (!note.ok || !Array.isArray(note.value) || note.value[0] !== 0) return undefined
  return codeByNumber(note.value[1] as number)
}
