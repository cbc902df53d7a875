// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A device's own server (SPEC 18): the firmware's door, on the host under the sanitizers, against clients that are not ours: curl's,
 * OpenSSL's and Node's; and what strangers do there, ten thousand times.
 */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { type Command, openEnvelope, type Receipt, type Signer } from '../../daemon/core/envelope/index.ts'
import { CAPABILITIES } from '../../schemas/gen/ts/capabilities.ts'
import { AFFORDANCE_ALL, METHOD_GET, METHOD_PUT } from '../../schemas/gen/ts/wire.ts'
import { type Answer, type Direct, ORIGIN, openDirect, requestOf, Visitor } from '../support/direct.ts'
import { papersOf, seconds } from '../support/door.ts'
import {
  codeName,
  command,
  type FirmwareHome,
  openFirmwareHome,
  signer,
  until,
} from '../support/firmware-home.ts'
import { ed25519 } from '../support/link-home.ts'
import { newId, revocationFrame } from '../support/papers.ts'

const run = promisify(execFile)
const number = (name: string): number => CAPABILITIES.find((each) => each.name === name)!.number
const [ON, LEVEL, TOGGLE] = [number('on'), number('level'), number('toggle')]
const READ_ALL = { operation: 'read', affordance: AFFORDANCE_ALL } as const
const COSE = 'application/cose'

type Order = Pick<Command, 'operation' | 'affordance' | 'value'>

const on = (value: boolean): Order => ({ operation: 'write', affordance: ON, value })

/** What the device sealed about these bytes. */
function receiptOf(direct: Direct, frame: Uint8Array, answer: Answer | undefined): Receipt {
  assert.equal(answer?.status, 200)
  assert.equal(answer.headers.get('content-type'), COSE)
  const receiver = {
    sizeMax: 1024,
    accepts: (_body: unknown, by: Uint8Array) => Buffer.compare(by, direct.hello.signer) === 0,
    isAudience: () => true,
  }
  const opened = openEnvelope(new Uint8Array(answer.body), receiver, ed25519)
  assert.ok(opened.ok, 'the receipt opens')
  const { body } = opened.value
  assert.ok(body.type === 'receipt')
  assert.deepEqual(Buffer.from(body.command), createHash('sha256').update(frame).digest())
  return body
}

const codeIn = (receipt: Receipt): string | undefined => codeName(receipt.code)

async function ordered(direct: Direct, frame: Uint8Array): Promise<Receipt> {
  using visitor = await Visitor.come(direct)
  return receiptOf(direct, frame, await visitor.ask(requestOf(frame)))
}

/** The answer to bytes on a connection of their own, which the device must then have ended if it was a refusal of how they were written. */
async function answerTo(direct: Direct, bytes: Uint8Array | string): Promise<Answer> {
  using visitor = await Visitor.come(direct)
  const answer = await visitor.ask(bytes)
  assert.ok(answer, 'there is an answer')
  return answer
}

