// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemRandom } from '../../../daemon/base/random.ts'
import { Secret } from '../../../daemon/base/secret.ts'
import { picture } from '../../../daemon/cli/qr.ts'
import {
  onionAddress,
  writeEnrolCode,
  writeHomeCode,
  writePhoneCode,
} from '../../../daemon/core/identity/index.ts'
import { pixelsOfText, readQr } from '../../support/qr.ts'

const key = () => systemRandom.bytes(32)
const LAN = ['https://192.168.178.20:8443']

/** What `phone add` shows at most: everything that a code can hold. */
const phone = () =>
  writePhoneCode({
    ...{ root: key(), onion: key(), secret: new Secret(systemRandom.bytes(16)), lan: LAN },
    ...{ clientKey: new Secret(key()), webCa: key() },
  }).reveal()

describe('a code as a picture in a terminal', () => {
  for (const [what, text] of [
    ['phone add, as a link', `http://${onionAddress(key())}/#${phone()}`],
    [
      'phone add without a LAN',
      `http://${onionAddress(key())}/#${writePhoneCode({ root: key(), onion: key(), secret: new Secret(systemRandom.bytes(16)), lan: [] }).reveal()}`,
    ],
    [
      'onion invite',
      writeHomeCode({
        root: key(),
        onion: key(),
        lan: LAN,
        clientKey: new Secret(key()),
        webCa: systemRandom.bytes(400),
      }).reveal(),
    ],
    [
      'enrol',
      writeEnrolCode({
        host: '192.168.178.20',
        port: 25519,
        root: key(),
        hubCas: [key(), key()],
        secret: new Secret(systemRandom.bytes(16)),
      }).reveal(),
    ],
  ] as const) {
    it(`is read as exactly the text: ${what}`, () => {
      assert.equal(readQr(pixelsOfText(picture(text, undefined))), text)
    })
  }

  it('is no picture where it would be broken into lines, but says how wide it is', () => {
    const text = phone()
    const width = picture(text, undefined).indexOf('\n')
    assert.equal(readQr(pixelsOfText(picture(text, width))), text)
    assert.match(picture(text, width - 1), new RegExp(`^As a picture it needs a window of ${width} columns`))
  })
})
