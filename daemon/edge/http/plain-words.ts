// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'

/** What the page without scripts says, in one language; all of it is free of what HTML would take for markup. */
export interface PlainWords {
  readonly language: string
  readonly title: string
  readonly refresh: string
  readonly nothing: string
  readonly connected: string
  readonly away: string
  readonly on: string
  readonly off: string
  readonly send: string
  readonly unknown: string
  readonly done: string
  readonly refused: string
  readonly reasons: Partial<Record<Code, string>>
  /** Where the title of the list (schemas/capabilities) is in another language. */
  readonly capabilities: Readonly<Record<string, string>>
  /** What no and yes of a capability are called. */
  readonly states: Readonly<Record<string, readonly [no: string, yes: string]>>
}

const EN: PlainWords = {
  language: 'en',
  title: 'Home',
  refresh: 'Refresh',
  nothing: 'There is nothing here for you.',
  connected: 'connected',
  away: 'not connected',
  on: 'on',
  off: 'off',
  send: 'Send',
  unknown: 'no value yet',
  done: 'Done.',
  refused: 'Not done:',
  reasons: {},
  capabilities: {},
  states: { locked: ['unlocked', 'locked'], closed: ['open', 'closed'], jammed: ['no', 'yes'] },
}

const DE: PlainWords = {
  language: 'de',
  title: 'Zuhause',
  refresh: 'Neu laden',
  nothing: 'Hier ist nichts für dich.',
  connected: 'verbunden',
  away: 'nicht verbunden',
  on: 'an',
  off: 'aus',
  send: 'Senden',
  unknown: 'noch kein Wert',
  done: 'Erledigt.',
  refused: 'Nicht erledigt:',
  reasons: {
    away: 'das Gerät ist nicht verbunden',
    busy: 'es wartet schon zu viel',
    'bad-value': 'diesen Wert nimmt das Gerät nicht an',
    'device-fault': 'die Hardware des Gerätes folgte nicht',
    expired: 'das Gerät hat nicht rechtzeitig geantwortet',
    'grant-expired': 'die Erlaubnis ist zu Ende',
    'grant-revoked': 'die Erlaubnis wurde zurückgenommen',
    'lease-lapsed': 'der Hub hat die Erlaubnis zuletzt nicht bestätigt',
    'not-granted': 'die Erlaubnis umfasst das nicht',
    'outside-hours': 'nicht um diese Zeit',
    'uses-spent': 'die Erlaubnis ist aufgebraucht',
  },
  capabilities: {
    on: 'An',
    level: 'Helligkeit',
    temperature: 'Temperatur',
    humidity: 'Luftfeuchte',
    toggle: 'Umschalten',
    identify: 'Sich zeigen',
    locked: 'Schloss',
    closed: 'Tür',
    unlock: 'Aufschließen (Sekunden)',
    lock: 'Abschließen',
    jammed: 'Riegel klemmt',
    position: 'Stellung',
    setpoint: 'Wunschtemperatur',
    stop: 'Anhalten',
  },
  states: { locked: ['aufgeschlossen', 'abgeschlossen'], closed: ['offen', 'zu'], jammed: ['nein', 'ja'] },
}

/** German for who asks for it first, English for everybody else. @param header  Accept-Language */
export function plainWords(header: string): PlainWords {
  return /^\s*de\b/i.test(header) ? DE : EN
}
