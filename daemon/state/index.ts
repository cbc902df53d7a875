// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What the home remembers: verified messages and decisions enter, books leave that answer for them (the ports of core).
 *
 * Always true: a promise of a book resolves only when what it promises would survive `kill -9` and a power cut; a database that
 * is newer, damaged, held by another or readable by others is refused with a code and left as it is.
 * Absent on purpose: keys, other than the proof keys of open permits, which are wiped; any file but the database.
 */
import type { Clock } from '../base/clock.ts'
import { once } from '../base/lifetime.ts'
import type { Log } from '../base/log.ts'
import type {
  FarBook,
  FarReadingBook,
  GuestBook,
  HeardBook,
  LogShelf,
  MeshPaperBook,
} from '../core/mesh/index.ts'
import type { PartyId } from '../core/model/index.ts'
import type { DeviceBook, Journal, PermitBook, ReadingBook, ServiceBook } from '../core/ports.ts'
import type { ConfirmationBook } from '../core/ports-generations.ts'
import type { KeptUseBook, PairingBook, PaperBook, PastBook, TokenBook } from '../core/ports-people.ts'
import type { StillBook } from '../core/stills/index.ts'
import type { UpdateBook } from '../core/updates/index.ts'
import { storageFault } from './error.ts'
import { openJournal, Shelf } from './log/index.ts'
import {
  KeptConfirmations,
  KeptFarReadings,
  KeptMesh,
  KeptPairings,
  KeptPapers,
  KeptPast,
  KeptPermits,
  KeptReadings,
  KeptServices,
  KeptStills,
  KeptTokens,
  KeptUpdates,
  KeptUses,
  type LinkEntry,
  Registry,
  Roster,
} from './registry/index.ts'
import {
  ConfirmationTable,
  DeviceTable,
  FarReadingTable,
  JournalTable,
  MeshTable,
  openStore,
  PairingTable,
  PaperTable,
  PastTable,
  PermitTable,
  ReadingTable,
  ServiceTable,
  SignedTable,
  StillTable,
  type Store,
  type StoreOptions,
  TokenTable,
  UpdateTable,
  UseTable,
} from './store/index.ts'

export { type StateCode, StateError } from './error.ts'
export { IN_MEMORY } from './store/index.ts'

export interface StateOptions extends StoreOptions {
  /** This hub: the author of its journal. */
  readonly author: PartyId
}

export interface State extends AsyncDisposable {
  readonly devices: DeviceBook
  readonly readings: ReadingBook
  readonly journal: Journal
  readonly permits: PermitBook
  readonly services: ServiceBook
  readonly papers: PaperBook
  readonly past: PastBook
  readonly pairings: PairingBook
  readonly tokens: TokenBook
  readonly uses: KeptUseBook
  readonly updates: UpdateBook
  readonly stills: StillBook
  readonly confirmations: ConfirmationBook
  /** The logs of every daemon of the home. */
  readonly shelf: LogShelf
  readonly mesh: MeshPaperBook & FarBook & HeardBook & GuestBook
  readonly farReadings: FarReadingBook
}

/**
 * Opens the database and loads what is answered from memory. Disposing writes what is queued, then closes it.
 * @throws StateError directory-missing | not-writable | gone | there | loose-mode | in-use | not-ours | newer-schema | corrupt | disk-full | io
 */
export async function openState(
  deps: { readonly clock: Clock; readonly log: Log },
  options: StateOptions,
  signal: AbortSignal,
): Promise<State> {
  const store = await openStore(deps, options, signal)
  try {
    const books = await openBooks(store, deps.clock, options.author)
    return { ...books, [Symbol.asyncDispose]: once(() => store[Symbol.asyncDispose]()) }
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw storageFault(error) ?? error
  }
}

async function openBooks(
  store: Store,
  clock: Clock,
  author: PartyId,
): Promise<Omit<State, keyof AsyncDisposable>> {
  const devices = new DeviceTable(store)
  const readings = new ReadingTable(store)
  const roster = loadRoster(devices, readings)
  const entries = new JournalTable(store)
  const journal = await openJournal(store, entries, author)
  const tables = {
    past: new PastTable(store),
    papers: new PaperTable(store),
    pairings: new PairingTable(store),
    permits: new PermitTable(store),
  }
  const permits = new KeptPermits(store, tables.permits, clock)
  const link: LinkEntry = (entry) => journal.link(entry)
  const pairings = new KeptPairings(store, tables.pairings, clock, link)
  const uses = new KeptUses(store, new UseTable(store))
  await Promise.all([permits.wipeStale(), pairings.wipeStale()])
  return {
    devices: new Registry(store, devices, roster),
    readings: new KeptReadings(store, readings, roster, link),
    journal,
    permits,
    services: new KeptServices(store, new ServiceTable(store)),
    papers: new KeptPapers(store, tables.papers, link),
    past: new KeptPast(store, tables, uses),
    pairings,
    tokens: new KeptTokens(store, new TokenTable(store), link),
    uses,
    updates: new KeptUpdates(store, new UpdateTable(store), link),
    stills: new KeptStills(store, new StillTable(store)),
    confirmations: new KeptConfirmations(store, new ConfirmationTable(store)),
    shelf: new Shelf(store, entries, new SignedTable(store), author),
    mesh: new KeptMesh(store, new MeshTable(store)),
    farReadings: new KeptFarReadings(store, new FarReadingTable(store)),
  }
}

function loadRoster(devices: DeviceTable, readings: ReadingTable): Roster {
  const roster = new Roster()
  for (const id of devices.forgotten()) roster.forget(id)
  for (const device of devices.all()) roster.put(device)
  for (const { id, sample } of readings.reported()) roster.report(id, [sample])
  for (const { id, ...desired } of devices.desired()) roster.desire(id, desired)
  return roster
}
