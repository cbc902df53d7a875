// SPDX-License-Identifier: GPL-3.0-or-later
#include "grants.h"

#include <string.h>

#include "crypto.h"
#include "keycodes.h"
#include "revocations.h"
#include "uses.h"
#include "../../schemas/gen/c/shallot_codes.h"

enum { DAYS_SHIFT = 22, FROM_SHIFT = 11, MINUTE_BITS = 0x7ff, SECONDS_PER_DAY = 86400, MONDAY_BEFORE_EPOCH = 3, DAYS_PER_WEEK = 7 };
enum { IN_USE_S = 60 };

static struct grant *grant_at(const struct grants *grants, unsigned place) { return &grants->app->grants[place]; }

static bool is_held(const struct grant *grant) { return grant->links > 0; }

/* Times beyond what fits are as good as never. */
static uint32_t seconds_narrow(int64_t seconds) { return seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds; }

void grants_open(struct grants *grants, const struct app *app, const struct port *port, const uint8_t device[SHALLOT_KEY_BYTES]) {
  memset(grants, 0, sizeof *grants);
  grants->app = app;
  grants->port = port;
  grants->device = device;
  for (size_t i = 0; i < app->grants_max; i++) memset(&app->grants[i], 0, sizeof app->grants[i]);
  uint32_t listed_s = revocations_latest_s(port);
  uint32_t used_s = uses_latest_s(port);
  grants->latest_s = listed_s > used_s ? listed_s : used_s;
  keycodes_open(app->codes, port);
}

/* ---- finding ---- */

static bool has_id(const struct grant *grant, const uint8_t *id) {
  return is_held(grant) && memcmp(grant->id, id, SHALLOT_GRANT_ID_BYTES) == 0;
}

static unsigned seat_of(const struct gate *gate, const struct gate_signer *signer) { return (unsigned)(signer - gate->signers); }

unsigned grants_find(struct gate *gate, const uint8_t *id, const uint8_t *holder) {
  const struct grants *grants = gate->grants;
  const struct gate_signer *signer = gate_find(gate, holder);
  for (unsigned i = 0; signer != NULL && i < grants->app->grants_max; i++) {
    const struct grant *grant = grant_at(grants, i);
    if (has_id(grant, id) && grant->holder == seat_of(gate, signer)) return i;
  }
  return GRANT_NONE;
}

struct grant *grants_known(const struct grants *grants, const uint8_t digest[SHALLOT_DIGEST_BYTES]) {
  for (unsigned i = 0; i < grants->app->grants_max; i++) {
    struct grant *grant = grant_at(grants, i);
    if (is_held(grant) && memcmp(grant->digest, digest, GATE_DIGEST_BYTES) == 0) return grant;
  }
  return NULL;
}

size_t grants_links(struct grants *grants, unsigned place, struct grant *links[SHALLOT_GRANT_LINKS_MAX]) {
  size_t count = grant_at(grants, place)->links;
  for (size_t i = count; i > 0; i--) {
    links[i - 1] = grant_at(grants, place);
    place = links[i - 1]->parent;
  }
  return count;
}

/* SPEC 12.2 */
int grants_check_parent(struct gate *gate, const uint8_t *signer, const struct grant_body *grant) {
  unsigned place = grants_find(gate, grant->parent, signer);
  if (place == GRANT_NONE) return SHALLOT_E_GRANT_CHAIN;
  const struct grant *parent = grant_at(gate->grants, place);
  return parent->links < SHALLOT_GRANT_LINKS_MAX && parent->share > grant->share ? 0 : SHALLOT_E_GRANT_CHAIN;
}

/* SPEC 12.3. What is held was not taken back; of what is not, flash is asked. */
int grants_check_holder(struct gate *gate, const uint8_t *signer, const uint8_t *id) {
  const struct grants *grants = gate->grants;
  struct revocable what = {.id = id, .holder = signer};
  if (grants_find(gate, id, signer) != GRANT_NONE) return 0;
  int code = revocations_check(gate, grants->port, &what);
  if (code) return code;
  for (unsigned i = 0; i < grants->app->grants_max; i++) {
    if (has_id(grant_at(grants, i), id)) return SHALLOT_E_UNKNOWN_SIGNER;
  }
  return keycodes_has(grants, id) ? SHALLOT_E_UNKNOWN_SIGNER : SHALLOT_E_UNKNOWN_GRANT;
}

/* ---- making room ---- */

