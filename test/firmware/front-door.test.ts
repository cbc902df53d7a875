// SPDX-License-Identifier: GPL-3.0-or-later
/** A front door by itself: its lock, its people, its keypad, and what it does when power, network, hub and phones go (SPEC 12). */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { PartyId } from '../../daemon/core/model/index.ts'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import { METHOD_GET } from '../../schemas/gen/ts/wire.ts'
import { boltOf } from '../../scripts/twins/bolt.ts'
import { readPart } from '../../scripts/twins/world.ts'
import {
  CLOSED,
  type Door,
  doorOf,
  FAIL_SAFE,
  JAMMED,
  KEYPAD_LOCKED,
  LOCK,
  LOCKED,
  MAY_ALL,
  may,
  openDoor,
  papersOf,
  pinOf,
  SHUT,
  seconds,
  UNLOCK,
  unlock,
} from '../support/door.ts'
import { type FirmwareOptions, startFirmware } from '../support/firmware.ts'
import { type FirmwareHome, openFirmwareHome, signer, until } from '../support/firmware-home.ts'
import { DAY_S, newId, revocationFrame } from '../support/papers.ts'
import { ownPort } from '../support/ports.ts'

const DOOR: FirmwareOptions = { port: 'sanitize', program: 'front-door', world: SHUT }

/** The network between a door and its hub. */
interface Wire extends AsyncDisposable {
  readonly port: number
  /** Keeps what is open and takes what comes, and carries nothing any more. */
  freeze(): void
}

async function openWire(target: number): Promise<Wire> {
  const open = new Set<Socket>()
  let isFrozen = false
  const server = createServer((near) => {
    const sockets = isFrozen ? [near] : [near, connect({ port: target, host: '127.0.0.1', noDelay: true })]
    if (sockets[1]) near.pipe(sockets[1]).pipe(near)
    for (const socket of sockets) {
      open.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        open.delete(socket)
        for (const other of isFrozen ? [] : sockets) other.destroy()
      })
    }
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    port: (server.address() as { port: number }).port,
    freeze() {
      isFrozen = true
      for (const socket of open) socket.unpipe().pause()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

const opened = (door: Door) => until('the door to open', () => door.isOpen || undefined)
const shut = (door: Door) => until('the door to lock', () => !door.isOpen || undefined)
const told = (door: Door, affordance: number, value: number | boolean) =>
  until(`${affordance} to be told as ${value}`, () => door.told(affordance) === value || undefined)

/** A directory that outlives its device. */
function place(): Disposable & { readonly directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'shallot-door-'))
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) }
}

/** A door that starts in its directory, and finds no hub. */
async function openAlone(home: FirmwareHome, kept: { readonly directory: string }): Promise<Door> {
  await using undo = new AsyncDisposableStack()
  const firmware = undo.use(await startFirmware({ ...DOOR, ...kept }))
  await firmware.line(/^link ended/)
  undo.move()
  return doorOf(home, firmware, '' as PartyId)
}

describe('a lock and a keypad by themselves, with a clock that is moved', () => {
  for (const port of ['sanitize', 'qemu'] as const) {
    it(`on ${port}`, async () => {
      await using check = await startFirmware({ port, program: 'door-check' })
      await check.line(/^end$/)
      const failed = check.lines.filter((line) => line.startsWith('FAILED'))
      assert.deepEqual(failed, [])
      assert.ok(check.lines.filter((line) => line.startsWith('ok ')).length >= 28)
    })
  }
})

