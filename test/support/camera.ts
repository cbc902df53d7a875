// SPDX-License-Identifier: GPL-3.0-or-later
/** A camera in memory, of a home whose HTTP API is asked: it seals true stills, and sends what it is told to. */
import assert from 'node:assert/strict'
import { systemClock } from '../../daemon/base/clock.ts'
import { nativeEd25519, openEnvelope, type Still, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { PIECE_BYTES } from '../../schemas/gen/ts/wire.ts'
import { jpegOf } from '../../scripts/twins/jpeg.ts'
import { FakeDevice, type TestHome } from './http-home.ts'
import { sha256 } from './request.ts'

export const STILL = 30
export const LOOK = 31
const FAULT = 20

/** Another picture for each number. */
export const pictureOf = (n: number): Uint8Array =>
  Uint8Array.from(jpegOf(320, 240, (x, y) => (x * n + y * 91) % 256))

export class FakeCamera extends FakeDevice {
  readonly #home: TestHome

  constructor(home: TestHome) {
    super(home.owner.home, () => home.deviceDesk)
    this.#home = home
  }

  /** Says that it has this picture. */
  say(picture: Uint8Array, command: Uint8Array, change: Partial<Still> = {}): void {
    const body: Still = {
      ...{ type: 'still', ...this.sealer.claims(), affordance: STILL, command },
      ...{ digest: sha256(picture), size: picture.length, at: 1000, ...change },
    }
    const anybody = { sizeMax: 1024, accepts: () => true, isAudience: () => true }
    const opened = openEnvelope(sealEnvelope(body, this.sealer.signer), anybody, nativeEd25519())
    assert(opened.ok)
    this.#home.deviceDesk.still(this.id, opened.value as never)
  }

  async send(picture: Uint8Array, at = 0, until = picture.length): Promise<void> {
    for (let offset = at; offset < until; offset += PIECE_BYTES) {
      const bytes = picture.subarray(offset, offset + PIECE_BYTES)
      await this.#home.deviceDesk.piece(this.id, { offset, bytes })
    }
  }
}

/** One more device of the home, connected. */
export async function addCamera(home: TestHome, name: string): Promise<FakeCamera> {
  const camera = new FakeCamera(home)
  const affordances = [STILL, LOOK, FAULT]
  const about = { id: camera.id, name, board: 'host', firmware: 'camera 1', affordances }
  await home.home.devices.enrol(about, systemClock.now())
  home.fakes.set(camera.id, camera)
  await camera.connect(affordances)
  return camera
}
