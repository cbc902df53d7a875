// SPDX-License-Identifier: GPL-3.0-or-later
import { readFile, writeFile } from 'node:fs/promises'
import { INTEGER_MAX, WIRE_VERSION_MAX } from '../../../schemas/gen/ts/wire.ts'
import { toBase64url, utf8 } from '../../base/bytes.ts'
import { sentenceOf } from '../../base/error.ts'
import { type Hello, type Message, nativeEd25519, openEnvelope } from '../../core/envelope/index.ts'
import { idOf, keyOf, parseId } from '../../core/model/index.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import { fieldsOf, listOf, optionalBytesIn, textIn } from '../fields.ts'
import {
  devicesNamed,
  nameRelease,
  type Rollout,
  readImage,
  releaseKey,
  requireTrust,
  rolloutIn,
  sayDevice,
  sayRollout,
  sealImage,
  upload,
} from '../firmware/index.ts'
import { openDesk } from '../people/index.ts'
import { sha256 } from '../person.ts'
import { parseJson } from '../reach/index.ts'
import type { Tools } from '../tools.ts'
import { group, verb } from '../verb.ts'
import { type Step, table } from '../voice.ts'

const TARGET = { type: 'string', demandOption: true, describe: 'a device or a group, by name' } as const
const KEY_FILE = { type: 'string', describe: 'file of another release key than your own' } as const

const seal = verb({
  command: 'seal <program>',
  says: 'Makes an image file of a built program, sealed by a release key; your own is made at first',
  examples: [
    ['firmware seal porch-light.bin', 'what it is and for which board, the program says itself'],
    [
      'firmware seal porch-light.bin --sequence 7',
      'the same image once more, after devices came back from it',
    ],
  ],
  options: (cli) =>
    cli
      .positional('program', { type: 'string', demandOption: true, describe: 'file of the built program' })
      .option('out', { type: 'string', describe: 'the image file; without, <app>-<version>.shallot' })
      .option('key', KEY_FILE)
      .option('sequence', { type: 'string', describe: 'a higher number than the one that is compiled in' })
      .option('from', { type: 'string', describe: 'only for devices that run at least this sequence' })
      .option('wire', { type: 'string', describe: 'only for devices that speak at least this wire version' }),
  async run(tools, args) {
    const conditions = {
      sequence: parseNumber(args.sequence, '--sequence', INTEGER_MAX),
      from: parseNumber(args.from, '--from', INTEGER_MAX),
      wire: parseNumber(args.wire, '--wire', WIRE_VERSION_MAX),
    }
    const program = await readProgram(args.program)
    const key = () => releaseKey(tools.random, tools.configured.config.owner, args.key)
    const sealed = sealImage(tools, program, key, conditions)
    const { audience, firmware, imageClass, vendor, imageSequence, size } = sealed.manifest
    const out = args.out ?? `${firmware.replace(' ', '-')}.shallot`
    await writeFile(out, sealed.file)
    const about = { firmware, class: imageClass, vendor, sequence: imageSequence, size }
    const image = toBase64url(sealed.digest)
    tools.voice.tell({ ok: true, file: out, image, ...about, key: audience }, () =>
      [
        `${out}: ${firmware} for ${imageClass}, sequence ${imageSequence}, ${size} bytes`,
        `  sealed by the release key ${audience}`,
      ].join('\n'),
    )
  },
})

const trust = verb({
  command: 'trust <target> [key]',
  says: 'Says whose images a device may boot; without a key, your own',
  examples: [
    ['firmware trust porch-light', 'images that you seal'],
    ['firmware trust lights --nobody', 'no images any more'],
  ],
  options: (cli) =>
    cli
      .positional('target', TARGET)
      .positional('key', { type: 'string', describe: 'a release key, 43 characters' })
      .option('nobody', { type: 'boolean', default: false, describe: 'no release key at all' }),
  async run(tools, args) {
    const id = args.key === undefined ? undefined : parseId(args.key)
    if (args.key !== undefined && (!id || args.nobody)) {
      throw new CliError('usage', 'a release key is 43 characters, and --nobody takes none')
    }
    const desk = await openDesk(tools, 'saying whose firmware a device may run')
    const things = devicesNamed(desk, args.target)
    const own = () => releaseKey(tools.random, desk.directory, undefined).key
    const release = args.nobody ? undefined : id ? keyOf(id) : own()
    for (const thing of things) await nameRelease(desk, thing, release)
    const devices = things.map(({ id, name }) => ({ id, name }))
    const key = release ? idOf(release) : null
    tools.voice.tell({ ok: true, devices, key }, () => {
      const names = devices.map(({ name }) => name).join(', ')
      return key ? `${names}: boots what ${key} seals` : `${names}: boots no images any more`
    })
  },
})