describe('a front door’s lock', () => {
  it('tells its hub what has changed, also when somebody reads it in that moment', async () => {
    await using home = await openFirmwareHome()
    await using door = await openDoor(home)
    const read = { operation: 'read', affordance: LOCKED } as const
    const change = (value: boolean) => ({ operation: 'write', affordance: FAIL_SAFE, value }) as const
    for (const isFailSafe of [true, false, true, false, true, false]) {
      const orders = [change(isFailSafe), read].map((what) => door.order(home.owner, what))
      assert.deepEqual(await Promise.all(orders), ['ok', 'ok'])
      await told(door, FAIL_SAFE, isFailSafe)
    }
  })

  it('opens for an owner, shows it, and locks again by itself', async () => {
    await using home = await openFirmwareHome()
    await using door = await openDoor(home)
    await told(door, LOCKED, true)
    assert.equal(await door.order(home.owner, unlock(1)), 'ok')
    assert.ok(door.isOpen)
    await told(door, LOCKED, false)
    await told(door, LOCKED, true)
    assert.equal(door.told(JAMMED), false)
  })

  it('locks at once when it was opened and closes, and when it is told to', async () => {
    await using home = await openFirmwareHome()
    await using door = await openDoor(home)
    await door.order(home.owner, unlock(60))
    await told(door, LOCKED, false)
    const openedAt = door.toldAt(LOCKED)
    door.swing(false)
    await told(door, CLOSED, false)
    assert.ok(door.isOpen, 'an open door has no reason to be locked')
    door.swing(true)
    await told(door, LOCKED, true)
    assert.ok(door.toldAt(LOCKED) >= door.toldAt(CLOSED))
    assert.ok(
      door.toldAt(LOCKED) < openedAt + 60_000,
      'because it closed, and not because its minute was over',
    )
    await door.order(home.owner, unlock(60))
    assert.ok(door.isOpen)
    assert.equal(await door.order(home.owner, { operation: 'invoke', affordance: LOCK }), 'ok')
    assert.ok(!door.isOpen)
  })

  it('says that it is jammed when the bolt does not follow, and when nobody can see the bolt', async () => {
    await using home = await openFirmwareHome()
    await using door = await openDoor(home)
    door.firmware.connect('pin-1', 'strike output=1 fault=stuck')
    await door.order(home.owner, unlock(10))
    await told(door, JAMMED, true)
    door.firmware.connect('pin-1', 'strike output=1')
    await told(door, JAMMED, false)
    door.firmware.connect('pin-1', undefined)
    await told(door, JAMMED, true)
  })

  it('is opened by the button inside, which is told as an act', async () => {
    await using home = await openFirmwareHome()
    await using door = await openDoor(home)
    door.press(true)
    await opened(door)
    const act = await door.act()
    assert.deepEqual([act.source, act.affordance, act.code, act.grant], ['button', UNLOCK, 0, undefined])
    assert.ok(Math.abs(act.at - Date.now()) < 60_000)
  })

  it('does not take a bouncing contact for an open door', async () => {
    await using home = await openFirmwareHome()
    await using door = await openDoor(home)
    await told(door, CLOSED, true)
    await door.order(home.owner, unlock(60))
    door.swing(false)
    door.swing(true)
    await door.order(home.owner, { operation: 'write', affordance: LOCKED, value: true })
    assert.ok(door.isOpen)
    assert.equal(door.told(CLOSED), true)
  })

  const refusals = [
    ['a stranger', 'unknown-signer', unlock(2)],
    ['61 seconds', 'bad-value', unlock(61)],
    ['no time at all', 'bad-value', unlock(0)],
    ['a bolt that is written', 'read-only', { operation: 'write', affordance: LOCKED, value: false }],
    [
      'a capability that it has not',
      'no-such-affordance',
      { operation: 'write', affordance: 1, value: true },
    ],
  ] as const
  it('refuses each with its code, and stays shut', async () => {
    await using home = await openFirmwareHome()
    await using door = await openDoor(home)
    for (const [what, code, order] of refusals) {
      const by = what === 'a stranger' ? signer() : home.owner
      assert.equal(await door.order(by, order), code, what)
      assert.ok(!door.isOpen)
    }
  })
})

