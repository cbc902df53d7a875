// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemRandom } from '../../daemon/base/random.ts'
import { type Hello, type Message, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import type { Port } from '../../scripts/firmware.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import { codeName, command, type FirmwareHome, openFirmwareHome, until } from '../support/firmware-home.ts'
import { ed25519, type LinkHome } from '../support/link-home.ts'

const PORT = 25561
const ON = { operation: 'write', affordance: 1, value: true } as const
/** What a device says when it ends a link because another daemon has charge of it. */
const ELSEWHERE = /^link ended -214$/

/** A porch light, the daemon that enrolled it, and another daemon of the same home at the same place. */
interface Place extends AsyncDisposable {
  readonly home: FirmwareHome
  readonly light: Firmware
  readonly hello: Message<Hello>
  /** An owner's record of the light that names a daemon. */
  record(hub: Uint8Array): Uint8Array
  /** From here on the other daemon, or the first again, answers at this place. */
  becomes(which: 'first' | 'second', letters?: readonly Uint8Array[]): Promise<LinkHome>
}

const SECOND = systemRandom.bytes(32)
const SECOND_KEY = ed25519.signer(SECOND).key

async function openPlace(port: Port): Promise<Place> {
  const home = await openFirmwareHome({ port: PORT })
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
    it(`hears no other until an owner gives it to that one, and then the first no more, ${port}`, async () => {
      await using place = await openPlace(port)
      const { home, light, hello } = place
      const { desk } = home.home
      const mine = place.record(home.home.hubKey.key)
      assert.equal(home.home.link.send(home.home.desk.devices.keys().next().value!, mine), 'sent')
      await light.line(/^enrolment recorded$/)
      const [id] = desk.devices.keys()
      const before = command(hello, home.owner, ON)
      assert.equal(codeName((await home.send(id!, before)).body.code), 'ok')
      const said = () => [desk.readings.length, desk.receipts.length, desk.acts.length]

      const second = await place.becomes('second', [mine])
      await light.line(ELSEWHERE)
      const quiet = said()
      second.link.send(id!, before)
      await light.line(ELSEWHERE)
      assert.deepEqual(said(), quiet, 'nothing but its hello went to a daemon that nobody gave it to')

      const given = place.record(SECOND_KEY)
      desk.letters = [...desk.letters.slice(0, 1), given]
      await light.line(/^enrolment recorded$/)
      await light.line(/^connected/)
      const other = { ...home, home: second }
      const send = (frame: Uint8Array) => sendOn(other, id!, frame)
      assert.equal(await send(before), 'replayed', 'its life went on, and its window with it')
      const present = desk.hellos.at(-1)!
      assert.equal(present.body.epoch.toHex(), hello.body.epoch.toHex())
      assert.equal(await send(command(present, home.owner, { ...ON, value: false })), 'ok')

      await place.becomes('first', [mine])
      await light.line(/^ignored -146$/)
      await light.line(ELSEWHERE)
    })

  it('shows its record to a daemon that does not know it, and waits for a newer one', async () => {
    await using place = await openPlace('sanitize')
    const { home, light } = place
    const { desk } = home.home
    const mine = place.record(home.home.hubKey.key)
    const [id] = desk.devices.keys()
    home.home.link.send(id!, mine)
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

async function sendOn({ home: { link, desk } }: FirmwareHome, id: string, frame: Uint8Array) {
  const count = desk.receipts.length
  await until('room on the link', () => (link.send(id as never, frame) === 'sent' ? true : undefined))
  const receipt = await until('the receipt', () => desk.receipts.at(count))
  return codeName(receipt.body.code)
}
