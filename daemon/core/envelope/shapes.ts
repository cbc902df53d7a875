// SPDX-License-Identifier: GPL-3.0-or-later
/** Which claims and body members each type has: the maps of schemas/wire/messages.cddl and grants.cddl (SPEC 2.3, 4, 12, 13), mesh.cddl, firmware.cddl and still.cddl (14, 15, 18, 19). */
import type { MessageType } from '../../../schemas/gen/ts/wire.ts'
import * as wire from '../../../schemas/gen/ts/wire.ts'
import * as k from './fields.ts'

/** A member: where its field stands in the message, and whether it may be absent. */
export interface Member {
  readonly field: string
  // The table joins many types of field; `BodyOf` gives the types back at the edges of this file.
  readonly kind: k.Field<never>
  readonly optional?: boolean
}

type Shape = { readonly claims: ReadonlyMap<number, Member>; readonly body?: ReadonlyMap<number, Member> }

const member = <T>(field: string, kind: k.Field<T>, optional = false): Member => ({
  field,
  kind: kind as unknown as k.Field<never>,
  optional,
})
const SUB: [number, Member] = [wire.CLAIM_SUB, member('name', k.name)]
const EXP: [number, Member] = [wire.CLAIM_EXP, member('expiresAt', k.uint)]
const CNF: [number, Member] = [wire.CLAIM_CNF, member('key', k.cnf)]
const NONCE: [number, Member] = [wire.CLAIM_NONCE, member('nonce', k.epoch)]

function shape(claims: [number, Member][], body?: [number, Member][]): Shape {
  const all = new Map<number, Member>([
    [wire.CLAIM_AUD, member('audience', k.id)],
    [wire.CLAIM_IAT, member('sealedAt', k.uint)],
    ...claims,
  ])
  return body ? { claims: all, body: new Map(body) } : { claims: all }
}