describe('a front door judges by grants [SPEC 12]', () => {
  it('opens for a guest with a lease, once for a courier, never for somebody else', async () => {
    await using home = await openFirmwareHome()
    await using door = await openDoor(home)
    const papers = papersOf(home)
    const [guest, courier] = [signer(), signer()]
    const [visit, parcel] = [newId(), newId()]
    assert.equal(await door.order(guest, unlock(1), { grant: visit }), 'unknown-grant')
    assert.equal(await door.hand(papers.grant({ key: guest.key, id: visit, leaseS: DAY_S })), 'ok')
    assert.equal(await door.order(guest, unlock(1), { grant: visit }), 'lease-lapsed')
    await door.post(papers.lease(door.id, [visit]))
    assert.equal(await door.order(guest, unlock(1), { grant: visit }), 'ok')
    assert.equal(await door.order(courier, unlock(1), { grant: visit }), 'unknown-signer')
    await door.hand(papers.grant({ key: courier.key, id: parcel, uses: 1, expiresAt: seconds(DAY_S) }))
    assert.equal(await door.order(courier, unlock(1), { grant: parcel }), 'ok')
    assert.equal(await door.order(courier, unlock(1), { grant: parcel }), 'uses-spent')
  })

  it('counts a courier’s use on flash: after a power cut the second try is refused as before', async () => {
    await using home = await openFirmwareHome()
    using kept = place()
    const courier = signer()
    const id = newId()
    const parcel = papersOf(home).grant({ key: courier.key, id, uses: 1, expiresAt: seconds(DAY_S) })
    {
      await using door = await openDoor(home, kept)
      await door.hand(parcel)
      assert.equal(await door.order(courier, unlock(1), { grant: id }), 'ok')
      await door.firmware.kill()
    }
    await using door = await openDoor(home, kept)
    assert.equal(await door.order(courier, unlock(1), { grant: id }), 'unknown-grant')
    assert.equal(await door.hand(parcel), 'ok')
    assert.equal(await door.order(courier, unlock(1), { grant: id }), 'uses-spent')
    assert.ok(!door.isOpen)
  })

  it('judges what is passed on by every link, and forgets it with its parent', async () => {
    await using home = await openFirmwareHome()
    await using door = await openDoor(home)
    const papers = papersOf(home)
    const [mother, nanny] = [signer(), signer()]
    const [above, below] = [newId(), newId()]
    const ofMother = papers.grant({ key: mother.key, id: above, share: 1 })
    const wide = { key: nanny.key, id: below, parent: above, what: MAY_ALL }
    assert.equal(await door.hand(papers.grant(wide, papers.of(mother))), 'grant-chain')
    await door.hand(ofMother)
    assert.equal(await door.hand(papers.grant(wide, papers.of(nanny))), 'grant-chain')
    assert.equal(await door.hand(papers.grant(wide, papers.of(mother))), 'ok')
    assert.equal(await door.order(nanny, unlock(1), { grant: below }), 'ok')
    const failSafe = { operation: 'write', affordance: FAIL_SAFE, value: true } as const
    assert.equal(await door.order(nanny, failSafe, { grant: below }), 'not-granted')
    assert.equal(await door.hand(revocationFrame(papers.owner, [above])), 'ok')
    assert.equal(await door.order(mother, unlock(1), { grant: above }), 'grant-revoked')
    assert.equal(await door.order(nanny, unlock(1), { grant: below }), 'unknown-grant')
  })

  it('lives in the home’s time as long as it is connected, however often that changes [SPEC 12.6]', async () => {
    // Six in the morning at home, whenever this runs; and twelve hours later.
    const minute = new Date().getUTCHours() * 60 + new Date().getUTCMinutes()
    const morning = {
      offset: 360 - minute > -720 ? 360 - minute : 1800 - minute,
      changesAt: 0,
      thereafter: 0,
    }
    const evening = { ...morning, offset: morning.offset > 0 ? morning.offset - 720 : morning.offset + 720 }
    let zone = morning
    await using home = await openFirmwareHome({ zone: () => zone })
    await using door = await openDoor(home)
    const [guest, id] = [signer(), newId()]
    const hours = [{ days: 127, from: 0, to: 720 }]
    assert.equal(await door.hand(papersOf(home).grant({ key: guest.key, id, hours })), 'ok')
    assert.equal(await door.order(guest, unlock(1), { grant: id }), 'ok')
    for (const [now, code] of [
      [evening, 'outside-hours'],
      [morning, 'ok'],
    ] as const) {
      zone = now
      let said = ''
      for (let tries = 0; tries < 300 && said !== code; tries++) {
        said = await door.order(guest, unlock(1), { grant: id })
        await new Promise((passed) => setTimeout(passed, 50))
      }
      assert.equal(said, code)
    }
    assert.equal(home.home.desk.hellos.length, 1, 'it stayed connected')
  })

  it('makes room for a seventh guest only when one of six was idle for a minute', async () => {
    await using home = await openFirmwareHome()
    await using door = await openDoor(home)
    const papers = papersOf(home)
    const guests = Array.from({ length: 4 }, signer)
    for (const guest of guests) assert.equal(await door.hand(papers.grant({ key: guest.key })), 'ok')
    for (let i = 0; i < 2; i++) assert.equal(await door.hand(papers.grant({ key: guests[i]!.key })), 'ok')
    assert.equal(await door.hand(papers.grant({ key: guests[0]!.key })), 'grants-full')
  })
})

