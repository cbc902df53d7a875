// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../../daemon/base/clock.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { Api } from '../../../daemon/cli/api.ts'
import { Person } from '../../../daemon/cli/person.ts'
import { askOver, type Way } from '../../../daemon/cli/reach/way.ts'
import { Sequence } from '../../../daemon/cli/sequence.ts'
import { thingPath } from '../../../daemon/cli/things.ts'
import { type Command, sealEnvelope } from '../../../daemon/core/envelope/index.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import { CAPABILITIES } from '../../../schemas/gen/ts/capabilities.ts'
import { ADA, LAMP, ROOT, seal } from '../../support/mesh-papers.ts'

/** What one cell of Tor carries (tor-spec, RELAY_PAYLOAD_SIZE). */
const CELL_BYTES = 498
const ONION = `${'a'.repeat(56)}.onion`
const LAMP_ID = idOf(LAMP.key)
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{"stage":"at-hub"}'

/** A home that keeps what it was sent, in the pieces in which it came. */
async function listen(t: TestContext): Promise<{ port: number; heard: string[]; sockets: Set<Socket> }> {
  const heard: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      heard.push(bytes.toString('latin1'))
      socket.write(ANSWER)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, heard, sockets }
}

/** As the CLI reaches an onion service, with a connection that leads to `port`. */
function openApi(t: TestContext, port: number): Api {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const create = agent.createConnection.bind(agent)
  agent.createConnection = (_options, done) => create({ host: '127.0.0.1', port }, done)
  const owners = [seal({ type: 'owner', name: 'ada', key: ADA.key }, ROOT)]
  const keys = { root: ROOT.key, owners, hubCas: [], generation: 0, signer: ADA, name: 'ada' }
  const sequence = new Sequence(systemClock, join('/nonexistent', 'sequence'))
  const person = new Person(
    { clock: systemClock, random: systemRandom, sequence },
    { role: 'owner', ...keys },
  )
  const way: Way = {
    ...{ kind: 'tor', words: 'through Tor', patienceMs: 5000 },
    ask: (ask, signal) => askOver({ host: ONION, port: 80, agent }, ask, signal),
    [Symbol.asyncDispose]: async () => agent.destroy(),
  }
  const api = new Api({ clock: systemClock, person, openWay: async () => way }, new AbortController().signal)
  t.after(() => api[Symbol.asyncDispose]())
  return api
}

/** As long as commands get: by a grant, at a moment of this century, with the longest value. */
function longestCommand(operation: 'write' | 'invoke'): Uint8Array {
  const now = 4_000_000_000
  const body: Command = {
    ...{ type: 'command', audience: LAMP_ID, sealedAt: now, expiresAt: now + 86_400 },
    ...{ epoch: new Uint8Array(8).fill(1), sequence: now * 1000, nonce: new Uint8Array(8).fill(1) },
    ...{ operation, affordance: 65_535, value: -2_147_483_648, grant: new Uint8Array(8).fill(1) },
  }
  return sealEnvelope(body, ADA)
}

async function send(api: Api, method: 'PUT' | 'POST', path: string, frame: Uint8Array): Promise<void> {
  const lines = api.stages(method, path, frame)
  while (!(await lines.next()).done);
}

describe('a sealed command on its way to an onion service [SPEC 9.2]', () => {
  it('is one write of one cell, with the longest name, the longest value and a grant', async (t) => {
    const { port, heard } = await listen(t)
    const api = openApi(t, port)
    const longest = [...CAPABILITIES].map(({ name }) => `${name}255`)
    for (const name of longest) {
      await send(api, 'PUT', `${thingPath(LAMP_ID)}/properties/${name}`, longestCommand('write'))
      await send(api, 'POST', `${thingPath(LAMP_ID)}/actions/${name}`, longestCommand('invoke'))
    }
    assert.equal(heard.length, 2 * longest.length)
    for (const request of heard) assert(request.length <= CELL_BYTES, `${request.length} bytes: ${request}`)
  })

  it('says nothing that its route knows by itself', async (t) => {
    const { port, heard } = await listen(t)
    await send(openApi(t, port), 'PUT', `${thingPath(LAMP_ID)}/properties/on`, longestCommand('write'))
    const [head] = heard[0]!.split('\r\n\r\n')
    const names = head!.split('\r\n').slice(1)
    assert.deepEqual(names.map((line) => line.split(':')[0]!.toLowerCase()).sort(), [
      'content-length',
      'content-type',
      'host',
    ])
  })

  it('keeps its connection without saying so', async (t) => {
    const { port, heard, sockets } = await listen(t)
    const api = openApi(t, port)
    for (let at = 0; at < 3; at++)
      await send(api, 'PUT', `${thingPath(LAMP_ID)}/properties/on`, longestCommand('write'))
    assert.deepEqual([heard.length, sockets.size], [3, 1])
  })
})
