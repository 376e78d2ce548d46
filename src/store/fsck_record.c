/*
 * Values under names. The store does not know what they mean, so all that can
 * be wrong is their form. One that cannot be read is of no use to anybody, and
 * a repair takes it away: an account's key or login that is gone is made again,
 * and none ever allows more by not being there.
 */
#include "base/base.h"

#include "store/fsck_inside.h"

static void
check_record(struct fsck *f, const MDB_val *k, const MDB_val *v)
{
    int64_t expires_ms;
    const char *value;
    size_t len;

    if (k->mv_size > STORE_RECORD_NAME_MAX)
        fsck_drop(f, DB_RECORDS, k, "the name is too long");
    else if (record_value_read(v->mv_data, v->mv_size, &expires_ms, &value,
                               &len) != OK)
        fsck_drop(f, DB_RECORDS, k, "cannot be decoded");
}

void
fsck_records(struct fsck *f)
{
    fsck_walk(f, DB_RECORDS, check_record);
}
