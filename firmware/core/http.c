// SPDX-License-Identifier: GPL-3.0-or-later
#include "http.h"

#include <string.h>

#include "../port/port.h"

enum { METHOD, PATH, VERSION, LINE_END, NAME, BEFORE_VALUE, VALUE, VALUE_END, HEAD_END, BODY, WHOLE };

/* Headers that are looked at, each at most once; a bit of `seen`. */
enum { HOST = 1, LENGTH = 2, CODING = 4, MEDIA = 8, ORIGIN = 16, CONNECTION = 32, ASKS_METHOD = 64, ASKS_PRIVATE = 128, EXPECT = 256 };

static const struct {
  const char *name;
  uint16_t bit;
} known[] = {
    {"host", HOST},
    {"content-length", LENGTH},
    {"transfer-encoding", CODING},
    {"content-type", MEDIA},
    {"origin", ORIGIN},
    {"connection", CONNECTION},
    {"access-control-request-method", ASKS_METHOD},
    {"access-control-request-private-network", ASKS_PRIVATE},
    {"expect", EXPECT},
};

enum { KNOWN = sizeof known / sizeof known[0], LENGTH_DIGITS_MAX = 6, WORD_CHARS_MAX = 31 };

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool same_word(const char *one, const char *other) {
  while (*one != '\0' && lower(*one) == lower(*other)) one++, other++;
  return *one == '\0' && *other == '\0';
}

