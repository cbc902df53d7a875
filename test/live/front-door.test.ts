// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A front door against a daemon that was taken over: it holds every key that its directory holds, and every envelope that ever passed
 * through it, and says and sends what it likes. What it cannot do is in each test's name, by the device's own code (SPEC 12).
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type Clock, systemClock } from '../../daemon/base/clock.ts'
import { Log, silent } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { type HubRing, loadHub, loadOwner } from '../../daemon/config/keyring.ts'
import {
  type Command,
  type Frame,
  type Grant,
  type Lease,
  nativeEd25519,
  type Owner,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import { derive, parseWords } from '../../daemon/core/identity/index.ts'
import { keyOf, type PartyId } from '../../daemon/core/model/index.ts'
import { openLink } from '../../daemon/edge/link/index.ts'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import { MemoryDesk } from '../support/desk.ts'
import { MAY_UNLOCK, seconds, UNLOCK } from '../support/door.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import { codeName, signer, until } from '../support/firmware-home.ts'
import { type LiveHome, openLiveHome } from '../support/home.ts'
import { DAY_S, enrolmentFrame, grantFrame, newId, revocationFrame } from '../support/papers.ts'
import { Sealer } from '../support/request.ts'

const ed25519 = nativeEd25519()
const HOUR_MS = 3_600_000

let home: LiveHome
let firmware: Firmware
let device: PartyId
let ring: HubRing
let owner: Sealer
let root: Sealer
let hub: Signer

before(async () => {
  home = await openLiveHome()
  const enrolled = await home.enrol('front-door', 'front-door')
  firmware = enrolled.firmware
  device = enrolled.id as PartyId
  await home.stop()
  ring = loadHub(home.data)
  const words = parseWords(home.words)
  assert(words.ok)
  owner = new Sealer(loadOwner(home.owner).owner, ring.home)
  root = new Sealer(ed25519.signer(derive(words.value, 'root').reveal()), ring.home)
  hub = ed25519.signer(ring.hubSeed.reveal())
})
after(async () => {
  await firmware?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
})

/** The daemon in somebody else's hands. */
interface Thief extends AsyncDisposable {
  /** Sends a frame; the name of the code that the device answered with. */
  hand(frame: Frame): Promise<string>
  /** Sends what is not answered. */
  post(frame: Frame): Promise<void>
  /** A command for the present life of the device. */
  command(by: Signer, change?: Partial<Command>): Frame
}

interface Lies {
  /** What the hub says the time is, beside the truth: milliseconds. */
  readonly shiftMs?: number
  /** Owners' letters; those that the daemon has, unless told otherwise. */
  readonly letters?: readonly Frame[]
}

/** A link of the daemon's, with all its keys, in other hands. */
async function listen({ shiftMs = 0, letters = ring.owners }: Lies = {}) {
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + shiftMs }
  const desk = new MemoryDesk()
  desk.add({ id: device, name: 'front-door', board: '', firmware: '', affordances: [UNLOCK] })
  desk.letters = [...letters]
  const { home: homeId, hubSeed, hubLeaf } = ring
  const link = await openLink(
    { clock, random: systemRandom, log: new Log(clock, silent), ed25519, desk },
    {
      host: '127.0.0.1',
      port: home.linkPort,
      homeId,
      hubSeed,
      hubLeaf,
      deviceCas: [ed25519.signer(ring.deviceCaSeed.reveal())],
    },
    new AbortController().signal,
  )
  return { clock, desk, link, [Symbol.asyncDispose]: () => link[Symbol.asyncDispose]() }
}

async function takeOver(lies?: Lies): Promise<Thief> {
  await using undo = new AsyncDisposableStack()
  const { clock, desk, link } = undo.use(await listen(lies))
  const send = (frame: Frame) =>
    until('room on the link', () => (link.send(device, frame) === 'sent' ? true : undefined))
  await until('the hello', () => desk.hellos.at(-1))
  const thief: Thief = {
    async hand(frame) {
      const digest = createHash('sha256').update(frame).digest('hex')
      const before = desk.receipts.length
      await send(frame)
      const receipt = await until('the receipt', () =>
        desk.receipts.slice(before).find(({ body }) => body.command.toHex() === digest),
      )
      return String(codeName(receipt.body.code))
    },
    async post(frame) {
      await send(frame)
      // Frames are dealt with in their order: what is answered afterwards comes after this one.
      assert.equal(await thief.hand(thief.command(signer())), 'unknown-signer')
    },
    command(by, change = {}) {
      const claims = new Sealer(by, ring.home).claims(Math.floor(clock.now() / 1000))
      const nonce = desk.hellos.at(-1)!.body.epoch
      const order = { operation: 'invoke', affordance: UNLOCK, value: 1 } as const
      const body = { type: 'command', ...claims, audience: device, nonce, ...order } as const
      return sealEnvelope({ ...body, expiresAt: claims.sealedAt + 30, ...change }, by)
    },
    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  }
  // What an earlier link did not note as stored comes again, before this is answered.
  await thief.hand(thief.command(signer()))
  undo.move()
  return thief
}

