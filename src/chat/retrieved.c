/*
 * What was looked up for a question, once it is there, and as whom. Apart from
 * who looks things up, since whoever has a question has to let go of this.
 */
#include "base/base.h"

#include "chat/retrieve.h"
#include "chat/sight.h"

const char *
retrieve_as(const char *who, bool lists)
{
    return who[0] != '\0' ? who : lists ? FILES_NOBODY : FILES_SHARED;
}

const char *
retrieve_viewer(const struct turn_ask *a)
{
    return retrieve_as(payer_owner(&a->payer, a->owner),
                       a->owner[0] == '\0' && a->lists);
}

void
retrieved_free(const struct retrieved *r)
{
    struct retrieved *mine = (struct retrieved *)(uintptr_t)r;

    if (r == NULL)
        return;
    sights_free(mine->sights);
    files_found_release(&mine->here);
    if (r->differs)
        files_found_release(&mine->away);
    free(mine);
}

const struct files_found *
retrieved_for(const struct retrieved *r, bool stays)
{
    static const struct files_found none = {.n = 0};

    if (r == NULL || (r->local && !stays))
        return &none;
    return stays || !r->differs ? &r->here : &r->away;
}
