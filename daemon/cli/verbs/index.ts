// SPDX-License-Identifier: GPL-3.0-or-later
import type { Verb } from '../verb.ts'
import { ca } from './ca.ts'
import { cert } from './cert.ts'
import { config } from './config.ts'
import { daemon } from './daemon.ts'
import { device } from './device.ts'
import { enrol } from './enrol.ts'
import { expose } from './expose.ts'
import { firmware } from './firmware.ts'
import { get } from './get.ts'
import { grant } from './grant.ts'
import { grants } from './grants.ts'
import { group } from './group.ts'
import { hide } from './hide.ts'
import { history } from './history.ts'
import { init } from './init.ts'
import { invoke } from './invoke.ts'
import { log } from './log.ts'
import { look } from './look.ts'
import { mesh } from './mesh.ts'
import { onion } from './onion.ts'
import { owner } from './owner.ts'
import { person } from './person.ts'
import { phone } from './phone.ts'
import { pin } from './pin.ts'
import { provision } from './provision.ts'
import { restore } from './restore.ts'
import { revoke } from './revoke.ts'
import { set } from './set.ts'
import { status } from './status.ts'
import { token } from './token.ts'
import { watch } from './watch.ts'
import { why } from './why.ts'

/** In the order of `shallot --help`. */
export const VERBS: readonly Verb[] = [
  init,
  restore,
  daemon,
  status,
  enrol,
  provision,
  device,
  get,
  set,
  invoke,
  look,
  watch,
  history,
  firmware,
  person,
  phone,
  grant,
  grants,
  revoke,
  why,
  pin,
  group,
  token,
  owner,
  expose,
  hide,
  onion,
  mesh,
  ca,
  log,
  cert,
  config,
]
