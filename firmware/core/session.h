// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The device's half of a session (SPEC 6.3 to 6.5). Bytes in, bytes out: no sockets, no clock; of the port's storage only what
 * core/revocations.h, uses.h and keycodes.h keep there.
 * In: what arrives on the link, in any pieces, and milliseconds; out: whole frames to send, and events for whoever drives it.
 * The driver's round: send everything session_output gives, read, session_feed, and on a complete frame send again and session_step.
 * So the hub hears that a command arrived before its signature is checked.
 * What stays true: nothing is sent but the hello before the welcome has come; a command is answered exactly once each time it arrives;
 * what was sealed is kept until the hub has it on disk or room is short. One buffer holds a frame that comes or one that goes, never both.
 */
#ifndef SHALLOT_SESSION_H
#define SHALLOT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "envelope.h"
#include "frame.h"
#include "gate.h"
#include "grants.h"
#include "outbox.h"
#include "update.h"
#include "../../schemas/gen/c/shallot_wire.h"

/* Everything pointed to stays as long as the session. */
struct session_config {
  struct sealer sealer;
  const uint8_t *root; /* SHALLOT_KEY_BYTES */
  const struct app *app;
  const char *board; /* 1 to SHALLOT_LABEL_BYTES_MAX characters */
  int (*random)(uint8_t *out, size_t size);
  const struct port *port; /* for what must outlive a restart: lists, counts, codes */
  struct update *update;   /* NULL: images are not taken */
  /* The root's word on hub CAs (SPEC 16.2): 0 when they are on flash, else the code that it is answered with. NULL: none are taken. */
  int (*pins)(const struct pins_body *pins);
  /* A door to the LAN (SPEC 18): its port and its key's point, SHALLOT_DIRECT_KEY_BYTES. 0, NULL: there is none. */
  uint16_t door_port;
  const uint8_t *door_point;
  /* The hub's word on that door: 0, or the code of what is wrong with it. NULL: not taken. */
  int (*direct)(const struct direct_body *direct);
};

enum session_state { SESSION_CLOSED, SESSION_WAITING, SESSION_OPEN };

enum session_event {
  SESSION_NOTHING,
  SESSION_CONNECTED,        /* the welcome came */
  SESSION_CONNECTED_WANTED, /* it came, and the hub wants the enrolment record: session_send_record */
  SESSION_WANTED,           /* a hub that has no charge of this device wants it too; nothing is open yet */
  SESSION_STORED,           /* the hub has everything of `noted_epoch` up to and including `noted_sequence` */
  SESSION_COMMAND,          /* a command, grant, list or word on pins was answered with `code` */
  SESSION_PAPERS,           /* `papers`, until the next feed: this device's next certificate; before the welcome there will be none */
  SESSION_RECORD,           /* session_record points to an enrolment of this device, until the next feed */
  SESSION_UPDATED,          /* the other slot holds an image that was checked: update_boot, when all is sent that waits */
  SESSION_IGNORED           /* an envelope of the hub's was refused with `code` */
};

enum {
  /* In front of a frame's contents: room for sealing and checking in place, of which the last two bytes are the frame's length. */
  SESSION_BEFORE_FRAME = 12,
  SESSION_BUFFER_BYTES = SESSION_BEFORE_FRAME + SHALLOT_DEVICE_ENVELOPE_BYTES_MAX
};

struct session {
  const struct session_config *config;
  enum session_state state;
  struct gate gate;
  struct grants grants;
  struct outbox outbox;
  struct changes pending; /* not sealed yet; times are monotonic milliseconds */
  uint32_t sequence;      /* the next one */
  bool clock_known;
  int64_t clock_offset_ms; /* what to add to monotonic milliseconds */
  uint64_t heard_ms;
  uint64_t said_ms;
  uint64_t connected_ms;
  int code; /* of the last command or refusal: 0 or negative */

  uint8_t noted_epoch[SHALLOT_EPOCH_BYTES];
  uint64_t noted_sequence;
  uint32_t lost_told; /* what the last hello said */

