// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The camera of an ESP32-CAM as its port has it (port/esp32cam), over a twin of Espressif's driver (twin/esp_camera.h), and the driver of the
 * sensor on top of it. Prints `ok CLAIM` or `FAILED CLAIM`; the status is the number that failed.
 */
#include <string.h>

#include "../core/line.h"
#include "../driver/ov2640.h"
#include "../port/esp32cam/capture.h"
#include "twin/esp_camera.h"

static const struct port *console;
static int failed;

static void claim(bool holds, const char *what) {
  struct line line = {.size = 0};
  line_add(&line, holds ? "ok " : "FAILED ");
  line_add(&line, what);
  console->log(line.text);
  failed += !holds;
}

/* ---- a board ---- */

static int pins[CAPTURE_PINS];
static bool has_psram;

static int begin(void) { return esp32cam_begin(pins, has_psram); }

static const struct port board = {
    .capture_begin = begin, .capture_take = esp32cam_take, .capture_read = esp32cam_read, .capture_drop = esp32cam_drop};

static struct ov2640 camera;
static uint64_t now_ms;

/* The port outlives a test: what it thinks is running was switched off. */
static int switch_on(void) {
  esp_camera_twin_new();
  esp_camera_twin.sensor = 0;
  begin();
  esp_camera_twin_new();
  now_ms += OV2640_REST_MS;
  return ov2640_open(&camera, &board);
}

static int look(void) { return ov2640_look(&camera, now_ms += OV2640_REST_MS); }

static bool sees(uint8_t scene) {
  uint8_t byte = 0;
  return look() == 0 && ov2640_read(&camera, camera.size / 2, &byte, 1) == 0 && byte == scene;
}

/* ---- claims ---- */

static void setup_claims(void) {
  has_psram = true;
  claim(switch_on() == 0 && esp_camera_twin.starts == 1, "a camera that answers is ready");
  bool is_wired = esp_camera_twin.told.power == 1 && esp_camera_twin.told.clock == 2 && esp_camera_twin.told.reset < 0;
  is_wired = is_wired && esp_camera_twin.told.d0 == 5 && esp_camera_twin.told.d7 == 12 && esp_camera_twin.told.pclk == 15;
  claim(is_wired, "each pin is what the wiring says");
  claim(esp_camera_twin.told.is_vga && esp_camera_twin.told.is_in_psram, "with PSRAM it takes VGA, and keeps it there");
  has_psram = false;
  switch_on();
  claim(!esp_camera_twin.told.is_vga && !esp_camera_twin.told.is_in_psram, "without it less");
  claim((unsigned)CAPTURE_BYTES_MAX <= OV2640_BYTES_MAX && (unsigned)CAPTURE_BYTES_MAX_WITHOUT_PSRAM < (unsigned)CAPTURE_BYTES_MAX, "no buffer holds more than a still may have");
  has_psram = true;
  esp_camera_twin_new();
  esp_camera_twin.sensor = 0;
  claim(switch_on() == 0, "and after a restart it is ready again");
}

static void fault_claims(void) {
  switch_on();
  esp_camera_twin.sensor = 0;
  claim(begin() == SHALLOT_E_DEVICE_FAULT && look() == SHALLOT_E_DEVICE_FAULT && camera.fault == SHALLOT_FAULT_ABSENT, "one that does not answer gives no picture");
  esp_camera_twin.sensor = 0x3660;
  claim(ov2640_open(&camera, &board) == SHALLOT_E_DEVICE_FAULT && esp32cam_take(0) == SHALLOT_E_DEVICE_FAULT, "nor does another sensor");
  esp_camera_twin.sensor = ESP_CAMERA_TWIN_OV2640;
  claim(ov2640_open(&camera, &board) == 0 && look() == 0 && camera.size == esp_camera_twin.size, "but the right one, when it is there again");
  esp_camera_twin.size = 0;
  claim(look() == SHALLOT_E_DEVICE_FAULT && camera.fault == SHALLOT_FAULT_ABSENT && camera.size == 0, "no frame in time is absent, also after one that was good");
  esp_camera_twin.size = CAPTURE_BYTES_MAX;
  claim(look() == 0 && camera.size == CAPTURE_BYTES_MAX, "a frame that fills its buffer is a picture");
  esp_camera_twin.size = CAPTURE_BYTES_MAX + 1;
  claim(look() == SHALLOT_E_DEVICE_FAULT && camera.fault == SHALLOT_FAULT_ABSENT, "one that does not fit never comes");
  esp_camera_twin.size = OV2640_BYTES_MAX + 1;
  esp_camera_twin.is_too_large_told = true;
  claim(look() == SHALLOT_E_DEVICE_FAULT && camera.fault == SHALLOT_FAULT_RANGE, "and from a driver that hands it out all the same it is out of range");
  esp_camera_twin.size = 20000;
  esp_camera_twin.has_no_beginning = true;
  claim(look() == SHALLOT_E_DEVICE_FAULT && camera.fault == SHALLOT_FAULT_CHECKSUM, "what does not begin as a JPEG is none");
  esp_camera_twin.has_no_beginning = false;
  esp_camera_twin.has_no_end = true;
  esp_camera_twin.scene = 0x55;
  claim(look() == SHALLOT_E_DEVICE_FAULT && camera.fault == SHALLOT_FAULT_CHECKSUM, "nor is one that was cut off");
  esp_camera_twin.has_no_end = false;
  claim(look() == 0 && camera.fault == SHALLOT_FAULT_NONE, "and the next good one is a picture again");
  claim(esp_camera_twin.misuses == 0, "through all of it every frame was given back once");
}

static void frame_claims(void) {
  uint8_t piece[512];
  bool all = true;
  switch_on();
  esp_camera_twin.scene = 7;
  claim(sees(7), "what is before the lens when it is asked is what it sees, not what was there at the start");
  esp_camera_twin.scene = 9;
  claim(ov2640_read(&camera, 100, piece, 1) == 0 && piece[0] == 7, "what is kept does not change");
  ov2640_drop(&camera);
  esp_camera_twin.scene = 11;
  claim(sees(11), "nor does it see what was there when the last one went");
  for (size_t at = 0; at < camera.size; at += sizeof piece) {
    size_t size = camera.size - at < sizeof piece ? camera.size - at : sizeof piece;
    all = all && ov2640_read(&camera, at, piece, size) == 0;
  }
  claim(all && piece[camera.size % sizeof piece - 1] == 0xd9, "it can be read in pieces to its last byte");
  claim(esp32cam_read(camera.size, piece, 1) == SHALLOT_E_DEVICE_FAULT && esp32cam_read(UINT32_MAX, piece, 2) == SHALLOT_E_DEVICE_FAULT &&
            esp32cam_read(0, piece, SIZE_MAX) == SHALLOT_E_DEVICE_FAULT,
        "and not behind it");
  ov2640_drop(&camera);
  claim(esp32cam_read(0, piece, 1) == SHALLOT_E_DEVICE_FAULT, "nor at all, once it is dropped");
  esp32cam_drop();
  look();
  look();
  claim(begin() == 0 && esp32cam_read(0, piece, 1) == SHALLOT_E_DEVICE_FAULT, "a new start drops what was kept");
  claim(esp_camera_twin.misuses == 0, "and through all of it every frame was given back once");
}

int app_main(const struct port *port) {
  console = port;
  for (int i = 0; i < CAPTURE_PINS; i++) pins[i] = i + 1;
  setup_claims();
  fault_claims();
  frame_claims();
  log_text(port, "end");
  return failed;
}
