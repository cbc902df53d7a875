// SPDX-License-Identifier: GPL-3.0-or-later
import { CliError } from '../error.ts'
import { ask, type Keyboard, keyboardOf } from '../prompt.ts'
import type { Tools } from '../tools.ts'

/** Goes on only after a yes. @throws CliError not-confirmed; usage when there is nobody to ask */
export async function keepsGoing(tools: Tools, yes: boolean, question: string): Promise<void> {
  if (yes) return
  const keyboard = keyboardOf()
  if (!keyboard) throw new CliError('usage', 'this cannot be undone, and there is nobody to ask: say --yes')
  if (await saysYes(tools, keyboard, question)) return
  throw new CliError('not-confirmed', 'nothing was done')
}

export async function saysYes(tools: Tools, keyboard: Keyboard, question: string): Promise<boolean> {
  const typed = await ask(keyboard, `${question} (y/n) `, { hidden: false }, tools.signal)
  return /^y(?:es)?$/i.test(typed.trim())
}