describe('a code on the keypad [SPEC 12.7]', () => {
  /** A door that knows codes: `said` by digits. */
  async function withCodes(
    home: FirmwareHome,
    said: Record<string, Parameters<ReturnType<typeof papersOf>['grant']>[0]>,
    directory?: string,
  ) {
    const door = await openDoor(home, directory === undefined ? {} : { directory })
    for (const [digits, grant] of Object.entries(said)) {
      const frame = papersOf(home).grant({ pin: pinOf(digits), ...grant })
      assert.equal(await door.hand(frame), 'ok')
    }
    return door
  }

  it('opens, and the hub hears who and by which grant', async () => {
    await using home = await openFirmwareHome()
    const id = newId()
    await using door = await withCodes(home, { 2468: { id } })
    door.type('2468#')
    await opened(door)
    const act = await door.act()
    assert.deepEqual([act.source, act.affordance, act.code], ['keypad', UNLOCK, 0])
    assert.equal(act.grant?.toHex(), id.toHex())
  })

  it('is refused when it is wrong, too short, cleared, or known to another door', async () => {
    await using home = await openFirmwareHome()
    await using door = await withCodes(home, { 2468: {}, 1357: { devices: [signer().key] } })
    for (const [digits, code] of [
      ['2469#', CODES['wrong-pin']],
      ['2#', CODES['wrong-pin']],
      ['2468*68#', CODES['wrong-pin']],
      ['1357#', CODES['grant-elsewhere']],
    ] as const) {
      const before = home.home.desk.acts.length
      door.type(digits)
      assert.equal((await door.act(before + 1)).code, code, digits)
    }
    // More digits than any code has are noise.
    door.type('2468246824682#')
    door.type('2468#')
    await opened(door)
    assert.equal((await door.act(5)).code, 0)
  })

  it('obeys hours, uses and dates, each with its code', async () => {
    await using home = await openFirmwareHome()
    const never = [{ days: 127, from: 0, to: 1 }]
    const noon = new Date().getUTCHours() === 0 ? [{ days: 127, from: 720, to: 721 }] : never
    await using door = await withCodes(home, {
      1111: { hours: noon },
      2222: { notBefore: seconds(3600) },
      3333: { expiresAt: seconds(DAY_S), uses: 1 },
      4444: { what: [may(UNLOCK, METHOD_GET)] },
      5555: { leaseS: 60 },
    })
    const expected = [
      ['1111#', 'outside-hours'],
      ['2222#', 'grant-not-yet'],
      ['3333#', 'ok'],
      ['3333#', 'uses-spent'],
      ['4444#', 'not-granted'],
      ['5555#', 'lease-lapsed'],
    ] as const
    for (const [index, [digits, code]] of expected.entries()) {
      door.type(digits)
      assert.equal((await door.act(index + 1)).code, CODES[code], digits)
    }
  })

  it('works with the hub gone and after a power cut; one that needs the time does not', async () => {
    await using home = await openFirmwareHome()
    using kept = place()
    {
      await using _door = await withCodes(
        home,
        { 2468: {}, 1357: { expiresAt: seconds(DAY_S) } },
        kept.directory,
      )
    }
    await home.home.link[Symbol.asyncDispose]()
    await using door = await openAlone(home, kept)
    door.type('1357#')
    await new Promise((passed) => setTimeout(passed, 1500))
    assert.ok(!door.isOpen, 'who cannot know the time cannot know that it is not over')
    door.type('2468#')
    await opened(door)
    await shut(door)
  })

  it('tells of the acts of a dark time when the hub is back, also after another power cut', async () => {
    await using home = await openFirmwareHome({ port: await ownPort() })
    using kept = place()
    {
      await using _door = await withCodes(home, { 2468: {} }, kept.directory)
    }
    await home.home.link[Symbol.asyncDispose]()
    for (let i = 0; i < 2; i++) {
      await using door = await openAlone(home, kept)
      door.type('2468#')
      await opened(door)
      await until('the act on flash', () => spooled(kept.directory) > i || undefined)
      await door.firmware.kill()
    }
    assert.equal(home.home.desk.acts.length, 0)
    await using _link = await home.home.restart()
    await using _door = await openDoor(home, kept)
    await until('both acts', () => home.home.desk.acts.length === 2 || undefined)
    assert.deepEqual(
      home.home.desk.acts.map(({ body }) => [body.code, body.at]),
      [
        [0, 0],
        [0, 0],
      ],
    )
  })

  it('waits after five wrong tries, tells so, and a power cut does not end that', async () => {
    await using home = await openFirmwareHome()
    using kept = place()
    {
      await using door = await withCodes(home, { 2468: {} }, kept.directory)
      for (let i = 1; i <= 5; i++) {
        door.type('0000#')
        assert.equal((await door.act(i)).code, CODES['wrong-pin'])
      }
      await told(door, KEYPAD_LOCKED, true)
      door.type('2468#')
      assert.equal((await door.act(6)).code, CODES['keypad-locked'])
      assert.ok(!door.isOpen)
      await door.firmware.kill()
    }
    await using door = await openDoor(home, kept)
    await told(door, KEYPAD_LOCKED, true)
    door.type('2468#')
    assert.equal((await door.act(7)).code, CODES['keypad-locked'])
    assert.ok(!door.isOpen)
    // Whoever may open by a key is not kept out by somebody who guesses.
    assert.equal(await door.order(home.owner, unlock(1)), 'ok')
  })

  it('gains no tries by pulling the plug while one is being tried', async () => {
    await using home = await openFirmwareHome()
    using kept = place()
    {
      await using _door = await withCodes(home, { 2468: { pin: pinOf('2468', 100_000) } }, kept.directory)
    }
    await home.home.link[Symbol.asyncDispose]()
    for (let i = 0; i < 5; i++) {
      const before = triesIn(kept.directory)
      await using door = await openAlone(home, kept)
      door.type('0000#')
      await until('the try to be counted', () => triesIn(kept.directory) > before || undefined)
      await door.firmware.kill()
    }
    await using door = await openAlone(home, kept)
    door.type('2468#')
    await new Promise((passed) => setTimeout(passed, 2000))
    assert.ok(!door.isOpen)
    assert.equal(triesIn(kept.directory), 5)
  })

  for (const [what, rounds] of [
    ['no work', 0],
    ['work without end', 2 ** 32 - 1],
  ] as const)
    it(`is none when its record asks for ${what}, and who types it has a wrong try`, async () => {
      await using home = await openFirmwareHome()
      using kept = place()
      {
        await using door = await withCodes(home, { 2468: {} }, kept.directory)
        await door.firmware.kill()
      }
      for (const name of ['pin-0', 'pin-0b']) setRounds(join(kept.directory, name), rounds)
      await using door = await openDoor(home, kept)
      door.type('2468#')
      assert.equal((await door.act()).code, CODES['wrong-pin'])
      assert.equal(triesIn(kept.directory), 1)
      assert.ok(!door.isOpen)
    })

  it('is gone when its grant is taken back, and the bytes of its digits are nowhere on flash', async () => {
    await using home = await openFirmwareHome()
    using kept = place()
    const id = newId()
    await using door = await withCodes(home, { 24681357: { id } }, kept.directory)
    assert.deepEqual(filesWith(kept.directory, '24681357'), [])
    assert.equal(await door.hand(revocationFrame(papersOf(home).owner, [id])), 'ok')
    door.type('24681357#')
    assert.equal((await door.act()).code, CODES['wrong-pin'])
    assert.equal(existsSync(join(kept.directory, 'pin-0')), false)
  })

  it('that somebody made who passes on opens under every link above it, also after a power cut, and goes with them', async () => {
    await using home = await openFirmwareHome()
    using kept = place()
    const papers = papersOf(home)
    const [mother, above, id] = [signer(), newId(), newId()]
    {
      await using door = await openDoor(home, kept)
      const ofMother = { key: mother.key, id: above, share: 1, expiresAt: seconds(DAY_S) }
      const code = { pin: pinOf('8642'), id, parent: above, expiresAt: seconds(DAY_S / 2) }
      assert.equal(await door.hand(papers.grant(code, papers.of(mother))), 'grant-chain')
      assert.equal(await door.hand(papers.grant(ofMother)), 'ok')
      assert.equal(await door.hand(papers.grant(code, papers.of(mother))), 'ok')
      await door.firmware.kill()
    }
    await using door = await openDoor(home, kept)
    door.type('8642#')
    await opened(door)
    const act = await door.act()
    assert.deepEqual([act.code, act.grant?.toHex()], [0, id.toHex()])
    assert.equal(await door.hand(revocationFrame(papers.owner, [above])), 'ok')
    door.type('8642#')
    assert.equal((await door.act(2)).code, CODES['wrong-pin'])
  })

  it('takes eight codes and says so to the ninth', async () => {
    await using home = await openFirmwareHome()
    await using door = await withCodes(
      home,
      Object.fromEntries(Array.from({ length: 8 }, (_, i) => [1110 + i, {}])),
    )
    assert.equal(await door.hand(papersOf(home).grant({ pin: pinOf('9999') })), 'grants-full')
  })
})

