// SPDX-License-Identifier: GPL-3.0-or-later
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import { type Fields, fieldsOf, listOf, optionalTextIn } from '../fields.ts'
import { thingLine, thingPath } from '../things.ts'
import type { Tools } from '../tools.ts'
import { verb } from '../verb.ts'
import { table } from '../voice.ts'
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
      // Without the LAN, where the whole home is served and not this device alone.
      await tellInvitation(tools, name, fieldsOf(answer, 'an exposure'), false)
      return
    }
    await exposeAll(tools, api, args.auth, args.wait)
  },
})

const PAUSE_MS = 1000
/** tor takes additions paced, about two seconds apart, at each start too. */
const COST_S = 2
/** Tor has bad days. */
const PAUSES_PER_DEVICE = 10
const PAUSES_AT_LEAST = 60

interface Exposure {
  readonly device: string
  readonly id: string
  readonly address: string | undefined
}

async function exposeAll(tools: Tools, api: Api, authorised: boolean, wait: boolean): Promise<void> {
  const { voice } = tools
  const things = listOf(await api.get('/things'), 'a list of devices').map(thingLine)
  const costS = things.length * COST_S
  if (things.length > 0) {
    voice.note(
      `${counted(things.length)}: each address costs tor about ${COST_S} s at every start, ${costS} s together.`,
    )
  }
  const exposures: Exposure[] = []
  {
    using step = voice.working('exposing')
    for (const { id, name } of things) {
      step.say(`exposing ${name} (${exposures.length + 1} of ${things.length})`)
      const answer = fieldsOf(await api.send('PUT', `/exposures/${id}`, { authorised }), 'an exposure')
      exposures.push({ device: name, id, address: optionalTextIn(answer, 'address') })
    }
  }
  const published = wait ? await awaitPublished(tools, api, exposures) : undefined
  voice.tell({ ok: true, exposures, costS, ...(published !== undefined && { published }) }, () =>
    exposures.length === 0
      ? 'There is no device yet. Begin with: shallot enrol <name>'
      : [
          sayExposed(exposures.length, published),
          `${authorised ? 'The client key and the code' : 'The code'} of each: \`shallot expose <device>${authorised ? '' : ' --no-auth'}\`.`,
          '',
          table(exposures.map(sayExposure)),
        ].join('\n'),
  )
}

function counted(devices: number): string {
  return devices === 1 ? '1 device' : `${devices} devices`
}

function sayExposed(count: number, published: number | undefined): string {
  const have = count === 1 ? '1 device has' : `${count} devices have`
  if (published === undefined)
    return `${have} an address; \`shallot onion list\` tells when each is published.`
  if (published === count) return `${have} an address, and ${count === 1 ? 'it is' : 'all are'} published.`
  return `${have} an address; ${published} of them published so far, the others follow (\`shallot onion list\`).`
}

function sayExposure({ device, address }: Exposure): string[] {
  return [`  ${device}`, address ?? '']
}

/** Tells each device as its address is published. @returns how many are, when all are or patience ends */
async function awaitPublished(tools: Tools, api: Api, exposures: readonly Exposure[]): Promise<number> {
  const waiting = new Map(exposures.map((exposure) => [exposure.address, exposure.device]))
  const count = waiting.size
  using step = tools.voice.working(`0 of ${count} published`)
  const pauses = Math.max(PAUSES_AT_LEAST, count * PAUSES_PER_DEVICE)
  for (let pause = 0; pause < pauses && waiting.size > 0; pause++) {
    if (pause > 0) await tools.clock.sleep(PAUSE_MS, tools.signal)
    for (const service of servicesIn(await api.get('/exposures')).filter(isPublished)) {
      const address = optionalTextIn(service, 'address')
      const device = waiting.get(address)
      if (!waiting.delete(address)) continue
      step.clear()
      tools.voice.note(`${String(count - waiting.size).padStart(4)} of ${count}  ${device} is published`)
    }
    const [next] = waiting.values()
    if (next !== undefined) step.say(`${count - waiting.size} of ${count} published, waiting for ${next}`)
  }
  return count - waiting.size
}

function isPublished(service: Fields): boolean {
  const state = optionalTextIn(fieldsOf(service.status ?? {}, 'a state'), 'state')
  return state === 'published' || state === 'reachable' || state === 'unreachable'
}
