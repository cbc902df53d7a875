// SPDX-License-Identifier: GPL-3.0-or-later
import { equal } from '../../base/bytes.ts'
import type { Verdict } from '../../base/error.ts'
import type { Frame } from '../envelope/index.ts'
import type { Trust } from '../policy/index.ts'
import type { Revocations } from './ports.ts'

/**
 * The lists that count, as the home's trust holds them (SPEC 12.5).
 * @param keep  takes a list in for good: into the trust, the books and to whoever must hear of it
 */
export function revocationsOf(
  trust: Trust,
  keep: (frame: Frame) => Promise<Verdict<unknown, string>>,
): Revocations {
  const holds = (frame: Frame) => trust.revocations.some((list) => equal(list.frame, frame))
  return {
    isRevoked: (key) => trust.isRevoked(key),
    frames: () => trust.revocations.map(({ frame }) => frame),
    async take(frame) {
      if (holds(frame)) return 'known'
      const kept = await keep(frame)
      if (!kept.ok) return kept.why === 'replayed' ? 'known' : 'refused'
      return holds(frame) ? 'new' : 'known'
    },
  }
}
