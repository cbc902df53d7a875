// SPDX-License-Identifier: GPL-3.0-or-later
/** A home with a light and a door, and an owner before it, for what verbs about people do. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach } from 'node:test'
import { Account } from '../as-user.ts'
import { FakeHome } from '../fake-home.ts'
import { FakePeople } from '../fake-people.ts'

/** What the verbs say with --json, as far as it is looked at here. */
export interface Said {
  readonly stage: string
  readonly person: { readonly id: string }
  readonly people: readonly { name: string; phones: number; grants: number; promised: number }[]
  readonly grant: { readonly id: string; readonly parent?: string }
  readonly grants: readonly { id: string; standing: string }[]
  readonly groups: unknown
  readonly grantsOfOthers: number
  readonly passedOn: readonly { readonly id: string; readonly by: string }[]
  readonly promised: boolean
  readonly told: number
  readonly sealed: number
  readonly entries: number
  readonly phone: { readonly key: string }
  readonly phones: readonly { readonly name: string }[]
  readonly pins: readonly unknown[]
  readonly pin: string
  readonly rounds: number
  readonly replaced: number
  readonly file: string
  readonly token: string
  readonly code: string
  readonly url: string
  readonly pairing: string
  readonly owners: readonly unknown[]
  readonly operation: string
  readonly next: string
}

const KEPT = ['revocation', 'revocation-root', 'revocation-notes', 'promises', 'pairings']

export class Stage {
  readonly account = new Account()
  words = ''
  home!: FakeHome
  people!: FakePeople

  /** Everybody is gone, and nothing is kept of them. */
  clear(): void {
    this.home.devices.length = 0
    this.home.asked.length = 0
    this.people = new FakePeople(this.home)
    this.home.twist = this.people.twist
    this.home.device('porch-light', [1, 2, 5])
    this.home.device('front-door', [7, 8, 9, 10, 11])
    for (const kept of KEPT) rmSync(join(this.account.owner, kept), { recursive: true, force: true })
  }

  async done(line: string | readonly string[]): Promise<Said> {
    const args = typeof line === 'string' ? line.split(' ') : line
    const { exit, said, out } = await this.account.jsonWithin(args)
    assert.equal(exit, 0, out)
    return said as unknown as Said
  }

  async refused(line: string | readonly string[], exit: number, code: string): Promise<Said> {
    const args = typeof line === 'string' ? line.split(' ') : line
    const ran = await this.account.jsonWithin(args)
    assert.deepEqual([ran.exit, ran.said.code], [exit, code], ran.out)
    return ran.said as unknown as Said
  }

  deviceKey(name: string): Uint8Array {
    return this.home.devices.find((device) => device.name === name)!.signer.key
  }
}

/** For one file of tests: made before the first, cleared before each. */
export function setStage(): Stage {
  const stage = new Stage()
  before(async () => {
    stage.words = await stage.account.init()
    stage.home = await new FakeHome(stage.words).listen(stage.account.data)
  })
  after(async () => {
    await stage.home[Symbol.asyncDispose]()
    stage.account[Symbol.dispose]()
  })
  beforeEach(() => stage.clear())
  return stage
}
