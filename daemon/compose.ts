// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Opens every room of the daemon, in order, once; the only file that knows them all. Disposal is this order backwards.
 *
 * tor is started first and waited for never: the LAN is served while it finds its way.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { fromBase64url, toBase64url } from './base/bytes.ts'
import type { Clock } from './base/clock.ts'
import { isCode } from './base/error.ts'
import type { Log } from './base/log.ts'
import type { Random } from './base/random.ts'
import { openGenerationVault } from './config/generations.ts'
import type { Config } from './config/index.ts'
import { type HubRing, hasBegun, isUnbegun, loadHub } from './config/keyring.ts'
import { readPlaces } from './config/places.ts'
import { openVault } from './config/vault.ts'
import type { Authority } from './core/authority.ts'
import { pageOrigins } from './core/direct.ts'
import { nativeEd25519, type Place } from './core/envelope/index.ts'
import { Feed } from './core/feed.ts'
import { openCore } from './core/home.ts'
import { toPem } from './core/identity/certificates.ts'
import { serverLeaf, webCaCertificate, webKey, webLeaf, webScalar } from './core/identity/web-certificates.ts'
import { idOf } from './core/model/index.ts'
import type { Carrier, Journal } from './core/ports.ts'
import { openServices, type Services } from './core/services.ts'
import { zoneNamed } from './core/zone.ts'
import { type Discovery, openDiscovery } from './edge/discovery/index.ts'
import { type Face, openHttp, type TlsFace } from './edge/http/index.ts'
import { type DirectOffice, type Link, type LinkPapers, openLink } from './edge/link/index.ts'
import { type Onion, openOnion } from './edge/onion/index.ts'
import { openMeshOf } from './mesh.ts'
import { onlyMoves, openPublisher } from './publish.ts'
import { openState } from './state/index.ts'

export interface DaemonDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Resident set, MB. */
  readonly memoryMb: () => number
  /** Names by which this machine is known on its LAN. */
  readonly lanNames: readonly string[]
  /** Its IPv4 addresses there, as they are at this moment. */
  readonly lanAddresses: () => readonly string[]
  readonly version: string
  /** The zone of this machine, by its name in the IANA database, if it has one. */
  readonly zone: string | undefined
  /** The phone page, if it was built. */
  readonly page?: string | undefined
  /** The home's database is lost for good: another is begun, and only where there is none. */
  readonly beginAnew?: boolean | undefined
}

export interface Daemon extends AsyncDisposable {
  /** The CLI's unix socket. */
  readonly socket: string
  readonly link: { readonly host: string; readonly port: number }
  /** Origin of the LAN face, when there is one. */
  readonly lan: string | undefined
  readonly onion: Onion | undefined
}

/** The invitation every home has from the start: its owner's own. */
const OWN_INVITATION = 'owner'

/** With the versions of IP that each covers. */
const WILDCARDS: ReadonlyMap<string, readonly number[]> = new Map([
  ['0.0.0.0', [4]],
  ['::', [4, 6]],
])

