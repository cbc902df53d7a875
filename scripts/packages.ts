// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Names, a line each, the packages of package-lock.json that are for this kind of machine and are not installed. npm leaves out an
 * optional package that it could not download, and says nothing of it.
 *
 *   node scripts/packages.ts            exit 1 when there are any
 *
 * Imports nothing but Node's own, because packages may be missing when it runs.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** As package-lock.json has it, under a path such as `node_modules/@biomejs/cli-linux-x64`. */
export interface LockedPackage {
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
}

export interface Machine {
  readonly os: string
  readonly cpu: string
  readonly libc: string
}

/** Those that say for which machines they are, this one among them, and are not there. What is for all machines npm insists on. */
export function leftOut(
  packages: Readonly<Record<string, LockedPackage>>,
  { os, cpu, libc }: Machine,
  isThere: (path: string) => boolean,
): readonly string[] {
  const isOurs = (wanted: readonly string[] | undefined, ours: string) => wanted?.includes(ours) ?? true
  return Object.entries(packages).flatMap(([path, each]) =>
    (each.os ?? each.cpu) && isOurs(each.os, os) && isOurs(each.cpu, cpu) && isOurs(each.libc, libc)
      ? isThere(path)
        ? []
        : [path.replace(/^.*node_modules\//, '')]
      : [],
  )
}

function main(): void {
  const root = join(import.meta.dirname, '..')
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  const machine = {
    os: process.platform,
    cpu: process.arch,
    libc: header.glibcVersionRuntime === undefined ? 'musl' : 'glibc',
  }
  const missing = leftOut(packages, machine, (path) => existsSync(join(root, path, 'package.json')))
  for (const name of missing) console.log(name)
  if (missing.length > 0) process.exitCode = 1
}

if (import.meta.main) main()
