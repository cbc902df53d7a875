// SPDX-License-Identifier: GPL-3.0-or-later
import { CliError } from './error.ts'

export interface Keyboard {
  readonly input: NodeJS.ReadStream
  readonly echo: NodeJS.WritableStream
}

/** A person at a terminal, or nobody. Questions go beside the result, so that `--json` stays readable. */
export function keyboardOf(): Keyboard | undefined {
  return process.stdin.isTTY ? { input: process.stdin, echo: process.stderr } : undefined
}

const STDIN_BYTES_MAX = 16_384
const LINE_CHARS_MAX = 4096
/** What keys send that are no characters: arrows, Home, F1. */
const ARROWS = /\x1b(?:\[[\d;]*[~A-Za-z]|O[A-Za-z])/g

/** One line typed by a person; with `hidden` nothing of it is shown. @throws CliError interrupted on Ctrl-C or end of input */
export function ask(
  { input, echo }: Keyboard,
  question: string,
  options: { readonly hidden: boolean },
  signal: AbortSignal,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let line = ''
  const finish = (settle: () => void, ahead = ''): void => {
    input.off('data', onData)
    signal.removeEventListener('abort', onAbort)
    input.setRawMode?.(false)
    input.pause()
    // What was typed ahead answers the next question.
    if (ahead !== '') input.unshift(ahead)
    echo.write('\n')
    settle()
  }
  const onAbort = () => finish(() => reject(new CliError('interrupted', 'nothing was done')))
  const onData = (chunk: string) => {
    const keys = [...chunk.replace(ARROWS, '')]
    for (const [at, key] of keys.entries()) {
      if (key === '\r' || key === '\n') return finish(() => resolve(line), keys.slice(at + 1).join(''))
      if (key === '\x03' || key === '\x04') return onAbort()
      if (key === '\x7f' || key === '\b') {
        if (line !== '' && !options.hidden) echo.write('\b \b')
        line = [...line].slice(0, -1).join('')
      } else if (key >= ' ' && line.length < LINE_CHARS_MAX) {
        line += key
        if (!options.hidden) echo.write(key)
      }
    }
  }
  // Before the question: an answer that comes at once must not be shown by the terminal itself.
  input.setRawMode?.(true)
  input.setEncoding('utf8')
  input.on('data', onData)
  signal.addEventListener('abort', onAbort, { once: true })
  input.resume()
  echo.write(question)
  return promise
}

/** All of standard input, when it is not a terminal. @throws CliError payload-too-large */
export async function readAll(input: NodeJS.ReadStream): Promise<string> {
  let text = ''
  input.setEncoding('utf8')
  for await (const chunk of input) {
    text += chunk
    if (text.length > STDIN_BYTES_MAX) {
      throw new CliError('usage', `standard input holds more than ${STDIN_BYTES_MAX} characters`)
    }
  }
  return text
}
