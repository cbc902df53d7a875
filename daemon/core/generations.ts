// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The hub's authorities over the years (SPEC 16): what an owner prepared with the words enters, devices hear of it and confirm, and
 * when all have, it comes in force.
 *
 * Always true: nothing is announced that the root did not seal; devices are told in the order in which one generation names the
 * next; what is on disk says at which point a rotation is, so that a kill at any moment goes on there; what was in force is kept
 * until no device needs it. Absent on purpose: the key of any hub CA.
 */

import { createHash } from 'node:crypto'
import type { Code } from '../../schemas/gen/ts/codes.ts'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import { ENVELOPE_BYTES_MAX, GENERATIONS_KEPT_MAX } from '../../schemas/gen/ts/wire.ts'
import { equal } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { no, type Verdict, yes } from '../base/error.ts'
import type { Authority } from './authority.ts'
import type { Caller } from './callers.ts'
import type { Diary } from './desks/index.ts'
import {
  type Ed25519,
  type Frame,
  type Message,
  openEnvelope,
  type Pins,
  type Receipt,
} from './envelope/index.ts'
import { checkHubLeaf } from './identity/certificates.ts'
import type { Device, PartyId } from './model/index.ts'
import type { Carrier, DeviceBook, Journal } from './ports.ts'
import type {
  Announced,
  Confirmation,
  ConfirmationBook,
  Generation,
  GenerationVault,
} from './ports-generations.ts'

export interface GenerationsDeps {
  readonly clock: Clock
  readonly ed25519: Ed25519
  readonly authority: Authority
  readonly devices: DeviceBook
  readonly journal: Journal
  readonly diary: Diary
  readonly carrier: Carrier
  readonly vault: GenerationVault
  readonly confirmations: ConfirmationBook
  /** This hub's key. */
  readonly hubKey: Uint8Array
  /** Sessions that the link has opened with this leaf. */
  readonly taken: (hubLeaf: Uint8Array) => number
  /** The link is to show and issue what the vault holds now. */
  readonly onEnforced: () => void
  readonly onFailure: (error: unknown) => void
}

/** `in-force` and `announced` are about the generation that is to come, or else the present one. */
export type Standing = 'in-force' | 'announced' | 'behind' | 'refused'

export interface GenerationsReport {
  readonly present: number
  readonly pins?: Frame | undefined
  readonly announced?: number | undefined
  readonly devices: readonly DeviceStanding[]
  /** Generations whose leaves are kept for devices that need them. */
  readonly kept: readonly KeptGeneration[]
}

export interface KeptGeneration {
  readonly generation: number
  /** Sessions that were opened with its leaf since this hub started. */
  readonly taken: number
}

export interface DeviceStanding {
  readonly device: Device
  readonly standing: Standing
  readonly confirmation?: Confirmation | undefined
}

export interface Generations {
  report(): GenerationsReport
  /** What a device is sent after its welcome, or when something is announced. */
  papers(device: PartyId): readonly Frame[]
  /** Whether a receipt is about the root's word on pins; then what it says is kept. */
  answered(
    device: PartyId,
    receipt: Message<Receipt>,
  ): { readonly kept: Promise<void>; readonly first: boolean } | undefined
  /** @returns the generation that is to come */
  announce(next: Announced, caller: Caller): Promise<Verdict<number, Code>>
  /** Whether or not devices are behind. @returns the generation in force */
  enforce(caller: Caller): Promise<Verdict<number, Code>>
  abandon(caller: Caller): Promise<Verdict<number, Code>>
  /** A device went, or the hub has started: what waits for nobody any more comes in force. */
  reconsider(): void
}

