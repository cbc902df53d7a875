// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What strangers send to a device's own server: requests in pieces whose sizes the first byte sets, and what they are answered; and questions for its name.
 */
#include "place.h"

#include "../core/http.h"
#include "../core/nameplate.h"

static void as_request(const uint8_t *data, size_t size, size_t piece) {
  struct http_request request = {.state = 0};
  uint8_t *body = malloc(SHALLOT_DEVICE_ENVELOPE_BYTES_MAX);
  uint8_t *bytes = copy_of(data, size, 0);
  char *head = malloc(HTTP_ANSWER_HEAD_BYTES_MAX);
  int taken = 0;
  for (size_t at = 0; at < size && taken >= 0 && !request.is_whole; at += (size_t)taken) {
    taken = http_feed(&request, body, bytes + at, size - at < piece ? size - at : piece);
    if (taken == 0) abort();
    if (taken < 0) break;
  }
  if (request.is_whole && (request.body_got != request.body_size || strlen(request.origin) > HTTP_VALUE_CHARS_MAX)) abort();
  struct http_answer answer = {.code = taken < 0 ? taken : 0, .origin = request.origin, .is_preflight = request.method == HTTP_OPTIONS, .is_private_asked = true, .is_last = true};
  if (http_answer_put(head, &answer) >= HTTP_ANSWER_HEAD_BYTES_MAX) abort();
  free(head);
  free(bytes);
  free(body);
}

static void as_question(const uint8_t *data, size_t size) {
  static const uint8_t key[SHALLOT_KEY_BYTES];
  uint8_t name[NAMEPLATE_NAME_BYTES];
  uint8_t *question = copy_of(data, size, 0);
  uint8_t *answer = malloc(NAMEPLATE_ANSWER_BYTES_MAX);
  struct asker asker = {{10, 0, 0, 1}, size & 1 ? 5353 : 9999, {10, 0, 0, 2}};
  if (nameplate_name(name, key) != 0) abort();
  if (nameplate_answer(answer, question, size, name, &asker) > NAMEPLATE_ANSWER_BYTES_MAX) abort();
  free(answer);
  free(question);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  if (data[0] == 0) as_question(data + 1, size - 1);
  else as_request(data + 1, size - 1, data[0]);
  return 0;
}
