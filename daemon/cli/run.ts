// SPDX-License-Identifier: GPL-3.0-or-later
import { MessageChannel } from 'node:worker_threads'
import yargs, { type Argv } from 'yargs'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import type { Clock } from '../base/clock.ts'
import { codeOf, isCode, sentenceOf } from '../base/error.ts'
import type { Random } from '../base/random.ts'
import { type Key, nearest, SETTINGS, settingOfFlag } from '../config/index.ts'
import { markWords, takenForFlags, unmarkAll } from './dashed.ts'
import { type CliCode, CliError, EXIT, exitOf } from './error.ts'
import { gatherTools, type Tools } from './tools.ts'
import { type Act, type CommonFlags, PARSER, type Verb } from './verb.ts'
import { VERBS } from './verbs/index.ts'
import { type Streams, Voice } from './voice.ts'

export interface Invocation {
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
  readonly streams: Streams
}

/** Runs one command line. @returns the exit status; never rejects */
export async function runShallot(
  deps: { readonly clock: Clock; readonly random: Random },
  invocation: Invocation,
  signal: AbortSignal,
): Promise<number> {
  const { args, streams } = invocation
  // Errors of parsing come before there are parsed flags.
  const voice = new Voice(deps.clock, streams, wantsJson(args))
  using _alive = stayAlive()
  const act: Act = async (parsed, run) => {
    await using stack = new AsyncDisposableStack()
    const tools: Tools = await gatherTools(
      { ...deps, ...invocation, voice, signal },
      settingsIn(parsed),
      stack,
    )
    await run(tools)
  }
  try {
    const { text, isVersion } = await parse(args, act)
    if (text !== '') voice.tell({ ok: true, [isVersion ? 'version' : 'help']: text }, () => text)
    await requireTold(voice)
    return EXIT.done
  } catch (error) {
    return report(signal.aborted ? interruption(signal) : error, voice)
  }
}

/** A reader that hung up has seen enough; anything else took a result away that somebody waits for. @throws CliError internal */
async function requireTold(voice: Voice): Promise<void> {
  const cause = await voice.lost()
  if (cause && !isCode(cause, 'EPIPE')) throw unwritten(cause)
}

function unwritten(cause: Error): CliError {
  return new CliError('internal', `what was to be told could not be written: ${cause.message}`, { cause })
}

/** Timers of the clock do not keep a process alive; a command that waits must. */
function stayAlive(): Disposable {
  const { port1 } = new MessageChannel()
  port1.ref()
  port1.on('message', () => {})
  return { [Symbol.dispose]: () => port1.close() }
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  const flags = end < 0 ? args : args.slice(0, end)
  return flags.includes('--json') || flags.includes('--json=true')
}

const GROUPS = VERBS.filter(({ verbs }) => verbs.length > 0).map(({ name }) => name)

/** @returns the help or version text, if that is what was asked for, else '' */
async function parse(args: readonly string[], act: Act): Promise<{ text: string; isVersion: boolean }> {
  let [text, isVersion] = ['', false]
  const cli = VERBS.reduce<Argv<CommonFlags>>((all, each) => all.command(each.module(act)), grammar(args))
  await cli.parseAsync(
    markWords(args, GROUPS),
    {},
    (_error: unknown, parsed: CommonFlags & { version?: unknown }, output: string) => {
      text = output
      isVersion = parsed.version === true
    },
  )
  return { text, isVersion }
}

function grammar(args: readonly string[]): Argv<CommonFlags> {
  const client = Object.values(SETTINGS).filter(({ side }) => side !== 'daemon')
  let cli = yargs()
    .scriptName('shallot')
    .usage('$0 <verb>\n\nA home of your own devices, from this machine or from far away.')
    .parserConfiguration(PARSER)
    .option('json', {
      type: 'boolean',
      default: false,
      global: true,
      describe: 'one JSON object a line on stdout, errors too',
    })
    .demandCommand(1, 'say what to do')
    .strict()
    .locale('en')
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? misuse(unmarkAll(message), args)
    })
    .epilogue(
      'Exit status: 0 done, 2 usage, 3 refused, 4 unreachable or expired, 5 not found, 1 a fault of shallot itself.',
    )
    .wrap(Math.min(110, process.stdout.columns ?? 100))
  for (const { flag, says, env } of client) {
    cli = cli.option(flag, {
      type: 'string',
      global: true,
      describe: `${says} (${env})`,
      group: 'Where:',
    }) as typeof cli
  }
  return cli
}

