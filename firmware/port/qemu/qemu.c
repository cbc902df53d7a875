// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The firmware under QEMU: an instruction set, no board around it. sim.h is how that set reaches the outside.
 *
 * The emulator's working directory is the device's own (blobs, and world/ as in port/host). Two streams lead to scripts/emulator.ts, which
 * does what no file can: NETWORK carries TCP connections, one at a time, CONTROL atomic writes, the buses' chips and the order to end.
 *
 * A frame on either: kind (1 byte), connection number (1 byte), payload size (2 bytes, little-endian), payload.
 * The first is AWAKE: nothing comes here before it was sent. Frames of an older connection may still come after a new one was asked for; they are skipped.
 */
#include "../buses.h"

#include <string.h>

#include "../../core/arena.h"
#include "door.h"
#include "sim.h"

enum { FRAME_OPEN = 1, FRAME_DATA = 2, FRAME_CLOSE = 3, FRAME_STORE = 4, FRAME_REMOVE = 5, FRAME_DONE = 6, FRAME_END = 7, FRAME_BUS = 8, FRAME_ASK = 9, FRAME_DOOR = 10, FRAME_AWAKE = 15, FRAME_MARK = 16 };
enum { FRAME_HEADER = 4, FRAME_PAYLOAD_MAX = 4096 };
/* How long a wait may be blind to the order to end. */
enum { SLICE_MS = 200 };

struct frame {
  uint8_t kind;
  uint8_t connection;
  uint16_t left; /* bytes of the payload not read yet */
};

extern uint32_t stack_bottom[];
extern uint32_t stack_top[];
extern uint32_t bss_end[];
static const uint32_t PAINT = 0xa5c35a3c;

static uint8_t connection;
static uint8_t is_open;
static struct frame incoming;

/* ---- console ---- */

static void log_line(const char *line) {
  sim_write(CONSOLE_OUT, line, strlen(line));
  sim_write(CONSOLE_OUT, "\n", 1);
}

/* Decimal digits of number, right-aligned before end; where they begin. */
static char *digits(char *end, uint32_t number) {
  do *--end = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  return end;
}

static char *append(char *at, const char *label, uint32_t number) {
  char buffer[10];
  char *from = digits(buffer + sizeof buffer, number);
  while (*label != '\0') *at++ = *label++;
  while (from < buffer + sizeof buffer) *at++ = *from++;
  *at = '\0';
  return at;
}

/* ---- the end ---- */

static void paint_stack(void) {
  uint32_t *here = __builtin_frame_address(0);
  for (volatile uint32_t *at = stack_bottom; at < here - 16; at++) *at = PAINT;
}

static uint32_t stack_peak(void) {
  const uint32_t *at = stack_bottom;
  while (at < stack_top && *at == PAINT) at++;
  return (uint32_t)((uintptr_t)stack_top - (uintptr_t)at);
}

/* One line for scripts/firmware.ts: bytes of DRAM by use. static counts the arena too. */
static void report_memory(void) {
  char line[160];
  struct arena_stats arena;
  struct arena_stats door;
  enum arena_owner before = arena_use(ARENA_DOOR);
  arena_stats(&door);
  arena_use(before);
  arena_stats(&arena);
  char *at = append(line, "memory static=", (uint32_t)((uintptr_t)bss_end - (uintptr_t)stack_top));
  at = append(at, " stack_peak=", stack_peak());
  at = append(at, " arena_size=", arena.size);
  at = append(at, " arena_peak=", arena.peak);
  at = append(at, " arena_extent=", arena.extent);
  at = append(at, " arena_live=", arena.live);
#ifdef SHALLOT_DIRECT
  at = append(at, " door_peak=", door.peak);
  at = append(at, " door_live=", door.live);
#endif
  append(at, " arena_failures=", arena.failures);
  log_line(line);
}

static _Noreturn void end(int status) {
  report_memory();
  sim_exit(status);
}

