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

export interface HomeCode {
  readonly root: Uint8Array
  /** The Ed25519 key of the onion address. */
  readonly onion: Uint8Array
  /** X25519 private key, when the service asks for client authorisation. */
  readonly clientKey?: Secret
  /** Origins to try first, `https://…`. */
  readonly lan: readonly string[]
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

export function writeHomeCode(code: HomeCode): Secret<string> {
  const map: CborMap = new Map<number, Cbor>([
    [wire.HOME_VERSION, wire.CODE_VERSION_NOW],
    [wire.HOME_ROOT, code.root],
    [wire.HOME_ONION, code.onion],
  ])
  if (code.clientKey) map.set(wire.HOME_CLIENT_KEY, code.clientKey.reveal())
  if (code.lan.length > 0) map.set(wire.HOME_LAN, [...code.lan])
  if (code.webCa) map.set(wire.HOME_WEB_CA, code.webCa)
  return new Secret(writeCode(wire.CODE_HOME_PREFIX, map))
}

export function readHomeCode(text: string): Verdict<HomeCode, CodeFault> {
  const read = readCode(wire.CODE_HOME_PREFIX, text, wire.HOME_CODE_CHARS_MAX)
  if (!read.ok) return read
  const map = read.value
  const root = map.get(wire.HOME_ROOT)
  const onion = map.get(wire.HOME_ONION)
  const clientKey = map.get(wire.HOME_CLIENT_KEY)
  const lan = map.get(wire.HOME_LAN) ?? []
  const webCa = map.get(wire.HOME_WEB_CA)
  if (!isBytes(root, 32) || !isBytes(onion, 32)) return no('code-damaged')
  if (clientKey !== undefined && !isBytes(clientKey, 32)) return no('code-damaged')
  if (!Array.isArray(lan) || !lan.every((origin) => isText(origin, 1, 256))) return no('code-damaged')
  if (webCa !== undefined && !(webCa instanceof Uint8Array)) return no('code-damaged')
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

/** What both sides make of a code's secret (SPEC 7.1). */
export interface EnrolKeys {
  readonly permit: Uint8Array
  readonly hubProofKey: Secret
  readonly ownerProofKey: Secret
}

const ENROL_SALT = 'shallot-enrol/1'

export function enrolKeys(secret: Secret): EnrolKeys {
  const expand = (info: string, bytes: number) =>
    new Uint8Array(hkdfSync('sha256', secret.reveal(), ENROL_SALT, info, bytes))
  return {
    permit: expand('id', wire.PERMIT_ID_BYTES),
    hubProofKey: new Secret(expand('hub', 32)),
    ownerProofKey: new Secret(expand('owner', 32)),
  }
}

/** HMAC-SHA-256 over the device's key (SPEC 7.2). */
export function enrolProof(key: Secret, deviceKey: Uint8Array): Uint8Array {
  return Uint8Array.from(createHmac('sha256', key.reveal()).update(deviceKey).digest())
}