const MISSING = 'Not enough non-option arguments'

/** What yargs has to say, and what to do. */
function misuse(message: string, args: readonly string[]): CliError {
  const help = `see \`shallot ${wordsOf(args)}--help\``
  const isWord = message.startsWith(MISSING) || message.startsWith('Unknown')
  // Of -lamp yargs says that it knows no l, a, m and p, or that something is missing.
  const dashed = isWord ? takenForFlags(args)?.slice(0, 100) : undefined
  if (dashed === undefined) return new CliError('usage', asSentence(message, args), { next: help })
  const next = `${help}; a name that begins with a dash stands behind \`--\``
  return new CliError('usage', `not understood here: ${dashed}`, { next })
}

function asSentence(message: string, args: readonly string[]): string {
  const choice = /^Invalid values:\s+Argument: (\S+), Given: (.{0,60}), Choices: (.*)$/.exec(message)
  if (choice) return `--${choice[1]} is one of ${choice[3]}, not ${choice[2]}`
  if (message.startsWith(MISSING)) return 'an argument is missing'
  const isOpen = message.startsWith('say what to do') || message.startsWith('Unknown')
  const verb = isOpen ? verbIn(args) : undefined
  if (verb !== undefined) return verb
  const unknown = /^Unknown arguments?: (.*)$/s.exec(message)?.[1]?.slice(0, 100)
  return unknown === undefined ? message : `not understood here: ${asTyped(unknown.split(', ')).join(', ')}`
}

/** yargs tells of an unknown flag with dashes a second time, without them. */
function asTyped(names: readonly string[]): string[] {
  const bare = names
    .filter((name) => name.includes('-'))
    .map((name) => name.replace(/-(.)/g, (_all, letter) => letter.toUpperCase()))
  return names.filter((name) => !bare.includes(name))
}

/**
 * That a word stands where a verb should, and which one it comes near: a slip of the finger, and not any word that is as short.
 * @returns undefined where no verb is wanted, or a flag is what is not understood
 */
function verbIn(args: readonly string[]): string | undefined {
  let verbs: readonly Verb[] = VERBS
  for (const [at, arg] of args.entries()) {
    const found = verbs.find(({ name }) => name === arg)
    if (!found && (arg.startsWith('-') || verbs.length === 0)) return undefined
    if (!found) {
      const near = nearest(
        arg,
        verbs.map(({ name }) => name),
        Math.max(1, Math.floor(arg.length / 3)),
      )
      const words = args
        .slice(0, at)
        .map((word) => `${word} `)
        .join('')
      const meant = near === undefined ? '' : `: did you mean ${words}${near}?`
      return `there is no verb ${words}${arg.slice(0, 40)}${meant}`
    }
    verbs = found.verbs
  }
  return undefined
}

/** The verb that was meant, with the word of its group before it, and a space behind each. */
function wordsOf(args: readonly string[]): string {
  let verbs: readonly Verb[] = VERBS
  let words = ''
  for (const arg of args) {
    const found = verbs.find(({ name }) => name === arg)
    if (!found) break
    words += `${arg} `
    verbs = found.verbs
  }
  return words
}

/** The settings among parsed flags. */
function settingsIn(parsed: Readonly<Record<string, unknown>>): Map<Key, unknown> {
  const settings = new Map<Key, unknown>()
  for (const [flag, value] of Object.entries(parsed)) {
    const key = settingOfFlag(flag)
    if (key && value !== undefined) settings.set(key, value)
  }
  return settings
}

function interruption({ reason }: AbortSignal): CliError {
  if (reason instanceof Error && 'syscall' in reason) return unwritten(reason)
  return new CliError('interrupted', `stopped by ${String(reason)}`)
}

/** Tells what went wrong, to whom it may concern. @returns the exit status */
function report(error: unknown, voice: Voice): number {
  const { code, next } = explain(error)
  const message = sentenceOf(error)
  voice.note(`shallot: ${message}`)
  if (next !== undefined) voice.note(`  ${next}`)
  if (voice.json) voice.tell({ ok: false, code, message, ...(next !== undefined && { next }) }, () => '')
  return exitOf(code)
}

function explain(error: unknown): { code: CliCode; next?: string | undefined } {
  if (error instanceof CliError) return error
  if (error instanceof Error && error.name === 'YError')
    return { code: 'usage', next: 'see `shallot --help`' }
  const code = codeOf(error)
  return { code: code !== undefined && Object.hasOwn(CODES, code) ? (code as CliCode) : 'internal' }
}
