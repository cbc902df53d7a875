// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Certificates and keys as a C header, and back. In: a PEM file (RFC 7468, strict form), a DER file, or a header that this wrote;
 * out: the other. What stays true: back and forth gives the same bytes, or it is refused; what a block holds is found out by parsing it,
 * not believed from its label; a private key passes only where it was asked for.
 */
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { equal } from '../base/bytes.ts'
import { codeOf, ignore, no, type Verdict, yes } from '../base/error.ts'
import { bytesInRows, rowsOfBytes } from './c-bytes.ts'

export interface Options {
  /** What the C names begin with: a-z, 0-9 and _, at most NAME_CHARS_MAX. */
  readonly name: string
  readonly privateKeys: boolean
}

export type Converted = {
  readonly to: 'header' | 'pem' | 'der'
  readonly bytes: Uint8Array
  readonly isPrivate: boolean
}
export type HeaderCode = 'bad-value' | 'too-large' | 'forbidden'

type Kind = 'certificate' | 'public key' | 'private key'
interface Block {
  readonly label: string
  readonly der: Uint8Array
}
interface Bundle {
  readonly form: 'PEM' | 'DER'
  readonly blocks: readonly Block[]
}

export const NAME_CHARS_MAX = 32
export const FILE_BYTES_MAX = 65_536
const BLOCKS_MAX = 8
const NAME = /^[a-z][a-z0-9_]{0,31}$/
const FIRST_LINE = '// Written by `shallot cert header`, which also reads it back. Do not edit.'

/** The one label of a DER file of each kind; PEM brings its own. */
const LABELS: ReadonlyMap<string, Kind> = new Map([
  ['CERTIFICATE', 'certificate'],
  ['PUBLIC KEY', 'public key'],
  ['PRIVATE KEY', 'private key'],
  ['ENCRYPTED PRIVATE KEY', 'private key'],
  ['EC PRIVATE KEY', 'private key'],
  ['RSA PRIVATE KEY', 'private key'],
])

/** Turns one form into the other. */
export function convert(file: Uint8Array, { name, privateKeys }: Options): Verdict<Converted, HeaderCode> {
  if (file.length > FILE_BYTES_MAX) return no('too-large', `a file has at most ${FILE_BYTES_MAX} bytes`)
  if (!NAME.test(name)) {
    return no('bad-value', `a name is a letter, then at most ${NAME_CHARS_MAX - 1} of a-z, 0-9 and _`)
  }
  const text = textIn(file)
  const isHeader = text?.startsWith(FIRST_LINE) === true
  const bundle = isHeader
    ? bundleInHeader(text!)
    : text?.includes('-----BEGIN')
      ? bundleInPem(text)
      : bundleInDer(file)
  if (!bundle.ok) return bundle
  const kinds = bundle.value.blocks.map(kindOf)
  const wrong = bundle.value.blocks.findIndex(({ label }, at) => LABELS.get(label) !== kinds[at])
  if (wrong >= 0) {
    return no(
      'bad-value',
      `block ${wrong + 1} says ${bundle.value.blocks[wrong]!.label} and holds ${kinds[wrong] ?? 'something else'}`,
    )
  }
  const isPrivate = kinds.includes('private key')
  if (isPrivate && !privateKeys) {
    return no(
      'forbidden',
      'there is a private key in it, which a header would carry into source code, builds and backups',
    )
  }
  if (isHeader) return yes({ ...fileOf(bundle.value), isPrivate })
  return yes({ to: 'header', bytes: Buffer.from(headerOf(bundle.value, name)), isPrivate })
}

/** Text as it was written, byte by byte; undefined for what is none. */
function textIn(file: Uint8Array): string | undefined {
  const text = Buffer.from(file).toString('latin1')
  return /^[\t\n\r -~]*$/.test(text) ? text : undefined
}

/* ---- PEM and DER ---- */

function bundleInPem(text: string): Verdict<Bundle, HeaderCode> {
  const parts = [...text.matchAll(/-----BEGIN ([A-Z ]+)-----\n([A-Za-z0-9+/=\n]*?)\n-----END \1-----\n/g)]
  const blocks = parts.map(([, label, body]) => ({
    label: label!,
    der: Uint8Array.from(Buffer.from(body!, 'base64')),
  }))
  if (blocks.length > BLOCKS_MAX) return no('bad-value', `a file has at most ${BLOCKS_MAX} blocks`)
  if (blocks.length > 0 && pemOf(blocks) === text) return yes({ form: 'PEM', blocks })
  return no(
    'bad-value',
    'it is not PEM in its strict form: lines of 64 characters that end in LF, and nothing around the blocks',
  )
}

function pemOf(blocks: readonly Block[]): string {
  const body = (der: Uint8Array) =>
    Buffer.from(der)
      .toString('base64')
      .replace(/(.{64})(?=.)/g, '$1\n')
  return blocks
    .map(({ label, der }) => `-----BEGIN ${label}-----\n${body(der)}\n-----END ${label}-----\n`)
    .join('')
}

