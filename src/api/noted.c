/* Who asks, put into facts for the audit log. */
#include "base/base.h"

#include "api/noted.h"

#include "api/who.h"
#include "base/digest.h"

void
noted_session(char out[NOTED_SESSION_LEN], const char *id)
{
    char name[DIGEST_NAME_LEN];

    digest_name(name, id, strlen(id));
    (void)memcpy(out, name, NOTED_SESSION_LEN - 1);
    out[NOTED_SESSION_LEN - 1] = '\0';
}

static void
fill(const struct request *rq, struct audit_fact *f)
{
    const struct identity *who = who_asks(rq);

    f->who = who->owner;
    f->addr = who->addr;
}

enum err
noted_wait(const struct request *rq, struct audit_fact *f)
{
    fill(rq, f);
    return audit_event_wait(f);
}

void
noted(const struct request *rq, struct audit_fact *f)
{
    fill(rq, f);
    audit_event(f);
}