/** @throws ConfigError, LinkError, StateError, HttpError, OnionError: each with a sentence that names the next step */
export async function compose(deps: DaemonDeps, config: Config, stop: AbortSignal): Promise<Daemon> {
  await using stack = new AsyncDisposableStack()
  const { clock, random, log } = deps
  // Rooms close in order, by disposal; a signal of the whole process would close them all at once.
  const { signal } = new AbortController()
  const ring = loadHub(config.data)
  const ed25519 = nativeEd25519()
  const hub = ed25519.signer(ring.hubSeed.reveal())
  const faceDirectory = join(config.data, 'faces')
  openVault(faceDirectory)

  const onionRoom = openOnionOf(deps, config, signal)
  stack.defer(async () => (await onionRoom?.catch(() => undefined))?.[Symbol.asyncDispose]())

  const state = stack.use(
    await openState(
      { clock, log },
      {
        path: join(config.data, 'home.sqlite'),
        author: idOf(hub.key),
        begin: deps.beginAnew ? 'must' : isUnbegun(config.data) ? undefined : 'must-not',
      },
      signal,
    ),
  )
  hasBegun(config.data)

  let link: Link | undefined
  let lan: Face | undefined
  // The link asks the desk and the desk sends by the link: the knot is tied here, and nowhere else.
  const carrier: Carrier = {
    send: (device, frame) => link?.send(device, frame) ?? 'away',
    drop: (device, why) => link?.drop(device, why),
  }
  const vault = openGenerationVault(config.data, ring)
  const linkPapers = (): LinkPapers => ({
    hubLeaf: vault.present.hubLeaf,
    otherLeaves: [...vault.former, ...vault.spare].map(({ hubLeaf }) => hubLeaf),
    deviceCas: [ed25519.signer(vault.deviceCaSeed.reveal())],
    otherDeviceCas: vault.otherDeviceCas,
  })
  const feed = new Feed()
  let services: Services | undefined
  const zoneName = config.zone ?? deps.zone ?? 'UTC'
  const zone = zoneNamed(zoneName)
  if (config.zone === undefined && deps.zone === undefined)
    log.say('warn', 'zone-unknown', { used: zoneName })
  const core = openCore(
    {
      clock,
      random,
      ed25519,
      ...state,
      carrier,
      feed,
      zone: () => zone?.(Math.floor(clock.now() / 1000)),
      // Also those that are on disk and have no address yet: their names are taken.
      offered: () => new Set(services && state.services.list().map(({ service }) => service)),
      async invite(name, by) {
        const invited = await services!.invite(name, false, by)
        assert(invited.ok, 'the name of a pairing’s invitation is a name, and nobody else’s')
        return invited.value.address
      },
      withdraw: (service, by) => {
        services?.withdraw(service, by).catch((error) => log.taskFailed('withdraw', error))
      },
      onFailure: (error) => log.taskFailed('journal', error),
      generations: {
        vault,
        taken: (hubLeaf) => link?.taken(hubLeaf) ?? 0,
        onEnforced: () => link?.renew(linkPapers()),
      },
      onRefused: (kind, count) => log.say('warn', 'papers-refused', { kind, count }),
    },
    { root: ring.root, owners: ring.owners, hub },
  )
  if (!core.ok) throw new Error(`the owners' envelopes in ${config.data} do not verify: ${core.why}`)
  const { authority, desk, deviceDesk, rollouts, router, stills } = stack.use(core.value)
  const webCa = webCaCertificate(webKey(ring.webCaScalar.reveal()))
  const onion = await onionRoom
  const mesh = stack.use(
    openMeshOf(
      {
        ...{
          clock,
          random,
          log,
          ed25519,
          feed,
          authority,
          ring,
          signer: hub,
          onion,
          desk,
          deviceDesk,
          carrier,
        },
        everyS: config.mesh.resolution,
        // Where there is no tor, nobody could come by them.
        guestsMost: onion ? config.mesh.guests : 0,
        ended: (device) => router.forgotten(device),
        ...state,
        stills,
        services: () => services!,
      },
      signal,
    ),
  )
  link = stack.use(
    await openLink(
      { clock, random, log, ed25519, desk: mesh.deviceDesk },
      {
        host: config.link.host,
        port: config.link.port,
        homeId: ring.home,
        hubSeed: ring.hubSeed,
        ...linkPapers(),
        zone: authority.zone,
        places: placesOf(deps, config, () => link?.port ?? config.link.port),
        direct: directOffice(deps, config, ring, () => lan),
      },
      signal,
    ),
  )
  const discovery = await openDiscoveryOf(deps, config, { root: fromBase64url(ring.home)!, link }, signal)
  if (discovery) stack.use(discovery)
  const linkAddress = { host: reachable(config.link.host, deps.lanNames), port: link.port }

  const http = stack.use(
    await openHttp(
      {
        clock,
        log,
        home: {
          home: ring.home,
          hub: idOf(hub.key),
          bootedAt: clock.now(),
          desk: mesh.desk,
          authority,
          zone: zoneName,
          devices: mesh.devices,
          mesh: mesh.home,
          adoption: mesh.adoption,
          readings: mesh.readings,
          generations: core.value.generations,
          member: ring.member,
          journal: state.journal,
          permits: state.permits,
          pairings: state.pairings,
          get services() {
            return services!
          },
          feed,
          rollouts,
          stills,
          status: () => ({
            version: deps.version,
            devices: {
              connected: link.connected(),
              known: mesh.devices.list().filter(({ home }) => home === undefined).length,
            },
            link: linkAddress,
            lan: originOf(lan, deps.lanNames),
            webCa: lan && toBase64url(webCa),
            tor: onion?.bootstrap() ?? { percent: 0, summary: 'switched off', ready: false },
            memoryMb: deps.memoryMb(),
          }),
        },
      },
      { page: deps.page },
      signal,
    ),
  )
  services = await openServices({
    clock,
    master: ring.onionMaster,
    book: state.services,
    journal: state.journal,
    publisher: openPublisher({ clock, ed25519, onion, http: () => http, door: mesh.door }, faceDirectory),
    clientOf: mesh.clientOf,
    onFault: (error) => log.taskFailed('withdraw', error),
  })
  desk.people.withdrawStale()
  core.value.generations.reconsider()
  await mesh.begin()
  // Once in the life of a home: an owner who withdrew it does not get it back by a restart.
  if (state.services.nextEpoch(`invitation:${OWN_INVITATION}`) === 0) {
    await services.invite(OWN_INVITATION, true, { origin: 'unix' })
  }
  const tellMove = onlyMoves((service, status) =>
    feed.publish({ event: 'onion', at: clock.now(), service, status }),
  )
  onion?.onChange((change) => {
    if (change.kind === 'status') tellMove(change.status)
  })
  if (config.lan.enabled) lan = stack.use(await http.face(lanFace(deps, config, ring, webCa)))
  const socket = join(config.data, 'api.sock')
  stack.use(await http.face({ kind: 'unix', path: socket, origin: 'unix' }))

  stack.use(clock.every(TIDY_MS, () => desk.pairings.tidy()))
  if (config.retention > 0) stack.use(pruning(deps, state.journal, config.retention))
  stack.use(thinning(deps, authority, config.past))

  stop.throwIfAborted()
  const rooms = stack.move()
  return {
    socket,
    link: linkAddress,
    lan: originOf(lan, deps.lanNames),
    onion,
    [Symbol.asyncDispose]: () => rooms.disposeAsync(),
  }
}

