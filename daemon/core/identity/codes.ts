// SPDX-License-Identifier: GPL-3.0-or-later
/** What a person types, pastes or scans (SPEC 1.4, 7.1, 10.3). */
import { createHash, createHmac, hkdfSync } from 'node:crypto'
import * as wire from '../../../schemas/gen/ts/wire.ts'
import { concat, equal, fromBase64url, toBase64url } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import { Secret } from '../../base/secret.ts'
import { type Cbor, type CborMap, decodeCbor, encodeCbor } from '../envelope/cbor.ts'

export interface EnrolCode {
  readonly host: string
  readonly port: number
  readonly root: Uint8Array
  /** Current, then next. */
  readonly hubCas: readonly Uint8Array[]
  readonly secret: Secret
}

/** Whose home it is, and how that is reached: in codes for other machines and for phones. */
export interface Reach {
  readonly root: Uint8Array
  /** The Ed25519 key of the onion address. */
  readonly onion: Uint8Array
  /** X25519 private key, when the service asks for client authorisation. */
  readonly clientKey?: Secret
  /** Origins to try first, `https://…`. */
  readonly lan: readonly string[]
}

export interface HomeCode extends Reach {
  /** DER of the CA that signs the LAN page. */
  readonly webCa?: Uint8Array
}

export type CodeFault = 'code-damaged' | 'code-version'

export function writeEnrolCode(code: EnrolCode): Secret<string> {
  const map: CborMap = new Map<number, Cbor>([
    [wire.CODE_VERSION, wire.CODE_VERSION_NOW],
    [wire.CODE_HOST, code.host],
    [wire.CODE_PORT, code.port],
    [wire.CODE_ROOT, code.root],
    [wire.CODE_HUB_CA, [...code.hubCas]],
    [wire.CODE_SECRET, code.secret.reveal()],
  ])
  return new Secret(writeCode(wire.CODE_ENROL_PREFIX, map))
}

export function readEnrolCode(text: string): Verdict<EnrolCode, CodeFault> {
  const map = readCode(wire.CODE_ENROL_PREFIX, text, wire.CODE_CHARS_MAX)
  if (!map.ok) return map
  const host = map.value.get(wire.CODE_HOST)
  const port = map.value.get(wire.CODE_PORT)
  const root = map.value.get(wire.CODE_ROOT)
  const cas = map.value.get(wire.CODE_HUB_CA)
  const secret = map.value.get(wire.CODE_SECRET)
  if (map.value.size !== 6 || !isText(host, 1, 64)) return no('code-damaged')
  if (typeof port !== 'number' || port < 1 || port > 65535) return no('code-damaged')
  if (!isBytes(root, 32) || !isBytes(secret, wire.ENROL_SECRET_BYTES)) return no('code-damaged')
  if (!Array.isArray(cas) || cas.length < 1 || cas.length > 2) return no('code-damaged')
  const hubCas = cas.filter((key) => isBytes(key, 32))
  if (hubCas.length !== cas.length) return no('code-damaged')
  return yes({ host, port, root, hubCas, secret: new Secret(secret) })
}

const HOME_NUMBERS: ReachNumbers = {
  version: wire.HOME_VERSION,
  root: wire.HOME_ROOT,
  onion: wire.HOME_ONION,
  clientKey: wire.HOME_CLIENT_KEY,
  lan: wire.HOME_LAN,
  webCa: wire.HOME_WEB_CA,
}

export function writeHomeCode(code: HomeCode): Secret<string> {
  return new Secret(writeCode(wire.CODE_HOME_PREFIX, reachMap(code, HOME_NUMBERS)))
}

export function readHomeCode(text: string): Verdict<HomeCode, CodeFault> {
  const read = readCode(wire.CODE_HOME_PREFIX, text, wire.HOME_CODE_CHARS_MAX)
  return read.ok ? reachIn(read.value, HOME_NUMBERS, (value) => value instanceof Uint8Array) : read
}

/** Which member of a code's map is what of a reach. */
export interface ReachNumbers {
  readonly version: number
  readonly root: number
  readonly onion: number
  readonly clientKey: number
  readonly lan: number
  readonly webCa: number
}

export function reachMap(code: HomeCode, numbers: ReachNumbers): CborMap {
  const map: CborMap = new Map<number, Cbor>([
    [numbers.version, wire.CODE_VERSION_NOW],
    [numbers.root, code.root],
    [numbers.onion, code.onion],
  ])
  if (code.clientKey) map.set(numbers.clientKey, code.clientKey.reveal())
  if (code.lan.length > 0) map.set(numbers.lan, [...code.lan])
  if (code.webCa) map.set(numbers.webCa, code.webCa)
  return map
}

export function reachIn(
  map: CborMap,
  numbers: ReachNumbers,
  isWebCa: (value: Cbor) => value is Uint8Array,
): Verdict<HomeCode, CodeFault> {
  const [root, onion] = [map.get(numbers.root), map.get(numbers.onion)]
  const clientKey = map.get(numbers.clientKey)
  const lan = map.get(numbers.lan) ?? []
  const webCa = map.get(numbers.webCa)
  if (!isBytes(root, 32) || !isBytes(onion, 32)) return no('code-damaged')
  if (clientKey !== undefined && !isBytes(clientKey, 32)) return no('code-damaged')
  if (!Array.isArray(lan) || !lan.every((origin) => isText(origin, 1, 256))) return no('code-damaged')
  if (webCa !== undefined && !isWebCa(webCa)) return no('code-damaged')
  return yes({
    root,
    onion,
    lan: lan as string[],
    ...(clientKey && { clientKey: new Secret(clientKey) }),
    ...(webCa && { webCa }),
  })
}

