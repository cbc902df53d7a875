// SPDX-License-Identifier: GPL-3.0-or-later
/** From a grant to a receipt, with the real daemon and real firmware, for somebody who is no owner; and every way in which it ends. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, suite, test } from 'node:test'
import { fromBase64url } from '../../daemon/base/bytes.ts'
import { loadIdentity, writeIdentity } from '../../daemon/config/identity.ts'
import { loadOwner } from '../../daemon/config/keyring.ts'
import { nativeEd25519 } from '../../daemon/core/envelope/index.ts'
import {
  type LiveDevice,
  type LiveHome,
  openLiveHome,
  type Ran,
  type RunOptions,
  type Said,
} from '../support/home.ts'
import { grantFrame } from '../support/papers.ts'
import { askToJoin } from '../support/phone.ts'
import { Sealer } from '../support/request.ts'
import { Account } from '../unit/cli/as-user.ts'

let home: LiveHome
let light: LiveDevice

before(async () => {
  home = await openLiveHome()
  light = await home.enrol('porch-light', 'porch-light')
})
after(async () => {
  await light?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
})

const done = (line: string) => home.done(line.split(' ')) as Promise<Said & { grant: { id: string } }>

async function refused(line: string, exit: number, code: string): Promise<Ran> {
  const ran = await home.json(line.split(' '))
  assert.deepEqual([ran.exit, ran.said.code], [exit, code], `${line}: ${ran.out}`)
  return ran
}

/** A phone that joins as a person's does, and its key as a file, so that the CLI can stand for its page. */
async function joins(
  name: string,
  person: string,
  by: RunOptions = {},
): Promise<{ file: string; said: Said }> {
  const begun = await home.done(['phone', 'add', name, '--person', person, '--no-wait'], by)
  const phone = await askToJoin(join(home.data, 'api.sock'), begun.code as string)
  assert.equal(phone.status, 202, JSON.stringify(phone.answer))
  const args = ['phone', 'add', name, '--confirm', '--yes-if', phone.digits]
  const said = await home.done(args, by)
  const file = join(home.place, `${name}.key`)
  const { home: id, root, owners } = loadOwner(home.owner)
  writeFileSync(file, writeIdentity({ home: id, root, owners, name, seed: phone.seed }).reveal(), {
    mode: 0o600,
  })
  return { file, said }
}

suite('a person with a phone', { timeout: 240_000 }, () => {
  let file: string

  test('is promised a grant, joins, and gets it', async () => {
    await done('person add sitter')
    assert.equal((await done('grant sitter porch-light on level:read')).promised, true)
    const joined = await joins('phone', 'sitter')
    file = joined.file
    assert.deepEqual((joined.said.grants as unknown[]).length, 1)
    const [row] = (await done('grants sitter')).grants as { standing: string }[]
    assert.equal(row?.standing, 'holds')
  })

  test('does what was granted: the device itself signs for it', async () => {
    const said = await done(`set porch-light on true --as ${file}`)
    assert.deepEqual([said.code, said.verified, said.values], ['ok', true, { on: true }])
    assert.equal((await done(`get porch-light on --as ${file}`)).value, true)
  })

  test('is refused the rest', async () => {
    await refused(`set porch-light level 20 --as ${file}`, 3, 'not-granted')
    await refused(`invoke porch-light toggle --as ${file}`, 3, 'not-granted')
    await refused(`device forget porch-light --yes --as ${file}`, 3, 'forbidden')
    await refused(`status --as ${file}`, 3, 'forbidden')
    await refused(`log verify --as ${file}`, 3, 'forbidden')
  })

  test('why tells an owner the same', async () => {
    const yes = await done('why sitter porch-light on')
    assert.equal(yes.allowed, true)
    const no = await done('why sitter porch-light level')
    assert.deepEqual([no.allowed, no.code], [false, 'not-granted'])
  })

  test('a second phone of theirs may the same, and one that is taken back nothing; the other does not notice', async () => {
    const second = await joins('tablet', 'sitter')
    await done(`set porch-light on false --as ${second.file}`)
    await done('phone revoke tablet --yes')
    await refused(`set porch-light on true --as ${second.file}`, 3, 'grant-revoked')
    await done(`set porch-light on true --as ${file}`)
  })

  test('the log names person and grant, and is whole', async () => {
    const { entries } = (await done('log --who sitter --device porch-light --since 1h')) as unknown as {
      entries: { kind: string; person?: { name: string }; grant?: string; origin?: string }[]
    }
    const command = entries.find(({ kind }) => kind === 'command')
    assert.deepEqual([command?.person?.name, command?.origin], ['sitter', 'unix'])
    const [row] = (await done('grants sitter')).grants as { id: string }[]
    assert.equal(command?.grant, row?.id)
    await done('log verify')
  })

  test('a revoked grant is refused at once', async () => {
    await done('revoke sitter')
    const { said } = await home.json(['set', 'porch-light', 'on', 'false', '--as', file])
    assert.equal(said.ok, false)
    assert.ok(
      ['not-found', 'grant-revoked', 'not-granted'].includes(said.code as string),
      JSON.stringify(said),
    )
  })
})

