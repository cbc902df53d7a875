// SPDX-License-Identifier: GPL-3.0-or-later
#include "matrix.h"

enum { HIGH = 1000, MANY = 13 };

/* Row by row; in figures, because flash gives no single bytes. */
static uint8_t key_at(int row, int column) {
  if (row < MATRIX_ROWS - 1) return (uint8_t)(row * MATRIX_COLUMNS + column + 1);
  return column == 0 ? 10 : column == 1 ? 0 : 11;
}

static int row_set(const struct matrix *matrix, int row, int32_t level) { return matrix->port->output_set(matrix->first_row + row, level); }

static int rows_rest(const struct matrix *matrix) {
  int fault = 0;
  for (int row = 0; row < MATRIX_ROWS; row++) fault |= row_set(matrix, row, 0);
  return fault == 0 ? 0 : SHALLOT_E_DEVICE_FAULT;
}

/* The keys of one row that are down. */
static int row_scan(const struct matrix *matrix, int row, int *count, uint8_t *key) {
  if (row_set(matrix, row, HIGH) != 0) return SHALLOT_E_DEVICE_FAULT;
  for (int column = 0; column < MATRIX_COLUMNS; column++) {
    int level = matrix->port->pin_read(matrix->first_column + column);
    if (level < 0) return SHALLOT_E_DEVICE_FAULT;
    if (level == 0) continue;
    ++*count;
    *key = key_at(row, column);
  }
  return row_set(matrix, row, 0) == 0 ? 0 : SHALLOT_E_DEVICE_FAULT;
}

/* A key, MATRIX_NONE, MANY, or a fault, after which all rows are low again. */
static int scan(const struct matrix *matrix) {
  int count = 0;
  uint8_t key = MATRIX_NONE;
  for (int row = 0; row < MATRIX_ROWS; row++) {
    if (row_scan(matrix, row, &count, &key) == 0) continue;
    rows_rest(matrix);
    return SHALLOT_E_DEVICE_FAULT;
  }
  return count > 1 ? MANY : key;
}

int matrix_open(struct matrix *matrix, uint64_t now_ms) {
  matrix->seen = MATRIX_NONE;
  matrix->is_told = false;
  matrix->is_up = false;
  matrix->seen_since_ms = now_ms;
  return rows_rest(matrix);
}

int matrix_look(struct matrix *matrix, uint64_t now_ms) {
  int seen = scan(matrix);
  if (seen < 0) return seen;
  if (seen != matrix->seen) {
    matrix->seen = (uint8_t)seen;
    matrix->seen_since_ms = now_ms;
    matrix->is_told = false;
  }
  uint64_t lasted_ms = now_ms - matrix->seen_since_ms;
  if (seen != MATRIX_NONE && lasted_ms >= MATRIX_STUCK_MS) return SHALLOT_E_DEVICE_FAULT;
  if (lasted_ms < MATRIX_LASTS_MS || matrix->is_told) return MATRIX_NONE;
  matrix->is_told = true;
  bool is_key = seen < MATRIX_NONE && matrix->is_up;
  matrix->is_up = seen == MATRIX_NONE;
  return is_key ? seen : MATRIX_NONE;
}