static bool has_children(const struct grants *grants, unsigned place) {
  for (unsigned i = 0; i < grants->app->grants_max; i++) {
    const struct grant *grant = grant_at(grants, i);
    if (is_held(grant) && grant->parent == place) return true;
  }
  return false;
}

static void grant_drop(struct gate *gate, unsigned place) {
  struct grant *grant = grant_at(gate->grants, place);
  gate->signers[grant->holder].grants--;
  gate->signers[grant->sealer].grants--;
  memset(grant, 0, sizeof *grant);
}

/* A grant, and what hangs from it: that has always more links. */
static void grant_drop_all(struct gate *gate, unsigned place) {
  const struct grants *grants = gate->grants;
  for (unsigned i = 0; i < grants->app->grants_max; i++) {
    if (is_held(grant_at(grants, i)) && grant_at(grants, i)->parent == place) grant_drop_all(gate, i);
  }
  grant_drop(gate, place);
}

static bool has_ended(const struct grant *grant, uint32_t now_s) { return grant->expires_s != 0 && grant->expires_s <= now_s; }

static void ended_drop(struct gate *gate) {
  const struct grants *grants = gate->grants;
  for (unsigned i = 0; i < grants->app->grants_max; i++) {
    const struct grant *grant = grant_at(grants, i);
    if (is_held(grant) && has_ended(grant, grants->latest_s)) grant_drop_all(gate, i);
  }
}

static unsigned place_free(const struct grants *grants) {
  for (unsigned i = 0; i < grants->app->grants_max; i++) {
    if (!is_held(grant_at(grants, i))) return i;
  }
  return GRANT_NONE;
}

bool grants_evict(struct gate *gate, const struct envelope *grant) {
  const struct grants *grants = gate->grants;
  struct grant_body body = claims_grant(&grant->claims);
  unsigned parent = body.parent == NULL ? GRANT_NONE : grants_find(gate, body.parent, grant->signer);
  unsigned oldest = GRANT_NONE;
  for (unsigned i = 0; i < grants->app->grants_max; i++) {
    const struct grant *held = grant_at(grants, i);
    if (i == parent || !is_held(held) || has_children(grants, i) || grants->uptime_s - held->used_s < IN_USE_S) continue;
    if (oldest == GRANT_NONE || held->used_s < grant_at(grants, oldest)->used_s) oldest = i;
  }
  if (oldest != GRANT_NONE) grant_drop(gate, oldest);
  return oldest != GRANT_NONE;
}

void grants_forget_sealer(struct gate *gate, const struct gate_signer *signer) {
  const struct grants *grants = gate->grants;
  for (unsigned i = 0; i < grants->app->grants_max; i++) {
    const struct grant *grant = grant_at(grants, i);
    if (is_held(grant) && grant->parent == GRANT_NONE && grant->sealer == seat_of(gate, signer)) grant_drop_all(gate, i);
  }
}

/* ---- reading ---- */

uint32_t grant_group(const uint8_t *name, size_t size) {
  uint8_t digest[SHALLOT_DIGEST_BYTES] = {0};
  crypto_sha256(digest, name, size);
  uint32_t group = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
  return group == 0 ? 1 : group;
}

static void devices_read(struct grant *grant, const uint8_t *device, struct cbor_list devices) {
  size_t groups = 0;
  grant->is_here = devices.count == 0;
  for (size_t i = 0; i < devices.count; i++) {
    struct cbor_item one = cbor_next(&devices.reader);
    if (one.kind == CBOR_TEXT) grant->groups[groups++] = grant_group(one.bytes, one.size);
    else grant->is_here |= memcmp(one.bytes, device, SHALLOT_KEY_BYTES) == 0;
  }
}

static unsigned affordance_place(const struct app *app, unsigned affordance) {
  unsigned place = 0;
  while (place < app->affordances_count && app->affordances[place] != affordance) place++;
  return place;
}

static void what_read(struct grant *grant, const struct app *app, struct cbor_list what) {
  for (size_t i = 0; i < what.count; i++) {
    cbor_next(&what.reader);
    unsigned place = affordance_place(app, (unsigned)cbor_next(&what.reader).value);
    unsigned methods = (unsigned)cbor_next(&what.reader).value;
    uint16_t bit = (uint16_t)(1u << place);
    if (place == app->affordances_count) {
      grant->is_for_others = true;
      continue;
    }
    if (methods & SHALLOT_METHOD_GET) grant->may_read |= bit;
    if (methods & SHALLOT_METHOD_PUT) grant->may_write |= bit;
    if (methods & SHALLOT_METHOD_POST) grant->may_invoke |= bit;
  }
}

