// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The sockets of those who come to an emulated device's door, on loopback. In: one question of firmware/port/qemu/door.c, out: its answer,
 * or undefined for a no. Nothing here waits.
 */
import { createServer, type Socket } from 'node:net'

const ASKS = {
  listen: 0,
  waits: 1,
  accept: 2,
  isReadable: 3,
  read: 4,
  write: 5,
  finish: 6,
  close: 7,
  isAnybody: 8,
} as const

const YES = Buffer.of(1)
const NOTHING = Buffer.alloc(0)

interface Caller {
  readonly socket: Socket
  held: Buffer
  isOver: boolean
}

export interface EmulatedDoor extends AsyncDisposable {
  readonly port: number
  answer(question: Buffer): Buffer | undefined
}

export async function openEmulatedDoor(): Promise<EmulatedDoor> {
  const waiting: Caller[] = []
  const places = new Map<number, Caller>()
  const server = createServer({ noDelay: true }, (socket) => {
    const caller: Caller = { socket, held: NOTHING, isOver: false }
    socket.on('data', (piece: Buffer) => {
      caller.held = Buffer.concat([caller.held, piece])
    })
    for (const event of ['end', 'error', 'close'] as const)
      socket.on(event, () => {
        caller.isOver = true
      })
    waiting.push(caller)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as { port: number }

  const isReadable = (caller: Caller | undefined): boolean =>
    caller !== undefined && (caller.held.length > 0 || caller.isOver)

  function accept(): Buffer | undefined {
    const caller = waiting.shift()
    if (!caller) return undefined
    const place = [0, 1, 2, 3].find((each) => !places.has(each))!
    places.set(place, caller)
    return Buffer.of(place)
  }

  function read(caller: Caller | undefined, capacity: number): Buffer | undefined {
    if (!caller || (caller.held.length === 0 && caller.isOver)) return undefined
    const piece = caller.held.subarray(0, capacity)
    caller.held = caller.held.subarray(piece.length)
    return piece
  }

  return {
    port,
    answer(question) {
      const [what = 0, place = 0] = question
      const caller = places.get(place)
      const isYes = (is: boolean) => (is ? YES : undefined)
      switch (what) {
        case ASKS.listen:
          return Buffer.of(port & 255, port >> 8)
        case ASKS.waits:
          return isYes(waiting.length > 0)
        case ASKS.accept:
          return accept()
        case ASKS.isReadable:
          return isYes(isReadable(caller))
        case ASKS.read:
          return read(caller, question.readUInt16LE(2))
        case ASKS.write:
          if (caller?.isOver !== false) return undefined
          caller.socket.write(question.subarray(2))
          return NOTHING
        case ASKS.finish:
          caller?.socket.end()
          return YES
        case ASKS.close:
          caller?.socket.destroySoon()
          places.delete(place)
          return YES
        default:
          return isYes((place !== 0 && waiting.length > 0) || [...places.values()].some(isReadable))
      }
    },
    async [Symbol.asyncDispose]() {
      for (const { socket } of [...waiting, ...places.values()]) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}
