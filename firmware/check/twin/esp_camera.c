// SPDX-License-Identifier: GPL-3.0-or-later
#include "esp_camera.h"

#include <esp_camera.h>
#include <string.h>

enum { GPIO_MOST = 39, PLAIN_BYTES = 30000 };

struct esp_camera_twin esp_camera_twin;
static struct esp_camera_twin *const twin = &esp_camera_twin;

static uint8_t bytes[ESP_CAMERA_TWIN_BYTES_MAX];
static camera_fb_t frame = {.buf = bytes};
static sensor_t sensor;
static bool is_running, is_out;

void esp_camera_twin_new(void) {
  *twin = (struct esp_camera_twin){.sensor = ESP_CAMERA_TWIN_OV2640, .size = PLAIN_BYTES};
  is_running = is_out = false;
}

static size_t buffer_bytes(void) { return twin->told.is_vga ? 640 * 480 / 5 : 400 * 296 / 5; }

/* A frame is taken now; its length is 0 when there is none. */
static void fill(void) {
  bool fits = twin->size <= buffer_bytes() || twin->is_too_large_told;
  frame.len = fits && twin->size <= sizeof bytes ? twin->size : 0;
  memset(bytes, twin->scene, sizeof bytes);
  if (frame.len >= 2 && !twin->has_no_beginning) bytes[0] = 0xff, bytes[1] = 0xd8;
  if (frame.len >= 4 && !twin->has_no_end) bytes[frame.len - 2] = 0xff, bytes[frame.len - 1] = 0xd9;
}

static bool is_gpio(int pin) { return pin >= 0 && pin <= GPIO_MOST; }

static bool pins_are_sound(const camera_config_t *config) {
  const int pins[] = {config->pin_pwdn, config->pin_xclk, config->pin_sccb_sda, config->pin_sccb_scl, config->pin_d0, config->pin_d1, config->pin_d2,
                      config->pin_d3, config->pin_d4, config->pin_d5, config->pin_d6, config->pin_d7, config->pin_vsync, config->pin_href, config->pin_pclk};
  for (size_t i = 0; i < sizeof pins / sizeof pins[0]; i++) {
    if (!is_gpio(pins[i])) return false;
    for (size_t j = 0; j < i; j++)
      if (pins[i] == pins[j]) return false;
  }
  return true;
}

esp_err_t esp_camera_init(const camera_config_t *config) {
  bool is_sound = pins_are_sound(config) && config->fb_count == 1 && config->pixel_format == PIXFORMAT_JPEG;
  if (is_running || !is_sound) twin->misuses++;
  if (is_running || !is_sound || twin->sensor == 0) return ESP_FAIL;
  twin->starts++;
  twin->told.is_vga = config->frame_size == FRAMESIZE_VGA;
  twin->told.is_in_psram = config->fb_location == CAMERA_FB_IN_PSRAM;
  twin->told.power = config->pin_pwdn, twin->told.clock = config->pin_xclk, twin->told.reset = config->pin_reset;
  twin->told.d0 = config->pin_d0, twin->told.d7 = config->pin_d7, twin->told.pclk = config->pin_pclk;
  sensor.id.PID = (uint16_t)twin->sensor;
  is_running = true;
  fill();
  return ESP_OK;
}

esp_err_t esp_camera_deinit(void) {
  if (!is_running || is_out) twin->misuses++;
  is_running = is_out = false;
  return ESP_OK;
}

/* Of a camera that has gone the driver still has what was in the buffer before. */
camera_fb_t *esp_camera_fb_get(void) {
  if (!is_running || is_out) twin->misuses++;
  if (!is_running || is_out) return NULL;
  if (frame.len == 0) fill();
  is_out = frame.len > 0;
  return is_out ? &frame : NULL;
}

void esp_camera_fb_return(camera_fb_t *given) {
  if (given != &frame || !is_out) twin->misuses++;
  is_out = false;
  fill();
}

sensor_t *esp_camera_sensor_get(void) { return is_running ? &sensor : NULL; }