/* ---- frames ---- */

/* Reads exactly size bytes; when the other end has gone, so has the world. */
static void read_whole(int fd, void *out, size_t size) {
  uint8_t *at = out;
  while (size > 0) {
    int count = sim_read(fd, at, size);
    if (count <= 0) end(1);
    at += count;
    size -= (size_t)count;
  }
}

static void write_whole(int fd, const void *data, size_t size) {
  const uint8_t *at = data;
  while (size > 0) {
    int count = sim_write(fd, at, size);
    if (count <= 0) end(1);
    at += count;
    size -= (size_t)count;
  }
}

static void write_header(int fd, uint8_t kind, size_t size) {
  uint8_t header[FRAME_HEADER] = {kind, connection, (uint8_t)size, (uint8_t)(size >> 8)};
  write_whole(fd, header, sizeof header);
}

static struct frame read_header(int fd) {
  uint8_t header[FRAME_HEADER];
  read_whole(fd, header, sizeof header);
  struct frame frame = {header[0], header[1], (uint16_t)(header[2] | header[3] << 8)};
  return frame;
}

static void skip(int fd, struct frame *frame) {
  uint8_t away[64];
  while (frame->left > 0) {
    size_t piece = frame->left < sizeof away ? frame->left : sizeof away;
    read_whole(fd, away, piece);
    frame->left = (uint16_t)(frame->left - piece);
  }
}

/* Tells what memory was needed since the last mark, and begins anew. */
static void mark(void) {
  report_memory();
  paint_stack();
  arena_peak_reset();
  enum arena_owner before = arena_use(ARENA_DOOR);
  arena_peak_reset();
  arena_use(before);
}

/* Obeys an order, which may come at any time. Whether it was one. */
static int obey(const struct frame *frame) {
  if (frame->kind == FRAME_END) end(0);
  if (frame->kind == FRAME_MARK) mark();
  return frame->kind == FRAME_MARK;
}

static void look_at_control(uint32_t timeout_ms) {
  if (!is_ready(CONTROL, READABLE, timeout_ms)) return;
  struct frame frame = read_header(CONTROL);
  if (!obey(&frame)) skip(CONTROL, &frame);
}

/* The runner's answer to what it was asked. */
static struct frame read_answer(void) {
  for (;;) {
    struct frame frame = read_header(CONTROL);
    if (!obey(&frame)) return frame;
  }
}

/* ---- time and chance ---- */

static uint32_t time_left(uint64_t deadline) {
  uint64_t now = now_ms();
  return now < deadline ? (uint32_t)(deadline - now) : 0;
}

static void sleep_ms(uint32_t ms) {
  uint64_t deadline = now_ms() + ms;
  for (uint32_t left; (left = time_left(deadline)) > 0;) look_at_control(left);
}

static int random_bytes(uint8_t *out, size_t size) {
  static int source = -1;
  if (source < 0) source = sim_open("/dev/urandom", READ_ONLY);
  while (size > 0) {
    int count = sim_read(source, out, size);
    if (count <= 0) return SHALLOT_E_PORT_IO;
    out += count;
    size -= (size_t)count;
  }
  return 0;
}

/* ---- the connection ---- */

/* Waits for fd to be ready, with an eye on the order to end. */
static int wait_for(int fd, int direction, uint32_t timeout_ms) {
  uint64_t deadline = now_ms() + timeout_ms;
  for (;;) {
    uint32_t left = time_left(deadline);
    if (is_ready(fd, direction, left < SLICE_MS ? left : SLICE_MS)) return 1;
    look_at_control(0);
    if (left == 0) return 0;
  }
}

/* Finds the next frame of this connection. 0, or SHALLOT_E_PORT_TIMEOUT. */
static int next_frame(uint32_t timeout_ms) {
  uint64_t deadline = now_ms() + timeout_ms;
  for (;;) {
    if (!wait_for(NETWORK, READABLE, time_left(deadline))) return SHALLOT_E_PORT_TIMEOUT;
    incoming = read_header(NETWORK);
    if (incoming.connection == connection) return 0;
    skip(NETWORK, &incoming);
  }
}

