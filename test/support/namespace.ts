// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Network namespaces (Linux, root): places without any network but what is put there. What is tried in one is counted by its
 * kernel, also what it refuses.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** What has left, or was to leave, a namespace since it was made. */
export interface Attempts {
  /** TCP connections that were begun from inside. */
  readonly connects: number
  /** UDP datagrams sent. */
  readonly datagrams: number
  readonly icmp: number
  /** Sent, or to be sent, to an address that no route leads to. */
  readonly noRoute: number
  /** Packets on the loopback. */
  readonly loopback: number
}

export class Namespace implements AsyncDisposable {
  readonly #keeper: ChildProcess

  private constructor(keeper: ChildProcess) {
    this.#keeper = keeper
  }

  /** Empty: a loopback that is up, so that what is tried on it is counted, and nothing else. */
  static async open(): Promise<Namespace> {
    const keeper = spawn('unshare', ['-n', 'sh', '-c', 'ip link set lo up && echo up && exec sleep 900'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(keeper.stdout!, 'data')
    return new Namespace(keeper)
  }

  get pid(): number {
    return this.#keeper.pid!
  }

  /** What to begin a command line with, so that it runs in here. */
  get enter(): readonly [string, ...string[]] {
    return ['nsenter', '-t', String(this.pid), '-n']
  }

  run(...command: readonly string[]): string {
    const [program, ...args] = this.enter
    return execFileSync(program, [...args, ...command], { encoding: 'utf8', timeout: 20_000 })
  }

  /** A cable between two namespaces, IPv4 alone, without a way to anywhere else. */
  static cable(a: Namespace, addressOfA: string, b: Namespace, addressOfB: string): void {
    a.run('ip', 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'lan', 'netns', String(b.pid))
    for (const [space, address] of [
      [a, addressOfA],
      [b, addressOfB],
    ] as const) {
      space.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/lan/disable_ipv6')
      space.run('ip', 'address', 'add', `${address}/24`, 'dev', 'lan')
      space.run('ip', 'link', 'set', 'lan', 'up')
    }
  }

  attempts(): Attempts {
    const snmp = this.#read('snmp')
    const loopback = /^\s*lo:\s*(.*)$/m.exec(this.#read('dev'))![1]!.trim().split(/\s+/)
    return {
      connects: counter(snmp, 'Tcp', 'ActiveOpens'),
      datagrams: counter(snmp, 'Udp', 'OutDatagrams'),
      icmp: counter(snmp, 'Icmp', 'OutMsgs'),
      noRoute: counter(snmp, 'Ip', 'OutNoRoutes'),
      loopback: Number(loopback[9]),
    }
  }

  #read(name: string): string {
    return readFileSync(`/proc/${this.pid}/net/${name}`, 'utf8')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#keeper, 'exit')
    this.#keeper.kill('SIGKILL')
    await gone
  }
}

/** Of /proc/net/snmp: a line of names, then a line of values. */
function counter(snmp: string, protocol: string, name: string): number {
  const [names, values] = snmp
    .split('\n')
    .filter((line) => line.startsWith(`${protocol}:`))
    .map((line) => line.split(' '))
  return Number(values![names!.indexOf(name)])
}