static void hours_read(struct grant *grant, struct cbor_list hours) {
  for (size_t i = 0; i < hours.count; i++) {
    cbor_next(&hours.reader);
    uint32_t days = (uint32_t)cbor_next(&hours.reader).value;
    uint32_t from = (uint32_t)cbor_next(&hours.reader).value;
    uint32_t to = (uint32_t)cbor_next(&hours.reader).value;
    grant->hours[i] = days << DAYS_SHIFT | from << FROM_SHIFT | to;
  }
}

/* 0 means that there is none; the first second of 1970 is as good as the second. */
static uint32_t bound_read(bool is_there, int64_t seconds) { return is_there && seconds == 0 ? 1 : seconds_narrow(seconds); }

void grant_read(struct grant *grant, const struct grants *grants, const struct claims *claims,
                const uint8_t digest[SHALLOT_DIGEST_BYTES]) {
  struct grant_body body = claims_grant(claims);
  memset(grant, 0, sizeof *grant);
  memcpy(grant->id, body.id, sizeof grant->id);
  memcpy(grant->digest, digest, sizeof grant->digest);
  grant->issued_s = seconds_narrow(claims->issued_s);
  grant->not_before_s = bound_read(claims->has_not_before, claims->not_before_s);
  grant->expires_s = bound_read(claims->has_deadline, claims->expires_s);
  grant->lease_s = body.lease_s;
  grant->uses = (uint8_t)body.uses;
  grant->share = (uint8_t)body.share;
  grant->parent = GRANT_NONE;
  grant->links = 1;
  devices_read(grant, grants->device, body.devices);
  what_read(grant, grants->app, body.what);
  hours_read(grant, body.hours);
}

/* ---- what arrives ---- */

static bool is_copy(const struct gate *gate, const struct grant *held, const struct envelope *envelope, unsigned parent) {
  const struct gate_signer *holder = &gate->signers[held->holder];
  if (envelope->claims.key != NULL && memcmp(holder->key, envelope->claims.key, SHALLOT_KEY_BYTES) == 0) return false;
  if (held->parent != parent) return false;
  /* What hangs from nothing an owner sealed. */
  return parent == GRANT_NONE || memcmp(gate->signers[held->sealer].key, envelope->signer, SHALLOT_KEY_BYTES) == 0;
}

/* Copies of one grant are for several keys and come from one hand, or from owners; anything else with the same id is another grant. */
static bool is_in_conflict(struct gate *gate, const struct envelope *envelope, const uint8_t *id, unsigned parent) {
  for (unsigned i = 0; i < gate->grants->app->grants_max; i++) {
    const struct grant *held = grant_at(gate->grants, i);
    if (has_id(held, id) && !is_copy(gate, held, envelope, parent)) return true;
  }
  return false;
}

/* Puts an admitted grant in the table. */
static int table_take(struct gate *gate, const struct envelope *envelope, const uint8_t *digest, unsigned parent, bool *forgotten) {
  struct grants *grants = gate->grants;
  if (place_free(grants) == GRANT_NONE) ended_drop(gate);
  unsigned place = place_free(grants);
  if (place == GRANT_NONE) return SHALLOT_E_GRANTS_FULL;
  struct gate_signer *holder = gate_seat(gate, envelope->claims.key, forgotten);
  if (holder == NULL) return SHALLOT_E_GRANTS_FULL;
  struct gate_signer *sealer = gate_find(gate, envelope->signer);
  struct grant *grant = grant_at(grants, place);
  grant_read(grant, grants, &envelope->claims, digest);
  grant->parent = (uint8_t)parent;
  grant->links = parent == GRANT_NONE ? 1 : (uint8_t)(grant_at(grants, parent)->links + 1);
  grant->used_s = grants->uptime_s;
  grant->holder = (uint8_t)seat_of(gate, holder);
  grant->sealer = (uint8_t)seat_of(gate, sealer);
  holder->grants++;
  sealer->grants++;
  return 0;
}

