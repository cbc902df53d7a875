// SPDX-License-Identifier: GPL-3.0-or-later
import { type Code, MEANINGS } from '../../../schemas/gen/ts/codes.ts'
import { MESH_CODE_CHARS_MAX } from '../../../schemas/gen/ts/wire.ts'
import { toBase64url } from '../../base/bytes.ts'
import type { Member } from '../../core/envelope/index.ts'
import { keyOf, type PartyId, parseId } from '../../core/model/index.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import {
  type Fields,
  fieldsOf,
  listOf,
  numberIn,
  optionalNumberIn,
  optionalTextIn,
  textIn,
} from '../fields.ts'
import { openDesk, revokeAt } from '../people/index.ts'
import { picture } from '../qr.ts'
import { sayTime } from '../time.ts'
import type { Tools } from '../tools.ts'
import { typedLast } from '../typed.ts'
import { group, verb } from '../verb.ts'
import { table } from '../voice.ts'
import { parseLimit } from './history.ts'
import { line } from './log.ts'

const POLL_MS = 1000
const REMOVED_PAUSES = 15

const invite = verb({
  command: 'invite',
  says: 'Invites another daemon of yours: prints a code that is good for 15 minutes and one use',
  examples: [['mesh invite', 'then `shallot mesh join <code>` on the other machine']],
  options: (cli) =>
    cli.option('wait', {
      type: 'boolean',
      default: true,
      describe: 'until the other has joined; --no-wait prints the code and ends',
    }),
  async run(tools, { wait }) {
    const { voice } = tools
    const api = await tools.api()
    const invited = fieldsOf(await api.send('POST', '/mesh/invitations'), 'an invitation')
    const [code, ticket] = [textIn(invited, 'code'), textIn(invited, 'ticket')]
    const expiresAt = numberIn(invited, 'expiresAt')
    voice.tell({ ok: true, stage: 'code', code, expiresAt }, () => {
      const image = voice.isTerminal ? `\n${picture(code, voice.columns)}` : ''
      return `On the other machine, until ${sayTime(expiresAt)}:\n\nshallot mesh join ${code}\n${image}`
    })
    if (!wait) return
    const guest = await awaitGuest(tools, api, ticket, expiresAt)
    const [name, shortCode] = [textIn(guest, 'name'), textIn(guest, 'shortCode')]
    voice.tell({ ok: true, stage: 'joined', name, id: textIn(guest, 'id'), shortCode }, () =>
      [
        `${name} has joined.`,
        `Both sides show ${shortCode}. If the other shows something else: shallot mesh remove ${typedLast(name)}`,
      ].join('\n'),
    )
  },
})

async function awaitGuest(tools: Tools, api: Api, ticket: string, expiresAt: number): Promise<Fields> {
  using _step = tools.voice.working('waiting for the other daemon')
  while (tools.clock.now() < expiresAt) {
    const { guest } = fieldsOf(await api.get(`/mesh/invitations/${ticket}`), 'an invitation')
    if (guest !== undefined) return fieldsOf(guest, 'a daemon')
    await tools.clock.sleep(POLL_MS, tools.signal)
  }
  throw new CliError('expired', 'nobody took the invitation up in time', {
    next: 'run `shallot mesh invite` again',
  })
}

const join = verb({
  command: 'join <code>',
  says: 'Takes an invitation up: this daemon and the one that invited belong together from then on',
  examples: [
    ['mesh join shallot:mesh:…', 'on a machine made with `shallot restore --as <name>`'],
    ['mesh join shallot:mesh:… --name cabin', 'under another name'],
  ],
  options: (cli) =>
    cli
      .positional('code', {
        type: 'string',
        demandOption: true,
        describe: 'as `shallot mesh invite` printed it',
      })
      .option('name', { type: 'string', describe: 'what this home is called among your homes' }),
  async run(tools, { code, name }) {
    if (code.length > MESH_CODE_CHARS_MAX)
      throw new CliError('code-damaged', 'that is no invitation: it is too long')
    const { voice } = tools
    const [api, person] = [await tools.api(), await tools.person()]
    const { own, members } = await readMesh(api)
    const called = name ?? members.find(({ id }) => id === own)?.name ?? 'hub'
    const member = await person.seal<Member>(person.home, { type: 'member', name: called, key: keyOf(own) })
    await api.send('POST', '/mesh/join', { code, member: toBase64url(member) })
    const joined = await awaitJoined(tools, api)
    const [host, shortCode] = [textIn(joined, 'host'), textIn(joined, 'shortCode')]
    voice.tell({ ok: true, host, name: called, shortCode }, () =>
      [
        `${called} and ${host} belong together now.`,
        `Both sides show ${shortCode}. If the other shows something else: shallot mesh remove ${typedLast(host)}`,
      ].join('\n'),
    )
  },
})

