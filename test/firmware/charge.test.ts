// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { systemRandom } from '../../daemon/base/random.ts'
import { type Hello, type Message, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'
import type { Port } from '../../scripts/firmware.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import { codeName, command, type FirmwareHome, openFirmwareHome, until } from '../support/firmware-home.ts'
import { ed25519, type LinkHome } from '../support/link-home.ts'
import { ownPort } from '../support/ports.ts'

const ON = { operation: 'write', affordance: 1, value: true } as const
/** What a device says when it ends a link because another daemon has charge of it. */
const ELSEWHERE = /^link ended -214$/

/** A porch light, the daemon that enrolled it, and another daemon of the same home at the same place. */
interface Place extends AsyncDisposable {
  readonly home: FirmwareHome
  readonly light: Firmware
  readonly hello: Message<Hello>
  readonly id: PartyId
  /** An owner's record of the light that names a daemon. */
  record(hub: Uint8Array): Uint8Array
  /** From here on the other daemon, or the first again, answers at this place. */
  becomes(which: 'first' | 'second', letters?: readonly Uint8Array[]): Promise<LinkHome>
}

const SECOND = systemRandom.bytes(32)
const SECOND_KEY = ed25519.signer(SECOND).key

async function openPlace(port: Port): Promise<Place> {
  const home = await openFirmwareHome({ port: await ownPort() })
  const light = await startFirmware({ port, program: 'porch-light' })
  light.say(home.code('porch'))
  const { hello } = await home.device('porch')
  await light.line(/^connected/)
  const { desk } = home.home
  const [owner] = desk.letters
  let sequence = 1
  let now: LinkHome = home.home
  return {
    home,
    light,
    hello,
    id: idOf(hello.signer),
    record: (hub) =>
      sealEnvelope(
        {
          ...{ type: 'enrolment', name: 'porch', audience: home.home.hub.homeId, key: hello.signer },
          ...{ sealedAt: Math.floor(Date.now() / 1000), epoch: systemRandom.bytes(8), sequence: ++sequence },
          ...{ permit: systemRandom.bytes(8), hub },
        },
        home.owner,
      ),
    async becomes(which, letters = []) {
      desk.letters = [owner!, ...letters]
      await now[Symbol.asyncDispose]()
      now = await home.home.restart(which === 'second' ? SECOND : undefined)
      return now
    },
    async [Symbol.asyncDispose]() {
      await light[Symbol.asyncDispose]()
      await now[Symbol.asyncDispose]()
    },
  }
}

describe('a device of which one daemon has charge [SPEC 14.7]', () => {
  for (const port of ['sanitize', 'qemu'] as const)
    it(`goes to another when an owner gives it to that one, and not back by an old record, ${port}`, async () => {
      await using place = await openPlace(port)
      const { home, light, hello, id } = place
      const mine = place.record(home.home.hubKey.key)
      home.home.link.send(id, mine)
      await light.line(/^enrolment recorded$/)
      const late = { expiresAt: Math.floor(Date.now() / 1000) + 600 }
      const before = command(hello, home.owner, ON, late)
      assert.equal(codeName((await home.send(id, before)).body.code), 'ok')

      const second = await place.becomes('second', [mine, place.record(SECOND_KEY)])
      await light.line(/^enrolment recorded$/)
      await light.line(/^connected/)
      assert.equal(await sendOn(second, id, before), 'replayed', 'its life went on, and its window with it')
      const present = second.desk.hellos.at(-1)!
      assert.equal(present.body.epoch.toHex(), hello.body.epoch.toHex())
      const off = command(present, home.owner, { ...ON, value: false }, late)
      assert.equal(await sendOn(second, id, off), 'ok')

      await place.becomes('first', [mine])
      await light.line(/^ignored -146$/)
    })

  it('says nothing but its hello to a daemon that nobody gave it to, and does nothing for it', async () => {
    await using place = await openPlace('sanitize')
    const { home, light, hello, id } = place
    const { desk } = home.home
    const mine = place.record(home.home.hubKey.key)
    home.home.link.send(id, mine)
    await light.line(/^enrolment recorded$/)
    const second = await place.becomes('second', [mine])
    const order = command(hello, home.owner, ON)
    const hellos = desk.hellos.length
    await until('its hello', () => (desk.hellos.length > hellos ? true : undefined))
    const said = () => [desk.readings.length, desk.receipts.length, desk.acts.length, desk.gots.length]
    const quiet = said()
    await until('room on the link', () => (second.link.send(id, order) === 'sent' ? true : undefined))
    await light.line(/^ignored -214$/)
    await light.line(ELSEWHERE)
    assert.deepEqual(said(), quiet)
    assert.ok(!light.lines.includes('output 1 = 1000'))
  })

  it('shows its record to a daemon that does not know it, and waits for a newer one', async () => {
    await using place = await openPlace('sanitize')
    const { home, light, id } = place
    const { desk } = home.home
    const mine = place.record(home.home.hubKey.key)
    home.home.link.send(id, mine)
    await light.line(/^enrolment recorded$/)
    const shown: Uint8Array[] = []
    desk.devices.clear()
    desk.record = (_hello, frame) => {
      shown.push(frame)
      return undefined
    }
    await place.becomes('second', [place.record(SECOND_KEY)])
    await light.line(/^enrolment recorded$/)
    await light.line(/^connected/)
    assert.equal(shown[0]?.toHex(), mine.toHex())
  })
})

/** What the device answers to this sending; a receipt that was not noted before a cut comes again. */
async function sendOn({ link, desk }: LinkHome, id: PartyId, frame: Uint8Array) {
  const digest = createHash('sha256').update(frame).digest('hex')
  const codes = () =>
    new Map(
      desk.receipts
        .filter(({ body }) => body.command.toHex() === digest)
        .map(({ body }) => [`${body.epoch.toHex()}/${body.sequence}`, codeName(body.code)]),
    )
  const before = codes().size
  await until('room on the link', () => (link.send(id, frame) === 'sent' ? true : undefined))
  await until('another receipt', () => (codes().size > before ? true : undefined))
  return [...codes().values()].at(-1)
}
