// SPDX-License-Identifier: GPL-3.0-or-later
/** One command from its sealing to the device's own receipt (SPEC 4.10, 4.11, 9.3). */
import { CODES, type Code, codeByNumber, MEANINGS } from '../../schemas/gen/ts/codes.ts'
import { ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { equal, toBase64url } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { type Command, type Message, openEnvelope, type Receipt } from '../core/envelope/index.ts'
import { affordanceOf, fromWire, keyOf } from '../core/model/index.ts'
import type { Api } from './api.ts'
import { CliError } from './error.ts'
import { bytesIn, type Fields, fieldsOf, textIn } from './fields.ts'
import { type Person, sha256 } from './person.ts'
import type { Way } from './reach/index.ts'
import { type ProvenThing, proveThing, thingPath } from './things.ts'
import { typedLast } from './typed.ts'
import { findAffordance, parseValue } from './value.ts'

export interface Wish {
  readonly device: string
  readonly kind: 'property' | 'action'
  readonly name: string
  readonly value: string | undefined
  readonly withinS: number
}

export interface PassedStage {
  readonly stage: 'sent' | 'at-hub' | 'at-device' | 'done' | 'refused' | 'expired'
  /** Since the command was sent. */
  readonly ms: number
}

/** How it ended; `receipt` was checked: sealed by this device, for exactly this command. */
export interface Outcome {
  readonly thing: ProvenThing
  readonly affordance: string
  readonly stages: readonly PassedStage[]
  readonly code: Code
  readonly receipt: Message<Receipt>
  readonly values: Readonly<Record<string, number | boolean>>
}

export interface CommandDeps {
  readonly clock: Clock
  readonly api: Api
  readonly person: Person
  /** Told once the device has proved itself, before anything is sent. */
  readonly onThing: (thing: ProvenThing) => void
  readonly onStage: (stage: PassedStage) => void
}

/**
 * Seals the wish for the device as it is now, sends it, follows its stages and checks the receipt. If the device was born anew
 * in between (`stale-nonce`), it is sealed once more for the new nonce; with the same nonce the refusal stands.
 * @throws CliError with the refusal's code; expired; the reason why an answer cannot be believed
 */
export async function carryOut(deps: CommandDeps, wish: Wish): Promise<Outcome> {
  const first = await proveThing(deps.api, deps.person, wish.device)
  deps.onThing(first)
  try {
    return await send(deps, wish, first)
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'stale-nonce') throw error
    const second = await proveThing(deps.api, deps.person, wish.device)
    if (equal(second.nonce, first.nonce) || second.id !== first.id) throw error
    return send(deps, wish, second)
  }
}

async function send(deps: CommandDeps, wish: Wish, thing: ProvenThing): Promise<Outcome> {
  const { person, api, clock } = deps
  const affordance = findAffordance(
    { name: thing.name, affordances: thing.hello.body.affordances },
    wish.kind,
    wish.name,
  )
  if (wish.kind === 'property' && !affordance.capability.writable) {
    throw new CliError('read-only', `${wish.name} can be read but not set`)
  }
  const value = parseValue(affordance, wish.value)
  const operation = wish.kind === 'property' ? 'write' : 'invoke'
  const grant = grantFor(thing, affordance.name, operation, person)
  const frame = await person.seal<Command>(thing.id, {
    type: 'command',
    expiresAt: person.now() + wish.withinS,
    nonce: thing.nonce,
    operation,
    affordance: affordance.number,
    ...(value !== undefined && { value }),
    ...(grant && { grant }),
  })
  const route = wish.kind === 'property' ? 'properties' : 'actions'
  const path = `${thingPath(thing.id)}/${route}/${encodeURIComponent(affordance.name)}`
  const began = clock.monotonic()
  const stages: PassedStage[] = []
  const pass = (stage: PassedStage['stage']): void => {
    const passed = { stage, ms: Math.round(clock.monotonic() - began) }
    stages.push(passed)
    deps.onStage(passed)
  }
  pass('sent')
  for await (const line of api.stages(wish.kind === 'property' ? 'PUT' : 'POST', path, frame)) {
    const said = fieldsOf(line, 'a stage')
    const stage = textIn(said, 'stage')
    if (stage === 'at-hub' || stage === 'at-device') {
      if (stages.length >= STAGES_MAX)
        throw new CliError('bad-answer', 'the home tells of stages without end')
      pass(stage)
      continue
    }
    if (stage === 'expired') throw expired(thing, wish, said)
    if (stage !== 'done' && stage !== 'refused') {
      throw new CliError('bad-answer', 'the home told of a stage that we do not know')
    }
    const receipt = checkReceipt(bytesIn(said, 'receipt'), sha256(frame), thing, person)
    const code = codeOfReceipt(receipt)
    if ((code === 'ok') !== (stage === 'done')) {
      throw new CliError('bad-answer', `the home says ${stage}, but the device's receipt says ${code}`)
    }
    pass(stage)
    if (code !== 'ok') throw new CliError(code, `${thing.name} refused: ${MEANINGS[code]}`)
    return { thing, affordance: affordance.name, stages, code, receipt, values: valuesOf(receipt) }
  }
  throw new CliError('unknown-outcome', 'the home ended its answer before the command was done', {
    next: `whether it was carried out is not known: look with \`shallot get ${typedLast(wish.device)}\``,
  })
}