/** How often addresses of phones that did not come are looked for. */
const TIDY_MS = 60_000
/** How often log and papers are looked through for what is older than it is to be. */
const PRUNE_MS = 3_600_000
const DAY_MS = 86_400_000

function pruning({ clock, log }: DaemonDeps, journal: Journal, days: number): Disposable {
  const prune = () => {
    const now = clock.now()
    journal.prune(now - days * DAY_MS, now).then(
      (entries) => entries > 0 && log.say('info', 'log-pruned', { entries }),
      (error) => log.taskFailed('prune', error),
    )
  }
  prune()
  return clock.every(PRUNE_MS, prune)
}

/** Where devices may look when the hub is not where it was (SPEC 16.5): what its owner says, then where it is on its LANs now. */
function placesOf(
  { lanAddresses }: DaemonDeps,
  { link }: Config,
  port: () => number,
): () => readonly Place[] {
  const said = link.places === undefined ? [] : readPlaces(link.places)!
  const covers = WILDCARDS.get(link.host) ?? []
  const own = () => (covers.includes(4) ? lanAddresses() : isIP(link.host) === 0 ? [] : [link.host])
  return () => [...said, ...own().map((host) => ({ host, port: port() }))]
}

/** What was granted and holds no more is shown for so many days, and then left to the log. */
function thinning({ clock, log }: DaemonDeps, authority: Authority, days: number): Disposable {
  const thin = () => {
    authority.thin(days * DAY_MS).then(
      (grants) => grants > 0 && log.say('info', 'grants-forgotten', { grants }),
      (error) => log.taskFailed('thin', error),
    )
  }
  thin()
  return clock.every(PRUNE_MS, thin)
}

