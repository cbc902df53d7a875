// SPDX-License-Identifier: GPL-3.0-or-later
/** One command from its sealing to the device's own receipt (SPEC 4.10, 4.11, 9.3). */
import { sha256 } from '@noble/hashes/sha2.js'
import { type Code, codeByNumber } from '../../schemas/gen/ts/codes.ts'
import { equal } from '../base/bytes.ts'
import { isCode } from '../base/error.ts'
import {
  type Affordance,
  affordanceNamed,
  affordanceOf,
  fromWire,
  type PartyId,
  toWire,
} from '../core/model/index.ts'
import {
  type NamedValue,
  type Operation,
  type Papers,
  readPapers,
  readStage,
  type Thing,
  type Value,
} from './answers.ts'
import type { Asker } from './ask.ts'
import { PageError } from './error.ts'
import { fieldsOf, idIn } from './fields.ts'
import { COMMAND_LIFETIME_S, type Person } from './person.ts'
import { type Believed, type Proven, prove, proveReceipt } from './proof.ts'

export interface Wish {
  readonly thing: PartyId
  readonly kind: 'property' | 'action'
  /** By the names of SPEC 4.13. */
  readonly name: string
  readonly value?: Value | undefined
}

export type PassedStage = 'sent' | 'at-hub' | 'at-device'

export interface CommandDeps {
  readonly asker: Asker
  readonly person: Person
  readonly believed: Believed
  readonly onStage: (stage: PassedStage) => void
  /** Told the SHA-256 of the command, each time one goes out. */
  readonly onSealed?: (command: Uint8Array) => void
  /** Told what the home shows for the device now, when it had to be asked again. */
  readonly onPapers: (thing: PartyId, papers: Papers) => void
}

const SILENCE_MS_MAX = (COMMAND_LIFETIME_S + 15) * 1000
const STAGES_MAX = 8

/**
 * Seals the wish for the device as it was last heard, sends it, follows its stages and checks the receipt. When the device was born
 * anew since (`stale-nonce`), the home is asked for its new hello and the wish is sealed once more.
 * @returns what changed, from the receipt
 * @throws PageError with the refusal's code; expired; the reason why an answer cannot be believed
 */
export async function carryOut(
  deps: CommandDeps,
  thing: Thing,
  wish: Wish,
  signal: AbortSignal,
): Promise<readonly NamedValue[]> {
  const first = thing.hello ? thing : await askAnew(deps, thing, signal)
  try {
    return await send(deps, thing, prove(first, deps.believed), wish, signal)
  } catch (error) {
    if (!isCode(error, 'stale-nonce')) throw error
    const second = await askAnew(deps, thing, signal)
    if (first.nonce && second.nonce && equal(first.nonce, second.nonce)) throw error
    return send(deps, thing, prove(second, deps.believed), wish, signal)
  }
}

async function askAnew({ asker, onPapers }: CommandDeps, thing: Thing, signal: AbortSignal): Promise<Thing> {
  const fields = fieldsOf(await asker.json({ method: 'GET', path: `/things/${thing.id}/properties` }, signal))
  if (idIn(fields, 'id') !== thing.id)
    throw new PageError('distrust', 'the home answered with another device')
  const papers = readPapers(fields)
  onPapers(thing.id, papers)
  return { ...thing, ...papers }
}

async function send(
  { asker, person, believed, onStage, onSealed }: CommandDeps,
  thing: Thing,
  proven: Proven,
  wish: Wish,
  signal: AbortSignal,
): Promise<readonly NamedValue[]> {
  const affordance = affordanceNamed(proven.affordances, wish.name)
  if (affordance?.capability.kind !== wish.kind) throw new PageError('no-such-affordance', wish.name)
  const value = wireValue(affordance, wish.value)
  const isProperty = wish.kind === 'property'
  const operation: Exclude<Operation, 'read'> = isProperty ? 'write' : 'invoke'
  const grant = thing.affordances.get(wish.name)?.may[operation]?.grant
  const frame = person.command(proven.id, {
    nonce: proven.nonce,
    operation,
    affordance: affordance.number,
    ...(value !== undefined && { value }),
    ...(grant && { grant }),
  })
  onSealed?.(sha256(frame))
  onStage('sent')
  const lines = asker.lines(
    {
      method: isProperty ? 'PUT' : 'POST',
      path: `/things/${proven.id}/${isProperty ? 'properties' : 'actions'}/${affordance.name}`,
      type: 'application/cose',
      body: Uint8Array.from(frame),
      accept: 'application/x-ndjson',
      sealed: true,
    },
    SILENCE_MS_MAX,
    signal,
  )
  let passed = 0
  for await (const line of lines) {
    if (++passed > STAGES_MAX) throw new PageError('bad-answer', 'the home tells of stages without end')
    const said = readStage(line)
    if (said.stage === 'at-hub' || said.stage === 'at-device') {
      onStage(said.stage)
      continue
    }
    if (said.stage === 'expired') {
      throw new PageError(said.reached ? 'unknown-outcome' : 'expired', 'the device did not answer in time')
    }
    const { body } = proveReceipt(said.receipt, sha256(frame), proven.id, believed)
    const code: Code | undefined = codeByNumber(body.code)
    if (code === undefined || (code === 'ok') !== (said.stage === 'done')) {
      throw new PageError('distrust', 'the home says otherwise than the device')
    }
    if (code !== 'ok') throw new PageError(code, code)
    return body.values.flatMap(({ affordance: number, at, value: changed }) => {
      const known = affordanceOf(number)
      return known ? [{ property: known.name, at, value: fromWire(known.capability, changed) }] : []
    })
  }
  throw new PageError('unknown-outcome', 'the home ended its answer before the command was done')
}

function wireValue({ capability, name }: Affordance, value: Value | undefined): Value | undefined {
  if (capability.type === 'none') return undefined
  const wire = toWire(capability, value)
  if (wire === undefined) throw new PageError('bad-value', name)
  return wire
}
