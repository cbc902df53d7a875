// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Parts that say anything: each driver on buses that carry libFuzzer's bytes, as they come or under a right checksum, over and over.
 * What must hold beside not breaking: no reading is outside its capability's range, no output outside its limits, a part that talks for ever
 * is not listened to for ever, and no row, motor or pulse stays driven after a fault.
 */
#include "story.h"

#include "../driver/atecc608.h"
#include "../driver/bme280.h"
#include "../driver/debounced.h"
#include "../driver/dht22.h"
#include "../driver/ds18b20.h"
#include "../driver/keypad.h"
#include "../driver/lock.h"
#include "../driver/matrix.h"
#include "../driver/motor.h"
#include "../driver/ov2640.h"
#include "../driver/pir.h"
#include "../driver/se050.h"
#include "../driver/servo.h"
#include "../driver/sht3x.h"
#include "../../schemas/gen/c/shallot_capabilities.h"

enum { CHANNELS = PORT_CHANNEL_MAX + 1, LOOKS = 24, ANSWERS_MAX = 20000, BURSTS = 16, LEVEL_MAX = 1000, SE050_HEAD = 3, SE050_NAD = 0xa5 };

static struct story story;
static const uint8_t *first;
static size_t whole;
static uint64_t now_ms;
static unsigned answers;
static bool is_summed; /* what a part says has the checksum that it should */
static int32_t levels[CHANNELS];
static uint16_t pulses[CHANNELS];

/* ---- buses ---- */

/* It does not end: what is over is said again. */
static uint8_t next(void) {
  if (story.left == 0) story = (struct story){first, whole};
  return story_byte(&story);
}

static void next_fill(void *out, size_t size) {
  for (size_t i = 0; i < size; i++) ((uint8_t *)out)[i] = next();
}

/* One in eight is not acknowledged. */
static bool is_silent(void) { return (next() & 7) == 7; }

static void answered(void) {
  if (++answers > ANSWERS_MAX) abort();
}

static uint64_t clock_now(void) { return now_ms; }
static void clock_wait(uint32_t ms) { now_ms += ms; }

/* CRCs of the parts' datasheets, of polynomials that are told lowest bit first. */
static unsigned crc_of(const uint8_t *bytes, size_t size, unsigned polynomial, unsigned crc) {
  for (size_t i = 0; i < size; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) crc = (crc & 1) ? crc >> 1 ^ polynomial : crc >> 1;
  }
  return crc;
}

static uint8_t reversed(unsigned byte) {
  unsigned out = 0;
  for (int bit = 0; bit < 8; bit++) out |= (byte >> bit & 1) << (7 - bit);
  return (uint8_t)out;
}

/* The secure element's block: the head is read first, then the rest with its CRC over both. */
static struct {
  uint8_t head[SE050_HEAD];
  bool is_begun;
} block;

static void block_say(uint8_t *in, size_t size) {
  uint8_t frame[SE050_HEAD + PORT_TRANSFER_BYTES_MAX];
  next_fill(in, size);
  if (size == SE050_HEAD) {
    in[0] = SE050_NAD;
    memcpy(block.head, in, SE050_HEAD);
    block.is_begun = true;
  } else if (block.is_begun && size >= 2) {
    memcpy(frame, block.head, SE050_HEAD);
    memcpy(frame + SE050_HEAD, in, size - 2);
    unsigned crc = ~crc_of(frame, SE050_HEAD + size - 2, 0x8408, 0xffff);
    in[size - 2] = (uint8_t)crc;
    in[size - 1] = (uint8_t)(crc >> 8);
    block.is_begun = false;
  }
}

/* The other one's group: its size, then what it carries in pieces, and a sum that is another on the wire's own order of bits. */
static struct {
  uint8_t bytes[256];
  size_t at;
} group;

static void group_say(uint8_t *in, size_t size) {
  if (size == 1) {
    static const uint8_t sizes[] = {4, 4, 7, 67};
    uint8_t fits = sizes[next() & 3];
    group.bytes[0] = fits;
    group.at = 1;
    in[0] = fits;
    return;
  }
  next_fill(in, size);
  for (size_t i = 0; i < size && group.at < sizeof group.bytes; i++) group.bytes[group.at++] = in[i];
  if (group.at != group.bytes[0] || size < 3) return;
  if (group.at == 4) in[0] = group.bytes[1] = next() & 1 ? 0x11 : 0;
  unsigned crc = crc_of(group.bytes, group.at - 2, 0xa001, 0);
  in[size - 2] = reversed(crc >> 8);
  in[size - 1] = reversed(crc);
}

