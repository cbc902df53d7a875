// SPDX-License-Identifier: GPL-3.0-or-later
import type { MessageType } from '../../../schemas/gen/ts/wire.ts'

/** Bytes as they came: nothing about them is known. */
export type Frame = Uint8Array

/** One sample as the wire has it (SPEC 4.9): `value` scaled, `at` in ms, 0 when the device did not know the time. */
export interface Sample {
  readonly affordance: number
  readonly at: number
  readonly value: number | boolean
}

/** What every message says, after CBOR and shape and signature have been checked (SPEC 2.3). */
export interface Claims {
  /** Base64url of the audience's key. */
  readonly audience: string
  /** Seconds; 0: the sealer did not know the time. */
  readonly sealedAt: number
  readonly epoch: Uint8Array
  readonly sequence: number
}

export interface Owner extends Claims {
  readonly type: 'owner'
  readonly name: string
  readonly key: Uint8Array
}
export interface Member extends Claims {
  readonly type: 'member'
  readonly name: string
  readonly key: Uint8Array
}
export interface Permit extends Claims {
  readonly type: 'permit'
  readonly name: string
  readonly expiresAt: number
  readonly permit: Uint8Array
}
export interface Enrolment extends Claims {
  readonly type: 'enrolment'
  readonly name: string
  readonly key: Uint8Array
  readonly permit: Uint8Array
}
export interface Enrol extends Claims {
  readonly type: 'enrol'
  readonly permit: Uint8Array
  readonly csr: Uint8Array
  readonly proofForHub: Uint8Array
  readonly proofForOwner: Uint8Array
  readonly board: string
  readonly firmware: string
  readonly affordances: readonly number[]
}
export interface Enrolled extends Claims {
  readonly type: 'enrolled'
  readonly nonce: Uint8Array
  readonly certificate: Uint8Array
  readonly name: string
}
export interface Hello extends Claims {
  readonly type: 'hello'
  readonly board: string
  readonly firmware: string
  readonly affordances: readonly number[]
  readonly lost: number
}
export interface Welcome extends Claims {
  readonly type: 'welcome'
  readonly nonce: Uint8Array
  readonly timeMs: number
  readonly wantsRecord: boolean
}
export interface Reading extends Claims {
  readonly type: 'reading'
  readonly values: readonly Sample[]
}
export interface Command extends Claims {
  readonly type: 'command'
  readonly expiresAt: number
  readonly nonce: Uint8Array
  readonly operation: 'write' | 'invoke'
  readonly affordance: number
  readonly value?: number | boolean
}
export interface Receipt extends Claims {
  readonly type: 'receipt'
  /** SHA-256 of the command's bytes. */
  readonly command: Uint8Array
  /** A number of schemas/codes.csv; 0: done. */
  readonly code: number
  readonly values: readonly Sample[]
}
export interface Request extends Claims {
  readonly type: 'request'
  readonly expiresAt: number
  readonly method: string
  readonly path: string
  readonly digest: Uint8Array
}

export interface Beacon extends Claims {
  readonly type: 'beacon'
  /** Of the last entry of the sealer's log. */
  readonly position: number
  readonly hash: Uint8Array
  /** X25519. */
  readonly client: Uint8Array
  /** Pairs of a daemon's key and of the onion address for it, 64 bytes each. */
  readonly ways: Uint8Array
}

/** What is sealed: one of the types of SPEC 2.6. */
export type Body =
  | Owner
  | Member
  | Permit
  | Enrolment
  | Enrol
  | Enrolled
  | Hello
  | Welcome
  | Reading
  | Command
  | Receipt
  | Request
  | Beacon

export type BodyOf<T extends MessageType> = Extract<Body, { type: T }>

declare const opened: unique symbol

/** An envelope whose signature was verified: made by `openEnvelope` alone. `signer` sealed `frame`; nobody on the way changed it. */
export interface Message<B extends Body = Body> {
  readonly [opened]: true
  readonly body: B
  readonly signer: Uint8Array
  readonly frame: Frame
}
