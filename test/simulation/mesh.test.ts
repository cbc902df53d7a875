// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Frame } from '../../daemon/core/envelope/index.ts'
import {
  growthOf,
  memberFrame,
  revocationFrame,
  type SimDaemon,
  World,
} from '../../scripts/simulation/index.ts'

/** Another place to begin, or one history alone: SHALLOT_SEED=17 SHALLOT_HISTORIES=1. */
const FIRST_SEED = Number(process.env.SHALLOT_SEED ?? 1)
const HISTORIES = Number(process.env.SHALLOT_HISTORIES ?? 2000)
const MINUTE = 60_000

/** One home's life: what its owner sealed, and where that was handed in. */
class History {
  readonly world: World
  readonly removed = new Set<SimDaemon>()
  readonly #members: Frame[] = []
  #version = 0
  /** What each daemon once knew to be removed. */
  readonly #known = new Map<SimDaemon, Set<SimDaemon>>()

  constructor(seed: number, daemons: number) {
    const weather = { loss: 0.1, doubling: 0.1, delayMsMax: 3000 }
    this.world = new World(seed, weather)
    for (let at = 0; at < daemons; at++) this.join(`daemon-${at}`)
  }

  get standing(): readonly SimDaemon[] {
    return this.world.daemons.filter((each) => !this.removed.has(each))
  }

  join(name: string): SimDaemon {
    const daemon = this.world.add(name)
    this.#members.push(memberFrame(daemon.signer.key, name, this.#members.length + 1))
    this.#known.set(daemon, new Set())
    return daemon
  }

  async introduce(): Promise<void> {
    for (const daemon of this.world.daemons) await daemon.told(this.#members)
  }

  async remove(daemon: SimDaemon, at: SimDaemon): Promise<void> {
    this.removed.add(daemon)
    const keys = [...this.removed].map(({ signer }) => signer.key)
    await at.told([], [revocationFrame(++this.#version, keys)])
  }

  /** The old list again, from the one that slept. */
  oldMembers(): readonly Frame[] {
    return this.#members
  }

  linkAll(): void {
    const { daemons } = this.world
    for (const a of daemons) for (const b of daemons) this.world.link(a, b)
  }

  check(): void {
    for (const [daemon, known] of this.#known) {
      for (const each of this.removed) {
        if (daemon.papers.isRemoved(each.id)) known.add(each)
        else assert(!known.has(each), `${daemon.name} took ${each.name} back`)
      }
    }
  }

  /** All can reach each other again, for as long as what was lost on the way takes to be asked for again. */
  async settle(steps = 40): Promise<void> {
    for (let step = 0; step < steps; step++) {
      this.linkAll()
      for (const { talk } of this.world.daemons) talk.tick(this.world.now)
      await this.world.pass(20_000)
      this.check()
    }
  }

  async chaos(): Promise<void> {
    const { world } = this
    const { dice } = world
    for (let step = 0; step < 30; step++) {
      const [a, b] = [dice.pick(world.daemons), dice.pick(world.daemons)]
      const act = dice.roll(12)
      if (act < 4) a.shelf.write(`${step}`, world.now)
      else if (act < 7) world.link(a, b)
      else if (act < 9) world.unlink(a, b)
      else if (act < 10) a.restart()
      else if (act < 11) await a.told(this.oldMembers())
      else if (this.standing.length > 2) {
        const gone = dice.pick(this.standing)
        await this.remove(gone, dice.pick(this.standing))
      }
      for (const { talk } of world.daemons) if (dice.chance(0.3)) talk.tick(world.now)
      await world.pass(dice.roll(20_000))
      this.check()
    }
  }
}

/** Runs one history; whatever goes wrong names the seed that brings it back. */
async function told(seed: number, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    throw new Error(`seed ${seed}: SHALLOT_SEED=${seed} SHALLOT_HISTORIES=1`, { cause: error })
  }
}

describe('the mesh, simulated', () => {
  it(`converges and takes nobody back, in ${HISTORIES} histories from seed ${FIRST_SEED}`, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed++) {
      await told(seed, async () => {
        const history = new History(seed, 2 + (seed % 4))
        await history.introduce()
        history.linkAll()
        await history.chaos()
        await history.settle()
        const [first, ...others] = history.standing
        for (const other of others)
          assert.equal(other.state(), first!.state(), `${other.name}, ${first!.name}`)
        for (const gone of history.removed) assert.equal(first!.papers.isMember(gone.id), false)
      })
    }
  })

  for (const daemons of [3, 5]) {
    it(`an old member that slept through its removal comes back with the old list and stays out: ${daemons} daemons`, async () => {
      for (let seed = FIRST_SEED; seed < FIRST_SEED + 100; seed++) {
        await told(seed, async () => {
          const history = new History(seed, daemons)
          const { world } = history
          await history.introduce()
          history.linkAll()
          await world.pass(MINUTE)
          const sleeper = world.daemons.at(-1)!
          for (const other of world.daemons) world.unlink(sleeper, other)
          await history.remove(sleeper, world.daemons[0]!)
          await history.settle()
          world.daemons[0]!.shelf.write('after the removal', world.now)
          for (const other of history.standing) await other.told(history.oldMembers())
          await history.settle()
          for (const other of history.standing) {
            assert.equal(other.papers.isMember(sleeper.id), false)
            assert.equal(world.linked(sleeper, other), false)
            assert.equal(other.shelf.head(world.daemons[0]!.id).position, 1)
          }
          assert.equal(sleeper.shelf.head(world.daemons[0]!.id).position, 0, 'it learned something new')
        })
      }
    })
  }

  it('two sides that were apart for 48 hours, and both went on, have one story afterwards', async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 20; seed++) {
      await told(seed, async () => {
        const history = new History(seed, 4)
        const { world } = history
        await history.introduce()
        const [a, b, c, d] = world.daemons as [SimDaemon, SimDaemon, SimDaemon, SimDaemon]
        for (let hour = 0; hour < 48; hour++) {
          world.link(a, b)
          world.link(c, d)
          for (const each of world.daemons) each.shelf.write(`hour ${hour}`, world.now)
          if (hour === 30) await history.remove(d, c)
          for (const { talk } of world.daemons) talk.tick(world.now)
          await world.pass(60 * MINUTE)
        }
        await history.settle(200)
        for (const other of [b, c]) assert.equal(other.state(), a.state())
        assert.equal(a.shelf.head(c.id).position, 48)
        assert.equal(a.papers.isMember(d.id), false)
      })
    }
  })

