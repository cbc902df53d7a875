// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Which test files run beside which: the machine has two cores, and a test that finds them busy must still tell the truth.
 * In: the files that were asked for. Out: the one to start now, beside those that run.
 *
 * Most files work about half of their time: three of them fill the machine. Some mostly wait; one of those goes along. Each that may
 * not be disturbed, or would disturb, has the machine to itself, as has every file of test/live that no table here names.
 */
import { relative, sep } from 'node:path'

export type Manner = 'works' | 'waits' | 'alone'

/** A file to run; its path is absolute. */
export interface Planned {
  readonly file: string
  readonly manner: Manner
  /** About how long it takes on two idle cores. */
  readonly seconds: number
}

const WORKING_MAX = 3
/** Of those that wait, when nothing works. */
const WAITING_MAX = 2
const SECONDS_OF_OTHERS = 2

/**
 * Files that mostly wait, and for what. Each draws its ports (test/support/ports.ts), counts no milliseconds, and holds on a
 * machine that is several times slower.
 */
export const WAITS: Readonly<Record<string, string>> = {
  'test/live/cli.test.ts': 'tors that join the network, once for each command from outside',
  'test/live/mesh-stall.test.ts': 'a silence of half a minute, and calls that hang',
  'test/live/mesh.test.ts': 'descriptors of onion services, half a minute in which nothing may arrive',
  'test/live/onion-home.test.ts': 'tors that join the network, descriptors, streams that break',
  'test/live/onion-network.test.ts': 'the first consensus of networks made from nothing',
  'test/live/onion.test.ts': 'descriptors of onion services, dials that end in nothing',
  'test/live/people-onion.test.ts': 'tors that join the network, an address that is renewed',
}

/** Live files that keep a core busy and can be disturbed, as the other folders do: many short processes of the CLI. */
export const WORKS: ReadonlySet<string> = new Set(
  [
    ...['ca', 'cli-home', 'firmware-update', 'home', 'http', 'identity', 'link', 'link-openssl'],
    ...['mesh-three', 'people', 'revocation', 'still'],
  ].map((name) => `test/live/${name}.test.ts`),
)

/** Why these have the machine to themselves. */
export const ALONE: Readonly<Record<string, string>> = {
  'test/live/front-door.test.ts': 'grants and leases of two and three seconds, and what happens within them',
  'test/live/kill-daemon.test.ts': 'kills at any moment of a daemon that must get somewhere in half a second',
  'test/live/kill.test.ts': 'kills at any moment of a writer that must get somewhere',
  'test/live/link-hostile.test.ts': 'a thousand connections, and buffers of the system that are filled',
  'test/live/mesh-faults.test.ts': 'a disk that is filled, memory that is measured',
  'test/live/mesh-leak.test.ts': 'network namespaces, and counters of the kernel',
  'test/live/page.test.ts': 'Chromium, and round trips that are counted',
  'test/live/provision.test.ts': 'a copy of what is built, while nobody builds',
}

/** Those above ten seconds: the longest are begun first, so that none is left over at the end. */
export const SECONDS: Readonly<Record<string, number>> = {
  'test/firmware/budget.test.ts': 110,
  'test/vectors/firmware.test.ts': 100,
  'test/live/page.test.ts': 90,
  'test/live/mesh-faults.test.ts': 80,
  'test/live/mesh.test.ts': 75,
  'test/contract/cli.test.ts': 70,
  'test/simulation/mesh.test.ts': 70,
  'test/firmware/front-door.test.ts': 65,
  'test/live/onion.test.ts': 65,
  'test/live/onion-home.test.ts': 65,
  'test/live/mesh-three.test.ts': 60,
  'test/live/onion-network.test.ts': 60,
  'test/live/people.test.ts': 60,
  'test/live/cli-home.test.ts': 55,
  'test/firmware/drivers.test.ts': 50,
  'test/live/mesh-stall.test.ts': 50,
  'test/firmware/core.test.ts': 45,
  'test/firmware/fuzz.test.ts': 70,
  'test/firmware/mutation.test.ts': 45,
  'test/live/kill-daemon.test.ts': 45,
  'test/live/people-onion.test.ts': 45,
  'test/firmware/adversity.test.ts': 40,
  'test/firmware/update.test.ts': 40,
  'test/live/cli.test.ts': 40,
  'test/firmware/direct.test.ts': 35,
  'test/live/home.test.ts': 35,
  'test/firmware/renewal.test.ts': 30,
  'test/firmware/reproducible.test.ts': 30,
  'test/firmware/tls.test.ts': 30,
  'test/live/ca.test.ts': 30,
  'test/live/front-door.test.ts': 30,
  'test/live/provision.test.ts': 30,
  'test/firmware/spool.test.ts': 25,
  'test/vectors/differential.test.ts': 25,
  'test/firmware/discovery.test.ts': 20,
  'test/firmware/places.test.ts': 20,
  'test/live/identity.test.ts': 20,
  'test/vectors/grants-differential.test.ts': 20,
  'test/firmware/charge.test.ts': 18,
  'test/firmware/boards.test.ts': 15,
  'test/firmware/crypto.test.ts': 15,
  'test/firmware/signer.test.ts': 15,
  'test/live/firmware-update.test.ts': 15,
  'test/live/kill.test.ts': 15,
  'test/live/mesh-leak.test.ts': 15,
  'test/live/still.test.ts': 15,
  'test/unit/cli/usage.test.ts': 15,
  'test/unit/cli/ca.test.ts': 12,
}

/** @param root of the repository; @param files absolute paths @returns the longest first */
export function planOf(root: string, files: readonly string[]): readonly Planned[] {
  return files
    .map((file) => {
      const name = relative(root, file).split(sep).join('/')
      const seconds = SECONDS[name] ?? SECONDS_OF_OTHERS
      return { file, seconds, manner: mannerOf(name) }
    })
    .toSorted((a, b) => b.seconds - a.seconds)
}

function mannerOf(name: string): Manner {
  if (name in WAITS) return 'waits'
  return name.startsWith('test/live/') && !WORKS.has(name) ? 'alone' : 'works'
}

/** The one of `queue` to start beside those that run; undefined when one of them has to end first. */
export function next(queue: readonly Planned[], running: readonly Planned[]): Planned | undefined {
  const count = (manner: Manner) => running.filter((each) => each.manner === manner).length
  if (count('alone') > 0) return undefined
  const works = count('works')
  const mayStart = {
    works: works < WORKING_MAX,
    // Beside work one waits, or the work would wait as well; without any, as many as do not crowd each other.
    waits: count('waits') < (works > 0 || queue.some(({ manner }) => manner === 'works') ? 1 : WAITING_MAX),
    alone: running.length === 0 && queue.every(({ manner }) => manner === 'alone'),
  } satisfies Record<Manner, boolean>
  return queue.find(({ manner }) => mayStart[manner])
}
