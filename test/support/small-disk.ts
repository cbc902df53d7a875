// SPDX-License-Identifier: GPL-3.0-or-later
/** A disk of a few megabytes that one home alone sees (Linux, root): in a mount namespace, so that it goes with its keeper. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export class SmallDisk implements AsyncDisposable {
  readonly #keeper: ChildProcess
  readonly #path: string

  private constructor(keeper: ChildProcess, path: string) {
    this.#keeper = keeper
    this.#path = path
  }

  /** @param path  a folder that is there; in the namespace the disk stands in its place */
  static async open(path: string, megabytes: number): Promise<SmallDisk> {
    const mount = `mount -t tmpfs -o size=${megabytes}m,mode=700 tmpfs "$1" && echo up && exec sleep 900`
    const keeper = spawn('unshare', ['-m', 'sh', '-c', mount, 'sh', path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said] = await Promise.race([once(keeper.stdout!, 'data'), once(keeper, 'close')])
    if (!Buffer.isBuffer(said))
      throw new Error(`no disk could be mounted at ${path}: unshare ended with ${said}`)
    return new SmallDisk(keeper, path)
  }

  /** What to begin a command line with, so that it sees the disk. */
  get enter(): readonly string[] {
    return ['nsenter', '-t', String(this.#keeper.pid), '-m', '-r', '-w']
  }

  /** The disk from outside. */
  get place(): string {
    return `/proc/${this.#keeper.pid}/root${this.#path}`
  }

  /** Leaves room for so much. */
  fill(bytesLeft: number): void {
    const { bavail, bsize } = statfsSync(this.place)
    writeFileSync(this.#ballast, new Uint8Array(bavail * bsize - bytesLeft))
  }

  free(): void {
    rmSync(this.#ballast, { force: true })
  }

  get #ballast(): string {
    return join(this.place, 'ballast')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#keeper, 'exit')
    this.#keeper.kill('SIGKILL')
    await gone
  }
}
