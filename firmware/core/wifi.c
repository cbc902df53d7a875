// SPDX-License-Identifier: GPL-3.0-or-later
#include "wifi.h"

#include <string.h>

#include "cbor.h"
#include "crypto.h"

enum { BLOB_BYTES_MAX = 128, JOIN_MS_MAX = 20000, FIELDS = 3 };

static const char WIFI_BLOB[] = "wifi";

int wifi_set_name(struct wifi *wifi, const uint8_t *bytes, size_t size) {
  if (size < 1 || size > SHALLOT_WIFI_NAME_BYTES_MAX || memchr(bytes, '\0', size) != NULL) return SHALLOT_E_BAD_PROVISION;
  memcpy(wifi->name, bytes, size);
  wifi->name[size] = '\0';
  return 0;
}

static bool is_hex(uint8_t c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

int wifi_set_password(struct wifi *wifi, const uint8_t *bytes, size_t size) {
  bool is_key = size == SHALLOT_WIFI_PASSWORD_BYTES_MAX;
  if (size < SHALLOT_WIFI_PASSWORD_BYTES_MIN || size > SHALLOT_WIFI_PASSWORD_BYTES_MAX) return SHALLOT_E_BAD_PROVISION;
  for (size_t i = 0; i < size; i++) {
    bool is_good = is_key ? is_hex(bytes[i]) : bytes[i] >= ' ' && bytes[i] <= '~';
    if (!is_good) return SHALLOT_E_BAD_PROVISION;
  }
  memcpy(wifi->password, bytes, size);
  wifi->password[size] = '\0';
  return 0;
}

/* ---- the blob: name, password, and a sum of both ---- */

static int blob_keep(const struct port *port, const struct wifi *wifi) {
  uint8_t bytes[BLOB_BYTES_MAX];
  uint8_t sum[CRYPTO_SUM_BYTES];
  struct cbor_writer writer = cbor_writer_into(bytes, sizeof bytes);
  int fault = crypto_sum(sum, (const uint8_t *)wifi, sizeof *wifi);
  cbor_put_array(&writer, FIELDS);
  cbor_put_text(&writer, wifi->name, strlen(wifi->name));
  cbor_put_text(&writer, wifi->password, strlen(wifi->password));
  cbor_put_bytes(&writer, sum, sizeof sum);
  int size = cbor_written(&writer);
  if (fault == 0) fault = size < 0 ? size : port->blob_write(WIFI_BLOB, bytes, (size_t)size);
  crypto_wipe(bytes, sizeof bytes);
  return fault;
}

static int fields_take(struct wifi *wifi, const uint8_t *bytes, size_t size) {
  struct cbor_reader reader = cbor_reader_over(bytes, size);
  struct cbor_item array = cbor_next(&reader);
  struct cbor_item name = cbor_next(&reader);
  struct cbor_item password = cbor_next(&reader);
  struct cbor_item sum = cbor_next(&reader);
  bool is_shaped = array.kind == CBOR_ARRAY && array.count == FIELDS && name.kind == CBOR_TEXT && password.kind == CBOR_TEXT &&
                   sum.kind == CBOR_BYTES && sum.size == CRYPTO_SUM_BYTES;
  if (!is_shaped || wifi_set_name(wifi, name.bytes, name.size) != 0) return SHALLOT_E_PORT_STORAGE;
  if (password.size > 0 && wifi_set_password(wifi, password.bytes, password.size) != 0) return SHALLOT_E_PORT_STORAGE;
  return crypto_sum_fits(sum.bytes, (const uint8_t *)wifi, sizeof *wifi) ? 0 : SHALLOT_E_PORT_STORAGE;
}

static int blob_load(const struct port *port, struct wifi *wifi) {
  uint8_t bytes[BLOB_BYTES_MAX];
  memset(wifi, 0, sizeof *wifi);
  int size = port->blob_read(WIFI_BLOB, bytes, sizeof bytes);
  int fault = size < 0 ? size : cbor_check(bytes, (size_t)size);
  if (fault == 0) fault = fields_take(wifi, bytes, (size_t)size);
  crypto_wipe(bytes, sizeof bytes);
  if (fault) crypto_wipe(wifi, sizeof *wifi);
  return fault;
}

/* ---- joining ---- */

bool wifi_is_there(const struct port *port) { return port->wifi_join != NULL; }

bool wifi_is_kept(const struct port *port) {
  struct wifi wifi;
  bool is_kept = blob_load(port, &wifi) == 0;
  crypto_wipe(&wifi, sizeof wifi);
  return is_kept;
}

int wifi_take(const struct port *port, const struct wifi *wifi) {
  int fault = port->wifi_join(wifi->name, wifi->password, JOIN_MS_MAX);
  if (fault == 0) return blob_keep(port, wifi);
  wifi_resume(port);
  return fault;
}

void wifi_resume(const struct port *port) {
  struct wifi wifi;
  if (!wifi_is_there(port)) return;
  if (blob_load(port, &wifi) == 0) port->wifi_join(wifi.name, wifi.password, 0);
  crypto_wipe(&wifi, sizeof wifi);
}
