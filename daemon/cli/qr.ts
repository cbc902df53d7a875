// SPDX-License-Identifier: GPL-3.0-or-later
import encodeQR from 'qr'

/**
 * A code as a picture of block characters, for the camera of whatever is held before the screen.
 * @param columns  of the screen, if it says so: a picture that is wider would be broken into noise, so a sentence takes its place
 */
export function picture(text: string, columns: number | undefined): string {
  const image = encodeQR(text, 'ascii', { ecc: 'low', border: 2 })
  const width = image.indexOf('\n')
  if (!columns || columns >= width) return image
  return `As a picture it needs a window of ${width} columns; this one has ${columns}.`
}
