// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { toBase64url } from '../../../../daemon/base/bytes.ts'
import { sealEnvelope } from '../../../../daemon/core/envelope/index.ts'
import { readMeshCode } from '../../../../daemon/core/identity/index.ts'
import { idOf, keyOf, type PartyId } from '../../../../daemon/core/model/index.ts'
import { type Ask, ask, newSigner, openTestHome, type TestHome } from '../../../support/http-home.ts'
import { Sealer } from '../../../support/request.ts'

describe('the mesh over HTTP [SPEC 9.3, 14]', () => {
  let home: TestHome
  let socketPath: string
  const owned = (options: Omit<Ask, 'socketPath'>) => ask({ socketPath, as: home.owner, ...options })
  const json = { 'content-type': 'application/json' }
  const cose = { 'content-type': 'application/cose' }
  const member = (key: Uint8Array, name: string, by = home.owner) =>
    sealEnvelope({ type: 'member', ...by.claims(), name, key }, by.signer)
  const listOf = (entries: readonly Uint8Array[], by = home.owner) =>
    sealEnvelope({ type: 'revocation', ...by.claims(), entries }, by.signer)
  const remove = (frame: Uint8Array) =>
    owned({ method: 'PUT', path: '/revocations', body: frame, headers: cose })
  const join = (body: object) =>
    owned({ method: 'POST', path: '/mesh/join', body: JSON.stringify(body), headers: json })
  const mesh = async () => (await owned({ path: '/mesh' })).json as unknown as Record<string, unknown[]>

  before(async () => {
    home = await openTestHome()
    socketPath = (await home.unix()).socketPath
    await home.home.mesh.papers.takeMember(member(keyOf(home.home.hub), 'town'))
  })
  after(() => home[Symbol.asyncDispose]())

  it('a daemon alone is its only member, and nothing is wrong with it', async () => {
    const { members } = await mesh()
    const [own] = members as Record<string, unknown>[]
    assert.deepEqual([members!.length, own!.name, own!.own, own!.trouble], [1, 'town', true, undefined])
  })

  it('strangers are told nothing of it', async () => {
    const stranger = new Sealer(newSigner(), home.home.home)
    for (const [method, path] of [
      ['GET', '/mesh'],
      ['POST', '/mesh/invitations'],
      ['GET', '/mesh/join'],
      ['GET', '/mesh/devices'],
    ] as const) {
      for (const as of [undefined, stranger])
        assert.equal((await ask({ socketPath, method, path, as })).status, 401)
    }
  })

  it('an invitation is a code for this home and this daemon, and names nobody yet', async () => {
    const invited = await owned({ method: 'POST', path: '/mesh/invitations' })
    assert.equal(invited.status, 200, invited.text)
    const { ticket, code } = invited.json as unknown as { ticket: string; code: string }
    const read = readMeshCode(code)
    assert(read.ok)
    assert.deepEqual([idOf(read.value.root), idOf(read.value.daemon)], [home.home.home, home.home.hub])
    const asked = await owned({ path: `/mesh/invitations/${ticket}` })
    assert.deepEqual(Object.keys(asked.json), ['ticket', 'expiresAt'])
    assert.equal((await owned({ path: '/mesh/invitations/0000000000000000' })).status, 404)
    const own = await join({ code, member: toBase64url(member(keyOf(home.home.hub), 'town')) })
    assert.deepEqual([own.status, own.json.code], [409, 'conflict'])
  })

  it('refuses more invitations than can be watched over', async () => {
    const codes: number[] = []
    for (let at = 0; at < 5; at++)
      codes.push((await owned({ method: 'POST', path: '/mesh/invitations' })).status)
    assert.equal(codes.at(-1), 429)
  })

  it('joining refuses what is no invitation, no paper, or too much', async () => {
    const paper = toBase64url(member(keyOf(home.home.hub), 'town'))
    for (const [body, code] of [
      [{ code: 'shallot:mesh:AAAA', member: paper }, 'code-damaged'],
      [{ code: 1, member: paper }, 'bad-request'],
      [{ code: 'shallot:mesh:AAAA' }, 'bad-request'],
      [{ code: 'x'.repeat(600), member: paper }, 'bad-request'],
      [{ code: 'shallot:mesh:AAAA', member: paper, more: 1 }, 'bad-request'],
    ] as const) {
      assert.equal((await join(body)).json.code, code, JSON.stringify(body).slice(0, 60))
    }
    assert.equal((await owned({ path: '/mesh/join' })).status, 404)
  })

  it('a daemon that an owner took back is none any more, and its old paper brings it not back', async () => {
    const cabin = newSigner()
    const { papers } = home.home.mesh
    const paper = member(cabin.key, 'cabin')
    await papers.takeMember(paper)
    assert.equal((await mesh()).members!.length, 2)
    assert.equal((await remove(listOf([cabin.key]))).status, 200)
    assert.equal((await mesh()).members!.length, 1)
    await papers.takeMember(member(cabin.key, 'cabin'))
    assert.equal((await mesh()).members!.length, 1)
  })

  it('an owner gives a device to this daemon, and to another one; nobody else does [SPEC 14.7]', async () => {
    const cabin = newSigner()
    await home.home.mesh.papers.takeMember(member(cabin.key, 'cabin'))
    const { light } = home
    const record = (hub: Uint8Array, by = home.owner, key = keyOf(light.id)) =>
      sealEnvelope(
        { type: 'enrolment', ...by.claims(), name: 'porch-light', key, permit: new Uint8Array(8), hub },
        by.signer,
      )
    const give = (body: Uint8Array, id: string = light.id) =>
      owned({ method: 'PUT', path: `/mesh/devices/${id}`, body, headers: cose })
    const listed = async () => {
      const { devices } = (await owned({ path: '/mesh/devices' })).json as unknown as {
        devices: { id: string; hub?: string; home?: string }[]
      }
      return devices.find(({ id }) => id === light.id)
    }
    assert.equal((await listed())?.hub, undefined)
    const stranger = new Sealer(newSigner(), home.home.home)
    for (const [body, code] of [
      [record(cabin.key, stranger), 'unknown-signer'],
      [record(cabin.key, home.owner, cabin.key), 'bad-request'],
      [new Uint8Array([1]), 'bad-request'],
    ] as const)
      assert.equal((await give(body)).json.code, code)
    const old = record(cabin.key)
    assert.equal((await give(record(keyOf(home.home.hub)))).status, 200)
    assert.deepEqual((await listed())?.hub, home.home.hub)
    assert.equal((await give(old)).json.code, 'replayed')
    const given = await give(record(cabin.key))
    assert.deepEqual([given.status, given.json.home], [200, 'cabin'])
    assert.equal((await listed())?.home, 'cabin')
    await remove(listOf([cabin.key]))
  })

  it('round trips and logs are of daemons there are', async () => {
    const unknown = idOf(newSigner().key) as PartyId
    const ping = (id: string, times = '1') =>
      owned({ method: 'POST', path: `/mesh/members/${id}/ping?times=${times}` })
    assert.deepEqual(
      [(await ping(unknown)).status, (await ping('x')).status, (await ping(unknown, '99')).status],
      [404, 404, 400],
    )
    assert.equal((await ping(home.home.hub)).json.code, 'unreachable')
    assert.equal((await owned({ path: `/mesh/members/${unknown}/log` })).status, 404)
    const { entries } = (await owned({ path: `/mesh/members/${home.home.hub}/log?limit=2` }))
      .json as unknown as { entries: unknown[] }
    assert.equal(entries.length, 2)
  })
})
