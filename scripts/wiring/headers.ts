// SPDX-License-Identifier: GPL-3.0-or-later
/** The wiring as C: what an app is compiled with, and what a board's port makes its table of. */
import { BOARDS, type Boards, type Wiring } from './plan.ts'

const notice = (from: string) =>
  `// SPDX-License-Identifier: GPL-3.0-or-later\n// Written by scripts/wiring.ts from firmware/wiring/${from}. Do not edit.\n`

const guardOf = (name: string) => `SHALLOT_WIRING_${name.toUpperCase().replaceAll('-', '_')}_H`

export function appHeader({ app, channels }: Wiring): string {
  const named = channels.filter(({ name }) => name !== undefined)
  const rows = named.map(({ name, kind, channel, to }) => `  ${name} = ${channel}, /* ${kind}, to ${to} */`)
  const guard = guardOf(app)
  return `${notice(`${app}.json`)}#ifndef ${guard}\n#define ${guard}\n\nenum {\n${rows.join('\n')}\n};\n\n#endif\n`
}

export function pinsHeader(wirings: readonly Wiring[], boards: Boards): string {
  const tables = BOARDS.map((board) => {
    const rows = wirings.flatMap(({ app, channels }) =>
      channels.flatMap(({ kind, channel, pins }) => {
        const label = pins[board]
        if (label === undefined) return []
        const macro = kind.toUpperCase().replaceAll('-', '_')
        return [
          `  X(${app.replaceAll('-', '_')}, ${macro}, ${channel ?? 0}, ${boards[board].pins[label]!.gpio})`,
        ]
      }),
    )
    return `#define SHALLOT_WIRING_${board.toUpperCase()}(X) \\\n${rows.join(' \\\n')}\n`
  })
  const guard = guardOf('pins')
  return `${notice('*.json')}#ifndef ${guard}
#define ${guard}

/* A line for each pin: app, kind (OUTPUT, PULSE, INPUT, LINE, SDA, SCL, WIEGAND_0, WIEGAND_1, CAMERA_...), channel (0 for a bus), GPIO. */
${tables.join('\n')}
#endif
`
}
