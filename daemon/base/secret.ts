// SPDX-License-Identifier: GPL-3.0-or-later
import { inspect } from 'node:util'

/** Bytes or text that must never reach a log, an argument list or an error text: it prints as ••• everywhere. */
export class Secret<T extends Uint8Array | string = Uint8Array> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  /** The one way to the value; grep for it to see who reads secrets. */
  reveal(): T {
    return this.#value
  }

  toString(): string {
    return '•••'
  }

  toJSON(): string {
    return '•••'
  }

  [inspect.custom](): string {
    return '•••'
  }
}
