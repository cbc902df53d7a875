// SPDX-License-Identifier: GPL-3.0-or-later
// Written by scripts/generate.ts from schemas/. Do not edit.

/**
 * What a device can have or do. Numbers on the wire are integers: the value in `unit` × 10^`scale`, between `min`
 * and `max` inclusive (already scaled). Units are SenML names (RFC 8428 §12.1, RFC 8798).
 */
export interface Capability {
  readonly number: number
  readonly name: string
  readonly kind: 'property' | 'action'
  readonly type: 'boolean' | 'integer' | 'none'
  readonly unit: string
  readonly scale: number
  readonly min: number
  readonly max: number
  readonly writable: boolean
  readonly title: string
}

export const CAPABILITIES: readonly Capability[] = [
  { number: 1, name: 'on', kind: 'property', type: 'boolean', unit: '', scale: 0, min: 0, max: 1, writable: true, title: 'On' },
  { number: 2, name: 'level', kind: 'property', type: 'integer', unit: '%', scale: 0, min: 0, max: 100, writable: true, title: 'Level' },
  { number: 3, name: 'temperature', kind: 'property', type: 'integer', unit: 'Cel', scale: 2, min: -5500, max: 12500, writable: false, title: 'Temperature' },
  { number: 4, name: 'humidity', kind: 'property', type: 'integer', unit: '%RH', scale: 2, min: 0, max: 10000, writable: false, title: 'Relative humidity' },
  { number: 5, name: 'toggle', kind: 'action', type: 'none', unit: '', scale: 0, min: 0, max: 0, writable: false, title: 'Toggle' },
  { number: 6, name: 'identify', kind: 'action', type: 'integer', unit: 's', scale: 0, min: 1, max: 60, writable: false, title: 'Identify' },
  { number: 7, name: 'locked', kind: 'property', type: 'boolean', unit: '', scale: 0, min: 0, max: 1, writable: false, title: 'Locked' },
  { number: 8, name: 'closed', kind: 'property', type: 'boolean', unit: '', scale: 0, min: 0, max: 1, writable: false, title: 'Door closed' },
  { number: 9, name: 'unlock', kind: 'action', type: 'integer', unit: 's', scale: 0, min: 1, max: 60, writable: false, title: 'Unlock' },
  { number: 10, name: 'lock', kind: 'action', type: 'none', unit: '', scale: 0, min: 0, max: 0, writable: false, title: 'Lock' },
  { number: 11, name: 'fail-safe', kind: 'property', type: 'boolean', unit: '', scale: 0, min: 0, max: 1, writable: true, title: 'Opens when power or hub fails' },
  { number: 12, name: 'keypad-locked', kind: 'property', type: 'boolean', unit: '', scale: 0, min: 0, max: 1, writable: false, title: 'Keypad waits' },
  { number: 13, name: 'jammed', kind: 'property', type: 'boolean', unit: '', scale: 0, min: 0, max: 1, writable: false, title: 'Jammed' },
  { number: 20, name: 'fault', kind: 'property', type: 'integer', unit: '', scale: 0, min: 0, max: 5, writable: false, title: 'Fault' },
  { number: 21, name: 'pressure', kind: 'property', type: 'integer', unit: 'Pa', scale: 0, min: 30000, max: 110000, writable: false, title: 'Air pressure' },
  { number: 22, name: 'motion', kind: 'property', type: 'boolean', unit: '', scale: 0, min: 0, max: 1, writable: false, title: 'Motion' },
  { number: 23, name: 'color', kind: 'property', type: 'integer', unit: '', scale: 0, min: 0, max: 16777215, writable: true, title: 'Color' },
  { number: 24, name: 'position', kind: 'property', type: 'integer', unit: '%', scale: 0, min: 0, max: 100, writable: true, title: 'Position' },
  { number: 25, name: 'speed', kind: 'property', type: 'integer', unit: '%', scale: 0, min: -100, max: 100, writable: true, title: 'Speed' },
  { number: 26, name: 'setpoint', kind: 'property', type: 'integer', unit: 'Cel', scale: 2, min: 500, max: 3000, writable: true, title: 'Target temperature' },
  { number: 27, name: 'heating', kind: 'property', type: 'boolean', unit: '', scale: 0, min: 0, max: 1, writable: false, title: 'Heating' },
  { number: 28, name: 'buzz', kind: 'action', type: 'integer', unit: 's', scale: 0, min: 1, max: 30, writable: false, title: 'Buzz' },
  { number: 29, name: 'stop', kind: 'action', type: 'none', unit: '', scale: 0, min: 0, max: 0, writable: false, title: 'Stop' },
  { number: 30, name: 'still', kind: 'property', type: 'integer', unit: 'B', scale: 0, min: 0, max: 65536, writable: false, title: 'Picture' },
  { number: 31, name: 'look', kind: 'action', type: 'none', unit: '', scale: 0, min: 0, max: 0, writable: false, title: 'Take a picture' },
]
