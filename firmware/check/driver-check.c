// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Drivers against the examples that datasheets print, and against boards that lie: a port of this program's own stands in for pins and buses.
 * Prints a line `ok CLAIM` or `FAILED CLAIM` for each; the status is the number that failed. Chips that behave are played by scripts/twins.
 */
#include <string.h>

#include "../core/line.h"
#include "../driver/bme280.h"
#include "../driver/buzzer.h"
#include "../driver/debounced.h"
#include "../driver/dht22.h"
#include "../driver/ds18b20.h"
#include "../driver/keypad.h"
#include "../driver/matrix.h"
#include "../driver/motor.h"
#include "../driver/ov2640.h"
#include "../driver/pir.h"
#include "../driver/relay.h"
#include "../driver/rgb.h"
#include "../driver/servo.h"
#include "../driver/sht3x.h"

static const struct port *console;
static int failed;

static void claim(bool holds, const char *what) {
  struct line line = {.size = 0};
  line_add(&line, holds ? "ok " : "FAILED ");
  line_add(&line, what);
  console->log(line.text);
  failed += !holds;
}

/* ---- a board that answers what it is told to ---- */

enum { BROKEN = -1, OUTPUTS = 8 };

static struct {
  int32_t output[OUTPUTS];
  uint16_t pulse;
  int pins[OUTPUTS];
  unsigned keys[OUTPUTS]; /* of a matrix: by row, a bit for each column that a key connects it to */
  bool has_matrix;
  bool outputs_broken;
  bool both_were_high;
  const uint8_t *answer;
  size_t answer_size;
  int frame_size; /* of what is captured: a beginning, noise, an end; BROKEN: none comes */
  int frames_kept;
} board;

static void quiet(const char *line) { (void)line; }
static void no_sleep(uint32_t ms) { (void)ms; }

static int output_set(int channel, int32_t level) {
  if (board.outputs_broken) return SHALLOT_E_DEVICE_FAULT;
  board.output[channel] = level;
  if (board.output[1] > 0 && board.output[2] > 0) board.both_were_high = true;
  return 0;
}

static int pulse_set(int channel, uint16_t period_us, uint16_t high_us) {
  (void)channel;
  (void)period_us;
  if (board.outputs_broken) return SHALLOT_E_DEVICE_FAULT;
  board.pulse = high_us;
  return 0;
}

/* Rows on outputs 3 to 6, columns on inputs 0 to 2. */
enum { MATRIX_ROW = 3 };

static int matrix_level(int column) {
  for (int row = 0; row < MATRIX_ROWS; row++) {
    if (board.output[MATRIX_ROW + row] > 0 && (board.keys[row] >> column & 1)) return 1;
  }
  return 0;
}

static int pin_read(int channel) {
  if (board.pins[channel] == BROKEN) return SHALLOT_E_DEVICE_FAULT;
  return board.has_matrix ? matrix_level(channel) : board.pins[channel];
}

static int i2c_transfer(uint8_t address, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size) {
  (void)address;
  (void)out;
  (void)out_size;
  if (in_size == 0) return 0;
  if (board.answer == NULL || in_size > board.answer_size) return SHALLOT_E_DEVICE_FAULT;
  memcpy(in, board.answer, in_size);
  return 0;
}

static int capture_take(uint32_t timeout_ms) {
  (void)timeout_ms;
  if (board.frame_size == BROKEN) return SHALLOT_E_DEVICE_FAULT;
  board.frames_kept = 1;
  return board.frame_size;
}

static uint8_t frame_byte(size_t at) {
  size_t size = (size_t)board.frame_size;
  if (at == 0 || at == size - 2) return 0xff;
  return at == 1 ? 0xd8 : at == size - 1 ? 0xd9 : 0x55;
}

static int capture_read(uint32_t at, uint8_t *out, size_t size) {
  if (board.frames_kept == 0 || at + size > (size_t)board.frame_size) return SHALLOT_E_DEVICE_FAULT;
  for (size_t i = 0; i < size; i++) out[i] = frame_byte(at + i);
  return 0;
}

static void capture_drop(void) { board.frames_kept = 0; }

static struct port fake;

static void board_reset(void) {
  memset(&board, 0, sizeof board);
  fake = (struct port){.sleep_ms = no_sleep, .log = quiet, .output_set = output_set, .pulse_set = pulse_set,
                       .pin_read = pin_read, .i2c_transfer = i2c_transfer, .capture_take = capture_take,
                       .capture_read = capture_read, .capture_drop = capture_drop};
}

