// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture.h"

#include <esp_camera.h>
#include <string.h>

enum { NOT_CONNECTED = -1, CLOCK_HZ = 20000000, QUALITY = 12 /* 0 is best, 63 worst */ };

static bool has_begun;
static camera_fb_t *kept;

static camera_config_t config_of(const int pins[CAPTURE_PINS], bool has_psram) {
  return (camera_config_t){
      .pin_pwdn = pins[CAPTURE_POWER],
      .pin_reset = NOT_CONNECTED,
      .pin_xclk = pins[CAPTURE_CLOCK],
      .pin_sccb_sda = pins[CAPTURE_SDA],
      .pin_sccb_scl = pins[CAPTURE_SCL],
      .pin_d7 = pins[CAPTURE_D7],
      .pin_d6 = pins[CAPTURE_D0 + 6],
      .pin_d5 = pins[CAPTURE_D0 + 5],
      .pin_d4 = pins[CAPTURE_D0 + 4],
      .pin_d3 = pins[CAPTURE_D0 + 3],
      .pin_d2 = pins[CAPTURE_D0 + 2],
      .pin_d1 = pins[CAPTURE_D0 + 1],
      .pin_d0 = pins[CAPTURE_D0],
      .pin_vsync = pins[CAPTURE_VSYNC],
      .pin_href = pins[CAPTURE_HREF],
      .pin_pclk = pins[CAPTURE_PCLK],
      .xclk_freq_hz = CLOCK_HZ,
      /* Arduino's PWM takes them from the other end. */
      .ledc_timer = LEDC_TIMER_3,
      .ledc_channel = LEDC_CHANNEL_7,
      .pixel_format = PIXFORMAT_JPEG,
      .frame_size = has_psram ? FRAMESIZE_VGA : FRAMESIZE_CIF,
      .jpeg_quality = QUALITY,
      .fb_count = 1,
      .fb_location = has_psram ? CAMERA_FB_IN_PSRAM : CAMERA_FB_IN_DRAM,
      .grab_mode = CAMERA_GRAB_WHEN_EMPTY,
  };
}

static bool is_ours(void) {
  const sensor_t *sensor = esp_camera_sensor_get();
  return sensor != NULL && sensor->id.PID == OV2640_PID;
}

static void end(void) {
  esp32cam_drop();
  if (has_begun) esp_camera_deinit();
  has_begun = false;
}

int esp32cam_begin(const int pins[CAPTURE_PINS], bool has_psram) {
  const camera_config_t config = config_of(pins, has_psram);
  end();
  has_begun = esp_camera_init(&config) == ESP_OK;
  if (has_begun && is_ours()) return 0;
  end();
  return SHALLOT_E_DEVICE_FAULT;
}

/* The driver fills its one buffer as soon as it is given back, so what it has first is as old as that. */
static camera_fb_t *fresh_frame(void) {
  camera_fb_t *old = esp_camera_fb_get();
  if (old == NULL) return NULL;
  esp_camera_fb_return(old);
  return esp_camera_fb_get();
}

int esp32cam_take(uint32_t timeout_ms) {
  (void)timeout_ms;
  esp32cam_drop();
  if (!has_begun) return SHALLOT_E_DEVICE_FAULT;
  kept = fresh_frame();
  return kept == NULL ? SHALLOT_E_DEVICE_FAULT : (int)kept->len;
}

int esp32cam_read(uint32_t at, uint8_t *out, size_t size) {
  if (kept == NULL || size > kept->len || at > kept->len - size) return SHALLOT_E_DEVICE_FAULT;
  memcpy(out, kept->buf + at, size);
  return 0;
}

void esp32cam_drop(void) {
  if (kept != NULL) esp_camera_fb_return(kept);
  kept = NULL;
}