const head = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`
const POST = 'POST /command HTTP/1.1'
const PLAIN = ['host: a', `content-type: ${COSE}`]

/** What is no request, each with its code; the device ends the connection after each of them. */
const MALFORMED: readonly (readonly [what: string, bytes: string, status: number, code: string])[] = [
  ['no host', head(POST, `content-type: ${COSE}`, 'content-length: 1'), 400, 'bad-request'],
  ['two hosts', head(POST, 'host: a', 'host: b', 'content-length: 1'), 400, 'bad-request'],
  ['no length', head(POST, ...PLAIN), 400, 'bad-request'],
  ['two lengths', head(POST, ...PLAIN, 'content-length: 1', 'content-length: 1'), 400, 'bad-request'],
  ['a list of lengths', head(POST, ...PLAIN, 'content-length: 1, 1'), 400, 'bad-request'],
  ['a signed length', head(POST, ...PLAIN, 'content-length: +1'), 400, 'bad-request'],
  ['a hexadecimal length', head(POST, ...PLAIN, 'content-length: 0x1'), 400, 'bad-request'],
  ['a length of nothing', head(POST, ...PLAIN, 'content-length: '), 400, 'bad-request'],
  ['chunks', head(POST, ...PLAIN, 'transfer-encoding: chunked'), 400, 'bad-request'],
  [
    'chunks beside a length',
    head(POST, ...PLAIN, 'content-length: 1', 'transfer-encoding: chunked'),
    400,
    'bad-request',
  ],
  [
    'a length beside chunks',
    head(POST, ...PLAIN, 'Transfer-Encoding: identity', 'content-length: 1'),
    400,
    'bad-request',
  ],
  ['a folded line', head(POST, ...PLAIN, 'x: a', ' b', 'content-length: 1'), 400, 'bad-request'],
  ['space before a colon', head(POST, ...PLAIN, 'content-length : 1'), 400, 'bad-request'],
  ['a name that is empty', head(POST, ...PLAIN, ': 1'), 400, 'bad-request'],
  ['a control character', head(POST, ...PLAIN, 'x: a\x01b'), 400, 'bad-request'],
  ['a NUL', head(POST, ...PLAIN, 'x: a\0b'), 400, 'bad-request'],
  ['a carriage return alone', head(POST, ...PLAIN, 'x: a\rb'), 400, 'bad-request'],
  ['a line feed alone', `${POST}\nhost: a\n\n`, 400, 'bad-request'],
  ['bytes beyond ASCII', head(POST, ...PLAIN, 'x: \xff'), 400, 'bad-request'],
  ['HTTP/1.0', head('POST /command HTTP/1.0', ...PLAIN, 'content-length: 1'), 400, 'bad-request'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'bad-request'],
  ['no version', 'POST /command\r\n\r\n', 400, 'bad-request'],
  ['two spaces', head('POST  /command HTTP/1.1', ...PLAIN), 400, 'bad-request'],
  ['an expectation', head(POST, ...PLAIN, 'content-length: 1', 'expect: 100-continue'), 400, 'bad-request'],
  ['an empty body', head(POST, ...PLAIN, 'content-length: 0'), 400, 'bad-request'],
  ['more than one request at once', `${head(POST, ...PLAIN, 'content-length: 1')}xPOST`, 400, 'bad-request'],
  [
    'a preflight with a body',
    head(
      'OPTIONS /command HTTP/1.1',
      'host: a',
      `origin: ${ORIGIN}`,
      'access-control-request-method: POST',
      'content-length: 1',
    ),
    400,
    'bad-request',
  ],
  [
    'a preflight of nobody',
    head('OPTIONS /command HTTP/1.1', 'host: a', 'access-control-request-method: POST'),
    400,
    'bad-request',
  ],
  [
    'a preflight for another method',
    head('OPTIONS /command HTTP/1.1', 'host: a', `origin: ${ORIGIN}`, 'access-control-request-method: PUT'),
    404,
    'not-found',
  ],
  ['another path', head('POST /commands HTTP/1.1', ...PLAIN, 'content-length: 1'), 404, 'not-found'],
  ['a query', head('POST /command?x HTTP/1.1', ...PLAIN, 'content-length: 1'), 404, 'not-found'],
  [
    'a whole address',
    head('POST https://a/command HTTP/1.1', ...PLAIN, 'content-length: 1'),
    404,
    'not-found',
  ],
  ['a path without end', `POST /${'a'.repeat(4000)}`, 404, 'not-found'],
  ['another method', head('GET /command HTTP/1.1', 'host: a'), 404, 'not-found'],
  ['a method without end', 'P'.repeat(4000), 404, 'not-found'],
  ['no media type', head(POST, 'host: a', 'content-length: 1'), 415, 'unsupported-media-type'],
  [
    'another media type',
    head(POST, 'host: a', 'content-type: text/plain', 'content-length: 1'),
    415,
    'unsupported-media-type',
  ],
  [
    'a media type that browsers send unasked',
    head(POST, 'host: a', 'content-type: application/x-www-form-urlencoded', 'content-length: 1'),
    415,
    'unsupported-media-type',
  ],
  ['a body that is too large', head(POST, ...PLAIN, 'content-length: 1025'), 413, 'payload-too-large'],
  [
    'a length that is too long',
    head(POST, ...PLAIN, 'content-length: 99999999999999999999'),
    413,
    'payload-too-large',
  ],
  [
    'a head that is too large',
    head(POST, ...PLAIN, ...Array.from({ length: 40 }, (_, i) => `x${i}: ${'y'.repeat(60)}`)),
    413,
    'payload-too-large',
  ],
  ['too many lines', head(POST, ...Array.from({ length: 60 }, () => 'a: b')), 413, 'payload-too-large'],
]

describe('the door of a light', () => {
  let home: FirmwareHome
  let direct: Direct
  const stack = new AsyncDisposableStack()

  before(async () => {
    home = stack.use(await openFirmwareHome())
    direct = stack.use(await openDirect(home))
    direct.give()
    await direct.isOpen()
  })
  after(() => stack.disposeAsync())

  const sealed = (order: Order, change: Partial<Command> = {}, by: Signer = home.owner): Uint8Array =>
    command(direct.hello, by, order, change)

  it('does what an owner sealed, says so under its own seal, and tells the hub whose command it was', async () => {
    const frame = sealed(on(true))
    const told = home.home.desk.acts.length
    const receipt = await ordered(direct, frame)
    assert.equal(codeIn(receipt), 'ok')
    assert.deepEqual(
      receipt.values.map(({ affordance, value }) => [affordance, value]),
      [[ON, true]],
    )
    const act = await until('the act', () => home.home.desk.acts[told]?.body)
    assert.deepEqual([act.source, act.affordance, act.code], ['direct', ON, 0])
    assert.deepEqual(
      [Buffer.from(act.signer!), Buffer.from(act.command!)],
      [Buffer.from(home.owner.key), createHash('sha256').update(frame).digest()],
    )
    assert.ok(readFileSync(join(direct.firmware.directory, 'world', 'output-1'), 'latin1').startsWith('1000'))
  })

  it('reads what there is, one property or all, and leaves no trace of it', async () => {
    const told = home.home.desk.acts.length
    await ordered(direct, sealed(on(false)))
    const all = await ordered(direct, sealed(READ_ALL))
    assert.deepEqual(
      all.values.map(({ affordance }) => affordance),
      [ON, LEVEL],
    )
    assert.equal(all.values[0]!.value, false)
    const one = await ordered(direct, sealed({ operation: 'read', affordance: LEVEL }))
    assert.deepEqual(
      one.values.map(({ affordance }) => affordance),
      [LEVEL],
    )
    assert.equal(
      codeIn(await ordered(direct, sealed({ operation: 'read', affordance: TOGGLE }))),
      'no-such-affordance',
    )
    assert.equal(
      codeIn(await ordered(direct, sealed({ operation: 'read', affordance: ON, value: true }))),
      'bad-value',
    )
    await home.send(direct.id, sealed(READ_ALL))
    assert.equal(home.home.desk.acts.length, told + 1)
  })

  it('answers who proved it with a receipt, whatever is wrong: stale, replayed, late, out of range', async () => {
    using visitor = await Visitor.come(direct)
    const answered = async (frame: Uint8Array) =>
      codeIn(receiptOf(direct, frame, await visitor.ask(requestOf(frame))))
    const frame = sealed(on(true))
    assert.equal(await answered(frame), 'ok')
    assert.equal(await answered(frame), 'replayed')
    assert.equal(await answered(sealed(on(true), { nonce: randomBytes(8) })), 'stale-nonce')
    const now = Math.floor(Date.now() / 1000)
    assert.equal(await answered(sealed(on(true), { sealedAt: now - 60, expiresAt: now - 30 })), 'expired')
    assert.equal(await answered(sealed({ operation: 'write', affordance: LEVEL, value: 101 })), 'bad-value')
    assert.equal(await answered(sealed(on(false))), 'ok')
  })

  it('a command by the door is one of those that the link counts, and the other way round', async () => {
    const [first, second] = [sealed(on(true)), sealed(on(false))]
    assert.equal(codeIn(await ordered(direct, first)), 'ok')
    assert.equal(codeName((await home.send(direct.id, first)).body.code), 'replayed')
    assert.equal(codeName((await home.send(direct.id, second)).body.code), 'ok')
    assert.equal(codeIn(await ordered(direct, second)), 'replayed')
  })

  it('seals nothing for who has not proved it', async () => {
    using visitor = await Visitor.come(direct)
    const good = sealed(on(true))
    const flipped = Uint8Array.from(good, (byte, at) => (at === good.length - 1 ? byte ^ 1 : byte))
    const other = sealed(on(true), { audience: home.home.hub.homeId })
    const cases = [
      [flipped, 401, 'bad-signature'],
      [sealed(on(true), {}, signer()), 401, 'unknown-signer'],
      [sealed(on(true), { grant: newId() }), 401, 'unknown-grant'],
      [other, 400, 'wrong-audience'],
      [home.ownerLetter(home.owner.key), 400, 'bad-request'],
      [randomBytes(300).fill(0xff, 0, 1), 400, 'cbor-not-canonical'],
      [good.subarray(0, -1), 400, 'cbor-truncated'],
    ] as const
    for (const [body, status, code] of cases) {
      const answer = await visitor.ask(requestOf(body))
      assert.deepEqual([answer?.status, answer?.code], [status, code])
    }
  })

  for (const [what, bytes, status, code] of MALFORMED) {
    it(`refuses ${what}, and ends the connection`, async () => {
      using visitor = await Visitor.come(direct)
      const answer = await visitor.ask(Buffer.from(bytes, 'latin1'))
      assert.deepEqual([answer?.status, answer?.code], [status, code])
      await visitor.ended()
    })
  }

  it('lets the pages of the hub ask, and no other', async () => {
    const preflight = (origin: string) =>
      head(
        'OPTIONS /command HTTP/1.1',
        'host: a',
        `origin: ${origin}`,
        'access-control-request-method: POST',
        'access-control-request-headers: content-type',
        'access-control-request-private-network: true',
      )
    const asked = await answerTo(direct, preflight(ORIGIN))
    assert.equal(asked.status, 204)
    assert.equal(asked.headers.get('access-control-allow-origin'), ORIGIN)
    assert.equal(asked.headers.get('access-control-allow-headers'), 'content-type')
    assert.equal(asked.headers.get('access-control-allow-private-network'), 'true')
    assert.equal(asked.headers.get('vary'), 'Origin')
    for (const origin of [
      'https://evil.example',
      'null',
      `${ORIGIN}0`,
      ORIGIN.toUpperCase(),
      ORIGIN.slice(0, -1),
    ]) {
      for (const bytes of [preflight(origin), requestOf(sealed(on(true)), { origin })]) {
        const answer = await answerTo(direct, bytes)
        assert.deepEqual([answer.status, answer.code], [403, 'forbidden'])
        assert.equal(answer.headers.get('access-control-allow-origin'), undefined)
      }
    }
    const frame = sealed(on(false))
    const answer = await answerTo(direct, requestOf(frame, { origin: ORIGIN }))
    assert.equal(answer.headers.get('access-control-allow-origin'), ORIGIN)
    assert.equal(codeIn(receiptOf(direct, frame, answer)), 'ok')
  })

  it('speaks TLS 1.3 alone, also with who sends keys of a kind that it does not know first', async () => {
    for (const ecdhCurve of ['X25519MLKEM768:X25519', 'X25519', 'P-256']) {
      using visitor = await Visitor.come(direct, { ecdhCurve, ALPNProtocols: ['h2', 'http/1.1'] })
      assert.equal(visitor.protocol, 'TLSv1.3')
      assert.equal((await visitor.ask(head('GET / HTTP/1.1', 'host: a')))?.status, 404)
    }
    await assert.rejects(Visitor.come(direct, { maxVersion: 'TLSv1.2' }))
    await assert.rejects(Visitor.come(direct, { ciphers: 'TLS_AES_128_GCM_SHA256' }))
  })

  it('resumes for who was here before, without a signature', async () => {
    let session: Buffer | undefined
    {
      using first = await Visitor.come(direct)
      await first.ask(requestOf(Buffer.of(0)))
      assert.ok(!first.isReused)
      session = await until('a ticket', () => first.session)
    }
    using second = await Visitor.come(direct, { session })
    assert.ok(second.isReused)
    const frame = sealed(READ_ALL)
    assert.equal(codeIn(receiptOf(direct, frame, await second.ask(requestOf(frame)))), 'ok')
    const spoiled = Buffer.from(session)
    spoiled[spoiled.length - 60]! ^= 1
    const third = await Visitor.come(direct, { session: spoiled }).catch(() => undefined)
    assert.ok(!third?.isReused)
    third?.[Symbol.dispose]()
  })

  it('is understood by curl, and by OpenSSL’s own client', async () => {
    const frame = sealed(on(true))
    const body = join(direct.firmware.directory, 'world', 'body')
    const url = `https://127.0.0.1:${direct.port}/command`
    writeFileSync(body, frame)
    const curl = await run(
      'curl',
      ['-sS', '--cacert', direct.caFile, '-H', `content-type: ${COSE}`, '--data-binary', `@${body}`, url],
      { encoding: 'buffer' },
    )
    const answer = {
      status: 200,
      headers: new Map([['content-type', COSE]]),
      body: curl.stdout,
      code: undefined,
    }
    assert.equal(codeIn(receiptOf(direct, frame, answer)), 'ok')
    const openssl = spawn(
      'openssl',
      [
        's_client',
        '-connect',
        `127.0.0.1:${direct.port}`,
        '-CAfile',
        direct.caFile,
        '-verify_return_error',
        '-quiet',
      ],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    )
    openssl.stdin.write(requestOf(sealed(on(false), {}, signer())))
    const [said] = await once(openssl.stdout, 'data')
    openssl.kill()
    await once(openssl, 'close')
    assert.match(String(said), /^HTTP\/1.1 401 /)
  })

  it('takes no leaf for another key, nor one that is no server’s or has ended, and goes on with the one it has', async () => {
    const ignored = (code: string) => direct.firmware.line(new RegExp(`^ignored -${code}$`))
    const { 'tls-profile': profile, 'tls-expired': ended } = (await import('../../schemas/gen/ts/codes.ts'))
      .CODES
    direct.give({ point: Buffer.concat([Buffer.of(4), randomBytes(64)]) })
    await ignored(String(profile))
    direct.give({ certificate: randomBytes(300) })
    await ignored(String(profile))
    direct.give({ now: Date.now() - 400 * 86_400_000 })
    await ignored(String(ended))
    assert.equal(codeIn(await ordered(direct, sealed(READ_ALL))), 'ok')
  })

  it('holds a guest to the grant: what, how often, while leased, until it is taken back', async () => {
    const guest = signer()
    const papers = papersOf(home)
    const [once, leased] = [newId(), newId()]
    const what = [{ affordance: ON, methods: METHOD_GET | METHOD_PUT }]
    const hand = async (frame: Uint8Array) => codeName((await home.send(direct.id, frame)).body.code)
    const expiresAt = Math.floor(Date.now() / 1000) + 3600
    const base = { key: guest.key, devices: [], what, leaseS: 0 }
    assert.equal(await hand(papers.grant({ ...base, id: once, uses: 1, expiresAt })), 'ok')
    assert.equal(await hand(papers.grant({ ...base, id: leased, leaseS: 60 })), 'ok')
    const asks = async (order: Order, grant: Uint8Array) =>
      codeIn(await ordered(direct, sealed(order, { grant }, guest)))
    assert.equal(await asks(on(true), once), 'ok')
    assert.equal(await asks(on(false), once), 'uses-spent')
    assert.equal(await asks(READ_ALL, once), 'ok')
    assert.equal(await asks({ operation: 'write', affordance: LEVEL, value: 5 }, once), 'not-granted')
    assert.equal(await asks({ operation: 'invoke', affordance: TOGGLE }, once), 'not-granted')
    const all = await ordered(direct, sealed(READ_ALL, { grant: once }, guest))
    assert.deepEqual(
      all.values.map(({ affordance }) => affordance),
      [ON],
    )
    assert.equal(await asks(on(true), leased), 'lease-lapsed')
    home.home.link.send(direct.id, papers.lease(direct.id, [leased], { expiresAt: seconds(3) }))
    await home.send(direct.id, sealed(READ_ALL))
    assert.equal(await asks(on(false), leased), 'ok')
    while ((await asks(READ_ALL, leased)) !== 'lease-lapsed')
      await new Promise((resolve) => setTimeout(resolve, 100))
    assert.equal(await hand(revocationFrame(papers.owner, [once])), 'ok')
    const answer = await answerTo(direct, requestOf(sealed(READ_ALL, { grant: once }, guest)))
    assert.deepEqual([answer.status, answer.code], [401, 'grant-revoked'])
  })
})

