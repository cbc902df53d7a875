// SPDX-License-Identifier: GPL-3.0-or-later
import { type Code, codeByNumber, MEANINGS } from '../../../schemas/gen/ts/codes.ts'
import { DEVICE_ENVELOPE_BYTES_MAX, STILL_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal, toHex } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import { type Ed25519, type Frame, type Message, openEnvelope, type Still } from '../envelope/index.ts'
import { affordanceOf, idOf, type PartyId } from '../model/index.ts'
import { judgePicture, type KeptStill, type PictureQuestion, type StillList } from '../stills/index.ts'
import type { LookedStill, LookWord } from './look-words.ts'

type LookedWord = LookWord & { readonly word: 'looked' }
type PartWord = LookWord & { readonly word: 'part' }

export interface LookDeps {
  readonly clock: Clock
  readonly ed25519: Ed25519
  readonly home: PartyId
  readonly say: (peer: PartyId, word: LookWord) => void
  /** Which other daemon has this device. */
  readonly memberOf: (device: PartyId) => PartyId | undefined
  readonly nameOf: (member: PartyId) => string
  /** That there is no way to it, in a sentence; undefined while there is one. */
  readonly unreachable: (member: PartyId) => string | undefined
}

/** A question for pictures as somebody asked it here, and what they may see by what is known here. */
export interface Looking {
  readonly caller: PartyId
  /** For which their request was sealed. */
  readonly path: string
  /** Their sealed request; empty: this daemon asks, with the grants that it holds. */
  readonly request: Frame
  /** The properties `still` that they may read. */
  readonly readable: ReadonlySet<number>
}

/** One that was checked: the device's key sealed this digest and size, and the bytes have them. */
export interface SeenPicture {
  readonly still: KeptStill
  readonly bytes: Uint8Array
}

/** A picture of which some bytes are here, or all. */
interface Held {
  readonly device: PartyId
  readonly bytes: Uint8Array
  got: number
  /** When it got further, or was asked for; monotonic. */
  movedAt: number
}

type Answer = { readonly list: StillList } | { readonly picture: SeenPicture }

interface Asked {
  readonly peer: PartyId
  readonly device: PartyId
  readonly looking: Looking
  /** Absent for a list. */
  readonly picture?: PictureQuestion | undefined
  readonly since: number
  /** Of the picture that is being told. */
  still?: KeptStill | undefined
  held?: Held | undefined
  /** Absent once who asked has an answer: what still comes is kept for when they ask again. */
  settle?: ((answer: Verdict<Answer, Code>) => void) | undefined
}

/** Within what any client waits for the head of an answer. */
export const LOOK_MS_MAX = 9000
/** Questions that are open, of all and of one caller. */
const ASKED_MAX = 32
const ASKED_OF_CALLER_MAX = 4
/** Pictures that are held in memory, whole or in part, and how long one is that gets no further. */
const HELD_MAX = 16
const HELD_MS_MAX = 60_000
const NOTHING = new Uint8Array()

/**
 * Pictures of other homes' devices (SPEC 19.6): asked for there when somebody asks here, by the request that they sealed. Nothing is
 * handed out before its device's seal, its size and its digest were checked here, and nothing is kept but for a minute in memory,
 * so that who lost the way, or has only so much time, goes on where it was.
 */
export class Looks {
  readonly #deps: LookDeps
  readonly #asked = new Map<number, Asked>()
  readonly #held = new Map<string, Held>()
  #number = 0

  constructor(deps: LookDeps) {
    this.#deps = deps
  }

  async list(device: PartyId, looking: Looking): Promise<Verdict<StillList, Code>> {
    const answer = await this.#ask(device, looking)
    return answer.ok ? yes('list' in answer.value ? answer.value.list : { stills: [] }) : answer
  }

  async picture(
    device: PartyId,
    looking: Looking,
    picture: PictureQuestion,
  ): Promise<Verdict<SeenPicture, Code>> {
    const answer = await this.#ask(device, looking, picture)
    if (!answer.ok) return answer
    return 'picture' in answer.value ? yes(answer.value.picture) : no('not-found')
  }