int grants_take(struct gate *gate, const struct envelope *envelope, const uint8_t digest[SHALLOT_DIGEST_BYTES], bool *forgotten) {
  struct grants *grants = gate->grants;
  const struct claims *claims = &envelope->claims;
  struct grant_body body = claims_grant(claims);
  unsigned parent = body.parent == NULL ? GRANT_NONE : grants_find(gate, body.parent, envelope->signer);
  struct revocable what = {body.id, claims->key, envelope->signer, body.parent != NULL, seconds_narrow(claims->issued_s)};
  int code = revocations_check(gate, grants->port, &what);
  if (code) return code;
  if (is_in_conflict(gate, envelope, body.id, parent)) return SHALLOT_E_CONFLICT;
  if (body.pin_salt != NULL) return keycodes_keep(gate, envelope, digest, parent);
  return table_take(gate, envelope, digest, parent, forgotten);
}

uint32_t grant_leased_until(const struct grant *grant, const struct claims *lease) {
  struct cbor_list ids = claims_lease(lease);
  for (size_t i = 0; i < ids.count; i++) {
    struct cbor_item id = cbor_next(&ids.reader);
    if (memcmp(id.bytes, grant->id, sizeof grant->id) != 0) continue;
    int64_t until_s = lease->issued_s + grant->lease_s;
    return seconds_narrow(until_s < lease->expires_s ? until_s : lease->expires_s);
  }
  return 0;
}

void grants_lease(struct grants *grants, const struct claims *lease) {
  for (unsigned i = 0; i < grants->app->grants_max; i++) {
    struct grant *grant = grant_at(grants, i);
    uint32_t until_s = is_held(grant) ? grant_leased_until(grant, lease) : 0;
    if (until_s > grant->leased_until_s) grant->leased_until_s = until_s;
  }
  keycodes_lease(grants, lease);
}

static void owners_sweep(struct gate *gate, const struct envelope *list) {
  for (size_t i = 0; i < gate->signers_count; i++) {
    struct gate_signer *signer = &gate->signers[i];
    struct revocable what = {.holder = signer->key};
    if (!signer->is_owner || !revocation_covers(&list->claims, list->signer, true, &what)) continue;
    gate_remove_owner(signer);
    grants_forget_sealer(gate, signer);
  }
  struct revocable hub = {.holder = gate->hub};
  if (revocation_covers(&list->claims, list->signer, true, &hub)) gate->is_hub_revoked = true;
}

void grants_sweep(struct gate *gate, const struct envelope *list) {
  const struct grants *grants = gate->grants;
  bool is_roots = memcmp(list->signer, gate->root, SHALLOT_KEY_BYTES) == 0;
  for (unsigned i = 0; i < grants->app->grants_max; i++) {
    const struct grant *grant = grant_at(grants, i);
    if (!is_held(grant)) continue;
    struct revocable what = {grant->id, gate->signers[grant->holder].key, gate->signers[grant->sealer].key, grant->parent != GRANT_NONE,
                             grant->issued_s};
    if (revocation_covers(&list->claims, list->signer, is_roots, &what)) grant_drop_all(gate, i);
  }
  if (is_roots) owners_sweep(gate, list);
  keycodes_sweep(gate, list, is_roots);
}

void grants_regroup(struct grants *grants, const struct claims *enrolment) {
  struct cbor_list names = claims_groups(enrolment);
  memset(grants->groups, 0, sizeof grants->groups);
  for (size_t i = 0; i < names.count; i++) {
    struct cbor_item name = cbor_next(&names.reader);
    grants->groups[i] = grant_group(name.bytes, name.size);
  }
}

/* ---- orders ---- */

static int64_t local_s(const struct zone *zone, int64_t now_s) {
  bool has_changed = zone->changes_s != 0 && now_s >= zone->changes_s;
  return now_s + (has_changed ? zone->then_east_min : zone->east_min) * 60;
}

struct moment grants_moment(struct grants *grants, int64_t now_s) {
  struct moment moment = {.now_s = now_s, .latest_s = grants->latest_s};
  if (now_s == 0) return moment;
  if (now_s > moment.latest_s) moment.latest_s = grants->latest_s = seconds_narrow(now_s);
  /* Before 1970 local time is east of the Monday before it all the same. */
  int64_t since_monday_s = local_s(&grants->zone, now_s) + MONDAY_BEFORE_EPOCH * SECONDS_PER_DAY;
  moment.week_minute = (uint32_t)(since_monday_s % (DAYS_PER_WEEK * SECONDS_PER_DAY) / 60);
  return moment;
}

