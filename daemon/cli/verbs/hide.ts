// SPDX-License-Identifier: GPL-3.0-or-later
import { isCode } from '../../base/error.ts'
import { CliError } from '../error.ts'
import { thingLine, thingPath } from '../things.ts'
import { verb } from '../verb.ts'

export const hide = verb({
  command: 'hide <device>',
  says: "Withdraws a device's own onion address and closes what is open through it",
  examples: [['hide camera', '']],
  options: (cli) => cli.positional('device', { type: 'string', demandOption: true, describe: 'name or id' }),
  async run(tools, { device }) {
    const api = await tools.api()
    const { id, name } = thingLine(await api.get(thingPath(device)))
    await api.send('DELETE', `/exposures/${id}`).catch((error) => {
      if (!isCode(error, 'not-found')) throw error
      throw new CliError('not-found', `${name} has no address of its own`)
    })
    tools.voice.tell({ ok: true, device: { id, name } }, () => `${name} has no address of its own any more.`)
  },
})
