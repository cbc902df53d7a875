// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The firmware as a Linux process:  <program> DIRECTORY
 *
 * DIRECTORY (0700) holds the blobs, one 0600 file each, and world/: output-N is written with the level of output N, four
 * digits. The console is standard input and output. SHALLOT_RUNNER is the descriptor of a socket to the runner, which plays the
 * chips on the buses; without it there are none. With SHALLOT_SERIAL the console is a pseudo-terminal, as a board's is a serial line; its
 * name is the first line of standard output. A file world/wifi (name and password, a line each) is the one Wi-Fi around, and without
 * having joined it there is no network; no such file: the network needs no Wi-Fi. SHALLOT_SIGNER=se050: the board has that chip for its key;
 * atecc608: for the key of its door. SHALLOT_DOOR=PORT: others may connect to that port of 127.0.0.1, 0 being any, and ask for its name on
 * SHALLOT_DOOR_NAME=PORT there, which stands for the LAN's mDNS group.
 * host.h and slots.c: images, and the power.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../driver/atecc608.h"
#include "../../driver/se050.h"
#include "../buses.h"
#include "host.h"
#include "serial.h"

/* What one SIGUSR1 adds to the time that has passed: longer than a trial, for tests. */
enum { LEAP_MS = 400000 };

static int directory = -1;
static int connection = -1;
static int runner = -1;
static long writes_left = -1; /* -1: power lasts */

void flash_copy(void *to, const void *from, size_t size) { memcpy(to, from, size); }

/* ---- time and chance ---- */

static volatile sig_atomic_t leaps;

static void clock_leap(int number) {
  (void)number;
  leaps++;
}

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + (uint64_t)leaps * LEAP_MS;
}

static void sleep_ms(uint32_t ms) {
  struct timespec rest = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
  while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {}
}

static int random_bytes(uint8_t *out, size_t size) {
  while (size > 0) {
    ssize_t count = getrandom(out, size, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return SHALLOT_E_PORT_IO;
    out += count;
    size -= (size_t)count;
  }
  return 0;
}

static uint64_t cycles(void) { return 0; }

/* ---- the connection ---- */

/* Waits until fd is ready for events. 1 ready, 0 time is over, -1 broken. */
static int wait_for(int fd, short events, uint32_t timeout_ms) {
  uint64_t deadline = now_ms() + timeout_ms;
  for (;;) {
    uint64_t now = now_ms();
    struct pollfd waiting = {fd, events, 0};
    int count = poll(&waiting, 1, now < deadline ? (int)(deadline - now) : 0);
    if (count > 0) return 1;
    if (count < 0 && errno != EINTR) return -1;
    if (now >= deadline) return 0;
  }
}

static void net_close(void) {
  if (connection >= 0) close(connection);
  connection = -1;
}

static int finish_connect(uint32_t timeout_ms) {
  int ready = wait_for(connection, POLLOUT, timeout_ms);
  if (ready == 0) return SHALLOT_E_PORT_TIMEOUT;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(connection, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return SHALLOT_E_PORT_NETWORK;
  return 0;
}

/* ---- Wi-Fi: a file that says what is around ---- */

static bool is_joined = true;

static int wifi_join(const char *name, const char *password, uint32_t timeout_ms) {
  char text[128] = "";
  int file = openat(directory, "world/wifi", O_RDONLY | O_CLOEXEC);
  ssize_t size = file < 0 ? 0 : read(file, text, sizeof text - 1);
  (void)timeout_ms;
  if (file >= 0) close(file);
  char *end = size > 0 ? strchr(text, '\n') : NULL;
  is_joined = false;
  if (end == NULL || (size_t)(end - text) != strlen(name) || memcmp(text, name, strlen(name)) != 0) return SHALLOT_E_WIFI_ABSENT;
  char *rest = strchr(end + 1, '\n');
  if (rest == NULL || (size_t)(rest - end - 1) != strlen(password) || memcmp(end + 1, password, strlen(password)) != 0)
    return SHALLOT_E_WIFI_REFUSED;
  is_joined = true;
  return 0;
}

/* ---- the connection's beginning ---- */

static int net_open(const char *address, uint16_t tcp_port, uint32_t timeout_ms) {
  if (!is_joined) return SHALLOT_E_PORT_NETWORK;
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(tcp_port)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(tcp_port)};
  net_close();
  int is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
  if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1) return SHALLOT_E_PORT_NETWORK;
  connection = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connection < 0) return SHALLOT_E_PORT_NETWORK;
  /* A command is answered by two small writes; the second would wait for the hub to acknowledge the first. */
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  int result = is_v4 ? connect(connection, (struct sockaddr *)&v4, sizeof v4)
                     : connect(connection, (struct sockaddr *)&v6, sizeof v6);
  int outcome = 0;
  if (result != 0) outcome = errno == EINPROGRESS ? finish_connect(timeout_ms) : SHALLOT_E_PORT_NETWORK;
  if (outcome != 0 && outcome != SHALLOT_E_PORT_TIMEOUT) net_close();
  return outcome;
}

