// SPDX-License-Identifier: GPL-3.0-or-later
#include "contact.h"

static bool contact_read(struct contact *contact) {
  int32_t value = 0;
  contact->is_faulty = contact->port->sensor_read(contact->channel, &value) != 0;
  return contact->is_faulty ? contact->is_on : value != 0;
}

void contact_open(struct contact *contact, const struct port *port, int channel, uint64_t now_ms) {
  *contact = (struct contact){.port = port, .channel = channel, .seems_since_ms = now_ms};
  contact->is_on = contact->seems_on = contact_read(contact);
}

bool contact_look(struct contact *contact, uint64_t now_ms) {
  bool is_on = contact_read(contact);
  if (is_on != contact->seems_on) {
    contact->seems_on = is_on;
    contact->seems_since_ms = now_ms;
  }
  if (is_on == contact->is_on || now_ms - contact->seems_since_ms < CONTACT_BOUNCE_MS) return false;
  contact->is_on = is_on;
  return true;
}
