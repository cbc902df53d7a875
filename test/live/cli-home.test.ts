// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { systemRandom } from '../../daemon/base/random.ts'
import { readHomeCode, writeHomeCode } from '../../daemon/core/identity/index.ts'
import { webCaCertificate, webKey, webLeaf, webScalar } from '../../daemon/core/identity/web-certificates.ts'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import { type LiveDevice, type LiveHome, openLiveHome } from '../support/home.ts'

let home: LiveHome
let light: LiveDevice
let sensor: LiveDevice
before(async () => {
  home = await openLiveHome()
  light = await home.enrol('porch-light', 'porch-light')
  sensor = await home.enrol('balcony', 'weather')
  for (let tries = 0; tries < 40; tries++) {
    if ((await home.json(['get', 'balcony', 'temperature'])).exit === 0) return
  }
  throw new Error('the sensor sent no reading')
})
after(async () => {
  await light?.[Symbol.asyncDispose]()
  await sensor?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
})

const lamp = () => Number(readFileSync(join(light.firmware.directory, 'world', 'output-1'), 'utf8'))

suite('every verb does what it says, for people and for scripts', () => {
  /** In this order; what a person reads, and what must be in the object. */
  const verbs: [string, RegExp, Record<string, unknown>?][] = [
    ['status', /2 connected of 2/, { way: 'unix' }],
    ['device list', /porch-light +connected +on level/],
    ['device show porch-light', /confirmed +yes, by an owner/],
    ['set porch-light on true', /has done it.*on.*verified/, { code: 'ok', verified: true, way: 'unix' }],
    ['set porch-light level 40', /level 40/, { values: { level: 40 }, affordance: 'level' }],
    ['set porch-light on off --within 5s', /verified/, { values: { on: false } }],
    ['invoke porch-light toggle', /has done it/, { affordance: 'toggle', code: 'ok' }],
    ['get porch-light on', /^off$/m, { value: false, property: 'on' }],
    ['get balcony', /temperature +18\.4.*\n?.*humidity +56\.1/s],
    ['history balcony temperature --since 1h --limit 5', /18\.4/],
    ['onion invite phone', /address +[a-z2-7]{56}\.onion/, { name: 'phone' }],
    ['onion list', /phone +/],
    ['expose porch-light', /[a-z2-7]{56}\.onion/],
    ['expose --all --no-wait', /2 devices have an address/],
    ['hide porch-light', /has no address of its own any more/],
    ['onion withdraw phone', /phone is withdrawn/, { name: 'phone' }],
    ['enrol spare --no-wait', /shallot:enrol:[\w-]+/],
    ['log show --limit 5', /permit/],
    ['log verify', /The log is whole: \d+ entries/],
    ['config show', /link\.port/],
  ]
  /** What cannot be done twice, so that it is said to people and to scripts by turns. */
  const undone: Record<string, string> = {
    'onion withdraw phone': 'onion invite phone',
    'hide porch-light': 'expose porch-light',
  }
  for (const [line, human, object] of verbs) {
    test(`shallot ${line}`, async () => {
      const args = line.split(' ')
      const spoken = await home.run(args)
      assert.equal(spoken.exit, 0, spoken.err)
      assert.match(spoken.out, human)
      const again = undone[line]
      if (again) await home.done(again.split(' '))
      const quiet = await home.json(args)
      assert.deepEqual([quiet.exit, quiet.err], [0, ''], quiet.out)
      for (const each of quiet.out.trimEnd().split('\n').filter(Boolean)) JSON.parse(each)
      for (const [key, value] of Object.entries(object ?? {})) {
        assert.deepEqual(quiet.said[key], value, `${key} in ${quiet.out}`)
      }
    })
  }

  test('the lamp itself does what the receipts say', async () => {
    await home.done(['set', 'porch-light', 'level', '70'])
    await home.done(['set', 'porch-light', 'on', 'true'])
    assert.notEqual(lamp(), 0)
    await home.done(['set', 'porch-light', 'on', 'false'])
    assert.equal(lamp(), 0)
  })

  test('shallot watch tells of a command while it happens', async () => {
    await using watch = home.stay(['watch', 'porch-light', '--json'])
    const heard = () => watch.lines.some((line) => line.includes('"event":"receipt"'))
    // It says nothing when it has begun to listen: told again until it hears.
    for (let tries = 0; tries < 30 && !heard(); tries++) await home.done(['set', 'porch-light', 'on', 'true'])
    await watch.line(/"event":"receipt"/, 10_000)
    await watch.line(/"property":"on"/, 10_000)
  })

  test('shallot device rename keeps the device proved, and its old name is free', async () => {
    await home.done(['device', 'rename', 'porch-light', 'front-door'])
    const done = await home.done(['set', 'front-door', 'on', 'true'])
    assert.equal((done.device as { confirmed: boolean }).confirmed, true)
    assert.equal((await home.json(['get', 'porch-light'])).exit, 5)
    await home.done(['device', 'rename', 'front-door', 'porch-light'])
  })
})