suite('hours, times and uses', { timeout: 240_000 }, () => {
  let file: string
  before(async () => {
    await done('person add courier')
    file = (await joins('scanner', 'courier')).file
  })

  test('outside its hours a grant is refused with the hours in words', async () => {
    const hour = new Date().getUTCHours()
    const away = (hour + 6) % 23
    const { grant } = (await home.done([
      'grant',
      'courier',
      'porch-light',
      'on',
      '--hours',
      `daily ${away}:00-${away + 1}:00`,
    ])) as { grant: { id: string } }
    const { said } = await refused(`set porch-light on true --as ${file}`, 3, 'outside-hours')
    assert.match(said.message as string, /\d\d:00/)
    assert.equal((await done('why courier porch-light on')).code, 'outside-hours')
    await done(`revoke ${grant.id}`)
  })

  test('a grant for later is refused until then', async () => {
    const { grant } = await done('grant courier porch-light on --from 1h')
    await refused(`set porch-light on true --as ${file}`, 3, 'grant-not-yet')
    await done(`revoke ${grant.id}`)
  })

  test('one use is one use', async () => {
    const { grant } = await done('grant courier porch-light on --uses 1 --until 1h')
    await done(`set porch-light on true --as ${file}`)
    await refused(`set porch-light on false --as ${file}`, 3, 'uses-spent')
    const [row] = (await done('grants courier')).grants as { used: number }[]
    assert.equal(row?.used, 1)
    await done(`revoke ${grant.id}`)
  })
})

suite('a group', { timeout: 240_000 }, () => {
  test('gives what was granted on it to whoever is in it, as long as it is', async () => {
    await done('person add anna')
    const { file } = await joins('anna-phone', 'anna')
    await done('group add lamps porch-light')
    await done('grant anna lamps on')
    await done(`set porch-light on true --as ${file}`)
    await done('group remove lamps porch-light')
    const { exit } = await home.json(['set', 'porch-light', 'on', 'false', '--as', file])
    assert.notEqual(exit, 0)
  })
})

suite('a script', { timeout: 240_000 }, () => {
  test('has a key of its own, and only its grant', async () => {
    const { file } = (await done('token add blinds porch-light level')) as unknown as { file: string }
    const said = await done(`set porch-light level 40 --as ${file}`)
    assert.deepEqual([said.code, said.values], ['ok', { level: 40 }])
    await refused(`set porch-light on true --as ${file}`, 3, 'not-granted')
    await refused(`group list --as ${file}`, 3, 'not-permitted')
    await refused(`person add friend --as ${file}`, 3, 'not-permitted')
    const { people } = (await done(`person list --as ${file}`)) as unknown as { people: { name: string }[] }
    assert.deepEqual(
      people.map(({ name }) => name),
      ['blinds'],
    )
    await done('token remove blinds --yes')
    await refused(`set porch-light level 50 --as ${file}`, 3, 'grant-revoked')
  })

  test('as a bearer token works with curl, by its grant alone, until it is removed', async () => {
    const { token } = (await done('token add dashboard porch-light level --bearer')) as unknown as {
      token: string
    }
    const curl = (method: string, path: string, body?: string) => {
      const args = [
        '-s',
        '--unix-socket',
        join(home.data, 'api.sock'),
        '-X',
        method,
        `http://localhost${path}`,
      ]
      const head = ['-H', `Authorization: Bearer ${token}`, '-w', '\n%{http_code}']
      const sent = body === undefined ? [] : ['-H', 'content-type: application/json', '-d', body]
      const lines = spawnSync('curl', [...args, ...head, ...sent], { encoding: 'utf8' })
        .stdout.trimEnd()
        .split('\n')
      return { status: Number(lines.at(-1)), text: lines.slice(0, -1).join('\n') }
    }
    const set = curl('PUT', '/things/porch-light/properties/level', '60')
    assert.equal(set.status, 200, set.text)
    assert.equal(JSON.parse(set.text).stage, 'done')
    assert.equal((await done('get porch-light level')).value, 60)
    assert.notEqual(curl('PUT', '/things/porch-light/properties/on', 'true').status, 200)
    assert.notEqual(curl('GET', '/log/verify').status, 200)
    await done('token remove dashboard --yes')
    assert.equal(curl('PUT', '/things/porch-light/properties/level', '10').status, 401)
    assert.equal((await done('get porch-light level')).value, 60)
  })
})

