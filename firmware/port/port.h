// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the firmware asks of the place it runs on. Every port (host, qemu, boards later) fills one struct of functions
 * and calls app_main(); core/ and app/ see nothing else of the outside.
 *
 * What stays true: nothing here allocates; no call keeps a pointer after it returned; every out-buffer comes with its
 * capacity; a result is 0 or a count on success and a negative SHALLOT_E_ code otherwise; text is NUL-terminated ASCII.
 * Absent on purpose: wall time (the daemon sends it sealed), names instead of addresses (no DNS), a second connection that the
 * device opens, threads and interrupts.
 */
#ifndef SHALLOT_PORT_H
#define SHALLOT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../schemas/gen/c/shallot_codes.h"

/* A blob's name: 1 to this many of a-z, 0-9 and '-'. */
#define PORT_BLOB_NAME_CHARS_MAX 24
/* The largest blob that can be stored, in bytes. */
#define PORT_BLOB_BYTES_MAX 2048
/* A numeric IPv4 or IPv6 address without brackets, in characters, without the NUL. */
#define PORT_ADDRESS_CHARS_MAX 45
#define PORT_CHANNEL_MAX 7
/* The most that one transfer on a bus writes or reads, in bytes. */
#define PORT_TRANSFER_BYTES_MAX 40

/*
 * Tables belong in flash: IN_FLASH(const uint32_t table[64]) = { … };
 * The ESP8266 reads its flash in aligned 32-bit words only, so data of any other shape is fetched with flash_copy().
 */
#if defined(__XTENSA_CALL0_ABI__) /* which the ESP32, an Xtensa too, has not */
#define IN_FLASH(declaration) declaration __attribute__((section(".irom.text.shallot"), aligned(4)))
#else
#define IN_FLASH(declaration) declaration __attribute__((aligned(4)))
#endif

/* Copies size bytes out of an IN_FLASH table. from is 4-byte aligned; up to 3 bytes after the end may be read. */
void flash_copy(void *to, const void *from, size_t size);

/* What is erased at once, in bytes. */
#define PORT_SECTOR_BYTES 4096

/*
 * Two places for images, of which one runs. A board's boot loader does the rest: what try_other has chosen is booted once, and any boot
 * after that is the old slot's again, also after a crash, until keep was called. Every call is safe once it has returned: a power cut
 * leaves what was before it or what is after it, but for the bytes that were being written.
 */
struct slots {
  uint32_t bytes; /* that one slot holds */
  /* Which runs, 0 or 1, and whether for one boot only; or SHALLOT_E_PORT_STORAGE. */
  int (*running)(bool *is_trial);
  /* All three act on the slot that does not run; `at` counts from its beginning. 0 or SHALLOT_E_PORT_STORAGE. */
  int (*erase)(uint32_t at); /* the sector that begins there: `at` is a multiple of PORT_SECTOR_BYTES */
  int (*write)(uint32_t at, const uint8_t *data, size_t size); /* erased before, within one sector; `at` is a multiple of 4, data need not be aligned */
  int (*read)(uint32_t at, uint8_t *out, size_t size);
  int (*try_other)(void);
  int (*keep)(void); /* the slot that runs is the one from now on */
  void (*restart)(void);
};

/* Who sent a datagram, and the address of this place on that network. */
struct asker {
  uint8_t address[4]; /* IPv4 */
  uint16_t udp_port;
  uint8_t own[4];
};

/*
 * Connections that others open, for a door to the LAN (core/door.h). Nothing here waits. A place is the port's own number for one of them, 0 or
 * more; at most two are open at a time, and as many more as the network keeps by itself.
 */
