// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Does what core/crypto.h does, on request, for test/firmware/crypto.test.ts, which knows the right answers. Each line on the
 * console is a verb and its bytes in hex, "-" for none; the answer is the verb and bytes in hex, or code=N.
 *
 *   sha256 DATA / sha512 DATA / hmac KEY DATA / hkdf SIZE SECRET SALT INFO (SIZE: one byte)
 *   public SEED / sign SEED MESSAGE / verify KEY SIGNATURE MESSAGE / check KEY
 *   make PLACE / chip-sign PLACE MESSAGE                  driver/se050.c, PLACE and SLOT: one byte
 *   p256-make SLOT / p256-sign SLOT DIGEST                driver/atecc608.c
 *   reduce BYTES64 / muladd A B C (32 bytes each)         wolfssl/scalars.c
 *   times F G / square F / square2 F / times121666 F      wolfssl/field.c; a number is its ten limbs, 4 bytes each, little-endian
 *
 * The status is 2 after a line that is not understood, 0 at the end of the console.
 */
#include <stdbool.h>
#include <string.h>

#include "../core/crypto.h"
#include "../core/line.h"
#include "../driver/atecc608.h"
#include "../driver/se050.h"
#include "../port/port.h"

enum { LINE_BYTES = 2400, OUT_BYTES_MAX = 82, WORDS_MAX = 4, VERB_CHARS_MAX = 12, STATUS_NOT_UNDERSTOOD = 2 };

/* wolfCrypt's, as the linker has them. */
void sc_reduce(unsigned char *scalar);
void sc_muladd(unsigned char *out, const unsigned char *a, const unsigned char *b, const unsigned char *c);

enum { FE_BYTES = 40 };
void fe_mul(int32_t *h, const int32_t *f, const int32_t *g);
void fe_sq(int32_t *h, const int32_t *f);
void fe_sq2(int32_t *h, const int32_t *f);
void fe_mul121666(int32_t *h, int32_t *f);

struct bytes {
  uint8_t *at;
  size_t size;
};

static const struct port *board;
static char line[LINE_BYTES];
static struct bytes words[WORDS_MAX];
static uint8_t out[OUT_BYTES_MAX];
static size_t out_size;

static int nibble(char letter) {
  static const char digits[] = "0123456789abcdef";
  const char *found = letter == '\0' ? NULL : strchr(digits, letter);
  return found == NULL ? -1 : (int)(found - digits);
}

/* Decodes the hex digits where they stand. */
static bool word_read(struct bytes *word, char *text, size_t size) {
  word->at = (uint8_t *)text;
  word->size = 0;
  if (size == 1 && text[0] == '-') return true;
  for (size_t i = 0; i + 1 < size; i += 2) {
    int high = nibble(text[i]);
    int low = nibble(text[i + 1]);
    if (high < 0 || low < 0) return false;
    word->at[word->size++] = (uint8_t)(high << 4 | low);
  }
  return size % 2 == 0;
}

/* How many words follow the verb, or -1. */
static int line_read(void) {
  int count = 0;
  char *at = strchr(line, ' ');
  if (at == NULL || at - line > VERB_CHARS_MAX) return -1;
  while (at != NULL && count < WORDS_MAX) {
    *at++ = '\0';
    char *end = strchr(at, ' ');
    if (!word_read(&words[count++], at, end == NULL ? strlen(at) : (size_t)(end - at))) return -1;
    at = end;
  }
  return at == NULL ? count : -1;
}

static bool sizes_are(size_t first, size_t second, size_t third) {
  const size_t sizes[] = {first, second, third};
  for (size_t i = 0; i < 3; i++)
    if (sizes[i] != 0 && words[i].size != sizes[i]) return false;
  return true;
}

static int sign(void) {
  uint8_t key[CRYPTO_PUBLIC_BYTES];
  out_size = CRYPTO_SIGNATURE_BYTES;
  int fault = crypto_public(key, words[0].at);
  return fault ? fault : crypto_sign(out, words[1].at, words[1].size, words[0].at, key);
}

static int derive(void) {
  out_size = words[0].size == 1 ? words[0].at[0] : OUT_BYTES_MAX + 1;
  if (out_size > OUT_BYTES_MAX) return STATUS_NOT_UNDERSTOOD;
  return crypto_hkdf_sha256(out, out_size, words[1].at, words[1].size, words[2].at, words[2].size, words[3].at, words[3].size);
}

static int hash(const char *verb) {
  bool is_short = strcmp(verb, "sha256") == 0;
  out_size = is_short ? CRYPTO_SHA256_BYTES : CRYPTO_SHA512_BYTES;
  return is_short ? crypto_sha256(out, words[0].at, words[0].size) : crypto_sha512(out, words[0].at, words[0].size);
}

