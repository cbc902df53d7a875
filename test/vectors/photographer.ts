// SPDX-License-Identifier: GPL-3.0-or-later
/** The camera that the vectors of stills describe: it has said what picture it has, and hears the hub's notes (SPEC 19.3). */
import { readHere, StillSender } from '../../scripts/device/index.ts'

const CONTEXT = ['home', 'audience', 'now', 'nonce', 'limit', 'root', 'hub', 'device', 'picture']

export class Photographer {
  #now = 0
  #sender: StillSender | undefined

  /** Takes one field of the context; false when it is not one. */
  learn(field: string, value: string): boolean {
    if (field === 'now') this.#now = Number(value) * 1000
    if (field === 'picture') this.#sender = new StillSender(pictureOf(Number(value)))
    return CONTEXT.includes(field)
  }

  /** @returns the code reached */
  receive(frame: Uint8Array): string {
    this.#say()
    const note = readHere(frame)
    if (!note || !this.#sender) return 'bad-note'
    const reached = this.#sender.here(note, this.#now)
    this.#say()
    return reached
  }

  #say(): void {
    this.#sender?.sayIfDue(this.#now)
    this.#sender?.pieces()
  }
}

export function pictureOf(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => at * 5)
}
