// SPDX-License-Identifier: GPL-3.0-or-later
import { RoomError } from '../../base/error.ts'

export type MeshCode = 'not-onion' | 'cannot-listen' | 'unreachable' | 'no-answer' | 'closed'

export class MeshError extends RoomError<MeshCode> {}