static int net_finish(uint32_t timeout_ms) { return connection < 0 ? SHALLOT_E_PORT_NETWORK : finish_connect(timeout_ms); }

static int transfer_error(void) {
  if (errno == ECONNRESET || errno == EPIPE) return SHALLOT_E_LINK_CLOSED;
  return errno == EAGAIN || errno == EINTR ? SHALLOT_E_PORT_TIMEOUT : SHALLOT_E_PORT_IO;
}

static int net_read(uint8_t *out, size_t capacity, uint32_t timeout_ms) {
  if (connection < 0) return SHALLOT_E_LINK_CLOSED;
  int ready = wait_for(connection, POLLIN, timeout_ms);
  if (ready <= 0) return ready == 0 ? SHALLOT_E_PORT_TIMEOUT : SHALLOT_E_PORT_IO;
  ssize_t count = recv(connection, out, capacity, 0);
  if (count > 0) return (int)count;
  return count == 0 ? SHALLOT_E_LINK_CLOSED : transfer_error();
}

static int net_write(const uint8_t *data, size_t size, uint32_t timeout_ms) {
  if (connection < 0) return SHALLOT_E_LINK_CLOSED;
  int ready = wait_for(connection, POLLOUT, timeout_ms);
  if (ready <= 0) return ready == 0 ? SHALLOT_E_PORT_TIMEOUT : SHALLOT_E_PORT_IO;
  ssize_t count = send(connection, data, size, MSG_NOSIGNAL);
  return count > 0 ? (int)count : transfer_error();
}

/* ---- those who come ---- */

enum { CALLERS_MAX = 4, BACKLOG = 64 };

static int door = -1;
static int questions = -1;
static int callers[CALLERS_MAX] = {-1, -1, -1, -1};

static bool is_ready(int fd) {
  struct pollfd waiting = {fd, POLLIN, 0};
  return fd >= 0 && poll(&waiting, 1, 0) > 0;
}

static void name_listen(void) {
  const char *said = getenv("SHALLOT_DOOR_NAME");
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(said == NULL ? 0 : atoi(said)))};
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (said == NULL || questions >= 0) return;
  questions = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (questions >= 0 && bind(questions, (struct sockaddr *)&here, sizeof here) != 0) perror("SHALLOT_DOOR_NAME");
}

static int door_listen(uint16_t tcp_port) {
  (void)tcp_port;
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(getenv("SHALLOT_DOOR")))};
  socklen_t size = sizeof here;
  const int yes = 1;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (door >= 0) close(door);
  door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool is_open = door >= 0 && setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                 bind(door, (struct sockaddr *)&here, sizeof here) == 0 && listen(door, BACKLOG) == 0 &&
                 getsockname(door, (struct sockaddr *)&here, &size) == 0;
  name_listen();
  return is_open ? ntohs(here.sin_port) : SHALLOT_E_PORT_NETWORK;
}

static int name_hear(uint8_t *out, size_t capacity, struct asker *from) {
  struct sockaddr_in sender = {.sin_family = AF_INET};
  socklen_t size = sizeof sender;
  ssize_t count = questions < 0 ? -1 : recvfrom(questions, out, capacity, 0, (struct sockaddr *)&sender, &size);
  if (count < 0) return SHALLOT_E_PORT_TIMEOUT;
  *from = (struct asker){.udp_port = ntohs(sender.sin_port), .own = {127, 0, 0, 1}};
  memcpy(from->address, &sender.sin_addr, sizeof from->address);
  return (int)count;
}

