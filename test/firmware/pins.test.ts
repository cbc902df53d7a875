// SPDX-License-Identifier: GPL-3.0-or-later
/** What a device believes of its hub's authorities, and when it believes the next ones [SPEC 16.2]. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Secret } from '../../daemon/base/secret.ts'
import { type Frame, type Signer, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { writeEnrolCode } from '../../daemon/core/identity/index.ts'
import type { PartyId } from '../../daemon/core/model/index.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import { codeName, type FirmwareHome, openFirmwareHome, signer } from '../support/firmware-home.ts'
import { Sealer } from '../support/request.ts'

/** Where a hub comes back to. */
const PORT = 25581
const DEVICE = { port: 'sanitize', program: 'porch-light' } as const

interface Place extends AsyncDisposable {
  readonly home: FirmwareHome
  readonly light: Firmware
  readonly id: PartyId
  /** The CAs of generations 0 to 3: the hub shows 0, the device pins 0 and 1. */
  readonly cas: readonly Signer[]
  /** What the root says of a generation. */
  pins(generation: number, by?: Signer, cas?: readonly Uint8Array[]): Frame
  /** Sends it and gives the name of the code in the receipt. */
  hand(frame: Frame): Promise<string | undefined>
}

async function openPlace(): Promise<Place> {
  const home = await openFirmwareHome({ port: PORT })
  const { hub, hubCa, root } = home.home
  const cas = [hubCa, signer(), signer(), signer()]
  const light = await startFirmware(DEVICE)
  const code = {
    ...{ host: hub.host, port: hub.port, root: root.key },
    ...{ hubCas: [cas[0]!.key, cas[1]!.key], secret: new Secret(home.home.permit('porch')) },
  }
  light.say(writeEnrolCode(code).reveal())
  const { id } = await home.device('porch')
  await light.line(/^connected/)
  return {
    ...{ home, light, id, cas },
    pins: (generation, by = root, hubCas = [cas[generation]!.key, cas[generation + 1]!.key]) =>
      sealEnvelope(
        { type: 'pins', ...new Sealer(by, hub.homeId as PartyId).claims(), generation, hubCas },
        by,
      ),
    async hand(frame) {
      return codeName((await home.send(id, frame)).body.code)
    },
    async [Symbol.asyncDispose]() {
      await light[Symbol.asyncDispose]()
      await home[Symbol.asyncDispose]()
    },
  }
}

describe('a device that is told of other authorities of its hub', () => {
  it('believes the root alone, skips none, and takes none before it was shown', async () => {
    await using place = await openPlace()
    const { home, cas, pins, hand } = place
    const stranger = signer()
    assert.equal(await hand(pins(0)), 'ok', 'they are its own')
    assert.equal(await hand(pins(1)), 'ca-announced')
    assert.equal(await hand(pins(2)), 'ca-unknown')
    assert.equal(await hand(pins(0, home.home.root, [cas[0]!.key, stranger.key])), 'ca-unknown')
    for (const liar of [home.owner, home.home.hubKey, stranger])
      assert.equal(await hand(pins(1, liar)), 'unknown-signer')
  })

  it('takes the next once its hub has shown it, keeps it over a restart, and does not go back', async () => {
    await using place = await openPlace()
    const { home, light, cas, pins, hand } = place
    await using shown = await home.home.restart(undefined, cas[1])
    Object.assign(home.home, { link: shown.link })
    await light.line(/^connected/)
    const identity = join(light.directory, 'identity')
    writeFileSync(identity, readFileSync(identity).fill(0x5a, 20, 21))
    assert.equal(await hand(pins(1)), 'ok', 'with the copy that is whole')
    await light.line(/^hub CA changed$/)
    assert.equal(await hand(pins(1)), 'ok', 'once more, from a hub that did not hear the receipt')
    await light.kill()
    await using again = await startFirmware({ ...DEVICE, directory: light.directory })
    await again.line(/^connected/)
    assert.equal(await hand(pins(1)), 'ok')
    assert.equal(await hand(pins(0)), 'ca-unknown')
    await using _old = await shown.restart(undefined, cas[0])
    await again.line(/^link ended -221$/)
    assert.ok(
      !again.lines.slice(again.lines.indexOf('link ended -221')).some((line) => line.startsWith('connected')),
    )
  })
})