static void sht3x_say(uint8_t *in, size_t size) {
  next_fill(in, size);
  for (size_t word = 0; word + 3 <= size; word += 3) in[word + 2] = sht3x_checksum(in + word);
}

static void bme280_say(const uint8_t *out, size_t out_size, uint8_t *in, size_t size) {
  next_fill(in, size);
  if (out_size == 1 && out[0] == 0xd0) in[0] = 0x60;
  if (out_size == 1 && out[0] == 0xf3) in[0] &= 0xf7;
}

static int i2c_transfer(uint8_t address, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size) {
  volatile uint8_t seen = 0;
  if (out_size > PORT_TRANSFER_BYTES_MAX || in_size > PORT_TRANSFER_BYTES_MAX) abort();
  for (size_t i = 0; i < out_size; i++) seen = (uint8_t)(seen ^ out[i]);
  if (is_silent()) return SHALLOT_E_DEVICE_FAULT;
  if (in_size == 0) return 0;
  answered();
  if (!is_summed) next_fill(in, in_size);
  else if (address == 0x48) block_say(in, in_size);
  else if (address == 0x60) group_say(in, in_size);
  else if (address == SHT3X_ADDRESS) sht3x_say(in, in_size);
  else bme280_say(out, out_size, in, in_size);
  return 0;
}

static int onewire_transfer(int channel, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size) {
  if (channel > PORT_CHANNEL_MAX || out_size > PORT_TRANSFER_BYTES_MAX || in_size > PORT_TRANSFER_BYTES_MAX || out == NULL) abort();
  if (is_silent()) return SHALLOT_E_DEVICE_FAULT;
  if (in_size == 0) return 0;
  answered();
  next_fill(in, in_size);
  if (is_summed && in_size == DS18B20_SCRATCHPAD_BYTES) {
    in[4] = 0x7f;
    in[8] = (uint8_t)crc_of(in, 8, 0x8c, 0);
  }
  return 0;
}

/* Pulses of any length, or of 40 bits whose last eight are the sum of the others. */
static int pulses_read(int channel, uint16_t wake_us, uint16_t *high_us, size_t count) {
  uint8_t bytes[5];
  if (channel > PORT_CHANNEL_MAX || wake_us == 0) abort();
  if (is_silent()) return SHALLOT_E_DEVICE_FAULT;
  answered();
  if (!is_summed || count != DHT22_PULSES) {
    next_fill(high_us, count * sizeof *high_us);
    return 0;
  }
  next_fill(bytes, 4);
  bytes[4] = (uint8_t)(bytes[0] + bytes[1] + bytes[2] + bytes[3]);
  high_us[0] = 80;
  for (size_t i = 0; i + 1 < count; i++) high_us[i + 1] = bytes[i / 8] >> (7 - i % 8) & 1 ? 70 : 26;
  return 0;
}

static int pin_read(int channel) {
  if (channel < 0 || channel > PORT_CHANNEL_MAX) abort();
  return is_silent() ? SHALLOT_E_DEVICE_FAULT : next() & 1;
}

static int output_set(int channel, int32_t level) {
  if (channel < 0 || channel > PORT_CHANNEL_MAX || level < 0 || level > LEVEL_MAX) abort();
  /* What turns it off works: a driver cannot do more than try. */
  if (level > 0 && is_silent()) return SHALLOT_E_DEVICE_FAULT;
  levels[channel] = level;
  return 0;
}

static int pulse_set(int channel, uint16_t period_us, uint16_t high_us) {
  if (channel < 0 || channel > PORT_CHANNEL_MAX || high_us > period_us) abort();
  if (high_us > 0 && is_silent()) return SHALLOT_E_DEVICE_FAULT;
  pulses[channel] = high_us;
  return 0;
}

/* A burst takes longer than a look: no more wait than a port keeps. */
static unsigned bursts;