  heardLooked(peer: PartyId, said: LookedWord): void {
    const asked = this.#asked.get(said.number)
    if (asked?.peer !== peer) return
    // A picture may also go while it is told.
    if (said.code !== 0) this.#end(said.number, this.#refusal(peer, said.code))
    else if (asked.still) return
    else if (asked.picture) this.#begin(said.number, asked, asked.picture, said.stills)
    else this.#end(said.number, yes({ list: this.#listOf(asked, said) }))
  }

  heardPart(peer: PartyId, { number, offset, bytes }: PartWord): void {
    const asked = this.#asked.get(number)
    const held = asked?.held
    if (asked?.peer !== peer || !held) return
    const { length } = held.bytes
    // Of what is told twice, because two asked for it, the first counts.
    if (offset > held.got || offset + bytes.length > length) return
    if (offset === held.got) {
      held.bytes.set(bytes, offset)
      held.got += bytes.length
      held.movedAt = this.#deps.clock.monotonic()
    }
    this.#deps.say(peer, { word: 'got', number, got: held.got })
    if (held.got === length) this.#finish(held)
  }

  gone(peer: PartyId): void {
    for (const [number, asked] of this.#asked)
      if (asked.peer === peer) this.#end(number, no('unreachable', this.#deps.unreachable(peer)))
  }

  /** Ends what takes too long; forgets what gets no further. */
  tick(): void {
    const now = this.#deps.clock.monotonic()
    for (const [key, { movedAt }] of this.#held) if (now - movedAt >= HELD_MS_MAX) this.#held.delete(key)
    for (const [number, asked] of this.#asked) {
      const { since, settle, held } = asked
      if (settle && now - since >= LOOK_MS_MAX) {
        asked.settle = undefined
        settle(this.#late(asked))
      }
      const isIdle = now - (held?.movedAt ?? since) >= HELD_MS_MAX
      if (!asked.settle && (!held || isIdle)) this.#asked.delete(number)
    }
  }

  #ask(device: PartyId, looking: Looking, picture?: PictureQuestion): Promise<Verdict<Answer, Code>> {
    const { clock, memberOf, say, unreachable } = this.#deps
    const peer = memberOf(device)
    if (!peer) return Promise.resolve(no('still-elsewhere'))
    const away = unreachable(peer)
    if (away !== undefined) return Promise.resolve(no('unreachable', away))
    const waiting = [...this.#asked.values()].filter((each) => each.looking.caller === looking.caller)
    const ofCaller = waiting.filter(({ settle }) => settle).length
    if (this.#asked.size >= ASKED_MAX || ofCaller >= ASKED_OF_CALLER_MAX)
      return Promise.resolve(no('busy', 'too many pictures of other homes are asked for'))
    const number = ++this.#number
    const [digest, have] = picture ? this.#haveOf(device, picture) : [NOTHING, 0]
    return new Promise((settle) => {
      this.#asked.set(number, { peer, device, looking, picture, since: clock.monotonic(), settle })
      const { path, request } = looking
      say(peer, { word: 'look', number, device, path, request, digest, have })
    })
  }

  /** What is here of the picture that is meant; of the newest, as far as is known here. */
  #haveOf(device: PartyId, { digest }: PictureQuestion): [Uint8Array, number] {
    const found = [...this.#held].findLast(([key, held]) =>
      digest === 'latest' ? held.device === device : key === keyFor(device, digest),
    )
    if (!found) return [NOTHING, 0]
    const [key, { got }] = found
    return [Uint8Array.fromHex(key.slice(key.indexOf('/') + 1)), got]
  }

  #listOf({ device, looking }: Asked, { stills, coming }: LookedWord): StillList {
    const seen = stills.flatMap((each) => {
      const still = this.#open(device, each)
      return still.ok && looking.readable.has(still.value.affordance) ? [still.value] : []
    })
    const code = coming && codeByNumber(coming.code)
    return { stills: seen, coming: coming && { ...coming, code: code === 'ok' ? undefined : code } }
  }

  #begin(number: number, asked: Asked, question: PictureQuestion, told: readonly LookedStill[]): void {
    const judged = this.#judge(asked, question, told)
    if (!judged.ok) {
      this.#end(number, judged)
      return
    }
    const still = judged.value
    const held = this.#holdOf(still)
    asked.still = still
    asked.held = held
    if (held.got === still.size) this.#finish(held)
  }

  /** Before any of it is taken: it is the device's word, and what was asked for. */
  #judge(
    { device, looking }: Asked,
    { digest }: PictureQuestion,
    [told]: readonly LookedStill[],
  ): Verdict<KeptStill, Code> {
    const opened = told ? this.#open(device, told) : no('not-found')
    if (!opened.ok) return opened
    const still = opened.value
    const isMeant = digest === 'latest' || equal(still.digest, digest)
    if (!isMeant) return no('still-digest', 'another picture was told than was asked for')
    if (!looking.readable.has(still.affordance)) return no('not-found')
    return still.size > STILL_BYTES_MAX ? no('still-too-large') : opened
  }

