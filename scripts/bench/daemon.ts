// SPDX-License-Identifier: GPL-3.0-or-later
/** `daemon.ready` and `daemon.rss`: the daemon by itself, with a tor of its own that is kept from the network. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../daemon/base/clock.ts'
import { fieldsOf, optionalBytesIn } from '../../daemon/cli/fields.ts'
import { unixWay } from '../../daemon/cli/reach/index.ts'
import { lanWay } from '../../daemon/cli/reach/lan.ts'
import { openClient } from './client.ts'
import { type HomePlace, makeHome, startHub } from './home.ts'
import { residentKib } from './process.ts'
import { alone, type Bench, type Results } from './sample.ts'

const ROUNDS = 5
const IDLE_MS = 5000
const BYTES_PER_KIB = 1024

export async function daemon({ say }: Bench): Promise<Results> {
  say('daemon.ready, daemon.rss: the daemon starts and then idles')
  using place = makeHome()
  const torrc = join(place.directory, 'torrc')
  writeFileSync(torrc, 'DisableNetwork 1\n', { mode: 0o600 })
  const webCa = await webCaOf(place)
  const [ready, idle]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now()
    await using hub = await startHub(place, ['--tor-torrc-extra', torrc])
    await askLan(hub.lan, webCa)
    ready.push((performance.now() - began) / 1000)
    await systemClock.sleep(IDLE_MS)
    idle.push((residentKib(hub.pid) * BYTES_PER_KIB) / 1e6)
  }
  return { 'daemon.ready': alone(ready, 's'), 'daemon.rss': alone(idle, 'MB') }
}

/** From a run that is not measured: the CA is the same in each. */
async function webCaOf(place: HomePlace): Promise<Uint8Array> {
  await using _hub = await startHub(place)
  await using client = openClient(place, async () => unixWay(place.data))
  return optionalBytesIn(fieldsOf(await client.api.get('/status'), 'a status'), 'webCa')!
}

async function askLan(origin: string, webCa: Uint8Array): Promise<void> {
  await using way = lanWay(origin, webCa)
  const ask = { method: 'GET', path: '/.well-known/shallot', headers: {}, body: new Uint8Array() }
  const answer = await way.ask(ask, AbortSignal.timeout(5000))
  answer.destroy()
  if (answer.statusCode !== 200) throw new Error(`the LAN answered with status ${answer.statusCode}`)
}