suite('what is passed on', { timeout: 240_000 }, () => {
  const keyOf = (name: string) => join(home.place, `${name}.key`)
  const give = (who: string, by: string, what: string) =>
    within(`token add ${who} ${what} --out ${keyOf(who)} --as ${keyOf(by)}`)
  /** The same command lines, in this process. */
  async function within(line: string): Promise<Said & { grant: { id: string; parent?: string } }> {
    using account = new Account()
    Object.assign(account.environment, { SHALLOT_DATA: home.data, SHALLOT_OWNER: home.owner })
    const { said } = await account.jsonWithin(line.split(' '))
    return said as Said & { grant: { id: string; parent?: string } }
  }
  const code = async (line: string) => {
    const { ok, code } = await within(line)
    return ok ? 'ok' : code
  }
  let first: string

  before(async () => {
    const terms = '--until 2d --uses 9 --lease 1h --may-share-on'
    const said = await within(`token add laptop porch-light on level ${terms} --out ${keyOf('laptop')}`)
    first = said.grant.id
  })

  test('goes from an owner over two hands to a third, and the device itself takes it', async () => {
    const second = await give('nanny', 'laptop', 'porch-light on --may-share')
    const third = await give('cousin', 'nanny', 'porch-light on --uses 2')
    assert.deepEqual([second.grant.parent, third.grant.parent], [first, second.grant.id])
    const said = await within(`set porch-light on true --as ${keyOf('cousin')}`)
    assert.deepEqual([said.ok, said.code, said.verified], [true, 'ok', true])
    const { entries } = (await done('log --who cousin')) as unknown as {
      entries: { kind: string; chain?: string[] }[]
    }
    const act = entries.find(({ kind }) => kind === 'command')
    assert.deepEqual(act?.chain, [first, second.grant.id, third.grant.id])
  })

  test('has what is not said from above: until when, how often, how fresh a lease', async () => {
    const { grants } = (await within(`grants nanny --as ${keyOf('laptop')}`)) as unknown as {
      grants: { lease: number; uses: number; until: string; by: string }[]
    }
    const [own] = (await done('grants laptop')).grants as { until: string }[]
    assert.deepEqual(
      grants.map(({ lease, uses, until, by }) => [lease, uses, until, by]),
      [[3600, 9, own?.until, 'laptop']],
    )
  })

  for (const [what, terms, expected] of [
    ['other devices', 'everything on', 'grant-wider'],
    ['a longer time', 'porch-light on --until 3d', 'grant-wider'],
    ['more uses', 'porch-light on --uses 10', 'grant-wider'],
    ['no lease', 'porch-light on --lease none', 'grant-wider'],
    ['a property that is not even shown', 'porch-light effect', 'no-such-affordance'],
  ] as const) {
    test(`is refused with ${what} beyond what there is above: ${expected}`, async () => {
      assert.equal((await give('wider', 'laptop', terms)).code, expected)
    })
  }

  test('is refused by the hub too, whatever seals it: grant-wider, in the log', async () => {
    const laptop = loadIdentity(keyOf('laptop'))
    const by = new Sealer(nativeEd25519().signer(laptop.seed.reveal()), laptop.home)
    const wide = grantFrame(by, { parent: fromBase64url(first)!, key: by.signer.key, devices: [] })
    await using stack = new AsyncDisposableStack()
    const { api } = await home.api(stack)
    await assert.rejects(api.sendSealed('POST', '/grants', wide), { code: 'grant-wider' })
    const { entries } = (await done('log --limit 5')) as unknown as { entries: { code?: string }[] }
    assert.ok(entries.some((entry) => entry.code === 'grant-wider'))
  })

  test('may not go further than it was said: grant-chain, and nothing at all by who may not share', async () => {
    assert.equal((await give('far', 'nanny', 'porch-light on --may-share')).code, 'grant-chain')
    assert.equal((await give('far', 'cousin', 'porch-light on')).code, 'not-permitted')
    assert.equal(await code(`revoke ${first} --as ${keyOf('laptop')}`), 'not-permitted')
  })

  test('goes with what it hangs from', async () => {
    await done(`revoke ${first}`)
    const said = await within(`set porch-light on false --as ${keyOf('cousin')}`)
    assert.equal(said.ok, false, JSON.stringify(said))
    assert.equal(await code(`grants --as ${keyOf('cousin')}`), 'ok')
  })
})

