// SPDX-License-Identifier: GPL-3.0-or-later
/** What was taken back, from the owner's list to connected devices: the deciding rooms over a database on disk and real TLS. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../daemon/base/clock.ts'
import { Log, silent } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { type Frame, nativeEd25519, openEnvelope, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { Feed } from '../../daemon/core/feed.ts'
import { openCore } from '../../daemon/core/home.ts'
import { deviceLeaf, hubLeaf } from '../../daemon/core/identity/certificates.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import type { Carrier } from '../../daemon/core/ports.ts'
import { type Link, openLink } from '../../daemon/edge/link/index.ts'
import { openState } from '../../daemon/state/index.ts'
import { type DeviceSession, deviceKeys, type Hub, LAMP, openSession } from '../../scripts/device/index.ts'
import { stillGenerations } from '../support/generations.ts'
import { grantFrame, newId, revocationFrame } from '../support/papers.ts'
import { Sealer, sha256 } from '../support/request.ts'
import { temporaryFolder } from '../support/state.ts'
import { until } from '../support/until.ts'

const ed25519 = nativeEd25519()
const draw = () => ed25519.signer(systemRandom.bytes(32))

async function openHome(t: TestContext) {
  const [root, owner, hubCa, deviceCa] = [draw(), draw(), draw(), draw()]
  const hubSeed = systemRandom.bytes(32)
  const hub = ed25519.signer(hubSeed)
  const homeId = idOf(root.key)
  const as = new Sealer(owner, homeId)
  const log = new Log(systemClock, silent)
  const { signal } = new AbortController()
  const path = join(temporaryFolder(t), 'home.sqlite')
  const state = await openState({ clock: systemClock, log }, { path, author: idOf(hub.key) }, signal)
  let link: Link | undefined
  const carrier: Carrier = {
    send: (device, frame) => link?.send(device, frame) ?? 'away',
    drop: (device, why) => link?.drop(device, why),
  }
  const made = new Sealer(root, homeId).claims()
  const core = openCore(
    {
      ...{ clock: systemClock, random: systemRandom, ed25519, carrier, feed: new Feed() },
      ...state,
      zone: () => undefined,
      offered: () => new Set(),
      invite: async () => assert.fail('nobody asks for an address here'),
      withdraw: () => {},
      generations: stillGenerations(hub.key),
      onFailure: (error) => assert.fail(String(error)),
    },
    {
      root: root.key,
      owners: [sealEnvelope({ type: 'owner', ...made, name: 'ada', key: owner.key }, root)],
      hub,
    },
  )
  assert(core.ok)
  const { desk, deviceDesk } = core.value
  link = await openLink(
    { clock: systemClock, random: systemRandom, log, ed25519, desk: deviceDesk },
    {
      ...{ host: '127.0.0.1', port: 0, homeId, hubSeed: new Secret(hubSeed), deviceCas: [deviceCa] },
      hubLeaf: hubLeaf(hubCa, hub.key, systemRandom.bytes(8)),
    },
    signal,
  )
  t.after(async () => {
    await link?.[Symbol.asyncDispose]()
    core.value[Symbol.dispose]()
    await state[Symbol.asyncDispose]()
  })
  const address: Hub = { host: '127.0.0.1', port: link.port, homeId, hubCaKeys: [hubCa.key] }
  const lamp = async (name: string) => {
    const keys = deviceKeys(ed25519)
    const added = await state.devices.enrol({ id: keys.id, name, ...LAMP }, systemClock.now())
    assert(added.ok)
    const certificate = deviceLeaf(deviceCa, keys.signer.key, systemRandom.bytes(8), systemClock.now())
    return { keys, connect: () => openSession(address, keys, certificate) }
  }
  const caller = { id: as.id, name: 'ada', kind: 'owner', origin: 'unix' } as const
  return { as, caller, desk, lamp, journal: state.journal }
}

function typesOf(frames: readonly Frame[]): readonly string[] {
  return frames.map((frame) => {
    const opened = openEnvelope(
      frame,
      { sizeMax: 1024, accepts: () => true, isAudience: () => true },
      ed25519,
    )
    return opened.ok ? opened.value.body.type : opened.why
  })
}

describe('what was taken back [SPEC 12.5]', () => {
  const DEVICES = 8
  const LISTS = 100

  it(`reaches ${DEVICES} connected devices, ${LISTS} times, each list once and the last one last`, async (t) => {
    const home = await openHome(t)
    const sessions: DeviceSession[] = []
    for (let i = 0; i < DEVICES; i++) sessions.push(await (await home.lamp(`lamp ${i}`)).connect())
    const took: number[] = []
    for (let i = 0; i < LISTS; i++) {
      const list = revocationFrame(home.as, [newId()])
      const digest = sha256(list).toHex()
      const began = performance.now()
      const heard = sessions.map(
        (session) =>
          new Promise<void>((resolve) => {
            session.onEnvelope = (frame) => {
              if (sha256(frame).toHex() !== digest) return
              took.push(performance.now() - began)
              resolve()
            }
          }),
      )
      const revoked = await home.desk.people.revoke(list, 'unix')
      assert(revoked.ok)
      assert.equal(revoked.value.told, DEVICES)
      await Promise.all(heard)
    }
    took.sort((a, b) => a - b)
    const at = (share: number) => took[Math.floor(took.length * share)]!.toFixed(1)
    t.diagnostic(
      `from the list to the device: median ${at(0.5)} ms, p99 ${at(0.99)} ms, ${took.length} times`,
    )
    assert.equal(took.length, DEVICES * LISTS)
  })

  it('is the first thing that a device hears which was away', async (t) => {
    const home = await openHome(t)
    const lamp = await home.lamp('lamp')
    const first = await lamp.connect()
    await first.close()
    const key = draw().key
    const granted = await home.desk.people.grant(grantFrame(home.as, { key, leaseS: 3600 }), home.caller)
    assert(granted.ok)
    assert((await home.desk.people.revoke(revocationFrame(home.as, [newId()]), 'unix')).ok)
    const back = await lamp.connect()
    await until('its papers', () => back.envelopes.length === 3)
    assert.deepEqual(typesOf(back.envelopes), ['owner', 'revocation', 'lease'])
  })

  it('is in the log with the receipts of the devices', async (t) => {
    const home = await openHome(t)
    const session = await (await home.lamp('lamp')).connect()
    const list = revocationFrame(home.as, [newId()])
    session.onEnvelope = (frame) => void session.receipt(frame, 0)
    await home.desk.people.revoke(list, 'unix')
    await until('the receipt', () => home.journal.read({ limit: 9 }).some(({ kind }) => kind === 'receipt'))
    const kinds = home.journal.read({ limit: 9 }).map(({ kind, note }) => `${kind} ${note ?? ''}`.trim())
    assert.deepEqual(kinds, ['revoked', 'receipt revocation'])
  })
})
