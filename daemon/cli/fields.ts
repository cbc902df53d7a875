// SPDX-License-Identifier: GPL-3.0-or-later
/** Members of what a home answered: nothing about it is known until one of these was asked. All throw CliError bad-answer. */
import { fromBase64url } from '../base/bytes.ts'
import { CliError } from './error.ts'

export type Fields = Readonly<Record<string, unknown>>

const BASE64_CHARS_MAX = 131_072

export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CliError('bad-answer', `the home answered with something that is not ${what}`)
  }
  return value as Fields
}

export function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) {
    throw new CliError('bad-answer', `the home answered with something that is not ${what}`)
  }
  return value
}

export function textIn(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw wrong(name, 'text')
  return value
}

export function optionalTextIn(fields: Fields, name: string): string | undefined {
  return fields[name] === undefined || fields[name] === null ? undefined : textIn(fields, name)
}

export function numberIn(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong(name, 'a number')
  return value
}

export function optionalNumberIn(fields: Fields, name: string): number | undefined {
  return fields[name] === undefined || fields[name] === null ? undefined : numberIn(fields, name)
}

export function bytesIn(fields: Fields, name: string): Uint8Array {
  const text = textIn(fields, name)
  const bytes = text.length <= BASE64_CHARS_MAX ? fromBase64url(text) : undefined
  if (!bytes) throw wrong(name, 'base64url')
  return bytes
}

export function optionalBytesIn(fields: Fields, name: string): Uint8Array | undefined {
  return fields[name] === undefined || fields[name] === null ? undefined : bytesIn(fields, name)
}

/** A value of a property: what JSON has for our two kinds. */
export function valueIn(fields: Fields, name: string): number | boolean {
  const value = fields[name]
  if (typeof value !== 'boolean' && (typeof value !== 'number' || !Number.isFinite(value))) {
    throw wrong(name, 'a number, true or false')
  }
  return value
}

function wrong(name: string, kind: string): CliError {
  return new CliError('bad-answer', `the home's answer has no ${name} that is ${kind}`)
}
