// SPDX-License-Identifier: GPL-3.0-or-later
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import { type Fields, fieldsOf, listOf, optionalTextIn } from '../fields.ts'
import { thingLine, thingPath } from '../things.ts'
import type { Tools } from '../tools.ts'
import { verb } from '../verb.ts'
import { servicesIn, tellInvitation } from './onion.ts'

export const expose = verb({
  command: 'expose [device]',
  says: 'Gives a device an onion address of its own, which serves that device alone',
  examples: [
    ['expose camera', 'prints its address and client key'],
    ['expose --all', 'every device, with progress; each address costs tor about two seconds at every start'],
  ],
  options: (cli) =>
    cli
      .positional('device', { type: 'string', describe: 'name or id' })
      .option('all', { type: 'boolean', default: false, describe: 'every device' })
      .option('auth', {
        type: 'boolean',
        default: true,
        describe: 'ask for a client key; --no-auth for software that cannot',
      })
      .option('wait', {
        type: 'boolean',
        default: true,
        describe: 'with --all: wait until all are published',
      }),
  async run(tools, args) {
    if (args.all === (args.device !== undefined)) {
      throw new CliError('usage', 'name one device, or say --all')
    }
    const api = await tools.api()
    if (args.device !== undefined) {
      const { id, name } = thingLine(await api.get(thingPath(args.device)))
      const answer = await api.send('PUT', `/exposures/${id}`, { authorised: args.auth })
      await tellInvitation(tools, name, fieldsOf(answer, 'an exposure'))
      return
    }
    await exposeAll(tools, api, args.auth, args.wait)
  },
})

const PAUSE_MS = 1000
/** Paced additions take about two seconds each (FACTS), and Tor has bad days. */
const PAUSES_PER_DEVICE = 10
const PAUSES_AT_LEAST = 60

async function exposeAll(tools: Tools, api: Api, authorised: boolean, wait: boolean): Promise<void> {
  const things = listOf(await api.get('/things'), 'a list of devices').map(thingLine)
  using step = tools.voice.working(`exposing ${things.length} devices`)
  const exposures: { device: string; id: string; address: string | undefined }[] = []
  for (const { id, name } of things) {
    step.say(`exposing ${name} (${exposures.length + 1} of ${things.length})`)
    const answer = fieldsOf(await api.send('PUT', `/exposures/${id}`, { authorised }), 'an exposure')
    exposures.push({ device: name, id, address: optionalTextIn(answer, 'address') })
  }
  const published = wait ? await awaitPublished(tools, api, step.say, things.length) : undefined
  tools.voice.tell({ ok: true, exposures, ...(published !== undefined && { published }) }, () =>
    [
      `${exposures.length} devices have an address of their own${published === undefined ? '' : `, ${published} are published`}.`,
      ...exposures.map(({ device, address }) => `  ${device}  ${address ?? ''}`),
    ].join('\n'),
  )
}

async function awaitPublished(
  tools: Tools,
  api: Api,
  say: (what: string) => void,
  count: number,
): Promise<number> {
  let published = 0
  for (let pauses = Math.max(PAUSES_AT_LEAST, count * PAUSES_PER_DEVICE); pauses > 0; pauses--) {
    const services = servicesIn(await api.get('/exposures'))
    published = services.filter(isPublished).length
    say(`${published} of ${count} published`)
    if (published >= count) break
    await tools.clock.sleep(PAUSE_MS, tools.signal)
  }
  return published
}

function isPublished(service: Fields): boolean {
  const state = optionalTextIn(fieldsOf(service.status ?? {}, 'a state'), 'state')
  return state === 'published' || state === 'reachable' || state === 'unreachable'
}
