// SPDX-License-Identifier: GPL-3.0-or-later
import encodeQR from 'qr'

/** A code as a picture of block characters, for the camera of whatever is held before the screen. */
export function picture(text: string): string {
  return encodeQR(text, 'ascii', { ecc: 'low', border: 2 })
}
