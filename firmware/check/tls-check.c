// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Drives core/tls.h for test/firmware and for the size table. It obeys lines on the console and answers each with one
 * line that begins with the same word and the number of a code, code=N, shown here by its name:
 *
 *   open ADDRESS PORT [ticket]  connects, shakes hands            -> open ok resumed=0 key=HEX instructions=N
 *   echo TEXT                   writes TEXT, reads as much back   -> echo ok TEXT
 *   read MS                     waits for one record              -> read port-timeout ms=N
 *   save                        keeps the ticket                  -> save ok size=N
 *   corrupt                     as if a daemon gave another one   -> corrupt ok
 *   close                       ends the connection               -> close ok
 *   time SECONDS                sets the unix time, 0: none       -> time ok
 *   seal / verify               signs, checks 64 bytes            -> seal ok instructions=N
 *   store NAME TEXT / load NAME / remove NAME                     -> load ok TEXT
 *   output CHANNEL LEVEL / pin CHANNEL                            -> pin ok high
 *   hog BYTES                   takes arena memory, never given back
 *   key                         makes the key of a door           -> key ok point=HEX instructions=N
 *   door                        opens it, with the blob "leaf"    -> door ok port=N
 *   serve                       until one visitor has gone        -> serve ok shaken=N resumed=N refused=N instructions=N
 *   quit                        ends the program
 *
 * Blobs: pins (32 or 64 bytes), seed (32), certificate (DER; none: no client certificate), alpn (text).
 */
#include <string.h>

#include "../core/arena.h"
#include "../core/crypto.h"
#include "../core/door.h"
#include "../core/signer.h"
#include "../core/tls.h"

enum { ANSWER_CHARS_MAX = 320, HANDSHAKE_MS_MAX = 8000, ANSWER_MS_MAX = 5000 };

static const struct port *device;
static struct tls tls;
static uint8_t ticket[TLS_TICKET_BYTES_MAX];
static size_t ticket_size;
static struct tls_config config;
static int64_t unix_seconds;
static int is_open;
static char line[ANSWER_CHARS_MAX];
static char answer[ANSWER_CHARS_MAX];
static size_t answer_size;

static struct {
  uint8_t pins[TLS_PINS_MAX][32];
  uint8_t seed[32];
  uint8_t public_key[32];
  uint8_t certificate[512];
  char alpn[33];
} identity;

static int64_t unix_time(void) { return unix_seconds; }

/* ---- answers ---- */

static void say_number(uint64_t number);

static void say(const char *text) {
  while (*text != '\0' && answer_size < sizeof answer - 1) answer[answer_size++] = *text++;
  answer[answer_size] = '\0';
}

static void say_number(uint64_t number) {
  char text[24];
  size_t at = sizeof text - 1;
  text[at] = '\0';
  do text[--at] = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  say(text + at);
}

static void say_hex(const uint8_t *bytes, size_t size) {
  static const char digit[] = "0123456789abcdef";
  for (size_t i = 0; i < size; i++) {
    char pair[3] = {digit[bytes[i] >> 4], digit[bytes[i] & 15], '\0'};
    say(pair);
  }
}

/* The number, as everywhere on the device: names would cost 3 KiB of DRAM. test/support/firmware.ts puts them in. */
static void say_code(int result) {
  say(" code=");
  say_number(result > 0 ? 0 : (uint64_t)-result);
}

static void say_cost(uint64_t started) {
  say(" instructions=");
  say_number(device->cycles() - started);
}

/* ---- commands ---- */

static uint32_t number_read(const char *text) {
  uint32_t number = 0;
  for (; *text >= '0' && *text <= '9'; text++) number = number * 10 + (uint32_t)(*text - '0');
  return number;
}

static int load_identity(void) {
  int pins = device->blob_read("pins", identity.pins[0], sizeof identity.pins);
  int certificate = device->blob_read("certificate", identity.certificate, sizeof identity.certificate);
  int alpn = device->blob_read("alpn", (uint8_t *)identity.alpn, sizeof identity.alpn - 1);
  if (pins < 0 || alpn < 0) return pins < 0 ? pins : alpn;
  identity.alpn[alpn] = '\0';
  config.port = device;
  config.pins = (const uint8_t(*)[32])identity.pins;
  config.pins_count = (size_t)pins / 32;
  config.alpn = identity.alpn;
  config.certificate = certificate > 0 ? identity.certificate : NULL;
  config.certificate_size = certificate > 0 ? (size_t)certificate : 0;
  config.seed = identity.seed;
  config.public_key = identity.public_key;
  config.unix_time = unix_time;
  config.handshake_ms_max = HANDSHAKE_MS_MAX;
  if (certificate == SHALLOT_E_MISSING) return 0;
  int seed = device->blob_read("seed", identity.seed, sizeof identity.seed);
  return seed < 0 ? seed : crypto_public(identity.public_key, identity.seed);
}

