// SPDX-License-Identifier: GPL-3.0-or-later
import type { Socket } from 'node:net'
import type { AbortOptions, Logger } from '@libp2p/interface'
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Uint8ArrayList } from 'uint8arraylist'

/** A stream through tor as libp2p has connections. */
export class SocketConnection extends AbstractMultiaddrConnection {
  readonly #socket: Socket

  constructor(socket: Socket, remoteAddr: Multiaddr, direction: 'inbound' | 'outbound', log: Logger) {
    super({ remoteAddr, direction, log })
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes: Uint8Array | string) => this.onData(bytes as Uint8Array))
    socket.on('drain', () => this.safeDispatchEvent('drain'))
    socket.on('error', (error) => this.abort(error))
    socket.once('end', () => this.onTransportClosed())
    socket.once('close', () => this.onTransportClosed())
  }

  sendData(data: Uint8ArrayList): SendResult {
    let sentBytes = 0
    let canSendMore = true
    this.#socket.cork()
    for (const bytes of data) {
      sentBytes += bytes.byteLength
      canSendMore = this.#socket.write(bytes)
      if (!canSendMore) break
    }
    this.#socket.uncork()
    return { sentBytes, canSendMore }
  }

  async sendClose(options?: AbortOptions): Promise<void> {
    if (this.#socket.destroyed) return
    await new Promise<void>((resolve) => {
      const destroy = () => void this.#socket.destroy()
      options?.signal?.addEventListener('abort', destroy, { once: true })
      this.#socket.once('close', () => {
        options?.signal?.removeEventListener('abort', destroy)
        resolve()
      })
      this.#socket.destroySoon()
    })
  }

  sendReset(): void {
    this.#socket.destroy()
  }

  sendPause(): void {
    this.#socket.pause()
  }

  sendResume(): void {
    this.#socket.resume()
  }
}
