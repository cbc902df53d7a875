// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { codeOf, sentenceOf } from '../../base/error.ts'
import type { Log } from '../../base/log.ts'
import type { PartyId } from '../../core/model/index.ts'

/** Refusals of strangers written out between two sweeps; a flood of them must not become a flood of lines. */
const STRANGERS_LINES_MAX = 20

/** The link's lines in the daemon's log: codes, ids and addresses; never bytes that a peer sent. */
export class LinkDiary {
  readonly #log: Log
  #strangers = 0

  constructor(log: Log) {
    this.#log = log
  }

  listening(host: string, port: number): void {
    this.#log.say('info', 'link-listening', { host, port })
  }

  refused(code: Code, address: string, device?: PartyId, detail?: string): void {
    if (device === undefined && ++this.#strangers > STRANGERS_LINES_MAX) return
    this.#log.say('warn', 'link-refused', { code, address, device, detail })
  }

  tlsFailed(error: unknown, address: string | undefined): void {
    if (++this.#strangers > STRANGERS_LINES_MAX) return
    this.#log.say('warn', 'link-refused', { code: 'tls-failed', address, detail: codeOf(error) })
  }

  deviceOpened(device: PartyId, address: string, resumed: boolean): void {
    this.#log.say('info', 'device-opened', { device, address, resumed })
  }

  deviceGone(device: PartyId, why: Code): void {
    this.#log.say('info', 'device-gone', { device, why })
  }

  deviceEnrolled(device: PartyId, name: string, again: boolean): void {
    this.#log.say('info', 'device-enrolled', { device, name, again })
  }

  /** @param rescued  its certificate had ended */
  deviceRenewed(device: PartyId, rescued: boolean): void {
    this.#log.say('info', 'device-renewed', { device, rescued })
  }

  /** @param given  false: the key in its hello is no point of the curve */
  serverCertified(device: PartyId, given: boolean): void {
    if (given) this.#log.say('info', 'device-server-certified', { device })
    else this.#log.say('warn', 'device-server-refused', { device, code: 'bad-key' })
  }

  deskFailed(device: PartyId, error: unknown): void {
    this.#log.say('error', 'link-desk-failed', { device, code: codeOf(error), message: sentenceOf(error) })
  }

  serverFailed(error: unknown): void {
    this.#log.say('error', 'link-server-failed', { code: codeOf(error), message: sentenceOf(error) })
  }

  /** Ends a period: says how many strangers were refused beyond those that have a line. */
  settle(): void {
    const untold = this.#strangers - STRANGERS_LINES_MAX
    this.#strangers = 0
    if (untold > 0) this.#log.say('warn', 'link-refused-more', { count: untold })
  }
}