/* ---- sensors ---- */

static void sht3x_claims(void) {
  struct sht3x sensor = {.port = &fake, .address = SHT3X_ADDRESS};
  struct climate climate;
  uint8_t words[6] = {0xbe, 0xef, 0x92, 0xbe, 0xef, 0x92};
  board_reset();
  claim(sht3x_checksum(words) == 0x92, "SHT3x: the checksum of BE EF is 92 (table 20)");
  claim(sht3x_read(&sensor, &climate) == SHALLOT_FAULT_ABSENT, "SHT3x: one that never has measured is absent");
  board.answer = words, board.answer_size = sizeof words;
  claim(sht3x_read(&sensor, &climate) == 0 && climate.temperature == 8552 && climate.humidity == 7458, "SHT3x: BEEF is 85.52 degrees and 74.58 %");
  words[5] ^= 1;
  claim(sht3x_read(&sensor, &climate) == SHALLOT_FAULT_CHECKSUM, "SHT3x: a flipped bit in the humidity's sum is seen");
  words[5] ^= 1, words[1] ^= 0x10;
  claim(sht3x_read(&sensor, &climate) == SHALLOT_FAULT_CHECKSUM, "SHT3x: a flipped bit in the temperature is seen");
  words[0] = 0xff, words[1] = 0xff, words[2] = sht3x_checksum(words);
  claim(sht3x_read(&sensor, &climate) == SHALLOT_FAULT_RANGE, "SHT3x: 130 degrees are out of its range");
  words[0] = 0x66, words[1] = 0x66, words[2] = sht3x_checksum(words), words[3] = 0x80, words[4] = 0, words[5] = sht3x_checksum(words + 3);
  claim(sht3x_read(&sensor, &climate) == 0 && climate.temperature == 2500 && climate.humidity == 5000, "SHT3x: 6666 is 25.00 degrees, 8000 is 50.00 %");
  int fault = 0;
  for (int i = 1; i < HEALTH_SAME_LOOKS; i++) fault = sht3x_read(&sensor, &climate);
  claim(fault == SHALLOT_FAULT_STUCK, "SHT3x: the same bits for a minute are no weather");
  words[4] = 1, words[5] = sht3x_checksum(words + 3);
  claim(sht3x_read(&sensor, &climate) == 0, "SHT3x: one other bit and it is believed again");
}

/* The worked example of the BMP280's datasheet, §3.12, whose temperature and pressure are computed alike. */
static const struct bme280_trim example = {.t1 = 27504, .t2 = 26435, .t3 = -1000, .p1 = 36477, .p2 = -10685, .p3 = 3024, .p4 = 2855,
  .p5 = 140, .p6 = -7, .p7 = 15500, .p8 = -14600, .p9 = 6000, .h1 = 75, .h2 = 361, .h3 = 0, .h4 = 324, .h5 = 50, .h6 = 30};

static void bme280_claims(void) {
  struct bme280_raw raw = {.temperature = 519888, .pressure = 415148, .humidity = 30000};
  struct air air = bme280_compensate(&example, &raw);
  claim(air.temperature == 2508, "BME280: the datasheet's 519888 is 25.08 degrees");
  claim(air.pressure == 100653, "BME280: the datasheet's 415148 is 100653 Pa");
  claim(air.humidity > 5000 && air.humidity < 7000, "BME280: a humidity between its bounds");
  raw.humidity = 0;
  claim(bme280_compensate(&example, &raw).humidity == 0, "BME280: humidity never falls below nothing");
  raw.humidity = 65535;
  claim(bme280_compensate(&example, &raw).humidity == 10000, "BME280: nor rises above all");
  struct bme280_trim nothing = {0};
  claim(bme280_compensate(&nothing, &raw).pressure == 0, "BME280: a trimming of zeros divides by nothing");
  struct bme280_trim noise;
  memset(&noise, 0xa5, sizeof noise);
  noise.t1 = 27504, noise.t2 = 26435, noise.t3 = -1000;
  for (int32_t p = 0; p < 1048576; p += 65521) {
    raw.pressure = p;
    bme280_compensate(&noise, &raw);
  }
  claim(true, "BME280: a trimming of noise leads to nonsense, not to undefined behaviour");
  struct bme280 sensor = {.port = &fake, .address = BME280_ADDRESS};
  static const uint8_t bmp280[] = {0x58};
  board_reset();
  board.answer = bmp280, board.answer_size = sizeof bmp280;
  claim(bme280_read(&sensor, &air) == SHALLOT_FAULT_ABSENT, "BME280: another chip in its place is not believed");
}

