// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from 'node:crypto'
import { type Code, codeByNumber } from '../../../schemas/gen/ts/codes.ts'
import { TRIAL_S_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal, toHex } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import { Turns } from '../../base/lifetime.ts'
import type { Authority } from '../authority.ts'
import type { Caller } from '../callers.ts'
import type { Diary } from '../desks/index.ts'
import type { Ed25519, ImageStanding, Message, Receipt } from '../envelope/index.ts'
import type { Feed } from '../feed.ts'
import type { Device, PartyId } from '../model/index.ts'
import type { Carrier, DeviceBook, NewEntry } from '../ports.ts'
import { openManifest, readImageFile } from './image-file.ts'
import { dueIn, moved, planStages } from './plan.ts'
import type { KeptImage, Rollout, RolloutState, UpdateBook, UpdateState, WantedImage } from './ports.ts'
import { Stream } from './stream.ts'
import { type Part, Uploads } from './uploads.ts'

/** A device that restarted for its trial and was not heard of for so long has failed; it goes back by itself in half of that. */
const SILENT_MS_MAX = 2 * TRIAL_S_MAX * 1000
const LOOK_MS = 1000
/** Of how many parts of an image watchers are told. */
const PROGRESS_PARTS = 50

export interface UpdateDeps {
  readonly clock: Clock
  readonly ed25519: Ed25519
  readonly authority: Authority
  readonly devices: DeviceBook
  readonly carrier: Carrier
  readonly feed: Feed
  readonly diary: Diary
  readonly updates: UpdateBook
  readonly onFailure: (error: unknown) => void
}

/** What is under way with one device in this session of its. */
interface Underway {
  readonly rollout: number
  readonly digest: Uint8Array
  readonly stream: Stream
  state: Extract<UpdateState, 'offered' | 'receiving'>
  got: number
  told: number
}

/** One device of a roll-out as it is at this moment. */
export interface DeviceView {
  readonly device: PartyId
  readonly name: string | undefined
  readonly connected: boolean
  readonly stage: number
  readonly state: UpdateState
  readonly code: Code | undefined
  readonly got: number
  readonly at: number
}

export interface RolloutView extends Omit<Rollout, 'devices'> {
  readonly devices: readonly DeviceView[]
}

export interface Updates extends Disposable {
  /** The next part of an image file (SPEC 15.7), kept when it is whole: how much of it is here. */
  putPart(part: Part, caller: Caller): Promise<Verdict<{ readonly got: number; readonly size: number }, Code>>
  /** @param stages  sizes; none: one device, then a quarter of all, then all */
  start(
    what: {
      readonly image: Uint8Array
      readonly target: string
      readonly stages: readonly number[]
    },
    caller: Caller,
  ): Promise<Verdict<RolloutView, Code>>
  stop(id: number, caller: Caller): Promise<Verdict<RolloutView, Code>>
  view(id: number): RolloutView | undefined
  list(): readonly RolloutView[]
  /** What a device said of the image that runs, in its latest hello since this hub started. */
  standingOf(device: PartyId): ImageStanding | undefined

  /** A device said hello; resolves when what follows from it is on disk. */
  hello(device: PartyId, image: ImageStanding | undefined): Promise<void>
  welcomed(device: PartyId): void
  /** Whether the receipt answers a manifest of ours. */
  answered(device: PartyId, receipt: Message<Receipt>): boolean
  wanted(device: PartyId, wanted: WantedImage): void
  gone(device: PartyId): void
}

