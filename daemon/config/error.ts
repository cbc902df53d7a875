// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../schemas/gen/ts/codes.ts'
import { RoomError } from '../base/error.ts'

/** What is wrong with a file, a directory or a configuration, in a sentence that names it and the next step. */
export class ConfigError extends RoomError<
  Extract<Code, 'bad-config' | 'unknown-key' | 'too-open' | 'missing' | 'conflict' | 'bad-words'>
> {}
