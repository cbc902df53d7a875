// SPDX-License-Identifier: GPL-3.0-or-later
/** A device's side of its serial line (SPEC 17), written from the text alone: the twin of firmware/core/provision.c. */
import { no, type Verdict, yes } from '../../daemon/base/error.ts'
import { type LineCode, readLine } from '../../daemon/cli/serial/line.ts'
import type { Ask } from '../../daemon/cli/serial/words.ts'
import { type Cbor, decodeCbor } from '../../daemon/core/envelope/index.ts'
import * as wire from '../../schemas/gen/ts/wire.ts'

export type Asked = Ask & { readonly sequence: number }

const isNumber = (value: Cbor | undefined, least: number, most: number): value is number =>
  typeof value === 'number' && value >= least && value <= most
const isBytes = (value: Cbor | undefined, least: number, most: number): value is Uint8Array =>
  value instanceof Uint8Array && value.length >= least && value.length <= most

/** @returns undefined for a line that is none of ours */
export function readAsk(text: string): Verdict<Asked, LineCode | 'bad-provision'> | undefined {
  const line = readLine(text)
  if (!line?.ok) return line
  const ask = Array.isArray(line.value) ? askIn(line.value) : undefined
  return ask ? yes(ask) : no('bad-provision')
}

function askIn([sequence, kind, first, second, ...more]: readonly Cbor[]): Asked | undefined {
  if (!isNumber(sequence, 1, 255) || more.length > 0) return undefined
  if (kind === wire.SERIAL_WHO) return first === undefined ? { sequence, kind: 'who' } : undefined
  if (kind === wire.SERIAL_PART) {
    const isSound =
      isNumber(first, 0, wire.PROVISION_BYTES_MAX - 1) && isBytes(second, 1, wire.SERIAL_PIECE_BYTES_MAX)
    return isSound ? { sequence, kind: 'part', at: first, piece: second } : undefined
  }
  const isTake =
    kind === wire.SERIAL_TAKE && isNumber(first, 1, wire.PROVISION_BYTES_MAX) && isBytes(second, 32, 32)
  return isTake ? { sequence, kind: 'take', size: first, digest: second } : undefined
}

export interface Orders {
  readonly name?: string
  readonly password?: string
  readonly code?: string
}

export function readOrders(bytes: Uint8Array): Verdict<Orders, 'bad-provision' | 'code-version'> {
  const decoded = decodeCbor(bytes)
  if (!decoded.ok || !(decoded.value instanceof Map)) return no('bad-provision')
  const { [wire.PROVISION_VERSION]: version, ...members } = Object.fromEntries(decoded.value)
  if (!isNumber(version, 1, Number.MAX_SAFE_INTEGER)) return no('bad-provision')
  if (version > wire.PROVISION_VERSION_NOW) return no('code-version')
  const {
    [wire.PROVISION_WIFI_NAME]: name,
    [wire.PROVISION_WIFI_PASSWORD]: password,
    [wire.PROVISION_CODE]: code,
    ...others
  } = members
  const isSound =
    Object.keys(others).length === 0 &&
    Object.keys(members).length > 0 &&
    (name === undefined || isName(name)) &&
    (password === undefined || (name !== undefined && isPassword(password))) &&
    (code === undefined ||
      (typeof code === 'string' && code.length >= 1 && code.length <= wire.CODE_CHARS_MAX))
  return isSound ? yes({ name, password, code } as Orders) : no('bad-provision')
}

function isName(value: Cbor): boolean {
  if (typeof value !== 'string' || value.includes('\0')) return false
  return isNumber(Buffer.byteLength(value), 1, wire.WIFI_NAME_BYTES_MAX)
}

function isPassword(value: Cbor): boolean {
  return typeof value === 'string' && (/^[ -~]{8,63}$/.test(value) || /^[0-9a-fA-F]{64}$/.test(value))
}