static void net_close(void) {
  if (!is_open) return;
  skip(NETWORK, &incoming);
  write_header(NETWORK, FRAME_CLOSE, 0);
  is_open = 0;
}

static int net_finish(uint32_t timeout_ms) {
  int result = is_open ? next_frame(timeout_ms) : SHALLOT_E_PORT_NETWORK;
  if (result == 0 && incoming.kind != FRAME_DONE) result = SHALLOT_E_PORT_NETWORK;
  if (result == SHALLOT_E_PORT_NETWORK) net_close();
  return result;
}

static int net_open(const char *address, uint16_t tcp_port, uint32_t timeout_ms) {
  size_t size = strlen(address);
  uint8_t port_bytes[2] = {(uint8_t)tcp_port, (uint8_t)(tcp_port >> 8)};
  net_close();
  if (size > PORT_ADDRESS_CHARS_MAX) return SHALLOT_E_PORT_NETWORK;
  connection++;
  is_open = 1;
  write_header(NETWORK, FRAME_OPEN, 2 + size);
  write_whole(NETWORK, port_bytes, sizeof port_bytes);
  write_whole(NETWORK, address, size);
  return net_finish(timeout_ms);
}

static int net_read(uint8_t *out, size_t capacity, uint32_t timeout_ms) {
  uint64_t deadline = now_ms() + timeout_ms;
  while (is_open && incoming.left == 0) {
    int result = next_frame(time_left(deadline));
    if (result != 0) return result;
    if (incoming.kind == FRAME_CLOSE) net_close();
  }
  if (!is_open) return SHALLOT_E_LINK_CLOSED;
  size_t piece = capacity < incoming.left ? capacity : incoming.left;
  read_whole(NETWORK, out, piece);
  incoming.left = (uint16_t)(incoming.left - piece);
  return (int)piece;
}

static int net_write(const uint8_t *data, size_t size, uint32_t timeout_ms) {
  if (!is_open) return SHALLOT_E_LINK_CLOSED;
  if (!wait_for(NETWORK, WRITABLE, timeout_ms)) return SHALLOT_E_PORT_TIMEOUT;
  if (size > FRAME_PAYLOAD_MAX) size = FRAME_PAYLOAD_MAX;
  write_header(NETWORK, FRAME_DATA, size);
  write_whole(NETWORK, data, size);
  return (int)size;
}

/* ---- who comes to the door ---- */

int door_ask(const uint8_t *question, size_t size, uint8_t *answer, size_t capacity) {
  write_header(CONTROL, FRAME_DOOR, size);
  write_whole(CONTROL, question, size);
  struct frame frame = read_answer();
  size_t count = frame.left;
  if (frame.kind == FRAME_DONE && count <= capacity) {
    read_whole(CONTROL, answer, count);
    return (int)count;
  }
  skip(CONTROL, &frame);
  return SHALLOT_E_PORT_TIMEOUT;
}

/* ---- one question to the LAN: the runner asks it ---- */

static int lan_ask(const uint8_t *question, size_t size, uint8_t *answer, size_t capacity, uint32_t timeout_ms) {
  uint8_t wait[2] = {(uint8_t)timeout_ms, (uint8_t)(timeout_ms >> 8)};
  write_header(CONTROL, FRAME_ASK, sizeof wait + size);
  write_whole(CONTROL, wait, sizeof wait);
  write_whole(CONTROL, question, size);
  struct frame frame = read_answer();
  size_t count = frame.left;
  if (frame.kind == FRAME_DONE && count <= capacity) {
    read_whole(CONTROL, answer, count);
    return (int)count;
  }
  skip(CONTROL, &frame);
  return SHALLOT_E_PORT_TIMEOUT;
}

