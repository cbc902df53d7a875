// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { ask, begin, openTestHome } from '../../../support/http-home.ts'
import type { Sealer } from '../../../support/request.ts'

interface Watched {
  readonly event: string
  readonly id?: string
  readonly data: Record<string, unknown>
}

/** Watches until told enough; reads the stream as a browser would. */
async function watch(socketPath: string, as: Sealer, path = '/events') {
  const { sent, answer } = await begin({ socketPath, path, as })
  answer.setEncoding('utf8')
  answer.on('error', () => {})
  let text = ''
  answer.on('data', (part) => {
    text += part
  })
  const events = (): Watched[] =>
    text
      .split('\n\n')
      .slice(0, -1)
      .filter((block) => !block.startsWith(':'))
      .map((block) => {
        const fields = Object.fromEntries(
          block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]),
        )
        return { ...fields, data: JSON.parse(fields.data!) } as Watched
      })
  return {
    answer,
    text: () => text,
    close: () => sent.destroy(),
    async until(count: number): Promise<Watched[]> {
      while (events().length < count) await new Promise((resolve) => answer.once('data', resolve))
      return events()
    },
  }
}

describe('server-sent events [SPEC 9.3]', () => {
  it('tells readings, presence and receipts as they happen, numbered', async () => {
    await using home = await openTestHome()
    const { socketPath } = await home.unix()
    const watcher = await watch(socketPath, home.owner)
    assert.equal(watcher.answer.headers['content-type'], 'text/event-stream')
    await home.sensor.report([{ affordance: 3, at: 1000, value: 2153 }])
    home.deviceDesk.gone(home.sensor.id, 'silent')
    const body = home.owner.command({
      device: home.light.id,
      nonce: home.light.nonce,
      affordance: 1,
      value: true,
    })
    await ask({
      socketPath,
      method: 'PUT',
      path: '/things/porch-light/properties/on',
      body,
      as: home.owner,
      headers: { 'content-type': 'application/cose' },
    })
    const [reading, presence, receipt] = await watcher.until(3)
    assert.equal(reading!.event, 'reading')
    assert.deepEqual(reading!.data.values, [{ property: 'temperature', value: 21.53, at: 1000 }])
    assert.deepEqual([presence!.id, presence!.data.connected, presence!.data.why], ['2', false, 'silent'])
    assert.deepEqual([receipt!.event, receipt!.data.code], ['receipt', 'ok'])
    watcher.close()
  })

  it('?device= tells of that one alone, by id or name; an unknown one is 404', async () => {
    await using home = await openTestHome()
    const { socketPath } = await home.unix()
    const watcher = await watch(socketPath, home.owner, '/events?device=weather')
    await home.light.report([{ affordance: 1, at: 1, value: true }])
    await home.sensor.report([{ affordance: 4, at: 2, value: 5000 }])
    const [first] = await watcher.until(1)
    assert.equal(first!.data.device, home.sensor.id)
    watcher.close()
    assert.equal((await ask({ socketPath, path: '/events?device=nobody', as: home.owner })).status, 404)
  })

  it('a comment goes out when nothing else does', async () => {
    await using home = await openTestHome({ keepAliveMs: 20 })
    const watcher = await watch((await home.unix()).socketPath, home.owner)
    while (!watcher.text().includes(': still here'))
      await new Promise((resolve) => watcher.answer.once('data', resolve))
    watcher.close()
  })

  it('a watcher who falls behind is told how many it lost', async () => {
    await using home = await openTestHome()
    const watcher = await watch((await home.unix()).socketPath, home.owner)
    for (let at = 1; at <= 400; at++) {
      home.home.feed.publish({
        event: 'presence',
        device: home.light.id,
        at,
        connected: true,
        why: 'connected',
      })
    }
    const events = await watcher.until(2)
    const lagged = events.find(({ event }) => event === 'lagged')
    assert.ok(lagged && (lagged.data.lost as number) > 0)
    const all = await watcher.until(400 - (lagged.data.lost as number) + 1)
    assert.equal(all.at(-1)!.data.at, 400)
    watcher.close()
  })

  it('there is no place for more watchers of one origin than the limit, and a place is free again when one leaves', async () => {
    await using home = await openTestHome({ watchersPerOriginMax: 2, watchersMax: 3 })
    const { socketPath } = await home.unix()
    const other = (await home.unix({ origin: 'onion:invitation:phone' })).socketPath
    const first = await watch(socketPath, home.owner)
    await watch(socketPath, home.owner)
    const third = await ask({ socketPath, path: '/events', as: home.owner })
    assert.deepEqual([third.status, third.json.code], [429, 'too-many-requests'])
    await watch(other, home.owner)
    assert.equal((await ask({ socketPath: other, path: '/events', as: home.owner })).status, 429)
    first.close()
    while (home.home.feed.watchers === 3) await systemClock.sleep(5)
    await watch(socketPath, home.owner)
    assert.equal(home.home.feed.watchers, 3)
  })

  it('a watcher that never reads is cut off, and holds up nobody', async () => {
    await using home = await openTestHome({ stalledMsMax: 200 })
    const { socketPath } = await home.unix()
    const deaf = connect(socketPath)
    deaf.on('error', () => {})
    deaf.pause()
    const authorization = home.owner.authorization({ method: 'GET', path: '/events' })
    deaf.write(`GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`)
    while (home.home.feed.watchers === 0) await systemClock.sleep(5)
    const hearing = await watch(socketPath, home.owner)
    const why = 'x'.repeat(4000)
    let at = 0
    while (home.home.feed.watchers === 2) {
      home.home.feed.publish({ event: 'presence', device: home.light.id, at: ++at, connected: true, why })
      await systemClock.sleep(1)
    }
    await hearing.until(at)
    hearing.close()
    deaf.destroy()
  })

  it('disposing the face ends the streams, cleanly', async () => {
    await using home = await openTestHome()
    const face = await home.unix()
    const watcher = await watch(face.socketPath, home.owner)
    const ended = new Promise((resolve) => watcher.answer.once('end', resolve))
    await face[Symbol.asyncDispose]()
    await ended
    assert.equal(watcher.answer.complete, true)
    assert.equal(home.home.feed.watchers, 0)
  })
})