struct listener {
  /* Listens on this port, or on one that the place it runs on prefers: the port, SHALLOT_E_MISSING (nobody can connect after all) or _PORT_NETWORK. */
  int (*listen)(uint16_t tcp_port);
  /* Whether somebody stands before the door. */
  bool (*waits)(void);
  /* The place of who came first, or SHALLOT_E_PORT_TIMEOUT: nobody. */
  int (*accept)(void);
  /* Whether `read` has something to say: bytes, or that it is over. */
  bool (*is_readable)(int place);
  /* 1 to capacity bytes, SHALLOT_E_PORT_TIMEOUT (none yet), SHALLOT_E_LINK_CLOSED or SHALLOT_E_PORT_IO. */
  int (*read)(int place, uint8_t *out, size_t capacity);
  /* 1 to size bytes, SHALLOT_E_PORT_TIMEOUT (no room yet) or as `read`. size is 1 or more. */
  int (*write)(int place, const uint8_t *data, size_t size);
  /* Says that nothing more will be written; reading goes on. */
  void (*finish)(int place);
  void (*close)(int place);
  /* The next datagram to the LAN's mDNS group: its size, or SHALLOT_E_PORT_TIMEOUT: none. */
  int (*hear)(uint8_t *out, size_t capacity, struct asker *from);
  /* Sends one from there. What cannot be sent is lost. */
  void (*say)(const uint8_t *data, size_t size, const struct asker *to);
  /* Waits at most timeout_ms until there is something to hear, or to read on the connection to the hub or from who was accepted, or, if wanted, who waits. */
  void (*wait)(uint32_t timeout_ms, bool with_door);
};

struct signer;
struct point_signer;

struct port {
  /* What the firmware runs on, for people: 1 to SHALLOT_LABEL_BYTES_MAX characters. */
  const char *board;

  /* ---- time and chance ---- */

  /* Milliseconds since some fixed moment before the start. Never goes back, also counts while waiting. */
  uint64_t (*now_ms)(void);
  /* Waits. The device does nothing else in between. ms: milliseconds. */
  void (*sleep_ms)(uint32_t ms);
  /* Fills out with size bytes fit for keys. 0, or SHALLOT_E_PORT_IO: then do not go on. */
  int (*random)(uint8_t *out, size_t size);
  /* Processor cycles since the start, for measuring; 0 where the port cannot tell. qemu: instructions, with -icount. */
  uint64_t (*cycles)(void);

  /* ---- one TCP connection at a time ---- */

  /*
   * Connects, closing an older connection first. address: numeric, at most PORT_ADDRESS_CHARS_MAX characters.
   * 0, SHALLOT_E_PORT_NETWORK (refused, no route, not an address) or SHALLOT_E_PORT_TIMEOUT.
   */
  int (*net_open)(const char *address, uint16_t tcp_port, uint32_t timeout_ms);
  /*
   * Reads 1 to capacity bytes, waiting at most timeout_ms for the first (0: do not wait).
   * A count, SHALLOT_E_PORT_TIMEOUT, SHALLOT_E_LINK_CLOSED (ended by the other side or not open) or SHALLOT_E_PORT_IO.
   */
  int (*net_read)(uint8_t *out, size_t capacity, uint32_t timeout_ms);
  /*
   * Writes 1 to size bytes, waiting at most timeout_ms for room. Errors as net_read. size is 1 or more.
   */
  int (*net_write)(const uint8_t *data, size_t size, uint32_t timeout_ms);
  /* Closes at once; nothing happens when nothing is open. */
  void (*net_close)(void);

  /* NULL: nobody can connect to this place. */
  const struct listener *listener;

  /*
   * Sends one datagram to the LAN's mDNS group (224.0.0.251, UDP port 5353) and waits at most timeout_ms for one that comes back to
   * where it was sent from (RFC 6762 §5.1, §6.7). Its size, SHALLOT_E_PORT_TIMEOUT or SHALLOT_E_PORT_NETWORK.
   */
  int (*lan_ask)(const uint8_t *question, size_t size, uint8_t *answer, size_t capacity, uint32_t timeout_ms);

  /*
   * Joins a Wi-Fi network, and joins it again by itself whenever it is lost, until told another. password: "": an open one. Waits at
   * most timeout_ms; with 0 it only begins. 0, SHALLOT_E_WIFI_ABSENT (nobody of this name), _WIFI_REFUSED (another password) or
   * _PORT_TIMEOUT. NULL: this place has a network without. The port keeps no name and no password in storage: core/wifi.h does.
   */
  int (*wifi_join)(const char *name, const char *password, uint32_t timeout_ms);

  /* ---- storage: small named blobs that survive a restart ---- */

