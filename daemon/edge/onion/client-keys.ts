// SPDX-License-Identifier: GPL-3.0-or-later
import type { Secret } from '../../base/secret.ts'
import { serviceIdOf } from './address.ts'
import type { Control } from './control.ts'

/** Keys by which our tor reads the descriptors of others' addresses; given again to every tor there is. */
export class ClientKeys {
  readonly #keys = new Map<string, Secret>()
  #control: Control | undefined

  async unlock(address: string, key: Secret): Promise<void> {
    this.#keys.set(address, key)
    if (this.#control) await give(this.#control, address, key)
  }

  async lock(address: string): Promise<void> {
    if (!this.#keys.delete(address)) return
    await this.#control?.command(`ONION_CLIENT_AUTH_REMOVE ${serviceIdOf(address)}`)
  }

  /** From now on in this tor, until disposed. */
  async serve(control: Control): Promise<Disposable> {
    this.#control = control
    for (const [address, key] of this.#keys) await give(control, address, key)
    return {
      [Symbol.dispose]: () => {
        if (this.#control === control) this.#control = undefined
      },
    }
  }
}

async function give(control: Control, address: string, key: Secret): Promise<void> {
  await control.command(`ONION_CLIENT_AUTH_ADD ${serviceIdOf(address)} x25519:${key.reveal().toBase64()}`)
}