describe('a front door whose flash has a flipped bit in everything that is stored', () => {
  /** The second copies of what is kept twice, and the copy beside the identity. */
  const isSecond = (name: string) => name === 'former' || /^(?:uses|record|pin-\w+|revoked-\d)b$/.test(name)

  for (const [which, isHit] of [
    ['first', (name: string) => !isSecond(name)],
    ['second', isSecond],
  ] as const)
    it(`in the ${which} copies: nothing is given back, nothing is forgotten`, async () => {
      await using home = await openFirmwareHome()
      using kept = place()
      const papers = papersOf(home)
      const [courier, guest, parcel, visit] = [signer(), signer(), newId(), newId()]
      const ofCourier = papers.grant({ key: courier.key, id: parcel, uses: 1, expiresAt: seconds(DAY_S) })
      const ofGuest = papers.grant({ key: guest.key, id: visit })
      {
        await using door = await openDoor(home, kept)
        for (const frame of [ofCourier, ofGuest, papers.grant({ pin: pinOf('2468') })])
          assert.equal(await door.hand(frame), 'ok')
        assert.equal(await door.order(courier, unlock(1), { grant: parcel }), 'ok')
        assert.equal(await door.hand(revocationFrame(papers.owner, [visit])), 'ok')
        door.type('1111#')
        assert.equal((await door.act()).code, CODES['wrong-pin'])
        await door.firmware.kill()
      }
      const hit = readdirSync(kept.directory, { withFileTypes: true })
        .filter((entry) => entry.isFile() && isHit(entry.name))
        .map(({ name }) => name)
      for (const name of hit) flip(join(kept.directory, name))
      const kinds =
        which === 'first' ? ['identity', 'pin-0', 'pin-tries', 'uses'] : ['pin-0b', 'pin-triesb', 'usesb']
      for (const name of kinds) assert.ok(hit.includes(name), `${name} of ${hit}`)
      assert.ok(hit.some((name) => name.startsWith('revoked-')))
      await using door = await openDoor(home, kept)
      assert.equal(await door.hand(ofCourier), 'ok')
      assert.equal(await door.order(courier, unlock(1), { grant: parcel }), 'uses-spent')
      assert.equal(await door.hand(ofGuest), 'grant-revoked')
      assert.equal(await door.order(guest, unlock(1), { grant: visit }), 'grant-revoked')
      assert.ok(!door.isOpen)
      door.type('2468#')
      await opened(door)
    })
})

