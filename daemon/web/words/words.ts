// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import type { EntryKind } from '../../core/ports.ts'
import type { PageCode } from '../error.ts'
import type { ThingKind } from '../kind.ts'

/** Everything that the page says, in one language. */
export interface Words {
  readonly language: string
  readonly title: string
  readonly menu: {
    readonly things: string
    readonly people: string
    readonly log: string
    readonly me: string
  }
  readonly link: {
    readonly connecting: string
    readonly live: string
    readonly lost: string
    readonly retry: string
  }
  /** Another address for this phone. */
  readonly moved: {
    readonly title: string
    readonly why: string
    readonly go: string
    readonly clientKey: (key: string) => string
  }
  /** Addresses at other homes. */
  readonly others: {
    readonly down: string
    readonly why: string
    readonly go: (home: string) => string
    readonly again: (home: string) => string
    readonly back: (home: string) => string
    readonly title: string
    readonly keep: string
  }
  readonly thing: {
    readonly none: string
    readonly present: string
    readonly near: string
    readonly absent: (since: string) => string
    readonly unreachable: (home: string, since: string) => string
    readonly neverHeard: string
    readonly notNow: string
    readonly unlockFor: (seconds: string) => string
    readonly asOf: (when: string) => string
    readonly unconfirmed: string
    readonly renamed: (name: string) => string
    readonly distrusted: string
    readonly back: string
  }
  readonly kind: Readonly<Record<ThingKind, string>>
  /** By the names of schemas/capabilities/list.csv. */
  readonly capability: Readonly<Record<string, string>>
  /** What a yes and no of a capability is called, no first; others are on and off. */
  readonly state: Readonly<Record<string, readonly [no: string, yes: string]>>
  readonly value: { readonly on: string; readonly off: string }
  readonly picture: {
    readonly asked: string
    readonly coming: (percent: number) => string
    readonly none: string
    /** @param when  absent: the device did not know the time */
    readonly alt: (device: string, when: string | undefined) => string
    readonly sealed: (when: string | undefined) => string
    readonly lamp: string
  }
  /** By the numbers of SPEC 4.15. */
  readonly faults: readonly string[]
  readonly stage: Readonly<
    Record<'sealing' | 'direct' | 'sent' | 'at-hub' | 'at-device' | 'done' | 'done-direct', string>
  >
  readonly history: {
    readonly title: (property: string) => string
    readonly show: string
    readonly spans: Readonly<Record<'hour' | 'day' | 'week', string>>
    readonly empty: string
    readonly loading: string
    readonly range: (least: string, most: string) => string
    readonly table: string
    readonly time: string
    readonly value: string
  }
  readonly log: {
    readonly title: string
    readonly empty: string
    readonly older: string
    /** Of the choice of whose acts are shown, and on which device. */
    readonly filter: string
    readonly who: string
    readonly everybody: string
    readonly device: string
    readonly allDevices: string
    /** How many came just now, for who does not see the list grow. */
    readonly added: (count: number) => string
    readonly loading: string
    readonly you: string
    readonly somebody: string
    readonly from: {
      readonly unix: string
      readonly lan: string
      readonly onion: (name: string) => string
      readonly guest: string
      readonly link: string
      readonly keypad: string
      readonly page: string
      readonly button: string
      readonly direct: string
    }
    readonly kind: Readonly<Record<EntryKind, string>>
    readonly unsealed: string
  }
  readonly people: {
    readonly title: string
    readonly owners: string
    readonly others: string
    readonly noPhone: string
    readonly may: string
    readonly mayNothing: string
    readonly kind: Readonly<Record<'phone' | 'script', string>>
    readonly takeBack: string
    readonly takeBackSure: string
    readonly rename: string
    readonly newName: string
    readonly save: string
    readonly remove: string
    readonly removeSure: string
    readonly withdraw: string
    readonly withdrawSure: string
    readonly withdrawWhy: string
    readonly give: string
    readonly where: string
    readonly use: string
    readonly share: string
    readonly days: string
    readonly fromTime: string
    readonly toTime: string
    readonly until: string
    readonly uses: string
  }
  readonly guest: {
    readonly title: string
    readonly whose: string
    readonly somebodyNew: string
    readonly person: string
    readonly phone: string
    readonly invite: string
    readonly preparing: string
    readonly scan: string
    readonly code: string
    readonly link: string
    readonly compare: string
    readonly same: string
    readonly stop: string
    readonly isIn: (name: string) => string
  }
  readonly forms: {
    readonly title: string
    readonly why: string
    readonly which: string
    readonly make: string
    readonly link: string
  }
  readonly grants: {
    readonly everything: string
    readonly someDevice: string
    readonly group: (name: string) => string
    readonly look: (title: string) => string
    readonly from: (date: string) => string
    readonly until: (date: string) => string
    readonly uses: (used: number, uses: number) => string
    readonly pin: string
    readonly share: string
  }
  readonly me: {
    readonly title: string
    readonly name: string
    readonly key: string
    readonly language: string
    readonly keep: string
    readonly keepWhy: string
    readonly passphrase: string
    readonly make: string
    readonly making: string
    readonly link: string
    readonly copy: string
    readonly copied: string
    readonly save: string
    readonly forget: string
    readonly forgetSure: string
    readonly yes: string
    readonly no: string
  }
  readonly stranger: {
    readonly title: string
    readonly why: string
    readonly code: string
    readonly file: string
    readonly go: string
    readonly passphrase: string
    readonly unlock: string
    readonly unlocking: string
  }
  readonly joining: {
    readonly title: string
    readonly match: string
    readonly compare: string
    readonly asking: string
    readonly waiting: string
    readonly unreachable: string
    readonly again: string
  }
  readonly fault: Readonly<Record<Extract<Code, 'code-damaged' | 'code-version'>, string>>
  /** Why something was refused or did not work, as a sentence. */
  readonly reason: (code: PageCode) => string
  readonly refused: string
  readonly failed: string
}
