// SPDX-License-Identifier: GPL-3.0-or-later
/** A front door in a home on loopback: its bolt, contact, button and keypad, and papers as owners, guests and the hub seal them. */
import { pbkdf2Sync } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemRandom } from '../../daemon/base/random.ts'
import {
  type Act,
  type Command,
  type Frame,
  type Grant,
  type Hello,
  type Lease,
  type Message,
  type Pin,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import type { PartyId } from '../../daemon/core/model/index.ts'
import { METHOD_POST, METHOD_PUT } from '../../schemas/gen/ts/wire.ts'
import { type Firmware, type FirmwareOptions, startFirmware } from './firmware.ts'
import { codeName, command, type FirmwareHome, until } from './firmware-home.ts'
import { grantFrame } from './papers.ts'
import { Sealer } from './request.ts'

export const LOCKED = 7
export const CLOSED = 8
export const UNLOCK = 9
export const LOCK = 10
export const FAIL_SAFE = 11
export const KEYPAD_LOCKED = 12
export const JAMMED = 13

const BOLT = 'pin-1'
const CONTACT = 'pin-2'
const BUTTON = 'pin-3'
/** The fewest that a code may have: tests are not slower than they must be. */
const ROUNDS = 1000

/** A closed door with a strike, and nobody near it. */
export const SHUT = { [BOLT]: 'strike output=1', [CONTACT]: '1', [BUTTON]: '0' }

export const unlock = (value = 2) => ({ operation: 'invoke', affordance: UNLOCK, value }) as const
export const may = (affordance: number, methods = METHOD_POST) => ({ affordance, methods })
export const MAY_UNLOCK = [may(UNLOCK)]
export const MAY_ALL = [may(UNLOCK), may(LOCK), may(FAIL_SAFE, METHOD_PUT)]

export function seconds(fromNow: number): number {
  return Math.floor(Date.now() / 1000) + fromNow
}

export interface Door extends AsyncDisposable {
  readonly firmware: Firmware
  readonly id: PartyId
  /** The latest. */
  readonly hello: Message<Hello>
  readonly isOpen: boolean
  /** Sends a frame and gives the name of the code it was answered with. */
  hand(frame: Frame): Promise<string>
  /** Seals and sends a command for the present life. */
  order(
    by: Signer,
    what: Pick<Command, 'operation' | 'affordance' | 'value'>,
    change?: Partial<Command>,
  ): Promise<string>
  /** A letter that is answered by nobody: an owner's, an enrolment, a lease. */
  post(frame: Frame): Promise<void>
  type(digits: string): void
  press(isPressed: boolean): void
  swing(isClosed: boolean): void
  /** What the device told of a property last. */
  told(affordance: number): number | boolean | undefined
  /** When it was so, by the device's own clock, ms. */
  toldAt(affordance: number): number
  act(count?: number): Promise<Act>
}

/** A device that was enrolled and is connected, or one that starts again in its directory. */
export async function openDoor(home: FirmwareHome, options: Partial<FirmwareOptions> = {}): Promise<Door> {
  const again = options.directory !== undefined && existsSync(join(options.directory, 'identity'))
  const before = again ? home.home.desk.hellos.length : 0
  const firmware = await startFirmware({
    port: 'sanitize',
    program: 'front-door',
    world: SHUT,
    ...options,
  })
  try {
    if (!again) firmware.say(home.code('front-door'))
    const { id } = await home.device('front-door', before + 1)
    await firmware.line(/^connected/)
    return doorOf(home, firmware, id)
  } catch (error) {
    await firmware[Symbol.asyncDispose]()
    throw error
  }
}

export function doorOf(home: FirmwareHome, firmware: Firmware, id: PartyId): Door {
  const { desk, link } = home.home
  const world = (name: string) => join(firmware.directory, 'world', name)
  const lastTold = (affordance: number) =>
    desk.readings.flatMap(({ body }) => body.values.filter((each) => each.affordance === affordance)).at(-1)
  const door: Door = {
    firmware,
    id,
    get hello() {
      return desk.hellos.at(-1)!
    },
    get isOpen() {
      return Number(readFileSync(world('output-1'), 'utf8')) > 0
    },
    async hand(frame) {
      return String(codeName((await home.send(id, frame)).body.code))
    },
    order: (by, what, change = {}) => door.hand(command(door.hello, by, what, change)),
    async post(frame) {
      await until('room on the link', () => (link.send(id, frame) === 'sent' ? true : undefined))
      // Frames are dealt with in their order, so what is answered afterwards comes after this one.
      await door.order(home.owner, { operation: 'write', affordance: LOCKED, value: true })
    },
    type(digits) {
      for (const key of digits) appendFileSync(world('wiegand'), `4 ${keyOf(key)}\n`)
    },
    press: (isPressed) => firmware.connect(BUTTON, isPressed ? '1' : '0'),
    swing: (isClosed) => firmware.connect(CONTACT, isClosed ? '1' : '0'),
    told: (affordance) => lastTold(affordance)?.value,
    toldAt: (affordance) => lastTold(affordance)!.at,
    act: (count = 1) => until(`act number ${count}`, () => desk.acts[count - 1]?.body),
    [Symbol.asyncDispose]: () => firmware[Symbol.asyncDispose](),
  }
  return door
}

function keyOf(key: string): string {
  return { '*': 'a', '#': 'b' }[key] ?? key
}

export function pinOf(digits: string, rounds = ROUNDS): Pin {
  const salt = systemRandom.bytes(16)
  return { salt, rounds, key: Uint8Array.from(pbkdf2Sync(digits, salt, rounds, 32, 'sha256')) }
}

/** Papers of one home. */
export function papersOf(home: FirmwareHome) {
  const id = home.home.hub.homeId as PartyId
  const owner = new Sealer(home.owner, id)
  return {
    owner,
    root: new Sealer(home.home.root, id),
    of: (signer: Signer) => new Sealer(signer, id),
    /** For a key, or for who knows `pin`; for ever, needing no lease, unless it says otherwise. */
    grant: (said: Partial<Grant>, by = owner): Frame =>
      grantFrame(by, { what: MAY_UNLOCK, expiresAt: undefined as never, ...said }),
    lease: (
      device: PartyId,
      grants: readonly Uint8Array[],
      said: Partial<Lease> = {},
      by = home.home.hubKey,
    ) =>
      sealEnvelope(
        {
          type: 'lease',
          ...new Sealer(by, id).claims(),
          audience: device,
          expiresAt: seconds(3600),
          grants,
          ...said,
        },
        by,
      ),
  }
}