/* ---- storage: read here, changed by the runner, which can rename ---- */

static int blob_read(const char *name, uint8_t *out, size_t capacity) {
  int file = sim_open(name, READ_ONLY);
  if (file < 0) return SHALLOT_E_MISSING;
  size_t size = 0;
  int count = 0;
  while (size < capacity && (count = sim_read(file, out + size, capacity - size)) > 0) size += (size_t)count;
  uint8_t more;
  int beyond = count < 0 ? 0 : sim_read(file, &more, 1);
  sim_close(file);
  if (beyond != 0) return SHALLOT_E_OUT_OF_SPACE;
  return count < 0 ? SHALLOT_E_PORT_STORAGE : (int)size;
}

/* The runner answers FRAME_DONE when the change is on disk, anything else when it is not. */
static int change_blob(uint8_t kind, const char *name, const uint8_t *data, size_t size) {
  size_t name_size = strlen(name) + 1;
  if (name_size > PORT_BLOB_NAME_CHARS_MAX + 1 || size > PORT_BLOB_BYTES_MAX) return SHALLOT_E_PORT_STORAGE;
  write_header(CONTROL, kind, name_size + size);
  write_whole(CONTROL, name, name_size);
  write_whole(CONTROL, data, size);
  struct frame answer = read_answer();
  skip(CONTROL, &answer);
  return answer.kind == FRAME_DONE ? 0 : SHALLOT_E_PORT_STORAGE;
}

static int blob_write(const char *name, const uint8_t *data, size_t size) {
  return change_blob(FRAME_STORE, name, data, size);
}

static int blob_remove(const char *name) { return change_blob(FRAME_REMOVE, name, NULL, 0); }

/* ---- slots: files too; scripts/emulator.ts is the boot loader, which leaves a word about what it has booted ---- */

enum { SLOT_BYTES = 1024 * 1024, RESTART_STATUS = 75, SETTLE_MS = 1000 };

struct running {
  char slot;
  char trial; /* '1': for one boot only */
};

static struct running running_read(void) {
  struct running running = {'0', '0'};
  int file = sim_open("running", READ_ONLY);
  if (file < 0) return running;
  int count = sim_read(file, &running, sizeof running);
  sim_close(file);
  if (count != (int)sizeof running) running = (struct running){'0', '0'};
  return running;
}

static int slots_running(bool *is_trial) {
  struct running running = running_read();
  *is_trial = running.trial == '1';
  return running.slot == '1';
}

static int other_open(uint32_t at) {
  char path[] = "slot-0";
  path[sizeof path - 2] = running_read().slot == '1' ? '0' : '1';
  int file = sim_open(path, READ_WRITE_AND_CREATE);
  if (file >= 0) sim_seek(file, at);
  return file;
}

static int other_write(uint32_t at, const uint8_t *data, size_t size) {
  int file = other_open(at);
  if (file < 0) return SHALLOT_E_PORT_STORAGE;
  int count = sim_write(file, data, size);
  sim_close(file);
  return count == (int)size ? 0 : SHALLOT_E_PORT_STORAGE;
}

static int slots_erase(uint32_t at) {
  uint8_t erased[64];
  int fault = 0;
  memset(erased, 0xff, sizeof erased);
  for (uint32_t done = 0; done < PORT_SECTOR_BYTES && fault == 0; done += sizeof erased) fault = other_write(at + done, erased, sizeof erased);
  return fault;
}

static int slots_read(uint32_t at, uint8_t *out, size_t size) {
  int file = other_open(at);
  if (file < 0) return SHALLOT_E_PORT_STORAGE;
  int count = sim_read(file, out, size);
  sim_close(file);
  return count == (int)size ? 0 : SHALLOT_E_PORT_STORAGE;
}

static int boot_write(char slot, char once) {
  uint8_t text[2] = {(uint8_t)slot, (uint8_t)once};
  return blob_write("boot", text, sizeof text);
}

