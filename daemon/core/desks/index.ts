// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Desks: what people send enters, sealed; a Verdict leaves, when what it says is on disk. One file per idea; commands, and
 * what devices say, are on `core/receive.ts`.
 *
 * Always true: nothing is kept that was not opened and judged; what a proved caller hands in and is refused is in the log, and
 * so is what strangers try, as far as they cannot fill it; whoever is connected hears at once what was taken back.
 */
export { type CallerDesk, openCallers } from './callers.ts'
export type { DeskDeps } from './deps.ts'
export { type DevicesDesk, openDevicesDesk } from './devices.ts'
export { Diary } from './diary.ts'
export { type Asked as PairAnswer, openPairingsDesk, type PairingsDesk, type Place } from './pairings.ts'
export { openPeopleDesk, type PeopleDesk } from './people.ts'
export {
  type NewToken,
  openTokensDesk,
  TOKEN_COMMAND_S,
  TOKEN_GRANTS_MAX,
  type TokensDesk,
  type TokenView,
} from './tokens.ts'
