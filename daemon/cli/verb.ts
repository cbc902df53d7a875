// SPDX-License-Identifier: GPL-3.0-or-later
import type { Argv, CommandModule } from 'yargs'
import { unmarkWords } from './dashed.ts'
import type { Tools } from './tools.ts'

/** What every verb takes beside its own arguments. */
export interface CommonFlags {
  readonly json: boolean
}

/** How yargs reads a command line: a flag that is said twice counts as it was said last. */
export const PARSER = {
  'dot-notation': false,
  'duplicate-arguments-array': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'boolean-negation': true,
} as const

export interface VerbSpec<A> {
  /** As yargs has it: `get <device> [property]`. */
  readonly command: string
  readonly says: string
  /** Lines to try, without the program's name, each with what it does. */
  readonly examples: readonly (readonly [string, string])[]
  /** In a group: also what the group's word alone does. */
  readonly isUsual?: boolean
  readonly options?: (cli: Argv<CommonFlags>) => Argv<A>
  readonly run: (tools: Tools, args: A) => Promise<void>
}

/** Runs a verb with its tools, whatever the verb's arguments are. */
export type Act = (
  args: Readonly<Record<string, unknown>>,
  run: (tools: Tools) => Promise<void>,
) => Promise<void>

/** A verb, or a group of verbs under one word. */
export interface Verb {
  readonly name: string
  readonly isUsual: boolean
  /** Of a group. */
  readonly verbs: readonly Verb[]
  /** @param under the words before it, each with a space behind */
  module(act: Act, under?: string): CommandModule<CommonFlags, CommonFlags>
}

export function verb<A>(spec: VerbSpec<A>): Verb {
  const isUsual = spec.isUsual === true
  const many = /[<[](\w+)\.\.[>\]]/.exec(spec.command)?.[1]
  return {
    name: spec.command.split(' ')[0]!,
    isUsual,
    verbs: [],
    module: (act, under = '') => ({
      command: isUsual ? [spec.command, '$0'] : spec.command,
      describe: spec.says,
      builder: (cli) => {
        const examples = spec.examples.map(([line, says]) => [`$0 ${line}`, says] as [string, string])
        const own = cli.usage(`$0 ${under}${spec.command}\n\n${spec.says}`).example(examples)
        // Without this yargs would keep the last of many words alone.
        if (many !== undefined) own.parserConfiguration({ ...PARSER, 'duplicate-arguments-array': true })
        // yargs knows the arguments of a verb only once this has run; the handler below gets exactly these.
        return (spec.options ? spec.options(own) : own) as Argv<CommonFlags>
      },
      handler: (args) => {
        const read = unmarkWords(args)
        const said = many === undefined ? read : lastOfEach(read, many)
        return act(said, (tools) => spec.run(tools, said as unknown as A))
      },
    }),
  }
}

function lastOfEach(args: object, many: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) =>
      name !== many && name !== '_' && Array.isArray(value) ? [name, value.at(-1)] : [name, value],
    ),
  )
}

export function group(command: string, says: string, verbs: readonly Verb[]): Verb {
  const hasUsual = verbs.some(({ isUsual }) => isUsual)
  return {
    name: command,
    isUsual: false,
    verbs,
    module: (act) => ({
      command: hasUsual ? `${command} [verb]` : `${command} <verb>`,
      describe: says,
      builder: (cli) => {
        // A usual verb brings its own usage, which yargs would print beneath the group's.
        let own = hasUsual ? cli : cli.usage(`$0 ${command} <verb>\n\n${says}`)
        for (const each of verbs) own = own.command(each.module(act, `${command} `))
        return hasUsual
          ? own
          : own.demandCommand(1, `say what to do with ${command}: see \`shallot ${command} --help\``)
      },
      handler: () => {},
    }),
  }
}
