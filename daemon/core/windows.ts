// SPDX-License-Identifier: GPL-3.0-or-later
import { REPLAY_WINDOW } from '../../schemas/gen/ts/wire.ts'
import { ReplayWindow } from './envelope/index.ts'

/** Signers remembered at once; only signers that passed the signature check get in, so strangers cannot fill it. */
const SIGNERS_MAX = 4096

/** The replay windows of many signers, by a name the caller makes; the least recently used goes first (SPEC 3.3). */
export class Windows {
  readonly #windows = new Map<string, ReplayWindow>()

  /** @param size, floor  of the window, when it is new */
  of(name: string, size: number = REPLAY_WINDOW, floor = 0): ReplayWindow {
    const window = this.#windows.get(name) ?? new ReplayWindow(size, floor)
    this.#windows.delete(name)
    if (this.#windows.size >= SIGNERS_MAX) this.#windows.delete(this.#windows.keys().next().value!)
    this.#windows.set(name, window)
    return window
  }
}