static uint8_t onewire_sum(const uint8_t *bytes) {
  uint8_t crc = 0;
  for (int i = 0; i < 64; i++) {
    bool mix = (crc ^ (bytes[i / 8] >> i % 8)) & 1;
    crc = (uint8_t)(crc >> 1 ^ (mix ? 0x8c : 0));
  }
  return crc;
}

static int sixteenths_of(uint8_t low, uint8_t high, int32_t *sixteenths) {
  uint8_t pad[DS18B20_SCRATCHPAD_BYTES] = {low, high, 0x4b, 0x46, 0x7f, 0xff, 0x0c, 0x10, 0};
  pad[8] = onewire_sum(pad);
  return ds18b20_decode(pad, sixteenths);
}

/* Table 1 of the data sheet. */
static void ds18b20_claims(void) {
  static const struct { uint8_t high, low; int32_t sixteenths; const char *what; } rows[] = {
    {0x07, 0xd0, 2000, "DS18B20: 07D0 is +125 degrees"},     {0x01, 0x91, 401, "DS18B20: 0191 is +25.0625"},
    {0x00, 0xa2, 162, "DS18B20: 00A2 is +10.125"},           {0x00, 0x08, 8, "DS18B20: 0008 is +0.5"},
    {0x00, 0x00, 0, "DS18B20: 0000 is 0"},                   {0xff, 0xf8, -8, "DS18B20: FFF8 is -0.5"},
    {0xff, 0x5e, -162, "DS18B20: FF5E is -10.125"},          {0xfe, 0x6f, -401, "DS18B20: FE6F is -25.0625"},
    {0xfc, 0x90, -880, "DS18B20: FC90 is -55"}};
  int32_t got;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    claim(sixteenths_of(rows[i].low, rows[i].high, &got) == 0 && got == rows[i].sixteenths, rows[i].what);
  claim(sixteenths_of(0xd1, 0x07, &got) == SHALLOT_FAULT_RANGE, "DS18B20: 125.0625 degrees are out of range");
  static const uint8_t zeros[DS18B20_SCRATCHPAD_BYTES] = {0};
  claim(ds18b20_decode(zeros, &got) == SHALLOT_FAULT_CHECKSUM, "DS18B20: a shorted line of zeros, whose sum fits, is not 0 degrees");
  static const uint8_t ones[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  claim(ds18b20_decode(ones, &got) == SHALLOT_FAULT_CHECKSUM, "DS18B20: a line that nobody pulls is no temperature");
}

static void pulses_of(uint16_t out[DHT22_PULSES], const uint8_t bytes[5]) {
  out[0] = 80;
  for (int i = 0; i < 40; i++) out[i + 1] = (bytes[i / 8] >> (7 - i % 8)) & 1 ? 70 : 26;
}

/* The manual's own examples, §7.3. */
static void dht22_claims(void) {
  uint16_t pulses[DHT22_PULSES];
  int32_t warm, wet;
  pulses_of(pulses, (const uint8_t[]){0x02, 0x92, 0x01, 0x0d, 0xa2});
  claim(dht22_decode(pulses, &warm, &wet) == 0 && wet == 6580 && warm == 2690, "DHT22: 0292 010D is 65.8 % and 26.9 degrees");
  pulses_of(pulses, (const uint8_t[]){0x02, 0x92, 0x80, 0x65, 0x79});
  claim(dht22_decode(pulses, &warm, &wet) == 0 && warm == -1010, "DHT22: 8065 is -10.1 degrees");
  pulses[40] = 26;
  claim(dht22_decode(pulses, &warm, &wet) == SHALLOT_FAULT_CHECKSUM, "DHT22: a wrong sum is seen");
  pulses_of(pulses, (const uint8_t[]){0x02, 0x92, 0x01, 0x0d, 0xa2});
  pulses[7] = 200;
  claim(dht22_decode(pulses, &warm, &wet) == SHALLOT_FAULT_CHECKSUM, "DHT22: a pulse that is neither bit is not guessed at");
  pulses_of(pulses, (const uint8_t[]){0x03, 0xe9, 0x00, 0x64, 0x50});
  claim(dht22_decode(pulses, &warm, &wet) == SHALLOT_FAULT_RANGE, "DHT22: 100.1 % is out of range");
}

static void health_claims(void) {
  struct health health = {0};
  claim(!health_look(&health, SHALLOT_FAULT_CHECKSUM) && !health_look(&health, SHALLOT_FAULT_CHECKSUM), "two bad looks are no fault yet");
  claim(!health_look(&health, 0) && !health_look(&health, SHALLOT_FAULT_ABSENT) && !health_look(&health, SHALLOT_FAULT_ABSENT), "a good one between begins the count again");
  claim(health_look(&health, SHALLOT_FAULT_ABSENT) && health.standing == SHALLOT_FAULT_ABSENT, "the third is, by its own name");
  claim(!health_look(&health, SHALLOT_FAULT_ABSENT), "it is told once");
  claim(health_look(&health, 0) && health.standing == 0, "the first good look ends it");
}

/* ---- what moves and switches ---- */

static void debounced_claims(void) {
  struct debounced door = {.port = &fake, .channel = 3, .lasts_ms = 50, .is_active_low = true};
  board_reset();
  board.pins[3] = 1;
  claim(debounced_look(&door, 1000) == DEBOUNCED_SAME && !door.is_known, "a contact is not known at the first look");
  claim(debounced_look(&door, 1050) == DEBOUNCED_CHANGED && door.is_known && !door.is_active, "it is when it lasted");
  bool changed = false;
  for (uint64_t t = 1100; t < 1400; t += 10) {
    board.pins[3] = (int)(t / 10 % 2);
    changed |= debounced_look(&door, t) != DEBOUNCED_SAME;
  }
  claim(!changed, "one that bounces for 300 ms has not changed");
  board.pins[3] = 0;
  debounced_look(&door, 1400);
  claim(debounced_look(&door, 1449) == DEBOUNCED_SAME, "nor has one that held for a moment less than asked");
  claim(debounced_look(&door, 1450) == DEBOUNCED_CHANGED && door.is_active, "one that held has, once");
  claim(debounced_look(&door, 1500) == DEBOUNCED_SAME, "and not again");
  board.pins[3] = BROKEN;
  claim(debounced_look(&door, 1550) == SHALLOT_E_DEVICE_FAULT && door.is_active, "a pin that cannot be read is a fault, not a change");
}

static void relay_claims(void) {
  struct relay relay = {.port = &fake, .channel = 4, .rest_ms = 5000};
  board_reset();
  board.output[4] = 1000;
  claim(relay_open(&relay) == 0 && board.output[4] == 0, "a relay is off from the start, whatever it was");
  claim(relay_set(&relay, true, 100) == 0 && board.output[4] == 1000, "it switches on");
  claim(relay_set(&relay, false, 200) == SHALLOT_E_BUSY && board.output[4] == 1000, "and rests before it switches again");
  claim(relay_off(&relay, 300) == 0 && board.output[4] == 0, "but not when safety asks");
  claim(relay_set(&relay, true, 5299) == SHALLOT_E_BUSY, "a rest begins again with each switching");
  claim(relay_set(&relay, true, 5300) == 0, "and ends");
  board.outputs_broken = true;
  claim(relay_off(&relay, 20000) == SHALLOT_E_DEVICE_FAULT && relay.is_on, "a relay that cannot be switched off is not called off");
}

static void light_claims(void) {
  struct rgb rgb = {&fake, 1};
  board_reset();
  claim(rgb_set(&rgb, 0xff8000, 50) == 0 && board.output[1] == 500 && board.output[2] == 251 && board.output[3] == 0, "orange at half is 500, 251, 0");
  board.outputs_broken = true;
  claim(rgb_set(&rgb, 0xffffff, 100) == SHALLOT_E_DEVICE_FAULT, "a light that does not follow is a fault");
  board.outputs_broken = false;
  board.output[1] = board.output[2] = board.output[3] = 700;
  claim(rgb_open(&rgb) == 0 && board.output[1] + board.output[2] + board.output[3] == 0, "a light is dark from the start, whatever it was");
  struct buzzer buzzer = {.port = &fake, .channel = 1, .period_us = 250};
  board_reset();
  buzzer_open(&buzzer);
  buzzer_sound(&buzzer, 1);
  claim(buzzer_step(&buzzer, 0) == 0 && board.pulse == 125, "a buzzer sounds at half duty");
  claim(buzzer_step(&buzzer, 499) == 0 && board.pulse == 125, "for its beat");
  claim(buzzer_step(&buzzer, 500) == 0 && board.pulse == 0 && buzzer.beats_left == 0, "and falls silent");
}

static struct servo servo_opened(void) {
  struct servo servo = {.port = &fake, .channel = 1, .least_us = 1000, .most_us = 2000, .step_us = 10};
  board_reset();
  servo_open(&servo);
  return servo;
}

static void servo_claims(void) {
  struct servo servo = servo_opened();
  claim(board.pulse == 0, "a servo is let go from the start");
  servo_aim(&servo, 0);
  servo_step(&servo, 0);
  claim(board.pulse == 1000, "0 % is its shortest pulse");
  servo_aim(&servo, 1000);
  uint16_t most = 0, leap = 0, before = 1000;
  uint64_t t = 0;
  while (servo.is_moving && t < 60000) {
    int outcome = servo_step(&servo, t += SERVO_STEP_MS);
    if (board.pulse > most) most = board.pulse;
    if (outcome == 0 && board.pulse - before > leap) leap = (uint16_t)(board.pulse - before);
    before = board.pulse;
  }
  claim(most == 2000, "no order makes a pulse longer than its limit");
  claim(leap == 10, "it is led there step by step");
  claim(!servo.is_moving && board.pulse == 0 && servo_position(&servo) == 100, "and let go when it has arrived");
  servo_aim(&servo, 50);
  servo_step(&servo, t + SERVO_STEP_MS);
  servo_stop(&servo);
  claim(board.pulse == 0 && servo_position(&servo) == 99, "stopped, it stays where it is");
  servo_aim(&servo, 0);
  board.outputs_broken = true;
  claim(servo_step(&servo, t + 1000) == SHALLOT_E_DEVICE_FAULT && !servo.is_moving, "one that does not follow is given up");
}

static struct motor motor_opened(void) {
  struct motor motor = {.port = &fake, .forward_channel = 1, .backward_channel = 2, .forward_end = 5, .backward_end = MOTOR_NO_SWITCH, .runs_ms_max = 3000};
  board_reset();
  motor_open(&motor);
  return motor;
}

static void motor_claims(void) {
  struct motor motor = motor_opened();
  claim(motor_run(&motor, 150, 1000) == 0 && board.output[1] == 1000 && board.output[2] == 0, "a motor runs no faster than it can");
  claim(motor_run(&motor, -40, 1100) == 0 && board.output[1] == 0 && board.output[2] == 0, "told to turn round, it stands first");
  motor_step(&motor, 1100 + MOTOR_TURN_MS - 1);
  claim(board.output[2] == 0, "for the whole pause");
  motor_step(&motor, 1100 + MOTOR_TURN_MS);
  claim(board.output[2] == 400 && motor.speed == -40, "then turns");
  claim(motor_step(&motor, 4099) == 0 && board.output[2] == 400, "it runs up to its limit of time");
  claim(motor_step(&motor, 4100) == 1 && board.output[2] == 0, "and not beyond");
  motor_run(&motor, 30, 10000);
  board.pins[5] = 1;
  claim(motor_step(&motor, 10050) == 1 && board.output[1] == 0, "its end switch stops it");
  claim(motor_run(&motor, 30, 20000) == 0 && board.output[1] == 0, "and keeps it from starting that way");
  claim(motor_run(&motor, -30, 21000) == 0 && board.output[2] == 300, "but not the other");
  board.pins[5] = BROKEN;
  claim(motor_run(&motor, 30, 30000) == SHALLOT_E_DEVICE_FAULT && board.output[1] == 0 && board.output[2] == 0, "an end that cannot be seen stops it too");
  board.pins[5] = 0;
  motor_run(&motor, -50, 40000);
  claim(motor_link_lost(&motor, 40100) == 0 && board.output[2] == 0 && motor.wanted == 0, "a lost link stops it");
  claim(motor_step(&motor, 40100 + MOTOR_TURN_MS) == 0 && board.output[2] == 0, "and it does not go on by itself");
  motor_run(&motor, 50, 50000);
  motor_run(&motor, -50, 50010);
  motor_link_lost(&motor, 50020);
  motor_step(&motor, 50010 + MOTOR_TURN_MS);
  claim(board.output[1] == 0 && board.output[2] == 0, "nor does one that was about to turn");
  motor_run(&motor, 50, 60000);
  board.outputs_broken = true;
  claim(motor_link_lost(&motor, 60100) == SHALLOT_E_DEVICE_FAULT && motor_step(&motor, 60120) == SHALLOT_E_DEVICE_FAULT, "one that cannot be stopped says so");
  board.outputs_broken = false;
  motor_step(&motor, 60140);
  claim(board.output[1] == 0 && board.output[2] == 0, "and is stopped as soon as it can be");
  claim(!board.both_were_high, "both inputs of the bridge were never high");
}

static void pir_claims(void) {
  struct pir pir;
  board_reset();
  board.pins[3] = 1;
  pir_open(&pir, &fake, 3, 30000, 1000);
  bool told = false;
  for (uint64_t t = 1000; t < 31000; t += 50) told |= pir_look(&pir, t) != DEBOUNCED_SAME;
  claim(!told && !pir.is_known, "PIR: what it says while it settles is not believed");
  claim(pir_look(&pir, 31000) == DEBOUNCED_CHANGED && pir.is_motion, "PIR: motion is told at once after that");
  int changes = 0;
  for (uint64_t t = 31050; t < 91000; t += 50) {
    board.pins[3] = t / 3000 % 2 == 0;
    changes += pir_look(&pir, t) == DEBOUNCED_CHANGED;
  }
  claim(changes == 0 && pir.is_motion, "PIR: a busy minute is one report");
  board.pins[3] = 0;
  uint64_t t = 91000;
  while (pir.is_motion && t < 200000) pir_look(&pir, t += 50);
  claim(t >= 91000 + PIR_HOLD_MS - 3000 && t <= 91000 + PIR_HOLD_MS + 100, "PIR: and its end another, when none was seen for a while");
  board.pins[3] = BROKEN;
  claim(pir_look(&pir, t) == SHALLOT_E_DEVICE_FAULT && !pir.is_motion, "PIR: a pin that cannot be read is a fault, not motion");
}

static void ov2640_claims(void) {
  struct ov2640 camera = {.port = &fake};
  uint8_t byte;
  board_reset();
  board.frame_size = 5000;
  claim(ov2640_look(&camera, 5000) == 0 && camera.size == 5000, "OV2640: a whole frame is a picture");
  claim(ov2640_look(&camera, 5999) == SHALLOT_E_BUSY && camera.size == 5000, "OV2640: it rests, and keeps the one there is");
  claim(ov2640_read(&camera, 4999, &byte, 1) == 0 && byte == 0xd9, "OV2640: its last byte can be read");
  claim(ov2640_read(&camera, 5000, &byte, 1) == SHALLOT_E_DEVICE_FAULT && ov2640_read(&camera, SIZE_MAX, &byte, 1) == SHALLOT_E_DEVICE_FAULT &&
          ov2640_read(&camera, 1, &byte, SIZE_MAX) == SHALLOT_E_DEVICE_FAULT,
        "OV2640: nothing behind it can");
  ov2640_drop(&camera);
  claim(board.frames_kept == 0 && ov2640_read(&camera, 0, &byte, 1) == SHALLOT_E_DEVICE_FAULT, "OV2640: nor anything, once it is dropped");
  static const struct { int size; uint8_t fault; const char *what; } rows[] = {
    {BROKEN, SHALLOT_FAULT_ABSENT, "OV2640: no frame in time is absent"},
    {0, SHALLOT_FAULT_ABSENT, "OV2640: so is an empty one"},
    {3, SHALLOT_FAULT_CHECKSUM, "OV2640: three bytes are no picture"},
    {OV2640_BYTES_MAX + 1, SHALLOT_FAULT_RANGE, "OV2640: a byte more than allowed is out of range"}};
  uint64_t now_ms = 10000;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    board.frame_size = rows[i].size;
    now_ms += OV2640_REST_MS;
    int outcome = ov2640_look(&camera, now_ms);
    claim(outcome == SHALLOT_E_DEVICE_FAULT && camera.fault == rows[i].fault && camera.size == 0 && board.frames_kept == 0, rows[i].what);
  }
  board.frame_size = 4;
  claim(ov2640_look(&camera, now_ms + OV2640_REST_MS) == 0 && camera.size == 4, "OV2640: the smallest picture is a beginning and an end");
  fake.capture_take = NULL;
  claim(ov2640_open(&camera, &fake) == SHALLOT_E_DEVICE_FAULT && ov2640_look(&camera, 99999) == SHALLOT_E_DEVICE_FAULT, "OV2640: a place without capture has no camera");
}

