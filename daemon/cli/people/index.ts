// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * People, phones, scripts and what they may do: words of the command line enter, sealed grants, holders and revocations leave (SPEC 12, 13).
 *
 * Always true: only an owner's key seals here, or that of who passes on what they hold, which never widens; nothing is sealed for a key
 * or a device that neither an owner nor who seals bound to its name; what was
 * taken back is never given again by mistake, and never forgotten; a code for a keypad leaves this process stretched.
 */
export { keepsGoing, saysYes } from './ask.ts'
export { type Bearer, bearersIn } from './bearers.ts'
export { type Dealt, dealAll, dealOrPromise, dealTo, drawId, newDeal, sealGrant } from './deal.ts'
export { type Desk, openDesk, revokeAt, sayTold } from './desk.ts'
export {
  type KnownGrant,
  type KnownHolder,
  type KnownPerson,
  type KnownThing,
  learnOwners,
  liveHolders,
  openBy,
  personNamed,
  presentHolders,
  sealerNamed,
  trustedPerson,
} from './house.ts'
export { inviteFor, readWay, withdrawInvitation, withdrawInvitations } from './invitation.ts'
export { parseMoment } from './moment.ts'
export {
  awaitPhone,
  dropPairing,
  findPairing,
  keepPairing,
  openPair,
  type PendingPhone,
  pairingId,
} from './pairing.ts'
export { passOn } from './passing.ts'
export { drawPin, isPin, PIN_ROUNDS, parseRounds, readPin, stretchPin } from './pin.ts'
export { breakPromise, dropPromises, promisesTo } from './promises.ts'
export { takeBack } from './revocations.ts'
export { sayGrant, sayReturn, standingOf, termsObject } from './say.ts'
export { targetNamed } from './scope.ts'
export { startOver } from './start-over.ts'
export { grantOptions, readShare, readTerms, requireEnd, type TermFlags, termOptions } from './terms.ts'
export { grantsOf, ownerOf } from './whose.ts'
