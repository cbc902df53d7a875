// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The log of acts: entries enter, each is chained to the one before it by SHA-256; `verify` walks the chain as it is on disk.
 *
 * Always true: a changed, missing or moved entry is named, the first one; an entry reads the same for ever, because its bytes
 * are what is hashed; what was pruned from its beginning is said in it, or it was not pruned by us. A cut-off tail, or a chain made anew from its start, shows only to somebody who holds a later head.
 * Logs of other daemons stand beside ours, each in its own chain; they are kept as they were sent.
 * Absent on purpose: signatures (heads are signed where they leave the house).
 */
export * from '../../core/chain.ts'
export * from './journal.ts'
export * from './shelf.ts'
