// SPDX-License-Identifier: GPL-3.0-or-later
/** A picture that a device took for us: waited for, then held against what the device itself sealed (SPEC 19). */
import { CODES, type Code, MEANINGS } from '../../schemas/gen/ts/codes.ts'
import { ENVELOPE_BYTES_MAX, STILL_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { equal, toBase64url } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { isCode } from '../base/error.ts'
import { type Message, openEnvelope, type Still } from '../core/envelope/index.ts'
import { affordanceOf, keyOf } from '../core/model/index.ts'
import type { Api } from './api.ts'
import type { Outcome } from './command.ts'
import { CliError } from './error.ts'
import { bytesIn, type Fields, fieldsOf, listOf, numberIn, optionalTextIn } from './fields.ts'
import { type Person, sha256 } from './person.ts'
import { type ProvenThing, thingPath } from './things.ts'

/** What the hub is asked to wait before it answers, and how long a picture may stand still before we give up. */
const WAIT_S = 3
const STALLED_MS_MAX = 60_000
/** How long the bytes of a picture are asked for again, and the rest in between. */
const FETCH_MS_MAX = 120_000
const AGAIN_MS = 500

/** Of how many pictures the home tells at a time. */
const PAGE = 100

/** A device whose key was proved. */
export type Seen = Pick<ProvenThing, 'id' | 'name'>

export interface Picture {
  readonly still: Message<Still>
  readonly jpeg: Uint8Array
}

export interface StillDeps {
  readonly clock: Clock
  readonly api: Api
  readonly person: Person
}

export interface PictureDeps extends StillDeps {
  /** So many of so many bytes are at the hub. */
  readonly onProgress: (got: number, size: number) => void
}

/**
 * The picture that was taken for the command that `outcome` answers.
 * @throws CliError why the hub did not keep it; still-late; the reason why what the hub showed cannot be believed
 */
export async function awaitPicture(deps: PictureDeps, outcome: Outcome): Promise<Picture> {
  const { person } = deps
  const command = outcome.receipt.body.command
  const frame = bytesIn(await listed(deps, outcome, command), 'frame')
  const still = openStill(frame, outcome.thing, person)
  checkAnswer(still, outcome)
  return { still, jpeg: await fetchPicture(deps, outcome.thing, still) }
}

/**
 * Pictures of a device that the home keeps, newest first; each is what the device sealed.
 * @throws CliError when the home shows one that is not
 */
export async function* keptPictures({ api, person }: StillDeps, thing: Seen): AsyncGenerator<Message<Still>> {
  let before = ''
  for (;;) {
    const path = `${thingPath(thing.id)}/stills?limit=${PAGE}${before}`
    const stills = listOf(fieldsOf(await api.get(path), 'a list of pictures').stills, 'pictures')
    let last: Message<Still> | undefined
    for (const each of stills) {
      last = openStill(bytesIn(fieldsOf(each, 'a picture'), 'frame'), thing, person)
      yield last
    }
    if (!last || stills.length < PAGE) return
    before = `&before=${toBase64url(last.body.digest)}`
  }
}

/** The bytes of a picture that its device sealed. @throws CliError still-digest when the home shows others */
export async function fetchPicture(deps: StillDeps, thing: Seen, still: Message<Still>): Promise<Uint8Array> {
  const { digest, size } = still.body
  const jpeg = await fetched(deps, `${thingPath(thing.id)}/stills/${toBase64url(digest)}`)
  if (jpeg.length !== size || !equal(sha256(jpeg), digest)) {
    throw new CliError('still-digest', `what the home showed is not the picture that ${thing.name} sealed`, {
      next: DISTRUST,
    })
  }
  return jpeg
}

/** From another home it may come in several goes: each goes on where the one before was. */
async function fetched({ clock, api }: StillDeps, path: string): Promise<Uint8Array> {
  const since = clock.monotonic()
  for (;;) {
    try {
      return await api.getBytes(path)
    } catch (error) {
      if (!isCode(error, 'busy') || clock.monotonic() - since >= FETCH_MS_MAX) throw error
      await clock.sleep(AGAIN_MS)
    }
  }
}

const DISTRUST = 'do not trust this hub before you know why: it may be broken into'

/** Waits until the hub lists a picture for this command. */
async function listed(
  { clock, api, onProgress }: PictureDeps,
  { thing }: Outcome,
  command: Uint8Array,
): Promise<Fields> {
  const path = `${thingPath(thing.id)}/stills?command=${toBase64url(command)}&wait=${WAIT_S}`
  let got = -1
  let movedAt = clock.monotonic()
  while (clock.monotonic() - movedAt < STALLED_MS_MAX) {
    const answer = fieldsOf(await api.get(path), 'a list of pictures')
    const [first] = listOf(answer.stills, 'pictures')
    if (first !== undefined) return fieldsOf(first, 'a picture')
    if (answer.coming === undefined) continue
    const coming = fieldsOf(answer.coming, 'a picture that is coming')
    const code = refusalIn(coming)
    if (code) throw new CliError(code, `the hub did not keep ${thing.name}'s picture: ${MEANINGS[code]}`)
    const now = numberIn(coming, 'got')
    if (now !== got) movedAt = clock.monotonic()
    got = now
    onProgress(got, numberIn(coming, 'size'))
  }
  throw new CliError('still-late', `${thing.name} took a picture, and it has not arrived at the hub`, {
    next: `is it connected? \`shallot device list\` tells`,
  })
}

function refusalIn(coming: Fields): Code | undefined {
  const code = optionalTextIn(coming, 'code')
  return code !== undefined && Object.hasOwn(CODES, code) ? (code as Code) : undefined
}

/** @throws CliError when it is not this device's word on a picture */
function openStill(frame: Uint8Array, thing: Seen, person: Person): Message<Still> {
  const opened = openEnvelope(
    frame,
    {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (body, signer) => body.type === 'still' && equal(signer, keyOf(thing.id)),
      isAudience: (body) => body.audience === person.home,
    },
    person.ed25519,
  )
  if (!opened.ok) {
    throw new CliError(opened.why, `the picture that the home showed is not ${thing.name}'s`, {
      next: DISTRUST,
    })
  }
  const still = opened.value as Message<Still>
  const { size, affordance } = still.body
  if (size <= STILL_BYTES_MAX && affordanceOf(affordance)?.capability.name === 'still') return still
  throw new CliError('bad-answer', `what the home showed is no picture that ${thing.name} can take`, {
    next: DISTRUST,
  })
}

/** @throws CliError when it is not the picture of exactly this command */
function checkAnswer(
  { body: { command, size, affordance } }: Message<Still>,
  { thing, receipt }: Outcome,
): void {
  const told = receipt.body.values.find((sample) => sample.affordance === affordance)?.value
  if (equal(command, receipt.body.command) && size === told) return
  throw new CliError(
    'bad-answer',
    `the home showed a picture of ${thing.name} that was taken for another command`,
    {
      next: DISTRUST,
    },
  )
}
