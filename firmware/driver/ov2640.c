// SPDX-License-Identifier: GPL-3.0-or-later
#include "ov2640.h"

#include <stdbool.h>

enum {
  BANK_SELECT = 0xff,
  BANK_SENSOR = 0x01,
  COM7 = 0x12,
  COM7_RESET = 0x80,
  PRODUCT_HIGH = 0x0a,
  PRODUCT_LOW = 0x0b,
  IS_OV2640 = 0x26,
  REVISION_LEAST = 0x41, /* the data sheet's tables have 41 and 42 */
  REVISION_MOST = 0x42,
  RESET_MS = 10,
  MARKER = 0xff,
  START_OF_IMAGE = 0xd8,
  END_OF_IMAGE = 0xd9,
  LEAST_BYTES = 4,
  PADDING_MOST = 32 /* a capture in words of a bus may end in so many zeros */
};

static int register_write(const struct port *port, uint8_t at, uint8_t value) {
  const uint8_t bytes[] = {at, value};
  return port->i2c_transfer(OV2640_ADDRESS, bytes, sizeof bytes, NULL, 0);
}

/* SCCB has no repeated start: the place is written in one transfer, and read in another. */
static int register_read(const struct port *port, uint8_t at, uint8_t *value) {
  int fault = port->i2c_transfer(OV2640_ADDRESS, &at, 1, NULL, 0);
  return fault ? fault : port->i2c_transfer(OV2640_ADDRESS, NULL, 0, value, 1);
}

static bool is_ours(const struct port *port) {
  uint8_t high = 0, low = 0;
  if (register_read(port, PRODUCT_HIGH, &high) != 0 || register_read(port, PRODUCT_LOW, &low) != 0) return false;
  return high == IS_OV2640 && low >= REVISION_LEAST && low <= REVISION_MOST;
}

/* Whether the chip was reset, and is one of these. */
static bool registers_begin(const struct port *port) {
  if (register_write(port, BANK_SELECT, BANK_SENSOR) != 0 || register_write(port, COM7, COM7_RESET) != 0) return false;
  port->sleep_ms(RESET_MS);
  return register_write(port, BANK_SELECT, BANK_SENSOR) == 0 && is_ours(port);
}

int ov2640_open(struct ov2640 *camera, const struct port *port) {
  *camera = (struct ov2640){.port = port, .fault = SHALLOT_FAULT_ABSENT};
  if (port->capture_take == NULL) return SHALLOT_E_DEVICE_FAULT;
  bool has_begun = port->capture_begin != NULL ? port->capture_begin() == 0 : registers_begin(port);
  if (!has_begun) return SHALLOT_E_DEVICE_FAULT;
  port->capture_drop();
  camera->fault = SHALLOT_FAULT_NONE;
  return 0;
}

void ov2640_drop(struct ov2640 *camera) {
  if (camera->size > 0) camera->port->capture_drop();
  camera->size = 0;
}

int ov2640_read(const struct ov2640 *camera, size_t at, uint8_t *out, size_t size) {
  if (size > camera->size || at > camera->size - size) return SHALLOT_E_DEVICE_FAULT;
  return camera->port->capture_read((uint32_t)at, out, size) == 0 ? 0 : SHALLOT_E_DEVICE_FAULT;
}

static bool is_pair(const struct ov2640 *camera, size_t at, uint8_t second) {
  uint8_t pair[2];
  return ov2640_read(camera, at, pair, sizeof pair) == 0 && pair[0] == MARKER && pair[1] == second;
}

/* Where the picture ends: behind its last marker, over which there may be zeros alone. 0: it has none. */
static uint32_t end_of(const struct ov2640 *camera) {
  for (uint32_t zeros = 0; zeros <= PADDING_MOST && camera->size >= LEAST_BYTES + zeros; zeros++) {
    uint32_t end = camera->size - zeros;
    uint8_t last;
    if (is_pair(camera, end - 2, END_OF_IMAGE)) return end;
    if (ov2640_read(camera, end - 1, &last, 1) != 0 || last != 0) return 0;
  }
  return 0;
}

/* What came, as a fault; without one it is a whole picture. */
static uint8_t judge(struct ov2640 *camera, int came) {
  if (came <= 0) return SHALLOT_FAULT_ABSENT;
  camera->size = (uint32_t)came;
  if (camera->size > OV2640_BYTES_MAX) return SHALLOT_FAULT_RANGE;
  if (camera->size < LEAST_BYTES || !is_pair(camera, 0, START_OF_IMAGE)) return SHALLOT_FAULT_CHECKSUM;
  uint32_t end = end_of(camera);
  if (end == 0) return SHALLOT_FAULT_CHECKSUM;
  camera->size = end;
  return SHALLOT_FAULT_NONE;
}

int ov2640_look(struct ov2640 *camera, uint64_t now_ms) {
  if (camera->port->capture_take == NULL) return SHALLOT_E_DEVICE_FAULT;
  if (now_ms < camera->rests_until_ms) return SHALLOT_E_BUSY;
  camera->rests_until_ms = now_ms + OV2640_REST_MS;
  ov2640_drop(camera);
  camera->fault = judge(camera, camera->port->capture_take(OV2640_FRAME_MS_MAX));
  if (camera->fault == SHALLOT_FAULT_NONE) return 0;
  /* Also what has no bytes, or too many to be counted as kept. */
  camera->size = 0;
  camera->port->capture_drop();
  return SHALLOT_E_DEVICE_FAULT;
}