static int scalar(bool is_product) {
  out_size = 32;
  if (is_product) {
    sc_muladd(out, words[0].at, words[1].at, words[2].at);
  } else {
    sc_reduce(words[0].at);
    memcpy(out, words[0].at, out_size);
  }
  return 0;
}

/* Whether the verb is one of field.c's. The result takes the place of the first factor, as the library has it. */
static bool field(const char *verb, int count) {
  int32_t f[FE_BYTES / 4];
  int32_t g[FE_BYTES / 4];
  bool is_times = strcmp(verb, "times") == 0;
  if (count != 1 + is_times || !sizes_are(FE_BYTES, is_times ? FE_BYTES : 0, 0)) return false;
  memcpy(f, words[0].at, sizeof f);
  if (is_times) memcpy(g, words[1].at, sizeof g);
  if (is_times) fe_mul(f, f, g);
  else if (strcmp(verb, "square") == 0) fe_sq(f, f);
  else if (strcmp(verb, "square2") == 0) fe_sq2(f, f);
  else if (strcmp(verb, "times121666") == 0) fe_mul121666(f, f);
  else return false;
  out_size = sizeof f;
  memcpy(out, f, sizeof f);
  return true;
}

/* What is asked of the chips that keep keys. */
static int chip(const char *verb, int count) {
  if (count < 1 || words[0].size != 1) return STATUS_NOT_UNDERSTOOD;
  unsigned place = words[0].at[0];
  bool has_digest = count == 2 && words[1].size == ATECC608_DIGEST_BYTES;
  if (strcmp(verb, "make") == 0 && count == 1) {
    out_size = SIGNER_KEY_BYTES;
    return se050.make(board, place, out);
  }
  out_size = SIGNER_SIGNATURE_BYTES;
  if (strcmp(verb, "chip-sign") == 0 && count == 2) return se050.sign(board, place, out, words[1].at, words[1].size);
  if (strcmp(verb, "p256-make") == 0 && count == 1) return atecc608_make(board, place, out);
  if (strcmp(verb, "p256-sign") == 0 && has_digest) return atecc608_sign(board, place, out, words[1].at);
  return STATUS_NOT_UNDERSTOOD;
}

/* A code, or what was not understood. */
static int obey(const char *verb, int count) {
  out_size = 0;
  bool is_hash = strcmp(verb, "sha256") == 0 || strcmp(verb, "sha512") == 0;
  if (is_hash && count == 1) return hash(verb);
  if (strcmp(verb, "hkdf") == 0 && count == 4) return derive();
  if (strcmp(verb, "hmac") == 0 && count == 2) {
    out_size = CRYPTO_SHA256_BYTES;
    return crypto_hmac_sha256(out, words[0].at, words[0].size, words[1].at, words[1].size);
  }
  if (strcmp(verb, "public") == 0 && count == 1 && sizes_are(32, 0, 0)) {
    out_size = CRYPTO_PUBLIC_BYTES;
    return crypto_public(out, words[0].at);
  }
  if (strcmp(verb, "sign") == 0 && count == 2 && sizes_are(32, 0, 0)) return sign();
  if (strcmp(verb, "verify") == 0 && count == 3 && sizes_are(32, 64, 0))
    return crypto_verify(words[1].at, words[2].at, words[2].size, words[0].at);
  if (strcmp(verb, "check") == 0 && count == 1 && sizes_are(32, 0, 0)) return crypto_check_public(words[0].at);
  if (strcmp(verb, "reduce") == 0 && count == 1 && sizes_are(64, 0, 0)) return scalar(false);
  if (strcmp(verb, "muladd") == 0 && count == 3 && sizes_are(32, 32, 32)) return scalar(true);
  if (field(verb, count)) return 0;
  return chip(verb, count);
}

static void answer_say(const struct port *port, const char *verb, int code) {
  static const char digits[] = "0123456789abcdef";
  char text[VERB_CHARS_MAX + 8 + 2 * OUT_BYTES_MAX];
  size_t at = strlen(verb);
  memcpy(text, verb, at);
  memcpy(text + at, " code=", 7);
  if (code != 0 || out_size == 0) {
    log_number(port, text, -code, "");
    return;
  }
  text[at++] = ' ';
  for (size_t i = 0; i < out_size; i++) {
    text[at++] = digits[out[i] >> 4];
    text[at++] = digits[out[i] & 15];
  }
  text[at] = '\0';
  port->log(text);
}

int app_main(const struct port *port) {
  board = port;
  for (;;) {
    int size = port->read_line(line, sizeof line, 1000);
    if (size == SHALLOT_E_LINK_CLOSED) return 0;
    if (size == SHALLOT_E_PORT_TIMEOUT) continue;
    int count = size < 0 ? -1 : line_read();
    int code = count < 0 ? STATUS_NOT_UNDERSTOOD : obey(line, count);
    if (code == STATUS_NOT_UNDERSTOOD) return code;
    answer_say(port, line, code);
  }
}