static void close_link(void) {
  if (is_open) tls_close(&tls);
  is_open = 0;
}

static void open_link(const char *address, const char *number, int with_ticket) {
  close_link();
  int result = load_identity();
  if (result == 0) result = device->net_open(address, (uint16_t)number_read(number), ANSWER_MS_MAX);
  uint64_t started = device->cycles();
  if (result == 0) {
    is_open = 1;
    result = tls_open(&tls, &config);
  }
  if (result == 0 && with_ticket) tls_offer(&tls, ticket, ticket_size);
  if (result == 0) result = tls_handshake(&tls);
  say_code(result);
  uint8_t key[32];
  if (result == 0 && tls_peer_key(&tls, key) == 0) {
    say(tls_resumed(&tls) ? " resumed=1 key=" : " resumed=0 key=");
    say_hex(key, sizeof key);
    say_cost(started);
  }
  if (result != 0) close_link();
}

static void echo(const char *text) {
  char back[ANSWER_CHARS_MAX] = "";
  size_t size = strlen(text);
  size_t got = 0;
  int result = is_open ? tls_write(&tls, (const uint8_t *)text, size, ANSWER_MS_MAX) : SHALLOT_E_LINK_CLOSED;
  while (result > 0 && got < size) {
    result = tls_read(&tls, (uint8_t *)back + got, size - got, ANSWER_MS_MAX);
    if (result > 0) got += (size_t)result;
  }
  say_code(result);
  say(" ");
  say(back);
}

static void read_once(const char *timeout_ms) {
  uint8_t data[64];
  uint64_t started = device->now_ms();
  int result = is_open ? tls_read(&tls, data, sizeof data, number_read(timeout_ms)) : SHALLOT_E_LINK_CLOSED;
  say_code(result);
  say(" ms=");
  say_number(device->now_ms() - started);
}

/* A bit of the daemon's own part, under a sum that is right: it is offered, and refused. */
static void ticket_corrupt(void) {
  ticket[ticket_size - ticket_size / 4] ^= 1;
  crypto_sum(ticket, ticket + CRYPTO_SUM_BYTES, ticket_size - CRYPTO_SUM_BYTES);
}

static void save_ticket(void) {
  int size = is_open ? tls_ticket(&tls, ticket, sizeof ticket) : SHALLOT_E_LINK_CLOSED;
  ticket_size = size > 0 ? (size_t)size : 0;
  if (size > 0) tls_ticket_drop(&tls);
  say_code(size);
  if (size < 0) return;
  say(" size=");
  say_number((uint64_t)size);
}

static void sign_or_verify(int is_verify) {
  static uint8_t message[64];
  static uint8_t signature[64];
  if (load_identity() != 0) return say_code(SHALLOT_E_MISSING);
  uint64_t started = device->cycles();
  int result = is_verify ? crypto_verify(signature, message, sizeof message, identity.public_key)
                         : crypto_sign(signature, message, sizeof message, identity.seed, identity.public_key);
  say_code(result);
  say_cost(started);
}

static void load_blob(const char *name) {
  char text[ANSWER_CHARS_MAX];
  int size = device->blob_read(name, (uint8_t *)text, sizeof text - 1);
  say_code(size);
  if (size < 0) return;
  text[size] = '\0';
  say(" ");
  say(text);
}

static void read_pin(const char *channel) {
  int level = device->pin_read((int)number_read(channel));
  say_code(level);
  if (level >= 0) say(level == 0 ? " low" : " high");
}

/* ---- a door, where one is built in: whoever comes is a stranger ---- */

#ifdef SHALLOT_DIRECT
enum { SERVE_MS_MAX = 20000, PIECE_MS = 200 };

static struct {
  uint8_t key[SIGNER_KEY_BYTES];
  uint8_t point[SIGNER_POINT_BYTES];
  uint8_t leaf[DOOR_LEAF_BYTES_MAX];
  struct door_config config;
} lan;

static int stranger_answer(uint8_t *bytes, size_t size) {
  (void)bytes, (void)size;
  return SHALLOT_E_UNKNOWN_SIGNER;
}
static bool no_origin(const char *origin) {
  (void)origin;
  return false;
}

static void door_key(void) {
  uint64_t started = device->cycles();
  tls_use(device);
  say_code(signer_make_point(device, lan.key, lan.point));
  say(" point=");
  say_hex(lan.point, sizeof lan.point);
  say_cost(started);
}

