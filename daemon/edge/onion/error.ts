// SPDX-License-Identifier: GPL-3.0-or-later
import { RoomError } from '../../base/error.ts'

/** Why an onion address could not be dialled, or a probe of our own address failed. */
export type DialCode =
  | 'no-descriptor'
  | 'bad-descriptor'
  | 'introduction-failed'
  | 'rendezvous-failed'
  | 'authorisation-missing'
  | 'authorisation-wrong'
  | 'bad-address'
  | 'introduction-timeout'
  | 'not-served'
  | 'not-allowed'
  | 'network-unreachable'
  | 'host-unreachable'
  | 'port-refused'
  | 'ttl-expired'
  | 'not-supported'
  | 'dial-timeout'
  | 'socks-malformed'
  | 'socks-closed'
  | 'tor-unreachable'
  | 'target-dead'
  | 'not-http'

/** Why the conversation with tor ended or a command of ours was not obeyed. */
export type ControlCode =
  | 'control-unreachable'
  | 'control-closed'
  | 'control-silent'
  | 'control-busy'
  | 'reply-malformed'
  | 'reply-too-long'
  | 'reply-unexpected'
  | 'cookie-unreadable'
  | 'server-hash-wrong'
  | 'login-refused'
  | 'command-refused'

/** Why a request of the caller was refused before tor heard of it, or tor could not be run at all. */
export type OnionCode =
  | DialCode
  | ControlCode
  | 'tor-missing'
  | 'tor-died'
  | 'no-upload'
  | 'bad-path'
  | 'bad-service'
  | 'name-taken'
  | 'address-taken'
  | 'too-many'
  | 'closed'

export class OnionError extends RoomError<OnionCode> {}

/** Any caught value as this room's error, keeping what is one already. */
export function asOnionError(error: unknown, code: OnionCode, sentence: string): OnionError {
  return error instanceof OnionError ? error : new OnionError(code, sentence, { cause: error })
}
