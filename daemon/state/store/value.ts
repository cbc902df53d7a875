// SPDX-License-Identifier: GPL-3.0-or-later

/** A wire value as two integer columns: `truth` keeps `true` and 1 apart. */
export interface ValueColumns {
  readonly value: number
  readonly truth: number
}

export function toColumns(value: number | boolean): ValueColumns {
  return { value: Number(value), truth: typeof value === 'boolean' ? 1 : 0 }
}

export function fromColumns({ value, truth }: ValueColumns): number | boolean {
  return truth === 1 ? value === 1 : value
}