/** The id to name in the command. Whether it holds at this moment is for hub and device to say. @throws CliError not-granted | … */
function grantFor(
  thing: ProvenThing,
  affordance: string,
  operation: 'write' | 'invoke',
  { name }: Person,
): Uint8Array | undefined {
  const may = thing.may(affordance, operation)
  if (!may || may.grant) return may?.grant
  const code = may.code ?? 'not-granted'
  const what = operation === 'write' ? `set ${affordance} of` : `${affordance} on`
  throw new CliError(code, `${name} may not ${what} ${thing.name}: ${may.detail ?? MEANINGS[code]}`, {
    next: 'an owner can say more: `shallot why`',
  })
}

const STAGES_MAX = 8

function expired(thing: ProvenThing, wish: Wish, said: Fields): CliError {
  const reached = said.reached === true
  return new CliError(
    'expired',
    reached
      ? `${thing.name} received the command but did not answer within ${wish.withinS} s`
      : `${thing.name} was not reached within ${wish.withinS} s, and will not act on it later`,
    {
      next: reached
        ? `look with \`shallot get ${typedLast(wish.device)}\``
        : 'is it connected? `shallot device list` tells',
    },
  )
}

/** @throws CliError when it is not this device's answer to exactly this command */
function checkReceipt(
  frame: Uint8Array,
  digest: Uint8Array,
  thing: ProvenThing,
  person: Person,
): Message<Receipt> {
  const opened = openEnvelope(
    frame,
    {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (body, signer) => body.type === 'receipt' && equal(signer, keyOf(thing.id)),
      isAudience: (body) => body.audience === person.home,
    },
    person.ed25519,
  )
  const unknown =
    'whether the command was carried out is not known; do not trust this hub before you know why'
  if (!opened.ok) {
    throw new CliError(opened.why, `the receipt that the home showed is not ${thing.name}'s`, {
      next: unknown,
    })
  }
  const receipt = opened.value as Message<Receipt>
  if (!equal(receipt.body.command, digest)) {
    throw new CliError('bad-answer', 'the receipt that the home showed answers another command', {
      next: unknown,
    })
  }
  return receipt
}

function codeOfReceipt(receipt: Message<Receipt>): Code {
  const code = codeByNumber(receipt.body.code)
  if (code) return code
  throw new CliError(
    'bad-answer',
    `the receipt carries the code ${receipt.body.code}, which is not in our list`,
  )
}

function valuesOf(receipt: Message<Receipt>): Record<string, number | boolean> {
  const values: Record<string, number | boolean> = {}
  for (const sample of receipt.body.values) {
    const affordance = affordanceOf(sample.affordance)
    if (affordance) values[affordance.name] = fromWire(affordance.capability, sample.value)
  }
  return values
}

/** For `--json`: stable. @param by  the other home by which the way led */
export function outcomeObject(outcome: Outcome, { kind, by }: Pick<Way, 'kind' | 'by'>): object {
  return {
    ok: true,
    device: { id: outcome.thing.id, name: outcome.thing.name, confirmed: outcome.thing.confirmed },
    affordance: outcome.affordance,
    code: outcome.code,
    number: CODES[outcome.code],
    values: outcome.values,
    stages: outcome.stages,
    way: kind,
    ...(by !== undefined && { by }),
    receipt: toBase64url(outcome.receipt.frame),
    verified: true,
  }
}
