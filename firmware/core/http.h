// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The one request that a device's own server reads (SPEC 18.3): HTTP/1.1, `/command`, POST with one sealed command or the preflight of CORS.
 * In: bytes that may be anything, in any pieces; out: what was asked, or the first code that applies; and the heads of answers.
 *
 * What stays true: a line ends in CR LF and nothing else; what two readers could understand in two ways (two lengths, a length beside a
 * transfer coding, folded lines, space before a colon, control characters) is refused, and its connection with it; nothing is kept of
 * a head but what is named below, so a head costs no memory. Absent on purpose: chunks, trailers, upgrades, ranges, 100-continue, and
 * a second request before the first was answered.
 */
#ifndef SHALLOT_HTTP_H
#define SHALLOT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../schemas/gen/c/shallot_wire.h"

enum {
  HTTP_NAME_CHARS_MAX = 40,  /* of what is looked at of a header's name; longer ones are nobody's that is known here */
  HTTP_VALUE_CHARS_MAX = SHALLOT_DIRECT_ORIGIN_BYTES_MAX,
  HTTP_HEADERS_MAX = 48,
  HTTP_ANSWER_HEAD_BYTES_MAX = 416
};

enum http_method { HTTP_NO_METHOD, HTTP_POST, HTTP_OPTIONS };

/* All zero: expects a request. Fields above `body_size` are http.c's own. */
struct http_request {
  uint8_t state;
  uint8_t name_size;
  uint8_t value_size;
  uint8_t headers;
  uint16_t head_size;
  uint16_t seen; /* headers that may come once */
  char name[HTTP_NAME_CHARS_MAX + 1];
  char value[HTTP_VALUE_CHARS_MAX + 1];
  bool is_path_ours;
  bool is_media_ours;
  bool is_coded;    /* has a transfer coding */
  bool wants_post;  /* the preflight asks for POST */
  uint32_t length;  /* as said */
  uint16_t body_got;

  uint16_t body_size;
  enum http_method method;
  bool is_last;           /* `Connection: close` */
  bool is_whole;          /* all of it is there */
  bool is_private_asked;  /* a preflight that asks for a private network */
  char origin[HTTP_VALUE_CHARS_MAX + 1]; /* "": none */
};

/*
 * Takes bytes up to the end of one request; its body, at most SHALLOT_DEVICE_ENVELOPE_BYTES_MAX, goes to `body`. How many bytes were taken, or
 * SHALLOT_E_BAD_REQUEST, _PAYLOAD_TOO_LARGE, _NOT_FOUND, _UNSUPPORTED_MEDIA_TYPE: then answer that and close.
 */
int http_feed(struct http_request *request, uint8_t *body, const uint8_t *bytes, size_t size);

/* Whether any byte of it has come. */
bool http_has_begun(const struct http_request *request);

/* What is answered. */
struct http_answer {
  int code;           /* 0 or negative; 0 with a body: a receipt */
  size_t body_size;   /* of the receipt; 0: none */
  const char *origin; /* a page of which may read this; NULL or "": none's */
  bool is_preflight;
  bool is_private_asked;
  bool is_last;
};

/* Writes an answer's head, and of a problem the body with it. Its size; HTTP_ANSWER_HEAD_BYTES_MAX is always enough. */
size_t http_answer_put(char out[HTTP_ANSWER_HEAD_BYTES_MAX], const struct http_answer *answer);

#endif
