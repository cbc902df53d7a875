// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCode } from '../../../../daemon/base/error.ts'
import {
  fieldsOf,
  LINE_BYTES_MAX,
  REPLY_BYTES_MAX,
  type Reply,
  ReplyReader,
} from '../../../../daemon/edge/onion/reply.ts'

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'))
const read = (text: string) => new ReplyReader().push(bytes(text))

const CONVERSATION =
  '250-PROTOCOLINFO 1\r\n250-AUTH METHODS=SAFECOOKIE COOKIEFILE="/a \\"b\\""\r\n250 OK\r\n' +
  '650 HS_DESC UPLOADED abc UNKNOWN $AA\r\n' +
  '250+circuit-status=\r\n1 BUILT $A~a PURPOSE=HS_SERVICE_REND\r\n..dotted\r\n.\r\n250 OK\r\n' +
  '552 Unknown Onion Service id\r\n'

const EXPECTED: Reply[] = [
  {
    code: 250,
    lines: [
      { text: 'PROTOCOLINFO 1' },
      { text: 'AUTH METHODS=SAFECOOKIE COOKIEFILE="/a \\"b\\""' },
      { text: 'OK' },
    ],
  },
  { code: 650, lines: [{ text: 'HS_DESC UPLOADED abc UNKNOWN $AA' }] },
  {
    code: 250,
    lines: [
      { text: 'circuit-status=', data: '1 BUILT $A~a PURPOSE=HS_SERVICE_REND\n.dotted' },
      { text: 'OK' },
    ],
  },
  { code: 552, lines: [{ text: 'Unknown Onion Service id' }] },
]

test('ReplyReader reads single lines, several lines, data blocks and events', () => {
  assert.deepEqual(read(CONVERSATION), EXPECTED)
})

test('ReplyReader does not mind where the bytes are cut, at any offset', () => {
  const all = bytes(CONVERSATION)
  for (let cut = 0; cut <= all.length; cut++) {
    const reader = new ReplyReader()
    assert.deepEqual([...reader.push(all.subarray(0, cut)), ...reader.push(all.subarray(cut))], EXPECTED)
  }
})

test('ReplyReader gives no reply that was cut short', () => {
  const whole = '250+x=\r\na\r\n.\r\n250 OK\r\n'
  for (let length = 0; length < whole.length; length++) assert.deepEqual(read(whole.slice(0, length)), [])
})

test('ReplyReader refuses what is not a reply', () => {
  for (const text of [
    '\r\n',
    'OK\r\n',
    '25 OK\r\n',
    '2500 OK\r\n',
    '250_OK\r\n',
    '150 early\r\n',
    '750 late\r\n',
    '250 OK\n',
    '250 a\rb\r\n',
    'GET / HTTP/1.1\r\n',
    '250-first\r\n251 second\r\n',
    '\x16\x03\x01\x02\x00\r\n',
  ]) {
    assert.throws(
      () => read(text),
      (error) => isCode(error, 'reply-malformed'),
      JSON.stringify(text),
    )
  }
})

test('ReplyReader refuses a line that never ends while it still holds little of it', () => {
  const reader = new ReplyReader()
  const chunk = new Uint8Array(4096).fill(0x61)
  let taken = 0
  assert.throws(
    () => {
      for (; taken < 10_000_000; taken += chunk.length) reader.push(chunk)
    },
    (error) => isCode(error, 'reply-too-long'),
  )
  assert.ok(taken <= LINE_BYTES_MAX)
})

test('ReplyReader refuses a line over the limit also when it comes in one piece', () => {
  const line = `250 ${'a'.repeat(LINE_BYTES_MAX)}\r\n`
  assert.throws(
    () => read(line),
    (error) => isCode(error, 'reply-too-long'),
  )
})

test('ReplyReader refuses a reply of endless lines and a data block without end', () => {
  for (const [head, line] of [
    ['', `250-${'a'.repeat(1000)}\r\n`],
    ['250+x=\r\n', `${'a'.repeat(1000)}\r\n`],
  ] as const) {
    const reader = new ReplyReader()
    reader.push(bytes(head))
    const chunk = bytes(line)
    assert.throws(
      () => {
        for (let sent = 0; sent <= REPLY_BYTES_MAX + chunk.length; sent += 1000) reader.push(chunk)
      },
      (error) => isCode(error, 'reply-too-long'),
    )
  }
})

test('ReplyReader answers any bytes with replies or a named refusal', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (chunks) => {
      const reader = new ReplyReader()
      try {
        for (const chunk of chunks) reader.push(chunk)
      } catch (error) {
        assert.ok(isCode(error, 'reply-malformed') || isCode(error, 'reply-too-long'))
      }
    }),
    { numRuns: 500 },
  )
})

test('fieldsOf() reads a path as tor writes it, byte by byte in octal', () => {
  const fields = fieldsOf('AUTH COOKIEFILE="/h\\303\\244us \\360\\237\\217\\240/\\"1\\"\\t\\\\n/cookie"')
  assert.equal(fields.get('COOKIEFILE'), '/häus 🏠/"1"\t\\n/cookie')
})

test('fieldsOf() reads plain and quoted values and keeps the first of two', () => {
  const fields = fieldsOf(
    'NOTICE BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="a \\"b\\" \\\\c D=1" EMPTY= TAG=other',
  )
  assert.deepEqual(Object.fromEntries(fields), {
    PROGRESS: '5',
    TAG: 'conn',
    SUMMARY: 'a "b" \\c D=1',
    EMPTY: '',
  })
})
