// SPDX-License-Identifier: GPL-3.0-or-later

import {
  ENROL_SECRET_BYTES,
  ENVELOPE_BYTES_MAX,
  PERMIT_LIFETIME_S_MAX,
} from '../../../schemas/gen/ts/wire.ts'
import { equal, toBase64url, utf8 } from '../../base/bytes.ts'
import { Secret } from '../../base/secret.ts'
import {
  type Enrol,
  type Enrolment,
  type Message,
  openEnvelope,
  type Permit,
} from '../../core/envelope/index.ts'
import { enrolKeys, keyProof, writeEnrolCode } from '../../core/identity/index.ts'
import { affordanceOf, idOf } from '../../core/model/index.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import { fieldsOf, numberIn, optionalBytesIn, optionalTextIn, textIn } from '../fields.ts'
import { dropPending, findPending, keepPending, type Pending } from '../pending.ts'
import { learnPins } from '../pins.ts'
import { requireFindable } from '../place.ts'
import { picture } from '../qr.ts'
import { parseJson } from '../reach/index.ts'
import type { Tools } from '../tools.ts'
import { typedLast } from '../typed.ts'
import { verb } from '../verb.ts'
import { requireName } from './device-name.ts'

export const enrol = verb({
  command: 'enrol <name>',
  says: 'Prints a code for one new device, waits for it, checks that it is the one that had the code, and confirms it',
  examples: [
    ['enrol porch-light', 'code as text and picture; good for 15 minutes and one device'],
    ['enrol porch-light --no-wait --json', 'only the code'],
    ['enrol --confirm porch-light', 'finish later what --no-wait began'],
  ],
  options: (cli) =>
    cli
      .positional('name', { type: 'string', demandOption: true, describe: 'what the device will be called' })
      .option('wait', { type: 'boolean', default: true, describe: 'wait for the device; --no-wait to leave' })
      .option('confirm', { type: 'boolean', default: false, describe: 'finish an enrolment begun before' }),
  async run(tools, args) {
    requireName(args.name)
    const { owner } = tools.configured.config
    const pending = args.confirm
      ? await findPending(owner, args.name, tools.clock.now())
      : await begin(tools, args.name)
    if (args.wait) await finish(tools, pending)
  },
})

/** Draws a code and shows it. */
async function begin(tools: Tools, name: string): Promise<Pending> {
  const { pending, code } = await drawCode(tools, name)
  const [text, expiresAt] = [code.reveal(), pending.expiresAt / 1000]
  tools.voice.tell(
    { ok: true, stage: 'code', name, permit: toBase64url(pending.permit), code: text, expiresAt },
    () => {
      const image = tools.voice.isTerminal ? `\n${picture(text, tools.voice.columns)}` : ''
      return `Give this code to the device. It is good for 15 minutes and for one device:\n\n${text}\n${image}`
    },
  )
  return pending
}

/** Draws the secret, and hands the hub its half. */
export async function drawCode(
  tools: Tools,
  name: string,
): Promise<{ readonly pending: Pending; readonly code: Secret<string> }> {
  const [api, person, { config }] = [await tools.api(), await tools.person(), tools.configured]
  const secret = new Secret(tools.random.bytes(ENROL_SECRET_BYTES))
  const keys = enrolKeys(secret)
  const expiresAt = person.now() + PERMIT_LIFETIME_S_MAX
  const link = fieldsOf(
    fieldsOf(await api.get('/status'), 'a status').link,
    'the place where devices connect',
  )
  const code = writeEnrolCode({
    host: requireFindable(textIn(link, 'host')),
    port: numberIn(link, 'port'),
    root: person.root,
    hubCas: await learnPins(tools, api),
    secret,
  })
  const frame = await person.seal<Permit>(person.home, {
    type: 'permit',
    name,
    expiresAt,
    permit: keys.permit,
  })
  await api.send('POST', '/enrolments', {
    permit: toBase64url(frame),
    proof: toBase64url(keys.hubProofKey.reveal()),
  })
  const pending = { name, secret, permit: keys.permit, expiresAt: expiresAt * 1000 }
  keepPending(config.owner, pending)
  return { pending, code }
}

