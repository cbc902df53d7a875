// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The mesh decides: who is a daemon of this home, what is missing in which log, what is believed of another home and of its past,
 * and which daemon has charge of which device.
 * In: messages of other daemons, as bytes from a stream that proved whose they are. Out: messages to send.
 *
 * Always true: a removal beats any membership, in whatever order they come; nothing enters a log that does not follow from
 * what is there and is not signed for by its author; of one device the newest of its owner's records says who has it; what is said
 * twice changes nothing; what waits for one peer is bounded.
 * No I/O and no clock of its own, so that test/simulation can run thousands of histories from a seed.
 */
export * from './beacons.ts'
export * from './bridges.ts'
export * from './charge-desks.ts'
export * from './charges.ts'
export * from './exchange.ts'
export * from './far.ts'
export * from './far-books.ts'
export * from './far-desk.ts'
export * from './guests.ts'
export * from './histories.ts'
export * from './home.ts'
export * from './invitations.ts'
export * from './keeping.ts'
export * from './look-desk.ts'
export * from './look-shows.ts'
export * from './look-words.ts'
export * from './looks.ts'
export * from './orders.ts'
export * from './others.ts'
export * from './papers.ts'
export * from './pictures.ts'
export * from './piece.ts'
export * from './ports.ts'
export * from './report.ts'
export * from './revoked.ts'
export * from './talk.ts'
export * from './ticket.ts'
export * from './trouble.ts'
export * from './unreachable.ts'
export * from './words.ts'
