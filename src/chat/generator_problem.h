/*
 * What went wrong between us and a provider, when it said nothing itself; for
 * chat/generator.c.
 */
#ifndef CHAT_GENERATOR_PROBLEM_H
#define CHAT_GENERATOR_PROBLEM_H

#include "provider/provider.h"
#include "upstream/transfer.h"

void generator_problem(const struct transfer_result *r, struct problem *p);
/* A line of the log. */
void generator_log(const struct provider *p, const struct transfer_result *r);
/* Does it refuse what is asked, as far as fault and status tell, and not who
 * asks, or how much? */
bool generator_is_content(enum fault fault, int status);

#endif
