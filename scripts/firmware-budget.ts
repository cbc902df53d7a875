// SPDX-License-Identifier: GPL-3.0-or-later
/** What the firmware may cost: firmware/budget.json, and what is beyond it. In: measured numbers; out: a sentence for each excess. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EmulatedPort } from './firmware.ts'

export type Limits = Readonly<Record<string, number>>

/** The limits of one chip. */
export interface Budget {
  readonly every: Limits
  readonly apps: Readonly<Record<string, Limits>>
  readonly tls: Limits
  readonly door: Limits
}

export interface Measured {
  readonly apps: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly tls: Readonly<Record<string, unknown>>
  readonly door: Readonly<Record<string, unknown>>
}

export function readBudgets(): Readonly<Record<EmulatedPort, Budget>> {
  const text = readFileSync(join(import.meta.dirname, '..', 'firmware', 'budget.json'), 'utf8')
  return JSON.parse(text).ports
}

/** @returns one line for each number that is over its limit, or that a limit is about and nobody measured */
export function overBudget(measured: Measured, budget: Budget): string[] {
  const missing = Object.keys(budget.apps).filter((app) => measured.apps[app] === undefined)
  const apps = Object.entries(measured.apps).flatMap(([app, numbers]) =>
    excesses(app, numbers, { ...budget.every, ...budget.apps[app] }),
  )
  return [
    ...missing.map((app) => `${app}: not measured`),
    ...apps,
    ...excesses('TLS alone', measured.tls, budget.tls),
    ...excesses('a door', measured.door, budget.door),
  ]
}

function excesses(what: string, numbers: Readonly<Record<string, unknown>>, limits: Limits): string[] {
  return Object.entries(limits).flatMap(([name, limit]) => {
    const number = numbers[name]
    if (typeof number !== 'number') return [`${what}: ${name} not measured`]
    return number > limit ? [`${what}: ${name} ${number}, ${number - limit} over ${limit}`] : []
  })
}