export const SHAPES: { readonly [T in MessageType]: Shape } = {
  owner: shape([SUB, CNF]),
  member: shape([SUB, CNF]),
  permit: shape([SUB, EXP], [[wire.PERMIT_ID, member('permit', k.short)]]),
  enrolment: shape(
    [SUB, CNF],
    [
      [wire.ENROLMENT_PERMIT, member('permit', k.short)],
      [wire.ENROLMENT_GROUPS, member('groups', k.groups, true)],
      [wire.ENROLMENT_RELEASE, member('release', k.key, true)],
      [wire.ENROLMENT_HUB, member('hub', k.bytesField(wire.KEY_BYTES, wire.KEY_BYTES), true)],
    ],
  ),
  enrol: shape(
    [],
    [
      [wire.ENROL_PERMIT, member('permit', k.short)],
      [wire.ENROL_CSR, member('csr', k.bytesField(1, wire.CSR_BYTES_MAX))],
      [wire.ENROL_PROOF_HUB, member('proofForHub', k.proof)],
      [wire.ENROL_PROOF_OWNER, member('proofForOwner', k.proof)],
      [wire.ENROL_BOARD, member('board', k.label)],
      [wire.ENROL_FIRMWARE, member('firmware', k.label)],
      [wire.ENROL_AFFORDANCES, member('affordances', k.affordances)],
    ],
  ),
  enrolled: shape(
    [NONCE],
    [
      [wire.ENROLLED_CERTIFICATE, member('certificate', k.bytesField(1, wire.CERTIFICATE_BYTES_MAX))],
      [wire.ENROLLED_NAME, member('name', k.name)],
    ],
  ),
  hello: shape(
    [],
    [
      [wire.HELLO_BOARD, member('board', k.label)],
      [wire.HELLO_FIRMWARE, member('firmware', k.label)],
      [wire.HELLO_AFFORDANCES, member('affordances', k.affordances)],
      [wire.HELLO_LOST, member('lost', k.uint)],
      [wire.HELLO_IMAGE, member('image', k.imageStanding, true)],
      [wire.HELLO_DIRECT, member('direct', k.directServer, true)],
    ],
  ),
  welcome: shape(
    [NONCE],
    [
      [wire.WELCOME_TIME_MS, member('timeMs', k.uint)],
      [wire.WELCOME_WANTS_RECORD, member('wantsRecord', k.bool)],
      [wire.WELCOME_ZONE, member('zone', k.zone, true)],
      [wire.WELCOME_PLACES, member('places', k.places, true)],
    ],
  ),
  reading: shape(
    [],
    [[wire.READING_VALUES, member('values', k.listField(k.sample, 1, wire.VALUES_PER_READING_MAX))]],
  ),
  command: shape(
    [EXP, NONCE],
    [
      [wire.COMMAND_OPERATION, member('operation', k.operation)],
      [wire.COMMAND_AFFORDANCE, member('affordance', k.affordance)],
      [wire.COMMAND_VALUE, member('value', k.value, true)],
      [wire.COMMAND_GRANT, member('grant', k.short, true)],
    ],
  ),
  receipt: shape(
    [],
    [
      [wire.RECEIPT_COMMAND, member('command', k.digest)],
      [wire.RECEIPT_CODE, member('code', k.uint)],
      [wire.RECEIPT_VALUES, member('values', k.listField(k.sample, 0, wire.VALUES_PER_READING_MAX))],
    ],
  ),
  request: shape(
    [EXP],
    [
      [wire.REQUEST_METHOD, member('method', k.textField(3, 7))],
      [wire.REQUEST_PATH, member('path', k.textField(1, wire.REQUEST_PATH_BYTES_MAX))],
      [wire.REQUEST_DIGEST, member('digest', k.digest)],
    ],
  ),
  beacon: shape(
    [],
    [
      [wire.BEACON_POSITION, member('position', k.uint)],
      [wire.BEACON_HASH, member('hash', k.digest)],
      [wire.BEACON_CLIENT, member('client', k.bytesField(wire.KEY_BYTES, wire.KEY_BYTES))],
      [wire.BEACON_WAYS, member('ways', k.bytesField(0, wire.BEACON_WAYS_BYTES_MAX))],
    ],
  ),
  person: shape([SUB], [[wire.PERSON_ID, member('person', k.short)]]),
  holder: shape(
    [SUB, CNF],
    [
      [wire.HOLDER_PERSON, member('person', k.short)],
      [wire.HOLDER_KIND, member('kind', k.holderKind)],
    ],
  ),
  grant: shape(
    [
      SUB,
      [wire.CLAIM_EXP, member('expiresAt', k.uint, true)],
      [wire.CLAIM_NBF, member('notBefore', k.uint, true)],
      [wire.CLAIM_CNF, member('key', k.cnf, true)],
    ],
    [
      [wire.GRANT_ID, member('id', k.short)],
      [wire.GRANT_DEVICES, member('devices', k.grantDevices)],
      [wire.GRANT_WHAT, member('what', k.permissions)],
      [wire.GRANT_LEASE, member('leaseS', k.intField(0, wire.GRANT_LEASE_S_MAX))],
      [wire.GRANT_PARENT, member('parent', k.short, true)],
      [wire.GRANT_SHARE, member('share', k.intField(1, wire.GRANT_SHARE_MAX), true)],
      [wire.GRANT_HOURS, member('hours', k.hours, true)],
      [wire.GRANT_USES, member('uses', k.intField(1, wire.GRANT_USES_MAX), true)],
      [wire.GRANT_PIN, member('pin', k.pin, true)],
    ],
  ),
  lease: shape([EXP], [[wire.LEASE_GRANTS, member('grants', k.leaseGrants)]]),
  revocation: shape(
    [],
    [
      [wire.REVOCATION_ENTRIES, member('entries', k.revocationEntries)],
      [wire.REVOCATION_FLOOR, member('floor', k.uint, true)],
    ],
  ),
  act: shape(
    [],
    [
      [wire.ACT_SOURCE, member('source', k.actSource)],
      [wire.ACT_AFFORDANCE, member('affordance', k.affordance)],
      [wire.ACT_AT, member('at', k.uint)],
      [wire.ACT_CODE, member('code', k.uint)],
      [wire.ACT_VALUES, member('values', k.listField(k.sample, 0, wire.VALUES_PER_READING_MAX))],
      [wire.ACT_GRANT, member('grant', k.short, true)],
      [wire.ACT_SIGNER, member('signer', k.key, true)],
      [wire.ACT_COMMAND, member('command', k.digest, true)],
    ],
  ),
  pairing: shape(
    [SUB, EXP],
    [
      [wire.PAIRING_ID, member('pairing', k.short)],
      [wire.PAIRING_PERSON, member('person', k.short)],
      [wire.PAIRING_KIND, member('kind', k.holderKind)],
    ],
  ),
  pair: shape(
    [],
    [
      [wire.PAIR_ID, member('pairing', k.short)],
      [wire.PAIR_PROOF_HUB, member('proofForHub', k.proof)],
      [wire.PAIR_PROOF_OWNER, member('proofForOwner', k.proof)],
    ],
  ),
  manifest: shape(
    [],
    [
      [wire.MANIFEST_SEQUENCE, member('imageSequence', k.intField(1, wire.INTEGER_MAX))],
      [wire.MANIFEST_VENDOR, member('vendor', k.textField(1, wire.VENDOR_BYTES_MAX))],
      [wire.MANIFEST_CLASS, member('imageClass', k.textField(1, wire.CLASS_BYTES_MAX))],
      [wire.MANIFEST_DIGEST, member('digest', k.digest)],
      [wire.MANIFEST_SIZE, member('size', k.intField(1, wire.IMAGE_BYTES_MAX))],
      [wire.MANIFEST_FIRMWARE, member('firmware', k.label)],
      [wire.MANIFEST_WIRE, member('wire', k.intField(1, wire.WIRE_VERSION_MAX), true)],
      [wire.MANIFEST_FROM, member('from', k.intField(1, wire.INTEGER_MAX), true)],
    ],
  ),
  pins: shape(
    [],
    [
      [wire.PINS_GENERATION, member('generation', k.intField(0, wire.GENERATION_MAX))],
      [wire.PINS_HUB_CA, member('hubCas', k.keyPair)],
    ],
  ),
  direct: shape(
    [NONCE],
    [
      [wire.DIRECT_CERTIFICATE, member('certificate', k.bytesField(1, wire.CERTIFICATE_BYTES_MAX))],
      [wire.DIRECT_ORIGINS, member('origins', k.origins)],
    ],
  ),
  still: shape(
    [],
    [
      [wire.STILL_AFFORDANCE, member('affordance', k.affordance)],
      [wire.STILL_COMMAND, member('command', k.digest)],
      [wire.STILL_DIGEST, member('digest', k.digest)],
      [wire.STILL_SIZE, member('size', k.intField(1, wire.INTEGER_MAX))],
      [wire.STILL_AT, member('at', k.uint)],
    ],
  ),
}