suite('what cannot be done ends with its exit status and code', () => {
  const refusals: [string, number, string][] = [
    ['', 2, 'usage'],
    ['sing', 2, 'usage'],
    ['get', 2, 'usage'],
    ['set porch-light on', 2, 'usage'],
    ['set porch-light on true --wihtin 5s', 2, 'usage'],
    ['set porch-light level 101', 2, 'bad-value'],
    ['set porch-light level bright', 2, 'bad-value'],
    ['set porch-light on true --within -1s', 2, 'usage'],
    ['set balcony temperature 20', 2, 'read-only'],
    ['set porch-light temperature 20', 5, 'no-such-affordance'],
    ['invoke porch-light on', 5, 'no-such-affordance'],
    ['set lamp on true', 5, 'not-found'],
    ['get porch-light colour', 5, 'no-such-affordance'],
    ['history nobody on', 5, 'not-found'],
    ['history balcony temperature --limit 0', 2, 'usage'],
    ['watch nobody', 5, 'not-found'],
    ['device rename porch-light balcony', 3, 'name-taken'],
    ['device forget porch-light', 2, 'usage'],
    ['device show nobody', 5, 'not-found'],
    ['enrol balcony', 3, 'name-taken'],
    ['enrol a/b', 2, 'usage'],
    ['enrol nobody --confirm', 5, 'not-found'],
    ['onion withdraw nobody', 5, 'not-found'],
    ['onion invite ../x', 2, 'usage'],
    ['onion invite owner --no-auth', 3, 'conflict'],
    ['expose nobody', 5, 'not-found'],
    ['expose', 2, 'usage'],
    ['hide balcony-2', 5, 'not-found'],
    ['init', 3, 'home-exists'],
    ['restore', 3, 'home-exists'],
    ['status --home shallot:home:AAAA', 2, 'code-damaged'],
    ['status --data /nowhere', 4, 'unreachable'],
    ['status --owner /nowhere', 5, 'missing'],
    ['status --link-port 5', 2, 'usage'],
    ['daemon --link-port 99999 --tor off', 2, 'bad-config'],
  ]
  for (const [line, exit, code] of refusals) {
    test(`shallot ${line}: ${exit} ${code}`, async () => {
      const ran = await home.json(line.split(' ').filter(Boolean))
      assert.deepEqual([ran.exit, ran.said.code, ran.said.ok], [exit, code, false], ran.out)
      assert.equal(ran.err, '')
    })
  }

  test('a second daemon of one home is refused, and the first goes on', async () => {
    const ran = await home.json(['daemon', '--tor', 'off', '--link-port', '0', '--no-lan'])
    assert.deepEqual([ran.exit, ran.said.code], [3, 'conflict'], ran.out)
    assert.match(ran.said.message as string, /does its daemon run already/)
    assert.equal((await home.json(['status'])).exit, 0)
  })

  test('a daemon of another home on the same port is refused, and says what to do', async () => {
    const { link } = (await home.json(['status'])).said as { link: { host: string; port: number } }
    const other = ['--data', join(home.place, 'beside'), '--owner', join(home.place, 'beside-owner')]
    await home.done(['init', '--words-out', join(home.place, 'beside-words'), ...other])
    const place = ['--link-host', link.host, '--link-port', String(link.port)]
    const ran = await home.json(['daemon', '--tor', 'off', '--no-lan', ...place, ...other])
    assert.deepEqual([ran.exit, ran.said.code], [3, 'conflict'], ran.out)
    assert.match(ran.said.next as string, /--link-port/)
  })
})