/* A token's character (RFC 9110 §5.6.2). */
static bool is_token(char c) {
  if ((c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z')) return true;
  return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_printed(char c) { return c > ' ' && c < 0x7f; }

/* ---- the first line ---- */

/* Collects a word of the first line in `value`. True when it has ended, by this character. */
static int word_take(struct http_request *request, char c, char end) {
  if (c == end) return request->value_size > 0 ? 1 : SHALLOT_E_BAD_REQUEST;
  if (!is_printed(c)) return SHALLOT_E_BAD_REQUEST;
  if (request->value_size >= WORD_CHARS_MAX) return SHALLOT_E_NOT_FOUND;
  request->value[request->value_size++] = c;
  request->value[request->value_size] = '\0';
  return 0;
}

static int line_take(struct http_request *request, char c) {
  int ended = word_take(request, c, request->state == VERSION ? '\r' : ' ');
  if (ended <= 0) return ended;
  const char *word = request->value;
  if (request->state == METHOD && strcmp(word, "POST") == 0) request->method = HTTP_POST;
  if (request->state == METHOD && strcmp(word, "OPTIONS") == 0) request->method = HTTP_OPTIONS;
  if (request->state == PATH) request->is_path_ours = strcmp(word, "/command") == 0;
  if (request->state == VERSION && strcmp(word, "HTTP/1.1") != 0) return SHALLOT_E_BAD_REQUEST;
  request->value_size = 0;
  request->state++;
  return 0;
}

/* ---- headers ---- */

static uint16_t header_bit(const char *name) {
  for (size_t i = 0; i < KNOWN; i++) {
    if (same_word(known[i].name, name)) return known[i].bit;
  }
  return 0;
}

/* Digits and nothing else: no sign, no list, no second number. */
static int length_take(struct http_request *request) {
  if (request->value_size == 0) return SHALLOT_E_BAD_REQUEST;
  for (size_t i = 0; i < request->value_size; i++) {
    if (request->value[i] < '0' || request->value[i] > '9') return SHALLOT_E_BAD_REQUEST;
  }
  if (request->value_size > LENGTH_DIGITS_MAX) return SHALLOT_E_PAYLOAD_TOO_LARGE;
  for (size_t i = 0; i < request->value_size; i++) request->length = request->length * 10 + (uint32_t)(request->value[i] - '0');
  return 0;
}

static int known_take(struct http_request *request, uint16_t bit) {
  const char *value = request->value;
  if (request->seen & bit) return SHALLOT_E_BAD_REQUEST;
  request->seen |= bit;
  switch (bit) {
    case HOST: return request->value_size == 0 ? SHALLOT_E_BAD_REQUEST : 0;
    case LENGTH: return length_take(request);
    case CODING: request->is_coded = true; return 0;
    case MEDIA: request->is_media_ours = same_word(value, "application/cose"); return 0;
    case ORIGIN: memcpy(request->origin, value, request->value_size + 1u); return 0;
    case CONNECTION: request->is_last = same_word(value, "close"); return 0;
    case ASKS_METHOD: request->wants_post = strcmp(value, "POST") == 0; return 0;
    case ASKS_PRIVATE: request->is_private_asked = strcmp(value, "true") == 0; return 0;
    default: return SHALLOT_E_BAD_REQUEST; /* who expects something first may wait for it */
  }
}

static int header_end(struct http_request *request) {
  while (request->value_size > 0 && (request->value[request->value_size - 1] == ' ' || request->value[request->value_size - 1] == '\t'))
    request->value_size--;
  request->value[request->value_size] = '\0';
  if (++request->headers > HTTP_HEADERS_MAX) return SHALLOT_E_PAYLOAD_TOO_LARGE;
  uint16_t bit = header_bit(request->name);
  int fault = bit == 0 ? 0 : known_take(request, bit);
  request->name_size = 0;
  request->value_size = 0;
  request->state = VALUE_END;
  return fault;
}

static int name_take(struct http_request *request, char c) {
  if (c == '\r' && request->name_size == 0) {
    request->state = HEAD_END;
    return 0;
  }
  if (c == ':' && request->name_size > 0) {
    request->name[request->name_size > HTTP_NAME_CHARS_MAX ? 0 : request->name_size] = '\0';
    request->value[0] = '\0';
    request->state = BEFORE_VALUE;
    return 0;
  }
  /* Also a folded line, which begins with space (RFC 9112 §5.2), and space before the colon (§5.1). */
  if (!is_token(c)) return SHALLOT_E_BAD_REQUEST;
  if (request->name_size < HTTP_NAME_CHARS_MAX) request->name[request->name_size++] = c;
  else request->name_size = HTTP_NAME_CHARS_MAX + 1;
  return 0;
}

static int value_take(struct http_request *request, char c) {
  if (c == '\r') return header_end(request);
  bool is_space = c == ' ' || c == '\t';
  if (!is_space && !is_printed(c)) return SHALLOT_E_BAD_REQUEST;
  if (request->state == BEFORE_VALUE && is_space) return 0;
  request->state = VALUE;
  if (request->value_size < HTTP_VALUE_CHARS_MAX) {
    request->value[request->value_size++] = c;
    return 0;
  }
  /* A longer value says nothing to us; where it would, it is none of ours. */
  return is_space || header_bit(request->name) == 0 ? 0 : SHALLOT_E_BAD_REQUEST;
}

/* ---- the whole head ---- */

static int head_judge(struct http_request *request) {
  bool has_length = (request->seen & LENGTH) != 0;
  if (!(request->seen & HOST) || request->is_coded) return SHALLOT_E_BAD_REQUEST;
  if (!request->is_path_ours || request->method == HTTP_NO_METHOD) return SHALLOT_E_NOT_FOUND;
  if (request->method == HTTP_OPTIONS && (request->length > 0 || !(request->seen & ORIGIN))) return SHALLOT_E_BAD_REQUEST;
  if (request->method == HTTP_OPTIONS && !request->wants_post) return SHALLOT_E_NOT_FOUND;
  if (request->method == HTTP_POST && (!has_length || request->length == 0)) return SHALLOT_E_BAD_REQUEST;
  if (request->length > SHALLOT_DEVICE_ENVELOPE_BYTES_MAX) return SHALLOT_E_PAYLOAD_TOO_LARGE;
  if (request->method == HTTP_POST && !request->is_media_ours) return SHALLOT_E_UNSUPPORTED_MEDIA_TYPE;
  request->body_size = (uint16_t)request->length;
  request->state = request->body_size > 0 ? BODY : WHOLE;
  request->is_whole = request->state == WHOLE;
  return 0;
}

static int line_feed_take(struct http_request *request, char c) {
  if (c != '\n') return SHALLOT_E_BAD_REQUEST;
  if (request->state == HEAD_END) return head_judge(request);
  request->state = NAME;
  return 0;
}

static int head_take(struct http_request *request, char c) {
  if (++request->head_size > SHALLOT_DIRECT_HEAD_BYTES_MAX) return SHALLOT_E_PAYLOAD_TOO_LARGE;
  switch (request->state) {
    case METHOD:
    case PATH:
    case VERSION: return line_take(request, c);
    case NAME: return name_take(request, c);
    case BEFORE_VALUE:
    case VALUE: return value_take(request, c);
    default: return line_feed_take(request, c);
  }
}

static size_t body_take(struct http_request *request, uint8_t *body, const uint8_t *bytes, size_t size) {
  size_t piece = (size_t)(request->body_size - request->body_got);
  if (piece > size) piece = size;
  memcpy(body + request->body_got, bytes, piece);
  request->body_got = (uint16_t)(request->body_got + piece);
  if (request->body_got == request->body_size) request->state = WHOLE;
  request->is_whole = request->state == WHOLE;
  return piece;
}

int http_feed(struct http_request *request, uint8_t *body, const uint8_t *bytes, size_t size) {
  size_t at = 0;
  while (at < size && request->state < BODY) {
    int fault = head_take(request, (char)bytes[at++]);
    if (fault) return fault;
  }
  if (request->state == BODY) at += body_take(request, body, bytes + at, size - at);
  return (int)at;
}

bool http_has_begun(const struct http_request *request) { return request->head_size > 0; }

/* ---- answers ---- */

struct text {
  char *out;
  size_t size;
};

static void add(struct text *text, const char *words) {
  size_t size = strlen(words);
  if (size > HTTP_ANSWER_HEAD_BYTES_MAX - text->size) size = HTTP_ANSWER_HEAD_BYTES_MAX - text->size;
  memcpy(text->out + text->size, words, size);
  text->size += size;
}

static void add_number(struct text *text, size_t number) {
  char digits[8];
  size_t at = sizeof digits - 1;
  digits[at] = '\0';
  do digits[--at] = (char)('0' + number % 10);
  while ((number /= 10) > 0 && at > 0);
  add(text, digits + at);
}

/* SPEC 18.4 */
static const char *status_of(const struct http_answer *answer) {
  if (answer->code == 0) return answer->is_preflight ? "204 No Content" : "200 OK";
  switch (answer->code) {
    case SHALLOT_E_UNKNOWN_SIGNER:
    case SHALLOT_E_UNKNOWN_GRANT:
    case SHALLOT_E_GRANT_CHAIN:
    case SHALLOT_E_GRANT_REVOKED:
    case SHALLOT_E_BAD_KEY:
    case SHALLOT_E_BAD_SIGNATURE: return "401 Unauthorized";
    case SHALLOT_E_FORBIDDEN: return "403 Forbidden";
    case SHALLOT_E_NOT_FOUND: return "404 Not Found";
    case SHALLOT_E_PAYLOAD_TOO_LARGE: return "413 Content Too Large";
    case SHALLOT_E_UNSUPPORTED_MEDIA_TYPE: return "415 Unsupported Media Type";
    case SHALLOT_E_BUSY: return "503 Service Unavailable";
    default: return "400 Bad Request";
  }
}

static void origin_add(struct text *text, const struct http_answer *answer) {
  if (answer->origin == NULL || answer->origin[0] == '\0') return;
  add(text, "Access-Control-Allow-Origin: ");
  add(text, answer->origin);
  add(text, "\r\nVary: Origin\r\n");
  if (!answer->is_preflight || answer->code != 0) return;
  add(text, "Access-Control-Allow-Methods: POST\r\nAccess-Control-Allow-Headers: content-type\r\nAccess-Control-Max-Age: 7200\r\n");
  if (answer->is_private_asked) add(text, "Access-Control-Allow-Private-Network: true\r\n");
}

static void length_add(struct text *text, const char *media, size_t size) {
  add(text, "Content-Type: ");
  add(text, media);
  add(text, "\r\nContent-Length: ");
  add_number(text, size);
  add(text, "\r\n");
}

size_t http_answer_put(char out[HTTP_ANSWER_HEAD_BYTES_MAX], const struct http_answer *answer) {
  static const char before[] = "{\"code\":\"", after[] = "\"}\n";
  struct text text = {out, 0};
  const char *problem = answer->code == 0 ? NULL : shallot_code_name(answer->code);
  add(&text, "HTTP/1.1 ");
  add(&text, status_of(answer));
  add(&text, "\r\nCache-Control: no-store\r\n");
  origin_add(&text, answer);
  if (problem != NULL) length_add(&text, "application/problem+json", sizeof before + sizeof after - 2 + strlen(problem));
  else if (answer->body_size > 0) length_add(&text, "application/cose", answer->body_size);
  if (answer->is_last) add(&text, "Connection: close\r\n");
  add(&text, "\r\n");
  if (problem == NULL) return text.size;
  add(&text, before);
  add(&text, problem);
  add(&text, after);
  return text.size;
}
