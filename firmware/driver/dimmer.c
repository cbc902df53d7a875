// SPDX-License-Identifier: GPL-3.0-or-later
#include "dimmer.h"

#include "../core/line.h"

enum { LEVEL_PER_PERCENT = 10 };

int dimmer_set(const struct dimmer *dimmer, int32_t percent) {
  struct line line = {.size = 0};
  int32_t level = percent * LEVEL_PER_PERCENT;
  if (dimmer->port->output_set(dimmer->channel, level) != 0) return SHALLOT_E_DEVICE_FAULT;
  line_add(&line, "output ");
  line_add_number(&line, dimmer->channel);
  line_add(&line, " = ");
  line_add_number(&line, level);
  dimmer->port->log(line.text);
  return 0;
}
