// SPDX-License-Identifier: GPL-3.0-or-later
/** The hub's authorities over the years (SPEC 16): who is behind, and an owner's act with the words that changes them. */
import { type Code, codeByNumber, MEANINGS } from '../../../schemas/gen/ts/codes.ts'
import { ENVELOPE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { toBase64url } from '../../base/bytes.ts'
import { deviceCaSeedOf, makeGeneration } from '../../config/generation-keys.ts'
import { type Member, nativeEd25519, openEnvelope } from '../../core/envelope/index.ts'
import { derive, type Seed } from '../../core/identity/index.ts'
import { idOf, keyOf, type PartyId, parseId } from '../../core/model/index.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import { bytesIn, type Fields, fieldsOf, listOf, numberIn, optionalNumberIn, textIn } from '../fields.ts'
import { keepsGoing } from '../people/index.ts'
import type { Person } from '../person.ts'
import { learnPins } from '../pins.ts'
import { sayTime } from '../time.ts'
import type { Tools } from '../tools.ts'
import { group, verb } from '../verb.ts'
import { table } from '../voice.ts'
import { readWords } from './restore.ts'

const POLL_MS = 1000

type Standing = 'in-force' | 'announced' | 'behind' | 'refused'

interface StandingLine {
  readonly id: PartyId
  readonly name: string
  readonly connected: boolean
  readonly standing: Standing
  readonly inForce: number
  readonly announced: number
  readonly code: Code | undefined
  readonly at: number | undefined
}

interface CaReport {
  readonly hub: PartyId
  readonly member: Uint8Array
  readonly generation: number
  readonly announced: number | undefined
  readonly devices: readonly StandingLine[]
  readonly kept: readonly { readonly generation: number; readonly taken: number }[]
}

const status = verb({
  command: 'status',
  isUsual: true,
  says: 'Which generation the hub’s authorities are in, which is announced, and which devices are behind',
  examples: [
    ['ca status', 'or `shallot ca` alone'],
    ['ca status --json', 'for scripts: `behind` counts who has not confirmed'],
  ],
  async run(tools) {
    await tools.owner('seeing the authorities')
    const report = await readReport(await tools.api())
    tools.voice.tell({ ok: true, ...toldReport(report) }, () => sayReport(report))
  },
})

const rotate = verb({
  command: 'rotate',
  says: 'Changes the hub’s certificate authorities for the next ones, which devices know already; takes the 24 words',
  examples: [
    ['ca rotate', 'asks for the words, tells every device, and waits until all have confirmed'],
    ['ca rotate < words.txt', 'the words from standard input; never as arguments'],
    ['ca rotate --no-wait', 'the hub goes on by itself; see `shallot ca status`'],
    ['ca rotate --now', 'without waiting for devices that are away: they get in by what they know'],
    ['ca rotate --abort', 'what is announced is not to come; no device has changed anything yet'],
  ],
  options: (cli) =>
    cli
      .option('wait', {
        type: 'boolean',
        default: true,
        describe: 'until it is in force; --no-wait to leave',
      })
      .option('now', { type: 'boolean', default: false, describe: 'do not wait for devices that are behind' })
      .option('abort', { type: 'boolean', default: false, describe: 'take back what is announced' })
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask' }),
  async run(tools, args) {
    if (args.abort && args.now) throw new CliError('usage', '--abort and --now are two different things')
    const owner = await tools.owner('changing the authorities')
    const api = await tools.api()
    if (args.abort) return abort(tools, api)
    const before = await readReport(api)
    const announced = before.announced ?? (await announce(tools, api, owner, before, args.yes))
    tools.voice.tell({ ok: true, stage: 'announced', generation: announced }, () =>
      before.announced === undefined
        ? `Generation ${announced} of the authorities is announced to every device.`
        : `Generation ${announced} is announced already.`,
    )
    if (args.now) await force(tools, api, args.yes)
    else if (!args.wait) return
    const after = await awaitEnforced(tools, api, announced)
    await learnPins(tools, api)
    tools.voice.tell({ ok: true, stage: 'in-force', ...toldReport(after) }, () => sayReport(after))
  },
})

async function abort(tools: Tools, api: Api): Promise<void> {
  const { generation } = fieldsOf(await api.send('DELETE', '/ca'), 'a generation')
  tools.voice.tell(
    { ok: true, stage: 'aborted', generation },
    () => `Generation ${String(generation)} is not to come. Devices keep what they have.`,
  )
}

/** Everything that takes the words, in one go; they are forgotten when this returns. @returns the generation that is announced */
async function announce(
  tools: Tools,
  api: Api,
  owner: Person,
  report: CaReport,
  yes: boolean,
): Promise<number> {
  await requireOurHub(tools, owner, report, yes)
  const words = await readWords(tools)
  requireOurWords(words, owner)
  const target = targetOf(report)
  const making = { hubKey: keyOf(report.hub), now: tools.clock.now(), random: tools.random }
  const steps = Array.from({ length: target - report.generation }, (_, i) =>
    makeGeneration(words, report.generation + 1 + i, making),
  )
  await api.send('PUT', '/ca', {
    steps: steps.map(({ generation, pins, hubLeaf, deviceCa }) => ({
      generation,
      pins: toBase64url(pins),
      hubLeaf: toBase64url(hubLeaf),
      deviceCa: toBase64url(deviceCa),
    })),
    deviceCa: toBase64url(deviceCaSeedOf(words, target).reveal()),
  })
  return target
}

/** One on, or, for a home that was restored from words alone, to where its devices are (SPEC 16.4). */
function targetOf({ generation, kept }: CaReport): number {
  const taken = kept.filter((each) => each.taken > 0).map((each) => each.generation)
  return Math.max(generation + 1, ...taken)
}

/** A leaf is made only for a key that an owner made a daemon of this home. */
async function requireOurHub(
  tools: Tools,
  owner: Person,
  { hub, member }: CaReport,
  yes: boolean,
): Promise<void> {
  const opened = openEnvelope(
    member,
    {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (body) => body.type === 'member',
      isAudience: (body) => body.audience === owner.home,
    },
    owner.ed25519,
  )
  const body = opened.ok ? (opened.value.body as Member) : undefined
  if (!opened.ok || !body || idOf(body.key) !== hub)
    throw new CliError('bad-answer', 'the home shows nothing that makes its daemon one of yours', {
      next: 'do not go on before you know why',
    })
  if (owner.trust.isOwner(opened.value.signer)) return
  // Who made it a daemon is an owner no more: what they sealed stays until somebody says otherwise.
  await keepsGoing(tools, yes, `The daemon ${hub} was made by somebody who owns this home no more. Go on?`)
}

/** @throws CliError wrong-audience for the words of another home */
function requireOurWords(words: Seed, owner: Person): void {
  const root = nativeEd25519().signer(derive(words, 'root').reveal())
  if (idOf(root.key) === owner.home) return
  throw new CliError('wrong-audience', 'these are the words of another home', { next: 'nothing was changed' })
}

async function force(tools: Tools, api: Api, yes: boolean): Promise<void> {
  const { devices, announced } = await readReport(api)
  if (announced === undefined) return
  const behind = devices.filter(isBehind).map(({ name }) => name)
  if (behind.length > 0)
    await keepsGoing(tools, yes, `${behind.join(', ')}: not confirmed. They get in by what they know. Go on?`)
  await api.send('POST', '/ca/force')
}

async function awaitEnforced(tools: Tools, api: Api, generation: number): Promise<CaReport> {
  using step = tools.voice.working('waiting for every device to confirm')
  for (;;) {
    const report = await readReport(api)
    if (report.generation >= generation) return report
    if (report.announced === undefined)
      throw new CliError('conflict', `generation ${generation} was taken back meanwhile`)
    const names = report.devices
      .filter(isBehind)
      .map(({ name, connected }) => (connected ? name : `${name} (away)`))
    step.say(
      `waiting for ${names.slice(0, 4).join(', ')}${names.length > 4 ? ` and ${names.length - 4} more` : ''}`,
    )
    await tools.clock.sleep(POLL_MS, tools.signal)
  }
}

function isBehind({ standing }: StandingLine): boolean {
  return standing === 'behind' || standing === 'refused'
}

async function readReport(api: Api): Promise<CaReport> {
  const report = fieldsOf(await api.get('/ca'), 'the state of the authorities')
  const hub = parseId(textIn(report, 'hub'))
  if (!hub) throw new CliError('bad-answer', 'the home named its daemon by something that is no id')
  return {
    hub,
    member: bytesIn(report, 'member'),
    generation: numberIn(report, 'generation'),
    announced: optionalNumberIn(report, 'announced'),
    devices: listOf(report.devices, 'devices').map((each) => readStanding(fieldsOf(each, 'a device'))),
    kept: listOf(report.kept, 'generations').map((each) => {
      const fields = fieldsOf(each, 'a generation')
      return { generation: numberIn(fields, 'generation'), taken: numberIn(fields, 'taken') }
    }),
  }
}

const STANDINGS: readonly string[] = ['in-force', 'announced', 'behind', 'refused']

function readStanding(fields: Fields): StandingLine {
  const [id, standing, code] = [
    parseId(textIn(fields, 'id')),
    textIn(fields, 'standing'),
    optionalNumberIn(fields, 'code'),
  ]
  if (!id || !STANDINGS.includes(standing))
    throw new CliError('bad-answer', 'the home told of a device in a way that we do not know')
  return {
    id,
    name: textIn(fields, 'name'),
    connected: fields.connected === true,
    standing: standing as Standing,
    inForce: numberIn(fields, 'inForce'),
    announced: numberIn(fields, 'announced'),
    code: code === undefined ? undefined : codeByNumber(code),
    at: optionalNumberIn(fields, 'at'),
  }
}

function toldReport({ hub, generation, announced, devices, kept }: CaReport): object {
  return {
    hub,
    generation,
    ...(announced !== undefined && { announced }),
    behind: devices.filter(isBehind).length,
    devices,
    kept,
  }
}

const SAYS: Readonly<Record<Standing, string>> = {
  'in-force': 'has it',
  announced: 'knows it as the next',
  behind: 'has not heard of it',
  refused: 'does not take it',
}

function sayReport(report: CaReport): string {
  const { generation, announced, devices, kept } = report
  const behind = devices.filter(isBehind).length
  const taken = kept.filter((each) => each.taken > 0)
  return [
    `Generation ${generation} of the authorities is in force${announced === undefined ? '.' : `, ${announced} is announced.`}`,
    ...(devices.length > 0
      ? [table([['device', '', `generation ${announced ?? generation}`, 'said'], ...devices.map(sayDevice)])]
      : []),
    behind === 0 ? 'No device is behind.' : `${behind} of ${devices.length} devices are behind.`,
    ...taken.map(
      (each) => `${each.taken} connections came by what devices know of generation ${each.generation}.`,
    ),
    ...(taken.some((each) => each.generation > generation)
      ? ['This home was restored, and its devices are further on: run `shallot ca rotate`.']
      : []),
  ].join('\n')
}

function sayDevice({ name, connected, standing, code, at }: StandingLine): string[] {
  const why = standing === 'refused' && code !== undefined ? `: ${MEANINGS[code]}` : ''
  return [name, connected ? 'connected' : 'away', `${SAYS[standing]}${why}`, sayTime(at) ?? '']
}

export const ca = group('ca', 'The certificate authorities that hub and devices know each other by', [
  status,
  rotate,
])
