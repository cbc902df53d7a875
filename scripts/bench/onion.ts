// SPDX-License-Identifier: GPL-3.0-or-later
import type { Bench, Results } from './sample.ts'
export async function onion(_: Bench): Promise<Results> {
  return {}
}
