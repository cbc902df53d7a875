// SPDX-License-Identifier: GPL-3.0-or-later
import { Latch } from '../../base/lifetime.ts'
import { fieldsOf } from './reply.ts'

/** How far tor has come in joining the network, as tor tells it. */
export interface BootstrapState {
  /** 0 to 100. */
  readonly percent: number
  /** In tor's words, with its warning when it has one. */
  readonly summary: string
  readonly ready: boolean
}

/** Reads tor's bootstrap phase, from GETINFO or from a STATUS_CLIENT event; undefined when the text is none. */
export function parseBootstrap(text: string): BootstrapState | undefined {
  const phase = /\bBOOTSTRAP (.*)$/.exec(text)
  if (phase === null) return undefined
  const fields = fieldsOf(phase[1]!)
  const progress = fields.get('PROGRESS') ?? ''
  if (!/^(?:\d\d?|100)$/.test(progress)) return undefined
  const percent = Number(progress)
  const warning = fields.get('WARNING')
  const summary = (fields.get('SUMMARY') ?? '') + (warning === undefined ? '' : `: ${warning}`)
  return { percent, summary: summary.slice(0, 200), ready: percent === 100 }
}

/** The current state and a way to wait until it is ready; a lost tor begins it anew. */
export class Bootstrap {
  #state: BootstrapState = { percent: 0, summary: 'Starting tor', ready: false }
  #ready = new Latch<void>()
  readonly #changed: (state: BootstrapState) => void

  constructor(changed: (state: BootstrapState) => void) {
    this.#changed = changed
  }

  get state(): BootstrapState {
    return this.#state
  }

  get ready(): Promise<void> {
    return this.#ready.promise
  }

  hear(text: string): void {
    const state = parseBootstrap(text)
    if (state !== undefined) this.#become(state)
  }

  lost(summary: string): void {
    if (this.#state.ready) this.#ready = new Latch()
    this.#become({ percent: 0, summary, ready: false })
  }

  #become(state: BootstrapState): void {
    const { percent, summary } = this.#state
    if (state.percent === percent && state.summary === summary) return
    // Tor tells of trouble after it was ready too, at the percentage it fell back to; circuits still stand then.
    if (this.#state.ready && !state.ready && state.percent > 0) return
    this.#state = state
    if (state.ready) this.#ready.open()
    this.#changed(state)
  }
}
