// SPDX-License-Identifier: GPL-3.0-or-later
import type { Argv, CommandModule } from 'yargs'
import type { Tools } from './tools.ts'

/** What every verb takes beside its own arguments. */
export interface CommonFlags {
  readonly json: boolean
}

export interface VerbSpec<A> {
  /** As yargs has it: `get <device> [property]`. */
  readonly command: string
  readonly says: string
  /** Lines to try, without the program's name, each with what it does. */
  readonly examples: readonly (readonly [string, string])[]
  readonly options?: (cli: Argv<CommonFlags>) => Argv<A>
  readonly run: (tools: Tools, args: A) => Promise<void>
}

/** Runs a verb with its tools, whatever the verb's arguments are. */
export type Act = (
  args: Readonly<Record<string, unknown>>,
  run: (tools: Tools) => Promise<void>,
) => Promise<void>

/** A verb, or a group of verbs under one word. */
export type Verb = (act: Act) => CommandModule<CommonFlags, CommonFlags>

export function verb<A>(spec: VerbSpec<A>): Verb {
  return (act) => ({
    command: spec.command,
    describe: spec.says,
    builder: (cli) => {
      const examples = spec.examples.map(([line, says]) => [`$0 ${line}`, says] as [string, string])
      const own = cli.usage(`$0 ${spec.command}\n\n${spec.says}`).example(examples)
      // yargs knows the arguments of a verb only once this has run; the handler below gets exactly these.
      return (spec.options ? spec.options(own) : own) as Argv<CommonFlags>
    },
    handler: (args) => act(args, (tools) => spec.run(tools, args as unknown as A)),
  })
}

/** A group whose word alone is one of its verbs: `usual` is a verb with the command `$0`. */
export function group(command: string, says: string, verbs: readonly Verb[], usual?: Verb): Verb {
  return (act) => ({
    command: usual ? `${command} [verb]` : `${command} <verb>`,
    describe: says,
    builder: (cli) => {
      let own = cli.usage(`$0 ${command} ${usual ? '[verb]' : '<verb>'}\n\n${says}`)
      for (const each of verbs) own = own.command(each(act))
      if (usual) return own.command(usual(act))
      return own.demandCommand(1, `say what to do with ${command}: see \`shallot ${command} --help\``)
    },
    handler: () => {},
  })
}