const push = verb({
  command: 'push <target> <image>',
  says: 'Updates a device, or a group in stages; halts by itself when one fails; shows how far it is',
  examples: [
    ['firmware push porch-light porch-light-0.2.0.shallot', 'one device'],
    ['firmware push lights porch-light-0.2.0.shallot', 'one, then a quarter, then all'],
    ['firmware push lights porch-light-0.2.0.shallot --stage 2,5', 'two, then five, then all'],
  ],
  options: (cli) =>
    cli
      .positional('target', TARGET)
      .positional('image', { type: 'string', demandOption: true, describe: 'file made by `firmware seal`' })
      .option('stage', { type: 'string', describe: 'how many devices in each stage, with commas between' })
      .option('wait', { type: 'boolean', default: true, describe: 'show it to the end; --no-wait to leave' }),
  async run(tools, args) {
    const stages = parseStages(args.stage)
    const { manifest, file } = await readImage(args.image)
    const desk = await openDesk(tools, 'updating devices')
    requireTrust(devicesNamed(desk, args.target), manifest.signer)
    const digest = sha256(manifest.frame)
    {
      using step = tools.voice.working('handing the image in')
      await upload(desk.api, file, digest, (got) =>
        step.say(`handing the image in: ${got} of ${file.length} bytes`),
      )
    }
    const begun = await desk.api.send('POST', '/rollouts', {
      image: toBase64url(digest),
      target: args.target,
      stages,
    })
    const rollout = rolloutIn(begun)
    tools.voice.tell({ ok: true, stage: 'started', ...rollout }, () => sayRollout(rollout))
    if (args.wait) await follow(tools, desk.api, rollout)
  },
})

/** Until it is over. Ctrl-C ends the watching, not the roll-out. */
async function follow(tools: Tools, api: Api, begun: Rollout): Promise<void> {
  using step = tools.voice.working(sayRollout(begun))
  const told = new Map<string, string>()
  let latest = begun
  for await (const { data } of await api.events(`/rollouts/${begun.id}`)) {
    latest = rolloutIn(parseJson(utf8(data)))
    tellProgress(tools, latest, told, step)
  }
  if (latest.state === 'done') return
  const failed = latest.devices.find(({ state }) => state === 'failed')
  if (failed) {
    throw new CliError(
      failed.code ?? 'update-returned',
      `the roll-out halted: ${failed.name} ${sayDevice(latest, failed)}`,
      { next: 'see `shallot firmware status`; others keep what they run' },
    )
  }
  if (latest.state === 'stopped') throw new CliError('stopped', 'an owner stopped this roll-out')
  throw new CliError('unreachable', 'the home ended the connection; the roll-out goes on', {
    next: 'see `shallot firmware status`',
  })
}

/** For scripts each change as one object; for people a line for what stays, and what moves in the line below. */
function tellProgress(tools: Tools, rollout: Rollout, told: Map<string, string>, step: Step): void {
  tools.voice.tell({ stage: 'progress', ...rollout }, () => '')
  if (tools.voice.json) return
  for (const each of rollout.devices) {
    const isMoving = each.state === 'receiving' || each.state === 'waiting'
    const line = `${each.name} ${sayDevice(rollout, each)}`
    if (isMoving || told.get(each.device) === line) continue
    told.set(each.device, line)
    step.clear()
    tools.voice.say(line)
  }
  const moving = rollout.devices.filter(({ state }) => state === 'receiving')
  const parts = moving.map((each) => `${each.name} ${sayDevice(rollout, each)}`)
  step.say([sayRollout(rollout), ...parts].join('; '))
}

const status = verb({
  command: 'status [device]',
  isUsual: true,
  says: 'What each device runs, and how roll-outs stand',
  examples: [['firmware status porch-light', '']],
  options: (cli) => cli.positional('device', { type: 'string', describe: 'name or id; without, all' }),
  async run(tools, args) {
    const owner = await tools.owner('seeing what devices run')
    const api = await tools.api()
    const home = fieldsOf(await api.get('/home'), 'a picture of the home')
    const all = listOf(home.things, 'a list of devices').map((each) =>
      standingIn(fieldsOf(each, 'a device'), owner.home),
    )
    const devices = all.filter(({ id, name }) => [undefined, id, name].includes(args.device))
    if (args.device !== undefined && devices.length === 0) {
      throw new CliError('not-found', `no device is called ${JSON.stringify(args.device.slice(0, 64))}`)
    }
    const rollouts = rolloutsIn(await api.get('/rollouts')).filter((rollout) =>
      rollout.devices.some(({ device }) => devices.some(({ id }) => id === device)),
    )
    tools.voice.tell({ ok: true, devices, rollouts }, () => sayStatus(devices, rollouts))
  },
})