function bundleInDer(der: Uint8Array): Verdict<Bundle, HeaderCode> {
  const label = labelOf(der)
  if (label) return yes({ form: 'DER', blocks: [{ label, der }] })
  return no(
    'bad-value',
    'it is neither PEM nor DER of a certificate or key, nor a header that this command wrote',
  )
}

/* ---- what a block holds ---- */

function kindOf({ label, der }: Block): Kind | undefined {
  const own = labelOf(der)
  const kind = own === undefined ? undefined : LABELS.get(own)
  // Three forms of private keys differ in their label, which must be their own.
  return kind === 'private key' && own !== label ? undefined : kind
}

function labelOf(der: Uint8Array): string | undefined {
  if (!isWhole(der)) return undefined
  if (parses(() => new X509Certificate(der).raw, der)) return 'CERTIFICATE'
  const bytes = Buffer.from(der)
  const spki = () =>
    createPublicKey({ key: bytes, format: 'der', type: 'spki' }).export({ format: 'der', type: 'spki' })
  if (parses(spki, der)) return 'PUBLIC KEY'
  return privateLabelOf(bytes)
}

/** OpenSSL reads each of the four forms by any of their names; which one it is, its second element tells. */
function privateLabelOf(key: Buffer): string | undefined {
  const isKey = (['pkcs8', 'sec1', 'pkcs1'] as const).some((type) => isPrivateKey(key, type))
  return isKey ? PRIVATE_LABELS.get(secondTagOf(key)) : undefined
}

const PRIVATE_LABELS: ReadonlyMap<number | undefined, string> = new Map([
  [0x30, 'PRIVATE KEY'],
  [0x04, 'ENCRYPTED PRIVATE KEY'],
  [0x02, 'RSA PRIVATE KEY'],
  [0x104, 'EC PRIVATE KEY'],
])

/** Of the element behind the first one; an octet string behind a version counts as 0x104. */
function secondTagOf(der: Uint8Array): number | undefined {
  const at = der[1]! < 0x80 ? 2 : 2 + der[1]! - 0x80
  const size = der[at + 1]!
  const tag = der[at + 2 + size]
  return der[at] === 0x02 && tag === 0x04 ? 0x104 : tag
}

function isPrivateKey(key: Buffer, type: 'pkcs8' | 'sec1' | 'pkcs1'): boolean {
  try {
    createPrivateKey({ key, format: 'der', type })
    return true
  } catch (error) {
    return codeOf(error) === 'ERR_MISSING_PASSPHRASE'
  }
}

/** One outer SEQUENCE, of exactly the file's length, in DER's shortest form. */
function isWhole(der: Uint8Array): boolean {
  const [tag, first] = der
  if (tag !== 0x30 || first === undefined || first === 0x80 || first > 0x83) return false
  if (first < 0x80) return der.length === 2 + first
  const count = first - 0x80
  const size = der.subarray(2, 2 + count).reduce((sum, byte) => sum * 256 + byte, 0)
  return der.length === 2 + count + size && size >= (count === 1 ? 0x80 : 256 ** (count - 1))
}

function parses(read: () => Uint8Array, der: Uint8Array): boolean {
  try {
    return equal(Uint8Array.from(read()), der)
  } catch (error) {
    ignore(error, 'then it is something else')
    return false
  }
}

/* ---- the header ---- */

function headerOf({ form, blocks }: Bundle, name: string): string {
  const arrays = blocks.map(({ label, der }, at) => {
    const own = `${name}_${at + 1}`
    return `// ${label}, ${der.length} bytes of DER\nstatic const unsigned char ${own}[${der.length}] = {\n${rowsOfBytes(der)}\n};\n`
  })
  const guard = `${name.toUpperCase()}_H`
  return `${FIRST_LINE}\n// form: ${form}\n#ifndef ${guard}\n#define ${guard}\n\n${arrays.join('\n')}\n#endif\n`
}

/** Read by its own pattern, then written again: what is not the same was edited. */
function bundleInHeader(text: string): Verdict<Bundle, HeaderCode> {
  const form = /^\/\/ form: (PEM|DER)$/m.exec(text)?.[1] as Bundle['form'] | undefined
  const arrays = [
    ...text.matchAll(
      /^\/\/ ([A-Z ]+), \d+ bytes of DER\nstatic const unsigned char ([a-z0-9_]+)_\d\[\d+\] = \{\n([^}]*)\};$/gm,
    ),
  ]
  const blocks = arrays.map(([, label, , rows]) => ({ label: label!, der: bytesInRows(rows!) }))
  const name = arrays[0]?.[2]
  const isOurs = form && name && blocks.length <= BLOCKS_MAX && headerOf({ form, blocks }, name) === text
  if (isOurs) return yes({ form, blocks })
  return no('bad-value', 'this header was edited: not every byte is as this command writes it')
}

function fileOf({ form, blocks }: Bundle): Pick<Converted, 'to' | 'bytes'> {
  if (form === 'DER') return { to: 'der', bytes: blocks[0]!.der }
  return { to: 'pem', bytes: Buffer.from(pemOf(blocks)) }
}
