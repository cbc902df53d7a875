// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Settings: defaults < file < environment < flags enter, one frozen Config leaves, with where each value came from.
 *
 * Always true: what is not in the table (`settings.ts`) is refused, with the nearest name that is; a value of the wrong kind is refused
 * by name and source; a secret prints as •••. Parsed once, then handed out in slices.
 * Absent on purpose: reloading, a global to ask, settings that some room reads for itself.
 */
export { type ConfigFile, readConfigFile } from './file.ts'
export { nearest } from './nearest.ts'
export { type Config, type Configured, parseConfig, type Sources } from './parse.ts'
export { type Key, SETTINGS, type Setting, settingOfFlag } from './settings.ts'
export { type Shown, showConfig } from './show.ts'
