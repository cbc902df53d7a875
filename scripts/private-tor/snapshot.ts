// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { Instant } from '../../daemon/base/clock.ts'
import { type Layout, nodesOf } from './torrc.ts'

/** A network asleep: keys, consensus and descriptors of every node. Its ports are part of it. */
export interface Snapshot {
  readonly path: string
  readonly layout: Omit<Layout, 'directory'>
}

const MANIFEST = 'manifest.json'
const FORMAT = 2
const SNAPSHOTS_MAX = 4
/** A network begun on a snapshot must outlive a long test run on its consensus. */
const LEFT_MS_MIN = 3 * 3_600_000
/** Of a node's directory: what it cannot make again at once. Sockets, locks, logs and the torrc are per run. */
const KEPT = /^(?:keys|cached-[a-z.-]+|state|sr-state|router-stability|v3-status-votes|unverified-[a-z-]+)$/

interface Manifest {
  readonly format: number
  readonly torVersion: string
  readonly layout: Omit<Layout, 'directory'>
  readonly usableFrom: Instant
  readonly usableUntil: Instant
  /** SHA-256 of every file, by its path within the snapshot. */
  readonly files: Readonly<Record<string, string>>
}

/** The snapshots in `store` that this tor can wake now; those that never can again are removed. */
export async function findSnapshots(store: string, torVersion: string, now: Instant): Promise<Snapshot[]> {
  const found: Snapshot[] = []
  for (const name of await readdir(store).catch(() => [])) {
    const path = join(store, name)
    const manifest = await readManifest(path)
    const usable = manifest !== undefined && manifest.torVersion === torVersion && isTimely(manifest, now)
    if (usable && (await isIntact(path, manifest))) found.push({ path, layout: manifest.layout })
    else if (/^\d+$/.test(name)) await rm(path, { recursive: true, force: true })
  }
  return found
}

export async function restoreSnapshot(snapshot: Snapshot, directory: string): Promise<void> {
  await cp(snapshot.path, directory, { recursive: true, filter: (file) => !file.endsWith(MANIFEST) })
}

/** Saves a network whose nodes have ended; appears whole or not at all. */
export async function saveSnapshot(store: string, layout: Layout, torVersion: string): Promise<void> {
  const names = (await readdir(store).catch(() => [])).filter((name) => /^\d+$/.test(name))
  if (names.length >= SNAPSHOTS_MAX && !names.includes(`${layout.basePort}`)) return
  const path = join(store, `${layout.basePort}`)
  const draft = join(store, `draft-${process.pid}-${layout.basePort}`)
  await mkdir(draft, { recursive: true, mode: 0o700 })
  try {
    for (const part of [...nodesOf(layout), 'seed'])
      await copyKept(join(layout.directory, part), join(draft, part))
    const manifest = await describe(draft, layout, torVersion)
    await writeFile(join(draft, MANIFEST), JSON.stringify(manifest), { mode: 0o600 })
    await rm(path, { recursive: true, force: true })
    await rename(draft, path)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function copyKept(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 })
  for (const name of await readdir(from)) {
    if (KEPT.test(name)) await cp(join(from, name), join(to, name), { recursive: true })
  }
}

async function describe(path: string, layout: Layout, torVersion: string): Promise<Manifest> {
  const { basePort, authority, relays, voteOffset } = layout
  const consensus = await readFile(join(path, 'seed', 'cached-microdesc-consensus'), 'utf8')
  return {
    format: FORMAT,
    torVersion,
    layout: { basePort, authority, relays, voteOffset },
    usableFrom: stampOf(consensus, 'valid-after'),
    usableUntil: stampOf(consensus, 'valid-until') - LEFT_MS_MIN,
    files: await hashes(path),
  }
}

/** A consensus stamp, `keyword YYYY-MM-DD HH:MM:SS` in UTC (dir-spec 3.4.1). */
function stampOf(consensus: string, keyword: string): Instant {
  const stamp = new RegExp(`^${keyword} (\\d{4}-\\d\\d-\\d\\d) (\\d\\d:\\d\\d:\\d\\d)$`, 'm').exec(consensus)
  if (stamp === null) throw new Error(`the consensus has no ${keyword}`)
  return Date.parse(`${stamp[1]}T${stamp[2]}Z`)
}

async function readManifest(path: string): Promise<Manifest | undefined> {
  try {
    const manifest = JSON.parse(await readFile(join(path, MANIFEST), 'utf8')) as Manifest
    return manifest.format === FORMAT ? manifest : undefined
  } catch {
    return undefined
  }
}

function isTimely(manifest: Manifest, now: Instant): boolean {
  return manifest.usableFrom <= now && now <= manifest.usableUntil
}

async function isIntact(path: string, manifest: Manifest): Promise<boolean> {
  const now = await hashes(path)
  const names = Object.keys(manifest.files)
  return names.length > 0 && names.every((name) => now[name] === manifest.files[name])
}

async function hashes(path: string): Promise<Record<string, string>> {
  const out: Record<string, string> = {}
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === MANIFEST) continue
    const file = join(entry.parentPath, entry.name)
    out[relative(path, file)] = createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
  }
  return out
}

/** Where snapshots are kept when nobody says otherwise: beside the repository's other built things, never committed. */
export const defaultStore = join(dirname(dirname(import.meta.dirname)), '.build', 'private-tor')