suite('a code on the keypad of a lock', { timeout: 240_000 }, () => {
  let door: LiveDevice
  before(async () => {
    door = await home.enrol('front-door', 'front-door')
    await done('person add neighbour')
  })
  after(() => door?.[Symbol.asyncDispose]())

  const world = (name: string) => join(door.firmware.directory, 'world', name)
  const type = (digits: string) => {
    for (const digit of digits) appendFileSync(world('wiegand'), `4 ${digit === '#' ? 'b' : digit}\n`)
  }
  const acts = async () => {
    const { entries } = (await done('log --device front-door --limit 200')) as unknown as {
      entries: { kind: string; code?: string; origin?: string; grant?: string; person?: { name: string } }[]
    }
    return entries.filter(({ kind }) => kind === 'act')
  }
  const untilActs = async (count: number) => {
    for (let tries = 0; tries < 60; tries++) {
      const found = await acts()
      if (found.length >= count) return found
    }
    throw new Error(`the lock told of fewer than ${count} acts`)
  }

  test('opens it, and the log says whose code it was', async () => {
    const { pin, grant } = (await done('pin set neighbour front-door --pin generated')) as unknown as {
      pin: string
      grant: { id: string }
    }
    type(`${pin}#`)
    const [act] = await untilActs(1)
    assert.deepEqual([act?.code ?? 'ok', act?.origin, act?.grant], ['ok', 'keypad', grant.id])
    assert.equal(act?.person?.name, 'neighbour')
    assert.notEqual(Number(readFileSync(world('output-1'), 'utf8')), 0)
    const said = await home.run(['log', '--limit', '200'])
    assert.ok(!said.out.includes(pin))
    await done('pin remove neighbour front-door --yes')
    type(`${pin}#`)
    const [, second] = await untilActs(2)
    assert.equal(second?.code, 'wrong-pin')
  })
})

suite('pairing', { timeout: 240_000 }, () => {
  test('with other digits nobody is let in, and the code is void', async () => {
    await done('person add guest')
    const begun = await done('phone add guest-phone --person guest --no-wait')
    const socket = join(home.data, 'api.sock')
    const phone = await askToJoin(socket, begun.code as string)
    const other = phone.digits === '000000' ? '111111' : '000000'
    await refused(`phone add guest-phone --confirm --yes-if ${other}`, 3, 'not-confirmed')
    const again = await askToJoin(socket, begun.code as string)
    assert.ok(again.status >= 400, JSON.stringify(again.answer))
  })

  test('a second key cannot use a code that somebody used', async () => {
    const begun = await done('phone add guest-phone --person guest --no-wait')
    const socket = join(home.data, 'api.sock')
    await askToJoin(socket, begun.code as string)
    const second = await askToJoin(socket, begun.code as string)
    assert.equal(second.answer.code, 'permit-used')
  })
})

test('another owner, made with the words, owns the home until the words say otherwise', {
  timeout: 240_000,
}, async () => {
  const into = join(home.place, 'anna')
  const made = await home.json(['owner', 'add', 'anna', '--into', into], { input: home.words })
  assert.equal(made.exit, 0, made.out)
  const asAnna = { environment: { SHALLOT_OWNER: into } }
  await home.done(['set', 'porch-light', 'on', 'false'], asAnna)
  await done('person add tourist')
  const { file: phone } = await joins('tourist-phone', 'tourist')
  const { grant } = await done('grant tourist porch-light on')
  const { file: tablet, said } = await joins('tourist-tablet', 'tourist', asAnna)
  assert.equal(said.grantsOfOthers, 1)
  for (const file of [phone, tablet]) await done(`set porch-light on true --as ${file}`)
  await done(`revoke ${grant.id}`)
  for (const file of [phone, tablet])
    assert.notEqual((await home.json(['set', 'porch-light', 'on', 'true', '--as', file])).exit, 0)
  assert.equal((await home.json(['owner', 'remove', 'anna', '--yes'], { input: home.words })).exit, 0)
  const ran = await home.json(['set', 'porch-light', 'on', 'true'], asAnna)
  assert.notEqual(ran.exit, 0)
  await done('set porch-light on true')
})

test('log verify names the first entry that somebody edited in the database, whose daemon starts all the same', {
  timeout: 240_000,
}, async () => {
  const { entries } = await done('log verify')
  const edited = Math.floor((entries as number) / 2)
  await home.stop()
  {
    using db = new DatabaseSync(join(home.data, 'home.sqlite'))
    const { body } = db.prepare('SELECT body FROM entry WHERE position = ?').get(edited) as {
      body: Uint8Array
    }
    body[body.length - 1]! ^= 1
    db.prepare('UPDATE entry SET body = ? WHERE position = ?').run(body, edited)
  }
  await home.start()
  const { said } = await refused('log verify', 3, 'conflict')
  assert.match(said.message as string, new RegExp(`broken at entry ${edited}: changed`))
})
