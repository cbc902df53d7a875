// SPDX-License-Identifier: GPL-3.0-or-later
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { PROVISION_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { codeOf } from '../../base/error.ts'
import { Secret } from '../../base/secret.ts'
import { createPrivateFile, readPrivateText } from '../../config/vault.ts'
import { CliError } from '../error.ts'
import { dropPending, type Pending } from '../pending.ts'
import { ask, keyboardOf, readAll } from '../prompt.ts'
import { openSerial } from '../reach/serial.ts'
import { faultOfWifi, headerOf, type Self, Talk, type Wifi, writeProvision } from '../serial/index.ts'
import type { Tools } from '../tools.ts'
import { typedLast } from '../typed.ts'
import { verb } from '../verb.ts'
import { requireName } from './device-name.ts'
import { drawCode, finish } from './enrol.ts'

interface Args {
  readonly name: string | undefined
  readonly port: string | undefined
  readonly header: string | undefined
  readonly wifi: string | undefined
  readonly 'password-file': string | undefined
  readonly again: boolean
}

export const provision = verb<Args>({
  command: 'provision [name]',
  says: 'Hands a device its Wi-Fi and its enrolment code over a cable, waits for it, and confirms it',
  examples: [
    ['provision porch-light --port /dev/ttyUSB0', 'asks for the Wi-Fi and its password, which is not shown'],
    [
      'provision porch-light --port /dev/ttyUSB0 --wifi Home --password-file wifi.txt',
      'for scripts; or standard input',
    ],
    ['provision --port /dev/ttyUSB0 --wifi Home', 'only another Wi-Fi'],
    [
      'provision porch-light --header provision.h --wifi Home',
      'for a board without a cable: compile the file in',
    ],
  ],
  options: (cli) =>
    cli
      .positional('name', {
        type: 'string',
        describe: 'what the device will be called; none: only its Wi-Fi changes',
      })
      .option('port', { type: 'string', describe: 'the serial port that the board is on' })
      .option('header', {
        type: 'string',
        describe: 'write a new C header (0600) with these secrets instead',
      })
      .option('wifi', { type: 'string', describe: 'the name of the Wi-Fi' })
      .option('password-file', { type: 'string', describe: 'a file (0600) with its password' })
      .option('again', {
        type: 'boolean',
        default: false,
        describe: 'also a device that is enrolled already',
      }),
  async run(tools, args) {
    if (args.name !== undefined) requireName(args.name)
    if ((args.port === undefined) === (args.header === undefined)) {
      throw new CliError('usage', 'say where the device is: --port /dev/ttyUSB0, or --header and a file', {
        next: 'see `shallot provision --help`',
      })
    }
    if (args.port !== undefined) await overCable(tools, args, args.port)
    else await intoHeader(tools, args, args.header!)
  },
})

async function overCable(tools: Tools, args: Args, port: string): Promise<void> {
  const { voice, clock, random, signal } = tools
  await using line = await openSerial(clock, resolve(tools.workingDirectory, port), signal)
  const talk = new Talk({ clock, random, line })
  const self = await meet(tools, talk, port)
  voice.tell(
    { ok: true, stage: 'device', port, ...self },
    () => `${self.board} with ${self.firmware} is on ${port}.`,
  )
  requireSense(args, self, port)
  const wifi = wantsWifi(args, self) ? await readWifi(tools, args) : undefined
  const enrolling = args.name === undefined ? undefined : await drawCode(tools, args.name)
  const whole = writeProvision({ ...(wifi && { wifi }), ...(enrolling && { code: enrolling.code }) })
  try {
    await follow(tools, talk, whole)
  } catch (error) {
    throw enrolling && error instanceof CliError ? await afterHanding(tools, error, enrolling.pending) : error
  }
  if (enrolling) await finish(tools, enrolling.pending)
  else
    voice.tell(
      { ok: true, stage: 'done', wifi: wifi!.name },
      () => `It is in the Wi-Fi ${wifi!.name}, and keeps it.`,
    )
}

async function meet(tools: Tools, talk: Talk, port: string): Promise<Self> {
  using _step = tools.voice.working(`looking for a device on ${port}`)
  return await talk.meet()
}

/** @throws CliError conflict | usage */
function requireSense({ name, wifi, again }: Args, self: Self, port: string): void {
  if (name !== undefined && self.isEnrolled && !again) {
    throw new CliError('conflict', `the device on ${port} is enrolled already`, {
      next: 'to enrol it anew, with a new key, say --again; to change its Wi-Fi alone, leave the name out',
    })
  }
  if (wifi !== undefined && !self.hasWifi) {
    throw new CliError('usage', `the device on ${port} has no Wi-Fi: leave --wifi out`)
  }
  if (name === undefined && !self.hasWifi) {
    throw new CliError(
      'usage',
      `the device on ${port} has no Wi-Fi, so there is nothing to hand over without a name`,
    )
  }
}

/** A device that knows a network keeps it, unless another is named. */
function wantsWifi({ name, wifi }: Args, self: Self): boolean {
  return self.hasWifi && (wifi !== undefined || name === undefined || !self.knowsWifi)
}

/** @throws CliError usage | bad-value | missing | too-open */
async function readWifi(tools: Tools, args: Args): Promise<Wifi> {
  const keyboard = keyboardOf()
  if (args.wifi === undefined && !keyboard) {
    throw new CliError('usage', 'say which Wi-Fi the device is to join: --wifi and its name')
  }
  const name = args.wifi ?? (await ask(keyboard!, 'Name of the Wi-Fi: ', { hidden: false }, tools.signal))
  const wifi = { name, password: await readPassword(tools, name, args['password-file']) }
  const fault = faultOfWifi(wifi)
  if (fault !== undefined) throw new CliError('bad-value', fault)
  return wifi
}

/** Never from the command line, which every program on the machine can read. */
async function readPassword(tools: Tools, name: string, file: string | undefined): Promise<Secret<string>> {
  if (file !== undefined) return new Secret(firstLine(readPrivateText(resolve(tools.workingDirectory, file))))
  const keyboard = keyboardOf()
  if (!keyboard) return new Secret(firstLine(await readAll(process.stdin)))
  const question = `Password of ${name} (not shown; none for an open network): `
  return new Secret(await ask(keyboard, question, { hidden: true }, tools.signal))
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0]!
}

