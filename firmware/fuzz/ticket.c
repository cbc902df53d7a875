// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A stored ticket that is any bytes, or any bytes under a right sum, offered to a daemon that hears the first hello and is gone. What must
 * hold beside not breaking: the hello fits its room, nothing is resumed, and all memory is given back.
 */
#include "story.h"

#include "../core/arena.h"
#include "../core/tls.h"
#include "../../schemas/gen/c/shallot_wire.h"

enum { HELLO_BYTES_MAX = 2048 };

static size_t sent;

static int chance(uint8_t *out, size_t size) {
  for (size_t i = 0; i < size; i++) out[i] = (uint8_t)(i + 1);
  return 0;
}
static int link_read(uint8_t *out, size_t capacity, uint32_t timeout_ms) {
  (void)out, (void)capacity, (void)timeout_ms;
  return SHALLOT_E_LINK_CLOSED;
}
static int link_write(const uint8_t *data, size_t size, uint32_t timeout_ms) {
  volatile uint8_t seen = 0;
  (void)timeout_ms;
  for (size_t i = 0; i < size; i++) seen = (uint8_t)(seen ^ data[i]);
  sent += size;
  if (sent > HELLO_BYTES_MAX) abort();
  return (int)size;
}
static void link_close(void) {}

static const struct port port = {
  .board = "fuzz", .now_ms = place_now_ms, .random = chance, .net_read = link_read, .net_write = link_write, .net_close = link_close};

static uint32_t memory_held(void) {
  struct arena_stats stats;
  arena_stats(&stats);
  return stats.live;
}

static void offer(const uint8_t *bytes, size_t size) {
  /* The base point is a key as good as any. */
  static uint8_t pins[1][SHALLOT_KEY_BYTES];
  static const uint8_t seed[SHALLOT_KEY_BYTES] = {4};
  static uint8_t public_key[SHALLOT_KEY_BYTES];
  static struct tls tls;
  if (public_key[0] == 0 && crypto_public(public_key, seed) == 0) memcpy(pins[0], public_key, sizeof public_key);
  const struct tls_config config = {
    .port = &port,
    .pins = (const uint8_t(*)[SHALLOT_KEY_BYTES])pins,
    .pins_count = 1,
    .alpn = SHALLOT_ALPN_LINK,
    .seed = seed,
    .public_key = public_key,
    .handshake_ms_max = 1,
  };
  uint32_t before = memory_held();
  uint8_t *ticket = copy_of(bytes, size, 0);
  sent = 0;
  if (tls_open(&tls, &config) != 0) abort();
  tls_offer(&tls, ticket, size);
  if (tls_handshake(&tls) == 0 || tls_resumed(&tls)) abort();
  tls_close(&tls);
  free(ticket);
  if (memory_held() != before) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t bytes[PORT_BLOB_BYTES_MAX];
  if (size + CRYPTO_SUM_BYTES > sizeof bytes) return 0;
  if (size > 0 && (data[0] & 1) == 0) {
    offer(data + 1, size - 1);
    return 0;
  }
  if (size > 0) memcpy(bytes + CRYPTO_SUM_BYTES, data + 1, size - 1);
  size_t whole = size > 0 ? size - 1 : 0;
  crypto_sum(bytes, bytes + CRYPTO_SUM_BYTES, whole);
  offer(bytes, CRYPTO_SUM_BYTES + whole);
  return 0;
}