static bool is_within_hours(const struct grant *grant, uint32_t week_minute) {
  uint32_t day = week_minute / SHALLOT_MINUTES_PER_DAY;
  uint32_t minute = week_minute % SHALLOT_MINUTES_PER_DAY;
  for (size_t i = 0; i < SHALLOT_GRANT_HOURS_MAX && grant->hours[i] != 0; i++) {
    uint32_t span = grant->hours[i];
    bool is_day = (span >> DAYS_SHIFT & 1u << day) != 0;
    if (is_day && minute >= (span >> FROM_SHIFT & MINUTE_BITS) && minute < (span & MINUTE_BITS)) return true;
  }
  return grant->hours[0] == 0;
}

static int time_judge(const struct grant *grant, const struct moment *moment) {
  bool is_timed = grant->not_before_s != 0 || grant->expires_s != 0 || grant->hours[0] != 0 || grant->lease_s != 0;
  if (!is_timed) return 0;
  if (moment->now_s == 0) return SHALLOT_E_NO_CLOCK;
  if ((int64_t)grant->not_before_s > moment->now_s) return SHALLOT_E_GRANT_NOT_YET;
  if (grant->expires_s != 0 && grant->expires_s <= moment->latest_s) return SHALLOT_E_GRANT_EXPIRED;
  if (!is_within_hours(grant, moment->week_minute)) return SHALLOT_E_OUTSIDE_HOURS;
  return grant->lease_s != 0 && (int64_t)grant->leased_until_s <= moment->now_s ? SHALLOT_E_LEASE_LAPSED : 0;
}

static unsigned methods_of(const struct grant *grant, unsigned operation) {
  if (operation == SHALLOT_OPERATION_READ) return grant->may_read;
  return operation == SHALLOT_OPERATION_WRITE ? grant->may_write : grant->may_invoke;
}

static bool is_granted(const struct grant *grant, const struct app *app, const struct command_body *order, const struct moment *moment) {
  if (order->operation == SHALLOT_OPERATION_READ && order->affordance == SHALLOT_AFFORDANCE_ALL) return moment->readable != 0;
  unsigned place = affordance_place(app, order->affordance);
  if (place == app->affordances_count) return grant->is_for_others;
  return (methods_of(grant, order->operation) >> place & 1) != 0;
}

static bool is_for_us(const struct grant *grant, const struct grants *grants) {
  bool is_here = grant->is_here;
  for (size_t i = 0; i < SHALLOT_GRANT_DEVICES_MAX && grant->groups[i] != 0; i++) {
    for (size_t j = 0; j < SHALLOT_GROUPS_MAX; j++) is_here |= grant->groups[i] == grants->groups[j];
  }
  return is_here;
}

int grant_judge(const struct grant *grant, const struct grants *grants, const struct command_body *order, const struct moment *moment) {
  if (!is_for_us(grant, grants)) return SHALLOT_E_GRANT_ELSEWHERE;
  if (!is_granted(grant, grants->app, order, moment)) return SHALLOT_E_NOT_GRANTED;
  return time_judge(grant, moment);
}

uint16_t grants_readable(struct grants *grants, unsigned place) {
  struct grant *links[SHALLOT_GRANT_LINKS_MAX];
  size_t count = grants_links(grants, place, links);
  uint16_t readable = app_properties(grants->app);
  for (size_t i = 0; i < count; i++) readable &= links[i]->may_read;
  return readable;
}

int grants_judge(struct grants *grants, unsigned place, const struct command_body *order, struct moment *moment) {
  struct grant *links[SHALLOT_GRANT_LINKS_MAX];
  size_t count = grants_links(grants, place, links);
  bool is_read = order->operation == SHALLOT_OPERATION_READ;
  moment->readable = grants_readable(grants, place);
  for (size_t i = 0; i < count; i++) {
    links[i]->used_s = grants->uptime_s;
    int code = grant_judge(links[i], grants, order, moment);
    if (code == 0 && links[i]->uses != 0 && !is_read) code = uses_check(grants->port, links[i]);
    if (code) return code;
  }
  return 0;
}

int grants_spend(struct grants *grants, unsigned place, const struct moment *moment) {
  struct grant *links[SHALLOT_GRANT_LINKS_MAX];
  size_t count = grants_links(grants, place, links);
  bool is_counted = false;
  for (size_t i = 0; i < count; i++) is_counted |= links[i]->uses != 0;
  return is_counted ? uses_count(grants->port, links, count, seconds_narrow(moment->now_s)) : 0;
}
