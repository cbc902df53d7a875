// SPDX-License-Identifier: GPL-3.0-or-later
import { showConfig } from '../../config/index.ts'
import { group, verb } from '../verb.ts'
import { table } from '../voice.ts'

const show = verb({
  command: 'show',
  says: 'Every setting, its value and where that came from',
  examples: [['config show', 'defaults, config.json, SHALLOT_… and flags, the last one counts']],
  async run({ voice, configured }) {
    const rows = showConfig(configured)
    voice.tell({ ok: true, settings: rows }, () =>
      table([
        ['setting', 'value', 'from'],
        ...rows.map(({ key, value, from }) => [key, value === null ? '–' : String(value), from]),
      ]),
    )
  },
})

export const config = group('config', 'Settings', [show])