  struct frame_reader frame;
  struct enrolled_body papers; /* that SESSION_PAPERS speaks of */
  struct cbor_list places;  /* that the welcome told, while SESSION_CONNECTED is dealt with */
  size_t record_size;       /* of the enrolment that SESSION_RECORD speaks of */
  uint64_t record_sequence; /* of the enrolment that is held */
  bool has_charge;          /* it names the one hub that this device has: `charge` */
  bool is_newcomer;         /* the hub was another one when the link came up */
  bool hello_due;           /* and has just shown that it is that one */
  uint8_t charge[SHALLOT_KEY_BYTES];
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  bool got_due;
  uint8_t note[NOTE_WANTED_FRAME_BYTES]; /* the longest */
  size_t out_size; /* of an envelope in the buffer that waits to be sent */
  uint8_t buffer[SESSION_BUFFER_BYTES];
};

/* Begins a life: draws the boot nonce. Everything of an older life is forgotten. 0, or what random says. */
int session_open(struct session *session, const struct session_config *config);

/* The link is up and `hub` is the key its leaf proved. The hello waits to be sent. 0 or a negative code. */
int session_connect(struct session *session, const uint8_t hub[SHALLOT_KEY_BYTES], uint64_t now_ms);

/* Says hello once more in an open session, for what has changed since; the session stays open. 0 or a negative code. */
int session_greet(struct session *session, uint64_t now_ms);

/* The link is gone. What the hub has not stored is kept. */
void session_disconnect(struct session *session);

/*
 * Takes bytes up to the end of one frame. How many were taken (0 while something waits to be sent or a frame waits for session_step),
 * or SHALLOT_E_FRAME_TOO_LARGE: then close.
 */
int session_feed(struct session *session, const uint8_t *bytes, size_t size, uint64_t now_ms);

/* Deals with a complete frame: an event, or a negative code: then close. A refusal by the hub is that code. */
int session_step(struct session *session, uint64_t now_ms);

/* The next bytes to send, all of them, before the next call of anything here. Their count, or 0. */
size_t session_output(struct session *session, uint64_t now_ms, const uint8_t **bytes);

/*
 * 0, or a code: then close. SHALLOT_E_SILENT: the hub was silent for too long; SHALLOT_E_GRANT_REVOKED: the root took it back;
 * SHALLOT_E_HUB_ELSEWHERE: an owner gave this device to another one (SPEC 14.7), and it has not shown a newer word in time.
 */
int session_check(const struct session *session, uint64_t now_ms);

/* Values that changed by themselves. They are sealed when the session is open, or when a reading is full. */
void session_report(struct session *session, const struct changes *changes, uint64_t now_ms);

/* Seals what waits, if its oldest value is that old, for keeping it elsewhere. */
void session_seal_waiting(struct session *session, uint32_t older_than_ms, uint64_t now_ms);

/* Begins another epoch, so that what was sealed before may be sent in any order with what will be. 0, or what random says. */
int session_renew_epoch(struct session *session);

/* True when an envelope may be put into session_record_room and sent: the link is open, and nothing comes or goes through that room. */
bool session_has_room(const struct session *session);

/* The enrolment that SESSION_RECORD speaks of. */
const uint8_t *session_record(const struct session *session, size_t *size);
/* The enrolment that is on flash from now on, ENVELOPE_HEADROOM in front of it: its groups (SPEC 12.3) and its hub (14.7) count. It was verified before. */
void session_hold_record(struct session *session, uint8_t *record, size_t size);

/* A little of what takes long: a code that somebody typed. True: there is more to do at once. */
bool session_tick(struct session *session, uint64_t now_ms);

/*
 * A command that came by the door (SPEC 18.4), `size` bytes with ENVELOPE_HEADROOM before them: judged and carried out as if the link had brought it, whether
 * there is a link or not. In its place comes the sealed receipt, at most SHALLOT_DEVICE_ENVELOPE_BYTES_MAX. The receipt's size, or a negative
 * code: it is not proven who sealed it. What it changed waits to be told to the hub (18.5).
 */
int session_direct(struct session *session, uint8_t *bytes, size_t size, uint64_t now_ms);

/* Where to put the record that SESSION_CONNECTED_WANTED asks for, and then: its size. */
uint8_t *session_record_room(struct session *session, size_t *capacity);
void session_send_record(struct session *session, size_t size);

/* Seconds since 1970, 0 while no hub has said. */
int64_t session_time_s(const struct session *session, uint64_t now_ms);
void session_set_time(struct session *session, int64_t unix_ms, uint64_t now_ms);

#endif
