// SPDX-License-Identifier: GPL-3.0-or-later
import { equal, fromHex } from '../../daemon/base/bytes.ts'
import { type No, no } from '../../daemon/base/error.ts'
import {
  admit,
  type Body,
  type Ed25519,
  openEnvelope,
  ReplayWindow,
} from '../../daemon/core/envelope/index.ts'

const AS_OWNER: ReadonlySet<string> = new Set([
  'member',
  'permit',
  'enrolment',
  'command',
  'request',
  'person',
  'holder',
  'grant',
  'revocation',
  'pairing',
])
const AS_DEVICE: ReadonlySet<string> = new Set(['hello', 'reading', 'receipt', 'act', 'still'])
const AS_HUB: ReadonlySet<string> = new Set(['welcome', 'enrolled', 'lease', 'beacon', 'direct'])

/** The receiver that a vector describes: its context fields, then its frames in order (SPEC 2.5). */
export class Receiver {
  readonly #ed25519: Ed25519
  readonly #keys: Record<'root' | 'owner' | 'hub' | 'device', Uint8Array[]> = {
    root: [],
    owner: [],
    hub: [],
    device: [],
  }
  readonly #windows = new Map<string, ReplayWindow>()
  #audience = ''
  #now = 0
  #nonce: Uint8Array | undefined
  #sizeMax = 0

  constructor(ed25519: Ed25519) {
    this.#ed25519 = ed25519
  }

  /** Takes one field of the context; false when it is not one. */
  learn(field: string, value: string): boolean {
    if (field === 'audience') this.#audience = value
    else if (field === 'now') this.#now = Number(value)
    else if (field === 'nonce') this.#nonce = fromHex(value)!
    else if (field === 'limit') this.#sizeMax = Number(value)
    else if (field === 'root' || field === 'owner' || field === 'hub' || field === 'device') {
      this.#keys[field].push(fromHex(value)!)
    } else return false
    return true
  }

  /** @returns the code reached */
  receive(frame: Uint8Array): string {
    const opened = openEnvelope(
      frame,
      {
        sizeMax: this.#sizeMax,
        accepts: (body, signer) => this.#accepts(body, signer),
        isAudience: (body) => body.audience === this.#audience,
      },
      this.#ed25519,
    )
    if (!opened.ok) return opened.why
    const { body, signer } = opened.value
    const windowed = body.type === 'command' || body.type === 'request'
    const window = windowed ? this.#window(signer) : undefined
    const admitted = admit(opened.value, { now: this.#now, nonce: this.#nonce, window })
    return admitted.ok ? 'ok' : admitted.why
  }

  /** What kind of message this is, whoever sealed it and for whom. */
  typeOf(frame: Uint8Array): string | undefined {
    const anybody = { sizeMax: this.#sizeMax, accepts: () => true, isAudience: () => true }
    const opened = openEnvelope(frame, anybody, this.#ed25519)
    return opened.ok ? opened.value.body.type : undefined
  }

  #accepts({ type }: Body, signer: Uint8Array): boolean | No<'no-release-key'> {
    const among = (keys: Uint8Array[]) => keys.some((key) => equal(key, signer))
    if (type === 'manifest') return no('no-release-key')
    if (type === 'owner' || type === 'pins') return among(this.#keys.root)
    if (type === 'enrol' || type === 'pair') return true
    if (AS_OWNER.has(type)) return among(this.#keys.owner)
    if (AS_DEVICE.has(type)) return among(this.#keys.device)
    return AS_HUB.has(type) && among(this.#keys.hub)
  }

  #window(signer: Uint8Array): ReplayWindow {
    const name = Buffer.from(signer).toString('hex')
    const window = this.#windows.get(name) ?? new ReplayWindow()
    this.#windows.set(name, window)
    return window
  }
}
