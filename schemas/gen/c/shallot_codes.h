// SPDX-License-Identifier: GPL-3.0-or-later
// Written by scripts/generate.ts from schemas/. Do not edit.
#ifndef SHALLOT_CODES_H
#define SHALLOT_CODES_H

/* Functions return 0 or a count on success, one of these otherwise. */
enum shallot_code {
  SHALLOT_OK = 0,
  SHALLOT_E_CBOR_TRUNCATED = -100, /* the bytes end inside an item */
  SHALLOT_E_CBOR_TRAILING = -101, /* bytes follow the one item that was expected */
  SHALLOT_E_CBOR_MALFORMED = -102, /* reserved additional information (RFC 8949 §3) */
  SHALLOT_E_CBOR_NOT_CANONICAL = -103, /* not the deterministic encoding: a longer head than needed, an indefinite length, or map keys out of order (RFC 8949 §4.2.1) */
  SHALLOT_E_CBOR_DUPLICATE_KEY = -104, /* a map holds the same key twice */
  SHALLOT_E_CBOR_TYPE = -105, /* a kind of item the wire does not use: float, null, undefined, simple value, inner tag, or a map key that is neither integer nor text */
  SHALLOT_E_CBOR_DEPTH = -106, /* nested deeper than the limit */
  SHALLOT_E_CBOR_UTF8 = -107, /* a text string is not valid UTF-8 */
  SHALLOT_E_CBOR_RANGE = -108, /* an integer beyond ±(2^53-1) */
  SHALLOT_E_TOO_LARGE = -120, /* larger than an envelope for this place may be */
  SHALLOT_E_WRONG_TAG = -121, /* not a COSE_Sign1 (tag 18) */
  SHALLOT_E_BAD_STRUCTURE = -122, /* not [protected, {}, payload, signature] of the right kinds and lengths */
  SHALLOT_E_BAD_HEADER = -123, /* a header parameter is missing or of the wrong kind or not one of ours */
  SHALLOT_E_UNKNOWN_CRITICAL = -124, /* a critical header parameter (crit) that we do not process */
  SHALLOT_E_WRONG_ALGORITHM = -125, /* an algorithm other than EdDSA */
  SHALLOT_E_UNKNOWN_TYPE = -126, /* a message type or version that this side does not know */
  SHALLOT_E_BAD_CLAIMS = -127, /* a claim is missing or unexpected or of the wrong kind or length */
  SHALLOT_E_BAD_KEY = -128, /* the signer's key is no canonical point or is of small order */
  SHALLOT_E_BAD_SIGNATURE = -129, /* the signature is not this signer's over these bytes */
  SHALLOT_E_UNKNOWN_SIGNER = -140, /* nobody entitled to seal this type of message holds this key */
  SHALLOT_E_WRONG_AUDIENCE = -141, /* sealed for somebody else */
  SHALLOT_E_NO_CLOCK = -142, /* it carries a deadline and this side does not know the time yet */
  SHALLOT_E_EXPIRED = -143, /* its deadline has passed */
  SHALLOT_E_NOT_YET = -144, /* sealed in the future beyond the allowed difference of clocks */
  SHALLOT_E_STALE_NONCE = -145, /* made for an earlier life of the receiver: fetch the present nonce and seal again */
  SHALLOT_E_REPLAYED = -146, /* this sequence number was seen already or is older than the window */
  SHALLOT_E_NOT_PERMITTED = -160, /* the signer may not do this */
  SHALLOT_E_NO_SUCH_AFFORDANCE = -161, /* this device has no such property or action */
  SHALLOT_E_BAD_VALUE = -162, /* the value is of the wrong kind or out of range */
  SHALLOT_E_READ_ONLY = -163, /* this property cannot be written */
  SHALLOT_E_DEVICE_FAULT = -164, /* the device tried and its hardware did not follow */
  SHALLOT_E_BUSY = -165, /* too much is waiting already: try again later */
  SHALLOT_E_UNKNOWN_GRANT = -166, /* the receiver does not hold the grant that the command names */
  SHALLOT_E_GRANT_CHAIN = -167, /* the grant does not hang from an owner: its parent is unknown, held by somebody else, or may not be passed on */
  SHALLOT_E_GRANT_REVOKED = -168, /* the grant, its holder or what it hangs from was taken back */
  SHALLOT_E_GRANT_NOT_YET = -169, /* the grant is for later */
  SHALLOT_E_GRANT_EXPIRED = -170, /* the grant has ended */
  SHALLOT_E_GRANT_ELSEWHERE = -171, /* the grant is for other devices */
  SHALLOT_E_NOT_GRANTED = -172, /* the grant does not hold this property or action */
  SHALLOT_E_OUTSIDE_HOURS = -173, /* the grant does not hold at this hour */
  SHALLOT_E_USES_SPENT = -174, /* the grant was used as often as it may be */
  SHALLOT_E_LEASE_LAPSED = -175, /* the hub has not said lately that this grant still holds */
  SHALLOT_E_WRONG_PIN = -176, /* nobody has this code */
  SHALLOT_E_KEYPAD_LOCKED = -177, /* too many wrong codes: the keypad waits */
  SHALLOT_E_GRANTS_FULL = -178, /* no room for another grant */
  SHALLOT_E_GRANT_WIDER = -179, /* the grant would give more than whoever passes it on holds */
  SHALLOT_E_CODE_DAMAGED = -180, /* the code is damaged: a character is missing or wrong */
  SHALLOT_E_CODE_VERSION = -181, /* the code was made by a newer Shallot */
  SHALLOT_E_PERMIT_UNKNOWN = -182, /* no open enrolment matches this code */
  SHALLOT_E_PERMIT_USED = -183, /* this code enrolled a device already */
  SHALLOT_E_PERMIT_EXPIRED = -184, /* this code is older than it may be */
  SHALLOT_E_BAD_PROOF = -185, /* the device did not prove the secret of the code */
  SHALLOT_E_BAD_CSR = -186, /* the certificate request is not for the key that sealed it */
  SHALLOT_E_TOO_MANY_TRIES = -187, /* too many wrong tries: wait and try again */
  SHALLOT_E_NAME_TAKEN = -188, /* another device has this name */
  SHALLOT_E_UNCONFIRMED = -190, /* an owner has not confirmed this yet */
  SHALLOT_E_FRAME_TOO_LARGE = -200, /* a frame is longer than the link allows */
  SHALLOT_E_BAD_NOTE = -201, /* a frame is neither an envelope nor a known note */
  SHALLOT_E_UNEXPECTED_MESSAGE = -202, /* a message that has no place at this point of the session */
  SHALLOT_E_HANDSHAKE_TIMEOUT = -203, /* TLS or the hello took too long */
  SHALLOT_E_SILENT = -204, /* nothing was heard for longer than the keep-alive allows */
  SHALLOT_E_TOO_SLOW = -205, /* the other side does not read what is sent to it */
  SHALLOT_E_TOO_MANY_CONNECTIONS = -206, /* more connections than the limit */
  SHALLOT_E_CERTIFICATE_PROFILE = -207, /* the certificate is not what our own CA would have issued */
  SHALLOT_E_UNKNOWN_DEVICE = -208, /* a valid certificate of a device that this daemon does not know */
  SHALLOT_E_FORGOTTEN = -209, /* the owner has forgotten this device */
  SHALLOT_E_NO_CLIENT_CERTIFICATE = -210, /* the device showed no certificate */
  SHALLOT_E_BAD_ALPN = -211, /* no protocol in common */
  SHALLOT_E_SUPERSEDED = -212, /* the same device connected again */
  SHALLOT_E_LINK_CLOSED = -213, /* the connection ended */
  SHALLOT_E_HUB_ELSEWHERE = -214, /* another daemon of the home has charge of this device */
  SHALLOT_E_TLS_FAILED = -220, /* the TLS handshake failed */
  SHALLOT_E_TLS_BAD_CHAIN = -221, /* the daemon's certificate is not signed by a pinned CA */
  SHALLOT_E_TLS_SELF_SIGNED = -222, /* the daemon's certificate is self-signed */
  SHALLOT_E_TLS_BAD_PROOF = -223, /* the daemon does not hold the key of its certificate */
  SHALLOT_E_TLS_OUT_OF_MEMORY = -224, /* the TLS arena is too small */
  SHALLOT_E_TLS_PROFILE = -225, /* the daemon's certificate is not a server leaf */
  SHALLOT_E_TLS_EXPIRED = -226, /* the daemon's certificate has ended */
  SHALLOT_E_TLS_ALPN = -227, /* the daemon speaks another protocol */
  SHALLOT_E_AWAY = -240, /* the device is not connected */
  SHALLOT_E_QUEUE_FULL = -241, /* too many commands wait for this device */
  SHALLOT_E_UNREACHABLE = -242, /* no way to the home was found */
  SHALLOT_E_BAD_REQUEST = -260, /* the request is not of the documented form */
  SHALLOT_E_UNAUTHORIZED = -261, /* the request carries no valid proof of who asks */
  SHALLOT_E_FORBIDDEN = -262, /* who asks may not do this */
  SHALLOT_E_NOT_FOUND = -263, /* there is no such thing */
  SHALLOT_E_CONFLICT = -264, /* the name or state is taken */
  SHALLOT_E_PAYLOAD_TOO_LARGE = -265, /* the body is larger than allowed */
  SHALLOT_E_UNSUPPORTED_MEDIA_TYPE = -266, /* the body's type is not one that is read here */
  SHALLOT_E_TOO_MANY_REQUESTS = -267, /* over the rate limit */
  SHALLOT_E_INTERNAL = -268, /* our own fault: see the daemon's log */
  SHALLOT_E_BAD_CONFIG = -280, /* a configuration value is of the wrong kind or range */
  SHALLOT_E_UNKNOWN_KEY = -281, /* a configuration key that does not exist */
  SHALLOT_E_TOO_OPEN = -282, /* a secret's file or directory can be read by others */
  SHALLOT_E_MISSING = -283, /* a file that should be there is not */
  SHALLOT_E_BAD_WORDS = -284, /* the words are not a valid BIP-39 sentence of 24 */
  SHALLOT_E_PORT_IO = -300, /* the port could not read or write */
  SHALLOT_E_PORT_TIMEOUT = -301, /* the port waited long enough */
  SHALLOT_E_PORT_STORAGE = -302, /* the port could not store */
  SHALLOT_E_PORT_NETWORK = -303, /* the port could not connect */
  SHALLOT_E_OUT_OF_SPACE = -304, /* a buffer of the firmware is too small */
  SHALLOT_E_CERTIFICATE_RENEWED = -320, /* the device has its next certificate and connects again with it */
  SHALLOT_E_NO_ANSWER = -321, /* nobody on the LAN said where the hub is */
  SHALLOT_E_CA_ANNOUNCED = -324, /* the device knows this CA as the next, and takes it when the hub shows it */
  SHALLOT_E_CA_UNKNOWN = -325, /* the device was not told of this CA by the one before it */
  SHALLOT_E_NO_RELEASE_KEY = -340, /* no owner has said whose firmware this device may run */
  SHALLOT_E_WRONG_VENDOR = -341, /* the image is of another vendor */
  SHALLOT_E_WRONG_CLASS = -342, /* the image is for another board or app */
  SHALLOT_E_DOWNGRADE = -343, /* the image is older than one that this device ran or tried */
  SHALLOT_E_UPDATE_CONDITION = -344, /* the image wants a newer firmware to be running first */
  SHALLOT_E_IMAGE_TOO_LARGE = -345, /* the image is larger than the place for it */
  SHALLOT_E_NO_SLOT = -346, /* this board has no place for a second image */
  SHALLOT_E_IMAGE_DIGEST = -347, /* the image is not the one that the manifest describes */
  SHALLOT_E_IMAGE_SIZE = -348, /* the image is not as long as the manifest says */
  SHALLOT_E_UPDATE_RETURNED = -349, /* the new firmware did not report healthy and the old one came back */
  SHALLOT_E_UPDATE_SILENT = -350, /* the device did not come back after the update */
  SHALLOT_E_ROLLOUT_OPEN = -351, /* another roll-out to this device is under way */
  SHALLOT_E_STOPPED = -352, /* an owner stopped it */
  SHALLOT_E_SERIAL_DAMAGED = -360, /* a line on the serial cable was damaged on its way */
  SHALLOT_E_SERIAL_ORDER = -361, /* a piece came out of its order */
  SHALLOT_E_BAD_PROVISION = -362, /* what was handed over is not a Wi-Fi name, password or code of the documented form */
  SHALLOT_E_WIFI_ABSENT = -363, /* there is no Wi-Fi of this name where the device is */
  SHALLOT_E_WIFI_REFUSED = -364, /* the Wi-Fi did not let the device in: the password is another */
  SHALLOT_E_STILL_TOO_LARGE = -380, /* the picture is larger than a hub takes */
  SHALLOT_E_STILL_DIGEST = -381, /* the picture is not the one that its device sealed */
  SHALLOT_E_STILL_BROKEN = -382, /* the picture has no beginning or no end: it is no whole JPEG */
  SHALLOT_E_STILL_LATE = -383, /* the rest of the picture did not come in time */
  SHALLOT_E_STILL_REPLACED = -384, /* the device took another picture before this one had arrived */
  SHALLOT_E_STILL_ELSEWHERE = -385, /* this home has not this device's pictures: ask the one that it is in */
};