static int wiegand_read(uint64_t *bits) {
  int count = next() % 65;
  if (is_silent() || bursts == 0) return 0;
  bursts--;
  answered();
  next_fill(bits, sizeof *bits);
  if (is_summed) count = (const int[]){4, 8, 26, 26}[count & 3];
  if (count > 0 && count < 64) *bits &= (1ull << count) - 1;
  return count;
}

static uint32_t frame_size;
static int capture_take(uint32_t timeout_ms) {
  (void)timeout_ms;
  frame_size = (uint32_t)next() << 9 | next();
  return is_silent() ? SHALLOT_E_DEVICE_FAULT : (int)frame_size;
}
static int capture_read(uint32_t at, uint8_t *out, size_t size) {
  if (at > frame_size || size > frame_size - at) abort();
  answered();
  next_fill(out, size);
  return is_silent() ? SHALLOT_E_DEVICE_FAULT : 0;
}
static void capture_drop(void) { frame_size = 0; }

static const struct port port = {
  .board = "fuzz",
  .now_ms = clock_now,
  .sleep_ms = clock_wait,
  .output_set = output_set,
  .pulse_set = pulse_set,
  .pin_read = pin_read,
  .pulses_read = pulses_read,
  .i2c_transfer = i2c_transfer,
  .onewire_transfer = onewire_transfer,
  .wiegand_read = wiegand_read,
  .capture_take = capture_take,
  .capture_read = capture_read,
  .capture_drop = capture_drop,
};

/* ---- parts ---- */

static void must(bool holds) {
  if (!holds) abort();
}

static bool is_warm(int32_t value) { return value >= SHALLOT_CAPABILITY_TEMPERATURE_MIN && value <= SHALLOT_CAPABILITY_TEMPERATURE_MAX; }
static bool is_wet(int32_t value) { return value >= SHALLOT_CAPABILITY_HUMIDITY_MIN && value <= SHALLOT_CAPABILITY_HUMIDITY_MAX; }
static bool is_fault(int fault) { return fault > SHALLOT_CAPABILITY_FAULT_MIN && fault <= SHALLOT_CAPABILITY_FAULT_MAX; }

static struct bme280 bme280;
static struct sht3x sht3x;
static struct ds18b20 ds18b20;
static struct keypad keypad;
static struct matrix matrix;
static struct pir pir;
static struct lock lock;
static struct motor motor;
static struct servo servo;
static struct ov2640 camera;

static void parts_open(void) {
  bme280 = (struct bme280){.port = &port, .address = BME280_ADDRESS};
  sht3x = (struct sht3x){.port = &port, .address = SHT3X_ADDRESS};
  ds18b20 = (struct ds18b20){.port = &port};
  matrix = (struct matrix){.port = &port};
  motor = (struct motor){.port = &port, .backward_channel = 1, .backward_end = 3, .forward_end = 2, .runs_ms_max = 500};
  servo = (struct servo){.port = &port, .least_us = 1000, .most_us = 2000, .step_us = 20};
  keypad_open(&keypad, &port);
  matrix_open(&matrix, now_ms);
  pir_open(&pir, &port, 4, 100, now_ms);
  lock_open(&lock, &port, 5, 6, next() & 1, now_ms);
  motor_open(&motor);
  servo_open(&servo);
  ov2640_open(&camera, &port);
}

static void bme280_claims(void) {
  struct air air;
  int fault = bme280_read(&bme280, &air);
  must(fault ? is_fault(fault)
             : is_warm(air.temperature) && is_wet(air.humidity) && air.pressure >= SHALLOT_CAPABILITY_PRESSURE_MIN &&
                 air.pressure <= SHALLOT_CAPABILITY_PRESSURE_MAX);
  health_look(&bme280.health, fault);
}

static void sht3x_claims(void) {
  struct climate climate;
  int fault = sht3x_read(&sht3x, &climate);
  must(fault ? is_fault(fault) : is_warm(climate.temperature) && is_wet(climate.humidity));
}

static void dht22_claims(void) {
  const struct dht22 dht22 = {&port, 0};
  int32_t temperature, humidity;
  int fault = dht22_read(&dht22, &temperature, &humidity);
  must(fault ? is_fault(fault) : is_warm(temperature) && is_wet(humidity));
}