  #holdOf({ device, digest, size }: KeptStill): Held {
    const key = keyFor(device, digest)
    const known = this.#held.get(key)
    const movedAt = this.#deps.clock.monotonic()
    const held =
      known?.bytes.length === size ? known : { device, bytes: new Uint8Array(size), got: 0, movedAt }
    held.movedAt = movedAt
    // The one that was asked for last stands last.
    this.#held.delete(key)
    if (this.#held.size >= HELD_MAX) this.#held.delete(this.#held.keys().next().value!)
    this.#held.set(key, held)
    return held
  }

  /** All of it is here: everybody who asked for it has it, or nobody. */
  #finish(held: Held): void {
    for (const [number, asked] of this.#asked) {
      const { still } = asked
      if (asked.held !== held || !still) continue
      const sound = judgePicture(still, held.bytes)
      if (!sound.ok) this.#held.delete(keyFor(still.device, still.digest))
      this.#end(number, sound.ok ? yes({ picture: { still, bytes: held.bytes } }) : sound)
    }
  }

  #end(number: number, answer: Verdict<Answer, Code>): void {
    const settle = this.#asked.get(number)?.settle
    this.#asked.delete(number)
    settle?.(answer)
  }

  #late({ peer, held }: Asked): Verdict<Answer, Code> {
    const name = this.#deps.nameOf(peer)
    if (!held) return no('unreachable', `${name} did not answer within ${LOOK_MS_MAX / 1000} s`)
    const { got, bytes } = held
    return no('busy', `${got} of ${bytes.length} bytes have come from ${name}: ask again`)
  }

  #refusal(peer: PartyId, number: number): Verdict<Answer, Code> {
    const code = codeByNumber(number) ?? 'internal'
    return no(code, `${this.#deps.nameOf(peer)} answered: ${MEANINGS[code]}`)
  }

  /** The device's word on a picture of its own property `still`. */
  #open(device: PartyId, { frame, receivedAt }: LookedStill): Verdict<KeptStill, Code> {
    const opened = openEnvelope(
      frame,
      {
        sizeMax: DEVICE_ENVELOPE_BYTES_MAX,
        accepts: (body, signer) => body.type === 'still' && idOf(signer) === device,
        isAudience: (body) => body.audience === this.#deps.home,
      },
      this.#deps.ed25519,
    ) as Verdict<Message<Still>, Code>
    if (!opened.ok) return opened
    const { affordance, command, digest, size, at } = opened.value.body
    if (affordanceOf(affordance)?.capability.name !== 'still') return no('no-such-affordance')
    return yes({ device, affordance, command, digest, size, at, receivedAt, frame })
  }
}

function keyFor(device: PartyId, digest: Uint8Array): string {
  return `${device}/${toHex(digest)}`
}