export function openGenerations(deps: GenerationsDeps): Generations {
  const { clock, devices, journal, vault, confirmations, carrier, diary, onFailure } = deps
  let enforcing = false

  const target = (): number => vault.announced?.steps.at(-1)?.generation ?? vault.present.generation

  const standingOf = (device: Device): DeviceStanding => {
    const confirmation = confirmations.get(device.id)
    const wanted = target()
    const { inForce = 0, announced = 0, code = 0 } = confirmation ?? {}
    if (inForce >= wanted) return { device, standing: 'in-force', confirmation }
    if (announced >= wanted) return { device, standing: 'announced', confirmation }
    const refused = code !== CODES.ok && code !== CODES['ca-announced']
    return { device, standing: refused ? 'refused' : 'behind', confirmation }
  }

  /** Every word of the root that leads from one generation to the next, ascending. */
  const chain = (): readonly Generation[] =>
    [...vault.former.toReversed(), vault.present, ...(vault.announced?.steps ?? [])].filter(
      ({ pins }) => pins,
    )

  const papersFor = (device: PartyId): readonly Frame[] => {
    const known = confirmations.get(device)?.inForce ?? 0
    return chain()
      .filter(({ generation }) => generation > known)
      .map(({ pins }) => pins!)
  }

  const tell = (): void => {
    for (const { id, presence } of devices.list()) {
      if (presence.connected) for (const frame of papersFor(id)) carrier.send(id, frame)
    }
  }

  /** In the log first: after a kill in between it is said twice, and never done unsaid. */
  const comeInForce = async (entry: Parameters<Journal['append']>[0]): Promise<void> => {
    await journal.append(entry)
    const last = vault.announced!.steps.at(-1)!
    vault.enforce(openPins(deps, last.pins!)!.hubCas)
    deps.onEnforced()
  }

  const reconsider = (): void => {
    forgetUnneeded()
    const next = vault.announced?.steps.at(-1)
    if (!next || enforcing) return
    const waits = devices
      .list()
      .some((device) => !['in-force', 'announced'].includes(standingOf(device).standing))
    if (waits) return
    enforcing = true
    const note = `generation ${next.generation} is in force`
    comeInForce({ kind: 'authorities', at: clock.now(), origin: 'link', note })
      .catch(onFailure)
      .finally(() => {
        enforcing = false
      })
  }

  /** A device whose pins are of one generation takes that one's leaf and the next one's; what no device needs is kept no longer. */
  const forgetUnneeded = (): void => {
    const { generation } = vault.present
    const all = devices.list().map(({ id }) => confirmations.get(id)?.inForce ?? 0)
    const needed = Math.min(generation, ...all)
    const areAllHere = all.length > 0 && needed === generation && generation > 0
    vault.forget({ before: needed, spare: areAllHere })
  }

  const said = (caller: Caller, note: string) => diary.by(caller, { kind: 'authorities', note })

  return {
    report: () => ({
      present: vault.present.generation,
      pins: vault.present.pins,
      announced: vault.announced && target(),
      devices: devices.list().map(standingOf),
      kept: [...vault.former, ...vault.spare].map(({ generation, hubLeaf }) => ({
        generation,
        taken: deps.taken(hubLeaf),
      })),
    }),
    papers: papersFor,
    answered(device, { body }) {
      const about = chain().find(({ pins }) => equal(digestOf(pins!), body.command))
      if (!about) return undefined
      const before = confirmations.get(device)
      const { generation } = about
      const confirmation: Confirmation = {
        device,
        inForce: Math.max(before?.inForce ?? 0, body.code === CODES.ok ? generation : 0),
        announced: Math.max(before?.announced ?? 0, body.code === CODES['ca-announced'] ? generation : 0),
        code: body.code,
        at: clock.now(),
      }
      const first =
        before?.inForce !== confirmation.inForce ||
        before.announced !== confirmation.announced ||
        before.code !== confirmation.code
      // What it knows as the next is in force already: it is shown that when it connects again.
      const isLate = body.code === CODES['ca-announced'] && generation <= vault.present.generation
      const keep = async (): Promise<void> => {
        if (first) await confirmations.put(confirmation)
        if (first) reconsider()
        if (isLate) carrier.drop(device, 'ca-announced')
      }
      return { kept: keep(), first }
    },
    async announce(next, caller) {
      const judged = judgeAnnounced(deps, next)
      if (!judged.ok) return diary.refuse(undefined, caller, undefined, judged.why, judged.detail)
      if (vault.announced) {
        return target() === judged.value
          ? yes(judged.value)
          : no('conflict', `generation ${target()} is announced already`)
      }
      await journal.append(said(caller, `generation ${judged.value} is announced`))
      vault.announce(next)
      tell()
      reconsider()
      return yes(judged.value)
    },
    async enforce(caller) {
      if (!vault.announced) return no('conflict', 'nothing is announced')
      if (enforcing) return yes(target())
      const generation = target()
      enforcing = true
      try {
        await comeInForce(
          said(caller, `generation ${generation} is in force, before every device has heard so`),
        )
      } finally {
        enforcing = false
      }
      return yes(generation)
    },
    async abandon(caller) {
      if (!vault.announced || enforcing) return no('conflict', 'nothing is announced')
      const generation = target()
      await journal.append(said(caller, `generation ${generation} is not to come`))
      vault.abandon()
      return yes(generation)
    },
    reconsider,
  }
}

function digestOf(frame: Frame): Uint8Array {
  return createHash('sha256').update(frame).digest()
}

function openPins(
  { ed25519, authority }: Pick<GenerationsDeps, 'ed25519' | 'authority'>,
  frame: Frame,
): Pins | undefined {
  const { trust } = authority
  const opened = openEnvelope(
    frame,
    {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (body, signer) => body.type === 'pins' && equal(signer, trust.root),
      isAudience: (body) => body.audience === trust.home,
    },
    ed25519,
  )
  return opened.ok ? (opened.value.body as Pins) : undefined
}

/** Each step is the root's word, follows from the one before it, and has a leaf for this hub's own key. @returns the last generation */
function judgeAnnounced(deps: GenerationsDeps, { steps, deviceCaSeed }: Announced): Verdict<number, Code> {
  const { vault, ed25519, hubKey, clock } = deps
  let { generation } = vault.present
  let [, next] = vault.hubCas
  if (steps.length === 0 || steps.length > GENERATIONS_KEPT_MAX)
    return no('bad-request', 'no step, or too many')
  for (const step of steps) {
    const pins = step.pins && openPins(deps, step.pins)
    if (!pins) return no('unknown-signer', 'what devices are to pin is not sealed by the root of this home')
    const [current, after] = pins.hubCas
    if (pins.generation !== step.generation || step.generation !== generation + 1)
      return no('conflict', `generation ${generation + 1} is the next, not ${step.generation}`)
    if (!equal(current!, next!)) return no('ca-unknown', 'devices do not know this CA as the next')
    const leaf = checkHubLeaf(step.hubLeaf, [current!], clock.now(), ed25519)
    if (!leaf.ok) return no('certificate-profile', leaf.detail)
    if (!equal(leaf.value, hubKey)) return no('certificate-profile', 'the leaf is for another key')
    generation = step.generation
    next = after
  }
  const last = steps.at(-1)!
  if (!equal(ed25519.signer(deviceCaSeed.reveal()).key, last.deviceCa))
    return no('bad-request', 'the key of the device CA is not that of the last step')
  return yes(generation)
}
