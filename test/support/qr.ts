// SPDX-License-Identifier: GPL-3.0-or-later
/** Codes as a camera sees them: read by a decoder that has nothing to do with the encoder. */
import jsqr from 'jsqr'
import type { Locator } from 'playwright-core'

// A CommonJS module: what Node calls its default is the module.
const decode = jsqr as unknown as typeof jsqr.default

interface Pixels {
  readonly width: number
  readonly height: number
  /** RGBA. */
  readonly data: Uint8ClampedArray
}

/** What a camera would read of these pixels, dark on light as codes are; undefined: nothing. */
export function readQr({ data, width, height }: Pixels): string | undefined {
  return decode(data, width, height, { inversionAttempts: 'dontInvert' })?.data
}

interface Drawn {
  readonly width: number
  readonly height: number
  /** Base64 of the pixels. */
  readonly bytes: string
}

/** Run in the browser, which knows best what its picture is. */
const DRAW = `(async () => {
  const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + png)).blob())
  const { width, height } = image
  const context = new OffscreenCanvas(width, height).getContext('2d')
  context.drawImage(image, 0, 0)
  const { data } = context.getImageData(0, 0, width, height)
  return { width, height, bytes: new Uint8Array(data.buffer).toBase64() }
})()`

/** Of this element, as it is on the screen now. */
export async function qrOnScreen(element: Locator): Promise<string | undefined> {
  const png = (await element.screenshot()).toString('base64')
  // In a page of its own, which no policy binds.
  const blank = await element.page().context().newPage()
  try {
    await blank.evaluate(`globalThis.png = ${JSON.stringify(png)}`)
    const { width, height, bytes } = (await blank.evaluate(DRAW)) as Drawn
    return readQr({ width, height, data: new Uint8ClampedArray(Buffer.from(bytes, 'base64')) })
  } finally {
    await blank.close()
  }
}

/** A picture of block characters as a terminal shows it: light ones on a dark screen. */
export function pixelsOfText(picture: string, scale = 4): Pixels {
  const lines = picture.replace(/\n+$/, '').split('\n')
  const columns = Math.max(...lines.map((line) => [...line].length))
  const [width, height] = [columns * scale, lines.length * 2 * scale]
  const data = new Uint8ClampedArray(width * height * 4).fill(255)
  const isLit = (x: number, y: number) => {
    const character = [...lines[Math.floor(y / 2)]!][x] ?? ' '
    return character === '█' || character === (y % 2 === 0 ? '▀' : '▄')
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const level = isLit(Math.floor(x / scale), Math.floor(y / scale)) ? 255 : 0
      data.fill(level, (y * width + x) * 4, (y * width + x) * 4 + 3)
    }
  }
  return { width, height, data }
}