suite('with --home, on the LAN', { timeout: 240_000 }, () => {
  /** Somebody with an invitation and the owner's key, elsewhere in the house. There is no tor. */
  const guest = (code: string): Record<string, string> => {
    const file = join(home.place, 'code')
    writeFileSync(file, code, { mode: 0o600 })
    return {
      SHALLOT_DATA: join(home.place, 'nowhere'),
      SHALLOT_HOME: file,
      SHALLOT_TOR_BINARY: '/nonexistent/tor',
    }
  }
  const invitation = async () => {
    const { code } = await home.done(['onion', 'invite', 'tablet'])
    const read = readHomeCode(code as string)
    assert(read.ok)
    return { text: code as string, ...read.value }
  }
  const otherCa = webKey(webScalar(systemRandom.bytes(48)))

  test('commands go by the LAN, and only by its pinned CA', async () => {
    const { text, lan } = await invitation()
    assert.deepEqual(lan, [home.lan])
    const said = await home.done(['invoke', 'porch-light', 'toggle'], { environment: guest(text) })
    assert.deepEqual([said.way, said.verified], ['lan', true])
    assert.equal((await home.done(['status'], { environment: guest(text) })).way, 'lan')
  })

  test('another CA in the code is never led to the LAN', async () => {
    const { text: _text, ...code } = await invitation()
    const before = (await home.done(['log', 'verify'])).entries
    const forged = writeHomeCode({ ...code, webCa: webCaCertificate(otherCa) }).reveal()
    const ran = await home.json(['invoke', 'porch-light', 'toggle'], { environment: guest(forged) })
    assert.deepEqual([ran.exit, ran.said.code], [5, 'missing'])
    assert.match(ran.said.message as string, /tor/)
    assert.equal((await home.done(['log', 'verify'])).entries, before)
  })

  test('an impostor on the LAN hears not one request', async () => {
    const { text: _text, ...code } = await invitation()
    const leaf = webLeaf(
      otherCa,
      webKey(webScalar(systemRandom.bytes(48))),
      ['127.0.0.1'],
      systemRandom.bytes(16),
      Date.now(),
    )
    let heard = 0
    const impostor = createServer(leaf, (_request, response) => {
      heard++
      response.end('{}')
    })
    impostor.listen(0, '127.0.0.1').unref()
    await once(impostor, 'listening')
    const origin = `https://127.0.0.1:${(impostor.address() as { port: number }).port}`
    const led = writeHomeCode({ ...code, lan: [origin] }).reveal()
    const alone = await home.json(['status'], { environment: guest(led) })
    const both = writeHomeCode({ ...code, lan: [origin, home.lan] }).reveal()
    const beside = await home.done(['status'], { environment: guest(both) })
    impostor.close()
    assert.deepEqual([alone.exit, alone.said.code], [5, 'missing'])
    assert.equal(beside.way, 'lan')
    assert.equal(heard, 0)
  })

  test('the code of another home is refused before anything is asked', async () => {
    const { text: _text, ...code } = await invitation()
    const other = writeHomeCode({ ...code, root: systemRandom.bytes(32) }).reveal()
    const ran = await home.json(['status'], { environment: guest(other) })
    assert.deepEqual([ran.exit, ran.said.code], [3, 'wrong-audience'])
  })
})

test('a device that is away is told of: 4 expired, and it does not act later', {
  timeout: 240_000,
}, async () => {
  await home.done(['set', 'porch-light', 'on', 'false'])
  await light.firmware.end()
  const ran = await home.json(['set', 'porch-light', 'on', 'true', '--within', '2s'])
  assert.deepEqual([ran.exit, ran.said.code], [4, 'expired'])
  assert.equal(lamp(), 0)
})

test('the log holds what was refused by the home, and is whole', async () => {
  const { entries } = (await home.done(['log', 'show', '--limit', '1000'])) as {
    entries: { kind: string; code?: string }[]
  }
  assert(entries.some(({ kind, code }) => kind === 'refused' && code === 'name-taken'))
  assert(entries.some(({ kind }) => kind === 'expired'))
  await home.done(['log', 'verify'])
})

test('shallot device forget is for ever: the device is cut off and its name is free', async () => {
  await home.done(['device', 'forget', 'balcony', '--yes'])
  await sensor.firmware.line(new RegExp(`link ended -${CODES.forgotten}`))
  assert.equal((await home.json(['get', 'balcony'])).exit, 5)
  const { code } = await home.done(['enrol', 'balcony', '--no-wait'])
  assert.match(code as string, /^shallot:enrol:/)
})
