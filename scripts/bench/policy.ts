// SPDX-License-Identifier: GPL-3.0-or-later
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemRandom } from '../../daemon/base/random.ts'
import {
  type BodyOf,
  type Command,
  type Message,
  nativeEd25519,
  openEnvelope,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import { type Device, idOf } from '../../daemon/core/model/index.ts'
import {
  type Circumstances,
  Grants,
  type HeldGrant,
  judge,
  openTrust,
  Uses,
} from '../../daemon/core/policy/index.ts'
import { METHOD_POST } from '../../schemas/gen/ts/wire.ts'
import { against, type Bench, cpuSecondsOf, type Results } from './sample.ts'

const ROUNDS = 9
const BATCH = 20_000
const HOLDERS = 500
const GRANTS = 10_000
const UNLOCK = 9
const NOW = 1_795_600_000
const ed25519 = nativeEd25519()
const newSigner = (): Signer => ed25519.signer(systemRandom.bytes(32))
const root = newSigner()
const owner = newSigner()
const lock = newSigner()
const HOME = idOf(root.key)

const device: Device = {
  ...{
    id: idOf(lock.key),
    name: 'front-door',
    board: 'host',
    firmware: '0.1.0',
    affordances: [7, 8, UNLOCK, 10],
  },
  ...{ enrolledAt: 0, presence: { connected: true, since: 0 }, lost: 0 },
}

let sequence = 0
const said = () => ({ audience: HOME, sealedAt: NOW, epoch: new Uint8Array(8), sequence: ++sequence })

type GrantBody = BodyOf<'grant'>

function sealGrant(by: Signer, key: Uint8Array, changes: Partial<GrantBody>): Uint8Array {
  const what = { devices: [lock.key], what: [{ affordance: UNLOCK, methods: METHOD_POST }], leaseS: 86_400 }
  const hours = [{ days: 127, from: 0, to: 1440 }]
  const times = { expiresAt: NOW + 86_400, notBefore: NOW - 60, hours }
  const body = {
    type: 'grant',
    ...said(),
    name: 'sitter',
    key,
    id: systemRandom.bytes(8),
  } as const
  return sealEnvelope({ ...body, ...what, ...times, ...changes }, by)
}

function openGrants(): Grants {
  const frame = sealEnvelope({ type: 'owner', ...said(), name: 'ada', key: owner.key }, root)
  const trusted = openTrust(root.key, [frame], ed25519)
  if (!trusted.ok) throw new Error(trusted.why)
  return new Grants(trusted.value, ed25519, { grantsMax: GRANTS + 2 })
}

function admitted(grants: Grants, frame: Uint8Array, now = NOW): HeldGrant {
  const held = grants.admit(frame, now)
  if (!held.ok) throw new Error(`the bench sealed what is refused: ${held.why}`)
  return held.value
}

/** A command of a guest whose grant hangs from the sitter's, and that from the owner's. */
function chainOfThree(grants: Grants): Message<Command> {
  const [person, sitter, guest] = [newSigner(), newSigner(), newSigner()]
  const first = admitted(grants, sealGrant(owner, person.key, { share: 2 }))
  const second = admitted(grants, sealGrant(person, sitter.key, { parent: first.body.id, share: 1 }))
  const third = admitted(grants, sealGrant(sitter, guest.key, { parent: second.body.id }))
  const times = { expiresAt: NOW + 30, nonce: new Uint8Array(8) }
  const body = { operation: 'invoke', affordance: UNLOCK, value: 5, grant: third.body.id } as const
  const frame = sealEnvelope({ type: 'command', ...said(), audience: device.id, ...times, ...body }, guest)
  const opened = openEnvelope(
    frame,
    {
      sizeMax: 1024,
      accepts: (body, signer) => body.type === 'command' && grants.acceptsCommand(body, signer),
      isAudience: () => true,
    },
    ed25519,
  )
  if (!opened.ok) throw new Error(opened.why)
  return opened.value as Message<Command>
}

/** `policy.judge` among many chains that were verified before, against finding the grant by its id and nothing else. */
export async function policyJudge(bench: Bench): Promise<Results> {
  bench.say(`policy.judge: judging commands by three links each, among ${HOLDERS} chains`)
  const grants = openGrants()
  const commands = Array.from({ length: HOLDERS }, () => chainOfThree(grants))
  const entries = [systemRandom.bytes(8), systemRandom.bytes(32)]
  const revoked = grants.revoke(sealEnvelope({ type: 'revocation', ...said(), entries }, owner), NOW)
  if (!revoked.ok) throw new Error(revoked.why)
  const by: Circumstances = { grants, groups: [], now: NOW, uses: new Uses() }
  const [judged, found]: [number[], number[]] = [[], []]
  for (let round = -2; round < ROUNDS; round++) {
    bench.signal.throwIfAborted()
    const judges = BATCH / cpuSecondsOf(() => judgeAll(commands, by))
    const finds = BATCH / cpuSecondsOf(() => findAll(commands, grants))
    if (round < 0) continue
    judged.push(judges)
    found.push(finds)
  }
  return { 'policy.judge': against(judged, found, 'verdicts/core-s') }
}

function judgeAll(commands: readonly Message<Command>[], by: Circumstances): void {
  for (let i = 0; i < BATCH; i++) {
    const verdict = judge(commands[i % commands.length]!, device, by)
    if (!verdict.ok) throw new Error(`the bench asks what is refused: ${verdict.why}`)
  }
}

function findAll(commands: readonly Message<Command>[], grants: Grants): void {
  for (let i = 0; i < BATCH; i++) {
    const { body, signer } = commands[i % commands.length]!
    if (!grants.get(body.grant!, signer)) throw new Error('the bench looks for what is not held')
  }
}

/** Memory of 10,000 grants when as many came and ended four times before, against once before: flat is 1. */
export async function policyMemory({ say, signal }: Bench): Promise<Results> {
  say(`policy.memory: ${GRANTS} grants, and as many after those ended`)
  const grants = openGrants()
  const frames = (from: number, count = GRANTS) =>
    Array.from({ length: count }, () =>
      sealGrant(owner, systemRandom.bytes(32), { sealedAt: from, notBefore: from - 1, expiresAt: from + 60 }),
    )
  const fill = (from: number): number => {
    for (const frame of frames(from)) admitted(grants, frame, from)
    return memoryUsed()
  }
  const before = memoryUsed()
  const turns: number[] = []
  for (let turn = 0; turn < 5; turn++) {
    signal.throwIfAborted()
    grants.expire(NOW + turn * 100)
    turns.push((fill(NOW + turn * 100) - before) / 2 ** 20)
  }
  // The first turn has no places of ended grants to fill.
  return { 'policy.memory': against([turns[4]!], [turns[1]!], 'MiB of 10,000 grants') }
}

/** Bytes in use after the garbage was collected. */
function memoryUsed(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