  it('a member that sends garbage, replays and what others said changes nothing for them', async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 50; seed++) {
      await told(seed, async () => {
        const history = new History(seed, 4)
        const { world } = history
        const { dice } = world
        await history.introduce()
        history.linkAll()
        const bad = world.daemons.at(-1)!
        for (let step = 0; step < 60; step++) {
          const victim = dice.pick(world.daemons.slice(0, -1))
          dice.pick(world.daemons).shelf.write(`${step}`, world.now)
          for (const { talk } of world.daemons) talk.exchange.pump(world.now)
          const said = dice.pick(world.overheard) ?? new Uint8Array()
          const bytes = Uint8Array.from(said)
          if (dice.chance(0.7) && bytes.length > 0) bytes[dice.roll(bytes.length)]! ^= 1 << dice.roll(8)
          await victim.talk.heard(bad.id, dice.chance(0.5) ? 'talk' : 'log', bytes, world.now)
          await world.pass(dice.roll(5000))
        }
        for (let step = 0; step < 60; step++) {
          for (const { talk } of world.daemons) talk.tick(world.now)
          await world.pass(30_000)
        }
        const [first, ...others] = world.daemons
        for (const other of others) assert.equal(other.state(), first!.state())
        assert.equal(first!.shelf.head(bad.id).position > 0, true)
      })
    }
  })

  it('what is said per event grows no faster than the number of daemons', async () => {
    const costs: number[] = []
    for (const daemons of [2, 5, 10]) {
      const { connections, messages, whole } = await growthOf(daemons, FIRST_SEED)
      assert.deepEqual([connections, whole], [(daemons * (daemons - 1)) / 2, daemons])
      costs.push(messages / (daemons - 1))
    }
    assert.deepEqual(costs, [2, 2, 2], 'a piece and its acknowledgement for each other daemon')
  })
})