static void name_say(const uint8_t *data, size_t size, const struct asker *to) {
  struct sockaddr_in asker = {.sin_family = AF_INET, .sin_port = htons(to->udp_port)};
  memcpy(&asker.sin_addr, to->address, sizeof to->address);
  sendto(questions, data, size, 0, (struct sockaddr *)&asker, sizeof asker);
}

static bool door_waits(void) { return is_ready(door); }

static int door_accept(void) {
  int place = 0;
  const int yes = 1;
  while (place < CALLERS_MAX && callers[place] >= 0) place++;
  if (place == CALLERS_MAX) return SHALLOT_E_PORT_TIMEOUT;
  callers[place] = accept4(door, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (callers[place] < 0) return SHALLOT_E_PORT_TIMEOUT;
  setsockopt(callers[place], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return place;
}

static bool door_is_readable(int place) { return is_ready(callers[place]); }

static int door_read(int place, uint8_t *out, size_t capacity) {
  ssize_t count = recv(callers[place], out, capacity, 0);
  if (count > 0) return (int)count;
  return count == 0 ? SHALLOT_E_LINK_CLOSED : transfer_error();
}

static int door_write(int place, const uint8_t *data, size_t size) {
  ssize_t count = send(callers[place], data, size, MSG_NOSIGNAL);
  return count > 0 ? (int)count : transfer_error();
}

static void door_finish(int place) { shutdown(callers[place], SHUT_WR); }

static void door_close_place(int place) {
  if (callers[place] >= 0) close(callers[place]);
  callers[place] = -1;
}

static void door_wait(uint32_t timeout_ms, bool with_door) {
  struct pollfd waiting[CALLERS_MAX + 3] = {{connection, POLLIN, 0}, {with_door ? door : -1, POLLIN, 0}, {questions, POLLIN, 0}};
  for (int i = 0; i < CALLERS_MAX; i++) waiting[i + 3] = (struct pollfd){callers[i], POLLIN, 0};
  poll(waiting, CALLERS_MAX + 3, (int)timeout_ms);
}

static const struct listener listener = {
    .listen = door_listen, .waits = door_waits,   .accept = door_accept,     .is_readable = door_is_readable, .read = door_read,
    .write = door_write,   .finish = door_finish, .close = door_close_place, .hear = name_hear,               .say = name_say,
    .wait = door_wait,
};

/* ---- one question to the LAN ---- */

/* Where to ask: the mDNS group, or what SHALLOT_MDNS says, an address and a port, for tests on one machine. */
static struct sockaddr_in lan_group(void) {
  struct sockaddr_in group = {.sin_family = AF_INET, .sin_port = htons(5353)};
  const char *said = getenv("SHALLOT_MDNS");
  char address[INET_ADDRSTRLEN] = "224.0.0.251";
  unsigned port = 5353;
  if (said != NULL && sscanf(said, "%15[0-9.]:%5u", address, &port) == 2) group.sin_port = htons((uint16_t)port);
  inet_pton(AF_INET, address, &group.sin_addr);
  return group;
}

static int lan_ask(const uint8_t *question, size_t size, uint8_t *answer, size_t capacity, uint32_t timeout_ms) {
  struct sockaddr_in group = lan_group();
  int datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (datagrams < 0) return SHALLOT_E_PORT_NETWORK;
  int result = SHALLOT_E_PORT_NETWORK;
  if (sendto(datagrams, question, size, 0, (struct sockaddr *)&group, sizeof group) == (ssize_t)size) {
    ssize_t count = wait_for(datagrams, POLLIN, timeout_ms) == 1 ? recv(datagrams, answer, capacity, 0) : 0;
    result = count > 0 ? (int)count : SHALLOT_E_PORT_TIMEOUT;
  }
  close(datagrams);
  return result;
}

/* ---- power ---- */

void host_power_restore(void) {
  const char *said = getenv("SHALLOT_CUT");
  writes_left = said == NULL ? -1 : atol(said);
}

bool host_power_lasts(void) { return writes_left < 0 || --writes_left > 0; }

void host_power_end(void) { _exit(HOST_CUT_STATUS); }

void host_power_hand_on(void) {
  char text[24];
  snprintf(text, sizeof text, "%ld", writes_left);
  if (writes_left >= 0) setenv("SHALLOT_CUT", text, 1);
}

/* ---- storage ---- */

int host_directory(void) { return directory; }

static int name_is_good(const char *name) {
  size_t size = strlen(name);
  return size > 0 && size <= PORT_BLOB_NAME_CHARS_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

int host_blob_read(const char *name, uint8_t *out, size_t capacity) {
  if (!name_is_good(name)) return SHALLOT_E_PORT_STORAGE;
  int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
  if (file < 0) return errno == ENOENT ? SHALLOT_E_MISSING : SHALLOT_E_PORT_STORAGE;
  ssize_t count = read(file, out, capacity);
  uint8_t more;
  ssize_t beyond = count < 0 ? 0 : read(file, &more, 1);
  close(file);
  if (beyond != 0) return SHALLOT_E_OUT_OF_SPACE;
  return count < 0 ? SHALLOT_E_PORT_STORAGE : (int)count;
}

int host_write_whole(int file, const uint8_t *data, size_t size) {
  while (size > 0) {
    ssize_t count = write(file, data, size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return -1;
    data += count;
    size -= (size_t)count;
  }
  return 0;
}

/* A new file beside the old one, made safe, then renamed over it. */
int host_blob_write(const char *name, const uint8_t *data, size_t size) {
  char fresh[PORT_BLOB_NAME_CHARS_MAX + 5];
  if (!name_is_good(name) || size > PORT_BLOB_BYTES_MAX) return SHALLOT_E_PORT_STORAGE;
  snprintf(fresh, sizeof fresh, "%s.new", name);
  int file = openat(directory, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return SHALLOT_E_PORT_STORAGE;
  bool lasts = host_power_lasts();
  int bad = host_write_whole(file, data, lasts ? size : size / 2) != 0 || fsync(file) != 0;
  if (!lasts) host_power_end();
  if (close(file) != 0) bad = 1;
  if (bad || renameat(directory, fresh, directory, name) != 0 || fsync(directory) != 0) return SHALLOT_E_PORT_STORAGE;
  return 0;
}

static int blob_remove(const char *name) {
  if (!name_is_good(name)) return SHALLOT_E_PORT_STORAGE;
  if (!host_power_lasts()) host_power_end();
  if (unlinkat(directory, name, 0) != 0 && errno != ENOENT) return SHALLOT_E_PORT_STORAGE;
  return fsync(directory) == 0 ? 0 : SHALLOT_E_PORT_STORAGE;
}

/* ---- console ---- */

static void log_line(const char *line) {
  printf("%s\n", line);
  fflush(stdout);
  serial_write(line);
}

static int read_line(char *out, size_t capacity, uint32_t timeout_ms) {
  static size_t typed;
  uint64_t deadline = now_ms() + timeout_ms;
  for (;;) {
    uint64_t now = now_ms();
    int ready = wait_for(serial_input(), POLLIN, now < deadline ? (uint32_t)(deadline - now) : 0);
    if (ready == 0) return SHALLOT_E_PORT_TIMEOUT;
    char letter;
    if (ready < 0 || read(serial_input(), &letter, 1) != 1) return SHALLOT_E_LINK_CLOSED;
    if (letter == '\r') continue;
    if (letter != '\n') {
      if (typed < capacity) out[typed] = letter;
      typed++;
      continue;
    }
    size_t length = typed;
    typed = 0;
    if (length >= capacity) return SHALLOT_E_OUT_OF_SPACE;
    out[length] = '\0';
    return (int)length;
  }
}

/* ---- pins ---- */

static int output_set(int channel, int32_t level) {
  char text[16];
  char name[24];
  if (channel < 0 || channel > PORT_CHANNEL_MAX || level < 0 || level > 1000) return SHALLOT_E_DEVICE_FAULT;
  snprintf(name, sizeof name, "world/output-%d", channel);
  int file = openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return SHALLOT_E_DEVICE_FAULT;
  int size = snprintf(text, sizeof text, "%04d\n", (int)level);
  int bad = host_write_whole(file, (const uint8_t *)text, (size_t)size);
  return close(file) != 0 || bad ? SHALLOT_E_DEVICE_FAULT : 0;
}

/* ---- buses: a frame to the runner and one back, as port/qemu has them ---- */

enum { FRAME_BUS = 8, FRAME_DONE = 6, FRAME_HEADER = 4 };

static int read_exactly(int fd, uint8_t *out, size_t size) {
  while (size > 0) {
    ssize_t count = read(fd, out, size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return -1;
    out += count;
    size -= (size_t)count;
  }
  return 0;
}

static int skip_answer(size_t size) {
  uint8_t away;
  for (; size > 0; size--)
    if (read_exactly(runner, &away, 1) != 0) return -1;
  return 0;
}

int buses_ask(const uint8_t *question, size_t size, uint8_t *answer, size_t answer_size) {
  uint8_t header[FRAME_HEADER] = {FRAME_BUS, 0, (uint8_t)size, (uint8_t)(size >> 8)};
  if (runner < 0) return SHALLOT_E_DEVICE_FAULT;
  int bad = host_write_whole(runner, header, sizeof header) != 0 || host_write_whole(runner, question, size) != 0 ||
            read_exactly(runner, header, sizeof header) != 0;
  size_t came = (size_t)(header[2] | header[3] << 8);
  if (!bad && header[0] == FRAME_DONE && came == answer_size)
    return read_exactly(runner, answer, answer_size) == 0 ? 0 : SHALLOT_E_DEVICE_FAULT;
  if (bad || skip_answer(came) != 0) runner = -1;
  return SHALLOT_E_DEVICE_FAULT;
}

static struct port host = {
    .board = "host",
    .now_ms = now_ms,         .sleep_ms = sleep_ms,       .random = random_bytes,     .cycles = cycles,
    .net_open = net_open,     .net_finish = net_finish,   .net_read = net_read,       .net_write = net_write,     .net_close = net_close,
    .lan_ask = lan_ask,
    .blob_read = host_blob_read, .blob_write = host_blob_write, .blob_remove = blob_remove, .slots = &host_slots, .log = log_line,
    .read_line = read_line,   .output_set = output_set,   .pulse_set = buses_pulse_set, .pin_read = buses_pin_read,
    .pulses_read = buses_pulses_read, .i2c_transfer = buses_i2c_transfer, .onewire_transfer = buses_onewire_transfer,
    .wiegand_read = buses_wiegand_read,
    .capture_take = buses_capture_take, .capture_read = buses_capture_read, .capture_drop = buses_capture_drop,
};

static int open_directory(const char *path) {
  struct stat found;
  directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0 || fstat(directory, &found) != 0) {
    perror(path);
    return -1;
  }
  if ((found.st_mode & 077) != 0) {
    fprintf(stderr, "%s: readable by others; wanted mode 0700\n", path);
    return -1;
  }
  if (mkdirat(directory, "world", 0700) != 0 && errno != EEXIST) {
    perror("world");
    return -1;
  }
  return 0;
}

int main(int count, char **arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: %s DIRECTORY\n", arguments[0]);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGUSR1, clock_leap);
  const char *socket_number = getenv("SHALLOT_RUNNER");
  if (socket_number != NULL) runner = atoi(socket_number);
  if (open_directory(arguments[1]) != 0) return 1;
  host_power_restore();
  host_boot(arguments);
  if (getenv("SHALLOT_SERIAL") != NULL && serial_open() != 0) return 1;
  is_joined = faccessat(directory, "world/wifi", F_OK, 0) != 0;
  if (!is_joined) host.wifi_join = wifi_join;
  const char *chip = getenv("SHALLOT_SIGNER");
  if (chip != NULL && strcmp(chip, se050.name) == 0) host.signer = &se050;
  if (chip != NULL && strcmp(chip, atecc608.name) == 0) host.point_signer = &atecc608;
  if (getenv("SHALLOT_DOOR") != NULL) host.listener = &listener;
  int result = app_main(&host);
  return result < 0 ? 1 : result;
}
