// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Makes the TypeScript and the C face of schemas/: codes, wire constants, capabilities.
 *
 *   node scripts/generate.ts            writes schemas/gen/{ts,c}
 *   node scripts/generate.ts --check    exit 1 and a list when a committed file is stale
 *
 * In the CDDL only constants are read: a line `name = <integer or "text">` at the left margin. The maps and arrays
 * around them are for people; what they say is enforced by the codecs and held to them by the vectors.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { csvRows } from './csv.ts'

const ROOT = join(import.meta.dirname, '..')
const SCHEMAS = join(ROOT, 'schemas')
const NOTICE =
  '// SPDX-License-Identifier: GPL-3.0-or-later\n// Written by scripts/generate.ts from schemas/. Do not edit.\n'

type Constant = { name: string; value: number | string; comment: string }

function readConstants(): Constant[] {
  const constants: Constant[] = []
  for (const file of readdirSync(join(SCHEMAS, 'wire')).sort()) {
    for (const line of readFileSync(join(SCHEMAS, 'wire', file), 'utf8').split('\n')) {
      const found = /^([a-z][a-z0-9-]*) = (-?\d+|"[^"]*")\s*(?:;\s*(.*))?$/.exec(line)
      if (!found) continue
      const literal = found[2]!
      const value = literal.startsWith('"') ? literal.slice(1, -1) : Number(literal)
      constants.push({ name: found[1]!, value, comment: found[3] ?? '' })
    }
  }
  const names = constants.map((constant) => constant.name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice) throw new Error(`schemas/wire defines ${twice} twice`)
  return constants
}

const upper = (name: string): string => name.toUpperCase().replaceAll('-', '_')

function tsWire(constants: Constant[]): string {
  const lines = constants.map(({ name, value }) => {
    const literal = typeof value === 'number' ? value : `'${value}'`
    return `export const ${upper(name)} = ${literal}`
  })
  const types = constants.filter(({ name }) => name.startsWith('type-'))
  const table = types.map(({ name }) => `  ${name.slice(5)}: ${upper(name)},`)
  return `${NOTICE}\n${lines.join('\n')}\n\n/** Message types by short name (SPEC 4). */\nexport const MESSAGE_TYPES = {\n${table.join('\n')}\n} as const\nexport type MessageType = keyof typeof MESSAGE_TYPES\n`
}

function cWire(constants: Constant[]): string {
  const lines = constants.map(({ name, value }) => {
    if (typeof value === 'string') return `#define SHALLOT_${upper(name)} "${value}"`
    return `#define SHALLOT_${upper(name)} ${value > 0x7fffffff ? `${value}LL` : `(${value})`}`
  })
  return `${NOTICE}#ifndef SHALLOT_WIRE_H\n#define SHALLOT_WIRE_H\n\n${lines.join('\n')}\n\n#endif\n`
}

type Row = Record<string, string>

function tsCodes(rows: Row[]): string {
  const numbers = rows.map((row) => `  '${row.name}': ${row.number},`)
  const meanings = rows.map((row) => `  '${row.name}': ${JSON.stringify(row.meaning)},`)
  return `${NOTICE}
/** Every code that crosses a boundary, with its number on the wire (schemas/codes.csv). */
export const CODES = {
${numbers.join('\n')}
} as const
export type Code = keyof typeof CODES

/** What each code means, in a sentence for a person. */
export const MEANINGS: Readonly<Record<Code, string>> = {
${meanings.join('\n')}
}

const BY_NUMBER = new Map<number, Code>(Object.entries(CODES).map(([name, number]) => [number, name as Code]))

/** The code with this number, if the list has it. */
export function codeByNumber(number: number): Code | undefined {
  return BY_NUMBER.get(number)
}
`
}