interface Standing {
  readonly id: string
  readonly name: string
  readonly board: string | null
  readonly firmware: string | null
  readonly sequence: number | null
  readonly standing: string | null
  readonly tried: number | null
}

/** From the hello that the device sealed; what no hello says, and what is not sealed by it, is not known. */
function standingIn(thing: ReturnType<typeof fieldsOf>, home: string): Standing {
  const id = textIn(thing, 'id').replace(/^urn:shallot:/, '')
  const frame = optionalBytesIn(thing, 'hello')
  const opened =
    frame &&
    openEnvelope(
      frame,
      {
        sizeMax: 1024,
        accepts: (body, signer) => body.type === 'hello' && idOf(signer) === id,
        isAudience: (body) => body.audience === home,
      },
      nativeEd25519(),
    )
  const hello = opened?.ok ? (opened.value as Message<Hello>).body : undefined
  return {
    ...{ id, name: textIn(thing, 'name') },
    board: hello?.board ?? null,
    firmware: hello?.firmware ?? null,
    sequence: hello?.image?.running ?? null,
    standing: hello?.image?.standing ?? null,
    tried: hello?.image?.tried ?? null,
  }
}

function rolloutsIn(said: unknown): readonly Rollout[] {
  return listOf(fieldsOf(said, 'roll-outs').rollouts, 'roll-outs').map(rolloutIn)
}

function sayStatus(devices: readonly Standing[], rollouts: readonly Rollout[]): string {
  const rows = devices.map(({ name, board, firmware, sequence, standing, tried }) => [
    name,
    firmware ?? 'not known',
    board ?? '',
    sequence === null ? '' : String(sequence),
    standing === 'returned' ? `came back from ${tried}` : (standing ?? ''),
  ])
  const shown = rollouts
    .slice(-5)
    .flatMap((rollout) => [
      `#${rollout.id} ${sayRollout(rollout)}`,
      ...rollout.devices.map((each) => `  ${each.name} ${sayDevice(rollout, each)}`),
    ])
  const all =
    rows.length === 0 ? 'There are no devices.' : table([['name', 'runs', 'board', 'image', ''], ...rows])
  return shown.length === 0 ? all : `${all}\n\n${shown.join('\n')}`
}

const stop = verb({
  command: 'stop [rollout]',
  says: 'Stops a roll-out: nobody else is offered the image; who runs it keeps it',
  examples: [['firmware stop', 'the one that is under way']],
  options: (cli) =>
    cli.positional('rollout', { type: 'string', describe: 'its number, when several are under way' }),
  async run(tools, args) {
    const wanted = parseNumber(args.rollout?.replace(/^#/, ''), 'the roll-out', INTEGER_MAX)
    await tools.owner('stopping a roll-out')
    const api = await tools.api()
    const running = rolloutsIn(await api.get('/rollouts')).filter(({ state }) => state === 'running')
    const found = wanted === undefined ? running : running.filter(({ id }) => id === wanted)
    if (found.length === 0) throw new CliError('not-found', 'no such roll-out is under way')
    if (found.length > 1) {
      throw new CliError('conflict', `${found.length} roll-outs are under way`, {
        next: `name one: ${found.map(({ id, target }) => `#${id} (${target})`).join(', ')}`,
      })
    }
    const stopped = rolloutIn(await api.send('DELETE', `/rollouts/${found[0]!.id}`))
    tools.voice.tell({ ok: true, ...stopped }, () => sayRollout(stopped))
  },
})

async function readProgram(path: string): Promise<Uint8Array> {
  try {
    return Uint8Array.from(await readFile(path))
  } catch (cause) {
    throw new CliError('missing', `${path} cannot be read: ${sentenceOf(cause)}`, { cause })
  }
}

/** @throws CliError usage */
function parseNumber(text: string | undefined, what: string, most: number): number | undefined {
  if (text === undefined) return undefined
  const number = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN
  if (number <= most) return number
  throw new CliError('usage', `${what} is a whole number from 1 to ${most}`)
}

/** @throws CliError usage */
function parseStages(text: string | undefined): readonly number[] {
  if (text === undefined) return []
  if (/^[1-9]\d{0,4}(?:,[1-9]\d{0,4}){0,15}$/.test(text)) return text.split(',').map(Number)
  throw new CliError('usage', '--stage is one number of devices or several with commas between, such as 1,5')
}

export const firmware = group('firmware', 'Images for devices: sealed, rolled out in stages, watched', [
  push,
  status,
  seal,
  trust,
  stop,
])
