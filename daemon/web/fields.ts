// SPDX-License-Identifier: GPL-3.0-or-later
/** Members of what a home answered: nothing about it is known until one of these was asked. All throw PageError bad-answer. */
import { fromBase64url } from '../base/bytes.ts'
import { type PartyId, parseId } from '../core/model/index.ts'
import { badAnswer } from './error.ts'

export type Fields = Readonly<Record<string, unknown>>

const TEXT_CHARS_MAX = 4096
const BASE64_CHARS_MAX = 98_304

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw badAnswer('JSON')
  }
}

export function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badAnswer('object')
  return value as Fields
}

/** @param most  items; more are refused, so that a home cannot fill the phone */
export function listIn(fields: Fields, name: string, most: number): readonly unknown[] {
  const value = fields[name]
  if (!Array.isArray(value) || value.length > most) throw badAnswer(`list ${name}`)
  return value
}

export function textIn(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string' || value.length > TEXT_CHARS_MAX) throw badAnswer(`text ${name}`)
  return value
}

export function optionalTextIn(fields: Fields, name: string): string | undefined {
  return isAbsent(fields, name) ? undefined : textIn(fields, name)
}

export function idIn(fields: Fields, name: string): PartyId {
  const id = parseId(textIn(fields, name))
  if (!id) throw badAnswer(`id ${name}`)
  return id
}

export function optionalIdIn(fields: Fields, name: string): PartyId | undefined {
  return isAbsent(fields, name) ? undefined : idIn(fields, name)
}

export function numberIn(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number' || !Number.isFinite(value)) throw badAnswer(`number ${name}`)
  return value
}

export function optionalNumberIn(fields: Fields, name: string): number | undefined {
  return isAbsent(fields, name) ? undefined : numberIn(fields, name)
}

export function flagIn(fields: Fields, name: string): boolean {
  const value = fields[name]
  if (typeof value !== 'boolean') throw badAnswer(`flag ${name}`)
  return value
}

export function bytesIn(fields: Fields, name: string): Uint8Array {
  const text = fields[name]
  const bytes = typeof text === 'string' && text.length <= BASE64_CHARS_MAX ? fromBase64url(text) : undefined
  if (!bytes) throw badAnswer(`bytes ${name}`)
  return bytes
}

export function optionalBytesIn(fields: Fields, name: string): Uint8Array | undefined {
  return isAbsent(fields, name) ? undefined : bytesIn(fields, name)
}

/** A value of a property: what JSON has for our two kinds. */
export function valueIn(fields: Fields, name: string): number | boolean {
  const value = fields[name]
  return typeof value === 'boolean' ? value : numberIn(fields, name)
}

export function isAbsent(fields: Fields, name: string): boolean {
  return fields[name] === undefined || fields[name] === null
}