/* ---- its name ---- */

const TYPE = { a: 1, srv: 33, any: 255 }

/** A DNS question for these labels, with an id of its own. */
function question(id: number, labels: readonly string[], type = TYPE.a, flags = 0): Buffer {
  const name = labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]))
  const head = Buffer.alloc(12)
  head.writeUInt16BE(id, 0)
  head.writeUInt16BE(flags, 2)
  head.writeUInt16BE(1, 4)
  return Buffer.concat([head, ...name, Buffer.of(0, 0, type, 0, 1)])
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound))
  const { port } = socket.address()
  socket.close()
  return port
}

describe('the name of a door', () => {
  it('is answered for, in any case, and for nothing else', async () => {
    await using home = await openFirmwareHome()
    const port = await freeUdpPort()
    await using direct = await openDirect(home, { environment: { SHALLOT_DOOR_NAME: String(port) } })
    direct.give()
    await direct.isOpen()
    const label = createHash('sha256').update(direct.hello.signer).digest('hex').slice(0, 16)
    const socket = createSocket('udp4')
    const answers: Buffer[] = []
    socket.on('message', (answer) => answers.push(answer))
    const ask = (bytes: Buffer) => socket.send(bytes, port, '127.0.0.1')
    try {
      ask(question(1, ['a'.repeat(16), 'local']))
      ask(question(2, [label, 'example']))
      ask(question(3, [label, 'local'], TYPE.srv))
      ask(question(4, [label, 'local'], TYPE.a, 0x8400))
      ask(question(5, [label, 'local']).subarray(0, -1))
      ask(question(6, [label, 'local', 'x']))
      ask(randomBytes(500).fill(0, 2, 4))
      ask(question(7, [label.toUpperCase(), 'LOCAL'], TYPE.any))
      ask(question(8, [label, 'local']))
      await until('two answers', () => (answers.length === 2 ? true : undefined))
      assert.deepEqual(
        answers.map((answer) => answer.readUInt16BE(0)),
        [7, 8],
      )
      for (const answer of answers) {
        assert.equal(answer.readUInt16BE(2), 0x8400)
        assert.deepEqual([...answer.subarray(-6)], [0, 4, 127, 0, 0, 1])
      }
    } finally {
      socket.close()
    }
  })
})

