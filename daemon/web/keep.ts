// SPDX-License-Identifier: GPL-3.0-or-later
import { fromBase64url, toBase64url } from '../base/bytes.ts'
import type { Other } from './answers.ts'
import type { Identity } from './identity.ts'
import { readWays, writeWays } from './ways.ts'

/** What of a browser's localStorage is used. */
export interface Storage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

const IDENTITY = 'shallot.identity'
const SEQUENCE = 'shallot.sequence'
const LANGUAGE = 'shallot.language'
const JOINING = 'shallot.joining'
const REVOCATIONS = 'shallot.revocations'
const OTHERS = 'shallot.others'

/**
 * What this browser remembers: the key, the last sequence, the language. Where the browser refuses to store (private
 * windows do), it is remembered until the page is closed.
 */
export class Keep {
  readonly #storage: Storage
  readonly #memory = new Map<string, string>()

  constructor(storage: Storage) {
    this.#storage = storage
  }

  identity(): Identity | undefined {
    const said = this.#get(IDENTITY)
    if (said === undefined) return undefined
    const [root, seed, ...name] = said.split(' ')
    const [rootKey, seedBytes] = [fromBase64url(root ?? ''), fromBase64url(seed ?? '')]
    if (rootKey?.length !== 32 || seedBytes?.length !== 32) return undefined
    return { root: rootKey, seed: seedBytes, name: name.join(' ') }
  }

  setIdentity({ root, seed, name }: Identity): void {
    this.#set(IDENTITY, `${toBase64url(root)} ${toBase64url(seed)} ${name}`)
  }

  /** A code that was scanned, with the key that was made for it: a page that is loaded anew goes on with the same. */
  joining(): { readonly code: string; readonly seed: Uint8Array } | undefined {
    const [code, seed] = this.#get(JOINING)?.split(' ') ?? []
    const seedBytes = fromBase64url(seed ?? '')
    return code && seedBytes?.length === 32 ? { code, seed: seedBytes } : undefined
  }

  setJoining(code: string, seed: Uint8Array): void {
    this.#set(JOINING, `${code.replace(/\s+/g, '')} ${toBase64url(seed)}`)
  }

  endJoining(): void {
    this.#remove(JOINING)
  }

  /** Lists of what was taken back, as they were last seen and proved. */
  revocations(): readonly Uint8Array[] {
    const said = this.#get(REVOCATIONS)?.split(' ') ?? []
    return said.flatMap((list) => (list === '' ? [] : (fromBase64url(list) ?? [])))
  }

  setRevocations(lists: readonly Uint8Array[]): void {
    this.#set(REVOCATIONS, lists.map(toBase64url).join(' '))
  }

  /** Addresses at other homes (SPEC 14.9): at hand when this home tells nothing any more. */
  others(): readonly Other[] {
    return readWays(this.#get(OTHERS) ?? '')
  }

  setOthers(others: readonly Other[]): void {
    if (others.length === 0) this.#remove(OTHERS)
    else this.#set(OTHERS, writeWays(others))
  }

  forget(): void {
    for (const key of [IDENTITY, SEQUENCE, JOINING, REVOCATIONS, OTHERS]) this.#remove(key)
  }

  /** The time in milliseconds, or one more than the last, whichever is larger (SPEC 3.1). */
  nextSequence(now: number): number {
    const last = Number(this.#get(SEQUENCE) ?? 0)
    const number = Math.max(now, Number.isSafeInteger(last) && last >= 0 ? last + 1 : 0)
    this.#set(SEQUENCE, String(number))
    return number
  }

  language(): string | undefined {
    return this.#get(LANGUAGE)
  }

  setLanguage(language: string): void {
    this.#set(LANGUAGE, language)
  }

  #get(key: string): string | undefined {
    try {
      return this.#storage.getItem(key) ?? this.#memory.get(key)
    } catch {
      return this.#memory.get(key)
    }
  }

  #remove(key: string): void {
    this.#memory.delete(key)
    this.#storage.removeItem(key)
  }

  #set(key: string, value: string): void {
    this.#memory.set(key, value)
    try {
      this.#storage.setItem(key, value)
    } catch {
      // It stays in memory: all that is lost is that the next visit begins anew.
    }
  }
}