describe('a front door when things go away, one by one and together', () => {
  const wrongs = { 'fail secure': false, 'fail safe': true }
  for (const [name, isFailSafe] of Object.entries(wrongs)) {
    const lock = isFailSafe ? 'magnet output=1' : 'strike output=1'
    const isLocked = (directory: string) => boltOf(directory, readPart(directory, 'pin-1')!) === 1

    it(`${name}: without power it is ${isFailSafe ? 'open' : 'shut'}, and shut again when power is back`, async () => {
      await using home = await openFirmwareHome()
      using kept = place()
      {
        await using door = await openDoor(home, { world: { ...SHUT, 'pin-1': lock }, ...kept })
        const set = { operation: 'write', affordance: FAIL_SAFE, value: isFailSafe } as const
        assert.equal(await door.order(home.owner, set), 'ok')
        await told(door, LOCKED, true)
        assert.equal(isLocked(kept.directory), true)
        await door.firmware.kill()
      }
      // An output has no power without the device.
      writeFileSync(join(kept.directory, 'world', 'output-1'), '0000\n')
      assert.equal(isLocked(kept.directory), !isFailSafe)
      await using door = await openDoor(home, { world: { ...SHUT, 'pin-1': lock }, ...kept })
      await told(door, LOCKED, true)
      assert.equal(isLocked(kept.directory), true)
    })
  }

  /** What goes, once the door is connected and knows a code. A phone that is away asks for nothing. */
  const away = {
    phone: [],
    hub: ['hub'],
    network: ['network'],
    'network, then hub': ['network', 'hub'],
    'power, then hub': ['hub', 'power'],
    'power, hub and network together': ['network', 'hub', 'power'],
  } as const
  for (const [what, goes] of Object.entries(away)) {
    it(`without ${what} the code and the button open, and it locks again`, async () => {
      await using home = await openFirmwareHome()
      await using wire = await openWire(home.home.hub.port)
      Object.assign(home.home.hub, { port: wire.port })
      using kept = place()
      await using running = new AsyncDisposableStack()
      const start = async () => running.use(await startFirmware({ ...DOOR, ...kept }))
      let firmware = await start()
      firmware.say(home.code('front-door'))
      const { id } = await home.device('front-door')
      await firmware.line(/^connected/)
      assert.equal(await doorOf(home, firmware, id).hand(papersOf(home).grant({ pin: pinOf('2468') })), 'ok')
      for (const one of goes) {
        if (one === 'network') wire.freeze()
        if (one === 'hub') await home.home.link[Symbol.asyncDispose]()
        if (one === 'power') {
          await firmware.kill()
          firmware = await start()
          await firmware.line(/^link ended/)
        }
      }
      const door = doorOf(home, firmware, id)
      door.type('2468#')
      await opened(door)
      await shut(door)
      door.press(true)
      await opened(door)
      await shut(door)
    })
  }
})

