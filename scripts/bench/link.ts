// SPDX-License-Identifier: GPL-3.0-or-later
/** The device link and the LAN: `link.ingest`, `link.rtt`, `link.rss`, each against the least that could do the like. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { fieldsOf, optionalBytesIn } from '../../daemon/cli/fields.ts'
import { unixWay } from '../../daemon/cli/reach/index.ts'
import { lanWay } from '../../daemon/cli/reach/lan.ts'
import { loadHub } from '../../daemon/config/keyring.ts'
import { nativeEd25519 } from '../../daemon/core/envelope/index.ts'
import { caCertificate, privateKeyPem, toPem } from '../../daemon/core/identity/certificates.ts'
import { ALPN_LINK } from '../../schemas/gen/ts/wire.ts'
import type { BareTlsArgument } from './bare-tls.ts'
import { type Client, openClient } from './client.ts'
import { signedBytes, VerifyAlone } from './envelope.ts'
import {
  addDevices,
  type HomePlace,
  type Hub,
  type KnownDevice,
  makeHome,
  startFleet,
  startHub,
} from './home.ts'
import { cpuSeconds, Helper, residentKib } from './process.ts'
import { against, type Bench, median, type Result, type Results } from './sample.ts'
import { signAndVerify } from './signatures.ts'

const ed25519 = nativeEd25519()
const here = (name: string): string => new URL(name, import.meta.url).pathname

const INGEST_DEVICES = 200
const INGEST_ROUNDS = 5
const READINGS_EACH = 60

/** Readings of 200 devices, from their TLS records to the acknowledged transaction. */
export async function ingest({ say }: Bench): Promise<Results> {
  say(`link.ingest: ${INGEST_DEVICES} devices send readings to the daemon`)
  using place = makeHome()
  const devices = await addDevices(place, namesOf(INGEST_DEVICES))
  await using hub = await startHub(place)
  await using fleet = await startFleet(place, hub.linkPort, devices)
  await fleet.ask({ connect: devices.length })
  const [stored, verified]: [number[], number[]] = [[], []]
  for (let round = -1; round < INGEST_ROUNDS; round++) {
    const { frameBytes } = await fleet.ask<{ frameBytes: number }>({ prepare: READINGS_EACH })
    const before = cpuSeconds(hub.pid)
    const { stored: count } = await fleet.ask<{ stored: number }>({ flood: true })
    const seconds = cpuSeconds(hub.pid) - before
    const alone = new VerifyAlone(signedBytes(frameBytes)).perCoreSecond()
    if (round < 0) continue
    stored.push(count / seconds)
    verified.push(alone)
  }
  return { 'link.ingest': against(stored, verified, 'readings/core-s') }
}

/** The command by the client, the receipt by the device. */
const SIGNATURES = 2
/** The command by the hub and by the device, the receipt by the hub and by the client. */
const VERIFICATIONS = 4
const ROUND_TRIPS = 600
const WARM_UP = 300

/** A command over the LAN to its verified receipt, by turns with an echo and the signatures that a command needs. */
export async function linkRoundTrip({ say }: Bench): Promise<Results> {
  say('link.rtt: commands over the LAN, to a device in a process of its own')
  using place = makeHome()
  const devices = await addDevices(place, ['lamp'])
  await using hub = await startHub(place)
  await using fleet = await startFleet(place, hub.linkPort, devices)
  await fleet.ask({ connect: 1 })
  await using client = await lanClient(place, hub)
  await using bare = await startBare(place)
  await using echo = await Echo.open(bare.port, devices[0]!)
  using disk = new Disk(place.directory)
  const thing = await client.prove('lamp')
  const [commands, baselines, echoes, syncs]: [number[], number[], number[], number[]] = [[], [], [], []]
  for (let turn = -WARM_UP; turn < ROUND_TRIPS; turn++) {
    const began = performance.now()
    await client.command(thing, Math.abs(turn) % 100)
    const commanded = performance.now()
    await echo.roundTrip()
    const echoed = performance.now()
    signAndVerify(SIGNATURES, VERIFICATIONS)
    const signed = performance.now()
    disk.sync()
    if (turn < 0) continue
    commands.push(commanded - began)
    baselines.push(signed - commanded)
    echoes.push(echoed - commanded)
    syncs.push(performance.now() - signed)
  }
  const result = against(commands, baselines, 'ms')
  return { 'link.rtt': { ...result, note: floorOf(result, median(echoes), median(syncs)) } }
}

/** What no hub can save that keeps its word: a second hop to the device, and two syncs, one before it delivers, one before it tells. */
function floorOf({ value, baseline }: Result, echo: number, sync: number): string {
  const floor = baseline! + echo + 2 * sync
  const parts = `baseline + the second hop ${echo.toFixed(2)} + two syncs of the disk, ${sync.toFixed(2)} each`
  return `the floor is ${floor.toFixed(2)} ms (${parts}); we are at ${(value / floor).toFixed(2)} of it`
}

