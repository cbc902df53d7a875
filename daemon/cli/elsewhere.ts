// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A home that is reached by another one (SPEC 14.9) must mean what it meant before: a bare name is a device of the home that was
 * asked for, and never of the one that happens to answer, where another device may have the same name.
 */
import { parseId } from '../core/model/index.ts'
import type { Way } from './reach/index.ts'

type Elsewhere = Pick<Way, 'by' | 'of'>

/** The path of a device as the home that answers calls it. */
export function pathThere(path: string, { by, of }: Elsewhere): string {
  const [, before, named, rest] = /^(\/things\/)([^/?]+)(.*)$/s.exec(path) ?? []
  if (by === undefined || of === undefined || named === undefined) return path
  const name = decodeURIComponent(named)
  if (parseId(name)) return path
  const there = name.includes('/') ? name.replace(`${by}/`, '') : `${of}/${name}`
  return `${before}${encodeURIComponent(there)}${rest}`
}

/** An answer about devices with the names of homes as they are told at the home that was asked for. */
export function seenFrom(answer: unknown, path: string, { by, of }: Elsewhere): unknown {
  if (by === undefined || of === undefined) return answer
  const told = (key: string) => (each: unknown) => {
    if (!isObject(each)) return each
    const { [key]: home = by, ...thing } = each
    return home === of ? thing : { ...thing, [key]: home }
  }
  if (path === '/things') return Array.isArray(answer) ? answer.map(told('shallot:home')) : answer
  if (/^\/things\/[^/?]+$/.test(path)) return told('shallot:home')(answer)
  if (/^\/things\/[^/?]+\/properties$/.test(path)) return told('home')(answer)
  if (path !== '/home' || !isObject(answer) || !Array.isArray(answer.things)) return answer
  return { ...answer, things: answer.things.map(told('home')) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
