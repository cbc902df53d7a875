// SPDX-License-Identifier: GPL-3.0-or-later

import { no, type Verdict, yes } from '../../daemon/base/error.ts'
import type { Act, Frame, Hello, Message, Reading, Receipt, Still } from '../../daemon/core/envelope/index.ts'
import type { Device, PartyId } from '../../daemon/core/model/index.ts'
import type { DeviceDesk, NewDevice, OpenPermit } from '../../daemon/core/ports.ts'
import type { Piece } from '../../daemon/core/stills/index.ts'
import type { WantedImage } from '../../daemon/core/updates/index.ts'
import type { Code } from '../../schemas/gen/ts/codes.ts'

/** A desk that remembers in memory what the link told it, and can be told to be slow or to fail. */
export class MemoryDesk implements DeviceDesk {
  readonly devices = new Map<PartyId, Device>()
  readonly forgotten = new Set<PartyId>()
  /** Another daemon of the home has charge of these. */
  readonly elsewhere = new Set<PartyId>()
  readonly permits = new Map<string, OpenPermit>()
  readonly hellos: Message<Hello>[] = []
  readonly readings: Message<Reading>[] = []
  readonly receipts: Message<Receipt>[] = []
  readonly acts: Message<Act>[] = []
  readonly gots: Uint8Array[] = []
  readonly wants: WantedImage[] = []
  readonly stills: Message<Still>[] = []
  readonly pieces: Piece[] = []
  readonly refused: { readonly why: Code; readonly address: string }[] = []
  readonly ends: { readonly device: PartyId; readonly why: string }[] = []
  /** Sent after every welcome. */
  letters: Frame[] = []
  /** Awaited before a reading counts as stored; a rejection is the desk's failure. */
  storing: (reading: Message<Reading>) => Promise<void> = async () => {}
  /** What the home does once a device is welcomed. */
  whenWelcomed: (device: PartyId) => void = () => {}
  /** What the home does when a device says how far it is with an image. */
  whenWanted: (device: PartyId, wanted: WantedImage) => void = () => {}
  /** What the home does with a picture that a device says it has, and with its pieces. */
  whenStill: (device: PartyId, still: Message<Still>) => void = () => {}
  whenPiece: (device: PartyId, piece: Piece) => 'unexpected-message' | 'bad-note' | undefined = () =>
    undefined
  /** What a stranger's record is answered with. */
  record: (hello: Message<Hello>, record: Frame) => 'unknown-device' | 'forgotten' | undefined = () =>
    'unknown-device'

  standing(id: PartyId): 'known' | 'unknown' | 'forgotten' | 'elsewhere' {
    if (this.forgotten.has(id)) return 'forgotten'
    if (this.elsewhere.has(id)) return 'elsewhere'
    return this.devices.has(id) ? 'known' : 'unknown'
  }

  nameOf(id: PartyId): string | undefined {
    return this.forgotten.has(id) ? undefined : this.devices.get(id)?.name
  }

  permit(permit: Uint8Array): OpenPermit | undefined {
    return this.permits.get(permit.toHex())
  }

  async enrolled(
    device: NewDevice & { enrol: Frame; enrolled: Frame },
  ): Promise<Verdict<Device, 'name-taken' | 'forgotten'>> {
    if (this.forgotten.has(device.id)) return no('forgotten')
    const namesake = [...this.devices.values()].find((each) => each.name === device.name)
    if (namesake && namesake.id !== device.id) return no('name-taken')
    const { permit: id, enrol, enrolled } = device
    const permit = this.permits.get(id!.toHex())!
    const spent = { usedBy: device.id, proofKey: undefined, enrol, enrolled }
    this.permits.set(id!.toHex(), { ...permit, ...spent })
    return yes(this.add(device))
  }

  turnedAway(why: Code, address: string): void {
    this.refused.push({ why, address })
  }

  async readmit(
    hello: Message<Hello>,
    record: Frame,
  ): Promise<Verdict<Device, 'unknown-device' | 'forgotten'>> {
    const why = this.record(hello, record)
    if (why) return no(why)
    const { board, firmware, affordances } = hello.body
    const id = hello.signer.toBase64({ alphabet: 'base64url', omitPadding: true }) as PartyId
    return yes(this.add({ id, name: `returned-${id.slice(0, 6)}`, board, firmware, affordances, record }))
  }

  async hello(_device: PartyId, hello: Message<Hello>): Promise<void> {
    this.hellos.push(hello)
  }

  welcomed(device: PartyId): void {
    this.whenWelcomed(device)
  }

  async reading(_device: PartyId, reading: Message<Reading>): Promise<void> {
    await this.storing(reading)
    this.readings.push(reading)
  }

  async receipt(_device: PartyId, receipt: Message<Receipt>): Promise<void> {
    this.receipts.push(receipt)
  }

  async act(_device: PartyId, act: Message<Act>): Promise<void> {
    this.acts.push(act)
  }

  got(_device: PartyId, digest: Uint8Array): void {
    this.gots.push(digest)
  }

  wanted(device: PartyId, wanted: WantedImage): void {
    this.wants.push(wanted)
    this.whenWanted(device, wanted)
  }

  still(device: PartyId, still: Message<Still>): void {
    this.stills.push({ ...still, frame: Uint8Array.from(still.frame) })
    this.whenStill(device, still)
  }

  async piece(
    device: PartyId,
    { offset, bytes }: Piece,
  ): Promise<'unexpected-message' | 'bad-note' | undefined> {
    const piece = { offset, bytes: Uint8Array.from(bytes) }
    this.pieces.push(piece)
    return this.whenPiece(device, piece)
  }

  gone(device: PartyId, why: string): void {
    this.ends.push({ device, why })
  }

  papers(): readonly Frame[] {
    return this.letters
  }

  add(device: NewDevice): Device {
    const presence = { connected: false, since: 0 }
    const added: Device = { ...device, enrolledAt: 0, presence, lost: 0 }
    this.devices.set(device.id, added)
    return added
  }
}