/* ---- strangers ---- */

/** Of what is sent in the flood, how many of each. */
const FLOOD = {
  unproven: 9000,
  proven: 200,
  malformed: 250,
  broken: 360,
  mute: 150,
  halfHello: 2,
  halfRequest: 2,
  oldTls: 36,
}
const REQUESTS = Object.values(FLOOD).reduce((sum, count) => sum + count)
const WORKERS = 3
/** Requests of one connection, fewer than the device lets one have. */
const BATCH = 80
/** How long an order by the hub may take while they are here. */
const ORDER_MS_MAX = 15_000

/** A connection without TLS, of which nothing is read. */
function stranger(direct: Direct, bytes?: Uint8Array): Socket {
  const socket = connectTcp({ host: '127.0.0.1', port: direct.port })
  socket.on('error', () => socket.destroy())
  socket.resume()
  if (bytes) socket.write(bytes)
  return socket
}

/** Reset or ended, it is the same. */
const gone = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve))

/** The first bytes of a ClientHello, as OpenSSL writes it. */
const HALF_HELLO = Buffer.from('1603010200010001fc0303', 'hex')

interface Counted {
  came: number
  shaken: number
  resumed: number
  receipts: number
  refused: number
  held: string
}

/** What the device says of its door when its hub speaks of it. */
async function counted(direct: Direct): Promise<Counted> {
  direct.give({ again: true })
  const line = await direct.firmware.line(/^door came /)
  const said = /^door came (\d+) shaken (\d+) resumed (\d+) receipts (\d+) refused (\d+) held (.+)$/.exec(
    line,
  )!
  const [came, shaken, resumed, receipts, refused] = said.slice(1, 6).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ]
  return { came, shaken, resumed, receipts, refused, held: said[6]! }
}

