// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Writes schemas/vectors/<room>/*.txt: one case per file, each naming the code that TypeScript and C must reach.
 *
 *   node scripts/vectors.ts            writes them
 *   node scripts/vectors.ts --check    exit 1 when a committed file is stale or left over
 *
 * Keys are made from fixed seeds, so the bytes are the same on every machine. What is expected is written by hand beside
 * each case, from SPEC.md; nothing is asked of the code under test but sealing.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { certificateCases } from './vectors/certificates.ts'
import { codeCases } from './vectors/codes.ts'
import { directCases } from './vectors/direct.ts'
import { enrolmentCases } from './vectors/enrolment.ts'
import { envelopeCases } from './vectors/envelope.ts'
import { grantCases } from './vectors/grants.ts'
import { peopleCases } from './vectors/people.ts'
import { pinsCases } from './vectors/pins.ts'
import { serialCases } from './vectors/serial.ts'
import { sessionCases } from './vectors/session.ts'
import { stillCases, stillShapes } from './vectors/stills.ts'
import { type Case, textOf } from './vectors/text.ts'
import { updateCases, updateShapes } from './vectors/update.ts'

const VECTORS = join(import.meta.dirname, '..', 'schemas', 'vectors')
const ROOMS: Record<string, Case[]> = {
  envelope: [
    ...envelopeCases(),
    ...peopleCases(),
    ...updateShapes(),
    ...pinsCases(),
    ...stillShapes(),
    ...directCases(),
  ],
  code: codeCases(),
  session: sessionCases(),
  enrolment: enrolmentCases(),
  grants: grantCases(),
  update: updateCases(),
  stills: stillCases(),
  serial: serialCases(),
  certificate: certificateCases(),
}

const checking = process.argv.includes('--check')
const stale: string[] = []
for (const [room, cases] of Object.entries(ROOMS)) {
  const folder = join(VECTORS, room)
  mkdirSync(folder, { recursive: true })
  const wanted = new Map(cases.map((one) => [`${one.name}.txt`, textOf(room, one)]))
  if (wanted.size !== cases.length) throw new Error(`two cases of ${room} have one name`)
  for (const [file, text] of wanted) {
    const path = join(folder, file)
    if (readIfThere(path) === text) continue
    stale.push(`${room}/${file}`)
    if (!checking) writeFileSync(path, text)
  }
  for (const file of readdirSync(folder)) {
    if (wanted.has(file)) continue
    stale.push(`${room}/${file}`)
    if (!checking) rmSync(join(folder, file))
  }
}
const total = Object.values(ROOMS).reduce((sum, cases) => sum + cases.length, 0)
if (checking && stale.length > 0) {
  console.error(`stale, run npm run vectors: ${stale.join(', ')}`)
  process.exitCode = 1
} else console.log(`${total} vectors, ${stale.length} ${checking ? 'stale' : 'changed'}`)

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