async function awaitJoined(tools: Tools, api: Api): Promise<Fields> {
  using _step = tools.voice.working(
    'looking for the other daemon; a new address may need a minute to be found',
  )
  for (;;) {
    const joining = fieldsOf(await api.get('/mesh/join'), 'how joining goes')
    const state = textIn(joining, 'state')
    if (state === 'joined') return joining
    if (state === 'refused') {
      const code = textIn(joining, 'code')
      if (!isCode(code))
        throw new CliError('bad-answer', 'the daemon refused for a reason that we do not know')
      throw new CliError(code, optionalTextIn(joining, 'detail') ?? MEANINGS[code])
    }
    await tools.clock.sleep(POLL_MS, tools.signal)
  }
}

function isCode(text: string): text is Code {
  return Object.hasOwn(MEANINGS, text)
}

const list = verb({
  command: 'list',
  says: 'The daemons of your home, this one first',
  examples: [['mesh list', '']],
  async run(tools) {
    const { own, members } = await readMesh(await tools.api())
    const lines = members.map(({ id, name, connected }) => ({ id, name, own: id === own, connected }))
    tools.voice.tell({ ok: true, members: lines }, () =>
      table(
        lines.map((each) => [
          each.name,
          each.own ? 'this one' : each.connected ? 'connected' : 'away',
          each.id,
        ]),
      ),
    )
  },
})

const status = verb({
  command: 'status',
  isUsual: true,
  says: 'How each of your daemons is reached, what it lacks, and what is wrong',
  examples: [['mesh status', 'or `shallot mesh` alone']],
  async run(tools) {
    const { members } = await readMesh(await tools.api())
    tools.voice.tell({ ok: true, members }, () =>
      members.length < 2 && members[0]?.trouble === undefined
        ? 'This daemon is alone. Invite another with: shallot mesh invite'
        : members.map((each) => sayMember(each, tools.clock.now())).join('\n'),
    )
  },
})

function sayMember(member: MemberLine, now: number): string {
  const { name, own, connected, heardAt, rttMs, entries, missing, trouble } = member
  const wrong = trouble === undefined ? '' : `\n  ${trouble}`
  if (own) return `${name}: this daemon, ${entries} entries in its log${wrong}`
  const way = connected
    ? `connected${rttMs === undefined ? '' : `, ${rttMs} ms there and back`}`
    : 'not connected'
  const heard = connected || heardAt === undefined ? '' : `, last heard ${sayAgo(now - heardAt)} ago`
  const log = `${entries} entries of its log are here${missing > 0 ? `, ${missing} that it has are not` : ''}`
  return `${name}: ${way}${heard}; ${log}${wrong}`
}