describe('a front door on the ESP8266’s instruction set', () => {
  it('opens for a guest and for a code, within its memory', async () => {
    await using home = await openFirmwareHome()
    await using door = await openDoor(home, { port: 'qemu' })
    const papers = papersOf(home)
    const [guest, id] = [signer(), newId()]
    assert.equal(
      await door.hand(papers.grant({ key: guest.key, id, leaseS: 60, uses: 1, expiresAt: seconds(DAY_S) })),
      'ok',
    )
    await door.post(papers.lease(door.id, [id]))
    assert.equal(await door.order(guest, unlock(1), { grant: id }), 'ok')
    assert.equal(await door.order(guest, unlock(1), { grant: id }), 'uses-spent')
    await shut(door)
    assert.equal(await door.hand(papers.grant({ pin: pinOf('2468') })), 'ok')
    door.type('2468#')
    await opened(door)
    assert.equal((await door.act()).code, 0)
    assert.equal(await door.hand(revocationFrame(papers.owner, [id])), 'ok')
    assert.equal(await door.order(guest, unlock(1), { grant: id }), 'grant-revoked')
    home.home.link.drop(door.id, 'superseded')
    await door.firmware.line(/^connected resumed$/)
    await door.firmware.end()
    const memory = door.firmware.lines.find((line) => line.startsWith('memory '))!
    assert.match(memory, /arena_failures=0/)
    assert.ok(Number(/stack_peak=(\d+)/.exec(memory)![1]) < 4096, memory)
    assert.ok(door.firmware.lines.some((line) => line.startsWith('flashcheck: ok ')))
  })
})

/** Other rounds in a code's record, as the host lays it out: behind them salt and key, then the sum, which is made right. */
function setRounds(path: string, rounds: number): void {
  const bytes = readFileSync(path)
  const summed = bytes.length - 4
  bytes.writeUInt32LE(rounds, summed - 16 - 32 - 4)
  createHash('sha256').update(bytes.subarray(0, summed)).digest().copy(bytes, summed, 0, 4)
  writeFileSync(path, bytes, { mode: 0o600 })
}

/** One bit in the middle of a file. */
function flip(path: string): void {
  const bytes = readFileSync(path)
  bytes[bytes.length >> 1]! ^= 0x10
  writeFileSync(path, bytes)
}

function spooled(directory: string): number {
  return readdirSync(directory).filter((name) => /^spool-\d\d$/.test(name)).length
}

function triesIn(directory: string): number {
  const path = join(directory, 'pin-tries')
  return existsSync(path) ? readFileSync(path).readUInt32LE() : 0
}

function filesWith(directory: string, text: string): string[] {
  const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile())
  return files.map(({ name }) => name).filter((name) => readFileSync(join(directory, name)).includes(text))
}