/* The name a code has in schemas/codes.csv, for logs and tests; "?" for a number that is not in the list. */
static inline const char *shallot_code_name(int code) {
  switch (code) {
    case 0: return "ok";
    case SHALLOT_E_CBOR_TRUNCATED: return "cbor-truncated";
    case SHALLOT_E_CBOR_TRAILING: return "cbor-trailing";
    case SHALLOT_E_CBOR_MALFORMED: return "cbor-malformed";
    case SHALLOT_E_CBOR_NOT_CANONICAL: return "cbor-not-canonical";
    case SHALLOT_E_CBOR_DUPLICATE_KEY: return "cbor-duplicate-key";
    case SHALLOT_E_CBOR_TYPE: return "cbor-type";
    case SHALLOT_E_CBOR_DEPTH: return "cbor-depth";
    case SHALLOT_E_CBOR_UTF8: return "cbor-utf8";
    case SHALLOT_E_CBOR_RANGE: return "cbor-range";
    case SHALLOT_E_TOO_LARGE: return "too-large";
    case SHALLOT_E_WRONG_TAG: return "wrong-tag";
    case SHALLOT_E_BAD_STRUCTURE: return "bad-structure";
    case SHALLOT_E_BAD_HEADER: return "bad-header";
    case SHALLOT_E_UNKNOWN_CRITICAL: return "unknown-critical";
    case SHALLOT_E_WRONG_ALGORITHM: return "wrong-algorithm";
    case SHALLOT_E_UNKNOWN_TYPE: return "unknown-type";
    case SHALLOT_E_BAD_CLAIMS: return "bad-claims";
    case SHALLOT_E_BAD_KEY: return "bad-key";
    case SHALLOT_E_BAD_SIGNATURE: return "bad-signature";
    case SHALLOT_E_UNKNOWN_SIGNER: return "unknown-signer";
    case SHALLOT_E_WRONG_AUDIENCE: return "wrong-audience";
    case SHALLOT_E_NO_CLOCK: return "no-clock";
    case SHALLOT_E_EXPIRED: return "expired";
    case SHALLOT_E_NOT_YET: return "not-yet";
    case SHALLOT_E_STALE_NONCE: return "stale-nonce";
    case SHALLOT_E_REPLAYED: return "replayed";
    case SHALLOT_E_NOT_PERMITTED: return "not-permitted";
    case SHALLOT_E_NO_SUCH_AFFORDANCE: return "no-such-affordance";
    case SHALLOT_E_BAD_VALUE: return "bad-value";
    case SHALLOT_E_READ_ONLY: return "read-only";
    case SHALLOT_E_DEVICE_FAULT: return "device-fault";
    case SHALLOT_E_BUSY: return "busy";
    case SHALLOT_E_UNKNOWN_GRANT: return "unknown-grant";
    case SHALLOT_E_GRANT_CHAIN: return "grant-chain";
    case SHALLOT_E_GRANT_REVOKED: return "grant-revoked";
    case SHALLOT_E_GRANT_NOT_YET: return "grant-not-yet";
    case SHALLOT_E_GRANT_EXPIRED: return "grant-expired";
    case SHALLOT_E_GRANT_ELSEWHERE: return "grant-elsewhere";
    case SHALLOT_E_NOT_GRANTED: return "not-granted";
    case SHALLOT_E_OUTSIDE_HOURS: return "outside-hours";
    case SHALLOT_E_USES_SPENT: return "uses-spent";
    case SHALLOT_E_LEASE_LAPSED: return "lease-lapsed";
    case SHALLOT_E_WRONG_PIN: return "wrong-pin";
    case SHALLOT_E_KEYPAD_LOCKED: return "keypad-locked";
    case SHALLOT_E_GRANTS_FULL: return "grants-full";
    case SHALLOT_E_GRANT_WIDER: return "grant-wider";
    case SHALLOT_E_CODE_DAMAGED: return "code-damaged";
    case SHALLOT_E_CODE_VERSION: return "code-version";
    case SHALLOT_E_PERMIT_UNKNOWN: return "permit-unknown";
    case SHALLOT_E_PERMIT_USED: return "permit-used";
    case SHALLOT_E_PERMIT_EXPIRED: return "permit-expired";
    case SHALLOT_E_BAD_PROOF: return "bad-proof";
    case SHALLOT_E_BAD_CSR: return "bad-csr";
    case SHALLOT_E_TOO_MANY_TRIES: return "too-many-tries";
    case SHALLOT_E_NAME_TAKEN: return "name-taken";
    case SHALLOT_E_UNCONFIRMED: return "unconfirmed";
    case SHALLOT_E_FRAME_TOO_LARGE: return "frame-too-large";
    case SHALLOT_E_BAD_NOTE: return "bad-note";
    case SHALLOT_E_UNEXPECTED_MESSAGE: return "unexpected-message";
    case SHALLOT_E_HANDSHAKE_TIMEOUT: return "handshake-timeout";
    case SHALLOT_E_SILENT: return "silent";
    case SHALLOT_E_TOO_SLOW: return "too-slow";
    case SHALLOT_E_TOO_MANY_CONNECTIONS: return "too-many-connections";
    case SHALLOT_E_CERTIFICATE_PROFILE: return "certificate-profile";
    case SHALLOT_E_UNKNOWN_DEVICE: return "unknown-device";
    case SHALLOT_E_FORGOTTEN: return "forgotten";
    case SHALLOT_E_NO_CLIENT_CERTIFICATE: return "no-client-certificate";
    case SHALLOT_E_BAD_ALPN: return "bad-alpn";
    case SHALLOT_E_SUPERSEDED: return "superseded";
    case SHALLOT_E_LINK_CLOSED: return "link-closed";
    case SHALLOT_E_HUB_ELSEWHERE: return "hub-elsewhere";
    case SHALLOT_E_TLS_FAILED: return "tls-failed";
    case SHALLOT_E_TLS_BAD_CHAIN: return "tls-bad-chain";
    case SHALLOT_E_TLS_SELF_SIGNED: return "tls-self-signed";
    case SHALLOT_E_TLS_BAD_PROOF: return "tls-bad-proof";
    case SHALLOT_E_TLS_OUT_OF_MEMORY: return "tls-out-of-memory";
    case SHALLOT_E_TLS_PROFILE: return "tls-profile";
    case SHALLOT_E_TLS_EXPIRED: return "tls-expired";
    case SHALLOT_E_TLS_ALPN: return "tls-alpn";
    case SHALLOT_E_AWAY: return "away";
    case SHALLOT_E_QUEUE_FULL: return "queue-full";
    case SHALLOT_E_UNREACHABLE: return "unreachable";
    case SHALLOT_E_BAD_REQUEST: return "bad-request";
    case SHALLOT_E_UNAUTHORIZED: return "unauthorized";
    case SHALLOT_E_FORBIDDEN: return "forbidden";
    case SHALLOT_E_NOT_FOUND: return "not-found";
    case SHALLOT_E_CONFLICT: return "conflict";
    case SHALLOT_E_PAYLOAD_TOO_LARGE: return "payload-too-large";
    case SHALLOT_E_UNSUPPORTED_MEDIA_TYPE: return "unsupported-media-type";
    case SHALLOT_E_TOO_MANY_REQUESTS: return "too-many-requests";
    case SHALLOT_E_INTERNAL: return "internal";
    case SHALLOT_E_BAD_CONFIG: return "bad-config";
    case SHALLOT_E_UNKNOWN_KEY: return "unknown-key";
    case SHALLOT_E_TOO_OPEN: return "too-open";
    case SHALLOT_E_MISSING: return "missing";
    case SHALLOT_E_BAD_WORDS: return "bad-words";
    case SHALLOT_E_PORT_IO: return "port-io";
    case SHALLOT_E_PORT_TIMEOUT: return "port-timeout";
    case SHALLOT_E_PORT_STORAGE: return "port-storage";
    case SHALLOT_E_PORT_NETWORK: return "port-network";
    case SHALLOT_E_OUT_OF_SPACE: return "out-of-space";
    case SHALLOT_E_CERTIFICATE_RENEWED: return "certificate-renewed";
    case SHALLOT_E_NO_ANSWER: return "no-answer";
    case SHALLOT_E_CA_ANNOUNCED: return "ca-announced";
    case SHALLOT_E_CA_UNKNOWN: return "ca-unknown";
    case SHALLOT_E_NO_RELEASE_KEY: return "no-release-key";
    case SHALLOT_E_WRONG_VENDOR: return "wrong-vendor";
    case SHALLOT_E_WRONG_CLASS: return "wrong-class";
    case SHALLOT_E_DOWNGRADE: return "downgrade";
    case SHALLOT_E_UPDATE_CONDITION: return "update-condition";
    case SHALLOT_E_IMAGE_TOO_LARGE: return "image-too-large";
    case SHALLOT_E_NO_SLOT: return "no-slot";
    case SHALLOT_E_IMAGE_DIGEST: return "image-digest";
    case SHALLOT_E_IMAGE_SIZE: return "image-size";
    case SHALLOT_E_UPDATE_RETURNED: return "update-returned";
    case SHALLOT_E_UPDATE_SILENT: return "update-silent";
    case SHALLOT_E_ROLLOUT_OPEN: return "rollout-open";
    case SHALLOT_E_STOPPED: return "stopped";
    case SHALLOT_E_SERIAL_DAMAGED: return "serial-damaged";
    case SHALLOT_E_SERIAL_ORDER: return "serial-order";
    case SHALLOT_E_BAD_PROVISION: return "bad-provision";
    case SHALLOT_E_WIFI_ABSENT: return "wifi-absent";
    case SHALLOT_E_WIFI_REFUSED: return "wifi-refused";
    case SHALLOT_E_STILL_TOO_LARGE: return "still-too-large";
    case SHALLOT_E_STILL_DIGEST: return "still-digest";
    case SHALLOT_E_STILL_BROKEN: return "still-broken";
    case SHALLOT_E_STILL_LATE: return "still-late";
    case SHALLOT_E_STILL_REPLACED: return "still-replaced";
    case SHALLOT_E_STILL_ELSEWHERE: return "still-elsewhere";
    default: return "?";
  }
}

#endif
