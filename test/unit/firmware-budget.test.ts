// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { EMULATED, type EmulatedPort } from '../../scripts/firmware.ts'
import { overBudget, readBudgets } from '../../scripts/firmware-budget.ts'

const budget = {
  every: { dram: 100, flash: 10 },
  apps: { lamp: { dram: 50 } },
  tls: { dramPeak: 30 },
  door: { dram: 9 },
}
const within = { apps: { lamp: { dram: 50, flash: 10 } }, tls: { dramPeak: 30 }, door: { dram: 9 } }

/** What the linker hands out (firmware/port/qemu). */
const DRAM: Record<EmulatedPort, number> = { qemu: 20_480, rv32: 49_152 }

describe('overBudget()', () => {
  it('says nothing of what is within its limits', () => {
    assert.deepEqual(overBudget(within, budget), [])
  })

  it('says what is over, and by how much; a named app has limits of its own', () => {
    const apps = { lamp: { dram: 51, flash: 10 }, other: { dram: 101, flash: 9 } }
    assert.deepEqual(overBudget({ ...within, apps }, budget), [
      'lamp: dram 51, 1 over 50',
      'other: dram 101, 1 over 100',
    ])
  })

  it('does not pass over what was not measured', () => {
    assert.deepEqual(overBudget({ apps: {}, tls: {}, door: {} }, budget), [
      'lamp: not measured',
      'TLS alone: dramPeak not measured',
      'a door: dram not measured',
    ])
    assert.deepEqual(overBudget({ ...within, apps: { lamp: { dram: 1 } } }, budget), [
      'lamp: flash not measured',
    ])
  })

  it('names apps that exist, and gives none more memory than there is', () => {
    const there = readdirSync(join(import.meta.dirname, '..', '..', 'firmware', 'app'))
    for (const [port, { apps, every }] of Object.entries(readBudgets())) {
      for (const app of Object.keys(apps)) assert.ok(there.includes(`${app}.c`), app)
      for (const limits of [every, ...Object.values(apps)])
        assert.ok(limits.dram! <= DRAM[port as EmulatedPort])
    }
  })

  it('has limits for each chip that is measured, the same ones by name', () => {
    const budgets = readBudgets()
    assert.deepEqual(Object.keys(budgets).sort(), [...EMULATED].sort())
    assert.deepEqual(Object.keys(budgets.rv32.every), Object.keys(budgets.qemu.every))
    assert.deepEqual(Object.keys(budgets.rv32.tls), Object.keys(budgets.qemu.tls))
  })
})
