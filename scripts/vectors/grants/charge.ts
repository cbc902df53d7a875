// SPDX-License-Identifier: GPL-3.0-or-later
/** Which daemon a device hears (SPEC 14.7): the one that its owner's newest record names, while the link to one is up. */
import { hub, otherDevice, owner, sitter } from '../parties.ts'
import type { Case } from '../text.ts'
import { scene, step } from './scene.ts'

const here = { hub: hub.key }
const elsewhere = { hub: otherDevice.key }

export function chargeCases(): Case[] {
  return [
    scene('ok-charge', '14.7', 'this daemon has charge of the device', (s) => [
      step(s.enrolment(['doors'], here), 'ok'),
      step(s.bare(owner), 'ok'),
      step(s.grant(), 'ok'),
      step(s.command(), 'ok'),
    ]),
    scene('ok-charge-lifted', '14.7', 'a newer record names nobody: any daemon of the home', (s) => [
      step(s.enrolment(['doors'], here), 'ok'),
      step(s.enrolment(['doors']), 'ok'),
      step(s.bare(owner), 'ok'),
    ]),
    scene('charge-given-away', '14.7', 'an owner gave the device to another daemon', (s) => [
      step(s.grant(), 'ok'),
      step(s.enrolment(['doors'], elsewhere), 'ok'),
      step(s.command(), 'hub-elsewhere'),
      step(s.bare(owner), 'hub-elsewhere'),
      step(s.lease(), 'hub-elsewhere'),
    ]),
    scene('charge-old', '14.7', 'an older record does not bring the old daemon back', (s) => {
      const [old, present] = [s.enrolment(['doors'], elsewhere), s.enrolment(['doors'], here)]
      return [step(present, 'ok'), step(old, 'replayed'), step(s.bare(owner), 'ok')]
    }),
    scene('charge-by-stranger', '14.7', 'nobody but an owner gives a device away', (s) => [
      step(s.grant(), 'ok'),
      step(s.enrolment(['doors'], elsewhere, sitter), 'unknown-signer'),
      step(s.enrolment(['doors'], elsewhere, hub), 'unknown-signer'),
      step(s.command(), 'ok'),
    ]),
    scene('charge-for-another', '14.7', 'a record of another device gives this one to nobody', (s) => [
      step(s.enrolment(['doors'], { ...elsewhere, key: otherDevice.key }), 'wrong-audience'),
      step(s.bare(owner), 'ok'),
    ]),
  ]
}
