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
  /** Names of the groups it belongs to (SPEC 12.3). */
  readonly groups?: readonly string[]
  /** The release key whose images this device boots (SPEC 15.1). */
  readonly release?: Uint8Array
  /** The one daemon that has charge of it (SPEC 14.7); absent: whichever daemon of the home it comes to. */
  readonly hub?: Uint8Array
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
  readonly image?: ImageStanding
  /** Its own server (SPEC 18.1). */
  readonly direct?: DirectServer
}
/** Where a device's own server listens, and the P-256 key that it shows: an uncompressed point, not yet known to be one. */
export interface DirectServer {
  readonly port: number
  readonly key: Uint8Array
}
/** The image that says hello (SPEC 15.6): sequences of what runs and of what was last tried, 0 for none. */
export interface ImageStanding {
  readonly running: number
  readonly standing: 'steady' | 'trial' | 'returned'
  readonly tried: number
}
export interface Welcome extends Claims {
  readonly type: 'welcome'
  readonly nonce: Uint8Array
  readonly timeMs: number
  readonly wantsRecord: boolean
  readonly zone?: Zone
  /** Where else the hub may be found (SPEC 16.5). */
  readonly places?: readonly Place[]
}
export interface Reading extends Claims {
  readonly type: 'reading'
  readonly values: readonly Sample[]
}
export interface Command extends Claims {
  readonly type: 'command'
  readonly expiresAt: number
  readonly nonce: Uint8Array
  readonly operation: 'write' | 'invoke' | 'read'
  /** Of a read, 0: all that its signer may read. */
  readonly affordance: number
  readonly value?: number | boolean
  /** The id of the grant by which its signer may; absent: as an owner. */
  readonly grant?: Uint8Array
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

/** A numeric address and a TCP port. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** How local time differs from UTC, in minutes east, now and after the next change (SPEC 12.6). */
export interface Zone {
  readonly offset: number
  /** Seconds since the epoch; 0: no change is known. */
  readonly changesAt: number
  readonly thereafter: number
}

export interface Person extends Claims {
  readonly type: 'person'
  readonly name: string
  readonly person: Uint8Array
}
export type HolderKind = 'phone' | 'script'
export interface Holder extends Claims {
  readonly type: 'holder'
  readonly name: string
  readonly key: Uint8Array
  readonly person: Uint8Array
  readonly kind: HolderKind
}

/** One row of the AIF table: what may be done with one affordance (RFC 9237). */
export interface Permission {
  readonly affordance: number
  /** Bits of METHOD_…: 1 read, 2 invoke, 4 write. */
  readonly methods: number
}
export interface Hours {
  /** Bits from 1 Monday to 64 Sunday. */
  readonly days: number
  /** Minutes of the day in the home's zone; `from` is in, `to` is out. */
  readonly from: number
  readonly to: number
}
/** A keypad code that is stretched, not kept (SPEC 12.7). */
export interface Pin {
  readonly salt: Uint8Array
  readonly rounds: number
  readonly key: Uint8Array
}
/** Who may do what, until when (SPEC 12.1). It is for the holder of `key`, or for who knows the code of `pin`. */
export interface Grant extends Claims {
  readonly type: 'grant'
  readonly name: string
  readonly key?: Uint8Array
  readonly expiresAt?: number
  readonly notBefore?: number
  readonly id: Uint8Array
  /** Keys of devices and names of groups; none: every device of the home. */
  readonly devices: readonly (Uint8Array | string)[]
  readonly what: readonly Permission[]
  /** Seconds that a lease keeps it alive; 0: it needs none. */
  readonly leaseS: number
  readonly parent?: Uint8Array
  readonly share?: number
  readonly hours?: readonly Hours[]
  readonly uses?: number
  readonly pin?: Pin
}
export interface Lease extends Claims {
  readonly type: 'lease'
  readonly expiresAt: number
  readonly grants: readonly Uint8Array[]
}
/** The present list of one signer: 8-byte ids of grants, 32-byte keys; the one with the highest sequence holds (SPEC 12.5). */
export interface Revocation extends Claims {
  readonly type: 'revocation'
  readonly entries: readonly Uint8Array[]
  readonly floor?: number
}
export type ActSource = 'keypad' | 'page' | 'button' | 'direct'
export interface Act extends Claims {
  readonly type: 'act'
  readonly source: ActSource
  readonly affordance: number
  /** Milliseconds; 0: the device did not know. */
  readonly at: number
  /** A number of schemas/codes.csv; 0: done. */
  readonly code: number
  readonly values: readonly Sample[]
  readonly grant?: Uint8Array
  /** Of what came directly (SPEC 18.5): whose command it was, and its SHA-256. */
  readonly signer?: Uint8Array
  readonly command?: Uint8Array
}
export interface Pairing extends Claims {
  readonly type: 'pairing'
  readonly name: string
  readonly expiresAt: number
  readonly pairing: Uint8Array
  readonly person: Uint8Array
  readonly kind: HolderKind
}
export interface Pair extends Claims {
  readonly type: 'pair'
  readonly pairing: Uint8Array
  readonly proofForHub: Uint8Array
  readonly proofForOwner: Uint8Array
}
/** What a release key says of an image (SPEC 15.2); its audience is that key's own id. */
export interface Manifest extends Claims {
  readonly type: 'manifest'
  readonly imageSequence: number
  readonly vendor: string
  /** Board, a slash, app. */
  readonly imageClass: string
  readonly digest: Uint8Array
  readonly size: number
  readonly firmware: string
  readonly wire?: number
  readonly from?: number
}

/** Which hub CAs devices believe from this generation on (SPEC 16.1). */
export interface Pins extends Claims {
  readonly type: 'pins'
  readonly generation: number
  /** Raw Ed25519 keys, current then next. */
  readonly hubCas: readonly Uint8Array[]
}

/** The certificate of a device's own server, DER, and the origins whose pages may ask it (SPEC 18.2). */
export interface Direct extends Claims {
  readonly type: 'direct'
  readonly nonce: Uint8Array
  readonly certificate: Uint8Array
  readonly origins: readonly string[]
}

/** What picture a device has, whose bytes follow in pieces (SPEC 19.2). */
export interface Still extends Claims {
  readonly type: 'still'
  readonly affordance: number
  /** SHA-256 of the command that it was taken for. */
  readonly command: Uint8Array
  /** SHA-256 of the picture. */
  readonly digest: Uint8Array
  readonly size: number
  /** Milliseconds; 0: the device did not know. */
  readonly at: number
}

/** What is sealed: one of the types of SPEC 4, 12 to 16, 18 and 19. */
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
  | Person
  | Holder
  | Grant
  | Lease
  | Revocation
  | Act
  | Pairing
  | Pair
  | Manifest
  | Pins
  | Direct
  | Still

export type BodyOf<T extends MessageType> = Extract<Body, { type: T }>

declare const opened: unique symbol

/** An envelope whose signature was verified: made by `openEnvelope` alone. `signer` sealed `frame`; nobody on the way changed it. */
export interface Message<B extends Body = Body> {
  readonly [opened]: true
  readonly body: B
  readonly signer: Uint8Array
  readonly frame: Frame
}