export function openUpdates(deps: UpdateDeps): Updates {
  const { clock, ed25519, authority, devices, carrier, feed, diary, updates: book, onFailure } = deps
  const turns = new Turns()
  const uploads = new Uploads()
  const underway = new Map<PartyId, Underway>()
  const standings = new Map<PartyId, ImageStanding>()

  const find = (id: number): Rollout | undefined => book.rollouts().find((each) => each.id === id)
  const running = (): readonly Rollout[] => book.rollouts().filter(({ state }) => state === 'running')
  /** The latest roll-out that this device is in: a late word of it still counts there. */
  const latestWith = (device: PartyId): Rollout | undefined =>
    book.rollouts().findLast((each) => each.devices.some((entry) => entry.device === device))

  const tell = (rollout: number): void => feed.publish({ event: 'rollout', at: clock.now(), rollout })

  const viewOf = (rollout: Rollout): RolloutView => ({
    ...rollout,
    devices: rollout.devices.map(({ device, stage, state, code, at }) => {
      const way = underway.get(device)
      const own = way?.rollout === rollout.id && state === 'waiting' ? way : undefined
      const arrived = state === 'restarting' || state === 'done'
      return {
        ...{ device, stage, code, at },
        state: own?.state ?? state,
        got: own?.got ?? (arrived ? rollout.size : 0),
        name: devices.get(device)?.name,
        connected: devices.get(device)?.presence.connected ?? false,
      }
    }),
  })

  const offer = (rollout: Rollout, device: PartyId, kept: KeptImage): void => {
    const { manifestDigest: digest } = rollout
    const stream = new Stream(kept.image)
    underway.set(device, { rollout: rollout.id, digest, stream, state: 'offered', got: 0, told: 0 })
    if (carrier.send(device, kept.manifest) !== 'sent') underway.delete(device)
  }

  /** Everybody whose turn it is, who is there, and who was not asked yet. */
  const offerDue = (rollout: Rollout): void => {
    const due = dueIn(rollout).filter(
      ({ device }) => devices.get(device)?.presence.connected && !underway.has(device),
    )
    const kept = due.length > 0 ? book.image(rollout.manifestDigest) : undefined
    if (kept) for (const { device } of due) offer(rollout, device, kept)
    if (due.length > 0) tell(rollout.id)
  }

  const noteOf = ({ firmware, target, state }: Rollout): string => `${firmware} to ${target}: ${state}`

  /** One device has got so far: on disk, with its entry; then others may be next, or nobody. */
  const move = (device: PartyId, id: number, state: UpdateState, code?: Code): Promise<void> =>
    turns.take(async () => {
      const before = find(id)
      const entry = before?.devices.find((each) => each.device === device)
      if (!before || !entry || (entry.state === state && entry.code === code)) return
      underway.delete(device)
      const at = clock.now()
      const after = moved(before, device, { state, at, ...(code && { code }) })
      await book.putRollout(after, entryOf(after, device, state, code))
      tell(id)
      if (after.state === 'running') offerDue(after)
    })

  const entryOf = (
    rollout: Rollout,
    device: PartyId,
    state: UpdateState,
    code: Code | undefined,
  ): NewEntry | undefined => {
    if (state !== 'done' && state !== 'failed') return undefined
    const note = rollout.state === 'running' ? rollout.firmware : noteOf(rollout)
    return diary.update({ device, signer: rollout.by, code: code ?? 'ok', note })
  }

  const moveSoon = (device: PartyId, id: number, state: UpdateState, code?: Code): void => {
    move(device, id, state, code).catch(onFailure)
  }

  const targets = (named: string): readonly Device[] => {
    const all = devices.list().filter(({ home }) => home === undefined)
    const one = all.filter(({ id, name }) => id === named || name === named)
    const found = one.length > 0 ? one : all.filter((device) => authority.groups.of(device).includes(named))
    // Those who are there go first: a stage of one should not wait for a device that is away.
    const away = (device: Device): number => Number(!device.presence.connected)
    return found.toSorted((a, b) => away(a) - away(b) || (a.name < b.name ? -1 : 1))
  }

  const looking = clock.every(LOOK_MS, () => {
    for (const { id, devices: all } of running())
      for (const { device, state, at } of all)
        if (state === 'restarting' && clock.now() - at > SILENT_MS_MAX)
          moveSoon(device, id, 'failed', 'update-silent')
  })

  const end = async (rollout: Rollout, state: RolloutState, caller: Caller): Promise<Rollout> => {
    const after = { ...rollout, state }
    await book.putRollout(after, diary.by(caller, { kind: 'rollout', note: noteOf(after) }))
    for (const [device, way] of underway) if (way.rollout === rollout.id) underway.delete(device)
    tell(rollout.id)
    return after
  }

  return {
    async putPart(part, caller) {
      const { digest, size } = part
      if (book.holdsImage(digest)) return yes({ got: size, size })
      const added = uploads.add(part)
      if (!added.ok) return added
      const { got, file } = added.value
      if (!file) return yes({ got, size })
      const refused = (why: Code, detail?: string) => diary.refuse(undefined, caller, undefined, why, detail)
      const read = readImageFile(file, ed25519)
      if (!read.ok)
        return refused(read.why, 'this is not an image file that was made by `shallot firmware seal`')
      const { manifest, image } = read.value
      const frame = Uint8Array.from(manifest.frame)
      if (!equal(sha256(frame), digest)) return refused('bad-request', 'the manifest has another digest')
      await book.putImage({ manifestDigest: digest, manifest: frame, image }, clock.now())
      return yes({ got: size, size })
    },

    start: ({ image, target, stages }, caller) =>
      turns.take(async () => {
        const refused = (why: Code, detail?: string) =>
          diary.refuse(undefined, caller, undefined, why, detail)
        const kept = book.image(image)
        const opened = kept && openManifest(kept.manifest, ed25519)
        if (!opened?.ok) return refused('not-found', 'this image was not handed in')
        const found = targets(target)
        if (found.length === 0)
          return refused('not-found', 'no device and no group of this home is called so')
        const isOpen = (id: PartyId) => running().some((each) => each.devices.some((d) => d.device === id))
        const busy = found.find(({ id }) => isOpen(id))
        if (busy) return refused('rollout-open', `another roll-out to ${busy.name} is under way`)
        const at = clock.now()
        const ids = found.map(({ id }) => id)
        const planned = planStages(ids, stages, at)
        if (!planned) return refused('bad-request', 'a stage has 1 or more devices')
        const { firmware, imageSequence: sequence, size } = opened.value.body
        const runsIt = (id: PartyId): boolean => {
          const own = standings.get(id)
          return own?.standing === 'steady' && own.running === sequence
        }
        // Who runs it already is done; a device would call it a replay.
        const all = planned.map((each) => (runsIt(each.device) ? { ...each, state: 'done' as const } : each))
        const state = all.every((each) => each.state === 'done') ? 'done' : 'running'
        const about = { manifestDigest: image, firmware, sequence, size, target, by: caller.id, at }
        const rollout: Rollout = { id: book.nextId(), ...about, state, devices: all }
        const note = `${firmware} to ${target}: started`
        await book.putRollout(rollout, diary.by(caller, { kind: 'rollout', note }))
        tell(rollout.id)
        offerDue(rollout)
        return yes(viewOf(rollout))
      }),

    stop: (id, caller) =>
      turns.take(async () => {
        const rollout = find(id)
        if (!rollout) return diary.refuse(undefined, caller, undefined, 'not-found')
        if (rollout.state !== 'running') return no('conflict', `this roll-out is ${rollout.state}`)
        return yes(viewOf(await end(rollout, 'stopped', caller)))
      }),

    view(id) {
      const rollout = find(id)
      return rollout && viewOf(rollout)
    },
    list: () => book.rollouts().map(viewOf),
    standingOf: (device) => standings.get(device),

    async hello(device, image) {
      underway.delete(device)
      if (image) standings.set(device, image)
      else standings.delete(device)
      const rollout = latestWith(device)
      if (!image || !rollout) return
      const isTried = image.standing === 'returned' && image.tried === rollout.sequence
      if (image.running === rollout.sequence) {
        if (image.standing === 'steady') await move(device, rollout.id, 'done')
      } else if (isTried) await move(device, rollout.id, 'failed', 'update-returned')
      // It came back with neither: it lost what it had, or was given another image by hand. It is asked anew.
      else if (rollout.devices.some((each) => each.device === device && each.state === 'restarting'))
        await move(device, rollout.id, 'waiting')
    },

    welcomed(device) {
      const rollout = running().find((each) => each.devices.some((entry) => entry.device === device))
      if (rollout) turns.take(async () => offerDue(find(rollout.id) ?? rollout)).catch(onFailure)
    },

    answered(device, { body: { command, code } }) {
      const isOurs = book.rollouts().some(({ manifestDigest }) => equal(manifestDigest, command))
      const way = underway.get(device)
      if (!isOurs || !way || !equal(way.digest, command)) return isOurs
      if (code !== 0) moveSoon(device, way.rollout, 'failed', codeByNumber(code) ?? 'internal')
      return true
    },

    wanted(device, { digest, offset, code }) {
      const way = underway.get(device)
      const rollout = way && find(way.rollout)
      const isIt = way && toHex(way.digest).startsWith(toHex(digest))
      if (!isIt || rollout?.state !== 'running') return
      if (code !== 'ok') return moveSoon(device, way.rollout, 'failed', code)
      const chunks = way.stream.wanted(offset)
      if (!chunks) return moveSoon(device, way.rollout, 'failed', 'bad-note')
      for (const chunk of chunks) carrier.send(device, chunk)
      const isFirst = way.state === 'offered'
      way.state = 'receiving'
      way.got = offset
      if (offset === rollout.size) return moveSoon(device, way.rollout, 'restarting')
      const part = Math.floor((offset * PROGRESS_PARTS) / rollout.size)
      if (part > way.told || isFirst) tell(rollout.id)
      way.told = part
    },

    gone(device) {
      const way = underway.get(device)
      underway.delete(device)
      if (way) tell(way.rollout)
    },

    [Symbol.dispose]: () => looking[Symbol.dispose](),
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
