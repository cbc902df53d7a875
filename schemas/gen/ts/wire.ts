// SPDX-License-Identifier: GPL-3.0-or-later
// Written by scripts/generate.ts from schemas/. Do not edit.

export const CODE_VERSION = 1
export const CODE_HOST = 2
export const CODE_PORT = 3
export const CODE_ROOT = 4
export const CODE_HUB_CA = 5
export const CODE_SECRET = 6
export const CODE_VERSION_NOW = 1
export const CODE_CHECKSUM_BYTES = 4
export const CODE_CHARS_MAX = 512
export const CODE_ENROL_PREFIX = 'shallot:enrol:'
export const CODE_HOME_PREFIX = 'shallot:home:'
export const HOME_VERSION = 1
export const HOME_ROOT = 2
export const HOME_ONION = 3
export const HOME_CLIENT_KEY = 4
export const HOME_LAN = 5
export const HOME_WEB_CA = 6
export const HOME_CODE_CHARS_MAX = 2048
export const PHONE_VERSION = 1
export const PHONE_ROOT = 2
export const PHONE_ONION = 3
export const PHONE_SECRET = 4
export const PHONE_CLIENT_KEY = 5
export const PHONE_LAN = 6
export const PHONE_WEB_CA = 7
export const CODE_PHONE_PREFIX = 'shallot:phone:'
export const PHONE_CODE_CHARS_MAX = 1024
export const HEADER_ALG = 1
export const HEADER_CRIT = 2
export const HEADER_KID = 4
export const HEADER_TYP = 16
export const ALG_EDDSA = -8
export const TAG_SIGN1 = 18
export const SIGNATURE_BYTES = 64
export const KEY_BYTES = 32
export const CLAIM_SUB = 2
export const CLAIM_AUD = 3
export const CLAIM_EXP = 4
export const CLAIM_IAT = 6
export const CLAIM_CTI = 7
export const CLAIM_CNF = 8
export const CLAIM_NONCE = 10
export const CLAIM_BODY = -65537
export const CNF_COSE_KEY = 1
export const COSE_KTY = 1
export const COSE_CRV = -1
export const COSE_X = -2
export const KTY_OKP = 1
export const CRV_ED25519 = 6
export const CTI_BYTES = 16
export const EPOCH_BYTES = 8
export const TYPE_PERSON = 'application/vnd.shallot.person.v1'
export const TYPE_HOLDER = 'application/vnd.shallot.holder.v1'
export const TYPE_GRANT = 'application/vnd.shallot.grant.v1'
export const TYPE_LEASE = 'application/vnd.shallot.lease.v1'
export const TYPE_REVOCATION = 'application/vnd.shallot.revocation.v1'
export const TYPE_ACT = 'application/vnd.shallot.act.v1'
export const TYPE_PAIRING = 'application/vnd.shallot.pairing.v1'
export const TYPE_PAIR = 'application/vnd.shallot.pair.v1'
export const PERSON_ID = 1
export const PERSON_ID_BYTES = 8
export const HOLDER_PERSON = 1
export const HOLDER_KIND = 2
export const HOLDER_PHONE = 1
export const HOLDER_SCRIPT = 2
export const CLAIM_NBF = 5
export const GRANT_ID = 1
export const GRANT_DEVICES = 2
export const GRANT_WHAT = 3
export const GRANT_LEASE = 4
export const GRANT_PARENT = 5
export const GRANT_SHARE = 6
export const GRANT_HOURS = 7
export const GRANT_USES = 8
export const GRANT_PIN = 9
export const GRANT_ID_BYTES = 8
export const GRANT_DEVICES_MAX = 8
export const GRANT_PERMISSIONS_MAX = 16
export const GRANT_LEASE_S_MAX = 604800
export const GRANT_SHARE_MAX = 2
export const GRANT_HOURS_MAX = 4
export const GRANT_USES_MAX = 255
export const GRANT_LINKS_MAX = 3
export const GROUP_BYTES_MAX = 16
export const GROUPS_MAX = 4
export const METHOD_GET = 1
export const METHOD_POST = 2
export const METHOD_PUT = 4
export const MINUTES_PER_DAY = 1440
export const PIN_SALT_BYTES = 16
export const PIN_KEY_BYTES = 32
export const PIN_ROUNDS_LEAST = 1000
export const PIN_ROUNDS_MAX = 100000
export const PIN_DIGITS_LEAST = 4
export const PIN_DIGITS_MAX = 12
export const PIN_TRIES_FREE = 5
export const LEASE_GRANTS = 1
export const LEASE_GRANTS_MAX = 32
export const REVOCATION_ENTRIES = 1
export const REVOCATION_FLOOR = 2
export const REVOCATION_ENTRIES_MAX = 80
export const ACT_SOURCE = 1
export const ACT_AFFORDANCE = 2
export const ACT_AT = 3
export const ACT_CODE = 4
export const ACT_VALUES = 5
export const ACT_GRANT = 6
export const ACT_KEYPAD = 1
export const ACT_PAGE = 2
export const ACT_BUTTON = 3
export const PAIRING_ID = 1
export const PAIRING_PERSON = 2
export const PAIRING_KIND = 3
export const PAIRING_LIFETIME_S_MAX = 900
export const PAIR_ID = 1
export const PAIR_PROOF_HUB = 2
export const PAIR_PROOF_OWNER = 3
export const DEVICE_ENVELOPE_BYTES_MAX = 1024
export const ENVELOPE_BYTES_MAX = 65536
export const CBOR_DEPTH_MAX = 8
export const INTEGER_MAX = 9007199254740991
export const TEXT_ID_CHARS = 43
export const NAME_BYTES_MAX = 64
export const VALUES_PER_READING_MAX = 16
export const AFFORDANCES_MAX = 16
export const REPLAY_WINDOW = 4
export const REQUEST_WINDOW = 64
export const CLOCK_SKEW_S_MAX = 300
export const COMMAND_LIFETIME_S_MAX = 86400
export const REQUEST_LIFETIME_S_MAX = 120
export const KEEPALIVE_S = 10
export const SILENCE_S_MAX = 25
export const HANDSHAKE_MS_MAX = 10000
export const HELLO_MS_MAX = 10000
export const FRAME_MS_MAX = 5000
export const LINK_CONNECTIONS_MAX = 1024
export const LINK_CONNECTIONS_PER_ADDRESS_MAX = 256
export const LINK_BACKLOG_BYTES_MAX = 16384
export const COMMANDS_WAITING_MAX = 16
export const PERMIT_LIFETIME_S_MAX = 900
export const ENROL_SECRET_BYTES = 16
export const ENROL_TRIES_MAX = 10
export const ENROL_TRIES_WINDOW_S = 60
export const DEVICE_CERTIFICATE_DAYS = 365
export const DISCOVERY_LABEL_CHARS = 16
export const DISCOVERY_SERVICE = '_shallot._tcp.local'
export const ALPN_LINK = 'shallot/1'
export const ALPN_ENROL = 'shallot-enrol/1'
export const FRAME_HEADER_BYTES = 2
export const GOT_DIGEST_BYTES = 8
export const TYPE_OWNER = 'application/vnd.shallot.owner.v1'
export const TYPE_MEMBER = 'application/vnd.shallot.member.v1'
export const TYPE_PERMIT = 'application/vnd.shallot.permit.v1'
export const TYPE_ENROLMENT = 'application/vnd.shallot.enrolment.v1'
export const TYPE_ENROL = 'application/vnd.shallot.enrol.v1'
export const TYPE_ENROLLED = 'application/vnd.shallot.enrolled.v1'
export const TYPE_HELLO = 'application/vnd.shallot.hello.v1'
export const TYPE_WELCOME = 'application/vnd.shallot.welcome.v1'
export const TYPE_READING = 'application/vnd.shallot.reading.v1'
export const TYPE_COMMAND = 'application/vnd.shallot.command.v1'
export const TYPE_RECEIPT = 'application/vnd.shallot.receipt.v1'
export const TYPE_REQUEST = 'application/vnd.shallot.request.v1'
export const PERMIT_ID = 1
export const PERMIT_ID_BYTES = 8
export const ENROLMENT_PERMIT = 1
export const ENROLMENT_GROUPS = 2
export const ENROL_PERMIT = 1
export const ENROL_CSR = 2
export const ENROL_PROOF_HUB = 3
export const ENROL_PROOF_OWNER = 4
export const ENROL_BOARD = 5
export const ENROL_FIRMWARE = 6
export const ENROL_AFFORDANCES = 7
export const PROOF_BYTES = 32
export const CSR_BYTES_MAX = 384
export const LABEL_BYTES_MAX = 32
export const ENROLLED_CERTIFICATE = 1
export const ENROLLED_NAME = 2
export const CERTIFICATE_BYTES_MAX = 512
export const HELLO_BOARD = 1
export const HELLO_FIRMWARE = 2
export const HELLO_AFFORDANCES = 3
export const HELLO_LOST = 4
export const WELCOME_TIME_MS = 1
export const WELCOME_WANTS_RECORD = 2
export const WELCOME_ZONE = 3
export const ZONE_MINUTES_MAX = 1440
export const READING_VALUES = 1
export const AFFORDANCE_MAX = 65535
export const FAULT_NONE = 0
export const FAULT_ABSENT = 1
export const FAULT_CHECKSUM = 2
export const FAULT_RANGE = 3
export const FAULT_STUCK = 4
export const FAULT_BLOCKED = 5
export const COMMAND_OPERATION = 1
export const COMMAND_AFFORDANCE = 2
export const COMMAND_VALUE = 3
export const COMMAND_GRANT = 4
export const OPERATION_WRITE = 1
export const OPERATION_INVOKE = 2
export const RECEIPT_COMMAND = 1
export const RECEIPT_CODE = 2
export const RECEIPT_VALUES = 3
export const DIGEST_BYTES = 32
export const REQUEST_METHOD = 1
export const REQUEST_PATH = 2
export const REQUEST_DIGEST = 3
export const REQUEST_PATH_BYTES_MAX = 1024

/** Message types by short name (SPEC 4). */
export const MESSAGE_TYPES = {
  person: TYPE_PERSON,
  holder: TYPE_HOLDER,
  grant: TYPE_GRANT,
  lease: TYPE_LEASE,
  revocation: TYPE_REVOCATION,
  act: TYPE_ACT,
  pairing: TYPE_PAIRING,
  pair: TYPE_PAIR,
  owner: TYPE_OWNER,
  member: TYPE_MEMBER,
  permit: TYPE_PERMIT,
  enrolment: TYPE_ENROLMENT,
  enrol: TYPE_ENROL,
  enrolled: TYPE_ENROLLED,
  hello: TYPE_HELLO,
  welcome: TYPE_WELCOME,
  reading: TYPE_READING,
  command: TYPE_COMMAND,
  receipt: TYPE_RECEIPT,
  request: TYPE_REQUEST,
} as const
export type MessageType = keyof typeof MESSAGE_TYPES