  /* Reads a whole blob: its size, SHALLOT_E_MISSING, SHALLOT_E_OUT_OF_SPACE (capacity too small) or _PORT_STORAGE. */
  int (*blob_read)(const char *name, uint8_t *out, size_t capacity);
  /* Replaces a blob: after a power cut there is the old one or the new one. 0 once it is safe, or _PORT_STORAGE. */
  int (*blob_write)(const char *name, const uint8_t *data, size_t size);
  /* Removes a blob. 0 also when there was none, or SHALLOT_E_PORT_STORAGE. */
  int (*blob_remove)(const char *name);

  /* NULL: this board has no place for a second image. */
  const struct slots *slots;

  /* ---- console: a serial line on boards, standard input and output elsewhere ---- */

  /* Writes one line; the port adds the line end. Secrets are never logged. */
  void (*log)(const char *line);
  /*
   * Reads one line without its end, NUL-terminated, waiting at most timeout_ms for it to be complete.
   * Its length, SHALLOT_E_PORT_TIMEOUT (what was typed so far is kept), SHALLOT_E_OUT_OF_SPACE (the line did not fit
   * and was dropped) or SHALLOT_E_LINK_CLOSED (there is no console). Always call it with the same buffer.
   */
  int (*read_line)(char *out, size_t capacity, uint32_t timeout_ms);

  /*
   * ---- pins and buses ----
   * A channel is 0 to PORT_CHANNEL_MAX; which pin of the board it is, the port's own table says. Anything that nobody answers is
   * SHALLOT_E_DEVICE_FAULT.
   */

  /* Drives an output to level: 0 off to 1000 fully on (a fast PWM in between). 0, or SHALLOT_E_DEVICE_FAULT. */
  int (*output_set)(int channel, int32_t level);
  /* Repeats a pulse on an output: high for high_us of every period_us, until told otherwise; 0 high: low. For servos. */
  int (*pulse_set)(int channel, uint16_t period_us, uint16_t high_us);
  /* The level of an input: 0 or 1, or SHALLOT_E_DEVICE_FAULT. */
  int (*pin_read)(int channel);
  /*
   * Holds a line low for wake_us, lets go, and measures the `count` high pulses that somebody answers with, in microseconds.
   * 0, or SHALLOT_E_DEVICE_FAULT when fewer came.
   */
  int (*pulses_read)(int channel, uint16_t wake_us, uint16_t *high_us, size_t count);
  /* Writes out, then, after a repeated start, reads in; either may be empty. address: 7 bits. 0, or _DEVICE_FAULT: not acknowledged. */
  int (*i2c_transfer)(uint8_t address, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size);
  /* 1-Wire: reset, then writes out, then reads in. 0, or SHALLOT_E_DEVICE_FAULT: no presence pulse. */
  int (*onewire_transfer)(int channel, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size);
  /*
   * Takes the oldest burst that a Wiegand reader has sent since the start (a pause of 25 ms ends one), its first bit highest.
   * How many bits it had, 1 to 64, or 0 when none waits. A port keeps at least 16; later ones are lost.
   */
  int (*wiegand_read)(uint64_t *bits);

  /* The chip on this board that keeps the device's key (core/signer.h). NULL: the key is in software, on flash. */
  const struct signer *signer;
  /* The same for the key of its door to the LAN, which is of another kind. */
  const struct point_signer *point_signer;

  /*
   * ---- pictures: a camera's own parallel bus, which boards read in hardware; all NULL: there is none ----
   */

  /*
   * Makes the camera ready, anew if it was, and drops what was kept: 0, or SHALLOT_E_DEVICE_FAULT: nobody answers, or another chip does.
   * NULL: it is set up by its registers, over i2c_transfer.
   */
  int (*capture_begin)(void);

  /* Waits at most timeout_ms for the next frame and keeps it, in place of another: its size in bytes, or SHALLOT_E_DEVICE_FAULT. */
  int (*capture_take)(uint32_t timeout_ms);
  /* Copies `size` bytes of the frame that is kept, from `at`. 0, or SHALLOT_E_DEVICE_FAULT: it has not so many. */
  int (*capture_read)(uint32_t at, uint8_t *out, size_t size);
  void (*capture_drop)(void);
};

/* The application, written in app/. The port calls it once; what it returns becomes the exit status where there is one. */
int app_main(const struct port *port);

#endif
