// SPDX-License-Identifier: GPL-3.0-or-later
/** A home on loopback for firmware processes: the daemon's own link, an owner who seals commands, and codes to enrol with. */
import { createHash } from 'node:crypto'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import {
  type Command,
  type Frame,
  type Hello,
  type Message,
  type Receipt,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import { writeEnrolCode } from '../../daemon/core/identity/index.ts'
import type { PartyId } from '../../daemon/core/model/index.ts'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import { ed25519, type LinkHome, type LinkHomeOptions, openLinkHome } from './link-home.ts'

const WAIT_MS_MAX = 60_000
const POLL_MS = 10

export const signer = (): Signer => ed25519.signer(systemRandom.bytes(32))

export interface FirmwareHome extends AsyncDisposable {
  readonly home: LinkHome
  readonly owner: Signer
  /** Text to paste into a device; good for one enrolment under `name`. */
  code(name: string): string
  /** The device with this name, once it said hello for the `count`-th time. */
  device(name: string, count?: number): Promise<{ id: PartyId; hello: Message<Hello> }>
  /** The root's word that `key` is an owner, as the hub sends it after a welcome. */
  ownerLetter(key: Uint8Array): Frame
  /** Sends bytes to a device and waits for the receipt that names them. */
  send(device: PartyId, frame: Frame): Promise<Message<Receipt>>
}

/** An owner's command for the device that said this hello; `change` spoils it for hostile tests. */
export function command(
  hello: Message<Hello>,
  by: Signer,
  order: Pick<Command, 'operation' | 'affordance' | 'value'>,
  change: Partial<Command> = {},
): Frame {
  const now = Math.floor(Date.now() / 1000)
  return sealEnvelope(
    {
      type: 'command',
      audience: hello.signer.toBase64({ alphabet: 'base64url', omitPadding: true }),
      sealedAt: now,
      expiresAt: now + 30,
      epoch: systemRandom.bytes(8),
      sequence: nextSequence(),
      nonce: hello.body.epoch,
      ...order,
      ...change,
    },
    by,
  )
}

let lastSequence = 0

function nextSequence(): number {
  lastSequence = Math.max(Date.now(), lastSequence + 1)
  return lastSequence
}

/** Looks again and again until there is something. */
export async function until<T>(what: string, look: () => T | undefined): Promise<T> {
  const deadline = AbortSignal.timeout(WAIT_MS_MAX)
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    if (deadline.aborted) throw new Error(`waited too long for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

export function codeName(number: number): string | undefined {
  return Object.entries(CODES).find(([, value]) => value === number)?.[0]
}

export async function openFirmwareHome(options: LinkHomeOptions = {}): Promise<FirmwareHome> {
  const home = await openLinkHome(options)
  const owner = signer()
  const { desk } = home
  const ownerLetter = (key: Uint8Array) =>
    sealEnvelope(
      {
        type: 'owner',
        name: 'anna',
        audience: home.hub.homeId,
        sealedAt: Math.floor(Date.now() / 1000),
        epoch: systemRandom.bytes(8),
        sequence: nextSequence(),
        key,
      },
      home.root,
    )
  desk.letters = [ownerLetter(owner.key)]
  return {
    home,
    owner,
    ownerLetter,
    code: (name) =>
      writeEnrolCode({
        host: home.hub.host,
        port: home.hub.port,
        root: home.root.key,
        hubCas: home.hub.hubCaKeys,
        secret: new Secret(home.permit(name)),
      }).reveal(),
    async device(name, count = 1) {
      const { id } = await until(`the enrolment of ${name}`, () =>
        [...desk.devices.values()].find((device) => device.name === name),
      )
      const hello = await until(`hello number ${count} of ${name}`, () => {
        const own = desk.hellos.filter((each) => idOf(each) === id)
        return own.length >= count ? own.at(-1) : undefined
      })
      return { id, hello }
    },
    async send(device, frame) {
      const digest = createHash('sha256').update(frame).digest('hex')
      /* A receipt that was not noted as stored before a cut comes again: the answer to this sending is a new one. */
      const before = new Set(desk.receipts.map(nameOf))
      await until('room on the link', () => (home.link.send(device, frame) === 'sent' ? true : undefined))
      return until('the receipt', () =>
        desk.receipts.find(
          (receipt) => !before.has(nameOf(receipt)) && receipt.body.command.toHex() === digest,
        ),
      )
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  }
}

function nameOf({ body }: Message): string {
  return `${body.epoch.toHex()}/${body.sequence}`
}

function idOf(message: Message): string {
  return message.signer.toBase64({ alphabet: 'base64url', omitPadding: true })
}