function sayAgo(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return 'less than a minute'
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`
}

/** The daemon acts on the list within a second or two. */
async function awaitRemoved(tools: Tools, api: Api, id: PartyId): Promise<void> {
  using _step = tools.voice.working('cutting it off')
  for (let pause = 0; pause < REMOVED_PAUSES; pause++) {
    const { members } = await readMesh(api)
    if (members.every((member) => member.id !== id)) return
    await tools.clock.sleep(POLL_MS, tools.signal)
  }
  throw new CliError('unknown-outcome', 'the list was taken, but the daemon still shows it', {
    next: 'see `shallot mesh status`',
  })
}

const remove = verb({
  command: 'remove <name>',
  says: 'Removes a daemon for good: every other refuses it from the moment it hears so',
  examples: [['mesh remove cabin', 'a machine that was stolen or sold; it can come back only as a new one']],
  options: (cli) => cli.positional('name', { type: 'string', demandOption: true, describe: 'name or id' }),
  async run(tools, { name }) {
    const desk = await openDesk(tools, 'removing a daemon')
    const { own, members } = await readMesh(desk.api)
    const meant = members.filter((each) => each.id === parseId(name) || each.name === name)
    const [member, ...more] = meant
    if (!member)
      throw new CliError('not-found', `no daemon of yours is called ${name}`, {
        next: 'see `shallot mesh list`',
      })
    if (more.length > 0)
      throw new CliError('conflict', `${meant.length} daemons are called ${name}: name one by its id`)
    if (member.id === own) throw new CliError('conflict', 'a daemon is removed from another, not from itself')
    await revokeAt(desk, [keyOf(member.id)])
    await awaitRemoved(tools, desk.api, member.id)
    tools.voice.tell({ ok: true, id: member.id, name: member.name }, () =>
      [
        `${member.name} is removed: it reaches nothing here any more, and the others refuse it as they hear of it.`,
        'What it had, it keeps. If the machine is in foreign hands, withdraw what was made for it too.',
      ].join('\n'),
    )
  },
})

const LOG_LIMIT = '50'

const log = verb({
  command: 'log <name>',
  says: 'What happened in another home, as its daemon wrote it, also of one that is gone for good',
  examples: [['mesh log cabin --limit 20', 'its last twenty entries, from the copy that is here']],
  options: (cli) =>
    cli
      .positional('name', { type: 'string', demandOption: true, describe: 'name or id' })
      .option('limit', { type: 'string', default: LOG_LIMIT, describe: 'so many entries' })
      .option('before', { type: 'string', describe: 'older than the entry of this number' }),
  async run(tools, args) {
    const api = await tools.api()
    const report = fieldsOf(await api.get('/mesh'), 'the state of the mesh')
    const logs = listOf(report.logs, 'logs').map((each) => fieldsOf(each, 'a log'))
    const meant = logs.filter((each) => each.id === args.name || each.name === args.name)
    const [found, ...more] = meant
    if (!found)
      throw new CliError('not-found', `no log of ${args.name} is here`, { next: 'see `shallot mesh list`' })
    if (more.length > 0) {
      const ids = meant.map(({ id, entries }) => `${String(id)} (${String(entries)} entries)`).join(', ')
      throw new CliError('conflict', `there are logs of ${meant.length} daemons of that name: ${ids}`, {
        next: 'name one by its id',
      })
    }
    const query = new URLSearchParams({ limit: String(parseLimit(args.limit, 1000)) })
    if (args.before !== undefined)
      query.set('before', String(parseLimit(args.before, Number.MAX_SAFE_INTEGER)))
    const answer = await api.get(`/mesh/members/${partyIn(found, 'id')}/log?${query}`)
    const entries = listOf(fieldsOf(answer, 'a log').entries, 'entries')
    tools.voice.tell({ ok: true, entries }, () =>
      entries.length === 0
        ? 'Nothing of it is here yet.'
        : table(entries.map((each) => line(fieldsOf(each, 'an entry')))),
    )
  },
})

interface MemberLine {
  readonly id: PartyId
  readonly name: string
  readonly own: boolean
  readonly connected: boolean
  readonly heardAt: number | undefined
  readonly rttMs: number | undefined
  readonly entries: number
  readonly missing: number
  readonly trouble: string | undefined
}

interface MeshReport {
  readonly own: PartyId
  /** This one first. */
  readonly members: readonly MemberLine[]
}

async function readMesh(api: Api): Promise<MeshReport> {
  const report = fieldsOf(await api.get('/mesh'), 'the state of the mesh')
  const own = partyIn(report, 'own')
  const members = listOf(report.members, 'a list of daemons').map((each): MemberLine => {
    const fields = fieldsOf(each, 'a daemon')
    return {
      id: partyIn(fields, 'id'),
      name: textIn(fields, 'name'),
      own: fields.own === true,
      connected: fields.connected === true,
      heardAt: optionalNumberIn(fields, 'heardAt'),
      rttMs: optionalNumberIn(fields, 'rttMs'),
      entries: numberIn(fields, 'entries'),
      missing: numberIn(fields, 'missing'),
      trouble: optionalTextIn(fields, 'trouble'),
    }
  })
  return { own, members: members.toSorted((a, b) => Number(b.own) - Number(a.own)) }
}

function partyIn(fields: Fields, name: string): PartyId {
  const id = parseId(textIn(fields, name))
  if (!id) throw new CliError('bad-answer', 'the home named a daemon by something that is no id')
  return id
}

export const mesh = group('mesh', 'Your other homes: daemons that belong together', [
  invite,
  join,
  list,
  log,
  remove,
  status,
])
