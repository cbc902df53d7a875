// SPDX-License-Identifier: GPL-3.0-or-later
/** What an emulated program is made of, by its toolchain's own tools. In: a port and a program that was built. Out: bytes and addresses. */
import { execFileSync } from 'node:child_process'
import { type DoorPort, type EmulatedPort, programPath } from './firmware.ts'

type ElfPort = EmulatedPort | DoorPort

const TOOLS: Record<ElfPort, string> = {
  qemu: 'xtensa-lx106-elf-',
  'qemu-door': 'xtensa-lx106-elf-',
  rv32: 'riscv64-unknown-elf-',
}

/** Bytes; flash holds code, tables and the first values of data. static is what DRAM holds of it from the start, without its arenas. */
export type ProgramSize = { flash: number; static: number; arena: number }

function ask(port: ElfPort, tool: string, args: readonly string[]): string[] {
  return execFileSync(`${TOOLS[port]}${tool}`, args, { encoding: 'utf8' }).split('\n')
}

export function sections(port: ElfPort, program: string): Record<string, number> {
  const rows = ask(port, 'size', ['-A', programPath(port, program)]).map((line) =>
    /^(\.\w+)\s+(\d+)/.exec(line),
  )
  return Object.fromEntries(rows.filter((row) => row !== null).map((row) => [row[1]!, Number(row[2])]))
}

/** The size of one symbol, or of all whose names match. */
export function symbols(port: ElfPort, program: string, name: RegExp): number {
  const lines = ask(port, 'nm', ['-S', programPath(port, program)])
  const found = lines.filter((line) => name.test(line.split(' ')[3] ?? ''))
  return found.reduce((sum, line) => sum + Number.parseInt(line.split(' ')[1]!, 16), 0)
}

/** Where functions begin. Throws when one is not there. */
export function addresses(port: ElfPort, program: string, names: readonly string[]): Record<string, number> {
  const lines = ask(port, 'nm', [programPath(port, program)])
  return Object.fromEntries(
    names.map((name) => {
      const found = lines.find((line) => line.endsWith(` T ${name}`))
      if (!found) throw new Error(`${program} has no function ${name}`)
      return [name, Number.parseInt(found, 16)]
    }),
  )
}

export function programSize(port: ElfPort, program: string): ProgramSize {
  const size = sections(port, program)
  const arena = symbols(port, program, /^(link|door)_room$/)
  const constant = (size['.data'] ?? 0) + (size['.rodata'] ?? 0)
  return { flash: (size['.text'] ?? 0) + constant, static: constant + (size['.bss'] ?? 0) - arena, arena }
}
