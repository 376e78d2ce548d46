/*
 * The ends of transfers in words for the user. Pure.
 */
#include "base/base.h"

#include "chat/generator_problem.h"

#include "base/log.h"

void
generator_problem(const struct transfer_result *r, struct problem *p)
{
    switch (r->end) {
    case TRANSFER_TIMEOUT:
        (void)problem_set(p, ERR_TIMEOUT, "provider_timeout",
                          "The provider is too slow",
                          "Nothing came from the provider in time. Try "
                          "again.");
        break;
    case TRANSFER_CONNECT:
        (void)problem_set(p, ERR_UPSTREAM, "provider_unreachable",
                          "The provider cannot be reached",
                          "Check the provider's address and the network, "
                          "then try again.");
        break;
    case TRANSFER_UNTRUSTED:
        (void)problem_set(p, ERR_UPSTREAM, "provider_unreachable",
                          "The provider's certificate is not trusted",
                          "Check the provider's address; if its certificate "
                          "is from an authority of your own, name that in "
                          "UPSTREAM_CA.");
        break;
    case TRANSFER_CUT:
    case TRANSFER_COMPLETE:
        (void)problem_set(p, ERR_UPSTREAM, "incomplete", "The answer broke off",
                          "The provider ended the stream early. What came "
                          "is kept; try again for the rest.");
        break;
    default:
        (void)problem_set(p, ERR_UPSTREAM, "provider_garbage",
                          "The provider's reply is not understood",
                          "Check that the address is one of a compatible "
                          "API.");
    }
    p->retryable = r->end != TRANSFER_UNTRUSTED;
}

void
generator_log(const struct provider *p, const struct transfer_result *r)
{
    log_info("upstream.done",
             "provider=%s end=%d status=%d upstream_id=\"%s\" reason=\"%s\"",
             p->name, (int)r->end, r->head != NULL ? r->head->status : 0,
             LOG_TEXT(r->head != NULL ? r->head->request_id : ""),
             LOG_TEXT(r->reason));
}

bool
generator_is_content(enum fault fault, int status)
{
    return fault == FAULT_OTHER &&
           (status == 400 || status == 413 || status == 415 || status == 422);
}
