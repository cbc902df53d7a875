// SPDX-License-Identifier: GPL-3.0-or-later

export interface Step {
  readonly name: string
  readonly ms: number
}

/** Tells a person what is going on, and keeps how long each step took. */
export class Steps {
  readonly done: Step[] = []
  readonly #say: (line: string) => void

  constructor(say: (line: string) => void) {
    this.#say = say
  }

  say(line: string): void {
    this.#say(line)
  }

  async take<T>(name: string, doing: string, act: () => Promise<T>): Promise<T> {
    this.#say(`… ${doing}`)
    const began = performance.now()
    const result = await act()
    const ms = Math.round(performance.now() - began)
    this.done.push({ name, ms })
    this.#say(`✔ ${doing} (${(ms / 1000).toFixed(1)} s)`)
    return result
  }
}
