// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Parts that no app has, on the port's real pins, with the chips and switches of scripts/twins at their ends. The first line says which:
 * `motor` (bridge on outputs 1 and 2, its ends on inputs 5 and 6, at most 3 s), `keys` (rows from output 0, columns from input 0), `light`
 * (outputs 3 to 5, a buzzer on 1, a PIR on input 3, which settles for 300 ms), `camera` (an OV2640; pictures go to the console in hexadecimal). Then orders, a line each, until `end`; what happens is told in lines.
 */
#include <string.h>

#include "../core/line.h"
#include "../driver/buzzer.h"
#include "../driver/keypad.h"
#include "../driver/matrix.h"
#include "../driver/motor.h"
#include "../driver/ov2640.h"
#include "../driver/pir.h"
#include "../driver/rgb.h"

enum { PIECE_BYTES = 32, LINE_BYTES = 2 * PIECE_BYTES + 2, LOOK_MS = 20, RUN_MS_MAX = 3000, WARM_MS = 300 };

static const struct port *port;
static struct motor motor;
static struct keypad keypad;
static struct matrix matrix;
static struct rgb light;
static struct buzzer buzzer;
static struct pir pir;
static struct ov2640 camera;
static bool was_fault;

static int32_t number_in(const char *text) {
  int32_t number = 0;
  bool is_negative = *text == '-';
  for (text += is_negative; *text >= '0' && *text <= '9'; text++) number = number * 10 + (*text - '0');
  return is_negative ? -number : number;
}

/* A fault is told when it comes and when it goes. */
static void fault_tell(bool is_fault) {
  if (is_fault != was_fault) log_text(port, is_fault ? "fault" : "well again");
  was_fault = is_fault;
}

static void answer(const char *what, int outcome) { log_number(port, what, outcome, ""); }

/* ---- what each does with time, and with orders ---- */

static void motor_time(uint64_t now_ms) {
  int outcome = motor_step(&motor, now_ms);
  if (outcome != 0) answer("stopped ", outcome);
}

static void motor_order(const char *order, uint64_t now_ms) {
  if (strncmp(order, "run ", 4) == 0) answer("run ", motor_run(&motor, number_in(order + 4), now_ms));
  if (strcmp(order, "lost") == 0) answer("lost ", motor_link_lost(&motor, now_ms));
}

static void keys_time(uint64_t now_ms) {
  bool was_up = matrix.is_up;
  int key = matrix_look(&matrix, now_ms);
  fault_tell(key < 0);
  if (matrix.is_up != was_up) log_text(port, was_up ? "down" : "up");
  if (key < 0 || key == MATRIX_NONE) return;
  log_number(port, "key ", key, "");
  if (keypad_press(&keypad, (unsigned)key, now_ms) == 0) return;
  log_number(port, "entry of ", keypad.size, "");
  keypad_clear(&keypad);
}

static void light_time(uint64_t now_ms) {
  if (buzzer_step(&buzzer, now_ms) != 0) log_text(port, "buzzer fault");
  int outcome = pir_look(&pir, now_ms);
  fault_tell(outcome < 0);
  if (outcome == DEBOUNCED_CHANGED) log_number(port, "motion ", pir.is_motion, "");
}

static void light_order(const char *order, uint64_t now_ms) {
  (void)now_ms;
  if (strncmp(order, "color ", 6) == 0) answer("color ", rgb_set(&light, number_in(order + 6), 100));
  if (strncmp(order, "buzz ", 5) == 0) buzzer_sound(&buzzer, number_in(order + 5));
}

static char digit_of(unsigned four) { return (char)(four < 10 ? '0' + four : 'a' + four - 10); }

/* A line `.` and the bytes for each piece. */
static void picture_say(void) {
  uint8_t piece[PIECE_BYTES];
  char line[LINE_BYTES];
  for (size_t at = 0; at < camera.size; at += sizeof piece) {
    size_t size = camera.size - at < sizeof piece ? camera.size - at : sizeof piece;
    size_t to = 0;
    if (ov2640_read(&camera, at, piece, size) != 0) return log_text(port, "picture lost");
    line[to++] = '.';
    for (size_t i = 0; i < size; i++) {
      line[to++] = digit_of(piece[i] >> 4);
      line[to++] = digit_of(piece[i] & 15);
    }
    line[to] = '\0';
    port->log(line);
  }
}

static void camera_order(const char *order, uint64_t now_ms) {
  uint8_t byte;
  if (strcmp(order, "look") == 0) {
    int outcome = ov2640_look(&camera, now_ms);
    log_number(port, "fault ", camera.fault, "");
    answer("looked ", outcome);
  }
  if (strcmp(order, "say") == 0) picture_say();
  if (strcmp(order, "beyond") == 0) answer("beyond ", ov2640_read(&camera, camera.size, &byte, 1));
  if (strcmp(order, "drop") == 0) ov2640_drop(&camera);
  log_number(port, "kept ", camera.size, "");
}

static void nothing_time(uint64_t now_ms) { (void)now_ms; }

static void nothing_order(const char *order, uint64_t now_ms) {
  (void)order;
  (void)now_ms;
}

static int open_all(const char *which, uint64_t now_ms) {
  motor = (struct motor){.port = port, .forward_channel = 1, .backward_channel = 2, .forward_end = 5, .backward_end = 6, .runs_ms_max = RUN_MS_MAX};
  matrix = (struct matrix){.port = port, .first_row = 0, .first_column = 0};
  light = (struct rgb){port, 3};
  buzzer = (struct buzzer){.port = port, .channel = 1, .period_us = 250};
  keypad_open(&keypad, port);
  pir_open(&pir, port, 3, WARM_MS, now_ms);
  if (strcmp(which, "motor") == 0) return motor_open(&motor);
  if (strcmp(which, "camera") == 0) return ov2640_open(&camera, port);
  if (strcmp(which, "keys") == 0) return matrix_open(&matrix, now_ms);
  return rgb_open(&light) | buzzer_open(&buzzer);
}

int app_main(const struct port *given) {
  char line[LINE_BYTES];
  port = given;
  while (port->read_line(line, sizeof line, 1000) < 0) {}
  bool is_motor = strcmp(line, "motor") == 0;
  bool is_keys = strcmp(line, "keys") == 0;
  bool is_camera = strcmp(line, "camera") == 0;
  void (*time)(uint64_t) = is_motor ? motor_time : is_keys ? keys_time : is_camera ? nothing_time : light_time;
  void (*order)(const char *, uint64_t) = is_motor ? motor_order : is_keys ? nothing_order : is_camera ? camera_order : light_order;
  answer("opened ", open_all(line, port->now_ms()));
  for (;;) {
    int size = port->read_line(line, sizeof line, LOOK_MS);
    if (size == SHALLOT_E_LINK_CLOSED || (size >= 0 && strcmp(line, "end") == 0)) return 0;
    if (size >= 0) order(line, port->now_ms());
    time(port->now_ms());
  }
}