describe(`${REQUESTS} requests to one device`, () => {
  it('are each refused or answered, while its hub is heard all along, and leave no memory behind', async () => {
    assert.equal(REQUESTS, 10_000)
    await using home = await openFirmwareHome()
    await using direct = await openDirect(home)
    direct.give()
    await direct.isOpen()
    let session: Buffer | undefined
    const left = { ...FLOOD }
    const got = { refused: 0, receipts: 0, ended: 0 }
    const take = (kind: keyof typeof FLOOD, most: number): number => {
      const count = Math.min(left[kind], most)
      left[kind] -= count
      return count
    }
    const forged = Buffer.from(command(direct.hello, home.owner, on(true)))
    forged[forged.length - 1]! ^= 1
    const garbage = [
      randomBytes(200),
      Buffer.of(0xd2),
      Buffer.from(command(direct.hello, signer(), on(true))),
      forged,
    ]

    const visit = async (): Promise<Visitor> => {
      for (;;) {
        const visitor = await Visitor.come(direct, session && Math.random() < 0.5 ? { session } : {}).catch(
          () => undefined,
        )
        if (visitor) return visitor
      }
    }
    /** One connection with as many requests as it may have. */
    async function talk(): Promise<boolean> {
      const [unproven, proven] = [take('unproven', BATCH), take('proven', 3)]
      if (unproven + proven === 0) return false
      let todo = [...Array(unproven).fill(false), ...Array(proven).fill(true)] as boolean[]
      while (todo.length > 0) {
        using visitor = await visit()
        while (todo.length > 0) {
          const isProven = todo.at(-1)!
          const bytes = isProven
            ? command(direct.hello, home.owner, todo.length % 2 ? READ_ALL : on(true))
            : garbage[todo.length % garbage.length]!
          const answer = await visitor.ask(requestOf(bytes))
          if (!answer) break // it made way for another
          assert.equal(answer.status === 200, isProven)
          if (isProven) assert.equal(codeIn(receiptOf(direct, bytes, answer)), 'ok')
          got[isProven ? 'receipts' : 'refused']++
          todo = todo.slice(0, -1)
        }
        session = visitor.session ?? session
      }
      return true
    }
    async function misbehave(): Promise<boolean> {
      if (take('malformed', 1)) {
        for (;;) {
          using visitor = await visit()
          const [, bytes, status] = MALFORMED[left.malformed % MALFORMED.length]!
          const answer = await visitor.ask(Buffer.from(bytes, 'latin1'))
          session = visitor.session ?? session
          if (!answer) continue
          assert.equal(answer.status, status)
          got.refused++
          return true
        }
      }
      if (take('broken', 1)) await gone(stranger(direct, randomBytes(64).fill(0x47, 0, 1)))
      else if (take('oldTls', 1))
        await Visitor.come(direct, { maxVersion: 'TLSv1.2' }).then(
          () => assert.fail('TLS 1.2'),
          () => {},
        )
      else return false
      got.ended++
      return true
    }
    /** Some at a time, who go away when others have come after them. */
    async function stand(): Promise<boolean> {
      const mutes = Array.from({ length: take('mute', 8) }, () => gone(stranger(direct)))
      const halves = Array.from({ length: take('halfHello', 1) }, () => gone(stranger(direct, HALF_HELLO)))
      const asking = Array.from({ length: take('halfRequest', 1) }, async () => {
        using visitor = await visit()
        visitor.say(POST)
        await visitor.ended()
      })
      const all = [...mutes, ...halves, ...asking]
      await Promise.all(all)
      got.ended += all.length
      return all.length > 0
    }
    const before = await counted(direct)
    let isOver = false
    const work = async (step: () => Promise<boolean>) => {
      while (await step()) {}
    }
    const flood = Promise.all([
      ...Array.from({ length: WORKERS }, () => work(talk)),
      work(misbehave),
      work(misbehave),
      work(stand),
    ]).finally(() => {
      isOver = true
    })
    let slowest = 0
    let orders = 0
    while (!isOver) {
      const began = performance.now()
      const receipt = await home.send(direct.id, command(direct.hello, home.owner, on(orders++ % 2 === 0)))
      assert.equal(codeName(receipt.body.code), 'ok')
      slowest = Math.max(slowest, performance.now() - began)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await flood
    assert.equal(got.refused, FLOOD.unproven + FLOOD.malformed)
    assert.equal(got.receipts, FLOOD.proven)
    assert.equal(got.refused + got.receipts + got.ended, REQUESTS)
    assert.ok(orders > 10 && slowest < ORDER_MS_MAX, `${orders} orders, the slowest took ${slowest} ms`)
    assert.deepEqual(home.home.desk.ends, [])
    assert.equal(home.home.desk.hellos.length, 1)
    let now = await counted(direct)
    while (now.held !== before.held) now = await counted(direct)
    assert.ok(now.receipts - before.receipts >= FLOOD.proven && now.refused >= FLOOD.unproven)
    assert.ok(now.resumed > 0 && now.shaken > now.resumed)
    assert.equal(codeIn(await ordered(direct, command(direct.hello, home.owner, READ_ALL))), 'ok')
  })
})

describe('the key of a door', () => {
  it('is the same after a restart, as is all that the hub knows of it', async () => {
    await using home = await openFirmwareHome()
    await using first = await openDirect(home)
    const key = (device: Direct): Buffer => Buffer.from(device.hello.body.direct!.key)
    await first.firmware.kill()
    await using second = await openDirect(home, { directory: first.firmware.directory })
    assert.deepEqual(key(second), key(first))
  })

  it('may be in an ATECC608, which then signs in TLS, and is another on a board without it', async () => {
    await using home = await openFirmwareHome()
    const world = { 'i2c-60': 'atecc608' }
    await using first = await openDirect(home, { signer: 'atecc608', world })
    first.give()
    await first.isOpen()
    const frame = command(first.hello, home.owner, on(true))
    assert.equal(codeIn(await ordered(first, frame)), 'ok')
    const { directory } = first.firmware
    assert.ok(
      readFileSync(join(directory, 'direct')).includes('in a chip\0atecc608'),
      'no number is on flash',
    )
    await first.firmware.kill()
    await using second = await openDirect(home, { directory })
    assert.notDeepEqual(second.hello.body.direct!.key, first.hello.body.direct!.key)
  })

  it('that its chip does not use lets nobody in, and the light goes on', async () => {
    await using home = await openFirmwareHome()
    await using direct = await openDirect(home, { signer: 'atecc608', world: { 'i2c-60': 'atecc608' } })
    direct.give()
    await direct.isOpen()
    direct.firmware.connect('i2c-60', 'atecc608 fault=locked')
    await assert.rejects(Visitor.come(direct))
    const order = command(direct.hello, home.owner, on(true))
    assert.equal(codeName((await home.send(direct.id, order)).body.code), 'ok')
  })
})
