// SPDX-License-Identifier: GPL-3.0-or-later
/** The page without scripts, as text: everything that comes from outside is escaped where it enters. */
import { createHash } from 'node:crypto'
import { type Code, MEANINGS } from '../../../schemas/gen/ts/codes.ts'
import type { Affordance } from '../../core/model/index.ts'
import { fromWire } from '../../core/model/index.ts'
import type { Reply } from './answer.ts'
import { type PlainWords, plainWords } from './plain-words.ts'

export interface PlainRow {
  readonly affordance: Affordance
  /** In a person's numbers; absent: never reported, or not to be read. */
  readonly value?: number | boolean | undefined
  /** Whether a form is offered for it. */
  readonly mayUse: boolean
}

export interface PlainThing {
  readonly id: string
  readonly name: string
  readonly connected: boolean
  readonly rows: readonly PlainRow[]
}

export interface PlainView {
  /** `/form/<token>`; forms are sent below it. */
  readonly path: string
  readonly name: string
  readonly things: readonly PlainThing[]
  /** How the last form ended. */
  readonly said?: Code | undefined
  /** Accept-Language. */
  readonly languages: string
}

const STYLE =
  ':root{color-scheme:light dark;font:1.1rem/1.5 system-ui,sans-serif}body{margin:0 auto;padding:1rem;max-width:40rem}' +
  'section{border:1px solid #888;border-radius:.6rem;padding:0 1rem 1rem;margin:1rem 0}' +
  'button,input{font:inherit;padding:.5rem 1rem;margin:.2rem .3rem .2rem 0}p{margin:.4rem 0}form{display:inline}'

/** Forms go to this origin alone; no script, no picture, no frame. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function tellPlain(view: PlainView): Reply {
  return {
    kind: 'bytes',
    body: Buffer.from(plainPage(view)),
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': POLICY,
      // The path is the secret: it goes to no other origin. With `no-referrer` browsers would hide ours from us, too.
      'referrer-policy': 'same-origin',
    },
  }
}

export function plainPage(view: PlainView): string {
  const words = plainWords(view.languages)
  const { said } = view
  return [
    `<!doctype html><html lang="${words.language}"><head><meta charset="utf-8">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${words.title}</title><style>${STYLE}</style></head><body><main><h1>${words.title}</h1>`,
    `<p>${escaped(view.name)} · <a href="${escaped(view.path)}">${words.refresh}</a></p>`,
    said === undefined ? '' : `<p role="alert"><strong>${escaped(outcome(said, words))}</strong></p>`,
    ...view.things.map((thing) => section(thing, view.path, words)),
    view.things.length === 0 ? `<p>${words.nothing}</p>` : '',
    '</main></body></html>\n',
  ].join('')
}

function outcome(code: Code, words: PlainWords): string {
  if (code === 'ok') return words.done
  return `${words.refused} ${words.reasons[code] ?? MEANINGS[code]}`
}

function section(thing: PlainThing, path: string, words: PlainWords): string {
  const presence = thing.connected ? words.connected : words.away
  const rows = thing.rows.map((row) => rowOf(thing, row, path, words)).join('')
  return `<section><h2>${escaped(thing.name)}</h2><p>${presence}</p>${rows}</section>`
}

function rowOf(
  thing: PlainThing,
  { affordance, value, mayUse }: PlainRow,
  path: string,
  words: PlainWords,
): string {
  const { name, capability } = affordance
  const title = escaped(words.capabilities[capability.name] ?? capability.title)
  const label = `${title}: ${escaped(thing.name)}`
  const kind = capability.kind === 'property' ? 'properties' : 'actions'
  const action = escaped(`${path}/things/${thing.id}/${kind}/${encodeURIComponent(name)}`)
  const form = (inside: string) => (mayUse ? `<form method="post" action="${action}">${inside}</form>` : '')
  const button = (text: string, said: string) =>
    `<button name="value" value="${said}" aria-label="${text}: ${label}">${text}</button>`
  if (capability.type === 'none') return `<p>${form(button(title, ''))}</p>`
  if (capability.type === 'boolean') {
    const switches = button(words.on, 'true') + button(words.off, 'false')
    return `<p>${title}: ${sayValue(affordance, value, words)} ${form(switches)}</p>`
  }
  const [min, max] = [fromWire(capability, capability.min), fromWire(capability, capability.max)]
  const shown = value ?? (capability.kind === 'action' ? 5 : min)
  const field = `<input type="number" name="value" min="${min}" max="${max}" step="${10 ** -capability.scale}" value="${shown}" required aria-label="${label}">`
  const asked = form(`${field}<button aria-label="${words.send}: ${label}">${words.send}</button>`)
  const stands = capability.kind === 'action' ? '' : ` ${sayValue(affordance, value, words)}`
  return `<p>${title}:${stands} ${asked}</p>`
}

/** SenML's unit (RFC 8428) as people write it. */
const SIGNS: Readonly<Record<string, string>> = { Cel: '°C', '%RH': '%' }

function sayValue(
  { capability }: Affordance,
  value: number | boolean | undefined,
  words: PlainWords,
): string {
  if (value === undefined) return words.unknown
  if (typeof value === 'boolean')
    return words.states[capability.name]?.[value ? 1 : 0] ?? words[value ? 'on' : 'off']
  return escaped(
    `${value.toLocaleString(words.language)} ${SIGNS[capability.unit] ?? capability.unit}`.trim(),
  )
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}
