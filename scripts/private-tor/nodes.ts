// SPDX-License-Identifier: GPL-3.0-or-later
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../../daemon/base/clock.ts'
import { emptyFile, type Layout, type NodeName, nodeTorrc } from './torrc.ts'

const STOP_MS_MAX = 3000

/** The running tors of one network, started and ended by their process ids alone. */
export class Nodes {
  readonly #clock: Clock
  readonly #running = new Map<NodeName, ChildProcess>()
  readonly #onExit = () => this.#signal('SIGKILL')

  constructor(clock: Clock) {
    this.#clock = clock
    process.on('exit', this.#onExit)
  }

  pid(node: NodeName): number | undefined {
    return this.#running.get(node)?.pid
  }

  async start(layout: Layout, node: NodeName): Promise<void> {
    const torrc = join(layout.directory, node, 'torrc')
    await writeFile(torrc, nodeTorrc(layout, node, process.pid), { mode: 0o600 })
    // A process group of its own: Ctrl-C is for us, and we end the nodes when everybody else has let go of them.
    const tor = spawn('tor', ['--defaults-torrc', emptyFile(layout.directory), '-f', torrc, '--quiet'], {
      stdio: 'ignore',
      detached: true,
    })
    tor.on('error', () => {})
    this.#running.set(node, tor)
    await once(tor, 'spawn').catch((cause) => {
      this.#running.delete(node)
      throw new Error('tor is not installed (Debian package tor)', { cause })
    })
  }

  /** Ends one node at once, as a power cut would. */
  async kill(node: NodeName): Promise<void> {
    const tor = this.#running.get(node)
    this.#running.delete(node)
    if (tor === undefined || hasEnded(tor)) return
    tor.kill('SIGKILL')
    await once(tor, 'exit')
  }

  /** Throws when a node has ended by itself, with the last of what it said. */
  async assertAlive(layout: Layout): Promise<void> {
    for (const [node, tor] of this.#running) {
      if (!hasEnded(tor)) continue
      const log = await readFile(join(layout.directory, node, 'log'), 'utf8').catch(() => '')
      throw new Error(`${node} ended (${tor.exitCode ?? tor.signalCode}): ${log.slice(-500)}`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = [...this.#running.values()].filter((tor) => !hasEnded(tor)).map((tor) => once(tor, 'exit'))
    this.#signal('SIGTERM')
    const late = new AbortController()
    const timer = this.#clock.sleep(STOP_MS_MAX, late.signal).then(() => this.#signal('SIGKILL'))
    await Promise.all(ends)
    late.abort()
    await timer.catch(() => {})
    process.off('exit', this.#onExit)
  }

  #signal(signal: NodeJS.Signals): void {
    for (const tor of this.#running.values()) if (!hasEnded(tor)) tor.kill(signal)
  }
}

/** Whether something accepts a connection on 127.0.0.1:`port`. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(socket.destroy() !== undefined))
    socket.once('error', () => resolve(false))
  })
}

function hasEnded(tor: ChildProcess): boolean {
  return tor.exitCode !== null || tor.signalCode !== null
}
