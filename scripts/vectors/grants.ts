// SPDX-License-Identifier: GPL-3.0-or-later
/** What a lock makes of grants, leases, revocations and commands, in whatever order they arrive (SPEC 12.2–12.6). */

import { chainCases } from './grants/chains.ts'
import { chargeCases } from './grants/charge.ts'
import { hoursCases } from './grants/hours.ts'
import { judgingCases } from './grants/judging.ts'
import { lastingCases } from './grants/lasting.ts'
import { readingCases } from './grants/reading.ts'
import { revocationCases } from './grants/revocations.ts'
import type { Case } from './text.ts'

export function grantCases(): Case[] {
  return [
    ...chainCases(),
    ...judgingCases(),
    ...lastingCases(),
    ...hoursCases(),
    ...revocationCases(),
    ...chargeCases(),
    ...readingCases(),
  ]
}
