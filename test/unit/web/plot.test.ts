// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Held } from '../../../daemon/web/answers.ts'
import { kindOf, sayValue, sayWhen, titleOf } from '../../../daemon/web/kind.ts'
import { plotOf } from '../../../daemon/web/plot.ts'
import { wordsOf } from '../../../daemon/web/words/index.ts'

const BOX = { width: 100, height: 50 }
const at = (time: number, value: number | boolean) => ({ property: 'x', at: time, value })

describe('plotOf()', () => {
  it('draws steps: a value holds until the next', () => {
    const plot = plotOf([at(0, 0), at(50, 10)], 0, 100, BOX)!
    assert.equal(plot.path, 'M0 50H50V0H100')
    assert.deepEqual([plot.least, plot.most], [0, 10])
  })

  it('draws a switch between off and on', () => {
    const plot = plotOf([at(0, true)], 0, 100, BOX)!
    assert.deepEqual([plot.path, plot.lines.map(({ value }) => value)], ['M0 0H100', [0, 1]])
  })

  it('puts few round lines around any range', () => {
    for (const [least, most] of [
      [18.4, 22.8],
      [-3, 900],
      [0.01, 0.02],
      [5, 5],
      [0, 0],
      [-40, -39.5],
    ] as const) {
      const { lines } = plotOf([at(0, least), at(1, most)], 0, 10, BOX)!
      const values = lines.map(({ value }) => value)
      assert.ok(values.length >= 2 && values.length <= 8, `${least}–${most}: ${values}`)
      assert.ok(values[0]! <= least && values.at(-1)! >= most, `${least}–${most}: ${values}`)
      assert.ok(lines.every(({ y }) => Number.isFinite(y)))
    }
  })

  it('keeps the peak of very many samples', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => at(i, i === 7777 ? 1000 : i % 10))
    const plot = plotOf(many, 0, 10_000, BOX)!
    assert.equal(plot.most, 1000)
    assert.ok(plot.path.length < 20_000)
  })

  it('draws nothing from nothing, or outside its time', () => {
    assert.equal(plotOf([], 0, 100, BOX), undefined)
    assert.equal(plotOf([at(500, 1)], 0, 100, BOX), undefined)
    assert.equal(plotOf([at(5, 1)], 5, 5, BOX), undefined)
  })
})

const things = (...names: string[]) => ({
  affordances: new Map(
    names.map((name): [string, Held] => [
      name,
      {
        number: 0,
        name,
        kind: ['unlock', 'lock', 'identify', 'stop'].includes(name) ? 'action' : 'property',
        may: {},
      },
    ]),
  ),
})

describe('what a device is to a person', () => {
  for (const [kind, names] of [
    ['light', ['on', 'level', 'identify']],
    ['light', ['on', 'color']],
    ['blind', ['position', 'stop']],
    ['heating', ['temperature', 'setpoint', 'heating']],
    ['switch', ['on']],
    ['lock', ['locked', 'closed', 'unlock', 'lock']],
    ['sensor', ['temperature', 'humidity']],
    ['other', ['brand-new-thing', 'identify']],
    ['other', []],
  ] as const) {
    it(`${names.join(', ') || 'nothing'}: ${kind}`, () => assert.equal(kindOf(things(...names)), kind))
  }

  it('says values with their unit in the language of the person', () => {
    const [en, de] = [wordsOf('en'), wordsOf('de')]
    assert.equal(sayValue('temperature', 21.53, de, 'de'), '21,5 °C')
    assert.equal(sayValue('humidity2', 56.1, en, 'en'), '56.1 %')
    assert.equal(sayValue('locked', true, de, 'de'), 'abgeschlossen')
    assert.equal(sayValue('pressure', 101_325, en, 'en'), '1,013.3 hPa')
    assert.equal(sayValue('fault', 0, en, 'en'), 'none')
    assert.equal(sayValue('brand-new-thing', 5, en, 'en'), '5')
  })

  it('names instances and what it does not know', () => {
    const words = wordsOf('en')
    assert.equal(titleOf('temperature2', words), 'Temperature 2')
    assert.equal(titleOf('constructor', words), 'constructor')
  })

  it('says when something was, as people do', () => {
    const now = Date.UTC(2026, 10, 25, 12)
    assert.equal(sayWhen(now - 5000, now, 'en'), 'now')
    assert.equal(sayWhen(now - 3 * 60_000, now, 'en'), '3 minutes ago')
    assert.equal(sayWhen(now - 5 * 3_600_000, now, 'de'), 'vor 5 Stunden')
    assert.match(sayWhen(now - 50 * 3_600_000, now, 'de'), /^23\.11\.2026/)
  })
})