const STAGE_WORDS: Readonly<Record<string, string>> = {
  joining: 'the device is joining the Wi-Fi',
  enrolling: 'the device is enrolling at the home',
  waiting: 'the device does not reach the home yet, and tries again',
}

async function follow(tools: Tools, talk: Talk, whole: Uint8Array): Promise<void> {
  const { voice } = tools
  using step = voice.working('handing over')
  await talk.hand(whole)
  for await (const { stage, code } of talk.outcome()) {
    const words = STAGE_WORDS[stage]
    if (words === undefined) continue
    step.say(words)
    if (voice.json) voice.tell({ ok: true, stage, code }, () => '')
  }
}

/** What was handed over may work all the same, when only the cable is lost. */
async function afterHanding(tools: Tools, error: CliError, { name, permit }: Pending): Promise<CliError> {
  if (error.code !== 'silent' && error.code !== 'link-closed') {
    await dropPending(tools.configured.config.owner, permit)
    return error
  }
  const next = `if the device has its code by now, it goes on without the cable: \`shallot enrol --confirm ${typedLast(name)}\` finishes. Else run this again`
  return new CliError(error.code, error.message, { cause: error, next })
}

async function intoHeader(tools: Tools, args: Args, file: string): Promise<void> {
  const { voice } = tools
  const wifi = args.wifi === undefined ? undefined : await readWifi(tools, args)
  if (!wifi && args.name === undefined) {
    throw new CliError('usage', 'there is nothing to write: say a name, --wifi, or both')
  }
  const path = resolve(tools.workingDirectory, file)
  // Before a code is drawn: one that reaches nobody would be what --confirm waits for.
  if (existsSync(path)) throw notWritten(path, 'is there already')
  const enrolling = args.name === undefined ? undefined : await drawCode(tools, args.name)
  const whole = writeProvision({ ...(wifi && { wifi }), ...(enrolling && { code: enrolling.code }) })
  if (whole.length > PROVISION_BYTES_MAX) throw new CliError('bad-value', 'this is more than a device takes')
  try {
    createPrivateFile(path, headerOf(whole))
  } catch (cause) {
    if (enrolling) await dropPending(tools.configured.config.owner, enrolling.pending.permit)
    throw notWritten(path, codeOf(cause) === 'EEXIST' ? 'is there already' : 'cannot be written', cause)
  }
  const enrolled = enrolling && {
    name: enrolling.pending.name,
    expiresAt: enrolling.pending.expiresAt / 1000,
  }
  voice.tell({ ok: true, stage: 'header', header: path, ...(enrolled && { ...enrolled }) }, () =>
    [
      `${path} holds these secrets. Build with it, flash, and delete it and what was built:`,
      `  make -C firmware … PROVISION=${path}`,
      ...(enrolled
        ? [`The code in it is good for 15 minutes; then: shallot enrol --confirm ${typedLast(enrolled.name)}`]
        : []),
    ].join('\n'),
  )
}

function notWritten(path: string, why: string, cause?: unknown): CliError {
  return new CliError('conflict', `${path} ${why}, so nothing was handed over`, { cause })
}