static void ds18b20_claims(void) {
  int32_t temperature;
  int fault = ds18b20_read(&ds18b20, now_ms, &temperature);
  must(fault == DS18B20_WAIT || (fault ? is_fault(fault) : is_warm(temperature)));
}

static void keys_claims(void) {
  bursts = BURSTS;
  size_t size = keypad_look(&keypad, now_ms);
  must(size <= KEYPAD_DIGITS_MAX);
  for (size_t i = 0; i < size; i++) must(keypad.digits[i] >= '0' && keypad.digits[i] <= '9');
  if (size > 0) keypad_clear(&keypad);
  int key = matrix_look(&matrix, now_ms);
  must(key == SHALLOT_E_DEVICE_FAULT || (key >= 0 && key <= MATRIX_NONE));
  for (int row = 0; row < MATRIX_ROWS; row++) must(levels[row] == 0);
  if (key >= 0 && key < MATRIX_NONE) keypad_press(&keypad, (unsigned)key, now_ms);
}

static void motion_claims(void) {
  int seen = pir_look(&pir, now_ms);
  must(seen == DEBOUNCED_SAME || seen == DEBOUNCED_CHANGED || seen == SHALLOT_E_DEVICE_FAULT);
  if (next() & 1) lock_release(&lock, next() * 10u, now_ms);
  lock_hub(&lock, next() & 1, now_ms);
  lock_mind(&lock, now_ms);
  must(!lock.is_blind || lock.is_jammed);
}

static void drives_claims(void) {
  if (next() & 1) motor_run(&motor, (int8_t)next(), now_ms);
  int moved = motor_step(&motor, now_ms);
  must(levels[0] == 0 || levels[1] == 0);
  must(moved >= 0 || (levels[0] == 0 && levels[1] == 0));
  if (next() & 1) servo_aim(&servo, (int8_t)next());
  moved = servo_step(&servo, now_ms);
  must(pulses[0] == 0 || (pulses[0] >= servo.least_us && pulses[0] <= servo.most_us));
  must(moved >= 0 || pulses[0] == 0);
  must(servo_position(&servo) >= SHALLOT_CAPABILITY_POSITION_MIN && servo_position(&servo) <= SHALLOT_CAPABILITY_POSITION_MAX);
}

static void camera_claims(void) {
  uint8_t bytes[8];
  int fault = ov2640_look(&camera, now_ms);
  must(camera.size <= OV2640_BYTES_MAX && (fault == 0 || fault == SHALLOT_E_BUSY || (fault < 0 && is_fault(camera.fault))));
  ov2640_read(&camera, (size_t)next() << 8 | next(), bytes, sizeof bytes);
}

static void chips_claims(void) {
  uint8_t key[SIGNER_KEY_BYTES], point[ATECC608_POINT_BYTES], signature[SIGNER_SIGNATURE_BYTES];
  static const uint8_t message[200];
  se050.make(&port, next() & 1, key);
  se050.sign(&port, next() & 1, signature, message, next() % sizeof message);
  answers = 0;
  atecc608.make(&port, next() & 1, point);
  atecc608.sign(&port, next() & 1, signature, message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const claims[])(void) = {bme280_claims, sht3x_claims,  dht22_claims,  ds18b20_claims, keys_claims,
                                         motion_claims, drives_claims, camera_claims, chips_claims};
  enum { PARTS = sizeof claims / sizeof claims[0] };
  if (size < 2) return 0;
  first = data + 1;
  whole = size - 1;
  story = (struct story){first, whole};
  is_summed = data[0] & 0x80;
  now_ms = 1;
  answers = 0;
  memset(levels, 0, sizeof levels);
  memset(pulses, 0, sizeof pulses);
  memset(&block, 0, sizeof block);
  parts_open();
  unsigned part = (data[0] & 0x7f) % PARTS;
  unsigned looks = part == PARTS - 1 ? 1 : LOOKS;
  for (unsigned i = 0; i < looks; i++, answers = 0) {
    claims[part]();
    now_ms += 1 + (uint64_t)next() * 4;
  }
  return 0;
}
