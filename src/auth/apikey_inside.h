/*
 * What the files of auth/apikey share: the names of the records, and reading
 * one.
 */
#ifndef AUTH_APIKEY_INSIDE_H
#define AUTH_APIKEY_INSIDE_H

#include "auth/apikey_record.h"
#include "base/buf.h"

struct touch;

struct apikeys {
    struct store *store; /* borrowed */
    struct touch *touch; /* owned */
};

/* The name of a record. */
struct apikey_rname {
    char s[STORE_RECORD_NAME_MAX + 1];
    size_t n;
};

struct apikey_rname apikey_rname(const char *id);
/* What the names of all of an owner's places begin with. */
struct apikey_rname apikey_places_rname(const char *owner);
struct apikey_rname apikey_place_rname(const char *owner, int64_t slot);

#endif