static int slots_try_other(void) { return boot_write(running_read().slot, 't'); }
static int slots_keep(void) { return boot_write(running_read().slot, '-'); }
/* The runner has said its last of a connection that we close: what is on its way into a serial line when the emulator ends is torn there. */
static void net_settle(void) {
  net_close();
  while (connection != 0 && next_frame(SETTLE_MS) == 0) {
    skip(NETWORK, &incoming);
    if (incoming.kind == FRAME_CLOSE) return;
  }
}

static void slots_restart(void) {
  net_settle();
  end(RESTART_STATUS);
}

IN_FLASH(static const struct slots slots) = {
    .bytes = SLOT_BYTES,     .running = slots_running,     .erase = slots_erase, .write = other_write,
    .read = slots_read,      .try_other = slots_try_other, .keep = slots_keep,   .restart = slots_restart,
};

static int read_line(char *out, size_t capacity, uint32_t timeout_ms) {
  static size_t typed;
  uint64_t deadline = now_ms() + timeout_ms;
  for (;;) {
    char letter;
    if (!wait_for(CONSOLE_IN, READABLE, time_left(deadline))) return SHALLOT_E_PORT_TIMEOUT;
    if (sim_read(CONSOLE_IN, &letter, 1) != 1) return SHALLOT_E_LINK_CLOSED;
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
  char path[] = "world/output-0";
  char text[] = "0000\n";
  if (channel < 0 || channel > PORT_CHANNEL_MAX || level < 0 || level > 1000) return SHALLOT_E_DEVICE_FAULT;
  path[sizeof path - 2] = (char)('0' + channel);
  digits(text + 4, (uint32_t)level);
  int file = sim_open(path, WRITE_AND_CREATE);
  if (file < 0) return SHALLOT_E_DEVICE_FAULT;
  int count = sim_write(file, text, 5);
  sim_close(file);
  return count == 5 ? 0 : SHALLOT_E_DEVICE_FAULT;
}

/* ---- buses: the runner plays the chips ---- */

int buses_ask(const uint8_t *question, size_t size, uint8_t *answer, size_t answer_size) {
  write_header(CONTROL, FRAME_BUS, size);
  write_whole(CONTROL, question, size);
  struct frame frame = read_answer();
  if (frame.kind == FRAME_DONE && frame.left == answer_size) {
    read_whole(CONTROL, answer, answer_size);
    return 0;
  }
  skip(CONTROL, &frame);
  return SHALLOT_E_DEVICE_FAULT;
}

IN_FLASH(static const struct port qemu) = {
    .board = sim_board,
    .now_ms = now_ms,         .sleep_ms = sleep_ms,       .random = random_bytes,     .cycles = cycles,
    .net_open = net_open,     .net_finish = net_finish,   .net_read = net_read,     .net_write = net_write,     .net_close = net_close,
    .listener = SIM_LISTENER, .lan_ask = lan_ask,
    .blob_read = blob_read,   .blob_write = blob_write,   .blob_remove = blob_remove, .slots = &slots, .log = log_line,
    .read_line = read_line,   .output_set = output_set,   .pulse_set = buses_pulse_set, .pin_read = buses_pin_read,
    .pulses_read = buses_pulses_read, .i2c_transfer = buses_i2c_transfer, .onewire_transfer = buses_onewire_transfer,
    .wiegand_read = buses_wiegand_read,
#if defined(__riscv) /* the ESP32's family has boards with a camera, the ESP8266 has none */
    .capture_take = buses_capture_take, .capture_read = buses_capture_read, .capture_drop = buses_capture_drop,
#endif
};

void start_c(void) {
  sim_begin();
  paint_stack();
  write_header(CONTROL, FRAME_AWAKE, 0);
  int result = app_main(&qemu);
  end(result < 0 ? 1 : result);
}