/** About as many bytes as one command adds to the database's log. */
const SYNC_BYTES = 16_384
/** Written over and over, as that log is: to grow a file would cost more. */
const DISK_BYTES = 64 * SYNC_BYTES

/** One write that survives a power cut, on the disk of the home. */
class Disk implements Disposable {
  readonly #file: number
  readonly #bytes = systemRandom.bytes(SYNC_BYTES)
  #at = 0

  constructor(directory: string) {
    this.#file = openSync(join(directory, 'disk'), 'w')
    writeSync(this.#file, new Uint8Array(DISK_BYTES))
    fsyncSync(this.#file)
  }

  sync(): void {
    writeSync(this.#file, this.#bytes, 0, SYNC_BYTES, this.#at)
    fsyncSync(this.#file)
    this.#at = (this.#at + SYNC_BYTES) % DISK_BYTES
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}

const RSS_ROUNDS = 3
const RSS_FIRST = 100
const RSS_MORE = 700
const SETTLE_MS = 4000

/** What a connected, idle device adds to the resident set, when some are there already. */
export async function resident({ say }: Bench): Promise<Results> {
  say(`link.rss: ${RSS_FIRST + RSS_MORE} idle devices`)
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < RSS_ROUNDS; round++) {
    using place = makeHome()
    const devices = await addDevices(place, namesOf(RSS_FIRST + RSS_MORE))
    {
      await using hub = await startHub(place)
      await using fleet = await startFleet(place, hub.linkPort, devices)
      ours.push(await kibPerConnection(hub.pid, fleet))
    }
    await using bare = await startBare(place)
    await using fleet = await startFleet(place, bare.port, devices, true)
    theirs.push(await kibPerConnection(bare.pid, fleet))
  }
  return { 'link.rss': against(ours, theirs, 'KiB/device') }
}

async function kibPerConnection(pid: number, fleet: Helper): Promise<number> {
  await fleet.ask({ connect: RSS_FIRST })
  await systemClock.sleep(SETTLE_MS)
  const before = residentKib(pid)
  await fleet.ask({ connect: RSS_MORE })
  await systemClock.sleep(SETTLE_MS)
  return (residentKib(pid) - before) / RSS_MORE
}

function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `device-${number}`)
}

interface Bare extends AsyncDisposable {
  readonly pid: number
  readonly port: number
}

/** The bare server, with the hub's own certificate. */
async function startBare(place: HomePlace): Promise<Bare> {
  const ring = loadHub(place.data)
  const deviceCa = ed25519.signer(ring.deviceCaSeed.reveal())
  const argument: BareTlsArgument = {
    key: privateKeyPem(ring.hubSeed.reveal()),
    cert: toPem('CERTIFICATE', ring.hubLeaf),
    ca: toPem('CERTIFICATE', caCertificate('device', deviceCa)),
    protocol: ALPN_LINK,
  }
  const { helper, ready } = await Helper.start<{ port: number }>(here('bare-tls.ts'), argument)
  return { pid: helper.pid, port: ready.port, [Symbol.asyncDispose]: () => helper[Symbol.asyncDispose]() }
}

/** Who trusts the home's web CA, as its code carries it, and comes over the LAN. */
async function lanClient(place: HomePlace, hub: Hub): Promise<Client> {
  await using local = openClient(place, async () => unixWay(place.data))
  const status = fieldsOf(await local.api.get('/status'), 'a status')
  const webCa = optionalBytesIn(status, 'webCa')!
  return openClient(place, async () => lanWay(hub.lan, webCa))
}

/** As long as a sealed command. */
const ECHO_BYTES = 250

/** One mutual-TLS connection on which everything comes back. */
class Echo implements AsyncDisposable {
  readonly #socket: TLSSocket
  readonly #message = systemRandom.bytes(ECHO_BYTES)

  private constructor(socket: TLSSocket) {
    this.#socket = socket
  }

  static async open(port: number, device: KnownDevice): Promise<Echo> {
    const socket = connect({
      ...{ host: '127.0.0.1', port, ALPNProtocols: [ALPN_LINK], minVersion: 'TLSv1.3' },
      cert: toPem('CERTIFICATE', Uint8Array.fromHex(device.certificate)),
      key: privateKeyPem(Uint8Array.fromHex(device.seed)),
      // The CA of the hub is a bare key here, which Node cannot be told; who answers is not the question.
      rejectUnauthorized: false,
    })
    socket.setNoDelay(true)
    await new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve)
      socket.once('error', reject)
    })
    return new Echo(socket)
  }

  roundTrip(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let missing = ECHO_BYTES
    const hear = (bytes: Uint8Array): void => {
      missing -= bytes.length
      if (missing > 0) return
      this.#socket.off('data', hear)
      this.#socket.off('error', reject)
      resolve()
    }
    this.#socket.on('data', hear)
    this.#socket.once('error', reject)
    this.#socket.write(this.#message)
    return promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
  }
}