/* Looks for so long; the last key that came, and how many. */
static int keys_come(struct matrix *matrix, uint64_t *now_ms, uint32_t ms, int *count) {
  int last = MATRIX_NONE;
  *count = 0;
  for (uint64_t end = *now_ms + ms; *now_ms < end;) {
    int key = matrix_look(matrix, *now_ms += 20);
    if (key == MATRIX_NONE || key < 0) continue;
    last = key;
    ++*count;
  }
  return last;
}

static bool rows_are_low(void) {
  for (int row = 0; row < MATRIX_ROWS; row++)
    if (board.output[MATRIX_ROW + row] != 0) return false;
  return true;
}

static void matrix_claims(void) {
  struct matrix matrix = {.port = &fake, .first_row = MATRIX_ROW, .first_column = 0};
  uint64_t now_ms = 1000;
  int count;
  board_reset();
  board.has_matrix = true;
  board.output[MATRIX_ROW] = 1000;
  claim(matrix_open(&matrix, now_ms) == 0 && rows_are_low(), "matrix: all rows are low from the start");
  board.keys[1] = 1u << 1;
  claim(keys_come(&matrix, &now_ms, 500, &count) == MATRIX_NONE, "matrix: a key that was down at the start is none");
  board.keys[1] = 0;
  keys_come(&matrix, &now_ms, 100, &count);
  board.keys[1] = 1u << 1;
  claim(keys_come(&matrix, &now_ms, 500, &count) == 5 && count == 1, "matrix: a key that is held comes once");
  bool is_any = false;
  for (int i = 0; i < 50; i++) {
    board.keys[1] = i % 2 ? 1u << 1 : 0;
    is_any |= matrix_look(&matrix, now_ms += 20) != MATRIX_NONE;
  }
  claim(!is_any, "matrix: one that bounces does not come again");
  board.keys[1] = 0;
  keys_come(&matrix, &now_ms, 100, &count);
  static const uint8_t order[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 11};
  bool is_right = true;
  for (int i = 0; i < 12; i++) {
    board.keys[i / 3] = 1u << i % 3;
    is_right &= keys_come(&matrix, &now_ms, 60, &count) == order[i] && count == 1;
    board.keys[i / 3] = 0;
    keys_come(&matrix, &now_ms, 60, &count);
  }
  claim(is_right, "matrix: 1 2 3, 4 5 6, 7 8 9, * 0 #");
  board.keys[0] = 3;
  claim(keys_come(&matrix, &now_ms, 200, &count) == MATRIX_NONE, "matrix: two keys at once are none");
  board.keys[0] = 1;
  claim(keys_come(&matrix, &now_ms, 200, &count) == MATRIX_NONE, "matrix: nor is the one that stays of them");
  keys_come(&matrix, &now_ms, MATRIX_STUCK_MS, &count);
  claim(matrix_look(&matrix, now_ms) == SHALLOT_E_DEVICE_FAULT && rows_are_low(), "matrix: a key that never comes up is a fault");
  board.keys[0] = 0;
  claim(matrix_look(&matrix, now_ms += 20) == MATRIX_NONE, "matrix: until it does");
  board.pins[2] = BROKEN;
  claim(matrix_look(&matrix, now_ms) == SHALLOT_E_DEVICE_FAULT && rows_are_low(), "matrix: a column that cannot be read is one, and leaves no row high");
  struct keypad keypad;
  keypad_open(&keypad, &fake);
  claim(keypad_press(&keypad, 4, 0) == 0 && keypad_press(&keypad, 2, 10) == 0 && keypad_press(&keypad, 11, 20) == 2 && keypad.digits[1] == '2', "keypad: keys of a matrix make an entry too");
  keypad_clear(&keypad);
  keypad_press(&keypad, 7, 100);
  claim(keypad_press(&keypad, 11, 100 + KEYPAD_PATIENCE_MS + 1) == 0, "keypad: which is forgotten when it is left alone");
}

int app_main(const struct port *port) {
  console = port;
  sht3x_claims();
  bme280_claims();
  ds18b20_claims();
  dht22_claims();
  health_claims();
  debounced_claims();
  relay_claims();
  light_claims();
  servo_claims();
  motor_claims();
  pir_claims();
  ov2640_claims();
  matrix_claims();
  log_text(port, "end");
  return failed;
}
