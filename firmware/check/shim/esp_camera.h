// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Espressif's camera driver (esp32-camera 2), which Arduino's core 2.0.17 brings for the ESP32: of its names and fields those that
 * port/esp32cam says, in an order of our own. This has a twin that runs, check/twin/esp_camera.c.
 */
#ifndef SHIM_ESP_CAMERA_H
#define SHIM_ESP_CAMERA_H

#include <esp_partition.h>

#define OV2640_PID 0x26

typedef enum { LEDC_TIMER_0, LEDC_TIMER_3 = 3 } ledc_timer_t;
typedef enum { LEDC_CHANNEL_0, LEDC_CHANNEL_7 = 7 } ledc_channel_t;
typedef enum { PIXFORMAT_RGB565, PIXFORMAT_JPEG = 4 } pixformat_t;
typedef enum { FRAMESIZE_CIF = 8, FRAMESIZE_VGA = 10, FRAMESIZE_UXGA = 15 } framesize_t;
typedef enum { CAMERA_FB_IN_PSRAM, CAMERA_FB_IN_DRAM } camera_fb_location_t;
typedef enum { CAMERA_GRAB_WHEN_EMPTY, CAMERA_GRAB_LATEST } camera_grab_mode_t;

typedef struct {
  int pin_pwdn;
  int pin_reset;
  int pin_xclk;
  int pin_sccb_sda;
  int pin_sccb_scl;
  int pin_d7;
  int pin_d6;
  int pin_d5;
  int pin_d4;
  int pin_d3;
  int pin_d2;
  int pin_d1;
  int pin_d0;
  int pin_vsync;
  int pin_href;
  int pin_pclk;
  int xclk_freq_hz;
  ledc_timer_t ledc_timer;
  ledc_channel_t ledc_channel;
  pixformat_t pixel_format;
  framesize_t frame_size;
  int jpeg_quality;
  size_t fb_count;
  camera_fb_location_t fb_location;
  camera_grab_mode_t grab_mode;
} camera_config_t;

typedef struct {
  uint8_t *buf;
  size_t len;
  size_t width;
  size_t height;
  pixformat_t format;
} camera_fb_t;

typedef struct {
  struct {
    uint16_t PID;
  } id;
} sensor_t;

esp_err_t esp_camera_init(const camera_config_t *config);
esp_err_t esp_camera_deinit(void);
camera_fb_t *esp_camera_fb_get(void);
void esp_camera_fb_return(camera_fb_t *frame);
sensor_t *esp_camera_sensor_get(void);

#endif
