// SPDX-License-Identifier: GPL-3.0-or-later

import { Log, type LogLine } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { nativeEd25519 } from '../../daemon/core/envelope/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import { Tries } from '../../daemon/core/tries.ts'
import type { Line, Outcome, Talk } from '../../daemon/edge/link/connection.ts'
import { LinkDiary } from '../../daemon/edge/link/diary.ts'
import { FrameReader } from '../../daemon/edge/link/frames.ts'
import { LINK_LIMITS } from '../../daemon/edge/link/limits.ts'
import { NoteRound } from '../../daemon/edge/link/note-round.ts'
import type { LinkRoom } from '../../daemon/edge/link/room.ts'
import { Roster } from '../../daemon/edge/link/roster.ts'
import { TurnedAway } from '../../daemon/edge/link/turned-away.ts'
import { HubVoice } from '../../daemon/edge/link/voice.ts'
import type { Code } from '../../schemas/gen/ts/codes.ts'
import type { Hub } from '../../scripts/device/index.ts'
import { MemoryDesk } from './desk.ts'
import { ManualClock } from './manual-clock.ts'

export const ed25519 = nativeEd25519()
export const signerOf = (n: number) => ed25519.signer(new Uint8Array(32).fill(n))

/** What connections share, with a clock that stands still and a desk in memory. */
export function linkRoom() {
  const clock = new ManualClock()
  const lines: LogLine[] = []
  const desk = new MemoryDesk()
  const [root, hub, issuer] = [signerOf(101), signerOf(102), signerOf(103)]
  const room: LinkRoom = {
    clock,
    random: systemRandom,
    ed25519,
    desk,
    homeId: idOf(root.key),
    hub,
    voice: new HubVoice(hub, clock, systemRandom),
    issuer: () => issuer,
    diary: new LinkDiary(new Log(clock, (line) => lines.push(line))),
    limits: LINK_LIMITS,
    tries: new Tries(),
    roster: new Roster(),
    noteRound: new NoteRound(clock, new AbortController().signal),
    turnedAway: new TurnedAway(clock),
    direct: undefined,
  }
  const address: Hub = { host: 'none', port: 0, homeId: room.homeId, hubCaKeys: [] }
  return { room, clock, desk, lines, root, hub, issuer, address }
}

/** The talk's end of a connection, without one: keeps what was written and how it ended. */
export class FakeLine implements Line {
  readonly address: string
  readonly sent: Uint8Array[] = []
  code: Code | undefined
  expected: { ms: number; code: Code } | 'nothing' | undefined
  talk: Talk | undefined
  readonly #reader = new FrameReader()

  constructor(address = '192.0.2.1') {
    this.address = address
  }

  get ended(): boolean {
    return this.code !== undefined
  }

  expect(ms: number, code: Code): void {
    this.expected = { ms, code }
  }

  relax(): void {
    this.expected = 'nothing'
  }

  send(payload: Uint8Array): void {
    this.sent.push(payload)
  }

  write(frames: Uint8Array): void {
    this.#reader.push(frames)
    for (let frame = this.#reader.next(); frame instanceof Uint8Array; frame = this.#reader.next())
      this.sent.push(Uint8Array.from(frame))
  }

  end(why: Code): void {
    if (this.ended) return
    this.code = why
    this.talk?.ended(why)
  }

  /** As a connection does: hands the frame to the talk and ends with the code that comes back. */
  async take(frame: Uint8Array): Promise<Outcome> {
    const code = await this.talk!.take(frame)
    if (code !== undefined) this.end(code)
    return code
  }
}