static void door_begin(void) {
  int size = device->blob_read("leaf", lan.leaf, sizeof lan.leaf);
  int port = device->listener == NULL ? SHALLOT_E_MISSING : device->listener->listen(443);
  lan.config = (struct door_config){device, lan.leaf, size > 0 ? (size_t)size : 0, lan.key, stranger_answer, no_origin};
  int fault = size < 0 ? size : port < 0 ? port : door_open(&lan.config);
  say_code(fault);
  say(" port=");
  say_number(port > 0 ? (uint64_t)port : 0);
}

static void count_say(const char *what, uint32_t now, uint32_t before) {
  say(what);
  say_number(now - before);
}

static void door_serve(void) {
  uint64_t until_ms = device->now_ms() + SERVE_MS_MAX;
  uint64_t spent = 0;
  struct door_counts before;
  struct door_counts now;
  door_count(&before);
  do {
    uint64_t started = device->cycles();
    uint32_t wait_ms = door_step();
    spent += device->cycles() - started;
    door_wait(wait_ms < PIECE_MS ? wait_ms : PIECE_MS);
    door_count(&now);
  } while (now.gone == before.gone && device->now_ms() < until_ms);
  say_code(now.gone == before.gone ? SHALLOT_E_PORT_TIMEOUT : 0);
  count_say(" shaken=", now.handshakes, before.handshakes);
  count_say(" resumed=", now.resumed, before.resumed);
  count_say(" refused=", now.refused, before.refused);
  count_say(" instructions=", (uint32_t)spent, 0);
}

static void door_command(const char *verb) {
  if (strcmp(verb, "key") == 0) door_key();
  else if (strcmp(verb, "door") == 0) door_begin();
  else door_serve();
}
#else
static void door_command(const char *verb) {
  (void)verb;
  say_code(SHALLOT_E_MISSING);
}
#endif

/* The next word of a line, which is cut after it. */
static char *next_word(char **rest) {
  char *word = *rest;
  char *space = strchr(word, ' ');
  *rest = space == NULL ? word + strlen(word) : space + 1;
  if (space != NULL) *space = '\0';
  return word;
}

static void link_command(const char *verb, const char *first, char *rest) {
  if (strcmp(verb, "open") == 0) {
    const char *number = next_word(&rest);
    open_link(first, number, strcmp(rest, "ticket") == 0);
  } else if (strcmp(verb, "echo") == 0) {
    echo(first);
  } else if (strcmp(verb, "read") == 0) {
    read_once(first);
  } else if (strcmp(verb, "save") == 0) {
    save_ticket();
  } else if (strcmp(verb, "corrupt") == 0) {
    ticket_corrupt();
    say_code(0);
  } else if (strcmp(verb, "close") == 0) {
    close_link();
    say_code(0);
  } else if (strcmp(verb, "time") == 0) {
    unix_seconds = number_read(first);
    say_code(0);
  } else {
    say(" ?");
  }
}

static void command(const char *verb, const char *first, char *rest) {
  if (strcmp(verb, "seal") == 0 || strcmp(verb, "verify") == 0) {
    sign_or_verify(verb[0] == 'v');
  } else if (strcmp(verb, "store") == 0) {
    say_code(device->blob_write(first, (const uint8_t *)rest, strlen(rest)));
  } else if (strcmp(verb, "load") == 0) {
    load_blob(first);
  } else if (strcmp(verb, "remove") == 0) {
    say_code(device->blob_remove(first));
  } else if (strcmp(verb, "output") == 0) {
    say_code(device->output_set((int)number_read(first), (int32_t)number_read(rest)));
  } else if (strcmp(verb, "pin") == 0) {
    read_pin(first);
  } else if (strcmp(verb, "key") == 0 || strcmp(verb, "door") == 0 || strcmp(verb, "serve") == 0) {
    door_command(verb);
  } else if (strcmp(verb, "hog") == 0) {
    say_code(arena_alloc((size_t)number_read(first)) == NULL ? SHALLOT_E_TLS_OUT_OF_MEMORY : 0);
  } else {
    link_command(verb, first, rest);
  }
}

int app_main(const struct port *from) {
  device = from;
  device->log("ready");
  for (;;) {
    int size = device->read_line(line, sizeof line, 1000);
    if (size == SHALLOT_E_LINK_CLOSED) break;
    if (size < 0) continue;
    char *rest = line;
    const char *verb = next_word(&rest);
    if (strcmp(verb, "quit") == 0) break;
    answer_size = 0;
    say(verb);
    const char *first = next_word(&rest);
    command(verb, first, rest);
    device->log(answer);
  }
  close_link();
  return 0;
}