/** What invites another daemon of the same home (SPEC 14.1). */
export interface MeshCode {
  readonly root: Uint8Array
  /** The key of the daemon that invites. */
  readonly daemon: Uint8Array
  readonly onion: Uint8Array
  readonly clientKey: Secret
  readonly secret: Secret
}

export function writeMeshCode(code: MeshCode): Secret<string> {
  const map: CborMap = new Map<number, Cbor>([
    [wire.MESH_VERSION, wire.CODE_VERSION_NOW],
    [wire.MESH_ROOT, code.root],
    [wire.MESH_DAEMON, code.daemon],
    [wire.MESH_ONION, code.onion],
    [wire.MESH_CLIENT_KEY, code.clientKey.reveal()],
    [wire.MESH_SECRET, code.secret.reveal()],
  ])
  return new Secret(writeCode(wire.MESH_CODE_PREFIX, map))
}

export function readMeshCode(text: string): Verdict<MeshCode, CodeFault> {
  const read = readCode(wire.MESH_CODE_PREFIX, text, wire.MESH_CODE_CHARS_MAX)
  if (!read.ok) return read
  const map = read.value
  const [root, daemon, onion] = [wire.MESH_ROOT, wire.MESH_DAEMON, wire.MESH_ONION].map((key) => map.get(key))
  const [clientKey, secret] = [map.get(wire.MESH_CLIENT_KEY), map.get(wire.MESH_SECRET)]
  if (!isBytes(root, 32) || !isBytes(daemon, 32) || !isBytes(onion, 32)) return no('code-damaged')
  if (!isBytes(clientKey, 32) || !isBytes(secret, wire.MESH_SECRET_BYTES)) return no('code-damaged')
  if (map.size !== 6) return no('code-damaged')
  return yes({ root, daemon, onion, clientKey: new Secret(clientKey), secret: new Secret(secret) })
}

/** A code's text: the prefix, then the map and its checksum. */
export function writeCode(prefix: string, map: CborMap): string {
  const bytes = encodeCbor(map)
  return prefix + toBase64url(concat(bytes, checksumOf(bytes)))
}

/** The map in a code, once prefix, alphabet, checksum and version have been looked at. */
export function readCode(prefix: string, text: string, charsMax: number): Verdict<CborMap, CodeFault> {
  const typed = text.replace(/\s+/g, '')
  if (typed.length > charsMax || !typed.startsWith(prefix)) return no('code-damaged')
  const bytes = fromBase64url(typed.slice(prefix.length))
  if (!bytes || bytes.length <= wire.CODE_CHECKSUM_BYTES) return no('code-damaged')
  const end = bytes.length - wire.CODE_CHECKSUM_BYTES
  const item = bytes.subarray(0, end)
  if (!equal(checksumOf(item), bytes.subarray(end))) return no('code-damaged')
  const decoded = decodeCbor(item)
  if (!decoded.ok || !(decoded.value instanceof Map)) return no('code-damaged')
  const version = decoded.value.get(wire.CODE_VERSION)
  if (typeof version !== 'number' || version < 1) return no('code-damaged')
  return version > wire.CODE_VERSION_NOW ? no('code-version') : yes(decoded.value)
}

function checksumOf(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest().subarray(0, wire.CODE_CHECKSUM_BYTES)
}

export function isBytes(value: Cbor | undefined, size: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === size
}

export function isText(value: Cbor | undefined, least: number, most: number): value is string {
  if (typeof value !== 'string') return false
  const size = Buffer.byteLength(value)
  return size >= least && size <= most
}

/** What both sides make of a code's secret: it lets one key in, and proves to hub and owner that this key had it. */
export interface ProofKeys {
  readonly hubProofKey: Secret
  readonly ownerProofKey: Secret
}

/** SPEC 7.1. */
export interface EnrolKeys extends ProofKeys {
  readonly permit: Uint8Array
}

export function enrolKeys(secret: Secret): EnrolKeys {
  const { id, ...keys } = codeKeys(secret, 'shallot-enrol/1')
  return { permit: id, ...keys }
}

/** The same for every purpose but for the salt, so that no key serves two (SPEC 7.1, 13.3). */
export function codeKeys(secret: Secret, salt: string): ProofKeys & { readonly id: Uint8Array } {
  const expand = (info: string, bytes: number) =>
    new Uint8Array(hkdfSync('sha256', secret.reveal(), salt, info, bytes))
  return {
    id: expand('id', wire.PERMIT_ID_BYTES),
    hubProofKey: new Secret(expand('hub', 32)),
    ownerProofKey: new Secret(expand('owner', 32)),
  }
}

/** HMAC-SHA-256 over the key that is to be let in (SPEC 7.2, 13.4). */
export function keyProof(proofKey: Secret, key: Uint8Array): Uint8Array {
  return Uint8Array.from(createHmac('sha256', proofKey.reveal()).update(key).digest())
}
