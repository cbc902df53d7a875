// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FrameReader, KEEP_ALIVE, writeFrame } from '../../../../daemon/edge/link/frames.ts'
import { readGot, refusalFrame, storedFrame } from '../../../../daemon/edge/link/notes.ts'

/** All frames of these chunks as hex, and the fault that stopped the reader, if any. */
function read(chunks: readonly Uint8Array[], reader = new FrameReader()): string[] {
  const out: string[] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
      if ('why' in frame) return [...out, frame.why]
      out.push(frame.toHex())
    }
  }
  return out
}

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    chunks.push(bytes.slice(at, at + size))
    at += size
  }
  return chunks
}

const payload = fc.uint8Array({ maxLength: 1024 })
const sizes = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 20 })

describe('FrameReader [SPEC 6.3]', () => {
  it('gives back what was written, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 12 }), sizes, (payloads, sizes) => {
        const stream = Buffer.concat(payloads.map(writeFrame))
        assert.deepEqual(
          read(cut(stream, sizes)),
          payloads.map((each) => each.toHex()),
        )
      }),
    )
  })

  it('gives back what was written when it is asked for frames late', () => {
    fc.assert(
      fc.property(fc.array(payload, { minLength: 1, maxLength: 12 }), sizes, (payloads, sizes) => {
        const reader = new FrameReader()
        for (const chunk of cut(Buffer.concat(payloads.map(writeFrame)), sizes)) reader.push(chunk)
        assert.deepEqual(
          read([new Uint8Array(0)], reader),
          payloads.map((each) => each.toHex()),
        )
      }),
    )
  })

  it('gives nothing of a frame that is truncated at any offset, and knows that one has begun', () => {
    const frame = writeFrame(new Uint8Array(40).fill(7))
    for (let size = 0; size < frame.length; size++) {
      const reader = new FrameReader()
      assert.deepEqual(read([frame.slice(0, size)], reader), [], `${size} bytes`)
      assert.equal(reader.begun, size > 0, `${size} bytes`)
    }
  })

  it('has begun nothing after a whole frame', () => {
    const reader = new FrameReader()
    read(cut(writeFrame(new Uint8Array(40)), [1]), reader)
    assert.equal(reader.begun, false)
  })

  it('refuses a length of 1,025 before any of its bytes came', () => {
    assert.deepEqual(read([Uint8Array.of(0x04, 0x01)]), ['frame-too-large'])
  })

  it('refuses a length of 1,025 that came in two pieces', () => {
    assert.deepEqual(read([Uint8Array.of(0x04), Uint8Array.of(0x01)]), ['frame-too-large'])
  })

  it('refuses the largest length', () => {
    assert.deepEqual(read([Uint8Array.of(0xff, 0xff, 1, 2, 3)]), ['frame-too-large'])
  })

  it('takes a frame of 1,024 bytes', () => {
    assert.equal(read([writeFrame(new Uint8Array(1024))])[0]?.length, 2048)
  })

  it('reads keep-alives as empty frames between others', () => {
    assert.deepEqual(read([KEEP_ALIVE, writeFrame(Uint8Array.of(9)), KEEP_ALIVE]), ['', '09', ''])
  })

  it('never gives more than 1,024 bytes and never throws on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), sizes, (bytes, sizes) => {
        for (const frame of read(cut(bytes, sizes)))
          assert.ok(frame === 'frame-too-large' || frame.length <= 2048)
      }),
    )
  })
})

describe('notes [SPEC 6.3]', () => {
  const digest = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

  it('reads the digest of a got note', () => {
    assert.deepEqual(readGot(Uint8Array.of(0x81, 0x48, ...digest)), digest)
  })

  it('spells stored and refusal as CBOR', () => {
    assert.equal(Buffer.from(storedFrame(digest, 300)).toString('hex'), '000d82480102030405060708' + '19012c')
    assert.equal(Buffer.from(refusalFrame('forgotten')).toString('hex'), '00048200' + '18d1')
  })

  const spoiled: Record<string, number[]> = {
    'nothing behind its head': [0x81, 0x48],
    'a digest of seven bytes': [0x81, 0x47, ...digest.subarray(1)],
    'a digest of nine bytes': [0x81, 0x49, ...digest, 9],
    'a digest with a byte behind it': [0x81, 0x48, ...digest, 0],
    'a digest with a longer head': [0x81, 0x58, 8, ...digest],
    'a text for a digest': [0x81, 0x68, ...digest],
    'what only the hub says: stored': [0x82, 0x48, ...digest, 0],
    'what only the hub says: a refusal': [0x82, 0x00, 0x18, 0xd1],
    'an empty array': [0x80],
    'a tag that is no envelope': [0xd1, 0x81, 0x48, ...digest],
  }
  for (const [what, bytes] of Object.entries(spoiled))
    it(`does not read ${what}`, () => assert.equal(readGot(Uint8Array.from(bytes)), undefined))
})
