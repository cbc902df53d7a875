// SPDX-License-Identifier: GPL-3.0-or-later
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Sizes } from '../firmware-size.ts'
import type { Bench, Result, Results } from './sample.ts'

const FIRMWARE = join(import.meta.dirname, '..', 'firmware.ts')

/** What the choice of wolfSSL was made by: TLS 1.3 with one Ed25519 key, in the same emulator, before there was a firmware. */
const CHOSEN_BY = { dramKb: 13.4, flashKb: 132, handshakeM: 42.7, sealM: 2.8, openM: 9.5 }

/** `firmware.tls.*`: what the emulated ESP8266 reports. */
export async function firmware({ say, signal }: Bench): Promise<Results> {
  say('firmware.tls: a handshake, a signature and a check on the ESP8266’s instruction set')
  const { stdout } = await promisify(execFile)(process.execPath, [FIRMWARE, 'size', '--json'], {
    signal,
    maxBuffer: 1 << 24,
  })
  const { tls } = (JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, Sizes>).qemu!
  return {
    'firmware.tls.dram': beside(tls.dramPeak / 1000, CHOSEN_BY.dramKb, 'KB'),
    'firmware.tls.flash': beside(tls.textOfTls / 1000, CHOSEN_BY.flashKb, 'KB'),
    'firmware.tls.handshake': beside(tls.handshake / 1e6, CHOSEN_BY.handshakeM, 'M instructions'),
    'firmware.tls.seal': beside(tls.seal / 1e6, CHOSEN_BY.sealM, 'M instructions'),
    'firmware.tls.open': beside(tls.open / 1e6, CHOSEN_BY.openM, 'M instructions'),
  }
}

function beside(value: number, baseline: number, unit: string): Result {
  const short = (number: number): number => Number(number.toPrecision(4))
  return { value: short(value), baseline, ratio: short(value / baseline), unit }
}
