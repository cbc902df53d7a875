// SPDX-License-Identifier: GPL-3.0-or-later
/** The daemon as a process: signals become one AbortSignal, rooms are composed, and closed again within ten seconds. */
import { readFileSync, realpathSync } from 'node:fs'
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import packageJson from '../package.json' with { type: 'json' }
import { systemClock } from './base/clock.ts'
import { isCode } from './base/error.ts'
import { jsonLines, Log } from './base/log.ts'
import { systemRandom } from './base/random.ts'
import { systemZone } from './base/zone.ts'
import { compose } from './compose.ts'
import type { Config } from './config/index.ts'

const DRAIN_MS_MAX = 10_000

/**
 * Runs the home until the signal aborts; the exit status is 2 when it could not be closed in time.
 * @param beginAnew  with another database in the place of one that is lost
 */
export async function run(config: Config, signal: AbortSignal, beginAnew = false): Promise<void> {
  const log = new Log(
    systemClock,
    jsonLines((text) => process.stderr.write(text), config.log.level),
  )
  const daemon = await compose(
    {
      clock: systemClock,
      random: systemRandom,
      log,
      memoryMb: () => Math.round(process.memoryUsage.rss() / 1e6),
      lanNames: lanNames(),
      lanAddresses,
      version: packageJson.version,
      zone: systemZone(process.env.TZ, realpathSync),
      page: builtPage(),
      beginAnew,
    },
    config,
    signal,
  )
  log.say('info', 'ready', {
    socket: daemon.socket,
    link: `${daemon.link.host}:${daemon.link.port}`,
    lan: daemon.lan,
  })
  await aborted(signal)
  log.say('info', 'closing')
  await Promise.race([
    daemon[Symbol.asyncDispose](),
    systemClock.sleep(DRAIN_MS_MAX).then(() => {
      log.say('error', 'close-timeout', { afterMs: DRAIN_MS_MAX })
      process.exit(2)
    }),
  ])
}

/** What scripts/web.ts made of daemon/web; a home without it works, but for browsers. */
function builtPage(): string | undefined {
  try {
    return readFileSync(join(import.meta.dirname, '../.build/web/page.html'), 'utf8')
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
    return undefined
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** Private ranges: what the web CA may speak for (RFC 1918, 3927, 4193). */
const PRIVATE = new BlockList()
for (const [net, bits, family] of [
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['fc00::', 7, 'ipv6'],
] as const) {
  PRIVATE.addSubnet(net, bits, family)
}

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.filter(({ internal }) => !internal).map(({ address }) => address)
}

/** IPv4 addresses of this machine on private networks, as they are now. */
function lanAddresses(): string[] {
  return ownAddresses().filter((address) => isIPv4(address) && PRIVATE.check(address))
}

/** Addresses of this machine on private networks, IPv4 first, then its name as mDNS has it. */
function lanNames(): string[] {
  const own = ownAddresses()
  const ipv4 = lanAddresses()
  const ipv6 = own.filter((address) => isIPv6(address) && PRIVATE.check(address, 'ipv6'))
  return [...ipv4, ...ipv6, `${hostname().split('.')[0]}.local`]
}
