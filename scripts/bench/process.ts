// SPDX-License-Identifier: GPL-3.0-or-later
/** What the system says of a process of ours (Linux, proc(5)). */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** Clock ticks a second, as proc(5) counts CPU time on every Linux that Node runs on. */
const TICKS_PER_S = 100

/** CPU seconds used so far, in all threads; a hundredth is the finest there is. */
export function cpuSeconds(pid: number): number {
  // The name in parentheses may hold blanks; utime and stime are fields 14 and 15, the 12th and 13th after it.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S
}

/** Resident set, KiB. */
export function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
}

/** A helper of the bench in a process of its own, that answers each question with one message. */
export class Helper implements AsyncDisposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Starts `module`, tells it its argument, which may be long, and waits until it says that it is ready. */
  static async start<R>(module: string, argument: object): Promise<{ helper: Helper; ready: R }> {
    const child = fork(module, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const helper = new Helper(child)
    return { helper, ready: await helper.ask<R>(argument) }
  }

  get pid(): number {
    return this.#child.pid!
  }

  ask<A>(question: object): Promise<A> {
    const answer = this.#next()
    this.#child.send(question)
    return answer as Promise<A>
  }

  async #next(): Promise<unknown> {
    const ended = new AbortController()
    const exit = once(this.#child, 'exit', { signal: ended.signal }).then(([status]) => {
      throw new Error(`a helper of the bench ended with status ${status}`)
    })
    try {
      const [message] = await Promise.race([once(this.#child, 'message', { signal: ended.signal }), exit])
      return message
    } finally {
      exit.catch(() => {})
      ended.abort()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}

/** The other side: what this process was started with. */
export async function readArgument<A>(): Promise<A> {
  process.on('disconnect', () => process.exit())
  const [argument] = await once(process, 'message')
  return argument as A
}