/** Waits until the device came, checks what only the holder of the secret can check, and seals the owner's record. */
export async function finish(tools: Tools, pending: Pending): Promise<void> {
  const [api, person] = [await tools.api(), await tools.person()]
  using step = tools.voice.working(`waiting for ${pending.name}`)
  const frame = await awaitDevice(tools, api, pending)
  step.say(`confirming ${pending.name}`)
  const enrolled = openEnrol(frame, pending, person)
  await api.sendSealed(
    'PUT',
    `/enrolments/${toBase64url(pending.permit)}/record`,
    await person.seal<Enrolment>(person.home, {
      type: 'enrolment',
      name: pending.name,
      key: enrolled.signer,
      permit: pending.permit,
    }),
  )
  await dropPending(tools.configured.config.owner, pending.permit)
  const { board, firmware, affordances } = enrolled.body
  const can = affordances.map((number) => affordanceOf(number)?.name ?? `#${number}`)
  const id = idOf(enrolled.signer)
  tools.voice.tell(
    {
      ok: true,
      stage: 'confirmed',
      device: { id, name: pending.name, confirmed: true },
      board,
      firmware,
      affordances: can,
    },
    () => `${pending.name} is enrolled and confirmed (${board}, ${firmware}; ${can.join(' ')})\n  id ${id}`,
  )
}

const PAUSE_MS = 1000
const PAUSES_MAX = PERMIT_LIFETIME_S_MAX

/** The device's enrol envelope. Asks again when the stream breaks off, until the code is void. */
async function awaitDevice(tools: Tools, api: Api, pending: Pending): Promise<Uint8Array> {
  const path = `/enrolments/${toBase64url(pending.permit)}`
  for (let tries = 0; tries < PAUSES_MAX; tries++) {
    try {
      for await (const event of await api.events(path)) {
        const said = fieldsOf(parseJson(utf8(event.data)), 'the state of an enrolment')
        const frame = optionalBytesIn(said, 'enrol')
        if (frame) return frame
        if (optionalTextIn(said, 'state') === 'expired') throw tooLate(pending)
      }
    } catch (error) {
      if (!(error instanceof CliError) || error.code !== 'unreachable' || tries === 0) throw error
    }
    if (tools.clock.now() > pending.expiresAt) throw tooLate(pending)
    await tools.clock.sleep(PAUSE_MS, tools.signal)
  }
  throw tooLate(pending)
}

function tooLate({ name }: Pending): CliError {
  return new CliError('permit-expired', `no device came with the code for ${name} in time`, {
    next: `make another with \`shallot enrol ${typedLast(name)}\``,
  })
}

/** @throws CliError bad-proof when the hub shows a key whose holder did not have the code */
function openEnrol(
  frame: Uint8Array,
  pending: Pending,
  person: Awaited<ReturnType<Tools['person']>>,
): Message<Enrol> {
  const opened = openEnvelope(
    frame,
    {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (body) => body.type === 'enrol' && equal(body.permit, pending.permit),
      isAudience: (body) => body.audience === person.home,
    },
    person.ed25519,
  )
  const next = 'do not use this device or this hub before you know why; begin again with a new code'
  if (!opened.ok) {
    throw new CliError(opened.why, `what the home showed is not an enrolment of ${pending.name}`, { next })
  }
  const message = opened.value as Message<Enrol>
  const { ownerProofKey } = enrolKeys(pending.secret)
  if (equal(message.body.proofForOwner, keyProof(ownerProofKey, message.signer))) return message
  throw new CliError('bad-proof', `the key that the home showed for ${pending.name} did not have the code`, {
    next,
  })
}
