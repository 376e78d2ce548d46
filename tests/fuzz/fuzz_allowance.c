/*
 * Fuzzes chat/allowance_file.c, and the ledger's keys and records. Whatever a
 * file says, no limit of it is out of bounds, its rows are in order and found
 * again, and a complaint has no quotes and no control characters.
 */
#include "base/base.h"

#include "base/mem.h"
#include "chat/allowance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_fault(void *arg, int line, const char *rule)
{
    ++*(size_t *)arg;
    assert(line >= 0);
    assert(*rule != '\0' && strpbrk(rule, "\"\r\n\x1b") == NULL);
}

static void
check_limits(const struct ledger_limits *l)
{
    const int64_t *v = (const int64_t *)(const void *)l;

    for (size_t i = 0; i < sizeof(*l) / sizeof(*v); i++)
        assert(v[i] >= -1 && v[i] <= INT64_C(1000000000000000));
}

static void
check_rows(const struct allowance_rows *r, bool sound)
{
    for (size_t i = 0; i < r->n; i++) {
        check_limits(&r->rows[i].limits);
        assert(!sound || allowance_find(r, r->rows[i].name) != NULL);
        assert(i == 0 || strcmp(r->rows[i - 1].name, r->rows[i].name) <= 0);
    }
}

static void
read_records(const char *p, size_t n)
{
    struct ledger_place at;
    struct ledger_sums sums;
    struct ledger_standing standing;
    struct ledger_kept kept;
    uint8_t out[LEDGER_KEY_MAX];

    if (ledger_key_read(p, n, &at) == OK) {
        size_t m = at.kind == LEDGER_ROW
                       ? ledger_row_key(out, at.period, at.owner, at.name)
                       : ledger_key(out, (enum ledger_kind)at.kind, at.period,
                                    at.name);

        assert(m == n && memcmp(out, p, n) == 0);
    }
    if (ledger_sums_read(p, n, &sums) == OK) {
        assert(ledger_sums_write(out, &sums) == n);
        assert(memcmp(out, p, n) == 0);
    }
    IGNORE(ledger_standing_read(p, n, &standing));
    if (ledger_reserve_read(p, n, &kept) == OK)
        assert(kept.n <= LEDGER_CHARGES_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = xmalloc(size > 0 ? size : 1); /* a read past it is seen */
    struct allowances al;
    size_t faults = 0;

    memset(&al, 0, sizeof(al));
    if (size > 0)
        memcpy(exact, data, size);
    allowance_read(&al, exact, size, on_fault, &faults);
    check_rows(&al.users, faults == 0);
    check_rows(&al.models, faults == 0);
    check_limits(&al.anonymous);
    read_records(exact, size);
    free(exact);
    allowance_rows_free(&al.users);
    allowance_rows_free(&al.models);
    return 0;
}