function cCodes(rows: Row[]): string {
  const enumerators = rows
    .filter((row) => row.name !== 'ok')
    .map(
      (row) => `  SHALLOT_E_${upper(row.name!)} = -${row.number}, /* ${row.meaning!.replaceAll('−', '-')} */`,
    )
  const cases = rows.map(
    (row) => `    case ${row.name === 'ok' ? '0' : `SHALLOT_E_${upper(row.name!)}`}: return "${row.name}";`,
  )
  return `${NOTICE}#ifndef SHALLOT_CODES_H
#define SHALLOT_CODES_H

/* Functions return 0 or a count on success, one of these otherwise. */
enum shallot_code {
  SHALLOT_OK = 0,
${enumerators.join('\n')}
};

/* The name a code has in schemas/codes.csv, for logs and tests; "?" for a number that is not in the list. */
static inline const char *shallot_code_name(int code) {
  switch (code) {
${cases.join('\n')}
    default: return "?";
  }
}

#endif
`
}

function tsCapabilities(rows: Row[]): string {
  const entries = rows.map(
    (row) =>
      `  { number: ${row.number}, name: '${row.name}', kind: '${row.kind}', type: '${row.type}', unit: '${row.unit}', scale: ${row.scale}, min: ${row.min}, max: ${row.max}, writable: ${row.writable === 'yes'}, title: '${row.title}' },`,
  )
  return `${NOTICE}
/**
 * What a device can have or do. Numbers on the wire are integers: the value in \`unit\` × 10^\`scale\`, between \`min\`
 * and \`max\` inclusive (already scaled). Units are SenML names (RFC 8428 §12.1, RFC 8798).
 */
export interface Capability {
  readonly number: number
  readonly name: string
  readonly kind: 'property' | 'action'
  readonly type: 'boolean' | 'integer' | 'none'
  readonly unit: string
  readonly scale: number
  readonly min: number
  readonly max: number
  readonly writable: boolean
  readonly title: string
}

export const CAPABILITIES: readonly Capability[] = [
${entries.join('\n')}
]
`
}

function cCapabilities(rows: Row[]): string {
  const defines = rows.flatMap((row) => [
    `#define SHALLOT_CAPABILITY_${upper(row.name!)} ${row.number}`,
    `#define SHALLOT_CAPABILITY_${upper(row.name!)}_MIN (${row.min})`,
    `#define SHALLOT_CAPABILITY_${upper(row.name!)}_MAX (${row.max})`,
  ])
  return `${NOTICE}#ifndef SHALLOT_CAPABILITIES_H
#define SHALLOT_CAPABILITIES_H

${defines.join('\n')}

/* One line per capability for tables: number, is_property, type (0 none, 1 boolean, 2 integer), min, max, writable. */
#define SHALLOT_CAPABILITY_TABLE(X) \\
${rows.map((row) => `  X(${row.number}, ${row.kind === 'property' ? 1 : 0}, ${['none', 'boolean', 'integer'].indexOf(row.type!)}, ${row.min}, ${row.max}, ${row.writable === 'yes' ? 1 : 0})`).join(' \\\n')}

#endif
`
}

function outputs(): Map<string, string> {
  const constants = readConstants()
  const codes = csvRows(readFileSync(join(SCHEMAS, 'codes.csv'), 'utf8'))
  const capabilities = csvRows(readFileSync(join(SCHEMAS, 'capabilities', 'list.csv'), 'utf8'))
  return new Map([
    ['ts/wire.ts', tsWire(constants)],
    ['ts/codes.ts', tsCodes(codes)],
    ['ts/capabilities.ts', tsCapabilities(capabilities)],
    ['c/shallot_wire.h', cWire(constants)],
    ['c/shallot_codes.h', cCodes(codes)],
    ['c/shallot_capabilities.h', cCapabilities(capabilities)],
  ])
}

const checking = process.argv.includes('--check')
const stale: string[] = []
for (const [file, text] of outputs()) {
  const path = join(SCHEMAS, 'gen', file)
  let present = ''
  try {
    present = readFileSync(path, 'utf8')
  } catch {}
  if (present === text) continue
  stale.push(`schemas/gen/${file}`)
  if (!checking) writeFileSync(path, text)
}
if (checking && stale.length > 0) {
  console.error(`stale, run npm run generate: ${stale.join(', ')}`)
  process.exitCode = 1
} else if (!checking) console.log(stale.length > 0 ? `written: ${stale.join(', ')}` : 'nothing changed')
