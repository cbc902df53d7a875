// SPDX-License-Identifier: GPL-3.0-or-later
/* What anybody on the LAN may answer. */
#include "place.h"

#include "../core/discovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t root[SHALLOT_KEY_BYTES] = {7};
  struct discovery found;
  uint8_t question[DISCOVERY_QUESTION_BYTES];
  if (discovery_question(question, root) != DISCOVERY_QUESTION_BYTES) abort();
  uint8_t *answer = copy_of(data, size, 0);
  if (discovery_read(&found, question, answer, size) == 0) {
    if (found.tcp_port == 0 || strlen(found.host) > 15) abort();
  }
  free(answer);
  return 0;
}