const grant = (said: Partial<Grant>, by = owner) =>
  grantFrame(by, { what: MAY_UNLOCK, expiresAt: seconds(DAY_S), ...said })

function lease(grants: readonly Uint8Array[], said: Partial<Lease> = {}): Frame {
  const claims = { ...new Sealer(hub, ring.home).claims(), audience: device }
  return sealEnvelope({ type: 'lease', ...claims, expiresAt: seconds(7 * DAY_S - 60), grants, ...said }, hub)
}

function ownerLetter(by: Sealer, key: Uint8Array, sealedAt?: number): Frame {
  return sealEnvelope({ type: 'owner', ...by.claims(sealedAt), name: 'somebody', key } as Owner, by.signer)
}

/** A power cut, and power again. */
async function restartDevice(): Promise<void> {
  const { directory } = firmware
  await firmware.kill()
  firmware = await startFirmware({ port: 'host', program: 'front-door', directory })
}

const isOpen = () => Number(readFileSync(join(firmware.directory, 'world', 'output-1'), 'utf8')) > 0
const ignored = (name: keyof typeof CODES) => firmware.line(new RegExp(`^ignored -${CODES[name]}$`))

suite('a daemon with every key of its directory cannot', () => {
  test('open the door with keys of its own, nor grant itself the right, nor make itself an owner', async () => {
    await using thief = await takeOver()
    const keys = [hub, ed25519.signer(ring.deviceCaSeed.reveal()), ed25519.signer(ring.onionMaster.reveal())]
    const parent = newId()
    const guest = signer()
    assert.equal(await thief.hand(grant({ key: guest.key, id: parent, share: 1 })), 'ok')
    for (const key of keys) {
      const by = new Sealer(key, ring.home)
      assert.equal(await thief.hand(thief.command(key)), 'unknown-signer')
      assert.equal(await thief.hand(thief.command(key, { grant: parent })), 'unknown-signer')
      assert.equal(await thief.hand(grant({ key: key.key }, by)), 'unknown-signer')
      assert.equal(await thief.hand(grant({ key: key.key, parent }, by)), 'grant-chain')
      await thief.post(ownerLetter(by, key.key))
      assert.equal(await thief.hand(thief.command(key)), 'unknown-signer')
      assert.equal(await thief.hand(revocationFrame(by, [parent])), 'unknown-signer')
    }
    assert.equal(isOpen(), false)
    assert.equal(await thief.hand(thief.command(guest, { grant: parent })), 'ok')
  })

  test('deliver an unlock late', async () => {
    await using thief = await takeOver()
    const late = thief.command(owner.signer, { sealedAt: seconds(-40), expiresAt: seconds(-10) })
    assert.equal(await thief.hand(late), 'expired')
    const soon = thief.command(owner.signer, { expiresAt: seconds(2) })
    await systemClock.sleep(2500)
    assert.equal(await thief.hand(soon), 'expired')
  })

  test('replay an unlock, in the same life of the device, on another link, or in a later life', async () => {
    const guest = signer()
    const id = newId()
    const paper = grant({ key: guest.key, id })
    let once: Frame
    {
      await using thief = await takeOver()
      await thief.hand(paper)
      once = thief.command(guest, { grant: id, expiresAt: seconds(600) })
      assert.equal(await thief.hand(once), 'ok')
      assert.equal(await thief.hand(once), 'replayed')
    }
    {
      await using thief = await takeOver()
      assert.equal(await thief.hand(once), 'replayed')
    }
    await restartDevice()
    await using thief = await takeOver()
    assert.equal(await thief.hand(once), 'unknown-grant')
    await thief.hand(paper)
    assert.equal(await thief.hand(once), 'stale-nonce')
  })

  test('keep a grant alive beyond its lease by a lease that promises more', async () => {
    await using thief = await takeOver()
    const guest = signer()
    const id = newId()
    await thief.hand(grant({ key: guest.key, id, leaseS: 2 }))
    assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'lease-lapsed')
    const leased = lease([id])
    await thief.post(leased)
    assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'ok')
    await systemClock.sleep(2500)
    assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'lease-lapsed')
    await thief.post(leased)
    assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'lease-lapsed')
    const other = new Sealer(guest, ring.home).claims()
    await thief.post(
      sealEnvelope(
        { type: 'lease', ...other, audience: device, expiresAt: seconds(60), grants: [id] },
        guest,
      ),
    )
    assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'lease-lapsed')
  })

  test('use a one-time grant twice, whatever is restarted in between', async () => {
    const courier = signer()
    const id = newId()
    const paper = grant({ key: courier.key, id, uses: 1 })
    {
      await using thief = await takeOver()
      await thief.hand(paper)
      assert.equal(await thief.hand(thief.command(courier, { grant: id })), 'ok')
      assert.equal(await thief.hand(thief.command(courier, { grant: id })), 'uses-spent')
    }
    await restartDevice()
    await using thief = await takeOver()
    await thief.hand(paper)
    assert.equal(await thief.hand(thief.command(courier, { grant: id })), 'uses-spent')
  })

  test('bring back a grant that was taken back, nor an older list, nor leave the list out', async () => {
    const guest = signer()
    const id = newId()
    const paper = grant({ key: guest.key, id })
    const older = revocationFrame(owner, [newId()])
    const list = revocationFrame(owner, [id])
    {
      await using thief = await takeOver()
      await thief.hand(paper)
      assert.equal(await thief.hand(list), 'ok')
      assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'grant-revoked')
      assert.equal(await thief.hand(paper), 'grant-revoked')
      assert.equal(await thief.hand(older), 'replayed')
      assert.equal(await thief.hand(list), 'ok', 'the same bytes again are fine')
    }
    await restartDevice()
    await using thief = await takeOver()
    assert.equal(await thief.hand(paper), 'grant-revoked')
    assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'grant-revoked')
    assert.equal(await thief.hand(older), 'replayed')
  })

  test('put the device back in a group by an enrolment that is out of date', async () => {
    const guest = signer()
    const id = newId()
    const paper = grant({ key: guest.key, id, devices: ['doors'] })
    const named = { key: keyOf(device), name: 'front-door' }
    const grouped = enrolmentFrame(owner, { ...named, groups: ['doors'] })
    const plain = enrolmentFrame(owner, named)
    {
      await using thief = await takeOver()
      await thief.hand(paper)
      assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'grant-elsewhere')
      await thief.post(grouped)
      assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'ok')
      await thief.post(plain)
      assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'grant-elsewhere')
      await thief.post(grouped)
      await ignored('replayed')
      assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'grant-elsewhere')
    }
    await restartDevice()
    await using thief = await takeOver()
    await thief.post(grouped)
    await ignored('replayed')
    await thief.hand(paper)
    assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'grant-elsewhere')
  })

  test('bring back an owner whom the root removed', async () => {
    const former = new Sealer(signer(), ring.home)
    const letter = ownerLetter(root, former.signer.key)
    const letters = [...ring.owners, letter]
    const guest = signer()
    const id = newId()
    const paper = grant({ key: guest.key, id }, former)
    {
      await using thief = await takeOver({ letters })
      assert.equal(await thief.hand(thief.command(former.signer)), 'ok')
      assert.equal(await thief.hand(paper), 'ok')
      assert.equal(await thief.hand(revocationFrame(root, [former.signer.key])), 'ok')
      assert.equal(await thief.hand(thief.command(former.signer)), 'unknown-signer')
      assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'unknown-grant')
      await thief.post(letter)
      await ignored('grant-revoked')
      assert.equal(await thief.hand(paper), 'unknown-signer')
      assert.equal(await thief.hand(revocationFrame(former, [])), 'unknown-signer')
    }
    await restartDevice()
    await using thief = await takeOver({ letters })
    await ignored('grant-revoked')
    assert.equal(await thief.hand(thief.command(former.signer)), 'unknown-signer')
  })

  test('make an ended grant hold again by setting the clock back', async () => {
    const guest = signer()
    const id = newId()
    const paper = grant({ key: guest.key, id, expiresAt: seconds(3) })
    {
      await using thief = await takeOver()
      assert.equal(await thief.hand(paper), 'ok')
      assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'ok')
      await systemClock.sleep(3500)
      assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'grant-expired')
    }
    {
      await using thief = await takeOver({ shiftMs: -HOUR_MS })
      // What is sealed in its own time is refused by that alone; a guest who lies with the hub seals in the hub's.
      assert.equal(await thief.hand(thief.command(owner.signer, { sealedAt: seconds(0) })), 'not-yet')
      assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'grant-expired')
    }
    // A list, like every use that is counted, leaves the time on flash: from then on it holds through a restart as well.
    const beforeList = seconds(0)
    {
      await using thief = await takeOver()
      assert.equal(await thief.hand(revocationFrame(owner, [])), 'ok')
    }
    await restartDevice()
    // Letters of long ago, as most homes have: younger ones would be refused as `not-yet` by themselves.
    const letters = [ownerLetter(root, owner.signer.key, seconds(-7200))]
    await using thief = await takeOver({ shiftMs: -HOUR_MS, letters })
    const early = grant({ key: guest.key, id, expiresAt: beforeList, sealedAt: seconds(-7200) })
    assert.equal(await thief.hand(early), 'ok')
    assert.equal(await thief.hand(thief.command(guest, { grant: id })), 'grant-expired')
  })

  test('be heard at all once the root has taken it back', async () => {
    {
      await using thief = await takeOver()
      assert.equal(await thief.hand(revocationFrame(root, [hub.key])), 'ok')
      await firmware.line(new RegExp(`^link ended -${CODES['grant-revoked']}$`))
    }
    await restartDevice()
    await using thief = await listen()
    for (let calls = 0; calls < 2; calls++)
      await firmware.line(new RegExp(`^link ended -${CODES['grant-revoked']}$`))
    assert.deepEqual(thief.desk.hellos, [], 'the device called, and said nothing to whom the root took back')
  })
})
