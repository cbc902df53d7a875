// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Ed25519, Signer } from '../../core/envelope/index.ts'
import type { PartyId } from '../../core/model/index.ts'
import type { DeviceDesk } from '../../core/ports.ts'
import type { Tries } from '../../core/tries.ts'
import type { LinkDiary } from './diary.ts'
import type { DirectOffice } from './direct.ts'
import type { LinkLimits } from './limits.ts'
import type { NoteRound } from './note-round.ts'
import type { Roster } from './roster.ts'
import type { TurnedAway } from './turned-away.ts'
import type { HubVoice } from './voice.ts'

/** What all connections of one link share. */
export interface LinkRoom {
  readonly clock: Clock
  readonly random: Random
  readonly ed25519: Ed25519
  readonly desk: DeviceDesk
  readonly homeId: PartyId
  readonly hub: Signer
  readonly voice: HubVoice
  /** The device CA that issues now. */
  issuer(): Signer
  readonly diary: LinkDiary
  readonly limits: LinkLimits
  readonly tries: Tries
  readonly roster: Roster
  readonly noteRound: NoteRound
  readonly turnedAway: TurnedAway
  readonly direct: DirectOffice | undefined
}