/** A hub that cannot answer the LAN is still a hub: its devices know where it was. */
async function openDiscoveryOf(
  { clock, log, lanAddresses }: DaemonDeps,
  { link }: Config,
  { root, link: { port, turnedAway: ignores, serverAt } }: { readonly root: Uint8Array; readonly link: Link },
  signal: AbortSignal,
): Promise<Discovery | undefined> {
  const isNear = link.host !== '127.0.0.1' && link.host !== '::1' && link.host !== 'localhost'
  if (!link.discovery || !isNear) return undefined
  const addresses = isIP(link.host) === 4 && link.host !== '0.0.0.0' ? () => [link.host] : lanAddresses
  try {
    const near = (label: string) => {
      const address = serverAt(`${label}.local`)
      return address && isIP(address) === 4 && !address.startsWith('127.') ? address : undefined
    }
    return await openDiscovery({ clock, log }, { root, port, addresses, ignores, serverAt: near }, signal)
  } catch (error) {
    if (!isCode(error, 'cannot-listen')) throw error
    log.taskFailed('discovery', error)
    return undefined
  }
}

function openOnionOf(
  { clock, random, log }: DaemonDeps,
  config: Config,
  signal: AbortSignal,
): Promise<Onion> | undefined {
  const { tor } = config
  const probePath = '/.well-known/shallot'
  if (tor.kind === 'off') return undefined
  if (tor.kind === 'existing') {
    const { controlSocket, socksSocket } = tor
    return openOnion(
      { clock, random, log },
      { tor: { kind: 'existing', controlSocket: controlSocket!, socksSocket: socksSocket! }, probePath },
      signal,
    )
  }
  const directory = join(config.data, 'tor')
  const child = {
    kind: 'child',
    binary: tor.binary,
    directory,
    extraTorrc: torrcLines(tor.torrcExtra),
  } as const
  return openOnion({ clock, random, log }, { tor: child, probePath }, signal)
}

function torrcLines(file: string | undefined): readonly string[] {
  return file === undefined ? [] : readFileSync(file, 'utf8').split('\n')
}

function lanFace(
  { clock, random, lanNames }: DaemonDeps,
  config: Config,
  ring: HubRing,
  caCertificate: Uint8Array,
): TlsFace {
  const ca = webKey(ring.webCaScalar.reveal())
  const names = [...new Set([...OWN_NAMES, ...namesOnLan(config, lanNames)])]
  const leaf = webLeaf(ca, webKey(webScalar(random.bytes(48))), names, random.bytes(16), clock.now())
  const chain = leaf.cert + toPem('CERTIFICATE', caCertificate)
  const { host, port } = config.lan
  return { kind: 'tls', host, port, key: leaf.key, cert: chain, origin: 'lan', hosts: lanNames }
}

/** A machine's names for itself. */
const OWN_NAMES = ['localhost', '127.0.0.1']

function namesOnLan({ lan }: Config, lanNames: readonly string[]): readonly string[] {
  return [...new Set([reachable(lan.host, lanNames), ...lanNames])]
}

/** Devices' own servers are of the same web CA as the page, and for its origins (SPEC 18). */
function directOffice(
  { clock, random, lanNames }: DaemonDeps,
  config: Config,
  ring: HubRing,
  face: () => Face | undefined,
): DirectOffice {
  const ca = webKey(ring.webCaScalar.reveal())
  return {
    issue: (point, names) => serverLeaf(ca, point, names, random.bytes(16), clock.now()),
    origins() {
      const address = face()?.address
      if (address?.kind !== 'tls') return []
      return pageOrigins([...namesOnLan(config, lanNames), ...OWN_NAMES], address.port)
    },
  }
}

/** Where others find what listens on `host`: for a wildcard, this machine's first private address that it covers. */
function reachable(host: string, lanNames: readonly string[]): string {
  const covered = WILDCARDS.get(host)
  return covered ? (lanNames.find((name) => covered.includes(isIP(name))) ?? '127.0.0.1') : host
}

function originOf(face: Face | undefined, lanNames: readonly string[]): string | undefined {
  if (face?.address.kind !== 'tls') return undefined
  const host = reachable(face.address.host, lanNames)
  return `https://${host.includes(':') ? `[${host}]` : host}:${face.address.port}`
}
